// SPDX-License-Identifier: GPL-2.0

//! The names of lists by number: a number is what fits into an event.

use kernel::{
    prelude::*,
    sync::Arc, //
};

/// A list's name, and the number that no other list of the namespace has had.
pub(crate) struct ListName {
    number: u32,
    name: KVec<u8>,
}

impl ListName {
    /// The name.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.name
    }

    /// The number.
    pub(super) fn number(&self) -> u32 {
        self.number
    }
}

/// The names of all lists of a network namespace.
pub(super) struct Names {
    names: KVec<Arc<ListName>>,
    next: u32,
}

impl Names {
    /// No names yet.
    pub(super) fn new() -> Self {
        Self {
            names: KVec::new(),
            next: 0,
        }
    }

    /// Gives a list a number.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(super) fn add(&mut self, name: &[u8]) -> Result<Arc<ListName>> {
        let mut owned = KVec::new();
        owned.extend_from_slice(name, GFP_KERNEL_ACCOUNT)?;
        let name = ListName {
            number: self.next,
            name: owned,
        };
        let name = Arc::new(name, GFP_KERNEL_ACCOUNT)?;
        self.names.push(name.clone(), GFP_KERNEL_ACCOUNT)?;
        self.next = self.next.wrapping_add(1);
        Ok(name)
    }

    /// Forgets a list.
    pub(super) fn remove(&mut self, number: u32) {
        self.names.retain(|name| name.number != number);
    }

    /// The name of the list with that number, unless it is gone.
    pub(super) fn find(&self, number: u32) -> Option<Arc<ListName>> {
        let found = self.names.iter().find(|name| name.number == number);
        found.cloned()
    }
}
