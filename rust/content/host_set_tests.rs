// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of sets of names of hosts.

use super::host_set::HostSet;
use kernel::prelude::*;

/// The name of a host that is made from a number.
fn name(number: u32) -> [u8; 18] {
    let mut name = *b"h00000.example.org";
    let mut rest = number;
    for digit in name[1..6].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    name
}

#[kunit_tests(palisade_host_sets)]
mod tests {
    use super::*;

    #[test]
    fn names_and_what_is_below_them() -> Result {
        let names: [&[u8]; 4] = [
            b"Example.org",
            b"*.example.NET",
            b"a.example.net",
            b"localhost",
        ];
        let set = HostSet::new(names.into_iter())?;
        for inside in [
            &b"example.org"[..],
            b"a.example.net",
            b"a.b.example.net",
            b"localhost",
        ] {
            assert!(set.contains(inside));
        }
        for outside in [
            &b""[..],
            b".",
            b"org",
            b"www.example.org",
            b"example.net",
            b"aexample.net",
            b"example.org.",
            b"a.localhost",
        ] {
            assert!(!set.contains(outside));
        }
        Ok(())
    }

    #[test]
    fn each_of_many_is_found() -> Result {
        let mut names = KVVec::new();
        for number in 0..10_000 {
            names.push(name(number * 2), GFP_KERNEL)?;
            // Twice.
            names.push(name(number * 2), GFP_KERNEL)?;
        }
        let set = HostSet::new(names.iter().map(|name| &name[..]))?;
        for number in 0..20_000 {
            assert_eq!(set.contains(&name(number)), number % 2 == 0);
        }
        Ok(())
    }

    #[test]
    fn what_is_no_name_is_refused() -> Result {
        let long = [b'a'; 256];
        for wrong in [&b""[..], &long] {
            assert!(HostSet::new([wrong].into_iter()).is_err());
        }
        let set = HostSet::new([&long[1..]].into_iter())?;
        assert!(set.contains(&long[1..]) && !set.contains(b"a"));
        assert!(!HostSet::new([].into_iter())?.contains(b"a"));
        Ok(())
    }
}
