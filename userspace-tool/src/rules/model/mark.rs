// SPDX-License-Identifier: GPL-2.0

//! Marks of packets, with the bits that count.

use std::fmt;

use crate::{
    error::Error,
    netlink::{Attribute, Writer, spec::attribute::mark as attribute},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) value: u32,
    pub(crate) mask: u32,
}

impl Mark {
    /// A mark of which all bits count, unless a mask follows it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (value, mask) = match text.split_once('/') {
            Some((value, mask)) => (value, parse_number(mask)?),
            None => (text, u32::MAX),
        };
        let value = parse_number(value)?;
        Ok(Self { value, mask })
    }

    pub(crate) fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let mut mark = Self {
            value: 0,
            mask: u32::MAX,
        };
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::VALUE => mark.value = attribute.u32()?,
                attribute::MASK => mark.mask = attribute.u32()?,
                _ => {}
            }
        }
        Ok(mark)
    }

    pub(crate) fn encode(&self, nest: &mut Writer) {
        nest.u32(attribute::VALUE, self.value);
        nest.u32(attribute::MASK, self.mask);
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
