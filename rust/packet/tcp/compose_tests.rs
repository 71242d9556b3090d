// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of composed packets, read byte by byte.

use super::{
    compose::{
        self,
        Fields, //
    },
    options::{
        Options,
        Timestamps, //
    },
    options_tests::Numbers, //
};
use crate::{
    kernel_api::conntrack::connections::Endpoints,
    packet::{
        Address,
        Family, //
    },
};
use kernel::prelude::*;

/// The bytes of these words in a packet.
fn bytes(words: &[u32]) -> Result<KVec<u8>> {
    let mut bytes = KVec::new();
    for word in words {
        bytes.extend_from_slice(&word.to_ne_bytes(), GFP_KERNEL)?;
    }
    Ok(bytes)
}

/// The Internet checksum's sum: 0xffff if the data includes the right checksum.
fn sum(parts: &[&[u8]]) -> u32 {
    let mut sum = 0;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        sum += u32::from(pair[0]) * 256 + u32::from(*pair.get(1).unwrap_or(&0));
        if sum > 0xffff {
            sum -= 0xffff;
        }
    }
    sum
}

/// Whether both headers contain what was asked for.
fn is_right(
    endpoints: &Endpoints,
    fields: &Fields,
    options: &Options,
    data: &[u8],
) -> Result<bool> {
    let family = endpoints.family;
    let (source, destination) = endpoints.addresses;
    let packet = compose::headers(endpoints, 61, fields, options, data);
    let mut packet = bytes(packet.as_slice())?;
    packet.extend_from_slice(data, GFP_KERNEL)?;
    let start = match family {
        Family::Ipv4 => 20,
        Family::Ipv6 => 40,
    };
    let (ip, tcp) = packet.split_at_checked(start).ok_or(EINVAL)?;
    let (from, length) = Address::new(source).to_bytes(family);
    let (to, _) = Address::new(destination).to_bytes(family);
    let (from, to) = (&from[..length], &to[..length]);
    let size = (tcp.len() as u16).to_be_bytes();
    let all = (packet.len() as u16).to_be_bytes();
    let is_ip_right = match family {
        Family::Ipv4 => {
            ip[..2] == [0x45, 0]
                && ip[2..4] == all
                && ip[4..10] == [0, 0, 0x40, 0, 61, 6]
                && sum(&[ip]) == 0xffff
                && (&ip[12..16], &ip[16..20]) == (from, to)
        }
        Family::Ipv6 => {
            ip[..4] == [0x60, 0, 0, 0]
                && ip[4..6] == size
                && ip[6..8] == [6, 61]
                && (&ip[8..24], &ip[24..40]) == (from, to)
        }
    };
    let header_length = tcp.len() - data.len();
    let is_tcp_right = tcp[..4] == endpoints.port_word().to_ne_bytes()
        && tcp[4..8] == fields.sequence.to_be_bytes()
        && tcp[8..12] == fields.acknowledgement.to_be_bytes()
        && usize::from(tcp[12] >> 4) * 4 == header_length
        && tcp[12] & 0xf == 0
        && tcp[13] == fields.flags
        && tcp[14..16] == fields.window.to_be_bytes()
        && tcp[18..20] == [0, 0]
        && sum(&[from, to, &[0, 6], &size, tcp]) == 0xffff
        && Options::parse(&tcp[20..header_length])
            == (Options {
                received: None,
                ..*options
            })
        && options.received.is_none_or(|(start, end)| {
            let block = &tcp[header_length - 12..header_length];
            block[..4] == [1, 1, 5, 10]
                && block[4..8] == start.to_be_bytes()
                && block[8..] == end.to_be_bytes()
        });
    // The same TCP header alone, for packets that keep their IP header.
    let header = compose::tcp_header(endpoints, fields, options);
    let is_same = !data.is_empty()
        || *bytes(header.as_slice())? == *tcp && usize::from(header.len()) == tcp.len();
    Ok(is_ip_right && is_tcp_right && is_same)
}

/// All sixteen sets of options.
fn options_of(number: u32, numbers: &mut Numbers) -> Options {
    let has = |bit: u32| number >> bit & 1 == 1;
    Options {
        mss: has(0).then_some(numbers.next() as u16),
        scale: has(1).then_some((numbers.next() % 15) as u8),
        sack: has(2),
        timestamps: has(3).then_some(Timestamps {
            value: numbers.next(),
            echo: numbers.next(),
        }),
        received: None,
    }
}

fn endpoints_of(family: Family, mut next: impl FnMut() -> u32) -> Endpoints {
    let mut words = || match family {
        Family::Ipv4 => [next(), 0, 0, 0],
        Family::Ipv6 => [next(), next(), next(), next()],
    };
    let addresses = (words(), words());
    Endpoints {
        family,
        addresses,
        ports: ports_of(next()),
    }
}

/// The ports whose word in the header is this.
fn ports_of(word: u32) -> ([u8; 2], [u8; 2]) {
    let [a, b, c, d] = word.to_ne_bytes();
    ([a, b], [c, d])
}

#[kunit_tests(palisade_synproxy_composing)]
mod tests {
    use super::*;

    #[test]
    fn random_packets_are_right() -> Result {
        let mut numbers = Numbers(0x0bad_cafe);
        for round in 0..3200 {
            let family = [Family::Ipv4, Family::Ipv6][round as usize / 16 % 2];
            let mut options = options_of(round % 16, &mut numbers);
            if options.mss.is_none() && options.scale.is_none() {
                options.received = Some((numbers.next(), numbers.next()));
            }
            let endpoints = endpoints_of(family, || numbers.next());
            let fields = Fields {
                sequence: numbers.next(),
                acknowledgement: numbers.next(),
                flags: numbers.next() as u8,
                window: numbers.next() as u16,
            };
            let data: [u8; 67] = core::array::from_fn(|_| numbers.next() as u8);
            assert!(is_right(&endpoints, &fields, &options, &[])?);
            let length = numbers.next() as usize % (data.len() + 1);
            assert!(is_right(&endpoints, &fields, &options, &data[..length])?);
        }
        Ok(())
    }

    #[test]
    fn sums_carry() -> Result {
        // All ones, all zeroes, and values between.
        for word in [
            0,
            1,
            0x0001_0000,
            0xffff,
            0xffff_0000,
            0xfffe_ffff,
            u32::MAX,
        ] {
            for family in [Family::Ipv4, Family::Ipv6] {
                for other in [0, word, u32::MAX] {
                    let fields = Fields {
                        sequence: other,
                        acknowledgement: word,
                        flags: other as u8,
                        window: word as u16,
                    };
                    let options = Options {
                        mss: Some(other as u16),
                        timestamps: Some(Timestamps {
                            value: word,
                            echo: other,
                        }),
                        ..Options::default()
                    };
                    let endpoints = endpoints_of(family, || word);
                    assert!(is_right(&endpoints, &fields, &options, &[])?);
                }
            }
        }
        Ok(())
    }

    #[test]
    fn the_last_carry_counts() -> Result {
        // The sum of all 32-bit words is just below a multiple of 2^32, or on it: the ports are
        // chosen for that.
        let mut endpoints = endpoints_of(Family::Ipv6, || u32::MAX);
        let options = Options::default();
        let fields = Fields {
            sequence: u32::MAX,
            acknowledgement: u32::MAX,
            flags: 0xff,
            window: u16::MAX,
        };
        let (source, destination) = endpoints.addresses;
        endpoints.ports = ports_of(0);
        let header = compose::tcp_header(&endpoints, &fields, &options);
        let words = |words: &[u32]| words.iter().map(|word| u64::from(*word)).sum::<u64>();
        let checksum = header.as_slice().get(4).copied().ok_or(EINVAL)?;
        let rest = words(header.as_slice()) - u64::from(checksum)
            + words(&source)
            + words(&destination)
            + u64::from(u32::from_ne_bytes([0, 6, 0, 20]));
        for below in 0..64 {
            let word = u32::MAX.wrapping_sub(rest as u32).wrapping_sub(below);
            endpoints.ports = ports_of(word);
            assert!(is_right(&endpoints, &fields, &options, &[])?);
        }
        Ok(())
    }

    #[test]
    fn lengths_are_those_of_the_options() -> Result {
        let mut numbers = Numbers(1);
        let lengths = [
            20, 24, 24, 28, 24, 28, 28, 32, 32, 36, 36, 40, 32, 36, 36, 40,
        ];
        let fields = Fields {
            sequence: 0,
            acknowledgement: 0,
            flags: 0,
            window: 0,
        };
        for (number, length) in (0..).zip(lengths) {
            let options = options_of(number, &mut numbers);
            let endpoints = endpoints_of(Family::Ipv4, || 1);
            let header = compose::tcp_header(&endpoints, &fields, &options);
            assert_eq!(header.len(), length);
        }
        Ok(())
    }
}
