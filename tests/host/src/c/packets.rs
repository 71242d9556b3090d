// SPDX-License-Identifier: GPL-2.0

//! Packets. The page after a packet's linear part is inaccessible: an access beyond the end is
//! fatal.

use crate::kernel_api::bindings as c;
use core::{
    ffi::c_void,
    mem::zeroed,
    ptr,
    sync::atomic::{
        AtomicUsize,
        Ordering::Relaxed, //
    },
};

const PAGE: usize = 4096;

/// The maximum length of a packet, in bytes.
const ROOM: usize = 16 * PAGE;

extern "C" {
    fn mmap(
        at: *mut c_void,
        length: usize,
        protection: i32,
        flags: i32,
        file: i32,
        offset: i64,
    ) -> *mut c_void;
    fn mprotect(at: *mut c_void, length: usize, protection: i32) -> i32;
    fn munmap(at: *mut c_void, length: usize) -> i32;
}

/// Length of the guard page after each packet's memory. Miri detects overruns itself.
const WALL: usize = if cfg!(miri) { 0 } else { PAGE };

/// Memory with a guard page after it.
struct Memory(*mut u8);

impl Memory {
    fn new() -> Self {
        // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS.
        let memory = unsafe { mmap(ptr::null_mut(), ROOM + WALL, 3, 0x22, -1, 0) };
        assert!(memory.addr() as isize > 0);
        if WALL > 0 {
            assert_eq!(unsafe { mprotect(memory.byte_add(ROOM), WALL, 0) }, 0);
        }
        Self(memory.cast())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        unsafe { munmap(self.0.cast(), ROOM + WALL) };
    }
}

thread_local! {
    /// Mapping memory for each packet would be most of the work.
    static SPARE: core::cell::RefCell<Vec<Memory>> = const { core::cell::RefCell::new(Vec::new()) };
}

/// How many bytes of a packet are linear.
static LINEAR: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Sets how many bytes of future packets are linear.
pub(crate) fn set_linear(length: usize) {
    LINEAR.store(length, Relaxed);
}

/// A packet whose bytes are linear up to some offset.
#[repr(C)]
struct PacketBuffer {
    skb: c::sk_buff,
    memory: Option<Memory>,
    beyond: Vec<u8>,
    /// As the field nf_trace, which is of no certain place.
    is_traced: bool,
}

impl PacketBuffer {
    /// A packet with these bytes from the network header on, the first `linear` of them linear.
    fn new(bytes: &[u8], linear: usize) -> Box<Self> {
        let spare = SPARE.with_borrow_mut(Vec::pop);
        let memory = spare.unwrap_or_else(Memory::new);
        let linear = linear.min(bytes.len()).min(ROOM - 256);
        let (lying, beyond) = bytes.split_at(linear);
        let mut skb: c::sk_buff = unsafe { zeroed() };
        unsafe {
            let start = memory.0.add(ROOM - linear);
            ptr::copy_nonoverlapping(lying.as_ptr(), start, linear);
            skb.data = start;
            skb.head = skb.data;
            skb.len = bytes.len() as u32;
            skb.data_len = beyond.len() as u32;
        }
        Box::new(Self {
            skb,
            memory: Some(memory),
            beyond: beyond.to_vec(),
            is_traced: false,
        })
    }
}

impl Drop for PacketBuffer {
    fn drop(&mut self) {
        let memory = self.memory.take();
        SPARE.with_borrow_mut(|spare| spare.extend(memory));
    }
}

#[no_mangle]
unsafe extern "C" fn palisade_test_packet(
    bytes: *const u8,
    length: u32,
    _protocol: u16,
) -> *mut c::sk_buff {
    let bytes = unsafe { core::slice::from_raw_parts(bytes, length as usize) };
    Box::into_raw(PacketBuffer::new(bytes, LINEAR.load(Relaxed))).cast()
}

#[no_mangle]
unsafe extern "C" fn palisade_test_packet_free(skb: *mut c::sk_buff) {
    drop(unsafe { Box::from_raw(skb.cast::<PacketBuffer>()) });
}

#[no_mangle]
unsafe extern "C" fn palisade_is_traced(skb: *const c::sk_buff) -> bool {
    unsafe { (*skb.cast::<PacketBuffer>()).is_traced }
}

#[no_mangle]
unsafe extern "C" fn palisade_set_traced(skb: *mut c::sk_buff) {
    unsafe { (*skb.cast::<PacketBuffer>()).is_traced = true };
}

/// As in `net/core/skbuff.c`; the skb has to be part of a [`PacketBuffer`].
#[no_mangle]
unsafe extern "C" fn skb_copy_bits(
    skb: *const c::sk_buff,
    offset: i32,
    to: *mut c_void,
    length: i32,
) -> i32 {
    let packet = unsafe { &*skb.cast::<PacketBuffer>() };
    let (total, linear) = (packet.skb.len, packet.skb.len - packet.skb.data_len);
    if offset > total as i32 - length {
        return -14; // EFAULT
    }
    for place in 0..length {
        let at = (offset + place) as u32;
        unsafe {
            let byte = match at.checked_sub(linear) {
                Some(beyond) => packet.beyond[beyond as usize],
                None => *packet.skb.data.add(at as usize),
            };
            to.cast::<u8>().add(place as usize).write(byte);
        }
    }
    0
}

/// As in `net/ipv6/exthdrs_core.c`, without target and flags, from the network header on.
#[no_mangle]
unsafe extern "C" fn ipv6_find_hdr(
    skb: *const c::sk_buff,
    offset: *mut u32,
    target: i32,
    fragment: *mut u16,
    _flags: *mut i32,
) -> i32 {
    assert_eq!(target, -1);
    let network = unsafe {
        u32::from(
            skb.byte_add(c::PALISADE_NETWORK_HEADER as usize)
                .cast::<u16>()
                .read(),
        )
    };
    let read = |at: u32| {
        let mut bytes = [0_u8; 8];
        let status = unsafe { skb_copy_bits(skb, at as i32, bytes.as_mut_ptr().cast(), 8) };
        (status == 0).then_some(bytes)
    };
    let Some([_, _, _, _, _, _, mut next, _]) = read(network) else {
        return -74; // EBADMSG
    };
    let mut at = network + 40;
    let mut length = unsafe { (*skb).len }.saturating_sub(at);
    unsafe { *fragment = 0 };
    while matches!(next, 0 | 43 | 44 | 51 | 59 | 60 | 135) {
        if next == 59 {
            break;
        }
        let mut bytes = [0_u8; 2];
        if unsafe { skb_copy_bits(skb, at as i32, bytes.as_mut_ptr().cast(), 2) } != 0 {
            return -74;
        }
        let size = match next {
            44 => {
                let Some([_, _, high, low, ..]) = read(at) else {
                    return -74;
                };
                let position = u16::from_be_bytes([high, low]) & !7;
                unsafe { *fragment = position };
                if position != 0 {
                    return i32::from(bytes[0]);
                }
                8
            }
            51 => (u32::from(bytes[1]) + 2) * 4,
            _ => (u32::from(bytes[1]) + 1) * 8,
        };
        length = match length.checked_sub(size) {
            Some(length) => length,
            None => return -74,
        };
        next = bytes[0];
        at += size;
    }
    unsafe { *offset = at };
    i32::from(next)
}
