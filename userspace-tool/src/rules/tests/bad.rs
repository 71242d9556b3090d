// SPDX-License-Identifier: GPL-2.0

//! Lines that are wrong, and what is said about them.

use super::parse;
use crate::rules::matches;

const LINES: &[(&str, &str)] = &[
    ("", "no command given: palisade --help shows the commands"),
    (
        "-t filter",
        "no command given: palisade --help shows the commands",
    ),
    ("-A", "-A needs a value"),
    ("-A INPUT -j", "-j needs a value"),
    ("-A INPUT -L", "-A and -L: one command at a time"),
    ("-A INPUT -Z", "-A and -Z: one command at a time"),
    ("-L INPUT -Z INPUT", "-L and -Z: one command at a time"),
    ("-A \"\"", "-A \"\": the name of a chain is empty"),
    ("-A -j DROP", "-A -j: this is not the name of a chain"),
    (
        "-A abcdefghijklmnopqrstuvwxyz012",
        "-A abcdefghijklmnopqrstuvwxyz012: the name of a chain has at most 28 bytes",
    ),
    (
        "-t security -L",
        "-t security: there is no such table: known are raw, filter, nat, mangle",
    ),
    (
        "-t filtre -L",
        "-t filtre: there is no such table: did you mean filter?",
    ),
    ("-L -t raw -t raw", "-t is given twice"),
    // Options.
    (
        "-A INPUT -q",
        "unknown option -q: palisade --help shows the options",
    ),
    (
        "-A INPUT --protocl tcp",
        "unknown option --protocl: did you mean --protocol?",
    ),
    (
        "-A INPUT --xyzzy",
        "unknown option --xyzzy: palisade --help shows the options",
    ),
    (
        "-A INPUT --so 1.2.3.4 -p tcp -m tcp --so 1",
        "--so is ambiguous: it may be --source-port, --source",
    ),
    (
        "--l",
        "--l is ambiguous: it may be --list, --list-rules, --line-numbers",
    ),
    (
        "-A INPUT --numeric=1",
        "--numeric=1: --numeric takes no value",
    ),
    ("-A INPUT foo", "bad argument foo: it belongs to no option"),
    (
        "-S -v INPUT",
        "bad argument INPUT: a chain comes right after -S",
    ),
    (
        "-Z -v INPUT",
        "bad argument INPUT: a chain comes right after -Z",
    ),
    ("-A INPUT --", "bad argument --: it belongs to no option"),
    ("-A INPUT -f -f", "-f is given twice"),
    ("-A INPUT -f x", "bad argument x: it belongs to no option"),
    // Chains.
    ("-N", "-N needs a value"),
    ("-N \"\"", "-N \"\": the name of a chain is empty"),
    ("-N -x", "-N -x: this is not the name of a chain"),
    (
        "-N \"a b\"",
        "-N \"a b\": the name of a chain has no spaces",
    ),
    ("-N ACCEPT", "-N ACCEPT: this is the name of a target"),
    ("-N INPUT", "-N INPUT: this is the name of a built-in chain"),
    (
        "-t raw -N FORWARD",
        "-N FORWARD: this is the name of a built-in chain",
    ),
    (
        "-N abcdefghijklmnopqrstuvwxyz012",
        "-N abcdefghijklmnopqrstuvwxyz012: the name of a chain has at most 28 bytes",
    ),
    ("-N a b", "bad argument b: it belongs to no option"),
    (
        "-N a -j DROP",
        "-j does not go with -N: it describes a rule",
    ),
    ("-X a b", "bad argument b: it belongs to no option"),
    ("-X -n", "-n does not go with -X: it says how to show rules"),
    ("-E a", "-E a: the new name is missing"),
    ("-E a DROP", "-E a DROP: this is the name of a target"),
    (
        "-E a INPUT",
        "-E a INPUT: this is the name of a built-in chain",
    ),
    ("-E a \"\"", "-E a \"\": the name of a chain is empty"),
    (
        "-R INPUT -j DROP",
        "-R INPUT: the position of the rule to replace is missing",
    ),
    (
        "-R INPUT 0 -j DROP",
        "-R INPUT 0: the position of a rule is a number from 1 up",
    ),
    (
        "-R INPUT 1 -s 10.0.0.1,10.0.0.2",
        "-R INPUT 1: a list of addresses makes 2 rules, and one rule can be replaced by one",
    ),
    (
        "-Z INPUT x",
        "-Z INPUT x: the position of a rule is a number from 1 up",
    ),
    (
        "--del x",
        "--del is ambiguous: it may be --delete, --delete-chain",
    ),
    ("-A INPUT -j web -j web", "-j is given twice"),
    ("-A INPUT -j web -g web", "-j and -g: a rule has one target"),
    ("-A INPUT -g \"\"", "-g \"\": the name of a chain is empty"),
    ("-A INPUT -j -x", "-j -x: this is not the name of a chain"),
    (
        "-A INPUT -j abcdefghijklmnopqrstuvwxyz012",
        "-j abcdefghijklmnopqrstuvwxyz012: the name of a chain has at most 28 bytes",
    ),
    ("-A INPUT ! -g web", "! -g: -g cannot be inverted"),
    ("-w x -L", "bad argument x: it belongs to no option"),
    ("-wx -L", "-w x: the time to wait is a number of seconds"),
    // What goes with what.
    ("-L -p tcp", "-p does not go with -L: it describes a rule"),
    ("-F -j DROP", "-j does not go with -F: it describes a rule"),
    (
        "-A INPUT --line-numbers",
        "--line-numbers does not go with -A: it says how to show rules",
    ),
    (
        "-F --json",
        "--json does not go with -F: it says how to show rules",
    ),
    ("-Z -c 1 2", "-c does not go with -Z"),
    (
        "-D INPUT 1 -p tcp",
        "-p does not go with -D and a number: the number says which rule",
    ),
    (
        "-I INPUT x",
        "-I INPUT x: the position of a rule is a number from 1 up",
    ),
    (
        "-I INPUT 0",
        "-I INPUT 0: the position of a rule is a number from 1 up",
    ),
    (
        "-D INPUT 99999999999",
        "-D INPUT 99999999999: the position of a rule is a number from 1 up",
    ),
    (
        "-L INPUT x",
        "-L INPUT x: the position of a rule is a number from 1 up",
    ),
    (
        "-P INPUT",
        "-P INPUT: the policy is missing: ACCEPT or DROP",
    ),
    (
        "-P INPUT RETURN",
        "-P INPUT RETURN: a policy is ACCEPT or DROP",
    ),
    // Inversion.
    ("-A INPUT ! ! -p tcp", "! follows !: one is enough"),
    (
        "-A INPUT -p tcp !",
        "! stands at the end: write it before an option",
    ),
    ("-A INPUT ! -j DROP", "! -j: -j cannot be inverted"),
    ("-A INPUT ! -p ! tcp", "! -p !: one ! is enough"),
    (
        "-A INPUT -m recent ! --name x",
        "! --name: --name cannot be inverted",
    ),
    ("-A INPUT ! -p all", "! -p all: no packet matches this"),
    // Protocols.
    (
        "-A INPUT -p tpc",
        "-p tpc: unknown protocol: did you mean tcp?",
    ),
    (
        "-A INPUT -p xyz",
        "-p xyz: unknown protocol: known are tcp, udp, udplite, icmp, ipv6-icmp, icmpv6, esp, \
         ah, sctp, ipv6-mh, mh, all",
    ),
    (
        "-A INPUT -p 256",
        "-p 256: the number of a protocol is at most 255",
    ),
    ("-A INPUT -p tcp -p udp", "-p is given twice"),
    // Families and addresses.
    (
        "-4 -6 -A INPUT",
        "-4 and -6: give one, or neither for both IPv4 and IPv6",
    ),
    (
        "-4 -A INPUT -s ::1",
        "-4 is for IPv4 and -s ::1 is for IPv6: no packet is both",
    ),
    (
        "-A INPUT -p icmpv6 -d 10.0.0.1",
        "-p ipv6-icmp is for IPv6 and -d 10.0.0.1 is for IPv4: no packet is both",
    ),
    (
        "-6 -A INPUT -p icmp",
        "-6 is for IPv6 and -p icmp is for IPv4: no packet is both",
    ),
    (
        "-A INPUT -s 10.0.0.1 -d ::1",
        "-s 10.0.0.1 is for IPv4 and -d ::1 is for IPv6: no packet is both",
    ),
    (
        "-A INPUT -s 10.0.0.1,::1 -d ::1,::2",
        "-s 10.0.0.1 is for IPv4 and -d ::1 and -d ::2 is for IPv6: no packet is both",
    ),
    (
        "-A INPUT ! -s 10.0.0.1,10.0.0.2",
        "! -s 10.0.0.1,10.0.0.2: ! goes with one address, these are 2: use a rule for each",
    ),
    (
        "-A INPUT ! -s two.example",
        "! -s two.example: ! goes with one address, these are 2: use a rule for each",
    ),
    (
        "-A INPUT -s 10.0.0.0/33",
        "-s 10.0.0.0/33: the mask has to be a number up to 32 or an address, not 33",
    ),
    (
        "-A INPUT -s ::/ffff:0:0:0:0:0:0:0:0",
        "-s ::/ffff:0:0:0:0:0:0:0:0: the mask has to be a \
      number up to 128 or an address, not ffff:0:0:0:0:0:0:0:0",
    ),
    (
        "-A INPUT -s 10.0.0.0/ffff::",
        "-s 10.0.0.0/ffff::: the mask ffff:: is not one for IPv4",
    ),
    (
        "-A INPUT -s 10.0.0.256",
        "-s 10.0.0.256: this is neither an address nor the name of a host",
    ),
    (
        "-A INPUT -s 10.0.0.1,",
        "-s \"\": this is neither an address nor the name of a host",
    ),
    (
        "-A INPUT -s nowhere.example",
        "-s nowhere.example: cannot find the addresses of the host nowhere.example: no such host",
    ),
    (
        "-6 -A INPUT -s one.example",
        "-s one.example: the host one.example has no IPv6 address",
    ),
    ("-A INPUT -s ::1 -s ::2", "-s is given twice"),
    // Interfaces.
    (
        "-A INPUT -i \"\"",
        "-i \"\": the name of an interface is empty",
    ),
    (
        "-A INPUT -i abcdefghijklmnop",
        "-i abcdefghijklmnop: the name of an interface has at most 15 bytes",
    ),
    (
        "-A INPUT ! -i a/b",
        "! -i a/b: the name of an interface has no space or slash",
    ),
    ("-A INPUT -o eth0 -o eth1", "-o is given twice"),
    (
        "-A INPUT -o \"\"",
        "-o \"\": the name of an interface is empty",
    ),
    // Matches and targets.
    (
        "-A INPUT -m recnt",
        "-m recnt: there is none of this name: did you mean recent?",
    ),
    (
        "-A INPUT -m limt",
        "-m limt: there is none of this name: did you mean limit?",
    ),
    ("-A INPUT -j DROP -j DROP", "-j is given twice"),
    (
        "-A INPUT -c 1",
        "-c 1: counters are two numbers, packets and bytes",
    ),
    (
        "-A INPUT -c 1 x",
        "-c 1: counters are two numbers, packets and bytes",
    ),
    // Ports.
    (
        "-A INPUT --dport 22",
        "unknown option --dport: give -p tcp or -p udp before it",
    ),
    (
        "-A INPUT ! -p tcp --dport 22",
        "unknown option --dport: give -p tcp or -p udp before it",
    ),
    (
        "-A INPUT -m tcp --dport 22",
        "-m tcp: needs -p tcp in the same rule",
    ),
    (
        "-A INPUT -p udp -m tcp",
        "-m tcp: needs -p tcp in the same rule",
    ),
    (
        "-A INPUT ! -p tcp -m tcp",
        "-m tcp: needs -p tcp in the same rule",
    ),
    (
        "-A INPUT -p tcp --dport 65536",
        "--dport 65536: a port is at most 65535, not 65536",
    ),
    (
        "-A INPUT -p tcp --dport \"\"",
        "--dport \"\": the port is missing",
    ),
    (
        "-A INPUT -p tcp --dport 5:4",
        "--dport 5:4: the range ends before it starts",
    ),
    (
        "-A INPUT -p tcp --dport nosuch",
        "--dport nosuch: there is no tcp service nosuch in /etc/services: give a number",
    ),
    (
        "-A INPUT -p tcp --dport -1",
        "--dport -1: there is no tcp service -1 in /etc/services: give a number",
    ),
    (
        "-A INPUT -p tcp --dport 1 --dport 2",
        "--dport 2: was given before",
    ),
    (
        "-A INPUT -p tcp --dports 22",
        "unknown option --dports: give -m multiport before it",
    ),
    // TCP flags.
    (
        "-A INPUT -p udp --syn",
        "unknown option --syn: give -p tcp before it",
    ),
    (
        "-A INPUT -p tcp --tcp-flags SYN",
        "--tcp-flags needs 2 values",
    ),
    (
        "-A INPUT -p tcp --tcp-flags SYN -j",
        "--tcp-flags needs 2 values",
    ),
    (
        "-A INPUT -p tcp --tcp-flags SYN,ACK SYN,FIN",
        "--tcp-flags SYN,ACK SYN,FIN: FIN has to be among the flags that are looked at, the first \
         ones",
    ),
    (
        "-A INPUT -p tcp --tcp-flags SIN SYN",
        "--tcp-flags SIN SYN: there is no flag \"SIN\": known are FIN, SYN, RST, PSH, ACK, URG, \
         ECE, CWR, ALL, NONE",
    ),
    (
        "-A INPUT -p tcp --syn --syn",
        "--syn: --tcp-flags or --syn was given before",
    ),
    // Recent.
    (
        "-A INPUT --set",
        "unknown option --set: give -m recent before it",
    ),
    (
        "-A INPUT -m recent --set --update",
        "--update: --set was given before, and one -m recent does one thing: give a second one",
    ),
    (
        "-A INPUT -m recent --set --set",
        "--set: --set was given before, and one -m recent does one thing: give a second one",
    ),
    (
        "-A INPUT -m recent --set --seconds 1",
        "-m recent: --seconds goes with --rcheck or --update, not with --set",
    ),
    (
        "-A INPUT -m recent --remove --hitcount 1",
        "-m recent: --hitcount goes with --rcheck or --update, not with --remove",
    ),
    (
        "-A INPUT -m recent --hitcount 0",
        "--hitcount 0: this has to be a number from 1 to 65535",
    ),
    (
        "-A INPUT -m recent --hitcount 65536",
        "--hitcount 65536: this has to be a number from 1 to 65535",
    ),
    (
        "-A INPUT -m recent --seconds 1s",
        "--seconds 1s: this has to be a number from 1 to 4294967295",
    ),
    (
        "-A INPUT -m recent --seconds +1",
        "--seconds +1: this has to be a number from 1 to 4294967295",
    ),
    ("-A INPUT -m recent --seconds", "--seconds needs a value"),
    (
        "-A INPUT -m recent --name \"\"",
        "--name \"\": the name of a list is empty",
    ),
    (
        "-A INPUT -m recent --name a --name b",
        "--name b: was given before",
    ),
    (
        "-A INPUT -m recent --rsource --rdest",
        "--rdest: --rsource, --rdest or --rport was given before",
    ),
    (
        "-A INPUT -m recent --mask 24",
        "--mask 24: a mask is such as 255.255.255.0 or ffff:ffff::, or such as 24,64 for both",
    ),
    (
        "-A INPUT -m recent --mask 33,64",
        "--mask 33,64: a prefix length of IPv4 is a number from 0 to 32",
    ),
    (
        "-A INPUT -m recent --mask 24,129",
        "--mask 24,129: a prefix length of IPv6 is a number from 0 to 128",
    ),
    (
        "-A INPUT -m recent --mask 24,",
        "--mask 24,: a prefix length of IPv6 is a number from 0 to 128",
    ),
    (
        "-A INPUT -m recent --mask 255.255.255.0,64",
        "--mask 255.255.255.0,64: a prefix length of IPv4 is a number from 0 to 32",
    ),
    (
        "-A INPUT -m recent --mask 24,64,64",
        "--mask 24,64,64: a prefix length of IPv6 is a number from 0 to 128",
    ),
    (
        "-A INPUT -m recent --set --rttl",
        "-m recent: --rttl goes with --rcheck, --update or --remove, not with --set",
    ),
    (
        "-A INPUT -m recent --remove --reap",
        "-m recent: --reap goes with --rcheck or --update, not with --remove",
    ),
    (
        "-A INPUT -m recent --update --reap",
        "-m recent: --reap needs --seconds",
    ),
    (
        "-A INPUT -m recent --rttl --rttl",
        "--rttl: was given before",
    ),
    // ICMP.
    (
        "-A INPUT --icmp-type 8",
        "unknown option --icmp-type: give -p icmp before it",
    ),
    (
        "-A INPUT -p icmp --icmpv6-type 8",
        "unknown option --icmpv6-type: give -p icmpv6 before it",
    ),
    (
        "-A INPUT -m icmp --icmp-type 8",
        "-m icmp: needs -p icmp in the same rule",
    ),
    (
        "-A INPUT ! -p icmp -m icmp --icmp-type 8",
        "-m icmp: needs -p icmp in the same rule",
    ),
    (
        "-A INPUT -p icmp -m icmpv6 --icmpv6-type 128",
        "-m icmpv6: needs -p icmpv6 in the same rule",
    ),
    ("-A INPUT -p icmp -m icmp", "-m icmp: needs --icmp-type"),
    (
        "-6 -A INPUT -p icmp --icmp-type 8",
        "-6 is for IPv6 and -p icmp is for IPv4: no packet is both",
    ),
    (
        "-A INPUT -p icmp --icmp-type 256",
        "--icmp-type 256: a type is a number up to 255",
    ),
    (
        "-A INPUT -p icmp --icmp-type 3/",
        "--icmp-type 3/: a code is a number up to 255",
    ),
    (
        "-A INPUT -p icmp --icmp-type 3/+1",
        "--icmp-type 3/+1: a code is a number up to 255",
    ),
    (
        "-A INPUT -p icmp --icmp-type 3/4:3",
        "--icmp-type 3/4:3: the range of codes ends before it starts",
    ),
    (
        "-A INPUT -p icmp --icmp-type ecko-request",
        "--icmp-type ecko-request: unknown type: give a number or a name: did you mean echo-request?",
    ),
    (
        "-A INPUT -p icmp --icmp-type echo",
        "--icmp-type echo: it may be echo-reply or echo-request",
    ),
    (
        "-A INPUT -p icmp --icmp-type 8 --icmp-type 0",
        "--icmp-type 0: was given before",
    ),
    // Connection tracking.
    (
        "-A INPUT --ctstate NEW",
        "unknown option --ctstate: give -m conntrack before it",
    ),
    ("-A INPUT -m conntrack", "-m conntrack: needs --ctstate"),
    ("-A INPUT -m state", "-m state: needs --state"),
    (
        "-A INPUT -m conntrack --ctstate NWE",
        "--ctstate NWE: there is no state \"NWE\": did you mean NEW?",
    ),
    (
        "-A INPUT -m conntrack --ctstate NEW,",
        "--ctstate NEW,: there is no state \"\": known are INVALID, NEW, RELATED, ESTABLISHED, \
         UNTRACKED, SNAT, DNAT",
    ),
    (
        "-A INPUT -m state --state DNAT",
        "--state DNAT: there is no state \"DNAT\": known are INVALID, NEW, RELATED, ESTABLISHED, \
         UNTRACKED",
    ),
    (
        "-A INPUT -m conntrack --ctstate NEW --ctstate NEW",
        "--ctstate NEW: was given before",
    ),
    // Marks.
    ("-A INPUT -m mark", "-m mark: needs --mark"),
    (
        "-A INPUT -m mark --mark 0x1ffffffff",
        "--mark 0x1ffffffff: a mark is a number up to 4294967295 or 0xffffffff",
    ),
    (
        "-A INPUT -m mark --mark 1/",
        "--mark 1/: a mark is a number up to 4294967295 or 0xffffffff",
    ),
    (
        "-A INPUT -m mark --mark +1",
        "--mark +1: a mark is a number up to 4294967295 or 0xffffffff",
    ),
    (
        "-A INPUT --set-mark 1",
        "unknown option --set-mark: give -j MARK before it",
    ),
    (
        "-A INPUT -j MARK",
        "-j MARK: needs --set-mark, --set-xmark, --and-mark, --or-mark or --xor-mark",
    ),
    (
        "-A INPUT -j MARK --and-mark 1/2",
        "--and-mark 1/2: a mark is a number up to 4294967295 or 0xffffffff",
    ),
    (
        "-A INPUT -j MARK --set-mark 1 --or-mark 2",
        "--or-mark 2: one -j MARK does one thing: give a second rule",
    ),
    (
        "-A INPUT -j MARK ! --set-mark 1",
        "! --set-mark: --set-mark cannot be inverted",
    ),
    // Multiport.
    (
        "-A INPUT -m multiport --dports 1,2",
        "-m multiport: needs -p tcp, udp, udplite, sctp or dccp in the same rule",
    ),
    (
        "-A INPUT ! -p tcp -m multiport --dports 1,2",
        "-m multiport: needs -p tcp, udp, udplite, sctp or dccp in the same rule",
    ),
    (
        "-A INPUT -p tcp -m multiport",
        "-m multiport: needs --sports, --dports or --ports",
    ),
    (
        "-A INPUT -p tcp -m multiport --sports 1 --dports 2",
        "--dports 2: --sports, --dports or --ports was given before",
    ),
    (
        "-A INPUT -p tcp -m multiport --dports 1,65536",
        "-m multiport: --dports 1,65536: a port is at most 65535, not 65536",
    ),
    (
        "-A INPUT -p tcp -m multiport --dports 1,,2",
        "-m multiport: --dports 1,,2: the port is missing",
    ),
    (
        "-A INPUT -p tcp -m multiport --dports 1,3:2",
        "-m multiport: --dports 1,3:2: the range ends before it starts",
    ),
    (
        "-A INPUT -p udp -m multiport --ports domain,ssh",
        "-m multiport: --ports domain,ssh: there is no udp service ssh in /etc/services: give a \
         number",
    ),
    (
        "-A INPUT -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
        "-m multiport: --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16: at most 15 ports or ranges \
         fit in, these are 16: use a second rule",
    ),
    // Comments.
    ("-A INPUT -m comment", "-m comment: needs --comment"),
    (
        "-A INPUT -m comment ! --comment x",
        "! --comment: --comment cannot be inverted",
    ),
    (
        "-A INPUT -m comment --comment \"a\tb\"",
        "--comment \"a?b\": a comment cannot hold control characters",
    ),
    // Passing connection tracking by.
    ("-t raw -A PREROUTING -j CT", "-j CT: needs --notrack"),
    (
        "-t raw -A PREROUTING --notrack",
        "unknown option --notrack: give -j CT before it",
    ),
    (
        "-t raw -A PREROUTING -j NOTRACK --notrack",
        "unknown option --notrack: give -j CT before it",
    ),
    // Limit.
    (
        "-A INPUT --limit 5/s",
        "unknown option --limit: give -m limit before it",
    ),
    (
        "-A INPUT -m limit ! --limit 5/s",
        "! --limit: --limit cannot be inverted",
    ),
    (
        "-A INPUT -m limit --limit 5/week",
        "--limit 5/week: a rate is a number of packets and /second, /minute, /hour or /day, such as \
         3/hour",
    ),
    (
        "-A INPUT -m limit --limit 5/",
        "--limit 5/: a rate is a number of packets and /second, /minute, /hour or /day, such as \
         3/hour",
    ),
    (
        "-A INPUT -m limit --limit 0/s",
        "--limit 0/s: a rate is a number of packets and /second, /minute, /hour or /day, such as \
         3/hour",
    ),
    (
        "-A INPUT -m limit --limit 10001/s",
        "--limit 10001/s: a rate is of at most 10000 packets in its unit",
    ),
    (
        "-A INPUT -m limit --limit 99999999999999999999/s",
        "--limit 99999999999999999999/s: a rate is a number of packets and /second, /minute, \
         /hour or /day, such as 3/hour",
    ),
    (
        "-A INPUT -m limit --limit 18446744073709551615/d",
        "--limit 18446744073709551615/d: a rate is of at most 10000 packets in its unit",
    ),
    (
        "-A INPUT -m limit --limit-burst 0",
        "--limit-burst 0: this has to be a number from 1 to 10000",
    ),
    (
        "-A INPUT -m limit --limit 1/s --limit 2/s",
        "--limit 2/s: was given before",
    ),
    // Ranges of addresses.
    (
        "-A INPUT -m iprange",
        "-m iprange: needs --src-range or --dst-range",
    ),
    (
        "-A INPUT -m iprange --src-range 10.0.0.9-10.0.0.1",
        "--src-range 10.0.0.9-10.0.0.1: the range of addresses ends before it starts",
    ),
    (
        "-A INPUT -m iprange --src-range 10.0.0.1-",
        "--src-range 10.0.0.1-: a range is such as 192.0.2.1-192.0.2.9 or 2001:db8::1-2001:db8::9",
    ),
    (
        "-A INPUT -m iprange --src-range 10.0.0.1-fd00::1",
        "--src-range 10.0.0.1-fd00::1: both ends of a range have to be of one IP version",
    ),
    (
        "-A INPUT -m iprange --src-range 10.0.0.1 --dst-range fd00::1",
        "-m iprange: --src-range is for IPv4 and --dst-range is for IPv6: no packet is both",
    ),
    (
        "-A INPUT -s fd00::1 -m iprange --src-range 10.0.0.1",
        "-m iprange --src-range 10.0.0.1-10.0.0.1 is for IPv4 and -s fd00::1 is for IPv6: no packet is both",
    ),
    // Types of addresses.
    (
        "-A INPUT -m addrtype",
        "-m addrtype: needs --src-type or --dst-type",
    ),
    (
        "-A INPUT -m addrtype --limit-iface-in",
        "-m addrtype: needs --src-type or --dst-type",
    ),
    (
        "-A INPUT -m addrtype --dst-type LOCL",
        "--dst-type LOCL: there is no address type \"LOCL\": did you mean LOCAL?",
    ),
    (
        "-A INPUT -m addrtype --dst-type LOCAL,",
        "--dst-type LOCAL,: there is no address type \"\": known are UNSPEC, UNICAST, LOCAL, BROADCAST, ANYCAST, \
         MULTICAST, BLACKHOLE, UNREACHABLE, PROHIBIT, THROW, NAT, XRESOLVE",
    ),
    (
        "-A INPUT -m addrtype --src-type LOCAL --src-type UNICAST",
        "--src-type UNICAST: was given before",
    ),
    (
        "-A FORWARD -m addrtype --src-type LOCAL --limit-iface-in --limit-iface-out",
        "-m addrtype: --limit-iface-in and --limit-iface-out exclude each other",
    ),
    (
        "-A FORWARD -m addrtype --src-type LOCAL ! --limit-iface-in",
        "! --limit-iface-in: --limit-iface-in cannot be inverted",
    ),
    (
        "-A INPUT -6 -m addrtype --dst-type LOCAL,BROADCAST",
        "-6 is for IPv6 and -m addrtype --dst-type LOCAL,BROADCAST is for IPv4: no packet is both",
    ),
    (
        "-A INPUT -s fd00::1 -m addrtype --src-type PROHIBIT",
        "-m addrtype --src-type PROHIBIT is for IPv4 and -s fd00::1 is for IPv6: no packet is both",
    ),
    // TTLs and hop limits.
    (
        "-A INPUT -m ttl",
        "-m ttl: needs --ttl-eq, --ttl-lt or --ttl-gt",
    ),
    (
        "-A INPUT -m ttl --ttl-eq 256",
        "--ttl-eq 256: this has to be a number from 0 to 255",
    ),
    (
        "-A INPUT -m ttl ! --ttl-lt 1",
        "! --ttl-lt: --ttl-lt cannot be inverted",
    ),
    (
        "-A INPUT -m hl --hl-lt 2 --hl-gt 3",
        "--hl-gt 3: --hl-eq, --hl-lt or --hl-gt was given before",
    ),
    (
        "-A INPUT -6 -m ttl --ttl-eq 64",
        "-6 is for IPv6 and -m ttl --ttl-eq 64 is for IPv4: no packet is both",
    ),
    // Lengths.
    ("-A INPUT -m length", "-m length: needs --length"),
    (
        "-A INPUT -m length --length 65536",
        "--length 65536: this has to be a number from 0 to 65535",
    ),
    (
        "-A INPUT -m length --length 60:40",
        "--length 60:40: the range ends before it starts",
    ),
    // Connlimit.
    (
        "-A INPUT -m connlimit",
        "-m connlimit: needs --connlimit-above or --connlimit-upto",
    ),
    (
        "-A INPUT -m connlimit --connlimit-above x",
        "--connlimit-above x: this has to be a number from 0 to 4294967295",
    ),
    (
        "-A INPUT -m connlimit --connlimit-above 1 --connlimit-upto 2",
        "--connlimit-upto 2: --connlimit-above or --connlimit-upto was given before",
    ),
    (
        "-A INPUT -m connlimit --connlimit-above 1 --connlimit-mask 129",
        "--connlimit-mask 129: this has to be a number from 0 to 128",
    ),
    (
        "-A INPUT -m connlimit --connlimit-above 1 --connlimit-saddr --connlimit-daddr",
        "--connlimit-daddr: --connlimit-saddr or --connlimit-daddr was given before",
    ),
    (
        "-A INPUT -4 -m connlimit --connlimit-above 1 --connlimit-mask 64",
        "-4 is for IPv4 and -m connlimit --connlimit-above 1 --connlimit-mask 64 --connlimit-saddr \
         is for IPv6: no packet is both",
    ),
    // Hashlimit.
    (
        "-A INPUT -m hashlimit --hashlimit-name a",
        "-m hashlimit: needs --hashlimit-upto or --hashlimit-above",
    ),
    (
        "-A INPUT -m hashlimit --hashlimit-upto 1",
        "-m hashlimit: needs --hashlimit-name NAME: rules of one name share their rates",
    ),
    (
        "-A INPUT -m hashlimit --hashlimit-upto 1000001/s --hashlimit-name a",
        "--hashlimit-upto 1000001/s: a rate is of at most 1000000 packets in a second",
    ),
    (
        "-A INPUT -m hashlimit --hashlimit-upto 1kb/m --hashlimit-name a",
        "--hashlimit-upto 1kb/m: a rate is a number of packets and /second, /minute, /hour or /day, such as \
         3/hour, or of bytes in a second, such as 512kb/s",
    ),
    (
        "-A INPUT -m hashlimit --hashlimit-upto 1kb/s --hashlimit-burst 5 --hashlimit-name a",
        "-m hashlimit: --hashlimit-burst 5 does not go with the rate 1kb/s: both are packets, or both bytes",
    ),
    (
        "-A INPUT -m hashlimit --hashlimit-upto 1 --hashlimit-burst 0 --hashlimit-name a",
        "--hashlimit-burst 0: a burst is a number of packets from 1 to 1000000, or of bytes, such as 1mb",
    ),
    (
        "-A INPUT -m hashlimit --hashlimit-upto 1 --hashlimit-mode src --hashlimit-name a --hashlimit-mode dstip",
        "--hashlimit-mode dstip: was given before",
    ),
    (
        "-A INPUT -m hashlimit --hashlimit-upto 1 --hashlimit-name a --hashlimit-srcmask 33,1",
        "--hashlimit-srcmask 33,1: this has to be a number from 0 to 32",
    ),
    // String.
    (
        "-A INPUT -m string",
        "-m string: needs --string or --hex-string",
    ),
    (
        "-A INPUT -m string --string \"\"",
        "--string \"\": there is nothing to search for",
    ),
    (
        "-A INPUT -m string --string **",
        "-m string: without --algo a * at the end of --string is left out, and this leaves nothing: \
         give --algo kmp to search for a *",
    ),
    (
        "-A INPUT -m string --string a --hex-string |00|",
        "--hex-string \"|00|\": --string or --hex-string was given before",
    ),
    (
        "-A INPUT -m string --hex-string |0|",
        "--hex-string \"|0|\": a byte between bars has two hexadecimal digits",
    ),
    (
        "-A INPUT -m string --hex-string |00",
        "--hex-string \"|00\": a bar at the end is missing",
    ),
    (
        "-A INPUT -m string --hex-string a\\",
        "--hex-string \"a\\\\\": a backslash stands at the end",
    ),
    (
        "-A INPUT -m string --string a --algo regex",
        "--algo regex: there are bm and kmp",
    ),
    (
        "-A INPUT -m string --string a --from 65536",
        "--from 65536: this has to be a number from 0 to 65535",
    ),
    (
        "-A INPUT -m string --string a --from 9 --to 8",
        "-m string: --from 9 is behind --to 8",
    ),
    // TLS and HTTP.
    ("-A INPUT -m tls", "-m tls: needs -p tcp in the same rule"),
    (
        "-A INPUT -p tcp -m tls --host example.org:443",
        "--host example.org:443: a ClientHello has no port: --dport asks for it",
    ),
    (
        "-A INPUT -p tcp -m tls --host bücher.example",
        "--host bücher.example: names of hosts are sent in ASCII, such as xn--bcher-kva.example",
    ),
    (
        "-A INPUT -p tcp -m tls --alpn \"\"",
        "--alpn \"\": there is nothing to compare with",
    ),
    (
        "-A INPUT -p tcp -m tls --host .",
        "--host .: there is nothing to compare with",
    ),
    (
        "-A INPUT -p tcp -m tls --hosts-file /nowhere/hosts",
        "--hosts-file /nowhere/hosts: cannot be read: No such file or directory (os error 2)",
    ),
    (
        "-A INPUT -p tcp -m tls --hosts-file /dev/null",
        "--hosts-file /dev/null: this is no regular file",
    ),
    (
        "-A INPUT -p udp -m http",
        "-m http: needs -p tcp in the same rule",
    ),
    (
        "-A INPUT -p tcp -m http --path api",
        "--path api: a path begins with / or *",
    ),
    (
        "-A INPUT -p tcp -m http --path /a?b=c",
        "--path \"/a?b=c\": the path ends before the query",
    ),
    (
        "-A INPUT -p tcp -m http --method GET --method HEAD",
        "--method HEAD: was given before",
    ),
    // Log.
    (
        "-A INPUT -j LOG --log-level 8",
        "--log-level 8: a level is a number from 0 to 7, or emerg, alert, crit, error, warning, \
         notice, info or debug",
    ),
    (
        "-A INPUT -j LOG --log-prefix 123456789012345678901234567890",
        "--log-prefix 123456789012345678901234567890: a prefix has at most 29 bytes, this one has 30",
    ),
    (
        "-A INPUT -j LOG --log-prefix \"a\nb\"",
        "--log-prefix \"a?b\": a prefix cannot hold control characters",
    ),
    (
        "-A INPUT --log-prefix a",
        "unknown option --log-prefix: give -j LOG before it",
    ),
    // Reject.
    (
        "-A INPUT -j REJECT --reject-with icmp-host-prohibitted",
        "--reject-with icmp-host-prohibitted: there is no such kind: did you mean \
         icmp-host-prohibited?",
    ),
    (
        "-A INPUT -j REJECT --reject-with tcp-reset",
        "-j REJECT: --reject-with tcp-reset needs -p tcp in the same rule",
    ),
    (
        "-A INPUT ! -p tcp -j REJECT --reject-with tcp-reset",
        "-j REJECT: --reject-with tcp-reset needs -p tcp in the same rule",
    ),
    (
        "-6 -A INPUT -j REJECT --reject-with icmp-host-prohibited",
        "-6 is for IPv6 and -j REJECT --reject-with icmp-host-prohibited is for IPv4: no packet is \
         both",
    ),
    (
        "-A INPUT -s 10.0.0.1 -j REJECT --reject-with no-route",
        "-j REJECT --reject-with icmp6-no-route is for IPv6 and -s 10.0.0.1 is for IPv4: no packet \
         is both",
    ),
    // Redirect.
    (
        "-t nat -A PREROUTING -j REDIRECT --to-ports 80",
        "-j REDIRECT: --to-ports needs -p tcp, or another protocol that has ports, in the same rule",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 80-79",
        "--to-ports 80-79: the range of ports ends before it starts",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 0",
        "--to-ports 0: there is no port 0",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 65536",
        "--to-ports 65536: a port is at most 65535, not 65536",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j REDIRECT --to-ports nosuch",
        "--to-ports nosuch: there is no service nosuch in /etc/services: give a number",
    ),
    // DNAT, SNAT and MASQUERADE.
    (
        "-t nat -A PREROUTING -j DNAT",
        "-j DNAT: needs --to-destination",
    ),
    (
        "-t nat -A POSTROUTING -j SNAT --random",
        "-j SNAT: needs --to-source",
    ),
    (
        "-t nat -A PREROUTING -j DNAT --to-destination 10.0.0.1:80",
        "-j DNAT: --to-destination with a port needs -p tcp, or another protocol that has ports, in \
         the same rule",
    ),
    (
        "-t nat -A POSTROUTING -p icmp -j SNAT --to-source :1-9",
        "-j SNAT: --to-source with a port needs -p tcp, or another protocol that has ports, in the \
         same rule",
    ),
    (
        "-t nat -A POSTROUTING -j MASQUERADE --to-ports 1024-2048",
        "-j MASQUERADE: --to-ports needs -p tcp, or another protocol that has ports, in the same rule",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.9-10.0.0.1:80",
        "--to-destination 10.0.0.9-10.0.0.1:80: the range of addresses ends before it starts",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:80-79",
        "--to-destination 10.0.0.1:80-79: the range of ports ends before it starts",
    ),
    (
        "-t nat -A PREROUTING -j DNAT --to-destination 10.0.0.1-2001:db8::1",
        "--to-destination 10.0.0.1-2001:db8::1: both ends of a range have to be of one IP version",
    ),
    (
        "-t nat -A PREROUTING -j DNAT --to-destination 2001:db8::1-10.0.0.1",
        "--to-destination 2001:db8::1-10.0.0.1: both ends of a range have to be of one IP version",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:80:90",
        "--to-destination 10.0.0.1:80:90: a range of ports has a hyphen, as in :8000-8010",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination [10.0.0.1]:80",
        "--to-destination \"[10.0.0.1]:80\": brackets are for IPv6 addresses",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination [2001:db8::1:80",
        "--to-destination \"[2001:db8::1:80\": the ] behind the address is missing",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination [2001:db8::1]80",
        "--to-destination \"[2001:db8::1]80\": this is such as 192.0.2.1, 192.0.2.1:80, \
         192.0.2.1-192.0.2.9, :8000-8010 or [2001:db8::1]:80",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination 8080",
        "--to-destination 8080: this is such as 192.0.2.1, 192.0.2.1:80, 192.0.2.1-192.0.2.9, \
         :8000-8010 or [2001:db8::1]:80",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination one.example:80",
        "--to-destination one.example:80: this is such as 192.0.2.1, 192.0.2.1:80, \
         192.0.2.1-192.0.2.9, :8000-8010 or [2001:db8::1]:80",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:",
        "--to-destination 10.0.0.1:: the port is missing",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:0",
        "--to-destination 10.0.0.1:0: there is no port 0",
    ),
    (
        "-t nat -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:1-9/",
        "--to-destination 10.0.0.1:1-9/: the port is missing",
    ),
    (
        "-t nat -A PREROUTING -j DNAT --to-destination 10.0.0.1 --to-destination 10.0.0.2",
        "--to-destination 10.0.0.2: was given before",
    ),
    (
        "-t nat -A PREROUTING -j DNAT --to-destination 10.0.0.1 --random-fully",
        "unknown option --random-fully: give -j SNAT or -j MASQUERADE before it",
    ),
    (
        "-t nat -A PREROUTING -6 -j DNAT --to-destination 10.0.0.1",
        "-6 is for IPv6 and -j DNAT --to-destination 10.0.0.1 is for IPv4: no packet is both",
    ),
    (
        "-t nat -A POSTROUTING -s 2001:db8::/64 -j SNAT --to-source 10.0.0.1",
        "-j SNAT --to-source 10.0.0.1 is for IPv4 and -s 2001:db8::/64 is for IPv6: no packet is both",
    ),
    (
        "-t nat -A POSTROUTING -p tcp -j SNAT --to-source 10.0.0.1:1-9/5",
        "--to-source 10.0.0.1:1-9/5: only DNAT counts ports from another one",
    ),
    (
        "-t nat -A POSTROUTING -j MASQUERADE --persistent",
        "unknown option --persistent: give -j DNAT or -j SNAT before it",
    ),
    // TRACE.
    (
        "-t raw -A PREROUTING -j TRACE --trace",
        "unknown option --trace: palisade --help shows the options",
    ),
    // TCPMSS.
    (
        "-A FORWARD -j TCPMSS --set-mss 1400",
        "-j TCPMSS: needs -p tcp in the same rule",
    ),
    (
        "-A FORWARD -p tcp --syn -j TCPMSS",
        "-j TCPMSS: needs --set-mss or --clamp-mss-to-pmtu",
    ),
    (
        "-A FORWARD -p tcp --syn -j TCPMSS --set-mss 0",
        "--set-mss 0: this has to be a number from 1 to 65535",
    ),
    (
        "-A FORWARD -p tcp --syn -j TCPMSS --set-mss 1400 --clamp-mss-to-pmtu",
        "-j TCPMSS: takes --set-mss or --clamp-mss-to-pmtu, not both: give a second rule",
    ),
    // SYNPROXY.
    (
        "-A INPUT -j SYNPROXY",
        "-j SYNPROXY: needs -p tcp in the same rule",
    ),
    (
        "-A INPUT ! -p tcp -j SYNPROXY",
        "-j SYNPROXY: needs -p tcp in the same rule",
    ),
    (
        "-A INPUT -p udp -j SYNPROXY --mss 1460",
        "-j SYNPROXY: needs -p tcp in the same rule",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --mss 0",
        "--mss 0: this has to be a number from 1 to 65535",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --mss 70000",
        "--mss 70000: this has to be a number from 1 to 65535",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --mss x",
        "--mss x: this has to be a number from 1 to 65535",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --wscale 15",
        "--wscale 15: this has to be a number from 0 to 14",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --wscale -1",
        "--wscale -1: this has to be a number from 0 to 14",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --wscale +1",
        "--wscale +1: this has to be a number from 0 to 14",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --wscale 7.0",
        "--wscale 7.0: this has to be a number from 0 to 14",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --window 65536",
        "--window 65536: this has to be a number from 0 to 65535",
    ),
    (
        "-t raw -A PREROUTING -p tcp -j SYNPROXY --until-data 61",
        "--until-data 61: this has to be a number from 1 to 60",
    ),
    (
        "-t raw -A PREROUTING -p tcp -j SYNPROXY --until-data 1 2",
        "bad argument 2: it belongs to no option",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --when-flooded 0",
        "--when-flooded 0: this has to be RATE or RATE/BURST, both numbers from 1 to 1000000",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --when-flooded 1000001",
        "--when-flooded 1000001: this has to be RATE or RATE/BURST, both numbers from 1 to 1000000",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --when-flooded 5/0",
        "--when-flooded 5/0: this has to be RATE or RATE/BURST, both numbers from 1 to 1000000",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --when-flooded 5/",
        "--when-flooded 5/: this has to be RATE or RATE/BURST, both numbers from 1 to 1000000",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --when-flooded /5",
        "--when-flooded /5: this has to be RATE or RATE/BURST, both numbers from 1 to 1000000",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --when-flooded 5/5/5",
        "--when-flooded 5/5/5: this has to be RATE or RATE/BURST, both numbers from 1 to 1000000",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --when-flooded 5/s",
        "--when-flooded 5/s: this has to be RATE or RATE/BURST, both numbers from 1 to 1000000",
    ),
    ("-A INPUT -p tcp -j SYNPROXY --mss", "--mss needs a value"),
    (
        "-A INPUT -p tcp -j SYNPROXY --ecn --ecn",
        "--ecn: was given before",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY --timestamp --timestamps",
        "--timestamps: was given before",
    ),
    (
        "-A INPUT -p tcp -j SYNPROXY ! --ecn",
        "! --ecn: --ecn cannot be inverted",
    ),
    (
        "-A INPUT -p tcp --wscale 7",
        "unknown option --wscale: give -j SYNPROXY before it",
    ),
    // Targets and options that Palisade does not have.
    (
        "-t nat -A PREROUTING -j NETMAP --to 192.0.2.0/24",
        "-j NETMAP: Palisade has no target NETMAP: keep iptables or nftables for it",
    ),
    (
        "-t nat -A PREROUTING --to 192.0.2.0/24 -j NETMAP",
        "-j NETMAP: Palisade has no target NETMAP: keep iptables or nftables for it",
    ),
    (
        "-t mangle -A INPUT -jTPROXY --on-port 80",
        "-j TPROXY: Palisade has no target TPROXY: keep iptables or nftables for it",
    ),
    (
        "-A INPUT -j CONNMARK --set-mark 7",
        "-j CONNMARK: Palisade has no target CONNMARK: keep iptables or nftables for it",
    ),
    (
        "-A INPUT --set-mark 7 --jump=CONNMARK",
        "-j CONNMARK: Palisade has no target CONNMARK: keep iptables or nftables for it",
    ),
    (
        "-A INPUT -j TCPOPTSTRIP --strip-options mss",
        "-j TCPOPTSTRIP: Palisade has no target TCPOPTSTRIP: keep iptables or nftables for it",
    ),
    (
        "-A INPUT -g NFQUEUE --queue-num 1",
        "-g NFQUEUE: Palisade has no target NFQUEUE: keep iptables or nftables for it",
    ),
    (
        "-A INPUT -j CT --helper tftp",
        "-j CT --helper: Palisade's CT has no option --helper: keep iptables or nftables for it",
    ),
    (
        "-t raw -A PREROUTING --zone 4 -j CT",
        "-j CT --zone: Palisade's CT has no option --zone: keep iptables or nftables for it",
    ),
    (
        "-A INPUT -m conntrack --ctdir ORIGINAL",
        "-m conntrack --ctdir: Palisade's conntrack has no option --ctdir: keep iptables or nftables for it",
    ),
    (
        "-A INPUT -m mac --mac-source 02:00:00:00:00:01",
        "-m mac: Palisade has no match mac: keep iptables or nftables for it",
    ),
    (
        "-A INPUT -j REJCT --reject-with tcp-reset",
        "-j REJCT: there is no such target: did you mean REJECT?",
    ),
    (
        "-A INPUT -j log --log-prefix x",
        "-j log: there is no such target: did you mean LOG?",
    ),
    (
        "-A INPUT -j web --to-destination 192.0.2.4",
        "-j web --to-destination: Palisade has no target web, and a chain has no options",
    ),
    (
        "-A INPUT -j XLATE --to 192.0.2.4",
        "-j XLATE --to: Palisade has no target XLATE, and a chain has no options",
    ),
    (
        "-A INPUT -j web --dport 80",
        "unknown option --dport: give -p tcp or -p udp before it",
    ),
];

#[test]
fn an_unknown_match_is_answered_with_all_of_them() {
    let names: Vec<&str> = matches::ALL.iter().map(|kind| kind.name).collect();
    let error = parse("-A INPUT -m quux").unwrap_err();
    let expected = format!(
        "-m quux: there is none of this name: known are {}",
        names.join(", ")
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_comment_has_a_limit() {
    let longest = "x".repeat(255);
    assert!(parse(&format!("-A INPUT -m comment --comment {longest}")).is_ok());
    let error = parse(&format!("-A INPUT -m comment --comment {longest}x")).unwrap_err();
    let expected = "a comment has at most 255 bytes, this one has 256";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn mistakes_are_named() {
    for (line, expected) in LINES {
        match parse(line) {
            Ok(invocation) => panic!("{line}: {:?}", invocation.command),
            Err(error) => {
                assert_eq!(error.to_string(), *expected, "{line}");
                assert_eq!(error.exit_status(), 2, "{line}");
            }
        }
    }
}

#[test]
fn the_name_of_a_list_has_a_limit() {
    let longest = "x".repeat(199);
    assert!(parse(&format!("-A INPUT -m recent --name {longest}")).is_ok());
    let error = parse(&format!("-A INPUT -m recent --name {longest}x")).unwrap_err();
    let expected = "the name of a list has at most 199 bytes, this one has 200";
    assert!(error.to_string().ends_with(expected), "{error}");
}
