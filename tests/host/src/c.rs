// SPDX-License-Identifier: GPL-2.0

//! Stand-ins for the C functions that the module calls, as far as these tests get: calling another
//! one jumps to address 0.
//!
//! All CPUs count as one, deferred work runs when [`run_retired`] says so, and time stands still
//! until [`set_jiffies`].

mod hashes;
mod netlink;
mod packets;

pub(crate) use hashes::set_hash_mask;
pub(crate) use netlink::{attributes, operation_count, request};
pub(crate) use packets::set_linear;

use crate::kernel_api::bindings as c;
use core::{
    ffi::c_void,
    mem::zeroed,
    ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicUsize,
        Ordering::{
            Relaxed,
            SeqCst, //
        },
    },
};
use kernel::sync::rcu::GracePeriod;
use std::sync::Mutex;
use variables::init_net;

/// C variables. `tests/host/run` makes the bindings refer to them.
#[allow(non_upper_case_globals)]
pub(crate) mod variables {
    use super::{c, ptr, zeroed};

    /// The time.
    pub(crate) static mut jiffies: usize = 0xffff_0000;
    /// The system workqueue; nobody looks into it.
    pub(crate) static mut system_dfl_wq: *mut c::workqueue_struct = ptr::null_mut();
    /// The only network namespace.
    pub(crate) static mut init_net: c::net = unsafe { zeroed() };
}

fn clock() -> &'static AtomicUsize {
    unsafe { AtomicUsize::from_ptr(&raw mut variables::jiffies) }
}

/// Sets the time.
pub(crate) fn set_jiffies(now: u64) {
    clock().store(now as usize, Relaxed);
}

/// The time.
pub(crate) fn now() -> u64 {
    clock().load(Relaxed) as u64
}

/// What the kernel warns of is a failure here.
#[no_mangle]
extern "C" fn palisade_warn_unless(is_so: bool) {
    assert!(is_so);
}

#[no_mangle]
extern "C" fn palisade_jiffies64() -> u64 {
    now()
}

#[no_mangle]
extern "C" fn palisade_boottime_ms() -> u64 {
    now() * 1000 / u64::from(crate::kernel_api::time::JIFFIES_PER_SECOND)
}

#[no_mangle]
extern "C" fn palisade_realtime_ms() -> u64 {
    palisade_boottime_ms()
}

static SLOTS: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

#[no_mangle]
extern "C" fn palisade_namespace_slot(_net: *const c::net, id: u32) -> *mut c_void {
    SLOTS[id as usize].as_ptr().cast()
}

static OPERATIONS: AtomicPtr<c::pernet_operations> = AtomicPtr::new(ptr::null_mut());

#[no_mangle]
unsafe extern "C" fn register_pernet_subsys(operations: *mut c::pernet_operations) -> i32 {
    OPERATIONS.store(operations, Relaxed);
    unsafe {
        (*operations).id.write(1);
        (*operations).init.unwrap()(&raw mut init_net)
    }
}

/// Ends the namespace, and starts another.
pub(crate) fn restart_namespace() {
    let operations = OPERATIONS.load(Relaxed);
    unsafe {
        unregister_pernet_subsys(operations);
        run_retired();
        assert_eq!((*operations).init.unwrap()(&raw mut init_net), 0);
    }
}

#[no_mangle]
unsafe extern "C" fn unregister_pernet_subsys(operations: *mut c::pernet_operations) {
    unsafe {
        (*operations).pre_exit.unwrap()(&raw mut init_net);
        (*operations).exit.unwrap()(&raw mut init_net);
    }
}

/// Work that waits for a grace period.
struct Retired(*mut c::rcu_work, GracePeriod);
// SAFETY: Work may be done anywhere.
unsafe impl Send for Retired {}

static RETIRED: Mutex<Vec<Retired>> = Mutex::new(Vec::new());

/// Drops retired objects that nobody reads any more.
pub(crate) fn run_retired() {
    loop {
        let over = {
            let mut retired = RETIRED.lock().unwrap();
            let index = retired.iter().rposition(|retired| retired.1.is_over());
            index.map(|index| retired.remove(index))
        };
        let Some(Retired(work, _)) = over else {
            return;
        };
        unsafe {
            let work = &raw mut (*work).work;
            (*work).func.unwrap()(work);
        }
    }
}

#[no_mangle]
extern "C" fn palisade_workqueue_alloc(_name: *const u8) -> *mut c::workqueue_struct {
    ptr::dangling_mut::<usize>().cast()
}

#[no_mangle]
unsafe extern "C" fn palisade_rcu_work_init(work: *mut c::rcu_work, function: c::work_func_t) {
    unsafe { (*work).work.func = function };
}

#[no_mangle]
extern "C" fn queue_rcu_work(_queue: *mut c::workqueue_struct, work: *mut c::rcu_work) -> bool {
    RETIRED
        .lock()
        .unwrap()
        .push(Retired(work, GracePeriod::start()));
    // Drop it as early as possible.
    if kernel::races::is_running() {
        run_retired();
    }
    true
}

#[no_mangle]
extern "C" fn rcu_barrier() {}

#[no_mangle]
extern "C" fn palisade_workqueue_flush(_queue: *mut c::workqueue_struct) {
    run_retired();
}

#[no_mangle]
extern "C" fn destroy_workqueue(_queue: *mut c::workqueue_struct) {
    run_retired();
}

/// A lock of one byte. Outside the race tests, nobody else could release it.
unsafe fn lock(lock: *mut c_void) {
    let lock = unsafe { AtomicBool::from_ptr(lock.cast()) };
    kernel::races::interleave();
    while lock.swap(true, SeqCst) {
        assert!(kernel::races::is_running(), "locked twice");
        kernel::races::wait();
    }
}

unsafe fn unlock(lock: *mut c_void) {
    kernel::races::interleave();
    unsafe { AtomicBool::from_ptr(lock.cast()) }.store(false, SeqCst);
}

#[no_mangle]
unsafe extern "C" fn palisade_raw_spin_lock(spinlock: *mut c::raw_spinlock_t) {
    unsafe { lock(spinlock.cast()) };
}

#[no_mangle]
unsafe extern "C" fn palisade_raw_spin_unlock(spinlock: *mut c::raw_spinlock_t) {
    unsafe { unlock(spinlock.cast()) };
}

#[no_mangle]
unsafe extern "C" fn palisade_spin_lock_bh(spinlock: *mut c::spinlock_t) {
    unsafe { lock(spinlock.cast()) };
}

#[no_mangle]
unsafe extern "C" fn palisade_spin_unlock_bh(spinlock: *mut c::spinlock_t) {
    unsafe { unlock(spinlock.cast()) };
}

/// Per-CPU memory of the one CPU, zeroed.
fn allocate<T>(count: usize) -> *mut T {
    let words = (size_of::<T>() * count).div_ceil(8) + 1;
    let mut memory = vec![0_u64; words].into_boxed_slice();
    memory[0] = words as u64;
    let memory = Box::leak(memory);
    (&raw mut memory[1]).cast()
}

#[no_mangle]
unsafe extern "C" fn free_percpu(memory: *mut c_void) {
    unsafe {
        let start = memory.cast::<u64>().sub(1);
        drop(Box::from_raw(ptr::slice_from_raw_parts_mut(
            start,
            *start as usize,
        )));
    }
}

#[no_mangle]
extern "C" fn palisade_counters_alloc() -> *mut c::palisade_counters {
    allocate(1)
}

#[no_mangle]
unsafe extern "C" fn palisade_counters_add(counters: *mut c::palisade_counters, bytes: u64) {
    unsafe {
        (*counters).packets += 1;
        (*counters).bytes = (*counters).bytes.wrapping_add(bytes);
    }
}

#[no_mangle]
extern "C" fn palisade_counters_of(
    counters: *mut c::palisade_counters,
    _cpu: u32,
) -> *mut c::palisade_counters {
    counters
}

#[no_mangle]
extern "C" fn palisade_events_alloc(count: u32) -> *mut u64 {
    allocate(count as usize)
}

#[no_mangle]
unsafe extern "C" fn palisade_events_add(events: *mut u64, index: u32) {
    unsafe { *events.add(index as usize) += 1 };
}

#[no_mangle]
extern "C" fn palisade_events_of(events: *mut u64, _cpu: u32) -> *mut u64 {
    events
}

#[no_mangle]
extern "C" fn palisade_next_possible_cpu(cpu: i32) -> u32 {
    (cpu + 1) as u32
}

#[no_mangle]
extern "C" fn palisade_cpu_count() -> u32 {
    1
}

#[no_mangle]
extern "C" fn palisade_ct_template_alloc(_net: *mut c::net) -> *mut c::nf_conn {
    Box::into_raw(Box::new(unsafe { zeroed::<c::nf_conn>() }))
}

#[no_mangle]
unsafe extern "C" fn nf_ct_tmpl_free(template: *mut c::nf_conn) {
    drop(unsafe { Box::from_raw(template) });
}

#[no_mangle]
extern "C" fn palisade_cond_resched() {
    kernel::races::interleave();
}

/// Any data pointer.
type Data = *mut c_void;

/// Functions that only return a value.
macro_rules! returning {
    ($type:ty, $value:expr; $($name:ident($($argument:ty),*);)*) => {
        $(#[no_mangle] extern "C" fn $name($(_: $argument),*) -> $type { $value })*
    };
}

returning! { (), ();
    palisade_delayed_work_init(Data, c::work_func_t);
    palisade_raw_spin_lock_init(Data);
    palisade_softirqs_off();
    palisade_softirqs_on();
    palisade_put_memory_cgroup(Data);
    palisade_genl_dump_check_consistent(Data, Data);
    nf_unregister_net_hook(Data, Data);
    nf_nat_inet_unregister_fn(Data, Data);
    nf_ct_netns_put(Data, u8);
    nf_logger_put(i32, c::nf_log_type);
    textsearch_destroy(Data);
    palisade_kernel_synproxy_put();
    nf_ct_iterate_cleanup_net(Option<unsafe extern "C" fn(*mut c::nf_conn, Data) -> i32>, Data);
    nf_conncount_destroy(Data, Data);
}
returning! { bool, true;
    queue_delayed_work_on(i32, Data, Data, u64);
    mod_delayed_work_on(i32, Data, Data, u64);
    disable_delayed_work_sync(Data);
    palisade_softirqs_are_off();
    palisade_rcu_is_held();
}
returning! { i32, 0;
    nf_register_net_hook(Data, Data);
    nf_nat_inet_register_fn(Data, Data);
    nf_ct_netns_get(Data, u8);
    nf_logger_find_get(i32, c::nf_log_type);
    palisade_request_module(Data);
    genl_unregister_family(Data);
}
returning! { Data, ptr::null_mut();
    palisade_kernel_synproxy_get();
    palisade_current_memory_cgroup();
    palisade_set_active_memory_cgroup(Data);
    nf_conntrack_find_get(Data, Data, Data);
    palisade_ct_get(Data, Data);
}
returning! { Data, ptr::dangling_mut::<usize>().cast();
    palisade_textsearch_prepare(Data, Data, u32, i32);
    nf_conncount_init(Data, u32);
}
