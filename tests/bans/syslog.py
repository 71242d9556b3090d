# SPDX-License-Identifier: GPL-2.0
"""syslog.py SOCKET FILE: writes what programs log into a file, as rsyslog does."""

import os
import re
import socket
import sys

path, name = sys.argv[1:]
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log, open(name, "a", buffering=1) as out:
    log.bind(path)
    os.chmod(path, 0o666)
    while True:
        message = log.recv(65536).decode(errors="replace").rstrip("\0\n")
        # <38>Nov 30 20:00:00 sshd[1]: text
        head = re.fullmatch(r"<\d+>(\w+ +\d+ [\d:]+) (.*)", message, re.DOTALL)
        if head:
            out.write(f"{head[1]} server {head[2]}\n")
