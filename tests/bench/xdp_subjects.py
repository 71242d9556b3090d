# SPDX-License-Identifier: GPL-2.0
"""
The SYNPROXY in BPF of the kernel's selftests, in the three places where it can be put, for tests/bench/synproxy.py.
It answers SYNs and drops acknowledgements that have no valid cookie. Behind it is the kernel's own SYNPROXY, with
the rules of the selftest, which connects to the server.
"""
import os
import re

from measuring import PROGRAMS, run
from synproxy_subjects import Iptables

FOLDER = f"{PROGRAMS}/xdp-synproxy"
LOAD = f"{FOLDER}/xdp_synproxy --iface INSIDE --ports 80 --mss4 1460 --mss6 1440 --wscale 7 --ttl 64 --single"
LINKS = (0, 1)
# Where programs are interpreted, they would tell nothing.
COMPILED = os.path.exists("/proc/sys/net/core/bpf_jit_enable")


def rules(*attach):
    return [*Iptables.RULES, *attach]


class BpfSynproxy(Iptables):
    before_ip = True
    counts = {"syn": "Bpf.SynAcks", "plain-syn": "Bpf.SynAcks"}
    OUTSIDE = ()        # what is done at the outer end of each link
    INSIDE = ()         # and at the inner

    def load(self):
        super().load()
        for link in LINKS:
            for command in self.OUTSIDE:
                run(*command.replace("OUTSIDE", f"{self.name}{link}").split())
            for command in self.INSIDE:
                self.on(*command.replace("INSIDE", f"in{link}").split())
        self.asked = [self.program(f"in{link}") for link in LINKS]

    def program(self, interface):
        """The options that say which interface's program is asked."""
        return "--iface", interface

    def counters(self):
        return {**super().counters(), "Link.Received": self.received(),
                "Bpf.SynAcks": sum(self.answered(program) for program in self.asked)}

    def answered(self, program):
        """SYNs that a program has answered, by its own account."""
        return int(self.on(f"{FOLDER}/xdp_synproxy", *program, "--single").removeprefix("Total SYNACKs generated: "))

    def received(self):
        """Packets that came in by the first link, which is before any program."""
        with open(f"/proc/{self.resident.pid}/net/dev") as file:
            line, = (line for line in file if line.strip().startswith("in0:"))
        return int(line.split()[2])


class BpfAtTc(BpfSynproxy):
    name = "bpf-tc"
    counts = {**BpfSynproxy.counts, "bogus-ack": "Tc.Drops"}
    INSIDE = (f"{LOAD} --tc",)
    RULES = rules(*INSIDE)

    def program(self, interface):
        filters = self.on("tc", "filter", "show", "dev", interface, "ingress")
        return "--prog", re.search(r" id (\d+)", filters)[1]

    def counters(self):
        drops = re.search(r"dropped (\d+)", self.on("tc", "-s", "qdisc", "show", "dev", "in0", "clsact"))
        return {**super().counters(), "Tc.Drops": int(drops[1])}


class XdpGeneric(BpfSynproxy):
    """
    Where a driver knows nothing of XDP. What it drops is counted nowhere: that packets came in and that the IP layer
    got none of them has to do.
    """
    name = "xdp-generic"
    INSIDE = (f"ip link set INSIDE xdpgeneric object {FOLDER}/xdp_synproxy_kern.bpf.o section xdp", LOAD)
    RULES = rules(*INSIDE)


class XdpNative(BpfSynproxy):
    """In the driver. The other end of a veth pair gets what is sent back there only if it has a program as well."""
    name = "xdp-native"
    counts = {**BpfSynproxy.counts, "bogus-ack": "Xdp.Drops"}
    # No connection is opened: each client waits in vain.
    unable = ("plain-connections",)
    OUTSIDE = (f"ip link set OUTSIDE xdp object {FOLDER}/xdp_dummy.bpf.o section xdp",)
    INSIDE = (LOAD,)
    RULES = rules(*OUTSIDE, *INSIDE)

    def counters(self):
        drops = re.search(r"rx_queue_0_xdp_drops: (\d+)", self.on("ethtool", "-S", "in0"))
        return {**super().counters(), "Xdp.Drops": int(drops[1])}
