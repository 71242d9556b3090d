// SPDX-License-Identifier: GPL-2.0

//! What the module uses of the kernel's procedural macros.

use proc_macro::{
    Delimiter,
    Group,
    TokenStream,
    TokenTree::{self, Punct}, //
};

/// Whatever is zeroed is fine here.
#[proc_macro_derive(MaybeZeroable)]
pub fn maybe_zeroable(_item: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// KUnit's tests are those of `cargo test` here.
#[proc_macro_attribute]
pub fn kunit_tests(_name: TokenStream, module: TokenStream) -> TokenStream {
    let mut marked: TokenStream = "#[cfg(test)]".parse().unwrap();
    marked.extend(module);
    marked
}

/// Fields need no pinning here: their marks are left out.
#[proc_macro_attribute]
pub fn pin_data(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    let is_mark = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.to_string() == "[pin]");
    let fields = |group: &Group| {
        let mut tokens = group.stream().into_iter().peekable();
        let mut kept = TokenStream::new();
        while let Some(token) = tokens.next() {
            if matches!(&token, Punct(punct) if punct.as_char() == '#')
                && tokens.peek().is_some_and(is_mark)
            {
                tokens.next();
                continue;
            }
            kept.extend([token]);
        }
        Group::new(Delimiter::Brace, kept)
    };
    item.into_iter()
        .map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                TokenTree::Group(fields(&group))
            }
            other => other,
        })
        .collect()
}
