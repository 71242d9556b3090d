// SPDX-License-Identifier: GPL-2.0

//! A line of bash, up to the cursor.

/// The words of a line, as the shell would read them if the line ended here.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The words before the last one.
    pub(super) words: Vec<String>,
    /// The word at the cursor.
    pub(super) current: String,
    /// How much of it, in bytes, bash keeps: what is before the last break or the quote that is open.
    kept: usize,
    /// The quote that is open.
    quote: Option<char>,
}

impl Line {
    /// `breaks` are the characters at which bash breaks words, as in COMP_WORDBREAKS.
    pub(super) fn split(line: &str, breaks: &str) -> Self {
        let mut this = Self::default();
        let mut has_word = false;
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            match (this.quote, character) {
                (None, ' ' | '\t' | '\n') => {
                    if std::mem::take(&mut has_word) {
                        this.words.push(std::mem::take(&mut this.current));
                    }
                    this.kept = 0;
                    continue;
                }
                (None, '\'' | '"') => {
                    this.quote = Some(character);
                    this.kept = this.current.len();
                }
                (Some(quote), _) if quote == character => this.quote = None,
                (None | Some('"'), '\\') => this.current.extend(characters.next()),
                _ => {
                    this.current.push(character);
                    if this.quote.is_none() && breaks.contains(character) {
                        this.kept = this.current.len();
                    }
                }
            }
            has_word = true;
        }
        this
    }

    /// What bash puts behind what it keeps, to make the current word `word`.
    pub(super) fn rest(&self, word: &str) -> String {
        let rest = word.get(self.kept..).unwrap_or_default();
        if self.quote.is_some() {
            return rest.to_owned();
        }
        let mut escaped = String::new();
        for character in rest.chars() {
            if !character.is_alphanumeric() && !"_-.:/@%+,=".contains(character) {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        escaped
    }
}
