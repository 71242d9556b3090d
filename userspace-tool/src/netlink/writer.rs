// SPDX-License-Identifier: GPL-2.0

//! Writing netlink attributes.

use std::{fmt::Display, net::IpAddr, ops::Range};

use netlink_packet_core::{NLA_ALIGNTO, NLA_F_NESTED, NLA_HEADER_SIZE};

/// The attributes of a request, and which words of the command line they stand for.
#[derive(Debug)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    /// None if labels are not kept.
    labels: Option<Vec<(Range<usize>, String)>>,
    too_long: bool,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            labels: Some(Vec::new()),
            ..Self::without_labels()
        }
    }
}

impl Writer {
    /// A writer without labels, for long requests.
    pub(crate) fn without_labels() -> Self {
        Self {
            bytes: Vec::new(),
            labels: None,
            too_long: false,
        }
    }

    pub(crate) fn flag(&mut self, kind: u16) {
        self.bytes(kind, &[]);
    }

    pub(crate) fn flag_if(&mut self, kind: u16, condition: bool) {
        if condition {
            self.flag(kind);
        }
    }

    pub(crate) fn u8(&mut self, kind: u16, value: u8) {
        self.bytes(kind, &[value]);
    }

    pub(crate) fn u16(&mut self, kind: u16, value: u16) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    pub(crate) fn u32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    pub(crate) fn u64(&mut self, kind: u16, value: u64) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    pub(crate) fn string(&mut self, kind: u16, value: &str) {
        self.attribute(kind, |writer| {
            writer.bytes.extend_from_slice(value.as_bytes());
            writer.bytes.push(0);
        });
    }

    pub(crate) fn address(&mut self, kind: u16, value: IpAddr) {
        match value {
            IpAddr::V4(address) => self.bytes(kind, &address.octets()),
            IpAddr::V6(address) => self.bytes(kind, &address.octets()),
        }
    }

    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) {
        self.attribute(kind, |writer| writer.bytes.extend_from_slice(value));
    }

    pub(crate) fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        self.attribute(kind | NLA_F_NESTED, fill);
    }

    /// Label what `write` writes with the words of the command line that it stands for.
    pub(crate) fn labelled(&mut self, label: impl Display, write: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        write(self);
        if let Some(labels) = &mut self.labels {
            labels.push((start..self.bytes.len(), label.to_string()));
        }
    }

    /// Write without labels of its own.
    pub(crate) fn unlabelled(&mut self, write: impl FnOnce(&mut Self)) {
        let labels = self.labels.take();
        write(self);
        self.labels = labels;
    }

    fn attribute(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; NLA_HEADER_SIZE]);
        fill(self);
        match u16::try_from(self.bytes.len() - start) {
            Ok(length) => {
                self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
                self.bytes[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
            }
            Err(_) => self.too_long = true,
        }
        self.bytes
            .resize(self.bytes.len().next_multiple_of(NLA_ALIGNTO), 0);
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The attributes before an offset, as a request. An attribute has to end there.
    pub(crate) fn head(&self, end: usize) -> Self {
        Self {
            bytes: self.bytes.get(..end).unwrap_or_default().to_vec(),
            ..Self::without_labels()
        }
    }

    /// Whether an attribute is longer than its length field can say.
    pub(crate) fn too_long(&self) -> bool {
        self.too_long
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The words that the attribute at this offset stands for: the closest label around it.
    pub(crate) fn label_at(&self, offset: usize) -> Option<&str> {
        let labels = self.labels.as_deref().unwrap_or_default();
        labels
            .iter()
            .filter(|(range, _)| range.contains(&offset))
            .min_by_key(|(range, _)| range.len())
            .map(|(_, label)| label.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_nests_are_marked() {
        let mut writer = Writer::default();
        writer.string(5, "ab");
        writer.nested(3, |inner| inner.u8(1, 7));
        let mut expected = Vec::new();
        expected.extend_from_slice(&7u16.to_ne_bytes());
        expected.extend_from_slice(&5u16.to_ne_bytes());
        expected.extend_from_slice(b"ab\0\0");
        expected.extend_from_slice(&12u16.to_ne_bytes());
        expected.extend_from_slice(&0x8003u16.to_ne_bytes());
        expected.extend_from_slice(&5u16.to_ne_bytes());
        expected.extend_from_slice(&1u16.to_ne_bytes());
        expected.extend_from_slice(&[7, 0, 0, 0]);
        assert_eq!(writer.as_bytes(), expected);
    }

    #[test]
    fn the_closest_label_is_found() {
        let mut writer = Writer::default();
        writer.labelled("outer", |writer| {
            writer.nested(1, |inner| {
                inner.u32(1, 1);
                inner.labelled("inner", |inner| inner.u32(2, 2));
            });
        });
        assert_eq!(writer.label_at(0), Some("outer"));
        assert_eq!(writer.label_at(4), Some("outer"));
        assert_eq!(writer.label_at(12), Some("inner"));
        assert_eq!(writer.label_at(20), None);
    }

    #[test]
    fn an_attribute_that_is_too_long_is_noticed() {
        let mut writer = Writer::default();
        writer.bytes(1, &[0; 0xffff - 4]);
        assert!(!writer.too_long());
        writer.bytes(1, &[0; 0xffff - 3]);
        assert!(writer.too_long());
    }
}
