// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the IP options that make a host refuse a packet.

use super::{
    Family,
    Packet, //
};
use crate::kernel_api::testing::TestPacket;
use kernel::{
    prelude::*,
    sync::rcu, //
};

const TCP: u8 = 6;

/// Whether these IPv4 options, a multiple of four bytes, are refused.
fn ipv4(options: &[u8]) -> Result<bool> {
    let mut bytes = KVec::new();
    let words = 5 + options.len() as u8 / 4;
    let header = [0x40 | words, 0, 0, 60, 0, 0, 0, 0, 64, TCP, 0, 0];
    for part in [
        &header[..],
        &[192, 0, 2, 1, 192, 0, 2, 2],
        options,
        &[0; 20],
    ] {
        bytes.extend_from_slice(part, GFP_KERNEL)?;
    }
    is_refused(Family::Ipv4, &bytes, 20 + options.len())
}

/// Whether these IPv6 extension headers are refused; `first` is the type of the first one.
fn ipv6(first: u8, headers: &[u8]) -> Result<bool> {
    let mut bytes = KVec::new();
    let header = [0x60, 0, 0, 0, 0, 60, first, 64];
    for part in [&header[..], &[0x20; 32], headers, &[0; 20]] {
        bytes.extend_from_slice(part, GFP_KERNEL)?;
    }
    is_refused(Family::Ipv6, &bytes, 40 + headers.len())
}

fn is_refused(family: Family, bytes: &[u8], transport: usize) -> Result<bool> {
    let mut packet = TestPacket::new(family, bytes)?;
    let guard = rcu::read_lock();
    let (skb, context) = packet.hook(&guard);
    let view = Packet::parse(skb, context, family).ok_or(EINVAL)?;
    Ok(view.has_refused_options(transport as u32))
}

#[kunit_tests(palisade_source_routes)]
mod tests {
    use super::*;

    #[test]
    fn source_routes_of_ipv4_are_refused() -> Result {
        assert!(!ipv4(&[])?);
        // No-operations, the end, a router alert, and a source route after the end.
        for taken in [[1, 1, 1, 1], [1, 1, 0, 0], [148, 4, 0, 0], [0, 131, 3, 4]] {
            assert!(!ipv4(&taken)?);
        }
        for kind in [131, 137] {
            assert!(ipv4(&[kind, 7, 4, 10, 0, 0, 1, 0])?);
            assert!(ipv4(&[1, 1, 148, 4, 0, 0, kind, 2])?);
        }
        // Impossible lengths, and lengths that reach into TCP.
        for wrong in [
            [148, 0, 0, 0],
            [148, 1, 0, 0],
            [148, 5, 0, 0],
            [1, 1, 1, 148],
        ] {
            assert!(ipv4(&wrong)?);
        }
        Ok(())
    }

    #[test]
    fn routing_headers_that_go_on_are_refused() -> Result {
        assert!(!ipv6(TCP, &[])?);
        for segments_left in [0, 1, 255] {
            let refused = ipv6(43, &[TCP, 0, 4, segments_left, 0, 0, 0, 0])?;
            assert_eq!(refused, segments_left != 0);
            // After other headers.
            let headers = [
                43,
                0,
                1,
                4,
                0,
                0,
                0,
                0,
                TCP,
                0,
                4,
                segments_left,
                0,
                0,
                0,
                0,
            ];
            assert_eq!(ipv6(0, &headers)?, segments_left != 0);
        }
        Ok(())
    }

    #[test]
    fn options_that_have_to_be_known_are_refused() -> Result {
        for kind in 2..=255 {
            let refused = ipv6(60, &[TCP, 0, kind, 4, 0, 0, 0, 0])?;
            // The two highest bits tell hosts what to do with an unknown option: 0 is to skip it.
            assert_eq!(refused, kind >> 6 != 0);
        }
        // The header may be 16 bytes long, and its padding may not be longer than itself.
        assert!(!ipv6(
            60,
            &[TCP, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        )?);
        assert!(ipv6(60, &[TCP, 0, 1, 5, 0, 0, 0, 0])?);
        Ok(())
    }
}
