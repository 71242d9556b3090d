// SPDX-License-Identifier: GPL-2.0

//! Hashes and random numbers: SipHash is real, whatever its number of rounds, and random numbers
//! are the same in each run.

use crate::kernel_api::bindings as c;
use core::{
    ffi::c_void,
    sync::atomic::{
        AtomicU32,
        AtomicU64,
        Ordering::Relaxed, //
    },
};

static RANDOM: AtomicU64 = AtomicU64::new(0x9e37_79b9_7f4a_7c15);

/// The bits of table hashes to keep: with few of them, everything collides.
static HASH_MASK: AtomicU32 = AtomicU32::new(u32::MAX);

/// Sets the bits of table hashes to keep.
pub(crate) fn set_hash_mask(mask: u32) {
    HASH_MASK.store(mask, Relaxed);
}

fn random() -> u64 {
    // One step of SplitMix64.
    let state = RANDOM.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
    let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[no_mangle]
unsafe extern "C" fn get_random_bytes(to: *mut c_void, length: usize) {
    for place in 0..length {
        unsafe { to.cast::<u8>().add(place).write(random() as u8) };
    }
}

#[no_mangle]
extern "C" fn palisade_random_u32() -> u32 {
    random() as u32
}

fn siphash(words: impl Iterator<Item = u64>, [k0, k1]: [u64; 2]) -> u64 {
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let round = |v: &mut [u64; 4]| {
        v[0] = v[0].wrapping_add(v[1]);
        v[2] = v[2].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].rotate_left(32).wrapping_add(v[3]);
        v[2] = v[2].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].rotate_left(32);
    };
    let mut count = 0_u64;
    for word in words {
        count += 8;
        v[3] ^= word;
        round(&mut v);
        round(&mut v);
        v[0] ^= word;
    }
    let last = count << 56;
    v[3] ^= last;
    round(&mut v);
    round(&mut v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for _ in 0..4 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

/// The words of memory, in pairs.
unsafe fn pairs(data: *const c_void, length: usize) -> impl Iterator<Item = u64> {
    let words = unsafe { core::slice::from_raw_parts(data.cast::<u32>(), length / 4) };
    words
        .chunks(2)
        .map(|pair| u64::from(pair[0]) | u64::from(*pair.get(1).unwrap_or(&0)) << 32)
}

#[no_mangle]
unsafe extern "C" fn siphash_1u64(a: u64, key: *const c::siphash_key_t) -> u64 {
    siphash([a].into_iter(), unsafe { (*key).key })
}

#[no_mangle]
unsafe extern "C" fn siphash_3u64(a: u64, b: u64, d: u64, key: *const c::siphash_key_t) -> u64 {
    siphash([a, b, d].into_iter(), unsafe { (*key).key })
}

#[no_mangle]
unsafe extern "C" fn palisade_siphash(
    data: *const c_void,
    length: usize,
    key: *const c::siphash_key_t,
) -> u64 {
    unsafe { siphash(pairs(data, length), (*key).key) }
}

#[no_mangle]
unsafe extern "C" fn palisade_hsiphash(
    data: *const c_void,
    length: usize,
    key: *const c::hsiphash_key_t,
) -> u32 {
    let hash = unsafe { siphash(pairs(data, length), (*key).key.map(|word| word as u64)) };
    hash as u32 & HASH_MASK.load(Relaxed)
}

#[no_mangle]
unsafe extern "C" fn hsiphash_2u32(a: u32, b: u32, key: *const c::hsiphash_key_t) -> u32 {
    let words = [a, b];
    unsafe { palisade_hsiphash(words.as_ptr().cast(), 8, key) }
}

/// Replaces Jenkins' hash.
fn jhash(words: &[u32], seed: u32) -> u32 {
    let hash = words.iter().fold(u64::from(seed), |hash, word| {
        (hash ^ u64::from(*word))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
    });
    (hash ^ hash >> 32) as u32 & HASH_MASK.load(Relaxed)
}

#[no_mangle]
extern "C" fn palisade_jhash_1word(a: u32, seed: u32) -> u32 {
    jhash(&[a], seed)
}

#[no_mangle]
extern "C" fn palisade_jhash_3words(a: u32, b: u32, d: u32, seed: u32) -> u32 {
    jhash(&[a, b, d], seed)
}

#[no_mangle]
unsafe extern "C" fn palisade_jhash_4words(words: *const [u32; 4], seed: u32) -> u32 {
    jhash(unsafe { &*words }, seed)
}

#[no_mangle]
unsafe extern "C" fn palisade_jhash_9words(words: *const [u32; 9], seed: u32) -> u32 {
    jhash(unsafe { &*words }, seed)
}
