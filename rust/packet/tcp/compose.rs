// SPDX-License-Identifier: GPL-2.0

//! Writing TCP segments.

use super::options::{
    kind,
    Options,
    Timestamps, //
};
use crate::{
    kernel_api::{
        conntrack::connections::Endpoints,
        net::transmit::NewPacket, //
    },
    packet::{
        Family,
        IPPROTO_TCP, //
    },
};
use kernel::prelude::*;

/// The longest header written, in words: the fixed part, MSS, timestamps and window scale.
const TCP_WORDS_MAX: usize = 11;

/// The longest IP header without options, in words.
const IP_WORDS_MAX: usize = 10;

/// Words in network byte order under construction. Words beyond the end are dropped; all users have
/// enough room.
pub(crate) struct Words<const N: usize> {
    words: [u32; N],
    count: usize,
}

impl<const N: usize> Words<N> {
    const fn new() -> Self {
        Self {
            words: [0; N],
            count: 0,
        }
    }

    #[inline]
    fn push(&mut self, word: u32) {
        if let Some(slot) = self.words.get_mut(self.count) {
            *slot = word;
            self.count = self.count.wrapping_add(1);
        }
    }

    #[inline]
    fn set(&mut self, index: usize, word: u32) {
        if let Some(slot) = self.words.get_mut(index) {
            *slot = word;
        }
    }

    #[inline]
    fn extend(&mut self, words: &[u32]) {
        for word in words {
            self.push(*word);
        }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u32] {
        self.words.get(..self.count).unwrap_or_default()
    }

    /// Length in bytes.
    #[inline]
    pub(crate) fn len(&self) -> u16 {
        (self.count as u16).wrapping_mul(4)
    }
}

/// The Internet checksum (RFC 1071) of words with this sum, as the bytes of a header.
#[inline]
fn checksum(sum: u64) -> [u8; 2] {
    let fold = |sum: u64| (sum & 0xffff_ffff).wrapping_add(sum >> 32);
    let sum = fold(fold(sum)) as u32;
    let fold = |sum: u32| (sum & 0xffff).wrapping_add(sum >> 16);
    (!(fold(fold(sum)) as u16)).to_ne_bytes()
}

/// The sum of data that follows a header of whole words.
#[inline]
fn sum_of_data(data: &[u8]) -> u64 {
    let words = data.chunks_exact(4);
    let mut last = [0; 4];
    for (slot, byte) in last.iter_mut().zip(words.remainder()) {
        *slot = *byte;
    }
    words.fold(u32::from_ne_bytes(last).into(), |sum: u64, word| {
        let word = word.try_into().map_or(0, u32::from_ne_bytes);
        sum.wrapping_add(word.into())
    })
}

#[inline]
fn sum(words: &[u32]) -> u64 {
    words
        .iter()
        .fold(0, |sum: u64, word| sum.wrapping_add(u64::from(*word)))
}

/// A segment's fields, without its ports and options.
#[derive(Clone, Copy)]
pub(crate) struct Fields {
    /// Sequence number.
    pub(crate) sequence: u32,
    /// Acknowledgement number.
    pub(crate) acknowledgement: u32,
    /// The flags.
    pub(crate) flags: u8,
    /// The window, already scaled for the header.
    pub(crate) window: u16,
}

/// Writes the TCP header of a segment without data.
#[inline]
pub(crate) fn tcp_header(
    endpoints: &Endpoints,
    fields: &Fields,
    options: &Options,
) -> Words<TCP_WORDS_MAX> {
    tcp_header_of(endpoints, fields, options, &[])
}

/// Writes the TCP header of a segment with `data`, less than 64 KB of it.
#[inline]
pub(crate) fn tcp_header_of(
    endpoints: &Endpoints,
    fields: &Fields,
    options: &Options,
    data: &[u8],
) -> Words<TCP_WORDS_MAX> {
    let mut header = Words::new();
    header.extend(&[
        endpoints.port_word(),
        fields.sequence.to_be(),
        fields.acknowledgement.to_be(),
        0,
        0,
    ]);
    push_options(&mut header, options);
    let [w0, w1] = fields.window.to_be_bytes();
    let length = (header.count as u8).wrapping_shl(4);
    header.set(3, u32::from_ne_bytes([length, fields.flags, w0, w1]));
    let [l0, l1] = header.len().wrapping_add(data.len() as u16).to_be_bytes();
    let (source, destination) = &endpoints.addresses;
    let pseudo_header = sum(source)
        .wrapping_add(sum(destination))
        .wrapping_add(u32::from_ne_bytes([0, IPPROTO_TCP, l0, l1]).into());
    let rest = sum(header.as_slice()).wrapping_add(sum_of_data(data));
    let [c0, c1] = checksum(pseudo_header.wrapping_add(rest));
    header.set(4, u32::from_ne_bytes([c0, c1, 0, 0]));
    header
}

/// In the order of `synproxy_build_options`, each aligned to a word.
#[inline]
fn push_options(header: &mut Words<TCP_WORDS_MAX>, options: &Options) {
    if let Some(mss) = options.mss {
        let [a, b] = mss.to_be_bytes();
        header.push(u32::from_ne_bytes([kind::MSS, 4, a, b]));
    }
    let (first, second) = match options.sack {
        true => (kind::SACK_PERMITTED, 2),
        false => (kind::NOTHING, kind::NOTHING),
    };
    match options.timestamps {
        Some(Timestamps { value, echo }) => header.extend(&[
            u32::from_ne_bytes([first, second, kind::TIMESTAMPS, 10]),
            value.to_be(),
            echo.to_be(),
        ]),
        None if options.sack => {
            header.push(u32::from_ne_bytes([
                kind::NOTHING,
                kind::NOTHING,
                first,
                second,
            ]));
        }
        None => {}
    }
    if let Some(scale) = options.scale {
        header.push(u32::from_ne_bytes([kind::NOTHING, kind::SCALE, 3, scale]));
    }
    if let Some((start, end)) = options.received {
        let sack = [kind::NOTHING, kind::NOTHING, kind::SACK, 10];
        header.extend(&[u32::from_ne_bytes(sack), start.to_be(), end.to_be()]);
    }
}

/// Writes the headers of a packet that ends with `data`, less than 64 KB of it: an IP header
/// without options, and a TCP header.
#[inline]
pub(crate) fn headers(
    endpoints: &Endpoints,
    time_to_live: u8,
    fields: &Fields,
    options: &Options,
    data: &[u8],
) -> Words<{ IP_WORDS_MAX + TCP_WORDS_MAX }> {
    let segment = tcp_header_of(endpoints, fields, options, data);
    let length = segment.len().wrapping_add(data.len() as u16);
    let (source, destination) = &endpoints.addresses;
    let mut packet = Words::new();
    match endpoints.family {
        Family::Ipv4 => {
            let [l0, l1] = length.wrapping_add(20).to_be_bytes();
            let header = [
                u32::from_ne_bytes([0x45, 0, l0, l1]),
                // DF is set, so no identification is needed.
                u32::from_ne_bytes([0, 0, 0x40, 0]),
                u32::from_ne_bytes([time_to_live, IPPROTO_TCP, 0, 0]),
                source[0],
                destination[0],
            ];
            packet.extend(&header);
            let [c0, c1] = checksum(sum(&header));
            packet.set(2, u32::from_ne_bytes([time_to_live, IPPROTO_TCP, c0, c1]));
        }
        Family::Ipv6 => {
            let [l0, l1] = length.to_be_bytes();
            packet.push(u32::from_ne_bytes([0x60, 0, 0, 0]));
            packet.push(u32::from_ne_bytes([l0, l1, IPPROTO_TCP, time_to_live]));
            packet.extend(source);
            packet.extend(destination);
        }
    }
    packet.extend(segment.as_slice());
    packet
}

/// A new packet, as [`headers`] writes it, with its data.
pub(crate) fn packet(
    endpoints: &Endpoints,
    time_to_live: u8,
    fields: &Fields,
    options: &Options,
    data: &[u8],
) -> Result<NewPacket> {
    let headers = headers(endpoints, time_to_live, fields, options, data);
    NewPacket::new(endpoints.family, headers.as_slice(), data)
}
