// SPDX-License-Identifier: GPL-2.0

//! The operations on the entries of a recent list.

use super::lists::list_of;
use crate::{
    control::prelude::*,
    monitor::{
        self,
        ENTRIES_MAX, //
    },
    packet::{
        Address,
        Family, //
    },
    recent::{
        jiffies_of_age,
        Ages,
        EntryKey,
        Expiry,
        KeyDetail,
        SavedState,
        Snapshot,
        Stamped,
        AGE_MAX,
        SNAPSHOT_AGES, //
    },
    spec::{
        attribute::{
            entry as attributes,
            event,
            list, //
        },
        command, //
    },
};

/// The entries of a request.
fn entries(request: Attributes<'_>) -> impl Iterator<Item = Attribute<'_>> {
    request.filter(|attribute| attribute.kind() == list::ENTRY)
}

/// The key of a network.
fn network<'a>(
    family: Family,
    address: Address,
    port: u16,
    prefix: Attribute<'a>,
) -> NetlinkResult<'a, EntryKey> {
    if port != 0 {
        return Err(ExtAckError::new(EINVAL, c"a network has no port").at(prefix));
    }
    let key = (prefix.u8()).and_then(|length| EntryKey::of_network(family, address, length));
    key.ok_or_else(|| {
        let message = c"a network's address ends with its prefix, which is no longer than that";
        ExtAckError::new(EINVAL, message).at(prefix)
    })
}

/// An entry of a request.
struct Given<'a> {
    key: EntryKey,
    time_to_live: Option<u8>,
    packets: Option<u32>,
    expiry: Option<Expiry>,
    /// The number of its ages.
    ages: u32,
    attributes: Attributes<'a>,
}

impl<'a> Given<'a> {
    fn decode(entry: Attribute<'a>) -> NetlinkResult<'a, Self> {
        let mut address = None;
        let (mut port, mut time_to_live, mut packets) = (0, None, None);
        let mut prefix = None;
        let (mut expires, mut is_permanent) = (None, None);
        let (mut ages, mut youngest) = (0u32, 0);
        for attribute in entry.nested() {
            match attribute.kind() {
                attributes::ADDRESS => {
                    let read = Address::from_bytes(attribute.payload());
                    address = Some(read.ok_or_else(|| {
                        ExtAckError::new(EINVAL, c"an address has 4 or 16 bytes").at(attribute)
                    })?);
                }
                attributes::PORT => port = attribute.u16().unwrap_or(0),
                attributes::PREFIX => prefix = Some(attribute),
                attributes::TIME_TO_LIVE => time_to_live = attribute.u8(),
                attributes::PACKETS => packets = attribute.u32(),
                attributes::AGE => {
                    let age = attribute.u64().unwrap_or(0);
                    if age < youngest {
                        let message = c"the latest packet comes first";
                        return Err(ExtAckError::new(EINVAL, message).at(attribute));
                    }
                    youngest = age;
                    ages = ages.saturating_add(1);
                }
                attributes::EXPIRES => {
                    let expiry = (attribute.u64())
                        .filter(|&milliseconds| milliseconds > 0)
                        .and_then(Expiry::after);
                    expires = Some(expiry.ok_or_else(|| {
                        let message = c"an address is kept for 1 ms to 4,400 years";
                        ExtAckError::new(ERANGE, message).at(attribute)
                    })?);
                }
                attributes::PERMANENT => is_permanent = Some(attribute),
                _ => {}
            }
        }
        let (family, address) = address
            .ok_or_else(|| ExtAckError::new(EINVAL, c"an entry needs an address").at(entry))?;
        if let (Some(_), Some(attribute)) = (expires, is_permanent) {
            let message = c"a permanent entry does not expire";
            return Err(ExtAckError::new(EINVAL, message).at(attribute));
        }
        Ok(Self {
            key: match prefix {
                None => EntryKey {
                    detail: KeyDetail::Port(port),
                    ..EntryKey::of_address(family, address)
                },
                Some(attribute) => network(family, address, port, attribute)?,
            },
            time_to_live,
            packets,
            expiry: is_permanent.map(|_| Expiry::NEVER).or(expires),
            ages,
            attributes: entry.nested(),
        })
    }

    fn add_to(&self, list: &List, exist: bool) -> Stamped {
        if self.ages == 0 && self.packets.is_none() {
            return list.add(&self.key, self.time_to_live, self.expiry, exist);
        }
        let ages = self
            .attributes
            .filter(|attribute| attribute.kind() == attributes::AGE)
            .map_while(|attribute| jiffies_of_age(attribute.u64()?));
        // One that stays has a stamp, however old.
        let otherwise = match self.ages {
            0 => Some(0),
            _ => self.expiry.map(|_| AGE_MAX),
        };
        let otherwise = otherwise.filter(|_| ages.clone().next().is_none());
        let past = SavedState {
            time_to_live: self.time_to_live.unwrap_or(0),
            packets: self.packets.unwrap_or(self.ages),
            ages: Iterator::chain(otherwise.into_iter(), ages),
        };
        list.restore(&self.key, &past, self.expiry, exist)
    }
}

/// Allocates memory for the addresses that are not in the list yet.
fn reserve<'a>(request: &Request<'a>, list: &List) -> NetlinkResult<'a> {
    let (mut new, mut expire, mut has_networks) = (0u32, false, false);
    for entry in entries(request.attributes()) {
        let given = Given::decode(entry)?;
        has_networks |= given.key.prefix().is_some();
        if !list.has(&given.key) {
            new = new.saturating_add(1);
        }
        expire |= given.expiry.is_some();
        cond_resched();
    }
    if has_networks {
        list.allow_networks()?;
    }
    list.reserve(new, expire)
        .map_err(|error| ExtAckError::new(error, c"there is no memory for so many new addresses"))
}

/// Whether the request may have been made before.
fn may_exist(request: &Request<'_>) -> bool {
    request.attributes().get(list::EXIST).is_some()
}

/// The entries of a request that made a difference.
struct Changed<'a> {
    first: [Option<Attribute<'a>>; ENTRIES_MAX],
    count: u32,
    /// How many others were evicted.
    evicted: u32,
}

impl<'a> Changed<'a> {
    /// None so far.
    fn new() -> Self {
        Self {
            first: [None; ENTRIES_MAX],
            count: 0,
            evicted: 0,
        }
    }

    fn push(&mut self, entry: Attribute<'a>) {
        if let Some(room) = self.first.get_mut(self.count as usize) {
            *room = Some(entry);
        }
        self.count = self.count.saturating_add(1);
    }

    /// Tells of them, if there are any.
    fn tell(&self, request: &Request<'_>, command: u8, list: &List) -> Result {
        if self.count == 0 {
            return Ok(());
        }
        (namespace(request)?.monitor()).tell(request, command, |message| {
            message.put_u32(event::COUNT, self.count)?;
            if self.evicted > 0 {
                message.put_u32(event::EVICTED, self.evicted)?;
            }
            message.nest(event::LIST, |message| {
                message.put_string(list::NAME, list.name())?;
                for entry in self.first.iter().flatten() {
                    let given = Given::decode(*entry).map_err(|_| EINVAL)?;
                    message.nest(list::ENTRY, |message| {
                        encode_key(&given.key, message)?;
                        // As long as it was given, and not what is left of that.
                        let expires = given.attributes.get(attributes::EXPIRES);
                        if let Some(expires) = expires.and_then(|attribute| attribute.u64()) {
                            message.put_u64(attributes::EXPIRES, expires)?;
                        }
                        let is_permanent = given.attributes.has(attributes::PERMANENT);
                        message.put_flag(attributes::PERMANENT, is_permanent)
                    })?;
                }
                Ok(())
            })
        });
        Ok(())
    }
}

/// Adds the addresses, and notes which were not in the list.
fn add<'a>(request: &Request<'a>, list: &List, added: &mut Changed<'a>) -> NetlinkResult<'a> {
    let exist = may_exist(request);
    for entry in entries(request.attributes()) {
        match Given::decode(entry)?.add_to(list, exist) {
            Stamped::Updated => {}
            Stamped::New => added.push(entry),
            Stamped::Reclaimed => {
                added.push(entry);
                added.evicted = added.evicted.saturating_add(1);
            }
            // Packets used up what was reserved, and there is no more.
            Stamped::NoMemory => {
                return Err(
                    ExtAckError::new(ENOMEM, c"there is no memory for the entry").at(entry),
                );
            }
            Stamped::Full => {
                let message = c"the list is full, and all its entries are to stay";
                return Err(ExtAckError::new(ENOSPC, message).at(entry));
            }
        }
        cond_resched();
    }
    Ok(())
}

/// Adds addresses.
pub(super) struct Add;

impl Doit for Add {
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a> {
        let list = list_of(request)?;
        // A mistake in a later entry must not leave the earlier ones in the list.
        for entry in entries(request.attributes()) {
            Given::decode(entry)?;
        }
        let answer = request.allocate_answer()?;
        // Memory reserved in a table that gets replaced would be useless.
        let mut changed = Changed::new();
        let result = list.with_migration_locked(|| {
            reserve(request, &list)?;
            add(request, &list, &mut changed)
        });
        changed.tell(request, command::ENTRY_ADD_NTF, &list)?;
        result?;
        let Changed {
            count: added,
            evicted,
            ..
        } = changed;
        if evicted > 0 {
            request.warn(fmt!(
                "the list is full: {evicted} addresses had to make room"
            ));
        }
        // A socket that is full loses the answer; the addresses are in the list all the same.
        let _ = answer.send(|message| message.put_u32(list::ADDED, added));
        Ok(())
    }
}

/// Deletes addresses.
pub(super) struct Delete;

impl Doit for Delete {
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a> {
        let list = list_of(request)?;
        let exist = may_exist(request);
        for entry in entries(request.attributes()) {
            if !list.has(&Given::decode(entry)?.key) && !exist {
                return Err(ExtAckError::new(ENOENT, c"the address is not in the list").at(entry));
            }
            cond_resched();
        }
        let mut deleted = Changed::new();
        for entry in entries(request.attributes()) {
            if list.remove(&Given::decode(entry)?.key, 0) {
                deleted.push(entry);
            }
            cond_resched();
        }
        Ok(deleted.tell(request, command::ENTRY_DELETE_NTF, &list)?)
    }
}

/// Lists the entries.
pub(super) struct Get;

impl Dumpit for Get {
    // Each age takes an attribute of 12 bytes with its header; the rest of an entry fits into 16 of
    // those.
    const LONGEST_MESSAGE: u16 = ((SNAPSHOT_AGES + 16) * 12) as u16;

    fn run<'a>(
        request: &Request<'a>,
        cursor: &mut Cursor,
        output: &mut Output<'_>,
    ) -> NetlinkResult<'a> {
        let list = list_of(request)?;
        let mut ages = Ages::new()?;
        list.with_migration_locked(|| {
            output.set_generation(list.generation());
            loop {
                match list.snapshot(cursor.outer as u32, &mut ages) {
                    Ok(None) => {}
                    Ok(Some(snapshot)) => output.message(|message| encode(&snapshot, message))?,
                    Err(ENOENT) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
                cursor.outer = cursor.outer.saturating_add(1);
                cond_resched();
            }
        })
    }
}

fn encode(snapshot: &Snapshot<'_>, message: &mut Message<'_>) -> Result {
    message.nest(list::ENTRY, |message| {
        encode_key(&snapshot.key, message)?;
        message.put_u8(attributes::TIME_TO_LIVE, snapshot.time_to_live)?;
        message.put_u32(attributes::PACKETS, snapshot.packets)?;
        for &age in snapshot.ages {
            message.put_u64(attributes::AGE, milliseconds(age))?;
        }
        match snapshot.expiry.map(Expiry::left) {
            Some(Some(left)) => message.put_u64(attributes::EXPIRES, left.max(1)),
            Some(None) => message.put_flag(attributes::PERMANENT, true),
            None => Ok(()),
        }
    })
}

fn encode_key(key: &EntryKey, message: &mut Message<'_>) -> Result {
    monitor::encode_key(key.family, key.address, key.port(), key.prefix(), message)
}
