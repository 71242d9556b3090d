# SPDX-License-Identifier: GPL-2.0
"""The netlink family palisade as its specification describes it, and a socket to talk to it."""

import pathlib
import socket
import struct

import yaml

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_CAP_ACK, NETLINK_EXT_ACK = 10, 11
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLMSGERR_ATTR_MSG = 1
NLA_F_NESTED = 0x8000
NLA_TYPE_MASK = 0x3FFF
CTRL_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 3, 1, 2
GENL_ID_CTRL = 16

SPECIFICATION = pathlib.Path(__file__).parents[2] / "Documentation/netlink/specs/palisade.yaml"
spec = yaml.safe_load(SPECIFICATION.read_text())
command = {operation["name"]: number for number, operation in enumerate(spec["operations"]["list"], 1)}
sets = {
    one["name"]: {attribute["name"]: number for number, attribute in enumerate(one["attributes"], 1)}
    for one in spec["attribute-sets"]
}


def attribute(kind, payload=b""):
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + bytes(-length % 4)


def nest(kind, *inner):
    return attribute(kind | NLA_F_NESTED, b"".join(inner))


def u32(kind, number):
    return attribute(kind, struct.pack("=I", number))


def string(kind, text):
    return attribute(kind, text.encode() + b"\0")


def attributes(data):
    """The types, with their flags, and the payloads of attributes."""
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise ValueError(f"{len(data) - at} bytes after the last attribute")
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4 or at + length > len(data):
            raise ValueError(f"an attribute of {length} bytes where there are {len(data) - at}")
        yield kind, data[at + 4:at + length]
        at += length + -length % 4


def messages(data):
    """The types, flags and sequence numbers of the messages that were received together, and each message."""
    at = 0
    while at < len(data):
        length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", data, at)
        if length < 16 or at + length > len(data):
            raise ValueError(f"a message of {length} bytes where there are {len(data) - at}")
        yield kind, flags, sequence, data[at:at + length]
        at += length + -length % 4


class Refused(Exception):
    """The kernel refused a request."""


class Netlink:
    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.bind((0, 0))
        self.socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.socket.settimeout(10)
        self.sequence = 0
        self.family = GENL_ID_CTRL
        answer = self.ask(CTRL_GETFAMILY, string(CTRL_ATTR_FAMILY_NAME, "palisade"))
        if answer[0] != 0:
            raise SystemExit("the family palisade is not there")
        self.family = answer[2]

    def send(self, command, payload, flags=0, length=None):
        self.sequence += 1
        body = struct.pack("=BBH", command, 1, 0) + payload
        header = struct.pack("=IHHII", 16 + len(body) if length is None else length, self.family,
                             NLM_F_REQUEST | NLM_F_ACK | flags, self.sequence, 0)
        self.socket.send(header + body)

    def ask(self, command, payload, flags=0):
        """The error number, the message for people and, from a family's description, its number."""
        found = None
        error, words, answers = self.transact(command, payload, flags)
        if self.family == GENL_ID_CTRL:
            for answer in answers:
                for kind, inner in attributes(answer):
                    if kind == CTRL_ATTR_FAMILY_ID:
                        found = struct.unpack("=H", inner)[0]
        return error, words, found

    def dump(self, command, payload=b""):
        """The attributes of each message of a dump."""
        error, words, answers = self.transact(command, payload, NLM_F_DUMP)
        if error:
            raise Refused(f"error {error} {words}")
        return answers

    def transact(self, command, payload, flags):
        """The error number, the message for people, and the attributes of each message of the answer."""
        answers = []
        self.send(command, payload, flags)
        while True:
            for kind, flags, sequence, message in messages(self.socket.recv(1 << 20)):
                if sequence != self.sequence:
                    continue
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    error = -struct.unpack_from("=i", message, 16)[0]
                    return error, self.message(message, kind, flags), answers
                if kind == self.family:
                    answers.append(message[20:])

    @staticmethod
    def message(data, kind, flags):
        if not flags & NLM_F_ACK_TLVS:
            return ""
        at = 20
        if kind == NLMSG_ERROR:
            original = struct.unpack_from("=I", data, 20)[0]
            # Of a request that is not repeated as a whole, the header is.
            at += 16 if flags & NLM_F_CAPPED else original + -original % 4
        for inner, payload in attributes(data[at:]):
            if inner & NLA_TYPE_MASK == NLMSGERR_ATTR_MSG:
                return payload.rstrip(b"\0").decode()
        return ""
