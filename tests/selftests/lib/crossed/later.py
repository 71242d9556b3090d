# SPDX-License-Identifier: GPL-2.0
"""What happens to open connections: new rules, changes of connection tracking, and removal of the rules and the module."""

import itertools
import subprocess

from crossed.hosts import FIREWALL, Cell, on
from crossed.rows import ANSWERED, ENDED, SERVED, Row, iptables, nft, palisade
from crossed.rules import Rules

KINDS = "raw", "five", "flooded"
WAYS = "forward", "dnat", "local"


class Judge:
    """Opens conversations, and checks how each of them ends."""

    def __init__(self, report, topology, title, bare, cookies=True):
        self.report, self.topology, self.title, self.bare = report, topology, f"{topology.variant}, {title}", bare
        self.cookies = cookies
        self.rules, self.cells = Rules(topology), []

    def __enter__(self):
        self.rules.protect(self.bare, self.cookies)
        return self

    def __exit__(self, *_):
        for cell in self.cells:
            self.topology.drop(cell)
        self.rules.remove()

    def open(self, row, kinds=KINDS, ways=None):
        """Starts conversations of all kinds, ways and IP versions, and their servers."""
        self.topology.listen([row.port])
        every = itertools.product(kinds, ways or row.ways, (4, 6))
        cells = [Cell(row, *one, number=row.number) for one in every]
        self.cells += cells
        self.topology.start(cells)
        return cells

    def wait(self, cells, outcomes):
        """Waits until all conversations have one of these outcomes."""
        return self.topology.until(lambda: all(cell.outcome in outcomes for cell in cells))

    def become(self, what, cells, outcomes, has_waited=False):
        """Checks that all conversations come to one of these outcomes."""
        done = has_waited or self.wait(cells, outcomes)
        self.topology.turn()
        wrong = [f"{cell}, not {' or '.join(sorted(outcomes))}" for cell in cells if cell.outcome not in outcomes]
        self.report.check(f"{self.title}: {what} ({len(cells)})", done and not wrong, *wrong)

    def opened(self, row, kinds=KINDS):
        cells = self.open(row, kinds)
        self.become(f"{row.name}: open", cells, SERVED)
        return cells

    def met(self, row, least):
        """Waits until the rules of a row have counted so many packets."""
        return self.topology.until(lambda: self.rules.counts().get(row.port, 0) >= least)


def rows():
    """Rules for data. Without an RST, a connection goes on when the rule is gone. An RST ends it."""
    to, back = "tcp dport {port}", "tcp sport {port}"
    words = "tcp flags & psh == psh"
    for direction, match, hooks in (
            ("to the server", to, (("prerouting", -400), ("prerouting", 0), ("input forward", 0))),
            ("to the client", back, (("forward output", -400), ("forward output", 0)))):
        for hook, priority in hooks:
            for action in "drop", "reject with icmpx port-unreachable", "reject with icmpx admin-prohibited":
                yield direction, SERVED, Row(f"nft, {hook} {priority}, {direction}: {action}",
                                             nft(hook, priority, action, f"{match} {words}"))
    for hook, priority in (("prerouting", -400), ("prerouting", 0), ("input forward", 0), ("input forward", 100)):
        yield "to the server", ENDED, Row(f"nft, {hook} {priority}, to the server: reject with tcp reset",
                                          nft(hook, priority, "reject with tcp reset", f"{to} {words}"))
    for hook in "forward output", :
        yield "to the client", ENDED, Row(f"nft, {hook} 0, to the client: reject with tcp reset",
                                          nft(hook, 0, "reject with tcp reset", f"{back} {words}"))
    push = "--tcp-flags PSH PSH"
    for action, end in ("DROP", SERVED), ("REJECT", SERVED), ("REJECT --reject-with tcp-reset", ENDED):
        for name, tool in ("iptables", iptables), ("Palisade", palisade):
            yield "to the server", end, Row(f"{name}, filter INPUT FORWARD, to the server: {action}",
                                            tool("filter INPUT FORWARD", action, "-p tcp --dport {port} " + push))
            yield "to the client", end, Row(f"{name}, filter FORWARD OUTPUT, to the client: {action}",
                                            tool("filter FORWARD OUTPUT", action, "-p tcp --sport {port} " + push))


def later(report, topology, chosen, bare):
    """Rules that are added while connections are open, and removed again."""
    all_rows = [one for one in rows() if chosen([one[2]])]
    with Judge(report, topology, "later", bare) as judge:
        cells = {row: judge.open(row) for _, _, row in all_rows}
        judge.become("open", [one for own in cells.values() for one in own], SERVED)
        judge.rules.load(list(cells))
        for direction, _, row in all_rows:
            for cell in cells[row]:
                (topology.ask if direction == "to the server" else topology.push)(cell)
        judge.topology.until(lambda: (met := judge.rules.counts()) is not None
                             and all(met.get(row.port, 0) >= len(cells[row]) for row in cells))
        for direction, end, row in all_rows:
            if end is ENDED and direction == "to the client":
                # The server's end is gone. A client learns of that when it sends data.
                for cell in cells[row]:
                    if cell.is_open and cell.outcome == "hanging":
                        topology.ask(cell)
        ended = [row for _, end, row in all_rows if end is ENDED]
        judge.wait([cell for row in ended for cell in cells[row]], ENDED | {"closed"})
        for row in ended:
            judge.become(row.name, cells[row], ENDED | {"closed"}, has_waited=True)
        waiting = [cell for _, end, row in all_rows if end is SERVED for cell in cells[row]]
        wrong = [f"{cell.row.name}: {cell}, not hanging" for cell in waiting if cell.outcome != "hanging"]
        report.check(f"{judge.title}: no other conversation gets anything ({len(waiting)})", not wrong, *wrong)
        judge.rules.remove_met()
        judge.wait(waiting, SERVED)
        for _, end, row in all_rows:
            if end is SERVED:
                judge.become(f"{row.name}, and gone", cells[row], SERVED, has_waited=True)


def inside(host, *command):
    on(host, *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def flush(report, topology, chosen, bare):
    """Connection tracking forgets connections."""
    def everything(_):
        inside(FIREWALL, "conntrack", "-F")

    def each(row):
        for family in "ipv4", "ipv6":
            inside(FIREWALL, "conntrack", "-D", "-f", family, "-p", "tcp", "--dport", str(row.port))

    def time_out(row):
        name = "net.netfilter.nf_conntrack_tcp_timeout_established"
        on(FIREWALL, "sysctl", "-qw", f"{name}=1")
        # The next packet sets the new timeout.
        for cell in by_row[row]:
            topology.ask(cell)
        judge.become("they go on", by_row[row], SERVED)
        gone = topology.until(lambda: not any(
            on(FIREWALL, "conntrack", "-L", "-s", source, "-p", "tcp", "--dport", str(row.port), stdout=subprocess.PIPE,
               stderr=subprocess.DEVNULL).stdout for source in ("10.14.0.2", "fd00:e::2")))
        on(FIREWALL, "sysctl", "-qw", f"{name}=432000")
        report.check(f"{judge.title}: {row.name}: conntrack has forgotten them", gone)

    by_row = {}
    for name, forget in ("conntrack -F", everything), ("conntrack -D", each), ("a timeout", time_out):
        for who in "the client speaks", "the server speaks", "the client closes":
            row = Row(f"{name}, then {who}")
            if not chosen([row]):
                continue
            with Judge(report, topology, "forgotten", bare) as judge:
                by_row[row] = cells = judge.opened(row)
                forget(row)
                for cell in cells:
                    if who == "the server speaks":
                        topology.push(cell)
                    elif who == "the client speaks":
                        topology.ask(cell)
                    else:
                        cell.outcome = "hanging"
                        cell.socket.shutdown(1)
                # The firewall cannot translate the server's address back without conntrack's entry.
                known = [cell for cell in cells if who != "the server speaks" or cell.way != "dnat"]
                judge.become(row.name, known, ANSWERED)
    row = Row("conntrack -F while the server is waited for",
              nft("prerouting output", 0, "drop", "tcp sport {port} tcp flags & (syn | ack) == syn | ack"))
    if chosen([row]):
        with Judge(report, topology, "forgotten", bare, cookies=False) as judge:
            judge.rules.load([row])
            cells = judge.open(row)
            report.check(f"{judge.title}: the server is waited for", judge.met(row, len(cells)))
            everything(row)
            judge.rules.remove_met()
            judge.become(row.name, cells, ANSWERED)


def maximum(value=None):
    """Reads or sets nf_conntrack_max, which only the initial namespace can set."""
    name = "net.netfilter.nf_conntrack_max"
    command = ["nsenter", "--net=/proc/1/ns/net", "sysctl", "-n" if value is None else "-w", name]
    if value is not None:
        command[-1] += f"={value}"
    return int(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.split()[-1])


def full(report, topology, chosen, bare):
    """Connection tracking's table is full."""
    row = Row("open when the table is full")
    if not chosen([row]):
        return
    with Judge(report, topology, "full", bare) as judge:
        cells = judge.opened(row)
        before = maximum()
        try:
            maximum(1)
            for cell in cells:
                topology.ask(cell)
            judge.become("open connections go on", cells, SERVED)
            row = Row("new")
            others = judge.open(row, kinds=("raw", "flooded"))
            judge.become("new ones are told", others, ENDED | {"served"})
            # With the rules of howtos, connection tracking drops the ACK before any rule sees it.
            waiting = judge.open(row, kinds=("five",))
            opened = topology.until(lambda: all(cell.is_open for cell in waiting))
            report.check(f"{judge.title}: those of howtos have a cookie", opened)
            for cell in cells:
                topology.push(cell)
            judge.become("open connections still go on", cells, SERVED)
        finally:
            maximum(before)
        judge.become("when there is room again, those of howtos are served", waiting, SERVED)
        judge.become("when there is room again, new ones are served", judge.open(Row("newer")), SERVED)


def afterwards(report, topology, chosen, bare):
    """The rules are removed while connections are open, and nftables' SYNPROXY takes their place."""
    row = Row("the rules are gone")
    if not chosen([row]):
        return
    with Judge(report, topology, "afterwards", bare) as judge:
        cells = judge.opened(row)
        for table in "raw", "filter":
            on(FIREWALL, "palisade", "-t", table, "-F")
        for cell in cells:
            topology.ask(cell)
        judge.become("open connections go on without rules", cells, SERVED)
        # nftables' SYNPROXY would take them for its own, and damage their timestamps.
        for cell in cells:
            topology.drop(cell)
        on(FIREWALL, "nft", "-f", "-", input="""
            table inet other {
                chain raw {
                    type filter hook prerouting priority -300
                    tcp dport 1000-9999 tcp flags & (syn | ack | rst | fin) == syn notrack
                }
                chain filter {
                    type filter hook input priority 0
                    tcp dport 1000-9999 ct state invalid,untracked synproxy mss 1440 wscale 7 timestamp sack-perm
                    ct state invalid drop
                }
                chain forward {
                    type filter hook forward priority 0
                    tcp dport 1000-9999 ct state invalid,untracked synproxy mss 1440 wscale 7 timestamp sack-perm
                    ct state invalid drop
                }
            }""")
        # There an untracked SYN does not get a translated address.
        judge.become("nftables' SYNPROXY serves new ones", judge.open(Row("new"), ways=("forward", "local")), SERVED)
        on(FIREWALL, "nft", "delete", "table", "inet", "other")
        judge.rules.protect(bare)
        judge.become("and Palisade's again", judge.open(Row("newer")), SERVED)


def removal(report, topology, chosen, bare):
    """The module is removed while connections are being opened, and open."""
    row, waiting = Row("open"), Row("opening", nft("input forward", 0, "drop"))
    if bare or not chosen([row]):
        return
    with Judge(report, topology, "removal", bare) as judge:
        cells = judge.opened(row)
        judge.rules.load([waiting])
        opening = judge.open(waiting, kinds=("raw",))
        report.check(f"{judge.title}: others wait", judge.met(waiting, len(opening)))
        done = subprocess.run(["modprobe", "-r", "palisade"], stderr=subprocess.PIPE, text=True)
        report.check(f"{judge.title}: the module is removed", done.returncode == 0, done.stderr)
        judge.become("clients that wait are told", opening, ENDED | {"closed"})
        for cell in cells:
            if cell.is_open and cell.outcome == "served":
                topology.ask(cell)
        # With --when-flooded, a connection may have passed without SYNPROXY.
        judge.become("clients that are connected are told", cells, ANSWERED)
        subprocess.run(["modprobe", "palisade"], check=True)


PARTS = {"later": later, "flush": flush, "full": full, "afterwards": afterwards, "removal": removal}
