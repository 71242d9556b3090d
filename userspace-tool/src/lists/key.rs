// SPDX-License-Identifier: GPL-2.0

//! What an entry of a list is about: an address, or a network, and a port where rules say --rport.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use ipnet::IpNet;

/// Addresses and a port, which is 0 where ports do not count, as for networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EntryKey {
    /// The network, or one address; no bits are set behind its prefix.
    pub(crate) network: IpNet,
    pub(crate) port: u16,
}

impl EntryKey {
    /// The length of a network's prefix; none of an address.
    pub(crate) fn prefix(&self) -> Option<u8> {
        let length = self.network.prefix_len();
        (length < self.network.max_prefix_len()).then_some(length)
    }

    /// The key with a prefix of that length; none if that is longer than an address.
    pub(crate) fn of_prefix(address: IpAddr, length: u8) -> Option<Self> {
        let network = IpNet::new(address, length).ok()?.trunc();
        Some(Self { network, port: 0 })
    }

    /// The same with a port.
    pub(crate) fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }
}

impl From<IpAddr> for EntryKey {
    fn from(address: IpAddr) -> Self {
        Self {
            network: address.into(),
            port: 0,
        }
    }
}

impl FromStr for EntryKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(address.into());
        }
        if let Ok(both) = text.parse::<SocketAddr>() {
            return Ok(Self::from(both.ip()).with_port(both.port()));
        }
        if let Some((address, length)) = text.split_once('/') {
            let address: IpAddr =
                (address.parse()).map_err(|_| "not an IPv4 or IPv6 network".to_owned())?;
            let key = (length.parse().ok()).and_then(|length| Self::of_prefix(address, length));
            return key.ok_or_else(|| {
                let longest = IpNet::from(address).max_prefix_len();
                format!("the length of its prefix is a number from 0 to {longest}")
            });
        }
        if let Some((address, port)) = text.split_once([' ', '\t']) {
            if let (Ok(address), Ok(port)) = (address.parse::<IpAddr>(), port.trim_start().parse())
            {
                return Ok(Self::from(address).with_port(port));
            }
        }
        Err("not an IPv4 or IPv6 address".to_owned())
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.prefix(), self.port) {
            (Some(_), _) => self.network.fmt(out),
            (None, 0) => self.network.addr().fmt(out),
            (None, port) => SocketAddr::new(self.network.addr(), port).fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ports_are_read_in_three_ways() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("192.0.2.1 80", "192.0.2.1:80"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
            ("2001:db8::1 443", "[2001:db8::1]:443"),
            ("192.0.2.1:0", "192.0.2.1"),
        ] {
            let key: EntryKey = text.parse().unwrap();
            assert_eq!(key.to_string(), expected, "{text}");
        }
        for text in [
            "",
            "192.0.2.1:",
            "192.0.2.1:65536",
            "192.0.2.1 80 81",
            "[::1]",
            "192.0.2.0/24 80",
            "192.0.2.0/24:80",
        ] {
            assert!(text.parse::<EntryKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn networks_begin_where_their_prefix_says() {
        for (text, expected) in [
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("2001:db8::7/32", "2001:db8::/32"),
            ("::1/128", "::1"),
            ("198.51.100.1/0", "0.0.0.0/0"),
        ] {
            let key: EntryKey = text.parse().unwrap();
            assert_eq!(key.to_string(), expected, "{text}");
        }
        let error = "192.0.2.0/33".parse::<EntryKey>().unwrap_err();
        assert_eq!(error, "the length of its prefix is a number from 0 to 32");
        let error = "fe80/10".parse::<EntryKey>().unwrap_err();
        assert_eq!(error, "not an IPv4 or IPv6 network");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(address in any::<IpAddr>(), port in any::<u16>(), length in 0u8..=32) {
            let key = EntryKey::from(address).with_port(port);
            prop_assert_eq!(key.to_string().parse(), Ok(key));
            let key = EntryKey::of_prefix(address, length).unwrap();
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }
    }
}
