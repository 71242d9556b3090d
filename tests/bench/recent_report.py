#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
recent_report.py SOURCE FOLDER: the tables of what tests/bench/recent.py left in the first folder. All of it goes to
recent.json in the second, together with the targets and whether they are met, and the tables to recent.md.
"""
from figures import costs, net, over, ratio, report, report_cpus, table, unit
from recent_loading_report import report_loading

WORKS = {
    # name: (what it says, target against iptables, whether nftables is to be reached)
    "listed": ("--rcheck, found, of any age", None, False),
    "hit": ("--rcheck, found", 0.5, True),
    "miss": ("--rcheck, not found", None, True),
    "update": ("--update", 0.5, True),
    "set-known": ("--set, known address", 0.4, True),
    "limited": ("hashlimit, within the rate", 0.5, False),
    "set-new": ("--set, new address", 0.4, True),
    "rules-address": ("other rules: -s ADDRESS", 0.5, True),
    "rules-port": ("other rules: -p udp --dport", 0.5, True),
    "drop": ("a rule that drops", None, False),
}
SUBJECTS = ("palisade", "iptables", "nftables", "nft-limit", "ipset", "hashlimit")
LIST = "65536"
RULES = "100"
BYTES = {"20": 150, "1": 72}
SPEED_UP = 1.7


def main_works(work):
    """The samples of each work, at the usual list and number of rules."""
    yield from work["lists"].get(LIST, {}).items()
    if "growth" in work:
        yield "set-new", work["growth"]["samples"]
    for name, counts in work["rules"].items():
        yield name, counts[RULES]
    yield from work["works"].items()


def title(work, name):
    text = WORKS[name][0]
    if name == "set-new":
        return f"{text}, up to {work['growth']['size']:,}"
    return f"{RULES} {text}" if name in work["rules"] else text


def report_work(work, targets):
    rows = []
    for name, samples in main_works(work):
        _, limit, race = WORKS[name]
        row = [title(work, name), over(samples), *costs(samples, SUBJECTS)]
        own = net(samples, "palisade")[0]
        if name == "drop":
            row += [""] * 4
        else:
            for other, most in ("iptables", limit), ("nftables", 1 if race else None):
                value = ratio(own, net(samples, other)[0])
                row += [f"{value:.2f}", targets.at_most(f"{name}: of {other}", value, most) if most else ""]
        rows.append(row)
    return table(["", "over", *SUBJECTS, "of iptables", "target", "of nftables", "target"], rows)


def by_size(*parts):
    """Of each work with a list, the samples by the list's size, from the smallest on."""
    lists = {int(size): works for part in parts for size, works in part["lists"].items()}
    names = dict.fromkeys(name for works in lists.values() for name in works)
    return {name: {size: lists[size][name] for size in sorted(lists)} for name in names}


def sizes(read):
    """The same of all parts, the largest list included, that is measured by itself."""
    return by_size(*(read[part] for part in ("work", "largest") if part in read))


def by_rules(work):
    """Of each work with many rules, the samples by their number."""
    return {name: {int(count): samples for count, samples in counts.items()}
            for name, counts in work["rules"].items()}


def report_growth(growth, what):
    rows = [[WORKS[name][0], f"{size:,}", over(samples), *costs(samples, SUBJECTS)]
            for name, sizes in growth.items() for size, samples in sizes.items()]
    return table(["", what, "over", *SUBJECTS], rows)


def report_unfiltered(unfiltered):
    for version, samples in unfiltered.items():
        yield (f"Without any firewall, to a socket that has no room for it, a packet of {version} takes "
               f"{over(samples, 'unfiltered')}; dropped in the raw table, {over(samples)}.")


def report_memory(memory, targets):
    for hits, limit in BYTES.items():
        palisade, iptables = memory[f"palisade {hits}"], memory[f"iptables {hits}"]
        objects = ", ".join(f"{name} of {size}" for name, size in iptables["objects"].items())
        verdict = targets.at_most(f"bytes with {hits} stamps", palisade["bytes"], limit)
        yield (f"{hits:>2} stamps: palisade {palisade['bytes']:.0f} ({verdict}), "
               f"iptables {iptables['bytes']:.0f} ({objects})")
    yield "no stamps: " + ", ".join(f"{name} {memory[name]['bytes']:.0f}" for name in SUBJECTS if name in memory)


def lines_of(read, targets):
    work = read["work"]
    yield f"Linux {work['kernel']}; " + "; ".join(work["versions"].values())
    yield (f"\n{unit(work).capitalize()} a packet, over what dropping it in the raw table at once takes;\n"
           f"median of {work['repetitions']} (least to greatest), of lists of {int(LIST):,}:\n")
    yield from report_work(work, targets)
    if work.get("unfiltered"):
        yield ""
        yield from report_unfiltered(work["unfiltered"])
    yield "\nThe same by the size of the list:\n"
    yield from report_growth(sizes(read), "entries")
    if "ipv6" in work:
        yield "\nThe same with addresses of IPv6:\n"
        yield from report_growth(by_size(work["ipv6"]), "entries")
        yield "\nand rules:\n"
        yield from report_growth(by_rules(work["ipv6"]), "rules")
    yield "\nThe same by the number of rules:\n"
    yield from report_growth(by_rules(work), "rules")
    if "largest" in read:
        growth = read["largest"]["growth"]
        yield f"\nEntering the last {growth['by_packets']:,} of so many addresses, {unit(read['largest'])} each:\n"
        yield from report_growth({"set-new": {growth["size"]: growth["samples"]}}, "entries")
    if "caches" in read:
        yield ("\nNanoseconds by the real clock, of packets from so many addresses of a list that hardly any was "
               "seen lately;\nwhere the VM is emulated, memory is as well:\n")
        yield from report_growth(by_size(read["caches"]), "entries")
    yield "\nBytes an entry, the list's tables included:\n"
    yield from report_memory(work["memory"], targets)
    if "loading" in read:
        yield "\nLoading from userspace, in one go:\n"
        yield from report_loading(read["loading"])
    if "cpus" in read:
        yield "\nTwo CPUs at one list, how many times the packets of one (by the real clock):\n"
        yield from report_cpus(read["cpus"], WORKS, SUBJECTS, targets, SPEED_UP)


if __name__ == "__main__":
    report("recent", lines_of)
