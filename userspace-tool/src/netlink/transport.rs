// SPDX-License-Identifier: GPL-2.0

//! A generic netlink socket: one request, and the messages that answer it.

use std::fmt::Debug;

use netlink_packet_core::{
    DecodeError, DoneBuffer, DoneMessage, Emitable, ErrorBuffer, ErrorMessage, NLM_F_DUMP_INTR,
    NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NetlinkMessage, Parseable,
};
use netlink_packet_generic::{GenlFamily, GenlMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_GENERIC};
use nix::{
    errno::Errno,
    sys::socket::{setsockopt, sockopt},
};

use super::ext_ack::ExtAckError;
use crate::error::Error;

/// The kernel fills dumps into messages of at most 32 kB.
const RECEIVE_LENGTH: usize = 64 * 1024;

/// Messages with a smaller type are those that all families have, as in linux/netlink.h.
const NLMSG_MIN_TYPE: u16 = 0x10;

/// What the kernel asks of the send buffer beyond the message itself.
const SEND_OVERHEAD: usize = 64 * 1024;

/// A complete answer.
pub(super) struct Answer<T> {
    pub(super) messages: Vec<T>,
    /// The dump was interrupted by a change, so that its messages may not fit together.
    pub(super) interrupted: bool,
    /// The warning of the kernel about a request that it carried out.
    pub(super) warning: Option<String>,
}

/// A generic netlink socket.
pub(super) struct Transport {
    socket: Socket,
    sequence: u32,
}

impl Transport {
    pub(super) fn open() -> Result<Self, Error> {
        let open = || -> std::io::Result<Socket> {
            let mut socket = Socket::new(NETLINK_GENERIC)?;
            socket.bind_auto()?;
            socket.connect(&SocketAddr::new(0, 0))?;
            socket.set_ext_ack(true)?;
            socket.set_cap_ack(true)?;
            Ok(socket)
        };
        let socket =
            open().map_err(|error| Error::Failure(format!("cannot open netlink: {error}")))?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Send a request. `read` gets the payload of every message of the answer, in the receive buffer, since
    /// there may be millions of them.
    pub(super) fn exchange<M, T>(
        &mut self,
        request: GenlMessage<M>,
        flags: u16,
        mut read: impl FnMut(&[u8], &mut Vec<T>) -> Result<(), Error>,
    ) -> Result<Answer<T>, Error>
    where
        M: GenlFamily + Emitable + Debug,
    {
        self.send(request, flags)?;
        let mut answer = Answer {
            messages: Vec::new(),
            interrupted: false,
            warning: None,
        };
        let mut buffer = Vec::with_capacity(RECEIVE_LENGTH);
        loop {
            buffer.clear();
            self.socket.recv(&mut buffer, 0).map_err(failure)?;
            let mut rest = buffer.as_slice();
            while !rest.is_empty() {
                let message = NetlinkBuffer::new_checked(rest).map_err(unreadable)?;
                let length = message.length() as usize;
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
                if message.sequence_number() != self.sequence {
                    // Left over from an earlier request that was given up.
                    continue;
                }
                answer.interrupted |= message.flags() & NLM_F_DUMP_INTR != 0;
                match message.message_type() {
                    NLMSG_ERROR => {
                        let error = error(message.payload()).map_err(unreadable)?;
                        let refusal = ExtAckError::from_error(&error);
                        if error.code.is_some() {
                            return Err(refusal.into());
                        }
                        answer.warning = refusal.message;
                        return Ok(answer);
                    }
                    NLMSG_DONE => {
                        let done = done(message.payload()).map_err(unreadable)?;
                        if done.code < 0 {
                            return Err(ExtAckError::from_done(&done).into());
                        }
                        return Ok(answer);
                    }
                    kind if kind >= NLMSG_MIN_TYPE => {
                        read(message.payload(), &mut answer.messages)?;
                    }
                    _ => {}
                }
            }
        }
    }

    fn send<M>(&mut self, request: GenlMessage<M>, flags: u16) -> Result<(), Error>
    where
        M: GenlFamily + Emitable + Debug,
    {
        self.sequence = self.sequence.wrapping_add(1);
        let mut message = NetlinkMessage::from(request);
        message.header.flags = flags;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);

        // A large batch may need more than net.core.wmem_max, which needs CAP_NET_ADMIN as the
        // request does. If it is refused, the send below says whether that mattered.
        let _ = setsockopt(
            &self.socket,
            sockopt::SndBufForce,
            &(bytes.len().saturating_add(SEND_OVERHEAD)),
        );
        match self.socket.send(&bytes, 0) {
            Err(error) if error.raw_os_error() == Some(Errno::EMSGSIZE as i32) => {
                Err(Error::Failure(format!(
                    "the request has {} bytes, which is more than net.core.wmem_max allows: raise \
                     that limit or split the request",
                    bytes.len()
                )))
            }
            result => result.map(drop).map_err(failure),
        }
    }
}

fn error(payload: &[u8]) -> Result<ErrorMessage, DecodeError> {
    ErrorMessage::parse(&ErrorBuffer::new_checked(&payload)?)
}

fn done(payload: &[u8]) -> Result<DoneMessage, DecodeError> {
    DoneMessage::parse(&DoneBuffer::new_checked(&payload)?)
}

pub(super) fn unreadable(error: DecodeError) -> Error {
    Error::Answer(error.to_string())
}

pub(super) fn failure(error: std::io::Error) -> Error {
    Error::Failure(format!("netlink: {error}"))
}
