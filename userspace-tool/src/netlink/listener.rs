// SPDX-License-Identifier: GPL-2.0

//! A socket in a multicast group of the family.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd, BorrowedFd},
};

use netlink_packet_core::NetlinkBuffer;
use netlink_packet_generic::constants::{CTRL_ATTR_FAMILY_ID, CTRL_CMD_DELFAMILY, GENL_ID_CTRL};
use netlink_sys::{Socket, protocols::NETLINK_GENERIC};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{setsockopt, sockopt},
};

use super::{
    connection::{Connection, Family},
    reader::{Attribute, Nest},
    transport::{failure, unreadable},
};
use crate::error::Error;

/// Room for what comes while nobody reads, in bytes: some thousand events.
const BUFFER_LENGTH: usize = 2 * 1024 * 1024;

/// No event is longer.
const RECEIVE_LENGTH: usize = 64 * 1024;

/// The controller's multicast group, which tells of families that come and go. It has the controller's number.
const CONTROLLER_GROUP: u32 = GENL_ID_CTRL as u32;

/// Length of the generic netlink header, which comes before the attributes.
const GENERIC_HEADER_LENGTH: usize = 4;

/// What a listener gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// An event, with its attributes.
    Event { command: u8, attributes: Vec<u8> },
    /// The socket had no room for the events that came here, which are lost.
    Overrun,
    /// The module is gone, and with it the group.
    Unloaded,
}

/// What was waited for.
enum Waited {
    Readable,
    /// Nobody reads the output any more.
    Closed,
    Nothing,
}

/// A socket that gets events.
pub(crate) struct Listener {
    socket: Socket,
    family: u16,
    buffer: Vec<u8>,
    waiting: VecDeque<Received>,
    /// The socket lost events, which were behind those that are in it.
    overrun: bool,
}

impl Listener {
    /// Join the group of that number in the specification.
    pub(crate) fn open(group: usize) -> Result<Self, Error> {
        let Family { number, groups } = Connection::open()?.family();
        let group = groups.get(group).copied().flatten().ok_or_else(|| {
            Error::Failure(
                "the loaded module is older than this tool and does not tell of this: reload the module"
                    .to_owned(),
            )
        })?;
        let join = || -> io::Result<Socket> {
            let mut socket = Socket::new(NETLINK_GENERIC)?;
            socket.bind_auto()?;
            // Needs CAP_NET_ADMIN in the initial user namespace; else the usual room has to do.
            let _ = setsockopt(&socket, sockopt::RcvBufForce, &BUFFER_LENGTH);
            socket.add_membership(CONTROLLER_GROUP)?;
            socket.add_membership(group)?;
            Ok(socket)
        };
        let socket = join().map_err(|error| match error.raw_os_error() {
            Some(number) if number == Errno::EPERM as i32 => Error::NotPermitted,
            _ => failure(error),
        })?;
        Ok(Self {
            socket,
            family: number,
            buffer: Vec::with_capacity(RECEIVE_LENGTH),
            waiting: VecDeque::new(),
            overrun: false,
        })
    }

    /// Wait for what comes next; none once nobody reads `output` any more.
    pub(crate) fn next(&mut self, output: BorrowedFd<'_>) -> Result<Option<Received>, Error> {
        while self.waiting.is_empty() {
            if let Waited::Closed = self.advance(Some(output), PollTimeout::NONE)? {
                return Ok(None);
            }
        }
        Ok(self.waiting.pop_front())
    }

    /// What has come already; none if there is no more.
    pub(crate) fn try_next(&mut self) -> Result<Option<Received>, Error> {
        while self.waiting.is_empty() {
            if let Waited::Nothing = self.advance(None, PollTimeout::ZERO)? {
                break;
            }
        }
        Ok(self.waiting.pop_front())
    }

    /// Wait for messages, and read them.
    fn advance(
        &mut self,
        output: Option<BorrowedFd<'_>>,
        patience: PollTimeout,
    ) -> Result<Waited, Error> {
        // The kernel delivers nothing more until all that is in the socket is read.
        let patience = match self.overrun {
            true => PollTimeout::ZERO,
            false => patience,
        };
        let waited = self.wait(output, patience)?;
        match waited {
            Waited::Readable => self.receive()?,
            Waited::Nothing if self.overrun => {
                self.overrun = false;
                self.waiting.push_back(Received::Overrun);
            }
            Waited::Nothing | Waited::Closed => {}
        }
        Ok(waited)
    }

    /// Wait for messages, and for the end of who reads `output`, if there is one.
    fn wait(&self, output: Option<BorrowedFd<'_>>, patience: PollTimeout) -> Result<Waited, Error> {
        let socket = self.socket.as_fd();
        let mut descriptors = [
            PollFd::new(socket, PollFlags::POLLIN),
            PollFd::new(output.unwrap_or(socket), PollFlags::empty()),
        ];
        match poll(&mut descriptors, patience) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(Waited::Nothing),
            Err(error) => return Err(failure(error.into())),
        }
        let is_output = output.is_some();
        let [socket, output] = descriptors.map(|one| one.revents().unwrap_or(PollFlags::empty()));
        Ok(if is_output && output.contains(PollFlags::POLLERR) {
            Waited::Closed
        } else if socket.is_empty() {
            Waited::Nothing
        } else {
            Waited::Readable
        })
    }

    fn receive(&mut self) -> Result<(), Error> {
        self.buffer.clear();
        match self.socket.recv(&mut self.buffer, 0) {
            Ok(_) => {
                let read = messages(&self.buffer, self.family)?;
                self.waiting.extend(read);
            }
            Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => {
                self.overrun = true;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failure(error)),
        }
        Ok(())
    }
}

/// The events in a datagram.
fn messages(mut rest: &[u8], family: u16) -> Result<Vec<Received>, Error> {
    let mut events = Vec::new();
    while !rest.is_empty() {
        let message = NetlinkBuffer::new_checked(rest).map_err(unreadable)?;
        let length = message.length() as usize;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        let payload = message.payload();
        let command = payload.first().copied();
        let attributes = payload.get(GENERIC_HEADER_LENGTH..);
        if let (Some(command), Some(attributes)) = (command, attributes) {
            if message.message_type() == family {
                let attributes = attributes.to_vec();
                events.push(Received::Event {
                    command,
                    attributes,
                });
            } else if message.message_type() == GENL_ID_CTRL && command == CTRL_CMD_DELFAMILY {
                let gone = Nest::new(attributes)?;
                let gone = gone.get(CTRL_ATTR_FAMILY_ID).map(Attribute::u16);
                if gone.transpose()? == Some(family) {
                    events.push(Received::Unloaded);
                }
            }
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(family: u16, command: u8, attributes: &[u8]) -> Vec<u8> {
        let mut bytes = (20 + attributes.len() as u32).to_ne_bytes().to_vec();
        bytes.extend(family.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend([command, 1, 0, 0]);
        bytes.extend(attributes);
        bytes
    }

    #[test]
    fn the_end_of_the_module_is_noticed() {
        let gone = |family: u16| {
            let [low, high] = family.to_ne_bytes();
            message(16, 2, &[6, 0, 1, 0, low, high, 0, 0])
        };
        let datagram = [gone(31), gone(30), message(16, 1, &[])].concat();
        assert_eq!(messages(&datagram, 30).unwrap(), [Received::Unloaded]);
    }

    #[test]
    fn all_events_of_a_datagram_are_read() {
        let datagram = [
            message(30, 5, &[8, 0, 1, 0, 1, 2, 3, 4]),
            message(31, 6, &[]),
            message(30, 7, &[]),
        ]
        .concat();
        let event = |command, attributes: &[u8]| Received::Event {
            command,
            attributes: attributes.to_vec(),
        };
        let expected = [event(5, &[8, 0, 1, 0, 1, 2, 3, 4]), event(7, &[])];
        assert_eq!(messages(&datagram, 30).unwrap(), expected);
        for length in 1..20 {
            assert!(messages(&datagram[..length], 30).is_err(), "{length}");
        }
    }
}
