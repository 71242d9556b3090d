// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of data held for servers that have not answered.

use super::held::{
    Held,
    HeldMemory,
    HELD_MAX, //
};
use crate::{
    kernel_api::testing::TestPacket,
    packet::{
        tcp::segment::Segment,
        Family, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Offset of the TCP header in the packet, and its length with options.
const OFFSET: u32 = 20;
const HEADER: usize = 24;

fn segment(flags: u8) -> Segment {
    Segment {
        offset: OFFSET,
        ports: ([0; 2], [0; 2]),
        sequence: 0,
        acknowledgement: 0,
        header_length: HEADER as u32,
        flags,
        window: 0,
    }
}

fn packet(data: &[u8]) -> Result<TestPacket> {
    let mut bytes = KVec::from_elem(0, OFFSET as usize + HEADER, GFP_KERNEL)?;
    bytes[0] = 0x45;
    bytes.extend_from_slice(data, GFP_KERNEL)?;
    TestPacket::new(Family::Ipv4, &bytes)
}

fn memory(max: u32) -> Result<Arc<HeldMemory>> {
    Ok(Arc::new(HeldMemory::new(max), GFP_KERNEL)?)
}

/// The first segment of a connection.
fn first(memory: &Arc<HeldMemory>, flags: u8, data: &[u8]) -> Result<Option<Held>> {
    Ok(Held::of(memory, 0, packet(data)?.skb(), &segment(flags)))
}

/// Whether a segment at `position` is held.
fn next(held: &mut Held, position: usize, flags: u8, data: &[u8]) -> Result<bool> {
    Ok(held.hold(position, packet(data)?.skb(), &segment(flags)))
}

#[kunit_tests(palisade_synproxy_held)]
mod tests {
    use super::*;

    const FIN: u8 = 0x01;
    const PUSH: u8 = 0x08;
    const ACK: u8 = 0x10;
    /// More than any of the tests holds.
    const MUCH: u32 = 1 << 20;

    #[test]
    fn data_and_ends_are_held() -> Result {
        let memory = memory(MUCH)?;
        let data: KVec<u8> = KVec::from_elem(7, HELD_MAX + 1, GFP_KERNEL)?;
        for length in [1, 2, 3, 4, 700, 1460, 1461, 23168, HELD_MAX] {
            let held = first(&memory, ACK | PUSH, &data[..length])?.ok_or(EINVAL)?;
            assert!(held.flags == PUSH && held.sequence_length() as usize == length);
            assert_eq!(held.bytes(), &data[..length]);
        }
        let held = first(&memory, ACK | FIN, &[])?.ok_or(EINVAL)?;
        assert!(held.flags == FIN && held.sequence_length() == 1);
        assert!(first(&memory, ACK | PUSH, &[])?.is_none());
        assert!(first(&memory, ACK, &data)?.is_none());
        Ok(())
    }

    #[test]
    fn what_follows_is_added() -> Result {
        let memory = memory(MUCH)?;
        let mut held = first(&memory, ACK, b"one")?.ok_or(EINVAL)?;
        assert!(next(&mut held, 3, ACK | PUSH, b"two")?);
        assert_eq!((held.bytes(), held.flags), (&b"onetwo"[..], PUSH));
        // The client has sent two of its segments as one, and something new behind them.
        assert!(next(&mut held, 3, ACK, b"twothree")?);
        assert!(next(&mut held, 0, ACK | FIN, b"onetwothreefour")?);
        assert_eq!((held.bytes(), held.flags), (&b"onetwothreefour"[..], FIN));
        assert_eq!(held.sequence_length(), 16);
        Ok(())
    }

    #[test]
    fn nothing_is_held_twice() -> Result {
        let memory = memory(MUCH)?;
        let mut held = first(&memory, ACK | PUSH, b"onetwo")?.ok_or(EINVAL)?;
        for (position, data) in [
            (0, &b"onetwo"[..]),
            (0, b"one"),
            (3, b"two"),
            (6, b""),
            (2, b""),
        ] {
            assert!(next(&mut held, position, ACK, data)?);
            assert_eq!((held.bytes(), held.flags), (&b"onetwo"[..], PUSH));
        }
        Ok(())
    }

    #[test]
    fn what_comes_behind_a_gap_waits_for_it() -> Result {
        let memory = memory(MUCH)?;
        let mut held = first(&memory, ACK, b"one")?.ok_or(EINVAL)?;
        assert!(next(&mut held, 9, ACK | PUSH, b"four")?);
        assert!(next(&mut held, 6, ACK, b"ree")?);
        assert_eq!((held.bytes(), held.flags), (&b"one"[..], 0));
        assert!(held.sequence_length() == 3 && held.has_more_than(3));
        // Buffers that grow take along what is behind the gap.
        assert!(next(&mut held, 500, ACK, &[7; 500])?);
        assert!(next(&mut held, 3, ACK, b"two")?);
        assert_eq!((held.bytes(), held.flags), (&b"onetworeefour"[..], PUSH));
        assert!(held.has_more_than(13));
        assert!(next(&mut held, 13, ACK, &[7; 487])?);
        assert!(held.bytes().len() == 1000 && !held.has_more_than(1000));
        Ok(())
    }

    /// Where the piece of each step starts.
    type Order = fn(usize) -> usize;

    #[test]
    fn any_order_will_do() -> Result {
        let memory = memory(MUCH)?;
        let data: KVec<u8> = {
            let mut data = KVec::new();
            for number in 0..100 {
                data.push(number, GFP_KERNEL)?;
            }
            data
        };
        // Backwards; each second one, and those between; pieces that cover others.
        let orders: [Order; 4] = [
            |step| 99 - step,
            |step| (step * 2) % 25 * 4,
            |step| (step * 37) % 100,
            |step| (step * 51) % 100,
        ];
        for (size, order) in [1, 4, 9, 3].into_iter().zip(orders) {
            let mut held = None;
            let whole = |held: &Option<Held>| {
                let length = held.as_ref().map_or(0, |held| held.bytes().len());
                length == 100
            };
            let mut step = 0;
            while !whole(&held) {
                assert!(step < 1000);
                let start = order(step % 100).min(99);
                let end = (start + size).min(100);
                let packet = packet(&data[start..end])?;
                match &mut held {
                    Some(one) => {
                        let _ = Held::hold(one, start, packet.skb(), &segment(ACK));
                    }
                    None => held = Held::of(&memory, start, packet.skb(), &segment(ACK)),
                }
                step += 1;
            }
            assert_eq!(held.as_ref().map(|held| held.bytes()), Some(&data[..]));
        }
        Ok(())
    }

    #[test]
    fn much_that_comes_behind_gaps_is_dropped() -> Result {
        let memory = memory(MUCH)?;
        let mut held = first(&memory, ACK, b"one")?.ok_or(EINVAL)?;
        for (position, flags, data) in [
            (4, ACK | FIN, &b""[..]),
            (4, ACK | FIN, b"three"),
            (usize::MAX, ACK | FIN, b"three"),
            (usize::MAX, ACK, b"three"),
            (1 << 31, ACK, b"three"),
        ] {
            assert!(!next(&mut held, position, flags, data)?);
            assert_eq!((held.bytes(), held.flags), (&b"one"[..], 0));
        }
        for number in 0..16 {
            assert!(next(&mut held, 5 + 2 * number, ACK, b"x")?);
        }
        assert!(!next(&mut held, 100, ACK, b"x")?);
        // One less.
        assert!(next(&mut held, 6, ACK, b"x")?);
        assert!(next(&mut held, 100, ACK, b"x")?);
        assert_eq!(held.bytes(), b"one");
        Ok(())
    }

    #[test]
    fn nothing_comes_behind_the_end() -> Result {
        let memory = memory(MUCH)?;
        let mut held = first(&memory, ACK, b"one")?.ok_or(EINVAL)?;
        assert!(next(&mut held, 3, ACK | FIN, b"")?);
        assert!(next(&mut held, 3, ACK | FIN, b"")? && next(&mut held, 0, ACK, b"one")?);
        assert!(!next(&mut held, 3, ACK, b"two")?);
        assert_eq!((held.bytes(), held.flags), (&b"one"[..], FIN));
        Ok(())
    }

    #[test]
    fn a_connection_has_a_limit() -> Result {
        let memory = memory(MUCH)?;
        let data: KVec<u8> = KVec::from_elem(7, 1448, GFP_KERNEL)?;
        let mut held = first(&memory, ACK, &data)?.ok_or(EINVAL)?;
        while held.bytes().len() + data.len() <= HELD_MAX {
            let end = held.bytes().len();
            assert!(next(&mut held, end, ACK, &data)?);
        }
        let (end, rest) = (held.bytes().len(), HELD_MAX - held.bytes().len());
        assert!(!next(&mut held, end, ACK, &data)?);
        assert!(next(&mut held, end, ACK, &data[..rest])?);
        assert!(!next(&mut held, HELD_MAX, ACK, &data[..1])?);
        assert!(next(&mut held, HELD_MAX, ACK | FIN, &[])?);
        assert_eq!(held.bytes().len(), HELD_MAX);
        // In the sizes of the allocator, and with what it replaced given back.
        drop(held);
        assert_eq!(usize::from(memory.room()), HELD_MAX);
        Ok(())
    }

    #[test]
    fn a_namespace_has_a_limit() -> Result {
        let memory = memory(3 * 1024)?;
        let data = [7; 1025];
        let mut one = first(&memory, ACK, &data[..1024])?.ok_or(EINVAL)?;
        assert_eq!(memory.room(), 2048 / 3);
        // It would take 2048 bytes, and for a moment those that it has.
        assert!(next(&mut one, 1024, ACK, &data[..1])?);
        assert_eq!(memory.room(), 1024 / 3);
        assert!(first(&memory, ACK, &data)?.is_none());
        let other = first(&memory, ACK, &data[..1024])?.ok_or(EINVAL)?;
        assert_eq!(memory.room(), 0);
        assert!(first(&memory, ACK, &data[..1])?.is_none());
        assert!(!next(&mut one, 1025, ACK, &data)?);
        // A FIN takes no memory.
        assert!(first(&memory, ACK | FIN, &[])?.is_some());
        drop(one);
        assert_eq!(memory.room(), 2048 / 3);
        drop(other);
        assert_eq!(memory.room(), 1024);
        Ok(())
    }

    #[test]
    fn servers_get_what_they_take() -> Result {
        let memory = memory(MUCH)?;
        let held = first(&memory, ACK | PUSH | FIN, b"0123456789")?.ok_or(EINVAL)?;
        assert_eq!(held.segment(0, 10, 10), (&b"0123456789"[..], PUSH | FIN));
        assert_eq!(
            held.segment(0, u16::MAX, usize::MAX),
            (&b"0123456789"[..], PUSH | FIN)
        );
        assert_eq!(held.segment(0, 10, 6), (&b"012345"[..], 0));
        assert_eq!(held.segment(6, 10, 6), (&b"6789"[..], PUSH | FIN));
        assert_eq!(held.segment(6, 9, 6), (&b"678"[..], 0));
        assert_eq!(held.segment(9, 9, 6), (&b""[..], 0));
        assert_eq!(held.segment(0, 0, 6), (&b""[..], 0));
        assert_eq!(held.segment(0, 9, 0), (&b""[..], 0));
        let end = first(&memory, ACK | FIN, &[])?.ok_or(EINVAL)?;
        assert_eq!(end.segment(0, 0, 0), (&b""[..], FIN));
        Ok(())
    }
}
