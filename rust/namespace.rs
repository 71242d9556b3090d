// SPDX-License-Identifier: GPL-2.0

//! What Palisade keeps for a network namespace.

use crate::{
    hooks::Hooks,
    kernel_api::{
        extended_ack::Handled,
        netns::{
            NetworkNamespace,
            PerNamespace,
            Slot, //
        },
        rcu::{
            self as retirement,
            RcuBox,
            Retirable, //
        },
        work::Periodic, //
    },
    parameters::Parameters,
    recent::{
        Ageing,
        Growth,
        List,
        Lists,
        Settings, //
    },
    rules::{
        Draft,
        Limits,
        Resources,
        Ruleset, //
    },
    synproxy::Synproxy, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        rcu,
        Arc,
        Mutex, //
    },
};

static SLOT: Slot = Slot::new();

/// What Palisade keeps for a network namespace.
#[pin_data]
pub(crate) struct Namespace {
    lists: Arc<Lists>,
    ageing: Periodic<Ageing>,
    ruleset: Arc<RcuBox<Arc<Ruleset>>>,
    limits: Limits,
    /// Whether there ever was a rule that refers to the namespace itself.
    is_referred_to: Atomic<bool>,
    /// Whoever changes rules, or which lists there are, holds this.
    #[pin]
    hooks: Mutex<Configured>,
}

/// What changes with the rules.
struct Configured {
    hooks: Hooks,
    /// What SYNPROXY keeps, once a rule wanted it: connections outlive rules.
    synproxy: Option<Arc<Synproxy>>,
}

impl Namespace {
    /// The recent lists.
    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }

    /// The rules now in force.
    pub(crate) fn ruleset(&self) -> Arc<Ruleset> {
        self.ruleset.read(&rcu::read_lock()).clone()
    }

    /// Changes the rules as `change` does with the draft, wholly or not at all; that neither if it is only
    /// a test whether it can be done.
    pub(crate) fn change_rules<'a>(
        &self,
        namespace: &NetworkNamespace,
        is_test: bool,
        change: impl FnOnce(&mut Draft, &mut Resources<'_>) -> Handled<'a>,
    ) -> Handled<'a> {
        let mut hooks = self.hooks.lock();
        let lists_before = self.lists.count();
        let result = self.change_rules_locked(&mut hooks, namespace, is_test, change);
        if result.is_err() || is_test {
            // Lists that were created for the rules go with them.
            self.lists.truncate(lists_before);
        }
        if self.lists.count() > lists_before {
            self.ageing.hurry();
        }
        result
    }

    fn change_rules_locked<'a>(
        &self,
        configured: &mut Configured,
        namespace: &NetworkNamespace,
        is_test: bool,
        change: impl FnOnce(&mut Draft, &mut Resources<'_>) -> Handled<'a>,
    ) -> Handled<'a> {
        let before = self.ruleset();
        let mut draft = before.draft()?;
        let mut resources = Resources {
            namespace,
            lists: &self.lists,
            limits: self.limits,
            growth: Growth::new(),
            namespace_is_referred_to: false,
            synproxy: configured.synproxy.clone(),
        };
        let changed = change(&mut draft, &mut resources);
        if resources.namespace_is_referred_to {
            self.is_referred_to.store(true, Relaxed);
        }
        changed?;
        let (ruleset, zeroing) = draft.finish(&self.limits)?;
        if is_test {
            return Ok(());
        }
        let needs = *ruleset.needs();
        let ruleset = Arc::new(ruleset, GFP_KERNEL_ACCOUNT)?;
        let ruleset = Retirable::new(ruleset, GFP_KERNEL_ACCOUNT)?;
        let hooks = &mut configured.hooks;
        let synproxy = resources.synproxy.as_ref();
        if let Err(error) = hooks.provide(namespace, &self.ruleset, &needs, synproxy) {
            hooks.release(before.needs());
            // Its own hooks may be there, and stay: the next rule has to share what they have.
            configured.synproxy = resources.synproxy;
            return Err(error.into());
        }
        // From here on nothing fails.
        configured.synproxy = resources.synproxy;
        resources.growth.apply();
        self.ruleset.replace(ruleset);
        zeroing.run();
        configured.hooks.release(&needs);
        Ok(())
    }

    /// Creates a recent list.
    ///
    /// # Errors
    ///
    /// Those of [`Lists::create`].
    pub(crate) fn create_list(&self, name: &[u8], settings: Settings) -> Result {
        let _hooks = self.hooks.lock();
        self.lists.create(name, settings)?;
        self.ageing.hurry();
        Ok(())
    }

    /// Changes the settings of a recent list, and returns how many entries found no room.
    ///
    /// # Errors
    ///
    /// `EBUSY` when there are rules that count more packets than it would remember, `ENOMEM`.
    pub(crate) fn set_list(&self, list: &Arc<List>, settings: Settings) -> Result<u64> {
        let _hooks = self.hooks.lock();
        let before = list.settings();
        if settings.hits < before.hits && settings.hits < self.ruleset().hits(list) {
            return Err(EBUSY);
        }
        let is_other = settings.size != before.size || settings.hits != before.hits;
        let lost = if is_other {
            list.prepare(settings)?.install()
        } else {
            list.set_timeout(settings.timeout);
            0
        };
        self.ageing.hurry();
        Ok(lost)
    }

    /// Destroys a recent list.
    ///
    /// # Errors
    ///
    /// `EBUSY` when there are rules that use it.
    pub(crate) fn destroy_list(&self, list: &Arc<List>) -> Result {
        let _hooks = self.hooks.lock();
        if self.users(list) > 0 {
            return Err(EBUSY);
        }
        self.lists.remove(list);
        Ok(())
    }

    /// Removes all entries of a recent list.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory for a new table.
    pub(crate) fn flush_list(&self, list: &List) -> Result {
        let _hooks = self.hooks.lock();
        list.flush()
    }

    /// What SYNPROXY keeps, if a rule wanted it.
    pub(crate) fn synproxy(&self) -> Option<Arc<Synproxy>> {
        self.hooks.lock().synproxy.clone()
    }

    /// How many rules use a list.
    pub(crate) fn users(&self, list: &List) -> usize {
        self.ruleset.read(&rcu::read_lock()).users(list)
    }
}

impl PerNamespace for Namespace {
    fn slot() -> &'static Slot {
        &SLOT
    }

    fn start(_namespace: &NetworkNamespace) -> Result<Arc<Self>> {
        let parameters = Parameters::get();
        let lists = Lists::new(parameters.list_limits())?;
        let ageing = Periodic::start(Ageing::new(lists.clone()), 0)?;
        let ruleset = Arc::new(Ruleset::new()?, GFP_KERNEL_ACCOUNT)?;
        let ruleset = Retirable::new(ruleset, GFP_KERNEL_ACCOUNT)?;
        let ruleset = Arc::new(RcuBox::new(ruleset), GFP_KERNEL_ACCOUNT)?;
        Arc::pin_init(
            pin_init!(Self {
                lists,
                ageing,
                ruleset,
                limits: parameters.rule_limits(),
                is_referred_to: Atomic::new(false),
                hooks <- new_mutex!(Configured { hooks: Hooks::new(), synproxy: None }, "palisade_configuration"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    fn stop(&self, namespace: &NetworkNamespace) {
        let mut configured = self.hooks.lock();
        if let Some(synproxy) = configured.synproxy.clone() {
            // No packet opens a connection any more when this is over.
            configured.hooks.release_chains();
            retirement::wait_for_retired();
            synproxy.reset_connections(namespace);
        }
        configured.hooks.release_all();
        configured.synproxy = None;
    }

    /// Rules that were replaced are dropped in a workqueue, at any time after this; and so are the hooks,
    /// which share the rules that are in force. Some rules refer to the namespace, and use it until they are
    /// dropped: the connections that connlimit counts are looked after in the background. So what was
    /// retired has to be gone before the namespace is. Then the state, which is dropped next, has the last
    /// reference to the rules in force. As this takes some grace periods, namespaces that never had such a
    /// rule, as most that come and go, do without.
    fn finish(&self) {
        if self.is_referred_to.load(Relaxed) {
            retirement::wait_for_retired();
        }
    }
}
