#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Plays the scripts of packetdrill to sockets behind SYNPROXY: those of the folder that the first argument names.

The others are patterns of names, or IP versions of packetdrill (ipv4 by default). Only scripts that listen are played. Their
names are as in the kernel's source (tools/testing/selftests/net/packetdrill): what is in a folder, as in that of packetdrill
itself (gtests/net), has the name of the folder before its own.

packetdrill is the client and the network, at the other end of a tun device:

    +------------------------------------------+          +------------------------------+
    |      a namespace for each script         |          |         packetdrill          |
    |                                          |          |                              |
    |  socket   (rules, SYNPROXY)        tun0 -+----------+-  the script's client        |
    |                            192.168.0.1   |          |   192.0.2.1                  |
    +------------------------------------------+          +------------------------------+

A script that passes as it is, without a proxy, has to pass with Palisade once it is adapted to what SYN cookies cannot
carry (`adapt`), unless the file `exceptions` says why it does not. Adapted, it has to pass without a proxy as well. How the
kernel's own SYN cookies and SYNPROXY of iptables fare is only told.
"""

import fnmatch
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "selftests/lib"))

from genetlink import Report

# Programs do not run from folders of the host (tests/vm/guest/init).
PROGRAM, BUILT = pathlib.Path("/run/packetdrill"), HERE.parents[1] / "build/packetdrill/packetdrill"
WORK, LOGS = pathlib.Path("/tmp/packetdrill"), pathlib.Path("/out/packetdrill")
PORT = 8080
# Seconds of the VM's clock that a script may take.
PATIENCE = 300
# As ksft_runner.sh of the kernel has it for slow machines, in microseconds: the scripts are for HZ=1000, Debian's kernels have 250.
TOLERANCE = 14000

CLIENT, GATEWAY = "192.0.2.1", "192.168.0.1"
# The same file has these for each IP version, and run_all.py of packetdrill.
IPV4 = f"--local_ip=192.168.0.1 --gateway_ip={GATEWAY} --netmask_ip=255.255.0.0 --remote_ip={CLIENT} " \
    "-D TFO_COOKIE=3021b9d889017eeb -D TFO_COOKIE_ZERO=b7c12350a90dc8f5 -D CODE=host_unreachable"
VERSIONS = {
    "ipv4": f"{IPV4} -D CMSG_LEVEL_IP=SOL_IP -D CMSG_TYPE_RECVERR=IP_RECVERR",
    "ipv4-mapped-ipv6": f"{IPV4} -D CMSG_LEVEL_IP=SOL_IPV6 -D CMSG_TYPE_RECVERR=IPV6_RECVERR",
    "ipv6": "--mtu=1520 --local_ip=fd3d:0a0b:17d6::1 --gateway_ip=fd3d:0a0b:17d6:8888::1 --remote_ip=fd3d:fa7b:d17d::1 "
            "-D TFO_COOKIE=c1d1e9742a47a9bc -D TFO_COOKIE_ZERO=82af1a8f9a205c34 "
            "-D CMSG_LEVEL_IP=SOL_IPV6 -D CMSG_TYPE_RECVERR=IPV6_RECVERR",
}

IPTABLES = "".join(f"""
{command} -t raw -A PREROUTING -p tcp --dport {PORT} --syn -j CT --notrack
{command} -A INPUT -p tcp --dport {PORT} -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY \\
    --sack-perm --timestamp --mss 1460 --wscale 8
{command} -A INPUT -m conntrack --ctstate INVALID -j DROP""" for command in ("iptables", "ip6tables"))
NONE, COOKIES, KERNEL, PALISADE = "none", "the kernel's SYN cookies", "iptables", "Palisade"
# What is added to defaults.sh, which all scripts begin with: for a script with small segments, and for a subject.
ROUTE = f'[ $# = 0 ] || ip route replace {CLIENT} via {GATEWAY} dev tun0 mtu $(($1 + 40)) advmss 1460'
SUBJECTS = {
    NONE: "",
    COOKIES: "sysctl -q net.ipv4.tcp_syncookies=2",
    # It sends the server's SYN from here, over lo.
    KERNEL: f"ip link set lo up{IPTABLES}\nsysctl -q net.netfilter.nf_conntrack_tcp_loose=0",
    PALISADE: f"palisade -t raw -A PREROUTING -p tcp --dport {PORT} -j SYNPROXY",
}

# Twenty programs for as many settings would take most of the time in an emulated VM.
SETTING = '''sysctl() {
	local setting name
	for setting in "${@:2}"; do
		name=${setting%%=*}
		echo "${setting#*=}" >"/proc/sys/${name//.//}"
	done
}
'''

# A packet in a script: when, which way, its flags, and the rest.
PACKET = re.compile(r"^\s*[-+0-9.~*]+\s+(?P<way>[<>])\s+(?:\[\w+\]\s+)?(?P<flags>[SFRPEWUA.0-9]+)\s(?P<rest>.*)$")
MSS = re.compile(r"\bmss (\d+)")
# The segment sizes that all kinds of cookies have, and the largest of them.
COMMON, LARGEST = {536, 1300, 1440, 1460}, 1460
# What Palisade tells clients without timestamps, as nothing else could bring another one back.
SCALE = "wscale 8"


def adapt(lines, subject, version):
    """A script for servers that remember nothing of a SYN.

    The MSS of a client is rounded down to one of a few, and most of the scripts' clients have 1000, which is none of them.
    These say 1460 instead, and the server's segments are as small as before by the MTU of the route, which says by its
    `advmss` that servers announce what they do otherwise. Palisade does not announce more than the MTU takes.

    A client that scales windows and has no timestamps is always told a scale of 8 by Palisade. Windows that the script has
    in other units are not compared then, unless they are 0.

    Without timestamps, the kernel's cookies and SYNPROXY of iptables announce a segment size alone: what they announce is
    not compared.

    SYNPROXY of iptables tells of a window of 0, and opens it by an ACK of its own.
    """
    sizes = {int(size) for size in re.findall(r"^.*<\s+(?:\[\w+\]\s+)?S.*\bmss (\d+)", "".join(lines), re.MULTILINE)}
    small = min(sizes - COMMON, default=LARGEST)
    is_narrow = version != "ipv6" and small < LARGEST
    opening, has_timestamps, has_other_scale = False, False, False
    for line in lines:
        packet = PACKET.match(line)
        inbound = packet and packet["way"] == "<"
        is_syn = packet and packet["flags"].startswith("S")
        if is_narrow:
            line = line.replace("/defaults.sh", f"/defaults.sh {small}")
        if is_syn and inbound:
            has_timestamps = "TS val" in line
            if is_narrow:
                line = MSS.sub(f"mss {LARGEST}", line)
        elif is_syn:
            opening = True
            if subject == PALISADE and is_narrow:
                line = MSS.sub(f"mss {small}", line)
            if subject in (COOKIES, KERNEL) and not has_timestamps:
                line = re.sub("<.*>", "<...>", line)
            has_other_scale = subject == PALISADE and not has_timestamps and "wscale" in line and SCALE not in line
            if has_other_scale:
                line = re.sub(r"\bwscale \d+", SCALE, line)
        elif packet and not inbound and has_other_scale:
            line = re.sub(r" win (?!0\b)\d+", "", line)
        yield line
        if inbound and opening and "." in packet["flags"] and not {"S", "R"} & set(packet["flags"]):
            opening = False
            if subject == KERNEL:
                yield "+0 > . 1:1(0) ack 1 <...>\n"


def name_of(scripts, script):
    return "_".join(script.relative_to(scripts).with_suffix("").parts)


def prepare(scripts, folder, subject, version, is_adapted):
    """Fills a folder with the scripts and what they call, for a subject."""
    shutil.copytree(scripts, folder)
    for script in folder.rglob("*.pkt") if is_adapted else ():
        script.write_text("".join(adapt(script.read_text().splitlines(keepends=True), subject, version)))
    for defaults in folder.rglob("defaults.sh"):
        first, rest = defaults.read_text().split("\n", 1)
        defaults.write_text(f"{first}\n{SETTING}{rest}\n{ROUTE}\n{SUBJECTS[subject]}\n")


def play(script, version):
    """What went wrong in a script; nothing if it passes."""
    own = re.search(r"^--ip_version=(\S+)", script.read_text(), re.MULTILINE)
    version = own[1] if own else version
    command = ["unshare", "--net", PROGRAM, f"--ip_version={version}", *VERSIONS[version].split(),
               f"--tolerance_usecs={TOLERANCE}", script.name]
    try:
        done = subprocess.run(command, cwd=script.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"it has not ended after {PATIENCE} s"
    return (done.stdout.strip() or f"exit status {done.returncode}") if done.returncode else ""


def exceptions():
    """Patterns of names of scripts that do not pass with Palisade, and why."""
    lines = (HERE / "exceptions").read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


def judge(report, what, name, found, known):
    """Reports how a script fared: what went wrong with each subject."""
    pattern = next((one for one in known if fnmatch.fnmatch(name, one)), None)
    details = [f"{one}: {line}" for one in (NONE, PALISADE) for line in found[one].splitlines()]
    if not pattern:
        report.check(what, not found[NONE] and not found[PALISADE], *details)
    elif found[PALISADE]:
        report.check(f"{what} # XFAIL {known[pattern]}", True)
    else:
        report.check(what, pattern != name, "it passes, and the file exceptions says that it does not")


def main(folder, *arguments):
    scripts = pathlib.Path(folder)
    versions = [one for one in arguments if one in VERSIONS] or ["ipv4"]
    patterns = [one for one in arguments if one not in VERSIONS] or ["*"]
    played = {name_of(scripts, one): one for one in scripts.rglob("*.pkt") if "listen(" in one.read_text()}
    names = sorted(name for name in played if any(fnmatch.fnmatch(name, pattern) for pattern in patterns))
    subprocess.run(["modprobe", "--all", "tun", "palisade"], check=True)
    shutil.copy(BUILT, PROGRAM)
    LOGS.mkdir(exist_ok=True)
    known, report = exceptions(), Report()
    for version in versions:
        folders = {subject: WORK / f"{version}-{number}" for number, subject in enumerate(SUBJECTS)}
        as_they_are = WORK / version
        prepare(scripts, as_they_are, NONE, version, False)
        for subject, one in folders.items():
            prepare(scripts, one, subject, version, True)
        passed = dict.fromkeys(SUBJECTS, 0)
        total = 0
        for name in names:
            script = played[name].relative_to(scripts)
            trouble = play(as_they_are / script, version)
            if trouble:
                print(f"# {name} fails without a proxy: {trouble.splitlines()[0]}", flush=True)
                continue
            total += 1
            found = {subject: play(one / script, version) for subject, one in folders.items()}
            for subject, trouble in found.items():
                passed[subject] += not trouble
            (LOGS / f"{version}-{name}.log").write_text(
                "".join(f"== {subject}: {trouble or 'passes'}\n" for subject, trouble in found.items()))
            others = ", ".join(f"{one} {'fails' if found[one] else 'passes'}" for one in (COOKIES, KERNEL))
            judge(report, f"{version} {name}: {others}", name, found, known)
        counts = ", ".join(f"{passed[one]} with {one}" for one in (COOKIES, KERNEL, PALISADE))
        print(f"# {version}: of {len(names)} scripts pass {total} without a proxy, {passed[NONE]} of them adapted, {counts}")
    report.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
