// SPDX-License-Identifier: GPL-2.0

//! The target SYNPROXY: handshakes are answered in the server's name.

use super::{
    Action,
    PacketTarget,
    Restriction, //
};
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netfilter::HookNumber,
        netlink::{
            Attribute,
            Attributes, //
        },
    },
    packet::{
        Packet,
        IPPROTO_TCP, //
    },
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::{
        attribute::{
            synproxy as attributes,
            synproxy_statistics as statistics,
            target, //
        },
        Table, //
    },
    synproxy::{
        Events,
        Place,
        Reaction,
        ServerReport,
        Synproxy,
        SynproxySettings,
        Threshold, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// In the table raw.
static BEFORE_CONNTRACK: Restriction = Restriction {
    hooknums: &[HookNumber::PreRouting],
    message: c"in the table raw SYNPROXY is for packets of PREROUTING",
};

/// In the table filter.
static BEHIND_CONNTRACK: Restriction = Restriction {
    hooknums: &[HookNumber::LocalIn, HookNumber::Forward],
    message: c"in the table filter SYNPROXY is for packets of INPUT and FORWARD",
};

/// Answers handshakes.
pub(in crate::rules) struct SynproxyTarget {
    settings: SynproxySettings,
    place: Place,
    synproxy: Arc<Synproxy>,
    events: Events,
    past: Past,
}

/// What had become of connections to the rule's servers before the rule came: servers are remembered longer than rules.
#[derive(Clone, Copy, Default)]
struct Past {
    opened: u64,
    refused: u64,
    unanswered: u64,
}

impl PartialEq for SynproxyTarget {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings && self.place == other.place
    }
}

impl SynproxyTarget {
    /// Notes what was counted of the servers, until now, that the rule's packets go to.
    pub(in crate::rules) fn note_past(&mut self, is_meant: impl Fn(&ServerReport) -> bool) {
        let mut past = Past::default();
        let mut place = 0;
        while let Some((server, next)) = self.synproxy.server_from(place) {
            place = next;
            if is_meant(&server) {
                past.opened = past.opened.saturating_add(server.opened.into());
                past.refused = past.refused.saturating_add(server.refused.into());
                past.unanswered = past.unanswered.saturating_add(server.unanswered.into());
            }
        }
        self.past = past;
    }
}

/// The options that a rule chose by hand, or that are as with the server.
fn settings_of<'a>(nest: Attributes<'a>) -> NetlinkResult<'a, SynproxySettings> {
    let number = |kind| nest.get(kind).and_then(|attribute| attribute.u32());
    let flag = |kind| nest.get(kind).is_some();
    let mss = nest.get(attributes::MSS).and_then(|value| value.u16());
    let scale = nest.get(attributes::WSCALE).and_then(|value| value.u8());
    let (sack, timestamps, ecn) = (
        flag(attributes::SACK_PERM),
        flag(attributes::TIMESTAMP),
        flag(attributes::ECN),
    );
    let is_learned = mss.is_none() && scale.is_none() && !(sack || timestamps || ecn);
    let chosen = |is_set: bool| (!is_learned).then_some(is_set);
    let rate = number(attributes::FLOODED_RATE);
    let burst = number(attributes::FLOODED_BURST);
    let threshold = match (rate, burst) {
        (None, None) => None,
        (Some(rate), burst) => Some(Threshold { rate, burst }),
        (None, Some(_)) => {
            let refusal = ExtAckError::new(EINVAL, c"a burst of SYNs needs a rate");
            let at = nest.get(attributes::FLOODED_BURST);
            return Err(at.map_or(refusal, |at| refusal.at(at)));
        }
    };
    Ok(SynproxySettings {
        mss,
        scale,
        sack: chosen(sack),
        timestamps: chosen(timestamps),
        ecn: chosen(ecn),
        threshold,
    })
}

impl PacketTarget for SynproxyTarget {
    const ATTRIBUTE: u16 = target::SYNPROXY;

    const NEEDS_CONNTRACK: bool = true;

    const NEEDS_SYNPROXY: bool = true;

    fn restriction(&self) -> Option<&'static Restriction> {
        Some(match self.place {
            Place::BeforeConntrack => &BEFORE_CONNTRACK,
            Place::Filter => &BEHIND_CONNTRACK,
        })
    }

    #[inline]
    fn apply(&self, packet: &Packet<'_>) -> Action {
        let reaction = self
            .synproxy
            .receive(&self.settings, &self.events, self.place, packet);
        match reaction {
            Reaction::Pass => Action::Continue,
            Reaction::Accept => Action::Accept,
            Reaction::Drop => Action::Drop,
            Reaction::Transmit(rewritten) => Action::Transmit(rewritten),
        }
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let place = match surroundings.site.table() {
            Some(Table::Raw) => Place::BeforeConntrack,
            Some(Table::Filter) => Place::Filter,
            _ => {
                let message = c"SYNPROXY is for the tables raw and filter";
                return Err(ExtAckError::new(EINVAL, message));
            }
        };
        if surroundings.header.protocol() != Some(IPPROTO_TCP) {
            return Err(ExtAckError::new(EINVAL, c"the rule has to be for TCP"));
        }
        let nest = attribute.nested();
        let settings = settings_of(nest)?;
        if let (Place::Filter, Some(at)) = (place, nest.get(attributes::FLOODED_RATE)) {
            let message = c"handshakes can pass in the table raw only";
            return Err(ExtAckError::new(EINVAL, message).at(at));
        }
        if let Some(at) = nest.get(attributes::STATISTICS) {
            return Err(ExtAckError::new(EINVAL, c"statistics cannot be given").at(at));
        }
        Ok(Self {
            settings,
            place,
            synproxy: resources.synproxy()?,
            events: Events::new()?,
            past: Past::default(),
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        let settings = &self.settings;
        message.nest(Self::ATTRIBUTE, |message| {
            if let Some(mss) = settings.mss {
                message.put_u16(attributes::MSS, mss)?;
            }
            if let Some(scale) = settings.scale {
                message.put_u8(attributes::WSCALE, scale)?;
            }
            message.put_flag(attributes::SACK_PERM, settings.sack.unwrap_or(false))?;
            message.put_flag(attributes::TIMESTAMP, settings.timestamps.unwrap_or(false))?;
            message.put_flag(attributes::ECN, settings.ecn.unwrap_or(false))?;
            if let Some(threshold) = &settings.threshold {
                message.put_u32(attributes::FLOODED_RATE, threshold.rate)?;
                if let Some(burst) = threshold.burst {
                    message.put_u32(attributes::FLOODED_BURST, burst)?;
                }
            }
            message.nest(attributes::STATISTICS, |message| {
                let kinds = [
                    statistics::SYNS,
                    statistics::COOKIES_SENT,
                    statistics::COOKIES_VALID,
                    statistics::COOKIES_INVALID,
                    statistics::OUT_OF_FLOW,
                ];
                for (kind, total) in kinds.into_iter().zip(self.events.totals()) {
                    message.put_u64(kind, total)?;
                }
                message.put_u64(statistics::OPENED_BEFORE, self.past.opened)?;
                message.put_u64(statistics::REFUSED_BEFORE, self.past.refused)?;
                message.put_u64(statistics::UNANSWERED_BEFORE, self.past.unanswered)
            })
        })
    }
}
