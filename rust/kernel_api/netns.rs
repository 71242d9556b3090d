// SPDX-License-Identifier: GPL-2.0

//! Network namespaces, and a state of one's own in each.
//!
//! C header: [`include/net/net_namespace.h`](srctree/include/net/net_namespace.h)

use super::bindings;
use core::{
    marker::PhantomData,
    mem::size_of, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
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
    pub(super) unsafe fn from_raw<'a>(net: *mut bindings::net) -> &'a Self {
        // SAFETY: The caller says that it is valid, and the type is transparent.
        unsafe { &*net.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::net {
        self.0.get()
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
    fn start(namespace: &NetworkNamespace) -> Result<Arc<Self>>;

    /// The namespace ends: no hook may remain, nor anything that refers to the namespace. After this the
    /// kernel waits for a grace period and drops its reference to the state.
    fn stop(&self, namespace: &NetworkNamespace);

    /// That grace period is over, and the kernel is about to drop its reference to the state; the memory of
    /// the namespace is freed some time after that. May sleep.
    fn finish(&self) {}
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
            let state = T::start(namespace)?;
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
            state.stop(namespace);
        }
    }

    /// # Safety
    ///
    /// To be called by the kernel, a grace period after [`Self::pre_exit`].
    unsafe extern "C" fn exit(net: *mut bindings::net) {
        // SAFETY: The kernel gives a valid namespace.
        let namespace = unsafe { NetworkNamespace::from_raw(net) };
        if let Some(state) = state::<T>(namespace) {
            state.finish();
        }
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
