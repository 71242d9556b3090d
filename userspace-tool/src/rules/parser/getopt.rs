// SPDX-License-Identifier: GPL-2.0

//! The words of a command line, read as getopt_long reads them.

use std::collections::VecDeque;

/// The next part of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Short(char),
    Long(String),
    Word(String),
}

/// The words that have not been read yet.
#[derive(Debug)]
pub(crate) struct Getopt {
    words: VecDeque<String>,
    /// The rest of a word of short options, or the value behind an equals sign.
    attached: Option<Attached>,
    /// What was asked for when there were no words left; whether it has to be there.
    missing: Option<bool>,
}

#[derive(Debug)]
enum Attached {
    Cluster(String),
    Value(String),
}

impl Getopt {
    pub(crate) fn new(words: Vec<String>) -> Self {
        Self {
            words: words.into(),
            attached: None,
            missing: None,
        }
    }

    /// If the last option would have taken one more word: whether it needs it.
    pub(crate) fn missing(&self) -> Option<bool> {
        self.missing
    }

    /// How many words are left, with one that is attached.
    pub(crate) fn values_left(&self) -> usize {
        self.words.len() + usize::from(self.attached.is_some())
    }

    pub(crate) fn token(&mut self) -> Option<Token> {
        if let Some(Attached::Cluster(cluster)) = self.attached.take() {
            return self.short(&cluster);
        }
        let word = self.words.pop_front()?;
        if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            self.attached = value.map(|value| Attached::Value(value.to_owned()));
            return Some(Token::Long(name.to_owned()));
        }
        match word.strip_prefix('-') {
            Some(cluster) if !cluster.is_empty() && cluster != "-" => self.short(cluster),
            _ => Some(Token::Word(word)),
        }
    }

    fn short(&mut self, cluster: &str) -> Option<Token> {
        let mut characters = cluster.chars();
        let first = characters.next()?;
        let rest = characters.as_str();
        self.attached = (!rest.is_empty()).then(|| Attached::Cluster(rest.to_owned()));
        Some(Token::Short(first))
    }

    /// The value in the same word as the option.
    pub(crate) fn attached(&mut self) -> Option<String> {
        self.attached.take().map(|attached| match attached {
            Attached::Cluster(text) | Attached::Value(text) => text,
        })
    }

    /// The value behind an equals sign, for an option that takes none.
    pub(crate) fn surplus(&mut self) -> Option<String> {
        match self.attached.take() {
            Some(Attached::Value(value)) => Some(value),
            other => {
                self.attached = other;
                None
            }
        }
    }

    /// The value of an option that needs one: attached, or the next word whatever it is.
    pub(crate) fn value(&mut self) -> Option<String> {
        let value = self.attached().or_else(|| self.words.pop_front());
        if value.is_none() {
            self.missing = Some(true);
        }
        value
    }

    /// The target that a later `-j` gives.
    pub(crate) fn later_target(&self) -> Option<&str> {
        let mut words = self.words.iter().map(String::as_str);
        let jump = words.find(|word| {
            let is_long = word
                .strip_prefix("--")
                .is_some_and(|name| name.starts_with("jump"));
            word.starts_with("-j") || is_long
        })?;
        match jump.split_once('=') {
            Some((_, target)) => Some(target),
            None if ["-j", "--jump"].contains(&jump) => words.next(),
            None => jump.strip_prefix("-j"),
        }
    }

    /// The next word, if it cannot be an option.
    pub(crate) fn operand(&mut self) -> Option<String> {
        self.operand_if(|_| true)
    }

    pub(crate) fn operand_if(&mut self, accept: impl FnOnce(&str) -> bool) -> Option<String> {
        let Some(next) = self.words.front() else {
            self.missing = self.attached.is_none().then_some(false);
            return None;
        };
        if self.attached.is_some() || next.starts_with('-') || next == "!" || !accept(next) {
            return None;
        }
        self.words.pop_front()
    }
}

/// The option that a long name stands for, as getopt_long finds it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named<T> {
    One(T),
    Ambiguous(Vec<&'static str>),
    None,
}

/// Find a name among those of `options`; an exact name wins over names that it abbreviates, and
/// an earlier option over a later one with the same name.
pub(crate) fn by_name<T: Copy + PartialEq>(
    name: &str,
    options: impl Iterator<Item = (&'static str, T)> + Clone,
) -> Named<T> {
    if let Some((_, option)) = options.clone().find(|(candidate, _)| *candidate == name) {
        return Named::One(option);
    }
    let mut abbreviated: Vec<(&'static str, T)> = Vec::new();
    for (candidate, option) in options.filter(|(candidate, _)| candidate.starts_with(name)) {
        if abbreviated.iter().all(|(earlier, _)| *earlier != candidate) {
            abbreviated.push((candidate, option));
        }
    }
    match abbreviated.as_slice() {
        [] => Named::None,
        [(_, first), rest @ ..] if rest.iter().all(|(_, option)| option == first) => {
            Named::One(*first)
        }
        [..] => Named::Ambiguous(abbreviated.into_iter().map(|(name, _)| name).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Getopt {
        Getopt::new(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn clusters_and_attached_values() {
        let mut arguments = arguments(&["-nvL", "INPUT", "-ptcp", "--dport=22", "-", "--"]);
        assert_eq!(arguments.token(), Some(Token::Short('n')));
        assert_eq!(arguments.token(), Some(Token::Short('v')));
        assert_eq!(arguments.token(), Some(Token::Short('L')));
        assert_eq!(arguments.operand(), Some("INPUT".to_owned()));
        assert_eq!(arguments.token(), Some(Token::Short('p')));
        assert_eq!(arguments.value(), Some("tcp".to_owned()));
        assert_eq!(arguments.token(), Some(Token::Long("dport".to_owned())));
        assert_eq!(arguments.surplus(), Some("22".to_owned()));
        assert_eq!(arguments.token(), Some(Token::Word("-".to_owned())));
        assert_eq!(arguments.token(), Some(Token::Word("--".to_owned())));
        assert_eq!(arguments.token(), None);
    }

    #[test]
    fn options_are_no_operands() {
        let mut arguments = arguments(&["-L", "!", "x"]);
        assert_eq!(arguments.token(), Some(Token::Short('L')));
        assert_eq!(arguments.operand(), None);
    }

    #[test]
    fn abbreviations() {
        let options = [("source", 1), ("src", 1), ("source-port", 2), ("set", 3)].into_iter();
        assert_eq!(by_name("source", options.clone()), Named::One(1));
        assert_eq!(by_name("sr", options.clone()), Named::One(1));
        assert_eq!(by_name("source-", options.clone()), Named::One(2));
        assert_eq!(by_name("x", options.clone()), Named::None);
        assert_eq!(
            by_name("so", options),
            Named::Ambiguous(vec!["source", "source-port"])
        );
    }
}
