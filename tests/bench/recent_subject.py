# SPDX-License-Identifier: GPL-2.0
"""What all subjects of tests/bench/recent.py have: a namespace, a list of addresses and rules, and packets to them."""
import contextlib

from measuring import MeasuringFailed, Namespace


class Subject(Namespace):
    """
    Something that has rules. WORKS has those of each work that it can do, MANY the one that is there many
    times, with another address or port each, before a packet gets to the rule that drops it.
    """

    prefix = ""   # what is before a rule, as a person types it
    RESTORE = ()  # what reads and applies the text of rules
    SHOW = ()     # what shows them
    made = ""     # the command that made the list
    MANY = {}
    is_ipv6 = False  # what its rules, its lists and the packets are for

    def __init__(self, links=1):
        super().__init__()
        for _ in range(links):
            self.add_link()

    def ip_counters(self):
        """Packets that IP received in the namespace, and those that got past the raw table."""
        counters = self.counters()
        past = ("InDelivers", "InAddrErrors", "InDiscards", "InHdrErrors")
        past += ("OutForwDatagrams", "InNoRoutes") if self.is_ipv6 else ("ForwDatagrams",)
        prefix = "Ip6" if self.is_ipv6 else "Ip."
        return counters[f"{prefix}InReceives"], sum(counters[f"{prefix}{name}"] for name in past)

    @property
    def kind(self):
        return "udp6" if self.is_ipv6 else "udp"

    @contextlib.contextmanager
    def all_dropped(self, packets):
        received, past = self.ip_counters()
        yield
        received_after, past_after = self.ip_counters()
        if received_after - received != packets or past_after != past:
            raise MeasuringFailed(f"{self.name}: of {packets} packets {received_after - received} came in "
                                  f"and {past_after - past} got past the rules")

    def send(self, first, addresses, packets):
        """Nanoseconds a packet."""
        with self.all_dropped(packets):
            return self.sent(self.kind, first, addresses, packets)

    def send_on_two_cpus(self, addresses, packets):
        """Nanoseconds from the start to the end of the later one, each of which has a link of its own."""
        with self.all_dropped(2 * packets):
            return self.sent_on_two_cpus(self.kind, addresses, packets, (0, 1))

    def can(self, work):
        return work in self.WORKS or work in self.MANY

    def rules(self, work, count=0):
        if work not in self.MANY:
            return self.WORKS[work]
        rule = self.MANY[work]
        return [rule.format(address=self.stranger(number), port=1000 + number)
                for number in range(1, count + 1)] + self.WORKS["drop"]

    def stranger(self, number):
        """An address that sends nothing."""
        return f"2001:db9::{number:x}" if self.is_ipv6 else f"198.18.{number >> 8}.{number & 255}"

    def typed(self, work, count=0):
        """The rules of a work as a person types them."""
        return [self.prefix + rule for rule in self.rules(work, count)]

    def load(self, work, count=0):
        """Puts the rules of a work into force, instead of those that are."""
        self.restore(self.rules(work, count))

    def restore(self, rules):
        self.on(*self.RESTORE, text=self.restore_text(rules))

    def list_commands(self, name, size, hits=None):
        """What makes a list, or what keeps one while the rules change."""
        return []

    def create_list(self, name, size, hits=None):
        for command in self.list_commands(name, size, hits):
            self.on(*command.split())
            self.made = command

    def remove_list(self, name):
        self.restore([])

    def matched(self):
        """Packets that the rules have counted, if they count."""
        return None

    def entries(self, name):
        """Of a list, if it tells them quickly."""
        return None
