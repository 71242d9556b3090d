// SPDX-License-Identifier: GPL-2.0

//! Network namespaces, and a state of one's own in each.
//!
//! C header: [`include/net/net_namespace.h`](srctree/include/net/net_namespace.h)

use crate::kernel_api::{
    bindings,
    sync::rcu, //
};
use core::{
    marker::PhantomData,
    mem::size_of, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
        },
        Arc,
        ArcBorrow, //
    },
    types::{
        ForeignOwnable,
        Opaque, //
    },
};

/// A network namespace.
#[repr(transparent)]
pub(crate) struct NetworkNamespace(Opaque<bindings::net>);

impl NetworkNamespace {
    /// # Safety
    ///
    /// The pointer has to be valid for `'a`.
    pub(in crate::kernel_api) unsafe fn from_raw<'a>(net: *mut bindings::net) -> &'a Self {
        // SAFETY: The caller says that it is valid, and the type is transparent.
        unsafe { &*net.cast() }
    }

    pub(in crate::kernel_api) fn as_raw(&self) -> *mut bindings::net {
        self.0.get()
    }
}

/// What may outlast a call and uses a namespace all the same. It is over when the namespace begins to end.
///
/// Whatever keeps a namespace's address, or runs in the background on its behalf, has a [`NamespaceUse`] for it, as
/// there is no other way to the address. So what is left of them when a namespace begins to end is known, and not only
/// agreed on: [`Registration`] sees to it that none is left.
pub(crate) struct Scope {
    net: *mut bindings::net,
    uses: Atomic<i32>,
    is_over: Atomic<bool>,
}

// SAFETY: The address is used by who has a `NamespaceUse` only, from any thread.
unsafe impl Send for Scope {}
// SAFETY: As above.
unsafe impl Sync for Scope {}

impl Scope {
    pub(in crate::kernel_api) fn new(namespace: &NetworkNamespace) -> Result<Arc<Self>> {
        let scope = Self {
            net: namespace.as_raw(),
            uses: Atomic::new(0),
            is_over: Atomic::new(false),
        };
        Ok(Arc::new(scope, GFP_KERNEL_ACCOUNT)?)
    }

    /// A use of the namespace.
    ///
    /// # Errors
    ///
    /// `ENODEV` when the namespace has begun to end.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<NamespaceUse> {
        // It is counted first: who ends the scope either sees it or is seen here.
        self.uses.fetch_add(1, Full);
        let entered = NamespaceUse(self.clone());
        if self.is_over.load(Acquire) {
            return Err(ENODEV);
        }
        Ok(entered)
    }

    /// The namespace begins to end. What was retired may still use it, and is waited for. May sleep.
    fn end(&self) {
        self.is_over.xchg(true, Full);
        if self.uses.load(Acquire) != 0 {
            rcu::wait_for_retired();
        }
        kernel::warn_on!(self.uses.load(Acquire) != 0);
    }
}

/// A use of a namespace that outlasts a call. Whoever has it may use the namespace.
pub(crate) struct NamespaceUse(Arc<Scope>);

impl NamespaceUse {
    /// The namespace.
    pub(crate) fn namespace(&self) -> &NetworkNamespace {
        // SAFETY: The namespace is there until `Registration::pre_exit` returns and some time longer
        // (`ops_undo_list`), and that waits until no use of it is left.
        unsafe { NetworkNamespace::from_raw(self.0.net) }
    }

    pub(in crate::kernel_api) fn as_raw(&self) -> *mut bindings::net {
        self.0.net
    }
}

impl Drop for NamespaceUse {
    fn drop(&mut self) {
        // What was done in the namespace is done before it goes.
        self.0.uses.fetch_sub(1, Release);
    }
}

/// Where the kernel keeps the state of each namespace: a number that the registration is given.
pub(crate) struct Slot(Atomic<u32>);

impl Slot {
    /// A slot that is not in use yet.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }
}

/// The state that a subsystem has in each network namespace.
pub(crate) trait PerNamespace: Send + Sync + Sized + 'static {
    /// The slot of this type; a static.
    fn slot() -> &'static Slot;

    /// Makes the state of a new namespace. Packets may pass the namespace already.
    fn start(scope: Arc<Scope>) -> Result<Arc<Self>>;

    /// What `start` was given.
    fn scope(&self) -> &Scope;

    /// The namespace ends: whatever has a [`NamespaceUse`] has to be dropped or retired. What was retired is waited
    /// for. Later, a grace period after that, the kernel drops its reference to the state. May sleep.
    fn stop(&self);
}

/// The state of `namespace`, while it has one.
pub(crate) fn state<T: PerNamespace>(namespace: &NetworkNamespace) -> Option<ArcBorrow<'_, T>> {
    let pointer = stored::<T>(namespace.as_raw())?;
    // SAFETY: The pointer came from `into_foreign` and is valid until `exit`, which comes when nothing
    // refers to the namespace any more.
    Some(unsafe { <Arc<T> as ForeignOwnable>::borrow(pointer.cast()) })
}

fn place<T: PerNamespace>(net: *mut bindings::net) -> *mut *mut c_void {
    let number = T::slot().0.load(Relaxed);
    // SAFETY: The number is that of the registered subsystem, so that there is a place of the size that
    // was asked for.
    unsafe { bindings::palisade_namespace_slot(net, number).cast() }
}

fn stored<T: PerNamespace>(net: *mut bindings::net) -> Option<*mut c_void> {
    if T::slot().0.load(Relaxed) == 0 {
        return None;
    }
    // SAFETY: The place is valid while the namespace is; it is written at its start and its end alone. What is read
    // through the pointer depends on it, as with `rcu_dereference`.
    let pointer = unsafe { place::<T>(net).read_volatile() };
    (!pointer.is_null()).then_some(pointer)
}

/// Keeps a [`PerNamespace`] in each namespace until it is dropped.
pub(crate) struct Registration<T: PerNamespace> {
    operations: KBox<Opaque<bindings::pernet_operations>>,
    state: PhantomData<T>,
}

// SAFETY: The operations are not used but to register and unregister.
unsafe impl<T: PerNamespace> Send for Registration<T> {}
// SAFETY: As above.
unsafe impl<T: PerNamespace> Sync for Registration<T> {}

impl<T: PerNamespace> Registration<T> {
    /// Makes the state of all namespaces, and of those to come.
    ///
    /// # Errors
    ///
    /// What [`PerNamespace::start`] failed with, or `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let operations = KBox::new(
            Opaque::new(bindings::pernet_operations {
                init: Some(Self::init),
                pre_exit: Some(Self::pre_exit),
                exit: Some(Self::exit),
                id: T::slot().0.as_ptr().cast(),
                size: size_of::<*mut c_void>(),
                ..Default::default()
            }),
            GFP_KERNEL,
        )?;
        // SAFETY: The operations stay where they are until they are unregistered.
        kernel::error::to_result(unsafe { bindings::register_pernet_subsys(operations.get()) })?;
        Ok(Self {
            operations,
            state: PhantomData,
        })
    }

    /// # Safety
    ///
    /// To be called by the kernel, for a namespace that is new to the registered operations.
    unsafe extern "C" fn init(net: *mut bindings::net) -> c_int {
        // SAFETY: The kernel gives a valid namespace.
        let namespace = unsafe { NetworkNamespace::from_raw(net) };
        kernel::error::from_result(|| {
            let state = T::start(Scope::new(namespace)?)?;
            let pointer: *mut c_void = state.into_foreign().cast();
            // SAFETY: The place is ours, aligned, and nobody else writes it. Who reads the pointer while the namespace is
            // being set up sees what it points to, too (`rcu_assign_pointer`).
            unsafe { Atomic::from_ptr(place::<T>(net)) }.store(pointer, Release);
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// To be called by the kernel, for a namespace that [`Self::init`] succeeded with.
    unsafe extern "C" fn pre_exit(net: *mut bindings::net) {
        // SAFETY: The kernel gives a valid namespace.
        let namespace = unsafe { NetworkNamespace::from_raw(net) };
        if let Some(state) = state::<T>(namespace) {
            state.stop();
            state.scope().end();
        }
    }

    /// # Safety
    ///
    /// To be called by the kernel, a grace period after [`Self::pre_exit`].
    unsafe extern "C" fn exit(net: *mut bindings::net) {
        if let Some(pointer) = stored::<T>(net) {
            // SAFETY: The place is ours; a grace period has passed since `pre_exit`.
            unsafe { place::<T>(net).write_volatile(core::ptr::null_mut()) };
            // SAFETY: The pointer came from `into_foreign`, and it was just taken away.
            drop(unsafe { <Arc<T> as ForeignOwnable>::from_foreign(pointer.cast()) });
        }
    }
}

impl<T: PerNamespace> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: They were registered by `new`.
        unsafe { bindings::unregister_pernet_subsys(self.operations.get()) };
    }
}
