// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade protect`.

use clap::Parser;

use super::{CHAIN, endpoint::Endpoint};
use crate::{
    error::Error,
    rules::{self, Names, Rule},
    text::quote,
};

/// Keep floods of SYNs from servers, by rules with the target SYNPROXY in PREROUTING of the table raw
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade protect",
    override_usage = "\
palisade protect [--when-flooded RATE[/BURST]] [--window N] [--until-data[=SECONDS]] [-i INTERFACE] \
                        [ADDRESS:]PORT...
       palisade protect --remove [-i INTERFACE] [ADDRESS:]PORT...
       palisade protect --status [--json]"
)]
pub(crate) struct ProtectArguments {
    /// Ports of servers, by number or name; of all addresses, or of one, such as 192.0.2.1:80 or
    /// [2001:db8::1]:443
    #[arg(value_name = "[ADDRESS:]PORT", conflicts_with = "status")]
    endpoints: Vec<String>,
    /// Let handshakes pass up to so many SYNs a second, of which BURST may come at once
    #[arg(long, value_name = "RATE[/BURST]", conflicts_with_all = ["remove", "status"])]
    when_flooded: Option<String>,
    /// Tell clients of servers behind this machine no larger window before the server has answered;
    /// with 0 they wait until it has
    #[arg(long, value_name = "N", conflicts_with_all = ["remove", "status"])]
    window: Option<String>,
    /// Open no connection before the client's first bytes are there, or so many seconds (3 if not
    /// given) are over: rules see these bytes in the connection's SYN
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with_all = ["remove", "status"]
    )]
    until_data: Option<String>,
    /// Only for what comes in there; eth+ is any name that begins with eth
    #[arg(
        short,
        long = "in-interface",
        value_name = "INTERFACE",
        conflicts_with = "status"
    )]
    interface: Option<String>,
    /// Remove the rules again
    #[arg(long, conflicts_with = "status")]
    remove: bool,
    /// Show what is protected, from how much, and what is known of the servers
    #[arg(long)]
    status: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A rule that protects an endpoint.
#[derive(Debug)]
pub(super) struct Protector {
    pub(super) endpoint: Endpoint,
    pub(super) rule: Rule,
}

/// What is asked for.
#[derive(Debug)]
pub(super) enum ProtectCommand {
    Add(Vec<Protector>),
    Remove {
        endpoints: Vec<Endpoint>,
        interface: Option<String>,
    },
    Status {
        json: bool,
    },
}

impl ProtectArguments {
    pub(super) fn command(self, names: &dyn Names) -> Result<ProtectCommand, Error> {
        if self.status {
            return Ok(ProtectCommand::Status { json: self.json });
        }
        if self.json {
            return Err(Error::usage("protect: --json goes with --status"));
        }
        let endpoints = self.endpoints(names)?;
        if self.remove {
            return Ok(ProtectCommand::Remove {
                endpoints,
                interface: self.interface,
            });
        }
        let mut protectors = Vec::with_capacity(endpoints.len());
        for endpoint in endpoints {
            let rules = rules::appended(self.words(endpoint), names)
                .map_err(|error| Error::usage(format!("protect: {error}")))?;
            let rules = rules.into_iter();
            protectors.extend(rules.map(|rule| Protector { endpoint, rule }));
        }
        Ok(ProtectCommand::Add(protectors))
    }

    /// The endpoints, each once.
    fn endpoints(&self, names: &dyn Names) -> Result<Vec<Endpoint>, Error> {
        let mut endpoints = Vec::new();
        for text in &self.endpoints {
            let endpoint = Endpoint::parse(text, names)
                .map_err(|reason| Error::usage(format!("protect: {}: {reason}", quote(text))))?;
            if !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
        if endpoints.is_empty() {
            return Err(Error::usage(
                "protect needs a port, such as 443, or an address and a port, such as \
                 192.0.2.1:443: palisade protect --help shows more",
            ));
        }
        Ok(endpoints)
    }

    /// The command line that makes the rule.
    fn words(&self, endpoint: Endpoint) -> Vec<String> {
        let mut words: Vec<String> = ["-t", "raw", "-A", CHAIN].map(str::to_owned).into();
        let mut option = |name: &str, value: &str| {
            words.extend([name.to_owned(), value.to_owned()]);
        };
        if let Some(interface) = &self.interface {
            option("-i", interface);
        }
        option("-p", "tcp");
        if let Some(address) = endpoint.address {
            option("-d", &address.to_string());
        }
        option("--dport", &endpoint.port.to_string());
        option("-j", "SYNPROXY");
        if let Some(window) = &self.window {
            option("--window", window);
        }
        if let Some(rate) = &self.when_flooded {
            option("--when-flooded", rate);
        }
        if let Some(seconds) = &self.until_data {
            words.push(match seconds.as_str() {
                "" => "--until-data".to_owned(),
                _ => format!("--until-data={seconds}"),
            });
        }
        words
    }
}
