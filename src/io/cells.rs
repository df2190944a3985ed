//! What one cell of a text file says.
//!
//! A number is digits with one decimal mark, groups of three digits before it if any, a sign or accountants' parentheses,
//! and perhaps a currency or percent sign. Whatever is not wholly such a number is text: nothing is half read.

use std::cell::Cell as Shared;

/// Spellings of "there is no number here", compared without case.
const MISSING: &[&str] = &[
    "",
    "NA",
    "N/A",
    "NaN",
    "null",
    "(null)",
    "None",
    "nil",
    "-",
    ".",
    "..",
    "...",
    "…",
    ":",
    "*",
    "?",
    "#N/A",
    "#NA",
    "<NA>",
    "n.a.",
    "n.a",
    "n/d",
    "n.d.",
    "n.d",
    "nd",
    "n/m",
    "n.m.",
    "NaT",
    "--",
    "---",
    "- -",
    "\\N",
    "–",
    "—",
    "missing",
    "no data",
    "no value",
    "nodata",
    "void",
    "not available",
    "#VALUE!",
    "#DIV/0!",
    "#REF!",
    "#NUM!",
    "#NAME?",
    "#NULL!",
    "#MISSING",
    "#ERROR!",
    "#CALC!",
    "#NV",
    "#WERT!",
    "#BEZUG!",
    "#VALEUR!",
    "#¡VALOR!",
    "#N/D",
    "1.#IND",
    "1.#QNAN",
    "-1.#IND",
    "@NA",
    "(NA)",
    "NM",
    "--.--",
    "k. A.",
    "<null>",
    "k.A.",
    "s.o.",
    "n.v.",
];
/// Signs before or behind an amount; longer ones before those they begin with.
const CURRENCIES: [&str; 65] = [
    "US$", "CA$", "AU$", "NZ$", "HK$", "SG$", "NT$", "MX$", "A$", "C$", "R$", "S$", "$", "€", "£", "¥", "₹", "₩", "₽",
    "₺", "₪", "฿", "₫", "₴", "₦", "₱", "zł", "Kč", "Ft", "Fr.", "SFr.", "kr.", "kr", "Rs.", "Rs", "RM", "Rp", "USDT",
    "USD", "EUR", "GBP", "GBX", "CHF", "JPY", "INR", "CNY", "CNH", "RMB", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD",
    "KRW", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "BRL", "MXN", "ZAR", "TRY",
];

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
    /// The only sign that separates thousands, where that was said.
    pub thousands: Option<char>,
    /// `118'160` and `118-16` are 118 and 16/32.
    pub thirty_seconds: bool,
    /// Further spellings of a missing cell.
    pub missing: Vec<String>,
    /// Ornaments that were met on the way.
    pub met: Ornaments,
}

/// What stood beside the digits and was taken off.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ornaments {
    pub groups: Shared<Option<char>>,
    pub currency: Shared<bool>,
    pub parentheses: Shared<bool>,
    pub trailing_minus: Shared<bool>,
    pub thirty_seconds: Shared<bool>,
}

impl Ornaments {
    pub(crate) fn remarks(&self) -> impl Iterator<Item = String> {
        let groups = self.groups.get().map(|mark| format!("thousands are separated by `{mark}`"));
        let currency = self.currency.get().then(|| "currency signs are taken off".to_string());
        let parentheses = self.parentheses.get().then(|| "numbers in parentheses are negative".to_string());
        let minus = self.trailing_minus.get().then(|| "a minus sign may stand behind its number".to_string());
        let parts = self.thirty_seconds.get().then(|| "prices are in whole numbers and 32nds".to_string());
        groups.into_iter().chain(currency).chain(parentheses).chain(minus).chain(parts)
    }
}

impl Numbers {
    pub(crate) fn new(decimal: Decimal, is_certain: bool) -> Numbers {
        Numbers {
            decimal,
            is_certain,
            thousands: None,
            thirty_seconds: false,
            missing: Vec::new(),
            met: Ornaments::default(),
        }
    }

    /// The same notation, nothing met yet.
    pub(crate) fn afresh(&self) -> Numbers {
        Numbers { met: Ornaments::default(), ..self.clone() }
    }

    pub(crate) fn parse(&self, text: &str) -> Cell {
        let text = text.trim();
        if self.decimal == Decimal::Point
            && let Ok(number) = text.parse::<f64>()
        {
            return if number.is_nan() { Cell::Missing } else { Cell::Number(number) };
        }
        if self.is_missing(text) {
            return Cell::Missing;
        }
        if self.thirty_seconds
            && let Some(number) = thirty_seconds(text)
        {
            self.met.thirty_seconds.set(true);
            return Cell::Number(number);
        }
        // No second meaning of the mark beside this one.
        if self.thirty_seconds && text.contains(['\'', '’']) {
            return Cell::Text;
        }
        let bare = Bare::of(text);
        let Some((number, groups)) = self.number(&bare) else { return Cell::Text };
        if groups.is_some() {
            self.met.groups.set(groups);
        }
        let meet = |met: &Shared<bool>, is_met: bool| met.set(met.get() || is_met);
        meet(&self.met.currency, bare.has_currency);
        meet(&self.met.parentheses, bare.has_parentheses);
        meet(&self.met.trailing_minus, bare.has_trailing_minus);
        let number = if bare.is_negative { -number } else { number };
        match number {
            _ if number.is_nan() => Cell::Missing,
            _ if bare.is_percent => Cell::Percent(number / 100.0),
            _ => Cell::Number(number),
        }
    }

    pub(crate) fn is_missing(&self, text: &str) -> bool {
        is_missing(text) || self.missing.iter().any(|word| word.eq_ignore_ascii_case(text))
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
                let is_allowed = self.thousands.map_or(sign == other || is_blank_or_apostrophe(sign), |mark| {
                    mark == sign || is_blank_or_apostrophe(mark) && is_blank_or_apostrophe(sign)
                });
                if !is_allowed || !(may_group || self.thousands.is_some()) || !in_groups(whole, sign) {
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
    let is_whole = |whole: &str, sign: char| !whole.contains(sign) || in_groups(whole, sign);
    if digits.contains(other) {
        return (times == 1 && is_whole(whole, other)).then_some(Marks::Decimal(mark));
    }
    if times > 1 {
        return in_groups(digits, mark).then_some(Marks::Thousands(mark));
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
    has_trailing_minus: bool,
}

impl<'a> Bare<'a> {
    fn of(text: &'a str) -> Bare<'a> {
        let mut bare = Bare {
            digits: text,
            is_negative: false,
            is_percent: false,
            has_currency: false,
            has_parentheses: false,
            has_trailing_minus: false,
        };
        // Most cells begin and end with a digit, and nothing stands around these.
        if let [first, .., last] = text.as_bytes()
            && first.is_ascii_digit()
            && last.is_ascii_digit()
        {
            return bare;
        }
        if let Some(inside) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            (bare.digits, bare.is_negative, bare.has_parentheses) = (inside.trim(), true, true);
        }
        if let Some(rest) = bare.digits.strip_suffix('%') {
            (bare.digits, bare.is_percent) = (rest.trim_end(), true);
        }
        let mut has_sign = bare.take_sign();
        // `5.25-`, as some ledgers write it; never a second sign.
        if !has_sign
            && !bare.has_parentheses
            && let Some(rest) = bare.digits.strip_suffix(['-', '\u{2212}'])
            && rest.ends_with(|c: char| c.is_ascii_digit())
        {
            (bare.digits, bare.is_negative, bare.has_trailing_minus) = (rest, true, true);
            has_sign = true;
        }
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

/// Whether thousands stand apart as they are written in most places, or in India: `12,34,567`.
fn in_groups(whole: &str, sign: char) -> bool {
    in_threes(whole, sign) || sign == ',' && in_lakhs(whole)
}

/// One or two digits, groups of two, and a group of three: `1,02,345`.
fn in_lakhs(whole: &str) -> bool {
    let groups: Vec<&str> = whole.split(',').collect();
    let [first, middle @ .., last] = &groups[..] else { return false };
    let are_digits = groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_digit()));
    let are_pairs = !middle.is_empty() && middle.iter().all(|group| group.len() == 2);
    are_digits && (1..=2).contains(&first.len()) && are_pairs && last.len() == 3
}

/// Prices of bonds and their futures: `118-16`, `118'160` and `118-16+` are whole numbers and 32nds, a third digit being
/// the first decimal of a number of eighths of one (2 is a quarter, 5 a half), `+` a half.
pub(crate) fn thirty_seconds(text: &str) -> Option<f64> {
    let (whole, rest) = text.split_once(['-', '\'', '’'])?;
    let is_whole = (1..=4).contains(&whole.len()) && whole.bytes().all(|b| b.is_ascii_digit());
    let (parts, eighths) = rest.split_at_checked(2).filter(|_| is_whole)?;
    let parts: u8 = parts.parse().ok().filter(|parts| *parts < 32)?;
    let part = match eighths {
        "" | "0" => 0.0,
        "1" => 0.125,
        "2" => 0.25,
        "3" => 0.375,
        "5" | "+" => 0.5,
        "6" => 0.625,
        "7" => 0.75,
        "8" => 0.875,
        _ => return None,
    };
    Some(whole.parse::<f64>().ok()? + (f64::from(parts) + part) / 32.0)
}

/// One to three digits, then groups of three: `1,234` and `12,345,678`.
fn in_threes(whole: &str, sign: char) -> bool {
    let mut groups = whole.split(sign);
    let are_digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len()) && are_digits(first) && groups.all(|group| group.len() == 3 && are_digits(group))
}

pub(crate) fn is_missing(text: &str) -> bool {
    // Terminals of Bloomberg say why: `#N/A Invalid Security`.
    text.len() <= 16 && MISSING.iter().any(|token| token.eq_ignore_ascii_case(text)) || text.starts_with("#N/A ")
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
            ("1,02,345.60", POINT, 102_345.6),
            ("1,23,45,678.5", POINT, 12_345_678.5),
            ("5.25-", POINT, -5.25),
            ("R$ 1.234,5", COMMA, 1234.5),
            ("41,5 zł", COMMA, 41.5),
            ("C$5.5", POINT, 5.5),
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
    fn bonds_are_quoted_in_32nds_where_that_is_said() {
        let said = Numbers { thirty_seconds: true, ..Numbers::new(POINT, false) };
        for (text, number) in [
            ("118'160", 118.5),
            ("118-16", 118.5),
            ("118-165", 118.515625),
            ("118-16+", 118.515625),
            ("118'167", 118.0 + 16.75 / 32.0),
            ("3254.75", 3254.75),
        ] {
            assert_eq!(said.parse(text), Cell::Number(number), "{text}");
        }
        for text in ["118-32", "118-164", "118-1", "-118-16"] {
            assert_eq!(said.parse(text), Cell::Text, "{text}");
        }
        assert_eq!(parse("118-16", POINT), Cell::Text);
        let points = Numbers { thousands: Some('.'), ..Numbers::new(COMMA, true) };
        assert_eq!(points.parse("1.234"), Cell::Number(1234.0));
        assert_eq!(points.parse("1'234"), Cell::Text, "no other mark");
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
            ("1,02,345", Some(Marks::Thousands(','))),
            ("1,02,345.60", Some(Marks::Decimal('.'))),
        ] {
            assert_eq!(marks(text), expected, "{text:?}");
        }
    }
}
