// SPDX-License-Identifier: GPL-2.0

//! Rules as web pages print them: with dashes that are no hyphens, and without some of their spaces.

use crate::{error::Error, rules::model::chain};

/// Options whose value is any text, by the names that can be abbreviated.
const TEXT_OPTIONS: [&str; 5] = ["comment", "log-prefix", "string", "hex-string", "name"];

/// Options whose value is a chain, before a rule.
const CHAIN_OPTIONS: [&str; 10] = [
    "-A",
    "--append",
    "-I",
    "--insert",
    "-C",
    "--check",
    "-D",
    "--delete",
    "-R",
    "--replace",
];

/// Options of which the first letter may have got into the word before.
const JOINED_OPTIONS: &str = "pjmsdiog";

const STATES: [&str; 5] = ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"];

/// Let `read` read words. If it refuses them, it gets them once more as they were before a web page
/// had them, and `warn` is told each of the words that was read as something else.
pub(crate) fn read<T>(
    words: Vec<String>,
    read: impl Fn(Vec<String>) -> Result<T, Error>,
    mut warn: impl FnMut(&str),
) -> Result<T, Error> {
    if !words.iter().any(|word| may_be_meant_otherwise(word)) {
        return read(words);
    }
    let (mended, readings) = mend(&words);
    if readings.is_empty() {
        return read(words);
    }
    // What makes sense as it stands is meant so: a chain may be called INPUT-p, or –x.
    if let Ok(read) = read(words) {
        return Ok(read);
    }
    for reading in readings {
        warn(&reading);
    }
    read(mended)
}

/// Whether mending can do anything with a word, which is quick to say and of most files no.
fn may_be_meant_otherwise(word: &str) -> bool {
    let is_joined = |expected| joined(word, expected).is_some();
    !word.is_ascii() || is_joined(Expected::Chain) || is_joined(Expected::States)
}

/// What the word before says of a word.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    /// An option, or a value with which nothing is done.
    Anything,
    Text,
    Chain,
    States,
}

/// The words as they are probably meant, and what was read as what.
fn mend(words: &[String]) -> (Vec<String>, Vec<String>) {
    let mut mended = Vec::with_capacity(words.len());
    let mut readings = Vec::new();
    let mut expected = Expected::Anything;
    for (index, word) in words.iter().enumerate() {
        if expected == Expected::Text {
            mended.push(word.clone());
            // In the old form of iptables the `!` is behind the option.
            if word != "!" {
                expected = Expected::Anything;
            }
            continue;
        }
        // The option that lost its space needs a value.
        let next = words.get(index + 1);
        let has_value =
            next.is_some_and(|next| !next.starts_with(['-']) && !starts_with_dash(next));
        let parts = match joined(word, expected).filter(|_| has_value) {
            Some((value, option)) => vec![value.to_owned(), option.to_owned()],
            None => vec![with_hyphens(word).unwrap_or_else(|| word.clone())],
        };
        let meant = parts.join(" ");
        if meant != *word {
            readings.push(format!("read \"{word}\" as \"{meant}\""));
        }
        if word != "!" {
            expected = parts.last().map_or(expected, |last| expected_after(last));
        }
        mended.extend(parts);
    }
    (mended, readings)
}

fn expected_after(word: &str) -> Expected {
    if CHAIN_OPTIONS.contains(&word) {
        return Expected::Chain;
    }
    match word.strip_prefix("--") {
        None | Some("") => Expected::Anything,
        Some("state" | "ctstate") => Expected::States,
        Some(name) if TEXT_OPTIONS.iter().any(|option| option.starts_with(name)) => Expected::Text,
        Some(_) => Expected::Anything,
    }
}

/// The value and the option of a word such as `INPUT-p` or `NEW-j`.
fn joined(word: &str, expected: Expected) -> Option<(&str, &str)> {
    let (value, option) = word.split_at_checked(word.len().checked_sub(2)?)?;
    let letter = option.strip_prefix('-').filter(|_| !value.is_empty())?;
    if !JOINED_OPTIONS.contains(letter) {
        return None;
    }
    let is_value = match expected {
        Expected::Chain => chain::is_built_in(value),
        Expected::States => value.split(',').all(|state| STATES.contains(&state)),
        Expected::Anything | Expected::Text => false,
    };
    is_value.then_some((value, option))
}

/// Whether a text begins with a dash that is no hyphen, as word processors make them.
pub(crate) fn starts_with_dash(text: &str) -> bool {
    text.starts_with(is_dash)
}

fn is_dash(character: char) -> bool {
    matches!(character, '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The option that such a word is meant to be.
fn with_hyphens(word: &str) -> Option<String> {
    if !starts_with_dash(word.strip_prefix('-').unwrap_or(word)) {
        return None;
    }
    let name = word.trim_start_matches(|character| character == '-' || is_dash(character));
    if !name.starts_with(|character: char| character.is_ascii_alphanumeric()) {
        return None;
    }
    let hyphens = if name.len() == 1 { "-" } else { "--" };
    Some(format!("{hyphens}{name}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::super::parser, *};
    use crate::rules::tests::{Fixed, words};

    /// Lines, and what they are read as.
    const MENDED: &[(&str, &str)] = &[
        (
            "-A INPUT-p tcp ! –syn -m state –state NEW-j DROP",
            "-A INPUT -p tcp ! --syn -m state --state NEW -j DROP",
        ),
        (
            "-A INPUT -p tcp ! -–syn -m state –-state NEW -j DROP",
            "-A INPUT -p tcp ! --syn -m state --state NEW -j DROP",
        ),
        (
            "-A INPUT -p tcp ! -–tcp-flags SYN SYN -j DROP",
            "-A INPUT -p tcp ! --tcp-flags SYN SYN -j DROP",
        ),
        (
            "—A web −m limit ‒limit 10/s ――limit-burst=100 ‐j RETURN",
            "-A web -m limit --limit 10/s --limit-burst=100 -j RETURN",
        ),
        (
            "–I FORWARD-i eth0 –6 -m conntrack --ctstate RELATED,ESTABLISHED-m mark --mark 1",
            "-I FORWARD -i eth0 -6 -m conntrack --ctstate RELATED,ESTABLISHED -m mark --mark 1",
        ),
        (
            "--delete PREROUTING-s 192.0.2.1 -m state --state ! NEW-g web",
            "--delete PREROUTING -s 192.0.2.1 -m state --state ! NEW -g web",
        ),
        // A text stays as it is, but not what comes behind it.
        (
            "-A INPUT -m comment --comment –syn –j DROP",
            "-A INPUT -m comment --comment –syn -j DROP",
        ),
        (
            "-A INPUT –m recent –name –syn –set",
            "-A INPUT -m recent --name –syn --set",
        ),
        (
            "-A INPUT -m string --string ! –x –algo bm",
            "-A INPUT -m string --string ! –x --algo bm",
        ),
        (
            "-A INPUT -m comment --comment=–x -m recent --check –seconds 60",
            "-A INPUT -m comment --comment=–x -m recent --check --seconds 60",
        ),
    ];

    #[test]
    fn what_a_web_page_did_is_mended() {
        for (line, expected) in MENDED {
            let (mended, readings) = mend(&words(line));
            assert_eq!(mended, words(expected), "{line}");
            let changed = words(line);
            let changed = changed.iter().filter(|word| !mended.contains(word));
            assert_eq!(readings.len(), changed.count(), "{line}: {readings:?}");
            let once = read(words(line), |words| parser::parse(words, &Fixed), |_| {});
            let meant = parser::parse(words(expected), &Fixed).unwrap();
            assert_eq!(format!("{:?}", once.unwrap()), format!("{meant:?}"));
        }
    }

    #[test]
    fn each_word_has_a_warning() {
        let mut warnings = Vec::new();
        let warn = |warning: &str| warnings.push(warning.to_owned());
        read(
            words("-A INPUT-p tcp –syn"),
            |words| parser::parse(words, &Fixed),
            warn,
        )
        .unwrap();
        assert_eq!(
            warnings,
            [
                "read \"INPUT-p\" as \"INPUT -p\"",
                "read \"–syn\" as \"--syn\""
            ]
        );
    }

    #[test]
    fn everything_else_is_left_alone() {
        for line in [
            // Dashes within a word, alone, and before what is no option.
            "-A INPUT -s 192.0.2.1–192.0.2.9",
            "-A INPUT – x",
            "-A INPUT —— x",
            "-A INPUT –‘x’",
            // Texts.
            "-A INPUT -m comment --comment –syn",
            "-A INPUT -j LOG --log-prefix –drop",
            "-A INPUT -m string --string –x --algo bm",
            "-A INPUT -m string --hex-string –x",
            "-A INPUT -m recent --name –x --set",
            "-A INPUT -m comment --comm –x",
            // No value behind it, no built-in chain, no state, no such option, another place.
            "-A INPUT-p",
            "-A INPUT-p -j DROP",
            "-A input-p tcp",
            "-A ssh-p tcp",
            "-N INPUT-p",
            "-F INPUT-p tcp",
            "-A INPUT -j INPUT-p tcp",
            "-A INPUT-x tcp",
            "-A INPUT-pp tcp",
            "-A INPUT -m state --state NEWER-j DROP",
            "-A INPUT -m state --state NEW-j",
            "-A INPUT -m comment --comment NEW-j DROP",
        ] {
            assert_eq!(mend(&words(line)), (words(line), Vec::new()));
        }
    }

    #[test]
    fn what_makes_sense_is_not_touched() {
        // The second is the rule with number 6 of a user-defined chain.
        for line in ["-A –x -j DROP", "-D INPUT-p 6", "-N –x", "-I INPUT-p 6"] {
            let untouched = |warning: &str| panic!("{line}: {warning}");
            read(words(line), |words| parser::parse(words, &Fixed), untouched).unwrap();
        }
    }

    proptest! {
        #[test]
        fn mended_words_are_mended(line in "((-|–|—|--)?(A|INPUT|state|name|NEW|x)?(-p|-j)? ){0,9}") {
            let once = mend(&words(&line)).0;
            prop_assert_eq!(mend(&once), (once.clone(), Vec::new()));
        }

        #[test]
        fn no_words_make_it_panic(words in proptest::collection::vec("[-–A!]{0,2}\\PC{0,4}", 0..6)) {
            let _ = read(words, |words| parser::parse(words, &Fixed), |_| {});
        }
    }
}
