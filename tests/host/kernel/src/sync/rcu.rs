// SPDX-License-Identifier: GPL-2.0

//! Readers need not be known: what is retired is dropped when a test says that all are gone.

/// A reader.
pub struct Guard(());

/// Begins to read.
pub fn read_lock() -> Guard {
    Guard(())
}
