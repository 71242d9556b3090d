#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Many connections at a time.

crowd.py CLIENT SERVER ADDRESS COUNT: opens COUNT connections from the network namespace CLIENT to ADDRESS in SERVER, at a
port that SYNPROXY protects, and then has each of them carry data both ways.
"""
import os
import resource
import selectors
import socket
import subprocess
import sys
import time

PORT = 7777
AT_ONCE = 100           # connections being opened
CLONE_NEWNET = 0x40000000


def enter(namespace):
    with open(f"/run/netns/{namespace}") as entrance:
        os.setns(entrance.fileno(), CLONE_NEWNET)


def serve(namespace, ready):
    """Echoes data, without end."""
    enter(namespace)
    listener = socket.create_server(("", PORT), backlog=4096)
    listener.setblocking(False)
    os.write(ready, b".")
    with selectors.EpollSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not listener:
                    data = key.fileobj.recv(64)
                    if not data:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()
                    else:
                        key.fileobj.send(data)
                    continue
                try:
                    connection, _ = listener.accept()
                except BlockingIOError:
                    continue
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_READ)


def open_all(address, count):
    connections, opening = [], 0
    with selectors.EpollSelector() as selector:
        while len(connections) < count:
            while opening < AT_ONCE and opening + len(connections) < count:
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex((address, PORT))
                selector.register(one, selectors.EVENT_WRITE)
                opening += 1
            for key, _ in selector.select(10) or sys.exit(f"no connection for ten seconds, {len(connections)} before"):
                error = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    sys.exit(f"connection {len(connections)}: {os.strerror(error)}")
                selector.unregister(key.fileobj)
                connections.append(key.fileobj)
                opening -= 1
    return connections


def use(connections):
    """Sends each connection's number to the server and back."""
    for number, connection in enumerate(connections):
        connection.settimeout(20)
        connection.send(b"%d" % number)
    for number, connection in enumerate(connections):
        answer = connection.recv(64)
        if answer != b"%d" % number:
            sys.exit(f"connection {number} answered {answer}")


def main(client, server, address, count):
    count = int(count)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))
    subprocess.run(["ip", "netns", "exec", server, "palisade", "protect", str(PORT)], check=True)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        serve(server, writer)
    os.read(reader, 1)
    try:
        enter(client)
        start = time.monotonic()
        connections = open_all(address, count)
        print(f"# {len(connections)} connections in {time.monotonic() - start:.1f} s")
        use(connections)
        print(f"# used after {time.monotonic() - start:.1f} s")
    finally:
        os.kill(child, 9)


main(*sys.argv[1:])
