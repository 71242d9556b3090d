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

impl ChainHook {
    #[inline(always)]
    fn decide<const IS_WATCHED: bool>(
        &self,
        skb: &mut HookSkb,
        context: Context<'_>,
        family: Family,
    ) -> Verdict {
        let ruleset = self.ruleset.read(context.rcu());
        match Packet::parse(skb, context, family) {
            Some(mut packet) => evaluate::<IS_WATCHED>(ruleset, self.chain, &mut packet),
            // Without an IP header, rules have nothing to decide on.
            None => Verdict::Drop,
        }
    }
}

impl Hook for ChainHook {
    const IS_SPLIT: bool = true;

    #[inline(always)]
    fn packet(&self, skb: &mut HookSkb, context: Context<'_>, family: Family) -> Verdict {
        self.decide::<false>(skb, context, family)
    }

    #[inline(always)]
    fn is_watched(&self, context: &Context<'_>) -> bool {
        self.ruleset.read(context.rcu()).may_be_heard()
    }

    fn packet_watched(&self, skb: &mut HookSkb, context: Context<'_>, family: Family) -> Verdict {
        self.decide::<true>(skb, context, family)
    }
}

/// The hooks of a network namespace.
pub(crate) struct Hooks {
    registrations: [Option<HookRegistration<ChainHook>>; chains::COUNT],
    conntrack: Option<ConntrackUse>,
    synproxy: Option<SynproxyHooks>,
    /// Whether rules translate connections, or have: without the hooks of NAT, packets of those
    /// that there are would not be translated any more.
    translates: bool,
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
            translates: false,
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
        self.translates |= needs.translation;
        Ok(())
    }

    /// Unregisters the hooks that are no longer needed; those of NAT stay for the connections that
    /// rules have translated.
    pub(crate) fn release(&mut self, needs: &Needs) {
        let slots = self.registrations.iter_mut().zip(needs.packets);
        for ((_, base), (slot, is_needed)) in ChainId::built_in().zip(slots) {
            let is_kept = self.translates && base.hook_type == HookType::Nat;
            if !is_needed && !is_kept {
                *slot = None;
            }
        }
        if !needs.conntrack && !self.translates {
            self.conntrack = None;
        }
    }

    /// Whether hooks of NAT are there that no rule needs.
    pub(crate) fn outlast(&self, needs: &Needs) -> bool {
        self.translates && !needs.translation
    }

    /// Whether there are connections that they are for.
    pub(crate) fn has_translated_connections(&self) -> bool {
        let conntrack = self.conntrack.as_ref();
        conntrack.is_some_and(ConntrackUse::has_translated_connections)
    }

    /// Unregisters the hooks of NAT that no rule needs, and what else is no longer needed.
    pub(crate) fn release_translation(&mut self, needs: &Needs) {
        self.translates = needs.translation;
        self.release(needs);
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
