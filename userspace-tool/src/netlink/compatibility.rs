// SPDX-License-Identifier: GPL-2.0

//! Whether the tool and the loaded module fit each other.
//!
//! They fit if their netlink family has the same version, which is that of the ABI. It grows only if one of them would
//! misunderstand the other; what is new, such as a match, does not make it grow, and a module that lacks it refuses the
//! attribute. So a tool and a module of different releases usually work together.

use std::fs;

use nix::errno::Errno;

use super::{ExtAckError, spec::FAMILY_VERSION};
use crate::error::Error;

/// The release of the tool.
pub(crate) const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Messages of the kernel (lib/nlattr.c) about attributes that a module does not know.
const UNKNOWN_ATTRIBUTE: [&str; 2] = ["Unknown attribute type", "Unsupported attribute"];

/// How the module that is installed takes the place of the one that is loaded, with the rules and lists that are kept.
const RELOAD: &str = "systemctl stop palisade && modprobe -r palisade && systemctl start palisade";

/// The release of the loaded module, where sysfs is there to say it.
pub(crate) fn loaded_release() -> Option<String> {
    let version = fs::read_to_string("/sys/module/palisade/version").ok()?;
    Some(version.trim().to_owned())
}

/// Check the version of the family that the module has registered.
pub(super) fn check(version: u32, release: Option<&str>) -> Result<(), Error> {
    let own = u32::from(FAMILY_VERSION);
    if version == own {
        return Ok(());
    }
    let advice = match version < own {
        true => format!("reload the module, which is older: {RELOAD}"),
        false => "upgrade the palisade package, whose tool is older".to_owned(),
    };
    let release = release.unwrap_or("of an unknown release");
    Err(Error::Failure(format!(
        "this is palisade {RELEASE} for netlink interface {own}, and the loaded module {release} has \
         interface {version}: {advice}"
    )))
}

/// What is behind the refusal of something that the loaded module does not know.
pub(super) fn hint(refusal: &ExtAckError, release: Option<&str>) -> Option<String> {
    let message = refusal.message.as_deref();
    let is_unknown = message.is_some_and(|message| UNKNOWN_ATTRIBUTE.contains(&message));
    let release = release.filter(|release| *release != RELEASE)?;
    (is_unknown || refusal.is(Errno::EOPNOTSUPP)).then(|| {
        format!(
            "the loaded module {release} does not know this, and this is palisade {RELEASE}: reload the \
             module, {RELOAD}, or upgrade it"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_interface_fits() {
        assert!(check(FAMILY_VERSION.into(), Some("99.0.0")).is_ok());
        assert!(check(FAMILY_VERSION.into(), None).is_ok());
    }

    #[test]
    fn another_interface_says_what_to_do() {
        let message = |version, release| check(version, release).unwrap_err().to_string();
        let older = message(u32::from(FAMILY_VERSION) - 1, Some("0.0.9"));
        assert!(
            older.contains("loaded module 0.0.9 ") && older.contains("modprobe -r"),
            "{older}"
        );
        let newer = message(u32::from(FAMILY_VERSION) + 1, None);
        assert!(
            newer.contains("unknown release") && newer.contains("upgrade"),
            "{newer}"
        );
        assert!(older.lines().chain(newer.lines()).count() == 2);
    }

    #[test]
    fn what_a_module_does_not_know_has_a_hint() {
        let refusal = |errno: Errno, message: &str| ExtAckError {
            errno: errno as i32,
            message: Some(message.to_owned()),
            offset: None,
            label: None,
        };
        let unknown = refusal(Errno::EINVAL, "Unsupported attribute");
        assert!(
            hint(&unknown, Some("0.0.9"))
                .unwrap()
                .contains("module 0.0.9")
        );
        assert_eq!(hint(&unknown, Some(RELEASE)), None);
        assert_eq!(hint(&unknown, None), None);
        assert!(hint(&refusal(Errno::EOPNOTSUPP, ""), Some("0.0.9")).is_some());
        assert_eq!(
            hint(&refusal(Errno::EINVAL, "too large"), Some("0.0.9")),
            None
        );
    }

    /// The release stands in three files.
    #[test]
    fn the_module_and_the_changes_have_the_same_release() {
        let module = include_str!("../../../rust/kernel_api/helpers.c");
        assert!(module.contains(&format!("\nMODULE_VERSION(\"{RELEASE}\");\n")));
        let changes = include_str!("../../../CHANGELOG.md");
        let newest = changes.lines().find_map(|line| line.strip_prefix("## "));
        assert!(
            newest.is_some_and(|newest| newest.split(' ').next() == Some(RELEASE)),
            "CHANGELOG.md is about {newest:?}"
        );
    }
}
