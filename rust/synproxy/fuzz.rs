// SPDX-License-Identifier: GPL-2.0

//! What SYNPROXY reads and remembers: cookies, segments, servers, and SYNs waiting for an answer.

use super::{
    connection::{
        held::HeldMemory,
        syn_sent::{
            SynSentTable,
            Wait, //
        },
    },
    cookie::{
        CookieOptions,
        Cookies,
        ValidCookie, //
    },
    prelude::*,
    server::servers::{
        Said,
        Servers, //
    },
};
use crate::{
    c,
    fuzz::Bytes,
    kernel_api::testing::{
        initial_scope,
        TestPacket, //
    },
    packet::tcp::options::{
        Walk,
        LENGTH_MAX, //
    },
};
use std::{
    collections::HashMap,
    sync::LazyLock, //
};

fn family(bytes: &mut Bytes<'_>) -> Family {
    match bytes.u8() & 1 {
        0 => Family::Ipv4,
        _ => Family::Ipv6,
    }
}

fn address(bytes: &mut Bytes<'_>, family: Family) -> [u32; 4] {
    match family {
        Family::Ipv4 => [bytes.u32(), 0, 0, 0],
        Family::Ipv6 => core::array::from_fn(|_| bytes.u32()),
    }
}

fn endpoints(bytes: &mut Bytes<'_>, family: Family) -> Endpoints {
    Endpoints {
        family,
        addresses: (address(bytes, family), address(bytes, family)),
        ports: (bytes.array(), bytes.array()),
    }
}

/// A cookie comes back as it was made, and any cookie accepted is one that would have been made.
pub(crate) fn cookies(bytes: &mut Bytes<'_>) {
    static COOKIES: LazyLock<Cookies> = LazyLock::new(Cookies::new);
    let family = family(bytes);
    let mut client = endpoints(bytes, family);
    let minute = u64::from_ne_bytes(bytes.array());
    let (sequence, mss) = (bytes.u32(), bytes.u16());
    let [kind, late, change] = bytes.array();
    let carried = match kind & 1 {
        0 => CookieOptions::Nothing,
        _ => CookieOptions::Options {
            scale: kind >> 4,
            sack: kind & 2 != 0,
        },
    };
    let has_timestamps = carried == CookieOptions::Nothing;
    let cookie = COOKIES.make_in(minute, &client, sequence, mss, carried);
    let now = minute.wrapping_add(u64::from(late & 1));
    let (next, acknowledged) = (sequence.wrapping_add(1), cookie.wrapping_add(1));
    let returned = COOKIES.check_in(now, &client, next, acknowledged, has_timestamps);
    let returned = returned.expect("a cookie that was made is good");
    assert!(returned.carried == carried && !returned.is_keep_alive);
    assert!(returned.mss <= mss.max(256));
    // Another client, other numbers, another time.
    match change & 7 {
        0 => client.addresses.0 = address(bytes, family),
        1 => client.addresses.1 = address(bytes, family),
        2 => client.ports = (bytes.array(), bytes.array()),
        _ => {}
    }
    let next = next.wrapping_add(if change & 8 != 0 { bytes.u32() } else { 0 });
    let acknowledged = acknowledged ^ if change & 16 != 0 { bytes.u32() } else { 0 };
    let now = now.wrapping_add(u64::from(bytes.u8() & 3));
    let has_timestamps = has_timestamps ^ (change & 32 != 0);
    if let Some(returned) = COOKIES.check_in(now, &client, next, acknowledged, has_timestamps) {
        let ValidCookie {
            mss,
            carried,
            is_keep_alive,
        } = returned;
        assert_eq!(has_timestamps, carried == CookieOptions::Nothing);
        let first = next.wrapping_sub(u32::from(!is_keep_alive));
        let would_be = [now, now.wrapping_sub(1)].map(|minute| {
            COOKIES
                .make_in(minute, &client, first, mss, carried)
                .wrapping_add(1)
        });
        assert!(would_be.contains(&acknowledged));
    }
}

/// Reads arbitrary bytes as a TCP header, and reads each composed segment back as it was meant.
pub(crate) fn segments(bytes: &mut Bytes<'_>) {
    let family = family(bytes);
    let [which, ttl, flags, scale] = bytes.array();
    let fields = Fields {
        sequence: bytes.u32(),
        acknowledgement: bytes.u32(),
        flags,
        window: bytes.u16(),
    };
    let options = Options {
        mss: (which & 1 != 0).then(|| bytes.u16()),
        scale: (which & 2 != 0).then_some(scale % 15),
        sack: which & 4 != 0,
        timestamps: (which & 8 != 0).then(|| Timestamps {
            value: bytes.u32(),
            echo: bytes.u32(),
        }),
        received: None,
    };
    let endpoints = endpoints(bytes, family);
    let words = compose::headers(&endpoints, ttl, &fields, &options, &[]);
    let written: Vec<u8> = words
        .as_slice()
        .iter()
        .flat_map(|word| word.to_ne_bytes())
        .collect();
    c::set_linear(usize::MAX);
    let mut packet = TestPacket::new(family, &written).unwrap();
    let guard = kernel::sync::rcu::read_lock();
    let (skb, context) = packet.hook(&guard);
    let view = Packet::parse(skb, context, family).unwrap();
    assert_eq!(view.time_to_live, ttl);
    let segment = Segment::of(&view).unwrap();
    assert_eq!(segment.endpoints(&view), endpoints);
    assert_eq!(
        (
            segment.sequence,
            segment.acknowledgement,
            segment.flags,
            segment.window
        ),
        (
            fields.sequence,
            fields.acknowledgement,
            fields.flags,
            fields.window
        )
    );
    assert_eq!(segment.offset + segment.header_length, written.len() as u32);
    assert_eq!(Options::read(view.skb(), &segment), Some(options));
    // The sums over TCP and over the IPv4 header match their checksums.
    let sum = |parts: &[&[u8]]| {
        let pairs = parts.iter().flat_map(|part| part.chunks_exact(2));
        let sum: u32 = pairs
            .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
            .sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        (folded & 0xffff) + (folded >> 16)
    };
    let (ip, tcp) = written.split_at(segment.offset as usize);
    let ends = match family {
        Family::Ipv4 => {
            assert_eq!(sum(&[ip]), 0xffff);
            &ip[12..20]
        }
        Family::Ipv6 => &ip[8..40],
    };
    assert_eq!(
        sum(&[ends, tcp, &[0, 6], &(tcp.len() as u16).to_be_bytes()]),
        0xffff
    );

    // Arbitrary bytes after the IP header.
    let mut any = ip.to_vec();
    any.extend_from_slice(bytes.rest());
    c::set_linear(ip.len() + usize::from(scale));
    let mut packet = TestPacket::new(family, &any).unwrap();
    let guard = kernel::sync::rcu::read_lock();
    let (skb, context) = packet.hook(&guard);
    let Some(view) = Packet::parse(skb, context, family) else {
        return;
    };
    let Some(segment) = Segment::of(&view) else {
        let length = any
            .get(segment.offset as usize + 12)
            .map_or(0, |byte| usize::from(byte >> 4) * 4);
        assert!(length < 20 || any.len() < ip.len() + length.max(20));
        return;
    };
    assert!((20..=60).contains(&segment.header_length));
    let options = &any[ip.len() + 20..ip.len() + segment.header_length as usize];
    assert!(options.len() <= LENGTH_MAX);
    assert_eq!(
        Options::read(view.skb(), &segment),
        Some(Options::parse(options))
    );
    let mut end = 0;
    for (kind, offset, body) in Walk::new(options) {
        let offset = offset as usize;
        assert!(offset >= end + 2 && kind > 1);
        assert_eq!(options[offset - 2..offset], [kind, body.len() as u8 + 2]);
        assert_eq!(options.get(offset..offset + body.len()), Some(body));
        end = offset + body.len();
    }
}

/// Reports what was learned and counted of servers, and finds waiting SYNs, as long as all have
/// room.
pub(crate) fn servers(bytes: &mut Bytes<'_>) {
    let mask = bytes.u8();
    c::set_hash_mask(if mask & 1 == 0 {
        u32::MAX
    } else {
        u32::from(mask)
    });
    let mut now = 0xffff_ff00_u64 + u64::from(bytes.u8());
    c::set_jiffies(now);
    let servers = Arc::new(Servers::new().unwrap(), GFP_KERNEL).unwrap();
    let memory = Arc::new(HeldMemory::new(0), GFP_KERNEL).unwrap();
    let syn_sent = SynSentTable::new(&initial_scope().unwrap(), servers.clone(), memory).unwrap();
    let mut counted: HashMap<u8, [u32; 3]> = HashMap::new();
    let mut waited: HashMap<u8, u32> = HashMap::new();
    while !bytes.is_empty() {
        let [operation, who, byte] = bytes.array();
        // No more than fit into one set.
        let who = who & 3;
        let endpoints = Endpoints {
            family: if who & 1 == 0 {
                Family::Ipv4
            } else {
                Family::Ipv6
            },
            addresses: ([1, 0, 0, 0], [u32::from(who), 0, 0, 0]),
            ports: ([4, who], [0, 80]),
        };
        let endpoint = Endpoint::of_client(&endpoints);
        match operation % 5 {
            0 => {
                let attempts = [
                    ConnectResult::Opened,
                    ConnectResult::Refused,
                    ConnectResult::Unanswered,
                ];
                let which = usize::from(byte % 3);
                servers.count(&endpoint, attempts[which]);
                counted.entry(who).or_default()[which] += 1;
            }
            1 => {
                let options = Options {
                    mss: Some(u16::from(byte) * 8),
                    scale: (byte & 1 != 0).then_some(byte >> 4),
                    sack: byte & 2 != 0,
                    timestamps: (byte & 4 != 0).then_some(Timestamps { value: 1, echo: 2 }),
                    received: None,
                };
                let said = Said {
                    options: &options,
                    ecn: Some(byte & 8 != 0),
                    window: 65_160,
                    is_local: false,
                    was_chosen: false,
                };
                servers.learn(&endpoint, &options, &said);
                counted.entry(who).or_default();
                let told = servers.options(&endpoint).unwrap();
                assert_eq!(Some(told.mss), options.mss);
                assert_eq!(told.ecn, byte & 8 != 0);
            }
            2 => {
                now += u64::from(byte) << (operation >> 4);
                c::set_jiffies(now);
            }
            3 => {
                syn_sent.insert(&Wait::plain(endpoints, byte.into()), None);
                waited.insert(who, byte.into());
            }
            _ => {
                syn_sent.end(&endpoints);
                waited.remove(&who);
            }
        }
        let found = syn_sent.find(&endpoints).map(|wait| wait.cookie);
        assert_eq!(found, waited.get(&who).copied());
    }
    let mut offset = 0;
    while let Some((report, behind)) = servers.report_from(offset) {
        let [who, ..] = report.address.words();
        let [opened, refused, unanswered] = counted.remove(&(who as u8)).unwrap();
        assert_eq!(
            (report.opened, report.refused, report.unanswered),
            (opened, refused, unanswered)
        );
        assert!(behind > offset);
        offset = behind;
    }
    assert!(counted.is_empty());
    c::set_hash_mask(u32::MAX);
}
