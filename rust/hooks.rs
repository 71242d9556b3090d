// SPDX-License-Identifier: GPL-2.0

//! The hooks of a network namespace, registered while their chains are in use.

use crate::{
    kernel_api::{
        conntrack::ConntrackUse,
        net::{
            netns::Scope,
            skb::HookSkb, //
        },
        netfilter::{
            Context,
            Family,
            Hook,
            HookNumber,
            HookRegistration,
            HookType,
            Priority,
            Verdict, //
        },
        sync::rcu::RcuBox, //
    },
    packet::Packet,
    rules::{
        chains::{
            self,
            ChainId, //
        },
        evaluate,
        Needs,
        Ruleset, //
    },
    synproxy::{
        Answers,
        PreRoutingHook,
        Synproxy,
        TranslationHook, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Passes a hook's packets to a chain.
struct ChainHook {
    ruleset: Arc<RcuBox<Arc<Ruleset>>>,
    chain: ChainId,
}

impl Hook for ChainHook {
    const IS_SPLIT: bool = true;

    #[inline(always)]
    fn packet(&self, skb: &mut HookSkb, context: Context<'_>, family: Family) -> Verdict {
        let ruleset = self.ruleset.read(context.rcu());
        match Packet::parse(skb, context, family) {
            Some(mut packet) => evaluate(ruleset, self.chain, &mut packet),
            // Without an IP header, rules have nothing to decide on.
            None => Verdict::Drop,
        }
    }
}

/// The hooks of a network namespace.
pub(crate) struct Hooks {
    registrations: [Option<HookRegistration<ChainHook>>; chains::COUNT],
    conntrack: Option<ConntrackUse>,
    synproxy: Option<SynproxyHooks>,
}

/// What SYNPROXY's connections need, as long as there are any, even without rules.
struct SynproxyHooks {
    _translations: [HookRegistration<TranslationHook>; 2],
    _pre_routing: HookRegistration<PreRoutingHook>,
    _answers: HookRegistration<Answers>,
    _conntrack: ConntrackUse,
}

impl SynproxyHooks {
    fn new(scope: &Arc<Scope>, synproxy: &Arc<Synproxy>) -> Result<Self> {
        let translation = || TranslationHook(synproxy.clone());
        let pre_routing = PreRoutingHook(synproxy.clone());
        let answers = Answers(synproxy.clone());
        use HookNumber::{LocalIn, PostRouting, PreRouting};
        use Priority::{AfterConntrack, BeforeConfirm, BeforeConntrack};
        Ok(Self {
            _conntrack: ConntrackUse::new(scope)?,
            _translations: [
                register(scope, LocalIn, BeforeConfirm, translation())?,
                register(scope, PostRouting, BeforeConfirm, translation())?,
            ],
            _pre_routing: register(scope, PreRouting, AfterConntrack, pre_routing)?,
            _answers: register(scope, PreRouting, BeforeConntrack, answers)?,
        })
    }
}

fn register<H: Hook>(
    scope: &Arc<Scope>,
    hooknum: HookNumber,
    priority: Priority,
    hook: H,
) -> Result<HookRegistration<H>> {
    HookRegistration::new(scope, hooknum, priority, HookType::Netfilter, hook)
}

impl Hooks {
    /// No hooks.
    pub(crate) fn new() -> Self {
        Self {
            registrations: [const { None }; chains::COUNT],
            conntrack: None,
            synproxy: None,
        }
    }

    /// Registers the hooks that are needed and missing; they pass packets to `ruleset`.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory; some hooks may have been registered by then.
    pub(crate) fn provide(
        &mut self,
        scope: &Arc<Scope>,
        ruleset: &Arc<RcuBox<Arc<Ruleset>>>,
        needs: &Needs,
        synproxy: Option<&Arc<Synproxy>>,
    ) -> Result {
        if needs.conntrack && self.conntrack.is_none() {
            self.conntrack = Some(ConntrackUse::new(scope)?);
        }
        if let (true, None, Some(synproxy)) = (needs.synproxy, &self.synproxy, synproxy) {
            self.synproxy = Some(SynproxyHooks::new(scope, synproxy)?);
        }
        let slots = self.registrations.iter_mut().zip(needs.packets);
        for ((chain, base), (slot, is_needed)) in ChainId::built_in().zip(slots) {
            if is_needed && slot.is_none() {
                let ruleset = ruleset.clone();
                let hook = ChainHook { ruleset, chain };
                let registration = HookRegistration::new(
                    scope,
                    base.hooknum,
                    base.priority,
                    base.hook_type,
                    hook,
                )?;
                *slot = Some(registration);
            }
        }
        Ok(())
    }

    /// Unregisters the hooks that are no longer needed.
    pub(crate) fn release(&mut self, needs: &Needs) {
        for (slot, is_needed) in self.registrations.iter_mut().zip(needs.packets) {
            if !is_needed {
                *slot = None;
            }
        }
        if !needs.conntrack {
            self.conntrack = None;
        }
    }

    /// Unregisters the hooks of SYNPROXY's connections.
    pub(crate) fn release_synproxy(&mut self) {
        self.synproxy = None;
    }

    /// Unregisters the hooks of chains.
    pub(crate) fn release_chains(&mut self) {
        self.registrations = [const { None }; chains::COUNT];
    }

    /// Unregisters all hooks.
    pub(crate) fn release_all(&mut self) {
        *self = Self::new();
    }
}
