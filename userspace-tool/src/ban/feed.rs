// SPDX-License-Identifier: GPL-2.0

//! Bans that another program writes: `palisade ban --feed`.

use std::net::IpAddr;

use super::{arguments::banned, own_session, rule::BanRule, ssh};
use crate::{
    error::Error,
    lists::{NewEntry, Purpose},
};

/// A feed of a list whose addresses are dropped.
pub(super) struct Feed<'a> {
    list: &'a str,
    /// Who is not banned: whom the caller's session comes from.
    spared: Vec<IpAddr>,
}

impl<'a> Feed<'a> {
    pub(super) fn new(list: &'a str, force: bool) -> Self {
        let spared = if force { Vec::new() } else { ssh::clients() };
        Self { list, spared }
    }
}

impl Purpose for Feed<'_> {
    fn entry(&self, entry: NewEntry) -> Result<NewEntry, String> {
        let hit = |client: &&IpAddr| entry.key.network.contains(*client);
        match self.spared.iter().find(hit) {
            Some(client) => Err(own_session(client)),
            None => banned(entry),
        }
    }

    /// A restore of rules may have dropped the rule.
    fn prepare(&mut self) -> Result<(), Error> {
        BanRule::find(self.list)?.insert()
    }
}
