// SPDX-License-Identifier: GPL-2.0

//! The last rates of each protected port.

use std::collections::{HashMap, VecDeque};

use super::sample::Identity;

/// Most rates that are kept of a port: what a wide terminal has room for.
const LENGTH: usize = 256;

/// Rates by port, the latest last.
#[derive(Default)]
pub(super) struct History(HashMap<Identity, VecDeque<f64>>);

impl History {
    /// Add the latest rates. Ports that are not among them are forgotten.
    pub(super) fn add<'a>(&mut self, rates: impl Iterator<Item = (&'a Identity, Option<f64>)>) {
        let mut before = std::mem::take(&mut self.0);
        for (identity, rate) in rates {
            let mut ring = before.remove(identity).unwrap_or_default();
            ring.extend(rate);
            while ring.len() > LENGTH {
                ring.pop_front();
            }
            self.0.insert(identity.clone(), ring);
        }
    }

    pub(super) fn of(&self, identity: &Identity) -> Vec<f64> {
        let ring = self.0.get(identity);
        ring.map_or(Vec::new(), |ring| ring.iter().copied().collect())
    }
}
