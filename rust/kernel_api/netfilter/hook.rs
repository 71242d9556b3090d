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

/// Where in the stack a hook sees packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookNumber {
    /// Packets that came in, before routing.
    PreRouting,
    /// Packets for this machine.
    LocalIn,
    /// Packets for others.
    Forward,
    /// Packets that this machine makes. They come in process context, too.
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

/// In which order the hooks of a point run.
#[derive(Clone, Copy)]
pub(crate) enum Priority {
    /// Before connection tracking, as iptables' raw table.
    Raw,
    /// Right before connection tracking.
    BeforeConntrack,
    /// Where destinations are translated.
    DestinationNat,
    /// Behind connection tracking.
    AfterConntrack,
    /// As iptables' filter table.
    Filter,
    /// Where sources are translated.
    SourceNat,
    /// Before new connections are confirmed and sequence numbers shifted, and before iptables' SYNPROXY.
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

/// Who shows packets to a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookType {
    /// Netfilter: all packets.
    Netfilter,
    /// Network address translation: the first packet of each connection, which is translated as the hook
    /// has it set up or, if it did nothing, not at all.
    Nat,
}

impl HookType {
    /// # Safety
    ///
    /// The operations, and what they point at, have to stay valid until a grace period after they were unregistered
    /// from the same namespace, or after this has failed.
    unsafe fn register(self, net: *mut bindings::net, ops: *mut bindings::nf_hook_ops) -> c_int {
        // SAFETY: The caller says so.
        unsafe {
            match self {
                Self::Netfilter => bindings::nf_register_net_hook(net, ops),
                Self::Nat => bindings::nf_nat_inet_register_fn(net, ops),
            }
        }
    }

    /// # Safety
    ///
    /// The operations have to be registered with the namespace.
    unsafe fn unregister(self, net: *mut bindings::net, ops: *mut bindings::nf_hook_ops) {
        // SAFETY: The caller says so.
        unsafe {
            match self {
                Self::Netfilter => bindings::nf_unregister_net_hook(net, ops),
                Self::Nat => bindings::nf_nat_inet_unregister_fn(net, ops),
            }
        }
    }
}

/// What becomes of a packet.
// With a tag of its own, since one in a niche of `Rewritten` takes more instructions for each packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Verdict {
    /// `NF_DROP`: it is freed.
    Drop,
    /// `NF_ACCEPT`: it continues with the next hook.
    Accept,
    /// `NF_ACCEPT` after `nf_reset_ct`: it continues without a conntrack entry.
    AcceptResetCt,
    /// `NF_STOLEN`: it has been turned into an answer, which is transmitted.
    Transmit(Rewritten),
}

/// The IP version of the hook that a packet is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// Name of an interface: its bytes, filled up with zeroes, in two words of the machine.
pub(crate) type InterfaceName = [u64; 2];

/// What a hook knows of a packet besides the packet.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    state: *const bindings::nf_hook_state,
    lifetime: PhantomData<&'a ()>,
}

impl Context<'_> {
    /// # Safety
    ///
    /// The state has to be valid for the lifetime, and so do the devices that it names.
    pub(in crate::kernel_api) unsafe fn from_raw(state: *const bindings::nf_hook_state) -> Self {
        Self {
            state,
            lifetime: PhantomData,
        }
    }

    /// The IP version, of which there are two: netfilter makes a hook of `NFPROTO_INET` one of each.
    #[inline]
    pub(crate) fn family(&self) -> Family {
        // SAFETY: The state is valid while the hook runs.
        match u32::from(unsafe { (*self.state).pf }) {
            bindings::NFPROTO_IPV6 => Family::Ipv6,
            _ => Family::Ipv4,
        }
    }

    /// The read lock of RCU, which netfilter holds while the hook runs.
    #[inline]
    pub(crate) fn rcu(&self) -> &Guard {
        // SAFETY: A guard has no size, so that a reference to it may lead anywhere. That it exists says that
        // the lock is held, as it is for the lifetime of the context; behind a reference it unlocks nothing.
        unsafe { NonNull::<Guard>::dangling().as_ref() }
    }

    #[inline]
    pub(in crate::kernel_api) fn as_raw(&self) -> &bindings::nf_hook_state {
        // SAFETY: The state is valid while the hook runs.
        unsafe { &*self.state }
    }

    /// The network namespace.
    #[inline]
    pub(crate) fn namespace(&self) -> &NetworkNamespace {
        // SAFETY: The namespace is valid while the hook runs.
        unsafe { NetworkNamespace::from_raw((*self.state).net) }
    }

    /// Whether the interface is known that the packet goes out by.
    #[inline]
    pub(crate) fn is_going_out(&self) -> bool {
        // SAFETY: The state is valid while the hook runs.
        unsafe { !(*self.state).out.is_null() }
    }

    /// Whether a socket of this network namespace has sent the packet.
    #[inline]
    pub(crate) fn is_sender(&self, skb: &Skb) -> bool {
        // SAFETY: The state is valid while the hook runs, and so are the packet and its socket.
        unsafe { bindings::palisade_is_sent_from(skb.as_raw(), (*self.state).net) }
    }

    /// Name of the interface that the packet goes out by; all zeroes if that is not known yet.
    #[inline]
    pub(crate) fn out_interface(&self) -> InterfaceName {
        // SAFETY: The state is valid while the hook runs, and so is the device under RCU.
        unsafe { interface_name((*self.state).out) }
    }

    /// Name of the interface that the packet came in by; all zeroes if it was made here.
    #[inline]
    pub(crate) fn in_interface(&self) -> InterfaceName {
        // SAFETY: The state is valid while the hook runs, and so is the device under RCU.
        unsafe { interface_name((*self.state).in_) }
    }
}

const _: () = assert!(size_of::<Guard>() == 0);
const _: () = assert!(offset_of!(bindings::net_device, name) % align_of::<u64>() == 0);

/// # Safety
///
/// The device has to be valid or null.
#[inline]
unsafe fn interface_name(device: *const bindings::net_device) -> InterfaceName {
    if device.is_null() {
        return InterfaceName::default();
    }
    // SAFETY: A device's name is an array of 16 bytes (IFNAMSIZ) that, as checked below, is aligned; it may
    // change while it is read, and then a name is seen that is neither the old nor the new one, as in
    // xtables.
    unsafe {
        let name = (&raw const (*device).name).cast::<u64>();
        [name.read_volatile(), name.add(1).read_volatile()]
    }
}

/// What sees the packets of a hook.
pub(crate) trait Hook: Send + Sync + 'static {
    /// Whether to compile it once for each IP version, so that each has to do with one kind of header.
    const IS_SPLIT: bool = false;

    /// Whether it may have packets go on as ones that belong to no connection.
    const RESETS_CT: bool = false;

    /// Decides on a packet of that IP version. Runs under RCU, mostly in softirq.
    fn packet(&self, skb: &Skb, context: Context<'_>, family: Family) -> Verdict;
}

/// What netfilter has of a hook: its arrays of hooks point at the operations, and what they point at is passed to
/// the function. Both are read under RCU, by packets and by who lists hooks (`nfnl_hook_dump`).
struct Operations<T> {
    operations: Opaque<bindings::nf_hook_ops>,
    hook: T,
}

// SAFETY: The operations are written before netfilter gets to know them, and read from then on.
unsafe impl<T: Send> Send for Operations<T> {}
// SAFETY: As above.
unsafe impl<T: Sync> Sync for Operations<T> {}

/// A hook for IPv4 and IPv6, until it is dropped. Packets may be in it for another grace period after
/// that, and others may read its operations; so both live as long.
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
    /// `ENOMEM` when there is no memory, `E2BIG` when there are too many hooks, `ENODEV` when the namespace ends,
    /// `EINVAL` for address translation and a hook that has packets go on without their connection, which that goes
    /// on using.
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
            operations: place,
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
        // SAFETY: The place is valid for writes, and netfilter does not know it yet. It stays where it is until it
        // is unregistered and a grace period longer, and so does the hook. That is so when this fails as well, where
        // it may have been registered for one IP version before it could not be for the other
        // (`nf_register_net_hook`, `nf_nat_inet_register_fn`).
        kernel::error::to_result(unsafe {
            place.get().write(filled);
            hook_type.register(namespace.as_raw(), place.get())
        })?;
        Ok(Self {
            operations,
            namespace,
            hook_type,
        })
    }

    /// # Safety
    ///
    /// To be called by netfilter, as the hook that [`Self::new`] registered.
    unsafe extern "C" fn packet(
        hook: *mut c_void,
        skb: *mut bindings::sk_buff,
        state: *const bindings::nf_hook_state,
    ) -> c_uint {
        // SAFETY: The state is valid while the hook runs.
        let family = unsafe { Context::from_raw(state) }.family();
        // SAFETY: Netfilter calls this, as the caller says.
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
        // SAFETY: The caller says so.
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
        // SAFETY: `hook` is what `new` registered, which lives until all packets have left the hook.
        let hook = unsafe { &*hook.cast::<T>() };
        // SAFETY: The packet is the hook's until it returns.
        let skb = unsafe { Skb::from_raw(skb) };
        // SAFETY: The state, and the devices that it names, are valid while the hook runs.
        let context = unsafe { Context::from_raw(state) };
        match hook.packet(skb, context, family) {
            Verdict::Drop => bindings::NF_DROP,
            Verdict::Accept => bindings::NF_ACCEPT,
            Verdict::AcceptResetCt if !T::RESETS_CT => bindings::NF_DROP,
            Verdict::AcceptResetCt => {
                // SAFETY: The packet is valid; nobody uses its connection any more: netfilter does not, and what would
                // (`nf_nat_inet_fn`) does not show packets to such a hook.
                unsafe { bindings::palisade_ct_forget(skb.as_raw()) };
                bindings::NF_ACCEPT
            }
            Verdict::Transmit(rewritten) => {
                // SAFETY: The packet is the hook's, and nobody uses it any more; it was written anew. The state is valid.
                unsafe { send_back::send_back(skb.as_raw(), context.as_raw(), family, rewritten) };
                bindings::NF_STOLEN
            }
        }
    }
}

impl<T: Hook> Drop for HookRegistration<T> {
    fn drop(&mut self) {
        let operations = self.operations.value().operations.get();
        // SAFETY: It was registered by `new` in a namespace that is still there. This does not wait for who reads
        // them (`__nf_unregister_net_hook`): they are retired by what is dropped next.
        unsafe {
            self.hook_type
                .unregister(self.namespace.as_raw(), operations)
        };
    }
}
