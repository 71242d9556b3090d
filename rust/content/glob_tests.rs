// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of texts with wildcards.

use super::glob::{
    Glob,
    GLOB_MAX, //
};
use crate::packet::tcp::options_tests::Numbers;
use kernel::prelude::*;

/// Whether a text matches, tried in the simplest way.
fn simply(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skipped| simply(rest, &text[skipped..])),
        [first, rest @ ..] => text.first() == Some(first) && simply(rest, &text[1..]),
    }
}

#[kunit_tests(palisade_globs)]
mod tests {
    use super::*;

    fn matches(pattern: &[u8], text: &[u8]) -> Result<bool> {
        Ok(Glob::new(pattern, false)?.matches(text.iter().copied()))
    }

    #[test]
    fn stars_stand_for_anything() -> Result {
        for (pattern, right, wrong) in [
            ("www.example.org", "www.example.org", "www.example.orgs"),
            ("*.example.org", "a.b.example.org", "example.org"),
            ("*.example.org", ".example.org", "www.example.org.net"),
            ("/api/*", "/api/", "/api"),
            ("/a*b*c", "/a-b-b-c", "/a-c-b"),
            ("*", "", "\n"),
            ("*aab", "aaab", "aaba"),
            ("*aab*aab", "aabaab", "aaaab"),
            ("a*a", "aa", "a"),
            ("", "", "a"),
        ] {
            assert!(matches(pattern.as_bytes(), right.as_bytes())?);
            let is_all = pattern == "*";
            assert_eq!(matches(pattern.as_bytes(), wrong.as_bytes())?, is_all);
        }
        Ok(())
    }

    #[test]
    fn case_counts_if_it_has_to() -> Result {
        let text = || b"WWW.Example.ORG".iter().copied();
        assert!(Glob::new(b"www.eXample.*", true)?.matches(text()));
        assert!(!Glob::new(b"www.eXample.*", false)?.matches(text()));
        Ok(())
    }

    #[test]
    fn the_longest_is_taken() -> Result {
        let text = [b'a'; GLOB_MAX + 1];
        assert!(matches(&text[1..], &text[1..])?);
        assert!(Glob::new(&text, false).is_err());
        Ok(())
    }

    #[test]
    fn it_is_as_the_simplest_way() -> Result {
        let mut numbers = Numbers(1);
        let mut fill = |bytes: &mut [u8], letters: &[u8]| {
            for byte in bytes.iter_mut() {
                *byte = letters[numbers.next() as usize % letters.len()];
            }
            numbers.next() as usize % (bytes.len() + 1)
        };
        let mut matching = 0;
        for _ in 0..20_000 {
            let (mut pattern, mut text) = ([0; 8], [0; 12]);
            let length = fill(&mut pattern, b"ab*");
            let pattern = &pattern[..length];
            let length = fill(&mut text, b"ab");
            let text = &text[..length];
            let expected = simply(pattern, text);
            assert_eq!(matches(pattern, text)?, expected);
            matching += u32::from(expected);
        }
        assert!((1000..19_000).contains(&matching));
        Ok(())
    }
}
