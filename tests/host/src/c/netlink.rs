// SPDX-License-Identifier: GPL-2.0

//! Generic netlink: the registered family, requests to it, and messages that are thrown away.

use super::{
    allocate,
    free_percpu, //
};
use crate::{
    fuzz::Bytes,
    kernel_api::bindings as c, //
};
use core::{
    ffi::c_void,
    mem::zeroed,
    ptr,
    sync::atomic::{
        AtomicPtr,
        Ordering::Relaxed, //
    },
};

/// The maximum length of a message, in bytes.
const ROOM: u32 = 4096;

static FAMILY: AtomicPtr<c::genl_family> = AtomicPtr::new(ptr::null_mut());

#[no_mangle]
unsafe extern "C" fn genl_register_family(family: *mut c::genl_family) -> i32 {
    FAMILY.store(family, Relaxed);
    // Somebody listens, always.
    unsafe {
        (*family).mcgrp_offset = 1;
        (*family).bind.unwrap()(0)
    }
}

fn operations() -> &'static [c::genl_split_ops] {
    unsafe {
        let family = FAMILY.load(Relaxed);
        core::slice::from_raw_parts((*family).split_ops, usize::from((*family).n_split_ops))
    }
}

/// The number of the family's operations.
pub(crate) fn operation_count() -> usize {
    operations().len()
}

/// Sends a request with these attributes to an operation, unless it violates the policy. For a
/// dump, fetches all messages.
pub(crate) fn request(number: usize, attributes: &[u8]) -> Option<i32> {
    let operation = &operations()[number];
    let policies =
        unsafe { core::slice::from_raw_parts(operation.policy, operation.maxattr as usize + 1) };
    if !is_valid(attributes, policies, 0) {
        return None;
    }
    let length = 20 + attributes.len();
    let mut words = vec![0_u32; length.div_ceil(4)];
    words[0] = length as u32;
    unsafe {
        ptr::copy_nonoverlapping(
            attributes.as_ptr(),
            words.as_mut_ptr().byte_add(20).cast(),
            attributes.len(),
        );
        let mut ack: c::netlink_ext_ack = zeroed();
        let mut info: c::genl_info = zeroed();
        info.nlhdr = words.as_ptr().cast();
        info.genlhdr = info.nlhdr.add(1).cast_mut().cast();
        info.extack = &raw mut ack;
        if u32::from(operation.flags) & c::GENL_CMD_CAP_DO != 0 {
            let run = operation.__bindgen_anon_1.__bindgen_anon_1.doit.unwrap();
            return Some(run(ptr::null_mut(), &raw mut info));
        }
        let run = operation.__bindgen_anon_1.__bindgen_anon_2.dumpit.unwrap();
        let mut callback: c::netlink_callback = zeroed();
        callback.nlh = info.nlhdr;
        callback.extack = &raw mut ack;
        callback.data = (&raw mut info).cast();
        loop {
            let skb = palisade_genlmsg_new(true);
            let result = run(skb, &raw mut callback);
            let written = (*skb).len;
            palisade_nlmsg_free(skb);
            // As `netlink_dump`: call again as long as it writes something.
            if result != -90 && written == 0 || result < 0 && result != -90 || written == 0 {
                return Some(result);
            }
        }
    }
}

/// Attributes that satisfy the operation's policy, chosen by the bytes.
pub(crate) fn attributes(number: usize, bytes: &mut Bytes<'_>) -> Vec<u8> {
    let operation = &operations()[number];
    let policies =
        unsafe { core::slice::from_raw_parts(operation.policy, operation.maxattr as usize + 1) };
    attributes_of(policies, bytes)
}

fn attributes_of(policies: &[c::nla_policy], bytes: &mut Bytes<'_>) -> Vec<u8> {
    let mut written = Vec::new();
    for _ in 0..bytes.u8() % 8 {
        let kind = usize::from(bytes.u8()) % policies.len();
        let policy = &policies[kind];
        let mut number = |size: usize| {
            let mut number = u64::from(bytes.u8());
            if number >= 0xf0 {
                number = u64::from_ne_bytes(bytes.array());
            }
            if u32::from(policy.validation_type) == c::nla_policy_validation_NLA_VALIDATE_RANGE_PTR
            {
                let range = unsafe { &*policy.__bindgen_anon_1.range };
                number = range.min + number % (range.max - range.min).max(1);
            }
            number.to_ne_bytes()[..size].to_vec()
        };
        let mut nested = 0;
        let payload = match u32::from(policy.type_) {
            c::NLA_U8 => number(1),
            c::NLA_U16 => number(2),
            c::NLA_U32 => number(4),
            c::NLA_U64 => number(8),
            c::NLA_BINARY => {
                // Most of these are addresses.
                let length = [4, 16, usize::from(bytes.u8())][usize::from(bytes.u8() % 3)];
                bytes.slice(length.min(policy.len.into())).to_vec()
            }
            c::NLA_NUL_STRING => {
                // A few names, so that requests hit the same objects.
                let length = usize::from(bytes.u8() & 3).min(policy.len.into());
                let mut string: Vec<u8> = bytes
                    .slice(length)
                    .iter()
                    .map(|byte| b'a' + byte % 4)
                    .collect();
                string.push(0);
                string
            }
            c::NLA_NESTED => {
                nested = c::NLA_F_NESTED as u16;
                let policies = unsafe {
                    let nested = policy.__bindgen_anon_1.nested_policy;
                    core::slice::from_raw_parts(nested, usize::from(policy.len) + 1)
                };
                attributes_of(policies, bytes)
            }
            _ => Vec::new(),
        };
        written.extend_from_slice(&(4 + payload.len() as u16).to_ne_bytes());
        written.extend_from_slice(&(kind as u16 | nested).to_ne_bytes());
        written.extend_from_slice(&payload);
        written.resize(written.len().next_multiple_of(4), 0);
    }
    written
}

/// As `__nla_validate_parse` with NL_VALIDATE_STRICT.
fn is_valid(mut rest: &[u8], policies: &[c::nla_policy], depth: u32) -> bool {
    while let Some(header) = rest.first_chunk::<4>() {
        let [l0, l1, k0, k1] = *header;
        let (length, kind) = (
            usize::from(u16::from_ne_bytes([l0, l1])),
            u16::from_ne_bytes([k0, k1]),
        );
        let is_nested = kind & c::NLA_F_NESTED as u16 != 0;
        let kind = usize::from(kind & c::NLA_TYPE_MASK as u16);
        let Some(payload) = rest.get(4..length) else {
            return false;
        };
        let Some(policy) = policies.get(kind).filter(|_| kind > 0) else {
            return false;
        };
        let number = |size: usize| {
            let mut bytes = [0; 8];
            bytes.get_mut(..size)?.copy_from_slice(payload.get(..size)?);
            (payload.len() == size).then(|| u64::from_ne_bytes(bytes))
        };
        let limit = usize::from(policy.len);
        let value = match u32::from(policy.type_) {
            c::NLA_FLAG => payload.is_empty().then_some(0),
            c::NLA_U8 => number(1),
            c::NLA_U16 => number(2),
            c::NLA_U32 => number(4),
            c::NLA_U64 => number(8),
            c::NLA_BINARY => (payload.len() <= limit).then_some(0),
            c::NLA_NUL_STRING => payload
                .iter()
                .position(|byte| *byte == 0)
                .filter(|end| *end <= limit)
                .map(|_| 0),
            c::NLA_NESTED => {
                let nested = unsafe { policy.__bindgen_anon_1.nested_policy };
                let policies = unsafe { core::slice::from_raw_parts(nested, limit + 1) };
                (is_nested && depth < 10 && is_valid(payload, policies, depth + 1)).then_some(0)
            }
            _ => None,
        };
        let Some(value) = value else {
            return false;
        };
        if u32::from(policy.validation_type) == c::nla_policy_validation_NLA_VALIDATE_RANGE_PTR {
            let range = unsafe { &*policy.__bindgen_anon_1.range };
            if !(range.min..=range.max).contains(&value) {
                return false;
            }
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    rest.is_empty()
}

#[no_mangle]
extern "C" fn palisade_genl_info_net(_info: *const c::genl_info) -> *mut c::net {
    &raw mut super::init_net
}

#[no_mangle]
unsafe extern "C" fn palisade_genl_info_dump(
    callback: *mut c::netlink_callback,
) -> *const c::genl_info {
    unsafe { (*callback).data.cast() }
}

#[no_mangle]
extern "C" fn palisade_netlink_port(_skb: *const c::sk_buff) -> u32 {
    1
}

#[no_mangle]
extern "C" fn palisade_genlmsg_new(_may_sleep: bool) -> *mut c::sk_buff {
    let skb: *mut c::sk_buff = allocate(1);
    unsafe { (*skb).data = allocate(ROOM as usize) };
    skb
}

#[no_mangle]
unsafe extern "C" fn palisade_nlmsg_free(skb: *mut c::sk_buff) {
    unsafe {
        free_percpu((*skb).data.cast());
        free_percpu(skb.cast());
    }
}

#[no_mangle]
unsafe extern "C" fn palisade_genlmsg_reply(skb: *mut c::sk_buff, _info: *mut c::genl_info) -> i32 {
    unsafe { palisade_nlmsg_free(skb) };
    0
}

#[no_mangle]
extern "C" fn palisade_has_listeners(_net: *mut c::net, group: u32) -> bool {
    assert!([1, 2].contains(&group));
    true
}

#[no_mangle]
unsafe extern "C" fn palisade_genlmsg_multicast(
    _family: *const c::genl_family,
    _net: *mut c::net,
    skb: *mut c::sk_buff,
    _group: u32,
    _may_sleep: bool,
) -> i32 {
    unsafe { palisade_nlmsg_free(skb) };
    0
}

#[no_mangle]
extern "C" fn palisade_current_tgid() -> u32 {
    1
}

#[no_mangle]
unsafe extern "C" fn palisade_current_comm(name: *mut u8) {
    unsafe { ptr::copy_nonoverlapping(b"init\0".as_ptr(), name, 5) };
}

/// Reserves `length` bytes at the end of a message.
unsafe fn put(skb: *mut c::sk_buff, length: u32) -> *mut u8 {
    unsafe {
        if length > ROOM - (*skb).len {
            return ptr::null_mut();
        }
        let end = (*skb).data.add((*skb).len as usize);
        (*skb).len += length;
        end
    }
}

#[no_mangle]
unsafe extern "C" fn genlmsg_put(
    skb: *mut c::sk_buff,
    _port: u32,
    _sequence: u32,
    _family: *const c::genl_family,
    _flags: i32,
    _command: u8,
) -> *mut c_void {
    unsafe { put(skb, 20).cast() }
}

#[no_mangle]
extern "C" fn palisade_genlmsg_end(_skb: *mut c::sk_buff, _header: *mut c_void) {}

#[no_mangle]
unsafe extern "C" fn palisade_genlmsg_cancel(skb: *mut c::sk_buff, header: *mut c_void) {
    unsafe { (*skb).len = header.byte_offset_from((*skb).data) as u32 };
}

#[no_mangle]
unsafe extern "C" fn nla_put(
    skb: *mut c::sk_buff,
    kind: i32,
    length: i32,
    data: *const c_void,
) -> i32 {
    unsafe {
        let attribute = nla_reserve(skb, kind, length);
        if attribute.is_null() {
            return -90; // EMSGSIZE
        }
        ptr::copy_nonoverlapping(data.cast(), attribute.add(1).cast::<u8>(), length as usize);
    }
    0
}

#[no_mangle]
unsafe extern "C" fn nla_reserve(skb: *mut c::sk_buff, kind: i32, length: i32) -> *mut c::nlattr {
    let whole = 4 + length as u32;
    unsafe {
        let place = put(skb, whole.next_multiple_of(4));
        if !place.is_null() {
            place.cast::<[u16; 2]>().write([whole as u16, kind as u16]);
        }
        place.cast()
    }
}

#[no_mangle]
unsafe extern "C" fn palisade_nla_nest_start(skb: *mut c::sk_buff, kind: i32) -> *mut c::nlattr {
    unsafe {
        let place = put(skb, 4);
        if !place.is_null() {
            place
                .cast::<[u16; 2]>()
                .write([4, kind as u16 | c::NLA_F_NESTED as u16]);
        }
        place.cast()
    }
}

#[no_mangle]
unsafe extern "C" fn palisade_nla_nest_end(skb: *mut c::sk_buff, start: *mut c::nlattr) -> i32 {
    unsafe {
        let length = (*skb).len - start.byte_offset_from((*skb).data) as u32;
        let Ok(length) = u16::try_from(length) else {
            return -90;
        };
        (*start).nla_len = length;
        (*skb).len as i32
    }
}

#[no_mangle]
unsafe extern "C" fn palisade_nla_nest_cancel(skb: *mut c::sk_buff, start: *mut c::nlattr) {
    unsafe { (*skb).len = start.byte_offset_from((*skb).data) as u32 };
}
