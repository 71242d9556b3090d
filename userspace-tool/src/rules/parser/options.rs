// SPDX-License-Identifier: GPL-2.0

//! The options that need no `-m` or `-j`.

/// What an option stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Append,
    Insert,
    Replace,
    Delete,
    Check,
    Flush,
    NewChain,
    DeleteChain,
    RenameChain,
    ListRules,
    List,
    Policy,
    Zero,
    Table,
    Protocol,
    Source,
    Destination,
    InInterface,
    OutInterface,
    Fragment,
    Jump,
    Goto,
    Match,
    Counters,
    Numeric,
    Verbose,
    Exact,
    LineNumbers,
    Ipv4,
    Ipv6,
    Wait,
    Json,
    Help,
    Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    Required,
    /// Taken if it follows and cannot be an option.
    Optional,
}

#[derive(Debug)]
pub(crate) struct BaseOption {
    pub(crate) base: Base,
    pub(crate) short: Option<char>,
    /// Long names without the dashes.
    pub(crate) names: &'static [&'static str],
    pub(crate) value: Value,
    pub(crate) negatable: bool,
}

const fn option(
    base: Base,
    short: Option<char>,
    names: &'static [&'static str],
    value: Value,
) -> BaseOption {
    let negatable = matches!(
        base,
        Base::Protocol
            | Base::Source
            | Base::Destination
            | Base::InInterface
            | Base::OutInterface
            | Base::Fragment
    );
    BaseOption {
        base,
        short,
        names,
        value,
        negatable,
    }
}

pub(crate) static ALL: &[BaseOption] = &[
    option(Base::Append, Some('A'), &["append"], Value::Required),
    option(Base::Insert, Some('I'), &["insert"], Value::Required),
    option(Base::Replace, Some('R'), &["replace"], Value::Required),
    option(Base::Delete, Some('D'), &["delete"], Value::Required),
    option(Base::Check, Some('C'), &["check"], Value::Required),
    option(Base::Flush, Some('F'), &["flush"], Value::Optional),
    option(Base::NewChain, Some('N'), &["new-chain"], Value::Required),
    option(
        Base::DeleteChain,
        Some('X'),
        &["delete-chain"],
        Value::Optional,
    ),
    option(
        Base::RenameChain,
        Some('E'),
        &["rename-chain"],
        Value::Required,
    ),
    option(Base::ListRules, Some('S'), &["list-rules"], Value::Optional),
    option(Base::List, Some('L'), &["list"], Value::Optional),
    option(Base::Policy, Some('P'), &["policy"], Value::Required),
    option(Base::Zero, Some('Z'), &["zero"], Value::Optional),
    option(Base::Table, Some('t'), &["table"], Value::Required),
    option(
        Base::Protocol,
        Some('p'),
        &["protocol", "proto"],
        Value::Required,
    ),
    option(Base::Source, Some('s'), &["source", "src"], Value::Required),
    option(
        Base::Destination,
        Some('d'),
        &["destination", "dst"],
        Value::Required,
    ),
    option(
        Base::InInterface,
        Some('i'),
        &["in-interface"],
        Value::Required,
    ),
    option(
        Base::OutInterface,
        Some('o'),
        &["out-interface"],
        Value::Required,
    ),
    option(
        Base::Fragment,
        Some('f'),
        &["fragment", "fragments"],
        Value::None,
    ),
    option(Base::Jump, Some('j'), &["jump"], Value::Required),
    option(Base::Goto, Some('g'), &["goto"], Value::Required),
    option(Base::Match, Some('m'), &["match"], Value::Required),
    option(
        Base::Counters,
        Some('c'),
        &["set-counters"],
        Value::Required,
    ),
    option(Base::Numeric, Some('n'), &["numeric"], Value::None),
    option(Base::Verbose, Some('v'), &["verbose"], Value::None),
    option(Base::Exact, Some('x'), &["exact"], Value::None),
    option(Base::LineNumbers, None, &["line-numbers"], Value::None),
    option(Base::Ipv4, Some('4'), &["ipv4"], Value::None),
    option(Base::Ipv6, Some('6'), &["ipv6"], Value::None),
    option(Base::Wait, Some('w'), &["wait"], Value::Optional),
    option(Base::Json, None, &["json"], Value::None),
    option(Base::Help, Some('h'), &["help"], Value::None),
    option(Base::Version, Some('V'), &["version"], Value::None),
];
