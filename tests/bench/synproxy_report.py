#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
synproxy_report.py SOURCE FOLDER: the table of what tests/bench/synproxy.py left in the first folder. All of it
goes to synproxy.json in the second, together with the targets and whether they are met, and the table to
synproxy.md.
"""
import statistics

from figures import costs, net, over, ratio, report, report_cpus, spread, table, unit
from measuring import is_ipv6

WORKS = {
    # name: (what it says, what it is compared with, target against iptables)
    "syn": ("SYN, answered", "floor", 0.45),
    "plain-syn": ("SYN without timestamps", "floor", 0.45),
    "bogus-ack": ("ACK of no handshake", "floor", 0.4),
    "syn6": ("SYN over IPv6", "floor", 0.45),
    "bogus-ack6": ("ACK of no handshake, IPv6", "floor", 0.4),
    "established": ("established: a packet and its ACK", "direct", 1.0),
    "established6": ("established: a packet and its ACK, IPv6", "direct", 1.0),
    "forwarded-established": ("established: a packet and its ACK, forwarded", "direct", 0.8),
    "forwarded-established6": ("established: a packet and its ACK, forwarded, IPv6", "direct", 0.8),
    "bulk": ("established: a segment of a transfer", "direct", 1.0),
    "small-bulk": ("established: a small segment of a transfer", "direct", 1.0),
    "bulk6": ("established: a segment of a transfer, IPv6", "direct", 1.0),
    "connections": ("a connection, from SYN to FIN", "direct", None),
    "plain-connections": ("a connection without timestamps", "direct", None),
    "connections6": ("a connection over IPv6", "direct", None),
}
BASES = {"floor": "dropped in the raw table at once", "direct": "no proxy"}
SUBJECTS = ("palisade", "iptables", "nftables", "syncookies", "unfiltered", "tracked")
RATE = 1.0
PROXIES = ("palisade", "iptables", "nftables")
BPF = ("bpf-tc", "xdp-generic", "xdp-native")
BPF_TEXT = """
Beside the SYNPROXY in BPF of the kernel's selftests: at tc ingress (bpf-tc), and in the generic and the native mode
of XDP (xdp-generic, xdp-native), for both of which each packet is copied here. Behind each of them are iptables' rules:
"""
BPF_LIMITS = {"syn": 1.0}       # targets against bpf-tc
# Targets over connection tracking alone.
TRACKED_LIMITS = {"established": 60, "established6": 60,
                  "connections": 6000, "plain-connections": 6000, "connections6": 6000}
WAITS = {
    # name: (what it says, targets over no proxy, in milliseconds: of the first connection and of later ones)
    "first-byte": ("an answer's first byte", 3, 3),
    "first-byte6": ("an answer's first byte, IPv6", 3, 3),
    "upload": ("100 kB up, and an answer", None, 3),
    "forwarded-first-byte": ("an answer's first byte, forwarded", None, 8),
    "forwarded-upload": ("100 kB up, and an answer, forwarded", None, None),
}
DOWNLOADS = {"forwarded-bbr": ("6 MiB down with BBR, forwarded", 1.1)}     # and the target: so many times as long
WAITING = ("palisade", "iptables", "nftables", "syncookies", "bpf-tc", "tracked")
MEMORY = {"bytes": "on the same host", "forwarded": "behind it"}


def report_works(works, targets):
    rows = []
    for name, samples in works.items():
        text, base, limit = WORKS[name]
        row = [text, f"{statistics.median(samples[base]):.0f} {base}", *costs(samples, SUBJECTS, base)]
        if "palisade" in samples:
            own = ratio(net(samples, "palisade", base)[0], net(samples, "iptables", base)[0])
            row.append(f"{own:.2f}")
            row.append(targets.at_most(f"{name}: of iptables", own, limit) if limit else "")
        else:
            row += ["-", f"<= {limit}" if limit else ""]
        rows.append(row)
    return table(["", "over", *SUBJECTS, "of iptables", "target"], rows)


def report_bpf(works, targets):
    rows = []
    for name, samples in works.items():
        text, base, _ = WORKS[name]
        row = [text, *costs(samples, ("palisade", *BPF), base)]
        limit = BPF_LIMITS.get(name)
        if "palisade" in samples:
            own = ratio(net(samples, "palisade", base)[0], net(samples, "bpf-tc", base)[0])
            row += [f"{own:.2f}", targets.at_most(f"{name}: of bpf-tc", own, limit) if limit else ""]
        else:
            row += ["-", f"<= {limit}" if limit else ""]
        rows.append(row)
    return table(["", "palisade", *BPF, "of bpf-tc", "target"], rows)


def report_rates(works, second, targets):
    """How much is done in a second of a clock; not each subject can do each work."""
    order = [name for name in (*SUBJECTS, *BPF, "direct") if any(name in rates for rates in works.values())]
    rows = []
    for text, rates in works.items():
        row = [text, *(spread((statistics.median(rates[name]), min(rates[name]), max(rates[name])))
                       if name in rates else "-" for name in order)]
        if "palisade" in rates:
            own = statistics.median(rates["palisade"]) / statistics.median(rates["iptables"])
            row += [f"{own:.2f}", targets.at_least(f"rate: of iptables, {text}, {second}", own, RATE)]
        else:
            row += ["-", f">= {RATE}"]
        rows.append(row)
    return table(["", *order, "of iptables", "target"], rows)


def connections_of(part):
    """Connections in a second, of what one takes."""
    return {WORKS[work][0]: {name: [1e9 / value for value in values] for name, values in samples.items()}
            for work, samples in part["works"].items() if "connections" in work}


def throughput_of(part):
    texts = {work: (f"segments of at most {mss[0]} bytes" if mss else "segments of full size")
             + (", IPv6" if is_ipv6(work) else "") for work, (_, *mss) in part["transfers"].items()}
    return {texts[work]: rates for work, rates in part["throughput"].items()}


def report_tracked(works, targets):
    """What connections cost over connection tracking alone; of a segment of a transfer that is next to nothing."""
    rows = []
    for name, samples in works.items():
        if "tracked" in samples and "bulk" not in name:
            row = [WORKS[name][0], over(samples, "tracked"), *costs(samples, PROXIES, "tracked")]
            limit = TRACKED_LIMITS.get(name)
            if "palisade" in samples:
                own, iptables = (net(samples, subject, "tracked")[0] for subject in ("palisade", "iptables"))
                row.append(f"{ratio(own, iptables):.2f}")
                row.append(targets.at_most(f"{name}: over connection tracking", own, limit) if limit else "")
            else:
                row += ["-", f"<= {limit}" if limit else ""]
            rows.append(row)
    return table(["", "over", *PROXIES, "of iptables", "target"], rows)


def report_memory(bytes_of):
    names = [name for name in bytes_of if name != "direct"]

    def over_those(base):
        return (f"{bytes_of[name]['in_objects'] - bytes_of[base]['in_objects']:.0f}" for name in names)

    return table(["", *names], [
        ["bytes", *over_those("direct")],
        ["over tracked", *over_those("tracked")],
        ["objects", *(", ".join(f"{cache} of {size}" for cache, size in bytes_of[name]["objects"].items()
                                if cache not in bytes_of["direct"]["objects"]) for name in names)]])


def memory_of(part, targets):
    for where, text in MEMORY.items():
        yield f"\nBytes that an open connection takes up, over those of the server's socket, where that is {text}:\n"
        yield from report_memory(part[where])
    more = part["bytes"]["palisade"]["objects"].keys() - part["bytes"]["tracked"]["objects"].keys()
    yield (f"\nObjects that a connection to this host has with Palisade, and not with connection tracking alone: "
           f"{len(more)} ({targets.at_most('memory: objects over connection tracking', len(more), 0)})")


def waits_in(waits):
    """Of each work that is told of, which connections, their milliseconds with each subject, and the target."""
    for work, (text, first, later) in WAITS.items():
        if work in waits:
            # The first one tells how a server is learned.
            for which, limit in ([("first", first)] if "first-byte" in work else []) + [("later", later)]:
                yield work, text, which, limit, {name: [time / 1e6 for time in times[which]]
                                                 for name, times in waits[work].items()}


def report_waits(waits, targets):
    rows = []
    for work, text, which, limit, times in waits_in(waits):
        row = [text, which, f"{statistics.median(times['direct']):.1f}",
               *("{:z.1f} ({:z.1f} to {:z.1f})".format(*net(times, name, "direct")) if name in times else "-"
                 for name in WAITING)]
        own = net(times, "palisade", "direct")[0]
        rows.append([*row, targets.at_most(f"{work}, {which}: over no proxy", own, limit) if limit else ""])
    return table(["milliseconds", "connection", "over", *WAITING, "target"], rows)


def report_downloads(waits, targets):
    rows = []
    for work, (text, limit) in DOWNLOADS.items():
        if work in waits:
            medians = {name: statistics.median(measured["later"]) for name, measured in waits[work].items()}
            ratios = {name: median / medians["direct"] for name, median in medians.items()}
            rows.append([text, f"{medians['direct'] / 1e6:.0f}",
                         *(f"{ratios[name]:.2f}" if name in ratios else "-" for name in WAITING),
                         targets.at_most(f"{work}: of no proxy", ratios["palisade"], limit)])
    return table(["", "milliseconds", *WAITING, "target"], rows)


def distance_of(part, targets):
    waits = part["waits"]
    if WAITS.keys() & waits:
        yield ("\nWhat a client waits that is 50 ms away, there and back, over what it waits without a proxy; a server that\n"
               f"is forwarded to is {part['behind']} ms further. The first connection to a server, and the median of "
               f"{part['repetitions']} later ones\n(least to greatest):\n")
        yield from report_waits(waits, targets)
    if DOWNLOADS.keys() & waits:
        yield "\nWhat a transfer over 80 ms takes without a proxy, and how many times as long with each:\n"
        yield from report_downloads(waits, targets)


def costs_of(work, targets):
    for subject, why in work["missing"].items():
        yield f"\n**{subject} was not measured**: {why}"
    yield (f"\n{unit(work).capitalize()} over what the same takes where it is "
           f"{' (floor) or where there is '.join(BASES.values())} (direct);\n"
           f"median of {work['repetitions']} (least to greatest):\n")
    yield from report_works(work["works"], targets)
    if any("tracked" in samples for samples in work["works"].values()):
        yield "\nThe same over what it takes where connections are tracked, as with all these proxies, and nothing else:\n"
        yield from report_tracked(work["works"], targets)
    yield BPF_TEXT
    yield from report_bpf(work["works"], targets)
    for kind, answers in work["answers"].items():
        yield f"\nAnswers to {kind}: " + "; ".join(f"{name}: {what}" for name, what in answers.items())


def lines_of(read, targets):
    some = next(iter(read.values()))
    yield f"Linux {some['kernel']}; " + "; ".join(some["versions"].values())
    if "work" in read:
        yield from costs_of(read["work"], targets)
    if "distance" in read:
        yield from distance_of(read["distance"], targets)
    if "memory" in read:
        yield from memory_of(read["memory"], targets)
    if "cpus" in read:
        yield "\nTwo CPUs in a flood, how many times the packets of one (by the real clock):\n"
        yield from report_cpus(read["cpus"], WORKS, (*SUBJECTS, *BPF), targets)
    for part in (part for part in read.values() if "works" in part):
        second = "a second of the real clock" if part["clock"] == "time" else f"1e9 {unit(part)}"
        if opened := connections_of(part):
            yield f"\nConnections in {second}, one after another on one CPU, client and server included:\n"
            yield from report_rates(opened, second, targets)
        if transferred := throughput_of(part):
            yield f"\nMegabytes of one connection in {second}, on one CPU, client and server included:\n"
            yield from report_rates(transferred, second, targets)
        for name, counts in part["stalled"].items():
            yield (f"\nLeft out of {name} because they waited for a retransmission: " +
                   ", ".join(f"{subject} {count} of {total}" for subject, (count, total) in counts.items()))


if __name__ == "__main__":
    report("synproxy", lines_of)
