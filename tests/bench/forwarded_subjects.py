# SPDX-License-Identifier: GPL-2.0
"""
What stands before a server of another host, which it forwards to: the subjects of synproxy_subjects.py, with the same
rules where forwarded packets meet them.
"""
from measuring import Namespace, run
from synproxy_subjects import Direct, Iptables, Nftables, Palisade, Syncookies, Tracked
from xdp_subjects import COMPILED, BpfAtTc


class Host(Namespace):
    """The server's, at the other end of a link of the subject's."""

    def __init__(self, subject, number):
        self.name = f"{subject.name}-server"
        super().__init__()
        run("ip", "-n", subject.name, "link", "add", "behind", "type", "veth", "peer", "name", "eth0",
            "netns", self.name)
        ends = {}
        for end, device, last in (subject, "behind", 254), (self, "eth0", 1):
            end.allow_ipv6(device)
            end.on("ip", "link", "set", device, "up")
            end.on("ip", "address", "add", f"172.17.{number}.{last}/24", "dev", device)
            end.on("ip", "address", "add", f"fd03:{number:x}::{last:x}/64", "dev", device, "nodad")
            # As between the client and the subject.
            end.on("ethtool", "-K", device, "tso", "off", "gso", "off", "gro", "off")
            ends[end] = end.on("cat", f"/sys/class/net/{device}/address").strip()
        for end, device, other, last in (subject, "behind", self, 1), (self, "eth0", subject, 254):
            for address in f"172.17.{number}.{last}", f"fd03:{number:x}::{last:x}":
                end.on("ip", "neighbour", "replace", address, "lladdr", ends[other], "dev", device, "nud", "permanent")
        self.on("ip", "route", "add", "default", "via", f"172.17.{number}.254")
        self.on("ip", "route", "add", "default", "via", f"fd03:{number:x}::fe")
        self.address, self.address6 = f"172.17.{number}.1", f"fd03:{number:x}::1"


class Forwarded:
    """Makes a subject forward to its server."""

    def __init__(self, number):
        super().__init__(number)
        self.own_address = self.address
        self.set("ip_forward", 1)
        self.set("all.forwarding", 1, "net.ipv6.conf")
        self.host = Host(self, number)
        for by, to in (self.address, self.host.address), (self.address6, self.host.address6):
            run("ip", "route", "add", to, "via", by)
        self.address, self.address6 = self.host.address, self.host.address6
        # Packets that are made by hand are for the same server.
        self.destination, self.destination6 = self.host.address, self.host.address6

    def counters(self):
        """Those of TCP are the server's."""
        of_tcp = {name: value for name, value in self.host.counters().items() if name.startswith("Tcp")}
        return {**super().counters(), **of_tcp}

    def end(self):
        super().end()
        self.host.end()


def forwarding(rules):
    return [rule.replace("INPUT", "FORWARD").replace("input", "forward") for rule in rules]


class ForwardedDirect(Forwarded, Direct):
    pass


class ForwardedTracked(Forwarded, Tracked):
    RULES = forwarding(Tracked.RULES)


class ForwardedSyncookies(Forwarded, Syncookies):
    pass


class ForwardedIptables(Forwarded, Iptables):
    RULES = forwarding(Iptables.RULES)


class ForwardedNftables(Forwarded, Nftables):
    RULES = forwarding(Nftables.RULES)


class ForwardedBpfAtTc(Forwarded, BpfAtTc):
    RULES = forwarding(BpfAtTc.RULES)


class ForwardedPalisade(Forwarded, Palisade):
    opens = "palisade.opened"


QUICK_FORWARDED = (ForwardedDirect, ForwardedIptables, ForwardedNftables, ForwardedPalisade)
FORWARDED = (ForwardedDirect, ForwardedTracked, ForwardedSyncookies, ForwardedIptables, ForwardedNftables,
             *((ForwardedBpfAtTc,) if COMPILED else ()), ForwardedPalisade)
