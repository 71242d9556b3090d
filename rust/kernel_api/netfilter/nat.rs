// SPDX-License-Identifier: GPL-2.0

//! Network address translation of connections.
//!
//! C headers: [`include/net/netfilter/nf_nat.h`](srctree/include/net/netfilter/nf_nat.h),
//! [`include/net/netfilter/nf_nat_masquerade.h`](srctree/include/net/netfilter/nf_nat_masquerade.h)

use super::{
    Context,
    Family,
    Verdict, //
};
use crate::kernel_api::{
    bindings,
    net::skb::HookSkb, //
};
use kernel::prelude::*;

/// Whether the kernel has what MASQUERADE needs.
pub(crate) const HAS_MASQUERADE: bool = cfg!(CONFIG_NF_NAT_MASQUERADE = "y");

/// What connections are translated to. Ranges include both ends.
#[derive(Clone, Copy, Default)]
pub(crate) struct NatRange {
    /// The first and the last address, as words in network byte order, for a chosen one; `None`
    /// for the original one.
    pub(crate) addresses: Option<[[u32; 4]; 2]>,
    /// The first and the last port; `None` for the original one if that is free.
    pub(crate) ports: Option<(u16, u16)>,
    /// The original port that becomes the first one; those after it become those after that.
    pub(crate) base: Option<u16>,
    /// Whether the port is chosen at random.
    pub(crate) is_random: bool,
    /// Likewise. The kernel has two flags for it, which have had the same effect since Linux 5.0.
    pub(crate) is_fully_random: bool,
    /// Whether the address depends on the client alone, and not on its destination.
    pub(crate) is_persistent: bool,
}

impl NatRange {
    fn to_raw(self) -> bindings::nf_nat_range2 {
        let mut range = bindings::nf_nat_range2::default();
        if let Some([first, last]) = self.addresses {
            range.flags |= bindings::NF_NAT_RANGE_MAP_IPS;
            range.min_addr.all = first;
            range.max_addr.all = last;
        }
        if let Some((first, last)) = self.ports {
            range.flags |= bindings::NF_NAT_RANGE_PROTO_SPECIFIED;
            range.min_proto.all = first.to_be();
            range.max_proto.all = last.to_be();
        }
        if let Some(base) = self.base {
            range.flags |= bindings::NF_NAT_RANGE_PROTO_OFFSET;
            range.base_proto.all = base.to_be();
        }
        for (is_set, flag) in [
            (self.is_random, bindings::NF_NAT_RANGE_PROTO_RANDOM),
            (
                self.is_fully_random,
                bindings::NF_NAT_RANGE_PROTO_RANDOM_FULLY,
            ),
            (self.is_persistent, bindings::NF_NAT_RANGE_PERSISTENT),
        ] {
            if is_set {
                range.flags |= flag;
            }
        }
        range
    }
}

/// What is translated, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TranslationKind {
    /// The destination, to this host, in PREROUTING and OUTPUT. The range has no addresses.
    Redirect,
    /// The destination, in PREROUTING and OUTPUT.
    Destination,
    /// The source, in INPUT and POSTROUTING.
    Source,
    /// The source, to the address of the egress device that fits its route, in POSTROUTING. The
    /// range has no addresses.
    Masquerade,
}

/// Translates connections.
///
/// # Examples
///
/// ```ignore
/// let range = NatRange {
///     ports: Some((8080, 8080)),
///     ..NatRange::default()
/// };
/// let translation = Translation::new(TranslationKind::Redirect, range);
/// let verdict = translation.apply(skb, context);
/// ```
pub(crate) struct Translation {
    kind: TranslationKind,
    range: bindings::nf_nat_range2,
}

impl Translation {
    /// Translates to a range, whose addresses have to be of the family of the packets.
    pub(crate) fn new(kind: TranslationKind, range: NatRange) -> Self {
        Self {
            kind,
            range: range.to_raw(),
        }
    }

    /// What of a connection it sets up.
    fn manip(&self) -> bindings::nf_nat_manip_type {
        match self.kind {
            TranslationKind::Redirect | TranslationKind::Destination => {
                bindings::nf_nat_manip_type_NF_NAT_MANIP_DST
            }
            TranslationKind::Source | TranslationKind::Masquerade => {
                bindings::nf_nat_manip_type_NF_NAT_MANIP_SRC
            }
        }
    }

    /// Translates the connection of a packet that is in a NAT hook. The packet is dropped if that is
    /// impossible: in another hook than those of the kind, or if the device has no address.
    #[inline]
    pub(crate) fn apply(&self, skb: &mut HookSkb, context: &Context<'_>) -> Verdict {
        use TranslationKind::{Destination, Masquerade, Redirect, Source};
        let state = context.as_raw();
        let hook = u32::from(state.hook);
        let is_possible = match (self.kind, hook) {
            (Redirect, bindings::nf_inet_hooks_NF_INET_PRE_ROUTING) => !state.in_.is_null(),
            (Destination, bindings::nf_inet_hooks_NF_INET_PRE_ROUTING) => true,
            (Redirect | Destination, bindings::nf_inet_hooks_NF_INET_LOCAL_OUT) => true,
            (Source, bindings::nf_inet_hooks_NF_INET_LOCAL_IN) => true,
            (Source, bindings::nf_inet_hooks_NF_INET_POST_ROUTING) => true,
            (Masquerade, bindings::nf_inet_hooks_NF_INET_POST_ROUTING) => {
                // SAFETY: By the type invariant of `HookSkb`, the packet is valid.
                !state.out.is_null() && unsafe { bindings::palisade_skb_is_routed(skb.as_raw()) }
            }
            _ => false,
        };
        if !is_possible {
            return Verdict::Drop;
        }
        let mut info = 0;
        // SAFETY: By the type invariant of `HookSkb`, the packet is valid. `info` is valid for writes.
        let connection = unsafe { bindings::palisade_ct_get(skb.as_raw(), &mut info) };
        // As in the kernel, untracked packets are not translated.
        if connection.is_null() {
            return Verdict::Accept;
        }
        // SAFETY: The packet holds a reference to its connection.
        if unsafe { bindings::palisade_ct_is_settled(connection, self.manip()) } {
            return Verdict::Accept;
        }
        // SAFETY: The packet is in one of the hooks that these functions are for, under RCU, and
        // has a connection for which this part of NAT is not set up yet. In PREROUTING, it has an
        // ingress device where that is asked for an address; in POSTROUTING likewise an egress
        // device and a route.
        let verdict = unsafe {
            match (self.kind, context.family()) {
                (Redirect, Family::Ipv4) => {
                    bindings::nf_nat_redirect_ipv4(skb.as_raw(), &self.range, hook)
                }
                (Redirect, Family::Ipv6) => {
                    bindings::nf_nat_redirect_ipv6(skb.as_raw(), &self.range, hook)
                }
                (Masquerade, Family::Ipv4) => {
                    bindings::palisade_masquerade4(skb.as_raw(), &self.range, state)
                }
                (Masquerade, Family::Ipv6) => {
                    bindings::palisade_masquerade6(skb.as_raw(), &self.range, state)
                }
                (Destination | Source, _) => {
                    bindings::nf_nat_setup_info(connection, &self.range, self.manip())
                }
            }
        };
        if verdict == bindings::NF_ACCEPT {
            Verdict::Accept
        } else {
            Verdict::Drop
        }
    }
}

/// Has connections forgotten that were masqueraded with an address that goes, or by a device that
/// goes down, until this is dropped. If nobody else has masqueraded connections forgotten by then,
/// all of them are, as if their devices went down (`unregister_netdevice_notifier`): keep it for
/// as long as the module is there.
///
/// # Invariants
///
/// `palisade_masquerade_start` has succeeded.
pub(crate) struct MasqueradeUse(());

impl MasqueradeUse {
    /// Starts it; does nothing on kernels without [`HAS_MASQUERADE`]. May sleep, and takes the lock
    /// that network namespaces come and go under.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: `palisade_masquerade_start` has no requirements but process context, and takes
        // `pernet_ops_rwsem`, which nobody holds who loads a module.
        kernel::error::to_result(unsafe { bindings::palisade_masquerade_start() })?;
        // INVARIANT: It has just succeeded.
        Ok(Self(()))
    }
}

impl Drop for MasqueradeUse {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, this balances `palisade_masquerade_start`.
        unsafe { bindings::palisade_masquerade_stop() };
    }
}
