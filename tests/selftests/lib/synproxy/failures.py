# SPDX-License-Identifier: GPL-2.0
"""Servers that do not answer, connections that conntrack has lost, and rules that answer SYNs only in a flood."""

import pathlib
import struct
import subprocess
import time

from synproxy.ends import ALL, Client, Connection, Server, current_port, expect, expect_equal
from tcp_segments import ACK, RST, SYN, packet, total

SILENCE = 30
# How long a failed connection may stay in conntrack: less than the ten seconds that a reset one stays by itself.
MOMENT = 5
# The rate (per second) and the burst of SYNs that the rules of the kind `flooded` let pass.
RATE = BURST = 5
# A flood is over after so many seconds without one.
QUIET = 5


def unreachable(wire, syn):
    """An ICMP host unreachable error about a packet."""
    quoted = syn.packet()
    if syn.source.version == 4:
        message = struct.pack("!BBHI", 3, 1, 0, 0) + quoted[:28]
        message = message[:2] + struct.pack("!H", ~total(message) & 0xFFFF) + message[4:]
        return packet(wire.own[4], syn.source, message, following=1)
    message = struct.pack("!BBHI", 1, 3, 0, 0) + quoted
    pseudo = wire.own[6].packed + syn.source.packed + struct.pack("!II", len(message), 58)
    message = message[:2] + struct.pack("!H", ~total(pseudo + message) & 0xFFFF) + message[4:]
    return packet(wire.own[6], syn.source, message, following=58)


def is_reset(client, wait):
    """Waits until the client is reset."""
    end = time.monotonic() + wait
    while time.monotonic() < end:
        client.hosts.settle()
        for one in client.take():
            expect(one.flags & RST, f"the client got {one}")
            expect_equal("the reset's number", one.sequence, client.acknowledged)
            return True
        time.sleep(0.1)
    return False


def is_forgotten(client):
    """Waits until conntrack does not have the client's connection any more."""
    end = time.monotonic() + MOMENT
    while client.is_tracked():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def unreachable_host(hosts, version, _):
    """after an ICMP error about the server's host, the client is reset, and nothing remains"""
    client = Client(hosts, hosts.left, hosts.right.own[version])
    client.ask()
    client.send()
    syn = Server(client).expect_syn()
    expect(client.is_tracked(), "conntrack has no entry of it")
    hosts.right.send(unreachable(hosts.right, syn))
    hosts.right.settle()
    expect(is_reset(client, SILENCE), f"no reset within {SILENCE} s")
    expect(is_forgotten(client), "its entry of conntrack remains")


def silent_host(hosts, version, _):
    """if the server does not answer at all, the client is reset, and nothing remains"""
    client = Client(hosts, hosts.left, hosts.right.own[version])
    client.ask()
    client.send()
    Server(client).expect_syn()
    expect(client.is_tracked(), "conntrack has no entry of it")
    expect(is_reset(client, SILENCE), f"no reset within {SILENCE} s")
    expect(is_forgotten(client), "its entry of conntrack remains")


def not_repeated(hosts, version, kind):
    """a server that does not repeat its SYN-ACK gets the acknowledgement all the same, and may speak first"""
    if kind == "iptables":
        return
    connection = Connection(hosts, version).open_half()
    client, server = connection.client, connection.server
    client.accept(client.one("the window update"))
    got, end = server.take(), time.monotonic() + SILENCE
    while not any(one.has(ACK) for one in got) and time.monotonic() < end:
        time.sleep(0.1)
        hosts.right.settle()
        got += server.take()
    expect(got, "the server got nothing")
    expect(got[-1].has(ACK), f"the server got {got[-1]}")
    for number, wanted in ("sequence", server.acknowledged), ("acknowledged", server.sequence):
        expect_equal(number, getattr(got[-1], number), wanted)
    expect_equal("the echo", got[-1].options.timestamps[1], server.clock)
    server.accept(got[-1])
    connection.carry(server, client, b"who is there?")
    connection.exchange()


def dropped_syn(hosts, version, _):
    """if the user's rules drop the SYN to the server, the client is reset, and nothing remains"""
    client = Client(hosts, hosts.left, hosts.right.own[version])
    hosts.run("nft", "-f", "-", input=f"""
        table inet forbidden {{
            chain forward {{
                type filter hook forward priority 0
                tcp dport {client.port} drop
            }}
        }}""")
    client.ask()
    client.send()
    Server(client).nothing("the SYN is dropped")
    expect(is_reset(client, SILENCE), f"no reset within {SILENCE} s")
    hosts.run("nft", "delete", "table", "inet", "forbidden")
    expect(is_forgotten(client), "its entry of conntrack remains")


# Rules and routes that refuse a SYN on the proxy's host. Each once caused an error about a connection that conntrack had
# not confirmed yet.
REFUSALS = (
    ("forward", "reject"),
    ("forward", "reject with tcp reset"),
    ("forward", "reject with icmpx admin-prohibited"),
    ("input", "reject"),
    ("input", "reject with tcp reset"),
    ("route", "unreachable"),
    ("route", "prohibit"),
)


def is_told(client):
    """Waits for an ICMP error about the client's segments."""
    ports, end = struct.pack("!HH", client.own_port, client.port), time.monotonic() + SILENCE
    while time.monotonic() < end:
        client.hosts.settle()
        if any(ports in error for error in client.wire.errors):
            return True
        time.sleep(0.1)
    return False


def refused_by_rules(hosts, version, _):
    """if this host refuses the SYN to the server, the client is reset at once, and nothing remains"""
    for hook, how in REFUSALS:
        wire = hosts.left if hook == "input" else hosts.right
        server = wire.proxy[version] if hook == "input" else wire.own[version]
        client = Client(hosts, hosts.left, server)
        client.ask()
        undo = ["nft", "delete", "table", "inet", "forbidden"]
        if hook == "route":
            route = [f"{server}/{server.max_prefixlen}", "table", "77"]
            undo = ["ip", f"-{version}", "rule", "delete", "to", str(server), "pref", "7"]
            hosts.run("ip", f"-{version}", "route", "add", how, *route)
            hosts.run("ip", f"-{version}", "rule", "add", "to", str(server), "pref", "7", "table", "77")
        else:
            hosts.run("nft", "-f", "-", input=f"""
                table inet forbidden {{
                    chain one {{
                        type filter hook {hook} priority 0
                        tcp dport {client.port} {how}
                    }}
                }}""")
        try:
            client.send()
            expect(is_reset(client, SILENCE), f"no reset within {SILENCE} s: {hook}, {how}")
            if hook == "route":
                # A new client gets the ICMP error, as without SYNPROXY.
                other = Client(hosts, hosts.left, server)
                other.send(SYN, options=ALL)
                expect(is_told(other), f"no error about a SYN within {SILENCE} s: {how}")
        finally:
            # Otherwise all scenarios after this one would be refused as well.
            hosts.run(*undo)
            if hook == "route":
                hosts.run("ip", f"-{version}", "route", "flush", "table", "77")
        expect(is_forgotten(client), f"its entry of conntrack remains: {hook}, {how}")


def made_by_hand(hosts, version, _):
    """connections that userspace has added to conntrack are not taken for SYNPROXY's"""
    for what in "reset", "error":
        # No rule protects port 79.
        client = Client(hosts, hosts.left, hosts.right.own[version], port=79)
        server = Server(client)
        hosts.run("conntrack", "-I", "-p", "tcp", "-s", str(client.own), "-d", str(client.other),
                  "--sport", str(client.own_port), "--dport", "79", "--state", "ESTABLISHED", "-t", "600",
                  "-u", "SEEN_REPLY,ASSURED", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.acknowledged, client.acknowledged = client.sequence, server.sequence
        if what == "error":
            error = unreachable(hosts.right, client.segment())
            hosts.right.send(error)
            hosts.right.settle()
            client.nothing("the error is about a connection that was open")
            expect(client.is_tracked(), "its entry of conntrack is gone")
            Connection.carry(client, server, b"a question")
        else:
            server.put(server.segment(RST | ACK))
            reset = client.one("the server's reset")
            expect_equal("its number", reset.sequence, server.sequence)


def below_the_rate(hosts, version, _):
    """--when-flooded: below the rate, handshakes pass unchanged"""
    client = Client(hosts, hosts.left, hosts.right.own[version])
    server = Server(client)
    sent = client.send(SYN, options=ALL)
    client.nothing("the server has said nothing")
    syn = server.expect_syn()
    for field in "sequence", "acknowledged", "window", "options":
        expect_equal(field, getattr(syn, field), getattr(sent, field))
    answer = server.send(SYN | ACK, options=ALL)
    arrived = client.one("the SYN-ACK")
    for field in "sequence", "acknowledged", "window", "options":
        expect_equal(field, getattr(arrived, field), getattr(answer, field))
    client.accept(arrived)
    Connection.carry(client, server, b"a question")
    Connection.carry(server, client, b"an answer")


def above_the_rate(hosts, version, _):
    """--when-flooded: above the rate, all SYNs are answered until the flood is over; older connections go on"""
    connection = Connection(hosts, version)
    client, server = connection.client, connection.server
    client.send(SYN, options=ALL)
    server.expect_syn()
    server.send(SYN | ACK, options=ALL)
    client.accept(client.one("the SYN-ACK"))
    connection.carry(client, server, b"a question")
    passed, flooded = 0, None
    start = time.monotonic()
    # From the first SYN that is answered, all are, for as long as the flood lasts and some seconds more.
    while flooded is None or time.monotonic() - flooded < 2:
        other = Client(hosts, hosts.left, hosts.right.own[version])
        other.send(SYN, options=ALL)
        has_passed, was_answered = len(Server(other).take()), len(other.take())
        expect(has_passed + was_answered == 1, f"{has_passed} passed, {was_answered} were answered")
        expect(flooded is None or was_answered, "a SYN passed during the flood")
        passed += has_passed
        if was_answered and flooded is None:
            flooded = time.monotonic()
        expect(passed <= BURST + RATE * (time.monotonic() - start) + 1, f"{passed} passed before one was answered")
    connection.exchange()
    Connection(hosts, version).open().exchange()
    # When the flood is over, SYNs pass again.
    time.sleep(QUIET + 1)
    below_the_rate(hosts, version, None)


def expect_resets(client, server):
    """Both ends are reset with the right numbers."""
    reset = client.one("the client's reset")
    expect(reset.flags & RST, f"the client got {reset}")
    expect_equal("the number of the client's reset", reset.sequence, client.acknowledged)
    reset = server.one("the server's reset")
    expect(reset.flags & RST, f"the server got {reset}")
    expect_equal("the number of the server's reset", reset.sequence, server.acknowledged)


def forgotten_by_conntrack(hosts, version, _):
    """both ends of a connection that conntrack has lost are reset, whichever sends first"""
    for first in "client", "server", "client that has said nothing yet":
        connection = Connection(hosts, version).open()
        if first in ("client", "server"):
            connection.exchange()
        client, server = connection.client, connection.server
        hosts.run("conntrack", "-F", stderr=subprocess.DEVNULL)
        if first == "server":
            server.send(ACK, b"an answer")
            # It arrives with numbers that the client does not know. The client answers with those that it expects.
            client.take()
        client.put(client.segment(ACK))
        expect_resets(client, server)
        # The client connects again from the same port.
        again = Client(hosts, hosts.left, client.other, own_port=client.own_port)
        Connection(hosts, version, client=again).open().exchange()


def forgotten_with_many(hosts, version, _):
    """of hundreds of connections that conntrack has lost, all clients are reset"""
    if version == 6:
        # IPv6 uses the same table of marks, and this takes long.
        return
    connections = [Connection(hosts, version) for _ in range(400)]
    for some in (connections[at:at + 50] for at in range(0, len(connections), 50)):
        for step in "ask", "send", "answer", "repeat":
            for one in some:
                client, server = one.client, one.server
                if step == "ask":
                    client.wire.send(client.segment(SYN, options=ALL))
                elif step == "send":
                    client.accept(client.one("the answer to a SYN"))
                    client.sequence += 1
                    client.wire.send(client.segment())
                elif step == "answer":
                    server.expect_syn()
                    server.sent = server.segment(SYN | ACK, options=ALL)
                    server.wire.send(server.sent)
                else:
                    server.repeat()
            hosts.settle()
            hosts.right.settle()
        for one in some:
            one.client.accept(one.client.one("the window update"))
            # After this segment the client sends no valid cookie any more.
            one.client.wire.send(one.client.segment(ACK, b"a question"))
            one.client.sequence += len(b"a question")
        hosts.settle()
        hosts.right.settle()
        for one in some:
            expect(one.server.take(), "the server got nothing")
    hosts.run("conntrack", "-F", stderr=subprocess.DEVNULL)
    # Of the 400 marks, a handful were replaced by later ones with the same hash.
    for one in connections:
        one.client.wire.send(one.client.segment(ACK, b"another"))
    hosts.settle()
    for one in connections:
        reset = one.client.one("the client's reset")
        expect(reset.flags & RST, f"the client got {reset}")
        expect_equal("the reset's number", reset.sequence, one.client.acknowledged)


def no_room(hosts, version, _):
    """if conntrack is full, a new client is reset at once"""
    def set_maximum(value):
        hosts.run("nsenter", "--net=/proc/1/ns/net", "sysctl", "-qw", f"net.netfilter.nf_conntrack_max={value}")
    connections = [Connection(hosts, version).open() for _ in range(2)]
    for one in connections:
        one.exchange()
    maximum = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_max").read_text()
    set_maximum(1)
    try:
        client = Client(hosts, hosts.left, hosts.right.own[version])
        client.ask()
        client.send()
        reset = client.one("the client's reset")
        expect(reset.flags & RST, f"the client got {reset}")
        expect_equal("the reset's number", reset.sequence, client.acknowledged)
    finally:
        set_maximum(maximum.strip())
    connections[0].exchange()


def rules_for_own_packets(hosts, version, _):
    """segments sent with another host's address do not pass rules in OUTPUT"""
    others = ", ".join(str(wire.own[version]) for wire in (hosts.left, hosts.right))
    # The same as `fib saddr type != local`, which the debug kernel lacks.
    foreign = f"{'ip' if version == 4 else 'ip6'} saddr {{ {others} }}"
    hosts.run("nft", "-f", "-", input=f"""
        table inet own {{
            chain output {{ type filter hook output priority 0; {foreign} drop; }}
            chain raw {{ type filter hook output priority raw; {foreign} notrack; }}
            chain way {{ type route hook output priority mangle; {foreign} drop; }}
        }}""")
    try:
        Connection(hosts, version).open().exchange()
    finally:
        hosts.run("nft", "delete", "table", "inet", "own")


def answer_dropped(hosts, version, _):
    """if OUTPUT drops two SYN-ACKs of a server on this host, the SYN is retransmitted to it"""
    # Its socket takes no connections over.
    hosts.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=0")
    listener = hosts.listen(current_port[0])
    hosts.run("nft", "-f", "-", input="""
        table inet own {
            chain output {
                type filter hook output priority 0
                tcp flags & (syn | ack) == syn | ack limit rate 1/day burst 2 packets drop
            }
        }""")
    try:
        client = Client(hosts, hosts.left, hosts.left.proxy[version], port=current_port[0])
        client.ask()
        client.send()
        end = time.monotonic() + SILENCE
        while time.monotonic() < end and not (taken := client.take()):
            time.sleep(0.1)
            client.hosts.settle()
        # The window update, once or twice.
        expect({one.flags & (ACK | RST) for one in taken} == {ACK}, f"the client got {taken}")
    finally:
        hosts.run("nft", "delete", "table", "inet", "own")
        hosts.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=1")
        listener.close()


SCENARIOS = made_by_hand, refused_by_rules, rules_for_own_packets, forgotten_by_conntrack
LEARNED = (no_room,)
SLOW = forgotten_with_many, unreachable_host, silent_host, not_repeated, dropped_syn, answer_dropped
FLOODED = below_the_rate, above_the_rate
