# SPDX-License-Identifier: GPL-2.0
"""
What stands before the server in tests/bench/synproxy.py, each in a namespace of its own, in which the
server runs as well; forwarded_subjects.py has those whose server is behind them.
"""
import contextlib
import json
import subprocess

from measuring import PROGRAMS, MeasuringFailed, Namespace, is_ipv6, run
from synproxy_checks import Check

# The address that frames made by hand come from (frame.c).
SENDER = "02:00:00:00:00:01"


class Subject(Namespace):
    proxy = True        # the server sees nothing of a flood
    before_ip = False   # a flood ends before the IP layer
    unable = ()         # works that it cannot do
    stalls = False      # some connections wait for a retransmission, or for ever
    repeats = False     # may answer a SYN once more at any time
    counts = {}         # which counter has to count each packet of a flood
    opens = None        # and which each connection
    tracks = True       # connections, by connection tracking

    def __init__(self, number):
        super().__init__()
        # Where the server runs.
        self.host = self
        # From the first link come frames made by hand. What comes back is for somebody else by its
        # address, so that it ends there at once.
        self.add_link()
        self.on("ip", "route", "add", "default", "via", "192.168.255.254", "dev", "in0")
        self.on("ip", "route", "add", "default", "via", "fd00::fe", "dev", "in0")
        # The gateway is where the frames come from, and its address is known, as it is to a host that answers visitors.
        for gateway in "192.168.255.254", "fd00::fe":
            self.on("ip", "neighbour", "replace", gateway, "lladdr", SENDER, "dev", "in0", "nud", "permanent")
        # The client is on the other.
        outside, inside = self.add_link("on")
        self.address, self.address6 = f"172.16.{number}.1", f"fd02:{number:x}::1"
        client, client6 = f"172.16.{number}.2", f"fd02:{number:x}::2"
        run("ip", "address", "add", f"{client}/24", "dev", outside)
        self.on("ip", "address", "add", f"{self.address}/24", "dev", inside)
        # The kernel's SYNPROXY connects to a server of this machine by the loopback interface.
        self.allow_ipv6("lo")
        self.allow_ipv6(inside)
        run(*self.quiet_ipv6(outside))
        run("ip", "address", "add", f"{client6}/64", "dev", outside, "nodad")
        self.on("ip", "address", "add", f"{self.address6}/64", "dev", inside, "nodad")
        # Who looked for neighbours would be counted.
        with open(f"/sys/class/net/{outside}/address") as file:
            mac = file.read().strip()
        for ours, theirs in (self.address, client), (self.address6, client6):
            run("ip", "neighbour", "add", ours, "lladdr", self.macs[-1], "dev", outside, "nud", "permanent")
            self.on("ip", "neighbour", "add", theirs, "lladdr", mac, "dev", inside, "nud", "permanent")
        # What comes from a network has checksums, and a program in BPF looks at them.
        run("ethtool", "-K", outside, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
        self.on("ethtool", "-K", inside, "tso", "off", "gso", "off", "gro", "off")
        # An old byte is answered by an acknowledgement without any options.
        self.set("tcp_dsack", 0)
        self.server = None
        self.stalled = {}
        self.throughput = {}

    def rule(self, rule):
        """One as a person types it, with the iptables that is not nftables in disguise."""
        tool, *words = rule.split()
        self.on(tool.replace("tables", "tables-legacy"), *words)

    def start(self):
        """Loads the rules and starts the server."""
        self.load()
        self.start_server()

    def start_server(self):
        """Which is connected to once over each version of IP."""
        self.run_server()
        for work in ("connections", "connections6"):
            self.fetch(work, 1, 1)

    def run_server(self):
        self.server = subprocess.Popen(["ip", "netns", "exec", self.host.name, f"{PROGRAMS}/server"],
                                       stdout=subprocess.PIPE, text=True)
        if self.server.stdout.readline() != "listening\n":
            raise MeasuringFailed(f"{self.name}: the server does not start")

    def stop_server(self):
        if self.server:
            self.server.kill()
            self.server.wait()

    def end(self):
        self.stop_server()
        super().end()

    def load(self):
        """Puts the rules into force."""

    def answers(self, answer):
        """Whether a flood is answered, by that."""
        return answer != "RST" or not self.proxy

    def address_for(self, work):
        """Where the server is met, over IPv6 by works that end with 6."""
        return self.address6 if is_ipv6(work) else self.address

    def fetch(self, work, connections, size, mss=0, sent=0, hello=""):
        """
        Nanoseconds that each of so many connections took, one after another, each of so many bytes, in segments of at
        most so many where that is said, after so many bytes that the client sends, or a ClientHello from a file.
        """
        times = run("taskset", "-c", "0", f"{PROGRAMS}/client", self.address_for(work),
                    *map(str, (connections, size, mss, sent)), *([hello] if hello else []))
        return [int(line) for line in times.splitlines()]

    def replied(self):
        """Packets that came back from the first link."""
        with open(f"/sys/class/net/{self.name}0/statistics/rx_packets") as file:
            return int(file.read())

    def tracked(self):
        """Connections that connection tracking knows; one that is closed it knows for some time."""
        return int(self.on("cat", "/proc/sys/net/netfilter/nf_conntrack_count"))

    @contextlib.contextmanager
    def opening(self, connections):
        """While the body runs, so many are opened, and tracked where that is so."""
        check, before = Check(self), self.tracked()
        yield check
        check.expect_opened(connections)
        new = self.tracked() - before
        if new != (connections if self.tracks else 0):
            raise MeasuringFailed(f"{self.name}: {new} of {connections} connections are tracked")


class Floor(Subject):
    """What it costs to get a frame as far as the raw table and to drop it there."""
    name = "floor"
    RULES = [f"{tool} -t raw -A PREROUTING -j DROP" for tool in ("iptables", "ip6tables")]

    def start(self):
        for rule in self.RULES:
            self.rule(rule)

    def answers(self, answer):
        return False


class Unfiltered(Subject):
    """
    No firewall at all, and no SYN cookies: the server has room for one handshake, which it waits for, and drops all other
    SYNs.
    """
    name = "unfiltered"
    proxy = False
    repeats = True
    counts = {"syn": "TcpExt.ListenDrops", "plain-syn": "TcpExt.ListenDrops"}
    RULES = ["sysctl net.ipv4.tcp_syncookies=0", "sysctl net.core.somaxconn=0"]
    RETRIES = 10            # at a handshake, over half an hour
    STRANGER = 15 << 20     # number of an address that no flood comes from

    def start(self):
        self.set("tcp_syncookies", 0)
        self.set("somaxconn", 0, "net.core")
        self.set("tcp_synack_retries", self.RETRIES)
        self.run_server()
        for kind in ("syn", "syn6"):
            self.sent(kind, self.STRANGER, 1, 1)

    def answers(self, answer):
        return answer == "RST"


class Direct(Subject):
    """Nothing at all before the server, which answers SYNs as ever."""
    name = "direct"
    proxy = False
    tracks = False
    RULES = []


class Tracked(Direct):
    """Connection tracking, and nothing else."""
    name = "tracked"
    tracks = True
    RULES = [f"{tool} -A INPUT -m conntrack --ctstate INVALID -j DROP" for tool in ("iptables", "ip6tables")]

    def load(self):
        for rule in self.RULES:
            self.rule(rule)

    def start_server(self):
        # One over each version of IP.
        with self.opening(2):
            super().start_server()


class Syncookies(Subject):
    """The kernel's own, at the listening socket."""
    name = "syncookies"
    proxy = False
    tracks = False
    counts = {"syn": "TcpExt.SyncookiesSent", "plain-syn": "TcpExt.SyncookiesSent",
              "bogus-ack": "TcpExt.SyncookiesFailed"}
    opens = "TcpExt.SyncookiesRecv"
    RULES = ["sysctl net.ipv4.tcp_syncookies=2"]

    def load(self):
        self.host.set("tcp_syncookies", 2)


class KernelSynproxy(Subject):
    """What iptables and nftables share."""
    # Its acknowledgement to the server echoes a timestamp that the server did not send, so that a server on
    # a recent kernel refuses it and goes by the client's first data, if the clock has not ticked meanwhile.
    stalls = True
    counts = {"syn": "synproxy.syn_received", "plain-syn": "synproxy.syn_received",
              "bogus-ack": "synproxy.cookie_invalid"}
    opens = "synproxy.cookie_valid"

    def counters(self):
        with open(f"/proc/{self.resident.pid}/net/stat/synproxy") as file:
            names = file.readline().split()
            rows = [[int(value, 16) for value in line.split()] for line in file]
        return {**super().counters(),
                **{f"synproxy.{name}": sum(column) for name, column in zip(names, zip(*rows))}}


class Iptables(KernelSynproxy):
    name = "iptables"
    RULES = ["sysctl net.netfilter.nf_conntrack_tcp_loose=0"] + [
        f"{tool} {rule}" for tool, mss in (("iptables", 1460), ("ip6tables", 1440)) for rule in (
            "-t raw -A PREROUTING -p tcp --dport 80 --syn -j CT --notrack",
            "-A INPUT -p tcp --dport 80 -m state --state UNTRACKED,INVALID "
            f"-j SYNPROXY --sack-perm --timestamp --wscale 7 --mss {mss}",
            "-A INPUT -m state --state INVALID -j DROP")]

    def load(self):
        self.set("nf_conntrack_tcp_loose", 0, "net.netfilter")
        for rule in self.RULES:
            if rule.startswith(("iptables", "ip6tables")):
                self.rule(rule)


class Nftables(KernelSynproxy):
    name = "nftables"
    RULES = [line for family, mss in (("ip", 1460), ("ip6", 1440)) for line in (
        f"table {family} bench {{",
        "chain prerouting { type filter hook prerouting priority raw; policy accept;",
        "tcp dport 80 tcp flags syn notrack; }",
        "chain input { type filter hook input priority filter; policy accept;",
        f"tcp dport 80 ct state invalid,untracked synproxy mss {mss} wscale 7 timestamp sack-perm;",
        "ct state invalid drop; }",
        "}")]

    def load(self):
        self.set("nf_conntrack_tcp_loose", 0, "net.netfilter")
        self.on("nft", "-f", "-", text="\n".join(self.RULES))


class Palisade(Subject):
    name = "palisade"
    opens = "palisade.handed_over"
    RULES = ["palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY"]

    def load(self):
        run("modprobe", "palisade")
        for rule in self.RULES:
            self.on(*rule.split())

    def counters(self):
        rule, = json.loads(self.on("palisade", "protect", "--status", "--json"))
        return {**super().counters(),
                **{f"palisade.{name}": rule[name] for name in ("opened", "handed_over", "dropped", "opened_by_data")}}
