#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs in the VM: how visitors of a server fare in a flood, without a proxy, with the kernel's own SYN cookies, and with
the SYNPROXY of iptables, nftables, Palisade and, at tc, BPF. In the modes of XDP packets would be looked at before they
are queued, by the other CPU, so these are not here.

mixed.py time FILE

One CPU is the server's machine: its program runs there, and all packets that come to its namespace are queued for
that CPU and looked at there, as those of a network interface are; what finds the queue full is lost. The other CPU is
the world: the flood's sender, the visitors, and what comes back to them. The server starts anew each time, as half-open
connections would last from one time to the next.
"""
import contextlib
import os
import statistics
import subprocess
import sys
import time

from measuring import PROGRAMS, MeasuringFailed, run, save_measured, say
from synproxy_checks import FLOODS as ANSWERS
from synproxy_subjects import Direct, Iptables, Nftables, Palisade, Syncookies
from xdp_subjects import BpfAtTc

_, FILE = sys.argv[1:]
REPETITIONS = 3
SECONDS, VISITORS, BYTES = 3, 8, 10000
SOURCES = 65536
SETTLING = 0.5          # seconds, until what was sent last is looked at
ENDLESS = 1 << 40       # packets
SERVER_CPU, WORLD_CPU = 0, 1
QUEUE = 511             # places for connections that are not accepted yet, as many as nginx asks for
FLOODS = {
    # name: (kind, packets a second)
    "none": None,
    "syn 2000": ("syn", 2000),
    "syn 10000": ("syn", 10000),
    "bogus-ack 10000": ("bogus-ack", 10000),
    # Visitors come by the flood's version of IP.
    "syn6 10000": ("syn6", 10000),
}


class Bare(Direct):
    """Nothing at all before the server, and no SYN cookies."""

    def load(self):
        self.set("tcp_syncookies", 0)


def write(path, value):
    with open(path, "w") as file:
        file.write(value)


def part_cpus(subject):
    """Has each side's packets looked at by its own CPU."""
    for link in range(len(subject.macs)):
        queue = "queues/rx-0/rps_cpus"
        write(f"/sys/class/net/{subject.name}{link}/{queue}", f"{1 << WORLD_CPU:x}")
        subject.on("sh", "-c", f"echo {1 << SERVER_CPU:x} >/sys/class/net/in{link}/{queue}")


def restart_server(subject):
    subject.stop_server()
    os.sched_setaffinity(0, {SERVER_CPU})
    subject.start_server()
    os.sched_setaffinity(0, {WORLD_CPU})


def statistic(subject, name):
    with open(f"/sys/class/net/{subject.name}0/statistics/{name}") as file:
        return int(file.read())


def arrivals(subject):
    """Packets of the flood that were queued for the server's CPU, and those that found the queue full."""
    return {"received": statistic(subject, "tx_packets"), "lost": statistic(subject, "tx_dropped")}


def counts(subject):
    counters = subject.counters()
    unheard = int(subject.on("cat", "/sys/class/net/in0/statistics/tx_dropped"))
    return {**arrivals(subject), "answered": statistic(subject, "rx_packets") + unheard,
            "seen": counters["Ip.InReceives"] + counters["Ip6InReceives"], "opened": counters["Tcp.PassiveOpens"]}


@contextlib.contextmanager
def flooding(subject, flood):
    """While the body runs, after twice as many packets as the server's queue has places."""
    if flood is None:
        yield
        return
    kind, rate = flood
    before = statistic(subject, "tx_packets")
    # The flood is the same for all, however busy the visitors are.
    with subprocess.Popen(["chrt", "-f", "1", *subject.sender(kind, 0, SOURCES, ENDLESS), "0", str(rate)],
                          stdout=subprocess.DEVNULL) as sender:
        try:
            while statistic(subject, "tx_packets") < before + 2 * QUEUE:
                if sender.poll() is not None:
                    raise MeasuringFailed("the sender failed")
                time.sleep(0.05)
            yield
        finally:
            sender.kill()


def check(subject, flood, changes, served, tried):
    """That each packet of the flood that was not lost was looked at, and answered if it should be."""
    def fail(what):
        raise MeasuringFailed(f"{subject.name}: {what}; {changes}")

    received, answered = changes["received"], changes["answered"]
    if changes["seen"] < received and not subject.before_ip:
        fail("IP did not see all packets of the flood")
    # The visitors' own, and those that gave up.
    if not served <= changes["opened"] <= tried:
        fail(f"{served} of {tried} visits, which is not what the server has opened")
    if flood is None or not subject.answers(ANSWERS[flood[0]]):
        if answered:
            fail("the flood was answered")
    elif subject.name != "direct" or flood[0] == "bogus-ack":
        if answered != received:
            fail("not each packet of the flood was answered")


def percentile(values, share):
    return values[min(int(len(values) * share), len(values) - 1)]


def measure(subject, flood):
    restart_server(subject)
    before = counts(subject)
    with flooding(subject, flood):
        begin, arrivals_before = time.monotonic(), arrivals(subject)
        lines = run(f"{PROGRAMS}/visitors", subject.address_for(flood[0] if flood else ""), str(VISITORS), str(SECONDS), str(BYTES)).split()
        taken, arrivals_after = time.monotonic() - begin, arrivals(subject)
    time.sleep(SETTLING)
    changes = {name: value - before[name] for name, value in counts(subject).items()}
    times = sorted(int(line) for line in lines if line != "-")
    check(subject, flood, changes, len(times), len(lines))
    return {"tried": len(lines), "served": len(times), "rate": len(times) / SECONDS,
            "goodput": len(times) * BYTES / SECONDS,
            "latencies": [percentile(times, share) for share in (0.5, 0.9, 0.99)] if times else None,
            **{name: (value - arrivals_before[name]) / taken for name, value in arrivals_after.items()}}


def say_sample(subject, samples):
    def median(name):
        return statistics.median(sample[name] for sample in samples)

    say(f"    {subject.name}: {median('served'):.0f} of {median('tried'):.0f} served, beside "
        f"{median('received'):.0f} packets a second ({median('lost'):.0f} more lost)")


def measure_all(result):
    run("modprobe", "nf_conntrack")
    subjects = []
    for number, kind in enumerate((Bare, Syncookies, Iptables, Nftables, BpfAtTc, Palisade)):
        subject = kind(number)
        subject.set("somaxconn", QUEUE, "net.core")
        # Who was here before would be let in before strangers, and these are to be strangers.
        subject.set("tcp_no_metrics_save", 1)
        subject.start()
        part_cpus(subject)
        subjects.append(subject)
        result["typed"][subject.name] = {"all works": subject.RULES or ["sysctl net.ipv4.tcp_syncookies=0"]}
    for name, flood in FLOODS.items():
        say(f"flood: {name}")
        samples = result["floods"][name] = {subject.name: [] for subject in subjects}
        for _ in range(REPETITIONS):
            for subject in subjects:
                samples[subject.name].append(measure(subject, flood))
        for subject in subjects:
            say_sample(subject, samples[subject.name])
    return subjects


sys.exit(save_measured(FILE, {
    "clock": "time", "repetitions": REPETITIONS, "seconds": SECONDS, "visitors": VISITORS, "bytes": BYTES, "typed": {},
    "floods": {}}, measure_all))
