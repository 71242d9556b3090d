# SPDX-License-Identifier: GPL-2.0
"""The netlink family palisade, from its specification, and a client for it. Also the Python tests' KTAP report."""

import errno
import os
import pathlib
import select
import socket
import struct

import yaml

NETLINK_GENERIC = 16
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 10, 11
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLM_F_ACK_TLVS = 0x200
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLMSGERR_ATTR_MSG = 1
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3FFF
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
CTRL_ATTR_MCAST_GROUPS, CTRL_ATTR_MCAST_GRP_NAME, CTRL_ATTR_MCAST_GRP_ID = 7, 1, 2
NETLINK_ADD_MEMBERSHIP = 1
# The size of a message's header, and of that with the family's header or, in an answer, the error number.
NLMSG_HDRLEN, PAYLOAD = 16, 20

SPECIFICATION = pathlib.Path(__file__).parents[3] / "Documentation/netlink/specs/palisade.yaml"
# The loader in C takes a fifth of the time, which counts under emulation.
SPEC = yaml.load(SPECIFICATION.read_text(), yaml.CSafeLoader)
OPERATIONS = {operation["name"]: operation for operation in SPEC["operations"]["list"]}
COMMANDS = {name: number for number, name in enumerate(OPERATIONS, 1)}
# The specification of each attribute of each set, and the attributes' numbers.
SPECIFIED = {one["name"]: {inner["name"]: inner for inner in one["attributes"]} for one in SPEC["attribute-sets"]}
SETS = {name: {inner: number for number, inner in enumerate(inners, 1)} for name, inners in SPECIFIED.items()}
INTEGERS = {"u8": "=B", "u16": "=H", "u32": "=I", "u64": "=Q"}


def enumerate_entries(entries):
    number, numbers = -1, {}
    for entry in entries:
        number = entry.get("value", number + 1)
        numbers[entry["name"]] = number
    return numbers


ENUMERATIONS = {one["name"]: enumerate_entries(one["entries"]) for one in SPEC["definitions"] if one["type"] == "enum"}


# Requests, piece by piece. None of these functions checks whether a request is valid.


def attribute(kind, payload=b""):
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + bytes(-length % 4)


def nest(kind, *inner):
    return attribute(kind | NLA_F_NESTED, b"".join(inner))


def u32(kind, number):
    return attribute(kind, struct.pack("=I", number))


def string(kind, text):
    return attribute(kind, (text.encode() if isinstance(text, str) else text) + b"\0")


def pack_message(family, command, payload=b"", flags=NLM_F_REQUEST | NLM_F_ACK, sequence=1, version=1):
    return struct.pack("=IHHIIBBH", PAYLOAD + len(payload), family, flags, sequence, 0, command, version, 0) + payload


def encode(set_name, values):
    """Attributes from a dictionary. A list is an attribute that occurs several times."""
    encoded = []
    for name, value in values.items():
        kind, specified = SETS[set_name][name], SPECIFIED[set_name][name]
        for one in value if isinstance(value, list) else [value]:
            match specified["type"]:
                case "nest":
                    encoded.append(nest(kind, encode(specified["nested-attributes"], one)))
                case "flag":
                    encoded.append(attribute(kind))
                case "string":
                    encoded.append(string(kind, one))
                case "binary":
                    encoded.append(attribute(kind, one))
                case width:
                    number = ENUMERATIONS[specified["enum"]][one] if isinstance(one, str) else one
                    encoded.append(attribute(kind, struct.pack(INTEGERS[width], number)))
    return b"".join(encoded)


# Answers. What is malformed raises ValueError.


def messages(data):
    """The type, flags and sequence number of each message in a datagram, and the message."""
    at = 0
    while at < len(data):
        if at + PAYLOAD > len(data):
            raise ValueError(f"{len(data) - at} bytes after the last message")
        length, kind, flags, sequence = struct.unpack_from("=IHHI", data, at)
        if length < PAYLOAD or at + length > len(data):
            raise ValueError(f"a message of {length} bytes where there are {len(data) - at}")
        yield kind, flags, sequence, data[at:at + length]
        at += length + -length % 4


def attributes(data):
    """The type, with its flags, and the payload of each attribute."""
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise ValueError(f"{len(data) - at} bytes after the last attribute")
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4 or at + length > len(data):
            raise ValueError(f"an attribute of {length} bytes where there are {len(data) - at}")
        yield kind, data[at + 4:at + length]
        at += length + -length % 4


def integer(kind, payload):
    if len(payload) != struct.calcsize(INTEGERS[kind]):
        raise ValueError(f"a {kind} of {len(payload)} bytes")
    return struct.unpack(INTEGERS[kind], payload)[0]


def decode(set_name, data):
    """The reverse of `encode`, with a list of pairs, in order, in place of the dictionary."""
    names = {number: name for name, number in SETS[set_name].items()}
    decoded = []
    for kind, payload in attributes(data):
        name = names.get(kind & NLA_TYPE_MASK)
        if name is None:
            raise ValueError(f"attribute {kind:#x} is not in the set {set_name}")
        specified = SPECIFIED[set_name][name]
        if specified["type"] == "nest":
            value = decode(specified["nested-attributes"], payload)
        elif specified["type"] in INTEGERS:
            value = integer(specified["type"], payload)
        elif specified["type"] == "string":
            value = payload.rstrip(b"\0").decode()
        else:
            value = payload
        decoded.append((name, value))
    return decoded


def error_number(answer):
    """The error in an NLMSG_ERROR or NLMSG_DONE, or 0."""
    return -struct.unpack_from("=i", answer, NLMSG_HDRLEN)[0]


def error_words(kind, flags, answer):
    """The message of the extended ACK, if there is one. The socket must have NETLINK_CAP_ACK."""
    if not flags & NLM_F_ACK_TLVS:
        return ""
    # NLMSG_ERROR has the header of the request before the attributes.
    start = PAYLOAD + (NLMSG_HDRLEN if kind == NLMSG_ERROR else 0)
    told = {kind & NLA_TYPE_MASK: payload for kind, payload in attributes(answer[start:])}
    return told.get(NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode()


class Refused(OSError):
    """The kernel answered with an error; `words` is the message of the extended ACK."""

    def __init__(self, error, words):
        super().__init__(error, words or os.strerror(error))
        self.words = words


class Client:
    """A socket for the family."""

    family = groups = None

    def __init__(self, timeout=10):
        """The answer is there as soon as send() returns. The timeout, in seconds, is for an answer that was lost."""
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.bind((0, 0))
        self.socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        # Without it, errors would repeat the whole request.
        self.socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.socket.settimeout(timeout)
        self.sequence = 0
        if Client.family is None:
            Client.family, Client.groups = self._resolve()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _resolve(self):
        name = string(CTRL_ATTR_FAMILY_NAME, "palisade")
        self.socket.send(pack_message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, name, sequence=self.sequence))
        try:
            answer, = self.answers()
        except Refused as refused:
            raise SystemExit(f"the family palisade is not there: {refused.strerror}") from None
        told = {kind & NLA_TYPE_MASK: payload for kind, payload in attributes(answer)}
        groups = [dict(attributes(group)) for _, group in attributes(told[CTRL_ATTR_MCAST_GROUPS])]
        numbers = {group[CTRL_ATTR_MCAST_GRP_NAME].rstrip(b"\0").decode(): integer("u32", group[CTRL_ATTR_MCAST_GRP_ID])
                   for group in groups}
        return integer("u16", told[CTRL_ATTR_FAMILY_ID]), numbers

    def listen(self, group="events"):
        """Joins a multicast group of the family."""
        self.socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.groups[group])

    def heard(self):
        """The messages of groups that wait in the socket, decoded, as far as there was room for them."""
        names = {number: name for name, number in COMMANDS.items()}
        while select.select([self.socket], [], [], 0)[0]:
            try:
                datagram = self.socket.recv(1 << 18)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                continue
            for _, _, _, message in messages(datagram):
                operation = OPERATIONS[names[message[NLMSG_HDRLEN]]]
                yield decode(operation["attribute-set"], message[PAYLOAD:])

    def raw_request(self, command, payload=b"", flags=0):
        """Makes a request, which is not sent yet. `answers` then reads the answers to it."""
        self.sequence += 1
        return pack_message(self.family, command, payload, NLM_F_REQUEST | NLM_F_ACK | flags, self.sequence)

    def request(self, operation, values=None, dump=False):
        """As `raw_request`, with the attributes encoded by the specification."""
        payload = encode(OPERATIONS[operation]["attribute-set"], values or {})
        return self.raw_request(COMMANDS[operation], payload, NLM_F_DUMP if dump else 0)

    def answers(self, sequence=None):
        """Reads the answers to the request with a sequence number, or to the latest one: the attributes of each.

        Raises `Refused` for an error in an answer and `OSError` for one of the socket.
        """
        payloads, expected = [], self.sequence if sequence is None else sequence
        while True:
            for kind, flags, sequence, answer in messages(self.socket.recv(1 << 18)):
                if sequence != expected:
                    continue
                if kind not in (NLMSG_ERROR, NLMSG_DONE):
                    payloads.append(answer[PAYLOAD:])
                    continue
                error = error_number(answer)
                if error:
                    raise Refused(error, error_words(kind, flags, answer))
                return payloads

    def transact(self, command, payload=b"", flags=0):
        """Sends a raw request and returns the attributes of each answer."""
        self.socket.send(self.raw_request(command, payload, flags))
        return self.answers()

    def ask(self, operation, values=None, dump=False):
        """Sends a request and returns the decoded answers."""
        self.socket.send(self.request(operation, values, dump))
        return [decode(OPERATIONS[operation]["attribute-set"], payload) for payload in self.answers()]


class Report:
    """Reports results in KTAP. `prefix` goes before each description."""

    def __init__(self):
        self.prefix = ""
        self.tests = 0
        self.failures = 0

    def check(self, description, passed, *details):
        self.tests += 1
        self.failures += not passed
        print(f"{'ok' if passed else 'not ok'} {self.tests} - {self.prefix}{description}", flush=True)
        if not passed:
            for detail in details:
                print(f"#   {detail}", flush=True)

    def skip(self, description, reason):
        self.tests += 1
        print(f"ok {self.tests} - {description} # SKIP {reason}", flush=True)

    def finish(self):
        print(f"1..{self.tests}")
        raise SystemExit(1 if self.failures or not self.tests else 0)
