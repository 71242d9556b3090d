// SPDX-License-Identifier: GPL-2.0

//! Requests of HTTP/1.0 and HTTP/1.1 (RFC 9112).
//!
//! A client that speaks HTTP/2 without TLS and without asking sends its preface (RFC 9113, section 3.4). Its
//! requests come behind that, compressed by HPACK.

use super::{
    glob::Glob,
    host::HostName,
    reader::Reader,
    Bytes,
    Found,
    Missing, //
};
use core::ops::Range;

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a client sends first.
pub(crate) enum First {
    /// A request of HTTP/1.
    Request(Request),
    /// The preface of HTTP/2.
    Preface,
}

/// Where the parts of a request are.
#[derive(Default)]
pub(crate) struct Request {
    method: Range<usize>,
    /// The host and the port, if they are in the request line.
    authority: Option<Range<usize>>,
    /// The path, without a query; empty stands for `/`.
    path: Option<Range<usize>>,
    headers: usize,
}

/// Reads what the bytes begin with.
pub(crate) fn first<B: Bytes + ?Sized>(bytes: &B) -> Found<First> {
    let mut reader = Reader::at(bytes, 0);
    for byte in PREFACE {
        if reader.byte()? != *byte {
            return Request::read(bytes).map(First::Request);
        }
    }
    Ok(First::Preface)
}

/// Finds the end of the headers of the request that the bytes begin with, or of the preface.
pub(crate) fn find_end<B: Bytes + ?Sized>(bytes: &B) -> Found<()> {
    let First::Request(request) = first(bytes)? else {
        return Ok(());
    };
    let mut reader = Reader::at(bytes, request.headers);
    let mut is_empty = true;
    loop {
        match reader.byte()? {
            b'\n' if is_empty => return Ok(()),
            b'\n' => is_empty = true,
            b'\r' => {}
            _ => is_empty = false,
        }
    }
}

impl Request {
    /// Reads the request line.
    fn read<B: Bytes + ?Sized>(bytes: &B) -> Found<Self> {
        let mut request = Self::default();
        let mut reader = Reader::at(bytes, 0);
        // Servers pass empty lines over that come before a request.
        let mut byte = reader.byte()?;
        while is_line_end(byte) {
            byte = reader.byte()?;
        }
        request.method.start = last(&reader);
        while is_token(byte) {
            byte = reader.byte()?;
        }
        request.method.end = last(&reader);
        if request.method.is_empty() || byte != b' ' {
            return Err(Missing::Absent);
        }
        while byte == b' ' {
            byte = reader.byte()?;
        }
        let start = last(&reader);
        while byte > b' ' && byte != DELETE {
            byte = reader.byte()?;
        }
        let target = start..last(&reader);
        if byte != b' ' {
            return Err(Missing::Absent);
        }
        while byte == b' ' {
            byte = reader.byte()?;
        }
        for expected in b"HTTP/1." {
            if byte != *expected {
                return Err(Missing::Absent);
            }
            byte = reader.byte()?;
        }
        if !byte.is_ascii_digit() {
            return Err(Missing::Absent);
        }
        match reader.byte()? {
            b'\n' => {}
            b'\r' if reader.byte()? == b'\n' => {}
            _ => return Err(Missing::Absent),
        }
        request.headers = reader.position();
        request.read_target(bytes, target)?;
        Ok(request)
    }

    /// Reads the target in one of its forms (RFC 9112, section 3.2).
    fn read_target<B: Bytes + ?Sized>(&mut self, bytes: &B, target: Range<usize>) -> Found<()> {
        let find = |range: Range<usize>, wanted: &[u8]| -> Found<Option<(usize, u8)>> {
            let mut reader = Reader::at(bytes, range.start);
            for index in range {
                let byte = reader.byte()?;
                if wanted.contains(&byte) {
                    return Ok(Some((index, byte)));
                }
            }
            Ok(None)
        };
        let (start, end) = (target.start, target.end);
        let mut path = start;
        let byte = Reader::at(bytes, start).byte()?;
        if byte != b'/' && byte != b'*' {
            let mut authority = start;
            let is_connect = is_text(bytes, self.method.clone(), b"CONNECT")?;
            if !is_connect {
                let colon = find(target, b":/?#")?;
                let Some((colon, b':')) = colon else {
                    return Err(Missing::Absent);
                };
                let slashes = colon.wrapping_add(1);
                authority = slashes.wrapping_add(2);
                if authority > end || !is_text(bytes, slashes..authority, b"//")? {
                    return Err(Missing::Absent);
                }
            }
            path = find(authority..end, b"/?#")?.map_or(end, |(index, _)| index);
            // A user's name may come before the host's.
            while let Some((index, _)) = find(authority..path, b"@")? {
                authority = index.wrapping_add(1);
            }
            self.authority = Some(authority..path);
            if is_connect {
                return Ok(());
            }
        }
        let query = find(path..end, b"?#")?;
        self.path = Some(path..query.map_or(end, |(index, _)| index));
        Ok(())
    }

    /// Whether the method matches.
    pub(crate) fn has_method<B: Bytes + ?Sized>(&self, bytes: &B, wanted: &Glob) -> Found<bool> {
        is_match(bytes, self.method.clone(), wanted)
    }

    /// Whether the path matches; absent if the request is about none.
    pub(crate) fn has_path<B: Bytes + ?Sized>(&self, bytes: &B, wanted: &Glob) -> Found<bool> {
        let path = self.path.clone().ok_or(Missing::Absent)?;
        if path.is_empty() {
            return Ok(wanted.matches(*b"/"));
        }
        is_match(bytes, path, wanted)
    }

    /// The host that the request is for: that of the target, or else of the header `Host`.
    pub(crate) fn host<B: Bytes + ?Sized>(&self, bytes: &B) -> Found<HostName> {
        let mut name = HostName::new();
        let Some(authority) = self.authority.clone() else {
            let mut reader = Reader::at(bytes, self.headers);
            while !is_host_header(&mut reader)? {
                while reader.byte()? != b'\n' {}
            }
            return host_value(&mut reader);
        };
        let mut reader = Reader::at(bytes, authority.start);
        for _ in authority {
            name.push(reader.byte()?)?;
        }
        name.end(true)?;
        Ok(name)
    }
}

/// The last control character.
const DELETE: u8 = 0x7f;

fn is_line_end(byte: u8) -> bool {
    byte == b'\r' || byte == b'\n'
}

/// Whether a byte may be in a method or in the name of a header (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The offset of the byte that was read last.
fn last<B: Bytes + ?Sized>(reader: &Reader<'_, B>) -> usize {
    reader.position().wrapping_sub(1)
}

fn is_match<B: Bytes + ?Sized>(bytes: &B, range: Range<usize>, wanted: &Glob) -> Found<bool> {
    let mut reader = Reader::at(bytes, range.start);
    let mut matcher = wanted.matcher();
    for _ in range {
        matcher.push(reader.byte()?);
    }
    Ok(matcher.is_match())
}

fn is_text<B: Bytes + ?Sized>(bytes: &B, range: Range<usize>, text: &[u8]) -> Found<bool> {
    let mut reader = Reader::at(bytes, range.start);
    for byte in text {
        if reader.byte()? != *byte {
            return Ok(false);
        }
    }
    Ok(range.len() == text.len())
}

/// Reads the name of a header and the colon behind it. Returns whether it is `Host`; absent at the end of
/// the headers, and where there is none.
fn is_host_header<B: Bytes + ?Sized>(reader: &mut Reader<'_, B>) -> Found<bool> {
    let mut rest: &[u8] = b"host";
    let mut is_host = true;
    let mut is_empty = true;
    loop {
        let byte = reader.byte()?;
        if byte == b':' && !is_empty {
            return Ok(is_host && rest.is_empty());
        }
        if !is_token(byte) {
            return Err(Missing::Absent);
        }
        is_empty = false;
        match rest {
            [first, others @ ..] if byte.eq_ignore_ascii_case(first) => rest = others,
            _ => is_host = false,
        }
    }
}

/// Reads the value of `Host`, which spaces may surround.
fn host_value<B: Bytes + ?Sized>(reader: &mut Reader<'_, B>) -> Found<HostName> {
    let is_space = |byte| byte == b' ' || byte == b'\t';
    let mut name = HostName::new();
    let mut byte = reader.byte()?;
    while is_space(byte) {
        byte = reader.byte()?;
    }
    while byte > b' ' && byte != DELETE {
        name.push(byte)?;
        byte = reader.byte()?;
    }
    while is_space(byte) {
        byte = reader.byte()?;
    }
    if byte == b'\r' {
        byte = reader.byte()?;
    }
    if byte != b'\n' {
        return Err(Missing::Absent);
    }
    name.end(true)?;
    Ok(name)
}
