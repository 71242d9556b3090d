// SPDX-License-Identifier: GPL-2.0

//! `palisade save`.

use clap::Parser;

use super::{execute::session::Session, families::Families, model::chain, print};
use crate::{error::Error, netlink::spec::Table, usage};

/// Print the rules of all tables as iptables-save does, so that palisade restore can read them
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade save",
    infer_long_args = true,
    args_override_self = true,
    override_usage = "palisade save [-46] [-t TABLE] [-c]"
)]
pub(crate) struct SaveArguments {
    /// Only this table: raw, filter, nat or mangle
    #[arg(short, long, value_parser = chain::parse_table)]
    table: Option<Table>,
    /// With the counters of the rules
    #[arg(short, long)]
    counters: bool,
    #[command(flatten)]
    families: Families,
}

/// Run `save` with these arguments. Returns its output.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<SaveArguments>("save", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "save"),
    };
    let family = arguments.families.only();
    let chains = Session::open(arguments.table)?.chains(None, None, family)?;
    Ok(print::save_file(&chains, arguments.counters, family))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{model::family::Family, tests::words};

    fn parse(line: &str) -> Result<SaveArguments, String> {
        let error = |error| usage::explain(&error, "save").unwrap_err().to_string();
        usage::parse("save", words(line)).map_err(error)
    }

    #[test]
    fn options_are_read() {
        let wanted = parse("-ct nat").unwrap();
        assert!(wanted.counters && wanted.table == Some(Table::Nat));
        assert_eq!(parse("-6").unwrap().families.only(), Some(Family::Ipv6));
        assert_eq!(parse("-46 --ipv4").unwrap().families.only(), None);
        assert!(parse("--count --tab=raw").unwrap().counters);
        for (line, expected) in [
            (
                "-t security",
                "save: invalid value 'security' for '--table <TABLE>': there is no such table: known are \
                 raw, filter, nat, mangle: see palisade save --help",
            ),
            (
                "-t",
                "save: a value is required for '--table <TABLE>' but none was supplied: see palisade \
                 save --help",
            ),
            (
                "--counter=1",
                "save: unexpected value '1' for '--counters' found; no more were expected: see \
                 palisade save --help",
            ),
            (
                "-q",
                "save: unexpected argument '-q' found: see palisade save --help",
            ),
            (
                "--conuters",
                "save: unexpected argument '--conuters' found: a similar argument exists: \
                 '--counters': see palisade save --help",
            ),
            (
                "x",
                "save: unexpected argument 'x' found: see palisade save --help",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err(), expected, "{line}");
        }
    }
}
