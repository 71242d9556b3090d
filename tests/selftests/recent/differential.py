#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
"""The same packets meet the same rules on a host with iptables and xt_recent and on one with Palisade.

differential.py [SEED]: the verdict on each packet has to be the same, and so have the lists in the end. Rules and packets
follow from the seed, which the environment variable SEED can set as well. Several scenarios, each with rules and lists of
its own, run side by side in rounds of about a third of a second. lib/differential/hosts.py draws the hosts.
"""

import ipaddress
import itertools
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from differential.hosts import SENDER, Palisade, Reference, prepare
from differential.scenarios import DIFFERENCES, OUTPUT, ROUNDS, Packet, Scenario, network
from genetlink import Report

SCENARIOS, AT_ONCE, ATTEMPTS = 48, 16, 4
# The multiples of this that can lie between two rounds are as far from whole seconds as possible.
INTERVAL = 4 / 11
# Two packets of a scenario must not be about as far apart as --seconds of one of its rules: one host could see them within
# that time and the other not. So many seconds of distance are planned, and so many are needed in the end.
PLANNED, NEEDED = 0.05, 0.015
# How long a scenario's packets of a round are expected to take, and the shortest pause after them, so that the age of an
# entry shows in which round it was stamped.
BURST, PAUSE = 0.03, 0.2
# Larger than the defaults, so that no list gets full and none remembers less than one of Palisade.
XT_RECENT = {"ip_list_tot": 1000, "ip_pkt_list_tot": 255}


class Play:
    """A scenario as it is played to both hosts."""

    def __init__(self, scenario, hosts, markers):
        self.scenario, self.hosts, self.markers = scenario, hosts, markers
        # When the packets of each round were sent, and those that got through each host.
        self.times = []
        self.accepted = {host: set() for host in hosts}
        # Whether packets were sent too far from the planned time to compare.
        self.disturbed = False
        self.windows = {int(seconds) for *_, rule in scenario.rules for seconds in re.findall(r"--seconds (\d)", rule)}
        # How many entries of lists were compared.
        self.entries = 0

    def is_close(self, start, end, margin):
        """Whether packets sent from start to end are about as far from earlier ones as --seconds of a rule."""
        return any(start - last - margin < window < end - first + margin
                   for first, last in self.times for window in self.windows)

    def round(self, planned):
        planned = max(planned, time.monotonic(), *(end + PAUSE for _, end in self.times[-1:]))
        while self.is_close(planned, planned + BURST, PLANNED):
            planned += BURST / 4
        time.sleep(max(planned - time.monotonic(), 0))
        start = time.monotonic()
        for change in self.scenario.changes[len(self.times)]:
            for host in self.hosts:
                host.change(*change)
        for packet in self.scenario.rounds[len(self.times)]:
            for host in self.hosts:
                host.send(packet, OUTPUT in self.scenario.chains)
        for host in self.hosts:
            self.accepted[host] |= host.accepted(next(self.markers))
        end = time.monotonic()
        self.disturbed |= self.is_close(start, end, NEEDED)
        self.times.append((start, end))

    def round_at(self, moment):
        """The number of the round in which a packet was stamped."""
        distances = [max(start - moment, moment - end, 0) for start, end in self.times]
        return distances.index(min(distances))

    def differences(self):
        """How verdicts and lists differ between the hosts."""
        reference, palisade = (self.accepted[host] for host in self.hosts)
        found = [f"{packet}: {'accepted' if number in reference else 'dropped'} by xt_recent,"
                 f" {'accepted' if number in palisade else 'dropped'} by Palisade"
                 for number, packet in self.scenario.packets.items() if (number in reference) != (number in palisade)]
        for one in self.scenario.lists:
            found += self.list_differences(one)
        return found

    def list_differences(self, one):
        reads = [host.read(one) for host in self.hosts]
        # reaping: older entries may be gone by now
        oldest = time.monotonic() - one.reaped if one.reaped else 0
        first = next((number for number, (start, _) in enumerate(self.times) if start > oldest), len(self.times))
        reference, palisade = ({address: (ttl, [self.round_at(moment) for moment in times], count)
                                for address, (ttl, times, count) in read.items()
                                if self.round_at(times[0]) >= first} for read in reads)
        self.entries += len(reference)
        for address in sorted(reference.keys() | palisade.keys(), key=lambda address: (address.version, address)):
            if address not in reference or address not in palisade:
                yield f"list {one.name}: only {'xt_recent' if address in reference else 'Palisade'} has {address}"
                continue
            (ttl, rounds, count), (own_ttl, own_rounds, own_count) = reference[address], palisade[address]
            if ttl != own_ttl:
                yield f"list {one.name}: {address} has TTL {ttl} with xt_recent, {own_ttl} with Palisade"
            if count != own_count and not one.reaped:
                yield f"list {one.name}: {address} has {count} packets with xt_recent, {own_count} with Palisade"
            # remembered, reaping: compares the stamps that both still have
            both = min(len(rounds), len(own_rounds))
            kept = [[number for number in numbers[:both] if number >= first] for numbers in (rounds, own_rounds)]
            if kept[0] != kept[1] or both < min(count, 20) and not one.reaped:
                yield f"list {one.name}: {address} was seen in rounds {rounds} by xt_recent, {own_rounds} by Palisade"
        order = [numbers[0] for _, numbers, _ in palisade.values()]
        if order != sorted(order, reverse=True):
            yield f"list {one.name}: Palisade lists entries in the order of rounds {order}"


def play(scenarios, hosts, markers):
    """Plays scenarios side by side."""
    for host in hosts:
        host.load(scenarios)
    plays = [Play(scenario, hosts, markers) for scenario in scenarios]
    start = time.monotonic() + 0.1
    for number in range(ROUNDS):
        for index, one in enumerate(plays):
            one.round(start + INTERVAL * (number + index / len(plays)))
    return plays


def make_markers():
    """Packets that no rule matches."""
    source, destination = ipaddress.ip_address("10.1.0.1"), network(4, 0, False)[1]
    return (Packet(number, source, destination, 64) for number in itertools.count(1 << 24))


def judge(report, one, found):
    """Reports a scenario."""
    scenario = one.scenario
    details = found[:6] + [f"... and {len(found) - 6} more"] * (len(found) > 6)
    details += [f"scenario {scenario.number} of seed {scenario.seed}, whose rules are:", *scenario.palisade_rules(),
                *scenario.changes_said()]
    if one.disturbed:
        details.append("the machine was too slow to keep packets away from whole seconds: this may mean nothing")
    chains = " and ".join(f"{chain} of {table}" for table, chain in scenario.chains)
    report.check(f"scenario {scenario.number}: {len(scenario.packets)} packets, {len(scenario.lists)} lists,"
                 f" {len(scenario.rules)} rules in {chains}", not found, *details)


def compare(seed, report, hosts):
    markers = make_markers()
    waiting = [(number, 0) for number in range(1, SCENARIOS + 1)]
    done = []
    while waiting:
        wave, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        for (number, attempt), one in zip(wave, play([Scenario(seed, *which) for which in wave], hosts, markers)):
            found = one.differences()
            # Without a difference, it does not matter when packets were sent.
            if found and one.disturbed and attempt + 1 < ATTEMPTS:
                waiting.append((number, attempt + 1))
                continue
            judge(report, one, found)
            done.append(one)
    packets = sum(len(one.scenario.packets) for one in done)
    accepted = sum(len(one.scenario.packets.keys() & one.accepted[hosts[0]]) for one in done)
    entries = sum(one.entries for one in done)
    report.check("both verdicts and entries of lists were common",
                 packets / 10 < accepted < packets * 9 / 10 and entries > packets / 50)
    print(f"# {packets} packets, of which {accepted} were accepted, and {entries} entries of lists were compared")


def main():
    seed = (sys.argv[1:] or [os.environ.get("SEED", "1")])[0]
    print(f"# seed {seed}; known differences: {', '.join(DIFFERENCES)}")
    prepare(XT_RECENT)
    report = Report()
    try:
        compare(seed, report, [Reference(), Palisade()])
    finally:
        for name in (SENDER, Reference.name, Palisade.name):
            subprocess.run(["ip", "netns", "delete", name])
    report.finish()


if __name__ == "__main__":
    main()
