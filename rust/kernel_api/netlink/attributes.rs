// SPDX-License-Identifier: GPL-2.0

//! Netlink attributes: what is allowed in them, and reading them.
//!
//! C header: [`include/net/netlink.h`](srctree/include/net/netlink.h)

use crate::kernel_api::bindings;

/// The numbers that an attribute may hold.
#[repr(transparent)]
pub(crate) struct Range(bindings::netlink_range_validation);

impl Range {
    /// From `min` to `max`, both included.
    pub(crate) const fn new(min: u64, max: u64) -> Self {
        Self(bindings::netlink_range_validation { min, max })
    }
}

/// What the kernel accepts as an attribute, before it gets to the operation.
#[repr(transparent)]
pub(crate) struct Policy(bindings::nla_policy);

// SAFETY: A policy is never written, and it points at statics.
unsafe impl Sync for Policy {}

impl Policy {
    /// The attribute is not accepted.
    pub(crate) const NONE: Self = Self::of_type(bindings::NLA_UNSPEC, 0);

    const fn of_type(kind: u32, len: u16) -> Self {
        Self(bindings::nla_policy {
            type_: kind as u8,
            validation_type: bindings::nla_policy_validation_NLA_VALIDATE_NONE as u8,
            len,
            __bindgen_anon_1: bindings::nla_policy__bindgen_ty_1 {
                nested_policy: core::ptr::null(),
            },
        })
    }

    const fn with_range(kind: u32, range: &'static Range) -> Self {
        let mut policy = Self::of_type(kind, 0);
        policy.0.validation_type = bindings::nla_policy_validation_NLA_VALIDATE_RANGE_PTR as u8;
        policy.0.__bindgen_anon_1.range = &raw const range.0;
        policy
    }

    /// An attribute whose presence says it all.
    pub(crate) const fn flag() -> Self {
        Self::of_type(bindings::NLA_FLAG, 0)
    }

    /// A number of 8 bits.
    pub(crate) const fn u8() -> Self {
        Self::of_type(bindings::NLA_U8, 0)
    }

    /// A number of 16 bits.
    pub(crate) const fn u16() -> Self {
        Self::of_type(bindings::NLA_U16, 0)
    }

    /// A number of 32 bits.
    pub(crate) const fn u32() -> Self {
        Self::of_type(bindings::NLA_U32, 0)
    }

    /// A number of 64 bits.
    pub(crate) const fn u64() -> Self {
        Self::of_type(bindings::NLA_U64, 0)
    }

    /// A number of 8 bits from a range.
    pub(crate) const fn u8_range(range: &'static Range) -> Self {
        Self::with_range(bindings::NLA_U8, range)
    }

    /// A number of 16 bits from a range.
    pub(crate) const fn u16_range(range: &'static Range) -> Self {
        Self::with_range(bindings::NLA_U16, range)
    }

    /// A number of 32 bits from a range.
    pub(crate) const fn u32_range(range: &'static Range) -> Self {
        Self::with_range(bindings::NLA_U32, range)
    }

    /// A string of at most so many bytes, with or without a zero at its end.
    pub(crate) const fn string(max_len: u16) -> Self {
        Self::of_type(bindings::NLA_NUL_STRING, max_len)
    }

    /// At most so many bytes.
    pub(crate) const fn binary(max_len: u16) -> Self {
        Self::of_type(bindings::NLA_BINARY, max_len)
    }

    /// Attributes within the attribute.
    pub(crate) const fn nested(policies: &'static [Policy]) -> Self {
        let mut policy = Self::of_type(bindings::NLA_NESTED, policies.len() as u16 - 1);
        policy.0.__bindgen_anon_1.nested_policy = policies.as_ptr().cast();
        policy
    }
}

/// The bytes of an attribute's header: length and type, 16 bits each.
const HEADER: usize = 4;

/// The bits of the type that tell the type; the others are flags.
const TYPE_MASK: u16 = bindings::NLA_TYPE_MASK as u16;

/// One attribute of a message that the kernel has validated.
#[derive(Clone, Copy)]
pub(crate) struct Attribute<'a> {
    bytes: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// Its number in its set of attributes.
    pub(crate) fn kind(&self) -> u16 {
        match self.bytes {
            [_, _, low, high, ..] => u16::from_ne_bytes([*low, *high]) & TYPE_MASK,
            _ => 0,
        }
    }

    /// What is in it.
    pub(crate) fn payload(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }

    /// What is in it, if it has just that length.
    pub(crate) fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.payload().try_into().ok()
    }

    /// A number of 8 bits.
    pub(crate) fn u8(&self) -> Option<u8> {
        self.array().map(u8::from_ne_bytes)
    }

    /// A number of 16 bits.
    pub(crate) fn u16(&self) -> Option<u16> {
        self.array().map(u16::from_ne_bytes)
    }

    /// A number of 32 bits.
    pub(crate) fn u32(&self) -> Option<u32> {
        self.array().map(u32::from_ne_bytes)
    }

    /// A number of 64 bits.
    pub(crate) fn u64(&self) -> Option<u64> {
        self.array().map(u64::from_ne_bytes)
    }

    /// A string, without the zero at its end.
    pub(crate) fn string(&self) -> &'a [u8] {
        let payload = self.payload();
        let end = payload.iter().position(|&byte| byte == 0);
        payload
            .get(..end.unwrap_or(payload.len()))
            .unwrap_or_default()
    }

    /// The attributes in it.
    pub(crate) fn nested(&self) -> Attributes<'a> {
        Attributes {
            bytes: self.payload(),
        }
    }

    pub(in crate::kernel_api) fn as_raw(&self) -> *const bindings::nlattr {
        self.bytes.as_ptr().cast()
    }
}

/// A sequence of attributes.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a> {
    bytes: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The attributes that lie in these bytes, each aligned to four.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// What they take up, in bytes.
    pub(crate) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// The last attribute of that number, as `nla_parse` has it.
    pub(crate) fn get(self, kind: u16) -> Option<Attribute<'a>> {
        self.filter(|attribute| attribute.kind() == kind).last()
    }

    /// Whether there is an attribute of that number.
    pub(crate) fn has(self, kind: u16) -> bool {
        self.get(kind).is_some()
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16::from_ne_bytes(*self.bytes.first_chunk()?));
        if length < HEADER {
            return None;
        }
        let bytes = self.bytes.get(..length)?;
        let next = length.next_multiple_of(4);
        self.bytes = self.bytes.get(next..).unwrap_or_default();
        Some(Attribute { bytes })
    }
}
