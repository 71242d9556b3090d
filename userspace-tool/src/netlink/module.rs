// SPDX-License-Identifier: GPL-2.0

//! The kernel module: why it is not there, and what to do.
//!
//! The kernel loads it by itself, by its alias, when somebody looks for its netlink family. This is for when that did
//! not help.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::Error;

/// Folders of modules that do not come with the kernel, as `make modules_install` and DKMS use them.
const FOLDERS: [&str; 4] = ["updates", "updates/dkms", "extra", "kernel/net/netfilter"];

/// The program that the kernel starts, too; an ordinary user's PATH lacks its folder.
const MODPROBE: &str = "/sbin/modprobe";

/// The variable of UEFI whose last byte is 1 with Secure Boot.
const SECURE_BOOT: &str =
    "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// The bit of /proc/PID/status that stands for CAP_SYS_MODULE.
const CAP_SYS_MODULE: u64 = 1 << 16;

/// Whether the module is loaded. Asking for its netlink family may load it, which some must not do.
pub(crate) fn is_loaded() -> bool {
    Path::new("/sys/module/palisade").exists()
}

/// Load the module, or say why that cannot be.
pub(super) fn load() -> Result<(), Error> {
    let machine = Machine::below("/");
    machine.loadable()?;
    // A file of /etc/modprobe.d that forbids the module counts here as it does for the kernel.
    let modprobe = Command::new(MODPROBE)
        .args(["--use-blacklist", "palisade"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_loaded(format!("{MODPROBE} cannot be run: {error}")))?;
    if modprobe.status.success() {
        return Ok(());
    }
    Err(machine.refused(&String::from_utf8_lossy(&modprobe.stderr)))
}

/// The error if modprobe was content, and the family is not there all the same.
pub(super) fn still_absent() -> Error {
    not_loaded(
        "a file of /etc/modprobe.d keeps it from being loaded: look for it with modprobe \
         --showconfig | grep palisade"
            .to_owned(),
    )
}

fn not_loaded(why: String) -> Error {
    Error::NotLoaded(why)
}

/// What a machine's files say of its kernel and modules.
struct Machine {
    root: PathBuf,
    release: String,
}

impl Machine {
    fn below(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let release = fs::read_to_string(root.join("proc/sys/kernel/osrelease"));
        Self {
            release: release.unwrap_or_default().trim().to_owned(),
            root,
        }
    }

    fn read(&self, path: impl AsRef<Path>) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }

    /// Whether modprobe should be able to load it.
    fn loadable(&self) -> Result<(), Error> {
        let release = &self.release;
        if self.read("proc/sys/kernel/modules_disabled").trim() == "1" {
            return Err(not_loaded(
                "this kernel takes no more modules (kernel.modules_disabled=1): write palisade into \
                 /etc/modules-load.d/palisade.conf and reboot"
                    .to_owned(),
            ));
        }
        if self.is_indexed(release) {
            if self.may_load() {
                return Ok(());
            }
            return Err(not_loaded("run this as root, who may load it".to_owned()));
        }
        if let Some(file) = self.file(release) {
            return Err(not_loaded(format!(
                "modprobe does not know of {}: run depmod as root",
                file.display()
            )));
        }
        let config = self.read(format!("boot/config-{release}"));
        if !config.is_empty() && !config.lines().any(|line| line == "CONFIG_RUST=y") {
            return Err(not_loaded(format!(
                "the running kernel {release} is one without Rust, which the module needs: install \
                 linux-image-amd64 (or -arm64) of trixie-backports and reboot"
            )));
        }
        let install = format!("palisade-modules-{release} or palisade-dkms");
        Err(not_loaded(match self.other_release() {
            Some(other) => format!(
                "it is installed for the kernel {other}, but {release} is running: reboot, or install \
                 {install}"
            ),
            None => {
                format!("it is not installed for the running kernel {release}: install {install}")
            }
        }))
    }

    /// Whether modprobe finds it for this kernel.
    fn is_indexed(&self, release: &str) -> bool {
        let index = self.read(format!("lib/modules/{release}/modules.dep"));
        let mut files = index.lines().filter_map(|line| line.split(':').next());
        files.any(|file| file.rsplit('/').next().is_some_and(is_module))
    }

    /// Its file for this kernel, whether or not modprobe finds it.
    fn file(&self, release: &str) -> Option<PathBuf> {
        let folders = FOLDERS.iter();
        let files = folders
            .filter_map(|folder| {
                fs::read_dir(self.root.join(format!("lib/modules/{release}/{folder}"))).ok()
            })
            .flatten();
        files
            .filter_map(Result::ok)
            .find(|file| file.file_name().to_str().is_some_and(is_module))
            .map(|file| file.path())
    }

    /// Another kernel that it is installed for.
    fn other_release(&self) -> Option<String> {
        let folders = fs::read_dir(self.root.join("lib/modules")).ok()?;
        let mut releases: Vec<String> = folders
            .filter_map(|folder| folder.ok()?.file_name().into_string().ok())
            .filter(|release| *release != self.release && self.file(release).is_some())
            .collect();
        releases.sort();
        releases.pop()
    }

    fn may_load(&self) -> bool {
        let status = self.read("proc/self/status");
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let bits = effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
        bits.is_none_or(|bits| bits & CAP_SYS_MODULE != 0)
    }

    /// The error for what modprobe printed.
    fn refused(&self, stderr: &str) -> Error {
        let line = stderr.lines().rfind(|line| !line.trim().is_empty());
        let line = line.unwrap_or("modprobe failed").trim();
        let line = line.trim_start_matches("modprobe: ");
        let line = line
            .trim_start_matches("ERROR: ")
            .trim_start_matches("FATAL: ");
        let unsigned = ["Key was rejected", "Required key not available"]
            .iter()
            .any(|reason| line.contains(reason));
        if unsigned || line.contains("Operation not permitted") && self.is_locked_down() {
            let who = if self.has_secure_boot() {
                "Secure Boot is on"
            } else {
                "this kernel takes signed modules only"
            };
            return not_loaded(format!(
                "{who}, and no key that the kernel trusts has signed the module: as root, mokutil \
                 --import the certificate of who signed it (of DKMS: /var/lib/dkms/mok.pub) and reboot"
            ));
        }
        if line.contains("Operation not permitted") {
            return not_loaded("run this as root of the host, who may load it".to_owned());
        }
        if line.contains("Exec format error") {
            let release = &self.release;
            return not_loaded(format!(
                "what is installed for the running kernel {release} was built for another one, or is \
                 damaged: install palisade-modules-{release} or palisade-dkms anew"
            ));
        }
        not_loaded(format!("{line}: dmesg may say more"))
    }

    fn is_locked_down(&self) -> bool {
        let lockdown = self.read("sys/kernel/security/lockdown");
        lockdown.contains("[integrity]") || lockdown.contains("[confidentiality]")
    }

    fn has_secure_boot(&self) -> bool {
        let variable = fs::read(self.root.join(SECURE_BOOT)).unwrap_or_default();
        variable.len() == 5 && variable.ends_with(&[1])
    }
}

fn is_module(file: &str) -> bool {
    [
        "palisade.ko",
        "palisade.ko.xz",
        "palisade.ko.zst",
        "palisade.ko.gz",
    ]
    .contains(&file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    const RUNNING: &str = "7.3.4+deb13-amd64";

    /// A machine with these files.
    fn machine(files: &[(&str, &str)]) -> (Folder, Machine) {
        let folder = Folder::new();
        folder.write("proc/sys/kernel/osrelease", RUNNING);
        folder.write("proc/self/status", "Name:\tx\nCapEff:\t000001ffffffffff\n");
        for (path, contents) in files {
            folder.write(path, contents);
        }
        let machine = Machine::below(folder.path());
        (folder, machine)
    }

    const INDEXED: (&str, &str) = (
        "lib/modules/7.3.4+deb13-amd64/modules.dep",
        "kernel/net/x.ko.xz:\nupdates/palisade.ko.xz: kernel/net/netfilter/nf_nat.ko.xz\n",
    );

    #[test]
    fn what_is_missing_is_said() {
        let here = "lib/modules/7.3.4+deb13-amd64/updates/palisade.ko.xz";
        let there = "lib/modules/7.3.5+deb13-amd64/updates/dkms/palisade.ko";
        let config = "boot/config-7.3.4+deb13-amd64";
        for (files, expected) in [
            (
                &[][..],
                "it is not installed for the running kernel 7.3.4+deb13-amd64: install \
                 palisade-modules-7.3.4+deb13-amd64 or palisade-dkms",
            ),
            (
                &[(config, "CONFIG_RUST=y\n"), (there, "")],
                "it is installed for the kernel 7.3.5+deb13-amd64, but 7.3.4+deb13-amd64 is running: \
                 reboot, or install palisade-modules-7.3.4+deb13-amd64 or palisade-dkms",
            ),
            (
                &[(config, "# CONFIG_RUST is not set\n")],
                "the running kernel 7.3.4+deb13-amd64 is one without Rust, which the module needs: \
                 install linux-image-amd64 (or -arm64) of trixie-backports and reboot",
            ),
            (
                &[("proc/sys/kernel/modules_disabled", "1\n"), INDEXED],
                "this kernel takes no more modules (kernel.modules_disabled=1): write palisade into \
                 /etc/modules-load.d/palisade.conf and reboot",
            ),
            (
                &[("proc/self/status", "CapEff:\t0000000000000000\n"), INDEXED],
                "run this as root, who may load it",
            ),
        ] {
            let (_folder, machine) = machine(files);
            let error = machine.loadable().unwrap_err().to_string();
            let expected = format!("the palisade kernel module is not loaded: {expected}");
            assert_eq!(error, expected, "{files:?}");
        }
        let (_folder, machine) = machine(&[(here, "")]);
        let error = machine.loadable().unwrap_err().to_string();
        assert!(
            error.ends_with("/palisade.ko.xz: run depmod as root"),
            "{error}"
        );
    }

    #[test]
    fn what_is_in_the_index_can_be_loaded() {
        let (_folder, machine) = machine(&[INDEXED, ("proc/sys/kernel/modules_disabled", "0\n")]);
        assert!(machine.loadable().is_ok());
    }

    #[test]
    fn what_modprobe_says_is_explained() {
        let said =
            |reason: &str| format!("modprobe: ERROR: could not insert 'palisade': {reason}\n");
        let lockdown = (
            "sys/kernel/security/lockdown",
            "none [integrity] confidentiality\n",
        );
        let secure_boot = (SECURE_BOOT, "\u{6}\0\0\0\u{1}");
        for (files, stderr, expected) in [
            (
                &[secure_boot][..],
                said("Key was rejected by service"),
                "Secure Boot is on, and no key",
            ),
            (
                &[lockdown],
                said("Operation not permitted"),
                "this kernel takes signed modules only, and no key",
            ),
            (
                &[],
                said("Operation not permitted"),
                "run this as root of the host, who may load it",
            ),
            (
                &[],
                said("Exec format error"),
                "what is installed for the running kernel 7.3.4+deb13-amd64 was built for another \
                 one, or is damaged: install palisade-modules-7.3.4+deb13-amd64 or palisade-dkms anew",
            ),
            (
                &[],
                said("Invalid argument"),
                "could not insert 'palisade': Invalid argument: dmesg may say more",
            ),
            (&[], String::new(), "modprobe failed: dmesg may say more"),
        ] {
            let (_folder, machine) = machine(files);
            let error = machine.refused(&stderr).to_string();
            let expected = format!("the palisade kernel module is not loaded: {expected}");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
