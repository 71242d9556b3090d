// SPDX-License-Identifier: GPL-2.0

//! The module's own source as a userspace library, without `module!` itself.

#![feature(arbitrary_self_types)]
#![allow(
    clashing_extern_declarations,
    dead_code,
    non_upper_case_globals,
    unused_imports
)]

mod attributes;
mod c;
mod content;
mod control;
pub mod fuzz;
mod hooks;
mod kernel_api;
mod monitor;
mod namespace;
mod packet;
mod packet_tests;
mod parameters;
mod policies;
#[cfg(all(test, palisade_races))]
mod races;
mod rates;
mod recent;
mod release;
mod rules;
mod spec;
mod synproxy;
mod token_bucket;
mod token_bucket_tests;
