# SPDX-License-Identifier: GPL-2.0
"""What clients send before a server behind the proxy has answered: it is held, and the server gets it with its handshake.

A client was told the window that the server announced last, so that it need not wait. With iptables all have to wait.
"""

import contextlib
import dataclasses
import json
import subprocess
import time

from synproxy.ends import ALL, SILENCE_OF_SERVER, Client, Connection, expect, expect_equal
from synproxy.hosts import MAX_HELD, ONE_RULE
from tcp_segments import ACK, FIN, MODULUS, PSH, RST, SYN, Options

# What servers announce here.
WINDOW = 64240
# The most that is held of a connection.
HELD_MAX = 65415
CLIENTS = ALL, Options(mss=1460, scale=7, sack=True), Options(mss=1460)


class Early(Connection):
    """A connection to a server that has accepted one before, and has not answered this one yet."""

    def __init__(self, hosts, version, client_options=ALL, server_options=ALL):
        Connection(hosts, version, server_options=server_options).open()
        super().__init__(hosts, version, client_options, server_options)
        self.ask()
        expect_equal("the window that the client is told", self.client.announced.window, WINDOW)

    def early(self, payload, flags=ACK, **changes):
        """The client sends, and nobody gets anything."""
        self.client.send(flags, payload, **changes)
        self.nothing()

    def nothing(self):
        """The server has not answered, and nothing but the SYN comes again when this machine is slow."""
        self.client.nothing("the server has not answered")
        taken = self.server.take()
        if time.monotonic() - self.client.begun >= SILENCE_OF_SERVER:
            taken = [one for one in taken if not one.has(SYN)]
        expect(not taken, f"the server has not answered, but it got {taken}")

    def wait(self):
        """The client's handshake is over, and the server is asked."""
        self.client.send()
        self.server.expect_syn()
        return self

    def answer(self, expected, flags=PSH, window=WINDOW, between=b""):
        """The server answers, and gets what was sent. Returns its segments.

        The client sends `between` before the server repeats its SYN-ACK.
        """
        client, server = self.client, self.server
        first = (client.initial + 1) % MODULUS
        server.send_syn_ack(window=window)
        if between:
            client.send(ACK | PSH, between)
        server.repeat()
        segments = server.take()
        space = server.options.mss - (12 if server.has_timestamps else 0)
        for one in segments:
            expect_equal("the number", one.sequence, server.acknowledged)
            expect_equal("what is acknowledged", one.acknowledged, server.sequence)
            expect(len(one.payload) <= space, f"the server takes {space} bytes, but here is {one}")
            expect_equal("whether it has timestamps", one.options.timestamps is not None, server.has_timestamps)
            if server.has_timestamps:
                # A server that has repeated its SYN-ACK would take the time since.
                expect_equal("the timestamp that is echoed", one.options.timestamps[1], 0 if server.again else server.clock)
            server.accept(one)
        expect(b"".join(one.payload for one in segments) == expected, f"the server got {segments}")
        expect_equal("the flags of the last", segments[-1].flags, ACK | flags)
        update = client.one("the window update")
        expect(update.has(ACK), f"the client got this instead of a window update: {update}")
        expect_equal("its number", update.sequence, client.acknowledged)
        expect_equal("what it acknowledges", update.acknowledged, first)
        client.accept(update)
        return segments

    def is_open(self):
        """The server acknowledges what it has got, and both go on."""
        self.carry(self.server, self.client, flags=ACK)
        self.exchange()


def dropped(hosts, port):
    """How often early data was dropped since there is a rule for that port."""
    status = hosts.run("palisade", "protect", "--status", "--json", stdout=subprocess.PIPE)
    row, = (row for row in json.loads(status.stdout) if row["port"] == port)
    return row["dropped"]


@contextlib.contextmanager
def counted(hosts, kind):
    """A rule for one port, whose figures are shown. Yields what expects how often early data was dropped since."""
    port = Client(hosts, hosts.left, hosts.right.own[4]).port
    rule = f"PREROUTING -p tcp --dport {port} -j SYNPROXY".split()
    # The rules of howtos have no such figures.
    is_shown = kind != "five"
    if is_shown:
        hosts.run("palisade", "-t", "raw", "-I", *rule)
    try:
        yield lambda count: is_shown and expect_equal("how much was dropped", dropped(hosts, port), count)
    finally:
        if is_shown:
            hosts.run("palisade", "-t", "raw", "-D", *rule)


def known_window(hosts, version, _):
    """clients are told the window that the server announced last; of an unknown server it is 0"""
    told = []
    for window in WINDOW, 0, 1000, 65535:
        connection = Connection(hosts, version).ask()
        client, server = connection.client, connection.server
        told.append(client.announced.window)
        client.send()
        server.expect_syn()
        server.send(SYN | ACK, options=ALL, window=window)
        client.take()
    expect_equal("the windows", told, [0, WINDOW, 0, 1000])
    expect_equal("the last one", Client(hosts, hosts.left, hosts.right.own[version]).ask().window, HELD_MAX)


def first_flight(hosts, version, _):
    """a request that follows the ACK at once reaches the server with its handshake"""
    for options in CLIENTS:
        for server_options in ALL, Options(mss=1460):
            connection = Early(hosts, version, options, server_options).wait()
            connection.early(b"a request", ACK | PSH)
            connection.answer(b"a request")
            connection.is_open()


def until_repeated(hosts, version, _):
    """what the client sends until the server has repeated its SYN-ACK is held as well"""
    for options in CLIENTS:
        connection = Early(hosts, version, options).wait()
        connection.early(b"one")
        connection.answer(b"onetwo", between=b"two")
        connection.is_open()


def several_segments(hosts, version, _):
    """several segments are held in order, and sent in segments that the server takes"""
    parts = [bytes([number]) * 1400 for number in range(9)]
    for mss in 1460, 700:
        connection = Early(hosts, version, server_options=dataclasses.replace(ALL, mss=mss)).wait()
        for part in parts:
            connection.early(part, ACK | PSH if part is parts[-1] else ACK)
        connection.answer(b"".join(parts))
        connection.is_open()


def large_first(hosts, version, _):
    """data of several segments opens the connection, as GRO passes them"""
    def set_mtu(value):
        for name in "left", "right":
            command = "ip", "link", "set", name, "mtu", str(value)
            subprocess.run(command, check=True)
            hosts.run(*command)
    payload = bytes(range(250)) * 20
    set_mtu(9000)
    try:
        connection = Early(hosts, version)
        connection.client.send(ACK | PSH, payload)
        connection.server.expect_syn()
        connection.early(b"and more", ACK | PSH)
        segments = connection.answer(payload + b"and more")
        expect_equal("the number of segments", len(segments), 4)
        connection.is_open()
    finally:
        set_mtu(1500)


def lost_segment(hosts, version, kind):
    """what comes behind a lost segment waits for that; if that does not come in time, it is dropped and counted"""
    with counted(hosts, kind) as count:
        for is_late in False, True:
            connection = Early(hosts, version).wait()
            client = connection.client
            connection.early(b"one")
            lost = client.segment(ACK, b"two")
            client.sequence = (client.sequence + 3) % MODULUS
            client.send(ACK | PSH, b"three")
            connection.nothing()
            if is_late:
                connection.answer(b"one", flags=0)
                client.sequence = lost.sequence
                connection.carry(client, connection.server, b"twothree")
            else:
                client.put(lost)
                connection.nothing()
                connection.answer(b"onetwothree")
            connection.is_open()
            count(is_late)


def retransmissions(hosts, version, kind):
    """what is sent again is neither held twice nor counted, and causes no SYN; a keep-alive does"""
    with counted(hosts, kind) as count:
        connection = Early(hosts, version).wait()
        client = connection.client
        one = client.segment(ACK, b"one")
        connection.early(b"one")
        two = client.segment(ACK | PSH, b"two")
        connection.early(b"two", ACK | PSH)
        for again in one, two, dataclasses.replace(one, payload=b"onetwo"):
            client.put(again)
            connection.nothing()
        client.put(client.segment(ACK, b"\0", sequence=client.initial))
        expect_equal("the SYN's number", connection.server.expect_syn().sequence, client.initial)
        client.nothing("the server has not answered")
        connection.answer(b"onetwo")
        connection.is_open()
        count(0)


def held_end(hosts, version, _):
    """a FIN is held behind the data"""
    connection = Early(hosts, version).wait()
    connection.early(b"all there is")
    connection.early(b"", FIN | ACK)
    connection.early(b"", FIN | ACK, sequence=(connection.client.sequence - 1) % MODULUS)
    connection.answer(b"all there is", FIN)
    connection.carry(connection.server, connection.client, b"an answer")
    connection.carry(connection.server, connection.client, flags=FIN | ACK)
    connection.carry(connection.client, connection.server, flags=ACK)


def small_window(hosts, version, kind):
    """a server whose window is smaller this time gets what fits, and the client sends the rest again"""
    with counted(hosts, kind) as count:
        connection = Early(hosts, version).wait()
        client = connection.client
        connection.early(b"1" * 1000)
        rest = client.sequence
        connection.early(b"2" * 1000, FIN | ACK)
        connection.answer(b"1" * 1000, 0, window=1000)
        client.sequence = rest
        connection.carry(connection.server, client, flags=ACK)
        connection.carry(client, connection.server, b"2" * 1000, FIN | ACK)
        connection.carry(connection.server, client, b"an answer")
        count(1)


def too_much(hosts, version, kind):
    """of a client that sends too much no more than 64 KB is held"""
    with counted(hosts, kind) as count:
        connection = Early(hosts, version).wait()
        part = bytes(range(100)) * 14
        parts, more = HELD_MAX // len(part), 3
        for _ in range(parts + more):
            connection.early(part)
        # The last of what is held is beyond the server's window.
        connection.answer((part * parts)[:64000], 0, window=64000)
        count(more + 1)


def no_valid_data(hosts, version, _):
    """data that acknowledges something else, or has a wrong checksum, is not held"""
    connection = Early(hosts, version).wait()
    client = connection.client
    for changes in {"acknowledged": (client.acknowledged + 1) % MODULUS}, {"checksum": 1}:
        client.put(client.segment(ACK | PSH, b"forged", **changes))
        connection.nothing()
    connection.early(b"a request", ACK | PSH)
    connection.answer(b"a request")
    connection.is_open()


def refusing_server(hosts, version, _):
    """a server that refuses resets the client, whose data are gone"""
    connection = Early(hosts, version).wait()
    client, server = connection.client, connection.server
    connection.early(b"a request", ACK | PSH)
    server.put(server.segment(RST | ACK, sequence=0, options=Options(), window=0))
    reset = client.one("the reset")
    expect(reset.flags & RST, f"the client got {reset}")
    expect_equal("its number", reset.sequence, client.acknowledged)


def leaving_client(hosts, version, _):
    """a client that resets its connection takes back what is held"""
    connection = Early(hosts, version).wait()
    client, server = connection.client, connection.server
    connection.early(b"a request", ACK | PSH)
    client.send(RST | ACK)
    reset = server.one("the reset")
    expect(reset.flags & RST, f"the server got {reset}")
    expect_equal("its number", reset.sequence, (client.initial + 1) % MODULUS)


def invalid_dropped(hosts, version, _):
    """rules that drop what connection tracking calls invalid drop nothing of it"""
    hosts.run("nft", "-f", "-", input="""
        table inet strict {
            chain prerouting { type filter hook prerouting priority mangle; ct state invalid drop; }
        }""")
    try:
        several_segments(hosts, version, None)
    finally:
        hosts.run("nft", "delete", "table", "inet", "strict")


def rule_removed(hosts, version, kind):
    """what is sent after the rules were removed is held as well"""
    connection = Early(hosts, version).wait()
    connection.early(b"one")
    try:
        hosts.run("palisade", *([] if kind == "five" else ["-t", "raw"]), "-F")
        connection.early(b"two", ACK | PSH)
        connection.answer(b"onetwo")
        connection.is_open()
    finally:
        hosts.use(kind)


def window_0(hosts, version, _):
    """--window 0: clients wait for the server"""
    Connection(hosts, version).open()
    rule = ONE_RULE.replace("-A PREROUTING", "-I PREROUTING") + " --window "
    for window in 0, 1000:
        hosts.run(*f"{rule}{window}".split())
        try:
            connection = Connection(hosts, version).ask()
            expect_equal("the window that the client is told", connection.client.announced.window, window)
            connection.client.send()
            connection.server.expect_syn()
            connection.establish()
            connection.exchange()
        finally:
            hosts.run("palisade", "-t", "raw", "-D", "PREROUTING", "1")


def room_in_namespace(hosts, version, kind):
    """clients are told no more than there is room for, and what does not fit is dropped and counted"""
    def told():
        return Client(hosts, hosts.left, hosts.right.own[version]).ask().window
    half = MAX_HELD // 2
    with counted(hosts, kind) as count:
        Connection(hosts, version).open()
        connections = [Connection(hosts, version).ask() for _ in range(3)]
        for connection, size in zip(connections, (half, half, 1)):
            client = connection.client
            expect_equal("the window that clients are told", client.announced.window, MAX_HELD // 3)
            # It opens the connection.
            client.put(client.segment(ACK, b"1" * size))
            connection.server.expect_syn()
        expect_equal("the window without room", told(), 0)
        one, other, third = connections
        # Each way to end gives the memory back.
        one.establish(b"1" * half)
        expect_equal("the window when the first is open", told(), half // 3)
        other.server.put(other.server.segment(RST | ACK, sequence=0, options=Options(), window=0))
        expect(other.client.one("the reset").flags & RST, "the client got no reset")
        expect_equal("the window when the second is refused", told(), MAX_HELD // 3)
        third.establish()
        third.exchange()
        count(1)


SCENARIOS = (known_window, first_flight, until_repeated, several_segments, large_first, lost_segment, retransmissions, held_end,
             small_window, too_much, no_valid_data, refusing_server, leaving_client, rule_removed)
LEARNED = invalid_dropped, window_0
LIMITED = (room_in_namespace,)
