// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the slots of connections.

use super::table::first_way;
use crate::kernel_api::{
    conntrack::connections::Endpoints,
    hash::HashKey,
    netfilter::Family, //
};
use kernel::prelude::*;

#[kunit_tests(palisade_synproxy_table)]
mod tests {
    use super::*;

    fn from(words: [u32; 4]) -> Endpoints {
        Endpoints {
            family: Family::Ipv6,
            addresses: (words, [0x2001_0db8, 0, 0, 1]),
            ports: ([1, 2], [0, 80]),
        }
    }

    #[test]
    fn nobody_can_aim_at_a_place() {
        let key = HashKey::random();
        // Addresses of one /64, whose words cancel out if a hash just adds them up, however they
        // are rotated before.
        let turns = [(16, 24), (0, 8), (8, 0), (24, 16), (0, 0), (8, 16)];
        for (third, fourth) in turns {
            let slot = |number: u32| {
                let words = [
                    0x2001_0db8,
                    0,
                    number.rotate_right(third),
                    number.rotate_right(fourth),
                ];
                first_way(&key, &from(words))
            };
            let first = slot(0);
            // There are 256 sets.
            assert!((1..256).filter(|number| slot(*number) == first).count() < 20);
        }
    }
}
