# SPDX-License-Identifier: GPL-2.0
"""
How long clients wait that are far away, whoever stands before the server.

netem delays what goes either way between client and subject, and what goes to a server behind that. Where the clock
counts instructions, no time passes while everybody waits but that, so that the figures are as exact as those of
packets.
"""
from typing import NamedTuple

from measuring import REPETITIONS, MeasuringFailed, run, say

FAR, FARTHER, BEHIND = 50, 80, 4    # milliseconds there and back
PATIENCE = 2000000000   # nanoseconds; the client has as much


class Transfer(NamedTuple):
    milliseconds: int           # to the client
    wanted: int                 # bytes that it gets
    sent: int = 0               # and that it sends
    congestion: str = "cubic"   # the server's control of it
    hello: str = ""             # the file of a ClientHello that the client begins with


def delay(command, device, milliseconds):
    command("tc", "qdisc", "replace", "dev", device, "root", "netem", "limit", "100000", "delay", f"{milliseconds}ms")


def start(subject):
    """To the server nobody is connected yet."""
    subject.congestion = "cubic"
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


def waited(subject, work, transfer, connections):
    """Nanoseconds that each of so many connections took, one after another."""
    with subject.opening(connections) as check:
        times = subject.fetch(work, connections, transfer.wanted, sent=transfer.sent, hello=transfer.hello)
    if not subject.stalls:
        check.expect(TcpExt__TCPTimeouts=0)
        if max(times) > PATIENCE:
            raise MeasuringFailed(f"{subject.name}: {work} took {max(times)} ns")
    return times


def measure_waits(kinds, transfers, waits):
    """Of each transfer, by its name, with each kind of subject, which are there one after another."""
    for module in "nf_conntrack", "sch_netem", "sch_fq", "tcp_bbr":
        run("modprobe", module)
    run("sysctl", "-qw", "net.ipv4.tcp_no_metrics_save=1")
    # The first one also pays for what has to be read from a disk, so its figures are not kept.
    for number, kind in enumerate((kinds[0], *kinds)):
        subject = kind(number)
        start(subject)
        for work, transfer in transfers.items():
            become(subject, transfer.milliseconds, transfer.congestion)
            # A server may be learned by its first connection.
            times = {"first": waited(subject, work, transfer, 1),
                     "later": waited(subject, work, transfer, REPETITIONS)}
            say(f"{work}: {subject.name}, milliseconds: "
                + ", ".join(f"{time / 1e6:.1f}" for time in times["first"] + times["later"]))
            waits.setdefault(work, {})[subject.name] = times
        subject.end()
