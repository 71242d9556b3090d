// SPDX-License-Identifier: GPL-2.0

//! The match `string`: whether the packet holds a string.

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
        netlink::Attribute,
        textsearch::{
            Algorithm,
            TextSearch, //
        },
    },
    packet::Packet,
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::{
        self,
        attribute::{
            r#match,
            string as attributes, //
        },
    },
};
use kernel::prelude::*;

/// Where the search ends at the latest, if the rule does not say.
const DEFAULT_TO: u32 = u16::MAX as u32;

/// Whether the packet holds a string.
pub(in crate::rules) struct StringMatch {
    search: TextSearch,
    pattern: KVec<u8>,
    algorithm: spec::Algorithm,
    from: u32,
    to: u32,
    ignores_case: bool,
    invert: bool,
}

impl PartialEq for StringMatch {
    fn eq(&self, other: &Self) -> bool {
        *self.pattern == *other.pattern
            && self.algorithm == other.algorithm
            && (self.from, self.to) == (other.from, other.to)
            && self.ignores_case == other.ignores_case
            && self.invert == other.invert
    }
}

impl PacketMatch for StringMatch {
    const ATTRIBUTE: u16 = r#match::STRING;

    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let start = packet.skb().network_offset();
        let place = start.wrapping_add(self.from)..start.wrapping_add(self.to);
        MatchResult::from(self.search.is_in(packet.skb(), place) != self.invert)
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        _surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let string = attribute.nested();
        let bytes = string
            .get(attributes::PATTERN)
            .filter(|attribute| !attribute.payload().is_empty())
            .ok_or(ExtAckError::new(EINVAL, c"there is nothing to search for"))?;
        let mut pattern = KVec::new();
        pattern.extend_from_slice(bytes.payload(), GFP_KERNEL_ACCOUNT)?;
        let number = |kind| string.get(kind).and_then(|attribute| attribute.u32());
        let algorithm = number(attributes::ALGORITHM)
            .and_then(spec::Algorithm::from_number)
            .ok_or(ExtAckError::new(
                EINVAL,
                c"a string match needs an algorithm",
            ))?;
        let from = number(attributes::FROM).unwrap_or(0);
        let to = number(attributes::TO).unwrap_or(DEFAULT_TO);
        if from > to {
            return Err(ExtAckError::new(
                EINVAL,
                c"the search would end before it begins",
            ));
        }
        let ignores_case = string.has(attributes::IGNORE_CASE);
        let prepared = match algorithm {
            spec::Algorithm::Bm => Algorithm::BoyerMoore,
            spec::Algorithm::Kmp => Algorithm::KnuthMorrisPratt,
        };
        let search = TextSearch::prepare(prepared, &pattern, ignores_case);
        let search = search.map_err(|error| match error {
            ENOENT => ExtAckError::new(error, c"this kernel does not have the algorithm"),
            _ => error.into(),
        })?;
        Ok(Self {
            search,
            pattern,
            algorithm,
            from,
            to,
            ignores_case,
            invert: string.has(attributes::INVERT),
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            message.put(attributes::PATTERN, &self.pattern)?;
            message.put_u32(attributes::ALGORITHM, self.algorithm.number())?;
            message.put_u32(attributes::FROM, self.from)?;
            message.put_u32(attributes::TO, self.to)?;
            message.put_flag(attributes::IGNORE_CASE, self.ignores_case)?;
            message.put_flag(attributes::INVERT, self.invert)
        })
    }
}
