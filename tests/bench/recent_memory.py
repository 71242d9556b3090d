# SPDX-License-Identifier: GPL-2.0
"""What an entry of a list takes up, or a connection."""
import re
import time

from measuring import say

ENTRIES = 65536


def memory_in_use():
    """The kernel's, and how many objects of which size each of its caches has."""
    time.sleep(1)
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("2\n")
    time.sleep(1)
    with open("/proc/meminfo") as file:
        fields = dict(re.findall(r"^(\w+): +(\d+) kB$", file.read(), re.MULTILINE))
    with open("/proc/slabinfo") as file:
        rows = [line.split() for line in file.readlines()[2:]]
    caches = {row[0]: (int(row[1]), int(row[3])) for row in rows}
    return {name: int(fields[name]) * 1024 for name in ("Slab", "VmallocUsed", "Percpu")}, caches


def taken(before, after, entries):
    """
    Bytes an entry of so many that came between, by what the kernel has left and by the objects in use, and the sizes
    of the objects that each has.
    """
    parts = {name: (after[0][name] - before[0][name]) / entries for name in before[0]}
    grown = {name: size for name, (count, size) in after[1].items()
             if count - before[1].get(name, (0, 0))[0] >= entries // 2}
    in_objects = sum((count - before[1].get(name, (0, 0))[0]) * size for name, (count, size) in after[1].items())
    return {"bytes": sum(parts.values()), "parts": parts, "objects": grown, "in_objects": in_objects / entries}


def measure_memory(subject, hits):
    """Bytes an entry of a full list, all that the list takes up included."""
    say(f"memory: {subject.name}, hits {hits}")
    before = memory_in_use()
    subject.create_list("known", ENTRIES, hits)
    subject.load("set-new")
    subject.send(0, ENTRIES, ENTRIES)
    after = memory_in_use()
    subject.remove_list("known")
    return taken(before, after, ENTRIES)
