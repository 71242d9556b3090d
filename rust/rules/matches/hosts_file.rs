// SPDX-License-Identifier: GPL-2.0

//! A file with names of hosts, of which the name of a server must be, or must not be, one.

use crate::{
    content::host_set::HostSet,
    kernel_api::netlink::nest::Text,
    rules::prelude::*,
    spec::HOST_NAMES_MAX, //
};

/// What the file is called, which is all that a listing has of it, and whether it is inverted.
#[derive(PartialEq, Eq)]
pub(super) struct HostsFile {
    file: Text,
    invert: bool,
}

impl HostsFile {
    /// The names in the file, which come in front of the change that has the rule.
    pub(super) fn names<'a>(
        &self,
        kind: u16,
        context: &DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, KBox<HostSet>> {
        use attribute::{
            hosts::{FILE, NAMES},
            ruleset, //
        };
        let before = (context.site.hosts).take_while(|before| before.kind() != ruleset::CHANGE);
        let pieces = before.filter(|before| {
            let file = before.nested().get(FILE);
            before.kind() == ruleset::HOSTS
                && file.is_some_and(|file| file.string() == self.file.as_bytes())
        });
        let names = pieces.flat_map(|piece| {
            let names = piece.nested().get(NAMES).map(|names| names.payload());
            let lines = names.unwrap_or_default().split(|byte| *byte == b'\n');
            lines.filter(|name| !name.is_empty())
        });
        match names.clone().take(HOST_NAMES_MAX as usize + 1).count() {
            0 => return Err(context.refuse(kind, c"the names in the file are missing")),
            count if count > HOST_NAMES_MAX as usize => {
                return Err(context.refuse(kind, c"a file has at most 65536 names of hosts"));
            }
            _ => {}
        }
        let set = HostSet::new(names).map_err(|error| match error {
            EINVAL => context.refuse(kind, c"a name in the file is longer than 255 bytes"),
            _ => error.into(),
        })?;
        Ok(KBox::new(set, GFP_KERNEL_ACCOUNT)?)
    }

    /// Whether a name is right, where `is_in` says whether it is in the file.
    #[inline]
    pub(super) fn agrees(&self, is_in: bool) -> bool {
        is_in != self.invert
    }
}

/// The attributes of the file, and of the inversion.
impl OptionalGroup for HostsFile {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [_, invert] = nest::kinds(kind);
        let file = nest::optional(nest, kind)?;
        if file.is_none() && nest.has(invert) {
            return Err(nest.refuse(invert, c"there is nothing to invert"));
        }
        let invert = nest.has(invert);
        Ok(file.map(|file| Self { file, invert }))
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [file, invert] = nest::kinds(kind);
        self.file.write(file, message)?;
        message.put_flag(invert, self.invert)
    }
}
