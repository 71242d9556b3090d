#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs in the VM: measures how long clients that are far away wait, with each of those that stand before the server, side
by side.

synproxy_distance.py instructions|time FILE WORK...

netem delays what goes either way between client and subject, and what goes to a server behind that. Where the clock
counts instructions, no time passes while everybody waits but that, so that the figures are as exact as those of
packets. Works that begin with forwarded- are of servers on other hosts, and all works of a run are, or none is.
"""
import sys

from forwarded_subjects import FORWARDED
from measuring import REPETITIONS, MeasuringFailed, run, save_measured, say
from synproxy_subjects import Direct, Iptables, Nftables, Palisade, Syncookies, Tracked
from xdp_subjects import COMPILED, BpfAtTc

CLOCK, FILE, *WORKS = sys.argv[1:]
KINDS = FORWARDED if any(work.startswith("forwarded-") for work in WORKS) else (
    Direct, Tracked, Syncookies, Iptables, Nftables, *((BpfAtTc,) if COMPILED else ()), Palisade)
FAR, FARTHER, BEHIND = 50, 80, 4    # milliseconds there and back
UPLOAD, DOWNLOAD = 100000, 6 << 20  # bytes
TRANSFERS = {
    # name: (milliseconds to the client, bytes that it gets, bytes that it sends, the server's congestion control)
    "first-byte": (FAR, 1, 0, "cubic"),
    "first-byte6": (FAR, 1, 0, "cubic"),
    "upload": (FAR, 1, UPLOAD, "cubic"),
    "forwarded-first-byte": (FAR, 1, 0, "cubic"),
    "forwarded-upload": (FAR, 1, UPLOAD, "cubic"),
    "forwarded-bbr": (FARTHER, DOWNLOAD, 0, "bbr"),
}
PATIENCE = 2000000000   # nanoseconds; the client has as much


def delay(command, device, milliseconds):
    command("tc", "qdisc", "replace", "dev", device, "root", "netem", "limit", "100000", "delay", f"{milliseconds}ms")


def start(subject):
    """To the server nobody is connected yet."""
    subject.load()
    # What one connection has measured is not to help the next.
    for host in {subject, subject.host}:
        host.set("tcp_no_metrics_save", 1)
    if subject.host is not subject:
        delay(subject.on, "behind", BEHIND)
        # BBR paces what it sends.
        subject.host.on("tc", "qdisc", "replace", "dev", "eth0", "root", "fq")
    subject.run_server()


def become(subject, milliseconds, congestion):
    delay(run, f"{subject.name}1", milliseconds / 2)
    delay(subject.on, "in1", milliseconds / 2)
    if subject.congestion != congestion:
        subject.stop_server()
        subject.host.set("tcp_congestion_control", congestion)
        subject.run_server()
        subject.congestion = congestion


def waited(subject, work, connections):
    """Nanoseconds that each of so many connections took, one after another."""
    _, wanted, sent, _ = TRANSFERS[work]
    with subject.opening(connections) as check:
        times = subject.fetch(work, connections, wanted, sent=sent)
    if not subject.stalls:
        check.expect(TcpExt__TCPTimeouts=0)
        if max(times) > PATIENCE:
            raise MeasuringFailed(f"{subject.name}: {work} took {max(times)} ns")
    return times


def measure(subject, work):
    milliseconds, _, _, congestion = TRANSFERS[work]
    become(subject, milliseconds, congestion)
    # A server may be learned by its first connection.
    return {"first": waited(subject, work, 1), "later": waited(subject, work, REPETITIONS)}


def measure_all(result):
    for module in "nf_conntrack", "sch_netem", "sch_fq", "tcp_bbr":
        run("modprobe", module)
    run("sysctl", "-qw", "net.ipv4.tcp_no_metrics_save=1")
    # The first one also pays for what has to be read from a disk, so its figures are not kept.
    for number, kind in enumerate((KINDS[0], *KINDS)):
        subject = kind(number)
        subject.congestion = "cubic"
        start(subject)
        for work in WORKS:
            times = measure(subject, work)
            say(f"{work}: {subject.name}, milliseconds: "
                + ", ".join(f"{time / 1e6:.1f}" for time in times["first"] + times["later"]))
            result["waits"].setdefault(work, {})[subject.name] = times
        subject.end()
    return []


sys.exit(save_measured(FILE, {
    "clock": CLOCK, "repetitions": REPETITIONS, "transfers": TRANSFERS, "behind": BEHIND, "waits": {}},
    measure_all))
