#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Fuzzes the hooks with packets, against rules that use every match, over a cable and two taps.

After each slice the server still has to accept connections over IPv4 and IPv6, and its rules have to have counted
packets; at the end every rule has to have seen some."""

import argparse
import collections
import errno
import itertools
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "selftests/lib"))

import campaign
from campaign import Broken, Campaign
from genetlink import ENUMERATIONS, Client
from handshakes import Handshakes
from netlink_answers import check_configuration, dump
from packet_frames import Frames, samples, sweep
from packet_paths import ALIVE, SERVER_HOST, Paths, enter, make_hosts, remove_hosts

WEIGHTS = {"cable": 5, "offloading-cable": 2, "tap": 2, "scattering-tap": 4}

# Each of the two chains has these rules, with lists of its own. Whoever checks that the server lives comes first.
RULES = [f"-s {address} -j ACCEPT" for address in ALIVE.values()] + """
-m recent --name all-{chain} --set
-m recent --name destinations-{chain} --set --rdest
-i eth0
-i tap+
! -i eth+
-s 10.0.0.0/29 ! -d 10.0.0.9
! -s 10.0.0.0/30
-s fd00::/64 -d fd00::1
! -s fd00::2/128
-4 -m recent --name all-{chain} --rcheck --seconds 60 --hitcount 2
-6 -m recent --name all-{chain} --update --seconds 60 --hitcount 5
-p tcp
-p tcp --sport 1:1023 --dport 22
-p tcp ! --sport 22 ! --dport 1024:65535
-p tcp --tcp-flags SYN,ACK,RST,FIN SYN -m recent --name syn-{chain} --set
-p tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG,ECE,CWR NONE
-p tcp ! --tcp-flags SYN,FIN SYN,FIN
-p tcp -m recent --name syn-{chain} --update --hitcount 20 -j RETURN
-p udp
-p udp --dport 53 -m recent --name dns-{chain} --rcheck --rdest
-p udp ! --sport 0:52 -m recent --name dns-{chain} --set --rdest
-p udp --sport 65535
-p icmp -m recent --name ping-{chain} --update --seconds 1 --hitcount 3
-p icmp -m recent --name ping-{chain} --set
-p icmpv6 -m recent --name ping-{chain} --set
-p icmpv6 -m recent --name ping-{chain} ! --rcheck --hitcount 100
! -p tcp -m recent --name syn-{chain} --remove
-m recent --name dns-{chain} ! --remove --rsource -m recent --name all-{chain} --rcheck
! -f -m recent --name ports-{chain} --rport --set
-m recent --name all-{chain} --rcheck --seconds 1 --reap --rttl
-4 -m recent --name masked-{chain} --set --mask 255.255.255.0
-6 -m recent --name masked-{chain} --set --mask ffff:ffff::
-m recent --name masked-{chain} --update --mask 20,50
-p tcp -m multiport --ports 1:1023,8080,65535
-p udp -m multiport ! --dports 53,1024:65535
-p icmp --icmp-type any
-p icmp ! --icmp-type 3/1:4
-p icmpv6 ! --icmpv6-type 1/4
-m mark ! --mark 0x1/0xff
-m limit --limit 1000/s --limit-burst 1000
-m string ! --string needle --algo bm
-m string ! --hex-string '|00ff00ff00|' --algo kmp --from 20 --to 1000
-m length --length 0:100
-p tcp -m tls
-p tcp -m tls ! --host '*needle*' --alpn h2
-p tcp -m http ! --host '*needle*' --method GET ! --path '/*'
-m ttl --ttl-gt 1
-m hl ! --hl-eq 1
-m iprange --src-range 10.0.0.1-10.0.0.5
-p tcp --syn -m connlimit --connlimit-upto 1000000
-m hashlimit --hashlimit-name fuzzed-{chain} --hashlimit-mode srcip,dstip --hashlimit-upto 1000/s --hashlimit-srcmask 20,50 --hashlimit-htable-max 10
-m hashlimit --hashlimit-name fuzzed-{chain} --hashlimit-mode srcip --hashlimit-upto 1mb/s
-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 700
-m addrtype --src-type UNICAST --dst-type LOCAL --limit-iface-in
-m addrtype ! --src-type LOCAL,ANYCAST,UNREACHABLE
-m comment --comment everything
-j MARK --set-xmark 0x10/0xff
-j called-{chain}
""".strip().splitlines()
# Only the first chain drops, and only what the second has seen already from others.
DROPS = ["-s 10.0.0.7 -p tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG,ECE,CWR NONE -j DROP",
         "-s fd00::7 -p udp --sport 65535 -j DROP"]
CHAINS = {"PREROUTING": "raw", "INPUT": "filter"}
# What comes to the first chain's end is traced, also by SYNPROXY and in the other chains.
TRACES = ["-m length --length 0:400 -j TRACE"]
# SYNPROXY comes last: what it answers or drops meets no further rule.
CLASSIC = "-p tcp --dport 443 -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460"
PROXIES = {
    "PREROUTING": TRACES + ["-p tcp --dport 80 -j SYNPROXY", "-p tcp --dport 21 -j SYNPROXY --when-flooded 1/1",
                   "-p tcp --dport 443 --syn -j NOTRACK"],
    "INPUT": [CLASSIC],
    "FORWARD": [CLASSIC],
}
RULES_OF = {chain: (RULES if chain in CHAINS else []) + (DROPS if chain == "PREROUTING" else []) + proxies
            for chain, proxies in PROXIES.items()}
# Some of what SYNPROXY does not care for is translated.
TRANSLATIONS = {
    "PREROUTING": ["-s 10.0.0.5 -p udp -j DNAT --to-destination 10.0.1.2-10.0.1.9:1000-2000 --random",
                   "-s fd00::5 -p udp -j DNAT --to-destination [fd00:0:0:1::2-fd00:0:0:1::9]:1000-2000/1 --persistent"],
    "INPUT": ["-s 10.0.0.6 -p icmp -j SNAT --to-source 10.0.0.200-10.0.0.203",
              "-s fd00::6 -p icmpv6 -j SNAT --to-source fd00::200"],
    "POSTROUTING": ["-p udp -j SNAT --to-source :1-1023 --random-fully", "-p icmp -j SNAT --to-source 10.0.0.1 --persistent"],
}


def set_rules():
    # A list that is small enough to overflow.
    commands = ["palisade list create all-PREROUTING size=64"]
    for chain, table in CHAINS.items():
        commands.append(f"palisade -t {table} -N called-{chain}")
        commands.append(f"palisade -t {table} -A called-{chain} -g leaf-{chain}")
        commands.insert(-1, f"palisade -t {table} -N leaf-{chain}")
        commands.append(f"palisade -t {table} -A leaf-{chain} -m limit --limit 1/s")
    for chain, rules in RULES_OF.items():
        for rule in rules:
            commands.append(f"palisade -t {CHAINS.get(chain, 'filter')} -A {chain} {rule.format(chain=chain)}")
    commands += [f"palisade -t nat -A {chain} {rule}" for chain, rules in TRANSLATIONS.items() for rule in rules]
    subprocess.run(["ip", "netns", "exec", SERVER_HOST, "sh", "-e"], input="\n".join(commands), text=True, check=True)


class Fuzzer:
    def __init__(self, work):
        self.work = work
        make_hosts()
        set_rules()
        enter(SERVER_HOST)
        self.control, self.tracer = Client(), Client()
        self.tracer.listen("trace")
        self.paths = Paths()
        self.handshakes = Handshakes()
        self.sent = self.refused = self.transferred = self.hooked = self.traced = 0
        self.errors = collections.Counter()

    def run(self):
        try:
            for frame in samples():
                self.send("cable", [frame])
            self.transfer()
            for number, random in self.work.slices():
                try:
                    # What can be tried one by one is, in the slices that come first.
                    self.slice(random, self.swept(number) or self.random_frames(random))
                    self.check(number)
                except (Broken, OSError, ValueError) as reason:
                    self.work.say_broken(number, reason or type(reason).__name__)
                    return False
                self.progress()
            self.transfer()
            self.progress(always=True)
            return self.report()
        finally:
            remove_hosts()

    def swept(self, number):
        return list(itertools.islice(sweep(), self.work.size * number, self.work.size * (number + 1)))

    def random_frames(self, random):
        frames, source = [], Frames(random)
        while len(frames) < self.work.size:
            frames += source.some()
        return frames

    def slice(self, random, frames):
        for start in range(0, len(frames), 100):
            shots = []
            for frame in frames[start:start + 100]:
                name = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
                shots.append((name, self.paths.all[name].encode(random, frame)))
            self.work.record.write(" ".join([name] + [part.hex() or "-" for part in parts]) for name, parts in shots)
            for name, parts in shots:
                self.send(name, parts)
            self.shake_hands(random)

    def shake_hands(self, random):
        """Cookies do not mind by which way they come back; only what comes over the cable is answered to where it is seen."""
        for frames in self.handshakes.rounds(random):
            shots = []
            for frame in frames:
                name = "cable" if random.random() < 0.8 else random.choice(list(WEIGHTS))
                shots.append((name, self.paths.all[name].encode(random, frame)))
            self.work.record.write(" ".join([name] + [part.hex() or "-" for part in parts]) for name, parts in shots)
            for name, parts in shots:
                self.send(name, parts)
            self.paths.serve()

    def send(self, name, parts):
        self.sent += 1
        try:
            self.paths.all[name].send(parts)
        except OSError as error:
            self.refused += 1
            self.errors[f"{name} {errno.errorcode.get(error.errno, error.errno)}"] += 1

    def rules(self, of=RULES_OF):
        """Those of the built-in chains that these are for."""
        is_nat = of is TRANSLATIONS
        rules = [dict(answer) for answer in dump(self.control, "rule-get")]
        return [rule for rule in rules if rule["chain-name"].decode() in of
                and (rule["table"] == ENUMERATIONS["table"]["nat"]) == is_nat]

    def check(self, number=0):
        # Reading all entries of all lists takes as long as several slices.
        if number % 10 == 0:
            check_configuration(self.control)
        for version in (4, 6):
            try:
                for end in self.paths.connect(version):
                    end.close()
            except OSError as error:
                raise Broken(f"the server does not accept connections over IPv{version} any more: {error}") from error
        # The first rules but two count what came to a hook.
        counted = sum(dict(rule["rule"])["packets"] for rule in self.rules() if rule["position"] == 3)
        if counted <= self.hooked:
            raise Broken(f"the rules count {counted} packets, as many as before")
        self.hooked = counted
        self.traced += sum(1 for _ in self.tracer.heard())

    def transfer(self):
        before = self.alive_counters()
        size = 1 << 20
        for version in (4, 6):
            self.transferred += self.paths.transfer(version, size)
        packets, data = (after - old for after, old in zip(self.alive_counters(), before))
        if data < 2 * size or data / packets < 4000:
            raise Broken(f"{data} bytes came in {packets} packets: these are not large")

    def alive_counters(self):
        rules = [dict(rule["rule"]) for rule in self.rules() if rule["position"] in (1, 2) and rule["chain-name"] == b"INPUT"]
        return sum(rule["packets"] for rule in rules), sum(rule["bytes"] for rule in rules)

    def progress(self, always=False):
        self.work.progress(f"{self.sent} packets, {self.sent / self.work.elapsed():.0f}/s, {self.refused} not taken by the "
                           f"sender's kernel, {self.hooked} times at a hook", always)

    def report(self):
        print(f"{self.work.name}: {self.traced} steps of traced packets were told", flush=True)
        print(f"{self.work.name}: {self.transferred} bytes in large segments; not taken: "
              + (", ".join(f"{what} {count}" for what, count in self.errors.most_common()) or "none"), flush=True)
        print(f"{self.work.name}: {self.handshakes.cookies} cookies came back, {self.handshakes.opened} SYNs came to the server "
              "beyond", flush=True)
        unseen = []
        for of in RULES_OF, TRANSLATIONS:
            for rule in self.rules(of):
                chain, position, inner = rule["chain-name"].decode(), rule["position"], dict(rule["rule"])
                unseen += self.never(f"{chain} {position}: {of[chain][position - 1]}", inner)
        if not self.traced:
            unseen.append("nothing was told of traced packets")
        if unseen:
            print(f"{self.work.name}: BROKEN: what no packet did:", *unseen, sep="\n  ", flush=True)
        return not unseen

    def never(self, text, rule):
        """What a rule never counted."""
        if rule["packets"] == 0:
            yield f"{text}: it matched none"
        if proxy := dict(rule.get("target", ())).get("synproxy"):
            counts = dict(dict(proxy)["statistics"])
            print(f"{self.work.name}: {text}: {counts}", flush=True)
            # What its servers had counted before the rule came is nothing that packets do.
            yield from (f"{text}: no {name}" for name, count in counts.items()
                        if count == 0 and not name.endswith("-before"))


def replay(options):
    options.record = None
    fuzzer = Fuzzer(Campaign(options, "replay"))
    try:
        for name in options.replay:
            for line in pathlib.Path(name).read_text().splitlines():
                if line.startswith("#"):
                    print(line, flush=True)
                    continue
                path, *parts = line.split()
                fuzzer.send(path, [b"" if part == "-" else bytes.fromhex(part) for part in parts])
        fuzzer.check()
    finally:
        remove_hosts()
    print(f"{fuzzer.sent} packets were sent again")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    campaign.add_options(parser, 1000)
    options = parser.parse_args()
    if options.replay:
        return replay(options)
    campaign.choose_seed(options)
    sys.exit(0 if Fuzzer(Campaign(options, "packets")).run() else 1)


if __name__ == "__main__":
    main()
