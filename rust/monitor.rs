// SPDX-License-Identifier: GPL-2.0

//! Monitor: what happens in a network namespace, for who listens to the multicast group of that name.
//!
//! What somebody does by hand is sent at once. What packets do is put into a ring without lock and
//! memory, and sent soon after in the background, so many a second at most. As long as nobody listens,
//! a packet compares two words, and only where something happens that it would tell of. An event that
//! cannot be sent is counted, and the count is sent.

mod event;
mod names;
mod outbox;
#[cfg(all(test, palisade_races))]
mod races;
mod ring;
#[cfg(CONFIG_KUNIT = "y")]
mod ring_tests;

pub(crate) use event::{
    LearnedOptions,
    MonitorEvent,
    Subject, //
};
pub(crate) use names::ListName;
pub(crate) use outbox::{
    encode_key,
    ENTRIES_MAX, //
};

use crate::{
    kernel_api::{
        net::netns::Scope,
        netlink::{
            genetlink::Request,
            message::Message,
            multicast::{
                self,
                Listeners, //
            },
        },
        work::Deferred, //
    },
    packet::{
        Address,
        Family, //
    },
    spec::{
        attribute::event as attributes,
        group, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use outbox::{
    Outbox,
    SendRing, //
};

/// The events of a network namespace. Packets read the first field only, while nobody listens.
#[repr(C)]
pub(crate) struct Monitor {
    listeners: Listeners<{ group::EVENTS }>,
    outbox: Arc<Outbox>,
    work: Deferred<SendRing>,
}

impl Monitor {
    /// The events of the namespace of that scope. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(crate) fn new(scope: &Arc<Scope>) -> Result<Arc<Self>> {
        let outbox = Outbox::new(scope)?;
        let monitor = Self {
            listeners: Listeners::new(),
            work: Deferred::new(SendRing(outbox.clone()))?,
            outbox,
        };
        Ok(Arc::new(monitor, GFP_KERNEL_ACCOUNT)?)
    }

    /// Nothing is sent in the background any more after this. May sleep.
    pub(crate) fn stop(&self) {
        self.work.stop();
    }

    /// Tells of something that a packet did, if somebody listens. The caller holds no lock.
    #[inline]
    pub(crate) fn put(&self, event: impl FnOnce() -> Option<MonitorEvent>) {
        if self.listeners.may_be_there() {
            if let Some(event) = event() {
                self.put_if_heard(&event);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn put_if_heard(&self, event: &MonitorEvent) {
        let outbox = &self.outbox;
        let is_heard = (outbox.scope()).read(|namespace| self.listeners.are_there(namespace));
        if is_heard == Some(true) {
            outbox.put(event);
            self.work.schedule(outbox::DELAY);
        }
    }

    /// Tells of what a request did, if somebody listens: `fill` writes the attributes besides the time
    /// and the process. Never fails: an event for which there is no memory is counted as lost.
    pub(crate) fn tell(
        &self,
        request: &Request<'_>,
        command: u8,
        fill: impl FnOnce(&mut Message<'_>) -> Result,
    ) {
        let namespace = request.namespace();
        if !multicast::has_listeners(namespace, group::EVENTS) {
            return;
        }
        let (pid, name) = multicast::current_process();
        let is_told = self.outbox.send(namespace, command, |message| {
            message.put_u32(attributes::PID, pid)?;
            message.put_padded(attributes::PROCESS, &name)?;
            fill(message)
        });
        if !is_told {
            self.work.schedule(outbox::DELAY);
        }
    }

    /// Gives a list a number.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(crate) fn add_list(self: &Arc<Self>, name: &[u8]) -> Result<ListMonitor> {
        Ok(ListMonitor {
            name: self.outbox.add_name(name)?,
            monitor: self.clone(),
        })
    }

    /// Forgets a list that is destroyed.
    pub(crate) fn remove_list(&self, name: &ListName) {
        self.outbox.remove_name(name);
    }
}

/// Where the tables of a list tell of their entries.
#[derive(Clone)]
pub(crate) struct ListMonitor {
    monitor: Arc<Monitor>,
    name: Arc<ListName>,
}

impl ListMonitor {
    /// The list's name.
    pub(crate) fn name(&self) -> &Arc<ListName> {
        &self.name
    }

    /// Tells of an entry, as [`Monitor::put`].
    #[inline]
    pub(crate) fn put(
        &self,
        command: u8,
        time: u32,
        entry: impl FnOnce() -> Option<(Family, Address, u16, Option<u8>)>,
    ) {
        self.monitor.put(|| {
            let (family, address, port, prefix) = entry()?;
            Some(MonitorEvent {
                command,
                time,
                family,
                address,
                subject: Subject::Entry {
                    list: self.name.number(),
                    port,
                    prefix,
                },
            })
        });
    }
}
