// SPDX-License-Identifier: GPL-2.0

//! Marks of packets, with the bits that count.

use std::fmt;

use crate::fields::composite;

/// A mark and its mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) value: u32,
    pub(crate) mask: u32,
}

impl Mark {
    /// Parse a value, with a mask behind a slash; without one all bits count.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (value, mask) = match text.split_once('/') {
            Some((value, mask)) => (value, parse_number(mask)?),
            None => (text, u32::MAX),
        };
        let value = parse_number(value)?;
        Ok(Self { value, mask })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mask {
            u32::MAX => write!(out, "{:#x}", self.value),
            mask => write!(out, "{:#x}/{mask:#x}", self.value),
        }
    }
}

composite!(Mark { value or 0, mask or u32::MAX });

/// A number as C writes it: decimal, hexadecimal after 0x, octal after 0.
pub(crate) fn parse_number(text: &str) -> Result<u32, String> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let number = u32::from_str_radix(digits, radix).ok();
    number
        .filter(|_| !digits.starts_with('+'))
        .ok_or_else(|| "a mark is a number up to 4294967295 or 0xffffffff".to_owned())
}
