// SPDX-License-Identifier: GPL-2.0

//! The options of a TCP header (RFC 9293, RFC 7323, RFC 2018).

use super::segment::Segment;
use crate::{
    kernel_api::net::skb::Skb,
    packet::TCP_HEADER_LENGTH,
    spec::WINDOW_SCALE_MAX, //
};
use core::ops::Range;

/// The maximum length of a header's options, in bytes.
pub(crate) const LENGTH_MAX: usize = 40;

/// The MSS, in bytes, of a SYN without the option (RFC 9293, section 3.7.1).
pub(crate) const MSS_DEFAULT: u16 = 536;
/// As [`MSS_DEFAULT`], over IPv6.
pub(crate) const MSS_DEFAULT_IPV6: u16 = 1220;

/// Option kinds.
pub(crate) mod kind {
    /// End of the option list.
    pub(crate) const END: u8 = 0;
    /// No-operation, for alignment.
    pub(crate) const NOTHING: u8 = 1;
    /// Maximum segment size.
    pub(crate) const MSS: u8 = 2;
    /// Window scale.
    pub(crate) const SCALE: u8 = 3;
    /// SACK permitted.
    pub(crate) const SACK_PERMITTED: u8 = 4;
    /// SACK.
    pub(crate) const SACK: u8 = 5;
    /// Timestamps.
    pub(crate) const TIMESTAMPS: u8 = 8;
}

/// A segment's timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamps {
    /// TSval.
    pub(crate) value: u32,
    /// TSecr.
    pub(crate) echo: u32,
}

/// The options that one side announces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Maximum segment size, in bytes.
    pub(crate) mss: Option<u16>,
    /// Window scale.
    pub(crate) scale: Option<u8>,
    /// SACK permitted.
    pub(crate) sack: bool,
    /// Timestamps.
    pub(crate) timestamps: Option<Timestamps>,
    /// Where data begin, and end, that were received behind a gap (SACK). Not read.
    pub(crate) received: Option<(u32, u32)>,
}

impl Options {
    /// Reads a segment's options; `None` if the packet does not hold all of its header.
    #[inline]
    pub(crate) fn read(skb: &Skb, segment: &Segment) -> Option<Self> {
        let mut bytes = [0; LENGTH_MAX];
        let bytes = raw(skb, segment, &mut bytes)?;
        Some(Self::parse(bytes))
    }

    /// Parses as `synproxy_parse_options` does: a malformed option ends the list, those before it
    /// count.
    #[inline]
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut options = Self::default();
        for (kind, _, body) in Walk::new(bytes) {
            match (kind, body) {
                (kind::MSS, &[a, b]) => options.mss = Some(u16::from_be_bytes([a, b])),
                (kind::SCALE, &[scale]) => {
                    options.scale = Some(scale.min(WINDOW_SCALE_MAX as u8));
                }
                (kind::SACK_PERMITTED, []) => options.sack = true,
                (kind::TIMESTAMPS, &[a, b, c, d, e, f, g, h]) => {
                    options.timestamps = Some(Timestamps {
                        value: u32::from_be_bytes([a, b, c, d]),
                        echo: u32::from_be_bytes([e, f, g, h]),
                    });
                }
                _ => {}
            }
        }
        options
    }
}

/// The raw bytes of a segment's options.
#[inline]
pub(crate) fn raw<'a>(
    skb: &Skb,
    segment: &Segment,
    bytes: &'a mut [u8; LENGTH_MAX],
) -> Option<&'a [u8]> {
    let length = (segment.header_length as usize).wrapping_sub(TCP_HEADER_LENGTH);
    let bytes = bytes.get_mut(..length)?;
    let offset = segment.offset.wrapping_add(TCP_HEADER_LENGTH as u32);
    skb.read_into(offset, bytes).then_some(&*bytes)
}

/// Iterates over options as long as they are well-formed: kind, offset of the body, and body.
pub(crate) struct Walk<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Walk<'a> {
    /// Over these bytes.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (u8, u32, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (kind, body) = next(self.bytes, self.offset)?;
        self.offset = body.end;
        Some((kind, body.start as u32, self.bytes.get(body)?))
    }
}

/// The first option from `offset` on, for who changes the bytes meanwhile: its kind, and where its body
/// is, whose end is where the following option starts.
#[inline]
pub(crate) fn next(bytes: &[u8], mut offset: usize) -> Option<(u8, Range<usize>)> {
    loop {
        match *bytes.get(offset..)? {
            [kind::END, ..] => return None,
            [kind::NOTHING, ..] => offset = offset.wrapping_add(1),
            [kind, length, ..] if length >= 2 => {
                let end = offset.wrapping_add(length.into());
                let body = offset.wrapping_add(2)..end;
                return (end <= bytes.len()).then_some((kind, body));
            }
            _ => return None,
        }
    }
}
