#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
"""Whatever TCP options the kernels of the client and the server use, data arrives as it was sent.

options.py [KIND...] [all] [MEGABYTES]: KIND is a name in RULES of lib/synproxy/hosts.py, such as iptables. With `all`,
each kind of client meets each kind of server, and 20 MB go each way instead of one. lib/synproxy/kernels.py draws the
hosts.
"""

import contextlib
import hashlib
import os
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy.hosts import RULES
from synproxy.kernels import CLIENT, KINDS, SERVER, Negotiated, Network, connect, listen

# How long a transfer may pause, in seconds.
PATIENCE = float(os.environ.get("PATIENCE", "10"))
PIECE = os.urandom(1 << 20)
CROSSES = [("nothing", "nothing"), ("no timestamps", "scale 14"), ("scale 0", "scale 14"), ("scale 14", "scale 0"),
           ("mss 536", "mss 8960"), ("mss 8960", "mss 8960"), ("no sack", "no scale"), ("no scale", "scale 14")]


class Half(threading.Thread):
    """One end: sends and receives at the same time, and hashes both."""

    def __init__(self, one, seed, megabytes):
        super().__init__(daemon=True)
        self.socket, self.seed, self.megabytes = one, seed, megabytes
        self.sent, self.received, self.amount = hashlib.sha256(), hashlib.sha256(), 0
        self.error = None

    def send(self):
        try:
            for number in range(self.megabytes):
                piece = self.seed + number.to_bytes(4) + PIECE[len(self.seed) + 4:]
                self.sent.update(piece)
                self.socket.sendall(piece)
            self.socket.shutdown(1)
        except OSError as error:
            self.error = self.error or f"sending: {error}"

    def run(self):
        sender = threading.Thread(target=self.send, daemon=True)
        sender.start()
        try:
            while data := self.socket.recv(1 << 18):
                self.received.update(data)
                self.amount += len(data)
        except OSError as error:
            self.error = self.error or f"receiving: {error}"
        sender.join()


def transfer(version, client_kind, server_kind, megabytes, port, client_first):
    """Transfers data both ways. Returns what was wrong, and what was negotiated."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(listen(version, server_kind, port))
        listener.settimeout(PATIENCE)
        client = stack.enter_context(connect(version, client_kind, port, PATIENCE))
        client_half = Half(client, b"client", megabytes)
        if client_first:
            client_half.start()
        server = stack.enter_context(listener.accept()[0])
        server.settimeout(PATIENCE)
        halves = client_half, Half(server, b"server", megabytes)
        for half in halves[client_first:]:
            half.start()
        for half in halves:
            half.join()
        ends = [Negotiated.of(one) for one in (client, server)]
        for half, other, name in zip(halves, halves[::-1], (CLIENT, SERVER)):
            if half.error:
                return f"the {name}: {half.error}, after {half.amount} bytes", ends
            if half.received.digest() != other.sent.digest():
                return f"the {name} got {half.amount} bytes, which are not what was sent", ends
    return None, ends


def check_negotiated(version, client_kind, server_kind, client, server):
    """Yields what cannot be negotiated between two kinds of hosts."""
    for name, end, kind in (CLIENT, client, client_kind), (SERVER, server, server_kind):
        if end.timestamps and not kind.timestamps or end.sack and not kind.sack or end.scales and not kind.scaling:
            yield f"the {name} uses an option that it does not support"
    if server.timestamps and not client.timestamps or server.sack and not client.sack:
        yield "the server uses an option that the client does not use"
    # 536 bytes is the least MSS.
    if server.mss > max(client_kind.mss - (20 if version == 6 else 0), 536):
        yield f"the server sends segments of {server.mss} bytes, the client announced {client_kind.mss} for IPv4"
    if server.scales and client.scales and server.scales[0] != client.scales[1]:
        yield "server and client disagree on the client's window scale"


def pairs(all_of_them):
    if all_of_them:
        return [(client, server) for client in KINDS for server in KINDS]
    # The kind of server changes each time, so that the options that the proxy has learned are wrong.
    alone = [pair for kind in KINDS for pair in (("plain", kind), (kind, "plain"))][1:]
    return alone + CROSSES


def main():
    arguments = sys.argv[1:]
    everything = "all" in arguments
    kinds = [one for one in arguments if one in RULES] or ["learned", "options"]
    megabytes = next((int(one) for one in arguments if one.isdigit()), 20 if everything else 1)
    report = Report()
    network = Network()
    try:
        for kind in kinds:
            network.use(kind)
            for number, (client_name, server_name) in enumerate(pairs(everything)):
                # Each kind meets both IP versions, but not in all combinations.
                versions = (4, 6) if everything else (4 if number % 3 else 6,)
                for version in versions:
                    client_kind, server_kind = KINDS[client_name], KINDS[server_name]
                    network.become(CLIENT, client_kind)
                    network.become(SERVER, server_kind)
                    ends, start = [], time.monotonic()
                    try:
                        # SYNPROXY of iptables does not finish the handshake with a server that uses timestamps. The
                        # server then waits for the client's data.
                        client_first = number % 2 == 0 or kind == "iptables"
                        problem, ends = transfer(version, client_kind, server_kind, megabytes, 80 + number % 2,
                                                 client_first)
                        problems = [problem] if problem else [
                            *check_negotiated(version, client_kind, server_kind, *ends)]
                    except OSError as error:
                        problems = [f"{type(error).__name__}: {error}"]
                    taken = time.monotonic() - start
                    report.check(f"{kind}, IPv{version}: client {client_name}, server {server_name}", not problems,
                                 *problems, *ends, f"it took {taken:.1f} s")
                    if os.environ.get("TIMES"):
                        print(f"# {taken:.1f} s, {ends}")
    finally:
        network.remove()
    report.finish()


if __name__ == "__main__":
    main()
