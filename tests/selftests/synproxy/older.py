#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
"""Connections to this host that are older than the rule, and than connection tracking, go on; in a VRF as well.

    +------------------------------+        +------------------+
    |         older-server         |        |   older-client   |
    |                              |        |                  |
    |  (red: VRF,                  |        |                  |
    |   in the second round) wire -+--------+- wire            |
    |                 10.0.0.1/24  |        |  10.0.0.2/24     |
    |                 fd00::1/64   |        |  fd00::2/64      |
    |  (port 80, SYNPROXY)         |        |                  |
    +------------------------------+        +------------------+
"""

import pathlib
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy.hosts import enter, run

CLIENT, SERVER, PORT = "older-client", "older-server", 80
ADDRESSES = {"IPv4": ("10.0.0.1/24", "10.0.0.2/24"), "IPv6": ("fd00::1/64", "fd00::2/64")}
RULE = f"palisade -t raw -A PREROUTING -p tcp --dport {PORT} -j SYNPROXY"


def connect(has_vrf):
    """Makes the two hosts, with the server's interface in a VRF if wanted."""
    for name in CLIENT, SERVER:
        run("ip", "netns", "add", name)
    enter(SERVER)
    lines = [f"link add wire type veth peer name wire netns {CLIENT}", "link set lo up", "link set wire up"]
    if has_vrf:
        lines += ["link add red type vrf table 10", "link set red up", "link set wire master red"]
    lines += [f"address add {address} dev wire {'nodad' if ':' in address else ''}" for address, _ in ADDRESSES.values()]
    run("ip", "-batch", "-", input="\n".join(lines))
    run("sysctl", "-qw", "net.ipv4.tcp_l3mdev_accept=1")
    enter(CLIENT)
    lines = ["link set lo up", "link set wire up"]
    lines += [f"address add {address} dev wire {'nodad' if ':' in address else ''}" for _, address in ADDRESSES.values()]
    run("ip", "-batch", "-", input="\n".join(lines))


def goes_on(address):
    """Whether data arrives in a connection that is older than the rule."""
    enter(SERVER)
    with socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        enter(CLIENT)
        with socket.create_connection((address, PORT), 30) as client:
            accepted, _ = listener.accept()
            enter(SERVER)
            run(*RULE.split())
            accepted.settimeout(10)
            client.send(b"later")
            try:
                return accepted.recv(9) == b"later"
            except TimeoutError:
                return False
            finally:
                run("palisade", "-t", "raw", "-F")
                accepted.close()


def main():
    report = Report()
    for what, has_vrf in ("without a VRF", False), ("in a VRF", True):
        if has_vrf and subprocess.run(["modprobe", "-q", "vrf"]).returncode:
            continue
        connect(has_vrf)
        try:
            for version, (address, _) in ADDRESSES.items():
                report.check(f"{version}, {what}: a connection that is older than the rule goes on",
                             goes_on(address.split("/")[0]), "what the client sent has not arrived")
        finally:
            for name in CLIENT, SERVER:
                subprocess.run(["ip", "netns", "delete", name])
    report.finish()


if __name__ == "__main__":
    main()
