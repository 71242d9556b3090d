# SPDX-License-Identifier: GPL-2.0
"""An off-path attacker who knows a connection's addresses and ports, and has guessed a cookie or two."""

import contextlib
import subprocess

from synproxy.ends import ALL, Client, Connection, current_port, distance, expect, expect_equal, numbers
from synproxy.local import accepted
from tcp_segments import ACK, FIN, MODULUS, PSH, RST, SYN, Options


def guess(connection, options):
    """An attacker's half of a handshake, with the client's address and port and with other numbers.

    The cookie is not guessed but asked for before there is a connection, which makes no difference.
    """
    own = connection.client
    other = Client(own.hosts, own.wire, own.other, own.port, options, own_port=own.own_port)
    other.ask()
    return other


def harmless(client, what):
    """The client ignores whatever it gets."""
    for one in client.take():
        expect(one.flags & RST, f"{what}: the client got {one}")
        expect(abs(distance(client.acknowledged, one.sequence)) > 1 << 20, f"{what}: the client may accept {one}")


def open_one(hosts, version, _):
    """neither a valid cookie nor a SYN ends or replaces an open connection"""
    for is_used in False, True:
        for options in ALL, Options(mss=1460):
            connection = Connection(hosts, version)
            client, server = connection.client, connection.server
            others = [guess(connection, options) for _ in range(4)]
            connection.open()
            if is_used:
                connection.exchange()
            for other, flags in zip(others, (ACK, ACK | PSH, FIN | ACK, ACK)):
                what = f"{'used' if is_used else 'not used'}, {options}, flags {flags}"
                other.put(other.segment(flags, b"data" if flags & PSH else b""))
                # Connection tracking passes segments that look old on to the server, which ignores them.
                for one in server.take():
                    expect(not one.flags & (SYN | RST), f"{what}: the server got {one}")
                harmless(client, what)
                other.put(other.segment(SYN, options=other.options, sequence=other.initial))
                # The server sends a challenge ACK.
                expect(server.one("what the server got").has(SYN), what)
                server.put(server.segment())
                challenge = client.one("the challenge")
                expect_equal("its number", challenge.sequence, client.acknowledged)
                expect_equal("what it acknowledges", challenge.acknowledged, client.sequence)
            connection.exchange()
            connection.close()


def waiting_one(hosts, version, _):
    """neither a valid cookie nor its data replaces a connection that waits for the server"""
    for options in ALL, Options(mss=1460):
        connection = Connection(hosts, version)
        client, server = connection.client, connection.server
        others = [guess(connection, options) for _ in range(3)]
        connection.ask()
        client.send()
        server.expect_syn()
        for other, flags in zip(others, (ACK, ACK | PSH, FIN | ACK)):
            other.put(other.segment(flags, b"data" if flags & PSH else b""))
            expect(all(one.sequence == client.initial for one in server.take()), f"{flags}: the server is asked for others")
            harmless(client, f"{options}, flags {flags}")
        connection.establish()
        connection.exchange()
        connection.close()


def wrong_answers(hosts, version, _):
    """while the server is waited for, SYN-ACKs and resets with a wrong acknowledgement change nothing"""
    for wrong in 1000, 60000, 1, -1, -1000:
        connection = Connection(hosts, version).ask()
        client, server = connection.client, connection.server
        client.send()
        server.expect_syn()
        acknowledged = (server.acknowledged - wrong) % MODULUS
        for flags, number in (RST | ACK, acknowledged), (RST, 0), (SYN | ACK, acknowledged), (RST | ACK, 0):
            what = f"by {wrong}, flags {flags}"
            server.put(server.segment(flags, options=ALL, sequence=numbers.randrange(MODULUS), acknowledged=number))
            client.nothing(f"{what}: it is no answer")
            got = server.take()
            resets = [one for one in got if one.flags & RST]
            expect(all(one.has(SYN) and one.sequence == client.initial for one in got if one not in resets), what)
            # A SYN-ACK gets the reset of a client that has sent no such SYN.
            expect_equal(f"{what}: the resets", [one.sequence for one in resets], [number] if flags & SYN else [])
        connection.establish()
        connection.exchange()


def old_connection(hosts, version, _):
    """a server that still has an old connection gets a reset, and another SYN at once"""
    connection = Connection(hosts, version).ask()
    client, server = connection.client, connection.server
    client.send()
    server.expect_syn()
    for is_first in True, False:
        challenge = server.segment(sequence=numbers.randrange(MODULUS), acknowledged=numbers.randrange(MODULUS))
        server.put(challenge)
        reset, *syns = server.take()
        expect(reset.flags & RST, f"the server got this instead of a reset: {reset}")
        expect_equal("the reset's number", reset.sequence, challenge.acknowledged)
        # The SYN comes again at least once, but not each time.
        expect(len(syns) <= 1 and (syns or not is_first), f"there are {len(syns)} more segments")
        for syn in syns:
            expect(syn.has(SYN), f"the server got this instead of a SYN: {syn}")
            expect_equal("the SYN's number", syn.sequence, client.initial)
        client.nothing("the server has not answered")
    connection.establish()
    connection.exchange()


def forgotten_by_server(hosts, version, _):
    """a client connects again between the same ports after both ends have forgotten the connection"""
    old = Connection(hosts, version).open()
    old.exchange()
    own = old.client
    client = Client(hosts, own.wire, own.other, own.port, own_port=own.own_port)
    connection = Connection(hosts, version, client=client)
    server = connection.server
    client.put(client.segment(SYN, options=client.options))
    server.expect_syn()
    server.put(server.segment(SYN | ACK, options=ALL))
    reset = server.one("what the server got")
    expect(reset.flags & RST, f"the server got this instead of a reset: {reset}")
    expect_equal("the reset's number", reset.sequence, server.acknowledged)
    told = client.one("what the client got")
    # Linux answers with a reset and sends its SYN again at once.
    expect(told.has(ACK) and told.acknowledged == client.initial, f"the client got {told}")
    client.put(client.segment(RST, sequence=told.acknowledged, options=Options(), window=0))
    server.nothing("the server knows nothing of it")
    connection.open()
    connection.exchange()


@contextlib.contextmanager
def older_one(hosts, version, guesses=()):
    """A connection to a server on the proxy's host that neither SYNPROXY nor conntrack knows.

    Yields the client, the server's socket, attackers with cookies from before, and the listener.
    """
    client = Client(hosts, hosts.left, hosts.left.proxy[version], port=current_port[0])
    connection = Connection(hosts, version, client=client)
    others = [guess(connection, options) for options in guesses]
    exception = ["PREROUTING", "-p", "tcp", "--sport", str(client.own_port), "-j", "ACCEPT"]
    with hosts.listen(client.port) as listener:
        hosts.run("palisade", "-t", "raw", "-I", *exception)
        client.send(SYN, options=ALL)
        client.accept(client.one("the SYN-ACK"))
        client.send()
        socket = accepted(listener)
        expect(socket, "the server has no connection")
        hosts.run("palisade", "-t", "raw", "-D", *exception)
        with socket:
            socket.settimeout(20)
            # Without a limit, the kernel sends each challenge ACK.
            hosts.run("sysctl", "-qw", "net.ipv4.tcp_invalid_ratelimit=0")
            hosts.run("conntrack", "-F", stderr=subprocess.DEVNULL)
            yield client, socket, others, listener


def older_open_one(hosts, version, _):
    """neither a valid cookie nor a SYN ends a connection to this host that conntrack does not know"""
    for options in ALL, Options(mss=1460):
        kinds = ACK, ACK | PSH, FIN | ACK, SYN
        with older_one(hosts, version, [options] * len(kinds)) as (client, socket, others, _):
            for other, flags in zip(others, kinds):
                what = f"{options}, flags {flags}"
                if flags == SYN:
                    other.put(other.segment(SYN, options=other.options, sequence=other.initial))
                    challenge = client.one("the challenge")
                    expect_equal("its number", challenge.sequence, client.acknowledged)
                    expect_equal("what it acknowledges", challenge.acknowledged, client.sequence)
                else:
                    other.put(other.segment(flags, b"data" if flags & PSH else b""))
                    harmless(client, what)
                    expect(not client.is_tracked(), f"{what}: conntrack knows a connection")
                client.send(ACK | PSH, b"a question")
                expect_equal(what, socket.recv(100), b"a question")
                client.take()
                hosts.run("conntrack", "-F", stderr=subprocess.DEVNULL)


def older_comes_again(hosts, version, _):
    """a client connects again between the ports of a connection that conntrack does not know"""
    with older_one(hosts, version) as (old, _, _, listener):
        client = Client(hosts, old.wire, old.other, old.port, own_port=old.own_port)
        client.put(client.segment(SYN, options=client.options))
        challenge = client.one("the challenge")
        expect_equal("its number", challenge.sequence, old.acknowledged)
        client.put(client.segment(RST, sequence=challenge.acknowledged, options=Options(), window=0))
        client.ask()
        client.send()
        client.nothing("a socket of this host has taken the connection over")
        with accepted(listener) as socket:
            socket.settimeout(20)
            client.send(ACK | PSH, b"a question")
            expect_equal("what the server has read", socket.recv(100), b"a question")
        client.take()


# The rules of howtos drop segments of connections that conntrack does not know.
LEARNED = older_open_one, older_comes_again
SCENARIOS = open_one, waiting_one, wrong_answers, old_connection, forgotten_by_server
