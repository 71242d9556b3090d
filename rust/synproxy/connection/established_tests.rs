// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the cache of open connections.

use super::established::EstablishedCache;
use crate::kernel_api::{
    conntrack::connections::Endpoints,
    netfilter::Family, //
};
use kernel::prelude::*;

fn client(number: u32) -> Endpoints {
    Endpoints {
        family: Family::Ipv4,
        addresses: ([number, 0, 0, 0], [1, 0, 0, 0]),
        ports: ([1, 2], [0, 80]),
    }
}

#[kunit_tests(palisade_synproxy_established)]
mod tests {
    use super::*;

    #[test]
    fn none_is_lost_without_a_trace() -> Result {
        let established = EstablishedCache::new()?;
        let mark = |number: u32| established.mark(&client(number)).ok_or(EINVAL);
        // More than there are slots.
        const COUNT: u32 = 40_000;
        for number in 0..COUNT {
            mark(number)?.set(true);
            assert!(mark(number)?.is_own());
        }
        let mut lost = 0;
        for number in 0..COUNT {
            let mark = mark(number)?;
            assert!(mark.is_own() || mark.may_have_been_replaced());
            lost += u32::from(!mark.is_own());
        }
        assert!(lost > COUNT / 2);
        Ok(())
    }

    #[test]
    fn none_gives_way_to_itself() -> Result {
        let established = EstablishedCache::new()?;
        let mark = |number: u32| established.mark(&client(number)).ok_or(EINVAL);
        // Replacing other marks leaves no trace. A mark of SYNPROXY's is not replaced by itself,
        // nor by another once it is cleared.
        for number in 0..1000 {
            mark(number)?.set(false);
        }
        for _ in 0..2 {
            mark(0)?.set(true);
            mark(0)?.set(false);
        }
        mark(0)?.set(true);
        mark(0)?.clear();
        for number in 1000..40_000 {
            mark(number)?.set(false);
        }
        for number in 0..40_000 {
            assert!(!mark(number)?.may_have_been_replaced());
        }
        Ok(())
    }
}
