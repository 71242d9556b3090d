// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of data held for servers that have not answered.

use super::held::{
    Held,
    HELD_MAX, //
};
use crate::{
    kernel_api::testing::TestPacket,
    packet::{
        tcp::segment::Segment,
        Family, //
    },
};
use kernel::prelude::*;

/// Offset of the TCP header in the packet, and its length with options.
const OFFSET: u32 = 20;
const HEADER: usize = 24;

fn held(flags: u8, data: &[u8]) -> Result<Option<Held>> {
    let mut bytes = KVec::from_elem(0, OFFSET as usize + HEADER, GFP_KERNEL)?;
    bytes[0] = 0x45;
    bytes.extend_from_slice(data, GFP_KERNEL)?;
    let packet = TestPacket::new(Family::Ipv4, &bytes)?;
    let segment = Segment {
        offset: OFFSET,
        ports: ([0; 2], [0; 2]),
        sequence: 0,
        acknowledgement: 0,
        header_length: HEADER as u32,
        flags,
        window: 0,
    };
    Ok(Held::of(packet.skb(), &segment))
}

#[kunit_tests(palisade_synproxy_held)]
mod tests {
    use super::*;

    const ACK: u8 = 0x10;
    const ACK_PUSH: u8 = 0x18;
    const ACK_FIN: u8 = 0x11;

    #[test]
    fn data_and_ends_are_held() -> Result {
        let data: KVec<u8> = KVec::from_elem(7, HELD_MAX + 1, GFP_KERNEL)?;
        for length in [1, 2, 3, 4, 700, HELD_MAX] {
            let held = held(ACK_PUSH, &data[..length])?.ok_or(EINVAL)?;
            assert_eq!(held.flags, 0x08);
            assert_eq!(held.fitting(u16::MAX, u16::MAX, 0), Some(&data[..length]));
        }
        assert_eq!(held(ACK_FIN, &[])?.ok_or(EINVAL)?.flags, 0x01);
        assert!(held(ACK_PUSH, &[])?.is_none());
        assert!(held(ACK, &data)?.is_none());
        Ok(())
    }

    #[test]
    fn servers_get_what_they_take() -> Result {
        let held = held(ACK, &[1; 100])?.ok_or(EINVAL)?;
        assert!(held.fitting(100, 100, 0).is_some());
        assert!(held.fitting(99, 100, 0).is_none());
        assert!(held.fitting(100, 99, 0).is_none());
        assert!(held.fitting(100, 112, 12).is_some());
        assert!(held.fitting(100, 111, 12).is_none());
        Ok(())
    }
}
