// SPDX-License-Identifier: GPL-2.0

//! The match `string`: whether the packet contains a string.

use crate::{
    kernel_api::textsearch::TextSearch,
    rules::prelude::*,
    spec::Algorithm, //
};

/// Default end of the search.
const DEFAULT_TO: u32 = u16::MAX as u32;

nest! {
    /// What to search for, how, and at which offsets from the start of the IP header.
    #[derive(PartialEq)]
    pub(crate) struct Search: attribute::string {
        pattern: KVec<u8> = PATTERN, required c"there is nothing to search for";
        algorithm: Algorithm = ALGORITHM, required c"a string match needs an algorithm";
        from: u32 = FROM, or 0;
        to: u32 = TO, or DEFAULT_TO;
        ignores_case: bool = IGNORE_CASE, flag;
        invert: bool = INVERT, flag;
    }
}

/// Whether the packet contains a string.
pub(crate) struct StringMatch {
    search: Search,
    text: TextSearch,
}

impl PacketMatch for StringMatch {
    type Attributes = Search;

    fn new<'a>(search: Search, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        if search.pattern.is_empty() {
            let message = c"there is nothing to search for";
            return Err(context.refuse(attribute::string::PATTERN, message));
        }
        if search.from > search.to {
            return Err(context.refuse(
                attribute::string::TO,
                c"the search would end before it begins",
            ));
        }
        let algorithm = match search.algorithm {
            Algorithm::Bm => c"bm",
            Algorithm::Kmp => c"kmp",
        };
        let text = TextSearch::prepare(algorithm, &search.pattern, search.ignores_case);
        let text = text.map_err(|error| match error {
            ENOENT => ExtAckError::new(error, c"this kernel does not have the algorithm"),
            _ => error.into(),
        })?;
        Ok(Self { search, text })
    }

    fn attributes(&self) -> &Search {
        &self.search
    }

    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let search = &self.search;
        let start = packet.skb().network_offset();
        let displacement = packet.data_displacement();
        let at = |offset: u32| match offset {
            0 => start,
            _ => start.wrapping_add(offset).wrapping_add(displacement),
        };
        let range = at(search.from)..at(search.to);
        MatchResult::from(self.text.is_in(packet.skb(), range) != search.invert)
    }
}
