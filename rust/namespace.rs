// SPDX-License-Identifier: GPL-2.0

//! Palisade's state for a network namespace.

use crate::{
    hooks::Hooks,
    kernel_api::{
        net::netns::{
            PerNamespace,
            Scope,
            Slot, //
        },
        netlink::extended_ack::NetlinkResult,
        sync::rcu::{
            self as retirement,
            RcuBox,
            Retirable, //
        },
        work::Periodic, //
    },
    monitor::Monitor,
    parameters::Parameters,
    rates::{
        RateTable,
        RateTables, //
    },
    recent::{
        Ageing,
        List,
        ListSettings,
        Lists,
        PendingTables, //
    },
    release::{
        self,
        Release, //
    },
    rules::{
        Draft,
        Resources,
        RuleLimits,
        Ruleset, //
    },
    synproxy::Synproxy, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        rcu,
        Arc,
        Mutex, //
    },
};

static SLOT: Slot<Namespace> = Slot::new();

/// Palisade's state for a network namespace.
pub(crate) struct Namespace {
    scope: Arc<Scope>,
    monitor: Arc<Monitor>,
    lists: Arc<Lists>,
    rates: Arc<RateTables>,
    ruleset: Arc<RcuBox<Arc<Ruleset>>>,
    limits: RuleLimits,
    /// Held to change rules, or to create, change or destroy lists.
    hooks: Arc<Mutex<Configured>>,
}

/// What changes with the rules.
pub(crate) struct Configured {
    hooks: Hooks,
    /// SYNPROXY's state, from the first rule that needs it on: connections outlive rules.
    synproxy: Option<Arc<Synproxy>>,
    /// `None` once the namespace is going away.
    ageing: Option<Periodic<Ageing>>,
    /// Likewise. It takes this mutex, so it has to be dropped without it.
    release: Option<Periodic<Release>>,
    /// The empty ruleset of a namespace that is going away, allocated in advance since its exit
    /// cannot fail.
    at_the_end: Option<KBox<Retirable<Arc<Ruleset>>>>,
}

impl Configured {
    /// Schedules the ageing: there is another list, or one with a shorter timeout.
    fn hurry_ageing(&self) {
        if let Some(ageing) = &self.ageing {
            ageing.hurry();
        }
    }
}

impl Configured {
    /// SYNPROXY's state, if there is any.
    pub(crate) fn synproxy(&self) -> Option<Arc<Synproxy>> {
        self.synproxy.clone()
    }

    /// The hooks.
    pub(crate) fn hooks(&mut self) -> &mut Hooks {
        &mut self.hooks
    }

    /// Releases SYNPROXY's state and hooks.
    pub(crate) fn release_synproxy(&mut self) {
        self.hooks.release_synproxy();
        self.synproxy = None;
    }
}

impl Namespace {
    /// Where what happens is told.
    pub(crate) fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// The recent lists.
    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }

    /// The tables of rates.
    pub(crate) fn rates(&self) -> &RateTables {
        &self.rates
    }

    /// The ruleset in force.
    pub(crate) fn ruleset(&self) -> Arc<Ruleset> {
        self.ruleset.read(&rcu::read_lock()).clone()
    }

    /// Applies `change` to a draft and commits it, all of it or nothing, and then calls `created` for
    /// each list that was created for the rules. A test only tells whether that would work.
    pub(crate) fn change_rules<'a>(
        &self,
        is_test: bool,
        change: impl FnOnce(&mut Draft, &mut Resources) -> NetlinkResult<'a>,
        created: impl Fn(&List),
    ) -> NetlinkResult<'a> {
        let mut hooks = self.hooks.lock();
        let lists_before = self.lists.count();
        let result = self.change_rules_locked(&mut hooks, is_test, change);
        if result.is_err() || is_test {
            // Lists created for the rules go with them.
            self.lists.truncate(lists_before);
        }
        if self.lists.count() > lists_before {
            hooks.hurry_ageing();
        }
        for list in (lists_before..).map_while(|index| self.lists.nth(index)) {
            created(&list);
        }
        let ruleset = self.ruleset();
        self.rates.retain(ruleset.rates());
        let needs = ruleset.needs;
        if hooks.synproxy.is_some() && !needs.synproxy || hooks.hooks.outlast(&needs) {
            if let Some(release) = &hooks.release {
                release.hurry();
            }
        }
        result
    }

    fn change_rules_locked<'a>(
        &self,
        configured: &mut Configured,
        is_test: bool,
        change: impl FnOnce(&mut Draft, &mut Resources) -> NetlinkResult<'a>,
    ) -> NetlinkResult<'a> {
        let before = self.ruleset();
        let mut draft = before.draft()?;
        let mut resources = Resources {
            scope: self.scope.clone(),
            monitor: self.monitor.clone(),
            lists: self.lists.clone(),
            rates: self.rates.clone(),
            limits: self.limits,
            pending_tables: PendingTables::new(),
            synproxy: configured.synproxy.clone(),
        };
        change(&mut draft, &mut resources)?;
        let (ruleset, zeroing) = draft.finish(&self.limits)?;
        if is_test {
            return Ok(());
        }
        let needs = ruleset.needs;
        let ruleset = Arc::new(ruleset, GFP_KERNEL_ACCOUNT)?;
        let ruleset = Retirable::new(ruleset, GFP_KERNEL_ACCOUNT)?;
        let hooks = &mut configured.hooks;
        let synproxy = resources.synproxy.as_ref();
        if let Err(error) = hooks.provide(&self.scope, &self.ruleset, &needs, synproxy) {
            hooks.release(&before.needs);
            // SYNPROXY's hooks may be registered, and stay: the next rule has to share their state.
            configured.synproxy = resources.synproxy;
            return Err(error.into());
        }
        // Nothing fails from here on.
        configured.synproxy = resources.synproxy;
        resources.pending_tables.apply();
        self.ruleset.replace(ruleset);
        zeroing.run();
        // Later checks are left to `Release`: each goes through all connections. One that a packet
        // is just opening may be missed, and then has to be opened anew.
        let is_last = before.needs.translation && !needs.translation;
        if is_last && !configured.hooks.has_translated_connections() {
            configured.hooks.release_translation(&needs);
        } else {
            configured.hooks.release(&needs);
        }
        Ok(())
    }

    /// Creates a recent list.
    ///
    /// # Errors
    ///
    /// Those of [`Lists::create`] and of [`Namespace::exception`].
    pub(crate) fn create_list(
        &self,
        name: &[u8],
        settings: ListSettings,
        except: &[u8],
    ) -> Result<Arc<List>> {
        let hooks = self.hooks.lock();
        let except = self.exception(None, except)?;
        let list = self.lists.create(name, settings, except)?;
        hooks.hurry_ageing();
        Ok(list)
    }

    /// The list called `name`, whose addresses `list` or a new one is to make exceptions of; none if
    /// there is no name.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such list, `EMLINK` if it has exceptions itself or `list` is one.
    fn exception(&self, list: Option<&Arc<List>>, name: &[u8]) -> Result<Option<Arc<List>>> {
        if name.is_empty() {
            return Ok(None);
        }
        let except = self.lists.find(name).ok_or(ENOENT)?;
        let is_one = |list| Arc::ptr_eq(list, &except) || self.lists.is_exception(list);
        if except.except().is_some() || list.is_some_and(is_one) {
            return Err(EMLINK);
        }
        Ok(Some(except))
    }

    /// Changes the settings of a recent list and, if that is given, the list of its exceptions, and
    /// returns how many entries were lost.
    ///
    /// # Errors
    ///
    /// `EBUSY` if rules count more packets than its entries would hold, `ENOMEM`, and those of
    /// [`Namespace::exception`].
    pub(crate) fn set_list(
        &self,
        list: &Arc<List>,
        settings: ListSettings,
        except: Option<&[u8]>,
    ) -> Result<u64> {
        let hooks = self.hooks.lock();
        let except = except
            .map(|name| self.exception(Some(list), name))
            .transpose()?;
        let before = list.settings();
        if settings.hits < before.hits && settings.hits < self.ruleset().hits(list) {
            return Err(EBUSY);
        }
        let is_other = settings.size != before.size || settings.hits != before.hits;
        let prepared = is_other.then(|| list.prepare(settings)).transpose()?;
        if let Some(except) = except {
            list.set_except(except)?;
        }
        let lost = match prepared {
            Some(prepared) => prepared.install(),
            None => {
                list.set_timeout(settings.timeout);
                0
            }
        };
        hooks.hurry_ageing();
        Ok(lost)
    }

    /// Destroys a recent list.
    ///
    /// # Errors
    ///
    /// `EBUSY` if rules use it, `EXDEV` if it is the exception of another list.
    pub(crate) fn destroy_list(&self, list: &Arc<List>) -> Result {
        let _hooks = self.hooks.lock();
        if self.users(list) > 0 {
            return Err(EBUSY);
        }
        if self.lists.is_exception(list) {
            return Err(EXDEV);
        }
        self.lists.remove(list);
        Ok(())
    }

    /// Removes all entries of a recent list.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory for a new table.
    pub(crate) fn flush_list(&self, list: &List) -> Result {
        let _hooks = self.hooks.lock();
        list.flush()
    }

    /// SYNPROXY's state, if a rule ever needed it.
    pub(crate) fn synproxy(&self) -> Option<Arc<Synproxy>> {
        self.hooks.lock().synproxy.clone()
    }

    /// The number of matches that use a table of rates.
    pub(crate) fn rate_users(&self, table: &RateTable) -> usize {
        let ruleset = self.ruleset();
        let users = ruleset.rates().filter(|one| core::ptr::eq(*one, table));
        users.count()
    }

    /// The number of rules that use a list.
    pub(crate) fn users(&self, list: &List) -> usize {
        self.ruleset.read(&rcu::read_lock()).users(list)
    }
}

impl PerNamespace for Namespace {
    fn slot() -> &'static Slot<Self> {
        &SLOT
    }

    fn start(scope: Arc<Scope>) -> Result<Arc<Self>> {
        let parameters = Parameters::get();
        let monitor = Monitor::new(&scope)?;
        let lists = Lists::new(parameters.list_limits(), monitor.clone())?;
        let rates = RateTables::new(parameters.list_limits())?;
        let ageing = Periodic::start(&scope, Ageing::new(lists.clone()), 0)?;
        let ruleset = Arc::new(Ruleset::new()?, GFP_KERNEL_ACCOUNT)?;
        let at_the_end = Retirable::new(ruleset.clone(), GFP_KERNEL_ACCOUNT)?;
        let ruleset = Retirable::new(ruleset, GFP_KERNEL_ACCOUNT)?;
        let ruleset = Arc::new(RcuBox::new(ruleset), GFP_KERNEL_ACCOUNT)?;
        let configured = Configured {
            hooks: Hooks::new(),
            synproxy: None,
            ageing: Some(ageing),
            release: None,
            at_the_end: Some(at_the_end),
        };
        let hooks = Arc::pin_init(
            new_mutex!(configured, "palisade_configuration"),
            GFP_KERNEL_ACCOUNT,
        )?;
        let release = Release::new(hooks.clone(), ruleset.clone());
        hooks.lock().release = Some(Periodic::start(&scope, release, release::NEVER)?);
        let namespace = Self {
            scope,
            monitor,
            lists,
            rates,
            ruleset,
            limits: parameters.rule_limits(),
            hooks,
        };
        Ok(Arc::new(namespace, GFP_KERNEL_ACCOUNT)?)
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Replaced rules and unregistered hooks are dropped in a workqueue, at any time after this.
    /// Some rules use the namespace until then: connlimit's counts are collected in the background.
    /// In that case, retired objects are waited for. As that takes several grace periods,
    /// namespaces without such rules, as most short-lived ones, are spared.
    fn stop(&self) {
        let mut configured = self.hooks.lock();
        if let Some(synproxy) = configured.synproxy.clone() {
            // After this, no packet opens a connection any more.
            configured.hooks.release_chains();
            retirement::wait_for_retired();
            synproxy.reset_connections(&self.scope);
        }
        configured.hooks.release_all();
        configured.synproxy = None;
        configured.ageing = None;
        let release = configured.release.take();
        if let Some(ruleset) = configured.at_the_end.take() {
            self.ruleset.replace(ruleset);
        }
        drop(configured);
        drop(release);
        self.monitor.stop();
    }
}
