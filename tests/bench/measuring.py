# SPDX-License-Identifier: GPL-2.0
"""What the benchmarks share in the VM: commands, network namespaces and the sender of packets."""
import json
import os
import statistics
import subprocess
import sys
import time

PROGRAMS = "/palisade/build/bench"
# Of all that is measured. Time, which the native kernel is for, differs from one to the next.
REPETITIONS = 15 if os.uname().release.endswith("-native") else 5
DESTINATION, DESTINATION6 = "192.168.255.1", "fd00::1"


class MeasuringFailed(Exception):
    pass


def run(*command, text=None):
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    if result.returncode:
        raise MeasuringFailed(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout


def first_line(*command):
    return run(*command).splitlines()[0]


def say(message):
    print(f"    {message}", file=sys.stderr, flush=True)


def say_medians(samples, base):
    medians = {name: statistics.median(values) for name, values in samples.items()}
    say("    " + ", ".join(f"{name} {median - medians[base]:.0f}" for name, median in medians.items()
                           if name != base) + f" over {medians[base]:.0f}")


def setting():
    """What was measured on, and with what."""
    return {
        "kernel": os.uname().release,
        "versions": {
            "iptables": first_line("iptables-legacy", "-V"),
            "nftables": first_line("nft", "--version"),
            "ipset": first_line("ipset", "--version"),
            "palisade": first_line("palisade", "--version"),
        },
    }


def is_ipv6(kind):
    return kind.endswith("6")


class Namespace:
    """A network namespace that a pair of virtual interfaces, or more of them, leads to."""
    # Whom packets that are made by hand are for.
    destination, destination6 = DESTINATION, DESTINATION6

    def __init__(self):
        self.macs = []
        run("ip", "netns", "add", self.name)
        # Somebody has to live there, so that its counters can be read.
        self.resident = subprocess.Popen(["ip", "netns", "exec", self.name, "sleep", "infinity"])
        self.on("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        self.on("ip", "link", "set", "lo", "up")

    def add_link(self, arp="off"):
        link = len(self.macs)
        outside, inside, mac = f"{self.name}{link}", f"in{link}", f"02:00:00:00:01:{link:02x}"
        run("ip", "link", "add", outside, "arp", arp, "type", "veth",
            "peer", "name", inside, "address", mac, "netns", self.name)
        run("sysctl", "-qw", f"net.ipv6.conf.{outside}.disable_ipv6=1")
        run("ip", "link", "set", outside, "up")
        self.macs.append(mac)
        if link == 0:
            self.allow_ipv6(inside)
        self.on("ip", "link", "set", inside, "arp", arp, "up")
        if link == 0:
            self.on("ip", "address", "add", f"{DESTINATION}/24", "dev", inside)
            self.on("ip", "address", "add", f"{DESTINATION6}/64", "dev", inside, "nodad")
        return outside, inside

    @staticmethod
    def quiet_ipv6(interface):
        """
        What allows an interface IPv6, without anything that it would say by itself: it gets no link-local address, and
        looks for no routers.
        """
        folder = f"net.ipv6.conf.{interface}"
        return "sysctl", "-qw", f"{folder}.addr_gen_mode=1", f"{folder}.accept_ra=0", f"{folder}.disable_ipv6=0"

    def allow_ipv6(self, interface):
        self.on(*self.quiet_ipv6(interface))

    def on(self, *command, text=None):
        return run("ip", "netns", "exec", self.name, *command, text=text)

    def set(self, name, value, folder="net.ipv4"):
        self.on("sysctl", "-qw", f"{folder}.{name}={value}")

    def end(self):
        # The namespace takes its links with it, but when the kernel likes.
        for link in range(len(self.macs)):
            run("ip", "link", "del", f"{self.name}{link}")
        self.resident.kill()
        self.resident.wait()
        run("ip", "netns", "del", self.name)

    def counters(self):
        """The namespace's own, by names such as Ip.InReceives and Ip6InReceives."""
        counters = {}
        for file in ("snmp", "netstat"):
            with open(f"/proc/{self.resident.pid}/net/{file}") as lines:
                for names, values in zip(*[iter(lines)] * 2):
                    group, *names = names.split()
                    counters.update((group.removesuffix(":") + "." + name, int(value))
                                    for name, value in zip(names, values.split()[1:]))
        with open(f"/proc/{self.resident.pid}/net/snmp6") as lines:
            counters.update((name, int(value)) for name, value in map(str.split, lines))
        return counters

    def sender(self, kind, first, addresses, packets, link=0):
        """The command that sends; a kind that ends with 6 is sent over IPv6."""
        destination = self.destination6 if is_ipv6(kind) else self.destination
        return [f"{PROGRAMS}/sender", kind.removesuffix("6"), f"{self.name}{link}", self.macs[link], destination,
                str(first), str(addresses), str(packets)]

    def sent(self, kind, first, addresses, packets):
        """Nanoseconds a packet, on one CPU."""
        return int(run("taskset", "-c", "0", *self.sender(kind, first, addresses, packets))) / packets

    def sent_on_two_cpus(self, kind, addresses, packets, links=(0, 0)):
        """
        Nanoseconds from the start to the end of the later of two senders, each of which sends so many packets from
        half of the addresses.
        """
        half = addresses // 2
        start = str(time.clock_gettime_ns(time.CLOCK_MONOTONIC) + 1000000000)
        senders = [
            subprocess.Popen(["taskset", "-c", str(cpu), *self.sender(kind, number * half, half, packets, link), start],
                             stdout=subprocess.PIPE, text=True)
            for number, (cpu, link) in enumerate(zip((0, os.cpu_count() - 1), links))]
        times = [sender.communicate()[0] for sender in senders]
        if any(sender.returncode for sender in senders):
            raise MeasuringFailed("the senders failed")
        return max(map(int, times))


def save_measured(file, result, measure):
    """Calls what measures into `result` and returns the subjects, and saves it all; the program's exit status."""
    # Whatever else sends packets would be counted.
    run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
    result.update(setting())
    try:
        subjects = measure(result)
    except MeasuringFailed as error:
        print(f"measuring failed: {error}", file=sys.stderr)
        return 1
    for subject in subjects:
        subject.end()
    with open(file, "w") as output:
        json.dump(result, output, indent=1)
    return 0
