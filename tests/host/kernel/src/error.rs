// SPDX-License-Identifier: GPL-2.0

//! Error numbers.

use crate::alloc::AllocError;
use core::ffi::c_int;

/// An error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(c_int);

/// A result whose error is a number.
pub type Result<T = (), E = Error> = core::result::Result<T, E>;

/// The numbers.
pub mod code {
    use super::Error;

    macro_rules! errors {
        ($($name:ident = $number:literal,)*) => {
            $(pub const $name: Error = Error(-$number);)*
        };
    }
    errors! {
        ENOENT = 2, ENXIO = 6, E2BIG = 7, EAGAIN = 11, ENOMEM = 12, EFAULT = 14, EBUSY = 16, EEXIST = 17, EXDEV = 18,
        ENODEV = 19, EINVAL = 22, ENOSPC = 28, EMLINK = 31, ERANGE = 34, EMSGSIZE = 90, EOPNOTSUPP = 95,
        EAFNOSUPPORT = 97, EPERM = 1, EPROTO = 71, EOVERFLOW = 75, EADDRINUSE = 98, ENOTCONN = 107,
        EHOSTUNREACH = 113, ENAMETOOLONG = 36, ENOTSUPP = 524, EIO = 5, ESRCH = 3,
    }
}

impl Error {
    /// From a negative number.
    pub fn from_errno(number: c_int) -> Self {
        Self(number)
    }

    /// The negative number.
    pub fn to_errno(self) -> c_int {
        self.0
    }
}

impl From<AllocError> for Error {
    fn from(_: AllocError) -> Self {
        code::ENOMEM
    }
}

impl From<core::num::TryFromIntError> for Error {
    fn from(_: core::num::TryFromIntError) -> Self {
        code::EINVAL
    }
}

/// Negative numbers are errors.
pub fn to_result(number: c_int) -> Result {
    if number < 0 {
        return Err(Error(number));
    }
    Ok(())
}

/// The number of a result.
pub fn from_result<T: From<i16>>(run: impl FnOnce() -> Result<T>) -> T {
    run().unwrap_or_else(|error| T::from(error.0 as i16))
}

/// Pointers near the end of the memory are errors.
pub fn from_err_ptr<T>(pointer: *mut T) -> Result<*mut T> {
    let number = pointer.addr() as isize;
    if (-4095..0).contains(&number) {
        return Err(Error(number as c_int));
    }
    Ok(pointer)
}
