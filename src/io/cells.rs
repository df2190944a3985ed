//! What one cell of a text file says.

/// Spellings of "there is no number here", compared without case.
const MISSING: [&str; 12] = ["", "NA", "N/A", "NaN", "null", "None", "-", ".", "#N/A", "#N/A N/A", "#NA", "<NA>"];

/// The sign between whole and fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decimal {
    Point,
    Comma,
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

pub(crate) fn parse(text: &str, decimal: Decimal) -> Cell {
    let text = text.trim();
    if is_missing(text) {
        return Cell::Missing;
    }
    let (digits, is_percent) = match text.strip_suffix('%') {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    let number = match decimal {
        Decimal::Point => digits.parse::<f64>(),
        // A point or a second comma is then no number, so thousands separators are never misread.
        Decimal::Comma if digits.contains('.') => return Cell::Text,
        Decimal::Comma => digits.replace(',', ".").parse::<f64>(),
    };
    match number {
        Ok(number) if number.is_nan() => Cell::Missing,
        Ok(number) if is_percent => Cell::Percent(number / 100.0),
        Ok(number) => Cell::Number(number),
        Err(_) => Cell::Text,
    }
}

fn is_missing(text: &str) -> bool {
    MISSING.iter().any(|token| token.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_cells_have_many_spellings() {
        for text in ["", "  ", "NA", "n/a", "nan", "NaN", "-nan", "NULL", "None", "-", ".", "#N/A", " na ", "<NA>"] {
            assert_eq!(parse(text, Decimal::Point), Cell::Missing, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_read_as_written() {
        assert_eq!(parse(" -1.5e-3 ", Decimal::Point), Cell::Number(-0.0015));
        assert_eq!(parse("1.25%", Decimal::Point), Cell::Percent(0.0125));
        assert_eq!(parse("-1,25 %", Decimal::Comma), Cell::Percent(-0.0125));
        assert_eq!(parse("41,6182", Decimal::Comma), Cell::Number(41.6182));
        assert_eq!(parse("1e999", Decimal::Point), Cell::Number(f64::INFINITY));
    }

    #[test]
    fn what_is_not_a_number_is_never_half_read() {
        for text in ["41,6182", "1 000", "$5", "0x10", "1_0", "%", "1.2.3", "(3.1)", "--1"] {
            assert_eq!(parse(text, Decimal::Point), Cell::Text, "{text:?}");
        }
        for text in ["1.234,5", "1,234,567", "1.5"] {
            assert_eq!(parse(text, Decimal::Comma), Cell::Text, "{text:?}");
        }
    }
}
