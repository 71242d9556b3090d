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

    /// Registers the hooks of the chains in use that have none; they show packets to `ruleset`.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory; then there may be more hooks than before.
    pub(crate) fn provide(
        &mut self,
        namespace: &NetworkNamespace,
        ruleset: &Arc<RcuBox<Ruleset>>,
        in_use: &[bool; chains::COUNT],
    ) -> Result {
        for (((chain, base), place), &in_use) in
            ChainId::all().zip(&mut self.registrations).zip(in_use)
        {
            if in_use && place.is_none() {
                let ruleset = ruleset.clone();
                let hook = ChainHook { ruleset, chain };
                let registration =
                    HookRegistration::new(namespace, base.point, base.priority, hook)?;
                *place = Some(registration);
            }
        }
        Ok(())
    }

    /// Unregisters the hooks of the chains that are not in use.
    pub(crate) fn release(&mut self, in_use: &[bool; chains::COUNT]) {
        for (place, in_use) in self.registrations.iter_mut().zip(in_use) {
            if !in_use {
                *place = None;
            }
        }
    }

    /// Unregisters all hooks.
    pub(crate) fn release_all(&mut self) {
        *self = Self::new();
    }
}
