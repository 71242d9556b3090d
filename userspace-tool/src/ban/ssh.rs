// SPDX-License-Identifier: GPL-2.0

//! Where the caller's session of ssh comes from.

use std::{fs, iter, net::IpAddr, process};

/// The variable that sshd sets: the client's address and port, and the server's.
const VARIABLE: &[u8] = b"SSH_CONNECTION=";

/// The addresses that the sessions of ssh come from which this process runs in. sudo and su drop the variable that says so, and
/// the processes that called them still have it.
pub(super) fn clients() -> Vec<IpAddr> {
    iter::successors(Some(process::id()), |id| parent(*id))
        .filter_map(|id| client(&fs::read(format!("/proc/{id}/environ")).ok()?))
        .collect()
}

fn parent(id: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    parent.trim().parse().ok().filter(|parent| *parent != 0)
}

/// The client's address in an environment.
pub(super) fn client(environment: &[u8]) -> Option<IpAddr> {
    let mut variables = environment.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| variable.strip_prefix(VARIABLE))?;
    let address = std::str::from_utf8(value).ok()?.split_whitespace().next()?;
    // A link-local address has its interface behind it.
    let address = address.split('%').next()?;
    Some(address.parse::<IpAddr>().ok()?.to_canonical())
}
