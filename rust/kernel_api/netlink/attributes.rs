// SPDX-License-Identifier: GPL-2.0

//! Netlink attributes: their policies, and reading them.
//!
//! C header: [`include/net/netlink.h`](srctree/include/net/netlink.h)

use crate::kernel_api::bindings;

/// The range of numbers that an attribute may hold.
#[repr(transparent)]
pub(crate) struct Range(bindings::netlink_range_validation);

impl Range {
    /// From `min` to `max`, both included.
    pub(crate) const fn new(min: u64, max: u64) -> Self {
        Self(bindings::netlink_range_validation { min, max })
    }
}

/// The policy of an attribute, which the kernel checks before it calls an operation.
#[repr(transparent)]
pub(crate) struct Policy(bindings::nla_policy);

// SAFETY: A policy is only read, and it points to statics.
unsafe impl Sync for Policy {}

impl Policy {
    /// Rejects the attribute.
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

    /// A flag, which has no payload.
    pub(crate) const fn flag() -> Self {
        Self::of_type(bindings::NLA_FLAG, 0)
    }

    /// A `u8`.
    pub(crate) const fn u8() -> Self {
        Self::of_type(bindings::NLA_U8, 0)
    }

    /// A `u16`.
    pub(crate) const fn u16() -> Self {
        Self::of_type(bindings::NLA_U16, 0)
    }

    /// A `u32`.
    pub(crate) const fn u32() -> Self {
        Self::of_type(bindings::NLA_U32, 0)
    }

    /// A `u64`.
    pub(crate) const fn u64() -> Self {
        Self::of_type(bindings::NLA_U64, 0)
    }

    /// A `u8` in a range.
    pub(crate) const fn u8_range(range: &'static Range) -> Self {
        Self::with_range(bindings::NLA_U8, range)
    }

    /// A `u16` in a range.
    pub(crate) const fn u16_range(range: &'static Range) -> Self {
        Self::with_range(bindings::NLA_U16, range)
    }

    /// A `u32` in a range.
    pub(crate) const fn u32_range(range: &'static Range) -> Self {
        Self::with_range(bindings::NLA_U32, range)
    }

    /// A string of at most `max_len` bytes, with or without a terminating NUL.
    pub(crate) const fn string(max_len: u16) -> Self {
        Self::of_type(bindings::NLA_NUL_STRING, max_len)
    }

    /// At most `max_len` bytes.
    pub(crate) const fn binary(max_len: u16) -> Self {
        Self::of_type(bindings::NLA_BINARY, max_len)
    }

    /// Nested attributes, whose types index `policies`.
    pub(crate) const fn nested(policies: &'static [Policy]) -> Self {
        let mut policy = Self::of_type(bindings::NLA_NESTED, policies.len() as u16 - 1);
        policy.0.__bindgen_anon_1.nested_policy = policies.as_ptr().cast();
        policy
    }
}

/// Length of an attribute's header in bytes: the length and the type, of 16 bits each.
const HEADER: usize = 4;

/// The bits of the type field without the flags.
const TYPE_MASK: u16 = bindings::NLA_TYPE_MASK as u16;

/// An attribute of a message that the kernel has validated.
#[derive(Clone, Copy)]
pub(crate) struct Attribute<'a> {
    bytes: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The attribute's type.
    pub(crate) fn kind(&self) -> u16 {
        match self.bytes {
            [_, _, low, high, ..] => u16::from_ne_bytes([*low, *high]) & TYPE_MASK,
            _ => 0,
        }
    }

    /// The payload.
    pub(crate) fn payload(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }

    /// The payload, if it is of that length.
    pub(crate) fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.payload().try_into().ok()
    }

    /// The payload as a `u8`.
    pub(crate) fn u8(&self) -> Option<u8> {
        self.array().map(u8::from_ne_bytes)
    }

    /// The payload as a `u16`.
    pub(crate) fn u16(&self) -> Option<u16> {
        self.array().map(u16::from_ne_bytes)
    }

    /// The payload as a `u32`.
    pub(crate) fn u32(&self) -> Option<u32> {
        self.array().map(u32::from_ne_bytes)
    }

    /// The payload as a `u64`.
    pub(crate) fn u64(&self) -> Option<u64> {
        self.array().map(u64::from_ne_bytes)
    }

    /// The payload as a string, without the terminating NUL.
    pub(crate) fn string(&self) -> &'a [u8] {
        let payload = self.payload();
        let end = payload.iter().position(|&byte| byte == 0);
        payload
            .get(..end.unwrap_or(payload.len()))
            .unwrap_or_default()
    }

    /// The nested attributes.
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
///
/// # Examples
///
/// ```ignore
/// let attributes = request.attributes();
/// let mark = attributes.get(MARK).and_then(|attribute| attribute.u32());
/// for attribute in attributes {
///     pr_info!("attribute {}\n", attribute.kind());
/// }
/// ```
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a> {
    bytes: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The attributes in these bytes of a request, each aligned to four.
    pub(in crate::kernel_api) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Their length in bytes.
    pub(crate) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// The last attribute of a type, as `nla_parse` takes it.
    pub(crate) fn get(self, kind: u16) -> Option<Attribute<'a>> {
        self.filter(|attribute| attribute.kind() == kind).last()
    }

    /// Whether there is an attribute of a type.
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
