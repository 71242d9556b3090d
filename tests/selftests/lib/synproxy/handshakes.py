# SPDX-License-Identifier: GPL-2.0
"""Handshakes through the proxy: what the client is told, and what the server gets."""

import dataclasses

from synproxy.ends import ALL, Client, Connection, Server, distance, expect, expect_equal, use_new_server
from tcp_segments import ACK, CWR, ECE, FIN, MODULUS, PSH, RST, SYN, Options

CLIENTS = {
    "all options": ALL,
    "none": Options(),
    "an MSS": Options(mss=1460),
    "an MSS and timestamps": Options(mss=1460, timestamps=(1, 0)),
    "all but SACK": Options(mss=1460, scale=7, timestamps=(1, 0)),
    "all but a window scale": Options(mss=1460, sack=True, timestamps=(1, 0)),
    "all but timestamps": Options(mss=1460, scale=7, sack=True),
    "all but an MSS": Options(scale=7, sack=True, timestamps=(1, 0)),
    "MSS 536": dataclasses.replace(ALL, mss=536),
    "MSS 300": dataclasses.replace(ALL, mss=300),
    "MSS 1220": dataclasses.replace(ALL, mss=1220),
    "MSS 8960": dataclasses.replace(ALL, mss=8960),
    "window scale 0": dataclasses.replace(ALL, scale=0),
    "window scale 14": dataclasses.replace(ALL, scale=14),
}


def syn_is_answered(hosts, version, kind):
    """a SYN is answered, for clients with all options, none, and some"""
    for name, options in CLIENTS.items():
        client = Client(hosts, hosts.left, hosts.right.own[version], options=options)
        answer = client.ask()
        told = answer.options
        expect_equal(f"{name}: the window", answer.window, 0)
        expect(not answer.payload, f"{name}: the SYN-ACK has a payload")
        expect(told.mss is not None or options.mss is None, f"{name}: no MSS in {answer}")
        expect(options.sack or not told.sack, f"{name}: SACK unasked")
        expect(options.scale is not None or told.scale is None, f"{name}: a window scale unasked")
        expect_equal(f"{name}: timestamps", told.timestamps is not None, options.timestamps is not None)
        if told.timestamps:
            expect_equal(f"{name}: the timestamp that is echoed", told.timestamps[1], client.clock)
        if kind != "learned":
            has_all = options.timestamps is not None
            # An MSS that was given in the rule is reduced over IPv6, whose header is longer.
            mss = 1440 if version == 6 and kind != "iptables" else 1460
            expect(told.mss in (mss, None), f"{name}: MSS {told.mss}")
            expect_equal(f"{name}: the window scale", told.scale, 9 if options.scale is not None and has_all else None)
            expect_equal(f"{name}: SACK", told.sack, options.sack and has_all)


def server_is_asked(hosts, version, _):
    """a cookie opens a connection to the server, with the client's options"""
    for name, options in CLIENTS.items():
        client = Client(hosts, hosts.left, hosts.right.own[version], options=options)
        told = client.ask().options
        server = Server(client)
        client.send()
        syn = server.expect_syn()
        expect_equal(f"{name}: the SYN's number", syn.sequence, client.initial)
        default = 536 if version == 4 else 1220
        expect((syn.options.mss or default) <= (options.mss or default),
               f"{name}: the server is told MSS {syn.options.mss}")
        expect_equal(f"{name}: the window scale", syn.options.scale, options.scale if told.scale is not None else None)
        expect_equal(f"{name}: SACK", syn.options.sack, told.sack)
        expect_equal(f"{name}: timestamps", syn.options.timestamps is not None, told.timestamps is not None)
        if syn.options.timestamps:
            expect_equal(f"{name}: the client's clock", syn.options.timestamps[0], client.clock)
        expect(syn.window > 0, f"{name}: the SYN's window is 0")
        expect(not syn.flags & (ECE | CWR), f"{name}: ECN unasked, {syn}")


def syn_is_clean(hosts, version, _):
    """the server's SYN acknowledges nothing and echoes no timestamp"""
    connection = Connection(hosts, version).ask()
    connection.client.send()
    syn = connection.server.expect_syn()
    expect_equal("what a SYN acknowledges", syn.acknowledged, 0)
    expect_equal("the timestamp that it echoes", syn.options.timestamps[1], 0)


def clocks_of_clients(hosts, version, _):
    """timestamps do not reveal the uptime, and do not go back for a client"""
    with open("/proc/uptime") as file:
        uptime = int(float(file.read().split()[0]) * 1000)
    told = []
    for server in hosts.right.own, hosts.left.proxy, hosts.right.own:
        client = Client(hosts, hosts.left, server[version])
        told.append(client.ask().options.timestamps[0])
    first, other, again = told
    # Minutes away: jiffies start shortly before their wrap.
    for name, clock in ("a client's", first), ("another's", other):
        expect(abs(distance(uptime, clock)) > 600_000, f"{name} clock is {clock}, {uptime} ms after the boot")
    expect(abs(distance(first, other)) > 60_000, f"clocks are {first} and {other}")
    expect(0 <= distance(first, again) < 60_000, f"a client's clock goes from {first} to {again}")


def handshakes_end(hosts, version, _):
    """both handshakes complete, with the right numbers and timestamps, whatever the options are"""
    for server_options in ALL, Options(), Options(mss=1000, scale=3), Options(mss=1460, timestamps=(1, 0)):
        use_new_server()
        for name, options in CLIENTS.items():
            connection = Connection(hosts, version, options, server_options).ask()
            client, server = connection.client, connection.server
            client.send()
            server.expect_syn()
            connection.establish()
            what = f"client with {name}, server with {server_options}"
            ack, update = connection.server_ack, connection.update
            expect_equal(f"{what}: the number of the ACK", ack.sequence, (client.initial + 1) % MODULUS)
            expect_equal(f"{what}: what it acknowledges", ack.acknowledged, (server.initial + 1) % MODULUS)
            expect_equal(f"{what}: the number of the update", update.sequence,
                         (client.announced.sequence + 1) % MODULUS)
            expect_equal(f"{what}: what it acknowledges", update.acknowledged, (client.initial + 1) % MODULUS)
            expect(update.window > 0, f"{what}: the client may still not send")
            expect(ack.window > 0, f"{what}: the server may not send")
            if server.has_timestamps:
                expect(ack.options.timestamps, f"{what}: the ACK has no timestamps")
                # From an echo, a server that has repeated its SYN-ACK would measure a time.
                asked = server.syn.options
                has_remembered = server.again and (server_options.sack if asked.sack else
                                                   None not in (asked.scale, server_options.scale))
                expect_equal(f"{what}: the server's clock", ack.options.timestamps[1],
                             0 if has_remembered else server.clock)
                expect(distance(client.announced.options.timestamps[0], update.options.timestamps[0]) >= 0,
                       f"{what}: the client sees time go back")
            connection.exchange()


def ecn(hosts, version, kind):
    """a client is told of ECN only if the server is"""
    client = Client(hosts, hosts.left, hosts.right.own[version])
    answer = client.ask(SYN | ECE | CWR)
    client.send()
    syn = Server(client).expect_syn()
    expect_equal("whether the server hears of ECN", bool(syn.flags & ECE), bool(answer.flags & ECE))
    expect(kind == "learned" or not answer.flags & ECE, "no rule says that the server knows ECN")


def nothing_is_remembered(hosts, version, _):
    """1000 SYNs leave no state"""
    before = hosts.connections()
    client = Client(hosts, hosts.left, hosts.right.own[version])
    for number in range(1000):
        hosts.left.send(client.segment(SYN, options=ALL, sequence=number * 7919).packet())
        if number % 50 == 49:
            hosts.settle()
    answers = client.take()
    expect_equal("the number of answers", len(answers), 1000)
    Server(client).nothing("no client has answered")
    expect(hosts.connections() <= before, f"{hosts.connections()} connections, {before} before")
    expect_equal("the number of different cookies", len({answer.sequence for answer in answers}), 1000)


def repeated_syn(hosts, version, _):
    """a repeated SYN is answered again, and either cookie is valid"""
    for which in 0, 1:
        client = Client(hosts, hosts.left, hosts.right.own[version])
        first = client.ask()
        client.put(client.segment(SYN, options=client.options, sequence=client.initial))
        second = client.one("the second answer")
        client.accept((first, second)[which])
        client.send()
        Server(client).expect_syn()


def repeated_ack(hosts, version, _):
    """while the server does not answer, a repeated ACK and a keep-alive cause another SYN to it"""
    connection = Connection(hosts, version).ask()
    client, server = connection.client, connection.server
    client.send()
    first = server.expect_syn()
    repeated = ("an ACK", b"", 0), ("a keep-alive", b"", 1), ("a keep-alive with a byte", b"\0", 1)
    for what, payload, back in repeated:
        client.put(client.segment(ACK, payload, sequence=(client.sequence - back) % MODULUS))
        again = server.expect_syn()
        expect_equal(f"{what}: the SYN's number", again.sequence, first.sequence)
        expect_equal(f"{what}: the SYN's MSS", again.options.mss, first.options.mss)
        expect_equal(f"{what}: the SYN's window scale", again.options.scale, first.options.scale)
        client.nothing("the server has said nothing")
    # The byte of the keep-alive is not passed on.
    connection.establish()
    connection.exchange()


def data_first(hosts, version, kind):
    """data that comes in place of the ACK is passed on with the server's handshake, as much as fits the server's MSS"""
    cases = (
        (b"in a hurry", ALL, 10),
        (b"odd" * 301, Options(mss=1460), 903),
        (bytes(1000), dataclasses.replace(ALL, mss=1012), 1000),
        # Timestamps take twelve bytes.
        (bytes(1000), dataclasses.replace(ALL, mss=1011), 999),
        (bytes(1000), Options(), 536),
    )
    for payload, server_options, size in cases:
        use_new_server()
        connection = Connection(hosts, version, server_options=server_options).ask()
        client, server = connection.client, connection.server
        client.put(client.segment(ACK | PSH, payload))
        expect_equal("the SYN's number", server.expect_syn().sequence, client.initial)
        if kind != "iptables":
            server.answer()
            pieces = server.take()
            expect_equal("what the server got", [one.payload for one in pieces],
                         [one for one in (payload[:size], payload[size:]) if one])
            expect_equal("the flags of the last", pieces[-1].flags, ACK | PSH)
            server.accept(pieces[-1])
            client.accept(client.one("the window update"))
            client.sequence = server.acknowledged
        else:
            # The client has to send it again.
            connection.establish()
            connection.carry(client, server, payload)
        connection.exchange()


def end_first(hosts, version, kind):
    """a FIN that comes in place of the ACK, with data or without, is passed on with the server's handshake"""
    for payload in b"", b"all there is":
        connection = Connection(hosts, version).ask()
        client, server = connection.client, connection.server
        for number in range(2):
            client.put(client.segment(FIN | ACK | PSH, payload))
            if number == 0 or kind == "iptables":
                expect_equal("the SYN's number", server.expect_syn().sequence, client.initial)
            server.nothing("the server has not answered")
            client.nothing("the server has said nothing")
        if kind == "iptables":
            connection.establish()
            connection.carry(client, server, payload, FIN | ACK)
        else:
            connection.establish(payload, FIN)
        connection.carry(server, client, b"an answer")
        connection.carry(server, client, flags=FIN | ACK)
        connection.carry(client, server, flags=ACK)


def syn_with_data(hosts, version, _):
    """data in a SYN is ignored"""
    connection = Connection(hosts, version)
    connection.client.ask(payload=b"too early")
    connection.client.send()
    connection.server.expect_syn()
    connection.establish()
    connection.exchange()


def repeated_syn_ack(hosts, version, _):
    """a repeated SYN-ACK of the server is answered at once, and the client sees no second handshake"""
    connection = Connection(hosts, version).open()
    client, server = connection.client, connection.server
    server.put(server.segment(SYN | ACK, options=server.options, sequence=server.initial))
    expect(any(one.has(ACK) and one.acknowledged == (server.initial + 1) % MODULUS for one in server.take()),
           "the server got no ACK")
    for one in client.take():
        expect(not one.flags & (SYN | RST), f"the client got {one}")
    connection.exchange()


def asked_again(hosts, version, kind):
    """the server's SYN-ACK is answered with the SYN again, and acknowledged once it is repeated"""
    if kind == "iptables":
        return
    for options in CLIENTS.values():
        connection = Connection(hosts, version, client_options=options).ask()
        client, server = connection.client, connection.server
        client.send()
        syn = server.expect_syn()
        server.answer()
        again = server.again
        expect(again, "the server got no second SYN")
        # Who has remembered the first one answers with the option that it lacks all the same.
        expect(not again.options.sack, f"SACK is permitted by {again}")
        expect_equal("its scale", again.options.scale, syn.options.scale if syn.options.sack else None)
        for field in "window", "flags":
            expect_equal(f"its {field}", getattr(again, field), getattr(syn, field))
        for field in "mss", "timestamps":
            expect_equal(f"its {field}", getattr(again.options, field), getattr(syn.options, field))
        connection.take_handshake()
        connection.exchange()


def forgetful_server(hosts, version, kind):
    """a server with SYN cookies of its own gets back the number and the timestamp of its first SYN-ACK"""
    if kind == "iptables":
        return
    connection = Connection(hosts, version).open_half()
    client, server = connection.client, connection.server
    clock = server.clock
    # Its second one answers the second SYN alone.
    server.put(server.segment(SYN | ACK, options=CLIENTS["an MSS and timestamps"],
                              sequence=(server.initial + 12345) % MODULUS))
    ack = [one for one in server.take() if one.has(ACK)][-1]
    expect_equal("what is acknowledged", ack.acknowledged, (server.initial + 1) % MODULUS)
    expect_equal("the echo", ack.options.timestamps[1], clock)
    client.accept(client.one("the window update"))
    server.accept(ack)
    connection.exchange()


def client_is_quicker(hosts, version, kind):
    """what the client sends until the SYN-ACK is repeated reaches the server with its handshake"""
    if kind == "iptables":
        return
    for options in ALL, CLIENTS["all but timestamps"]:
        connection = Connection(hosts, version, client_options=options, server_options=options).open_half()
        client, server = connection.client, connection.server
        expect(server.one("the second SYN").has(SYN), "the server got no second SYN")
        client.accept(client.one("the window update"))
        client.send(ACK | PSH, b"a question")
        server.nothing("the SYN-ACK is not repeated yet")
        server.put(server.sent)
        got = server.one("the end of the server's handshake")
        expect_equal("the payload", got.payload, b"a question")
        expect_equal("what is acknowledged", got.acknowledged, server.sequence)
        server.accept(got)
        client.nothing("it knows the window already")
        connection.carry(server, client, flags=ACK)
        connection.exchange()


def passed_syn_ack(hosts, version, _):
    """without timestamps to translate, the client answers a repeated SYN-ACK of the server"""
    options = CLIENTS["all but timestamps"]
    connection = Connection(hosts, version, client_options=options, server_options=options).open()
    client, server = connection.client, connection.server
    server.put(server.segment(SYN | ACK, options=server.options, sequence=server.initial))
    arrived = client.take()
    for one in arrived:
        # The client acknowledges the SYN-ACK that it knows already.
        expect(not one.flags & RST, f"the client got {one}")
        expect(not one.flags & SYN or one.sequence == client.announced.sequence, f"the client got {one}")
        client.put(client.segment())
    expect(any(one.has(ACK) and one.acknowledged == (server.initial + 1) % MODULUS for one in server.take()),
           "the server got no ACK")
    connection.exchange()


def other_clients(hosts, version, _):
    """many connections at the same time do not disturb each other"""
    connections = [Connection(hosts, version) for _ in range(20)]
    for step in Connection.open, Connection.exchange, Connection.exchange, Connection.close:
        for connection in connections:
            step(connection)


SCENARIOS = (syn_is_answered, server_is_asked, syn_is_clean, clocks_of_clients, handshakes_end, ecn, nothing_is_remembered, repeated_syn,
             repeated_ack, data_first, end_first, syn_with_data, repeated_syn_ack, asked_again,
             forgetful_server, client_is_quicker, passed_syn_ack, other_clients)
