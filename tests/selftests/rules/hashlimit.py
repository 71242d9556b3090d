#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
"""-m hashlimit: the same packets meet it on a host with iptables and on one with Palisade; and what Palisade adds.

hashlimit.py [SEED]: as many packets have to match on both hosts, and as many have to be dropped since they are malformed.
Packets follow from the seed.

    +----------------+          +----------------------+
    |     sender     |          |       iptables       |
    |      iptables -+----------+- in   10.0.0.1/24    |
    |                |          |       fd00::1/64     |
    |                |          +----------------------+
    |                |
    |                |          +----------------------+
    |      palisade -+----------+- in   the same       |
    |                |          |       palisade       |
    +----------------+          +----------------------+
"""

import json
import os
import pathlib
import random
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from packet_frames import BEHIND, HOSTS, SERVER, SERVER_MAC, TCP, UDP, Frames, ip, tcp, udp

IPTABLES, PALISADE, SENDER = "iptables", "palisade", "sender"
# {mask} and {other} are prefix lengths of the IP version.
LIMITS = (
    "--hashlimit-upto 3/hour --hashlimit-burst 3 --hashlimit-mode srcip",
    "--hashlimit-above 3/hour --hashlimit-burst 3 --hashlimit-mode srcip",
    "! --hashlimit-upto 1/day --hashlimit-burst 1 --hashlimit-mode srcip,dstip",
    "--hashlimit-upto 2/hour --hashlimit-mode srcip --hashlimit-srcmask {mask}",
    "--hashlimit-upto 7/hour --hashlimit-burst 2 --hashlimit-mode srcip,dstip --hashlimit-srcmask {other} --hashlimit-dstmask {mask}",
    "--hashlimit-upto 2/hour --hashlimit-burst 2 --hashlimit-mode dstport",
    "--hashlimit-upto 2/hour --hashlimit-burst 2 --hashlimit-mode srcport",
    "--hashlimit-above 2/hour --hashlimit-burst 2 --hashlimit-mode srcip,srcport,dstip,dstport",
    "--hashlimit-upto 100/hour --hashlimit-burst 100",
    "--hashlimit-upto 20/second --hashlimit-burst 3 --hashlimit-mode srcip",
    "--hashlimit-upto 1kb/s --hashlimit-mode srcip",
    "--hashlimit-above 1kb/s --hashlimit-burst 3kb --hashlimit-mode srcip",
    "--hashlimit-upto 16b/s --hashlimit-mode srcip,dstport",
    "--hashlimit-above 4kb/s --hashlimit-burst 20kb --hashlimit-mode dstip",
)
PACKETS, ATTEMPTS = 400, 5
MARKER_PORT = 9999


def on(host, *command, **more):
    more = {"check": True, "text": True, "stdout": subprocess.PIPE} | more
    return subprocess.run(["ip", "netns", "exec", host, *command], **more).stdout


def make_host(name):
    subprocess.run(["ip", "netns", "add", name], check=True)
    on(SENDER, "ip", "link", "add", name, "type", "veth", "peer", "name", "in", "address", SERVER_MAC.hex(":"), "netns", name)
    on(SENDER, "ip", "link", "set", name, "up")
    on(name, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
    on(name, "ip", "-batch", "-", input="""
        link set lo up
        link set in up
        address add 10.0.0.1/24 dev in
        address add fd00::1/64 dev in nodad""")


def link_of(name):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((name, 0))
    return link


def rules(version, limit):
    """The rules of an IP version: one for the marker, one with the match, and one for what comes behind it."""
    marker = [f"-p udp --dport {MARKER_PORT} -j ACCEPT"] if version == 4 else []
    return [*marker, f"-m hashlimit {limit}", ""]


def load(number, limits):
    named = {version: f"{limit} --hashlimit-name test{number}" for version, limit in limits.items()}
    for version, tool in (4, "iptables-legacy-restore"), (6, "ip6tables-legacy-restore"):
        lines = [f"-A PREROUTING {rule}" for rule in rules(version, named[version])]
        on(IPTABLES, tool, input="\n".join(["*raw", *lines, "COMMIT", ""]))
    lines = [f"-A PREROUTING -{version} {rule}" for version in (4, 6) for rule in rules(version, named[version])]
    on(PALISADE, "palisade", "restore", input="\n".join(["*raw", ":PREROUTING ACCEPT", *lines, "COMMIT", ""]))


def counts(text):
    return [int(count) for count in re.findall(r"^ *(\d+) +\d+ ", text, re.M)]


def iptables_counts():
    return sum((counts(on(IPTABLES, tool, "-t", "raw", "-L", "PREROUTING", "-vnx"))
                for tool in ("iptables-legacy", "ip6tables-legacy")), [])


def palisade_counts():
    return counts(on(PALISADE, "palisade", "-t", "raw", "-L", "PREROUTING", "-vnx"))


def arrived(read):
    """The counts once the marker has arrived, which is sent last."""
    for _ in range(3000):
        found = read()
        if found[0]:
            return found[1:]
        time.sleep(0.02)
    raise SystemExit("the last packet has not arrived")


def frames(source):
    """Packets of a few hosts, and malformed ones."""
    odd = Frames(source)
    for _ in range(PACKETS):
        if source.random() < 0.2:
            yield from odd.some()
            continue
        version = source.choice((4, 6))
        ports = source.choice((1, 1024, 40000)), source.choice((22, 53, 80))
        payload = bytes(source.choice((0, 10, 100, 1000)))
        protocol, segment = source.choice(((TCP, tcp(*ports, 16, payload=payload)), (UDP, udp(*ports, payload))))
        address = bytearray(source.choice(HOSTS[version]))
        if source.random() < 0.3:
            address[-3:] = source.randbytes(3)
        yield ip(version, protocol, segment, source=bytes(address), destination=source.choice((SERVER, BEHIND))[version])


def play(number, limit, seed, links):
    limits = {4: limit.format(mask=24, other=30), 6: limit.format(mask=56, other=125)}
    for attempt in range(ATTEMPTS):
        load(f"{number}x{attempt}", limits)
        source = random.Random(f"{seed} {number}")
        for frame in frames(source):
            for link in links:
                link.send(frame[:1514])
        for link in links:
            link.send(ip(4, UDP, udp(1, MARKER_PORT)))
        found = arrived(iptables_counts), arrived(palisade_counts)
        # A packet may come to one host a jiffy before it comes to the other.
        if found[0] == found[1]:
            break
    return found


def compare(report, seed):
    for name in IPTABLES, PALISADE:
        make_host(name)
    # Packets from one CPU stay in order.
    os.sched_setaffinity(0, {0})
    with open(f"/run/netns/{SENDER}") as namespace:
        os.setns(namespace.fileno(), os.CLONE_NEWNET)
    links = [link_of(name) for name in (IPTABLES, PALISADE)]
    for number, limit in enumerate(LIMITS):
        theirs, ours = play(number, limit, seed, links)
        # Within seconds, how many match depends on how long the packets take.
        is_slow = "hour" in limit or "day" in limit
        told_apart = all(0 < matched < behind for matched, behind in zip(theirs[::2], theirs[1::2]))
        report.check(f"as many packets match as with iptables: {limit}", theirs == ours and (told_apart or not is_slow),
                     f"iptables counted {theirs}, Palisade {ours}: of IPv4 in the rule and behind it, of IPv6")


def rates(*arguments):
    return json.loads(on(PALISADE, "palisade", "rates", *arguments, "--json"))


def fails(report, description, message, *command):
    done = subprocess.run(["ip", "netns", "exec", PALISADE, "palisade", *command], capture_output=True, text=True)
    report.check(description, done.returncode != 0 and re.search(message, done.stderr), done.stderr)


def check_rates(report):
    """What palisade rates shows, and how long it is there."""
    link = link_of(PALISADE)

    def send(*packets):
        before = palisade_counts()[0]
        for version, source, port in packets:
            link.send(ip(version, UDP, udp(1, port), source=source))
        for _ in range(3000):
            if palisade_counts()[0] == before + len(packets):
                return
            time.sleep(0.02)
        raise SystemExit("packets have not arrived")

    def palisade(*words):
        on(PALISADE, "palisade", *" ".join(words).split())

    palisade("-t raw -F")
    report.check("no rule, no rates", rates() == [])
    palisade("-t raw -A PREROUTING")
    match = "-m hashlimit --hashlimit-mode srcip,dstport --hashlimit-name shared"
    palisade("-t raw -A PREROUTING", match, "--hashlimit-upto 1/day --hashlimit-burst 2 --hashlimit-srcmask 24,64",
             "--hashlimit-htable-max 100")
    report.check("rates of a rule", rates() == [{"name": "shared", "size": 100, "rules": 1, "evicted": 0, "refused": 0}],
                 rates())
    send((4, HOSTS[4][0], 53), (4, HOSTS[4][1], 53), (4, HOSTS[4][0], 53), (6, HOSTS[6][0], 54))
    found = rates("shared")
    report.check("addresses are shown as far as they count, who sent most first",
                 [(one["source"], one["destination"], one["destination_port"]) for one in found]
                 == [("10.0.0.0", None, 53), ("fd00::", None, 54)], found)
    day = 86400 * 1000
    report.check("and when they may send again",
                 day < found[0]["full_in_ms"] <= 2 * day and 0 < found[1]["full_in_ms"] <= day, found)
    report.check("two of three packets matched, and one", palisade_counts()[1] == 3, palisade_counts())
    palisade("-t raw -A PREROUTING", match, "--hashlimit-above 1/day --hashlimit-burst 2 --hashlimit-srcmask 24,64")
    report.check("another rule of that name shares them", rates()[0]["rules"] == 2 and rates("shared")[0]["destination_port"] == 53)
    palisade("-t raw -D PREROUTING 2")
    send((4, HOSTS[4][2], 53))
    report.check("it knows who has sent before", palisade_counts()[1] == 1, palisade_counts())
    palisade("rates shared --flush")
    report.check("all are forgotten", rates("shared") == [])
    send((4, HOSTS[4][2], 53))
    report.check("and may send again", palisade_counts()[1] == 1 and len(rates("shared")) == 1, palisade_counts())
    saved = on(PALISADE, "palisade", "save")
    on(PALISADE, "palisade", "restore", input=saved)
    report.check("they outlast a restore", len(rates("shared")) == 1, rates("shared"), saved)
    on(PALISADE, "palisade", "restore", "--test", input=saved.replace("shared", "tested"))
    report.check("a test leaves none", [one["name"] for one in rates()] == ["shared"], rates())
    fails(report, "a table that is too large is refused", "max_entries", "-A", "INPUT", "-m", "hashlimit", "--hashlimit-name", "large",
          "--hashlimit-upto", "1", "--hashlimit-htable-max", "100000000")
    fails(report, "a burst of bytes of less than a second is refused", "burst", "-A", "INPUT", "-m", "hashlimit", "--hashlimit-name",
          "large", "--hashlimit-upto", "1mb/s", "--hashlimit-burst", "1kb")
    report.check("and leaves none", [one["name"] for one in rates()] == ["shared"], rates())
    fails(report, "there is nobody of another name", "no rule has --hashlimit-name other", "rates", "other")
    subprocess.run(["ip", "netns", "add", "elsewhere"], check=True)
    elsewhere = json.loads(on("elsewhere", "palisade", "rates", "--json"))
    report.check("another namespace has none", elsewhere == [], elsewhere)
    palisade("-t raw -F")
    report.check("they go with the last rule", rates() == [])


def main():
    seed = (sys.argv[1:] or [os.environ.get("SEED", "1")])[0]
    print(f"# seed {seed}")
    subprocess.run(["modprobe", "palisade"], check=True)
    report = Report()
    subprocess.run(["ip", "netns", "add", SENDER], check=True)
    on(SENDER, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
    try:
        compare(report, seed)
        check_rates(report)
    finally:
        for name in (SENDER, IPTABLES, PALISADE, "elsewhere"):
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)
    report.finish()


if __name__ == "__main__":
    main()
