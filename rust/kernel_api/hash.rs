// SPDX-License-Identifier: GPL-2.0

//! The kernel's keyed hashes for hash tables, and random keys for them.
//!
//! C headers: [`include/linux/siphash.h`](srctree/include/linux/siphash.h),
//! [`include/linux/jhash.h`](srctree/include/linux/jhash.h)

use super::bindings;
use core::mem::{
    size_of,
    size_of_val, //
};

/// From `include/linux/hash.h`.
const GOLDEN_RATIO_64: u64 = 0x61c8_8646_80b5_83eb;

/// A random key, without which nobody can tell which inputs collide.
///
/// # Examples
///
/// ```ignore
/// let key = HashKey::random();
/// let bucket = buckets.index(key.hash_pair(address, zone));
/// ```
#[derive(Clone, Copy)]
pub(crate) struct HashKey {
    words: bindings::hsiphash_key_t,
    seed: u32,
}

impl HashKey {
    /// Makes a key from the kernel's random number generator.
    pub(crate) fn random() -> Self {
        let mut words = bindings::hsiphash_key_t::default();
        // SAFETY: The pointer is valid for writes of the key's size, and any bytes are a valid key.
        // `palisade_random_u32` has no requirements.
        let seed = unsafe {
            bindings::get_random_bytes(
                core::ptr::from_mut(&mut words).cast(),
                size_of::<bindings::hsiphash_key_t>(),
            );
            bindings::palisade_random_u32()
        };
        Self { words, seed }
    }

    /// Hashes a value by multiplication, as `hash_64` of `include/linux/hash.h`, in a few instructions. It is
    /// for values that no packet chooses: whoever sees where they go can find the key.
    #[inline]
    pub(crate) fn spread(&self, value: u64) -> u32 {
        let mixed = value.wrapping_add(self.seed.into());
        (mixed.wrapping_mul(GOLDEN_RATIO_64) >> 32) as u32
    }

    /// Hashes one word with jhash and a random seed, at a third of the cost of [`HashKey::hash`].
    #[inline]
    pub(crate) fn hash_one(&self, word: u32) -> u32 {
        // SAFETY: `palisade_jhash_1word` has no requirements.
        unsafe { bindings::palisade_jhash_1word(word, self.seed) }
    }

    /// Hashes three words with jhash.
    #[inline]
    pub(crate) fn hash_three(&self, [a, b, c]: [u32; 3]) -> u32 {
        // SAFETY: `palisade_jhash_3words` has no requirements.
        unsafe { bindings::palisade_jhash_3words(a, b, c, self.seed) }
    }

    /// Hashes four words with jhash.
    #[inline]
    pub(crate) fn hash_four(&self, words: &[u32; 4]) -> u32 {
        // SAFETY: The pointer comes from a reference to four words.
        unsafe { bindings::palisade_jhash_4words(words.as_ptr(), self.seed) }
    }

    /// Hashes nine words with jhash.
    #[inline]
    pub(crate) fn hash_nine(&self, words: &[u32; 9]) -> u32 {
        // SAFETY: The pointer comes from a reference to nine words.
        unsafe { bindings::palisade_jhash_9words(words.as_ptr(), self.seed) }
    }

    /// Hashes two words, with the algorithm of [`HashKey::hash`].
    #[inline]
    pub(crate) fn hash_pair(&self, first: u32, second: u32) -> u32 {
        // SAFETY: The pointer comes from a reference to a key.
        unsafe { bindings::hsiphash_2u32(first, second, &raw const self.words) }
    }

    /// Hashes words with HalfSipHash, or with SipHash-1-3 on 64-bit machines.
    #[inline]
    pub(crate) fn hash(&self, words: &[u32]) -> u32 {
        // SAFETY: The words are valid for reads of their size, and the key comes from a reference.
        unsafe {
            bindings::palisade_hsiphash(
                words.as_ptr().cast(),
                size_of_val(words),
                &raw const self.words,
            )
        }
    }
}

/// A key of SipHash-2-4, for codes that nobody else may be able to forge.
pub(crate) struct SecretKey(bindings::siphash_key_t);

impl SecretKey {
    /// Makes a key from the kernel's random number generator.
    pub(crate) fn random() -> Self {
        let mut key = bindings::siphash_key_t::default();
        // SAFETY: The pointer is valid for writes of the key's size, and any bytes are a valid key.
        unsafe {
            bindings::get_random_bytes(
                core::ptr::from_mut(&mut key).cast(),
                size_of::<bindings::siphash_key_t>(),
            );
        }
        Self(key)
    }

    /// The code for one word.
    #[inline]
    pub(crate) fn code_of_one(&self, word: u64) -> u64 {
        // SAFETY: The pointer comes from a reference to a key.
        unsafe { bindings::siphash_1u64(word, &raw const self.0) }
    }

    /// The code for three words.
    #[inline]
    pub(crate) fn code_of_three(&self, [a, b, c]: [u64; 3]) -> u64 {
        // SAFETY: The pointer comes from a reference to a key.
        unsafe { bindings::siphash_3u64(a, b, c, &raw const self.0) }
    }

    /// The code for any number of words.
    #[inline]
    pub(crate) fn code(&self, words: &[u32]) -> u64 {
        // SAFETY: The words are valid for reads of their size, and the key comes from a reference.
        unsafe {
            bindings::palisade_siphash(words.as_ptr().cast(), size_of_val(words), &raw const self.0)
        }
    }
}
