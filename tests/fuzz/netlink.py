#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Fuzzes the netlink family, as root and as an unprivileged user in namespaces of its own, side by side.

A slice of requests is sent; then what the kernel holds has to be decodable and consistent, what `palisade -S`
prints has to make the same rules in a fresh namespace, and all of it has to go away when it is told to."""

import argparse
import collections
import ctypes
import difflib
import errno
import itertools
import os
import pathlib
import socket
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "selftests/lib"))

import campaign
from campaign import Broken, Campaign
from genetlink import (ENUMERATIONS, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GENERIC, NLM_F_DUMP, NLMSG_DONE, NLMSG_ERROR,
                       SOL_NETLINK, Client, Refused, error_number, messages)
from netlink_answers import CHAINS, check_configuration, is_plain
from netlink_requests import CALLS, Requests

ROLES = ("root", "user")
NOBODY = 65534
PR_SET_DUMPABLE = 4
# Rules and lists that a slice leaves are few enough to be given to the command line tool one by one.
RULES_GIVEN = 12


def enter(role):
    """Makes this process what the role says, in a network namespace of its own."""
    if role == "root":
        os.unshare(os.CLONE_NEWNET)
        return
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    # Without this, what is in /proc of a process that was root still belongs to root.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
    pathlib.Path("/proc/self/setgroups").write_text("deny")
    pathlib.Path("/proc/self/uid_map").write_text(f"0 {NOBODY} 1")
    pathlib.Path("/proc/self/gid_map").write_text(f"0 {NOBODY} 1")


def raw_socket(extended, room=1 << 20):
    raw = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
    raw.bind((0, 0))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    raw.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, extended)
    raw.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, extended)
    raw.setblocking(False)
    return raw


# Requests of a run that leaves some of everything.
LONG_RUN = 20000


class Fuzzer:
    def __init__(self, work):
        self.work = work
        self.control = Client()
        self.sent = 0
        self.errors = collections.Counter()
        self.accepted = collections.Counter()
        self.rules = self.entries = self.proxies = 0

    def run(self):
        for number, random in self.work.slices():
            try:
                self.slice(random)
                self.check(random)
                self.clear()
            except (Broken, OSError, ValueError) as reason:
                self.work.say_broken(number, reason or type(reason).__name__)
                return False
            self.progress()
        self.progress(always=True)
        return self.report()

    def progress(self, always=False):
        answers = sum(self.errors.values()) or 1
        self.work.progress(f"{self.sent} requests, {self.sent / self.work.elapsed():.0f}/s, "
                           f"{100 * self.errors[0] // answers}% of {answers} answers say yes, checked "
                           f"{self.rules} rules, {self.proxies} of them with SYNPROXY, and {self.entries} entries", always)

    def report(self):
        say = lambda text: print(f"{self.work.name}: {text}", flush=True)
        say("answers: " + ", ".join(f"{errno.errorcode.get(error, error) if error else 'done'} {count}"
                                    for error, count in self.errors.most_common()))
        say("accepted: " + ", ".join(f"{name} {count}" for name, count in sorted(self.accepted.items())))
        # A fuzzer whose requests are all refused, or that leaves nothing to look at, tries nothing.
        missing = {f"{name} {mode}" for name, mode, _, _ in CALLS} - set(self.accepted)
        # In a short run what needs something that is there, such as an entry to delete, may not come about, and little
        # is left to look at when it is looked at; rules with SYNPROXY are rare.
        is_long = self.sent >= LONG_RUN
        is_lacking = missing or not self.proxies if is_long else len(missing) > 2
        if is_lacking or not self.rules or not self.entries:
            say(f"BROKEN: nothing was accepted of: {', '.join(sorted(missing)) or 'rules, SYNPROXY and entries'}")
            return False
        return True

    def slice(self, random):
        requests = Requests(random)
        extended = random.randrange(2)
        raw = raw_socket(extended)
        end = self.sent + self.work.size
        sequence = itertools.count(1)
        while self.sent < end:
            modes = {}
            datagrams = [self.datagram(requests, sequence, modes) for _ in range(16)]
            self.work.record.write(datagram.hex() for datagram in datagrams)
            for datagram in datagrams:
                try:
                    raw.send(datagram)
                except OSError as error:
                    self.errors[error.errno] += 1
                # Some answers wait for the next request, and dumps with them.
                if random.random() < 0.8:
                    self.drain(raw, modes)
            self.drain(raw, modes)
            if random.random() < 0.1:
                self.abandon(random, requests)
        raw.close()

    def datagram(self, requests, sequence, modes):
        """One request or several."""
        parts = []
        for _ in range(requests.random.choice((1, 1, 1, 4, 12))):
            number = next(sequence)
            name, message, lies = requests.message(self.control.family, number)
            is_dump = len(message) >= 8 and struct.unpack_from("=H", message, 6)[0] & NLM_F_DUMP == NLM_F_DUMP
            modes[number] = f"{name} {'dump' if is_dump else 'do'}"
            self.sent += 1
            if lies:
                return b"".join(parts) + message
            parts.append(message + bytes(-len(message) % 4))
        return b"".join(parts)

    def drain(self, raw, modes):
        while True:
            try:
                data = raw.recv(1 << 20)
            except BlockingIOError:
                return
            except OSError as error:
                # More answers than the socket has room for: what is lost is lost.
                if error.errno != errno.ENOBUFS:
                    raise
                self.errors[error.errno] += 1
                continue
            try:
                answers = list(messages(data))
            except ValueError as error:
                raise Broken(f"answers cannot be decoded: {error}: {data.hex()}") from error
            for kind, _, number, message in answers:
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    error = error_number(message)
                    self.errors[error] += 1
                    if error == 0 and number in modes:
                        self.accepted[modes[number]] += 1

    def abandon(self, random, requests):
        """Dumps whose receiver has little room, and goes away in the middle or at once."""
        raw = raw_socket(0, random.choice((1, 4096, 65536)))
        name, _, _, _ = random.choice([one for one in CALLS if one[1] == "dump"])
        values = {"name": random.choice((b"a", b"b", b"DEFAULT"))} if name == "entry-get" else {}
        for _ in range(random.choice((1, 2))):
            raw.send(self.control.request(name, values, dump=True))
            self.sent += 1
        for _ in range(random.choice((0, 0, 1, 2))):
            try:
                raw.recv(random.choice((1, 100, 8192)))
            except OSError:
                pass
        raw.close()

    def check(self, random):
        rules, lists, entries = check_configuration(self.control)
        self.rules += len(rules)
        self.entries += entries
        self.proxies += sum("synproxy" in dict(dict(rule["rule"]).get("target", ())) for rule in rules)
        # Giving all of the rules to the tool would take too long.
        plain = [rule for rule in rules if is_plain(rule["rule"])]
        kept = random.sample(plain, min(len(plain), RULES_GIVEN))
        self.delete([rule for rule in rules if rule not in kept])
        saved = self.saved()
        again = subprocess.run(["unshare", "--net", "sh", "-e", "-c", "palisade restore; palisade save"],
                               input=saved, capture_output=True)
        if again.returncode:
            raise Broken(f"what palisade save prints is refused: {again.stderr.decode(errors='replace')}")
        if again.stdout != saved:
            texts = [text.decode(errors="surrogateescape").splitlines() for text in (saved, again.stdout)]
            changed = difflib.unified_diff(*texts, "first", "again", n=0, lineterm="")
            raise Broken("palisade save prints other rules when they are restored:\n" + "\n".join(changed))

    @staticmethod
    def saved():
        done = subprocess.run(["palisade", "save"], capture_output=True)
        if done.returncode or done.stderr:
            raise Broken(f"palisade save says {done.stderr.decode(errors='replace')}")
        return done.stdout

    def ask(self, operation, values):
        try:
            self.control.ask(operation, values)
        except Refused as refused:
            raise Broken(f"{operation} {str(values)[:200]} is refused: {refused}") from refused

    def delete(self, rules):
        # From the end, so that the positions of the others stay.
        self.ask("ruleset-change", {"change": [
            {"kind": "delete", "table": rule["table"], "chain-name": rule["chain-name"], "position": rule["position"]}
            for rule in reversed(rules)]})

    def clear(self):
        self.ask("ruleset-change", {"change": [
            {"kind": kind, "table": table} for table in ENUMERATIONS["table"] for kind in ("flush", "delete-chain")]})
        self.ask("ruleset-change", {"change": [
            {"kind": "policy", "table": table, "chain-name": chain, "policy": "accept"} for table, chain in CHAINS]})
        _, lists, _ = check_configuration(self.control)
        # A list that others have for their exceptions cannot be destroyed.
        for name in lists:
            self.ask("list-set", {"name": name, "except": b""})
        for name in lists:
            self.ask("list-destroy", {"name": name})
        rules, lists, _ = check_configuration(self.control)
        if rules or lists:
            raise Broken(f"after everything was removed there are {rules} and {lists}")


def replay(options):
    """Sends what a record holds, as it was sent, then lets the invariants be checked."""
    enter(options.roles[0])
    fuzzer = Fuzzer(Campaign(options, "replay"))
    raw = raw_socket(1)
    for name in options.replay:
        for line in pathlib.Path(name).read_text().splitlines():
            if line.startswith("#"):
                print(line, flush=True)
                continue
            try:
                raw.send(bytes.fromhex(line))
            except OSError as error:
                print(f"sending: {error}")
            fuzzer.sent += 1
            fuzzer.drain(raw, {})
    check_configuration(fuzzer.control)
    fuzzer.clear()
    print(f"{fuzzer.sent} datagrams were sent again")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    campaign.add_options(parser, 10000)
    parser.add_argument("--roles", nargs="+", choices=ROLES, default=ROLES, help="as whom (default: both at once)")
    options = parser.parse_args()
    if options.replay:
        options.record = None
        return replay(options)
    campaign.choose_seed(options)
    works = {role: Campaign(options, f"netlink-{role}") for role in options.roles}
    children = []
    for role, work in works.items():
        pid = os.fork()
        if pid == 0:
            enter(role)
            os._exit(0 if Fuzzer(work).run() else 1)
        children.append(pid)
    results = [os.waitpid(pid, 0)[1] for pid in children]
    sys.exit(1 if any(results) else 0)


if __name__ == "__main__":
    main()
