#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
flood.py SECONDS FOLDER FILE: the phases of a flood of SYNs, each of so many seconds, with a line a second.

It runs in the attacker's namespace, and starts the web server, whose configuration is in the folder, and the
visitors in theirs. The lines go to the file as CSV, too. It fails unless the visitors were kept out by the flood,
and served with `palisade protect`.
"""
import csv
import os
import statistics
import subprocess
import sys
import time

SERVER = "10.0.0.1"
PATIENCE = 2
PROTECT = ["palisade", "protect", "80"]
HEAD = ["second", "phase", "syns", "served", "failed", "median_ms"]


def on(host, *command):
    return ["ip", "netns", "exec", host, *command]


class Flood:
    """SYNs from random addresses."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["hping3", "-q", "--syn", "--rand-source", "-p", "80", "-i", "u100", SERVER],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self):
        # It ends itself in good order on SIGINT only when it is asked on a terminal.
        self.process.kill()
        self.process.wait()


class WebServer:
    def __init__(self, folder):
        self.folder = folder
        self.start()

    def start(self):
        subprocess.run(on("server", "nginx", "-c", f"{self.folder}/nginx.conf"), check=True)

    def restart(self):
        pid_file = f"{self.folder}/nginx.pid"
        with open(pid_file) as file:
            os.kill(int(file.read()), 15)
        while os.path.exists(pid_file):
            time.sleep(0.05)
        self.start()


class Watch:
    """What happens in a second, a line each."""

    def __init__(self, visits, file):
        self.visits = visits
        self.writer = csv.writer(file)
        self.writer.writerow(HEAD)
        self.rows = []
        self.start = self.last = time.monotonic()
        self.packets = self.sent()
        print(f"{'time':>5}  {'phase':<12} {'SYNs/s':>8} {'served':>8} {'failed':>8} {'median':>10}", flush=True)

    @staticmethod
    def sent():
        with open("/sys/class/net/eth0/statistics/tx_packets") as file:
            return int(file.read())

    def second(self, phase):
        """Waits for the next second to be over, and tells of it."""
        self.wait(self.last + 1)
        now, packets = time.monotonic(), self.sent()
        visits = [line.split() for line in self.visits.readlines()]
        times = [float(taken) for _, served, taken in visits if served == "1"]
        median = statistics.median(times) if times else None
        # Beside SYNs there is a look for an address now and then.
        syns = round((packets - self.packets) / (now - self.last))
        row = [round(now - self.start), phase, syns, len(times), len(visits) - len(times),
               "" if median is None else f"{median:.1f}"]
        self.last, self.packets = now, packets
        self.rows.append((row, times))
        self.writer.writerow(row)
        print(f"{row[0]:4}s  {phase:<12} {syns:8} {row[3]:8} {row[4]:8} {shown(median):>10}", flush=True)

    @staticmethod
    def wait(moment):
        time.sleep(max(moment - time.monotonic(), 0))

    def phase(self, name, seconds):
        for _ in range(seconds):
            self.second(name)

    def summary(self, name):
        """SYNs a second, visits served, failed, and the median of the times that they took."""
        rows = [(row, times) for row, times in self.rows if row[1] == name]
        times = [time for _, times in rows for time in times]
        return (round(statistics.mean(row[2] for row, _ in rows)), sum(row[3] for row, _ in rows),
                sum(row[4] for row, _ in rows), statistics.median(times) if times else None)


def shown(median):
    return "-" if median is None else f"{median:.1f} ms"


def share(summary):
    _, served, failed, _ = summary
    return served / max(served + failed, 1)


def main():
    seconds, folder, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    server = WebServer(folder)
    with open(f"{folder}/visits", "w") as output:
        visitors = subprocess.Popen(on("visitor", "python3", "visitors.py", SERVER, "5", "0.4", str(PATIENCE)),
                                    stdout=output)
    flood = None
    try:
        with open(f"{folder}/visits") as visits, open(path, "w", newline="") as file:
            # What happens once only, such as starting Python, is over.
            while not visits.readline():
                time.sleep(0.1)
            time.sleep(1)
            visits.readlines()
            watch = Watch(visits, file)
            watch.phase("quiet", max(seconds // 2, 4))
            flood = Flood()
            # Until the server's queue is full, and visits that began before are over.
            watch.phase("flood comes", PATIENCE + 1)
            watch.phase("flood", seconds)
            print(f"       $ {' '.join(PROTECT)}\n"
                  "       and nginx is started anew: what is half open would fill its queue for another minute.",
                  flush=True)
            subprocess.run(on("server", *PROTECT), check=True)
            server.restart()
            # Until visits that began before are over.
            watch.phase("restart", PATIENCE + 1)
            watch.phase("protected", seconds)
    finally:
        if flood:
            flood.end()
        visitors.kill()
    print()
    print(f"{'phase':<12} {'SYNs/s':>8} {'served':>8} {'failed':>8} {'median':>10}")
    phases = {name: watch.summary(name) for name in ("quiet", "flood", "protected")}
    for name, (syns, served, failed, median) in phases.items():
        print(f"{name:<12} {syns:8} {served:8} {failed:8} {shown(median):>10}")
    print(flush=True)
    subprocess.run(on("server", "palisade", "protect", "--status"), check=True)
    is_as_it_should_be = (share(phases["quiet"]) == 1 and share(phases["flood"]) < 0.25
                          and share(phases["protected"]) >= 0.95)
    return 0 if is_as_it_should_be else 1


sys.exit(main())
