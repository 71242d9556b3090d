// SPDX-License-Identifier: GPL-2.0

//! Netlink requests, with memory that may run out: whatever they contain, nothing panics, and all
//! rules and lists can be listed.

use super::Bytes;
use crate::{
    c,
    control,
    kernel_api,
    namespace::Namespace,
    parameters::Parameters, //
};
use std::sync::Once;

static MODULE: kernel::ThisModule = kernel::ThisModule;

fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        Parameters::set(1000_i64, 10_i64, 1000_i64, 100_i64, 0_i64, 1_000_000_i64).unwrap();
        core::mem::forget(kernel_api::sync::rcu::Reclaimer::start().unwrap());
        core::mem::forget(kernel_api::net::netns::Registration::<Namespace>::new().unwrap());
        core::mem::forget(control::register(&MODULE).unwrap());
    });
}

pub(super) fn run(bytes: &mut Bytes<'_>) {
    start();
    c::restart_namespace();
    while !bytes.is_empty() {
        let [operation, memory, length] = bytes.array();
        let number = usize::from(operation) % c::operation_count();
        // Arbitrary bytes, or what passes the policy.
        let attributes = match length & 7 {
            0 => bytes.slice(usize::from(length)).to_vec(),
            _ => c::attributes(number, bytes),
        };
        kernel::alloc::fail_after((memory < 128).then_some(memory.into()));
        c::request(number, &attributes);
        kernel::alloc::fail_after(None);
        c::run_retired();
    }
    for number in 0..c::operation_count() {
        c::request(number, &[]);
    }
}
