// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)

use super::{
    context::{
        Context,
        Family, //
    },
    hook_type::{
        HookNumber,
        HookType,
        Priority, //
    },
};
use crate::kernel_api::{
    bindings,
    net::{
        netns::{
            NamespaceUse,
            Scope, //
        },
        rewrite::Answer,
        route,
        send_back,
        skb::HookSkb, //
    },
    sync::rcu::Published, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    types::Opaque, //
};

/// What happens to a packet.
// A tag in a niche of `Answer` would take more instructions for each packet.
#[derive(Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Verdict {
    /// `NF_DROP`: it is freed.
    Drop,
    /// `NF_ACCEPT`: it continues with the next hook.
    Accept,
    /// `NF_ACCEPT` after `nf_reset_ct`: it continues without a conntrack entry.
    AcceptResetCt,
    /// `NF_STOLEN`: it was turned into an answer, which is transmitted.
    Transmit(Answer),
}

/// A netfilter hook.
///
/// # Examples
///
/// ```ignore
/// struct DropAll;
///
/// impl Hook for DropAll {
///     fn packet(&self, _skb: &mut HookSkb, _context: Context<'_>, _family: Family) -> Verdict {
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
    fn packet(&self, skb: &mut HookSkb, context: Context<'_>, family: Family) -> Verdict;

    /// Whether somebody watches what the hook does, so that [`Hook::packet_watched`] decides. It is
    /// asked first, as long as a packet has nothing that a call would have to keep.
    #[inline(always)]
    fn is_watched(&self, _context: &Context<'_>) -> bool {
        false
    }

    /// As [`Hook::packet`], and tells of it.
    fn packet_watched(&self, skb: &mut HookSkb, context: Context<'_>, family: Family) -> Verdict {
        self.packet(skb, context, family)
    }
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
    /// namespace is ending, `EINVAL` for a NAT hook that [`Hook::RESETS_CT`], since NAT uses the
    /// connection after the hook, and for [`HookType::Route`] elsewhere than in
    /// [`HookNumber::LocalOut`].
    pub(crate) fn new(
        scope: &Arc<Scope>,
        hooknum: HookNumber,
        priority: Priority,
        hook_type: HookType,
        hook: T,
    ) -> Result<Self> {
        let is_refused = match hook_type {
            HookType::Netfilter => false,
            // A packet has a route there.
            HookType::Route => hooknum != HookNumber::LocalOut,
            HookType::Nat => T::RESETS_CT,
        };
        if is_refused {
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
            hook: Some(match hook_type {
                HookType::Netfilter | HookType::Nat => Self::packet,
                HookType::Route => Self::packet_to_route,
            }),
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
    /// As for [`Self::packet`], for packets of LOCAL_OUT.
    unsafe extern "C" fn packet_to_route(
        hook: *mut c_void,
        skb: *mut bindings::sk_buff,
        state: *const bindings::nf_hook_state,
    ) -> c_uint {
        // SAFETY: The packet is valid, and the hook's alone until it returns.
        let mark = unsafe { bindings::palisade_mark(skb) };
        // SAFETY: By the function's safety requirements, netfilter called this with these
        // arguments.
        let verdict = unsafe { Self::packet(hook, skb, state) };
        // SAFETY: The packet is valid still, since it was accepted, and has a route in LOCAL_OUT.
        // Netfilter keeps the state valid and holds the RCU read lock while the hook runs.
        unsafe {
            if verdict != bindings::NF_ACCEPT || bindings::palisade_mark(skb) == mark {
                return verdict;
            }
            match route::reroute(skb, Context::from_raw(state)) {
                Ok(()) => verdict,
                Err(error) => drop_with(error),
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
        // SAFETY: By the function's safety requirements, netfilter called the hook with these
        // arguments.
        let (this, packet, context) = unsafe { Self::arguments(hook, skb, state) };
        if this.is_watched(&context) {
            // SAFETY: As above. What was borrowed of the arguments is not used any more.
            return unsafe { Self::show_watched(hook, skb, state, family) };
        }
        let verdict = this.packet(packet, context, family);
        // SAFETY: This is what netfilter called, which returns the verdict.
        unsafe { Self::conclude(verdict, packet, context, family) }
    }

    /// # Safety
    ///
    /// As for [`Self::packet`].
    #[cold]
    #[inline(never)]
    unsafe fn show_watched(
        hook: *mut c_void,
        skb: *mut bindings::sk_buff,
        state: *const bindings::nf_hook_state,
        family: Family,
    ) -> c_uint {
        // SAFETY: By the function's safety requirements, netfilter called the hook with these
        // arguments.
        let (this, packet, context) = unsafe { Self::arguments(hook, skb, state) };
        let verdict = this.packet_watched(packet, context, family);
        // SAFETY: This is what netfilter called, which returns the verdict.
        unsafe { Self::conclude(verdict, packet, context, family) }
    }

    /// The arguments of a call by netfilter.
    ///
    /// # Safety
    ///
    /// As for [`Self::packet`], which must not have returned for `'a`.
    #[inline(always)]
    unsafe fn arguments<'a>(
        hook: *mut c_void,
        skb: *mut bindings::sk_buff,
        state: *const bindings::nf_hook_state,
    ) -> (&'a T, &'a mut HookSkb, Context<'a>) {
        // SAFETY: `hook` is the `priv` that `new` set, which is valid until all packets have left
        // the hook.
        let hook = unsafe { &*hook.cast::<T>() };
        // SAFETY: The packet is valid, and the hook's alone until it returns.
        let skb = unsafe { HookSkb::from_raw(skb) };
        // SAFETY: Netfilter keeps the state, its namespace and its devices valid and holds the RCU
        // read lock while the hook runs.
        (hook, skb, unsafe { Context::from_raw(state) })
    }

    /// What netfilter is told of a verdict, with what that takes.
    ///
    /// # Safety
    ///
    /// `skb` has to be the packet that netfilter called the hook with, in that context, and the verdict
    /// the hook's. Netfilter's call has to return this.
    #[inline(always)]
    unsafe fn conclude(
        verdict: Verdict,
        skb: &mut HookSkb,
        context: Context<'_>,
        family: Family,
    ) -> c_uint {
        match verdict {
            Verdict::Drop => bindings::NF_DROP,
            Verdict::Accept => bindings::NF_ACCEPT,
            Verdict::AcceptResetCt if !T::RESETS_CT => bindings::NF_DROP,
            Verdict::AcceptResetCt => {
                // SAFETY: The packet is valid. Nobody uses its connection through the packet any
                // more: `new` refuses such a hook for NAT, which would (`nf_nat_inet_fn`).
                unsafe { bindings::palisade_ct_forget(skb.as_raw()) };
                bindings::NF_ACCEPT
            }
            Verdict::Transmit(answer) => {
                // SAFETY: The packet is the hook's to give away. `answer`, which is of this packet,
                // says that its data was replaced and is no clone's, and that its way was found.
                // The state is valid.
                unsafe { send_back::send_back(skb.as_raw(), context.as_raw(), family, answer) };
                bindings::NF_STOLEN
            }
        }
    }
}

/// The verdict that drops a packet and tells its sender why (`NF_DROP_ERR`).
fn drop_with(error: Error) -> c_uint {
    bindings::NF_DROP | (error.to_errno().unsigned_abs() << bindings::NF_VERDICT_QBITS)
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
