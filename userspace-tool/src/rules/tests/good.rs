// SPDX-License-Identifier: GPL-2.0

//! Lines that are right, and what they mean.

use super::{parse, rules, saved};
use crate::{
    netlink::spec::{ChangeKind, Family, Table, Verdict},
    rules::model::{
        command::{Command, Edit, Form},
        rule::Counters,
    },
};

/// Lines with the rules that -S prints for them.
const LINES: &[(&str, &[&str])] = &[
    ("-A INPUT", &["-A INPUT"]),
    ("-A INPUT -j DROP", &["-A INPUT -j DROP"]),
    ("--append INPUT --jump ACCEPT", &["-A INPUT -j ACCEPT"]),
    ("-AINPUT -jRETURN", &["-A INPUT -j RETURN"]),
    ("--append=INPUT --jump=ACCEPT", &["-A INPUT -j ACCEPT"]),
    ("--app INPUT --ju ACCEPT", &["-A INPUT -j ACCEPT"]),
    ("-w -A INPUT", &["-A INPUT"]),
    ("-w 5 -A INPUT", &["-A INPUT"]),
    ("-w5 -A INPUT", &["-A INPUT"]),
    ("--wait=5 -A INPUT", &["-A INPUT"]),
    // Families.
    ("-4 -A INPUT", &["-A INPUT -4"]),
    ("-A INPUT --ipv6", &["-A INPUT -6"]),
    ("-4 -A INPUT -s 10.0.0.1", &["-A INPUT -s 10.0.0.1/32"]),
    ("-A INPUT -s 0.0.0.0/0", &["-A INPUT -4"]),
    ("-A INPUT -d ::/0", &["-A INPUT -6"]),
    ("-A INPUT -p icmp", &["-A INPUT -p icmp"]),
    ("-A INPUT -4 -p icmp", &["-A INPUT -p icmp"]),
    ("-A INPUT ! -p icmp", &["-A INPUT ! -p icmp"]),
    ("-A INPUT -6 ! -p icmp", &["-A INPUT -6 ! -p icmp"]),
    // Protocols.
    ("-A INPUT -p TCP", &["-A INPUT -p tcp"]),
    ("-A INPUT -p 6", &["-A INPUT -p tcp"]),
    ("-A INPUT --proto 17", &["-A INPUT -p udp"]),
    ("-A INPUT -p icmpv6", &["-A INPUT -p ipv6-icmp"]),
    ("-A INPUT -p ipv6-icmp", &["-A INPUT -p ipv6-icmp"]),
    ("-A INPUT -p ospf", &["-A INPUT -p 89"]),
    ("-A INPUT -p all", &["-A INPUT"]),
    ("-A INPUT -p 0", &["-A INPUT"]),
    ("-A INPUT -p ! tcp", &["-A INPUT ! -p tcp"]),
    // Addresses.
    ("-A INPUT -s 10.1.2.3/8", &["-A INPUT -s 10.0.0.0/8"]),
    (
        "-A INPUT --src 10.1.2.3/255.0.255.0",
        &["-A INPUT -s 10.0.2.0/255.0.255.0"],
    ),
    ("-A INPUT -d 2001:DB8::1/64", &["-A INPUT -d 2001:db8::/64"]),
    ("-A INPUT -s 192.168/16", &["-A INPUT -s 192.168.0.0/16"]),
    ("-A INPUT ! -s 10.0.0.0/8", &["-A INPUT ! -s 10.0.0.0/8"]),
    ("-A INPUT -s ! 10.0.0.0/8", &["-A INPUT ! -s 10.0.0.0/8"]),
    ("-A INPUT ! --destination=::1", &["-A INPUT ! -d ::1/128"]),
    ("-A INPUT ! -s 0.0.0.0/0", &["-A INPUT ! -s 0.0.0.0/0"]),
    ("-A INPUT -s one.example/24", &["-A INPUT -s 192.0.2.0/24"]),
    (
        "-A INPUT -s 10.0.0.1,10.0.0.2 -d 10.1.0.1,10.1.0.2",
        &[
            "-A INPUT -s 10.0.0.1/32 -d 10.1.0.1/32",
            "-A INPUT -s 10.0.0.1/32 -d 10.1.0.2/32",
            "-A INPUT -s 10.0.0.2/32 -d 10.1.0.1/32",
            "-A INPUT -s 10.0.0.2/32 -d 10.1.0.2/32",
        ],
    ),
    (
        "-A INPUT -s both.example",
        &["-A INPUT -s 192.0.2.2/32", "-A INPUT -s 2001:db8::2/128"],
    ),
    (
        "-6 -A INPUT -s both.example",
        &["-A INPUT -s 2001:db8::2/128"],
    ),
    (
        "-A INPUT -s both.example -d ::1",
        &["-A INPUT -s 2001:db8::2/128 -d ::1/128"],
    ),
    (
        "-A INPUT -s both.example -p icmp",
        &["-A INPUT -s 192.0.2.2/32 -p icmp"],
    ),
    (
        "-A INPUT -s 10.0.0.1,::1",
        &["-A INPUT -s 10.0.0.1/32", "-A INPUT -s ::1/128"],
    ),
    // Interfaces.
    ("-A INPUT -i eth0", &["-A INPUT -i eth0"]),
    ("-A INPUT ! -i eth+", &["-A INPUT ! -i eth+"]),
    ("-A INPUT --in-interface ! lo", &["-A INPUT ! -i lo"]),
    ("-A INPUT -i +", &["-A INPUT"]),
    ("-A FORWARD -o eth0", &["-A FORWARD -o eth0"]),
    (
        "-A FORWARD ! --out-interface eth+ -i lo",
        &["-A FORWARD -i lo ! -o eth+"],
    ),
    ("-A FORWARD -o +", &["-A FORWARD"]),
    // Fragments.
    ("-A INPUT -f", &["-A INPUT -f"]),
    ("-A INPUT ! -f -p udp", &["-A INPUT -p udp ! -f"]),
    ("-A INPUT --fragment -j DROP", &["-A INPUT -f -j DROP"]),
    ("-A INPUT ! --frag", &["-A INPUT ! -f"]),
    // Chains.
    ("-A web -j ssh", &["-A web -j ssh"]),
    ("-A INPUT -g web", &["-A INPUT -g web"]),
    ("-A INPUT --goto=web", &["-A INPUT -g web"]),
    ("-A INPUT -j drop", &["-A INPUT -j drop"]),
    ("-A \"a b\" -j \"c d\"", &["-A \"a b\" -j \"c d\""]),
    // Ports.
    (
        "-A INPUT -p tcp --dport 22",
        &["-A INPUT -p tcp -m tcp --dport 22"],
    ),
    (
        "-A INPUT -p tcp --dport ssh",
        &["-A INPUT -p tcp -m tcp --dport 22"],
    ),
    (
        "-A INPUT -ptcp --dport=22",
        &["-A INPUT -p tcp -m tcp --dport 22"],
    ),
    (
        "-A INPUT -p udp -m udp --sport domain",
        &["-A INPUT -p udp -m udp --sport 53"],
    ),
    (
        "-A INPUT -p tcp --source-port 1024: --destination-port :1023",
        &["-A INPUT -p tcp -m tcp --sport 1024:65535 --dport 0:1023"],
    ),
    (
        "-A INPUT -p tcp ! --dport 22",
        &["-A INPUT -p tcp -m tcp ! --dport 22"],
    ),
    (
        "-A INPUT -p tcp --dport ! 22",
        &["-A INPUT -p tcp -m tcp ! --dport 22"],
    ),
    ("-A INPUT -p tcp -m tcp", &["-A INPUT -p tcp -m tcp"]),
    (
        "-A INPUT -m tcp -p tcp --dport 1:2",
        &["-A INPUT -p tcp -m tcp --dport 1:2"],
    ),
    (
        "-A INPUT -p tcp --dport 0:65535",
        &["-A INPUT -p tcp -m tcp"],
    ),
    (
        "-A INPUT -p tcp ! --dport :",
        &["-A INPUT -p tcp -m tcp ! --dport 0:65535"],
    ),
    (
        "-A INPUT -p 6 --source-p 7",
        &["-A INPUT -p tcp -m tcp --sport 7"],
    ),
    // TCP flags.
    (
        "-A INPUT -p tcp --syn",
        &["-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN"],
    ),
    (
        "-A INPUT -p tcp ! --syn",
        &["-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN"],
    ),
    (
        "-A INPUT -p tcp --tcp-flags SYN,ACK,FIN,RST SYN,ACK --dport 80",
        &["-A INPUT -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN,ACK"],
    ),
    (
        "-A INPUT -p tcp ! --tcp-flags all none",
        &["-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE"],
    ),
    (
        "-A INPUT -p tcp --tcp-flags ECE,CWR CWR",
        &["-A INPUT -p tcp -m tcp --tcp-flags ECE,CWR CWR"],
    ),
    // Recent.
    (
        "-A INPUT -m recent --set",
        &["-A INPUT -m recent --set --name DEFAULT --rsource"],
    ),
    (
        "-A INPUT -m recent --name x",
        &["-A INPUT -m recent --rcheck --name x --rsource"],
    ),
    (
        "-A INPUT -m recent --name SSH --check --seconds 60 --hitcount 4 -j DROP",
        &["-A INPUT -m recent --rcheck --seconds 60 --hitcount 4 --name SSH --rsource -j DROP"],
    ),
    (
        "-A INPUT -m recent ! --update --rdest --name a --seconds 1",
        &["-A INPUT -m recent ! --update --seconds 1 --name a --rdest"],
    ),
    (
        "-A INPUT -m recent --close --name \"two words\"",
        &["-A INPUT -m recent --remove --name \"two words\" --rsource"],
    ),
    (
        "-A INPUT -m recent --set --name x --mask 255.255.255.255 --rsource",
        &["-A INPUT -m recent --set --name x --rsource"],
    ),
    (
        "-A INPUT -m recent --rttl --name x --mask 255.255.255.0 --reap --update --hitcount 2 --seconds 9",
        &[
            "-A INPUT -m recent --update --seconds 9 --reap --hitcount 2 --rttl --name x \
           --mask 255.255.255.0 --rsource",
        ],
    ),
    (
        "-A INPUT -m recent --mask 24,64 --name x --set",
        &["-A INPUT -m recent --set --name x --mask 24,64 --rsource"],
    ),
    (
        "-A INPUT -m recent --set --name x --mask 32,128",
        &["-A INPUT -m recent --set --name x --rsource"],
    ),
    (
        "-A INPUT -m recent --remove --rttl --mask ffff:ffff:: --rport",
        &["-A INPUT -m recent --remove --rttl --name DEFAULT --mask ffff:ffff:: --rport"],
    ),
    (
        "-A INPUT -m recent --rcheck --name a -m recent --set --name b",
        &["-A INPUT -m recent --rcheck --name a --rsource -m recent --set --name b --rsource"],
    ),
    (
        "-A INPUT -m recent --set -p tcp --dport 22 -m recent --update",
        &[
            "-A INPUT -p tcp -m recent --set --name DEFAULT --rsource -m tcp --dport 22 \
           -m recent --update --name DEFAULT --rsource",
        ],
    ),
    (
        "-A INPUT -j DROP -s 10.0.0.0/8 -i eth0 -p tcp --dport 22 -m recent --set --name SSH",
        &["-A INPUT -s 10.0.0.0/8 -i eth0 -p tcp -m tcp --dport 22 \
           -m recent --set --name SSH --rsource -j DROP"],
    ),
    // ICMP.
    (
        "-A INPUT -p icmp --icmp-type 8",
        &["-A INPUT -p icmp -m icmp --icmp-type 8"],
    ),
    (
        "-A INPUT -p icmp -m icmp --icmp-type 3/4",
        &["-A INPUT -p icmp -m icmp --icmp-type 3/4"],
    ),
    (
        "-A INPUT -p icmp ! --icmp-type echo-request",
        &["-A INPUT -p icmp -m icmp ! --icmp-type 8"],
    ),
    (
        "-A INPUT -p icmp --icmp-type ! Ping",
        &["-A INPUT -p icmp -m icmp ! --icmp-type 8"],
    ),
    (
        "-A INPUT -p icmp --icmp-type fragmentation-needed",
        &["-A INPUT -p icmp -m icmp --icmp-type 3/4"],
    ),
    (
        "-A INPUT -p icmp --icmp-type tos-host-r",
        &["-A INPUT -p icmp -m icmp --icmp-type 5/3"],
    ),
    (
        "-A INPUT -p icmp --icmp-type any",
        &["-A INPUT -p icmp -m icmp --icmp-type any"],
    ),
    (
        "-A INPUT -p icmp --icmp-type 255",
        &["-A INPUT -p icmp -m icmp --icmp-type any"],
    ),
    (
        "-A INPUT -p icmp --icmp-type 3/0:255",
        &["-A INPUT -p icmp -m icmp --icmp-type 3"],
    ),
    (
        "-A INPUT -p icmp --icmp-type 3/1:4",
        &["-A INPUT -p icmp -m icmp --icmp-type 3/1:4"],
    ),
    (
        "-A INPUT -p icmpv6 --icmpv6-type 128",
        &["-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128"],
    ),
    (
        "-A INPUT -p ipv6-icmp -m icmpv6 ! --icmpv6-type neighbor-solicitation",
        &["-A INPUT -p ipv6-icmp -m icmp6 ! --icmpv6-type 135"],
    ),
    (
        "-A INPUT -p 58 -m ipv6-icmp --icmpv6-type port-unreachable",
        &["-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 1/4"],
    ),
    (
        "-A INPUT -p icmpv6 -m icmp6 --icmpv6-type 255",
        &["-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 255"],
    ),
    // Connection tracking.
    (
        "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        &["-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"],
    ),
    (
        "-A INPUT -m conntrack ! --ctstate dnat,snat,untracked,new,invalid",
        &["-A INPUT -m conntrack ! --ctstate INVALID,NEW,UNTRACKED,SNAT,DNAT"],
    ),
    (
        "-A INPUT -m state --state NEW",
        &["-A INPUT -m conntrack --ctstate NEW"],
    ),
    (
        "-A INPUT -m state ! --state RELATED,ESTABLISHED -j DROP",
        &["-A INPUT -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP"],
    ),
    // Marks.
    (
        "-A INPUT -m mark --mark 10",
        &["-A INPUT -m mark --mark 0xa"],
    ),
    (
        "-A INPUT -m mark ! --mark 0x10/0XF0",
        &["-A INPUT -m mark ! --mark 0x10/0xf0"],
    ),
    (
        "-A INPUT -m mark --mark 010/0",
        &["-A INPUT -m mark --mark 0x8/0x0"],
    ),
    (
        "-A INPUT -m mark --mark 0/4294967295",
        &["-A INPUT -m mark --mark 0x0"],
    ),
    (
        "-A INPUT -j MARK --set-mark 1",
        &["-A INPUT -j MARK --set-xmark 0x1/0xffffffff"],
    ),
    (
        "-A INPUT -j MARK --set-mark 0x1/0xf0",
        &["-A INPUT -j MARK --set-xmark 0x1/0xf1"],
    ),
    (
        "-A INPUT -j MARK --set-xmark 0x1/0xf0",
        &["-A INPUT -j MARK --set-xmark 0x1/0xf0"],
    ),
    (
        "-A INPUT -j MARK --and-mark 0xff",
        &["-A INPUT -j MARK --set-xmark 0x0/0xffffff00"],
    ),
    (
        "-A INPUT -j MARK --or-mark 0xff",
        &["-A INPUT -j MARK --set-xmark 0xff/0xff"],
    ),
    (
        "-A INPUT -j MARK --xor-mark 0xff",
        &["-A INPUT -j MARK --set-xmark 0xff/0x0"],
    ),
    // Multiport.
    (
        "-A INPUT -p tcp -m multiport --dports ssh,80,1000:2000 -j ACCEPT",
        &["-A INPUT -p tcp -m multiport --dports 22,80,1000:2000 -j ACCEPT"],
    ),
    (
        "-A INPUT -m multiport --dports domain -p udp",
        &["-A INPUT -p udp -m multiport --dports 53"],
    ),
    (
        "-A INPUT -p sctp -m multiport ! --source-ports 1,2",
        &["-A INPUT -p sctp -m multiport ! --sports 1,2"],
    ),
    (
        "-A INPUT -p 33 -m multiport --ports 1:2,4:5",
        &["-A INPUT -p 33 -m multiport --ports 1:2,4:5"],
    ),
    (
        "-A INPUT -p tcp -m multiport --dport 80,443 --syn",
        &["-A INPUT -p tcp -m multiport --dports 80,443 \
           -m tcp --tcp-flags FIN,SYN,RST,ACK SYN"],
    ),
    (
        "-A INPUT -p tcp --sport 5 -m multiport --dports 80,443",
        &["-A INPUT -p tcp -m tcp --sport 5 -m multiport --dports 80,443"],
    ),
    (
        "-A INPUT -p tcp -m multiport --dports 1:2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
        &["-A INPUT -p tcp -m multiport --dports 1:2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"],
    ),
    // Comments.
    (
        "-A INPUT -m comment --comment \"two words\" -j DROP",
        &["-A INPUT -m comment --comment \"two words\" -j DROP"],
    ),
    (
        "-A INPUT -m comment --comment \"\"",
        &["-A INPUT -m comment --comment \"\""],
    ),
    (
        "-A INPUT -m comment --comment \"a \\\"quote\\\" \\$1\"",
        &["-A INPUT -m comment --comment \"a \\\"quote\\\" \\$1\""],
    ),
    // Passing connection tracking by.
    (
        "-A PREROUTING -j NOTRACK",
        &["-A PREROUTING -j CT --notrack"],
    ),
    (
        "-A PREROUTING -p tcp --dport 80 -j CT --notrack",
        &["-A PREROUTING -p tcp -m tcp --dport 80 -j CT --notrack"],
    ),
    // Limit.
    // Ranges of addresses.
    (
        "-A INPUT -m iprange --src-range 10.0.0.1-10.0.0.9",
        &["-A INPUT -m iprange --src-range 10.0.0.1-10.0.0.9"],
    ),
    (
        "-A INPUT -m iprange ! --dst-range fd00::1-fd00::9 --src-range fe80::1",
        &["-A INPUT -m iprange --src-range fe80::1-fe80::1 ! --dst-range fd00::1-fd00::9"],
    ),
    // Types of addresses.
    (
        "-A INPUT -m addrtype --dst-type LOCAL",
        &["-A INPUT -m addrtype --dst-type LOCAL"],
    ),
    (
        "-A INPUT -m addrtype --limit-iface-in ! --src-type broadcast,LOCAL",
        &["-A INPUT -m addrtype ! --src-type LOCAL,BROADCAST --limit-iface-in"],
    ),
    (
        "-A OUTPUT -m addrtype ! --dst-type MULTI,ANY --src-type uni --limit-iface-out -j DROP",
        &[
            "-A OUTPUT -m addrtype --src-type UNICAST ! --dst-type ANYCAST,MULTICAST --limit-iface-out -j DROP",
        ],
    ),
    (
        "-A INPUT -m addrtype --src-type XRESOLVE,NAT,THROW,PROHIBIT,UNREACHABLE,BLACKHOLE,MULTICAST,ANYCAST,BROADCAST,LOCAL,UNICAST,UNSPEC",
        &[
            "-A INPUT -m addrtype --src-type UNSPEC,UNICAST,LOCAL,BROADCAST,ANYCAST,MULTICAST,BLACKHOLE,UNREACHABLE,PROHIBIT,THROW,NAT,XRESOLVE",
        ],
    ),
    (
        "-A INPUT -m addrtype -6 --src-type UN,LOCAL",
        &["-A INPUT -6 -m addrtype --src-type UNSPEC,LOCAL"],
    ),
    (
        "-4 -A INPUT -m addrtype ! --dst-type BROADCAST",
        &["-A INPUT -m addrtype ! --dst-type BROADCAST"],
    ),
    // TTLs and hop limits.
    (
        "-A INPUT -m ttl --ttl-eq 64",
        &["-A INPUT -m ttl --ttl-eq 64"],
    ),
    (
        "-A INPUT -m ttl ! --ttl-eq 64 -j DROP",
        &["-A INPUT -m ttl ! --ttl-eq 64 -j DROP"],
    ),
    (
        "-A INPUT -m ttl --ttl-lt 255",
        &["-A INPUT -m ttl --ttl-lt 255"],
    ),
    ("-A INPUT -m hl --hl-gt 1", &["-A INPUT -m hl --hl-gt 1"]),
    // Lengths.
    (
        "-A INPUT -m length --length 40",
        &["-A INPUT -m length --length 40"],
    ),
    (
        "-A INPUT -m length ! --length :40",
        &["-A INPUT -m length ! --length 0:40"],
    ),
    (
        "-A INPUT -m length --length 40:",
        &["-A INPUT -m length --length 40:65535"],
    ),
    ("-A INPUT -m limit", &["-A INPUT -m limit --limit 3/hour"]),
    (
        "-A INPUT -m limit --limit 5",
        &["-A INPUT -m limit --limit 5/sec"],
    ),
    (
        "-A INPUT -m limit --limit 5/s --limit-burst 5",
        &["-A INPUT -m limit --limit 5/sec"],
    ),
    (
        "-A INPUT -m limit --limit 7/Minute --limit-burst 10000",
        &["-A INPUT -m limit --limit 7/min --limit-burst 10000"],
    ),
    (
        "-A INPUT -m limit --limit 60/min",
        &["-A INPUT -m limit --limit 1/sec"],
    ),
    (
        "-A INPUT -m limit --limit 48/d --limit-burst 1",
        &["-A INPUT -m limit --limit 2/hour --limit-burst 1"],
    ),
    (
        "-A INPUT -m limit --limit 600000/m",
        &["-A INPUT -m limit --limit 10000/sec"],
    ),
    // Connlimit.
    (
        "-A INPUT -m connlimit --connlimit-above 15",
        &["-A INPUT -m connlimit --connlimit-above 15 --connlimit-saddr"],
    ),
    (
        "-A INPUT -m connlimit ! --connlimit-above 2 --connlimit-daddr",
        &["-A INPUT -m connlimit --connlimit-upto 2 --connlimit-daddr"],
    ),
    (
        "-A INPUT -m connlimit ! --connlimit-upto 2",
        &["-A INPUT -m connlimit --connlimit-above 2 --connlimit-saddr"],
    ),
    (
        "-A INPUT -6 -m connlimit --connlimit-upto 0 --connlimit-mask 32",
        &["-A INPUT -6 -m connlimit --connlimit-upto 0 --connlimit-mask 32 --connlimit-saddr"],
    ),
    // Hashlimit.
    (
        "-A INPUT -m hashlimit --hashlimit 3/m --hashlimit-name a",
        &["-A INPUT -m hashlimit --hashlimit-upto 3/min --hashlimit-name a"],
    ),
    (
        "-A INPUT -m hashlimit ! --hashlimit-above 60/minute --hashlimit-burst 7 --hashlimit-mode DSTPORT,srcip \
         --hashlimit-name a --hashlimit-htable-size 9 --hashlimit-htable-gcinterval 9",
        &[
            "-A INPUT -m hashlimit --hashlimit-upto 60/min --hashlimit-burst 7 --hashlimit-mode srcip,dstport \
             --hashlimit-name a",
        ],
    ),
    (
        "-A INPUT -m hashlimit --hashlimit-above 1024kb/s --hashlimit-burst 1536KB --hashlimit-name ab \
         --hashlimit-mode srcip --hashlimit-srcmask 24,64 --hashlimit-dstmask 0,0 --hashlimit-htable-max 10 \
         --hashlimit-htable-expire 500",
        &[
            "-A INPUT -m hashlimit --hashlimit-above 1mb/s --hashlimit-burst 1536kb --hashlimit-mode srcip \
             --hashlimit-name ab --hashlimit-htable-max 10 --hashlimit-htable-expire 500 \
             --hashlimit-srcmask 24,64 --hashlimit-dstmask 0,0",
        ],
    ),
    // String.
    (
        "-A INPUT -m string --string *.exe",
        &["-A INPUT -m string --string .exe --algo kmp"],
    ),
    (
        "-A INPUT -m string ! --string **a*b** --icase",
        &["-A INPUT -m string ! --string \"a*b\" --algo kmp --icase"],
    ),
    (
        "-A INPUT -m string --string *.exe --algo bm --from 0 --to 65535",
        &["-A INPUT -m string --string \"*.exe\" --algo bm"],
    ),
    (
        "-A INPUT -m string --hex-string \"*|0d 0A|x\\\\|\" --from 40 --to 100",
        &["-A INPUT -m string --hex-string \"|2a0d0a787c|\" --algo kmp --from 40 --to 100"],
    ),
    (
        "-A INPUT -m string --hex-string \"|61 62|c\" --algo kmp",
        &["-A INPUT -m string --string abc --algo kmp"],
    ),
    (
        "-A INPUT -m string --hex-string |21| --algo kmp",
        &["-A INPUT -m string --hex-string \"|21|\" --algo kmp"],
    ),
    // TLS and HTTP.
    ("-A INPUT -p tcp -m tls", &["-A INPUT -p tcp -m tls"]),
    (
        "-A INPUT -p tcp -m tls ! --host *.Example.ORG. --alpn h2",
        &["-A INPUT -p tcp -m tls ! --host \"*.example.org\" --alpn h2"],
    ),
    ("-A INPUT -p tcp -m http", &["-A INPUT -p tcp -m http"]),
    (
        "-A INPUT -p tcp -m http ! --method GET --host Example.org.:8080 ! --path /API/*",
        &["-A INPUT -p tcp -m http ! --method GET --host example.org:8080 ! --path \"/API/*\""],
    ),
    (
        "-A INPUT -p tcp -m http --host [::1]",
        &["-A INPUT -p tcp -m http --host \"[::1]\""],
    ),
    // Log.
    ("-A INPUT -j LOG", &["-A INPUT -j LOG"]),
    (
        "-A INPUT -j LOG --log-level warn --log-prefix \"\"",
        &["-A INPUT -j LOG"],
    ),
    (
        "-A INPUT -j LOG --log-level Err --log-prefix \"in: \"",
        &["-A INPUT -j LOG --log-prefix \"in: \" --log-level 3"],
    ),
    (
        "-A INPUT -j LOG --log-uid --log-macdecode --log-tcp-options --log-ip-options \
         --log-tcp-sequence --log-level 7",
        &[
            "-A INPUT -j LOG --log-level 7 --log-tcp-sequence --log-tcp-options --log-ip-options \
           --log-uid --log-macdecode",
        ],
    ),
    // Reject.
    ("-A INPUT -j REJECT", &["-A INPUT -j REJECT"]),
    (
        "-A INPUT -j REJECT --reject-with port-unreach",
        &["-A INPUT -j REJECT"],
    ),
    (
        "-A INPUT -p tcp -j REJECT --reject-with tcp-reset",
        &["-A INPUT -p tcp -j REJECT --reject-with tcp-reset"],
    ),
    (
        "-A INPUT -j REJECT --reject-with icmp-port-unreachable",
        &["-A INPUT -j REJECT --reject-with icmp-port-unreachable"],
    ),
    (
        "-A INPUT -4 -j REJECT --reject-with Host-Prohib",
        &["-A INPUT -j REJECT --reject-with icmp-host-prohibited"],
    ),
    (
        "-A INPUT -s both.example -j REJECT --reject-with adm-prohibited",
        &["-A INPUT -s 2001:db8::2/128 -j REJECT --reject-with icmp6-adm-prohibited"],
    ),
    (
        "-A INPUT -j REJECT --reject-with icmp6-addr",
        &["-A INPUT -j REJECT --reject-with icmp6-addr-unreachable"],
    ),
    // Redirect.
    (
        "-t nat -A PREROUTING -j REDIRECT",
        &["-A PREROUTING -j REDIRECT"],
    ),
    (
        "-t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-port 3128",
        &["-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128"],
    ),
    (
        "-t nat -A OUTPUT -p udp -j REDIRECT --to-ports domain-100 --random",
        &["-A OUTPUT -p udp -j REDIRECT --to-ports 53-100 --random"],
    ),
    // DNAT, SNAT and MASQUERADE.
    (
        "-t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to 10.0.0.1:8080",
        &["-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080"],
    ),
    (
        "-t nat -A PREROUTING -j DNAT --persistent --to-destination 10.0.0.1-10.0.0.9",
        &["-A PREROUTING -j DNAT --to-destination 10.0.0.1-10.0.0.9 --persistent"],
    ),
    (
        "-t nat -A OUTPUT -p udp -j DNAT --to-destination 10.0.0.1-10.0.0.1:domain-53 --random",
        &["-A OUTPUT -p udp -j DNAT --to-destination 10.0.0.1:53 --random"],
    ),
    (
        "-t nat -A PREROUTING -p tcp --dport 5000:5010 -j DNAT --to-destination :1000-1010/5000",
        &["-A PREROUTING -p tcp -m tcp --dport 5000:5010 -j DNAT --to-destination :1000-1010/5000"],
    ),
    (
        "-t nat -A PREROUTING -4 -p tcp -j DNAT --to-destination :80",
        &["-A PREROUTING -4 -p tcp -j DNAT --to-destination :80"],
    ),
    (
        "-t nat -A PREROUTING -j DNAT --to-destination 2001:DB8::1",
        &["-A PREROUTING -j DNAT --to-destination 2001:db8::1"],
    ),
    (
        "-t nat -A PREROUTING -j DNAT --to-destination [2001:db8::1]",
        &["-A PREROUTING -j DNAT --to-destination 2001:db8::1"],
    ),
    (
        "-t nat -A PREROUTING -6 -p tcp -j DNAT --to-destination [2001:db8::1]:80",
        &["-A PREROUTING -p tcp -j DNAT --to-destination [2001:db8::1]:80"],
    ),
    (
        "-t nat -A PREROUTING -p sctp -j DNAT --to-destination [2001:db8::1-2001:db8::9]:80-90",
        &["-A PREROUTING -p sctp -j DNAT --to-destination [2001:db8::1-2001:db8::9]:80-90"],
    ),
    (
        "-t nat -A PREROUTING -j DNAT --to-destination 2001:db8::1-2001:db8::9",
        &["-A PREROUTING -j DNAT --to-destination 2001:db8::1-2001:db8::9"],
    ),
    (
        "-t nat -A POSTROUTING -s both.example -j SNAT --to-source 198.51.100.1",
        &["-A POSTROUTING -s 192.0.2.2/32 -j SNAT --to-source 198.51.100.1"],
    ),
    (
        "-t nat -A INPUT -p tcp -j SNAT --to-source 10.0.0.1:1024-2048 --persistent --random-fully --random",
        &[
            "-A INPUT -p tcp -j SNAT --to-source 10.0.0.1:1024-2048 --random --random-fully --persistent",
        ],
    ),
    (
        "-t nat -A POSTROUTING -o eth0 -j MASQUERADE",
        &["-A POSTROUTING -o eth0 -j MASQUERADE"],
    ),
    (
        "-t nat -A POSTROUTING -p tcp -j MASQUERADE --to-ports 1024-2048 --random-fully --random",
        &["-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1024-2048 --random --random-fully"],
    ),
    // TRACE.
    (
        "-t raw -A PREROUTING -s 192.0.2.1 -j TRACE",
        &["-A PREROUTING -s 192.0.2.1/32 -j TRACE"],
    ),
    (
        "-6 -t raw -A OUTPUT -p tcp --dport 22 -j TRACE",
        &["-A OUTPUT -6 -p tcp -m tcp --dport 22 -j TRACE"],
    ),
    // TCPMSS.
    (
        "-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp",
        &["-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"],
    ),
    (
        "-t mangle -A POSTROUTING -p tcp --syn -o ppp0 -j TCPMSS --set-mss 1412",
        &[
            "-A POSTROUTING -o ppp0 -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 1412",
        ],
    ),
    // SYNPROXY.
    (
        "-t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY",
        &["-A PREROUTING -p tcp -m tcp --dport 80 -j SYNPROXY"],
    ),
    (
        "-A INPUT -p tcp -m state --state UNTRACKED,INVALID -j SYNPROXY --ecn --mss 1460 --wscale 7 \
         --timestamps --sack-perm",
        &[
            "-A INPUT -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp \
           --wscale 7 --mss 1460 --ecn",
        ],
    ),
    (
        "-A FORWARD -p tcp -j SYNPROXY --wscale 0 --mss 65535 --timestamp",
        &["-A FORWARD -p tcp -j SYNPROXY --timestamp --wscale 0 --mss 65535"],
    ),
    (
        "-t raw -A PREROUTING -d 2001:db8::1 -p tcp -j SYNPROXY --when-flooded 100/1000000",
        &["-A PREROUTING -d 2001:db8::1/128 -p tcp -j SYNPROXY --when-flooded 100/1000000"],
    ),
    (
        "-t raw -A PREROUTING -p tcp -j SYNPROXY --when-flooded 1 --mss 1",
        &["-A PREROUTING -p tcp -j SYNPROXY --mss 1 --when-flooded 1"],
    ),
    (
        "-t raw -A PREROUTING -p tcp -j SYNPROXY --when-flooded 1 --window 0 --ecn",
        &["-A PREROUTING -p tcp -j SYNPROXY --ecn --window 0 --when-flooded 1"],
    ),
    (
        "-t raw -A PREROUTING -p tcp -j SYNPROXY --until-data",
        &["-A PREROUTING -p tcp -j SYNPROXY --until-data 3"],
    ),
    (
        "-t raw -A PREROUTING -p tcp -j SYNPROXY --until-data --window 1",
        &["-A PREROUTING -p tcp -j SYNPROXY --window 1 --until-data 3"],
    ),
    (
        "-t raw -A PREROUTING -j SYNPROXY --until-data 60 -p tcp",
        &["-A PREROUTING -p tcp -j SYNPROXY --until-data 60"],
    ),
    (
        "-t raw -A PREROUTING -p tcp -j SYNPROXY --until-data=1",
        &["-A PREROUTING -p tcp -j SYNPROXY --until-data 1"],
    ),
];

#[test]
fn lines_mean_what_iptables_means() {
    for (line, expected) in LINES {
        assert_eq!(saved(line), *expected, "{line}");
    }
}

#[test]
fn printed_rules_mean_the_same() {
    for (line, _) in LINES {
        for rule in saved(line) {
            assert_eq!(saved(&rule), [rule.as_str()], "{line}");
        }
    }
}

#[test]
fn families_come_from_options_addresses_and_protocols() {
    for (line, family) in [
        ("-A INPUT", None),
        ("-A INPUT -4", Some(Family::Ipv4)),
        ("-A INPUT -s ::1", Some(Family::Ipv6)),
        ("-A INPUT ! -s 10.0.0.1", Some(Family::Ipv4)),
        ("-A INPUT -s ::/0", Some(Family::Ipv6)),
        ("-A INPUT -p icmp", Some(Family::Ipv4)),
        ("-A INPUT -p 58", Some(Family::Ipv6)),
        ("-A INPUT ! -p icmp", None),
        ("-A INPUT -p tcp", None),
        ("-A INPUT -j REJECT", None),
        (
            "-A INPUT -j REJECT --reject-with host-unreach",
            Some(Family::Ipv4),
        ),
        (
            "-A INPUT -j REJECT --reject-with no-route",
            Some(Family::Ipv6),
        ),
        ("-A INPUT -m connlimit --connlimit-above 1", None),
        (
            "-A INPUT -m hashlimit --hashlimit-upto 1 --hashlimit-name a --hashlimit-srcmask 24",
            Some(Family::Ipv4),
        ),
        (
            "-A INPUT -m hashlimit --hashlimit-upto 1 --hashlimit-name a --hashlimit-dstmask 64",
            Some(Family::Ipv6),
        ),
        (
            "-A INPUT -m hashlimit --hashlimit-upto 1 --hashlimit-name a --hashlimit-srcmask 24,64",
            None,
        ),
        (
            "-A INPUT -m connlimit --connlimit-above 1 --connlimit-mask 24",
            Some(Family::Ipv4),
        ),
        (
            "-A INPUT -s ::1 -m connlimit --connlimit-above 1 --connlimit-mask 24",
            Some(Family::Ipv6),
        ),
        (
            "-A INPUT -m connlimit --connlimit-above 1 --connlimit-mask 64",
            Some(Family::Ipv6),
        ),
    ] {
        let (_, rules) = rules(line);
        assert_eq!(
            rules.iter().map(|rule| rule.family).collect::<Vec<_>>(),
            [family],
            "{line}"
        );
    }
}

#[test]
fn counters_are_read() {
    let (_, rules) = rules("-A INPUT -c 12 3456 -j DROP");
    let counters = Counters {
        packets: 12,
        bytes: 3456,
    };
    assert_eq!(rules.first().map(|rule| rule.counters), Some(counters));
}

fn command(line: &str) -> Command {
    parse(line)
        .unwrap_or_else(|error| panic!("{line}: {error}"))
        .command
}

/// The change that a line asks for, if that is all that it asks for.
fn edit(line: &str) -> Edit {
    match command(line) {
        Command::Change(edit) => edit,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn rule_commands() {
    for (line, kind, position, count) in [
        ("-I INPUT -j DROP", ChangeKind::Insert, Some(1), 1),
        ("-I INPUT 3 -j DROP", ChangeKind::Insert, Some(3), 1),
        ("-D INPUT -j DROP", ChangeKind::Delete, None, 1),
        ("-D INPUT 2", ChangeKind::Delete, Some(2), 0),
        ("-R web 2 -j DROP", ChangeKind::Replace, Some(2), 1),
    ] {
        let edit = edit(line);
        assert_eq!((edit.kind, edit.position), (kind, position), "{line}");
        assert_eq!(edit.rules.len(), count, "{line}");
    }
    assert!(matches!(command("-C INPUT -j DROP"), Command::Check { .. }));
    assert!(matches!(
        command("--check INPUT -j DROP"),
        Command::Check { .. }
    ));
}

#[test]
fn chain_commands() {
    for (line, kind, chain, position) in [
        ("-N web", ChangeKind::NewChain, Some("web"), None),
        ("--new web", ChangeKind::NewChain, Some("web"), None),
        ("-X", ChangeKind::DeleteChain, None, None),
        (
            "--delete-chain web",
            ChangeKind::DeleteChain,
            Some("web"),
            None,
        ),
        ("-E web www", ChangeKind::RenameChain, Some("web"), None),
        ("-F", ChangeKind::Flush, None, None),
        ("-F INPUT", ChangeKind::Flush, Some("INPUT"), None),
        ("-Z", ChangeKind::Zero, None, None),
        ("-Z web 2", ChangeKind::Zero, Some("web"), Some(2)),
    ] {
        let edit = edit(line);
        assert_eq!((edit.kind, edit.position), (kind, position), "{line}");
        assert_eq!(edit.chain.as_deref(), chain, "{line}");
    }
    assert_eq!(edit("-E web www").new_name.as_deref(), Some("www"));
    let policy = edit("-P INPUT DROP");
    assert_eq!(policy.kind, ChangeKind::Policy);
    assert_eq!(
        (policy.policy, policy.counters),
        (Some(Verdict::Drop), None)
    );
    let policy = edit("-P INPUT ACCEPT -c 1 2");
    let counters = Counters {
        packets: 1,
        bytes: 2,
    };
    assert_eq!(policy.policy, Some(Verdict::Accept));
    assert_eq!(policy.counters, Some(counters));
}

#[test]
fn show_commands() {
    for (line, wanted_form, wanted_chain, wanted_position, wanted_zero) in [
        ("-L", Form::Table, None, None, false),
        ("-L -v -n", Form::Table, None, None, false),
        ("-nvL INPUT", Form::Table, Some("INPUT"), None, false),
        ("-nvLINPUT", Form::Table, Some("INPUT"), None, false),
        ("--list=INPUT", Form::Table, Some("INPUT"), None, false),
        ("-L INPUT 2", Form::Table, Some("INPUT"), Some(2), false),
        ("-L -Z", Form::Table, None, None, true),
        ("-S INPUT 1 -v", Form::Rules, Some("INPUT"), Some(1), false),
        ("-t filter --list-rules", Form::Rules, None, None, false),
        ("-S --json -6", Form::Rules, None, None, false),
    ] {
        let Command::Show {
            form,
            chain,
            position,
            zero,
        } = command(line)
        else {
            panic!("{line}");
        };
        assert_eq!(form, wanted_form, "{line}");
        assert_eq!(chain.as_deref(), wanted_chain, "{line}");
        assert_eq!(position, wanted_position, "{line}");
        assert_eq!(zero, wanted_zero, "{line}");
    }
}

#[test]
fn every_command_goes_with_a_family() {
    for line in [
        "-F",
        "-F INPUT",
        "-Z",
        "-Z INPUT 2",
        "-N web",
        "-X",
        "-X web",
        "-P INPUT DROP",
        "-D INPUT 3",
    ] {
        for (option, family) in [("-4", Family::Ipv4), ("--ipv6", Family::Ipv6)] {
            for line in [format!("{option} {line}"), format!("{line} {option}")] {
                let invocation = parse(&line).unwrap();
                assert_eq!(invocation.family, Some(family), "{line}");
                let edit = edit(&line);
                let changes = edit.changes(invocation.family);
                assert!(
                    changes.iter().all(|change| change.family == Some(family)),
                    "{line}"
                );
            }
        }
    }
    // A chain has one name, and rules say it themselves.
    for line in [
        "-6 -E web www",
        "-6 -A INPUT",
        "-6 -R INPUT 1",
        "-6 -D INPUT -i lo",
    ] {
        let invocation = parse(line).unwrap();
        let edit = edit(line);
        let changes = edit.changes(invocation.family);
        assert!(
            changes.iter().all(|change| change.family.is_none()),
            "{line}"
        );
        let mut rules = changes.iter().filter_map(|change| change.rule);
        assert!(
            rules.all(|rule| rule.family == Some(Family::Ipv6)),
            "{line}"
        );
    }
}

#[test]
fn tables_are_chosen() {
    let table = |line| parse(line).map(|invocation| invocation.table).ok();
    assert_eq!(table("-L"), Some(Table::Filter));
    assert_eq!(table("-t raw -L"), Some(Table::Raw));
    assert_eq!(table("-L --table=raw"), Some(Table::Raw));
}

#[test]
fn help_and_version_are_printed() {
    let text = |line| match command(line) {
        Command::Print(text) => text,
        other => panic!("{other:?}"),
    };
    assert!(text("--help").contains("-t, --table"));
    assert!(text("-m recent -h").contains("--hitcount"));
    assert!(text("-m multiport -j MARK -h").contains("--dports"));
    assert!(text("-m multiport -j MARK -h").contains("--set-xmark"));
    assert!(text("-V").starts_with("palisade "));
}
