#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Requests that module/limits.sh sends as the owner of a network namespace, larger than those of the CLI."""

import errno
import resource
import socket
import struct
import sys

from genetlink import Client, Refused
from packet_frames import TCP, checked_tcp, ipv4, tcp

# Small enough for one request to fit into a socket's buffer.
CHANGES_AT_ONCE = 500


def rule(**more):
    return {"kind": "append", "table": "filter", "chain-name": "INPUT",
            "rule": {"protocol": 1, "target": {"verdict": "accept"}} | more}


def client():
    one = Client()
    # The system limits what an unprivileged user gets.
    one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
    one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 30)
    return one


def change(*changes):
    with client() as one:
        one.ask("ruleset-change", {"change": list(changes)})


def expect_refusal(action, error, words=""):
    try:
        action()
    except Refused as refused:
        if refused.errno == error and words in refused.words:
            return
        raise
    raise SystemExit("this was not refused")


def rules(count):
    while count:
        some = min(count, CHANGES_AT_ONCE)
        change(*[rule()] * some)
        count -= some


def rules_refused(count, words):
    expect_refusal(lambda: change(*[rule()] * count), errno.ENOSPC, words)


def replace():
    """Deletes a rule and appends one, in one request."""
    change({"kind": "delete", "table": "filter", "chain-name": "INPUT", "position": 1}, rule())


def new_list(number):
    return rule(match={"recent": {"name": f"new{number}", "operation": "set"}})


def lists_refused(count, words):
    expect_refusal(lambda: change(*map(new_list, range(count))), errno.ENOSPC, words)


def lists(count):
    with client() as one:
        for number in range(1, count + 1):
            one.ask("list-create", {"name": f"list{number}"})


def destroy_lists():
    with client() as one:
        for found in one.ask("list-get", dump=True):
            one.ask("list-destroy", {"name": dict(found)["name"]})


def entries(name, count):
    with client() as one:
        for first in range(0, count, 1000):
            addresses = [struct.pack("!I", 0x0A000000 + number) for number in range(first, min(first + 1000, count))]
            one.ask("entry-add", {"name": name, "entry": [{"address": address} for address in addresses]})


def large_message():
    """Sends a request that is far larger than any buffer. It has to fail within a few seconds."""
    size = 64 << 20
    with client() as one:
        one_rule = one.request("ruleset-change", {"change": rule()})
        header, body = one_rule[:20], one_rule[20:]
        message = bytearray(header + body * (size // len(body)))
        struct.pack_into("=I", message, 0, len(message))
        try:
            one.socket.send(message)
            one.answers()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EMSGSIZE, errno.ENOBUFS, errno.ENOMEM):
                return
            raise
    raise SystemExit("this was not refused")


def zero():
    """Sends thousands of changes, each of which concerns all rules."""
    one = {"kind": "zero", "table": "filter", "chain-name": "INPUT"}
    rules(200)
    change(*[one] * 10000)
    change({"kind": "flush", "table": "filter"})


def dumps():
    """Starts dumps and does not read them, while what they list goes away."""
    lists = [dict(found)["name"] for found in Client().ask("list-get", dump=True)]
    entries(lists[0], 5000)
    rules(200)
    count = min(200, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 50)
    begun = []
    for number in range(count):
        one = Client()
        operation, values = (("entry-get", {"name": lists[0]}), ("rule-get", {}), ("list-get", {}))[number % 3]
        one.socket.send(one.request(operation, values, dump=True))
        begun.append(one)
    change({"kind": "flush", "table": "filter"})
    with client() as other:
        other.ask("list-destroy", {"name": lists[0]})
    for number, one in enumerate(begun):
        if number % 2:
            try:
                one.answers()
            except Refused as refused:
                # The list is gone.
                if refused.errno != errno.ENOENT:
                    raise
        one.socket.close()
    with client() as other:
        other.ask("list-create", {"name": lists[0]})


def packets(count):
    """Sends UDP packets to this host itself, from so many addresses."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for number in range(count):
        datagram = struct.pack("!HHHH", 9, 9, 8, 0)
        header = struct.pack("!BBHHHBBHII", 0x45, 0, 28, 0, 0, 64, socket.IPPROTO_UDP, 0,
                             0x7F010000 + number + 1, 0x7F000001)
        sender.sendto(header + datagram, ("127.0.0.1", 0))


def servers(count):
    """Sends SYNs to so many servers, which are addresses of this host itself."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    source = bytes([127, 0, 0, 1])
    for number in range(count):
        server = struct.pack("!I", 0x7F010000 + number)
        segment = checked_tcp(source, server, tcp(1024, 80, 2))
        sender.sendto(ipv4(TCP, segment, source=source, destination=server), (socket.inet_ntoa(server), 0))
    with client() as one:
        found = len(one.ask("server-get", dump=True))
    # The table is nearly full, and no larger than it may be.
    if not 3000 < found <= 4096:
        raise SystemExit(f"{found} servers are known of {count}")


ACTIONS = {
    "rules": (rules, int), "rules-refused": (rules_refused, int, str), "replace": (replace,), "lists": (lists, int),
    "lists-refused": (lists_refused, int, str), "destroy-lists": (destroy_lists,), "entries": (entries, str, int),
    "large-message": (large_message,), "zero": (zero,), "dumps": (dumps,), "packets": (packets, int),
    "servers": (servers, int),
}

action, *types = ACTIONS[sys.argv[1]]
try:
    action(*(convert(argument) for convert, argument in zip(types, sys.argv[2:], strict=True)))
except OSError as error:
    raise SystemExit(f"{sys.argv[1]}: {error}")
