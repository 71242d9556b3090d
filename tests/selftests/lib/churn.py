#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Parts of module/churn.sh for which starting the CLI each time would be too slow; other tests use some of them."""

import errno
import fcntl
import itertools
import os
import random
import signal
import socket
import struct
import sys
import time

from genetlink import Client
from packet_frames import TCP, checked_tcp, ipv4, tcp

PORT = 9
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def append(table, chain, **rule):
    return {"kind": "append", "table": table, "chain-name": chain, "rule": rule}


def datagrams(**more):
    return {"protocol": socket.IPPROTO_UDP, "match": {"udp": {"destination-first": PORT, "destination-last": PORT} | more}}


def drop(number):
    """Rules that drop the same packets and differ by the number."""
    return datagrams(**{"source-first": 1, "source-last": 65535 - number}) | {"target": {"verdict": "drop"}}


def seconds(argument):
    """Counts from 0 until so many seconds have passed, at least to 0."""
    end = time.monotonic() + float(argument)
    yield 0
    for number in itertools.count(1):
        if time.monotonic() >= end:
            return
        yield number


# So many rules come before the one that is replaced. They take so long that the chain is usually replaced while a packet
# is in it, and a chain that was freed too early would be noticed.
DELAYS = 200


def rules():
    sought = {"string": {"pattern": b"not in any packet", "algorithm": "kmp"}}
    delay = datagrams()
    delay["match"] = [delay["match"], sought]
    with Client() as client:
        client.ask("ruleset-change", {"change": [
            append("raw", "PREROUTING", **datagrams()),
            append("filter", "INPUT", **datagrams()),
            *[append("filter", "INPUT", **delay) for _ in range(DELAYS)],
            append("filter", "INPUT", **drop(0)), append("filter", "INPUT", **datagrams())]})


def replace(duration):
    """Replaces the last rule but one again and again, and prints how often."""
    position = {"table": "filter", "chain-name": "INPUT", "position": DELAYS + 2}
    count = 0
    with Client() as client:
        for count in seconds(duration):
            new = {"kind": "insert", "rule": drop(1 + count % 100)} | position
            delete = {"kind": "delete"} | position
            # In either order, but in one request: there is such a rule at any moment.
            changes = [delete, new] if count % 2 else [new, {"kind": "delete"} | position | {"position": DELAYS + 3}]
            client.ask("ruleset-change", {"change": changes})
    print(count + 1)


def send(address, count):
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # Within the source ports of all rules of drop().
    sender.bind(("", random.randrange(1024, 60000)))
    for _ in range(int(count)):
        sender.sendto(b"", (address, PORT))


def spoofed(address, sources):
    """Sends a packet from each source, an IPv4 address as a number."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    to = struct.unpack("!I", socket.inet_aton(address))[0]
    for source in sources:
        header = struct.pack("!BBHHHBBHII", 0x45, 0, 28, 0, 0, 64, socket.IPPROTO_UDP, 0, source, to)
        try:
            sender.sendto(header + struct.pack("!HHHH", PORT, PORT, 8, 0), (address, 0))
        except OSError as error:
            if error.errno not in (errno.ENOBUFS, errno.ENETUNREACH):
                raise


def flood(address):
    """Sends packets without end, from addresses of which some are repeated and some are not."""
    own = random.randrange(65536)
    for first in itertools.count():
        spoofed(address, (0x0A010000 + (own + first + number % 50) % 65536 for number in range(100)))
        # Without pauses, the flood would leave no CPU time to what it is to disturb.
        time.sleep(0.01)


def sources(address, first, count):
    """Sends a packet from each of so many addresses, the first of which is 10.0.0.0 plus a number."""
    spoofed(address, range(0x0A000000 + int(first), 0x0A000000 + int(first) + int(count)))


def repeat(address, first, count, times):
    """Repeats `sources`."""
    for _ in range(int(times)):
        sources(address, first, count)


def lists(duration):
    kept = {"match": {"recent": {"name": "busy", "operation": "set"}}}
    checked = {"match": {"recent": {"name": "busy", "operation": "update", "seconds": 1, "hits": 2}}}
    addresses = [{"address": struct.pack("!I", 0xC0000200 + number)} for number in range(50)]
    flush = {"kind": "flush", "table": "raw"}
    with Client() as client:
        for number in seconds(duration):
            client.ask("ruleset-change", {"change": [
                flush, append("raw", "PREROUTING", **checked), append("raw", "PREROUTING", **kept)]})
            client.ask("entry-add", {"name": "busy", "entry": addresses})
            client.ask("entry-get", {"name": "busy"}, dump=True)
            client.ask("list-flush", {"name": "busy"})
            client.ask("ruleset-change", {"change": [flush]})
            if number % 2:
                client.ask("list-destroy", {"name": "busy"})
            if number % 4 == 3:
                # So small that packets of the flood evict each other's entries.
                client.ask("list-create", {"name": "busy", "size": 4, "hits": 3})
    print("#", number + 1, "times")


def remembers():
    """Waits until a new list has addresses of the flood."""
    with Client() as client:
        client.ask("ruleset-change", {"change": [
            append("raw", "PREROUTING", match={"recent": {"name": "fresh", "operation": "set"}})]})
        for _ in seconds(30):
            if len(client.ask("entry-get", {"name": "fresh"}, dump=True)) > 50:
                return
            time.sleep(0.1)
    raise SystemExit("no address was remembered")


def inhabit():
    """Uses a new network namespace until it is killed."""
    os.unshare(os.CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("=16sH14x", b"lo", IFF_UP))
    with Client() as client:
        for round in itertools.count():
            name = f"list{round % 5}"
            client.ask("ruleset-change", {"change": [
                append("raw", "PREROUTING", match={"recent": {"name": name, "operation": "set"}}),
                append("filter", "INPUT", match={"recent": {"name": name, "operation": "check"}},
                       target={"verdict": "drop"}),
                append("nat", "OUTPUT", protocol=socket.IPPROTO_UDP, target={"dnat": {"port-first": PORT + 1}}),
                append("nat", "INPUT", protocol=socket.IPPROTO_UDP, target={"snat": {"port-first": PORT + 1}})]})
            spoofed("127.0.0.1", range(0x7F010000, 0x7F010000 + 100))
            client.ask("entry-get", {"name": name}, dump=True)


def namespaces(duration, tolerance=None):
    """Has two processes at a time use network namespaces of their own, and kills them at a random moment."""
    for count in seconds(duration):
        children = []
        for _ in range(2):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    inhabit()
                except (OSError, SystemExit) as error:
                    # With a tolerance, the module may be unloaded at any moment.
                    status = 0 if tolerance else 1
                    if not tolerance:
                        print(error, file=sys.stderr)
                finally:
                    os._exit(status)
            children.append(pid)
        time.sleep(random.random() * 0.5)
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if ended not in (-signal.SIGKILL, 0):
                raise SystemExit("something failed in a new namespace")
    print("#", (count + 1) * 2, "namespaces")


def segments(server, **target):
    return {"protocol": socket.IPPROTO_TCP, "match": {"tcp": {"destination-first": server, "destination-last": server}},
            "target": {"synproxy": target}}


PROXIES = [
    [append("raw", "PREROUTING", **segments(80))],
    [append("raw", "PREROUTING", **segments(80, **{"flooded-rate": 10}))],
    [append("raw", "PREROUTING", **segments(80, **{"sack-perm": True, "timestamp": True, "wscale": 3}))],
    # Behind connection tracking, to which the ACK with the cookie is invalid.
    [append("raw", "PREROUTING", **segments(80) | {"target": {"notrack": True}}),
     append("filter", "INPUT", **segments(80, mss=1200, timestamp=True))],
    [],
]


def proxies(duration):
    """Replaces and removes rules with SYNPROXY."""
    flush = [{"kind": "flush", "table": table} for table in ("raw", "filter")]
    with Client() as client:
        for number in seconds(duration):
            client.ask("ruleset-change", {"change": flush + PROXIES[number % len(PROXIES)]})
            if number % 20 == 0:
                client.ask("server-get", dump=True)
                client.ask("rule-get", dump=True)
        client.ask("ruleset-change", {"change": flush + PROXIES[0]})
    print("#", number + 1, "times")


def servers():
    """Prints how many servers SYNPROXY knows."""
    with Client() as client:
        print(len(client.ask("server-get", dump=True)))


def connect(address, duration, needed="0", patience="3"):
    """Opens connections and sends something. At least `needed` of them have to be answered.

    `patience` is the timeout of each operation, in seconds.
    """
    answered = 0
    for _ in seconds(duration):
        try:
            with socket.create_connection((address, 80), timeout=float(patience)) as connection:
                connection.send(bytes(random.choice((1, 1000, 100000))))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
                answered += 1
        except OSError:
            # The rules that opened it may be gone.
            pass
    print("#", answered, "connections")
    if answered < int(needed):
        raise SystemExit(f"{answered} connections were answered")


def hold(address, count):
    """Opens connections, prints their number, and keeps them open."""
    kept = [socket.create_connection((address, 80), timeout=10) for _ in range(int(count))]
    print(len(kept), flush=True)
    time.sleep(3600)


def syns(address):
    """Sends SYNs without end, from clients that never answer."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    to = socket.inet_aton(address)
    for number in itertools.count():
        source = bytes([10, 0, 2 + number % 4, random.randrange(256)])
        options = b"\2\4\5\xb4\4\2\x08\x0a" + bytes(8) + b"\1\3\3\7"
        segment = tcp(random.randrange(1024, 65536), 80, 2, options, number=random.randrange(1 << 32))
        try:
            sender.sendto(ipv4(TCP, checked_tcp(source, to, segment), source=source, destination=to), (address, 0))
        except OSError as error:
            if error.errno not in (errno.ENOBUFS, errno.ENETUNREACH):
                raise
        if number % 50 == 0:
            time.sleep(0.01)


def requests(duration):
    """Sends requests of all kinds, whether the module is loaded or not."""
    for number in seconds(duration):
        Client.family = None
        try:
            with Client() as client:
                for _ in range(20):
                    client.ask("ruleset-change", {"change": [
                        append("raw", "PREROUTING", match={"recent": {"name": "busy", "operation": "set"}})]})
                    client.ask("rule-get", dump=True)
                    client.ask("entry-get", {"name": "busy"}, dump=True)
                    client.ask("list-flush", {"name": "busy"})
                    client.ask("ruleset-change", {"change": [{"kind": "flush", "table": "raw"}]})
        except SystemExit:
            time.sleep(0.01)
        except OSError as error:
            # The family is gone or going, or the list went with the module and the new one does not have it yet.
            if error.errno not in (errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT):
                raise


ACTIONS = {action.__name__: action for action in (
    rules, replace, send, flood, lists, remembers, namespaces, requests, sources, repeat, proxies, servers, connect, hold, syns)}
ACTIONS[sys.argv[1]](*sys.argv[2:])
