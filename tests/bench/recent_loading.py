# SPDX-License-Identifier: GPL-2.0
"""
What it takes to load many rules, and many entries of a list, from userspace: time, how much of the program is in
memory at most, and how much the kernel keeps.
"""
import os
import re
import subprocess
import tempfile
from typing import NamedTuple

from measuring import PROGRAMS, MeasuringFailed, say
from recent_memory import memory_in_use, taken
from recent_subjects import STAMPS, Ipset, Iptables, IptablesNft, Nftables, Palisade

RULES = 10000
CHECKS = 16         # parts of a list that are looked at, and packets for each
CHECKED = 1024
ENTRIES = 1000000
FEW = 10            # what is loaded before, so that all programs have been read


class Entering(NamedTuple):
    """A command that enters the addresses that its standard input has, with lines before and after them."""
    command: tuple
    line: tuple = ("", "")      # what is before and after each address
    begin: str = ""
    end: str = ""
    slow: bool = False          # packets are quicker


# The quickest that each has.
ENTERING = {
    "palisade": Entering(("palisade", "list", "add", "known", "-")),
    "iptables": Entering((f"{PROGRAMS}/xt_recent_write", "/proc/net/xt_recent/known"), ("+", "")),
    "nftables": Entering(("nft", "-f", "-"), ("", ","), "add element ip bench known {{\n", "}\n",
                         slow=True),
    # It asks the kernel about the set for each address, if it has not made it itself.
    "ipset": Entering(("ipset", "restore"), ("add known ", ""), "{made} -exist\n", slow=True),
}


def timed(subject, command, source):
    """What a command took that reads a file: time, that of a CPU, and the bytes of it that were in memory at most."""
    source.seek(0)
    done = subprocess.run(["ip", "netns", "exec", subject.name, f"{PROGRAMS}/timed", *command],
                          stdin=source, capture_output=True, text=True)
    if done.returncode:
        raise MeasuringFailed(f"{subject.name}: {' '.join(command)}: {done.stderr.strip()[:200]}")
    return dict(zip(("time", "work", "resident"), map(int, done.stdout.split())))


def load_rules(subject, count):
    """In place of those that are there."""
    with tempfile.TemporaryFile("w+") as source:
        source.write(subject.restore_text(subject.rules("rules-address", count)))
        source.flush()
        before = memory_in_use()
        sample = timed(subject, subject.RESTORE, source)
        sample["kept"] = taken(before, memory_in_use(), 1)["bytes"]
    listed = len(re.findall(r"198\.18\..* accept\b", subject.on(*subject.SHOW), re.IGNORECASE))
    if listed != count:
        raise MeasuringFailed(f"{subject.name}: {listed} of {count} rules are there")
    # A packet meets all of them, and the last one drops it.
    subject.send(0, 1, 1)
    return sample


def enter(subject, first, count):
    """Enters so many addresses from that number on into the list."""
    entering = ENTERING[subject.name]
    with tempfile.TemporaryFile("w+") as source:
        source.write(entering.begin.format(made=subject.made.removeprefix("ipset ")))
        source.flush()
        subprocess.run([f"{PROGRAMS}/addresses", str(first), str(count), *entering.line], stdout=source, check=True)
        source.seek(0, os.SEEK_END)
        source.write(entering.end)
        source.flush()
        return timed(subject, entering.command, source)


def enter_many(subject, count):
    """The first so many addresses, by what is quicker; not all in one go, for which there might not be the memory."""
    if ENTERING[subject.name].slow:
        subject.load("set-new")
        subject.send(0, count, count)
        return
    for first in range(0, count, ENTRIES):
        enter(subject, first, min(ENTRIES, count - first))


def check_entries(subject, count):
    """Packets from some addresses of each part of the list, all of which the rule has to drop."""
    if subject.entries("known") not in (None, count):
        raise MeasuringFailed(f"{subject.name}: the list has {subject.entries('known')} entries, not {count}")
    subject.load("listed")
    some = min(CHECKED, count)
    for first in range(0, count - some + 1, max((count - some) // CHECKS, 1)):
        subject.send(first, some, some)


def load_entries(subject, count):
    """Into an empty list that is large enough."""
    before = memory_in_use()
    subject.create_list("known", count, STAMPS)
    sample = enter(subject, 0, count)
    sample["kept"] = taken(before, memory_in_use(), 1)["bytes"]
    check_entries(subject, count)
    subject.remove_list("known")
    return sample


def measure(kinds, count, load):
    """What loading so many took, after a few."""
    subjects = [kind() for kind in kinds]
    samples = {}
    for subject in subjects:
        load(subject, FEW)
        samples[subject.name] = load(subject, count)
        say(f"    {subject.name}: {samples[subject.name]}")
        subject.end()
    return {"count": count, "samples": samples}


def measure_loading():
    say(f"loading {RULES:,} rules and {ENTRIES:,} entries")
    return {"entries": measure((Iptables, Nftables, Ipset, Palisade), ENTRIES, load_entries),
            "rules": measure((Iptables, IptablesNft, Nftables, Palisade), RULES, load_rules)}
