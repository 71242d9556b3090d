// SPDX-License-Identifier: GPL-2.0

//! What is still to be sent: the ring of what packets tell of, and how much was lost.

use super::{
    event::{
        LearnedOptions,
        MonitorEvent,
        Subject, //
    },
    names::{
        ListName,
        Names, //
    },
    ring::{
        self,
        Ring, //
    },
};
use crate::{
    kernel_api::{
        net::netns::{
            NetworkNamespace,
            Scope, //
        },
        netlink::{
            message::Message,
            multicast,
            nest::Payload, //
        },
        time::{
            jiffies32,
            milliseconds,
            realtime_milliseconds,
            JIFFIES_PER_SECOND, //
        },
        work::{
            cond_resched,
            Deferrable, //
        },
    },
    packet::{
        Address,
        Family, //
    },
    spec::{
        attribute::{
            entry,
            event as attributes,
            list,
            server, //
        },
        command,
        group, //
    },
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    },
};

/// The most entries in a message; `count` says how many there were.
pub(crate) const ENTRIES_MAX: usize = 32;

/// Jiffies from the first event in the ring until the ring is sent: with its capacity, this limits the
/// rate.
pub(super) const DELAY: u32 = JIFFIES_PER_SECOND / 20;

/// Jiffies until it is tried again to say that events were lost.
const RETRY: u32 = JIFFIES_PER_SECOND;

/// What is still to be sent.
#[pin_data]
pub(super) struct Outbox {
    scope: Arc<Scope>,
    ring: Ring,
    /// Events that were not sent since that was last told.
    lost: Atomic<u32>,
    #[pin]
    names: Mutex<Names>,
    /// Held to send, so that messages are sent in the order of the events. Whoever holds it is the
    /// reader of the ring.
    #[pin]
    sending: Mutex<()>,
}

impl Outbox {
    /// Nothing to send yet. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(super) fn new(scope: &Arc<Scope>) -> Result<Arc<Self>> {
        let ring = Ring::new()?;
        let scope = scope.clone();
        Arc::pin_init(
            pin_init!(Self {
                scope,
                ring,
                lost: Atomic::new(0),
                names <- new_mutex!(Names::new(), "palisade_names"),
                sending <- new_mutex!((), "palisade_events"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// The namespace that this is for.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Gives a list a number, see [`Names::add`].
    pub(super) fn add_name(&self, name: &[u8]) -> Result<Arc<ListName>> {
        self.names.lock().add(name)
    }

    /// Forgets a list.
    pub(super) fn remove_name(&self, name: &ListName) {
        self.names.lock().remove(name.number());
    }

    /// Puts an event into the ring, or counts that it is lost.
    pub(super) fn put(&self, event: &MonitorEvent) {
        if !self.ring.push(event.pack()) {
            self.lose(1);
        }
    }

    fn lose(&self, count: u32) {
        self.lost.fetch_add(count, Relaxed);
    }

    /// Sends what is in the ring, and then a message that `fill` writes, or counts that it is lost.
    /// Returns whether there is nothing left to send. May sleep.
    pub(super) fn send(
        &self,
        namespace: &NetworkNamespace,
        command: u8,
        fill: impl FnOnce(&mut Message<'_>) -> Result,
    ) -> bool {
        let _sending = self.sending.lock();
        self.drain(namespace);
        self.send_one(namespace, command, jiffies32(), 1, fill);
        self.tell_lost(namespace)
    }

    /// Sends what is in the ring, and returns after how many jiffies to do so again, if there is
    /// something left.
    fn send_ring(&self, namespace: &NetworkNamespace) -> Option<u32> {
        let _sending = self.sending.lock();
        self.drain(namespace);
        match self.tell_lost(namespace) {
            true => self.ring.peek().map(|_| DELAY),
            false => Some(RETRY),
        }
    }

    /// Sends what is in the ring, a round at most.
    fn drain(&self, namespace: &NetworkNamespace) {
        let mut left = ring::CAPACITY;
        while let Some(left_then) = left.checked_sub(1) {
            left = left_then;
            let Some(event) = self.ring.pop().and_then(MonitorEvent::unpack) else {
                return;
            };
            match event.subject {
                Subject::Entry { list, .. } => {
                    let others = self.send_entries(namespace, &event, list);
                    left = left.saturating_sub(others);
                }
                Subject::Server { port, options } => {
                    self.send_one(namespace, event.command, event.time, 1, |message| {
                        message.nest(attributes::SERVER, |message| {
                            encode_server(&event, port, options, message)
                        })
                    });
                }
            }
            cond_resched();
        }
    }

    /// Sends a message about an entry and those that follow in the ring and had the same happen to
    /// them. Returns how many these are.
    fn send_entries(&self, namespace: &NetworkNamespace, first: &MonitorEvent, number: u32) -> u32 {
        let is_like = |event: &MonitorEvent| {
            let is_of_list = matches!(event.subject, Subject::Entry { list, .. } if list == number);
            is_of_list && event.command == first.command
        };
        let mut entries = [*first; ENTRIES_MAX];
        let mut others = 0u32;
        for room in entries.iter_mut().skip(1) {
            let next = self.ring.peek().and_then(MonitorEvent::unpack);
            let Some(event) = next.filter(is_like) else {
                break;
            };
            self.ring.pop();
            *room = event;
            others = others.saturating_add(1);
        }
        let name = self.names.lock().find(number);
        let count = others.saturating_add(1);
        self.send_one(namespace, first.command, first.time, count, |message| {
            message.put_u32(attributes::COUNT, count)?;
            message.nest(attributes::LIST, |message| {
                let name = name.ok_or(ENOENT)?;
                message.put_string(list::NAME, name.as_bytes())?;
                for event in entries.iter().take(count as usize) {
                    message.nest(list::ENTRY, |message| encode_entry(event, message))?;
                }
                Ok(())
            })
        });
        others
    }

    /// Sends a message of `count` events.
    fn send_one(
        &self,
        namespace: &NetworkNamespace,
        command: u8,
        time: u32,
        count: u32,
        fill: impl FnOnce(&mut Message<'_>) -> Result,
    ) {
        if self.try_send(namespace, command, time, fill).is_err() {
            self.lose(count);
        }
    }

    fn try_send(
        &self,
        namespace: &NetworkNamespace,
        command: u8,
        time: u32,
        fill: impl FnOnce(&mut Message<'_>) -> Result,
    ) -> Result {
        multicast::send(namespace, group::EVENTS, command, |message| {
            let age = milliseconds(jiffies32().wrapping_sub(time));
            let time = realtime_milliseconds().saturating_sub(age);
            message.put_u64(attributes::TIME, time)?;
            fill(message)
        })
    }

    /// Says how many events were lost, if there are any. Returns whether that is told.
    fn tell_lost(&self, namespace: &NetworkNamespace) -> bool {
        let lost = self.lost.xchg(0, Relaxed);
        if lost == 0 {
            return true;
        }
        let told = self.try_send(namespace, command::LOST_NTF, jiffies32(), |message| {
            message.put_u32(attributes::LOST, lost)
        });
        if told.is_err() {
            self.lose(lost);
        }
        told.is_ok()
    }
}

fn encode_entry(event: &MonitorEvent, message: &mut Message<'_>) -> Result {
    match event.subject {
        Subject::Entry { port, prefix, .. } => {
            encode_key(event.family, event.address, port, prefix, message)
        }
        Subject::Server { .. } => Ok(()),
    }
}

/// Writes what tells entries apart: an address with a port, which is 0 for none, or a network with the
/// length of its prefix.
///
/// # Errors
///
/// `EMSGSIZE` when the message is full.
pub(crate) fn encode_key(
    family: Family,
    address: Address,
    port: u16,
    prefix: Option<u8>,
    message: &mut Message<'_>,
) -> Result {
    (family, address).write(entry::ADDRESS, message)?;
    match prefix {
        Some(length) => message.put_u8(entry::PREFIX, length),
        None if port != 0 => message.put_u16(entry::PORT, port),
        None => Ok(()),
    }
}

fn encode_server(
    event: &MonitorEvent,
    port: u16,
    options: Option<LearnedOptions>,
    message: &mut Message<'_>,
) -> Result {
    (event.family, event.address).write(server::ADDRESS, message)?;
    message.put_u16(server::PORT, port)?;
    options.map_or(Ok(()), |options| options.encode(message))
}

/// Sends what packets tell of.
pub(super) struct SendRing(pub(super) Arc<Outbox>);

impl Deferrable for SendRing {
    fn run(&self) -> Option<u32> {
        let namespace = self.0.scope.enter().ok()?;
        self.0.send_ring(namespace.namespace())
    }
}
