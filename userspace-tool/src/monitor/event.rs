// SPDX-License-Identifier: GPL-2.0

//! Events as netlink attributes.

use crate::{
    error::Error,
    fields::{Decode, need, read},
    lists::{EntryKey, Expiry, List, decode_entry_key, decode_expiry, now},
    netlink::{
        Attribute, Nest,
        spec::{
            Table,
            attribute::{chain, event, list},
            command,
        },
    },
    protect::{Server, decode_server},
};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    RulesChanged,
    ListCreated,
    ListSet,
    ListDestroyed,
    ListFlushed,
    EntriesAdded,
    EntriesDeleted,
    EntriesEvicted,
    ServerLearned,
    FloodStarted,
    FloodEnded,
    Lost,
}

/// The commands, and what they are called: as in the specification, but for its `-ntf`.
const KINDS: &[(u8, &str, What)] = &[
    (
        command::RULESET_CHANGE_NTF,
        "ruleset-change",
        What::RulesChanged,
    ),
    (command::LIST_CREATE_NTF, "list-create", What::ListCreated),
    (command::LIST_SET_NTF, "list-set", What::ListSet),
    (
        command::LIST_DESTROY_NTF,
        "list-destroy",
        What::ListDestroyed,
    ),
    (command::LIST_FLUSH_NTF, "list-flush", What::ListFlushed),
    (command::ENTRY_ADD_NTF, "entry-add", What::EntriesAdded),
    (
        command::ENTRY_DELETE_NTF,
        "entry-delete",
        What::EntriesDeleted,
    ),
    (
        command::ENTRY_EVICT_NTF,
        "entry-evict",
        What::EntriesEvicted,
    ),
    (
        command::SERVER_LEARN_NTF,
        "server-learn",
        What::ServerLearned,
    ),
    (command::FLOOD_START_NTF, "flood-start", What::FloodStarted),
    (command::FLOOD_END_NTF, "flood-end", What::FloodEnded),
    (command::LOST_NTF, "lost", What::Lost),
];

/// An event. What is absent from it is none, zero or empty.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) what: What,
    /// Milliseconds since 1970.
    pub(crate) time: u64,
    /// The process that asked for it, and its name.
    pub(crate) process: Option<(u32, String)>,
    pub(crate) list: Option<ListPart>,
    pub(crate) count: Option<u32>,
    pub(crate) evicted: Option<u32>,
    pub(crate) generation: Option<u32>,
    /// Tables, and the chain where it is one.
    pub(crate) chains: Vec<(Table, Option<String>)>,
    pub(crate) server: Option<Server>,
    /// How many events were lost, if that is known.
    pub(crate) lost: Option<u32>,
}

/// What an event says of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListPart {
    pub(crate) name: String,
    /// Its settings, where they are told.
    pub(crate) settings: Option<List>,
    pub(crate) entries: Vec<(EntryKey, Option<Expiry>)>,
}

impl What {
    /// Its name in JSON.
    pub(crate) fn name(self) -> &'static str {
        let kind = KINDS.iter().find(|(_, _, what)| *what == self);
        kind.map_or("", |(_, name, _)| name)
    }
}

impl Event {
    fn new(what: What, time: u64) -> Self {
        Self {
            what,
            time,
            process: None,
            list: None,
            count: None,
            evicted: None,
            generation: None,
            chains: Vec::new(),
            server: None,
            lost: None,
        }
    }

    /// Events were lost since this did not read them in time; the kernel does not say how many.
    pub(crate) fn overrun() -> Self {
        Self::new(What::Lost, now())
    }

    /// Whether it says that other events were lost.
    pub(crate) fn tells_of_loss(&self) -> bool {
        self.what == What::Lost
    }
}

/// The event of a message; none if the command is unknown.
pub(crate) fn decode(command: u8, attributes: &[u8]) -> Result<Option<Event>, Error> {
    let Some((_, _, what)) = KINDS.iter().find(|(number, _, _)| *number == command) else {
        return Ok(None);
    };
    let nest = Nest::new(attributes)?;
    let time = need(&nest, event::TIME, "an event lacks its time")?;
    let process: Option<String> = read(&nest, event::PROCESS)?;
    let nested = |kind| nest.get(kind).map(Attribute::nest).transpose();
    Ok(Some(Event {
        process: process
            .map(|name| read(&nest, event::PID).map(|pid| (pid.unwrap_or(0), name)))
            .transpose()?,
        list: nested(event::LIST)?.map(decode_list).transpose()?,
        count: read(&nest, event::COUNT)?,
        evicted: read(&nest, event::EVICTED)?,
        generation: read(&nest, event::GENERATION)?,
        chains: (nest.all(event::CHAIN).map(decode_chain)).collect::<Result<_, _>>()?,
        server: nested(event::SERVER)?
            .as_ref()
            .map(decode_server)
            .transpose()?,
        lost: read(&nest, event::LOST)?,
        ..Event::new(*what, time)
    }))
}

fn decode_list(nest: Nest<'_>) -> Result<ListPart, Error> {
    let entry = |attribute: &Attribute<'_>| {
        let nest = attribute.nest()?;
        Ok((decode_entry_key(&nest)?, decode_expiry(&nest)?))
    };
    let name = need(&nest, list::NAME, "a list lacks its name")?;
    let settings = nest.has(list::SIZE).then(|| List::decode(&nest));
    Ok(ListPart {
        name,
        settings: settings.transpose()?,
        entries: nest
            .all(list::ENTRY)
            .map(entry)
            .collect::<Result<_, Error>>()?,
    })
}

fn decode_chain(attribute: &Attribute<'_>) -> Result<(Table, Option<String>), Error> {
    let nest = attribute.nest()?;
    let table = need(&nest, chain::TABLE, "a chain lacks its table")?;
    Ok((table, read(&nest, chain::NAME)?))
}
