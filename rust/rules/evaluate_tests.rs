// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of rule evaluation: rules from netlink attributes, packets from bytes.

use super::{
    chain::Chain,
    chains::{
        ChainId,
        ChainName, //
    },
    context::{
        FindChain,
        Resources,
        RuleLimits, //
    },
    evaluate::evaluate,
    rule::Rule,
    ruleset::Ruleset,
    Draft, //
};
use crate::{
    kernel_api::{
        netfilter::{
            Family,
            Verdict, //
        },
        sync::counters::Totals,
        testing::{
            self,
            initial_scope,
            TestPacket, //
        },
    },
    monitor::Monitor,
    packet::Packet,
    rates::RateTables,
    recent::{
        ListLimits,
        Lists,
        PendingTables,
        AGE_MAX, //
    },
    spec::{
        self,
        attribute::{
            addrtype,
            ports,
            r#match,
            recent,
            rule as attributes,
            target,
            tcp, //
        },
        RecentOperation,
        Table, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        rcu,
        Arc, //
    },
};

const TCP: u8 = 6;
const UDP: u8 = 17;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// Attributes, as in a message.
struct Bytes(KVec<u8>);

impl Bytes {
    fn new() -> Self {
        Self(KVec::new())
    }

    fn put(mut self, kind: u16, payload: &[u8]) -> Result<Self> {
        let length = payload.len() + 4;
        let header = [(length as u16).to_ne_bytes(), kind.to_ne_bytes()];
        self.0
            .extend_from_slice(header.as_flattened(), GFP_KERNEL)?;
        self.0.extend_from_slice(payload, GFP_KERNEL)?;
        self.0
            .extend_with(length.next_multiple_of(4) - length, 0, GFP_KERNEL)?;
        Ok(self)
    }

    fn u32(self, kind: u16, number: u32) -> Result<Self> {
        self.put(kind, &number.to_ne_bytes())
    }

    fn nest(self, kind: u16, inner: Self) -> Result<Self> {
        self.put(kind, &inner.0)
    }

    /// Ends a rule with a verdict.
    fn verdict(self, verdict: spec::Verdict) -> Result<Self> {
        let inner = Self::new().u32(target::VERDICT, verdict.number())?;
        self.nest(attributes::TARGET, inner)
    }

    /// Adds a match to a rule.
    fn matching(self, kind: u16, inner: Self) -> Result<Self> {
        self.nest(attributes::MATCH, Self::new().nest(kind, inner)?)
    }
}

const LIMITS: RuleLimits = RuleLimits {
    rules: 64,
    chains: 64,
    held: 0,
};

/// A ruleset draft with filter's INPUT as `input`, and what its rules may refer to.
struct Bench {
    monitor: Arc<Monitor>,
    lists: Arc<Lists>,
    draft: Draft,
    input: ChainId,
}

impl Bench {
    fn new() -> Result<Self> {
        let limits = ListLimits {
            lists: 4,
            entries: 64,
            timeout: AGE_MAX,
        };
        let monitor = Monitor::new(&initial_scope()?)?;
        let lists = Lists::new(limits, monitor.clone())?;
        let draft = Ruleset::new()?.draft()?;
        let input = draft.find(Table::Filter, b"INPUT").ok_or(EINVAL)?;
        Ok(Self {
            monitor,
            lists,
            draft,
            input,
        })
    }

    fn append(&mut self, rule: Bytes) -> Result {
        self.append_to(self.input, rule)
    }

    fn append_to(&mut self, chain: ChainId, rule: Bytes) -> Result {
        let mut resources = Resources {
            scope: initial_scope()?,
            monitor: self.monitor.clone(),
            lists: self.lists.clone(),
            rates: RateTables::new(*self.lists.limits())?,
            limits: LIMITS,
            pending_tables: PendingTables::new(),
            synproxy: None,
        };
        let site = self.draft.site(chain, testing::attributes(&[]))?;
        let rule = Rule::decode(testing::attributes(&rule.0), site, &mut resources);
        let rule = rule.map_err(|_| EINVAL)?;
        self.draft.change(chain, |chain| {
            let end = chain.rules.len();
            chain.rules.insert(end, rule)
        })
    }

    /// Adds a user-defined chain.
    fn new_chain(&mut self, name: &[u8]) -> Result<ChainId> {
        let parsed = ChainName::new(name).ok_or(EINVAL)?;
        self.draft.add(Table::Filter, parsed)?;
        self.draft.find(Table::Filter, name).ok_or(EINVAL)
    }

    fn drop_by_policy(&mut self) -> Result {
        self.draft.change(self.input, |chain| {
            let policies = chain.policies.as_mut().ok_or(EINVAL)?;
            policies.of_mut(Family::Ipv4).accepts = false;
            policies.of_mut(Family::Ipv6).accepts = false;
            Ok(())
        })
    }

    /// Finishes the draft.
    fn finish(self) -> Result<Ready> {
        let (ruleset, zeroing) = self.draft.finish(&LIMITS).map_err(|_| EMLINK)?;
        zeroing.run();
        Ok(Ready {
            ruleset,
            input: self.input,
        })
    }
}

/// A ruleset to run packets through.
struct Ready {
    ruleset: Ruleset,
    input: ChainId,
}

impl Ready {
    fn input(&self) -> Result<&Chain> {
        let ruleset: &Ruleset = &self.ruleset;
        ruleset.chain(self.input).ok_or(EINVAL)
    }

    fn run(&self, family: Family, bytes: &[u8]) -> Result<Verdict> {
        self.run_as::<false>(family, bytes)
    }

    /// With `IS_HEARD` for a packet that is traced.
    fn run_as<const IS_HEARD: bool>(&self, family: Family, bytes: &[u8]) -> Result<Verdict> {
        let mut packet = TestPacket::new(family, bytes)?;
        let guard = rcu::read_lock();
        let (skb, context) = packet.hook(&guard);
        if IS_HEARD {
            skb.set_traced();
        }
        let mut packet = Packet::parse(skb, context, family).ok_or(EINVAL)?;
        Ok(evaluate::<IS_HEARD>(&self.ruleset, self.input, &mut packet))
    }

    fn drops(&self, packet: &[u8]) -> Result<bool> {
        Ok(self.run(Family::Ipv4, packet)? == Verdict::Drop)
    }

    fn drops_ipv6(&self, packet: &[u8]) -> Result<bool> {
        Ok(self.run(Family::Ipv6, packet)? == Verdict::Drop)
    }

    /// Packets and bytes that a rule counted.
    fn counted(&self, index: usize) -> Result<(u64, u64)> {
        let chain = self.input()?;
        let rule = chain.rules.get(index).ok_or(EINVAL)?;
        let Totals { packets, bytes } = rule.counters.totals();
        Ok((packets, bytes))
    }
}

/// An IPv4 packet of 40 bytes: from 192.0.2.`host`, port 1000, to 198.51.100.1.
fn ipv4(host: u8, protocol: u8, port: u16, flags: u8) -> [u8; 40] {
    let mut packet = [0; 40];
    packet[0] = 0x45;
    packet[3] = 40;
    packet[8] = 64;
    packet[9] = protocol;
    packet[12..16].copy_from_slice(&[192, 0, 2, host]);
    packet[16..20].copy_from_slice(&[198, 51, 100, 1]);
    packet[20..22].copy_from_slice(&1000u16.to_be_bytes());
    packet[22..24].copy_from_slice(&port.to_be_bytes());
    packet[32] = 0x50;
    packet[33] = flags;
    packet
}

/// An IPv6 packet of 60 bytes from 2001:db8::`host`, with `next` as its next header.
fn ipv6(host: u8, next: u8) -> [u8; 60] {
    let mut packet = [0; 60];
    packet[0] = 0x60;
    packet[5] = 20;
    packet[6] = next;
    packet[7] = 64;
    packet[8..12].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    packet[23] = host;
    packet[24..28].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    packet[39] = 1;
    packet
}

fn protocol(number: u8) -> Result<Bytes> {
    Bytes::new().put(attributes::PROTOCOL, &[number])
}

#[kunit_tests(palisade_rule_evaluation)]
mod tests {
    use super::*;

    #[test]
    fn first_verdict_decides() -> Result {
        let mut bench = Bench::new()?;
        bench.append(protocol(TCP)?)?;
        bench.append(protocol(TCP)?.verdict(spec::Verdict::Drop)?)?;
        bench.append(Bytes::new().verdict(spec::Verdict::Accept)?)?;
        bench.drop_by_policy()?;
        let bench = bench.finish()?;
        assert!(bench.drops(&ipv4(1, TCP, 80, SYN))?);
        assert!(!bench.drops(&ipv4(1, UDP, 80, 0))?);
        assert_eq!(bench.counted(0)?, (1, 40));
        assert_eq!(bench.counted(1)?, (1, 40));
        assert_eq!(bench.counted(2)?, (1, 40));
        Ok(())
    }

    #[test]
    fn no_ipv6_packet_has_an_address_type_of_ipv4() -> Result {
        const BROADCAST: u32 = 8;
        let types = || Bytes::new().u32(addrtype::SOURCE, BROADCAST);
        let mut bench = Bench::new()?;
        for asked in [types()?, types()?.put(addrtype::SOURCE_INVERT, &[])?] {
            let rule = Bytes::new().matching(r#match::ADDRTYPE, asked)?;
            bench.append(rule.verdict(spec::Verdict::Drop)?)?;
        }
        let only_ipv6 = Bytes::new().u32(attributes::FAMILY, spec::Family::Ipv6.number())?;
        let rule = only_ipv6.matching(r#match::ADDRTYPE, types()?)?;
        assert!(bench.append(rule).is_err());
        assert!(!bench.finish()?.drops_ipv6(&ipv6(1, TCP))?);
        Ok(())
    }

    #[test]
    fn the_policy_decides_in_the_end() -> Result {
        let mut bench = Bench::new()?;
        bench.append(protocol(UDP)?.verdict(spec::Verdict::Return)?)?;
        bench.append(Bytes::new().verdict(spec::Verdict::Accept)?)?;
        bench.drop_by_policy()?;
        let bench = bench.finish()?;
        assert!(bench.drops(&ipv4(1, UDP, 80, 0))?);
        assert!(!bench.drops(&ipv4(1, TCP, 80, 0))?);
        let chain = bench.input()?;
        let policies = chain.policies.as_ref().ok_or(EINVAL)?;
        let policy = policies.of(Family::Ipv4);
        assert_eq!(policy.counters.totals().packets, 1);
        Ok(())
    }

    #[test]
    fn policies_are_told_apart() -> Result {
        let mut bench = Bench::new()?;
        bench.drop_by_policy()?;
        let bench = bench.finish()?;
        let mut policies = bench.input()?.policies.clone().ok_or(EINVAL)?;
        policies.of_mut(Family::Ipv6).accepts = true;
        assert!(!policies.of(Family::Ipv4).accepts);
        assert!(policies.of(Family::Ipv6).accepts);
        let both = policies.iter();
        assert!(
            both.filter(|(family, policy)| *family == Family::Ipv6 && policy.accepts)
                .count()
                == 1
        );
        // A packet only counts for its own family.
        assert!(bench.drops(&ipv4(1, TCP, 80, 0))?);
        let packets = |family| policies.of(family).counters.totals().packets;
        assert_eq!((packets(Family::Ipv4), packets(Family::Ipv6)), (1, 0));
        Ok(())
    }

    #[test]
    fn addresses_masks_and_inversion() -> Result {
        let source = |address: [u8; 4], mask: [u8; 4]| -> Result<Bytes> {
            Bytes::new()
                .put(attributes::SOURCE, &address)?
                .put(attributes::SOURCE_MASK, &mask)
        };
        let mut bench = Bench::new()?;
        // 192.0.2.4/30, given by an address that is not its first.
        bench
            .append(source([192, 0, 2, 6], [255, 255, 255, 252])?.verdict(spec::Verdict::Drop)?)?;
        let bench = bench.finish()?;
        let packet = |host| ipv4(host, TCP, 80, SYN);
        assert!(!bench.drops(&packet(3))?);
        assert!(bench.drops(&packet(4))?);
        assert!(bench.drops(&packet(7))?);
        assert!(!bench.drops(&packet(8))?);
        // No IPv6 address is an IPv4 address.
        assert!(!bench.drops_ipv6(&ipv6(4, TCP))?);

        let mut bench = Bench::new()?;
        let inverted = source([192, 0, 2, 5], [255; 4])?.put(attributes::SOURCE_INVERT, &[])?;
        bench.append(inverted.verdict(spec::Verdict::Drop)?)?;
        let bench = bench.finish()?;
        assert!(!bench.drops(&packet(5))?);
        assert!(bench.drops(&packet(4))?);
        assert!(!bench.drops_ipv6(&ipv6(4, TCP))?);
        Ok(())
    }

    #[test]
    fn families_are_told_apart() -> Result {
        let mut bench = Bench::new()?;
        let only_ipv6 = Bytes::new().u32(attributes::FAMILY, spec::Family::Ipv6.number())?;
        bench.append(only_ipv6.verdict(spec::Verdict::Drop)?)?;
        let bench = bench.finish()?;
        assert!(!bench.drops(&ipv4(1, TCP, 80, SYN))?);
        assert!(bench.drops_ipv6(&ipv6(1, TCP))?);
        Ok(())
    }

    #[test]
    fn ports_at_the_ends_of_a_range() -> Result {
        let range = |first: u16, last: u16| -> Result<Bytes> {
            Bytes::new()
                .put(ports::DESTINATION_FIRST, &first.to_ne_bytes())?
                .put(ports::DESTINATION_LAST, &last.to_ne_bytes())
        };
        let mut bench = Bench::new()?;
        let rule = protocol(UDP)?.matching(r#match::UDP, range(53, 60)?)?;
        bench.append(rule.verdict(spec::Verdict::Drop)?)?;
        let bench = bench.finish()?;
        for (port, drops) in [(52, false), (53, true), (60, true), (61, false)] {
            assert_eq!(bench.drops(&ipv4(1, UDP, port, 0))?, drops);
        }
        Ok(())
    }

    /// A rule for packets of a protocol to a port.
    fn to_port(number: u8, kind: u16, port: u16) -> Result<Bytes> {
        let range = Bytes::new()
            .put(ports::DESTINATION_FIRST, &port.to_ne_bytes())?
            .put(ports::DESTINATION_LAST, &port.to_ne_bytes())?;
        protocol(number)?.matching(kind, range)
    }

    #[test]
    fn one_port_is_told_of_whole_headers() -> Result {
        let mut bench = Bench::new()?;
        bench.append(to_port(UDP, r#match::UDP, 53)?.verdict(spec::Verdict::Accept)?)?;
        bench.append(to_port(TCP, r#match::TCP, 53)?.verdict(spec::Verdict::Accept)?)?;
        bench.drop_by_policy()?;
        let bench = bench.finish()?;
        for protocol in [UDP, TCP] {
            assert!(!bench.drops(&ipv4(1, protocol, 53, 0))?);
            assert!(bench.drops(&ipv4(1, protocol, 54, 0))?);
            assert!(bench.drops(&ipv4(1, protocol, 53 << 8, 0))?);
        }
        // Another protocol has something else at that offset.
        assert!(bench.drops(&ipv4(1, 1, 53, 0))?);
        // A datagram without data, truncated headers, and fragments without any.
        assert!(!bench.drops(&ipv4(1, UDP, 53, 0)[..28])?);
        assert!(bench.drops(&ipv4(1, UDP, 54, 0)[..28])?);
        assert!(bench.drops(&ipv4(1, UDP, 53, 0)[..27])?);
        assert!(bench.drops(&ipv4(1, TCP, 53, 0)[..39])?);
        for protocol in [UDP, TCP] {
            let mut fragment = ipv4(1, protocol, 53, 0);
            fragment[7] = 2;
            assert!(bench.drops(&fragment)?);
        }
        assert_eq!(bench.counted(0)?.0, 2);
        assert_eq!(bench.counted(1)?.0, 1);
        Ok(())
    }

    #[test]
    fn no_rule_is_passed_over_that_is_meant() -> Result {
        for rules in 1..=6 {
            let mut bench = Bench::new()?;
            for host in 1..=rules {
                let source = Bytes::new().put(attributes::SOURCE, &[192, 0, 2, host])?;
                bench.append(source.verdict(spec::Verdict::Drop)?)?;
            }
            let bench = bench.finish()?;
            for host in 1..=rules {
                assert!(bench.drops(&ipv4(host, TCP, 80, SYN))?);
                assert_eq!(bench.counted(usize::from(host) - 1)?.0, 1);
            }
            assert!(!bench.drops(&ipv4(rules + 1, TCP, 80, SYN))?);
        }
        Ok(())
    }

    #[test]
    fn flags_of_tcp() -> Result {
        let mut bench = Bench::new()?;
        let flags = Bytes::new()
            .put(tcp::FLAGS_MASK, &[SYN | ACK])?
            .put(tcp::FLAGS_SET, &[SYN])?;
        let rule = protocol(TCP)?.matching(r#match::TCP, flags)?;
        bench.append(rule.verdict(spec::Verdict::Drop)?)?;
        let bench = bench.finish()?;
        assert!(bench.drops(&ipv4(1, TCP, 80, SYN))?);
        assert!(bench.drops(&ipv4(1, TCP, 80, SYN | 0x08))?);
        assert!(!bench.drops(&ipv4(1, TCP, 80, SYN | ACK))?);
        assert!(!bench.drops(&ipv4(1, TCP, 80, 0))?);
        Ok(())
    }

    #[test]
    fn what_is_cut_off_is_dropped() -> Result {
        let mut bench = Bench::new()?;
        let rule = protocol(TCP)?.matching(r#match::TCP, Bytes::new())?;
        bench.append(rule.verdict(spec::Verdict::Accept)?)?;
        let bench = bench.finish()?;
        let whole = ipv4(1, TCP, 80, SYN);
        assert!(!bench.drops(&whole)?);
        // A truncated TCP header, and a fragment that would overwrite the flags.
        assert!(bench.drops(&whole[..39])?);
        let mut fragment = whole;
        fragment[7] = 1;
        assert!(bench.drops(&fragment)?);
        // Any other fragment has no ports, and does not match.
        fragment[7] = 2;
        assert!(!bench.drops(&fragment)?);
        assert_eq!(bench.counted(0)?.0, 1);
        // An IPv6 extension header longer than the packet.
        let mut hidden = ipv6(1, 0);
        hidden[40] = TCP;
        hidden[41] = 200;
        assert!(bench.drops_ipv6(&hidden)?);
        Ok(())
    }

    fn recent(operation: RecentOperation, hits: Option<u32>) -> Result<Bytes> {
        let inner = Bytes::new()
            .put(recent::NAME, b"seen\0")?
            .u32(recent::OPERATION, operation.number())?;
        match hits {
            Some(hits) => inner.u32(recent::HITS, hits),
            None => Ok(inner),
        }
    }

    #[test]
    fn a_match_before_the_ports_does_its_work() -> Result {
        let port = Bytes::new()
            .put(ports::DESTINATION_FIRST, &53u16.to_ne_bytes())?
            .put(ports::DESTINATION_LAST, &53u16.to_ne_bytes())?;
        let set = protocol(UDP)?
            .matching(r#match::RECENT, recent(RecentOperation::Set, None)?)?
            .matching(r#match::UDP, port)?;
        let check =
            Bytes::new().matching(r#match::RECENT, recent(RecentOperation::Check, None)?)?;
        let mut bench = Bench::new()?;
        bench.append(set.verdict(spec::Verdict::Accept)?)?;
        bench.append(check.verdict(spec::Verdict::Drop)?)?;
        let bench = bench.finish()?;
        // The port does not match, but the address was stamped before that.
        assert!(bench.drops(&ipv4(1, UDP, 54, 0))?);
        assert!(!bench.drops(&ipv4(2, TCP, 54, 0))?);
        Ok(())
    }

    #[test]
    fn matches_are_tried_in_order() -> Result {
        let port = Bytes::new()
            .put(tcp::DESTINATION_FIRST, &22u16.to_ne_bytes())?
            .put(tcp::DESTINATION_LAST, &22u16.to_ne_bytes())?;
        let mut bench = Bench::new()?;
        // Only addresses that connect to port 22 are stamped, and the third time is one too many.
        let check = recent(RecentOperation::Update, Some(2))?;
        let check = Bytes::new().matching(r#match::RECENT, check)?;
        bench.append(check.verdict(spec::Verdict::Drop)?)?;
        let set = protocol(TCP)?
            .matching(r#match::TCP, port)?
            .matching(r#match::RECENT, recent(RecentOperation::Set, None)?)?;
        bench.append(set.verdict(spec::Verdict::Accept)?)?;
        let bench = bench.finish()?;
        for _ in 0..3 {
            assert!(!bench.drops(&ipv4(1, TCP, 80, SYN))?);
        }
        assert!(!bench.drops(&ipv4(1, TCP, 22, SYN))?);
        assert!(!bench.drops(&ipv4(1, TCP, 22, SYN))?);
        assert!(bench.drops(&ipv4(1, TCP, 22, SYN))?);
        assert!(!bench.drops(&ipv4(2, TCP, 22, SYN))?);
        Ok(())
    }
}

#[kunit_tests(palisade_rule_jumps)]
mod jump_tests {
    use super::*;

    fn jump(kind: u16, name: &[u8]) -> Result<Bytes> {
        let mut string = KVec::new();
        string.extend_from_slice(name, GFP_KERNEL)?;
        string.push(0, GFP_KERNEL)?;
        Bytes::new().nest(attributes::TARGET, Bytes::new().put(kind, &string)?)
    }

    /// A rule for TCP that jumps to a chain.
    fn tcp_jump(kind: u16, name: &[u8]) -> Result<Bytes> {
        let mut rule = protocol(TCP)?;
        let jump = jump(kind, name)?;
        rule.0.extend_from_slice(&jump.0, GFP_KERNEL)?;
        Ok(rule)
    }

    #[test]
    fn it_goes_on_behind_a_jump() -> Result {
        let mut bench = Bench::new()?;
        let first = bench.new_chain(b"first")?;
        let second = bench.new_chain(b"second")?;
        bench.append(tcp_jump(target::JUMP, b"first")?)?;
        bench.append(protocol(UDP)?.verdict(spec::Verdict::Accept)?)?;
        bench.append(protocol(TCP)?.verdict(spec::Verdict::Drop)?)?;
        bench.append_to(first, tcp_jump(target::JUMP, b"second")?)?;
        bench.append_to(first, protocol(TCP)?.verdict(spec::Verdict::Return)?)?;
        bench.append_to(first, protocol(TCP)?.verdict(spec::Verdict::Accept)?)?;
        bench.append_to(second, protocol(UDP)?.verdict(spec::Verdict::Accept)?)?;
        let bench = bench.finish()?;
        assert!(bench.drops(&ipv4(1, TCP, 80, SYN))?);
        assert!(!bench.drops(&ipv4(1, UDP, 80, 0))?);
        assert_eq!(bench.counted(0)?.0, 1);
        assert_eq!(bench.counted(2)?.0, 1);
        Ok(())
    }

    #[test]
    fn it_does_not_go_on_behind_a_goto() -> Result {
        let mut bench = Bench::new()?;
        let first = bench.new_chain(b"first")?;
        bench.new_chain(b"second")?;
        bench.append(tcp_jump(target::JUMP, b"first")?)?;
        bench.append(protocol(TCP)?)?;
        bench.append_to(first, tcp_jump(target::GOTO, b"second")?)?;
        bench.append_to(first, protocol(TCP)?.verdict(spec::Verdict::Accept)?)?;
        bench.drop_by_policy()?;
        let bench = bench.finish()?;
        assert!(bench.drops(&ipv4(1, TCP, 80, SYN))?);
        // After the second chain, the packet continues where the first was called.
        assert_eq!(bench.counted(1)?.0, 1);
        Ok(())
    }

    #[test]
    fn a_traced_packet_has_the_same_way() -> Result {
        let mut bench = Bench::new()?;
        let first = bench.new_chain(b"first")?;
        let second = bench.new_chain(b"second")?;
        bench.append(tcp_jump(target::JUMP, b"first")?)?;
        bench.append(protocol(UDP)?.verdict(spec::Verdict::Return)?)?;
        bench.append(protocol(TCP)?)?;
        bench.append_to(first, tcp_jump(target::JUMP, b"second")?)?;
        bench.append_to(first, tcp_jump(target::GOTO, b"second")?)?;
        bench.append_to(second, protocol(TCP)?)?;
        bench.drop_by_policy()?;
        let bench = bench.finish()?;
        for (family, packet) in [
            (Family::Ipv4, &ipv4(1, TCP, 80, SYN)[..]),
            (Family::Ipv4, &ipv4(1, UDP, 80, 0)),
            (Family::Ipv6, &ipv6(1, TCP)),
        ] {
            assert_eq!(
                bench.run_as::<true>(family, packet)?,
                bench.run(family, packet)?
            );
        }
        // Twice two packets of TCP, and twice one of UDP.
        assert_eq!(bench.counted(0)?.0, 4);
        assert_eq!(bench.counted(1)?.0, 2);
        assert_eq!(bench.counted(2)?.0, 4);
        Ok(())
    }

    #[test]
    fn a_match_knows_the_hooks_that_its_packets_come_from() -> Result {
        for (limit, is_fine) in [
            (addrtype::LIMIT_IFACE_IN, true),
            (addrtype::LIMIT_IFACE_OUT, false),
        ] {
            let types = Bytes::new().u32(addrtype::SOURCE, 4)?.put(limit, &[])?;
            let rule = Bytes::new().matching(r#match::ADDRTYPE, types)?;
            let mut bench = Bench::new()?;
            let first = bench.new_chain(b"first")?;
            let second = bench.new_chain(b"second")?;
            bench.append_to(second, rule)?;
            bench.append_to(first, jump(target::JUMP, b"second")?)?;
            bench.append(jump(target::JUMP, b"first")?)?;
            assert_eq!(bench.finish().is_ok(), is_fine);
        }
        Ok(())
    }

    #[test]
    fn circles_are_refused() -> Result {
        for kind in [target::JUMP, target::GOTO] {
            let mut bench = Bench::new()?;
            let first = bench.new_chain(b"first")?;
            let second = bench.new_chain(b"second")?;
            bench.append_to(first, jump(kind, b"second")?)?;
            bench.append_to(second, jump(kind, b"first")?)?;
            assert!(bench.finish().is_err());

            let mut bench = Bench::new()?;
            let own = bench.new_chain(b"own")?;
            bench.append_to(own, jump(kind, b"own")?)?;
            assert!(bench.finish().is_err());
        }
        Ok(())
    }

    /// `length` chains, each of which jumps `times` times to the next.
    fn row(length: u8, times: usize) -> Result<Bench> {
        let mut bench = Bench::new()?;
        let name = |number| [b'a' + number / 26, b'a' + number % 26];
        bench.new_chain(&name(0))?;
        bench.append(jump(target::JUMP, &name(0))?)?;
        for number in 1..length {
            let before = bench.draft.find(Table::Filter, &name(number - 1));
            let before = before.ok_or(EINVAL)?;
            bench.new_chain(&name(number))?;
            for _ in 0..times {
                bench.append_to(before, jump(target::JUMP, &name(number))?)?;
            }
        }
        let last = bench.draft.find(Table::Filter, &name(length - 1));
        bench.append_to(
            last.ok_or(EINVAL)?,
            protocol(TCP)?.verdict(spec::Verdict::Drop)?,
        )?;
        Ok(bench)
    }

    #[test]
    fn chains_are_32_deep_at_most() -> Result {
        let bench = row(32, 1)?.finish()?;
        assert!(bench.drops(&ipv4(1, TCP, 80, SYN))?);
        assert!(!bench.drops(&ipv4(1, UDP, 80, 0))?);
        assert!(row(33, 1)?.finish().is_err());
        Ok(())
    }

    #[test]
    fn no_packet_meets_more_rules_than_there_may_be() -> Result {
        // 1 + 2 * (1 + 2 * (1 + 2 * (1 + 2 * (1 + 1)))) = 47 rules, of 64 that are allowed.
        let bench = row(5, 2)?.finish()?;
        assert!(bench.drops(&ipv4(1, TCP, 80, SYN))?);
        // One more chain makes 95.
        assert!(row(6, 2)?.finish().is_err());
        Ok(())
    }

    #[test]
    fn a_chain_that_is_gone_leaves_its_number() -> Result {
        let mut bench = Bench::new()?;
        let first = bench.new_chain(b"first")?;
        bench.draft.remove(first)?;
        assert!(bench.draft.find(Table::Filter, b"first").is_none());
        let second = bench.new_chain(b"second")?;
        assert!(second == first);
        assert_eq!(bench.draft.user_defined_chains(), 1);
        Ok(())
    }
}
