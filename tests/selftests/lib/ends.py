#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What both ends of a connection are called where it arrives.

ends.py serve PORT...         tells each client the addresses and ports of its connection, as the server knows them:
                              ADDRESS PORT PEER-ADDRESS PEER-PORT. Then it sends back what comes.
ends.py ask                   reads lines of ADDRESS PORT [SOURCE...]: connects, from each of these addresses at once, and
                              prints what it is told, and its own ADDRESS PORT. An empty line follows, and nothing else if
                              any of them was told nothing.
"""

import concurrent.futures
import selectors
import socket
import sys
import threading

PATIENCE = 30


def plain(address):
    return address.removeprefix("::ffff:")


def answer(connection):
    with connection:
        own, peer = connection.getsockname(), connection.getpeername()
        try:
            connection.sendall(f"{plain(own[0])} {own[1]} {plain(peer[0])} {peer[1]}\n".encode())
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            # The client is gone.
            pass


def serve(*ports):
    with selectors.DefaultSelector() as selector:
        for port in ports:
            listener = socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
            selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                connection, _ = key.fileobj.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()


def told(address, port, source=None):
    with socket.create_connection((address, int(port)), PATIENCE, (source, 0) if source else None) as connection:
        own = connection.getsockname()
        return f"{connection.makefile().readline().strip()} {own[0]} {own[1]}"


def ask():
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for line in sys.stdin:
            address, port, *sources = line.split()
            try:
                print(*pool.map(lambda source: told(address, port, source), sources or [None]), sep="\n")
            except OSError as error:
                print(f"# {address} {port}: {error}", file=sys.stderr)
            print(flush=True)


{"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
