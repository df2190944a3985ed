//! Where a text will be read: how wide, and whether with styles.

use anstyle::{AnsiColor, Style};

use crate::error::{Mention, Text};
use crate::report::words;

/// Characters of a line of words at most, on however wide a screen, and of a line of a table.
const WIDEST: usize = 118;
const WIDEST_TABLE: usize = 160;

/// What a text is written for.
#[derive(Debug, Clone, Copy)]
pub struct View {
    columns: usize,
    styled: bool,
    front: fn(&Mention) -> String,
}

impl View {
    /// A file or another program: as wide as it takes, without styles.
    pub const PLAIN: View = View { columns: WIDEST, styled: false, front: Mention::neutral };

    /// A terminal of so many columns.
    pub fn terminal(columns: usize, styled: bool) -> View {
        View { columns: columns.clamp(30, WIDEST_TABLE), styled, ..View::PLAIN }
    }

    /// For readers who give options as `front` says.
    #[must_use]
    pub fn with_front(self, front: fn(&Mention) -> String) -> View {
        View { front, ..self }
    }

    pub fn columns(self) -> usize {
        self.columns
    }

    fn with(self, style: Style, text: &str) -> String {
        if !self.styled {
            return text.to_string();
        }
        // A style ends with its line.
        let (text, end) = text.strip_suffix('\n').map_or((text, ""), |text| (text, "\n"));
        format!("{style}{text}{style:#}{end}")
    }

    /// A text as its readers give options.
    pub fn text(self, text: impl Into<Text>) -> String {
        text.into().render(self.front)
    }

    pub fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    pub fn dim(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    pub fn warning(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    /// The evidence: green where nothing is amiss.
    pub fn verdict(self, text: &str, fine: bool) -> String {
        if fine { self.with(AnsiColor::Green.on_default(), text) } else { self.warning(text) }
    }

    /// Lines of whole words, each ended. A number keeps its percent sign.
    pub fn wrapped(self, text: &str) -> String {
        let mut lines = String::new();
        let mut used = 0;
        for word in text.replace(" %", "\u{a0}%").split(' ') {
            let width = words::columns(word);
            if used > 0 && used + 1 + width > self.columns.min(WIDEST) {
                lines.push('\n');
                used = 0;
            }
            if used > 0 {
                lines.push(' ');
                used += 1;
            }
            lines.push_str(word);
            used += width;
        }
        lines.push('\n');
        lines.replace('\u{a0}', " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_the_width_and_lose_no_word() {
        let text = "one two three, four five six 77 % eight nine ten eleven twelve";
        for columns in [30, 31, 40, 118, 160] {
            let wrapped = View::terminal(columns, false).wrapped(text);
            assert!(wrapped.lines().all(|line| line.chars().count() <= columns.min(118)), "{wrapped}");
            assert_eq!(wrapped.trim_end().replace('\n', " "), text);
            assert!(wrapped.contains("77 %"), "{wrapped}");
        }
    }

    #[test]
    fn styles_are_for_terminals_alone() {
        assert_eq!(View::PLAIN.bold("x"), "x");
        assert_eq!(View::terminal(80, false).warning("x"), "x");
        let bold = View::terminal(80, true).bold("x\n");
        assert!(bold.starts_with('\u{1b}') && bold.ends_with("m\n"), "{bold:?}");
    }
}
