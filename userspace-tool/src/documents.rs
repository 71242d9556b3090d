// SPDX-License-Identifier: GPL-2.0

//! The manual pages: `palisade documents TEMPLATES DIRECTORY`, which only a build with the feature `documents` has.
//!
//! A template is a page in man(7), `Documentation/man/NAME.in`. A line of it such as `@MATCHES@` stands for what the tables
//! of options, or clap, say; [`fill`] lists them all.

use std::{fs, path::Path};

use clap_mangen::{
    Man,
    roff::{Inline, Roff, bold, italic, roman},
};

use crate::{
    error::Error,
    netlink::RELEASE,
    rules::{ExtensionOption, ExtensionType, MATCHES, Section, TARGETS, base_options},
    subcommands,
    text::wrap,
};

/// How long the lines of a page are at most, where they can be broken.
const LINE_LENGTH: usize = 80;

/// Run `documents` with these arguments. Returns its output.
pub(crate) fn run(arguments: &[String]) -> Result<String, Error> {
    let [_, templates, directory] = arguments else {
        return Err(Error::usage("documents TEMPLATES DIRECTORY"));
    };
    for (name, page) in pages(Path::new(templates))? {
        let path = Path::new(directory).join(&name);
        fs::write(&path, page)
            .map_err(|error| Error::Failure(format!("cannot write {}: {error}", path.display())))?;
    }
    Ok(String::new())
}

/// The pages of a folder of templates, by their names.
fn pages(templates: &Path) -> Result<Vec<(String, String)>, Error> {
    let failure = |error| Error::Failure(format!("cannot read {}: {error}", templates.display()));
    let mut pages = Vec::new();
    for entry in fs::read_dir(templates).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        if path.extension().is_some_and(|extension| extension == "in") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let template = fs::read_to_string(&path).map_err(failure)?;
            let page = fill(&template)
                .map_err(|reason| Error::Failure(format!("{}: {reason}", path.display())))?;
            pages.push((name.into_owned(), page));
        }
    }
    pages.sort();
    Ok(pages)
}

/// The page that a template stands for.
fn fill(template: &str) -> Result<String, String> {
    let mut page = String::new();
    for line in template.replace("@VERSION@", RELEASE).lines() {
        let placeholder = line
            .strip_prefix('@')
            .and_then(|line| line.strip_suffix('@'));
        let Some(placeholder) = placeholder else {
            page += &format!("{line}\n");
            continue;
        };
        let (what, of) = placeholder.split_once(' ').unwrap_or((placeholder, ""));
        page += &match what {
            "COMMANDS" => base(Section::Command),
            "GENERAL" => base(Section::General),
            "RULE" => base(Section::Rule),
            "DISPLAY" => base(Section::Display),
            "MATCHES" => extensions("-m", MATCHES),
            "TARGETS" => extensions("-j", TARGETS),
            "SUBCOMMANDS" => references(),
            "SYNOPSIS" => rendered(&command(of)?, Man::render_synopsis_section),
            "OPTIONS" => rendered(&command(of)?, Man::render_options_section),
            "VERBS" => verbs(&command(of)?),
            _ => return Err(format!("there is nothing for {line}")),
        };
    }
    Ok(wrapped(&page))
}

/// The page with its text in short lines, as man-pages(7) and mandoc's lint want them.
fn wrapped(page: &str) -> String {
    let mut text = String::new();
    let mut is_example = false;
    let mut is_tag = false;
    for line in page.lines() {
        is_example = line == ".EX" || is_example && line != ".EE";
        // A tag is one line, and so is a request.
        let line = match is_example || is_tag || line.starts_with('.') {
            true => line.to_owned(),
            false => wrap(line, LINE_LENGTH).replace("\n.", "\n\\&."),
        };
        is_tag = line == ".TP";
        text += &format!("{line}\n");
    }
    text
}

/// The options of a section.
fn base(section: Section) -> String {
    let mut roff = Roff::new();
    for option in base_options(section) {
        roff.control("TP", []);
        let mut head = vec![roman(if option.invertible { "[!] " } else { "" })];
        for (index, spelling) in option.spellings().enumerate() {
            head.extend((index > 0).then(|| roman(", ")));
            head.push(bold(spelling));
        }
        head.push(roman(" "));
        head.extend(values(option.values));
        roff.text(head).text(prose(option.help));
    }
    clean(&roff.to_roff())
}

fn extensions(loader: &str, kinds: &[&ExtensionType]) -> String {
    let mut roff = Roff::new();
    for (index, kind) in kinds.iter().enumerate() {
        roff.control("SS", [kind.name]);
        roff.text(prose(&format!("{loader} {}: {}.", kind.name, kind.about)));
        let is_same = |other: &&ExtensionType| std::ptr::eq(other.options, kind.options);
        if !kind.options.is_empty() && kinds.iter().take(index).any(is_same) {
            // Another name of one that is described above.
            continue;
        }
        for option in kind.options {
            extension_option(option, &mut roff);
        }
        if !kind.notes.is_empty() {
            roff.control("PP", []).text(prose(kind.notes));
        }
        if !kind.examples.is_empty() {
            roff.control("PP", []).control("EX", []);
            for example in kind.examples {
                roff.text([roman(format!("palisade {example}"))]);
            }
            roff.control("EE", []);
        }
    }
    clean(&roff.to_roff())
}

fn extension_option(option: &ExtensionOption, roff: &mut Roff) {
    roff.control("TP", []);
    let mut head = vec![roman(if option.invertible { "[!] " } else { "" })];
    for (index, name) in option.names.iter().enumerate() {
        head.extend((index > 0).then(|| roman(", ")));
        head.push(bold(format!("--{name}")));
    }
    head.push(roman(" "));
    head.extend(values(option.values));
    let known = option.known().map(|known| format!("; {known}"));
    let help = format!("{}{}", option.help, known.unwrap_or_default());
    roff.text(head).text(prose(&help));
}

/// The commands that are words, and where they are described.
fn references() -> String {
    let mut roff = Roff::new();
    for subcommand in subcommands::ALL {
        roff.control("TP", []);
        roff.text([bold(format!("palisade {}", subcommand.name))]);
        let page = bold(format!("palisade-{}", subcommand.name));
        roff.text([roman(format!("{}: ", subcommand.about)), page, roman("(8)")]);
    }
    clean(&roff.to_roff())
}

/// The command of this name, without the options for its help.
fn command(name: &str) -> Result<clap::Command, String> {
    let mut all = subcommands::ALL.iter();
    let found = all.find(|one| one.name == name);
    let found = found.ok_or_else(|| format!("there is no command {name}"))?;
    let mut command = (found.command)().disable_help_flag(true);
    command = command.mut_subcommands(|subcommand| subcommand.disable_help_flag(true));
    command.build();
    Ok(command)
}

/// A section that clap_mangen makes, without its heading.
fn rendered(
    command: &clap::Command,
    render: fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>,
) -> String {
    let mut section = Vec::new();
    // Writing to a Vec does not fail.
    let _ = render(&Man::new(command.clone()), &mut section);
    let section = clean(&String::from_utf8_lossy(&section));
    let lines = section.lines().filter(|line| !line.starts_with(".SH"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The commands of a command.
fn verbs(command: &clap::Command) -> String {
    let mut text = String::new();
    for verb in command.get_subcommands() {
        let about = verb
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        let mut roff = Roff::new();
        roff.text(prose(&format!("{about}.")));
        let synopsis = rendered(verb, Man::render_synopsis_section);
        let options = rendered(verb, Man::render_options_section);
        text += &format!(
            ".TP\n{synopsis}{}.RS\n{options}.RE\n",
            clean(&roff.to_roff())
        );
    }
    text
}

/// Text without the lines and references that only old formatters need.
fn clean(roff: &str) -> String {
    let lines = roff.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.is_empty() && !line.contains(".ds Aq"));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    text.replace("\\*(Aq", "\\(aq")
}

/// A help text, with its options in bold.
fn prose(text: &str) -> Vec<Inline> {
    let mut inlines = Vec::new();
    for (index, word) in text.split_whitespace().enumerate() {
        inlines.extend((index > 0).then(|| roman(" ")));
        let end = word.trim_end_matches([',', '.', ':', ';', ')']).len();
        let (word, rest) = word.split_at(end);
        let is_option = word.len() > 1 && word.starts_with('-');
        inlines.push(if is_option { bold(word) } else { roman(word) });
        inlines.extend((!rest.is_empty()).then(|| roman(rest)));
    }
    inlines
}

/// What stands for values, in italics where it is no word of the language.
fn values(text: &str) -> Vec<Inline> {
    let is_name = |character: char| character.is_ascii_uppercase();
    let pieces = text.split_inclusive(|character| !is_name(character));
    let mut inlines = Vec::new();
    for piece in pieces {
        let end = piece
            .trim_end_matches(|character| !is_name(character))
            .len();
        let (name, rest) = piece.split_at(end);
        inlines.extend((!name.is_empty()).then(|| italic(name)));
        inlines.extend((!rest.is_empty()).then(|| roman(rest)));
    }
    inlines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> Vec<(String, String)> {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Documentation/man");
        pages(&templates).unwrap()
    }

    fn page(name: &str) -> String {
        let found = all().into_iter().find(|(one, _)| one == name);
        found
            .unwrap_or_else(|| panic!("Documentation/man/{name}.in is missing"))
            .1
    }

    /// The words that a reader sees.
    fn words(page: &str) -> BTreeSet<String> {
        let text = ["\\fB", "\\fI", "\\fR"]
            .iter()
            .fold(page.replace("\\-", "-"), |text, font| {
                text.replace(font, " ")
            });
        let is_end = |character: char| !character.is_alphanumeric() && !"-!_".contains(character);
        text.split(is_end).map(str::to_owned).collect()
    }

    #[test]
    fn the_rules_page_has_every_option() {
        let words = words(&page("palisade-rules.7"));
        for kind in MATCHES.iter().chain(TARGETS) {
            assert!(words.contains(kind.name), "{}", kind.name);
            for option in kind.options {
                for name in option.names {
                    let name = format!("--{name}");
                    assert!(words.contains(&name), "{} {name}", kind.name);
                }
            }
        }
        for option in base_options(Section::Rule) {
            assert!(
                option.spellings().all(|name| words.contains(&name)),
                "{option:?}"
            );
        }
    }

    #[test]
    fn the_command_page_has_every_command() {
        let words = words(&page("palisade.8"));
        for section in [Section::Command, Section::General, Section::Display] {
            for option in base_options(section) {
                assert!(
                    option.spellings().all(|name| words.contains(&name)),
                    "{option:?}"
                );
            }
        }
    }

    #[test]
    fn each_command_has_a_page_with_its_options() {
        fn check(command: &clap::Command, words: &BTreeSet<String>) {
            for argument in command.get_arguments() {
                if let Some(long) = argument.get_long().filter(|long| *long != "help") {
                    assert!(words.contains(&format!("--{long}")), "{command}: --{long}");
                }
            }
            for verb in command.get_subcommands() {
                assert!(words.contains(verb.get_name()), "{command}: {verb}");
                check(verb, words);
            }
        }
        for subcommand in subcommands::ALL {
            let page = page(&format!("palisade-{}.8", subcommand.name));
            check(&(subcommand.command)(), &words(&page));
        }
    }

    #[test]
    fn pages_have_the_usual_sections() {
        for (name, page) in all() {
            for section in ["NAME", "DESCRIPTION", "EXAMPLES", "SEE ALSO"] {
                assert!(
                    page.contains(&format!("\n.SH {section}\n")),
                    "{name}: {section}"
                );
            }
            assert!(
                !page.contains("\n@") && !page.contains("@VERSION@"),
                "{name}"
            );
        }
    }
}
