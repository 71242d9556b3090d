// SPDX-License-Identifier: GPL-2.0

//! What an entry of a list is about: an address, and a port where rules say --rport.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// An address and a port, which is 0 where ports do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EntryKey {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

impl From<IpAddr> for EntryKey {
    fn from(address: IpAddr) -> Self {
        Self { address, port: 0 }
    }
}

impl FromStr for EntryKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(address.into());
        }
        if let Ok(both) = text.parse::<SocketAddr>() {
            return Ok(Self {
                address: both.ip(),
                port: both.port(),
            });
        }
        if let Some((address, port)) = text.split_once([' ', '\t']) {
            if let (Ok(address), Ok(port)) = (address.parse(), port.trim_start().parse()) {
                return Ok(Self { address, port });
            }
        }
        Err(match text.split_once('/') {
            Some((address, _)) if address.parse::<IpAddr>().is_ok() => {
                "a list holds single addresses, not networks".to_owned()
            }
            _ => "not an IPv4 or IPv6 address".to_owned(),
        })
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            0 => self.address.fmt(out),
            port => SocketAddr::new(self.address, port).fmt(out),
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
        ] {
            assert!(text.parse::<EntryKey>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(address in any::<IpAddr>(), port in any::<u16>()) {
            let key = EntryKey { address, port };
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }
    }
}
