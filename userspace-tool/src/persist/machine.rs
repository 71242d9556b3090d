// SPDX-License-Identifier: GPL-2.0

//! What the rest of the machine has to do with it.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Command, Stdio},
};

use crate::error::Error;

/// What is kept is that of the machine, and not of a network namespace beside it, whose rules would be the machine's
/// after the next boot.
pub(super) fn is_in_host_namespace() -> Result<(), Error> {
    let [own, host] = ["self", "1"].map(|process| fs::read_link(format!("/proc/{process}/ns/net")));
    match (own, host) {
        (Ok(own), Ok(host)) if own != host => Err(Error::Failure(
            "persist: this is not the network namespace of the machine: palisade save and palisade \
             list save print what is in this one"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

/// The loaded module, by a number that it has until it is unloaded. Without the module there are no rules and lists,
/// which is no reason to forget those that were kept.
pub(super) fn module() -> Result<String, Error> {
    match fs::metadata("/sys/module/palisade") {
        Ok(folder) => Ok(folder.ino().to_string()),
        Err(_) => Err(Error::Failure(
            "persist: the palisade kernel module is not loaded, so that there is nothing to keep; \
             what was kept before stays"
                .to_owned(),
        )),
    }
}

/// A warning if nothing brings back at boot what is kept.
pub(super) fn what_is_missing_at_boot() -> Option<String> {
    if !Path::new("/run/systemd/system").exists() {
        return Some(
            "persist: systemd is not running here: let the system run palisade persist --restore \
             when it boots"
                .to_owned(),
        );
    }
    let enabled = Command::new("systemctl")
        .args(["is-enabled", "--quiet", "palisade.service"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match enabled {
        Ok(status) if !status.success() => Some(
            "persist: nothing brings this back at boot: systemctl enable --now palisade.service \
             palisade-save.timer"
                .to_owned(),
        ),
        _ => None,
    }
}
