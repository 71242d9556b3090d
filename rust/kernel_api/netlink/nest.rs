// SPDX-License-Identifier: GPL-2.0

//! Structs that define once which netlink attributes they stand for.
//!
//! [`nest!`] makes a struct from a list of attributes, together with the code that reads and writes
//! it.

use super::{
    extended_ack::{
        ExtAckError,
        NetlinkResult, //
    },
    message::Message,
    Attribute,
    Attributes, //
};
use kernel::prelude::*;

/// The payload of an attribute.
pub(crate) trait Payload: Sized {
    /// Reads it from an attribute that has passed its policy.
    ///
    /// # Errors
    ///
    /// What is wrong with it that a policy cannot check, and `ENOMEM`.
    fn read(attribute: Attribute<'_>) -> NetlinkResult<'_, Self>;

    /// Writes it as an attribute of type `kind`.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when the message is full.
    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result;
}

/// The payload of several attributes of a nest, whose types are consecutive.
pub(crate) trait Group: Sized {
    /// Reads it. `first` is the type of the first attribute.
    ///
    /// # Errors
    ///
    /// What is wrong with the combination of attributes.
    fn read(nest: Attributes<'_>, first: u16) -> NetlinkResult<'_, Self>;

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when the message is full.
    fn write(&self, first: u16, message: &mut Message<'_>) -> Result;
}

/// A [`Group`] that may be absent, as an `Option` of it.
pub(crate) trait OptionalGroup: Sized {
    /// As [`Group::read`]; `None` if its attributes are absent.
    ///
    /// # Errors
    ///
    /// What is wrong with the combination of attributes.
    fn read(nest: Attributes<'_>, first: u16) -> NetlinkResult<'_, Option<Self>>;

    /// As [`Group::write`].
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when the message is full.
    fn write(&self, first: u16, message: &mut Message<'_>) -> Result;
}

impl<T: OptionalGroup> Group for Option<T> {
    fn read(nest: Attributes<'_>, first: u16) -> NetlinkResult<'_, Self> {
        T::read(nest, first)
    }

    fn write(&self, first: u16, message: &mut Message<'_>) -> Result {
        match self {
            Some(group) => group.write(first, message),
            None => Ok(()),
        }
    }
}

/// The types of a group's `N` attributes, from the first one on.
pub(crate) fn kinds<const N: usize>(first: u16) -> [u16; N] {
    core::array::from_fn(|index| first.wrapping_add(index as u16))
}

macro_rules! number {
    ($($number:ident: $put:ident,)*) => {
        $(impl Payload for $number {
            fn read(attribute: Attribute<'_>) -> NetlinkResult<'_, Self> {
                // The policy has checked the length.
                attribute.$number().ok_or(EINVAL.into())
            }

            fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
                message.$put(kind, *self)
            }
        })*
    };
}

number! {
    u8: put_u8,
    u16: put_u16,
    u32: put_u32,
    u64: put_u64,
}

/// A flag that is present.
impl Payload for () {
    fn read(_: Attribute<'_>) -> NetlinkResult<'_, Self> {
        Ok(())
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        message.put_flag(kind, true)
    }
}

/// Bytes.
impl Payload for KVec<u8> {
    fn read(attribute: Attribute<'_>) -> NetlinkResult<'_, Self> {
        let mut bytes = Self::new();
        bytes.extend_from_slice(attribute.payload(), GFP_KERNEL_ACCOUNT)?;
        Ok(bytes)
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        message.put(kind, self)
    }
}

/// A string, without the terminating NUL.
#[derive(PartialEq, Eq)]
pub(crate) struct Text(KVec<u8>);

impl Text {
    /// Returns its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Payload for Text {
    fn read(attribute: Attribute<'_>) -> NetlinkResult<'_, Self> {
        let mut bytes = KVec::new();
        bytes.extend_from_slice(attribute.string(), GFP_KERNEL_ACCOUNT)?;
        Ok(Self(bytes))
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        message.put_string(kind, &self.0)
    }
}

/// Reads the attribute of a type, if it is present.
pub(crate) fn optional<T: Payload>(
    nest: Attributes<'_>,
    kind: u16,
) -> NetlinkResult<'_, Option<T>> {
    let attribute = nest.get(kind);
    attribute
        .map(|attribute| T::read(attribute).map_err(|error| error.at(attribute)))
        .transpose()
}

/// Reads all attributes of a type, in order.
pub(crate) fn each<T: Payload>(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, KVec<T>> {
    let mut all = KVec::new();
    for attribute in nest.filter(|attribute| attribute.kind() == kind) {
        let one = T::read(attribute).map_err(|error| error.at(attribute))?;
        all.push(one, GFP_KERNEL_ACCOUNT)?;
    }
    Ok(all)
}

impl<'a> Attributes<'a> {
    /// The only attribute, if there is exactly one.
    pub(crate) fn only(mut self) -> Option<Attribute<'a>> {
        let one = self.next()?;
        self.next().is_none().then_some(one)
    }

    /// The error `EINVAL` about the attribute of a type, or the lack of it.
    pub(crate) fn refuse(self, kind: u16, message: &'static CStr) -> ExtAckError<'a> {
        self.refuse_with(EINVAL, kind, message)
    }

    /// An error about the attribute of a type, or the lack of it.
    pub(crate) fn refuse_with(
        self,
        error: Error,
        kind: u16,
        message: &'static CStr,
    ) -> ExtAckError<'a> {
        let error = ExtAckError::new(error, message);
        self.get(kind)
            .map_or(error, |attribute| error.at(attribute))
    }
}

/// Makes a struct whose fields are attributes of a nest, and implements [`Payload`] for it.
///
/// The name of the struct is followed by the module with the types of its attributes, and each
/// field by the type of its attribute and by how that is handled:
///
/// - `required MESSAGE`: it is an error with this message if it is missing;
/// - `or VALUE`: it has this value if it is missing;
/// - `optional`: an `Option`;
/// - `flag`: a `bool`, for an attribute that is present or not;
/// - `each`: a `KVec` of all attributes of that type;
/// - `group`: a [`Group`], whose first attribute it is.
///
/// # Examples
///
/// ```ignore
/// nest! {
///     /// A match on the packet mark.
///     #[derive(PartialEq, Eq)]
///     pub(crate) struct Mark: attribute::mark {
///         value: u32 = VALUE, required c"a mark match needs a value";
///         mask: u32 = MASK, or u32::MAX;
///         invert: bool = INVERT, flag;
///     }
/// }
/// ```
macro_rules! nest {
    (
        $(#[$meta:meta])*
        $visible:vis struct $name:ident: $($set:ident)::+ {
            $(
                $(#[$field_meta:meta])*
                $field_visible:vis $field:ident: $type:ty = $kind:ident, $how:ident $($argument:expr)?;
            )*
        }
    ) => {
        $(#[$meta])*
        $visible struct $name {
            $($(#[$field_meta])* $field_visible $field: $type,)*
        }

        impl $name {
            /// Reads it from the attributes of a nest.
            $visible fn read_from(
                nest: $crate::kernel_api::netlink::Attributes<'_>,
            ) -> $crate::kernel_api::netlink::extended_ack::NetlinkResult<'_, Self> {
                use $($set)::+ as set;
                Ok(Self {
                    $($field: $crate::kernel_api::netlink::nest::nest!(
                        @read nest, set::$kind, $how $($argument)?
                    ),)*
                })
            }

            /// Writes its attributes into a nest.
            $visible fn write_into(
                &self,
                message: &mut $crate::kernel_api::netlink::message::Message<'_>,
            ) -> kernel::error::Result {
                use $($set)::+ as set;
                $($crate::kernel_api::netlink::nest::nest!(
                    @write self.$field, set::$kind, message, $how
                );)*
                Ok(())
            }
        }

        impl $crate::kernel_api::netlink::nest::Payload for $name {
            fn read(
                attribute: $crate::kernel_api::netlink::Attribute<'_>,
            ) -> $crate::kernel_api::netlink::extended_ack::NetlinkResult<'_, Self> {
                Self::read_from(attribute.nested())
            }

            fn write(
                &self,
                kind: u16,
                message: &mut $crate::kernel_api::netlink::message::Message<'_>,
            ) -> kernel::error::Result {
                message.nest(kind, |message| self.write_into(message))
            }
        }
    };

    (@read $nest:ident, $kind:expr, required $message:expr) => {
        $crate::kernel_api::netlink::nest::optional($nest, $kind)?
            .ok_or_else(|| $nest.refuse($kind, $message))?
    };
    (@read $nest:ident, $kind:expr, or $value:expr) => {
        $crate::kernel_api::netlink::nest::optional($nest, $kind)?.unwrap_or($value)
    };
    (@read $nest:ident, $kind:expr, optional) => {
        $crate::kernel_api::netlink::nest::optional($nest, $kind)?
    };
    (@read $nest:ident, $kind:expr, flag) => {
        $nest.has($kind)
    };
    (@read $nest:ident, $kind:expr, each) => {
        $crate::kernel_api::netlink::nest::each($nest, $kind)?
    };
    (@read $nest:ident, $kind:expr, group) => {
        $crate::kernel_api::netlink::nest::Group::read($nest, $kind)?
    };

    (@write $field:expr, $kind:expr, $message:ident, flag) => {
        $message.put_flag($kind, $field)?
    };
    (@write $field:expr, $kind:expr, $message:ident, group) => {
        $crate::kernel_api::netlink::nest::Group::write(&$field, $kind, $message)?
    };
    // Present once, not at all, or several times.
    (@write $field:expr, $kind:expr, $message:ident, optional) => {
        if let Some(value) = &$field {
            $crate::kernel_api::netlink::nest::Payload::write(value, $kind, $message)?;
        }
    };
    (@write $field:expr, $kind:expr, $message:ident, each) => {
        for value in &$field {
            $crate::kernel_api::netlink::nest::Payload::write(value, $kind, $message)?;
        }
    };
    (@write $field:expr, $kind:expr, $message:ident, $how:ident) => {
        $crate::kernel_api::netlink::nest::Payload::write(&$field, $kind, $message)?
    };
}

pub(crate) use nest;
