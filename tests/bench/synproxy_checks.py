# SPDX-License-Identifier: GPL-2.0
"""What the packets of a flood have to do to the counters of those that stand before the server."""
from measuring import MeasuringFailed, is_ipv6

# What answers them, where something does.
FLOODS = {"syn": "SYN-ACK", "plain-syn": "SYN-ACK", "bogus-ack": "RST", "syn6": "SYN-ACK", "bogus-ack6": "RST"}


class Check:
    """What a subject's counters have gone up by since."""

    def __init__(self, subject):
        self.subject = subject
        self.before = self.all()

    def all(self):
        counters = self.subject.counters()
        # Reports of multicast listeners come when the kernel likes.
        counters["Ip6InReceives"] -= counters["Ip6InMcastPkts"]
        counters["replies"] = self.subject.replied()
        return counters

    def changes(self):
        # Some counters are only there once they have counted.
        return {name: value - self.before.get(name, 0) for name, value in self.all().items()}

    def expect(self, **wanted):
        changes = self.changes()
        for name, value in wanted.items():
            name = name.replace("__", ".")
            if changes[name] != value:
                others = {other: count for other, count in changes.items() if count}
                raise MeasuringFailed(f"{self.subject.name}: {name} went up by {changes[name]}, not {value}; "
                                      f"what went up: {others}")
        return changes

    def expect_opened(self, count):
        """That many connections were opened, each by who stands before the server."""
        opens = {self.subject.opens: count} if self.subject.opens else {}
        return self.expect(Tcp__PassiveOpens=count, **opens)


def expected(subject, kind, packets):
    """What a flood's packets have to do to the counters."""
    answered = subject.answers(FLOODS[kind])
    seen_by = "Link__Received" if subject.before_ip else "Ip6InReceives" if is_ipv6(kind) else "Ip__InReceives"
    wanted = {"Ip__InReceives": 0, "Ip6InReceives": 0, "replies": packets if answered else 0, "Tcp__PassiveOpens": 0,
              "Tcp__InSegs": 0 if subject.proxy else packets}
    wanted[seen_by] = packets
    if subject.repeats:
        del wanted["replies"]
    count = subject.counts.get(kind.removesuffix("6"))
    if count:
        wanted[count.replace(".", "__")] = packets
    return wanted


def warm_up(subject, kind):
    # A socket looks for cookies in acknowledgements only when it has lately sent some.
    if FLOODS[kind] == "RST" and subject.name == "syncookies":
        subject.sent(kind.replace("bogus-ack", "syn"), 0, 16, 16)
