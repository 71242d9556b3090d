// SPDX-License-Identifier: GPL-2.0

//! What is printed can be read, and what is sent to the kernel can be read back.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::{Fixed, parse, parser, rules, saved, words};
use crate::{
    netlink::{
        Writer, attributes,
        spec::attribute::{change, rule, synproxy, synproxy_statistics, target},
    },
    rules::{model::rule::Rule, print::save_rule, wire},
    text::printable,
};

/// An option or nothing.
fn optional(option: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), option]
}

fn inverted() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), Just("! ")]
}

fn address() -> impl Strategy<Value = String> {
    (any::<[u8; 4]>(), any::<[u8; 4]>(), 0..=32u8, any::<bool>()).prop_map(
        |(address, mask, length, by_length)| {
            let address = Ipv4Addr::from(address);
            let mask = Ipv4Addr::from(mask);
            if by_length {
                format!("{address}/{length}")
            } else {
                format!("{address}/{mask}")
            }
        },
    )
}

fn address_v6() -> impl Strategy<Value = String> {
    (any::<[u8; 16]>(), 0..=128u8)
        .prop_map(|(address, length)| format!("{}/{length}", Ipv6Addr::from(address)))
}

/// A source and a destination of one family.
fn addresses() -> impl Strategy<Value = String> {
    let option = |name: &'static str, address: BoxedStrategy<String>| {
        optional((inverted(), address).prop_map(move |(not, one)| format!(" {not}{name} {one}")))
    };
    let pair = move |address: BoxedStrategy<String>| {
        (option("-s", address.clone()), option("-d", address)).prop_map(|(s, d)| s + &d)
    };
    prop_oneof![
        pair(address().boxed()),
        pair(address_v6().boxed()),
        Just(" -4".to_owned()),
        Just(" -6".to_owned()),
    ]
}

fn ports() -> impl Strategy<Value = String> {
    let end = |name: &'static str| {
        optional(
            (inverted(), any::<u16>(), any::<u16>()).prop_map(move |(not, one, other)| {
                format!(" {not}--{name} {}:{}", one.min(other), one.max(other))
            }),
        )
    };
    prop_oneof![
        Just(String::new()),
        (end("sport"), end("dport"), optional(flags()))
            .prop_map(|(sport, dport, flags)| format!(" -p tcp -m tcp{sport}{dport}{flags}")),
        (
            prop_oneof![Just("tcp"), Just("udp")],
            end("sport"),
            end("dport")
        )
            .prop_map(|(protocol, sport, dport)| format!(
                " -p {protocol} -m {protocol}{sport}{dport}"
            )),
        (inverted(), 1..=255u8)
            .prop_filter("the protocol may say which family it is", |(_, number)| {
                ![1, 58].contains(number)
            })
            .prop_map(|(not, number)| format!(" {not}-p {number}")),
        (
            prop_oneof![Just("tcp"), Just("udp"), Just("udplite"), Just("sctp")],
            multiport()
        )
            .prop_map(|(protocol, multiport)| format!(" -p {protocol}{multiport}")),
    ]
}

fn multiport() -> impl Strategy<Value = String> {
    let range = any::<(u16, u16)>()
        .prop_map(|(one, other)| format!("{}:{}", one.min(other), one.max(other)));
    let port = any::<u16>().prop_map(|port| port.to_string());
    let ports = proptest::collection::vec(prop_oneof![range, port], 1..=15);
    let option = prop_oneof![Just("sports"), Just("dports"), Just("ports")];
    (inverted(), option, ports).prop_map(|(not, option, ports)| {
        format!(" -m multiport {not}--{option} {}", ports.join(","))
    })
}

/// The options of a protocol that says which family the rule is for.
fn icmp() -> impl Strategy<Value = String> {
    let message_type = prop_oneof![
        Just("any".to_owned()),
        any::<u8>().prop_map(|number| number.to_string()),
        any::<(u8, u8)>().prop_map(|(number, code)| format!("{number}/{code}")),
    ];
    let protocol = prop_oneof![Just(("icmp", "icmp")), Just(("icmpv6", "icmpv6"))];
    (protocol, inverted(), message_type).prop_map(|((protocol, option), not, message_type)| {
        format!(" -p {protocol} {not}--{option}-type {message_type}")
    })
}

/// Matches that go with every protocol.
fn other_match() -> impl Strategy<Value = String> {
    let states = vec!["INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED"];
    let states = || proptest::sample::subsequence(states.clone(), 1..=5);
    prop_oneof![
        (inverted(), states())
            .prop_map(|(not, states)| format!(" -m state {not}--state {}", states.join(","))),
        (
            inverted(),
            states(),
            prop_oneof![Just(""), Just(",SNAT"), Just(",DNAT")]
        )
            .prop_map(|(not, states, nat)| format!(
                " -m conntrack {not}--ctstate {}{nat}",
                states.join(",")
            )),
        (inverted(), mark()).prop_map(|(not, mark)| format!(" -m mark {not}--mark {mark}")),
        text().prop_map(|text| format!(" -m comment --comment \"{text}\"")),
    ]
}

fn mark() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u32>().prop_map(|value| value.to_string()),
        any::<(u32, u32)>().prop_map(|(value, mask)| format!("{value:#x}/{mask:#x}")),
    ]
}

/// Printable characters, those that a shell would interpret among them.
fn text() -> impl Strategy<Value = String> {
    "[ -~]{1,30}|[a-zäöü]{1,9}".prop_map(|text| {
        ["\\", "\"", "$", "`"].iter().fold(text, |text, special| {
            text.replace(special, &format!("\\{special}"))
        })
    })
}

fn target() -> impl Strategy<Value = String> {
    let option = prop_oneof![Just("set-mark"), Just("set-xmark")];
    let operation = prop_oneof![Just("and-mark"), Just("or-mark"), Just("xor-mark")];
    prop_oneof![
        prop_oneof![
            Just("ACCEPT"),
            Just("DROP"),
            Just("RETURN"),
            Just("NOTRACK")
        ]
        .prop_map(str::to_owned),
        Just("CT --notrack".to_owned()),
        (option, mark()).prop_map(|(option, mark)| format!("MARK --{option} {mark}")),
        (operation, any::<u32>()).prop_map(|(option, bits)| format!("MARK --{option} {bits:#x}")),
    ]
}

fn flags() -> impl Strategy<Value = String> {
    let names = vec!["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
    let some = proptest::sample::subsequence(names, 1..=8);
    (inverted(), some, 0..8usize).prop_map(|(not, mask, set)| {
        let set = mask.get(set).copied().unwrap_or("NONE");
        format!(" {not}--tcp-flags {} {set}", mask.join(","))
    })
}

fn recent() -> impl Strategy<Value = String> {
    let limits = (
        optional((1..=u32::MAX).prop_map(|seconds| format!(" --seconds {seconds}"))),
        optional((1..=u16::MAX).prop_map(|hits| format!(" --hitcount {hits}"))),
    );
    let operation = prop_oneof![
        (prop_oneof![Just("rcheck"), Just("update")], limits)
            .prop_map(|(name, (seconds, hits))| format!("--{name}{seconds}{hits}")),
        prop_oneof![Just("--set"), Just("--remove"), Just("--remove --rttl")]
            .prop_map(str::to_owned),
        (1..=u32::MAX).prop_map(|seconds| format!("--update --seconds {seconds} --reap --rttl")),
    ];
    let side = prop_oneof![
        Just(""),
        Just(" --rsource"),
        Just(" --rdest"),
        Just(" --rport --mask 255.255.0.0"),
        Just(" --mask ffff::"),
        Just(" --mask 24,0 --rdest")
    ];
    let name = text().prop_map(|name| format!(" --name \"{name}\""));
    (inverted(), operation, optional(name), side)
        .prop_map(|(not, operation, name, side)| format!(" -m recent {not}{operation}{name}{side}"))
}

fn limit() -> impl Strategy<Value = String> {
    let rate = (
        1..=10_000u32,
        prop_oneof![Just("s"), Just("mi"), Just("hour"), Just("day")],
    );
    let burst = optional((1..=10_000u32).prop_map(|burst| format!(" --limit-burst {burst}")));
    (
        optional(rate.prop_map(|(n, unit)| format!(" --limit {n}/{unit}"))),
        burst,
    )
        .prop_map(|(rate, burst)| format!(" -m limit{rate}{burst}"))
}

fn connlimit() -> impl Strategy<Value = String> {
    let mask = optional((0..=32u8).prop_map(|bits| format!(" --connlimit-mask {bits}")));
    let kind = prop_oneof![Just("above"), Just("upto")];
    let side = prop_oneof![Just(""), Just(" --connlimit-daddr")];
    (inverted(), kind, any::<u32>(), mask, side).prop_map(|(not, kind, number, mask, side)| {
        format!(" -m connlimit {not}--connlimit-{kind} {number}{mask}{side}")
    })
}

fn length() -> impl Strategy<Value = String> {
    (inverted(), any::<u16>(), any::<u16>()).prop_map(|(not, one, other)| {
        format!(
            " -m length {not}--length {}:{}",
            one.min(other),
            one.max(other)
        )
    })
}

fn string() -> impl Strategy<Value = String> {
    let bytes = proptest::collection::vec(any::<u8>(), 1..=128);
    let pattern = prop_oneof![
        "[a-z*./]{1,12}".prop_map(|text| format!("--string x{text}")),
        bytes.prop_map(|bytes| {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("--hex-string |{}|", digits.concat())
        }),
    ];
    let algorithm = prop_oneof![Just(""), Just(" --algo bm"), Just(" --algo kmp")];
    let place =
        optional((any::<u16>(), any::<u16>()).prop_map(|(one, other)| {
            format!(" --from {} --to {}", one.min(other), one.max(other))
        }));
    let case = prop_oneof![Just(""), Just(" --icase")];
    (inverted(), pattern, algorithm, place, case).prop_map(
        |(not, pattern, algorithm, place, case)| {
            format!(" -m string {not}{pattern}{algorithm}{place}{case}")
        },
    )
}

fn log() -> impl Strategy<Value = String> {
    let level = optional((0..8u8).prop_map(|level| format!(" --log-level {level}")));
    let prefix = optional("[a-z:_ ]{0,29}".prop_map(|text| format!(" --log-prefix \"{text}\"")));
    let names = vec![
        "tcp-sequence",
        "tcp-options",
        "ip-options",
        "uid",
        "macdecode",
    ];
    let flags = proptest::sample::subsequence(names, 0..=5).prop_map(|flags| {
        let options = flags.iter().map(|flag| format!(" --log-{flag}"));
        options.collect::<Vec<String>>().concat()
    });
    (level, prefix, flags)
        .prop_map(|(level, prefix, flags)| format!(" -j LOG{level}{prefix}{flags}"))
}

/// A target with the protocol that it needs.
fn synproxy() -> impl Strategy<Value = String> {
    let names = vec!["sack-perm", "timestamp", "ecn"];
    let flags = proptest::sample::subsequence(names, 0..=3).prop_map(|flags| {
        let options = flags.iter().map(|flag| format!(" --{flag}"));
        options.collect::<Vec<String>>().concat()
    });
    let numbers = (
        optional((1..=u16::MAX).prop_map(|mss| format!(" --mss {mss}"))),
        optional((0..=14u8).prop_map(|wscale| format!(" --wscale {wscale}"))),
        optional((0..=u16::MAX).prop_map(|window| format!(" --window {window}"))),
    );
    let until_data = optional((1..=60u32).prop_map(|seconds| format!(" --until-data {seconds}")));
    let burst = optional((1..=1_000_000u32).prop_map(|burst| format!("/{burst}")));
    let flooded = optional(
        (1..=1_000_000u32, burst)
            .prop_map(|(rate, burst)| format!(" --when-flooded {rate}{burst}")),
    );
    (numbers, flags, until_data, flooded).prop_map(
        |((mss, wscale, window), flags, until_data, flooded)| {
            format!(" -p tcp -j SYNPROXY{mss}{wscale}{flags}{window}{until_data}{flooded}")
        },
    )
}

/// Types that both IP versions have.
fn addrtype() -> impl Strategy<Value = String> {
    let types = [
        "UNSPEC",
        "UNICAST",
        "LOCAL",
        "ANYCAST",
        "MULTICAST",
        "UNREACHABLE",
    ];
    let option = move |side: &'static str| {
        (
            inverted(),
            proptest::sample::subsequence(types.to_vec(), 1..=6),
        )
            .prop_map(move |(not, types)| format!(" {not}--{side}-type {}", types.join(",")))
    };
    let limit = prop_oneof![
        Just(""),
        Just(" --limit-iface-in"),
        Just(" --limit-iface-out")
    ];
    (option("src"), optional(option("dst")), limit).prop_map(|(source, destination, limit)| {
        format!(" -m addrtype{source}{destination}{limit}")
    })
}

/// Translation without addresses, which goes with those of either family.
fn translated() -> impl Strategy<Value = String> {
    let ports = any::<(u16, u16)>()
        .prop_map(|(one, other)| (one.min(other).max(1), one.max(other).max(1)))
        .prop_map(|(first, last)| format!("{first}-{last}"))
        .boxed();
    let base = optional(any::<u16>().prop_map(|base| format!("/{}", base.max(1))));
    let flags = proptest::sample::subsequence(vec![" --random", " --persistent"], 0..=2)
        .prop_map(|flags| flags.concat())
        .boxed();
    let destination = (ports.clone(), base, flags.clone()).prop_map(|(ports, base, flags)| {
        format!(" -p tcp -j DNAT --to-destination :{ports}{base}{flags}")
    });
    let source = (ports.clone(), flags)
        .prop_map(|(ports, flags)| format!(" -p udp -j SNAT --to-source :{ports}{flags}"));
    let masquerade = (ports, optional(Just(" --random-fully".to_owned())))
        .prop_map(|(ports, fully)| format!(" -p tcp -j MASQUERADE --to-ports {ports}{fully}"));
    prop_oneof![destination, source, masquerade]
}

/// Translation to addresses, without others in the rule.
fn translated_addresses() -> impl Strategy<Value = String> {
    let ipv4 = any::<(u32, u32)>().prop_map(|(one, other)| {
        let [first, last] = [one.min(other), one.max(other)].map(Ipv4Addr::from);
        format!("{first}-{last}")
    });
    let ipv6 = any::<(u128, u128)>().prop_map(|(one, other)| {
        let [first, last] = [one.min(other), one.max(other)].map(Ipv6Addr::from);
        format!("[{first}-{last}]")
    });
    let target = prop_oneof![Just("DNAT --to-destination"), Just("SNAT --to-source")];
    let port = optional((1..=u16::MAX).prop_map(|port| format!(":{port}")));
    (target, prop_oneof![ipv4, ipv6], port).prop_map(|(target, addresses, port)| {
        format!("-A INPUT -p tcp -j {target} {addresses}{port}")
    })
}

fn hashlimit() -> impl Strategy<Value = String> {
    let rate = prop_oneof![
        (
            1..1_000_000u32,
            prop_oneof![Just("s"), Just("min"), Just("hour"), Just("d")]
        )
            .prop_map(|(packets, unit)| (format!("{packets}/{unit}"), "")),
        (1..100_000u32, prop_oneof![Just(""), Just("k"), Just("m")])
            .prop_map(|(bytes, unit)| (format!("{bytes}{unit}b/s"), "gb")),
    ];
    let kind = prop_oneof![Just("above"), Just("upto")];
    let burst = optional((1..1000u32).prop_map(|burst| format!(" --hashlimit-burst {burst}")));
    let mode = prop_oneof![
        Just("srcip"),
        Just("srcip,dstport"),
        Just("srcport,dstip"),
        Just("")
    ];
    let mask = optional((0..=32u8).prop_map(|bits| format!(" --hashlimit-dstmask {bits},{bits}")));
    (inverted(), kind, rate, burst, mode, mask).prop_map(
        |(not, kind, (rate, of_bytes), burst, mode, mask)| {
            let burst = if of_bytes.is_empty() {
                burst
            } else {
                String::new()
            };
            let mode = match mode {
                "" => String::new(),
                mode => format!(" --hashlimit-mode {mode}"),
            };
            format!(
                " -m hashlimit {not}--hashlimit-{kind} {rate}{burst}{mode} --hashlimit-name x{mask}"
            )
        },
    )
}

fn further_match() -> impl Strategy<Value = String> {
    prop_oneof![
        limit(),
        connlimit(),
        hashlimit(),
        string(),
        length(),
        addrtype()
    ]
}

fn line() -> impl Strategy<Value = String> {
    let interface = |option: &'static str| {
        optional(
            (inverted(), "[a-z0-9]{1,14}\\+?")
                .prop_map(move |(not, name)| format!(" {not}{option} {name}")),
        )
    };
    let interfaces = (
        interface("-i"),
        interface("-o"),
        optional(inverted().prop_map(|not| format!(" {not}-f"))),
    )
        .prop_map(|(incoming, outgoing, fragment)| incoming + &outgoing + &fragment);
    let target = optional(prop_oneof![
        target().prop_map(|target| format!(" -j {target}")),
        prop_oneof![Just("REJECT"), Just("REDIRECT"), Just("REDIRECT --random")]
            .prop_map(|target| format!(" -j {target}")),
        log(),
        ("[jg]", "[a-zA-Z0-9_:./]{1,28}|[ä-ü]{1,14}")
            .prop_map(|(option, chain)| format!(" -{option} {chain}")),
    ]);
    let counters =
        optional(any::<(u64, u64)>().prop_map(|(packets, bytes)| format!(" -c {packets} {bytes}")));
    let matches =
        proptest::collection::vec(prop_oneof![recent(), other_match(), further_match()], 0..4)
            .prop_map(|matches| matches.concat());
    let proxied = synproxy();
    let clamped = prop_oneof![
        Just(" -p tcp -j TCPMSS --clamp-mss-to-pmtu".to_owned()),
        any::<u16>().prop_map(|mss| format!(" -p tcp -j TCPMSS --set-mss {}", mss.max(1))),
    ];
    let other = (
        addresses(),
        interface("-i"),
        prop_oneof![proxied, clamped, translated()],
    )
        .prop_map(|(addresses, interface, synproxy)| {
            format!("-A INPUT{addresses}{interface}{synproxy}")
        });
    let packets = prop_oneof![
        4 => (addresses(), ports()).prop_map(|(addresses, ports)| addresses + &ports),
        1 => icmp(),
    ];
    let usual = (packets, interfaces, matches, target, counters).prop_map(
        |(packets, interfaces, matches, target, counters)| {
            format!("-A INPUT{packets}{interfaces}{matches}{target}{counters}")
        },
    );
    // On the heap: on the stack they are more than a thread of the tests has.
    prop_oneof![18 => usual.boxed(), 2 => other.boxed(), 1 => translated_addresses().boxed()]
}

/// Send a rule to the kernel and back.
fn through_netlink(rule: &Rule) -> Rule {
    let mut request = Writer::default();
    request.nested(change::RULE, |nest| wire::encode_rule(rule, nest));
    let nest = attributes(request.as_bytes()).next().unwrap().unwrap();
    wire::decode_rule(&nest).unwrap()
}

proptest! {
    #[test]
    fn printed_rules_can_be_read(line in line()) {
        let (chain, rules) = rules(&line);
        for rule in rules {
            let printed = save_rule(&chain, &rule, true);
            let (_, read) = super::rules(&printed);
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(save_rule(&chain, &read[0], true), printed);
            prop_assert_eq!(read[0].family, rule.family);
            prop_assert_eq!(&read[0].source, &rule.source);
            prop_assert_eq!(&read[0].destination, &rule.destination);
            prop_assert_eq!(read[0].counters, rule.counters);
        }
    }

    #[test]
    fn sent_rules_can_be_read(line in line()) {
        let (chain, rules) = rules(&line);
        for rule in rules {
            let back = through_netlink(&rule);
            prop_assert_eq!(save_rule(&chain, &back, true), save_rule(&chain, &rule, true));
            prop_assert_eq!(back.family, rule.family);
            prop_assert_eq!(&back.out_interface, &rule.out_interface);
            prop_assert_eq!(back.fragment, rule.fragment);
        }
    }

    #[test]
    fn no_line_makes_the_parser_panic(words in proptest::collection::vec(word(), 0..12)) {
        let _ = parse(&words.join(" "));
    }

    #[test]
    fn no_arguments_make_the_parser_panic(
        words in proptest::collection::vec(prop_oneof![word(), spliced(), any::<String>()], 0..16)
    ) {
        if let Err(error) = parser::parse(words, &Fixed) {
            let said = printable(&error.to_string());
            prop_assert!(!said.is_empty() && !said.contains('\n'), "{said:?}");
        }
    }

    #[test]
    fn no_line_with_a_mistake_makes_the_parser_panic(
        line in line(), at in any::<proptest::sample::Index>(), change in spliced()
    ) {
        let mut words = words(&line);
        let at = at.index(words.len());
        words[at] = change;
        let _ = parser::parse(words, &Fixed);
    }
}

/// An option or a value with something in, before or behind it.
fn spliced() -> impl Strategy<Value = String> {
    (
        word(),
        any::<proptest::sample::Index>(),
        "\\PC{0,3}|=|,|:|/|-|!|\\+",
    )
        .prop_map(|(word, at, other)| {
            let at = at.index(word.chars().count() + 1);
            let (before, after): (Vec<_>, Vec<_>) =
                word.chars().enumerate().partition(|(place, _)| *place < at);
            let text =
                |part: Vec<(usize, char)>| part.into_iter().map(|(_, one)| one).collect::<String>();
            text(before) + &other + &text(after)
        })
}

/// Words that come close to a rule, in no order.
fn word() -> impl Strategy<Value = String> {
    let known = [
        "-A",
        "-I",
        "-R",
        "-N",
        "-X",
        "-E",
        "-g",
        "-o",
        "-f",
        "web",
        "-D",
        "-L",
        "-S",
        "-P",
        "-F",
        "-Z",
        "INPUT",
        "1",
        "0",
        "!",
        "-p",
        "tcp",
        "-m",
        "recent",
        "--set",
        "--name",
        "--dport",
        "22:",
        "icmp",
        "--icmp-type",
        "8/0",
        "echo",
        "conntrack",
        "--ctstate",
        "NEW,",
        "mark",
        "--mark",
        "0x/0",
        "multiport",
        "--ports",
        "comment",
        "--comment",
        "MARK",
        "--set-mark",
        "CT",
        "--notrack",
        "SYNPROXY",
        "--wscale",
        "--window",
        "--until-data",
        "--when-flooded",
        ":",
        "-s",
        "-d",
        "10.0.0.1/8",
        "::1/0",
        ",",
        "-i",
        "+",
        "-j",
        "DROP",
        "-4",
        "-6",
        "-c",
        "-w",
        "--",
        "-",
        "--=",
        "-–x",
        "--json",
        "\"\"",
    ];
    prop_oneof![
        8 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ]
}

#[test]
fn a_rule_without_options_survives() {
    assert_eq!(saved("-A INPUT"), ["-A INPUT"]);
    let (_, rules) = rules("-A INPUT");
    assert_eq!(
        save_rule("INPUT", &through_netlink(&rules[0]), false),
        "-A INPUT"
    );
}

#[test]
fn statistics_are_read_and_are_no_part_of_the_rule() {
    let mut answer = Writer::default();
    answer.nested(change::RULE, |nest| {
        nest.u8(rule::PROTOCOL, 6);
        nest.nested(rule::TARGET, |nest| {
            nest.nested(target::SYNPROXY, |nest| {
                nest.u8(synproxy::WSCALE, 7);
                nest.nested(synproxy::STATISTICS, |nest| {
                    nest.u64(synproxy_statistics::SYNS, u64::MAX);
                    nest.u64(synproxy_statistics::COOKIES_SENT, 4);
                    nest.u64(synproxy_statistics::COOKIES_VALID, 3);
                    nest.u64(synproxy_statistics::COOKIES_INVALID, 2);
                    nest.u64(synproxy_statistics::OUT_OF_FLOW, 1);
                    nest.u64(999, 9);
                });
            });
        });
    });
    let nest = attributes(answer.as_bytes()).next().unwrap().unwrap();
    let decoded = wire::decode_rule(&nest).unwrap();
    assert_eq!(
        save_rule("INPUT", &decoded, false),
        "-A INPUT -p tcp -j SYNPROXY --wscale 7"
    );
    let target = decoded.target.as_ref().unwrap();
    assert_eq!(
        target.json()["statistics"],
        serde_json::json!({
            "syns": u64::MAX,
            "cookies_sent": 4,
            "cookies_valid": 3,
            "cookies_invalid": 2,
            "out_of_flow": 1,
        })
    );
    let sent = through_netlink(&decoded);
    assert!(sent.target.unwrap().json()["statistics"].is_null());
}
