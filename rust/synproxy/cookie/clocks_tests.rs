// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the clocks that clients see.

use super::clocks::Clocks;
use crate::{
    kernel_api::conntrack::connections::Endpoints,
    packet::Family, //
};
use kernel::prelude::*;

fn client(family: Family, source: u32, destination: u32, ports: u16) -> Endpoints {
    let words = |last| match family {
        Family::Ipv4 => [last, 0, 0, 0],
        Family::Ipv6 => [0x2001_0db8, 0, 0, last],
    };
    Endpoints {
        family,
        addresses: (words(source), words(destination)),
        ports: (ports.to_be_bytes(), [0, 80]),
    }
}

#[kunit_tests(palisade_clocks)]
mod tests {
    use super::*;

    #[test]
    fn a_client_sees_one_clock() {
        let clocks = Clocks::new();
        for family in [Family::Ipv4, Family::Ipv6] {
            let first = clocks.offset(&client(family, 1, 2, 3));
            for ports in 0..100 {
                assert_eq!(clocks.offset(&client(family, 1, 2, ports)), first);
            }
            // The low bits of a timestamp carry options.
            assert_eq!(first & 0x3ff, 0);
        }
    }

    #[test]
    fn others_see_others() {
        let (clocks, others) = (Clocks::new(), Clocks::new());
        for family in [Family::Ipv4, Family::Ipv6] {
            let mut equal = 0;
            for number in 0..256 {
                let first = clocks.offset(&client(family, number, 7, 3));
                equal += u32::from(first == clocks.offset(&client(family, number + 1, 7, 3)));
                equal += u32::from(first == clocks.offset(&client(family, number, 8, 3)));
                equal += u32::from(first == others.offset(&client(family, number, 7, 3)));
            }
            // There are four million offsets.
            assert!(equal < 4);
        }
    }
}
