// SPDX-License-Identifier: GPL-2.0

//! The hooks of a packet's way: their numbers, priorities and types.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)

use crate::kernel_api::bindings;
use kernel::ffi::c_int;

/// The hook numbers of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookNumber {
    /// Packets that came in, before routing.
    PreRouting,
    /// Packets for this host.
    LocalIn,
    /// Packets to be forwarded.
    Forward,
    /// Packets that this host sends. They come in process context, too.
    LocalOut,
    /// Packets that go out, after routing.
    PostRouting,
}

impl HookNumber {
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::PreRouting => bindings::nf_inet_hooks_NF_INET_PRE_ROUTING,
            Self::LocalIn => bindings::nf_inet_hooks_NF_INET_LOCAL_IN,
            Self::Forward => bindings::nf_inet_hooks_NF_INET_FORWARD,
            Self::LocalOut => bindings::nf_inet_hooks_NF_INET_LOCAL_OUT,
            Self::PostRouting => bindings::nf_inet_hooks_NF_INET_POST_ROUTING,
        }
    }
}

/// The priority of a hook: the order in which the hooks of one number run.
#[derive(Clone, Copy)]
pub(crate) enum Priority {
    /// Before connection tracking, as iptables' raw table.
    Raw,
    /// Right before connection tracking.
    BeforeConntrack,
    /// As iptables' mangle table.
    Mangle,
    /// Where destination NAT happens.
    DestinationNat,
    /// Right after connection tracking.
    AfterConntrack,
    /// As iptables' filter table.
    Filter,
    /// Where source NAT happens.
    SourceNat,
    /// Before connections are confirmed, before sequence adjustment, and before iptables' SYNPROXY.
    BeforeConfirm,
}

impl Priority {
    pub(super) const fn number(self) -> i32 {
        match self {
            Self::Raw => bindings::nf_ip_hook_priorities_NF_IP_PRI_RAW,
            Self::BeforeConntrack => bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK - 1,
            Self::Mangle => bindings::nf_ip_hook_priorities_NF_IP_PRI_MANGLE,
            Self::DestinationNat => bindings::nf_ip_hook_priorities_NF_IP_PRI_NAT_DST,
            Self::AfterConntrack => bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK + 1,
            Self::Filter => bindings::nf_ip_hook_priorities_NF_IP_PRI_FILTER,
            Self::SourceNat => bindings::nf_ip_hook_priorities_NF_IP_PRI_NAT_SRC,
            Self::BeforeConfirm => bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK_CONFIRM - 2,
        }
    }
}

/// Who calls a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookType {
    /// Netfilter, for all packets.
    Netfilter,
    /// As [`Self::Netfilter`], for packets that this host sends; those whose mark the hook changes
    /// are routed again, as by nftables' chains of type route.
    Route,
    /// NAT, for the first packet of each connection. If the hook does not set up a translation, the
    /// connection is not translated.
    Nat,
}

impl HookType {
    /// # Safety
    /// `ops`, and what they point to, have to stay valid until a grace period after they were
    /// unregistered from `net`, or after this has failed. `net` has to be valid.
    pub(super) unsafe fn register(
        self,
        net: *mut bindings::net,
        ops: *mut bindings::nf_hook_ops,
    ) -> c_int {
        // SAFETY: By the function's safety requirements, `net` is valid, and `ops` stay valid long
        // enough.
        unsafe {
            match self {
                Self::Netfilter | Self::Route => bindings::nf_register_net_hook(net, ops),
                Self::Nat => bindings::nf_nat_inet_register_fn(net, ops),
            }
        }
    }

    /// # Safety
    ///
    /// `ops` have to be registered with `net`, which has to be valid.
    pub(super) unsafe fn unregister(
        self,
        net: *mut bindings::net,
        ops: *mut bindings::nf_hook_ops,
    ) {
        // SAFETY: By the function's safety requirements, `ops` are registered with `net`, which is
        // valid.
        unsafe {
            match self {
                Self::Netfilter | Self::Route => bindings::nf_unregister_net_hook(net, ops),
                Self::Nat => bindings::nf_nat_inet_unregister_fn(net, ops),
            }
        }
    }
}
