// SPDX-License-Identifier: GPL-2.0

//! Arbitrary bytes as a packet, any number of them linear: what is read is what is there.

use super::Bytes;
use crate::{
    c,
    kernel_api::testing::TestPacket,
    packet::{
        has_ports,
        Address,
        Family,
        Packet,
        Pattern,
        Transport, //
    },
};

pub(super) fn run(bytes: &mut Bytes<'_>) {
    let [kind, linear, mask, port] = bytes.array();
    let family = match kind & 1 {
        0 => Family::Ipv4,
        _ => Family::Ipv6,
    };
    let data = bytes.rest();
    // IP hooks see a complete linear IP header; other hooks must not crash either.
    c::set_linear(usize::from(linear));
    let Ok(mut packet) = TestPacket::new(family, data) else {
        return;
    };
    let guard = kernel::sync::rcu::read_lock();
    let linear = usize::from(linear).min(data.len());
    let (skb, context) = packet.hook(&guard);
    let Some(view) = Packet::parse(skb, context, family) else {
        let length = if family == Family::Ipv4 { 20 } else { 40 };
        let is_right = match family {
            Family::Ipv4 => data
                .first()
                .is_some_and(|first| (0x45..0x50).contains(first)),
            Family::Ipv6 => data.first().is_some_and(|first| first >> 4 == 6),
        };
        assert!(linear < length || !is_right);
        return;
    };
    let (source, destination, words) = match family {
        Family::Ipv4 => (&data[12..16], &data[16..20], usize::from(data[0] & 15)),
        Family::Ipv6 => (&data[8..24], &data[24..40], 10),
    };
    let address = |bytes| {
        Address::from_bytes(bytes)
            .map(|(_, address)| address)
            .unwrap()
    };
    assert!(view.source() == address(source) && view.destination() == address(destination));
    assert_eq!(view.len() as usize, data.len());
    match view.transport() {
        Transport::Header { protocol, offset } => {
            let offset = offset as usize;
            assert!(offset >= words * 4);
            let ports = data.get(offset..offset + 4).filter(|_| has_ports(protocol));
            let ports = ports.map(|bytes| {
                let port = |bytes: &[u8]| u16::from_be_bytes(bytes.try_into().unwrap());
                (port(&bytes[..2]), port(&bytes[2..]))
            });
            assert_eq!(view.ports(), ports);
            // Patterns and matches agree.
            let wanted = u16::from(port);
            for pattern in [
                Pattern::ports(Some(wanted), None),
                Pattern::ports(None, Some(wanted)),
                Pattern::ports(Some(wanted), Some(wanted)),
            ] {
                let pattern = pattern.and(&Pattern::protocol(protocol));
                if let (true, Some(ports)) = (view.profile.tells(&pattern), ports) {
                    let is_one = [
                        (
                            pattern
                                == Pattern::ports(Some(wanted), None)
                                    .and(&Pattern::protocol(protocol)),
                            ports.0 == wanted,
                        ),
                        (
                            pattern
                                == Pattern::ports(None, Some(wanted))
                                    .and(&Pattern::protocol(protocol)),
                            ports.1 == wanted,
                        ),
                    ];
                    let expected = is_one
                        .iter()
                        .find(|(is_it, _)| *is_it)
                        .map_or(ports == (wanted, wanted), |one| one.1);
                    assert_eq!(view.profile.admits(&pattern), expected);
                }
            }
        }
        Transport::Fragment { protocol, position } => {
            assert!(position > 0 && position & 7 == 0);
            assert!(view.profile.admits(&Pattern::protocol(protocol)));
            assert_eq!(view.ports(), None);
        }
        Transport::Malformed => assert!(family == Family::Ipv6 && view.protocol().is_none()),
    }
    if let Some(first) = view.first_data() {
        let mut copied = vec![0; data.len()];
        let length = first.copy(0, &mut copied);
        assert!(length <= data.len() - 40 && data.ends_with(&copied[..length]));
        let mut rest = [0; 7];
        let end = first.copy(length.saturating_sub(5), &mut rest);
        assert!(end == length.min(5) && data.ends_with(&rest[..end]));
    }
    assert!(view.profile.admits(&Pattern::family(family)));
    let all = Address::full_mask(family);
    let own = Pattern::addresses((view.source(), all), (view.destination(), all));
    assert!(view.profile.admits(&own) && view.profile.tells(&own));
    // Another first word makes another address.
    let [first, rest @ ..] = view.source().words();
    let other = first ^ u32::from_be_bytes([mask, 0, 0, 1]);
    let [a, b, c] = rest;
    let other = (Address::new([other, a, b, c]), all);
    assert!(!view
        .profile
        .admits(&Pattern::addresses(other, (view.destination(), all))));
    // Reads end with the packet.
    for at in [
        0,
        1,
        linear.saturating_sub(3),
        data.len().saturating_sub(4),
        data.len(),
    ] {
        let there = data
            .get(at..at + 4)
            .map(|bytes| <[u8; 4]>::try_from(bytes).unwrap());
        assert_eq!(view.read::<4>(at as u32), there);
    }
    assert_eq!(view.read::<4>(u32::MAX - 1), None);
}
