# SPDX-License-Identifier: GPL-2.0
"""The rows of the cross product: rules of all tools in all hooks."""

import dataclasses
import itertools

SERVED, UNANSWERED = frozenset({"served"}), frozenset({"unanswered"})
ENDED = frozenset({"reset", "refused", "unreachable"})
ANSWERED = SERVED | ENDED | {"closed"}
ports = itertools.count(1000)


@dataclasses.dataclass(eq=False)
class Row:
    """The rules for all conversations with one port, and the outcomes that are right.

    Where a rule comes before SYNPROXY, and with kinds of rules that may pass the SYN on to the rules after them, the client
    may get what it gets without SYNPROXY.
    """

    name: str
    # (tool, where, rule...). {port} stands for the port; a tuple has the words for IPv4 and those for IPv6.
    rules: tuple = ()
    # The outcomes with one rule in the table raw, and those without SYNPROXY. None means the same.
    wanted: frozenset = SERVED
    bare: frozenset | None = None
    ways: tuple = ("forward", "dnat", "local")
    # Whether a packet has to meet the rules.
    is_met: bool = True
    number: int = 1
    # Whether sockets of the firewall may take connections over (net.ipv4.tcp_syncookies). There is no SYN-ACK of these.
    cookies: bool = True
    # A statement of nftables that not every kernel supports.
    needs: str = ""
    port: int = dataclasses.field(default_factory=lambda: next(ports))

    def allows(self, kind):
        bare = self.wanted if self.bare is None else self.bare
        if kind == "none":
            return bare
        return self.wanted if kind == "raw" else self.wanted | (bare - SERVED)


def dropped(name, *rules, early=False, **more):
    return Row(name, rules, UNANSWERED if early else ENDED, UNANSWERED, **more)


def rejected(name, *rules, **more):
    return Row(name, rules, ENDED, **more)


def ignored(name, *rules, **more):
    """Rules that the client's segments do not pass."""
    return Row(name, rules, SERVED, is_met=False, **more)


def iptables(table_and_chains, action, match="-p tcp --dport {port}"):
    table, *chains = table_and_chains.split()
    return tuple(("iptables", table, f"-A {chain} {match}", action) for chain in chains)


def nft(hook, priority, action, match="tcp dport {port}"):
    return tuple(("nft", (one, priority), match, action) for one in hook.split())


def palisade(table_and_chains, action, match="-p tcp --dport {port}"):
    # -I puts them before the rules of the kind `five`, which are in the same chains.
    table, *chains = table_and_chains.split()
    return tuple(("palisade", table, f"-I {chain}", f"{match}", action) for chain in chains)


BEHIND = ("forward", "dnat")
ICMP = {"icmp-net-unreachable": "no-route", "icmp-host-unreachable": "addr-unreach",
        "icmp-port-unreachable": "port-unreach", "icmp-proto-unreachable": "port-unreach",
        "icmp-net-prohibited": "adm-prohibited", "icmp-host-prohibited": "policy-fail",
        "icmp-admin-prohibited": "reject-route"}
FIREWALLD = ("ct state established,related accept", "reject with icmpx admin-prohibited")


def opening():
    """Rules for the opening SYN. Most of them match later segments as well."""
    yield Row("nothing")
    for chains in "mangle PREROUTING", "mangle INPUT FORWARD", "filter INPUT FORWARD":
        yield dropped(f"iptables, {chains}: DROP", *iptables(chains, "DROP"))
    yield dropped("iptables, mangle POSTROUTING: DROP", *iptables("mangle POSTROUTING", "DROP"), ways=BEHIND)
    yield dropped("iptables, filter INPUT FORWARD: DROP of new ones",
                  *iptables("filter INPUT FORWARD", "DROP", "-p tcp --dport {port} -m conntrack --ctstate NEW"))
    reject = "REJECT --reject-with "
    for v4, v6 in ICMP.items():
        yield rejected(f"iptables, REJECT with {v4}",
                       *iptables("filter INPUT FORWARD", (reject + v4, f"{reject}icmp6-{v6}")))
    yield rejected("iptables, REJECT with tcp-reset", *iptables("filter INPUT FORWARD", f"{reject}tcp-reset"))
    yield rejected("iptables, REJECT of new ones with tcp-reset",
                   *iptables("filter INPUT FORWARD", f"{reject}tcp-reset",
                             "-p tcp --dport {port} -m conntrack --ctstate NEW"))
    for action in "DROP", "REJECT", "REJECT --reject-with tcp-reset":
        yield ignored(f"iptables, filter OUTPUT: {action}", *iptables("filter OUTPUT", action))
    yield ignored("iptables, mangle OUTPUT: DROP", *iptables("mangle OUTPUT", "DROP"))
    yield dropped("nft, before SYNPROXY: drop", *nft("prerouting", -400, "drop"), early=True)
    for action in "icmpx port-unreachable", "tcp reset":
        yield rejected(f"nft, before SYNPROXY: reject with {action}",
                       *nft("prerouting", -400, f"reject with {action}"))
    hooks = itertools.chain(itertools.product(["prerouting"], (-250, -150, 0, 100)),
                            itertools.product(["input forward"], (-150, 0, 10, 100)))
    for hook, priority in hooks:
        yield dropped(f"nft, {hook} {priority}: drop", *nft(hook, priority, "drop"))
        for action in "icmpx host-unreachable", "tcp reset":
            yield rejected(f"nft, {hook} {priority}: reject with {action}",
                           *nft(hook, priority, f"reject with {action}"))
    for action in "icmpx no-route", "icmpx port-unreachable", "icmpx admin-prohibited":
        yield rejected(f"nft, input forward 0: reject with {action}",
                       *nft("input forward", 0, f"reject with {action}"))
    yield rejected("nft, as firewalld has it",
                   *(one for action in FIREWALLD for one in nft("input forward", 20, action)))
    for priority in -150, 0, 150, 300:
        yield dropped(f"nft, postrouting {priority}: drop", *nft("postrouting", priority, "drop"), ways=BEHIND)
    for priority in -400, -150, 0, 100:
        yield ignored(f"nft, output {priority}: drop", *nft("output", priority, "drop"))
    for action in "icmpx port-unreachable", "tcp reset":
        yield ignored(f"nft, output 0: reject with {action}", *nft("output", 0, f"reject with {action}"))
    yield ignored("nft, output 0: drop of what is not from this host",
                  *nft("output", 0, "drop", "tcp dport {port} fib saddr type != local"),
                  needs="fib saddr type != local")
    yield dropped("Palisade, filter INPUT FORWARD: DROP", *palisade("filter INPUT FORWARD", "DROP"))
    for action in "REJECT", f"{reject}tcp-reset":
        yield rejected(f"Palisade, {action}", *palisade("filter INPUT FORWARD", action))
    for v4 in "icmp-net-unreachable", "icmp-host-prohibited", "icmp-admin-prohibited":
        # An ICMP error makes a rule for one IP version.
        yield rejected(f"Palisade, REJECT with {v4}", *palisade("filter INPUT FORWARD", reject + v4),
                       *palisade("filter INPUT FORWARD", f"{reject}icmp6-{ICMP[v4]}"))
    yield ignored("Palisade, filter OUTPUT: DROP", *palisade("filter OUTPUT", "DROP"))
    yield ignored("Palisade, raw OUTPUT: DROP", *palisade("raw OUTPUT", "DROP"))
    yield from answers()
    yield from once()
    yield Row("translated sources", nft_nat("srcnat", "postrouting", "masquerade"), SERVED, ways=BEHIND,
              needs="masquerade")
    to_client = "tcp sport {port}"
    yield Row("a zone of connection tracking", (*nft("prerouting output", -310, "ct zone set 5"),
              *nft("prerouting output", -310, "ct zone set 5", to_client)), ANSWERED, SERVED)
    yield Row("no connection tracking", (*nft("prerouting output", -310, "notrack"),
              *nft("prerouting output", -310, "notrack", to_client)), ANSWERED, SERVED)


def nft_nat(priority, hook, action):
    return (("nft", (hook, priority), "tcp dport {port}", action),)


SYN_ACK = "tcp sport {port} tcp flags & (syn | ack) == syn | ack"


def answers():
    """Rules for the server's SYN-ACK."""
    for hook, priority, ways in (("prerouting", -400, BEHIND), ("prerouting", 0, BEHIND), ("forward", 0, BEHIND),
                                 ("output", -400, ("local",)), ("output", 0, ("local",))):
        yield dropped(f"nft, {hook} {priority}: drop of the server's SYN-ACK",
                      *nft(hook, priority, "drop", SYN_ACK), ways=ways, cookies=hook != "output")
    for hook, ways in ("prerouting", BEHIND), ("forward", BEHIND), ("output", ("local",)):
        for action in "icmpx port-unreachable", "tcp reset":
            yield dropped(f"nft, {hook} 0: reject of the server's SYN-ACK with {action}",
                          *nft(hook, 0, f"reject with {action}", SYN_ACK), ways=ways, cookies=hook != "output")
    # Segments that are sent with the server's address do not pass OUTPUT.
    yield ignored("nft, output 0: drop of SYN-ACKs of servers behind this host",
                  *nft("output", 0, "drop", SYN_ACK), ways=BEHIND)


def once():
    """Rules that drop a segment once or twice and then pass it."""
    everywhere = *BEHIND, "local"
    words = "tcp {side} {port} tcp flags & psh == psh"
    for times in 1, 2:
        for what, hook, priority, match, ways in (
                ("SYN or ACK", "prerouting", -400, "tcp dport {port}", everywhere),
                ("opening SYN", "input forward", 0, "tcp dport {port} tcp flags & (syn | ack) == syn", everywhere),
                ("SYN-ACK", "prerouting", -400, SYN_ACK, BEHIND), ("SYN-ACK", "output", 0, SYN_ACK, ("local",)),
                ("first words", "prerouting", -400, words.replace("{side}", "dport"), everywhere),
                ("answer", "prerouting", -400, words.replace("{side}", "sport"), BEHIND),
                ("answer", "output", -400, words.replace("{side}", "sport"), ("local",))):
            name = f"{what.replace(' ', '-')}-{hook.replace(' ', '-')}-{times}".lower()
            yield Row(f"the {what} is lost {times} times in {hook}", tuple(
                ("once", (one, priority), f"{match}", (name, times)) for one in hook.split()), SERVED, ways=ways,
                cookies=(what, hook) != ("SYN-ACK", "output"))


def routes(names):
    for number, name in enumerate(names, 1):
        # Routing discards packets without an error.
        silent = name == "blackhole"
        wanted, bare = (ENDED | UNANSWERED, UNANSWERED) if silent else (ENDED, ENDED)
        yield Row(name, (), wanted, bare, ways=("route", "dnat-route"), number=number)
