#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The netlink family refuses malformed requests, names the attribute and the reason, and changes nothing.

All of it is in the initial network namespace.
"""

import os
import pathlib
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import COMMANDS, ENUMERATIONS, NLM_F_DUMP, SETS, Client, Refused, Report, attribute, nest, string, u32

EPERM, ENOENT, EINVAL, EOPNOTSUPP, ERANGE = 1, 2, 22, 95, 34

report = Report()
check = report.check
client = Client()


def answer_to(command, payload, flags=0, client=client):
    """The error number, or 0, and the message of the extended ACK."""
    try:
        client.transact(command, payload, flags)
    except Refused as error:
        return error.errno, error.words
    return 0, ""


def refused(description, name, payload, error, words=""):
    answer = answer_to(COMMANDS[name], payload)
    check(description, answer[0] == error and words in answer[1], f"answer: {answer}")


def accepted(description, name, payload):
    answer = answer_to(COMMANDS[name], payload)
    check(description, answer[0] == 0, f"answer: {answer}")


RULESET, CHANGE, RULE, MATCH = SETS["ruleset"], SETS["change"], SETS["rule"], SETS["match"]
RECENT, TARGET, LIST, ENTRY = SETS["recent"], SETS["target"], SETS["list"], SETS["entry"]
TCP, ADDRTYPE, TLS = SETS["tcp"], SETS["addrtype"], SETS["tls"]
APPEND, FLUSH, FILTER, DROP = 1, 4, 2, 2


def change(*inner):
    return nest(RULESET["change"], *inner)


def append(*rule):
    return change(u32(CHANGE["kind"], APPEND), u32(CHANGE["table"], FILTER),
                  string(CHANGE["chain-name"], "INPUT"), nest(CHANGE["rule"], *rule))


def recent(*inner):
    return nest(RULE["match"], nest(MATCH["recent"], *inner))


def rules():
    return subprocess.run(["palisade", "-S"], capture_output=True, text=True).stdout


subprocess.run(["palisade", "-F"], check=True)
accepted("a rule is appended", "ruleset-change",
         append(attribute(RULE["protocol"], b"\1"), nest(RULE["target"], u32(TARGET["verdict"], DROP))))
before = rules()
check("and is in the ruleset", "-p icmp -j DROP" in before or "-j DROP" in before, before)

refused("an unknown command", "entry-delete", b"", EINVAL, "name")
answer = answer_to(200, b"")
check("a command number that does not exist", answer[0] == EOPNOTSUPP, f"answer: {answer}")
refused("an attribute that the operation does not take", "list-get", u32(LIST["size"], 5), EINVAL)
refused("an attribute that no operation takes", "list-get", u32(99, 5), EINVAL)
refused("a nest without NLA_F_NESTED", "ruleset-change",
        attribute(RULESET["change"], u32(CHANGE["kind"], APPEND)), EINVAL)
refused("an integer of the wrong size", "ruleset-change",
        change(attribute(CHANGE["kind"], b"\1")), EINVAL, "length")
refused("an unknown kind of change", "ruleset-change", change(u32(CHANGE["kind"], 77)), ERANGE)
refused("a change without kind", "ruleset-change", change(), EINVAL, "kind")
refused("a change without table", "ruleset-change", change(u32(CHANGE["kind"], FLUSH)), EINVAL, "table")
refused("a chain that does not exist", "ruleset-change",
        change(u32(CHANGE["kind"], FLUSH), u32(CHANGE["table"], FILTER), string(CHANGE["chain-name"], "X")),
        ENOENT, "chain")
NEW_CHAIN, RAW = ENUMERATIONS["change-kind"]["new-chain"], ENUMERATIONS["table"]["raw"]
refused("a new chain with the name of another table's built-in chain", "ruleset-change",
        change(u32(CHANGE["kind"], NEW_CHAIN), u32(CHANGE["table"], RAW), string(CHANGE["chain-name"], "FORWARD")),
        EINVAL, "built-in")
refused("a name that is too long", "ruleset-change",
        change(u32(CHANGE["kind"], FLUSH), u32(CHANGE["table"], FILTER), string(CHANGE["chain-name"], "X" * 40)),
        EINVAL, "policy")
refused("a name without its NUL", "list-get", attribute(LIST["name"], b"abcd"), EINVAL)
refused("an empty name", "list-get", string(LIST["name"], ""), EINVAL, "empty")
refused("a list that does not exist", "list-get", string(LIST["name"], "none"), ENOENT, "no such list")
refused("an address of 5 bytes", "ruleset-change", append(attribute(RULE["source"], bytes(5))), EINVAL, "4 or 16")
refused("an address of 20 bytes", "ruleset-change", append(attribute(RULE["source"], bytes(20))), ERANGE)
refused("a mask of another length than its address", "ruleset-change",
        append(attribute(RULE["source"], bytes(4)), attribute(RULE["source-mask"], bytes(16))), EINVAL, "mask")
refused("a mask without address", "ruleset-change", append(attribute(RULE["source-mask"], bytes(4))), EINVAL, "mask")
refused("addresses of different families", "ruleset-change",
        append(attribute(RULE["source"], bytes(4)), attribute(RULE["destination"], bytes(16))), EINVAL, "family")
refused("a family between 4 and 6", "ruleset-change", append(u32(RULE["family"], 5)), EINVAL, "4 or 6")
refused("an empty match", "ruleset-change", append(nest(RULE["match"])), EINVAL, "exactly one")
refused("a match with two types", "ruleset-change",
        append(nest(RULE["match"], nest(MATCH["tcp"]), nest(MATCH["udp"]))), EINVAL, "exactly one")
refused("ports without protocol", "ruleset-change", append(nest(RULE["match"], nest(MATCH["tcp"]))), EINVAL, "protocol")
refused("a tls match without protocol", "ruleset-change", append(nest(RULE["match"], nest(MATCH["tls"]))), EINVAL, "TCP")
refused("an http match for another protocol", "ruleset-change",
        append(attribute(RULE["protocol"], b"\x11"), nest(RULE["match"], nest(MATCH["http"]))), EINVAL, "TCP")
refused("an empty pattern", "ruleset-change",
        append(attribute(RULE["protocol"], b"\6"), nest(RULE["match"], nest(MATCH["tls"], string(TLS["host"], "")))),
        EINVAL, "empty")
refused("an inversion without a pattern", "ruleset-change",
        append(attribute(RULE["protocol"], b"\6"), nest(RULE["match"], nest(MATCH["tls"], attribute(TLS["alpn-invert"])))),
        EINVAL, "invert")
HOSTS, NAMED = SETS["hosts"], append(
    attribute(RULE["protocol"], b"\6"), nest(RULE["match"], nest(MATCH["tls"], string(TLS["hosts-file"], "a"))))


def hosts(file, names):
    return nest(RULESET["hosts"], string(HOSTS["file"], file), attribute(HOSTS["names"], names))


refused("a file without names", "ruleset-change", NAMED, EINVAL, "missing")
refused("the names of another file", "ruleset-change", hosts("b", b"b\n") + NAMED, EINVAL, "missing")
refused("the names of an earlier change", "ruleset-change", hosts("a", b"a\n") + NAMED + NAMED, EINVAL, "missing")
refused("a name of 256 bytes", "ruleset-change", hosts("a", b"b\n") + hosts("a", bytes([97] * 256)) + NAMED, EINVAL, "255")
refused("65,537 names", "ruleset-change", hosts("a", b"a\n" * 32000) * 3 + NAMED, EINVAL, "65536")
refused("a range of ports that ends before it starts", "ruleset-change",
        append(attribute(RULE["protocol"], b"\6"),
               nest(RULE["match"], nest(MATCH["tcp"], attribute(TCP["source-first"], b"\2\0"),
                                        attribute(TCP["source-last"], b"\1\0")))), EINVAL, "port")
refused("flags that are set but not in the mask", "ruleset-change",
        append(attribute(RULE["protocol"], b"\6"),
               nest(RULE["match"], nest(MATCH["tcp"], attribute(TCP["flags-mask"], b"\1"),
                                        attribute(TCP["flags-set"], b"\2")))), EINVAL, "flags")
def addrtype(*inner):
    return nest(RULE["match"], nest(MATCH["addrtype"], *inner))


refused("an addrtype match without types", "ruleset-change", append(addrtype()), EINVAL, "types")
refused("no types, inverted", "ruleset-change", append(addrtype(attribute(ADDRTYPE["source-invert"], b""))), EINVAL, "invert")
refused("an empty set of types", "ruleset-change", append(addrtype(u32(ADDRTYPE["source"], 0))), ERANGE)
refused("a type that does not exist", "ruleset-change", append(addrtype(u32(ADDRTYPE["source"], 4096))), ERANGE)
refused("addresses of the incoming and the outgoing interface", "ruleset-change",
        append(addrtype(u32(ADDRTYPE["source"], 4), attribute(ADDRTYPE["limit-iface-in"], b""),
                        attribute(ADDRTYPE["limit-iface-out"], b""))), EINVAL, "exclude")
for types, words in ((8, "BROADCAST"), (64, "BLACKHOLE"), (256, "PROHIBIT"), (512, "THROW"), (1024, "NAT"), (2048, "XRESOLVE")):
    for side in ("source", "destination"):
        refused(f"the type {words} in a rule for IPv6, of the {side}", "ruleset-change",
                append(u32(RULE["family"], 6), addrtype(u32(ADDRTYPE[side], types | 4))), EINVAL, words)
refused("a recent match without list", "ruleset-change", append(recent(u32(RECENT["operation"], 1))), EINVAL, "name")
refused("a recent match without operation", "ruleset-change", append(recent(string(RECENT["name"], "a"))),
        EINVAL, "operation")
refused("seconds with set", "ruleset-change",
        append(recent(string(RECENT["name"], "a"), u32(RECENT["operation"], 2), u32(RECENT["seconds"], 1))),
        EINVAL, "seconds")
refused("zero seconds", "ruleset-change",
        append(recent(string(RECENT["name"], "a"), u32(RECENT["operation"], 1), u32(RECENT["seconds"], 0))), ERANGE)
refused("more seconds than can be measured", "ruleset-change",
        append(recent(string(RECENT["name"], "a"), u32(RECENT["operation"], 1), u32(RECENT["seconds"], 4_000_000_000))),
        ERANGE, "seconds")
refused("an unknown verdict", "ruleset-change", append(nest(RULE["target"], u32(TARGET["verdict"], 9))), ERANGE)
refused("position 0", "ruleset-change",
        change(u32(CHANGE["kind"], 2), u32(CHANGE["table"], FILTER), string(CHANGE["chain-name"], "INPUT"),
               u32(CHANGE["position"], 0), nest(CHANGE["rule"])), ERANGE)

SYNPROXY = SETS["synproxy"]


def proxy(table, chain, *inner, protocol=b"\6"):
    rule = [attribute(RULE["protocol"], protocol)] if protocol else []
    rule.append(nest(RULE["target"], nest(TARGET["synproxy"], *inner)))
    return change(u32(CHANGE["kind"], APPEND), u32(CHANGE["table"], ENUMERATIONS["table"][table]),
                  string(CHANGE["chain-name"], chain), nest(CHANGE["rule"], *rule))


def refused_proxy(description, error, words, *inner, table="raw", chain="PREROUTING", **more):
    refused(description, "ruleset-change", proxy(table, chain, *inner, **more), error, words)


NAT, PORT = SETS["nat"], struct.pack("=H", 8000)
IPV4, IPV6 = (u32(RULE["family"], version) for version in (4, 6))
ADDRESS, LAST = attribute(NAT["address-first"], bytes((10, 0, 0, 2))), attribute(NAT["address-last"], bytes((10, 0, 0, 9)))


def translation(target, *inner, table="nat", chain="PREROUTING", rule=()):
    return change(u32(CHANGE["kind"], APPEND), u32(CHANGE["table"], ENUMERATIONS["table"][table]),
                  string(CHANGE["chain-name"], chain),
                  nest(CHANGE["rule"], *rule, nest(RULE["target"], nest(TARGET[target], *inner))))


def translations():
    return subprocess.run(["palisade", "-t", "nat", "-S"], capture_output=True, text=True).stdout


ports, of_tcp = attribute(NAT["port-first"], PORT), attribute(RULE["protocol"], b"\6")
untranslated = translations()
for target in ("dnat", "snat"):
    refused(f"{target} to nothing", "ruleset-change", translation(target), EINVAL, "missing")
for target, chain, words in (("dnat", "POSTROUTING", "PREROUTING and OUTPUT"), ("dnat", "INPUT", "PREROUTING and OUTPUT"),
                             ("snat", "PREROUTING", "INPUT and POSTROUTING"), ("snat", "OUTPUT", "INPUT and POSTROUTING")):
    refused(f"{target} in {chain}", "ruleset-change", translation(target, ADDRESS, chain=chain, rule=[IPV4]), EINVAL, words)
for target in ("dnat", "snat", "masquerade"):
    refused(f"{target} in the table filter", "ruleset-change",
            translation(target, table="filter", chain="FORWARD"), EINVAL, "nat")
    refused(f"{target}: a port without protocol", "ruleset-change", translation(target, ports), EINVAL, "protocol")
    refused(f"{target}: a port of ICMP", "ruleset-change",
            translation(target, ports, rule=[attribute(RULE["protocol"], b"\1")]), EINVAL, "protocol")
    refused(f"{target}: port 0", "ruleset-change",
            translation(target, attribute(NAT["port-first"], bytes(2)), rule=[of_tcp]), ERANGE)
    refused(f"{target}: a last port without a first", "ruleset-change",
            translation(target, attribute(NAT["port-last"], PORT), rule=[of_tcp]), EINVAL, "port")
    refused(f"{target}: ports backwards", "ruleset-change",
            translation(target, ports, attribute(NAT["port-last"], struct.pack("=H", 7999)), rule=[of_tcp]), EINVAL, "port")
    refused(f"{target}: a last address without a first", "ruleset-change",
            translation(target, LAST, rule=[IPV4]), EINVAL, "first")
for target, names in (("dnat", ["random-fully"]), ("snat", ["port-base"]), ("masquerade", ["port-base", "persistent"])):
    for name in names:
        value = attribute(NAT[name], PORT if name == "port-base" else b"")
        refused(f"{target} with {name}", "ruleset-change", translation(target, ports, value, rule=[of_tcp]), EINVAL, "take")
refused("masquerade with an address", "ruleset-change", translation("masquerade", ADDRESS, rule=[IPV4]), EINVAL, "take")
refused("dnat: an address in a rule for both IP versions", "ruleset-change", translation("dnat", ADDRESS), EINVAL, "IP version")
refused("dnat: an address of the other IP version", "ruleset-change",
        translation("dnat", ADDRESS, rule=[IPV6]), EINVAL, "IP version")
refused("dnat: a range of two IP versions", "ruleset-change",
        translation("dnat", ADDRESS, attribute(NAT["address-last"], bytes(16)), rule=[IPV4]), EINVAL, "IP version")
refused("dnat: addresses backwards", "ruleset-change",
        translation("dnat", attribute(NAT["address-first"], bytes((10, 0, 0, 10))), LAST, rule=[IPV4]), EINVAL,
        "before it starts")
refused("dnat: an address of 5 bytes", "ruleset-change",
        translation("dnat", attribute(NAT["address-first"], bytes(5)), rule=[IPV4]), EINVAL, "4 or 16")
refused("dnat: a base without ports", "ruleset-change",
        translation("dnat", ADDRESS, attribute(NAT["port-base"], PORT), rule=[IPV4, of_tcp]), EINVAL, "range")
check("none of these changed the table nat", translations() == untranslated, translations())
accepted("dnat with all attributes", "ruleset-change", translation(
    "dnat", ADDRESS, LAST, ports, attribute(NAT["port-last"], struct.pack("=H", 8010)), attribute(NAT["port-base"], PORT),
    attribute(NAT["random"]), attribute(NAT["persistent"]), rule=[IPV4, of_tcp]))
check("and is what -S prints",
      "-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.2-10.0.0.9:8000-8010/8000 --random --persistent" in translations(),
      translations())
# It takes a function that kernels have by an option of its own.
with open("/proc/kallsyms") as symbols:
    masquerades = any(" nf_nat_masquerade_ipv4" in line for line in symbols)
masquerade = "ruleset-change", translation("masquerade", chain="POSTROUTING")
if masquerades:
    accepted("masquerade", *masquerade)
else:
    refused("masquerade where the kernel has none", *masquerade, EINVAL, "NF_NAT_MASQUERADE")
subprocess.run(["palisade", "-t", "nat", "-F"], check=True)

RATE, BURST = (u32(SYNPROXY[name], 10) for name in ("flooded-rate", "flooded-burst"))
for table, chain, words in (
        ("nat", "PREROUTING", "raw and filter"), ("raw", "OUTPUT", "PREROUTING"), ("filter", "OUTPUT", "FORWARD")):
    refused_proxy(f"SYNPROXY in {chain} of {table}", EINVAL, words, table=table, chain=chain)
for protocol in (b"", b"\x11"):
    refused_proxy(f"SYNPROXY for protocol {protocol or 'any'}", EINVAL, "TCP", protocol=protocol)
refused_proxy("a burst of SYNs without a rate", EINVAL, "rate", BURST)
refused_proxy("a rate of SYNs behind connection tracking", EINVAL, "raw", RATE, table="filter", chain="INPUT")
refused_proxy("a rate of 0 SYNs", ERANGE, "", u32(SYNPROXY["flooded-rate"], 0))
refused_proxy("a window scale of 15", ERANGE, "", attribute(SYNPROXY["wscale"], b"\x0f"))
refused_proxy("a maximum segment size of 0", ERANGE, "", attribute(SYNPROXY["mss"], bytes(2)))
refused_proxy("statistics of SYNPROXY", EINVAL, "statistics", nest(SYNPROXY["statistics"]))
check("none of these changed the rules", rules() == before, rules())
accepted("SYNPROXY with all attributes", "ruleset-change", proxy(
    "raw", "PREROUTING", RATE, BURST, attribute(SYNPROXY["mss"], b"\xff\xff"), attribute(SYNPROXY["wscale"], b"\x0e"),
    attribute(SYNPROXY["window"], bytes(2)), *(attribute(SYNPROXY[name]) for name in ("sack-perm", "timestamp", "ecn"))))
refused("server-get without dump", "server-get", attribute(SETS["server"]["port"], bytes(2)), EOPNOTSUPP)

for name, error, words, more in (
        ("a prefix length of IPv4 only", EINVAL, "IPv6", attribute(RECENT["ipv4-prefix"], bytes([24]))),
        ("a prefix length of IPv6 only", EINVAL, "IPv4", attribute(RECENT["ipv6-prefix"], bytes([64]))),
        ("a prefix that is longer than an IPv4 address", ERANGE, "", attribute(RECENT["ipv4-prefix"], bytes([33]))),
        ("a prefix that is longer than an IPv6 address", ERANGE, "", attribute(RECENT["ipv6-prefix"], bytes([129]))),
        ("a mask and prefix lengths", EINVAL, "mask",
         attribute(RECENT["ipv4-prefix"], bytes([24])) + attribute(RECENT["ipv6-prefix"], bytes([64]))
         + attribute(RECENT["mask"], bytes(4)))):
    refused(name, "ruleset-change",
            append(recent(string(RECENT["name"], "a"), u32(RECENT["operation"], 1), more)), error, words)
good = append(recent(string(RECENT["name"], "made-by-batch"), u32(RECENT["operation"], 2)))
bad = change(u32(CHANGE["kind"], 3), u32(CHANGE["table"], FILTER), string(CHANGE["chain-name"], "INPUT"),
             u32(CHANGE["position"], 99))
flush = change(u32(CHANGE["kind"], FLUSH), u32(CHANGE["table"], FILTER))
refused("a batch whose last change is invalid", "ruleset-change", flush + good * 50 + bad, ENOENT, "position")
check("it changes no rule", rules() == before, rules())
refused("and creates no list", "list-get", string(LIST["name"], "made-by-batch"), ENOENT)
accepted("the batch without that change is applied", "ruleset-change", flush + good * 50)
check("as a whole", rules().count("made-by-batch") == 50, rules())

accepted("a list is created", "list-create", string(LIST["name"], "n"))
refused("an entry without address", "entry-add", string(LIST["name"], "n") + nest(LIST["entry"]), EINVAL, "address")
refused("entries of which one is invalid", "entry-add",
        string(LIST["name"], "n") + nest(LIST["entry"], attribute(ENTRY["address"], bytes([192, 0, 2, 1])))
        + nest(LIST["entry"], attribute(ENTRY["address"], bytes(3))), EINVAL, "4 or 16")
entries = subprocess.run(["palisade", "list", "show", "n", "--json"], capture_output=True, text=True).stdout
check("none of them was added", '"entries":[]' in entries.replace(" ", "").replace("\n", ""), entries)
one = attribute(ENTRY["address"], bytes([192, 0, 2, 1]))
for name, error, words, more in (
        ("an entry that expires at once", ERANGE, "4,400 years", attribute(ENTRY["expires"], bytes(8))),
        ("one that expires in far too long", ERANGE, "4,400 years", attribute(ENTRY["expires"], b"\xff" * 8)),
        ("one that expires and does not", EINVAL, "permanent",
         attribute(ENTRY["expires"], struct.pack("=Q", 5)) + attribute(ENTRY["permanent"], b""))):
    refused(name, "entry-add", string(LIST["name"], "n") + nest(LIST["entry"], one + more), error, words)
refused("size 0", "list-create", string(LIST["name"], "m") + u32(LIST["size"], 0), ERANGE)
refused("a timeout that is too long", "list-create",
        string(LIST["name"], "m") + attribute(LIST["timeout"], b"\xff" * 8), ERANGE, "timeout")

# Messages with wrong lengths or types of attributes, at every offset.
template = good + append(attribute(RULE["source"], bytes(4)), attribute(RULE["protocol"], b"\6"))
errors = []
for at in range(0, len(template) - 1, 2):
    for value in (0, 1, 3, 4, 5, len(template), 0x7FFF, 0xFFFF):
        broken = bytearray(template)
        struct.pack_into("=H", broken, at, value)
        errors.append(answer_to(COMMANDS["ruleset-change"], bytes(broken))[0])
# What is written may be what was there.
check(f"{len(errors)} messages with a wrong length or type are answered, and most are refused",
      len(errors) > 400 and errors.count(0) < len(errors) / 2, errors.count(0))
taken = [cut for cut in range(len(template)) if answer_to(COMMANDS["ruleset-change"], template[:cut])[0] == 0]
check("truncated messages are refused, unless they end between two changes", taken == [0, len(good)], taken)
accepted("the family still works", "list-get", string(LIST["name"], "n"))

# Without CAP_NET_ADMIN in the namespace, a request is refused.
pid = os.fork()
if pid == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    os._exit(0 if answer_to(COMMANDS["list-get"], b"", NLM_F_DUMP, Client())[0] == EPERM else 1)
check("without CAP_NET_ADMIN there is EPERM", os.waitpid(pid, 0)[1] == 0)

for table in ENUMERATIONS["table"]:
    subprocess.run(["palisade", "-t", table, "-F"], check=True)
for name in ("n", "made-by-batch"):
    subprocess.run(["palisade", "list", "destroy", name], check=True)
subprocess.run(["palisade", "list", "destroy", "a"], capture_output=True)
report.finish()
