// SPDX-License-Identifier: GPL-2.0

//! Names of hosts, services and protocols.

use std::{
    cell::OnceCell,
    fs, io,
    net::{IpAddr, ToSocketAddrs},
};

use crate::text::is_number;

/// Where names are looked up.
pub(crate) trait Names {
    /// The addresses of a host, without repetitions.
    fn host(&self, name: &str) -> io::Result<Vec<IpAddr>>;
    fn port(&self, service: &str, protocol: &str) -> Option<u16>;
    fn protocol(&self, name: &str) -> Option<u8>;
}

/// A port, by its number or by the name of its service.
pub(crate) fn parse_port(text: &str, transport: &str, names: &dyn Names) -> Result<u16, String> {
    if text.is_empty() {
        return Err("the port is missing".to_owned());
    }
    if is_number(text) {
        return text
            .parse()
            .map_err(|_| format!("a port is at most 65535, not {text}"));
    }
    names.port(text, transport).ok_or_else(|| {
        format!("there is no {transport} service {text} in /etc/services: give a number")
    })
}

/// The resolver and the files of this machine. The files are read on first use.
#[derive(Default)]
pub(crate) struct System {
    services: OnceCell<String>,
    protocols: OnceCell<String>,
}

/// The contents of a file; empty if it is missing.
fn contents<'a>(cell: &'a OnceCell<String>, path: &str) -> &'a str {
    cell.get_or_init(|| fs::read_to_string(path).unwrap_or_default())
}

impl Names for System {
    fn host(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut addresses = Vec::new();
        for socket_address in (name, 0).to_socket_addrs()? {
            if !addresses.contains(&socket_address.ip()) {
                addresses.push(socket_address.ip());
            }
        }
        Ok(addresses)
    }

    fn port(&self, service: &str, protocol: &str) -> Option<u16> {
        let services = contents(&self.services, "/etc/services");
        find_port(services, service, protocol)
    }

    fn protocol(&self, name: &str) -> Option<u8> {
        find_protocol(contents(&self.protocols, "/etc/protocols"), name)
    }
}

/// The fields of each line of such a file, without comments.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .map(|line| line.split_whitespace().collect())
}

fn find_port(services: &str, service: &str, protocol: &str) -> Option<u16> {
    let ports = || {
        lines(services).filter_map(|fields| {
            let (port, port_protocol) = fields.get(1)?.split_once('/')?;
            let mut names = fields.iter().take(1).chain(fields.iter().skip(2));
            let found = names.any(|name| *name == service);
            Some((port_protocol, port.parse().ok().filter(|_| found)?))
        })
    };
    let own = ports()
        .find(|(of, _)| *of == protocol)
        .map(|(_, port)| port);
    // Many services are listed for TCP only, such as http, which others use at the same port.
    let first = ports().next().map(|(_, port)| port);
    own.or_else(|| first.filter(|first| ports().all(|(_, port)| port == *first)))
}

fn find_protocol(protocols: &str, name: &str) -> Option<u8> {
    lines(protocols).find_map(|fields| {
        let number = fields.get(1)?.parse().ok()?;
        let mut names = fields.iter().take(1).chain(fields.iter().skip(2));
        names
            .any(|candidate| candidate.to_lowercase() == name)
            .then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_found_by_name_and_alias() {
        let services = "# comment\n\nssh 22/tcp # shell\nhttp\t80/tcp www\ndomain 53/udp\n";
        assert_eq!(find_port(services, "ssh", "tcp"), Some(22));
        assert_eq!(find_port(services, "www", "tcp"), Some(80));
        assert_eq!(find_port(services, "domain", "tcp"), Some(53));
        let services = "x 1/tcp\nx 2/sctp\n";
        assert_eq!(find_port(services, "x", "sctp"), Some(2));
        assert_eq!(find_port(services, "x", "udp"), None);
        let services = "ssh 22/tcp\nhttp\t80/tcp www\n";
        assert_eq!(find_port(services, "http", "udp"), Some(80));
        assert_eq!(find_port(services, "80/tcp", "tcp"), None);
        assert_eq!(find_port(services, "shell", "tcp"), None);
    }

    #[test]
    fn protocols_are_found_by_name_and_alias() {
        let protocols = "ip 0 IP\nospf 89 OSPFIGP # routing\n";
        assert_eq!(find_protocol(protocols, "ospf"), Some(89));
        assert_eq!(find_protocol(protocols, "ospfigp"), Some(89));
        assert_eq!(find_protocol(protocols, "89"), None);
    }
}
