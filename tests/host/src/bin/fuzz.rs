// SPDX-License-Identifier: GPL-2.0

//! The fuzzer: libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| palisade::fuzz::run(data));
