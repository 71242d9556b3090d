// SPDX-License-Identifier: GPL-2.0

//! Asking the module, also when it was gone meanwhile.

use super::{
    busiest::{Reader, Worker},
    sample,
    state::State,
};
use crate::{
    error::Error,
    netlink::{Listener, is_loaded, spec::group},
};

/// What reads lists.
pub(super) enum Lists {
    /// In this thread, so that a frame has all that belongs to it.
    Here(Reader),
    /// Meanwhile, so that nobody waits for it.
    Meanwhile(Worker),
}

/// What asks, and what it was told.
pub(super) struct Watch {
    pub(super) state: State,
    /// None while the module is not loaded.
    listener: Option<Listener>,
    lists: Lists,
}

impl Watch {
    /// Begin with a first sample, for a list if one is given.
    pub(super) fn begin(list: Option<String>, lists: Lists) -> Result<Self, Error> {
        let first = sample::take()?;
        let listener = Some(Listener::open(group::EVENTS)?);
        let mut state = State::new(list);
        state.add(first);
        if let Some(list) = state.list.as_ref().filter(|_| !state.has_list()) {
            return Err(Error::UnknownList(list.clone()));
        }
        let mut watch = Self {
            state,
            listener,
            lists,
        };
        watch.read_list();
        Ok(watch)
    }

    /// Take the next sample, or say why there is none.
    pub(super) fn sample(&mut self) {
        if self.listener.is_none() && is_loaded() {
            self.listener = Listener::open(group::EVENTS).ok();
        }
        match sample::take() {
            Ok(sample) => self.state.add(sample),
            Err(error) => self.state.lose(&error),
        }
        self.read_list();
    }

    /// Take what came without asking. Returns whether it should be shown at once.
    pub(super) fn collect(&mut self) -> bool {
        if let Some(listener) = &mut self.listener {
            // What cannot be read any more is opened again.
            if !matches!(self.state.lately.listen(listener), Ok(true)) {
                self.listener = None;
            }
        }
        let Lists::Meanwhile(worker) = &mut self.lists else {
            return false;
        };
        let Some((name, reading)) = worker.answer() else {
            return false;
        };
        let is_first = self.state.reading.is_none();
        self.state.take(&name, reading);
        is_first
    }

    /// Read the list that is shown, unless it was read lately.
    pub(super) fn read_list(&mut self) {
        let Some(name) = self.state.due().map(str::to_owned) else {
            return;
        };
        match &mut self.lists {
            Lists::Here(reader) => {
                let reading = reader.read(&name);
                self.state.take(&name, reading);
            }
            Lists::Meanwhile(worker) => worker.ask(&name),
        }
    }
}
