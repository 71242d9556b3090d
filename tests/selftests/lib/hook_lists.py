# SPDX-License-Identifier: GPL-2.0
"""Dumps of netfilter's hooks, as `nft list hooks` reads them."""

import socket
import struct

from genetlink import NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NLA_TYPE_MASK, attributes, error_number, messages

NETLINK_NETFILTER, NFNL_SUBSYS_HOOK, NFNL_MSG_HOOK_GET = 12, 12, 0
NFNLA_HOOK_HOOKNUM, NFNLA_HOOK_PRIORITY, NFNLA_HOOK_FUNCTION, NFNLA_HOOK_MODULE = 1, 2, 4, 5
PREROUTING, LOCAL_IN, FORWARD, LOCAL_OUT, POSTROUTING = range(5)


class HookLists:
    """A socket for nfnetlink_hook."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.socket.settimeout(30)

    def read(self, family, hook):
        """The hook number, the priority and the module of each hook that the kernel lists there."""
        payload = struct.pack("=BBHHHI", family, 0, 0, 8, NFNLA_HOOK_HOOKNUM, socket.htonl(hook))
        kind = NFNL_SUBSYS_HOOK << 8 | NFNL_MSG_HOOK_GET
        self.socket.send(struct.pack("=IHHII", 16 + len(payload), kind, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + payload)
        hooks = []
        while True:
            for kind, _, _, answer in messages(self.socket.recv(1 << 16)):
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    if error := error_number(answer):
                        raise OSError(error, "dumping hooks")
                    return hooks
                found = {kind & NLA_TYPE_MASK: value for kind, value in attributes(answer[20:])}
                number, = struct.unpack("!I", found[NFNLA_HOOK_HOOKNUM])
                priority, = struct.unpack("!i", found[NFNLA_HOOK_PRIORITY])
                hooks.append((number, priority, found.get(NFNLA_HOOK_MODULE, b"").rstrip(b"\0").decode(errors="replace")))
