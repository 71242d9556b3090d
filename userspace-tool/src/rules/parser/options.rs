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

/// An option that needs no `-m` or `-j`.
#[derive(Debug)]
pub(crate) struct BaseOption {
    pub(crate) base: Base,
    pub(crate) short: Option<char>,
    /// Long names without the dashes.
    pub(crate) names: &'static [&'static str],
    pub(crate) value: HasArg,
    pub(crate) invertible: bool,
}

/// A table of options: `[!]` if it can be inverted, what it stands for, whether it takes a value, its letter, its names.
macro_rules! base_options {
    ($([$($mark:tt)?] $base:ident $value:ident [$($short:literal)?] $($name:literal),+;)*) => {
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
        }),*];
    };
}

base_options! {
    [] Append Required ['A'] "append";
    [] Insert Required ['I'] "insert";
    [] Replace Required ['R'] "replace";
    [] Delete Required ['D'] "delete";
    [] Check Required ['C'] "check";
    [] Flush Optional ['F'] "flush";
    [] NewChain Required ['N'] "new-chain";
    [] DeleteChain Optional ['X'] "delete-chain";
    [] RenameChain Required ['E'] "rename-chain";
    [] ListRules Optional ['S'] "list-rules";
    [] List Optional ['L'] "list";
    [] Policy Required ['P'] "policy";
    [] Zero Optional ['Z'] "zero";
    [] Table Required ['t'] "table";
    [!] Protocol Required ['p'] "protocol", "proto";
    [!] Source Required ['s'] "source", "src";
    [!] Destination Required ['d'] "destination", "dst";
    [!] InInterface Required ['i'] "in-interface";
    [!] OutInterface Required ['o'] "out-interface";
    [!] Fragment None ['f'] "fragment", "fragments";
    [] Jump Required ['j'] "jump";
    [] Goto Required ['g'] "goto";
    [] Match Required ['m'] "match";
    [] Counters Required ['c'] "set-counters";
    [] Numeric None ['n'] "numeric";
    [] Verbose None ['v'] "verbose";
    [] Exact None ['x'] "exact";
    [] LineNumbers None [] "line-numbers";
    [] Ipv4 None ['4'] "ipv4";
    [] Ipv6 None ['6'] "ipv6";
    [] Wait Optional ['w'] "wait";
    [] Json None [] "json";
    [] Help None ['h'] "help";
    [] Version None ['V'] "version";
}
