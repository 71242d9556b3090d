#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
visitors.py ADDRESS COUNT PAUSE PATIENCE: so many visitors fetch a page over and over again.

Prints a line for each visit when it is over: when that was, by the monotonic clock, whether the page was
served (1 or 0), and the milliseconds that it took.
"""
import os
import socket
import sys
import threading
import time


def visit(address, patience):
    """Whether the page came."""
    end = time.monotonic() + patience
    page = b""
    try:
        with socket.create_connection((address, 80), timeout=patience) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while True:
                connection.settimeout(max(end - time.monotonic(), 0.001))
                data = connection.recv(4096)
                if not data:
                    break
                page += data
    except OSError:
        return False
    return page.endswith(b"served\n")


def visitor(address, pause, patience):
    while True:
        start = time.monotonic()
        served = visit(address, patience)
        now = time.monotonic()
        # At once, so that lines of several visitors do not mix.
        os.write(1, f"{now:.3f} {served:d} {(now - start) * 1000:.1f}\n".encode())
        time.sleep(pause)


def main():
    address, count, pause, patience = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    for number in range(count):
        threading.Thread(target=visitor, args=(address, pause, patience), daemon=True).start()
        time.sleep(pause / count)
    threading.Event().wait()


main()
