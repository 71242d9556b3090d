// SPDX-License-Identifier: GPL-2.0

//! Reading netlink attributes.

use std::net::IpAddr;

use netlink_packet_core::{NLA_HEADER_SIZE, NlasIterator};

use crate::error::Error;

/// One attribute of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) kind: u16,
    value: &'a [u8],
}

/// The attributes that follow one another in `bytes`.
pub(crate) fn attributes(bytes: &[u8]) -> impl Iterator<Item = Result<Attribute<'_>, Error>> {
    NlasIterator::new(bytes).map(|item| {
        let buffer = item.map_err(|error| Error::Answer(error.to_string()))?;
        let (kind, length) = (buffer.kind(), usize::from(buffer.length()));
        let value = buffer
            .into_inner()
            .get(NLA_HEADER_SIZE..length)
            .unwrap_or_default();
        Ok(Attribute { kind, value })
    })
}

impl<'a> Attribute<'a> {
    fn array<const LENGTH: usize>(&self) -> Result<[u8; LENGTH], Error> {
        self.value.try_into().map_err(|_| {
            Error::Answer(format!(
                "attribute {} has {} bytes instead of {LENGTH}",
                self.kind,
                self.value.len()
            ))
        })
    }

    pub(crate) fn u8(&self) -> Result<u8, Error> {
        self.array::<1>().map(u8::from_ne_bytes)
    }

    pub(crate) fn u16(&self) -> Result<u16, Error> {
        self.array().map(u16::from_ne_bytes)
    }

    pub(crate) fn u32(&self) -> Result<u32, Error> {
        self.array().map(u32::from_ne_bytes)
    }

    pub(crate) fn u64(&self) -> Result<u64, Error> {
        self.array().map(u64::from_ne_bytes)
    }

    /// One of the values of an enum of the specification.
    pub(crate) fn one_of<T>(&self, from_number: fn(u32) -> Option<T>) -> Result<T, Error> {
        let number = self.u32()?;
        from_number(number).ok_or_else(|| {
            Error::Answer(format!(
                "attribute {} has the unknown value {number}",
                self.kind
            ))
        })
    }

    pub(crate) fn string(&self) -> Result<String, Error> {
        let text = self
            .value
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default();
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.value
    }

    pub(crate) fn address(&self) -> Result<IpAddr, Error> {
        match self.value.len() {
            4 => self.array::<4>().map(IpAddr::from),
            _ => self.array::<16>().map(IpAddr::from),
        }
    }

    /// The attributes in it.
    pub(crate) fn nest(&self) -> Result<Nest<'a>, Error> {
        Nest::new(self.value)
    }
}

/// Attributes by their numbers.
#[derive(Debug)]
pub(crate) struct Nest<'a>(Vec<Attribute<'a>>);

impl<'a> Nest<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        attributes(bytes).collect::<Result<_, _>>().map(Self)
    }

    /// The last attribute with this number.
    pub(crate) fn get(&self, kind: u16) -> Option<&Attribute<'a>> {
        self.0.iter().rev().find(|attribute| attribute.kind == kind)
    }

    pub(crate) fn has(&self, kind: u16) -> bool {
        self.get(kind).is_some()
    }

    /// Every attribute with this number.
    pub(crate) fn all(&self, kind: u16) -> impl Iterator<Item = &Attribute<'a>> {
        self.0
            .iter()
            .filter(move |attribute| attribute.kind == kind)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Attribute<'a>> {
        self.0.iter()
    }
}
