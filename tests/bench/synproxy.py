#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs in the VM: measures what SYN floods, and connections that are proxied, cost with Palisade's SYNPROXY,
iptables', nftables', the kernel's own SYN cookies and the SYNPROXY in BPF of its selftests, side by side.

synproxy.py instructions|time FILE [quick] WORK...

With quick there are fewer packets, and no other subjects than Palisade and iptables. What was measured
goes to the file as JSON; tests/bench/synproxy_report.py makes the table. That each subject did its work, its
namespace's counters and what came back have to say, or measuring failed.

Works that begin with forwarded- are of servers on other hosts, whose subjects have the names of those of servers here,
so that all works of a run do, or none does.
"""
import sys

from forwarded_subjects import FORWARDED, QUICK_FORWARDED
from measuring import REPETITIONS, MeasuringFailed, is_ipv6, run, save_measured, say, say_medians
from replies import ETH_P_IP, ETH_P_IPV6, watched
from synproxy_checks import FLOODS, Check, expected, warm_up
from synproxy_subjects import Direct, Floor, Iptables, Nftables, Palisade, Syncookies, Tracked, Unfiltered
from xdp_subjects import COMPILED, BpfAtTc, XdpGeneric, XdpNative

CLOCK, FILE, *PARTS = sys.argv[1:]
QUICK = "quick" in PARTS
FORWARDS = any(part.startswith("forwarded-") for part in PARTS)
LOCAL = (Floor, Direct, Iptables, Nftables, Palisade) if QUICK else (
    Floor, Unfiltered, Direct, Tracked, Syncookies, Iptables, Nftables,
    *((BpfAtTc, XdpGeneric, XdpNative) if COMPILED else ()), Palisade)
KINDS = LOCAL if not FORWARDS else QUICK_FORWARDED if QUICK else FORWARDED
WHERE = "works that are forwarded" if FORWARDS else "all works"     # the rules are for
SOURCES = 65536
# Packets of a repetition. Where the clock counts instructions, fewer will do.
PACKETS = 4096 if QUICK else 16384 if CLOCK == "instructions" else SOURCES
CHECKED = 256           # packets before, the answers to which are looked at
ESTABLISHED = 64 if QUICK else 512  # connections that packets belong to
# Bytes of a transfer, and the most in a segment where that is not what fits: the least that any subject knows.
TRANSFERS = {"bulk": (16 << 20,), "small-bulk": (4 << 20, 536), "bulk6": (16 << 20,)}
# By the real clock, each connection that waits for a retransmission takes its second.
CONNECTIONS = 200 if CLOCK == "instructions" else 50
CONNECTION_BYTES = 1000
STALL = 500000000       # nanoseconds; the first retransmission comes after a second
ATTEMPTS = 5            # at a transfer, of a subject that may stall


def look_at_answers(subject, kind):
    """What is sent back, all of which has to be the same."""
    warm_up(subject, kind)
    check = Check(subject)
    with watched(f"{subject.name}0", ETH_P_IPV6 if is_ipv6(kind) else ETH_P_IP) as seen:
        subject.sent(kind, 0, CHECKED, CHECKED)
    count = check.expect(**expected(subject, kind, CHECKED))["replies"]
    if sum(seen.values()) != count or len(seen) > 1:
        raise MeasuringFailed(f"{subject.name}: {kind} was answered by {dict(seen)}, not {count} times the same")
    answer = next(iter(seen), "nothing")
    if subject.answers(FLOODS[kind]) and not answer.startswith(f"{FLOODS[kind]} from 80"):
        raise MeasuringFailed(f"{subject.name}: {kind} was answered by {answer}")
    return answer


def flood(subject, kind, _):
    """Cost of a packet."""
    warm_up(subject, kind)
    check = Check(subject)
    cost = subject.sent(kind, 0, SOURCES, PACKETS)
    check.expect(**expected(subject, kind, PACKETS))
    return cost


def established(subject, work, repetition):
    """Cost of a packet of a connection and of the acknowledgement that comes back."""
    check = Check(subject)
    cost = subject.sent(work.removeprefix("forwarded-"), repetition * ESTABLISHED, ESTABLISHED, PACKETS)
    changes = check.expect_opened(ESTABLISHED)
    # The handshake's own are one, another where a proxy tells the window afterwards, and another from a
    # server that does not take the proxy's timestamp.
    if changes["replies"] - PACKETS not in (ESTABLISHED, 2 * ESTABLISHED, 3 * ESTABLISHED):
        raise MeasuringFailed(f"{subject.name}: {changes['replies']} answers to {PACKETS} packets of "
                              f"{ESTABLISHED} connections")
    return cost


def bulk(subject, work, _):
    """Cost of a segment of a long transfer, in either direction; megabytes a second are the subject's throughput."""
    size, *mss = TRANSFERS[work]
    for _ in range(ATTEMPTS):
        check = Check(subject)
        cost, = subject.fetch(work, 1, size, *mss)
        changes = check.expect_opened(1)
        if not changes["TcpExt.TCPTimeouts"]:
            subject.throughput.setdefault(work, []).append(size * 1000 / cost)
            return cost / (changes["Tcp.InSegs"] + changes["Tcp.OutSegs"])
        if not subject.stalls:
            check.expect(TcpExt__TCPTimeouts=0)
    raise MeasuringFailed(f"{subject.name}: no transfer without a timeout")


def connections(subject, work, _):
    """Cost of a whole connection, of those that did not have to wait for a retransmission."""
    check = Check(subject)
    run("sysctl", "-qw", f"net.ipv4.tcp_timestamps={int(not work.startswith('plain'))}")
    times = subject.fetch(work, CONNECTIONS, CONNECTION_BYTES)
    run("sysctl", "-qw", "net.ipv4.tcp_timestamps=1")
    prompt = [time for time in times if time < STALL]
    stalled = subject.stalled.setdefault(work, [0, 0])
    stalled[0] += CONNECTIONS - len(prompt)
    stalled[1] += CONNECTIONS
    if not prompt:
        raise MeasuringFailed(f"{subject.name}: each connection waited for a retransmission")
    if len(prompt) == CONNECTIONS or not subject.stalls:
        check.expect_opened(CONNECTIONS)
        check.expect(TcpExt__TCPTimeouts=0)
    return sum(prompt) / len(prompt)


# What is measured of a work, and what all subjects of it are compared with.
WORKS = {**{kind: (flood, Floor) for kind in FLOODS},
         **{where + name: (established, Direct) for where in ("", "forwarded-")
            for name in ("established", "established6")},
         **{name: (bulk, Direct) for name in TRANSFERS},
         **{name: (connections, Direct) for name in ("connections", "plain-connections", "connections6")}}


def measure(subjects, work, result):
    """Repetitions of a work, the subjects taking turns."""
    say(work)
    function, base = WORKS[work]
    subjects = [subject for subject in subjects
                if work not in subject.unable
                and (isinstance(subject, base) or not isinstance(subject, (Floor, Direct)))
                and (base is Floor or not isinstance(subject, Unfiltered))]
    samples = {subject.name: [] for subject in subjects}
    if function is flood:
        result["answers"][work] = {subject.name: look_at_answers(subject, work) for subject in subjects}
    for repetition in range(REPETITIONS + 1):
        for subject in subjects:
            cost = function(subject, work, repetition)
            # The first time, what it finds is not yet as it will be.
            if repetition:
                samples[subject.name].append(cost)
    if function is connections:
        result["stalled"][work] = {subject.name: subject.stalled[work] for subject in subjects}
    if function is bulk:
        # As above, without the first time.
        result["throughput"][work] = {subject.name: subject.throughput[work][1:] for subject in subjects}
    say_medians(samples, base.name)
    result["works"][work] = samples


def started(result):
    """All subjects, with their rules in force."""
    run("modprobe", "nf_conntrack")
    subjects = []
    for number, kind in enumerate(KINDS):
        subject = kind(number)
        try:
            subject.start()
        except MeasuringFailed as error:
            if kind is not Palisade:
                raise
            result["missing"]["palisade"] = str(error)
            say(f"Palisade is left out: {error}")
            subject.end()
            continue
        subjects.append(subject)
        result["typed"][subject.name] = {WHERE: subject.RULES}
    return subjects


def measure_all(result):
    subjects = started(result)
    for work in PARTS:
        if work != "quick":
            measure(subjects, work, result)
    return subjects


sys.exit(save_measured(FILE, {
    "clock": CLOCK, "repetitions": REPETITIONS, "packets": PACKETS, "established": ESTABLISHED,
    "transfers": TRANSFERS, "connection_bytes": CONNECTION_BYTES, "typed": {}, "answers": {}, "works": {}, "missing": {},
    "stalled": {}, "throughput": {}}, measure_all))
