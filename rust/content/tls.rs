// SPDX-License-Identifier: GPL-2.0

//! The ClientHello of TLS (RFC 8446, sections 4.1.2 and 5.1), which may be cut into several records.

use super::{
    glob::Glob,
    host::HostName,
    reader::Reader,
    Bytes,
    Found,
    Missing,
    LENGTH_MAX, //
};

/// The record type of handshake messages.
const HANDSHAKE: u8 = 22;
/// The first byte of the version in a record, in SSL 3.0 and all versions of TLS.
const MAJOR_VERSION: u8 = 3;
/// The longest record (RFC 8446, section 5.1).
const RECORD_MAX: u16 = 1 << 14;
/// The handshake type of a ClientHello.
const CLIENT_HELLO: u8 = 1;
/// Length of the version and the random bytes at the start of a ClientHello.
const VERSION_AND_RANDOM: usize = 2 + 32;
/// The longest session id.
const SESSION_ID_MAX: usize = 32;

/// The type of the extension `server_name` (RFC 6066, section 3).
const SERVER_NAME: u16 = 0;
/// The type of a host's name in it.
const HOST_NAME: u8 = 0;
/// The type of the extension `application_layer_protocol_negotiation` (RFC 7301, section 3.1).
const ALPN: u16 = 16;

/// Whether the bytes begin with a ClientHello.
pub(crate) fn is_client_hello<B: Bytes + ?Sized>(bytes: &B) -> Found<()> {
    Hello::new(bytes).map(drop)
}

/// Finds the end of the ClientHello that the bytes begin with.
pub(crate) fn find_end<B: Bytes + ?Sized>(bytes: &B) -> Found<()> {
    let mut hello = Hello::new(bytes)?;
    if let Some(last) = hello.left.checked_sub(1) {
        hello.skip(last)?;
        hello.u8()?;
    }
    Ok(())
}

/// The name of the server that the client wants.
pub(crate) fn server_name<B: Bytes + ?Sized>(bytes: &B) -> Found<HostName> {
    let mut hello = Hello::new(bytes)?.extension(SERVER_NAME)?;
    let length = hello.u16()?;
    if usize::from(length) != hello.left || hello.u8()? != HOST_NAME {
        return Err(Missing::Absent);
    }
    let mut name = HostName::new();
    for _ in 0..hello.u16()? {
        name.push(hello.u8()?)?;
    }
    name.end(false)?;
    Ok(name)
}

/// Whether one of the protocols that the client offers matches; absent if it offers none.
pub(crate) fn offers<B: Bytes + ?Sized>(bytes: &B, wanted: &Glob) -> Found<bool> {
    let mut hello = Hello::new(bytes)?.extension(ALPN)?;
    let length = hello.u16()?;
    if length == 0 || usize::from(length) != hello.left {
        return Err(Missing::Absent);
    }
    while hello.left > 0 {
        let mut protocol = wanted.matcher();
        for _ in 0..hello.u8()? {
            protocol.push(hello.u8()?);
        }
        if protocol.is_match() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A position in a ClientHello.
struct Hello<'a, B: ?Sized> {
    reader: Reader<'a, B>,
    /// How much is left of the record.
    record: usize,
    /// How much is left of the message, or of the extension.
    left: usize,
}

impl<'a, B: Bytes + ?Sized> Hello<'a, B> {
    /// Behind the message's header.
    fn new(bytes: &'a B) -> Found<Self> {
        let mut hello = Self {
            reader: Reader::at(bytes, 0),
            record: 0,
            left: 4,
        };
        // Other protocols are known by the first byte.
        if hello.u8()? != CLIENT_HELLO {
            return Err(Missing::Absent);
        }
        let [high, middle, low] = hello.take()?;
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        if length > LENGTH_MAX {
            return Err(Missing::Absent);
        }
        hello.left = length;
        Ok(hello)
    }

    /// In the extension of a type.
    fn extension(mut self, wanted: u16) -> Found<Self> {
        self.skip(VERSION_AND_RANDOM)?;
        let session_id = usize::from(self.u8()?);
        if session_id > SESSION_ID_MAX {
            return Err(Missing::Absent);
        }
        self.skip(session_id)?;
        let ciphers = self.u16()?;
        self.skip(ciphers.into())?;
        let compressions = self.u8()?;
        self.skip(compressions.into())?;
        let extensions = self.u16()?;
        if usize::from(extensions) != self.left {
            return Err(Missing::Absent);
        }
        loop {
            let [k0, k1, l0, l1] = self.take()?;
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            if u16::from_be_bytes([k0, k1]) == wanted && length <= self.left {
                self.left = length;
                return Ok(self);
            }
            self.skip(length)?;
        }
    }

    /// Reads the header of a record.
    fn next_record(&mut self) -> Found<()> {
        if self.reader.byte()? != HANDSHAKE || self.reader.byte()? != MAJOR_VERSION {
            return Err(Missing::Absent);
        }
        self.reader.byte()?;
        let length = u16::from_be_bytes([self.reader.byte()?, self.reader.byte()?]);
        // A handshake message is not cut into records without data.
        if !(1..=RECORD_MAX).contains(&length) {
            return Err(Missing::Absent);
        }
        self.record = length.into();
        Ok(())
    }

    fn u8(&mut self) -> Found<u8> {
        self.left = self.left.checked_sub(1).ok_or(Missing::Absent)?;
        if self.record == 0 {
            self.next_record()?;
        }
        self.record = self.record.saturating_sub(1);
        self.reader.byte()
    }

    fn u16(&mut self) -> Found<u16> {
        self.take().map(u16::from_be_bytes)
    }

    /// The next bytes, which are read one by one where a record ends among them.
    #[inline]
    fn take<const N: usize>(&mut self) -> Found<[u8; N]> {
        if let (Some(left), Some(record)) = (self.left.checked_sub(N), self.record.checked_sub(N)) {
            if let Some(bytes) = self.reader.copied() {
                (self.left, self.record) = (left, record);
                return Ok(bytes);
            }
        }
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.u8()?;
        }
        Ok(bytes)
    }

    fn skip(&mut self, mut length: usize) -> Found<()> {
        self.left = self.left.checked_sub(length).ok_or(Missing::Absent)?;
        while length > 0 {
            if self.record == 0 {
                self.next_record()?;
            }
            let some = length.min(self.record);
            self.reader.skip(some);
            self.record = self.record.saturating_sub(some);
            length = length.saturating_sub(some);
        }
        Ok(())
    }
}
