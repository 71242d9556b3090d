# SPDX-License-Identifier: GPL-2.0
"""A server on the proxy's own host, with the kernel's TCP, over a link and over a VLAN on it.

Its socket takes connections over: clients may send at once, and nothing is translated. With iptables clients wait.
"""

import contextlib
import time

from synproxy.ends import ALL, Client, Wrong, expect, expect_equal
from tcp_segments import ACK, FIN, MODULUS, PSH, RST, SYN, Options


def accepted(listener):
    """The connection that the server accepts, or None."""
    with contextlib.suppress(BlockingIOError):
        return listener.accept()[0]
    return None


def wait_for_window(client):
    """The server has been opened: the client is told that it may send."""
    update = client.one("the window update")
    expect(update.has(ACK), f"the client got this instead of a window update: {update}")
    expect_equal("the number of the update", update.sequence, (client.announced.sequence + 1) % MODULUS)
    expect_equal("what it acknowledges", update.acknowledged, client.sequence)
    expect(update.window > 0, "the client may still not send")
    client.accept(update)


def converse(hosts, kind, wire, version, listener, port, options):
    client = Client(hosts, wire, wire.proxy[version], port=port, options=options)
    client.ask()
    expect(accepted(listener) is None, "the server has a connection already")
    client.send()
    if kind == "iptables":
        wait_for_window(client)
    else:
        expect(client.announced.window > 0, "the client may not send yet")
        client.nothing("the connection is open")
    with accepted(listener) or no_connection() as server:
        server.settimeout(20)
        client.send(ACK | PSH, b"a question")
        expect_equal("what the server has read", server.recv(100), b"a question")
        client.take()
        server.sendall(b"an answer")
        hosts.settle()
        answer = distinct([one for one in client.take() if one.payload], "the answer")
        expect_equal("it", answer.payload, b"an answer")
        expect_equal("its number", answer.sequence, client.acknowledged)
        expect_equal("what it acknowledges", answer.acknowledged, client.sequence)
        client.accept(answer)
        client.send(FIN | ACK)
        client.take()
        expect_equal("the end", server.recv(100), b"")
    hosts.settle()
    last = client.take()[-1]
    expect(last.flags & FIN, f"the server's end is {last}")
    client.accept(last)
    client.send()
    again = [one for one in client.take() if (one.flags, one.sequence) != (last.flags, last.sequence)]
    expect(not again, f"both have closed, but here is {' and '.join(map(str, again))}")


def distinct(segments, what):
    """The only segment. The server's kernel retransmits it if this machine takes 200 ms to answer."""
    found = {(one.sequence, one.payload): one for one in segments}
    expect(len(found) == 1, f"{what}: there are {len(found)} segments{''.join(f', {one}' for one in segments)}")
    return next(iter(found.values()))


def no_connection():
    raise Wrong("the server has no connection")


def local_server(hosts, version, kind):
    """a server on the proxy's own host is reached"""
    with hosts.listen(81) as listener:
        for options in Options(), Options(1460, sack=True), Options(1460, timestamps=(1, 0)), ALL:
            converse(hosts, kind, hosts.left, version, listener, 81, options)


def local_data_first(hosts, version, kind):
    """data that comes in place of the ACK reaches the server"""
    if kind == "iptables":
        return
    with hosts.listen(84) as listener:
        client = Client(hosts, hosts.left, hosts.left.proxy[version], port=84)
        client.ask()
        client.send(ACK | PSH, b"in a hurry")
        with accepted(listener) or no_connection() as server:
            server.settimeout(20)
            expect_equal("what the server has read", server.recv(100), b"in a hurry")
        last = client.take()[-1]
        expect_equal("what is acknowledged", last.acknowledged, client.sequence)


def over_vlan(hosts, version, kind):
    """a server on the proxy's own host is reached over a VLAN"""
    with hosts.listen(81) as listener:
        converse(hosts, kind, hosts.vlan, version, listener, 81, ALL)
        vlan = Client(hosts, hosts.vlan, hosts.vlan.proxy[version], port=81)
        vlan.put(vlan.segment(acknowledged=12345))
        expect(all(one.has(RST) for one in vlan.take()), "no cookie")


def closed_port(hosts, version, _):
    """a client of a port without a server is reset"""
    client = Client(hosts, hosts.left, hosts.left.proxy[version], port=82)
    client.ask()
    client.send()
    reset = client.one("the reset")
    expect(reset.flags & RST, str(reset))
    expect_equal("its number", reset.sequence, client.acknowledged)


def floods(hosts, version, kind):
    """floods of SYNs and invalid ACKs reach no server, and clients are served during them"""
    with hosts.listen(83) as listener:
        for number in range(300):
            for flags in SYN, ACK, FIN | ACK, RST:
                client = Client(hosts, hosts.left, hosts.left.proxy[version], port=83, own_port=1024 + number)
                hosts.left.send(client.segment(flags, acknowledged=number).packet())
            if number % 100 == 50:
                hosts.settle()
                hosts.left.take(lambda segment: segment.source_port == 83)
                converse(hosts, kind, hosts.left, version, listener, 83, ALL)
        time.sleep(0.01)
        hosts.settle()
        hosts.left.take(lambda segment: segment.source_port == 83)
        expect(accepted(listener) is None, "the server has a connection")


SCENARIOS = local_server, local_data_first, over_vlan, closed_port, floods
