// SPDX-License-Identifier: GPL-2.0

//! A connection to the module's netlink family.

use std::ffi::CStr;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, ParseableParametrized};
use netlink_packet_generic::{
    GenlFamily, GenlMessage,
    ctrl::{
        GenlCtrl, GenlCtrlCmd,
        nlas::{GenlCtrlAttrs, McastGrpAttrs},
    },
};
use nix::errno::Errno;

use super::{
    compatibility,
    message::Message,
    module,
    spec::GROUP_NAMES,
    transport::{Answer, Transport},
    writer::Writer,
};
use crate::error::Error;

/// The message for a rule that does not fit into an attribute.
pub(crate) const TOO_LONG: &str = "a rule is too long for a netlink attribute (64 kB): split it";

/// How often a dump is repeated if a change of the rules or lists interrupts it.
const DUMP_ATTEMPTS: usize = 8;

/// Length of the generic netlink header, which comes before the attributes.
const GENERIC_HEADER_LENGTH: usize = 4;

/// A socket, and the numbers that the family has on this machine.
pub(crate) struct Connection {
    transport: Transport,
    family: Family,
}

/// The numbers of the family.
#[derive(Clone, Copy)]
pub(super) struct Family {
    pub(super) number: u16,
    /// The numbers of the multicast groups; none for those that the module is without.
    pub(super) groups: [Option<u32>; GROUP_NAMES.len()],
}

impl Connection {
    pub(crate) fn open() -> Result<Self, Error> {
        let mut transport = Transport::open()?;
        if let Some(family) = find_family(&mut transport)? {
            return Ok(Self { transport, family });
        }
        module::load()?;
        let family = find_family(&mut transport)?.ok_or_else(module::still_absent)?;
        Ok(Self { transport, family })
    }

    pub(super) fn family(&self) -> Family {
        self.family
    }

    /// Ask for a change.
    pub(crate) fn change(&mut self, command: u8, request: &Writer) -> Result<(), Error> {
        self.change_with_warning(command, request).map(drop)
    }

    /// Ask for a change. Returns the warning of the kernel, if it has one.
    pub(crate) fn change_with_warning(
        &mut self,
        command: u8,
        request: &Writer,
    ) -> Result<Option<String>, Error> {
        let (_, warning) = self.change_with_answer(command, request, |_| Ok(()))?;
        Ok(warning)
    }

    /// Ask for a change that is answered. Returns the answers, and the warning of the kernel, if it has one.
    pub(crate) fn change_with_answer<T>(
        &mut self,
        command: u8,
        request: &Writer,
        mut parse: impl FnMut(&[u8]) -> Result<T, Error>,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let read = |answer: &[u8], objects: &mut Vec<T>| {
            objects.push(parse(answer)?);
            Ok(())
        };
        self.exchange(command, request, NLM_F_ACK, read)
            .map(|answer| (answer.messages, answer.warning))
    }

    /// Ask for one object.
    pub(crate) fn get<T>(
        &mut self,
        command: u8,
        request: &Writer,
        parse: impl FnMut(&[u8]) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let (objects, _) = self.change_with_answer(command, request, parse)?;
        Ok(objects)
    }

    /// Ask for all objects that the request describes.
    pub(crate) fn dump<T>(
        &mut self,
        command: u8,
        request: &Writer,
        mut parse: impl FnMut(&[u8]) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.dump_several(command, request, |answer, objects| {
            objects.push(parse(answer)?);
            Ok(())
        })
    }

    /// Ask for all objects that the request describes. An answer may hold several of them; `read` adds
    /// them to the others.
    pub(crate) fn dump_several<T>(
        &mut self,
        command: u8,
        request: &Writer,
        mut read: impl FnMut(&[u8], &mut Vec<T>) -> Result<(), Error>,
    ) -> Result<Vec<T>, Error> {
        for _ in 0..DUMP_ATTEMPTS {
            let answer = self.exchange(command, request, NLM_F_DUMP, &mut read)?;
            if !answer.interrupted {
                return Ok(answer.messages);
            }
        }
        Err(Error::Failure(
            "the rules or lists keep changing while they are read: try again".to_owned(),
        ))
    }

    fn exchange<T>(
        &mut self,
        command: u8,
        request: &Writer,
        flags: u16,
        mut read: impl FnMut(&[u8], &mut Vec<T>) -> Result<(), Error>,
    ) -> Result<Answer<T>, Error> {
        if request.too_long() {
            return Err(Error::Failure(TOO_LONG.to_owned()));
        }
        let mut message = GenlMessage::from_payload(Message {
            command,
            attributes: request.as_bytes().to_vec(),
        });
        message.set_resolved_family_id(self.family.number);
        self.transport
            .exchange(message, NLM_F_REQUEST | flags, |payload, objects| {
                let attributes = payload.get(GENERIC_HEADER_LENGTH..);
                read(attributes.unwrap_or_default(), objects)
            })
            .map_err(|error| explain(error, request))
    }
}

/// The numbers of the family, if it is one that this tool can talk to. The kernel loads the module for that, whoever asks;
/// none means that it could not.
fn find_family(transport: &mut Transport) -> Result<Option<Family>, Error> {
    let request = GenlMessage::from_payload(GenlCtrl {
        cmd: GenlCtrlCmd::GetFamily,
        nlas: vec![GenlCtrlAttrs::FamilyName(Message::family_name().to_owned())],
    });
    let answer = transport.exchange(request, NLM_F_REQUEST | NLM_F_ACK, |payload, families| {
        let family = GenlMessage::<GenlCtrl>::parse_with_param(payload, 0u16);
        let family = family.map_err(|error| Error::Answer(error.to_string()))?;
        families.push(family.payload);
        Ok(())
    });
    let families = match answer {
        Ok(answer) => answer.messages,
        Err(Error::Kernel(refusal)) if refusal.is(Errno::ENOENT) => return Ok(None),
        Err(error) => return Err(error),
    };
    let attributes = || families.iter().flat_map(|family: &GenlCtrl| &family.nlas);
    let version = attributes().find_map(|attribute| match attribute {
        GenlCtrlAttrs::Version(version) => Some(*version),
        _ => None,
    });
    let release = compatibility::loaded_release();
    compatibility::check(version.unwrap_or_default(), release.as_deref())?;
    let number = attributes().find_map(|attribute| match attribute {
        GenlCtrlAttrs::FamilyId(number) => Some(*number),
        _ => None,
    });
    let number = number.ok_or_else(|| Error::Answer("the family has no number".to_owned()))?;
    let groups = attributes().filter_map(|attribute| match attribute {
        GenlCtrlAttrs::McastGroups(groups) => Some(groups),
        _ => None,
    });
    let groups: Vec<_> = groups.flatten().collect();
    let numbers = GROUP_NAMES.map(|name| {
        let mut groups = groups.iter();
        groups.find_map(|group| group_number(group, name))
    });
    Ok(Some(Family {
        number,
        groups: numbers,
    }))
}

/// The number of the multicast group, if it has that name.
fn group_number(group: &[McastGrpAttrs], name: &CStr) -> Option<u32> {
    let is_named = |attribute: &McastGrpAttrs| matches!(attribute, McastGrpAttrs::Name(own) if Ok(own.as_str()) == name.to_str());
    group.iter().find(|attribute| is_named(attribute))?;
    group.iter().find_map(|attribute| match attribute {
        McastGrpAttrs::Id(number) => Some(*number),
        _ => None,
    })
}

/// Add the words of the command line that an error of the kernel is about.
pub(crate) fn explain(error: Error, request: &Writer) -> Error {
    let Error::Kernel(mut refusal) = error else {
        return error;
    };
    if refusal.is(Errno::EPERM) {
        return Error::NotPermitted;
    }
    if let Some(hint) = compatibility::hint(&refusal, compatibility::loaded_release().as_deref()) {
        refusal.message = Some(hint);
    }
    let label = refusal.offset.and_then(|offset| request.label_at(offset));
    if let Some(label) = label {
        refusal.label = Some(label.to_owned());
    }
    refusal.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::ExtAckError;

    fn refusal(errno: Errno, offset: usize) -> Error {
        Error::Kernel(ExtAckError {
            errno: errno as i32,
            message: Some("wrong".to_owned()),
            offset: Some(offset),
            label: None,
        })
    }

    #[test]
    fn a_refusal_names_the_words_that_the_attribute_stands_for() {
        let mut request = Writer::default();
        request.u32(1, 1);
        request.labelled("--hitcount 9", |request| request.u32(2, 9));
        let explained = explain(refusal(Errno::EINVAL, 8), &request);
        assert_eq!(explained.to_string(), "--hitcount 9: wrong");
        for elsewhere in [0, 16, usize::MAX] {
            let explained = explain(refusal(Errno::EINVAL, elsewhere), &request);
            assert_eq!(explained.to_string(), "wrong", "{elsewhere}");
        }
    }

    #[test]
    fn a_group_is_found_by_its_name() {
        let group = |name: &str| vec![McastGrpAttrs::Name(name.to_owned()), McastGrpAttrs::Id(7)];
        assert_eq!(group_number(&group("trace"), c"trace"), Some(7));
        assert_eq!(group_number(&group("traces"), c"trace"), None);
        assert_eq!(group_number(&[], c"trace"), None);
    }

    #[test]
    fn a_missing_permission_has_a_message_of_its_own() {
        let explained = explain(refusal(Errno::EPERM, 20), &Writer::default());
        assert!(matches!(explained, Error::NotPermitted));
    }
}
