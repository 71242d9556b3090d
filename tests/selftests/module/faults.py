#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Kernel: debug
"""Every allocation of every operation fails once: the error is clean, nothing has changed and nothing leaks.

An operation is repeated with its first allocation failing, then its second, and so on, until a run makes no further
allocation. /proc/thread-self/fail-nth (Documentation/fault-injection in the kernel) chooses the allocation for one
thread. So there is a process for each CPU, and a process that is done with an operation takes the next one. Operations
that take several steps with other parts of the kernel fail while packets flow and other processes dump hooks and state.

    +--------------------------------------------+
    |  network namespace of one of the processes |
    |                                            |
    |    lo       up, packets to 127.0.0.1, ::1  |      tap0 lives only until SYNPROXY knows the
    |    tap0     no address; SYNs from          |      five servers; each of these SYNs is a frame
    |             192.0.2.1 to 198.51.100.1-5    |      that the test writes to the tap.
    +--------------------------------------------+
"""

import contextlib
import ctypes
import errno
import fcntl
import functools
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from background import dump_hooks, dump_state, in_background, packets
from fault_injection import DEBUG, LIBRARY, Fault, is_there, own_memory, prepare, strike
from genetlink import (
    COMMANDS, NLA_TYPE_MASK, NLM_F_DUMP, OPERATIONS, SPECIFIED, Client, Refused, Report, attributes, decode, encode)
from packet_frames import CLIENT_MAC, IPV4, TCP, checked_tcp, ipv4, tcp

TUNSETIFF, IFF_TAP, IFF_NO_PI, SIOCSIFFLAGS, IFF_UP = 0x400454CA, 2, 0x1000, 0x8914, 1
report = Report()

if not is_there():
    report.skip("allocations that fail", "needs the debug kernel")
    report.finish()

prepare()

# A list that a rule creates has the maximum size, and most of the time would go into allocating and freeing it. With this
# size, a part of a list is still larger than a page, so that a fallback of the allocator (kvmalloc) is tried too.
MAX_ENTRIES = 1000
subprocess.run(["rmmod", "palisade"], check=True)
subprocess.run(["modprobe", "palisade", f"max_entries={MAX_ENTRIES}"], check=True)

CLEAN = (errno.ENOMEM, errno.ENOBUFS)
# More than any operation allocates, so that an endless loop is noticed.
MOST = 5000


# The configuration that each operation starts from.

ADDRESSES = [bytes([192, 0, 2, number]) for number in range(1, 6)]


def entries(*addresses):
    return [{"address": address} for address in addresses]


def change(kind, table="filter", chain="INPUT", **more):
    named = {} if chain is None else {"chain-name": chain}
    return {"kind": kind, "table": table} | named | more


def recent(name, operation="set", **more):
    return {"match": {"recent": {"name": name, "operation": operation} | more}}


PLAIN = {"protocol": 1, "target": {"verdict": "return"}}
USED = "kept"
USES_KEPT = recent(USED, "update", hits=3, seconds=10)
NEW_LIST = recent("new")
PORTS = {
    "family": "ipv4", "protocol": 6, "source": bytes([192, 0, 2, 0]), "source-mask": bytes([255, 255, 255, 0]),
    "in-interface": "eth+", "target": {"verdict": "drop"},
    "match": [{"tcp": {"destination-first": 22, "destination-last": 23, "flags-mask": 2, "flags-set": 2}},
              {"recent": {"name": "new", "operation": "check", "hits": 30}},
              {"recent": {"name": "newer", "operation": "set", "key": "destination"}}],
}
DATAGRAM = {"protocol": 17, "match": {"udp": {"source-first": 53, "source-last": 53}}}
LISTS = {
    "kept": ({"size": 10, "hits": 4}, ADDRESSES[:2]),
    "bare": ({"size": 10, "hits": 4}, []),
    # Each entry needs memory of its own.
    "wide": ({"size": 10, "hits": 3000}, ADDRESSES[:1]),
}
MATCHES = {
    "protocol": 6, "target": {"reject": {"tcp-reset": True}},
    "match": [{"conntrack": {"states": 6}}, {"limit": {"packets": 10, "period": 1}}, {"connlimit": {"connections": 5}},
              {"hashlimit": {"name": "new", "packets": 10, "period": 1, "source": True}},
              {"string": {"pattern": b"needle", "algorithm": "kmp"}}, {"mark": {"value": 1, "mask": 1}},
              {"multiport": {"ports-of": "destination", "range": [{"first": 80}, {"first": 8000, "last": 8010}]}},
              {"tls": {"host": "*.example.org", "alpn": "h2"}}, {"http": {"method": "GET", "host": "*", "path": "/api/*"}},
              {"comment": "what this is for"}],
}
# More than a page of them.
HOSTS = b"".join(b"host-%d.example.org\n" % number for number in range(1000))
PING = {"family": "ipv4", "protocol": 1, "match": {"icmp": {"type": 8}}, "target": {"log": {"level": 4, "prefix": "ping "}}}
PROXY = {"protocol": 6, "target": {"synproxy": {"flooded-rate": 1000, "mss": 1460, "timestamp": True}}}
CLASSIC_PROXY = {"protocol": 6, "match": {"conntrack": {"states": 6}}, "target": {"synproxy": {}}}
BASE_RULES = [change("append", rule=PLAIN), change("append", rule=USES_KEPT), change("append", rule=DATAGRAM),
              change("new-chain", chain="spare"), change("new-chain", chain="called"),
              change("append", chain="called", rule=PLAIN), change("append", "filter", "OUTPUT", rule={"target": {"jump": "called"}})]
EMPTY = [change(kind, table, None) for table in ("raw", "filter", "nat", "mangle") for kind in ("flush", "delete-chain")]
EMPTY += [change("policy", table, chain, policy="accept") for table, chain in (("raw", "PREROUTING"), ("filter", "INPUT"))]

# The sources of the packets in the background.
PASSING = (socket.inet_pton(socket.AF_INET, "127.0.0.1"), socket.inet_pton(socket.AF_INET6, "::1"))
# Attributes, by attribute set, that change by these packets or by time.
CHANGING = {"chain": ("packets", "bytes"), "family-policy": ("packets", "bytes"), "rule": ("packets", "bytes"),
            "list": ("entries",), "entry": ("age",), "server": ("age",)}


@functools.lru_cache(10000)
def steady(set_name, payload):
    """An answer without the attributes that change by themselves."""
    kept = []
    for kind, value in attributes(payload):
        kind &= NLA_TYPE_MASK
        name, specified = ATTRIBUTES[set_name][kind]
        inner = specified.get("nested-attributes")
        if inner in CHANGING:
            value = steady(inner, value)
        if name not in CHANGING.get(set_name, ()):
            kept.append((name, value))
    return tuple(kept)


ATTRIBUTES = {name: dict(enumerate(inners.items(), 1)) for name, inners in SPECIFIED.items()}


def steady_entries(payloads):
    """The entries in an answer, sorted, without those of the packets in the background."""
    found = (entry for payload in payloads for _, entry in steady("list", payload))
    return sorted(entry for entry in found if dict(entry)["address"] not in PASSING)


@functools.cache
def list_name(payload):
    return dict(decode("list", payload))["name"]


# Encoded once, since they are needed often.
EMPTYING, FILLING, RESTORING = (
    encode(OPERATIONS["ruleset-change"]["attribute-set"], {"change": changes})
    for changes in (EMPTY, BASE_RULES, EMPTY + BASE_RULES))
NOTHING = {"chains": None, "rules": None, "lists": {}}


class Namespace:
    """The module's state in the network namespace of this process."""

    def __init__(self):
        self.client = Client()

    def dumps(self, *asked):
        """The answers to several dump requests that are sent together.

        Each dump has to fit into one message, since a socket runs one dump at a time.
        """
        client = self.client
        client.socket.send(b"".join(client.request(operation, values, True) for operation, values in asked))
        return [client.answers(client.sequence - later) for later in reversed(range(len(asked)))]

    def snapshot(self):
        """All state that can be dumped, without what changes by itself."""
        chains, rules, lists = self.dumps(("chain-get", {}), ("rule-get", {}), ("list-get", {}))
        lists = {list_name(one): one for one in lists}
        entries = self.dumps(*(("entry-get", {"name": name}) for name in lists)) if lists else []
        return {
            "chains": [steady("ruleset", one) for one in chains],
            "rules": [steady("ruleset", one) for one in rules],
            "lists": {name: (steady("list", one), steady_entries(of_list))
                      for (name, one), of_list in zip(lists.items(), entries)},
        }

    def change(self, payload):
        self.client.transact(COMMANDS["ruleset-change"], payload)

    def restore(self, now=None, base=NOTHING):
        """Restores the initial configuration, as far as `now` differs from `base`; without `base`, all of it."""
        now = now or self.snapshot()
        wrong = [name for name, one in now["lists"].items() if base["lists"].get(name) != one]
        missing = [name for name in LISTS if name in wrong or name not in now["lists"]]
        rules_differ = now["chains"] != base["chains"] or now["rules"] != base["rules"] or USED in missing
        if rules_differ:
            # A list that a rule uses cannot be destroyed.
            self.change(EMPTYING if missing else RESTORING)
        for name in wrong:
            self.client.ask("list-destroy", {"name": name})
        for name in missing:
            settings, addresses = LISTS[name]
            self.client.ask("list-create", {"name": name} | settings)
            if addresses:
                self.client.ask("entry-add", {"name": name, "entry": entries(*addresses)})
        if rules_differ and missing:
            self.change(FILLING)


def attempt(operation, payload, dump, nth=None):
    """Sends a request. Returns the error, whether an error means for certain that nothing happened, the answer, and
    whether there was a fault.
    """
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(Client(timeout=0))
        request = client.raw_request(COMMANDS[operation], payload, NLM_F_DUMP if dump else 0)
        fault = stack.enter_context(Fault(nth)) if nth else None
        error, certain, answer = 0, True, []
        try:
            client.socket.send(request)
            answer = client.answers()
        except Refused as refused:
            error = refused.errno
        except BlockingIOError:
            # The answer was lost.
            error, certain = errno.ENOBUFS, False
        except OSError as lost:
            error, certain = lost.errno, False
    if operation == "entry-get":
        answer = steady_entries(answer)
    else:
        answer = [steady(OPERATIONS[operation]["attribute-set"], payload) for payload in answer]
    return error, certain, answer, fault is not None and fault.injected


def difference(one, other):
    differences = []
    for name in one:
        if one[name] != other[name]:
            ours, theirs = (list(part.items()) if isinstance(part, dict) else part for part in (one[name], other[name]))
            differences.append(f"{name}: {[line for line in ours if line not in theirs]} instead of "
                               f"{[line for line in theirs if line not in ours]}")
    return "; ".join(differences)[:600]


def exercise_anew(namespace, operation, values, dump):
    """As `exercise`, for what the first such operation creates in a network namespace: each attempt has a new one."""
    payload = encode(OPERATIONS[operation]["attribute-set"], values)
    before, after, wrong, refusals = namespace.snapshot(), None, [], 0
    for nth in range(MOST):
        os.unshare(os.CLONE_NEWNET)
        namespace = Namespace()
        before = before if nth else namespace.snapshot()
        error, certain, _, injected = attempt(operation, payload, dump, nth)
        now = namespace.snapshot()
        where = f"allocation {nth}: {os.strerror(error) if error else 'success'}"
        after = after or now
        if error and not (injected and error in CLEAN):
            wrong.append(where)
        if error and certain and now != before:
            wrong.append(f"{where}, but something changed: {difference(now, before)}")
        if not error and now != after:
            wrong.append(f"{where}, but it did not happen: {difference(now, after)}")
        if error and certain:
            # What remains of the failed attempt must not be in the way of the next.
            error = attempt(operation, payload, dump)[0]
            now = namespace.snapshot()
            if error or now != after:
                wrong.append(f"{where}, and then {os.strerror(error)}: {difference(now, after)}")
            refusals += 1
        if nth and not injected or len(wrong) > 5:
            break
    else:
        wrong.append(f"more than {MOST} allocations")
    return nth - 1, refusals, wrong


def exercise(namespace, operation, values, dump):
    """Runs an operation with each of its allocations failing. Returns how many there are, how many led to errors, and what
    was wrong.
    """
    namespace.restore()
    before = namespace.snapshot()
    payload = encode(OPERATIONS[operation]["attribute-set"], values)
    error, _, expected, _ = attempt(operation, payload, dump)
    if error:
        return 0, 0, [f"without any fault: {os.strerror(error)}"]
    after = namespace.snapshot()
    if before != after:
        namespace.restore(after, before)
    wrong, refusals = [], 0
    for nth in range(1, MOST):
        error, certain, answer, injected = attempt(operation, payload, dump, nth)
        now = namespace.snapshot()
        where = f"allocation {nth}: {os.strerror(error) if error else 'success'}"
        if error and not injected:
            wrong.append(f"{where} without any fault")
        if error and error not in CLEAN:
            wrong.append(f"{where}, which is not about memory")
        if error and certain and now != before:
            wrong.append(f"{where}, but something changed: {difference(now, before)}")
        if error and not certain and now not in (before, after):
            wrong.append(f"{where}, and half of it happened: {difference(now, before)}")
        if not error and now != after:
            wrong.append(f"{where}, but it did not happen: {difference(now, after)}")
        if not error and answer != expected:
            wrong.append(f"{where}, but the answer is another: {len(answer)} messages instead of {len(expected)}")
        refusals += error != 0
        if now != before:
            namespace.restore(now, before)
        if not injected or len(wrong) > 5:
            break
    else:
        wrong.append(f"more than {MOST} allocations")
    return nth - 1, refusals, wrong


def exercise_amid_traffic(*what):
    """As `exercise`, while packets flow and other processes dump hooks and state."""
    # With pauses, so that most of the CPU time is the operation's.
    with in_background(lambda: packets(3), dump_hooks, dump_state, pause=0.1):
        own_memory()
        return exercise(*what)


def exercise_heard(*what):
    """As `exercise`, while somebody listens: what cannot be told makes nothing fail."""
    with Client() as listener:
        listener.listen()
        return exercise(*what)


# What is exercised: a description, the function, the operation, its attributes and whether it is a dump.
EXERCISES = []


def exercised(description, operation, values=None, dump=False, how=exercise):
    EXERCISES.append((description, how, operation, values or {}, dump))


def ruleset_change(description, *changes, how=exercise):
    exercised(description, "ruleset-change", {"change": list(changes)}, how=how)


ruleset_change("append a rule", change("append", rule=PLAIN))
ruleset_change("append the first rule of a chain", change("append", "raw", "PREROUTING", rule=PLAIN), how=exercise_amid_traffic)
ruleset_change("append a rule with a new list", change("append", rule=NEW_LIST), how=exercise_amid_traffic)
ruleset_change("append a rule with every kind of match", change("append", "raw", "PREROUTING", rule=PORTS))
ruleset_change("append a rule that needs longer entries", change("append", rule=recent("bare", "check", hits=60)))
ruleset_change("insert a rule", change("insert", position=2, rule=DATAGRAM))
ruleset_change("delete a rule by position", change("delete", position=2))
ruleset_change("delete a rule by what it says", change("delete", rule=USES_KEPT))
ruleset_change("flush a chain", change("flush"))
ruleset_change("flush a table", change("flush", chain=None))
ruleset_change("set a policy", change("policy", "raw", "PREROUTING", policy="drop"))
ruleset_change("zero a chain", change("zero"))
ruleset_change("zero a table", change("zero", chain=None))
ruleset_change("replace a rule", change("replace", position=2, rule=PORTS))
ruleset_change("create a chain", change("new-chain", chain="own"))
ruleset_change("create a chain and jump to it", change("new-chain", chain="own"),
               change("append", chain="own", rule=DATAGRAM), change("append", rule={"target": {"goto": "own"}}))
ruleset_change("rename a chain", change("rename-chain", chain="called", **{"new-name": "renamed"}))
ruleset_change("delete a chain", change("delete-chain", chain="spare"))
ruleset_change("append a rule with every further match", change("append", rule=MATCHES))
ruleset_change("append a rule that writes to the log", change("append", rule=PING))
ruleset_change("mark packets", change("append", rule={"target": {"mark": {"value": 1}}}))
ruleset_change("keep packets untracked", change("append", "raw", "PREROUTING", rule={"target": {"notrack": True}}))
ruleset_change("redirect connections", change("append", "nat", "PREROUTING", rule={
    "protocol": 6, "target": {"redirect": {"port-first": 8080}}}), how=exercise_amid_traffic)
ruleset_change("translate connections", change("append", "nat", "POSTROUTING", rule={
    "protocol": 6, "target": {"snat": {"port-first": 8080, "port-last": 8090}}}), how=exercise_amid_traffic)
exercised("append a rule with a file of hosts", "ruleset-change", {
    "hosts": {"file": "/etc/hosts", "names": HOSTS},
    "change": [change("append", rule={"protocol": 6, "match": {"tls": {"hosts-file": "/etc/hosts"}}})]})
ruleset_change("answer handshakes", change("append", "raw", "PREROUTING", rule=PROXY), how=exercise_amid_traffic)
ruleset_change("answer handshakes behind connection tracking", change("append", rule=CLASSIC_PROXY))
ruleset_change("answer the first handshakes of a namespace", change("append", "raw", "PREROUTING", rule=PROXY),
               how=exercise_anew)
exercised("dump the servers behind SYNPROXY", "server-get", dump=True)
ruleset_change("many changes at once", change("flush", chain=None), change("append", rule=PORTS),
               change("append", "raw", "PREROUTING", rule=NEW_LIST), change("insert", rule=PLAIN),
               change("insert", position=2, rule=recent("newest", "remove")), change("delete", position=1),
               change("append", rule=recent("bare", "update", hits=50)), change("policy", policy="drop"))
exercised("create a list", "list-create", {"name": "made", "size": 100, "hits": 5, "timeout": 60000})
exercised("create a large list", "list-create", {"name": "made", "size": MAX_ENTRIES, "hits": 3000}, how=exercise_amid_traffic)
exercised("destroy a list", "list-destroy", {"name": "bare"}, how=exercise_amid_traffic)
exercised("flush a list", "list-flush", {"name": "kept"})
exercised("read a list", "list-get", {"name": "kept"})
exercised("dump the lists", "list-get", dump=True)
exercised("dump the chains", "chain-get", dump=True)
exercised("dump the rules", "rule-get", dump=True)
exercised("dump a list's entries", "entry-get", {"name": "kept"}, dump=True)
exercised("add an entry", "entry-add", {"name": "bare", "entry": entries(ADDRESSES[0])})
exercised("add entries to a list", "entry-add", {"name": "kept", "entry": entries(*ADDRESSES)})
exercised("add entries that need memory each", "entry-add", {"name": "wide", "entry": entries(*ADDRESSES[1:])})
exercised("delete entries", "entry-delete", {"name": "kept", "entry": entries(*ADDRESSES[:2])})
ruleset_change("tell of a rule with a new list", change("append", rule=NEW_LIST), how=exercise_heard)
exercised("tell of a list", "list-create", {"name": "made", "size": 100}, how=exercise_heard)
exercised("tell of other settings", "list-set", {"name": "kept", "timeout": 60000}, how=exercise_heard)
exercised("tell of a list that is destroyed", "list-destroy", {"name": "bare"}, how=exercise_heard)
exercised("tell of entries", "entry-add", {"name": "kept", "entry": entries(*ADDRESSES)}, how=exercise_heard)
exercised("tell of deleted entries", "entry-delete", {"name": "kept", "entry": entries(*ADDRESSES[:2])}, how=exercise_heard)


def aside(action):
    """The result of an action that runs in a process of its own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        try:
            own_memory()
            done = action()
        except BaseException:
            done = 0, 0, traceback.format_exc().splitlines()
        theirs.send(json.dumps(done).encode())
        os._exit(0)
    theirs.close()
    done = ours.recv(1 << 18)
    ours.close()
    os.waitpid(pid, 0)
    return json.loads(done) if done else (0, 0, ["the process that exercised this ended early"])


def meet_servers(namespace):
    """Lets SYNPROXY learn of some servers, by SYNs that come in from a tap device."""
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", b"tap0", IFF_TAP | IFF_NO_PI))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("=16sH14x", b"tap0", IFF_UP))
    namespace.change(encode(OPERATIONS["ruleset-change"]["attribute-set"], {
        "change": [change("append", "raw", "PREROUTING", rule=PROXY)]}))
    for number in range(1, 6):
        source, server = bytes([192, 0, 2, 1]), bytes([198, 51, 100, number])
        segment = checked_tcp(source, server, tcp(1024, 80, 2))
        packet = ipv4(TCP, segment, source=source, destination=server)
        os.write(tap, b"\xff" * 6 + CLIENT_MAC + struct.pack("!H", IPV4) + packet)
    found = len(namespace.client.ask("server-get", dump=True))
    if found != 5:
        raise OSError(errno.ENOENT, f"SYNPROXY knows {found} servers instead of 5")
    # The servers stay known without the tap and without the rule.
    os.close(tap)


def exercise_some(numbers, results):
    """Exercises the operations whose numbers come out of the pipe, until it is empty."""
    own_memory()
    os.unshare(os.CLONE_NEWNET)
    namespace = Namespace()
    meet_servers(namespace)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    while number := os.read(numbers, 1):
        began = time.monotonic()
        _, how, *what = EXERCISES[number[0]]
        try:
            # exercise_anew changes the network namespace, and this process has to stay in that with its servers.
            do = functools.partial(how, namespace, *what)
            done = aside(do) if how is exercise_anew else do()
        except Exception:
            done = 0, 0, traceback.format_exc().splitlines()
        results.send(json.dumps([number[0], *done, time.monotonic() - began]).encode())


def exercise_all():
    """Exercises all operations, on all CPUs, and reports them in order."""
    # Whichever process is free reads the next number.
    numbers, fill = os.pipe()
    os.write(fill, bytes(range(len(EXERCISES))))
    os.close(fill)
    # Unlike a pipe, this keeps the boundaries of messages.
    results, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    children = []
    for _ in range(os.cpu_count()):
        pid = os.fork()
        if pid == 0:
            try:
                exercise_some(numbers, theirs)
            except BaseException:
                traceback.print_exc()
            os._exit(0)
        children.append(pid)
    theirs.close()
    os.close(numbers)
    done = {}
    reported = 0
    while message := results.recv(1 << 18):
        number, *outcome = json.loads(message)
        done[number] = outcome
        while reported in done:
            report_exercise(reported, done[reported])
            reported += 1
    for pid in children:
        os.waitpid(pid, 0)
    for number in range(reported, len(EXERCISES)):
        report_exercise(number, done.get(number, (0, 0, ["the process that exercised this ended"], 0)))


def report_exercise(number, outcome):
    allocations, refusals, wrong, seconds = outcome
    report.check(EXERCISES[number][0], not wrong and allocations > 0, f"{allocations} allocations", *wrong)
    print(f"# {allocations} allocations, {refusals} of which were reported as errors, {seconds:.1f} s", flush=True)


# Resolves the family before anything fails.
Client().socket.close()
began = time.monotonic()
exercise_all()
print(f"# netlink operations: {time.monotonic() - began:.0f} s", flush=True)


@contextlib.contextmanager
def only_the_module():
    """Restricts faults to calls with the module's code on the stack.

    Creating a network namespace or loading a module takes a thousand allocations elsewhere, which are not tested here.
    Code beyond the kernel's own text is a module's, and this kernel has no other module.
    """
    end = next(line.split()[0] for line in open("/proc/kallsyms") if line.endswith(" _etext\n"))
    strike("0x" + end, "0xffffffffff000000")
    try:
        yield
    finally:
        strike()


def in_child(action):
    """Runs an action in a process of its own. Returns its error number."""
    pid = os.fork()
    if pid == 0:
        status = 255
        try:
            status = action()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


INJECTED = 128


def until_none_fails(description, action, check_after):
    """As `exercise`, for an action that raises OSError, in a new process for each attempt."""
    def run(nth):
        error = 0
        with Fault(nth) as fault:
            try:
                action()
            except OSError as failure:
                error = failure.errno
        return error + (INJECTED if fault.injected else 0)

    wrong = []
    for nth in range(1, MOST):
        status = in_child(lambda: run(nth))
        injected, error = status & INJECTED, status & ~INJECTED
        where = f"allocation {nth}: {os.strerror(error) if error else 'success'}"
        if error and not (injected and error in CLEAN):
            wrong.append(where)
        wrong += [f"{where}, but {complaint}" for complaint in check_after(error)]
        if not injected or len(wrong) > 5:
            break
    report.check(description, not wrong and nth > 1, f"{nth - 1} allocations", *wrong)
    print(f"# {nth - 1} allocations of the module", flush=True)


def unshare():
    os.unshare(os.CLONE_NEWNET)


def loaded():
    return any(line.startswith("palisade ") for line in open("/proc/modules"))


def load():
    file = os.open(MODULE, os.O_RDONLY)
    if LIBRARY.syscall(ctypes.c_long(FINIT_MODULE), ctypes.c_int(file), b"", ctypes.c_int(0)):
        raise OSError(ctypes.get_errno(), "finit_module")


def after_load(error):
    if loaded() != (error == 0):
        yield "the module is loaded" if error else "the module is not loaded"
    if loaded():
        subprocess.run(["rmmod", "palisade"], check=True)


FINIT_MODULE = {"x86_64": 313}.get(os.uname().machine, 273)
MODULE = subprocess.run(["modinfo", "-n", "palisade"], capture_output=True, text=True).stdout.strip()

if not (DEBUG / "failslab/require-start").exists():
    for description in "start a network namespace", "load the module":
        report.skip(description, "needs CONFIG_FAULT_INJECTION_STACKTRACE_FILTER")
else:
    with only_the_module():
        until_none_fails("start a network namespace", unshare, lambda error: [])
        subprocess.run(["rmmod", "palisade"], check=True)
        until_none_fails("load the module", load, after_load)
if loaded():
    subprocess.run(["rmmod", "palisade"], check=True)
subprocess.run(["modprobe", "palisade"], check=True)


def leaks():
    """The module's objects that kmemleak reports."""
    leak_file = DEBUG / "kmemleak"
    # kmemleak reports an object that is a few seconds old and that two scans did not find.
    time.sleep(6)
    for _ in range(2):
        leak_file.write_text("scan")
    objects = leak_file.read_text().split("unreferenced object")
    return [one for one in objects if "[palisade]" in one or "palisade_" in one]


if (DEBUG / "kmemleak").exists():
    found = leaks()
    report.check("nothing leaked", not found, *"".join(found[:3]).splitlines())
else:
    report.skip("nothing leaked", "needs the debug kernel")
report.finish()
