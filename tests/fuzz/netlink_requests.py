# SPDX-License-Identifier: GPL-2.0
"""Netlink requests made from the specification: some right, some wrong, some broken."""

import collections
import struct

from genetlink import (COMMANDS, ENUMERATIONS, INTEGERS, NLA_F_NESTED, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, OPERATIONS,
                       SETS, SPEC, SPECIFIED, attribute, pack_message)

CONSTANTS = {definition["name"]: definition["value"] for definition in SPEC["definitions"] if definition["type"] == "const"}

# Few names, so that requests meet: right ones, and wrong ones.
OWN = [b"own", b"other", b"third"]
CHAINS = ([b"INPUT", b"PREROUTING", b"OUTPUT", b"FORWARD", *OWN],
          [b"", b"X", b"POSTROUTING", b"INPUT\0INPUT", b"input", b"Y" * 28, b"Y" * 29])
LISTS = ([b"a", b"b", b"DEFAULT", b"two words", b'q"$`\\\'', "ü".encode(), b"n" * 199],
         [b"", b"n" * 200, b"\xff\xfe", b"a\0b", b"line\nbreak", b"-a", b"\x01", b"#"])
INTERFACES = ([b"lo", b"eth0", b"eth+", b"+", b"i" * 15], [b"a b", b"a/b", b"", b"i" * 16, b"++", b"\xff", b"a\0b", b"!"])
NAMES = {
    ("ruleset", "chain-name"): CHAINS,
    ("change", "chain-name"): CHAINS,
    ("change", "new-name"): CHAINS,
    ("target", "jump"): CHAINS,
    ("target", "goto"): CHAINS,
    ("rule", "out-interface"): INTERFACES,
    ("list", "name"): LISTS,
    ("list", "except"): LISTS,
    ("recent", "name"): LISTS,
    ("rule", "in-interface"): INTERFACES,
}
# Values that agree with others more often than those at the ends of a range do.
USUAL = {
    ("change", "position"): (1, 1, 2, 3, 8),
    ("rule", "protocol"): (1, 6, 17, 58, 0, 255),
    ("recent", "hits"): (1, 2, 5, 20, 21),
    ("recent", "seconds"): (1, 2, 60, 3600),
    ("synproxy", "mss"): (1, 536, 1460, 65535),
    ("synproxy", "wscale"): (0, 7, 14),
    ("synproxy", "window"): (0, 1000, 65535),
    ("synproxy", "until-data"): (1, 3, 60),
    ("synproxy", "flooded-rate"): (1, 100, 1000000),
    ("synproxy", "flooded-burst"): (1, 100, 1000000),
    ("list", "hits"): (1, 2, 20, 100),
    ("list", "size"): (1, 2, 3, 64, 300),
    ("list", "timeout"): (0, 1, 4, 1000, 60000),
    ("entry", "expires"): (1, 4, 1000, 60000, 1 << 47),
}
ADDRESSES = {
    4: (bytes(4), b"\xff" * 4, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), bytes([192, 0, 2, 0]), b"\xff\xff\0\0"),
    16: (bytes(16), b"\xff" * 16, b"\xfd" + bytes(14) + b"\1", b"\x20\1\x0d\xb8" + bytes(12), bytes(10) + b"\xff" * 6),
}
LENGTHS = (0, 1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 20, 0x7FFF, 0x8000, 0xFFFC, 0xFFFF)


CHANGES = ENUMERATIONS["change-kind"]
FURTHER_MATCHES = [name for name in SPECIFIED["match"] if name not in ("tcp", "udp", "recent")]
# SYNPROXY is refused more often than the others: not every chain and not every protocol takes it.
FURTHER_TARGETS = [name for name in SPECIFIED["target"] if name != "verdict"] + ["synproxy"] * 5
TABLES = ENUMERATIONS["table"]
# The operations in each of their modes, and the attributes that they take.
CALLS = [(name, mode, operation["attribute-set"], operation[mode].get("request", {}).get("attributes", []))
         for name, operation in OPERATIONS.items() for mode in ("do", "dump") if mode in operation]
# Most requests change something, and most of these the rules.
MORE_OFTEN = {"ruleset-change": 12, "list-create": 4, "entry-add": 4, "entry-delete": 4, "list-flush": 0.5}
WEIGHTS = [MORE_OFTEN.get(name, 2 if mode == "do" else 1) for name, mode, _, _ in CALLS]


def limit(value):
    return CONSTANTS[value] if isinstance(value, str) else value


class Requests:
    """A source of requests, whose random numbers follow from what it is given."""

    def __init__(self, random):
        self.random = random
        self.latest = collections.deque(maxlen=32)

    def chance(self, probability):
        return self.random.random() < probability

    def message(self, family, sequence):
        """The name of the operation, the message, and whether its length may be a lie."""
        if self.latest and self.chance(0.5):
            # Making a request anew takes much longer than breaking one, or sending it once more.
            name, message = self.random.choice(self.latest)
            message = message[:8] + struct.pack("=I", sequence) + message[12:]
            if self.chance(0.8):
                message = message[:20] + self.mutate(message[20:])
                message = struct.pack("=I", len(message)) + message[4:]
            return name, message, False
        name, message, lies = self.request(family, sequence)
        if not lies and len(message) < 4096:
            self.latest.append((name, message))
        return name, message, lies

    def request(self, family, sequence):
        name, mode, set_name, allowed = self.random.choices(CALLS, WEIGHTS)[0]
        # How often something in it is wrong.
        self.wrong = self.random.choice((0, 0, 0, 0.02, 0.15))
        tree = self.top(name, set_name, allowed)
        payload = self.encode(set_name, tree)
        number, flags = COMMANDS[name], NLM_F_REQUEST | NLM_F_ACK
        if mode == "dump":
            flags |= NLM_F_DUMP
        if self.chance(0.03):
            flags ^= 1 << self.random.randrange(1, 16)
        if self.chance(0.02):
            number = self.random.randrange(256)
        version = 1 if self.chance(0.99) else self.random.randrange(256)
        if self.chance(0.2):
            payload = self.mutate(payload)
        message = pack_message(family, number, payload, flags, sequence, version)
        if self.chance(0.02):
            return name, self.mutate(message), True
        return name, message, False

    # What could be meant.

    def top(self, name, set_name, allowed):
        if name == "ruleset-change":
            count = self.random.choice((1, 1, 1, 2, 3, 8)) if self.chance(0.995) else 200
            return [("change", self.change()) for _ in range(count)]
        # Where a dump takes a name, it restricts the dump; everywhere else the name is needed.
        optional = set_name == "ruleset"
        tree = []
        for one in allowed:
            if one == "entry":
                count = self.random.choice((1, 1, 2, 8)) if self.chance(0.97) else 150
                tree += [("entry", self.entry()) for _ in range(count)]
            elif one == "name" or self.chance(0.2 if optional else 0.4):
                tree.append((one, self.value(set_name, one)))
        return self.agree_chain(tree) if optional else tree

    def change(self):
        kind = self.random.choices(
            ("append", "insert", "delete", "flush", "policy", "zero", "replace", "new-chain", "delete-chain", "rename-chain"),
            (8, 5, 5, 0.3, 1, 1, 2, 2, 0.5, 0.5))[0]
        tree = [("kind", self.number(4, CHANGES[kind])), ("table", self.value("change", "table"))]
        if kind not in ("flush", "zero", "delete-chain") or self.chance(0.7):
            tree.append(("chain-name", self.value("change", "chain-name")))
        by_position = kind == "replace" or kind == "delete" and self.chance(0.7)
        if by_position or kind == "insert" and self.chance(0.5):
            tree.append(("position", self.value("change", "position")))
        if kind in ("append", "insert", "replace") or kind == "delete" and not by_position:
            tree.append(("rule", self.rule()))
        if kind == "policy":
            tree.append(("policy", self.value("change", "policy")))
        if kind == "rename-chain":
            tree.append(("new-name", self.value("change", "new-name")))
        if kind in ("new-chain", "delete-chain", "rename-chain") and "chain-name" in dict(tree) and self.chance(0.9):
            return [(name, self.random.choice(OWN) + b"\0" if name == "chain-name" else value) for name, value in tree]
        return self.agree_chain(tree)

    def agree_chain(self, tree):
        """Mostly, a chain is looked for in the table that has it."""
        given = dict(tree)
        if "table" in given and "chain-name" in given and self.chance(0.97):
            table, chain = self.random.choice((
                ("raw", b"PREROUTING\0"), ("filter", b"INPUT\0"), ("filter", b"OUTPUT\0"), ("nat", b"PREROUTING\0"),
                ("mangle", b"FORWARD\0"), ("mangle", b"OUTPUT\0"),
                ("filter", self.random.choice(OWN) + b"\0")))
            given.update({"table": self.number(4, TABLES[table]), "chain-name": chain})
        return list(given.items())

    def rule(self):
        tree = {}
        length = self.random.choice((4, 16))
        for side in ("source", "destination"):
            if self.chance(0.3):
                tree[side] = self.random.choice(ADDRESSES[length])
                if self.chance(0.5):
                    tree[f"{side}-mask"] = self.random.choice(ADDRESSES[length])
                if self.chance(0.3):
                    tree[f"{side}-invert"] = b""
        if self.chance(0.3):
            tree["family"] = self.number(4, 4 if length == 4 else 6)
        if self.chance(0.3):
            tree["in-interface"] = self.value("rule", "in-interface")
        transport = self.random.choice(("tcp", "udp", None, None))
        matches = []
        if transport:
            tree["protocol"] = bytes([6 if transport == "tcp" else 17])
            if self.chance(0.8):
                matches.append(("match", [(transport, self.ports(transport))]))
        elif self.chance(0.3):
            tree["protocol"] = self.value("rule", "protocol")
            if self.chance(0.3):
                tree["protocol-invert"] = b""
        for _ in range(self.random.choice((0, 0, 1, 1, 2))):
            matches.append(("match", [("recent", self.recent())]))
        if self.chance(0.2):
            name = self.random.choice(FURTHER_MATCHES)
            matches.append(("match", [(name, self.value("match", name))]))
        for name in ("in-interface-invert", "packets", "bytes", "out-interface", "out-interface-invert", "fragment"):
            if self.chance(0.05):
                tree[name] = self.value("rule", name)
        if self.chance(0.7):
            name = "verdict" if self.chance(0.7) else self.random.choice(FURTHER_TARGETS)
            value = self.value("target", name)
            if name == "synproxy":
                value = self.synproxy(value, tree)
            tree["target"] = [(name, value)]
        return list(tree.items()) + matches

    def synproxy(self, tree, rule):
        """Mostly, as it is accepted: for TCP, and without what only answers have."""
        if self.chance(0.9) and rule.get("protocol", b"\6") == b"\6":
            rule["protocol"] = b"\6"
            rule.pop("protocol-invert", None)
        if self.chance(0.95):
            tree = [(name, value) for name, value in tree if name != "statistics"]
        if self.chance(0.5):
            tree = [(name, value) for name, value in tree if not name.startswith("flooded")]
        elif self.chance(0.9):
            tree = [(name, value) for name, value in tree if name != "until-data"]
        return tree

    def ports(self, transport):
        tree = {}
        for side in ("source", "destination"):
            if self.chance(0.5):
                first, last = sorted(self.random.choice((0, 1, 22, 53, 1024, 65534, 65535)) for _ in range(2))
                tree[f"{side}-first"], tree[f"{side}-last"] = self.number(2, first), self.number(2, last)
                if self.chance(0.3):
                    tree[f"{side}-invert"] = b""
        if transport == "tcp" and self.chance(0.5):
            mask = self.random.randrange(1, 256)
            tree["flags-mask"], tree["flags-set"] = bytes([mask]), bytes([mask & self.random.randrange(256)])
            if self.chance(0.3):
                tree["flags-invert"] = b""
        return list(tree.items())

    def recent(self):
        operation, number = self.random.choice(list(ENUMERATIONS["recent-operation"].items()))
        tree = [("name", self.value("recent", "name")), ("operation", self.number(4, number))]
        for name in ("invert", "key"):
            if self.chance(0.3):
                tree.append((name, self.value("recent", name)))
        if operation in ("check", "update"):
            for name in ("seconds", "hits"):
                if self.chance(0.5):
                    tree.append((name, self.value("recent", name)))
        return tree

    def entry(self):
        length = self.random.choice((4, 16))
        address = self.random.choice(ADDRESSES[length])
        if self.chance(0.7):
            address = address[:-1] + bytes([self.random.randrange(8)])
        return [("address", address)] + ([("time-to-live", b"\x40")] if self.chance(0.3) else [])

    # Values by the specification.

    def number(self, size, value):
        return (value % (1 << 8 * size)).to_bytes(size, "little")

    def value(self, set_name, name):
        specified = SPECIFIED[set_name][name]
        kind, checks = specified["type"], specified.get("checks", {})
        wrong = self.chance(self.wrong)
        if kind == "flag":
            return b"\1" if wrong else b""
        if kind == "nest":
            inner = specified["nested-attributes"]
            return [(one, self.value(inner, one)) for one in SPECIFIED[inner] if self.chance(0.3)]
        if kind == "string":
            right, bad = NAMES.get((set_name, name), LISTS)
            return self.random.choice(bad if wrong else right) + (b"" if wrong and self.chance(0.5) else b"\0")
        if kind == "binary":
            return self.random.choice(ADDRESSES[self.random.choice((4, 16))])
        size = struct.calcsize(INTEGERS[kind])
        if "enum" in specified:
            values = list(ENUMERATIONS[specified["enum"]].values())
            return self.number(size, self.random.choice((0, max(values) + 1, -1) if wrong else values))
        if (set_name, name) in USUAL and self.chance(0.95):
            return self.number(size, self.random.choice(USUAL[set_name, name]))
        ends = [limit(checks[end]) for end in ("min", "max") if end in checks]
        values = (0, 1, 2, 255, 256, 65535, 1 << 31, -1, *ends, *(end + 1 for end in ends), *(end - 1 for end in ends))
        return self.number(size, self.random.choice(values))

    # From a tree to bytes, with mistakes.

    def encode(self, set_name, tree):
        parts = []
        for name, value in tree:
            specified = SPECIFIED[set_name][name]
            kind = SETS[set_name][name]
            if specified["type"] == "nest":
                # The length of an attribute has 16 bits.
                inner = self.encode(specified["nested-attributes"], value)[:0xFF00]
                part = attribute(kind | NLA_F_NESTED, inner)
            else:
                part = attribute(kind, value)
            if self.wrong and self.chance(self.wrong):
                part = self.spoil(set_name, kind, part)
            parts.append(part)
        if self.wrong and self.chance(self.wrong):
            self.random.shuffle(parts)
        return b"".join(parts)

    def spoil(self, set_name, kind, part):
        payload = part[4:]
        match self.random.randrange(9):
            case 0:
                return b""
            case 1:
                return part * self.random.choice((2, 3, 40))
            case 2:
                return attribute(self.random.randrange(len(SETS[set_name]) + 4), payload)
            case 3:
                return attribute(kind, payload[:self.random.randrange(len(payload) + 1)])
            case 4:
                return attribute(kind, payload + self.random.randbytes(self.random.choice((1, 4, 16, 300))))
            case 5:
                flag = self.random.choice((NLA_F_NESTED, 0x4000, 0xC000))
                return struct.pack("=HH", struct.unpack_from("=H", part)[0], kind ^ flag) + payload
            case 6:
                return part + attribute(self.random.randrange(64), self.random.randbytes(self.random.choice((0, 1, 4, 8))))
            case 7:
                return struct.pack("=HH", self.random.choice(LENGTHS), kind) + payload
            case _:
                for _ in range(self.random.choice((1, 2, 12, 100))):
                    part = attribute(kind | NLA_F_NESTED, part)
                    if len(part) > 30000:
                        break
                return part

    def mutate(self, data):
        data = bytearray(data)
        for _ in range(self.random.choice((1, 1, 2, 5))):
            if not data:
                break
            at = self.random.randrange(len(data))
            match self.random.randrange(6):
                case 0:
                    data[at] ^= 1 << self.random.randrange(8)
                case 1:
                    data[at] = self.random.randrange(256)
                case 2:
                    at &= ~1
                    data[at:at + 2] = struct.pack("=H", self.random.choice(LENGTHS))
                case 3:
                    del data[at:]
                case 4:
                    data[at:at] = data[at:at + self.random.randrange(64)]
                case 5:
                    del data[at:at + self.random.randrange(1, 9)]
        return bytes(data)
