#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs in the VM: measures what Palisade, iptables with xt_recent, ipset and hashlimit, and nftables with sets and with
limits cost a packet, side by side.

recent.py instructions|time FILE PART...

The parts are memory, what an entry takes up; rules, the costs of 10, 100 and 1,000 rules; list=SIZE, what is done
with lists of that size; ipv6=SIZE, the same with addresses of IPv6; growth=SIZE, a list that grows to that size;
largest=SIZE, the same where only the last entries are entered by packets, and the others before; caches=SIZE, packets
from very many addresses of a list; loading, what it takes to load rules and entries from userspace; and cpus, how much
faster two CPUs are at one list, while all else is measured on one. quick, given first, has fewer packets, and no other
subjects than Palisade and iptables. What was measured goes to the file as JSON; tests/bench/recent_report.py makes the
table.

Each subject has a network namespace of its own, with its own rules and lists, that a pair of virtual
interfaces leads to. The sender's packets all end in the raw table's PREROUTING chain; the namespace's own
counters have to say so, or measuring failed.
"""
import subprocess
import sys

from measuring import REPETITIONS, MeasuringFailed, run, save_measured, say, say_medians
from recent_loading import ENTERING, enter_many, measure_loading
from recent_memory import ENTRIES, measure_memory
from recent_subjects import STAMPS, Floor, Hashlimit, Ipset, Iptables, Nftables, NftablesLimit, Palisade, Unfiltered

CLOCK, FILE, *PARTS = sys.argv[1:]
QUICK = "quick" in PARTS
# Packets of a repetition. Where the clock counts instructions, fewer will do.
PACKETS = 4096 if QUICK else 16384 if CLOCK == "instructions" else 65536
RULE_COUNTS = (100,) if QUICK else (10, 100, 1000)
GROWTH_BLOCKS = 16      # steps in which a list grows
CPU_PACKETS = 65536
CPU_LIST = 65536
UNKNOWN = 15 << 20      # number of the first address that no list has
# Entries of any list.
MOST = max([1 << 20, *(int(part.partition("=")[2] or 0) for part in PARTS)])
# Entries come from there that packets have not entered. What has limits can do nothing with them, and hashlimit's table
# has no room for more than 1,048,576. All lists remember few packets then.
FROM_USERSPACE = any(part.partition("=")[0] in ("largest", "caches", "loading") for part in PARTS)


def load_xt_recent(total, stamps=None):
    subprocess.run(["modprobe", "--quiet", "--remove", "xt_recent"])
    options = [f"ip_list_tot={total}"] + ([f"ip_pkt_list_tot={stamps}"] if stamps else [])
    run("modprobe", "xt_recent", *options)
    return "xt_recent " + " ".join(options)


def measure(subjects, work, addresses=1, first=0, count=0, others=1):
    """
    Repetitions of a work, the subjects that can do it taking turns. With others, each repetition is of other
    addresses, as long as there are.
    """
    say(f"{work} {count}" if count else work)
    subjects = [subject for subject in subjects if subject.can(work)]
    samples = {subject.name: [] for subject in subjects}
    # Very long chains cost so much that fewer packets tell as much.
    packets = PACKETS // 8 if count > 100 else PACKETS
    for subject in subjects:
        subject.load(work, count)
        subject.send(first, addresses, packets // 8)
    for repetition in range(REPETITIONS):
        for subject in subjects:
            start = first + repetition % others * addresses
            samples[subject.name].append(subject.send(start, addresses, packets))
    for subject in subjects:
        wanted = REPETITIONS * packets + packets // 8
        if subject.matched() not in (None, wanted):
            raise MeasuringFailed(f"{subject.name}: the rule of {work} counted {subject.matched()}, "
                                  f"not {wanted} packets")
    say_medians(samples, "floor")
    return samples


def fill(subjects, size, steps, block):
    """
    A list of so many known addresses, of which those that packets will come from were seen often enough. The last
    blocks of them are entered by packets, and what that cost; those before them, if there are, from userspace.
    """
    say(f"a list of {size:,}")
    loaded = size - steps * block
    samples = {subject.name: [] for subject in subjects}
    for subject in subjects:
        subject.create_list("known", size, STAMPS if FROM_USERSPACE else None)
        if loaded and subject.name in ENTERING:
            enter_many(subject, loaded)
            say(f"    {subject.name}: {loaded:,} are entered")
        subject.load("set-new")
    for number in range(steps):
        for subject in subjects:
            # What comes before the rules is the same for all addresses.
            packets = min(PACKETS, block) if subject.name == "floor" else block
            samples[subject.name].append(subject.send(loaded + number * block, block, packets))
    for subject in subjects:
        if subject.entries("known") not in (None, size):
            raise MeasuringFailed(f"{subject.name}: the list has {subject.entries('known')} entries, not {size}")
        if subject.name != "floor":
            sending = min(size, PACKETS)
            subject.send(0, sending, sending * (STAMPS - 1))
    say_medians(samples, "floor")
    return samples


def measure_list(subjects, size, steps, block, result):
    """All that is done with a list of a size."""
    samples = fill(subjects, size, steps, block)
    if steps > 1:
        result["growth"] = {"size": size, "by_packets": steps * block, "samples": samples}
    # As many addresses as packets, where there are.
    addresses = min(size, PACKETS)
    works = result["lists"][str(size)] = {"hit": measure(subjects, "hit", addresses)}
    if not QUICK:
        works["miss"] = measure(subjects, "miss", PACKETS, UNKNOWN)
    works["update"] = measure(subjects, "update", addresses)
    works["set-known"] = measure(subjects, "set-known", addresses)
    works["limited"] = measure(subjects, "limited", addresses)
    for subject in subjects:
        subject.remove_list("known")


def measure_caches(subjects, size, result):
    """What a cache does not have: packets from other addresses each time."""
    fill(subjects, size, 1, PACKETS)
    result["lists"][str(size)] = {work: measure(subjects, work, PACKETS, others=size // PACKETS)
                                  for work in ("listed", "set-known")}
    for subject in subjects:
        subject.remove_list("known")


def measure_ipv6(subjects, size, result):
    """All that is done with a list of a size, and rules by address, of IPv6."""
    say("IPv6")
    part = result["ipv6"] = {"lists": {}, "rules": {}}
    for subject in subjects:
        subject.is_ipv6 = True
    measure_list(subjects, size, 1, size, part)
    measure_many(subjects, "rules-address", part)
    for subject in subjects:
        subject.is_ipv6 = False


def measure_many(subjects, work, result):
    result["rules"][work] = {str(count): measure(subjects, work, count=count) for count in RULE_COUNTS}


def measure_unfiltered(floor, result):
    """What a packet costs where there is no firewall, beside what it costs to drop it at once."""
    bare = Unfiltered()
    for version in ("IPv4", "IPv6"):
        floor.is_ipv6 = bare.is_ipv6 = version == "IPv6"
        result["unfiltered"][version] = measure((floor, bare), "drop")
    floor.is_ipv6 = False
    bare.end()


def measure_rules(subjects, result):
    if not QUICK:
        measure_unfiltered(subjects[0], result)
        result["works"]["drop"] = measure(subjects, "drop")
    for work in ("rules-address",) if QUICK else ("rules-address", "rules-port"):
        measure_many(subjects, work, result)


def measure_memories(subjects, result):
    memory = result["memory"]
    for hits in (20, 1):
        load_xt_recent(ENTRIES, hits)
        for subject in subjects:
            if subject.name in ("iptables", "palisade"):
                memory[f"{subject.name} {hits}"] = measure_memory(subject, hits)
    for subject in subjects:
        if subject.name not in ("iptables", "palisade", "floor"):
            memory[subject.name] = measure_memory(subject, None)


def measure_cpus(result):
    subjects = [kind(2) for kind in (Floor, Iptables, Nftables, Palisade)]
    fill(subjects, CPU_LIST, 1, CPU_LIST)
    for work in ("hit", "update"):
        say(f"two CPUs: {work}")
        samples = result["cpus"][work] = {subject.name: {"one": [], "two": []} for subject in subjects}
        for subject in subjects:
            subject.load(work)
        for _ in range(REPETITIONS):
            for subject in subjects:
                one = subject.send(0, CPU_LIST // 2, CPU_PACKETS)
                two = subject.send_on_two_cpus(CPU_LIST, CPU_PACKETS) / CPU_PACKETS
                samples[subject.name]["one"].append(one)
                samples[subject.name]["two"].append(two)
    return subjects


def typed(subject):
    """What a subject was told, as a person types it, by work; long chains by their length."""
    commands = {"a list of 65,536": subject.list_commands("known", 65536)}
    commands.update((work, subject.typed(work)) for work in subject.WORKS)
    commands.update((f"{work} {count}", subject.typed(work, count)) for work in subject.MANY for count in RULE_COUNTS)
    return {what: lines for what, lines in commands.items() if lines}


def lists_of(parts):
    """The works of the parts that have to do with lists: function, size and what else it is to know."""
    for part in parts:
        name, _, size = part.partition("=")
        size = int(size or 0)
        if name == "list":
            yield measure_list, size, 1, size
        elif name == "ipv6":
            yield measure_ipv6, size
        elif name == "growth":
            block = size // GROWTH_BLOCKS
            yield measure_list, block * GROWTH_BLOCKS, GROWTH_BLOCKS, block
        elif name == "largest":
            yield measure_list, size, GROWTH_BLOCKS, min(PACKETS, size // GROWTH_BLOCKS // 2)
        elif name == "caches":
            yield measure_caches, size


def measure_parts(result):
    run("modprobe", "palisade", f"max_entries={MOST}")
    stamps = STAMPS if FROM_USERSPACE else None
    result["modules"] = [load_xt_recent(MOST, stamps), f"palisade max_entries={MOST}"]
    if "cpus" in PARTS:
        return measure_cpus(result)
    if "loading" in PARTS:
        result["loading"] = measure_loading()
        return []
    kinds = (Floor, Iptables, Nftables, Palisade) if QUICK else (
        Floor, Iptables, Nftables, NftablesLimit, Ipset, Hashlimit, Palisade)
    subjects = [kind() for kind in kinds if not (FROM_USERSPACE and kind in (Hashlimit, NftablesLimit))]
    if "memory" in PARTS:
        measure_memories(subjects, result)
        load_xt_recent(MOST)
    if "rules" in PARTS:
        measure_rules(subjects, result)
    for measure_one, *arguments in lists_of(PARTS):
        measure_one(subjects, *arguments, result)
    result["typed"] = {subject.name: typed(subject) for subject in subjects}
    return subjects


sys.exit(save_measured(FILE, {
    "clock": CLOCK, "repetitions": REPETITIONS, "packets": PACKETS, "works": {}, "lists": {}, "rules": {},
    "memory": {}, "cpus": {}, "unfiltered": {}}, measure_parts))
