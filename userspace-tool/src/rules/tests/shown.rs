// SPDX-License-Identifier: GPL-2.0

//! What -L, -S and --json print.

use super::rules;
use crate::{
    netlink::spec::{Table, Verdict},
    rules::{
        model::{
            chain::Chain,
            command::Display,
            family::Family,
            policy::{Policies, Policy},
            rule::Counters,
        },
        print::{self, save_chain, save_rule},
    },
};

fn chain() -> Chain {
    let lines = [
        "-A INPUT -i lo -j ACCEPT -c 5 300",
        "-A INPUT -s 10.0.0.0/8 ! -d 10.0.0.1 -p tcp --dport 22 -j DROP -c 123456 9999999",
        "-A INPUT ! -p udp ! -i eth+ -6",
        "-A INPUT -p tcp ! --sport 1024: --syn -m recent --rcheck --seconds 60 --hitcount 4 --name SSH \
         -m recent ! --update --rdest -j RETURN",
    ];
    let rules = lines.iter().flat_map(|line| rules(line).1);
    Chain {
        table: Table::Filter,
        name: "INPUT".to_owned(),
        policies: Some(Policies::both(
            Verdict::Accept,
            Counters {
                packets: 12,
                bytes: 3456,
            },
        )),
        references: 0,
        length: 4,
        rules: (1..).zip(rules).collect(),
    }
}

#[test]
fn tables_are_those_of_iptables() {
    let expected = "\
Chain INPUT (policy ACCEPT)
target     prot opt source               destination         
ACCEPT     all  --  any                  any                 
DROP       tcp  --  10.0.0.0/8          !10.0.0.1             tcp dpt:22
          !udp  --  ::/0                 ::/0                
RETURN     tcp  --  any                  any                  tcp spts:!1024:65535 \
flags:0x17/0x02 \
recent: CHECK seconds: 60 hit_count: 4 name: SSH side: source ! \
recent: UPDATE name: DEFAULT side: dest
";
    assert_eq!(print::table(&[chain()], &Display::default()), expected);
}

#[test]
fn matches_and_targets_are_shown_as_by_iptables() {
    for (line, expected) in [
        ("-m limit --limit 5/min", "limit: avg 5/min burst 5"),
        ("-m length ! --length 40:60", "length !40:60"),
        (
            "-m iprange ! --src-range 10.0.0.1-10.0.0.9",
            "source IP range ! 10.0.0.1-10.0.0.9",
        ),
        (
            "-m addrtype ! --src-type LOCAL,BROADCAST --limit-iface-in",
            "ADDRTYPE match src-type !LOCAL,BROADCAST limit-in",
        ),
        (
            "-m addrtype --src-type UNICAST ! --dst-type LOCAL --limit-iface-out",
            "ADDRTYPE match src-type UNICAST dst-type !LOCAL limit-out",
        ),
        ("-m ttl ! --ttl-eq 64", "TTL match TTL != 64"),
        ("-m hl --hl-lt 64", "HL match HL < 64"),
        (
            "-m hashlimit --hashlimit-above 3/min --hashlimit-burst 9 --hashlimit-mode srcip,dstport --hashlimit-name a \
             --hashlimit-srcmask 24,64",
            "limit: above 3/min burst 9 mode srcip-dstport name a srcmask /24,64",
        ),
        ("-m connlimit --connlimit-above 3", "#conn src > 3"),
        (
            "-m connlimit --connlimit-upto 3 --connlimit-mask 24 --connlimit-daddr",
            "#conn dst/24 <= 3",
        ),
        (
            "-m string ! --string abc --algo bm --from 1 --to 2 --icase",
            "STRING match !\"abc\" ALGO name bm FROM 1 TO 2 ICASE",
        ),
        (
            "-m string --hex-string |00ff|",
            "STRING match \"|00ff|\" ALGO name kmp",
        ),
        (
            "-p tcp -m tls ! --host *.example.org --alpn h2",
            "tls host:!\"*.example.org\" alpn:h2",
        ),
        (
            "-p tcp -m http --method GET ! --path /",
            "http method:GET path:!/",
        ),
        ("-j REJECT", "reject-with port-unreach"),
        (
            "-j REJECT --reject-with net-unreach",
            "reject-with icmp-net-unreachable",
        ),
        (
            "-j LOG --log-prefix a --log-uid",
            "LOG flags 8 level 4 prefix \"a\"",
        ),
        (
            "-p tcp -j REDIRECT --to-ports 8080 --random",
            "redir ports 8080 random",
        ),
        (
            "-p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90/8000 --random --persistent",
            "to:10.0.0.1-10.0.0.9:80-90/8000 random persistent",
        ),
        (
            "-p tcp -j DNAT --to-destination [2001:db8::1]:80",
            "to:[2001:db8::1]:80",
        ),
        (
            "-j SNAT --to-source 10.0.0.1 --random --random-fully --persistent",
            "to:10.0.0.1 random random-fully persistent",
        ),
        ("-j MASQUERADE --random-fully", "random-fully"),
        (
            "-p tcp -j MASQUERADE --to-ports 1024-2048 --random --random-fully",
            "masq ports: 1024-2048 random random-fully",
        ),
        ("-p tcp -j TCPMSS --set-mss 1400", "TCPMSS set 1400"),
        (
            "-p tcp -j TCPMSS --clamp-mss-to-pmtu",
            "TCPMSS clamp to PMTU",
        ),
        ("-p tcp -j SYNPROXY", "SYNPROXY"),
        (
            "-p tcp -j SYNPROXY --mss 1460 --wscale 7 --timestamp --sack-perm",
            "SYNPROXY sack-perm timestamp wscale 7 mss 1460",
        ),
        (
            "-p tcp -j SYNPROXY --ecn --when-flooded 10/20",
            "SYNPROXY ecn when-flooded 10/20",
        ),
    ] {
        let chain = Chain {
            rules: (1..).zip(rules(&format!("-A INPUT {line}")).1).collect(),
            ..chain()
        };
        let table = print::table(&[chain], &Display::default());
        assert!(
            table.ends_with(&format!(" {expected}\n")),
            "{line}: {table}"
        );
    }
}

#[test]
fn verbose_tables_have_counters_and_interfaces() {
    let mut chain = chain();
    chain.rules.truncate(3);
    let display = Display {
        verbose: true,
        line_numbers: true,
        ..Display::default()
    };
    let expected = "\
Chain INPUT (policy ACCEPT 12 packets, 3456 bytes)
num   pkts bytes target     prot opt in     out     source               destination         
1        5   300 ACCEPT     all  --  lo     *       any                  any                 
2     123K   10M DROP       tcp  --  *      *       10.0.0.0/8          !10.0.0.1             \
tcp dpt:22
3        0     0           !udp  --  !eth+  *       ::/0                 ::/0                
";
    assert_eq!(print::table(&[chain], &display), expected);
}

#[test]
fn exact_counters_are_not_rounded() {
    let mut chain = chain();
    chain.rules.truncate(2);
    let display = Display {
        verbose: true,
        exact: true,
        ..Display::default()
    };
    let expected = "\
Chain INPUT (policy ACCEPT 12 packets, 3456 bytes)
    pkts      bytes target     prot opt in     out     source               destination         
       5        300 ACCEPT     all  --  lo     *       any                  any                 
  123456    9999999 DROP       tcp  --  *      *       10.0.0.0/8          !10.0.0.1             \
tcp dpt:22
";
    assert_eq!(print::table(&[chain], &display), expected);
}

/// A user-defined chain.
fn web() -> Chain {
    let lines = [
        "-A web -i lo -o eth0 -f -j ACCEPT",
        "-A web ! -o eth+ ! -f -p tcp --dport 80 -g ssh",
        "-A web -j ssh -c 1 2",
    ];
    let rules = lines.iter().flat_map(|line| rules(line).1);
    Chain {
        name: "web".to_owned(),
        policies: None,
        references: 3,
        length: 3,
        rules: (1..).zip(rules).collect(),
        ..chain()
    }
}

#[test]
fn user_defined_chains_are_shown_as_iptables_shows_them() {
    let display = Display {
        verbose: true,
        ..Display::default()
    };
    let expected = "\
Chain web (3 references)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 ACCEPT     all  -f  lo     eth0    any                  any                 
    0     0 ssh        tcp  !f  *      !eth+   any                  any                 \
[goto]  tcp dpt:80
    1     2 ssh        all  --  *      *       any                  any                 
";
    assert_eq!(print::table(&[web()], &display), expected);
    assert_eq!(save_chain(&web(), true, None), ["-N web"]);
    let json = print::json(&[web()]);
    assert_eq!(json[0]["policy"], serde_json::Value::Null);
    assert_eq!(json[0]["references"], 3);
    let rule = &json[0]["rules"][1];
    assert_eq!(rule["out_interface"]["value"], "eth+");
    assert_eq!(rule["fragment"], false);
    assert_eq!(rule["target"]["options"]["chain"], "ssh");
    assert_eq!(rule["target"]["options"]["goto"], true);
}

#[test]
fn files_are_those_of_iptables_save() {
    let mut chain = chain();
    chain.rules.truncate(1);
    let expected = format!(
        "\
# Generated by palisade {}
*filter
:INPUT ACCEPT [12:3456]
:web - [0:0]
[5:300] -A INPUT -i lo -j ACCEPT
[0:0] -A web -i lo -o eth0 -f -j ACCEPT
[0:0] -A web ! -o eth+ -p tcp ! -f -m tcp --dport 80 -g ssh
[1:2] -A web -j ssh
COMMIT
",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(print::save_file(&[chain, web()], true, None), expected);
}

#[test]
fn saved_rules_have_counters_if_asked_for() {
    let chain = chain();
    assert_eq!(save_chain(&chain, false, None), ["-P INPUT ACCEPT"]);
    assert_eq!(
        save_chain(&chain, true, None),
        ["-P INPUT ACCEPT -c 12 3456"]
    );
    let saved = chain
        .rules
        .first()
        .map(|(_, rule)| save_rule("INPUT", rule, true));
    assert_eq!(saved.as_deref(), Some("-A INPUT -i lo -c 5 300 -j ACCEPT"));
}

/// Options with what -L shows of them, and what is in the JSON of the first match or the target.
const SHOWN: &[(&str, &str, &str)] = &[
    (
        "-p icmp --icmp-type 8",
        " icmptype 8",
        r#"{"type": 8, "codes": {"first": 0, "last": 255}, "inverted": false}"#,
    ),
    (
        "-p icmp ! --icmp-type 3/4",
        " icmptype !3 code 4",
        r#"{"type": 3, "codes": {"first": 4, "last": 4}, "inverted": true}"#,
    ),
    (
        "-p icmp --icmp-type any",
        " icmptype any",
        r#"{"type": null, "codes": null, "inverted": false}"#,
    ),
    (
        "-p icmpv6 --icmpv6-type 1/2:3",
        " ipv6-icmptype 1 codes 2-3",
        r#"{"type": 1, "codes": {"first": 2, "last": 3}, "inverted": false}"#,
    ),
    (
        "-m state ! --state NEW,INVALID",
        " ! ctstate INVALID,NEW",
        r#"{"states": ["INVALID", "NEW"], "inverted": true}"#,
    ),
    (
        "-m mark --mark 1",
        " mark match 0x1",
        r#"{"value": 1, "mask": 4294967295, "inverted": false}"#,
    ),
    (
        "-m mark ! --mark 1/0xff",
        " mark match ! 0x1/0xff",
        r#"{"value": 1, "mask": 255, "inverted": true}"#,
    ),
    (
        "-p udp -m multiport ! --sports 1,5:7",
        " multiport sports !1,5:7",
        r#"{"ports_of": "source", "inverted": true,
            "ranges": [{"first": 1, "last": 1}, {"first": 5, "last": 7}]}"#,
    ),
    (
        "-m comment --comment \"two words\"",
        " /* two words */",
        r#"{"comment": "two words"}"#,
    ),
    (
        "-j MARK --set-mark 5",
        " MARK set 0x5",
        r#"{"value": 5, "mask": 4294967295}"#,
    ),
    (
        "-j MARK --set-xmark 5/6",
        " MARK xset 0x5/0x6",
        r#"{"value": 5, "mask": 6}"#,
    ),
    (
        "-j MARK --and-mark 5",
        " MARK and 0x5",
        r#"{"value": 0, "mask": 4294967290}"#,
    ),
    (
        "-j MARK --or-mark 5",
        " MARK or 0x5",
        r#"{"value": 5, "mask": 5}"#,
    ),
    (
        "-j MARK --xor-mark 5",
        " MARK xor 0x5",
        r#"{"value": 5, "mask": 0}"#,
    ),
    ("-j NOTRACK", " CT notrack", r#"{"notrack": true}"#),
    (
        "-p tcp -j SYNPROXY --wscale 0 --sack-perm --when-flooded 5",
        " SYNPROXY sack-perm wscale 0 when-flooded 5",
        r#"{"mss": null, "wscale": 0, "sack_perm": true, "timestamp": false, "ecn": false,
            "window": null, "until_data": null, "when_flooded": {"rate": 5, "burst": null},
            "statistics": null}"#,
    ),
    (
        "-p tcp -j SYNPROXY --window 0",
        " SYNPROXY window 0",
        r#"{"mss": null, "wscale": null, "sack_perm": false, "timestamp": false, "ecn": false,
            "window": 0, "until_data": null, "when_flooded": null, "statistics": null}"#,
    ),
];

#[test]
fn matches_and_targets_are_shown() {
    for (options, list, json) in SHOWN {
        let (_, rules) = rules(&format!("-A INPUT {options}"));
        let rule = rules.first().unwrap();
        let extension = rule.matches.first().or(rule.target.as_ref()).unwrap();
        assert_eq!(extension.list(), *list, "{options}");
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(extension.json(), json, "{options}");
    }
}

/// The chain with one policy for IPv4 and another for IPv6.
fn apart() -> Chain {
    let mut chain = chain();
    chain.rules.truncate(3);
    if let Some(policies) = &mut chain.policies {
        policies.ipv6 = Policy {
            verdict: Verdict::Drop,
            counters: Counters {
                packets: 1,
                bytes: 40,
            },
        };
    }
    chain
}

#[test]
fn policies_that_differ_are_shown_apart() {
    let (ipv4, ipv6) = (Some(Family::Ipv4), Some(Family::Ipv6));
    for (family, counters, expected) in [
        (None, false, &["-P INPUT ACCEPT -4", "-P INPUT DROP -6"][..]),
        (
            None,
            true,
            &["-P INPUT ACCEPT -4 -c 12 3456", "-P INPUT DROP -6 -c 1 40"],
        ),
        (ipv4, false, &["-P INPUT ACCEPT -4"]),
        (ipv6, true, &["-P INPUT DROP -6 -c 1 40"]),
    ] {
        assert_eq!(save_chain(&apart(), counters, family), expected);
    }
    assert_eq!(save_chain(&chain(), false, ipv6), ["-P INPUT ACCEPT -6"]);
    let title = |verbose, family| {
        let display = Display {
            verbose,
            family,
            ..Display::default()
        };
        let table = print::table(&[apart()], &display);
        table.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        title(false, None),
        "Chain INPUT (policy ACCEPT for IPv4, DROP for IPv6)"
    );
    assert_eq!(
        title(true, None),
        "Chain INPUT (policy ACCEPT 12 packets, 3456 bytes for IPv4, DROP 1 packets, 40 bytes for IPv6)"
    );
    assert_eq!(
        title(true, ipv6),
        "Chain INPUT (policy DROP 1 packets, 40 bytes)"
    );
    let head = |family| {
        let file = print::save_file(&[apart()], false, family);
        file.lines()
            .filter(|line| line.starts_with([':', '#']))
            .map(|line| line.replace(env!("CARGO_PKG_VERSION"), "V"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        head(None),
        [
            "# Generated by palisade V",
            ":INPUT ACCEPT [12:3456] -4",
            ":INPUT DROP [1:40] -6"
        ]
    );
    assert_eq!(
        head(ipv6),
        [
            "# Generated by palisade V for IPv6 only",
            ":INPUT DROP [1:40]"
        ]
    );
    let json = print::json(&[apart()]);
    assert_eq!(json[0]["policy"], serde_json::Value::Null);
    assert_eq!(json[0]["policies"]["ipv6"]["policy"], "DROP");
    assert_eq!(json[0]["policies"]["ipv4"]["packets"], 12);
    assert_eq!(json[0]["packets"], 13);
}

#[test]
fn json_says_everything() {
    let json = print::json(&[chain()]);
    assert_eq!(json[0]["chain"], "INPUT");
    assert_eq!(json[0]["packets"], 12);
    let rule = &json[0]["rules"][1];
    assert_eq!(rule["position"], 2);
    assert_eq!(rule["family"], "ipv4");
    assert_eq!(rule["protocol"]["value"], "tcp");
    assert_eq!(rule["destination"]["inverted"], true);
    assert_eq!(rule["matches"][0]["options"]["destination"]["first"], 22);
    assert_eq!(rule["target"]["name"], "DROP");
    assert_eq!(
        rule["rule"],
        "-A INPUT -s 10.0.0.0/8 ! -d 10.0.0.1/32 -p tcp -m tcp --dport 22 -j DROP"
    );
    let recent = &json[0]["rules"][3]["matches"][1]["options"];
    assert_eq!(recent["operation"], "check");
    assert_eq!(recent["hits"], 4);
}
