// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)

use crate::kernel_api::{
    bindings,
    net::{
        netns::{
            NamespaceUse,
            NetworkNamespace,
            Scope, //
        },
        rewrite::Rewritten,
        send_back,
        skb::Skb, //
    },
    sync::rcu::Published, //
};
use core::{
    marker::PhantomData,
    mem::{
        offset_of,
        size_of, //
    },
    ptr::NonNull, //
};
use kernel::{
    prelude::*,
    sync::{
        rcu::Guard,
        Arc, //
    },
    types::Opaque, //
};

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
    const fn number(self) -> u32 {
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
    const fn number(self) -> i32 {
        match self {
            Self::Raw => bindings::nf_ip_hook_priorities_NF_IP_PRI_RAW,
            Self::BeforeConntrack => bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK - 1,
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
    /// NAT, for the first packet of each connection. If the hook does not set up a translation, the
    /// connection is not translated.
    Nat,
}

impl HookType {
    /// # Safety
    /// `ops`, and what they point to, have to stay valid until a grace period after they were
    /// unregistered from `net`, or after this has failed. `net` has to be valid.
    unsafe fn register(self, net: *mut bindings::net, ops: *mut bindings::nf_hook_ops) -> c_int {
        // SAFETY: By the function's safety requirements, `net` is valid, and `ops` stay valid long
        // enough.
        unsafe {
            match self {
                Self::Netfilter => bindings::nf_register_net_hook(net, ops),
                Self::Nat => bindings::nf_nat_inet_register_fn(net, ops),
            }
        }
    }

    /// # Safety
    ///
    /// `ops` have to be registered with `net`, which has to be valid.
    unsafe fn unregister(self, net: *mut bindings::net, ops: *mut bindings::nf_hook_ops) {
        // SAFETY: By the function's safety requirements, `ops` are registered with `net`, which is
        // valid.
        unsafe {
            match self {
                Self::Netfilter => bindings::nf_unregister_net_hook(net, ops),
                Self::Nat => bindings::nf_nat_inet_unregister_fn(net, ops),
            }
        }
    }
}

/// What happens to a packet.
// A tag in a niche of `Rewritten` would take more instructions for each packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Verdict {
    /// `NF_DROP`: it is freed.
    Drop,
    /// `NF_ACCEPT`: it continues with the next hook.
    Accept,
    /// `NF_ACCEPT` after `nf_reset_ct`: it continues without a conntrack entry.
    AcceptResetCt,
    /// `NF_STOLEN`: it was turned into an answer, which is transmitted. [`Context::way_back`] has
    /// to have found the route for that.
    Transmit(Rewritten),
}

/// The IP version of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// Name of an interface, padded with zeroes, as two machine words.
pub(crate) type InterfaceName = [u64; 2];

/// The state of the hook that a packet is in.
///
/// # Invariants
///
/// For `'a`, `state` is valid, and so are the namespace, the devices and the socket that it
/// names, and the RCU read lock is held.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    state: *const bindings::nf_hook_state,
    lifetime: PhantomData<&'a ()>,
}

impl Context<'_> {
    /// # Safety
    ///
    /// While this exists, the state, its namespace, devices and socket have to be valid, and the RCU
    /// read lock has to be held.
    pub(in crate::kernel_api) unsafe fn from_raw(state: *const bindings::nf_hook_state) -> Self {
        // INVARIANT: By the function's safety requirements.
        Self {
            state,
            lifetime: PhantomData,
        }
    }

    /// The IP version. Netfilter registers a hook of `NFPROTO_INET` once for IPv4 and once for
    /// IPv6.
    #[inline]
    pub(crate) fn family(&self) -> Family {
        // SAFETY: By the type invariant, the state is valid.
        match u32::from(unsafe { (*self.state).pf }) {
            bindings::NFPROTO_IPV6 => Family::Ipv6,
            _ => Family::Ipv4,
        }
    }

    /// The RCU read lock, which netfilter holds while the hook runs.
    #[inline]
    pub(crate) fn rcu(&self) -> &Guard {
        // SAFETY: A `Guard` has no size, as checked below, so any aligned address will do. By the
        // type invariant, the lock that it stands for is held for longer than the reference lives.
        // A reference does not unlock it.
        unsafe { NonNull::<Guard>::dangling().as_ref() }
    }

    #[inline]
    pub(in crate::kernel_api) fn as_raw(&self) -> &bindings::nf_hook_state {
        // SAFETY: By the type invariant, the state is valid.
        unsafe { &*self.state }
    }

    /// The network namespace.
    #[inline]
    pub(crate) fn namespace(&self) -> &NetworkNamespace {
        // SAFETY: By the type invariant, the state and its namespace are valid.
        unsafe { NetworkNamespace::from_raw((*self.state).net) }
    }

    /// Whether the egress device is known.
    #[inline]
    pub(crate) fn is_going_out(&self) -> bool {
        // SAFETY: By the type invariant, the state is valid.
        unsafe { !(*self.state).out.is_null() }
    }

    /// Whether a socket of this network namespace sent the packet.
    #[inline]
    pub(crate) fn is_sender(&self, skb: &Skb) -> bool {
        // SAFETY: By the type invariant, the state and its namespace are valid. By that of `Skb`,
        // the packet is, which holds its socket.
        unsafe { bindings::palisade_is_sent_from(skb.as_raw(), (*self.state).net) }
    }

    /// Name of the egress device, or zeroes if it is not known yet.
    #[inline]
    pub(crate) fn out_interface(&self) -> InterfaceName {
        // SAFETY: By the type invariant, the state is valid, and so is the device unless it is
        // null.
        unsafe { interface_name((*self.state).out) }
    }

    /// Name of the ingress device, or zeroes if this host made the packet.
    #[inline]
    pub(crate) fn in_interface(&self) -> InterfaceName {
        // SAFETY: By the type invariant, the state is valid, and so is the device unless it is
        // null.
        unsafe { interface_name((*self.state).in_) }
    }
}

const _: () = assert!(size_of::<Guard>() == 0);
const _: () = assert!(offset_of!(bindings::net_device, name) % align_of::<u64>() == 0);

/// # Safety
///
/// `device` has to be valid or null.
#[inline]
unsafe fn interface_name(device: *const bindings::net_device) -> InterfaceName {
    if device.is_null() {
        return InterfaceName::default();
    }
    // SAFETY: By the function's safety requirements, the device is valid. Its name is an array of
    // 16 bytes (IFNAMSIZ), aligned for a `u64`, as checked above. If it changes meanwhile, this
    // returns a mix of both names, as xtables does.
    unsafe {
        let name = (&raw const (*device).name).cast::<u64>();
        [name.read_volatile(), name.add(1).read_volatile()]
    }
}

/// A netfilter hook.
///
/// # Examples
///
/// ```ignore
/// struct DropAll;
///
/// impl Hook for DropAll {
///     fn packet(&self, _skb: &Skb, _context: Context<'_>, _family: Family) -> Verdict {
///         Verdict::Drop
///     }
/// }
///
/// let registration = HookRegistration::new(
///     scope,
///     HookNumber::LocalIn,
///     Priority::Filter,
///     HookType::Netfilter,
///     DropAll,
/// )?;
/// ```
pub(crate) trait Hook: Send + Sync + 'static {
    /// Whether to compile the hook once per IP version, so that each copy handles one kind of
    /// header.
    const IS_SPLIT: bool = false;

    /// Whether it may return [`Verdict::AcceptResetCt`].
    const RESETS_CT: bool = false;

    /// Decides on a packet of that IP version. Runs under RCU, mostly in softirq context.
    fn packet(&self, skb: &Skb, context: Context<'_>, family: Family) -> Verdict;
}

/// What netfilter refers to: its hook arrays point to the operations, whose `priv` points to the
/// hook. Both are read under RCU, by packets and by whoever lists hooks (`nfnl_hook_dump`).
struct Operations<T> {
    operations: Opaque<bindings::nf_hook_ops>,
    hook: T,
}

// SAFETY: `T` is `Send`. The operations are written before they are registered, and only read from
// then on.
unsafe impl<T: Send> Send for Operations<T> {}
// SAFETY: `T` is `Sync`. The operations are written before they are registered, and only read from
// then on.
unsafe impl<T: Sync> Sync for Operations<T> {}

/// A hook that is registered for IPv4 and IPv6 until this is dropped. The hook and its operations
/// live for another grace period, since packets may still be in it and others may read the
/// operations.
///
/// # Invariants
///
/// The operations are registered with `namespace`, as a hook of `hook_type`.
pub(crate) struct HookRegistration<T: Hook> {
    operations: Published<Operations<T>>,
    namespace: NamespaceUse,
    hook_type: HookType,
}

impl<T: Hook> HookRegistration<T> {
    /// Registers a hook. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `E2BIG` when there are too many hooks, `ENODEV` when the
    /// namespace is ending, `EINVAL` for a NAT hook that [`Hook::RESETS_CT`]: NAT uses the
    /// connection after the hook.
    pub(crate) fn new(
        scope: &Arc<Scope>,
        hooknum: HookNumber,
        priority: Priority,
        hook_type: HookType,
        hook: T,
    ) -> Result<Self> {
        if T::RESETS_CT && hook_type == HookType::Nat {
            return Err(EINVAL);
        }
        let operations = Operations {
            operations: Opaque::zeroed(),
            hook,
        };
        let operations = Published::new(operations, GFP_KERNEL_ACCOUNT)?;
        let Operations {
            operations: slot,
            hook,
        } = operations.value();
        let mut filled = bindings::nf_hook_ops {
            hook: Some(Self::packet),
            priv_: core::ptr::from_ref(hook).cast_mut().cast(),
            hooknum: hooknum.number(),
            priority: priority.number(),
            ..Default::default()
        };
        filled.pf = bindings::NFPROTO_INET as u8;
        let namespace = scope.enter()?;
        // SAFETY: `slot` is valid for writes, and netfilter does not know it yet. `Published`
        // keeps the operations and the hook in place until a grace period after it is dropped, here
        // on failure or in `drop` after they were unregistered. A failure may come after the IPv4
        // half was registered (`nf_register_net_hook`, `nf_nat_inet_register_fn`). The namespace is
        // in use, so it is valid.
        kernel::error::to_result(unsafe {
            slot.get().write(filled);
            hook_type.register(namespace.as_raw(), slot.get())
        })?;
        // INVARIANT: The operations were just registered with `namespace`.
        Ok(Self {
            operations,
            namespace,
            hook_type,
        })
    }

    /// # Safety
    ///
    /// To be called by netfilter, as the hook that [`Self::new`] registered, with a packet of the
    /// hook and its state.
    unsafe extern "C" fn packet(
        hook: *mut c_void,
        skb: *mut bindings::sk_buff,
        state: *const bindings::nf_hook_state,
    ) -> c_uint {
        // SAFETY: Netfilter keeps the state, its namespace and its devices valid and holds the RCU
        // read lock while the hook runs.
        let family = unsafe { Context::from_raw(state) }.family();
        // SAFETY: By the function's safety requirements, netfilter called this with these
        // arguments.
        unsafe {
            match family {
                Family::Ipv6 if T::IS_SPLIT => Self::packet_ipv6(hook, skb, state),
                _ => Self::show(hook, skb, state, family),
            }
        }
    }

    /// # Safety
    ///
    /// As for [`Self::packet`].
    #[inline(never)]
    unsafe fn packet_ipv6(
        hook: *mut c_void,
        skb: *mut bindings::sk_buff,
        state: *const bindings::nf_hook_state,
    ) -> c_uint {
        // SAFETY: By the function's safety requirements, netfilter called the hook with these
        // arguments.
        unsafe { Self::show(hook, skb, state, Family::Ipv6) }
    }

    /// # Safety
    ///
    /// As for [`Self::packet`].
    #[inline(always)]
    unsafe fn show(
        hook: *mut c_void,
        skb: *mut bindings::sk_buff,
        state: *const bindings::nf_hook_state,
        family: Family,
    ) -> c_uint {
        // SAFETY: `hook` is the `priv` that `new` set, which is valid until all packets have left
        // the hook.
        let hook = unsafe { &*hook.cast::<T>() };
        // SAFETY: The packet is valid, and the hook's alone until it returns.
        let skb = unsafe { Skb::from_raw(skb) };
        // SAFETY: Netfilter keeps the state, its namespace and its devices valid and holds the RCU
        // read lock while the hook runs.
        let context = unsafe { Context::from_raw(state) };
        match hook.packet(skb, context, family) {
            Verdict::Drop => bindings::NF_DROP,
            Verdict::Accept => bindings::NF_ACCEPT,
            Verdict::AcceptResetCt if !T::RESETS_CT => bindings::NF_DROP,
            Verdict::AcceptResetCt => {
                // SAFETY: The packet is valid. Nobody uses its connection through the packet any
                // more: `new` refuses such a hook for NAT, which would (`nf_nat_inet_fn`).
                unsafe { bindings::palisade_ct_forget(skb.as_raw()) };
                bindings::NF_ACCEPT
            }
            Verdict::Transmit(rewritten) => {
                // SAFETY: The packet is the hook's to give away. `rewritten` says that its data was
                // replaced and is no clone's; the hook found its route with `Context::way_back`, as
                // `Verdict::Transmit` asks. The state is valid.
                unsafe { send_back::send_back(skb.as_raw(), context.as_raw(), family, rewritten) };
                bindings::NF_STOLEN
            }
        }
    }
}

impl<T: Hook> Drop for HookRegistration<T> {
    fn drop(&mut self) {
        let operations = self.operations.value().operations.get();
        // SAFETY: By the type invariant, the operations are registered with the namespace, which is
        // valid while it is in use. Concurrent readers are not waited for
        // (`__nf_unregister_net_hook`): `Published` retires the operations when it is dropped next.
        unsafe {
            self.hook_type
                .unregister(self.namespace.as_raw(), operations)
        };
    }
}
