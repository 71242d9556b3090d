// SPDX-License-Identifier: GPL-2.0

//! The options that need no `-m` or `-j`.

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HasArg {
    None,
    Required,
    /// Taken if it follows and cannot be an option.
    Optional,
}

/// What an option is about; the help and the manual have a section for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Command,
    /// Where a command works, and on what.
    General,
    /// Part of a rule.
    Rule,
    /// How rules are shown.
    Display,
}

/// An option that needs no `-m` or `-j`.
#[derive(Debug)]
pub(crate) struct BaseOption {
    pub(crate) base: Base,
    pub(crate) short: Option<char>,
    /// Long names without the dashes; the help shows the first one.
    pub(crate) names: &'static [&'static str],
    pub(crate) value: HasArg,
    pub(crate) invertible: bool,
    pub(crate) section: Section,
    /// What stands for its values in the help.
    pub(crate) values: &'static str,
    pub(crate) help: &'static str,
}

impl BaseOption {
    /// Its letter and its first name, as they are given.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = String> {
        let short = self.short.map(|letter| format!("-{letter}"));
        let long = self.names.first().map(|name| format!("--{name}"));
        short.into_iter().chain(long)
    }
}

/// A table of options: `[!]` if it can be inverted, what it stands for, whether it takes a value, its letter, its names,
/// what stands for its values, its section and its help.
macro_rules! base_options {
    ($([$($mark:tt)?] $base:ident $value:ident [$($short:literal)?] $($name:literal),+ $(: $values:literal)?
        => $section:ident, $help:literal;)*) => {
        /// What an option stands for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Base {
            $($base,)*
        }

        pub(crate) static ALL: &[BaseOption] = &[$(BaseOption {
            base: Base::$base,
            short: [$(Some($short),)? None][0],
            names: &[$($name),+],
            value: HasArg::$value,
            invertible: matches!(stringify!($($mark)?).as_bytes(), b"!"),
            section: Section::$section,
            values: concat!($($values)?),
            help: $help,
        }),*];
    };
}

base_options! {
    [] Append Required ['A'] "append": "CHAIN RULE" => Command, "append a rule";
    [] Insert Required ['I'] "insert": "CHAIN [NUMBER] RULE" => Command,
        "insert a rule, at the start or as NUMBER";
    [] Replace Required ['R'] "replace": "CHAIN NUMBER RULE" => Command, "replace a rule";
    [] Delete Required ['D'] "delete": "CHAIN RULE|NUMBER" => Command, "delete a rule";
    [] Check Required ['C'] "check": "CHAIN RULE" => Command, "exit with 0 if there is such a rule";
    [] List Optional ['L'] "list": "[CHAIN [NUMBER]]" => Command,
        "show chains as tables; -v shows counters";
    [] ListRules Optional ['S'] "list-rules": "[CHAIN [NUMBER]]" => Command,
        "show rules as they can be given again";
    [] Flush Optional ['F'] "flush": "[CHAIN]" => Command, "delete all rules";
    [] Policy Required ['P'] "policy": "CHAIN ACCEPT|DROP" => Command,
        "set what happens where no rule decides";
    [] Zero Optional ['Z'] "zero": "[CHAIN [NUMBER]]" => Command, "set counters to zero";
    [] NewChain Required ['N'] "new-chain": "CHAIN" => Command,
        "create a chain that rules can jump to";
    [] DeleteChain Optional ['X'] "delete-chain": "[CHAIN]" => Command,
        "delete it, or all; they have to be empty";
    [] RenameChain Required ['E'] "rename-chain": "CHAIN NAME" => Command, "rename it";
    [] Table Required ['t'] "table": "TABLE" => General,
        "filter (chains INPUT, FORWARD, OUTPUT) if not given, raw (PREROUTING, OUTPUT), nat \
         (PREROUTING, INPUT, OUTPUT, POSTROUTING) or mangle (all five)";
    [] Ipv4 None ['4'] "ipv4" => General,
        "for IPv4 only; a rule is for both IP versions unless its addresses, its protocol \
         (icmp, icmpv6), its matches (ttl, hl, iprange, addrtype) or its target (REJECT, \
         DNAT, SNAT) say otherwise, and other commands are about what there is for one; a rule for both is then left to the other";
    [] Ipv6 None ['6'] "ipv6" => General, "for IPv6 only";
    [] Wait Optional ['w'] "wait": "[SECONDS]" => General, "accepted; there is no lock to wait for";
    [] Help None ['h'] "help" => General, "this, and the options of the matches and targets given";
    [] Version None ['V'] "version" => General, "the version of the tool";
    [!] Protocol Required ['p'] "protocol", "proto": "PROTOCOL" => Rule,
        "tcp, udp, icmp, icmpv6, a number, a name of /etc/protocols, all";
    [!] Source Required ['s'] "source", "src": "ADDRESS[/MASK],.." => Rule,
        "source addresses, networks or hosts; several make a rule for each";
    [!] Destination Required ['d'] "destination", "dst": "ADDRESS[/MASK],.." => Rule,
        "destination addresses";
    [!] InInterface Required ['i'] "in-interface": "INTERFACE" => Rule,
        "where the packet came in; eth+ is any name that begins with eth";
    [!] OutInterface Required ['o'] "out-interface": "INTERFACE" => Rule,
        "where it goes out; not for packets that are yet to be routed";
    [!] Fragment None ['f'] "fragment", "fragments" => Rule,
        "fragments of packets other than the first";
    [] Match Required ['m'] "match": "MATCH" => Rule, "a match, with its options behind it";
    [] Jump Required ['j'] "jump": "TARGET" => Rule,
        "a target, with its options behind it, or a user-defined chain, from which packets come \
         back; without it packets are only counted";
    [] Goto Required ['g'] "goto": "CHAIN" => Rule,
        "as -j, but packets do not come back to this chain";
    [] Counters Required ['c'] "set-counters": "PACKETS BYTES" => Rule,
        "what the counters of the rule start at";
    [] Verbose None ['v'] "verbose" => Display, "counters and interfaces";
    [] Exact None ['x'] "exact" => Display, "counters without K, M, G";
    [] Numeric None ['n'] "numeric" => Display,
        "accepted; addresses and ports are always shown as numbers, and a rule for IPv4 and \
         IPv6 has `any` as an address";
    [] LineNumbers None [] "line-numbers" => Display, "the positions of the rules";
    [] Json None [] "json" => Display, "as JSON";
}
