// SPDX-License-Identifier: GPL-2.0

//! The match `recent`: whether an address was seen recently, and how often.

use crate::{
    kernel_api::netlink::nest::Text,
    recent::{
        EntryKey,
        Find,
        Ipv4Key,
        Ipv6Key,
        KeyDetail,
        Query,
        Window, //
    },
    rules::prelude::*,
    spec::{
        RecentKey,
        RecentOperation, //
    },
};

nest! {
    /// What to match of an entry, and what to do with it.
    #[derive(PartialEq)]
    pub(crate) struct RecentAttributes: attribute::recent {
        name: Text = NAME, required c"a recent match needs a list's name";
        operation: RecentOperation = OPERATION, required c"a recent match needs an operation";
        invert: bool = INVERT, flag;
        key: RecentKey = KEY, or RecentKey::Source;
        seconds: Option<u32> = SECONDS, optional;
        /// `None` stands for one packet.
        hits: Option<u32> = HITS, optional;
        /// Whether the packet's TTL must be that of the packet stamped last.
        time_to_live: bool = TIME_TO_LIVE, flag;
        reap: bool = REAP, flag;
        /// The bits of an address that count, for packets of that family.
        mask: Option<(Family, Address)> = MASK, optional;
        /// How many of the first bits of an address count, for each family.
        ipv4_prefix: Option<u8> = IPV4_PREFIX, optional;
        ipv6_prefix: Option<u8> = IPV6_PREFIX, optional;
    }
}

impl RecentAttributes {
    /// Checks that the attributes fit together.
    fn check<'a>(&self, nest: Attributes<'a>) -> NetlinkResult<'a> {
        use attribute::recent::*;
        let refuse = |kind, message| Err(nest.refuse(kind, message));
        let is_asked = matches!(
            self.operation,
            RecentOperation::Check | RecentOperation::Update
        );
        let limit = match (self.seconds, self.hits) {
            (Some(_), _) => Some(SECONDS),
            (None, Some(_)) => Some(HITS),
            (None, None) => None,
        };
        if let Some(kind) = limit.filter(|_| !is_asked) {
            return refuse(kind, c"seconds and hits go with check and update only");
        }
        if self.time_to_live && self.operation == RecentOperation::Set {
            let message = c"the TTL cannot be compared where the address is only set";
            return refuse(TIME_TO_LIVE, message);
        }
        if self.reap && self.seconds.is_none() {
            return refuse(REAP, c"to reap needs seconds");
        }
        if self.name.as_bytes().is_empty() {
            return refuse(NAME, c"a list's name cannot be empty");
        }
        match (self.ipv4_prefix, self.ipv6_prefix) {
            (Some(_), None) => refuse(IPV4_PREFIX, c"a prefix length of IPv6 is needed as well"),
            (None, Some(_)) => refuse(IPV6_PREFIX, c"a prefix length of IPv4 is needed as well"),
            (Some(_), Some(_)) if self.mask.is_some() => {
                refuse(MASK, c"a mask does not go with prefix lengths")
            }
            _ => Ok(()),
        }
    }

    /// The bits of an address of the family that count.
    fn mask(&self, family: Family) -> Address {
        let prefix = match family {
            Family::Ipv4 => self.ipv4_prefix,
            Family::Ipv6 => self.ipv6_prefix,
        };
        match (prefix, self.mask) {
            (Some(length), _) => Address::prefix_mask(length),
            (None, Some((own, mask))) if own == family => mask,
            _ => Address::full_mask(family),
        }
    }
}

/// Matches addresses seen recently, and stamps them.
pub(crate) struct Recent {
    list: Arc<List>,
    /// Whether the key is the whole source address, with neither a TTL to compare nor entries to
    /// reap.
    is_plain: bool,
    /// The bits of an address that count.
    ipv4_mask: Address,
    ipv6_mask: Address,
    window: Window,
    attributes: RecentAttributes,
}

/// The source address, as the key of an entry: a type for each IP version, so that each gets code
/// that has to do with no other.
trait SourceKey: Find {
    /// The key of a packet of that IP version.
    fn of(packet: &Packet<'_>) -> Self;
}

impl SourceKey for Ipv4Key {
    #[inline]
    fn of(packet: &Packet<'_>) -> Self {
        Self(packet.ipv4_source())
    }
}

impl SourceKey for Ipv6Key {
    #[inline]
    fn of(packet: &Packet<'_>) -> Self {
        Self(packet.ipv6_source())
    }
}

impl Recent {
    /// The packet's address, all of it and without a port.
    fn whole_address(&self, packet: &Packet<'_>) -> EntryKey {
        let address = match self.attributes.key {
            RecentKey::Source | RecentKey::SourceAndPort => packet.source(),
            RecentKey::Destination => packet.destination(),
        };
        EntryKey::of_address(packet.family, address)
    }

    /// The key of the packet's entry.
    fn key(&self, packet: &Packet<'_>) -> EntryKey {
        let whole = self.whole_address(packet);
        let port = match self.attributes.key {
            RecentKey::Source | RecentKey::Destination => 0,
            RecentKey::SourceAndPort => packet.ports().map_or(0, |(port, _)| port),
        };
        let mask = match packet.family {
            Family::Ipv4 => &self.ipv4_mask,
            Family::Ipv6 => &self.ipv6_mask,
        };
        EntryKey {
            address: whole.address.masked(mask),
            detail: KeyDetail::Port(port),
            ..whole
        }
    }

    /// The query for a packet's entry.
    fn query(&self, key: EntryKey, packet: &Packet<'_>) -> Query<'_> {
        Query {
            key,
            time_to_live: if self.attributes.time_to_live {
                packet.received_time_to_live()
            } else {
                0
            },
            window: &self.window,
        }
    }

    /// The query for that key, if [`Recent::is_plain`].
    #[inline]
    fn plain_query<F>(&self, key: F) -> Query<'_, F> {
        Query {
            key,
            time_to_live: 0,
            window: &self.window,
        }
    }

    #[inline]
    fn check(&self, packet: &Packet<'_>) -> bool {
        match packet.family {
            _ if !self.is_plain => self.check_by_any(packet),
            Family::Ipv4 => self.check_by::<Ipv4Key>(packet),
            Family::Ipv6 => self.check_by::<Ipv6Key>(packet),
        }
    }

    #[inline(never)]
    fn check_by<K: SourceKey>(&self, packet: &Packet<'_>) -> bool {
        let query = self.plain_query(K::of(packet));
        match self.list.check_fast(&query, packet.context().rcu()) {
            Some(agrees) => agrees,
            None => self.check_in_networks::<K>(packet),
        }
    }

    /// A function of its own, so that what it needs costs nothing in lists without networks.
    #[inline(never)]
    fn check_in_networks<K: SourceKey>(&self, packet: &Packet<'_>) -> bool {
        let query = self.plain_query(K::of(packet));
        let guard = packet.context().rcu();
        match self.list.check_fast_in_networks(&query, guard) {
            Some(agrees) => agrees,
            None => self.check_by_any(packet),
        }
    }

    #[inline(never)]
    fn check_by_any(&self, packet: &Packet<'_>) -> bool {
        let query = self.query(self.key(packet), packet);
        let address = || self.whole_address(packet);
        self.list.check(&query, address, packet.context().rcu())
    }

    #[inline]
    fn update(&self, packet: &Packet<'_>) -> bool {
        match packet.family {
            _ if !self.is_plain => self.update_by_any(packet),
            Family::Ipv4 => self.update_by::<Ipv4Key>(packet),
            Family::Ipv6 => self.update_by::<Ipv6Key>(packet),
        }
    }

    #[inline(never)]
    fn update_by<K: SourceKey>(&self, packet: &Packet<'_>) -> bool {
        let query = self.plain_query(K::of(packet));
        let time_to_live = packet.received_time_to_live();
        let guard = packet.context().rcu();
        let updated = (self.list).update_fast(&query, self.attributes.invert, time_to_live, guard);
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
            false => (self.list).update_fast(&query, self.attributes.invert, time_to_live, guard),
        };
        match updated {
            Some(agrees) => agrees,
            None => {
                let address = || self.whole_address(packet);
                let invert = self.attributes.invert;
                (self.list).update(&query, address, invert, time_to_live, guard)
            }
        }
    }

    /// An address that cannot be added is counted by the list, and matches all the same.
    #[inline]
    fn set(&self, packet: &Packet<'_>) {
        match packet.family {
            _ if !self.is_plain => self.set_by_any(packet),
            Family::Ipv4 => self.set_by::<Ipv4Key>(packet),
            Family::Ipv6 => self.set_by::<Ipv6Key>(packet),
        }
    }

    #[inline(never)]
    fn set_by<K: SourceKey>(&self, packet: &Packet<'_>) {
        let time_to_live = packet.received_time_to_live();
        let guard = packet.context().rcu();
        if !(self.list).stamp_fast(&K::of(packet), time_to_live, guard) {
            self.set_by_any(packet);
        }
    }

    #[inline(never)]
    fn set_by_any(&self, packet: &Packet<'_>) {
        let key = self.key(packet);
        let time_to_live = packet.received_time_to_live();
        let guard = packet.context().rcu();
        if !self.list.stamp_fast(&key, time_to_live, guard) {
            let address = || self.whole_address(packet);
            self.list.stamp(&key, address, time_to_live, guard);
        }
    }

    #[inline(never)]
    fn remove(&self, packet: &Packet<'_>) -> bool {
        let query = self.query(self.key(packet), packet);
        self.list.remove(&query.key, query.time_to_live)
    }
}

impl PacketMatch for Recent {
    type Attributes = RecentAttributes;

    fn new<'a>(
        mut attributes: RecentAttributes,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        let nest = context.nest;
        attributes.check(nest)?;
        let [ipv4_mask, ipv6_mask] = [Family::Ipv4, Family::Ipv6].map(|one| attributes.mask(one));
        let has_mask = ipv4_mask != Address::full_mask(Family::Ipv4)
            || ipv6_mask != Address::full_mask(Family::Ipv6);
        if !has_mask {
            // A mask of all ones is no mask.
            (
                attributes.mask,
                attributes.ipv4_prefix,
                attributes.ipv6_prefix,
            ) = (None, None, None);
        }
        let hits = attributes.hits.unwrap_or(1);
        let mut window = Window::new(attributes.seconds, hits).ok_or_else(|| {
            let message = c"more seconds than a list can remember";
            nest.refuse_with(ERANGE, attribute::recent::SECONDS, message)
        })?;
        window.reap = attributes.reap;
        let (resources, name) = (&mut *context.resources, attributes.name.as_bytes());
        let list = (resources.lists).find_or_create(name, hits, &mut resources.pending_tables);
        let list = list.map_err(|error| match error {
            ENOSPC => {
                let message = c"there are too many recent lists";
                nest.refuse_with(error, attribute::recent::NAME, message)
            }
            _ => error.into(),
        })?;
        Ok(Self {
            list,
            is_plain: attributes.key == RecentKey::Source
                && !has_mask
                && !attributes.time_to_live
                && !attributes.reap,
            ipv4_mask,
            ipv6_mask,
            window,
            attributes,
        })
    }

    fn attributes(&self) -> &RecentAttributes {
        &self.attributes
    }

    #[inline(always)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let agrees = match self.attributes.operation {
            // Separate functions, since what one needs would slow down the others.
            RecentOperation::Check => self.check(packet),
            RecentOperation::Update => self.update(packet),
            RecentOperation::Set => {
                self.set(packet);
                true
            }
            RecentOperation::Remove => self.remove(packet),
        };
        MatchResult::from(agrees != self.attributes.invert)
    }

    fn uses(&self, list: &List) -> Option<u32> {
        core::ptr::eq(&*self.list, list).then_some(self.window.hits)
    }
}
