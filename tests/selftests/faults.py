#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every allocation of every operation fails once: the error is clean, and nothing changed and nothing leaked.

An operation is repeated with its first allocation failing, then its second, and so on, until a pass needs no
further one. What fails is chosen by /proc/thread-self/fail-nth (Documentation/fault-injection in the kernel).
"""

import contextlib
import ctypes
import errno
import os
import pathlib
import subprocess
import time

from genetlink import Client, OPERATIONS, Refused, Report, decode

DEBUG = pathlib.Path("/sys/kernel/debug")
report = Report()

if not pathlib.Path("/proc/self/fail-nth").exists():
    report.skip("allocations that fail", "needs the debug kernel")
    report.finish()

for kind in "failslab", "fail_page_alloc":
    # Allocations that may sleep fail, too, and the log is not filled with what is intended.
    (DEBUG / kind / "ignore-gfp-wait").write_text("N")
    (DEBUG / kind / "verbose").write_text("0")
(DEBUG / "fail_page_alloc/min-order").write_text("0")

CLEAN = (errno.ENOMEM, errno.ENOBUFS)
# More than any operation allocates, so that what hangs in a loop is noticed.
MOST = 5000


class Fault:
    """Makes the nth allocation of this thread fail, and tells whether there was an nth."""

    def __init__(self, nth):
        self.nth = nth
        self.injected = False

    def __enter__(self):
        self.file = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
        os.pwrite(self.file, b"%d" % self.nth, 0)
        return self

    def __exit__(self, *_):
        self.injected = int(os.pread(self.file, 20, 0).strip(b"\n\0") or 0) == 0
        os.pwrite(self.file, b"0", 0)
        os.close(self.file)


# The configuration that every operation starts from.

ADDRESSES = [bytes([192, 0, 2, number]) for number in range(1, 6)]


def entries(*addresses):
    return [{"address": address} for address in addresses]


def change(kind, table="filter", chain="INPUT", **more):
    named = {} if chain is None else {"chain-name": chain}
    return {"kind": kind, "table": table} | named | more


def recent(name, operation="set", **more):
    return {"match": {"recent": {"name": name, "operation": operation} | more}}


PLAIN = {"protocol": 1, "target": {"verdict": "return"}}
USES_KEPT = recent("kept", "update", hits=3, seconds=10)
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
              {"string": {"pattern": b"needle", "algorithm": "kmp"}}, {"mark": {"value": 1, "mask": 1}},
              {"multiport": {"ports-of": "destination", "range": [{"first": 80}, {"first": 8000, "last": 8010}]}},
              {"comment": "what this is for"}],
}
PING = {"family": "ipv4", "protocol": 1, "match": {"icmp": {"type": 8}}, "target": {"log": {"level": 4, "prefix": "ping "}}}
BASE_RULES = [change("append", rule=PLAIN), change("append", rule=USES_KEPT), change("append", rule=DATAGRAM),
              change("new-chain", chain="spare"), change("new-chain", chain="called"),
              change("append", chain="called", rule=PLAIN), change("append", "filter", "OUTPUT", rule={"target": {"jump": "called"}})]
EMPTY = [change(kind, table, None) for table in ("raw", "filter", "nat") for kind in ("flush", "delete-chain")]
EMPTY += [change("policy", table, chain, policy="accept") for table, chain in (("raw", "PREROUTING"), ("filter", "INPUT"))]

# What packets and time change, too.
VOLATILE = {"packets", "bytes", "age", "refused", "evicted", "expired"}


def stable(decoded):
    return tuple((name, stable(value) if isinstance(value, list) else value)
                 for name, value in decoded if name not in VOLATILE)


def snapshot():
    with Client() as client:
        lists = [stable(one) for one in client.ask("list-get", dump=True)]
        return {
            "chains": [stable(one) for one in client.ask("chain-get", dump=True)],
            "rules": [stable(one) for one in client.ask("rule-get", dump=True)],
            "lists": sorted(lists),
            "entries": {dict(one)["name"]: tuple(sorted(
                stable(entry) for entry in client.ask("entry-get", {"name": dict(one)["name"]}, dump=True)))
                for one in lists},
        }


def restore():
    with Client() as client:
        client.ask("ruleset-change", {"change": EMPTY})
        for one in client.ask("list-get", dump=True):
            client.ask("list-destroy", {"name": dict(one)["name"]})
        for name, (settings, addresses) in LISTS.items():
            client.ask("list-create", {"name": name} | settings)
            if addresses:
                client.ask("entry-add", {"name": name, "entry": entries(*addresses)})
        client.ask("ruleset-change", {"change": BASE_RULES})


def attempt(operation, values, dump, nth=None):
    """Sends a request: its error, whether it is certain that nothing happened, the answer, whether there was a fault."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(Client(timeout=0))
        request = client.request(operation, values, dump)
        fault = stack.enter_context(Fault(nth)) if nth else None
        error, certain, answer = 0, True, []
        try:
            client.socket.send(request)
            answer = client.answers()
        except Refused as refused:
            error = refused.errno
        except BlockingIOError:
            # The answer itself was lost.
            error, certain = errno.ENOBUFS, False
        except OSError as lost:
            error, certain = lost.errno, False
    decoded = [stable(decode(OPERATIONS[operation]["attribute-set"], payload)) for payload in answer]
    return error, certain, decoded, fault is not None and fault.injected


def difference(one, other):
    def items(part):
        return set(part.items() if isinstance(part, dict) else part)

    return "; ".join(f"{name}: {sorted(items(one[name]) - items(other[name]))} instead of "
                     f"{sorted(items(other[name]) - items(one[name]))}"
                     for name in one if one[name] != other[name])[:600]


def exercise(description, operation, values=None, dump=False):
    """Runs an operation with each of its allocations failing."""
    restore()
    before = snapshot()
    error, _, expected, _ = attempt(operation, values, dump)
    if error:
        report.check(description, False, f"without any fault: {os.strerror(error)}")
        return
    after = snapshot()
    if before != after:
        restore()
    wrong, refusals = [], 0
    for nth in range(1, MOST):
        error, certain, answer, injected = attempt(operation, values, dump, nth)
        now = snapshot()
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
            restore()
        if not injected or len(wrong) > 5:
            break
    else:
        wrong.append(f"more than {MOST} allocations")
    report.check(description, not wrong and nth > 1, f"{nth - 1} allocations", *wrong)
    print(f"# {nth - 1} allocations, {refusals} of which were reported as errors", flush=True)


def ruleset_change(description, *changes):
    exercise(description, "ruleset-change", {"change": list(changes)})


# The family number is looked up before anything fails.
Client().socket.close()
began = time.monotonic()

ruleset_change("append a rule", change("append", rule=PLAIN))
ruleset_change("append the first rule of a chain", change("append", "raw", "PREROUTING", rule=PLAIN))
ruleset_change("append a rule with a new list", change("append", rule=NEW_LIST))
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
    "protocol": 6, "target": {"redirect": {"port-first": 8080}}}))
ruleset_change("many changes at once", change("flush", chain=None), change("append", rule=PORTS),
               change("append", "raw", "PREROUTING", rule=NEW_LIST), change("insert", rule=PLAIN),
               change("insert", position=2, rule=recent("newest", "remove")), change("delete", position=1),
               change("append", rule=recent("bare", "update", hits=50)), change("policy", policy="drop"))
exercise("create a list", "list-create", {"name": "made", "size": 100, "hits": 5, "timeout": 60000})
exercise("create a large list", "list-create", {"name": "made", "size": 65536})
exercise("destroy a list", "list-destroy", {"name": "bare"})
exercise("flush a list", "list-flush", {"name": "kept"})
exercise("read a list", "list-get", {"name": "kept"})
exercise("dump the lists", "list-get", dump=True)
exercise("dump the chains", "chain-get", dump=True)
exercise("dump the rules", "rule-get", dump=True)
exercise("dump a list's entries", "entry-get", {"name": "kept"}, dump=True)
exercise("add an entry", "entry-add", {"name": "bare", "entry": entries(ADDRESSES[0])})
exercise("add entries to a list", "entry-add", {"name": "kept", "entry": entries(*ADDRESSES)})
exercise("add entries that need memory each", "entry-add", {"name": "wide", "entry": entries(*ADDRESSES[1:])})
exercise("delete entries", "entry-delete", {"name": "kept", "entry": entries(*ADDRESSES[:2])})
print(f"# netlink operations: {time.monotonic() - began:.0f} s", flush=True)

with Client() as client:
    client.ask("ruleset-change", {"change": EMPTY})
    for name in LISTS:
        client.ask("list-destroy", {"name": name})


@contextlib.contextmanager
def only_the_module():
    """Faults strike only where the module's code is on the stack.

    Starting a namespace or loading a module takes a thousand allocations of others, which are not tested here.
    Whatever lies behind the kernel's own code is a module's, and this kernel has no other.
    """
    end = next(line.split()[0] for line in open("/proc/kallsyms") if line.endswith(" _etext\n"))
    for kind in "failslab", "fail_page_alloc":
        (DEBUG / kind / "require-start").write_text("0x" + end)
        (DEBUG / kind / "require-end").write_text("0xffffffffff000000")
    try:
        yield
    finally:
        for kind in "failslab", "fail_page_alloc":
            (DEBUG / kind / "require-start").write_text("0")
            (DEBUG / kind / "require-end").write_text("0xffffffffffffffff")


def in_child(action):
    """Runs an action in a process of its own; its error number."""
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
    """As `exercise`, for what a process of its own does: `action` raises OSError."""
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
    library = ctypes.CDLL(None, use_errno=True)
    file = os.open(MODULE, os.O_RDONLY)
    if library.syscall(ctypes.c_long(FINIT_MODULE), ctypes.c_int(file), b"", ctypes.c_int(0)):
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
    subprocess.run(["modprobe", "palisade"], check=True)


def leaks():
    """What of the module nobody refers to any more."""
    leak_file = DEBUG / "kmemleak"
    # An object has to be a few seconds old to be reported, and to be missed by two scans.
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
