// SPDX-License-Identifier: GPL-2.0

//! The target SYNPROXY: answers handshakes in the server's name.

use crate::{
    kernel_api::{
        netlink::nest::Group,
        time::JIFFIES_PER_SECOND, //
    },
    packet::IPPROTO_TCP,
    rules::prelude::*,
    synproxy::{
        Events,
        ServerReport,
        Stage,
        Synproxy,
        SynproxySettings, //
    },
    token_bucket::Rate, //
};

/// In the table raw.
static BEFORE_CONNTRACK: Restriction = Restriction {
    hooknums: &[HookNumber::PreRouting],
    message: c"in the table raw SYNPROXY is for packets of PREROUTING",
};

/// In the table filter.
static AFTER_CONNTRACK: Restriction = Restriction {
    hooknums: &[HookNumber::LocalIn, HookNumber::Forward],
    message: c"in the table filter SYNPROXY is for packets of INPUT and FORWARD",
};

nest! {
    /// A rule's statistics. All but the first five count connections to its servers before the rule
    /// existed: servers are remembered longer than rules.
    #[derive(Clone, Copy, Default)]
    struct ProxyTotals: attribute::synproxy_statistics {
        syns: u64 = SYNS, or 0;
        cookies_sent: u64 = COOKIES_SENT, or 0;
        cookies_valid: u64 = COOKIES_VALID, or 0;
        cookies_invalid: u64 = COOKIES_INVALID, or 0;
        out_of_flow: u64 = OUT_OF_FLOW, or 0;
        opened: u64 = OPENED_BEFORE, or 0;
        refused: u64 = REFUSED_BEFORE, or 0;
        unanswered: u64 = UNANSWERED_BEFORE, or 0;
        handed_over: u64 = HANDED_OVER_BEFORE, or 0;
        dropped: u64 = DROPPED_BEFORE, or 0;
        opened_by_data: u64 = OPENED_BY_DATA_BEFORE, or 0;
        opened_by_timeout: u64 = OPENED_BY_TIMEOUT_BEFORE, or 0;
        given_up: u64 = GIVEN_UP_BEFORE, or 0;
    }
}

/// What a rule has counted. It does not distinguish rules.
struct RuleStatistics {
    events: Events,
    /// Counts connections to the rule's servers before the rule existed: servers are remembered
    /// longer than rules.
    before: ProxyTotals,
}

impl PartialEq for RuleStatistics {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Group for RuleStatistics {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Self> {
        match nest.has(kind) {
            true => Err(nest.refuse(kind, c"statistics cannot be given")),
            false => Ok(Self {
                events: Events::new()?,
                before: ProxyTotals::default(),
            }),
        }
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [syns, cookies_sent, cookies_valid, cookies_invalid, out_of_flow] =
            self.events.totals();
        let totals = ProxyTotals {
            syns,
            cookies_sent,
            cookies_valid,
            cookies_invalid,
            out_of_flow,
            ..self.before
        };
        totals.write(kind, message)
    }
}

nest! {
    /// What to tell clients and when, and what was counted.
    #[derive(PartialEq)]
    pub(crate) struct SynproxyAttributes: attribute::synproxy {
        mss: Option<u16> = MSS, optional;
        scale: Option<u8> = WSCALE, optional;
        sack: bool = SACK_PERM, flag;
        timestamps: bool = TIMESTAMP, flag;
        ecn: bool = ECN, flag;
        rate: Option<u32> = FLOODED_RATE, optional;
        burst: Option<u32> = FLOODED_BURST, optional;
        statistics: RuleStatistics = STATISTICS, group;
        window: Option<u16> = WINDOW, optional;
        until_data: Option<u32> = UNTIL_DATA, optional;
    }
}

impl SynproxyAttributes {
    /// The options that the rule gives, or learned ones if it gives none.
    fn settings(&self) -> SynproxySettings {
        let is_learned = self.mss.is_none()
            && self.scale.is_none()
            && !(self.sack || self.timestamps || self.ecn);
        let chosen = |is_set: bool| (!is_learned).then_some(is_set);
        SynproxySettings {
            mss: self.mss,
            scale: self.scale,
            sack: chosen(self.sack),
            timestamps: chosen(self.timestamps),
            ecn: chosen(self.ecn),
            window: self.window,
            patience: (self.until_data).map(|seconds| seconds.wrapping_mul(JIFFIES_PER_SECOND)),
            threshold: (self.rate).map(|rate| Rate::new(rate, 1, self.burst.unwrap_or(rate))),
        }
    }
}

/// Answers handshakes.
pub(crate) struct SynproxyTarget {
    settings: SynproxySettings,
    stage: Stage,
    synproxy: Arc<Synproxy>,
    attributes: SynproxyAttributes,
}

impl SynproxyTarget {
    /// Records the connections counted so far for the servers that the rule's packets go to.
    pub(crate) fn record_baseline(&mut self, is_meant: impl Fn(&ServerReport) -> bool) {
        let mut before = ProxyTotals::default();
        let mut number = 0;
        while let Some((server, next)) = self.synproxy.server_from(number) {
            number = next;
            if is_meant(&server) {
                before.opened = before.opened.saturating_add(server.opened.into());
                before.refused = before.refused.saturating_add(server.refused.into());
                before.unanswered = before.unanswered.saturating_add(server.unanswered.into());
                before.handed_over = before.handed_over.saturating_add(server.handed_over.into());
                before.dropped = before.dropped.saturating_add(server.dropped.into());
                let [_, by_data, by_timeout, given_up] = server.waited.map(u64::from);
                before.opened_by_data = before.opened_by_data.saturating_add(by_data);
                before.opened_by_timeout = before.opened_by_timeout.saturating_add(by_timeout);
                before.given_up = before.given_up.saturating_add(given_up);
            }
        }
        self.attributes.statistics.before = before;
    }
}

impl PacketTarget for SynproxyTarget {
    type Attributes = SynproxyAttributes;

    const NEEDS_CONNTRACK: bool = true;

    const NEEDS_SYNPROXY: bool = true;

    fn new<'a>(
        attributes: SynproxyAttributes,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        use attribute::synproxy::*;
        let stage = match context.site.table {
            Table::Raw => Stage::BeforeConntrack,
            Table::Filter => Stage::Filter,
            Table::Nat | Table::Mangle => {
                let message = c"SYNPROXY is for the tables raw and filter";
                return Err(ExtAckError::new(EINVAL, message));
            }
        };
        context.require_protocol(IPPROTO_TCP, c"the rule has to be for TCP")?;
        if attributes.burst.is_some() && attributes.rate.is_none() {
            return Err(context.refuse(FLOODED_BURST, c"a burst of SYNs needs a rate"));
        }
        if attributes.rate.is_some() && stage == Stage::Filter {
            let message = c"handshakes can pass in the table raw only";
            return Err(context.refuse(FLOODED_RATE, message));
        }
        if attributes.until_data.is_some() && stage == Stage::Filter {
            let message = c"servers are chosen by data in the table raw only";
            return Err(context.refuse(UNTIL_DATA, message));
        }
        if attributes.until_data.is_some() && attributes.rate.is_some() {
            let message = c"handshakes that pass have a server before there is any data";
            return Err(context.refuse(UNTIL_DATA, message));
        }
        if attributes.until_data.is_some() && attributes.window == Some(0) {
            let message = c"a client whose window is 0 cannot send the data that is waited for";
            return Err(context.refuse(WINDOW, message));
        }
        Ok(Self {
            settings: attributes.settings(),
            stage,
            synproxy: context.resources.synproxy()?,
            attributes,
        })
    }

    fn attributes(&self) -> &SynproxyAttributes {
        &self.attributes
    }

    fn restriction(&self) -> Option<&'static Restriction> {
        Some(match self.stage {
            Stage::BeforeConntrack => &BEFORE_CONNTRACK,
            Stage::Filter => &AFTER_CONNTRACK,
        })
    }

    #[inline]
    fn apply(&self, packet: &mut Packet<'_>) -> Decision {
        let events = &self.attributes.statistics.events;
        let verdict = (self.synproxy).receive(&self.settings, events, self.stage, packet);
        verdict.map_or(Decision::Continue, Decision::Verdict)
    }
}
