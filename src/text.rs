//! Texts for users: messages, hints and notices.
//!
//! A text may name options, and these are given differently on the command line (`--max-correlation 0.7`) and in Python
//! (`max_correlation=0.7`). It holds them as data, and each front renders them its own way; without a front they stand
//! as plain names.
//!
//! ```
//! use equirisk::error::{Error, option};
//!
//! let error = Error::usage("..").hint(format!("leave out {}", option("max-correlation")));
//! let hint = error.hint.unwrap();
//! assert_eq!(hint, "leave out `max-correlation`");
//! assert_eq!(hint.render(|mention| format!("--{}", mention.name)), "leave out --max-correlation");
//! ```

use std::fmt::{self, Write as _};
use std::ops::{Deref, Range};

use serde::{Serialize, Serializer};

/// Where an option stands in a string that becomes a [`Text`]. Unicode keeps these for use inside a program, so no other
/// text has them.
const START: char = '\u{fdd0}';
const END: char = '\u{fdd1}';
/// What follows the name, if anything does.
const WORD: char = '\u{fdd2}';
const QUOTED: char = '\u{fdd3}';
const PLAIN: char = '\u{fdd4}';
const OFF: char = '\u{fdd5}';

/// An option that a text names. Written by `format!`, it is one again in the [`Text`] made of that string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The long name on the command line, without dashes.
    pub name: String,
    pub value: Option<Value>,
}

/// The value that a text gives an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One of several words, such as `cpu`.
    Word(String),
    /// A text of the user's own, such as the name of an asset.
    Quoted(String),
    /// A number, or a letter that stands for a value.
    Plain(String),
    /// A switch that is not set.
    Off,
}

/// An option by its long name on the command line, without dashes.
pub fn option(name: &str) -> Mention {
    Mention { name: name.to_string(), value: None }
}

impl Mention {
    /// With one of the words it takes: `engine`, `cpu`.
    #[must_use]
    pub fn word(self, word: impl fmt::Display) -> Mention {
        Mention { value: Some(Value::Word(word.to_string())), ..self }
    }

    /// With a text of the user's own: `exclude`, "S&P 500".
    #[must_use]
    pub fn quoted(self, text: impl fmt::Display) -> Mention {
        Mention { value: Some(Value::Quoted(text.to_string())), ..self }
    }

    /// With a number, or a letter that stands for a value: `last`, 5; `output`, DIR.
    #[must_use]
    pub fn plain(self, value: impl fmt::Display) -> Mention {
        Mention { value: Some(Value::Plain(value.to_string())), ..self }
    }

    /// A switch that is not set.
    #[must_use]
    pub fn off(self) -> Mention {
        Mention { value: Some(Value::Off), ..self }
    }

    /// As it reads where no front says how options are given.
    pub fn neutral(&self) -> String {
        let name = &self.name;
        match &self.value {
            None => format!("`{name}`"),
            Some(Value::Word(value) | Value::Plain(value)) => format!("`{name}={value}`"),
            Some(Value::Quoted(value)) => format!("`{name}=\"{value}\"`"),
            Some(Value::Off) => format!("`{name}=false`"),
        }
    }

    /// From what stands between the marks.
    fn parse(marked: &str) -> Mention {
        let Some((name, rest)) = marked.find([WORD, QUOTED, PLAIN, OFF]).map(|end| marked.split_at(end)) else {
            return option(marked);
        };
        let mut value = rest.chars();
        match value.next() {
            Some(WORD) => option(name).word(value.as_str()),
            Some(QUOTED) => option(name).quoted(value.as_str()),
            Some(PLAIN) => option(name).plain(value.as_str()),
            _ => option(name).off(),
        }
    }
}

/// With the marks by which a [`Text`] finds it again.
impl fmt::Display for Mention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{START}{}", self.name)?;
        match &self.value {
            None => {}
            Some(Value::Word(value)) => write!(f, "{WORD}{value}")?,
            Some(Value::Quoted(value)) => write!(f, "{QUOTED}{value}")?,
            Some(Value::Plain(value)) => write!(f, "{PLAIN}{value}")?,
            Some(Value::Off) => f.write_char(OFF)?,
        }
        f.write_char(END)
    }
}

/// A text for users. As a string it names options plainly; [`Text::render`] gives them as a front does.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Text {
    words: String,
    /// Options, and where they stand in the words.
    options: Vec<(Range<usize>, Mention)>,
}

impl Text {
    /// The text of a front, which says how an option is given there.
    pub fn render(&self, front: impl Fn(&Mention) -> String) -> String {
        let mut rendered = String::with_capacity(self.words.len());
        let mut end = 0;
        for (place, option) in &self.options {
            rendered += &self.words[end..place.start];
            rendered += &front(option);
            end = place.end;
        }
        rendered + &self.words[end..]
    }

    /// For a string that becomes a text itself: options stay what they are.
    pub fn nested(&self) -> String {
        self.render(Mention::to_string)
    }

    /// The options that the text names, in order.
    pub fn options(&self) -> impl Iterator<Item = &Mention> {
        self.options.iter().map(|(_, option)| option)
    }
}

impl From<String> for Text {
    fn from(marked: String) -> Text {
        if !marked.contains(START) {
            return Text { words: marked, options: Vec::new() };
        }
        let mut text = Text::default();
        let mut rest = marked.as_str();
        while let Some((before, tail)) = rest.split_once(START)
            && let Some((option, after)) = tail.split_once(END)
        {
            let option = Mention::parse(option);
            text.words += before;
            let start = text.words.len();
            text.words += &option.neutral();
            text.options.push((start..text.words.len(), option));
            rest = after;
        }
        text.words += rest;
        text
    }
}

impl From<&str> for Text {
    fn from(marked: &str) -> Text {
        marked.to_string().into()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.words
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.words)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.words, f)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.words == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.words == *other
    }
}

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        self.words == *other
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a front might: `sample=M`, `engine="cpu"`.
    fn keyword(mention: &Mention) -> String {
        let name = mention.name.replace('-', "_");
        match &mention.value {
            None => format!("{name}="),
            Some(Value::Word(value) | Value::Quoted(value)) => format!("{name}=\"{value}\""),
            Some(Value::Plain(value)) => format!("{name}={value}"),
            Some(Value::Off) => format!("{name}=False"),
        }
    }

    fn all() -> String {
        format!(
            "{} or {}, {}, {} and {}.",
            option("max-correlation"),
            option("engine").word("cpu"),
            option("exclude").quoted("S&P 500"),
            option("output").plain("DIR"),
            option("percent").off()
        )
    }

    #[test]
    fn options_are_plain_names_until_a_front_renders_them() {
        let text = Text::from(all());
        let words = "`max-correlation` or `engine=cpu`, `exclude=\"S&P 500\"`, `output=DIR` and `percent=false`.";
        assert_eq!(text, words);
        assert_eq!([text.to_string(), format!("{text:?}")], [words.to_string(), format!("{words:?}")]);
        let rendered = "max_correlation= or engine=\"cpu\", exclude=\"S&P 500\", output=DIR and percent=False.";
        assert_eq!(text.render(keyword), rendered);
        let names: Vec<&str> = text.options().map(|option| option.name.as_str()).collect();
        assert_eq!(names, ["max-correlation", "engine", "exclude", "output", "percent"]);
    }

    #[test]
    fn a_text_inside_another_keeps_its_options() {
        let inner = Text::from(all());
        let outer = Text::from(format!("it failed: {}", inner.nested()));
        assert_eq!(outer.render(keyword), format!("it failed: {}", inner.render(keyword)));
        assert_eq!(Text::from(inner.nested()), inner);
    }

    #[test]
    fn marks_without_an_option_are_text() {
        for odd in ["", "plain", "a \u{fdd1} b", "a \u{fdd0} b"] {
            let text = Text::from(odd);
            assert_eq!(text, odd);
            assert_eq!(text.render(keyword), odd);
            assert_eq!(text.options().count(), 0);
        }
    }
}
