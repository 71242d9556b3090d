# SPDX-License-Identifier: GPL-2.0
"""What an entry of a list takes up."""
import re
import time

from measuring import say

ENTRIES = 65536


def memory_in_use():
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


def measure_memory(subject, hits):
    """Bytes an entry of a full list, all that the list takes up included."""
    say(f"memory: {subject.name}, hits {hits}")
    before, caches = memory_in_use()
    subject.create_list("known", ENTRIES, hits)
    subject.load("set-new")
    subject.send(0, ENTRIES, ENTRIES)
    after, caches_after = memory_in_use()
    subject.remove_list("known")
    parts = {name: (after[name] - before[name]) / ENTRIES for name in before}
    grown = {name: size for name, (count, size) in caches_after.items()
             if count - caches.get(name, (0, 0))[0] >= ENTRIES // 2}
    return {"bytes": sum(parts.values()), "parts": parts, "objects": grown}
