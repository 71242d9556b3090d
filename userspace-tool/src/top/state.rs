// SPDX-License-Identifier: GPL-2.0

//! What is shown.

use super::{busiest::Reading, history::History, lately::Lately, rates::Frame, sample::Sample};
use crate::{error::Error, lists::List};

/// All that a frame shows.
#[derive(Default)]
pub(super) struct State {
    /// The last sample; none while the module is not loaded.
    pub(super) sample: Option<Sample>,
    pub(super) frame: Frame,
    history: History,
    /// The list whose addresses are shown.
    pub(super) list: Option<String>,
    /// Whether somebody has chosen it.
    is_chosen: bool,
    /// What was read of that list, or why it could not be.
    pub(super) reading: Option<Result<Reading, Error>>,
    pub(super) lately: Lately,
    /// Why there is nothing new.
    pub(super) notice: Option<String>,
    /// Whether there is a keyboard.
    pub(super) has_keys: bool,
}

impl State {
    pub(super) fn new(list: Option<String>) -> Self {
        Self {
            is_chosen: list.is_some(),
            list,
            ..Self::default()
        }
    }

    /// Take the next sample.
    pub(super) fn add(&mut self, sample: Sample) {
        self.frame = Frame::new(self.sample.as_ref(), &sample, &mut self.history);
        self.sample = Some(sample);
        self.notice = None;
        if !self.is_chosen && !self.has_list() {
            // The first of those with the most addresses.
            let fullest = self.lists().iter().rev().max_by_key(|list| list.entries);
            let fullest = fullest.map(|list| list.name.clone());
            self.show(fullest);
        }
    }

    /// There is no sample, for this reason.
    pub(super) fn lose(&mut self, error: &Error) {
        self.sample = None;
        self.frame = Frame::default();
        self.reading = None;
        self.notice = Some(error.to_string());
    }

    pub(super) fn lists(&self) -> &[List] {
        self.sample.as_ref().map_or(&[], |sample| &sample.lists)
    }

    /// Whether the module has the list that is shown.
    pub(super) fn has_list(&self) -> bool {
        let name = self.list.as_ref();
        name.is_some_and(|name| self.lists().iter().any(|list| list.name == *name))
    }

    /// Show the list that is so many places behind the one that is shown.
    pub(super) fn choose(&mut self, step: isize) {
        let lists = self.lists();
        let shown = |list: &List| Some(&list.name) == self.list.as_ref();
        let index = lists.iter().position(shown);
        let next = match index {
            Some(index) => index as isize + step,
            None => 0,
        };
        let Some(next) = next.checked_rem_euclid(lists.len() as isize) else {
            return;
        };
        let name = lists.get(next as usize).map(|list| list.name.clone());
        self.is_chosen = true;
        self.show(name);
    }

    fn show(&mut self, list: Option<String>) {
        if self.list != list {
            self.list = list;
            self.reading = None;
        }
    }

    /// Take what was read of a list, unless another is shown by now.
    pub(super) fn take(&mut self, name: &str, reading: Result<Reading, Error>) {
        if self.list.as_deref() == Some(name) {
            self.reading = Some(reading);
        }
    }

    /// The list that should be read now.
    pub(super) fn due(&self) -> Option<&str> {
        let is_fresh = matches!(&self.reading, Some(Ok(reading)) if reading.is_fresh());
        let name = self.list.as_deref();
        name.filter(|_| self.has_list() && !is_fresh)
    }
}
