// SPDX-License-Identifier: GPL-2.0

//! Completion of command lines. The shells' scripts, in `userspace-tool/completions`, run `palisade complete`, which
//! is in no help:
//!
//! ```text
//! palisade complete line BREAKS LINE    bash: the line up to the cursor, and where bash breaks words
//! palisade complete words WORD...       zsh, fish: the words behind `palisade`; the last one is completed
//! ```
//!
//! It prints a candidate a line; `words` has a tab and a description behind it. [`FILES`] stands for the names of files.

mod clap;
mod line;
mod source;

use crate::{
    netlink::spec::Table,
    rules::{System, complete_rule},
    subcommands,
};
use line::Line;
use source::Kernel;

/// The line that asks the shell for the names of files.
const FILES: &str = ":files";

/// A word that the line may go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) word: String,
    pub(crate) about: String,
}

impl Candidate {
    pub(crate) fn new(word: impl Into<String>, about: impl Into<String>) -> Self {
        let (word, about) = (word.into(), about.into());
        Self { word, about }
    }
}

/// Where names come from that only the machine knows.
pub(crate) trait Source {
    /// The user-defined chains of a table.
    fn chains(&self, table: Table) -> Vec<String>;
    fn lists(&self) -> Vec<String>;
    fn interfaces(&self) -> Vec<String>;
}

/// Run `complete` with these arguments. Returns its output, which is empty where nothing can be said.
pub(crate) fn run(arguments: &[String]) -> String {
    match arguments {
        [_, form, breaks, line] if form == "line" => complete_line(breaks, line, &Kernel),
        [_, form, words @ .., current] if form == "words" => candidates(words, current, &Kernel)
            .iter()
            .flat_map(|candidate| [&candidate.word, "\t", &candidate.about, "\n"])
            .collect(),
        _ => String::new(),
    }
}

/// The candidates as bash takes them: without what is before the last break in the word.
fn complete_line(breaks: &str, line: &str, source: &dyn Source) -> String {
    let line = Line::split(line, breaks);
    let Some((_program, words)) = line.words.split_first() else {
        return String::new();
    };
    candidates(words, &line.current, source)
        .iter()
        .map(|candidate| match candidate.word.as_str() {
            FILES => format!("{FILES}\n"),
            word => line.rest(word) + "\n",
        })
        .collect()
}

/// What may stand for the word `current` behind these words.
fn candidates(words: &[String], current: &str, source: &dyn Source) -> Vec<Candidate> {
    let mut candidates = match subcommands::find(words) {
        Some((subcommand, rest)) => clap::candidates(subcommand, &rest, current, source),
        None => {
            let names = System::default();
            let mut candidates = complete_rule(words.to_vec(), current, &names, source);
            if subcommands::may_follow(words) {
                let all = subcommands::ALL.iter();
                candidates.extend(all.map(|one| Candidate::new(one.name, one.about)));
            }
            candidates
        }
    };
    // What other programs may have called a chain must not reach the terminal.
    let is_text = |candidate: &Candidate| !candidate.word.contains(char::is_control);
    candidates.retain(|candidate| candidate.word == FILES || candidate.word.starts_with(current));
    candidates.retain(is_text);
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Source for Fixed {
        fn chains(&self, table: Table) -> Vec<String> {
            let names: &[&str] = match table {
                Table::Filter => &["guard", "guests", "INNER", "bad\x1b"],
                Table::Raw => &["early"],
                Table::Nat | Table::Mangle => &[],
            };
            names.iter().map(|name| (*name).to_owned()).collect()
        }

        fn lists(&self) -> Vec<String> {
            ["SSH", "SSH 2", "a:b", "WEB"].map(str::to_owned).into()
        }

        fn interfaces(&self) -> Vec<String> {
            ["eth0", "lo"].map(str::to_owned).into()
        }
    }

    /// What bash has between words.
    const BREAKS: &str = " \t\n\"'><=;|&(:";

    fn complete(line: &str) -> String {
        let output = complete_line(BREAKS, &format!("palisade {line}"), &Fixed);
        output.lines().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines_are_completed() {
        let mut wrong = Vec::new();
        for (line, expected) in [
            // Commands.
            ("s", "save"),
            ("re", "restore"),
            ("--lis", "--list --list-rules"),
            ("-A", "-A"),
            ("-4 sa", "save"),
            // Chains and tables.
            ("-A I", "INPUT INNER"),
            ("-A INP", "INPUT"),
            ("-t raw -A ", "PREROUTING OUTPUT early"),
            ("-t nat --insert P", "PREROUTING POSTROUTING"),
            ("-A gu", "guard guests"),
            ("--append=gu", "guard guests"),
            ("-N gu", ""),
            ("-X ", "guard guests INNER"),
            ("-P ", "INPUT FORWARD OUTPUT"),
            ("-P INPUT ", "ACCEPT DROP"),
            ("-t ", "raw filter nat mangle"),
            ("-L F", "FORWARD"),
            // Rules.
            ("-A INPUT -m re", "recent"),
            ("-A INPUT -m recent --na", "--name"),
            ("-A INPUT -m recent --name S", "SSH SSH\\ 2"),
            ("-A INPUT -m recent --name=S", "SSH SSH\\ 2"),
            ("-A INPUT -m recent --name \"SSH ", "SSH 2"),
            ("-A INPUT -m recent --name 'a:", "a:b"),
            ("-A INPUT -m recent --name a:", "b"),
            ("-A INPUT -m recent --se", "--set --seconds --set-counters"),
            ("-A INPUT -m recent --set --se", "--seconds --set-counters"),
            ("-A INPUT -m recent ! --r", "--rcheck --remove"),
            ("-A INPUT -m comment --comment \"-j \" --comm", ""),
            (
                "-A INPUT -m comment --comment \"-m recent\" -m conn",
                "conntrack connlimit",
            ),
            ("-A INPUT -p tcp --sy", "--syn"),
            ("-A INPUT -p tcp --destination-", "--destination-port"),
            ("-A INPUT --sy", ""),
            ("-A INPUT -p ud", "udp"),
            ("-A INPUT -i e", "eth0"),
            ("-A INPUT -m conntrack --ctstate NEW,R", "NEW,RELATED"),
            ("-A INPUT -p tcp --tcp-flags SYN,ACK S", "SYN"),
            (
                "-A INPUT -p icmp --icmp-type echo",
                "echo-reply echo-request",
            ),
            ("-A INPUT -j RE", "RETURN REJECT REDIRECT"),
            ("-A INPUT -j gua", "guard"),
            ("-A INPUT -g ", "guard guests INNER"),
            ("-A INPUT -j REJECT --reject-with tcp", "tcp-reset"),
            ("-A INPUT -j LOG --log-u", "--log-uid"),
            ("-A INPUT -j nowhere --log-u", ""),
            (
                "-A INPUT -j LOG -",
                "--log-level --log-prefix --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid \
                 --log-macdecode -t -4 -6 -p -s -d -i -o -f -m -c",
            ),
            // A value that cannot be known, and what is wrong before.
            ("-A INPUT -s ", ""),
            ("-A INPUT -p tcp --dport ", ""),
            ("-A INPUT -m nonsense -j DR", "DROP"),
            ("-L -", "-Z -t -4 -6 -v -x -n --line-numbers --json"),
            ("-F x -", "-t -4 -6"),
            // Subcommands.
            ("list sh", "show"),
            ("list show S", "SSH SSH\\ 2"),
            ("list ls --j", "--json"),
            ("list set WEB s", "size="),
            (
                "list set WEB ex",
                "except=SSH except=SSH\\ 2 except=a:b except=WEB",
            ),
            ("list add WEB 192.0.2.1 f", "for="),
            ("ban 192.0.2.1 f", "for="),
            ("ban --list S", "SSH SSH\\ 2"),
            ("unban --l", "--list"),
            ("protect --when", "--when-flooded"),
            ("protect -i ", "eth0 lo"),
            ("metrics --li", "--listen"),
            ("metrics --ou", "--output"),
            ("metrics --output x", "FILES"),
            ("monitor --js", "--json"),
            ("trace --js", "--json"),
            ("monitor --list W", "WEB"),
            ("top --on", "--once"),
            ("top --list W", "WEB"),
            ("save -t ", "raw filter nat mangle"),
            ("-6 restore --te", "--test"),
            ("restore rul", "FILES"),
            ("restore -T n", "nat"),
        ] {
            let words = complete(line);
            let expected = expected.replace("FILES", FILES);
            if words != expected {
                wrong.push(format!("{line}: {words}, not {expected}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_new_line_has_commands() {
        let words = complete("");
        for expected in [
            "-A", "-L", "save", "restore", "list", "protect", "ban", "metrics", "monitor", "top",
            "trace",
        ] {
            assert!(words.split(' ').any(|word| word == expected), "{words}");
        }
    }

    #[test]
    fn other_shells_get_descriptions() {
        let words = ["-A", "INPUT", "-m", "recent"].map(str::to_owned);
        let candidates = candidates(&words, "--rd", &Fixed);
        assert_eq!(
            candidates,
            [Candidate::new("--rdest", "look up the destination address")]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "(-A|INPUT|-m|recent|--name|list|'|\"|\\\\|=|,|!| |\\PC){0,20}") {
            complete(&line);
        }
    }
}
