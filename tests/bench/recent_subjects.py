# SPDX-License-Identifier: GPL-2.0
"""What tests/bench/recent.py measures, each in a namespace of its own: what their lists and their rules are."""
import contextlib
import json
import re
import subprocess

from measuring import MeasuringFailed
from recent_subject import Subject

STAMPS = 4  # packets that each known address was seen with, as the rules ask
RATE = 10000  # packets a second, and at once, that each address may send
WINDOW = f"--seconds 3600 --hitcount {STAMPS}"


class Table(Subject):
    """What speaks iptables' language."""

    WORKS = {
        "drop": ["-j DROP"],
        "listed": ["-m recent --name known --rcheck -j DROP"],
        "hit": [f"-m recent --name known --rcheck {WINDOW} -j DROP"],
        "miss": [f"-m recent --name known --rcheck {WINDOW} -j ACCEPT", "-j DROP"],
        "update": [f"-m recent --name known --update {WINDOW} -j DROP"],
        "set-known": ["-m recent --name known --set -j DROP"],
        "set-new": ["-m recent --name known --set -j DROP"],
        "limited": [f"-m hashlimit --hashlimit-name limited --hashlimit-mode srcip --hashlimit-upto {RATE}/s "
                    f"--hashlimit-burst {RATE} -j DROP"],
    }
    MANY = {
        "rules-address": "-s {address} -j ACCEPT",
        "rules-port": "-p udp --dport {port} -j ACCEPT",
    }

    @property
    def SHOW(self):
        return self.tool, "-t", "raw", "-S", "PREROUTING"

    def matched(self):
        listed = self.on(self.tool, "-t", "raw", "-L", "PREROUTING", "-v", "-n", "-x")
        counts = re.findall(r"^ *(\d+) +\d+ +(?:\d+ +)?DROP ", listed, re.MULTILINE)
        return int(counts[-1]) if counts else None


class Iptables(Table):
    name = "iptables"

    @property
    def tool(self):
        return "ip6tables-legacy" if self.is_ipv6 else "iptables-legacy"

    @property
    def prefix(self):
        return f"{self.tool.removesuffix('-legacy')} -t raw -A PREROUTING "

    @property
    def RESTORE(self):
        return f"{self.tool}-restore", "--noflush"

    def restore_text(self, rules):
        return "\n".join(["*raw", "-F PREROUTING", *(f"-A PREROUTING {rule}" for rule in rules), "COMMIT", ""])

    def list_commands(self, name, size, hits=None):
        # A list lives as long as a rule names it.
        return [f"{self.tool} -t raw -A OUTPUT -m recent --name {name} --rcheck"]

    def remove_list(self, name):
        super().remove_list(name)
        self.on(self.tool, "-t", "raw", "-F", "OUTPUT")


class IptablesNft(Iptables):
    """The same rules by nftables' means."""
    name = "iptables-nft"
    tool = "iptables-nft"
    RESTORE = ("iptables-nft-restore", "--noflush")


class Floor(Iptables):
    """What it costs to get a packet as far as the raw table and to drop it there."""
    name = "floor"
    WORKS = {"drop": ["-j DROP"]}
    MANY = {}

    def can(self, work):
        return True

    def rules(self, work, count=0):
        return self.WORKS["drop"]

    def list_commands(self, name, size, hits=None):
        return []


class Unfiltered(Subject):
    """
    No firewall at all: packets get as far as a socket, whose buffer has room for the first few of them, so that the
    others are lost there.
    """
    name = "unfiltered"
    WORKS = {"drop": []}
    LISTENER = ("import socket, sys, time\n"
                "listener = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n"
                "listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)\n"
                "listener.bind(('::', 9))\n"
                "print('listening', flush=True)\n"
                "time.sleep(1e6)\n")
    ROOM = 64       # packets that surely fill the buffer

    def __init__(self):
        super().__init__()
        self.listener = None

    def load(self, work, count=0):
        self.stop_listener()
        self.listener = subprocess.Popen(["ip", "netns", "exec", self.name, "python3", "-c", self.LISTENER],
                                         stdout=subprocess.PIPE, text=True)
        if self.listener.stdout.readline() != "listening\n":
            raise MeasuringFailed(f"{self.name}: nobody listens")
        self.sent(self.kind, 0, self.ROOM, self.ROOM)

    def lost(self):
        return self.counters()["Udp6RcvbufErrors" if self.is_ipv6 else "Udp.RcvbufErrors"]

    @contextlib.contextmanager
    def all_dropped(self, packets):
        before = self.lost()
        yield
        if self.lost() - before != packets:
            raise MeasuringFailed(f"{self.name}: of {packets} packets {self.lost() - before} came as far as the socket")

    def stop_listener(self):
        if self.listener:
            self.listener.kill()
            self.listener.wait()

    def end(self):
        self.stop_listener()
        super().end()


class Hashlimit(Iptables):
    """
    Counts packets of an address and drops who sends too many, in one. It can neither look up without counting
    nor enter without counting.
    """
    name = "hashlimit"
    MATCH = (f"-m hashlimit --hashlimit-name known --hashlimit-mode srcip --hashlimit-above {STAMPS}/hour "
             f"--hashlimit-burst {STAMPS}")
    MANY = {}

    def __init__(self, links=1):
        super().__init__(links)
        self.size = 1

    @property
    def WORKS(self):
        # The table is as large as the list, and is not cleaned while it is measured.
        match = (f"{self.MATCH} --hashlimit-htable-size {self.size} --hashlimit-htable-max {self.size} "
                 "--hashlimit-htable-expire 3600000 --hashlimit-htable-gcinterval 3600000")
        return {
            "update": [f"{match} -j DROP"],
            "set-new": [f"{match} -j DROP", "-j DROP"],
        }

    def list_commands(self, name, size, hits=None):
        self.size = size
        return [f"{self.tool} -t raw -A OUTPUT {self.WORKS['update'][0]}"]


class Ipset(Iptables):
    """Looks up, and refreshes an element's timeout; it counts no packets over a time."""
    name = "ipset"
    WORKS = {
        "listed": ["-m set --match-set known src -j DROP"],
        "hit": ["-m set --match-set known src -j DROP"],
        "miss": ["-m set --match-set known src -j ACCEPT", "-j DROP"],
        "update": ["-m set --match-set known src -j SET --add-set known src --exist", "-j DROP"],
        "set-known": ["-j SET --add-set known src --exist", "-j DROP"],
        "set-new": ["-j SET --add-set known src --exist", "-j DROP"],
    }
    MANY = {}

    def list_commands(self, name, size, hits=None):
        # Packets cannot make its table larger, so it is made large enough; and in a set that is full, each
        # refreshing of an element looks for what has expired in its part of the table.
        family = "inet6" if self.is_ipv6 else "inet"
        return [f"ipset create {name} hash:ip family {family} hashsize {size} maxelem {2 * size} timeout 3600"]

    def remove_list(self, name):
        self.restore([])
        self.on("ipset", "destroy", name)

    def entries(self, name):
        return int(re.search(r"Number of entries: (\d+)", self.on("ipset", "list", "-terse", name))[1])


class Palisade(Table):
    name = "palisade"
    tool = "palisade"
    prefix = "palisade -t raw -A PREROUTING "
    RESTORE = ("palisade", "restore")

    def restore_text(self, rules):
        return "\n".join(
            ["*raw", ":PREROUTING ACCEPT", *(f"-A PREROUTING {rule}" for rule in rules), "COMMIT", ""])

    def list_commands(self, name, size, hits=None):
        return [f"palisade list create {name} size={size}" + (f" hits={hits}" if hits else "")]

    def remove_list(self, name):
        super().remove_list(name)
        self.on("palisade", "list", "destroy", name)

    def entries(self, name):
        lists = json.loads(self.on("palisade", "list", "ls", "--json"))
        return next(one["entries"] for one in lists if one["name"] == name)


class Nftables(Subject):
    name = "nftables"
    RESTORE = ("nft", "-f", "-")
    SHOW = ("nft", "list", "chain", "ip", "bench", "prerouting")

    # It has nothing that counts packets of an address over a time without also limiting their rate: what
    # comes closest is to look up, and to refresh the element's timeout.
    WORKS = {
        "drop": ["drop"],
        "listed": ["ip saddr @known drop"],
        "hit": ["ip saddr @known drop"],
        "miss": ["ip saddr @known accept", "drop"],
        "update": ["update @known { ip saddr } drop"],
        "set-known": ["update @known { ip saddr } drop"],
        "set-new": ["update @known { ip saddr } drop"],
        "limited": [f"meter limited size 65536 {{ ip saddr limit rate {RATE}/second burst {RATE} packets }} drop"],
    }
    MANY = {
        "rules-address": "ip saddr {address} accept",
        "rules-port": "udp dport {port} accept",
    }

    def __init__(self, links=1):
        super().__init__(links)
        for family in ("ip", "ip6"):
            self.on("nft", "-f", "-", text=f"table {family} bench {{ chain prerouting {{ "
                    "type filter hook prerouting priority raw; policy accept; }; }")

    @property
    def family(self):
        return "ip6" if self.is_ipv6 else "ip"

    @property
    def prefix(self):
        return f"nft add rule {self.family} bench prerouting "

    def rules(self, work, count=0):
        return [rule.replace("ip saddr", f"{self.family} saddr") for rule in super().rules(work, count)]

    def restore_text(self, rules):
        chain = f"{self.family} bench prerouting"
        return "\n".join([f"flush chain {chain}", *(f"add rule {chain} {rule}" for rule in rules), ""])

    def list_commands(self, name, size, hits=None):
        kind = "ipv6_addr" if self.is_ipv6 else "ipv4_addr"
        return [f"nft add set {self.family} bench {name} "
                f"{{ type {kind}; size {size}; flags dynamic,timeout; timeout 1h; gc-interval 1h; }}"]

    def remove_list(self, name):
        super().remove_list(name)
        self.on("nft", "delete", "set", self.family, "bench", name)


class NftablesLimit(Nftables):
    """
    A limit of its own for each address, and drops who sends more, in one. Like hashlimit it can neither look up nor enter
    an address without counting.
    """
    name = "nft-limit"
    LIMIT = f"update @known {{ ip saddr limit rate over {STAMPS}/hour burst {STAMPS} packets }} drop"
    WORKS = {"update": [LIMIT], "set-new": [LIMIT, "drop"]}
    MANY = {}
