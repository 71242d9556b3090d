// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the types of IPv6 addresses.

use super::addrtype::is_ipv6_match;
use crate::kernel_api::net::address_type::AddressTypes;
use kernel::prelude::*;

#[kunit_tests(palisade_address_types)]
mod tests {
    use super::*;

    const LOCAL: AddressTypes = AddressTypes::LOCAL;
    const ANYCAST: AddressTypes = AddressTypes::ANYCAST;
    const UNICAST: AddressTypes = AddressTypes::UNICAST;
    const MULTICAST: AddressTypes = AddressTypes::MULTICAST;
    const UNSPEC: AddressTypes = AddressTypes::UNSPEC;
    const UNREACHABLE: AddressTypes = AddressTypes::UNREACHABLE;

    #[test]
    fn the_form_alone_needs_no_route() {
        for (asked, form, expected) in [
            (UNICAST, UNICAST, true),
            (UNICAST, MULTICAST, false),
            (MULTICAST, MULTICAST, true),
            (MULTICAST, UNICAST, false),
            (UNSPEC, UNSPEC, true),
            (UNSPEC, UNICAST, false),
            (UNICAST, UNSPEC, false),
            (UNICAST, AddressTypes::NONE, false),
            // No address is both.
            (UNICAST.or(MULTICAST), UNICAST, false),
            (UNICAST.or(MULTICAST), MULTICAST, false),
            // The form is wrong already.
            (MULTICAST.or(LOCAL), UNICAST, false),
        ] {
            let mut is_looked_up = false;
            let matches = is_ipv6_match(asked, form, || {
                is_looked_up = true;
                AddressTypes::NONE
            });
            assert_eq!((matches, is_looked_up), (expected, false));
        }
    }

    #[test]
    fn one_of_the_types_of_the_route_is_enough() {
        for (asked, routed, expected) in [
            (LOCAL, LOCAL, true),
            (LOCAL, UNREACHABLE, false),
            (LOCAL, AddressTypes::NONE, false),
            (LOCAL.or(ANYCAST), ANYCAST, true),
            (LOCAL.or(ANYCAST), LOCAL.or(ANYCAST), true),
            (LOCAL.or(ANYCAST), UNREACHABLE, false),
            (UNREACHABLE, UNREACHABLE, true),
            (UNICAST.or(LOCAL), LOCAL, true),
            (UNICAST.or(LOCAL), AddressTypes::NONE, false),
            (MULTICAST.or(LOCAL), LOCAL, false),
        ] {
            assert_eq!(is_ipv6_match(asked, UNICAST, || routed), expected);
        }
    }
}
