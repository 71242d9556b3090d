# SPDX-License-Identifier: GPL-2.0
"""A client of the netlink family, driven by its specification, for the selftests that are Python programs."""

import os
import pathlib
import socket
import struct

import yaml

NETLINK_GENERIC = 16
SOL_NETLINK, NETLINK_EXT_ACK = 270, 11
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP = 1, 2, 4, 0x300
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLMSGERR_ATTR_MSG = 1
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3FFF
GENL_ID_CTRL, CTRL_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2

SPECIFICATION = pathlib.Path(__file__).parents[2] / "Documentation/netlink/specs/palisade.yaml"
# The loader in C takes a fifth of the time, which counts under emulation.
SPEC = yaml.load(SPECIFICATION.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
OPERATIONS = {
    operation["name"]: (number, operation["attribute-set"])
    for number, operation in enumerate(SPEC["operations"]["list"], 1)
}
SETS = {
    one["name"]: {attribute["name"]: (number, attribute) for number, attribute in enumerate(one["attributes"], 1)}
    for one in SPEC["attribute-sets"]
}
NUMBERS = {"u8": "=B", "u16": "=H", "u32": "=I", "u64": "=Q"}


def _enumerations():
    for definition in SPEC["definitions"]:
        if definition["type"] != "enum":
            continue
        number, values = -1, {}
        for entry in definition["entries"]:
            number = entry.get("value", number + 1)
            values[entry["name"]] = number
        yield definition["name"], values


ENUMERATIONS = dict(_enumerations())


def attribute(kind, payload=b""):
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + bytes(-length % 4)


def encode(set_name, values):
    """Attributes from a dictionary; a list stands for an attribute that occurs several times."""
    encoded = []
    for name, value in values.items():
        kind, description = SETS[set_name][name]
        for one in value if isinstance(value, list) else [value]:
            if description["type"] == "nest":
                encoded.append(attribute(kind | NLA_F_NESTED, encode(description["nested-attributes"], one)))
            elif description["type"] == "flag":
                encoded.append(attribute(kind))
            elif description["type"] == "string":
                encoded.append(attribute(kind, one.encode() + b"\0"))
            elif description["type"] == "binary":
                encoded.append(attribute(kind, one))
            else:
                if isinstance(one, str):
                    one = ENUMERATIONS[description["enum"]][one]
                encoded.append(attribute(kind, struct.pack(NUMBERS[description["type"]], one)))
    return b"".join(encoded)


def split(data):
    """The attributes of a payload: their kinds and payloads."""
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        yield kind & NLA_TYPE_MASK, data[at + 4:at + length]
        at += length + -length % 4


def decode(set_name, data):
    """What `encode` takes, but that each attribute is a pair in a list, in order."""
    names = {number: (name, description) for name, (number, description) in SETS[set_name].items()}
    decoded = []
    for kind, payload in split(data):
        name, description = names[kind]
        if description["type"] == "nest":
            value = decode(description["nested-attributes"], payload)
        elif description["type"] in NUMBERS:
            value = struct.unpack(NUMBERS[description["type"]], payload)[0]
        elif description["type"] == "string":
            value = payload.rstrip(b"\0").decode()
        else:
            value = payload
        decoded.append((name, value))
    return decoded


class Refused(OSError):
    """The kernel answered with an error."""


class Client:
    """A socket of the family."""

    family = None

    def __init__(self, block=True):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.bind((0, 0))
        self.socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.socket.setblocking(block)
        if Client.family is None:
            Client.family = self._resolve()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _resolve(self):
        body = struct.pack("=BBH", CTRL_GETFAMILY, 1, 0) + attribute(CTRL_ATTR_FAMILY_NAME, b"palisade\0")
        self.socket.send(struct.pack("=IHHII", 16 + len(body), GENL_ID_CTRL, NLM_F_REQUEST, 1, 0) + body)
        found = dict(split(self.socket.recv(1 << 16)[20:]))
        if CTRL_ATTR_FAMILY_ID not in found:
            raise SystemExit("the family palisade is not there")
        return struct.unpack("=H", found[CTRL_ATTR_FAMILY_ID])[0]

    @staticmethod
    def message(operation, values=None, dump=False):
        """A request, ready to be sent."""
        number, set_name = OPERATIONS[operation]
        body = struct.pack("=BBH", number, 1, 0) + encode(set_name, values or {})
        flags = NLM_F_REQUEST | NLM_F_ACK | (NLM_F_DUMP if dump else 0)
        return struct.pack("=IHHII", 16 + len(body), Client.family, flags, 1, 0) + body

    def answers(self):
        """The payloads of the answer up to its end, each with the attributes in it.

        Raises `Refused` for an error in the answer and `OSError` for one of the socket.
        """
        payloads = []
        while True:
            data = self.socket.recv(1 << 18)
            while data:
                length, kind, flags, _, _ = struct.unpack_from("=IHHII", data)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    error = -struct.unpack_from("=i", data, 16)[0]
                    if error:
                        raise Refused(error, self._reason(data[:length], kind, flags) or os.strerror(error))
                    return payloads
                payloads.append(data[20:length])
                data = data[length + -length % 4:]

    @staticmethod
    def _reason(data, kind, flags):
        if not flags & NLM_F_ACK_TLVS:
            return ""
        at = 20
        if kind == NLMSG_ERROR:
            original = struct.unpack_from("=I", data, 20)[0]
            # A capped answer repeats only the header of the request.
            at += 16 if flags & NLM_F_CAPPED else original + -original % 4
        return dict(split(data[at:])).get(NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode()

    def ask(self, operation, values=None, dump=False):
        """Sends a request and returns what is answered, decoded."""
        self.socket.send(self.message(operation, values, dump))
        return [decode(OPERATIONS[operation][1], payload) for payload in self.answers()]


class Report:
    """Results in KTAP."""

    def __init__(self):
        self.tests = 0
        self.failures = 0

    def check(self, description, passed, *details):
        self.tests += 1
        self.failures += not passed
        print(f"{'ok' if passed else 'not ok'} {self.tests} - {description}", flush=True)
        if not passed:
            for detail in details:
                print(f"#   {detail}", flush=True)

    def skip(self, description, reason):
        self.tests += 1
        print(f"ok {self.tests} - {description} # SKIP {reason}", flush=True)

    def finish(self):
        print(f"1..{self.tests}")
        raise SystemExit(1 if self.failures or not self.tests else 0)
