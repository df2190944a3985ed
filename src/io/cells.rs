//! What one cell of a text file says.
//!
//! A number is digits with one decimal mark, groups of three digits before it if any, a sign or accountants' parentheses,
//! and perhaps a currency or percent sign. Whatever is not wholly such a number is text: nothing is half read.

use std::cell::Cell as Shared;

/// Spellings of "there is no number here", compared without case.
const MISSING: [&str; 17] = [
    "", "NA", "N/A", "NaN", "null", "None", "-", ".", "#N/A", "#N/A N/A", "#NA", "<NA>", "n.a.", "NaT", "--", "\\N",
    "–",
];
const CURRENCIES: [&str; 12] = ["$", "€", "£", "¥", "₹", "₩", "US$", "USD", "EUR", "GBP", "CHF", "JPY"];

/// The sign between whole and fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decimal {
    Point,
    Comma,
}

impl Decimal {
    fn mark(self) -> char {
        match self {
            Decimal::Point => '.',
            Decimal::Comma => ',',
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    Missing,
    /// May be infinite: `inf` is a number that the caller refuses by name.
    Number(f64),
    /// The hundredth part of what stood before a percent sign.
    Percent(f64),
    /// Anything else.
    Text,
}

/// How a file writes its numbers.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    pub decimal: Decimal,
    /// Whether the decimal mark is beyond doubt: then `1,234` beside points is a thousand and more.
    pub is_certain: bool,
    /// Ornaments that were met on the way.
    pub met: Ornaments,
}

/// What stood beside the digits and was taken off.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ornaments {
    pub groups: Shared<Option<char>>,
    pub currency: Shared<bool>,
    pub parentheses: Shared<bool>,
}

impl Ornaments {
    pub(crate) fn remarks(&self) -> impl Iterator<Item = String> {
        let groups = self.groups.get().map(|mark| format!("thousands are separated by `{mark}`"));
        let currency = self.currency.get().then(|| "currency signs are taken off".to_string());
        let parentheses = self.parentheses.get().then(|| "numbers in parentheses are negative".to_string());
        groups.into_iter().chain(currency).chain(parentheses)
    }
}

impl Numbers {
    pub(crate) fn new(decimal: Decimal, is_certain: bool) -> Numbers {
        Numbers { decimal, is_certain, met: Ornaments::default() }
    }

    pub(crate) fn parse(&self, text: &str) -> Cell {
        let text = text.trim();
        if self.decimal == Decimal::Point
            && let Ok(number) = text.parse::<f64>()
        {
            return if number.is_nan() { Cell::Missing } else { Cell::Number(number) };
        }
        if is_missing(text) {
            return Cell::Missing;
        }
        let bare = Bare::of(text);
        let Some((number, groups)) = self.number(&bare) else { return Cell::Text };
        if groups.is_some() {
            self.met.groups.set(groups);
        }
        self.met.currency.set(self.met.currency.get() || bare.has_currency);
        self.met.parentheses.set(self.met.parentheses.get() || bare.has_parentheses);
        let number = if bare.is_negative { -number } else { number };
        match number {
            _ if number.is_nan() => Cell::Missing,
            _ if bare.is_percent => Cell::Percent(number / 100.0),
            _ => Cell::Number(number),
        }
    }

    /// The unsigned number, and the sign that separates its thousands.
    fn number(&self, bare: &Bare<'_>) -> Option<(f64, Option<char>)> {
        let mark = self.decimal.mark();
        let digits = bare.digits;
        if digits.starts_with(['+', '-']) || digits.is_empty() {
            return None;
        }
        let (mantissa, exponent) = match digits.find(['e', 'E']) {
            Some(place) if digits.starts_with(|c: char| c.is_ascii_digit() || c == mark) => digits.split_at(place),
            _ => (digits, ""),
        };
        let (whole, fraction) = mantissa.split_once(mark).map_or((mantissa, None), |(a, b)| (a, Some(b)));
        let groups = whole.chars().find(|c| !c.is_ascii_digit() && !c.is_alphabetic());
        let mut plain = String::with_capacity(digits.len());
        match groups {
            None => plain.push_str(whole),
            Some(sign) => {
                let other = if self.decimal == Decimal::Point { ',' } else { '.' };
                let may_group =
                    sign != other || self.is_certain || fraction.is_some() || whole.matches(sign).count() > 1;
                if !(sign == other || is_blank_or_apostrophe(sign)) || !may_group || !in_threes(whole, sign) {
                    return None;
                }
                plain.extend(whole.chars().filter(|c| *c != sign));
            }
        }
        if let Some(fraction) = fraction {
            // Words such as `inf` have no fraction.
            if fraction.contains(|c: char| !c.is_ascii_digit()) || plain.contains(|c: char| !c.is_ascii_digit()) {
                return None;
            }
            plain.push('.');
            plain.push_str(fraction);
        }
        plain.push_str(exponent);
        Some((plain.parse().ok()?, groups))
    }
}

/// What a number-like cell says about the marks of its file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Marks {
    /// Can only be a decimal mark.
    Decimal(char),
    /// `1,234`: a decimal mark, or one between thousands.
    Either(char),
    /// Separates thousands; the decimal mark must be the other.
    Thousands(char),
}

/// Reads the marks of a cell; none where it is no number.
pub(crate) fn marks(text: &str) -> Option<Marks> {
    let bare = Bare::of(text.trim());
    let (digits, exponent) = match bare.digits.find(['e', 'E']) {
        Some(place) => (&bare.digits[..place], true),
        None => (bare.digits, false),
    };
    let is_number = |c: char| c.is_ascii_digit() || c == ',' || c == '.' || is_blank_or_apostrophe(c);
    if !digits.contains(|c: char| c.is_ascii_digit()) || !digits.chars().all(is_number) {
        return None;
    }
    let spaced = digits.contains(is_blank_or_apostrophe);
    let last = digits.rfind(['.', ','])?;
    let mark = if digits.as_bytes()[last] == b'.' { '.' } else { ',' };
    let (whole, fraction) = (&digits[..last], &digits[last + 1..]);
    let other = if mark == '.' { ',' } else { '.' };
    let times = digits.matches(mark).count();
    let is_whole = |whole: &str, sign: char| !whole.contains(sign) || in_threes(whole, sign);
    if digits.contains(other) {
        return (times == 1 && is_whole(whole, other)).then_some(Marks::Decimal(mark));
    }
    if times > 1 {
        return in_threes(digits, mark).then_some(Marks::Thousands(mark));
    }
    let could_be_thousands = fraction.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
    Some(if could_be_thousands && !exponent && !spaced { Marks::Either(mark) } else { Marks::Decimal(mark) })
}

/// A number without what stands around it.
struct Bare<'a> {
    digits: &'a str,
    is_negative: bool,
    is_percent: bool,
    has_currency: bool,
    has_parentheses: bool,
}

impl<'a> Bare<'a> {
    fn of(text: &'a str) -> Bare<'a> {
        let mut bare =
            Bare { digits: text, is_negative: false, is_percent: false, has_currency: false, has_parentheses: false };
        if let Some(inside) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            (bare.digits, bare.is_negative, bare.has_parentheses) = (inside.trim(), true, true);
        }
        if let Some(rest) = bare.digits.strip_suffix('%') {
            (bare.digits, bare.is_percent) = (rest.trim_end(), true);
        }
        let has_sign = bare.take_sign();
        let currency = CURRENCIES
            .iter()
            .find_map(|sign| bare.digits.strip_prefix(sign).or_else(|| bare.digits.strip_suffix(sign)).map(str::trim));
        if let Some(rest) = currency {
            (bare.digits, bare.has_currency) = (rest, true);
            if !has_sign {
                bare.take_sign();
            }
        }
        bare
    }

    fn take_sign(&mut self) -> bool {
        // Once negative by parentheses, a sign would be a second one.
        if self.has_parentheses {
            return false;
        }
        let is_minus = self.digits.starts_with(['-', '\u{2212}']);
        if let Some(rest) = self.digits.strip_prefix(['-', '+', '\u{2212}']) {
            (self.digits, self.is_negative) = (rest.trim_start(), is_minus);
            return true;
        }
        false
    }
}

/// Spaces, also narrow and unbreakable ones, and apostrophes separate thousands in print.
fn is_blank_or_apostrophe(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '’')
}

/// One to three digits, then groups of three: `1,234` and `12,345,678`.
fn in_threes(whole: &str, sign: char) -> bool {
    let mut groups = whole.split(sign);
    let are_digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len()) && are_digits(first) && groups.all(|group| group.len() == 3 && are_digits(group))
}

pub(crate) fn is_missing(text: &str) -> bool {
    MISSING.iter().any(|token| token.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: Decimal = Decimal::Point;
    const COMMA: Decimal = Decimal::Comma;

    fn parse(text: &str, decimal: Decimal) -> Cell {
        Numbers::new(decimal, false).parse(text)
    }

    #[test]
    fn missing_cells_have_many_spellings() {
        for text in ["", "  ", "NA", "n/a", "nan", "NaN", "-nan", "NULL", "None", "-", ".", "#N/A", " na ", "<NA>"] {
            assert_eq!(parse(text, POINT), Cell::Missing, "{text:?}");
            assert_eq!(parse(text, COMMA), Cell::Missing, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_read_as_written() {
        for (text, decimal, number) in [
            (" -1.5e-3 ", POINT, -0.0015),
            ("41,6182", COMMA, 41.6182),
            ("1e999", POINT, f64::INFINITY),
            ("inf", COMMA, f64::INFINITY),
            ("1,234.5", POINT, 1234.5),
            ("1.234,5", COMMA, 1234.5),
            ("1,234,567", POINT, 1_234_567.0),
            ("12'345.25", POINT, 12_345.25),
            ("1 234,56", COMMA, 1234.56),
            ("1\u{a0}234", COMMA, 1234.0),
            ("$5", POINT, 5.0),
            ("-$5.5", POINT, -5.5),
            ("41,50 €", COMMA, 41.5),
            ("USD 41.5", POINT, 41.5),
            ("(3.1)", POINT, -3.1),
            ("\u{2212}3.1", POINT, -3.1),
            (".5", POINT, 0.5),
            ("5.", POINT, 5.0),
            ("1,5e3", COMMA, 1500.0),
        ] {
            assert_eq!(parse(text, decimal), Cell::Number(number), "{text:?}");
        }
        assert_eq!(parse("1.25%", POINT), Cell::Percent(0.0125));
        assert_eq!(parse("-1,25 %", COMMA), Cell::Percent(-0.0125));
        assert_eq!(parse("(1.25%)", POINT), Cell::Percent(-0.0125));
        assert_eq!(Numbers::new(POINT, true).parse("1,234"), Cell::Number(1234.0));
    }

    #[test]
    fn what_is_not_a_number_is_never_half_read() {
        for text in [
            "41,6182",
            "1,234",
            "0x10",
            "1_0",
            "%",
            "1.2.3",
            "--1",
            "1 00",
            "((1))",
            "(-1)",
            "$",
            "1e",
            "1,23.4",
            "1,234.5.6",
        ] {
            assert_eq!(parse(text, POINT), Cell::Text, "{text:?}");
        }
        for text in ["1,234,567", "1.5", "1.234", "1,2,3", "1.23,4", "12.3456,7"] {
            assert_eq!(parse(text, COMMA), Cell::Text, "{text:?}");
        }
    }

    #[test]
    fn marks_are_told_by_what_they_cannot_be() {
        for (text, expected) in [
            ("41,6182", Some(Marks::Decimal(','))),
            ("1,234", Some(Marks::Either(','))),
            ("0,123", Some(Marks::Decimal(','))),
            ("1.234,5", Some(Marks::Decimal(','))),
            ("1,234.5", Some(Marks::Decimal('.'))),
            ("1.234.567", Some(Marks::Thousands('.'))),
            ("1 234,567", Some(Marks::Decimal(','))),
            ("$41.5", Some(Marks::Decimal('.'))),
            ("1,2,3", None),
            ("03.06.2019", None),
            ("word, word", None),
        ] {
            assert_eq!(marks(text), expected, "{text:?}");
        }
    }
}
