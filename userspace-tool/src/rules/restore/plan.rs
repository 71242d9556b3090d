// SPDX-License-Identifier: GPL-2.0

//! From a file to the changes that it asks for.

use super::{
    arguments::RestoreArguments,
    evidence::{self, Evidence, SavedBy},
    line::{self, Line},
    mistake::Mistake,
};
use crate::{
    netlink::spec::{ChangeKind, Table, Verdict},
    rules::{
        model::{
            chain::{self, Chain},
            command::{Command, Edit, Invocation},
            family::Family,
            names::Names,
            rule::Counters,
        },
        parser::{self, chains, pasted},
    },
    text::quote,
};

/// A change, and its line in the file.
#[derive(Debug)]
pub(super) struct Step {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) table: Table,
    pub(super) edit: Edit,
    /// The family that it is for, if it is not for both.
    pub(super) family: Option<Family>,
}

/// The changes that a file asks for.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// The chains that there are after the last step, without their rules.
    pub(super) chains: Vec<Chain>,
    tables: Vec<Table>,
}

impl Plan {
    /// The number of chains and rules of each table.
    pub(super) fn summary(&self) -> String {
        let lines = self.tables.iter().map(|table| {
            let of_table = self.steps.iter().filter(|step| step.table == *table);
            let (mut chains, mut rules) = (0usize, 0usize);
            for step in of_table {
                match step.edit.kind {
                    ChangeKind::NewChain => chains += 1,
                    ChangeKind::Append | ChangeKind::Insert => rules += step.edit.rules.len(),
                    _ => {}
                }
            }
            format!("{table}: {chains} new chains, {rules} rules\n")
        });
        lines.collect()
    }
}

/// The part of the file that is read.
enum Section {
    Outside,
    In(Table),
    /// In a table that is not wanted.
    Skipped,
    /// In a table of iptables that Palisade lacks. Most dumps have such tables, without rules.
    Foreign(String),
}

/// The tables of iptables that Palisade lacks.
const FOREIGN_TABLES: [&str; 1] = ["security"];

struct Planner<'a> {
    wanted: &'a RestoreArguments,
    names: &'a dyn Names,
    /// Gets the number of a line, counted from 1, and a warning about it.
    warn: &'a mut dyn FnMut(usize, &str),
    plan: Plan,
    section: Section,
    line: usize,
    evidence: Evidence,
    /// Whether a table without rules was ignored.
    has_foreign_table: bool,
}

/// Make the plan of a file, for a kernel that has these chains. `warn` gets the numbers of lines, counted from 1, and
/// warnings about them.
pub(super) fn make(
    bytes: &[u8],
    wanted: &RestoreArguments,
    existing: &[Chain],
    names: &dyn Names,
    warn: &mut dyn FnMut(usize, &str),
) -> Result<Plan, Mistake> {
    let mut planner = Planner {
        wanted,
        names,
        warn,
        plan: Plan {
            chains: existing.iter().map(without_rules).collect(),
            ..Plan::default()
        },
        section: Section::Outside,
        line: 0,
        evidence: Evidence::default(),
        has_foreign_table: false,
    };
    let mut is_empty = true;
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        is_empty &= line.is_empty();
        if line.is_empty() {
            continue;
        }
        planner.line = index + 1;
        planner
            .line(line)
            .map_err(|message| Mistake::Line(index + 1, message))?;
    }
    if is_empty {
        return Err(Mistake::File("there is nothing in it".to_owned()));
    }
    planner.finish()
}

/// The chain without what does not count here.
fn without_rules(chain: &Chain) -> Chain {
    Chain {
        references: 0,
        length: 0,
        rules: Vec::new(),
        ..chain.clone()
    }
}

impl Planner<'_> {
    fn line(&mut self, bytes: &[u8]) -> Result<(), String> {
        if matches!(self.section, Section::Skipped) {
            if bytes.trim_ascii() == b"COMMIT" {
                self.section = Section::Outside;
            }
            return Ok(());
        }
        let line = line::parse(bytes)?;
        if let Line::Comment(comment) = &line {
            return self.comment(comment);
        }
        let table = match (&self.section, &line) {
            (_, Line::Nothing) => return Ok(()),
            (Section::In(table), _) => *table,
            (Section::Foreign(name), _) => {
                let name = name.clone();
                return self.foreign(&name, &line);
            }
            (_, Line::Table(name)) => return self.start_table(name),
            (_, Line::Commit) => {
                return Err("COMMIT ends no table: it begins with *TABLE".to_owned());
            }
            _ => return Err("this is in no table: a line such as *filter comes first".to_owned()),
        };
        match line {
            Line::Nothing | Line::Comment(_) => Ok(()),
            Line::Table(_) => Err(format!(
                "the COMMIT of table {table} is missing before this line"
            )),
            Line::Commit => {
                self.section = Section::Outside;
                Ok(())
            }
            Line::Chain {
                name,
                policy,
                counters,
                family,
            } => match (family, self.wanted.family()) {
                // The policy of the other family stays as it is.
                (Some(one), Some(wanted)) if one != wanted => Ok(()),
                (of, wanted) => {
                    if of.is_some() {
                        self.evidence.explicit();
                    } else if policy == Some(Verdict::Drop) {
                        self.evidence.drop(self.line, &name);
                    }
                    self.chain(table, name, policy, counters, of.or(wanted))
                }
            },
            Line::Command { counters, words } => self.command(table, counters, words),
        }
    }

    /// Look for the program that saved the file.
    fn comment(&mut self, comment: &str) -> Result<(), String> {
        let Some(writer) = evidence::saved_by(comment) else {
            return Ok(());
        };
        self.evidence.written_by(self.line, writer);
        match (writer, self.wanted.family()) {
            (SavedBy::Of(family), Some(wanted)) if family != wanted => Err(format!(
                "the file is for {}: give {} instead of {}",
                family.name(),
                family.option(),
                wanted.option()
            )),
            _ => Ok(()),
        }
    }

    /// A line of a table that Palisade lacks.
    fn foreign(&mut self, name: &str, line: &Line) -> Result<(), String> {
        match line {
            Line::Commit => {
                self.section = Section::Outside;
                Ok(())
            }
            Line::Table(_) => Err(format!(
                "the COMMIT of table {name} is missing before this line"
            )),
            Line::Chain {
                policy: Some(Verdict::Drop),
                ..
            }
            | Line::Command { .. } => Err(format!(
                "Palisade has no table {name}: take this line out, and keep iptables or nftables for it"
            )),
            _ => Ok(()),
        }
    }

    fn start_table(&mut self, name: &str) -> Result<(), String> {
        if self
            .wanted
            .table
            .is_some_and(|table| table.to_string() != name)
        {
            self.section = Section::Skipped;
            return Ok(());
        }
        if FOREIGN_TABLES.contains(&name) {
            self.section = Section::Foreign(name.to_owned());
            self.has_foreign_table = true;
            return Ok(());
        }
        let table = chain::parse_table(name).map_err(|reason| format!("*{name}: {reason}"))?;
        self.section = Section::In(table);
        if !self.plan.tables.contains(&table) {
            self.plan.tables.push(table);
        }
        if !self.wanted.noflush {
            self.empty(table);
        }
        Ok(())
    }

    /// Empty a table.
    fn empty(&mut self, table: Table) {
        let family = self.wanted.family();
        for kind in [ChangeKind::Flush, ChangeKind::DeleteChain, ChangeKind::Zero] {
            self.push(table, Edit::new(kind, None), family);
        }
        let is_built_in = |chain: &&Chain| chain.table == table && chain.policies.is_some();
        let built_in = self.plan.chains.iter().filter(is_built_in);
        let built_in: Vec<String> = built_in.map(|chain| chain.name.clone()).collect();
        for chain in built_in {
            let edit = Edit {
                policy: Some(Verdict::Accept),
                ..Edit::new(ChangeKind::Policy, Some(chain))
            };
            self.push(table, edit, family);
        }
    }

    fn chain(
        &mut self,
        table: Table,
        chain: String,
        policy: Option<Verdict>,
        counters: Option<Counters>,
        family: Option<Family>,
    ) -> Result<(), String> {
        let mut chains = self.plan.chains.iter();
        let exists = chains.any(|other| other.table == table && other.name == chain);
        let is_built_in = chain::is_built_in(&chain);
        let kind = match policy {
            Some(_) if !is_built_in => {
                let name = quote(&chain);
                return Err(format!(
                    "chain {name} is not built in and has no policy: write :{name} - [0:0]"
                ));
            }
            Some(_) => ChangeKind::Policy,
            // A built-in chain that stays as it is.
            None if exists && is_built_in => return Ok(()),
            None if exists => ChangeKind::Flush,
            None => {
                chains::check_new(&chain)
                    .map_err(|reason| format!("chain {}: {reason}", quote(&chain)))?;
                ChangeKind::NewChain
            }
        };
        let edit = Edit {
            policy,
            counters: counters.filter(|_| self.wanted.counters && policy.is_some()),
            ..Edit::new(kind, Some(chain))
        };
        self.push(table, edit, family);
        Ok(())
    }

    fn command(
        &mut self,
        table: Table,
        counters: Option<Counters>,
        words: Vec<String>,
    ) -> Result<(), String> {
        let spelled = words.first().cloned().unwrap_or_default();
        let says_family = words.iter().any(|word| is_family(word));
        let Some(invocation) = self.invocation(words, says_family)? else {
            return Ok(());
        };
        if says_family {
            self.evidence.explicit();
        }
        let (Command::Change(mut edit), family) = (invocation.command, invocation.family) else {
            return Err(format!(
                "{}: a file has only commands that change something",
                quote(&spelled)
            ));
        };
        for family in edit.rules.iter().filter_map(|rule| rule.family) {
            self.evidence.rule(self.line, family);
        }
        if edit.policy == Some(Verdict::Drop) && family.is_none() {
            let chain = edit.chain.as_deref().unwrap_or_default();
            self.evidence.drop(self.line, chain);
        }
        if let Some(counters) = counters.filter(|_| self.wanted.counters) {
            // A rule is deleted whatever its counters are.
            if edit.kind != ChangeKind::Delete {
                for rule in &mut edit.rules {
                    rule.counters = counters;
                }
            }
        }
        self.push(table, edit, family);
        Ok(())
    }

    /// Parse a line for the wanted family. None if the line is for the other one.
    fn invocation(
        &mut self,
        words: Vec<String>,
        says_family: bool,
    ) -> Result<Option<Invocation>, String> {
        let wanted = self.wanted.family();
        let parse = |words| parser::parse_line(words, self.names, wanted);
        let warn = |reading: &str| (self.warn)(self.line, reading);
        let error = match pasted::read(words.clone(), parse, warn) {
            Ok(invocation) => return Ok(Some(invocation)),
            Err(error) => error.to_string(),
        };
        let is_both = self.evidence.writer() == Some(SavedBy::Palisade);
        let Some(wanted) = wanted.filter(|_| says_family || is_both) else {
            return Err(error);
        };
        // As in iptables-restore, lines may be for the other family, if they say so.
        let parse = |words| parser::parse_line(words, self.names, None);
        let other = wanted.other();
        match pasted::read(words, parse, |_| {}) {
            Ok(invocation) if is_all_for(&invocation, other) => Ok(None),
            _ => Err(error),
        }
    }

    fn push(&mut self, table: Table, edit: Edit, family: Option<Family>) {
        let chains = &mut self.plan.chains;
        let name = edit.chain.as_deref();
        let is_meant =
            |chain: &Chain| chain.table == table && name.is_none_or(|name| name == chain.name);
        match edit.kind {
            ChangeKind::NewChain => chains.push(Chain {
                table,
                name: name.unwrap_or_default().to_owned(),
                policies: None,
                references: 0,
                length: 0,
                rules: Vec::new(),
            }),
            ChangeKind::DeleteChain => {
                chains.retain(|chain| chain.policies.is_some() || !is_meant(chain));
            }
            ChangeKind::RenameChain => {
                let renamed = chains.iter_mut().find(|chain| is_meant(chain));
                if let Some((chain, name)) = renamed.zip(edit.new_name.as_ref()) {
                    chain.name.clone_from(name);
                }
            }
            _ => {}
        }
        self.plan.steps.push(Step {
            line: self.line,
            table,
            edit,
            family,
        });
    }

    fn finish(self) -> Result<Plan, Mistake> {
        let missing = |table: &str| {
            let message = format!("the file ends before the COMMIT of table {table}");
            Mistake::Line(self.line, message)
        };
        match self.section {
            Section::In(table) => return Err(missing(&table.to_string())),
            Section::Skipped => return Err(missing("that was left out")),
            Section::Foreign(name) => return Err(missing(&name)),
            Section::Outside => {}
        }
        if let Some((line, warning)) = self.evidence.judge(self.wanted)? {
            (self.warn)(line, &warning);
        }
        let asks_for_nothing = self.has_foreign_table && self.wanted.table.is_none();
        if !self.plan.tables.is_empty() || asks_for_nothing {
            return Ok(self.plan);
        }
        Err(Mistake::File(match self.wanted.table {
            Some(table) => format!("it has no table {table}"),
            None => "it has no table: a table begins with a line such as *filter".to_owned(),
        }))
    }
}

/// Whether a word of a line says which family it is for.
fn is_family(word: &str) -> bool {
    ["-4", "-6", "--ipv4", "--ipv6"].contains(&word)
}

/// Whether a line is for this family only.
fn is_all_for(invocation: &Invocation, family: Family) -> bool {
    match &invocation.command {
        Command::Change(edit) if !edit.rules.is_empty() => {
            edit.rules.iter().all(|rule| rule.family == Some(family))
        }
        _ => invocation.family == Some(family),
    }
}
