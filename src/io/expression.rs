//! Linear limits as people write them: `EQUITY <= 50%`, `TECH <= 0.5 * EQUITY`, `'S&P 500' >= 'EUROSTOXX 50' + 0.02`.
//!
//! ```text
//! limit   = side (compare side)+           compare = <= | >= | = | == | < | >         < and > are read as <= and >=
//! side    = [+|-] term ((+|-) term)*
//! term    = factor (* factor)*             one of the factors at most is a name
//! factor  = number[%] | name               name = 'quoted', "quoted", or bare
//! ```
//!
//! A bare name is the longest that stands there and is followed by a space, a sign or the end; a number is a number, whatever
//! is called so. What could be read in two ways is refused. Names go to the left and numbers to the right:
//! least <= sum of coefficients times weights <= most.

use crate::error::{Error, Result, option};
use crate::io::groups::Groups;
use crate::io::names::{plain, unknown_of};
use crate::io::ranges::Ends;
use crate::io::shown;
use crate::wording::short;

/// least <= sum of coefficients times weights <= most.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One for each asset.
    pub coefficients: Vec<f64>,
    pub ends: Ends,
}

/// A coefficient below this share of what was added up to it is what rounding left of zero.
const CANCELLED: f64 = 1e-14;

/// Numbers beyond this are no limits of weights.
const LARGEST: f64 = 1e6;

const SMALLER: [char; 2] = ['<', '≤'];
const LARGER: [char; 2] = ['>', '≥'];
const MINUS: [char; 2] = ['-', '\u{2212}'];
const TIMES: [char; 2] = ['*', '×'];
const QUOTES: [char; 2] = ['\'', '"'];

/// Reads a limit on the weights of assets and of their groups: one row, or of a chain several.
///
/// # Errors
/// What is no limit, names that are unknown, and names that cancel.
pub fn read_expression(text: &str, assets: &[String], groups: Option<&Groups>) -> Result<Vec<Row>> {
    let reader = Reader { text: plain(text), terms: terms(assets, groups), assets: assets.len() };
    let (sides, compares) = reader.sides(&reader.tokens()?)?;
    let one_way = compares.iter().all(|compare| *compare == compares[0]);
    if compares.len() > 1 && (!one_way || compares[0] == Compare::Equal) {
        return Err(reader.error("a chain goes one way").hint("write 0.1 <= EQUITY <= 0.5, or two limits"));
    }
    if let ([first, middle, last], [compare, _]) = (&sides[..], &compares[..])
        && first.is_number()
        && last.is_number()
    {
        let [one, other] = [reader.row(middle, *compare, last)?, reader.row(first, *compare, middle)?];
        let [least, most] = [0, 1].map(|end| one.ends[end].or(other.ends[end]));
        if let Some((least, most)) = least.zip(most).filter(|(least, most)| least > most) {
            let said = format!("nothing is at least {} and at most {}", short(least), short(most));
            return Err(reader.error(&said).hint("write the smaller number where less is asked"));
        }
        return Ok(vec![Row { ends: [least, most], ..one }]);
    }
    sides.windows(2).zip(compares).map(|(pair, compare)| reader.row(&pair[0], compare, &pair[1])).collect()
}

/// What a name stands for.
#[derive(Debug)]
struct Term {
    name: String,
    /// Places of assets.
    members: Vec<usize>,
    /// An asset and a group of other assets are called so.
    is_twofold: bool,
}

fn terms(assets: &[String], groups: Option<&Groups>) -> Vec<Term> {
    let asset = |(place, name): (usize, &String)| Term { name: name.clone(), members: vec![place], is_twofold: false };
    let mut terms: Vec<Term> = assets.iter().enumerate().map(asset).collect();
    let Some(groups) = groups else { return terms };
    for (number, name) in groups.names.iter().enumerate() {
        let members: Vec<usize> = (0..assets.len()).filter(|&asset| groups.of[asset] == Some(number)).collect();
        match terms.iter_mut().find(|term| term.name == *name) {
            Some(term) => term.is_twofold = term.members != members,
            None => terms.push(Term { name: name.clone(), members, is_twofold: false }),
        }
    }
    terms
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Compare {
    Least,
    Most,
    Equal,
}

impl Compare {
    /// With its sides exchanged.
    fn turned(self) -> Compare {
        match self {
            Compare::Least => Compare::Most,
            Compare::Most => Compare::Least,
            Compare::Equal => Compare::Equal,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    /// A number, as it is written.
    Number(f64, &'a str),
    /// Its number among the terms.
    Name(usize),
    Plus,
    Minus,
    Times,
    Compare(Compare),
}

/// A sum of terms.
#[derive(Debug, Clone)]
struct Side {
    coefficients: Vec<f64>,
    /// What was added up, without signs.
    sizes: Vec<f64>,
    constant: f64,
}

impl Side {
    fn is_number(&self) -> bool {
        self.sizes.iter().all(|size| *size == 0.0)
    }
}

struct Reader {
    text: String,
    terms: Vec<Term>,
    assets: usize,
}

impl Reader {
    fn error(&self, what: &str) -> Error {
        Error::usage(format!("{}: \"{}\": {what}", option("limit"), shown(&self.text)))
    }

    fn tokens(&self) -> Result<Vec<Token<'_>>> {
        let mut tokens = Vec::new();
        let mut rest = self.text.as_str();
        loop {
            rest = rest.trim_start();
            let Some(first) = rest.chars().next() else { return Ok(tokens) };
            let (token, length) = match first {
                '+' => (Token::Plus, 1),
                c if MINUS.contains(&c) => (Token::Minus, c.len_utf8()),
                c if TIMES.contains(&c) => (Token::Times, c.len_utf8()),
                c if is_compare(c) => self.compare(rest)?,
                c if QUOTES.contains(&c) => self.quoted(rest, c)?,
                _ => self.bare(rest)?,
            };
            tokens.push(token);
            rest = &rest[length..];
        }
    }

    fn compare(&self, rest: &str) -> Result<(Token<'static>, usize)> {
        let run = &rest[..rest.find(|c| !is_compare(c)).unwrap_or(rest.len())];
        let compare = match run {
            "<" | "<=" | "=<" | "≤" => Compare::Most,
            ">" | ">=" | "=>" | "≥" => Compare::Least,
            "=" | "==" => Compare::Equal,
            _ => {
                return Err(self.error(&format!("`{run}` compares nothing")).hint("write <=, >= or ="));
            }
        };
        Ok((Token::Compare(compare), run.len()))
    }

    fn quoted(&self, rest: &str, quote: char) -> Result<(Token<'static>, usize)> {
        let Some(length) = rest[1..].find(quote) else {
            return Err(self.error(&format!("a {quote} is left open")).hint("close the quote behind the name"));
        };
        let name = plain(&rest[1..=length]);
        let found = self.terms.iter().position(|term| term.name == name).ok_or_else(|| self.unknown(&name))?;
        Ok((self.name(found)?, length + 2))
    }

    /// A number, or a name without quotes.
    fn bare<'a>(&'a self, rest: &'a str) -> Result<(Token<'a>, usize)> {
        let number = leading(rest);
        let standing = self.standing(rest);
        let Some((&longest, shorter)) = standing.split_last() else {
            let (value, length) = number.ok_or_else(|| self.unread(rest))?;
            return Ok((Token::Number(value, &rest[..length]), length));
        };
        let name = &self.terms[longest].name;
        // A-B may be an asset, or A less B.
        let goes_on = |length: usize| {
            let behind = rest[length..].trim_start().strip_prefix(is_sign).map(str::trim_start);
            behind.is_some_and(|behind| leading(behind).is_some() || !self.standing(behind).is_empty())
        };
        let shorter = shorter.iter().map(|&term| self.terms[term].name.len());
        if shorter.chain(number.map(|(_, length)| length)).any(goes_on) {
            return Err(self
                .error(&format!("`{}` may be one name or several", shown(name)))
                .hint("put names in quotes, as in 'S&P 500' <= 0.1"));
        }
        Ok((self.name(longest)?, name.len()))
    }

    /// The terms whose names a text begins with, the longest last. A number is none.
    fn standing(&self, text: &str) -> Vec<usize> {
        let number = leading(text).map_or(0, |(_, length)| length);
        let stands = |name: &String| {
            text.strip_prefix(name.as_str()).is_some_and(ends_word) && !name.contains(is_compare) && name.len() > number
        };
        let mut standing: Vec<usize> = (0..self.terms.len()).filter(|&term| stands(&self.terms[term].name)).collect();
        standing.sort_by_key(|&term| self.terms[term].name.len());
        standing
    }

    fn name(&self, number: usize) -> Result<Token<'static>> {
        let term = &self.terms[number];
        match term.is_twofold {
            true => Err(self
                .error(&format!("`{}` is an asset and a group", shown(&term.name)))
                .hint(format!("call the group otherwise in {}", option("groups")))),
            false => Ok(Token::Name(number)),
        }
    }

    /// The error for a text that is neither a name nor a number.
    fn unread(&self, rest: &str) -> Error {
        let end = rest.find(|c: char| is_compare(c) || TIMES.contains(&c) || c == '+' || QUOTES.contains(&c));
        let mut word = rest[..end.unwrap_or(rest.len())].trim_end();
        // A hyphen inside a word is part of it.
        for dash in MINUS {
            word = word
                .split(&format!(" {dash}"))
                .next()
                .unwrap_or(word)
                .split(&format!("{dash} "))
                .next()
                .unwrap_or(word);
        }
        if word.starts_with(['(', ')']) {
            return self.error("brackets are not read").hint("write the terms one by one: 0.5 * A + 0.5 * B <= 0.3");
        }
        if word.starts_with('/') {
            return self.error("a division is not read").hint("multiply: A <= 0.5 * B");
        }
        if let Some((_, length)) = leading_within(word) {
            let (number, rest) = word.split_at(length);
            if rest.starts_with(',') {
                return self.error(&format!("`{}` is no number", shown(word))).hint("write a decimal point: 0.5");
            }
            if self.terms.iter().any(|term| term.name == rest.trim()) {
                return self.beside(number, rest.trim());
            }
        }
        self.unknown(&plain(word))
    }

    fn unknown(&self, name: &str) -> Error {
        let names: Vec<String> = self.terms.iter().map(|term| term.name.clone()).collect();
        let has_groups = self.terms.len() > self.assets;
        let what = if has_groups { "asset or group" } else { "asset" };
        let place = format!("{}: \"{}\"", option("limit"), shown(&self.text));
        Error { kind: crate::ErrorKind::Usage, ..unknown_of(what, &place, name, &names) }
    }

    /// The error of two terms without a sign between them.
    fn beside(&self, one: &str, other: &str) -> Error {
        let error = self.error(&format!("no sign stands between `{}` and `{}`", shown(one), shown(other)));
        match leading_within(one) {
            Some(_) => error.hint(format!("write {one} * {other}")),
            None => error.hint(format!("write {one} + {other}, or whatever is meant")),
        }
    }

    fn shown(&self, token: Token<'_>) -> String {
        match token {
            Token::Number(_, text) => text.to_string(),
            Token::Name(number) => self.terms[number].name.clone(),
            Token::Plus => "+".to_string(),
            Token::Minus => "-".to_string(),
            Token::Times => "*".to_string(),
            Token::Compare(Compare::Most) => "<=".to_string(),
            Token::Compare(Compare::Least) => ">=".to_string(),
            Token::Compare(Compare::Equal) => "=".to_string(),
        }
    }

    /// All sides, and what stands between them.
    fn sides(&self, tokens: &[Token<'_>]) -> Result<(Vec<Side>, Vec<Compare>)> {
        let is_compare = |token: &Token<'_>| matches!(token, Token::Compare(_));
        let compares: Vec<Compare> = tokens
            .iter()
            .filter_map(|token| match token {
                Token::Compare(compare) => Some(*compare),
                _ => None,
            })
            .collect();
        if compares.is_empty() {
            return Err(self.error("nothing is compared").hint("write a limit such as EQUITY <= 0.5"));
        }
        let sides = tokens.split(is_compare).map(|side| self.side(side)).collect::<Result<Vec<Side>>>()?;
        Ok((sides, compares))
    }

    fn side(&self, tokens: &[Token<'_>]) -> Result<Side> {
        let mut side = Side { coefficients: vec![0.0; self.assets], sizes: vec![0.0; self.assets], constant: 0.0 };
        let mut rest = tokens;
        let mut is_first = true;
        while !rest.is_empty() || is_first {
            let sign = match rest {
                [Token::Plus, ..] => Some(1.0),
                [Token::Minus, ..] => Some(-1.0),
                _ => None,
            };
            if sign.is_some() {
                rest = &rest[1..];
            }
            let end = rest.iter().position(|token| matches!(token, Token::Plus | Token::Minus)).unwrap_or(rest.len());
            let (factor, name) = self.term(&rest[..end])?;
            let factor = sign.unwrap_or(1.0) * factor;
            match name {
                Some(name) => {
                    for &member in &self.terms[name].members {
                        side.coefficients[member] += factor;
                        side.sizes[member] += factor.abs();
                    }
                }
                None => side.constant += factor,
            }
            rest = &rest[end..];
            is_first = false;
        }
        Ok(side)
    }

    /// Factors with signs between them.
    fn term(&self, tokens: &[Token<'_>]) -> Result<(f64, Option<usize>)> {
        let (mut factor, mut name) = (1.0, None);
        for (place, token) in tokens.iter().enumerate() {
            // At even places stand factors.
            match (place % 2, token) {
                (0, Token::Number(value, _)) => factor *= value,
                (0, Token::Name(number)) if name.is_none() => name = Some(*number),
                (0, Token::Name(_)) => {
                    return Err(self.error("two names are multiplied").hint("limits are linear: numbers times names"));
                }
                (1, Token::Times) => {}
                (1, other) => return Err(self.beside(&self.shown(tokens[place - 1]), &self.shown(*other))),
                (_, other) => return Err(self.missing(&format!("before `{}`", self.shown(*other)))),
            }
        }
        match tokens.last() {
            None => Err(self.missing("beside a sign")),
            Some(Token::Times) => Err(self.missing("behind `*`")),
            Some(_) => Ok((factor, name)),
        }
    }

    fn missing(&self, place: &str) -> Error {
        self.error(&format!("a name or a number is missing {place}")).hint("write a limit such as EQUITY <= 0.5")
    }

    /// Names to the left, numbers to the right.
    fn row(&self, left: &Side, compare: Compare, right: &Side) -> Result<Row> {
        if left.is_number() && !right.is_number() {
            return self.row(right, compare.turned(), left);
        }
        if left.is_number() && right.is_number() {
            return Err(self.error("it names no asset").hint(
                match self.terms.iter().any(|term| number_is(&term.name)) {
                    true => "an asset that is called by a number stands in quotes: '0' <= 0.5",
                    false => "write a limit such as EQUITY <= 0.5",
                },
            ));
        }
        let mut coefficients = vec![0.0; self.assets];
        for (asset, coefficient) in coefficients.iter_mut().enumerate() {
            let difference = left.coefficients[asset] - right.coefficients[asset];
            let is_left = difference.abs() > CANCELLED * (left.sizes[asset] + right.sizes[asset]);
            *coefficient = if is_left { difference } else { 0.0 };
        }
        if coefficients.iter().all(|coefficient| *coefficient == 0.0) {
            return Err(self.error("the names in it cancel").hint("it says nothing about any weight: leave it out"));
        }
        let constant = right.constant - left.constant;
        if !(constant.is_finite() && coefficients.iter().all(|coefficient| coefficient.is_finite())) {
            return Err(self.error("its numbers are too large").hint("write weights as shares like 0.25"));
        }
        let largest = coefficients.iter().fold(0.0_f64, |largest, coefficient| largest.max(coefficient.abs()));
        if largest.max(constant.abs()) > LARGEST {
            return Err(self.error("its numbers are too large").hint("write weights as shares like 0.25"));
        }
        if constant.abs() > 1.0 && largest <= 1.0 {
            let said = self.error(&format!("no weights sum to {}", short(constant)));
            return Err(match constant.abs() <= 100.0 {
                true => said.hint(format!("{} % is {}", short(constant), short(constant / 100.0))),
                false => said.hint("weights are shares of the whole: all of them sum to 1"),
            });
        }
        Ok(Row {
            coefficients,
            ends: match compare {
                Compare::Most => [None, Some(constant)],
                Compare::Least => [Some(constant), None],
                Compare::Equal => [Some(constant); 2],
            },
        })
    }
}

fn is_compare(character: char) -> bool {
    SMALLER.contains(&character) || LARGER.contains(&character) || character == '='
}

/// What may follow a bare name or a number, beside a space.
fn is_sign(character: char) -> bool {
    is_compare(character) || MINUS.contains(&character) || TIMES.contains(&character) || character == '+'
}

fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| c.is_whitespace() || is_sign(c))
}

/// The number that a text begins with, with its percent sign and its length, where a word ends behind it.
fn leading(text: &str) -> Option<(f64, usize)> {
    leading_within(text).filter(|(_, length)| ends_word(&text[*length..]))
}

/// The same whatever follows.
fn leading_within(text: &str) -> Option<(f64, usize)> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    let mut length = whole;
    if bytes.get(length) == Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if length <= usize::from(whole == 0) {
        return None;
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = bytes.get(length + 1 + sign..).map_or(0, |_| digits(length + 1 + sign));
        length += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    let value: f64 = text[..length].parse().ok()?;
    let behind = text[length..].trim_start();
    match behind.strip_prefix('%') {
        Some(rest) => Some((value / 100.0, text.len() - rest.len())),
        None => Some((value, length)),
    }
}

fn number_is(name: &str) -> bool {
    leading_within(name).is_some_and(|(_, length)| length == name.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn assets() -> Vec<String> {
        ["S&P 500", "EUROSTOXX 50", "BRK-B", "Commodities (CRB)", "0", "3M", "GOLD"].map(String::from).to_vec()
    }

    fn groups() -> Groups {
        let names = ["EQUITY", "TECH", "GOLD"].map(String::from).to_vec();
        Groups { names, of: vec![Some(0), Some(0), Some(1), None, None, Some(1), Some(2)] }
    }

    fn rows(text: &str) -> Result<Vec<Row>> {
        read_expression(text, &assets(), Some(&groups()))
    }

    /// Coefficients by asset, and both ends.
    fn row(text: &str) -> (Vec<f64>, Ends) {
        let mut rows = rows(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(rows.len(), 1, "{text}");
        let Row { coefficients, ends } = rows.remove(0);
        (coefficients, ends)
    }

    fn refused(text: &str) -> (String, String) {
        let error = rows(text).expect_err(text);
        assert_eq!(error.kind, ErrorKind::Usage, "{text}");
        (error.message.to_string(), error.hint.map_or(String::new(), |hint| hint.to_string()))
    }

    #[test]
    fn names_go_to_the_left_and_numbers_to_the_right() {
        assert_eq!(row("S&P 500 <= 0.5"), (vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [None, Some(0.5)]));
        assert_eq!(
            row("'S&P 500' >= 'EUROSTOXX 50' + 0.02"),
            (vec![1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [Some(0.02), None])
        );
        assert_eq!(row("TECH <= 0.5 * EQUITY"), (vec![-0.5, -0.5, 1.0, 0.0, 0.0, 1.0, 0.0], [None, Some(0.0)]));
        assert_eq!(row("1 - EQUITY >= 60%"), (vec![-1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [Some(-0.4), None]));
        assert_eq!(row("EQUITY - S&P 500 = 0.25"), (vec![0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [Some(0.25); 2]));
    }

    #[test]
    fn a_limit_is_the_same_however_it_is_written() {
        let expected = row("0.5 * EQUITY <= 0.25");
        for text in [
            "EQUITY * 0.5 <= 25%",
            "  0.5*EQUITY<=.25 ",
            "\"EQUITY\" * 50 % =< 0.25",
            "0.25 >= 0.5 * EQUITY",
            "0.5 * EQUITY < 2.5e-1",
            "0.5 × EQUITY ≤ 0.25",
            "+EQUITY - 0.5 * EQUITY <= 0.5 - 0.25",
            "0.5 * S&P   500 + EUROSTOXX 50 * 50% <= 0.25",
            "2 * 25% * EQUITY <= 0.25",
        ] {
            assert_eq!(row(text), expected, "{text}");
        }
        assert_eq!(row("-0.5 * EQUITY \u{2212} 0.25 >= -0.5").1, [Some(-0.25), None]);
        assert_eq!(row("EQUITY == 0.25"), row("EQUITY = 0.25"));
    }

    #[test]
    fn names_may_hold_signs_spaces_and_digits() {
        let of = |asset: usize| (0..7).map(|place| f64::from(u8::from(place == asset))).collect::<Vec<f64>>();
        for (text, asset) in [
            ("BRK-B <= 0.1", 2),
            ("Commodities (CRB) <= 0.1", 3),
            ("'0' <= 0.1", 4),
            ("3M <= 0.1", 5),
            ("GOLD <= 0.1", 6),
            ("S&P 500<=0.1", 0),
        ] {
            assert_eq!(row(text).0, of(asset), "{text}");
        }
        // 0 is a number, and 3 times 3M one asset.
        assert_eq!(row("0 <= 3 * 3M").0[5], 3.0);
    }

    #[test]
    fn a_chain_of_two_numbers_is_one_row_with_both_ends() {
        assert_eq!(row("0.1 <= EQUITY <= 0.5").1, [Some(0.1), Some(0.5)]);
        assert_eq!(row("50% >= EQUITY >= 10%"), row("0.1 <= EQUITY <= 0.5"));
        assert_eq!(
            row("0.1 <= EQUITY + 0.05 <= 0.5").1.map(|end| end.map(short)),
            [Some("0.05"), Some("0.45")].map(|end| end.map(String::from))
        );
        let pairs = rows("TECH <= EQUITY <= 0.5").expect("two rows");
        assert_eq!(pairs, [rows("TECH <= EQUITY"), rows("EQUITY <= 0.5")].map(|rows| rows.expect("one").remove(0)));
        assert_eq!(rows("3M <= TECH <= EQUITY <= 0.5").expect("three rows").len(), 3);
    }

    #[test]
    fn what_is_no_limit_is_refused_with_a_way_on() {
        for (text, said, hint) in [
            ("", "nothing is compared", "EQUITY <= 0.5"),
            ("EQUITY", "nothing is compared", "EQUITY <= 0.5"),
            ("0.1 <= 0.5", "it names no asset", "stands in quotes"),
            ("0 <= 0.5", "it names no asset", "'0' <= 0.5"),
            ("EQUITY <= 1 * EQUITY", "the names in it cancel", "leave it out"),
            ("0.1 * TECH + 0.2 * TECH <= 0.3 * TECH", "the names in it cancel", "leave it out"),
            ("EQITY <= 0.5", "there is no asset or group `EQITY`", "did you mean `EQUITY`?"),
            ("BRK-C <= 0.5", "there is no asset or group `BRK-C`", "did you mean `BRK-B`?"),
            ("'s&p 500' <= 0.5", "there is no asset or group `s&p 500`", "did you mean `S&P 500`?"),
            ("XYZ - EQUITY <= 0.5", "there is no asset or group `XYZ`", "there are"),
            ("0.5 EQUITY <= 0.2", "no sign stands between `0.5` and `EQUITY`", "write 0.5 * EQUITY"),
            ("0.5EQUITY <= 0.2", "no sign stands between `0.5` and `EQUITY`", "write 0.5 * EQUITY"),
            ("EQUITY TECH <= 0.2", "no sign stands between `EQUITY` and `TECH`", "EQUITY + TECH"),
            ("EQUITY * TECH <= 0.2", "two names are multiplied", "linear"),
            ("EQUITY <= 0,5", "`0,5` is no number", "0.5"),
            ("0.5 * (EQUITY + TECH) <= 0.2", "brackets are not read", "one by one"),
            ("EQUITY <= TECH / 2", "a division is not read", "0.5 * B"),
            ("EQUITY <=", "is missing", "EQUITY <= 0.5"),
            ("EQUITY + <= 0.5", "is missing", "EQUITY <= 0.5"),
            ("0.5 * <= 0.5", "is missing behind `*`", "EQUITY <= 0.5"),
            ("EQUITY <> 0.5", "`<>` compares nothing", "<="),
            ("'EQUITY <= 0.5", "a ' is left open", "close"),
            ("0.1 <= EQUITY >= 0.5", "a chain goes one way", "two limits"),
            ("0.1 = EQUITY = 0.5", "a chain goes one way", "two limits"),
            ("0.5 <= EQUITY <= 0.1", "nothing is at least 0.5 and at most 0.1", "smaller"),
            ("EQUITY <= 1e999", "too large", "shares"),
        ] {
            let (message, advice) = refused(text);
            assert!(message.contains(said), "{text}: {message}");
            assert!(advice.contains(hint), "{text}: {advice}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let assets = ["A", "B", "A-B", "EQUITY"].map(String::from);
        let groups = Groups { names: vec!["EQUITY".to_string()], of: vec![Some(0), Some(0), None, None] };
        let read = |text: &str| read_expression(text, &assets, Some(&groups));
        let error = read("A-B <= 0.1").expect_err("an asset, or A less B");
        assert!(error.message.contains("`A-B` may be one name or several"), "{error}");
        assert_eq!(read("'A-B' <= 0.1").expect("quoted")[0].coefficients, [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(read("A - B <= 0.1").expect("apart")[0].coefficients, [1.0, -1.0, 0.0, 0.0]);
        let error = read("EQUITY <= 0.1").expect_err("an asset and a group");
        assert!(error.message.contains("`EQUITY` is an asset and a group"), "{error}");
        // Of GOLD alone in GOLD both are the same.
        assert!(rows("GOLD <= 0.1").is_ok());
        // Without groups there are assets alone.
        let error = read_expression("TECH <= 0.1", &assets, None).expect_err("no group");
        assert!(error.message.contains("there is no asset `TECH`"), "{error}");
    }

    #[test]
    fn no_text_makes_it_panic() {
        let pieces = [
            "S&P 500", "EQUITY", "'", "\"", "<=", "=", "+", "-", "*", "0.5", ".", "1e", "%", "é", "\u{2212}", "(", ",",
        ];
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..state % 9 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text += pieces[(state >> 33) as usize % pieces.len()];
                text += ["", " "][(state >> 20) as usize % 2];
            }
            state = state.wrapping_add(1);
            let _ = rows(&text);
        }
    }
}
