// SPDX-License-Identifier: GPL-2.0

//! What is protected: a port, of all addresses or of one.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use super::protection::Ports;
use crate::{
    rules::{Names, Rule, parse_port},
    text::is_number,
};

/// A port, of one address or of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
}

const BRACKETS: &str =
    "an IPv6 address stands in brackets, before a colon and a port: [2001:db8::1]:443";

impl Endpoint {
    pub(crate) fn parse(text: &str, names: &dyn Names) -> Result<Self, String> {
        let (address, port) = split(text)?;
        if let Some(address) = address.filter(IpAddr::is_unspecified) {
            return Err(format!(
                "leave out {address}: without an address the port is protected for all"
            ));
        }
        match parse_port(port, "tcp", names)? {
            0 => Err("there is no port 0".to_owned()),
            port => Ok(Self { address, port }),
        }
    }

    /// Whether a rule is for exactly this endpoint.
    pub(crate) fn is_of(self, rule: &Rule) -> bool {
        let same_address = match (rule.destination.as_ref(), self.address) {
            (None, None) => rule.family.is_none(),
            (Some(network), Some(address)) => {
                let value = &network.value;
                !network.inverted && value.is_host() && value.address() == address
            }
            _ => false,
        };
        same_address && Ports::of(rule).only() == Some(self.port)
    }
}

/// The address, if there is one, and the port.
fn split(text: &str) -> Result<(Option<IpAddr>, &str), String> {
    if text.contains(',') {
        return Err("ports are separated by spaces".to_owned());
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once("]:").ok_or(BRACKETS)?;
        let address: Ipv6Addr = address
            .parse()
            .map_err(|_| format!("{address} is not an IPv6 address"))?;
        return Ok((Some(address.into()), port));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(BRACKETS.to_owned());
    }
    match text.rsplit_once(':') {
        Some((host, port)) => Ok((Some(parse_ipv4(host)?.into()), port)),
        None if text.parse::<Ipv4Addr>().is_ok() => {
            Err(format!("the port is missing, as in {text}:443"))
        }
        None if text.contains('.') => Err(
            "this is neither a port nor an address and a port, such as 192.0.2.1:443".to_owned(),
        ),
        None => Ok((None, text)),
    }
}

fn parse_ipv4(host: &str) -> Result<Ipv4Addr, String> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let numeric = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    Err(if host.is_empty() {
        "the address before the colon is missing".to_owned()
    } else if host.contains(':') {
        BRACKETS.to_owned()
    } else if host.contains('/') {
        "give one address, not a network".to_owned()
    } else if is_number(host) {
        "give one port, not a range".to_owned()
    } else if host.bytes().all(numeric) {
        format!("{host} is not an IPv4 address")
    } else {
        format!("{host} is the name of a host: give an address")
    })
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => SocketAddr::new(address, self.port).fmt(out),
            None => self.port.fmt(out),
        }
    }
}
