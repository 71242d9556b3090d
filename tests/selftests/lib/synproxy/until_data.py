# SPDX-License-Identifier: GPL-2.0
"""Servers that are chosen by what clients say first: rules see it in the SYN that opens the connection, and the server does
not.
"""

import contextlib
import itertools
import json
import subprocess
import time

from synproxy.ends import ALL, Client, Connection, current_port, expect, expect_equal
from tcp_segments import ACK, FIN, MODULUS, PSH, RST, Options

# Nothing that anybody waits for the rest of.
SAID = b"\0something"
REQUEST = b"GET /a HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
CLIENTS = ALL, Options(mss=1460, scale=7, sack=True), Options(mss=1460)
# Longer than any scenario takes.
LONG = 60
# A client gets so many keep-alives.
KEEP_ALIVES = 3


def palisade(hosts, command):
    hosts.run("palisade", *command.split())


@contextlib.contextmanager
def waiting(hosts, seconds=LONG, choices=()):
    """A rule for the port of the scenario, and the rules of the table nat that choose another one by what clients say.

    Yields that port.
    """
    port = current_port[0]
    rule = f"PREROUTING -p tcp --dport {port} -j SYNPROXY --until-data {seconds}"
    palisade(hosts, f"-t raw -I {rule}")
    for choice in choices:
        palisade(hosts, f"-t nat -A PREROUTING -p tcp --dport {port} {choice} -j DNAT --to-destination :{port + 1}")
    try:
        yield port + 1
    finally:
        palisade(hosts, f"-t raw -D {rule}")
        if choices:
            palisade(hosts, "-t nat -F")


def status(hosts):
    """How many clients of the port of the scenario wait, and how many did, by what ended that."""
    shown = hosts.run("palisade", "protect", "--status", "--json", stdout=subprocess.PIPE)
    row = next(row for row in json.loads(shown.stdout) if row["until_data"] is not None)
    return row["waiting"], row["opened_by_data"], row["opened_by_timeout"], row["given_up"]


class Silent(Connection):
    """A connection whose client has ended its handshake, and has said nothing."""

    def __init__(self, hosts, version, port=None, **ends):
        super().__init__(hosts, version, **ends)
        if port:
            self.server.own_port = port
        self.ask()
        self.client.send()
        self.nobody_is_asked()

    def nobody_is_asked(self):
        self.client.nothing("there is nothing to say to the client")
        self.server.nothing("the client has not said all")
        return self

    def say(self, payload, flags=ACK | PSH, **changes):
        self.client.send(flags, payload, **changes)
        return self

    def is_opened(self, payload, end=0):
        """The server is asked, and gets what the client has said."""
        self.server.expect_syn()
        self.client.nothing("the server has not answered")
        # Nothing of it is acknowledged yet.
        self.client.sequence = (self.client.initial + 1) % MODULUS
        self.establish(payload, end)
        return self


def data_open(hosts, version, _):
    """no server is asked before the client has said something, and it gets that with its handshake"""
    with waiting(hosts):
        for options in CLIENTS:
            for server_options in ALL, Options(mss=1460):
                connection = Silent(hosts, version, client_options=options, server_options=server_options)
                window = connection.client.announced.window
                expect(window >= 16384, f"the client may send {window} bytes")
                connection.say(SAID).is_opened(SAID).exchange()
        expect_equal("the status", status(hosts), (0, 6, 0, 0))


def data_choose(hosts, version, _):
    """what the client says chooses the server"""
    with waiting(hosts, choices=["-m string --algo bm --string chosen"]) as port:
        for options in CLIENTS:
            ends = {"client_options": options}
            Silent(hosts, version, port, **ends).say(b"\0is chosen").is_opened(b"\0is chosen").exchange()
            Silent(hosts, version, **ends).say(b"\0is not").is_opened(b"\0is not").exchange()


def first_with_cookie(hosts, version, _):
    """a client whose ACK was lost opens its connection with its first data, or with the end of it"""
    with waiting(hosts):
        for payload, flags in (SAID, PSH), (SAID, PSH | FIN), (b"", FIN):
            connection = Connection(hosts, version).ask()
            client = connection.client
            client.put(client.segment(ACK | flags, payload))
            connection.server.expect_syn()
            connection.establish(payload, flags & FIN)


def cut_anywhere(hosts, version, _):
    """requests are waited for to their end, wherever they are cut"""
    with waiting(hosts, choices=["-m http --host www.example.org --path /a"]) as port:
        for cut in range(1, len(REQUEST)):
            connection = Silent(hosts, version, port).say(REQUEST[:cut]).nobody_is_asked()
            connection.say(REQUEST[cut:]).is_opened(REQUEST)


def byte_by_byte(hosts, version, _):
    """requests come byte by byte, and their clients are told that they may send more"""
    with waiting(hosts, choices=["-m http --host www.example.org"]) as port:
        for options in CLIENTS:
            connection = Silent(hosts, version, port, client_options=options)
            client = connection.client
            first = client.sequence
            for count, byte in enumerate(REQUEST[:-1], 1):
                connection.say(bytes([byte]))
                connection.server.nothing("the client has not said all")
                if count < 3:
                    client.nothing("the client may send more")
                    continue
                told = client.one("what the client is told")
                expect(told.has(ACK), f"the client got this instead of an ACK: {told}")
                expect_equal("its number", told.sequence, client.acknowledged)
                expect_equal("what it acknowledges", told.acknowledged, first)
                block = (first + 1) % MODULUS, (first + count) % MODULUS
                expect_equal("what has come", told.options.blocks, (block,) if options.sack else ())
            connection.say(REQUEST[-1:]).is_opened(REQUEST).exchange()


def any_order(hosts, version, _):
    """pieces come in any order, more than once, and overlap"""
    cuts = (0, 9), (9, 20), (20, 30), (30, len(REQUEST))
    with waiting(hosts, choices=["-m http --host www.example.org"]) as port:
        for order in itertools.permutations(cuts):
            connection = Silent(hosts, version, port)
            client = connection.client
            first = client.sequence
            for start, end in order:
                connection.server.nothing("the client has not said all")
                for again in range(2 if start == 9 else 1):
                    piece = REQUEST[max(0, start - again):end]
                    client.put(client.segment(ACK | PSH, piece, sequence=(first + max(0, start - again)) % MODULUS))
            client.take()
            connection.is_opened(REQUEST)


def much(hosts, version, _):
    """what fills many segments is seen by the rules of all tools, on its way to links that would not take it"""
    text = b"GET / HTTP/1.1\r\n" + b"Cookie: " + b"c" * 15000 + b"\r\nHost: www.example.org\r\n\r\n"
    command = "iptables" if version == 4 else "ip6tables"
    seen = "FORWARD -p tcp --syn -m string --algo kmp --from 15000 --string www.example.org"
    hosts.run(command, "-t", "mangle", "-A", *seen.split())
    try:
        with waiting(hosts, choices=["-m http --host www.example.org"]) as port:
            connection = Silent(hosts, version, port)
            for start in range(0, len(text), 1408):
                connection.say(text[start:start + 1408])
            connection.client.take()
            connection.server.expect_syn()
            connection.server.answer()
            got = connection.server.take()
            expect(b"".join(one.payload for one in got) == text, f"the server got {got}")
            expect(all(len(one.payload) <= 1460 for one in got), f"the server got {got}")
        listed = hosts.run(command, "-t", "mangle", "-nvxL", "FORWARD", stdout=subprocess.PIPE).stdout
        counted = [line.split()[0] for line in listed.splitlines() if "STRING" in line]
        expect_equal("how many SYNs had it", counted, ["1"])
    finally:
        hosts.run(command, "-t", "mangle", "-F")


def dropped_by_rules(hosts, version, _):
    """rules drop connections by what the client says"""
    rule = f"FORWARD -p tcp --dport {current_port[0]} --syn -m string --algo bm --string bad -j DROP"
    palisade(hosts, f"-A {rule}")
    try:
        with waiting(hosts):
            connection = Silent(hosts, version).say(b"\0is bad").nobody_is_asked()
            # It comes again.
            connection.say(b"\0is bad", sequence=connection.client.sequence - 7).nobody_is_asked()
            Silent(hosts, version).say(b"\0is good").is_opened(b"\0is good")
    finally:
        palisade(hosts, f"-D {rule}")


def rejected_by_rules(hosts, version, _):
    """rules reset connections by what the client says"""
    reject = "REJECT --reject-with tcp-reset"
    rule = f"FORWARD -p tcp --dport {current_port[0]} --syn -m string --algo bm --string bad -j {reject}"
    palisade(hosts, f"-A {rule}")
    try:
        with waiting(hosts):
            connection = Silent(hosts, version).say(b"\0is bad")
            connection.server.nothing("a rule has refused it")
            reset = connection.client.one("the reset")
            expect(reset.flags & RST, f"the client got this instead of a reset: {reset}")
            expect_equal("its number", reset.sequence, connection.client.acknowledged)
    finally:
        palisade(hosts, f"-D {rule}")


def ends_with_data(hosts, version, _):
    """a client that has nothing more to say is not waited for"""
    with waiting(hosts):
        Silent(hosts, version).say(b"GET").nobody_is_asked().say(b"", ACK | FIN).is_opened(b"GET", FIN)
        Silent(hosts, version).say(b"GET", ACK | PSH | FIN).is_opened(b"GET", FIN)


def wrong_segments(hosts, version, _):
    """segments that are corrupt, or those of others, change nothing"""
    with waiting(hosts):
        connection = Silent(hosts, version).say(b"GET").nobody_is_asked()
        client = connection.client
        for changes in {"checksum": 0x1234}, {"acknowledged": client.acknowledged + 1}, {"sequence": client.initial - 9}:
            client.put(client.segment(ACK | PSH, b" / HTTP/1.0\r\n\r\n", **changes))
            connection.server.nothing("that was not the client")
        client.take()
        connection.say(b" / HTTP/1.0\r\n\r\n").is_opened(b"GET / HTTP/1.0\r\n\r\n")


def keep_alive(client):
    """Waits for a keep-alive, and takes it."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        client.hosts.left.settle()
        if taken := client.take():
            expect(all(one.has(ACK) for one in taken), f"the client got this instead of a keep-alive: {taken}")
            expect_equal("its number", taken[0].sequence, (client.acknowledged - 1) % MODULUS)
            return
        time.sleep(0.1)
    expect(False, "there is no keep-alive")


def silence_opens(hosts, version, _):
    """a client that says nothing, or not all, opens its connection when it answers a keep-alive"""
    with waiting(hosts, seconds=1):
        for options in CLIENTS:
            for said in b"", b"GET / HTTP":
                connection = Silent(hosts, version, client_options=options)
                if said:
                    connection.say(said)
                keep_alive(connection.client)
                connection.server.nothing("the client has not answered")
                connection.client.send()
                connection.is_opened(said)
                connection.carry(connection.server, connection.client, b"a greeting")
        expect_equal("the status", status(hosts), (0, 0, 6, 0))


def gone(hosts, version, _):
    """a client that answers no keep-alive is given up, and can come again"""
    with waiting(hosts, seconds=1):
        connection = Silent(hosts, version)
        expect_equal("the status", status(hosts), (1, 0, 0, 0))
        for _ in range(KEEP_ALIVES):
            keep_alive(connection.client)
        end = time.monotonic() + 60
        while status(hosts) != (0, 0, 0, 1):
            expect(time.monotonic() < end, f"the status is {status(hosts)}")
            time.sleep(0.1)
        connection.server.nothing("the client is gone")
        connection.client.take()
        connection.say(SAID).is_opened(SAID)


def crowd(hosts, version, _):
    """many clients that say nothing do not keep out one that does"""
    with waiting(hosts):
        visitor = Silent(hosts, version).say(REQUEST[:9]).nobody_is_asked()
        for _ in range(1500):
            other = Client(hosts, hosts.left, hosts.right.own[version])
            other.wire.send(other.segment(2, options=other.options))
            other.wire.settle()
            answer = other.one("the answer to a SYN")
            other.sequence = (other.initial + 1) % MODULUS
            other.accept(answer)
            other.wire.send(other.segment())
        hosts.left.settle()
        now, *_, given_up = status(hosts)
        expect(now <= 1024 and now + given_up == 1501, f"{now} wait, {given_up} were given up")
        visitor.say(REQUEST[9:]).is_opened(REQUEST)
        Silent(hosts, version).say(SAID).is_opened(SAID)


SCENARIOS = (data_open, data_choose, first_with_cookie, cut_anywhere, byte_by_byte, any_order, much, dropped_by_rules,
             rejected_by_rules, ends_with_data, wrong_segments, silence_opens, gone, crowd)
