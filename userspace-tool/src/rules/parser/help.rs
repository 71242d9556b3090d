// SPDX-License-Identifier: GPL-2.0

//! What `palisade --help` prints.

use crate::rules::model::extension::ExtensionType;

const OVERVIEW: &str = "\
palisade: rules and recent lists of the Palisade firewall, in iptables' grammar

Usage: palisade [-t TABLE] -A CHAIN RULE            append a rule
       palisade [-t TABLE] -I CHAIN [NUMBER] RULE   insert a rule, at the start or as NUMBER
       palisade [-t TABLE] -R CHAIN NUMBER RULE     replace a rule
       palisade [-t TABLE] -D CHAIN RULE|NUMBER     delete a rule
       palisade [-t TABLE] -C CHAIN RULE            exit with 0 if there is such a rule
       palisade [-t TABLE] -L [CHAIN [NUMBER]]      show chains as tables; -v shows counters
       palisade [-t TABLE] -S [CHAIN [NUMBER]]      show rules as they can be given again
       palisade [-t TABLE] -F [CHAIN]               delete all rules
       palisade [-t TABLE] -P CHAIN ACCEPT|DROP     set what happens where no rule decides
       palisade [-t TABLE] -Z [CHAIN [NUMBER]]      set counters to zero
       palisade [-t TABLE] -N CHAIN                 create a chain that rules can jump to
       palisade [-t TABLE] -X [CHAIN]               delete it, or all; they have to be empty
       palisade [-t TABLE] -E CHAIN NAME            rename it
       palisade save --help                         print the rules for palisade restore
       palisade restore --help                      put the rules of a file into force
       palisade list --help                         work on recent lists
       palisade protect --help                      keep floods of SYNs from servers

-t, --table TABLE                filter (chains INPUT, FORWARD, OUTPUT) if not given, raw
                                 (PREROUTING, OUTPUT), nat (PREROUTING, INPUT, OUTPUT,
                                 POSTROUTING) or mangle (all five)

Rules; a ! before an option inverts it, lists of addresses make a rule for each:
[!] -p, --protocol PROTOCOL      tcp, udp, icmp, icmpv6, a number, a name of /etc/protocols, all
[!] -s, --source ADDR[/MASK],..  source addresses, networks or hosts
[!] -d, --destination ADDR[/MASK],..
[!] -i, --in-interface NAME      where the packet came in; NAME+ stands for any ending
[!] -o, --out-interface NAME     where it goes out; not for packets that are yet to be routed
[!] -f, --fragment               fragments of packets other than the first
    -m, --match MATCH            tcp, udp, icmp, icmpv6, multiport, conntrack, state, mark,
                                 limit, connlimit, string, length, ttl, hl, iprange,
                                 addrtype, comment, recent;
                                 palisade -m MATCH --help shows its options
    -j, --jump TARGET            ACCEPT, DROP, RETURN, REJECT, LOG, MARK, CT, NOTRACK, REDIRECT,
                                 SYNPROXY, TCPMSS, of which palisade -j TARGET --help shows the
                                 options, or a chain, from which packets come back; without it
                                 packets are only counted
    -g, --goto CHAIN             as -j, but packets do not come back to this chain
    -4, --ipv4   -6, --ipv6      for IPv4 or IPv6 only; a rule is for both unless its addresses,
                                 its protocol (icmp, icmpv6) or its matches (ttl, hl, iprange,
                                 addrtype) say otherwise
    -c, --set-counters PACKETS BYTES

Showing:
    -v, --verbose                counters and interfaces
    -x, --exact                  counters without K, M, G
    -n, --numeric                accepted; addresses and ports are always shown as numbers, and
                                 a rule for IPv4 and IPv6 has `any` as an address
        --line-numbers           the positions of the rules
        --json                   as JSON
    -4, -6                       only policies of this family, its rules and those for both

With other commands -4 and -6 mean what is there for this family; a rule for both is left to the other.

-w, --wait [SECONDS]             accepted; there is no lock to wait for
-h, --help   -V, --version

Exit status: 0 success, 1 failure, 2 wrong usage.
";

/// The overview, and the options of the matches and targets that were given.
pub(crate) fn text<'a>(extensions: impl Iterator<Item = &'a ExtensionType>) -> String {
    let mut text = OVERVIEW.to_owned();
    for extension in extensions {
        text += &format!("\n{}:\n{}", extension.name, extension.help());
    }
    text
}
