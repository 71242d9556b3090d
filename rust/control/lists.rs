// SPDX-License-Identifier: GPL-2.0

//! The operations on whole recent lists.

use crate::{
    control::prelude::*,
    namespace::Namespace,
    recent::{
        ListLimits,
        ListSettings, //
    },
    spec::{
        attribute::{
            event,
            list as attributes, //
        },
        command, //
    }, //
};

/// The list name of a request.
fn name_of<'a>(list: Attributes<'a>) -> NetlinkResult<'a, Attribute<'a>> {
    let name = list
        .get(attributes::NAME)
        .ok_or(ExtAckError::new(EINVAL, c"the list's name is missing"))?;
    if name.string().is_empty() {
        return Err(ExtAckError::new(EINVAL, c"a list's name cannot be empty").at(name));
    }
    Ok(name)
}

/// The list that a request names.
pub(super) fn list_of<'a>(request: &Request<'a>) -> NetlinkResult<'a, Arc<List>> {
    let name = name_of(request.attributes())?;
    namespace(request)?
        .lists()
        .find(name.string())
        .ok_or_else(|| ExtAckError::new(ENOENT, c"there is no such list").at(name))
}

/// The given settings, with those of the request in their place.
fn settings_of<'a>(
    list: Attributes<'a>,
    mut settings: ListSettings,
    limits: &ListLimits,
) -> NetlinkResult<'a, ListSettings> {
    if let Some(attribute) = list.get(attributes::SIZE) {
        settings.size = attribute.u32().unwrap_or(settings.size);
        if settings.size > limits.entries {
            let message = c"more entries than the module parameter max_entries allows";
            return Err(ExtAckError::new(ERANGE, message).at(attribute));
        }
    }
    if let Some(hits) = list
        .get(attributes::HITS)
        .and_then(|attribute| attribute.u32())
    {
        settings.hits = hits;
    }
    if let Some(attribute) = list.get(attributes::TIMEOUT) {
        settings.timeout = attribute
            .u64()
            .and_then(ListSettings::timeout)
            .ok_or_else(|| {
                ExtAckError::new(ERANGE, c"a longer timeout than can be measured").at(attribute)
            })?;
    }
    Ok(settings)
}

/// The error for exceptions that cannot be.
fn no_exception<'a>(error: Error, list: Attributes<'a>) -> ExtAckError<'a> {
    match (error, list.get(attributes::EXCEPT)) {
        (ENOENT, Some(name)) => ExtAckError::new(error, c"there is no such list").at(name),
        (EMLINK, Some(name)) => {
            let message = c"a list of exceptions can have none itself";
            ExtAckError::new(error, message).at(name)
        }
        _ => error.into(),
    }
}

fn encode(namespace: &Namespace, list: &List, message: &mut Message<'_>) -> Result {
    let statistics = list.statistics();
    encode_settings(list, message)?;
    message.put_u32(attributes::ENTRIES, statistics.entries)?;
    message.put_u32(attributes::RULES, namespace.users(list) as u32)?;
    message.put_u64(attributes::EVICTED, statistics.evicted)?;
    message.put_u64(attributes::EXPIRED, statistics.expired)?;
    message.put_u64(attributes::REFUSED, statistics.refused)
}

/// Writes a list's name and settings.
fn encode_settings(list: &List, message: &mut Message<'_>) -> Result {
    let settings = list.settings();
    message.put_string(attributes::NAME, list.name())?;
    message.put_u32(attributes::SIZE, settings.size)?;
    message.put_u32(attributes::HITS, settings.hits)?;
    message.put_u64(attributes::TIMEOUT, milliseconds(settings.timeout))?;
    if let Some(except) = list.except() {
        message.put_string(attributes::EXCEPT, except.name())?;
    }
    if list.has_networks() {
        message.put_flag(attributes::NETWORKS, true)?;
    }
    Ok(())
}

/// Tells of what happened to a list, with its settings.
pub(super) fn tell_list(namespace: &Namespace, request: &Request<'_>, command: u8, list: &List) {
    tell_change(namespace, request, command, list, 0);
}

/// The same, with the number of entries for which there was no room any more.
fn tell_change(namespace: &Namespace, request: &Request<'_>, command: u8, list: &List, lost: u64) {
    namespace.monitor().tell(request, command, |message| {
        message.nest(event::LIST, |message| encode_settings(list, message))?;
        match u32::try_from(lost).unwrap_or(u32::MAX) {
            0 => Ok(()),
            lost => message.put_u32(event::EVICTED, lost),
        }
    });
}

/// Tells of what happened to a list, without its settings.
fn tell_name(namespace: &Namespace, request: &Request<'_>, command: u8, list: &List) {
    namespace.monitor().tell(request, command, |message| {
        message.nest(event::LIST, |message| {
            message.put_string(attributes::NAME, list.name())
        })
    });
}

/// Returns one list.
pub(super) struct Get;

impl Doit for Get {
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a> {
        let list = list_of(request)?;
        let namespace = namespace(request)?;
        Ok(request.reply(|message| encode(&namespace, &list, message))?)
    }
}

/// Lists all lists.
pub(super) struct GetAll;

impl Dumpit for GetAll {
    fn run<'a>(
        request: &Request<'a>,
        cursor: &mut Cursor,
        output: &mut Output<'_>,
    ) -> NetlinkResult<'a> {
        let namespace = namespace(request)?;
        let nth = |index| namespace.lists().nth(index);
        Ok(output.each(cursor, nth, |list, message| {
            encode(&namespace, list, message)
        })?)
    }
}

/// Prepares a list for networks if the request says so.
fn allow_networks(list: &List, request: Attributes<'_>) -> Result {
    match request.get(attributes::NETWORKS) {
        Some(_) => list.with_migration_locked(|| list.allow_networks()),
        None => Ok(()),
    }
}

/// Creates a list.
pub(super) struct Create;

impl Doit for Create {
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a> {
        let namespace = namespace(request)?;
        let list = request.attributes();
        let name = name_of(list)?;
        let limits = namespace.lists().limits();
        let settings = settings_of(list, limits.default_settings(), limits)?;
        let except = list.get(attributes::EXCEPT);
        let except = except.map_or(&[][..], |name| name.string());
        match namespace.create_list(name.string(), settings, except) {
            Err(EEXIST) if list.get(attributes::EXIST).is_some() => Set::run(request),
            Ok(created) => {
                let allowed = allow_networks(&created, list);
                tell_list(&namespace, request, command::LIST_CREATE_NTF, &created);
                Ok(allowed?)
            }
            Err(error) => Err(match error {
                EEXIST => ExtAckError::new(error, c"there is a list of that name already").at(name),
                ENOSPC => {
                    let message = c"too many lists: see the module parameter max_lists";
                    ExtAckError::new(error, message).at(name)
                }
                _ => no_exception(error, list),
            }),
        }
    }
}

/// Changes the settings of a list.
pub(super) struct Set;

impl Doit for Set {
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a> {
        let namespace = namespace(request)?;
        let list = list_of(request)?;
        let chosen = request.attributes();
        let settings = settings_of(chosen, list.settings(), namespace.lists().limits())?;
        let except = (chosen.get(attributes::EXCEPT)).map(|name| name.string());
        let lost = namespace
            .set_list(&list, settings, except)
            .map_err(|error| match (error, chosen.get(attributes::HITS)) {
                (EBUSY, Some(hits)) => {
                    ExtAckError::new(error, c"there are rules that count more packets").at(hits)
                }
                _ => no_exception(error, chosen),
            })?;
        let allowed = allow_networks(&list, chosen);
        tell_change(&namespace, request, command::LIST_SET_NTF, &list, lost);
        allowed?;
        if lost > 0 {
            request.warn(fmt!("{lost} addresses had no room and are gone"));
        }
        Ok(())
    }
}

/// Destroys a list.
pub(super) struct Destroy;

impl Doit for Destroy {
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a> {
        let (namespace, list) = (namespace(request)?, list_of(request)?);
        namespace.destroy_list(&list).map_err(|error| match error {
            EBUSY => ExtAckError::new(error, c"there are rules that use the list"),
            EXDEV => ExtAckError::new(EBUSY, c"it is the exception of another list"),
            _ => error.into(),
        })?;
        tell_name(&namespace, request, command::LIST_DESTROY_NTF, &list);
        Ok(())
    }
}

/// Removes all entries of a list.
pub(super) struct Flush;

impl Doit for Flush {
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a> {
        let (namespace, list) = (namespace(request)?, list_of(request)?);
        namespace.flush_list(&list)?;
        tell_name(&namespace, request, command::LIST_FLUSH_NTF, &list);
        Ok(())
    }
}
