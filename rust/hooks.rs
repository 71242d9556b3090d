// SPDX-License-Identifier: GPL-2.0

//! The hooks of a network namespace: registered while their chain is in use.

use crate::{
    kernel_api::{
        netfilter::{
            Context,
            Hook,
            HookRegistration,
            Verdict, //
        },
        netns::NetworkNamespace,
        rcu::RcuBox,
        skb::Skb, //
    },
    packet::Packet,
    rules::{
        chains::{
            self,
            ChainId, //
        },
        evaluate,
        Ruleset, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        rcu,
        Arc, //
    },
};

/// Shows the packets of a hook to a chain.
struct ChainHook {
    ruleset: Arc<RcuBox<Ruleset>>,
    chain: ChainId,
}

impl Hook for ChainHook {
    fn packet(&self, skb: &Skb, context: &Context<'_>) -> Verdict {
        let guard = rcu::read_lock();
        let Some(chain) = self.ruleset.read(&guard).chain(self.chain) else {
            return Verdict::Accept;
        };
        match Packet::parse(skb, context) {
            Some(packet) => evaluate(chain, &packet),
            // Without an IP header there is nothing that a rule could decide on.
            None => Verdict::Drop,
        }
    }
}

/// The hooks of a network namespace.
pub(crate) struct Hooks {
    registrations: [Option<HookRegistration<ChainHook>>; chains::COUNT],
}

impl Hooks {
    /// No hooks.
    pub(crate) fn new() -> Self {
        Self {
            registrations: [const { None }; chains::COUNT],
        }
    }

    /// Registers the hooks that `wanted` needs and that are not there; they show packets to `current`.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory; then there may be more hooks than needed.
    pub(crate) fn provide(
        &mut self,
        namespace: &NetworkNamespace,
        current: &Arc<RcuBox<Ruleset>>,
        wanted: &Ruleset,
    ) -> Result {
        for (chain, base) in ChainId::all() {
            let is_wanted = wanted.chain(chain).is_some_and(|chain| chain.is_in_use());
            let Some(place) = self.registrations.get_mut(chain.place()) else {
                continue;
            };
            if is_wanted && place.is_none() {
                let hook = ChainHook {
                    ruleset: current.clone(),
                    chain,
                };
                let registration =
                    HookRegistration::new(namespace, base.point, base.priority, hook)?;
                *place = Some(registration);
            }
        }
        Ok(())
    }

    /// Unregisters the hooks that `wanted` does not need.
    pub(crate) fn release(&mut self, wanted: &Ruleset) {
        for (chain, _) in ChainId::all() {
            let is_wanted = wanted.chain(chain).is_some_and(|chain| chain.is_in_use());
            if let Some(place) = self.registrations.get_mut(chain.place()) {
                if !is_wanted {
                    *place = None;
                }
            }
        }
    }

    /// Unregisters all hooks.
    pub(crate) fn release_all(&mut self) {
        *self = Self::new();
    }
}
