// SPDX-License-Identifier: GPL-2.0

//! From a file to the commands that it stands for.

use super::{
    arguments::Wanted,
    line::{self, Line},
    mistake::Mistake,
};
use crate::{
    netlink::spec::{Table, Verdict},
    rules::{
        chains,
        changes::changes,
        command::Command,
        names::Names,
        parser, pasted,
        print::{Chain, quote},
        rule::Counters,
    },
};

/// A command with its place in the file.
#[derive(Debug)]
pub(super) struct Step {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) table: Table,
    pub(super) command: Command,
}

#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// The chains that there are after the last step, without their rules.
    pub(super) chains: Vec<Chain>,
    tables: Vec<Table>,
}

impl Plan {
    /// How much there is of each table.
    pub(super) fn summary(&self) -> String {
        let lines = self.tables.iter().map(|table| {
            let of_table = self.steps.iter().filter(|step| step.table == *table);
            let (mut chains, mut rules) = (0usize, 0usize);
            for step in of_table {
                match &step.command {
                    Command::NewChain { .. } => chains += 1,
                    Command::Append { rules: some, .. } | Command::Insert { rules: some, .. } => {
                        rules += some.len();
                    }
                    _ => {}
                }
            }
            format!("{table}: {chains} new chains, {rules} rules\n")
        });
        lines.collect()
    }
}

/// Where in the file we are.
enum Section {
    Outside,
    In(Table),
    /// In a table that is not wanted.
    Skipped,
}

struct Maker<'a> {
    wanted: &'a Wanted,
    names: &'a dyn Names,
    /// Is told of a line, counted from 1, that is read as something else.
    warn: &'a mut dyn FnMut(usize, &str),
    plan: Plan,
    section: Section,
    line: usize,
}

/// Make a plan of a file for a kernel that has these chains; `warn` is told of lines, counted from 1, that
/// were read as something else.
pub(super) fn make(
    bytes: &[u8],
    wanted: &Wanted,
    existing: &[Chain],
    names: &dyn Names,
    warn: &mut dyn FnMut(usize, &str),
) -> Result<Plan, Mistake> {
    let mut maker = Maker {
        wanted,
        names,
        warn,
        plan: Plan {
            chains: existing.iter().map(without_rules).collect(),
            ..Plan::default()
        },
        section: Section::Outside,
        line: 0,
    };
    let mut is_empty = true;
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        is_empty &= line.is_empty();
        if line.is_empty() {
            continue;
        }
        maker.line = index + 1;
        maker
            .line(line)
            .map_err(|message| Mistake::Line(index + 1, message))?;
    }
    if is_empty {
        return Err(Mistake::File("there is nothing in it".to_owned()));
    }
    maker.finish()
}

/// A chain of which only the name counts.
fn without_rules(chain: &Chain) -> Chain {
    Chain {
        counters: Counters::default(),
        references: 0,
        length: 0,
        rules: Vec::new(),
        ..chain.clone()
    }
}

impl Maker<'_> {
    fn line(&mut self, bytes: &[u8]) -> Result<(), String> {
        if matches!(self.section, Section::Skipped) {
            if bytes.trim_ascii() == b"COMMIT" {
                self.section = Section::Outside;
            }
            return Ok(());
        }
        let line = line::parse(bytes)?;
        let table = match (&self.section, &line) {
            (Section::In(table), _) => *table,
            (_, Line::Nothing) => return Ok(()),
            (_, Line::Table(name)) => return self.begin(name),
            (_, Line::Commit) => {
                return Err("COMMIT ends no table: it begins with *TABLE".to_owned());
            }
            _ => return Err("this is in no table: a line such as *filter comes first".to_owned()),
        };
        match line {
            Line::Nothing => Ok(()),
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
            } => self.chain(table, name, policy, counters),
            Line::Command { counters, words } => self.command(table, counters, words),
        }
    }

    fn begin(&mut self, name: &str) -> Result<(), String> {
        if self
            .wanted
            .table
            .is_some_and(|table| table.to_string() != name)
        {
            self.section = Section::Skipped;
            return Ok(());
        }
        let table = chains::parse_table(name).map_err(|reason| format!("*{name}: {reason}"))?;
        self.section = Section::In(table);
        if !self.plan.tables.contains(&table) {
            self.plan.tables.push(table);
        }
        if !self.wanted.noflush {
            self.empty(table);
        }
        Ok(())
    }

    /// Take everything out of a table.
    fn empty(&mut self, table: Table) {
        self.push(table, Command::Flush { chain: None });
        self.push(table, Command::DeleteChain { chain: None });
        self.push(
            table,
            Command::Zero {
                chain: None,
                position: None,
            },
        );
        let built_in: Vec<String> = self
            .plan
            .chains
            .iter()
            .filter(|chain| chain.table == table && chain.policy.is_some())
            .map(|chain| chain.name.clone())
            .collect();
        for chain in built_in {
            self.push(
                table,
                Command::Policy {
                    chain,
                    policy: Verdict::Accept,
                    counters: None,
                },
            );
        }
    }

    fn chain(
        &mut self,
        table: Table,
        chain: String,
        policy: Option<Verdict>,
        counters: Option<Counters>,
    ) -> Result<(), String> {
        let exists = self.position(table, &chain).is_some();
        let counters = counters.filter(|_| self.wanted.counters);
        match policy {
            Some(_) if !chains::is_built_in(&chain) => {
                let name = quote(&chain);
                return Err(format!(
                    "chain {name} is not built in and has no policy: write :{name} - [0:0]"
                ));
            }
            Some(policy) => self.push(
                table,
                Command::Policy {
                    chain,
                    policy,
                    counters,
                },
            ),
            // A built-in chain that is to stay as it is.
            None if exists && chains::is_built_in(&chain) => {}
            None if exists => self.push(table, Command::Flush { chain: Some(chain) }),
            None => {
                chains::check_new(&chain)
                    .map_err(|reason| format!("chain {}: {reason}", quote(&chain)))?;
                self.push(table, Command::NewChain { chain });
            }
        }
        Ok(())
    }

    fn command(
        &mut self,
        table: Table,
        counters: Option<Counters>,
        words: Vec<String>,
    ) -> Result<(), String> {
        let spelled = words.first().cloned().unwrap_or_default();
        let parse = |words| parser::parse_line(words, self.names);
        let invocation = pasted::read(words, parse, |reading| (self.warn)(self.line, reading))
            .map_err(|error| error.to_string())?;
        let mut command = invocation.command;
        if changes(&command).is_none() {
            return Err(format!(
                "{}: a file has only commands that change something",
                quote(&spelled)
            ));
        }
        if let Some(counters) = counters.filter(|_| self.wanted.counters) {
            set_counters(&mut command, counters);
        }
        self.push(table, command);
        Ok(())
    }

    /// Which of the chains it is.
    fn position(&self, table: Table, name: &str) -> Option<usize> {
        let mut chains = self.plan.chains.iter();
        chains.position(|chain| chain.table == table && chain.name == name)
    }

    fn push(&mut self, table: Table, command: Command) {
        match &command {
            Command::NewChain { chain } => self.plan.chains.push(Chain {
                table,
                name: chain.clone(),
                policy: None,
                counters: Counters::default(),
                references: 0,
                length: 0,
                rules: Vec::new(),
            }),
            Command::DeleteChain { chain: name } => self.plan.chains.retain(|chain| {
                let is_meant = name.as_ref().is_none_or(|name| *name == chain.name);
                !(chain.table == table && chain.policy.is_none() && is_meant)
            }),
            Command::RenameChain { chain, new_name } => {
                let position = self.position(table, chain);
                let renamed = position.and_then(|position| self.plan.chains.get_mut(position));
                if let Some(chain) = renamed {
                    chain.name.clone_from(new_name);
                }
            }
            _ => {}
        }
        self.plan.steps.push(Step {
            line: self.line,
            table,
            command,
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
            Section::Outside => {}
        }
        if !self.plan.tables.is_empty() {
            return Ok(self.plan);
        }
        Err(Mistake::File(match self.wanted.table {
            Some(table) => format!("it has no table {table}"),
            None => "it has no table: a table begins with a line such as *filter".to_owned(),
        }))
    }
}

/// Let the rules of a command begin with these counters.
fn set_counters(command: &mut Command, counters: Counters) {
    match command {
        Command::Append { rules, .. } | Command::Insert { rules, .. } => {
            for rule in rules {
                rule.counters = counters;
            }
        }
        Command::Replace { rule, .. } => rule.counters = counters,
        _ => {}
    }
}
