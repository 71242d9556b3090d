// SPDX-License-Identifier: GPL-2.0

//! Network namespaces, and per-namespace state.
//!
//! C header: [`include/net/net_namespace.h`](srctree/include/net/net_namespace.h)

use crate::kernel_api::{
    bindings,
    demands,
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
///
/// # Invariants
///
/// A reference to this points to a valid `struct net`.
#[repr(transparent)]
pub(crate) struct NetworkNamespace(Opaque<bindings::net>);

impl NetworkNamespace {
    /// # Safety
    ///
    /// The pointer has to be valid for `'a`.
    pub(in crate::kernel_api) unsafe fn from_raw<'a>(net: *mut bindings::net) -> &'a Self {
        // SAFETY: By the function's safety requirements, `net` is valid for `'a`, and the type is
        // transparent.
        unsafe { &*net.cast() }
    }

    pub(in crate::kernel_api) fn as_raw(&self) -> *mut bindings::net {
        self.0.get()
    }
}

/// Keeps track of who uses a namespace beyond a call. It is over when the namespace starts to end.
///
/// Whatever keeps a namespace's address, or runs in the background for it, has a [`NamespaceUse`]:
/// there is no other way to the address. So the remaining uses are counted when a namespace starts
/// to end, and [`Registration`] waits for them.
pub(crate) struct Scope {
    net: *mut bindings::net,
    uses: Atomic<i32>,
    is_over: Atomic<bool>,
}

// SAFETY: The pointer is used through a `NamespaceUse` only, by any task.
unsafe impl Send for Scope {}
// SAFETY: The pointer does not change, and is used through a `NamespaceUse` only, by any task.
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

    /// Starts a use of the namespace.
    ///
    /// # Errors
    ///
    /// `ENODEV` when the namespace is ending.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<NamespaceUse> {
        // Count first: either `end` sees this use, or this sees that the scope is over.
        self.uses.fetch_add(1, Full);
        let entered = NamespaceUse(self.clone());
        if self.is_over.load(Acquire) {
            return Err(ENODEV);
        }
        Ok(entered)
    }

    /// Calls `with` on the namespace, which may not sleep; `None` when the namespace is ending.
    pub(crate) fn read<R>(&self, with: impl FnOnce(&NetworkNamespace) -> R) -> Option<R> {
        let _guard = kernel::sync::rcu::read_lock();
        if self.is_over.load(Acquire) {
            return None;
        }
        // SAFETY: `pre_exit` ends the scope, and a grace period passes before the namespace goes on to
        // end (`ops_undo_list`): it is valid for this read-side critical section.
        Some(with(unsafe { NetworkNamespace::from_raw(self.net) }))
    }

    /// Ends the scope. Waits for what was retired, since that may still use the namespace. May
    /// sleep.
    fn end(&self) {
        self.is_over.xchg(true, Full);
        if self.uses.load(Acquire) != 0 {
            rcu::wait_for_retired();
        }
        demands::warn_unless(self.uses.load(Acquire) == 0);
    }
}

/// A use of a namespace beyond a call, which keeps the namespace valid.
pub(crate) struct NamespaceUse(Arc<Scope>);

impl NamespaceUse {
    /// Returns the namespace.
    pub(crate) fn namespace(&self) -> &NetworkNamespace {
        // SAFETY: The namespace is valid until `Registration::pre_exit` returns and some time
        // longer (`ops_undo_list`). No use is left by then: `PerNamespace::stop` drops or retires
        // them all, and `Scope::end` waits for the retired ones, and warns about any that `stop`
        // left.
        unsafe { NetworkNamespace::from_raw(self.0.net) }
    }

    pub(in crate::kernel_api) fn as_raw(&self) -> *mut bindings::net {
        self.0.net
    }
}

impl Drop for NamespaceUse {
    fn drop(&mut self) {
        // Pairs with `end`: all accesses to the namespace come before it goes away.
        self.0.uses.fetch_sub(1, Release);
    }
}

/// The id of a subsystem's per-namespace state (`struct pernet_operations`), which the registration
/// sets. It is of a type, so that no other type's state is ever looked for there.
pub(crate) struct Slot<T> {
    id: Atomic<u32>,
    state: PhantomData<fn() -> T>,
}

impl<T> Slot<T> {
    /// A slot that is not registered yet.
    pub(crate) const fn new() -> Self {
        Self {
            id: Atomic::new(0),
            state: PhantomData,
        }
    }
}

/// The state of a subsystem in each network namespace.
///
/// # Examples
///
/// ```ignore
/// static SLOT: Slot<State> = Slot::new();
///
/// struct State {
///     scope: Arc<Scope>,
/// }
///
/// impl PerNamespace for State {
///     fn slot() -> &'static Slot<Self> {
///         &SLOT
///     }
///
///     fn start(scope: Arc<Scope>) -> Result<Arc<Self>> {
///         Ok(Arc::new(Self { scope }, GFP_KERNEL)?)
///     }
///
///     fn scope(&self) -> &Scope {
///         &self.scope
///     }
///
///     fn stop(&self) {}
/// }
///
/// let registration = Registration::<State>::new()?;
/// ```
pub(crate) trait PerNamespace: Send + Sync + Sized + 'static {
    /// The slot of this type, always the same.
    fn slot() -> &'static Slot<Self>;

    /// Creates the state of a new namespace. Packets may already pass through the namespace.
    fn start(scope: Arc<Scope>) -> Result<Arc<Self>>;

    /// The scope that `start` was given.
    fn scope(&self) -> &Scope;

    /// Called when the namespace ends. Has to drop or retire whatever has a [`NamespaceUse`]; what
    /// was retired is waited for. The reference to the state itself is dropped a grace period
    /// later. May sleep.
    fn stop(&self);
}

/// The state in a namespace, if it has one.
pub(crate) fn state<T: PerNamespace>(namespace: &NetworkNamespace) -> Option<ArcBorrow<'_, T>> {
    // SAFETY: By the type invariant, the namespace is valid.
    let pointer = unsafe { stored::<T>(namespace.as_raw()) }?;
    // SAFETY: The pointer came from `into_foreign` for an `Arc<T>`, as `T` has a slot of its own.
    // `exit` takes it away a grace period after `pre_exit`: when the namespace goes, or when the
    // module does, whose hooks and netlink family are unregistered before that.
    Some(unsafe { <Arc<T> as ForeignOwnable>::borrow(pointer.cast()) })
}

/// # Safety
///
/// `net` has to be valid, and the operations of `T` registered.
unsafe fn state_pointer<T: PerNamespace>(net: *mut bindings::net) -> *mut *mut c_void {
    let number = T::slot().id.load(Relaxed);
    // SAFETY: By the function's safety requirements, the namespace is valid, and the number is that
    // of the registered operations, which asked for room of this size.
    unsafe { bindings::palisade_namespace_slot(net, number).cast() }
}

/// # Safety
///
/// `net` has to be valid.
unsafe fn stored<T: PerNamespace>(net: *mut bindings::net) -> Option<*mut c_void> {
    if T::slot().id.load(Relaxed) == 0 {
        return None;
    }
    // SAFETY: By the function's safety requirements, the namespace is valid. Its room for the
    // pointer is valid and aligned, as the operations have a number, so they are registered. It is written by `init` and `exit` only. Accesses through the loaded pointer depend
    // on it, as with `rcu_dereference`.
    let pointer = unsafe { state_pointer::<T>(net).read_volatile() };
    (!pointer.is_null()).then_some(pointer)
}

/// Keeps a [`PerNamespace`] in each namespace until this is dropped.
///
/// # Invariants
///
/// The operations are registered.
pub(crate) struct Registration<T: PerNamespace> {
    operations: KBox<Opaque<bindings::pernet_operations>>,
    state: PhantomData<T>,
}

// SAFETY: The operations are used to register and unregister only, which any task may do.
unsafe impl<T: PerNamespace> Send for Registration<T> {}
// SAFETY: `&Registration` gives access to nothing.
unsafe impl<T: PerNamespace> Sync for Registration<T> {}

impl<T: PerNamespace> Registration<T> {
    /// Creates the state in all existing namespaces, and in those created later.
    ///
    /// # Errors
    ///
    /// What [`PerNamespace::start`] failed with, or `ENOMEM` when there is no memory.
    pub(crate) fn new() -> Result<Self> {
        let operations = KBox::new(
            Opaque::new(bindings::pernet_operations {
                init: Some(Self::init),
                pre_exit: Some(Self::pre_exit),
                exit: Some(Self::exit),
                id: T::slot().id.as_ptr().cast(),
                size: size_of::<*mut c_void>(),
                ..Default::default()
            }),
            GFP_KERNEL,
        )?;
        // SAFETY: The operations are in their box, where they stay until they are unregistered. On
        // failure the kernel has undone the registration.
        kernel::error::to_result(unsafe { bindings::register_pernet_subsys(operations.get()) })?;
        // INVARIANT: The operations were just registered.
        Ok(Self {
            operations,
            state: PhantomData,
        })
    }

    /// # Safety
    ///
    /// To be called by the kernel, for a valid namespace that is new to the registered operations.
    unsafe extern "C" fn init(net: *mut bindings::net) -> c_int {
        // SAFETY: By the function's safety requirements, `net` is valid.
        let namespace = unsafe { NetworkNamespace::from_raw(net) };
        kernel::error::from_result(|| {
            let state = T::start(Scope::new(namespace)?)?;
            let pointer: *mut c_void = state.into_foreign().cast();
            // SAFETY: `palisade_namespace_slot` gives a valid and aligned pointer for this
            // namespace, which nobody else writes meanwhile. The release orders the initialisation
            // before the pointer, as `rcu_assign_pointer` does.
            unsafe { Atomic::from_ptr(state_pointer::<T>(net)) }.store(pointer, Release);
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// To be called by the kernel, for a valid namespace for which [`Self::init`] succeeded.
    unsafe extern "C" fn pre_exit(net: *mut bindings::net) {
        // SAFETY: By the function's safety requirements, `net` is valid.
        let namespace = unsafe { NetworkNamespace::from_raw(net) };
        if let Some(state) = state::<T>(namespace) {
            state.stop();
            state.scope().end();
        }
    }

    /// # Safety
    ///
    /// To be called by the kernel, for a valid namespace, a grace period after [`Self::pre_exit`].
    unsafe extern "C" fn exit(net: *mut bindings::net) {
        // SAFETY: By the function's safety requirements, `net` is valid.
        if let Some(pointer) = unsafe { stored::<T>(net) } {
            // SAFETY: The slot is valid, as `stored` has read it, and nobody else writes it.
            unsafe { state_pointer::<T>(net).write_volatile(core::ptr::null_mut()) };
            // SAFETY: The pointer came from `into_foreign` for an `Arc<T>`, and was just taken out.
            drop(unsafe { <Arc<T> as ForeignOwnable>::from_foreign(pointer.cast()) });
        }
    }
}

impl<T: PerNamespace> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the operations are registered.
        unsafe { bindings::unregister_pernet_subsys(self.operations.get()) };
    }
}
