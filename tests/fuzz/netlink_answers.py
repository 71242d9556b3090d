# SPDX-License-Identifier: GPL-2.0
"""Whether what the kernel tells agrees with the specification."""

from campaign import Broken
from genetlink import (COMMANDS, ENUMERATIONS, INTEGERS, NLA_TYPE_MASK, NLM_F_DUMP, OPERATIONS, SETS, SPECIFIED,
                       attributes, encode, integer)
from netlink_requests import limit

NAMES = {name: {number: one for one, number in kinds.items()} for name, kinds in SETS.items()}
# The built-in chains, which are always there.
CHAINS = {(table, chain.encode()) for table, chains in {
    "raw": "PREROUTING OUTPUT", "filter": "INPUT FORWARD OUTPUT", "nat": "PREROUTING INPUT OUTPUT POSTROUTING",
    "mangle": "PREROUTING INPUT FORWARD OUTPUT POSTROUTING",
}.items() for chain in chains.split()}
# Of a network namespace, behind SYNPROXY.
SERVERS_MAX = 4096
TABLES = {number: name for name, number in ENUMERATIONS["table"].items()}


def decode(set_name, data, allowed=None):
    """The attributes as (name, value); everything in them has to be as specified."""
    found = []
    try:
        for kind, payload in attributes(data):
            name = NAMES[set_name].get(kind & NLA_TYPE_MASK)
            if name is None or allowed is not None and name not in allowed:
                raise Broken(f"attribute {kind:#x} of set {set_name} is in an answer that does not take it")
            found.append((name, decode_value(set_name, name, payload)))
    except ValueError as error:
        raise Broken(f"an answer of set {set_name} cannot be decoded: {error}: {data.hex()}") from error
    for name, specified in SPECIFIED[set_name].items():
        if not specified.get("multi-attr") and sum(one == name for one, _ in found) > 1:
            raise Broken(f"an answer has {set_name}.{name} more than once: {data.hex()}")
    return found


def decode_value(set_name, name, payload):
    specified = SPECIFIED[set_name][name]
    kind, checks = specified["type"], specified.get("checks", {})
    if kind == "nest":
        return decode(specified["nested-attributes"], payload)
    if kind in INTEGERS:
        value = integer(kind, payload)
        if "enum" in specified and value not in ENUMERATIONS[specified["enum"]].values():
            raise ValueError(f"{name} is {value}")
        if not limit(checks.get("min", value)) <= value <= limit(checks.get("max", value)):
            raise ValueError(f"{name} is {value}")
        return value
    if kind == "string":
        if payload.find(0) != len(payload) - 1:
            raise ValueError(f"{name} does not end with a zero, or has more than one")
        payload = payload[:-1]
    if len(payload) > limit(checks.get("max-len", len(payload))) or kind == "flag" and payload:
        raise ValueError(f"{name} has {len(payload)} bytes")
    return payload


def dump(client, operation, values=None):
    set_name, allowed = OPERATIONS[operation]["attribute-set"], OPERATIONS[operation]["dump"]["reply"]["attributes"]
    answers = client.transact(COMMANDS[operation], encode(set_name, values or {}), NLM_F_DUMP)
    return [decode(set_name, answer, allowed) for answer in answers]


def check_configuration(client):
    """Everything there is, checked; returns the rules, the names of the lists and the number of entries."""
    chains, references = {}, {}
    for answer in dump(client, "chain-get"):
        chain = dict(dict(answer)["chain"])
        chains[TABLES[chain["table"]], chain["name"]] = chain["rules"]
        references[TABLES[chain["table"]], chain["name"]] = chain["references"]
        if ((TABLES[chain["table"]], chain["name"]) in CHAINS) != ("policy" in chain):
            raise Broken(f"a built-in chain has a policy, and no other: {chain}")
    if not CHAINS <= set(chains):
        raise Broken(f"the chains are {chains}")
    rules = [dict(answer) for answer in dump(client, "rule-get")]
    for (table, name), count in chains.items():
        positions = [rule["position"] for rule in rules
                     if TABLES[rule["table"]] == table and rule["chain-name"] == name]
        if positions != list(range(1, count + 1)):
            raise Broken(f"chain {name} has {count} rules, at the positions {positions}")
    for rule in rules:
        target = dict(dict(rule["rule"]).get("target", ()))
        if called := target.get("jump", target.get("goto")):
            references[TABLES[rule["table"]], called] -= 1
    if any(references.values()):
        raise Broken(f"chains say that they are called, so much too often: {references}")
    used = {}
    for rule in rules:
        names = {dict(dict(match)["recent"])["name"] for kind, match in rule["rule"]
                 if kind == "match" and "recent" in dict(match)}
        for name in names:
            used[name] = used.get(name, 0) + 1
    entries = 0
    lists = {}
    for answer in dump(client, "list-get"):
        one = dict(answer)
        lists[one["name"]] = one
        there = check_entries(client, one)
        entries += there
        if one["rules"] != used.pop(one["name"], 0):
            raise Broken(f"list {one['name']} says that it has {one['rules']} rules, which is wrong")
    if used:
        raise Broken(f"there are rules for lists that are not there: {used}")
    check_servers(client)
    return rules, list(lists), entries


def check_servers(client):
    servers = [dict(answer) for answer in dump(client, "server-get")]
    endpoints = {(server["address"], server["port"]) for server in servers}
    if len(endpoints) != len(servers) or len(servers) > SERVERS_MAX:
        raise Broken(f"there are {len(servers)} servers behind SYNPROXY, of which {len(endpoints)} differ")
    if wrong := [server for server in servers if len(server["address"]) not in (4, 16)]:
        raise Broken(f"there are servers with the addresses {wrong}")


def check_entries(client, one):
    """How many entries a list has, each of which is checked. Meanwhile some may get too old."""
    addresses = []
    for answer in dump(client, "entry-get", {"name": one["name"]}):
        entry = dict(answer)["entry"]
        fields = dict(entry)
        ages = [value for name, value in entry if name == "age"]
        if len(fields["address"]) not in (4, 16) or ages != sorted(ages) or len(ages) > one["hits"]:
            raise Broken(f"list {one['name']} has the entry {entry}")
        addresses.append((fields["address"], fields.get("port", 0)))
    if len(set(addresses)) != len(addresses) or len(addresses) > one["size"]:
        raise Broken(f"list {one['name']} of {one['size']} has the entries {addresses}")
    return len(addresses)


def is_plain(rule):
    """Whether the command line has words for it, and no fewer would do: the kernel takes more than that."""
    given = dict(rule)
    versions = {len(given[side]) for side in ("source", "destination") if side in given}
    versions |= {4 if given["family"] == 4 else 16} if "family" in given else set()
    protocol = given.get("protocol")
    if protocol == 0 or (protocol, versions) in ((1, {16}), (58, {4})):
        return False
    for side in ("source", "destination"):
        if side in given and not any(given[f"{side}-mask"]) and f"{side}-invert" not in given:
            return False
    interface = given.get("in-interface", b"lo")
    if not is_text(interface) or interface == b"+" or any(byte in b" /!" for byte in interface):
        return False
    if not is_text(given.get("out-interface", b"lo")) or given.get("out-interface") == b"+":
        return False
    # Those of the others are tried by the tool's own tests.
    if "verdict" not in dict(given.get("target", [("verdict", 1)])):
        return False
    matches = [one for name, match in rule if name == "match" for one in match]
    return all(is_plain_match(name, match) for name, match in matches)


def is_plain_match(name, match):
    if name not in ("tcp", "udp", "recent"):
        return False
    match = dict(match)
    if name == "recent":
        return is_text(match["name"])
    return not any((match.get(f"{side}-first"), match.get(f"{side}-last")) == (0, 65535) and f"{side}-invert" not in match
                   for side in ("source", "destination"))


def is_text(name):
    try:
        return name.decode().isprintable()
    except UnicodeDecodeError:
        return False
