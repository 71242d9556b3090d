// SPDX-License-Identifier: GPL-2.0

//! What a command line may go on with. The parser reads what there is, so that it says where the line ends.

use super::{
    CommandLine,
    find::Found,
    getopt::Token,
    options::{self, Base, BaseOption, Section},
};
use crate::{
    complete::{Candidate, Source},
    netlink::spec::Table,
    rules::{
        matches,
        model::{
            chain,
            extension::{ExtensionType, Loaded},
            names::Names,
            options::ExtensionOption,
            protocol,
        },
        targets,
    },
};

/// What may stand for the word `current` behind these words. Options are among it that do not begin with it.
pub(crate) fn candidates(
    mut words: Vec<String>,
    current: &str,
    names: &dyn Names,
    source: &dyn Source,
) -> Vec<Candidate> {
    // The value of `--option=value` completes as a word of its own.
    let attached = current
        .split_once('=')
        .filter(|_| current.starts_with("--"));
    let (prefix, current) = match attached {
        Some((option, value)) => {
            words.push(option.to_owned());
            (format!("{option}="), value)
        }
        None => (String::new(), current),
    };
    let mut completion = Completion::new(words, names, source);
    let (mut candidates, is_needed) = match completion.read() {
        Some((option, index, is_needed)) => (completion.values(option, index, current), is_needed),
        None => (Vec::new(), false),
    };
    candidates.retain(|candidate| candidate.word.starts_with(current));
    if !is_needed && attached.is_none() && candidates.is_empty() {
        candidates.extend(completion.options(current));
    }
    for candidate in &mut candidates {
        candidate.word.insert_str(0, &prefix);
    }
    candidates
}

struct Completion<'a> {
    line: CommandLine<'a>,
    /// The options that were given.
    given: Vec<Base>,
    source: &'a dyn Source,
}

impl<'a> Completion<'a> {
    fn new(words: Vec<String>, names: &'a dyn Names, source: &'a dyn Source) -> Self {
        Self {
            line: CommandLine::new(words, names, None, false),
            given: Vec::new(),
            source,
        }
    }

    /// Read the line. Returns the option whose value the next word is, how many values it has had, and whether it
    /// cannot be anything else.
    fn read(&mut self) -> Option<(Found, usize, bool)> {
        let mut last = None;
        while let Some(token) = self.line.arguments.token() {
            let option = self.option(&token);
            if let Some(Found::Base(option)) = option {
                self.given.push(option.base);
            }
            let values = self.line.arguments.values_left();
            // What is wrong is told when the line is run.
            let _ = self.line.token(token);
            last = option.map(|option| (option, values));
        }
        let (option, values) = last?;
        let is_needed = self.line.arguments.missing()?;
        // The second value of an option of a match is needed as well, though it is read as an operand.
        let takes_more = |option: &Found| matches!(option, Found::Extension(_, option) if !option.is_value_optional());
        Some((option, values, is_needed || takes_more(&option)))
    }

    fn option(&mut self, token: &Token) -> Option<Found> {
        match token {
            Token::Short(letter) => {
                let mut all = options::ALL.iter();
                let option = all.find(|option| option.short == Some(*letter))?;
                Some(Found::Base(option))
            }
            Token::Long(name) => self.line.find(name).ok(),
            Token::Word(_) => None,
        }
    }

    fn table(&self) -> Table {
        self.line.table.unwrap_or(Table::Filter)
    }

    fn values(&self, option: Found, index: usize, current: &str) -> Vec<Candidate> {
        let plain = |words: Vec<String>| -> Vec<Candidate> {
            let words = words.into_iter();
            words.map(|word| Candidate::new(word, "")).collect()
        };
        let built_in = || {
            chain::built_in(self.table())
                .iter()
                .map(|name| (*name).to_owned())
        };
        let user_defined = || self.source.chains(self.table());
        let option = match option {
            Found::Base(option) => option,
            Found::Extension(_, option) if option.values == "LIST" => {
                return plain(self.source.lists());
            }
            Found::Extension(_, option) => return plain(of_words(option, current)),
        };
        let placeholder = option.values.split_whitespace().nth(index);
        let placeholder = placeholder.unwrap_or_default().trim_matches(['[', ']']);
        match (option.base, placeholder) {
            (Base::NewChain, _) => Vec::new(),
            (Base::Policy, "CHAIN") => plain(built_in().collect()),
            (Base::DeleteChain | Base::RenameChain | Base::Goto, "CHAIN") => plain(user_defined()),
            (_, "CHAIN") => plain(built_in().chain(user_defined()).collect()),
            (_, "ACCEPT|DROP") => plain(placeholder.split('|').map(str::to_owned).collect()),
            (_, "TABLE") => plain(Table::ALL.map(|table| table.to_string()).into()),
            (_, "INTERFACE") => plain(self.source.interfaces()),
            (_, "PROTOCOL") => plain(
                ["tcp", "udp", "icmp", "icmpv6", "all"]
                    .map(str::to_owned)
                    .into(),
            ),
            (_, "MATCH") => of_types(matches::ALL),
            (_, "TARGET") => {
                let mut candidates = of_types(targets::ALL);
                candidates.extend(plain(user_defined()));
                candidates
            }
            _ => Vec::new(),
        }
    }

    /// The options that may follow.
    fn options(&self, current: &str) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let specification = &self.line.specification;
        let loaded = specification.matches.iter().chain(&specification.target);
        let options = loaded.flat_map(|loaded| {
            let options = loaded.kind.options.iter();
            options.filter(|option| loaded.takes(option))
        });
        for option in options.chain(self.of_protocol()) {
            if self.line.negation && !option.invertible {
                continue;
            }
            let mut names = option.names.iter().map(|name| format!("--{name}"));
            let word = names.find(|name| name.starts_with(current));
            candidates.extend(word.map(|word| Candidate::new(word, option.help)));
        }
        for option in options::ALL
            .iter()
            .filter(|option| self.is_welcome(option, current))
        {
            let mut spellings = option.spellings();
            // Those that have a letter are known by it.
            let word = match current.starts_with("--") {
                true => spellings.last(),
                false => spellings.next(),
            };
            candidates.extend(word.map(|word| Candidate::new(word, option.help)));
        }
        candidates
    }

    /// Whether an option makes sense behind what was given.
    fn is_welcome(&self, option: &BaseOption, current: &str) -> bool {
        if self.line.negation {
            return option.invertible && !self.given.contains(&option.base);
        }
        let is_repeatable = matches!(option.base, Base::Match | Base::Verbose);
        let is_target = |base| matches!(base, Base::Jump | Base::Goto);
        let is_done =
            |base: &Base| *base == option.base || is_target(*base) && is_target(option.base);
        if self.given.iter().any(is_done) && !is_repeatable {
            return false;
        }
        let command = self.line.command.as_ref().map(|command| command.base);
        let shows = matches!(command, Some(Base::List | Base::ListRules));
        let zeroes = self.line.zero.is_some();
        let is_first = command.is_none() && !zeroes;
        match option.section {
            Section::Command => is_first || (option.base == Base::Zero && shows),
            Section::General => {
                is_first || !matches!(option.base, Base::Wait | Base::Help | Base::Version)
            }
            Section::Rule => match command {
                Some(Base::Append | Base::Insert | Base::Replace | Base::Delete | Base::Check) => {
                    true
                }
                // Its options are asked about, or the command comes last.
                _ => is_first && !current.is_empty(),
            },
            Section::Display => shows || (is_first && !current.is_empty()),
        }
    }

    /// The options of the match that `-p` brings along.
    fn of_protocol(&self) -> impl Iterator<Item = &'static ExtensionOption> {
        let specification = &self.line.specification;
        let protocol = specification.protocol.filter(|protocol| !protocol.inverted);
        let name = protocol.map(|protocol| protocol::name(protocol.value));
        let is_loaded = |kind: &ExtensionType| {
            let mut kinds = specification
                .matches
                .iter()
                .map(|loaded: &Loaded| loaded.kind);
            kinds.any(|loaded| loaded.name == kind.name)
        };
        let mut kinds = matches::ALL.iter();
        let kind = kinds.find(|kind| name.as_deref() == Some(kind.name) && !is_loaded(kind));
        kind.into_iter().flat_map(|kind| kind.options)
    }
}

fn of_types(kinds: &[&ExtensionType]) -> Vec<Candidate> {
    let kinds = kinds.iter();
    kinds
        .map(|kind| Candidate::new(kind.name, kind.about))
        .collect()
}

/// The words of an option's value, of which several may be separated by commas.
fn of_words(option: &ExtensionOption, current: &str) -> Vec<String> {
    let Some(words) = option.words else {
        return Vec::new();
    };
    let earlier = current
        .rfind(',')
        .map(|comma| current.split_at(comma + 1).0);
    let earlier = earlier.unwrap_or_default();
    let is_new = |word: &&str| earlier.split(',').all(|one| one != *word);
    let words = words().into_iter().filter(is_new);
    words.map(|word| format!("{earlier}{word}")).collect()
}
