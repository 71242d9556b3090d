#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs in the VM: measures what Palisade, iptables with xt_recent, and nftables cost a packet, side by side.

recent.py work|cpus instructions|time FILE ADDRESSES

`work` measures what each does, on one CPU, and the memory of an entry; `cpus` how much faster two CPUs are
at one list. What was measured goes to the file as JSON; tests/bench/recent_report.py makes the table.

Each subject has a network namespace of its own, with its own rules and lists, that a pair of virtual
interfaces leads to. The sender's packets all end in the raw table's PREROUTING chain; the namespace's own
counters have to say so, or measuring failed.
"""
import contextlib
import json
import os
import re
import subprocess
import sys
import time

from measuring import (MeasuringFailed, Namespace, run, say, say_medians, setting, start_time)

KNOWN = 65536           # addresses in the list
NEW = int(sys.argv[4])  # addresses towards which a list grows; 0 leaves that out
NEW_BLOCKS = 16         # in so many measured steps
STAMPS = 4              # packets that each known address was seen with, as the rules ask
REPETITIONS = 5
# Packets of a repetition. Where the clock counts instructions, fewer will do.
PACKETS = 16384 if "instructions" in sys.argv else KNOWN
MEMORY_ENTRIES = 65536
CPU_PACKETS = 65536
UNKNOWN = 1 << 20       # number of the first address that no list has

WINDOW = f"--seconds 3600 --hitcount {STAMPS}"


class Subject(Namespace):
    """Something that has rules, in a namespace of its own."""

    def __init__(self, links):
        super().__init__()
        for _ in range(links):
            self.add_link()

    def ip_counters(self):
        """Packets that IP received in the namespace, and those that got past the raw table."""
        counters = self.counters()
        past = ("InDelivers", "InAddrErrors", "ForwDatagrams", "InDiscards", "InHdrErrors")
        return counters["Ip.InReceives"], sum(counters[f"Ip.{name}"] for name in past)

    @contextlib.contextmanager
    def all_dropped(self, packets):
        received, past = self.ip_counters()
        yield
        received_after, past_after = self.ip_counters()
        if received_after - received != packets or past_after != past:
            raise MeasuringFailed(f"{self.name}: of {packets} packets {received_after - received} came in "
                                  f"and {past_after - past} got past the rules")

    def send(self, first, addresses, packets):
        """Nanoseconds a packet."""
        with self.all_dropped(packets):
            return self.sent("udp", first, addresses, packets)

    def send_on_two_cpus(self, packets):
        """Nanoseconds from the start to the end of the later one, where each sends so many packets."""
        last = os.cpu_count() - 1
        with self.all_dropped(2 * packets):
            start = start_time()
            senders = [
                subprocess.Popen(["taskset", "-c", str(cpu),
                                  *self.sender("udp", link * KNOWN // 2, KNOWN // 2, packets, link), start],
                                 stdout=subprocess.PIPE, text=True)
                for link, cpu in enumerate((0, last))]
            times = [sender.communicate()[0] for sender in senders]
            if any(sender.returncode for sender in senders):
                raise MeasuringFailed("the senders failed")
            return max(map(int, times))

    # What it can do; `rules` gives the rules of a work, `load` puts them into force.

    def create_list(self, name, size, hits=None):
        pass

    def load(self, work):
        raise NotImplementedError

    def matched(self):
        """Packets that the rules have counted, if they count."""
        return None


class Table(Subject):
    """What speaks iptables' language."""

    WORKS = {
        "drop": ["-j DROP"],
        "hit": [f"-m recent --name known --rcheck {WINDOW} -j DROP"],
        "miss": [f"-m recent --name known --rcheck {WINDOW} -j ACCEPT", "-j DROP"],
        "update": [f"-m recent --name known --update {WINDOW} -j DROP"],
        "set-known": ["-m recent --name known --set -j DROP"],
        "set-new": ["-m recent --name new --set -j DROP"],
        "rules-address": [f"-s 198.51.100.{number} -j ACCEPT" for number in range(1, 101)] + ["-j DROP"],
        "rules-port": [f"-p udp --dport {number} -j ACCEPT" for number in range(1001, 1101)] + ["-j DROP"],
    }

    def rules(self, work):
        return self.WORKS[work]

    def matched(self):
        listed = self.on(self.tool, "-t", "raw", "-L", "PREROUTING", "-v", "-n", "-x")
        counts = re.findall(r"^ *(\d+) +\d+ +(?:\d+ +)?DROP ", listed, re.MULTILINE)
        return int(counts[-1]) if counts else None


class Iptables(Table):
    name = "iptables"
    tool = "iptables-legacy"

    def create_list(self, name, size, hits=None):
        # A list lives as long as a rule names it: this one is in nobody's way.
        self.on(self.tool, "-t", "raw", "-A", "OUTPUT", "-m", "recent", "--name", name, "--rcheck")

    def remove_list(self, name):
        self.on(self.tool, "-t", "raw", "-F", "PREROUTING")
        self.on(self.tool, "-t", "raw", "-D", "OUTPUT", "-m", "recent", "--name", name, "--rcheck")

    def load(self, work):
        self.on("iptables-legacy-restore", "--noflush", text="\n".join(
            ["*raw", "-F PREROUTING", *(f"-A PREROUTING {rule}" for rule in self.rules(work)), "COMMIT", ""]))


class Floor(Iptables):
    """What it costs to get a packet as far as the raw table and to drop it there."""
    name = "floor"

    def rules(self, work):
        return self.WORKS["drop"]

    def create_list(self, name, size, hits=None):
        pass

    def remove_list(self, name):
        pass


class Palisade(Table):
    name = "palisade"
    tool = "palisade"

    def create_list(self, name, size, hits=None):
        self.on("palisade", "list", "create", name, f"size={size}", *([f"hits={hits}"] if hits else []))

    def remove_list(self, name):
        self.on("palisade", "-t", "raw", "-F", "PREROUTING")
        self.on("palisade", "list", "destroy", name)

    def load(self, work):
        script = ["palisade -t raw -F PREROUTING"]
        script += [f"palisade -t raw -A PREROUTING {rule}" for rule in self.rules(work)]
        self.on("sh", "-e", text="\n".join(script))


class Nftables(Subject):
    name = "nftables"

    # It has nothing that counts packets of an address over a time without also limiting their rate: what
    # comes closest is to look up, and to refresh the element's timeout.
    WORKS = {
        "drop": ["drop"],
        "hit": ["ip saddr @known drop"],
        "miss": ["ip saddr @known accept", "drop"],
        "update": ["update @known { ip saddr } drop"],
        "set-known": ["update @known { ip saddr } drop"],
        "set-new": ["update @new { ip saddr } drop"],
        "rules-address": [f"ip saddr 198.51.100.{number} accept" for number in range(1, 101)] + ["drop"],
        "rules-port": [f"udp dport {number} accept" for number in range(1001, 1101)] + ["drop"],
    }

    def __init__(self, links):
        super().__init__(links)
        self.on("nft", "-f", "-", text="table ip bench { chain prerouting { "
                "type filter hook prerouting priority raw; policy accept; }; }")

    def rules(self, work):
        return self.WORKS[work]

    def create_list(self, name, size, hits=None):
        self.on("nft", f"add set ip bench {name} {{ type ipv4_addr; size {size}; "
                "flags dynamic,timeout; timeout 1h; }")

    def remove_list(self, name):
        self.on("nft", "flush chain ip bench prerouting")
        self.on("nft", f"delete set ip bench {name}")

    def load(self, work):
        self.on("nft", "-f", "-", text="\n".join(
            ["flush chain ip bench prerouting",
             *(f"add rule ip bench prerouting {rule}" for rule in self.rules(work)), ""]))


def load_xt_recent(total, stamps=None):
    subprocess.run(["modprobe", "--quiet", "--remove", "xt_recent"])
    options = [f"ip_list_tot={total}"] + ([f"ip_pkt_list_tot={stamps}"] if stamps else [])
    run("modprobe", "xt_recent", *options)
    return "xt_recent " + " ".join(options)


def create_known_list(subjects):
    """The list of known addresses, of which those that packets will come from were seen often enough."""
    for subject in subjects:
        subject.create_list("known", KNOWN)
        subject.load("set-known")
        if subject.name != "floor":
            subject.send(0, KNOWN, KNOWN)
            subject.send(0, PACKETS, PACKETS * (STAMPS - 1))


# Measuring.

def measure(subjects, work, first=0):
    """Repetitions of a work, the subjects taking turns."""
    say(work)
    samples = {subject.name: [] for subject in subjects}
    for subject in subjects:
        subject.load(work)
        subject.send(first, KNOWN, PACKETS // 8)
    for _ in range(REPETITIONS):
        for subject in subjects:
            samples[subject.name].append(subject.send(first, KNOWN, PACKETS))
    for subject in subjects:
        wanted = REPETITIONS * PACKETS + PACKETS // 8
        if subject.matched() not in (None, wanted):
            raise MeasuringFailed(f"{subject.name}: the rule of {work} counted {subject.matched()}, "
                                  f"not {wanted} packets")
    say_medians(samples)
    return samples


def measure_new(subjects):
    say("set-new")
    samples = {subject.name: [] for subject in subjects}
    for subject in subjects:
        subject.create_list("new", 1 << 20)
        subject.load("set-new")
    block = NEW // NEW_BLOCKS
    for number in range(NEW_BLOCKS):
        for subject in subjects:
            # What comes before the rules is the same for all addresses.
            packets = min(PACKETS, block) if subject.name == "floor" else block
            samples[subject.name].append(subject.send(number * block, block, packets))
    for subject in subjects:
        subject.remove_list("new")
    say_medians(samples)
    return samples


def memory_in_use():
    time.sleep(1)
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("2\n")
    time.sleep(1)
    with open("/proc/meminfo") as file:
        fields = dict(re.findall(r"^(\w+): +(\d+) kB$", file.read(), re.MULTILINE))
    with open("/proc/slabinfo") as file:
        rows = [line.split() for line in file.readlines()[2:]]
    caches = {row[0]: (int(row[1]), int(row[3])) for row in rows}
    return {name: int(fields[name]) * 1024 for name in ("Slab", "VmallocUsed", "Percpu")}, caches


def measure_memory(subject, hits):
    """Bytes an entry of a full list, all that the list takes up included."""
    say(f"memory: {subject.name}, hits {hits}")
    before, caches = memory_in_use()
    subject.create_list("new", MEMORY_ENTRIES, hits)
    subject.load("set-new")
    subject.send(0, MEMORY_ENTRIES, MEMORY_ENTRIES)
    after, caches_after = memory_in_use()
    subject.remove_list("new")
    parts = {name: (after[name] - before[name]) / MEMORY_ENTRIES for name in before}
    grown = {name: size for name, (count, size) in caches_after.items()
             if count - caches.get(name, (0, 0))[0] >= MEMORY_ENTRIES // 2}
    return {"bytes": sum(parts.values()), "parts": parts, "objects": grown}


def measure_work(result):
    subjects = [Floor(1), Iptables(1), Nftables(1), Palisade(1)]
    floor, iptables, nftables, palisade = subjects
    result["subjects"] = [subject.name for subject in subjects]
    result["rules"] = {subject.name: subject.WORKS for subject in (iptables, nftables, palisade)}

    memory = result["memory"] = {}
    for hits in (20, 1):
        load_xt_recent(MEMORY_ENTRIES, hits)
        for subject in (iptables, palisade):
            memory[f"{subject.name} {hits}"] = measure_memory(subject, hits)
        iptables.on("iptables-legacy", "-t", "raw", "-F")
    memory["nftables"] = measure_memory(nftables, None)

    result["modules"] = load_xt_recent(1 << 20)
    works = result["works"] = {}
    works["drop"] = measure(subjects, "drop")
    works["rules-address"] = measure(subjects, "rules-address")
    works["rules-port"] = measure(subjects, "rules-port")
    create_known_list(subjects)
    works["hit"] = measure(subjects, "hit")
    works["miss"] = measure(subjects, "miss", UNKNOWN)
    works["update"] = measure(subjects, "update")
    works["set-known"] = measure(subjects, "set-known")
    for subject in subjects:
        subject.remove_list("known")
    if NEW:
        works["set-new"] = measure_new(subjects)
    return subjects


def measure_cpus(result):
    result["modules"] = load_xt_recent(1 << 20)
    subjects = [Floor(2), Iptables(2), Nftables(2), Palisade(2)]
    cpus = result["cpus"] = {}
    create_known_list(subjects)
    for work in ("hit", "update"):
        say(f"two CPUs: {work}")
        samples = cpus[work] = {subject.name: {"one": [], "two": []} for subject in subjects}
        for subject in subjects:
            subject.load(work)
        for _ in range(REPETITIONS):
            for subject in subjects:
                one = subject.send(0, KNOWN // 2, CPU_PACKETS)
                two = subject.send_on_two_cpus(CPU_PACKETS) / CPU_PACKETS
                samples[subject.name]["one"].append(one)
                samples[subject.name]["two"].append(two)
    return subjects


def main():
    what, clock, file, _ = sys.argv[1:]
    result = {"clock": clock}
    result["new"] = NEW
    result["repetitions"] = REPETITIONS
    result.update(setting())
    run("modprobe", "palisade", "max_entries=1048576")
    # Whatever else sends packets would be counted.
    run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
    try:
        subjects = measure_work(result) if what == "work" else measure_cpus(result)
    except MeasuringFailed as error:
        print(f"measuring failed: {error}", file=sys.stderr)
        return 1
    for subject in subjects:
        subject.end()
    with open(file, "w") as output:
        json.dump(result, output, indent=1)
    return 0


sys.exit(main())
