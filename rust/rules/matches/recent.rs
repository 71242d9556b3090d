// SPDX-License-Identifier: GPL-2.0

//! The match `recent`: whether an address was seen lately, and how often.

use super::{
    MatchResult,
    PacketMatch, //
};
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netlink::Attribute, //
    },
    packet::{
        Address,
        Family,
        Packet, //
    },
    recent::{
        Find,
        Ipv4Key,
        Ipv6Key,
        Key,
        List,
        Query,
        Window, //
    },
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::{
        attribute::{
            r#match,
            recent as attributes, //
        },
        RecentKey,
        RecentOperation, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Whether an address was seen lately, and how often; and remembering it.
pub(in crate::rules) struct Recent {
    list: Arc<List>,
    operation: RecentOperation,
    key: RecentKey,
    /// Whether that is the source address, all of it, and nothing else is asked but whether it was seen in
    /// the window.
    is_plain: bool,
    window: Window,
    /// Whether the number of packets was asked for; without, one will do.
    is_counted: bool,
    /// Whether the packet's TTL has to be that of the packet stamped last.
    time_to_live: bool,
    /// The bits of an address that count, for packets of that IP version.
    mask: Option<(Family, Address)>,
    invert: bool,
}

impl PartialEq for Recent {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.list, &other.list)
            && self.operation == other.operation
            && self.key == other.key
            && self.window == other.window
            && self.is_counted == other.is_counted
            && self.time_to_live == other.time_to_live
            && self.mask == other.mask
            && self.invert == other.invert
    }
}

impl Recent {
    /// What the packet is found by.
    fn key(&self, packet: &Packet<'_>) -> Key {
        let (address, port) = match self.key {
            RecentKey::Source => (packet.source(), 0),
            RecentKey::Destination => (packet.destination(), 0),
            RecentKey::SourceAndPort => {
                (packet.source(), packet.ports().map_or(0, |(port, _)| port))
            }
        };
        let address = match &self.mask {
            Some((family, mask)) if *family == packet.family => address.masked(mask),
            _ => address,
        };
        Key {
            family: packet.family,
            address,
            port,
        }
    }

    /// What is asked of the entry of a packet.
    fn query(&self, key: Key, packet: &Packet<'_>) -> Query<'_> {
        Query {
            key,
            time_to_live: if self.time_to_live {
                packet.received_time_to_live()
            } else {
                0
            },
            window: &self.window,
        }
    }

    /// What is asked of the entry of that key, where [`Recent::is_plain`] is true.
    #[inline(always)]
    fn plain_query<F>(&self, key: F) -> Query<'_, F> {
        Query {
            key,
            time_to_live: 0,
            window: &self.window,
        }
    }

    #[inline(always)]
    fn check(&self, packet: &Packet<'_>) -> bool {
        match packet.family {
            _ if !self.is_plain => self.check_by_any(packet),
            Family::Ipv4 => self.check_by_ipv4(packet),
            Family::Ipv6 => self.check_by_ipv6(packet),
        }
    }

    #[inline(never)]
    fn check_by_ipv4(&self, packet: &Packet<'_>) -> bool {
        self.check_by(Ipv4Key(packet.ipv4_source()), packet)
    }

    #[inline(never)]
    fn check_by_ipv6(&self, packet: &Packet<'_>) -> bool {
        self.check_by(Ipv6Key(packet.ipv6_source()), packet)
    }

    #[inline(always)]
    fn check_by(&self, key: impl Find, packet: &Packet<'_>) -> bool {
        let query = self.plain_query(key);
        match self.list.check_quickly(&query, packet.context().rcu()) {
            Some(agrees) => agrees,
            None => self.check_by_any(packet),
        }
    }

    #[inline(never)]
    fn check_by_any(&self, packet: &Packet<'_>) -> bool {
        let query = self.query(self.key(packet), packet);
        self.list.check(&query, packet.context().rcu())
    }

    #[inline(always)]
    fn update(&self, packet: &Packet<'_>) -> bool {
        match packet.family {
            _ if !self.is_plain => self.update_by_any(packet),
            Family::Ipv4 => self.update_by_ipv4(packet),
            Family::Ipv6 => self.update_by_ipv6(packet),
        }
    }

    #[inline(never)]
    fn update_by_ipv4(&self, packet: &Packet<'_>) -> bool {
        self.update_by(Ipv4Key(packet.ipv4_source()), packet)
    }

    #[inline(never)]
    fn update_by_ipv6(&self, packet: &Packet<'_>) -> bool {
        self.update_by(Ipv6Key(packet.ipv6_source()), packet)
    }

    #[inline(always)]
    fn update_by(&self, key: impl Find, packet: &Packet<'_>) -> bool {
        let query = self.plain_query(key);
        let time_to_live = packet.received_time_to_live();
        let guard = packet.context().rcu();
        let updated = (self.list).update_quickly(&query, self.invert, time_to_live, guard);
        match updated {
            Some(agrees) => agrees,
            None => self.update_by_any(packet),
        }
    }

    #[inline(never)]
    fn update_by_any(&self, packet: &Packet<'_>) -> bool {
        let query = self.query(self.key(packet), packet);
        let time_to_live = packet.received_time_to_live();
        let guard = packet.context().rcu();
        let updated = match self.window.reap {
            true => None,
            false => (self.list).update_quickly(&query, self.invert, time_to_live, guard),
        };
        match updated {
            Some(agrees) => agrees,
            None => (self.list).update(&query, self.invert, time_to_live, guard),
        }
    }

    /// An address that cannot be remembered is counted by the list, and matches all the same.
    #[inline(always)]
    fn set(&self, packet: &Packet<'_>) {
        match packet.family {
            _ if !self.is_plain => self.set_by_any(packet),
            Family::Ipv4 => self.set_by_ipv4(packet),
            Family::Ipv6 => self.set_by_ipv6(packet),
        }
    }

    #[inline(never)]
    fn set_by_ipv4(&self, packet: &Packet<'_>) {
        self.set_by(Ipv4Key(packet.ipv4_source()), packet);
    }

    #[inline(never)]
    fn set_by_ipv6(&self, packet: &Packet<'_>) {
        self.set_by(Ipv6Key(packet.ipv6_source()), packet);
    }

    #[inline(always)]
    fn set_by(&self, key: impl Find, packet: &Packet<'_>) {
        let time_to_live = packet.received_time_to_live();
        let guard = packet.context().rcu();
        if !self.list.stamp_quickly(&key, time_to_live, guard) {
            self.set_by_any(packet);
        }
    }

    #[inline(never)]
    fn set_by_any(&self, packet: &Packet<'_>) {
        let key = self.key(packet);
        let time_to_live = packet.received_time_to_live();
        let guard = packet.context().rcu();
        if !self.list.stamp_quickly(&key, time_to_live, guard) {
            self.list.stamp(&key, time_to_live, guard);
        }
    }

    #[inline(never)]
    fn remove(&self, packet: &Packet<'_>) -> bool {
        let query = self.query(self.key(packet), packet);
        self.list.remove(&query.key, query.time_to_live)
    }
}

impl PacketMatch for Recent {
    const ATTRIBUTE: u16 = r#match::RECENT;

    #[inline(always)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let agrees = match self.operation {
            // Functions of their own, since what one needs would be in the way of the others.
            RecentOperation::Check => self.check(packet),
            RecentOperation::Update => self.update(packet),
            RecentOperation::Set => {
                self.set(packet);
                true
            }
            RecentOperation::Remove => self.remove(packet),
        };
        MatchResult::from(agrees != self.invert)
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        _surroundings: &Surroundings<'_>,
        resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let recent = attribute.nested();
        let name = recent.get(attributes::NAME).ok_or(ExtAckError::new(
            EINVAL,
            c"a recent match needs a list's name",
        ))?;
        if name.string().is_empty() {
            return Err(ExtAckError::new(EINVAL, c"a list's name cannot be empty").at(name));
        }
        let operation = recent
            .get(attributes::OPERATION)
            .and_then(|attribute| RecentOperation::from_number(attribute.u32()?))
            .ok_or(ExtAckError::new(
                EINVAL,
                c"a recent match needs an operation",
            ))?;
        let key = recent
            .get(attributes::KEY)
            .and_then(|attribute| RecentKey::from_number(attribute.u32()?))
            .unwrap_or(RecentKey::Source);
        let seconds = recent.get(attributes::SECONDS);
        let hits = recent.get(attributes::HITS);
        if !matches!(operation, RecentOperation::Check | RecentOperation::Update) {
            if let Some(attribute) = seconds.or(hits) {
                let message = c"seconds and hits go with check and update only";
                return Err(ExtAckError::new(EINVAL, message).at(attribute));
            }
        }
        let time_to_live = recent.get(attributes::TIME_TO_LIVE);
        if let (Some(attribute), RecentOperation::Set) = (time_to_live, operation) {
            let message = c"the TTL cannot be compared where the address is only set";
            return Err(ExtAckError::new(EINVAL, message).at(attribute));
        }
        let reap = recent.get(attributes::REAP);
        if let (Some(attribute), None) = (reap, seconds) {
            return Err(ExtAckError::new(EINVAL, c"to reap needs seconds").at(attribute));
        }
        let mask = match recent.get(attributes::MASK) {
            Some(attribute) => Some(Address::from_bytes(attribute.payload()).ok_or_else(|| {
                ExtAckError::new(EINVAL, c"a mask has 4 or 16 bytes").at(attribute)
            })?),
            None => None,
        };
        let hit_count = hits.and_then(|attribute| attribute.u32()).unwrap_or(1);
        let window = Window::new(seconds.and_then(|attribute| attribute.u32()), hit_count);
        let mut window = window.ok_or_else(|| {
            let refusal = ExtAckError::new(ERANGE, c"more seconds than a list can remember");
            seconds.map_or(refusal, |at| refusal.at(at))
        })?;
        window.reap = reap.is_some();
        let lists = resources.lists;
        let list = lists.find_or_create(name.string(), hit_count, &mut resources.growth);
        let list = list.map_err(|error| match error {
            ENOSPC => ExtAckError::new(error, c"there are too many recent lists").at(name),
            _ => error.into(),
        })?;
        // A mask of all bits is none.
        let mask = mask.filter(|(family, mask)| *mask != Address::full_mask(*family));
        Ok(Self {
            list,
            operation,
            key,
            is_plain: key == RecentKey::Source
                && mask.is_none()
                && time_to_live.is_none()
                && !window.reap,
            window,
            is_counted: hits.is_some(),
            time_to_live: time_to_live.is_some(),
            mask,
            invert: recent.has(attributes::INVERT),
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            message.put_string(attributes::NAME, self.list.name())?;
            message.put_u32(attributes::OPERATION, self.operation.number())?;
            message.put_flag(attributes::INVERT, self.invert)?;
            message.put_u32(attributes::KEY, self.key.number())?;
            if let Some(seconds) = self.window.seconds() {
                message.put_u32(attributes::SECONDS, seconds)?;
            }
            if self.is_counted {
                message.put_u32(attributes::HITS, self.window.hits)?;
            }
            message.put_flag(attributes::TIME_TO_LIVE, self.time_to_live)?;
            message.put_flag(attributes::REAP, self.window.reap)?;
            if let Some((family, mask)) = self.mask {
                let (bytes, length) = mask.to_bytes(family);
                message.put(attributes::MASK, bytes.get(..length).unwrap_or_default())?;
            }
            Ok(())
        })
    }

    fn uses(&self, list: &List) -> Option<u32> {
        core::ptr::eq(&*self.list, list).then_some(self.window.hits)
    }
}
