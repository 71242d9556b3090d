// SPDX-License-Identifier: GPL-2.0

//! Addresses with masks.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::IpNet;

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    fields::Plain,
    netlink::{Nest, Writer, spec::Family},
    text::number,
};

/// An address of which only the bits of the mask count; the others are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    mask: IpAddr,
}

impl Network {
    /// The address and the mask have to be of one family.
    pub(crate) fn new(address: IpAddr, mask: IpAddr) -> Option<Self> {
        let address = match (address, mask) {
            (IpAddr::V4(address), IpAddr::V4(mask)) => IpAddr::V4(address & mask),
            (IpAddr::V6(address), IpAddr::V6(mask)) => IpAddr::V6(address & mask),
            _ => return None,
        };
        Some(Self { address, mask })
    }

    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    pub(crate) fn family(&self) -> Family {
        family(self.address)
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        Self::new(address, self.mask).is_some_and(|network| network.address == self.address)
    }

    /// Whether every address of the family is in it.
    pub(crate) fn is_any(&self) -> bool {
        self.mask.is_unspecified()
    }

    pub(crate) fn is_host(&self) -> bool {
        self.mask == full_mask(self.family())
    }

    /// The length of the prefix, if the mask is one.
    fn prefix_length(&self) -> Option<u8> {
        ipnet::ip_mask_to_prefix(self.mask).ok()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix_length() {
            Some(length) => write!(out, "{}/{length}", self.address),
            None => write!(out, "{}/{}", self.address, self.mask),
        }
    }
}

impl Plain for Network {
    type Kinds = (u16, u16);

    fn read(nest: &Nest<'_>, (address, mask): Self::Kinds) -> Result<Option<Self>, Error> {
        let Some(address) = Plain::read(nest, address)? else {
            return Ok(None);
        };
        let mask = Plain::read(nest, mask)?.unwrap_or_else(|| full_mask(family(address)));
        let network = Self::new(address, mask);
        let wrong = || Error::Answer(format!("the mask {mask} does not fit {address}"));
        network.ok_or_else(wrong).map(Some)
    }

    fn write(&self, (address, mask): Self::Kinds, nest: &mut Writer) {
        nest.address(address, self.address);
        if !self.is_host() {
            nest.address(mask, self.mask);
        }
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        object.insert(key.to_owned(), json!(self.to_string()));
    }
}

/// Addresses of one family, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AddressRange {
    pub(crate) first: IpAddr,
    pub(crate) last: IpAddr,
}

impl AddressRange {
    pub(crate) fn new(first: IpAddr, last: IpAddr) -> Result<Self, String> {
        if family(first) != family(last) {
            return Err("both ends of a range have to be of one IP version".to_owned());
        }
        if first > last {
            return Err("the range of addresses ends before it starts".to_owned());
        }
        Ok(Self { first, last })
    }

    pub(crate) fn family(&self) -> Family {
        family(self.first)
    }
}

/// The family of an address.
pub(crate) fn family(address: IpAddr) -> Family {
    match address {
        IpAddr::V4(_) => Family::Ipv4,
        IpAddr::V6(_) => Family::Ipv6,
    }
}

/// The mask of a single address.
pub(crate) fn full_mask(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::BROADCAST),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::from(u128::MAX)),
    }
}

/// An address as iptables reads it: an IPv4 address may leave out the zeros at its end.
pub(crate) fn parse_address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let octets = text
        .split('.')
        .map(parse_octet)
        .collect::<Option<Vec<u8>>>()?;
    let mut padded = [0; 4];
    padded.get_mut(..octets.len())?.copy_from_slice(&octets);
    Some(IpAddr::from(padded))
}

fn parse_octet(text: &str) -> Option<u8> {
    let leading_zero = text.len() > 1 && text.starts_with('0');
    number(text).filter(|_| !leading_zero)
}

/// The mask that `text` stands for, a prefix length or a mask written as an address.
pub(crate) fn parse_mask(text: &str, family: Family) -> Result<IpAddr, String> {
    if let Ok(mask) = text.parse::<IpAddr>() {
        if self::family(mask) == family {
            return Ok(mask);
        }
        return Err(format!("the mask {text} is not one for {}", family.name()));
    }
    let (longest, zero): (u8, IpAddr) = match family {
        Family::Ipv4 => (32, Ipv4Addr::UNSPECIFIED.into()),
        Family::Ipv6 => (128, Ipv6Addr::UNSPECIFIED.into()),
    };
    number(text)
        .and_then(|length| IpNet::new(zero, length).ok())
        .map(|network| network.netmask())
        .ok_or_else(|| {
            format!("the mask has to be a number up to {longest} or an address, not {text}")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str, mask: &str) -> String {
        let address = parse_address(address).unwrap();
        let mask = parse_mask(mask, family(address)).unwrap();
        Network::new(address, mask).unwrap().to_string()
    }

    #[test]
    fn host_bits_are_cleared() {
        assert_eq!(network("10.1.2.3", "8"), "10.0.0.0/8");
        assert_eq!(network("10.1.2.3", "255.255.0.0"), "10.1.0.0/16");
        assert_eq!(network("10.1.2.3", "255.0.255.0"), "10.0.2.0/255.0.255.0");
        assert_eq!(network("2001:db8::1:2", "64"), "2001:db8::/64");
        assert_eq!(network("2001:db8::1:2", "ffff::ffff"), "2001::2/ffff::ffff");
    }

    #[test]
    fn short_addresses_are_completed() {
        assert_eq!(parse_address("10"), Some(IpAddr::from([10, 0, 0, 0])));
        assert_eq!(
            parse_address("192.168"),
            Some(IpAddr::from([192, 168, 0, 0]))
        );
        for bad in ["", "10.", "256", "1.2.3.4.5", "10.01", "a.b", "+1"] {
            assert_eq!(parse_address(bad), None, "{bad}");
        }
    }

    #[test]
    fn masks_have_limits() {
        assert!(parse_mask("33", Family::Ipv4).is_err());
        assert!(parse_mask("129", Family::Ipv6).is_err());
        assert!(parse_mask("", Family::Ipv4).is_err());
        assert!(parse_mask("+8", Family::Ipv4).is_err());
        assert!(parse_mask("ffff::", Family::Ipv4).is_err());
    }
}
