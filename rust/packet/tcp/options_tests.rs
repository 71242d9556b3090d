// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of TCP options, well-formed and malformed.

use super::options::{
    Options,
    Timestamps,
    Walk,
    LENGTH_MAX, //
};
use kernel::prelude::*;

/// What clients usually send: MSS, SACK permitted, timestamps, window scale.
const USUAL: [u8; 20] = [
    2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7, //
];

fn usual() -> Options {
    Options {
        mss: Some(1460),
        scale: Some(7),
        sack: true,
        timestamps: Some(Timestamps {
            value: 0x0102_0304,
            echo: 0x0506_0708,
        }),
        received: None,
    }
}

/// Pseudorandom numbers, the same in each run.
pub(crate) struct Numbers(pub(crate) u32);

impl Numbers {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

#[kunit_tests(palisade_synproxy_options)]
mod tests {
    use super::*;

    #[test]
    fn usual_ones() {
        assert!(Options::parse(&USUAL) == usual());
        assert!(Options::parse(&[]) == Options::default());
    }

    #[test]
    fn every_truncation() {
        for length in 0..USUAL.len() {
            let expected = Options {
                mss: usual().mss.filter(|_| length >= 4),
                sack: length >= 6,
                timestamps: usual().timestamps.filter(|_| length >= 16),
                scale: None,
                received: None,
            };
            assert!(Options::parse(&USUAL[..length]) == expected);
        }
    }

    #[test]
    fn wrong_lengths_end_them() {
        // The option is cut off, shorter than its own header, or longer than the list.
        for length in [0, 1, 17, 18, 255] {
            let mut bytes = USUAL;
            bytes[5] = length;
            let expected = Options {
                mss: Some(1460),
                ..Options::default()
            };
            assert!(Options::parse(&bytes) == expected);
        }
        // An option that ends with the list is complete.
        let mut bytes = USUAL;
        bytes[5] = 16;
        assert_eq!(Walk::new(&bytes).count(), 2);
    }

    #[test]
    fn wrong_sizes_say_nothing() {
        for kind in [2, 3, 4, 8] {
            for length in 2..=38_u8 {
                let mut bytes = [0x55; LENGTH_MAX];
                bytes[0] = kind;
                bytes[1] = length;
                // The next option is read all the same.
                let (behind, right) = match kind {
                    4 => ([3, 3, 9, 0], 2),
                    2 => ([4, 2, 0, 0], 4),
                    3 => ([4, 2, 0, 0], 3),
                    _ => ([4, 2, 0, 0], 10),
                };
                let end = usize::from(length);
                let room = bytes.len().min(end + 4);
                bytes[end..room].copy_from_slice(&behind[..room - end]);
                let options = Options::parse(&bytes[..room]);
                let found = [
                    options.mss.is_some(),
                    kind == 3 && options.scale.is_some(),
                    kind == 4 && options.sack,
                    options.timestamps.is_some(),
                ];
                assert_eq!(found.contains(&true), length == right);
                if end + 3 <= LENGTH_MAX {
                    assert!(options.sack || options.scale == Some(9));
                }
            }
        }
    }

    #[test]
    fn nothing_and_the_end() {
        assert!(Options::parse(&[1; LENGTH_MAX]) == Options::default());
        let mut bytes = [1; LENGTH_MAX];
        bytes[36..].copy_from_slice(&[2, 4, 5, 180]);
        assert!(Options::parse(&bytes).mss == Some(1460));
        // Nothing counts after the end, whatever it looks like.
        for offset in [0, 4, 6, 16] {
            let mut bytes = USUAL;
            bytes[offset] = 0;
            assert!(Options::parse(&bytes) == Options::parse(&USUAL[..offset]));
        }
    }

    #[test]
    fn what_is_said_last_counts() {
        let options = Options::parse(&[2, 4, 5, 180, 2, 4, 2, 24, 3, 3, 7, 3, 3, 2]);
        assert!(options.mss == Some(536));
        assert!(options.scale == Some(2));
    }

    #[test]
    fn scales_are_14_at_most() {
        for scale in 0..=255 {
            let options = Options::parse(&[1, 3, 3, scale]);
            assert!(options.scale == Some(scale.min(14)));
        }
    }

    #[test]
    fn places_are_those_of_the_bodies() {
        let offsets = [2, 6, 8, 19];
        let kinds = [2, 4, 8, 3];
        let mut steps = 0;
        for ((kind, offset, body), number) in Walk::new(&USUAL).zip(0..) {
            assert_eq!((kind, offset), (kinds[number], offsets[number]));
            let offset = offset as usize;
            assert!(USUAL[offset..offset + body.len()] == *body);
            steps += 1;
        }
        assert_eq!(steps, 4);
    }

    #[test]
    fn nothing_random_does_harm() {
        let mut numbers = Numbers(0x1234_5678);
        for round in 0..20_000 {
            let mut bytes = [0; LENGTH_MAX];
            for byte in &mut bytes {
                let number = numbers.next();
                // Small numbers are kinds and lengths: make more of those.
                *byte = if round % 2 == 0 { number % 12 } else { number } as u8;
            }
            let length = numbers.next() as usize % (LENGTH_MAX + 1);
            let bytes = &bytes[..length];
            let mut behind = 0;
            for (kind, offset, body) in Walk::new(bytes) {
                let offset = offset as usize;
                assert!(kind > 1 && offset >= behind + 2);
                assert!(bytes.get(offset..offset + body.len()) == Some(body));
                assert_eq!(usize::from(bytes[offset - 1]), body.len() + 2);
                behind = offset + body.len();
            }
            assert!(behind <= length);
            assert!(Options::parse(bytes).scale.is_none_or(|scale| scale <= 14));
        }
    }
}
