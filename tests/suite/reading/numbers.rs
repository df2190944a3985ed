//! Notations of numbers: from plain digits to what vendors print.

/// A notation of numbers, and the delimiters beside which it can be read.
#[derive(Clone, Copy)]
pub struct Notation {
    pub name: &'static str,
    pub write: fn(&str) -> String,
    /// Only for returns, which may be negative.
    pub is_of_returns: bool,
}

/// Whole and fraction of plain digits, and whether they are negative.
fn split(plain: &str) -> (bool, &str, &str) {
    let (is_negative, digits) = plain.strip_prefix('-').map_or((false, plain), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    (is_negative, whole, fraction)
}

/// Thousands apart, from the right; `first` digits in the last group, `next` in those before.
fn grouped(plain: &str, mark: &str, decimal: &str, next: usize) -> String {
    let (is_negative, whole, fraction) = split(plain);
    let mut groups: Vec<&str> = Vec::new();
    let (mut rest, mut size) = (whole, 3);
    while rest.len() > size {
        let (before, group) = rest.split_at(rest.len() - size);
        groups.push(group);
        (rest, size) = (before, next);
    }
    groups.push(rest);
    groups.reverse();
    let sign = if is_negative { "-" } else { "" };
    let fraction = if fraction.is_empty() { String::new() } else { format!("{decimal}{fraction}") };
    format!("{sign}{}{fraction}", groups.join(mark))
}

const fn prices(name: &'static str, write: fn(&str) -> String) -> Notation {
    Notation { name, write, is_of_returns: false }
}

const fn returns(name: &'static str, write: fn(&str) -> String) -> Notation {
    Notation { name, write, is_of_returns: true }
}

pub const NOTATIONS: &[Notation] = &[
    prices("plain", str::to_string),
    prices("decimal comma", |x| x.replace('.', ",")),
    prices("1,234.5", |x| grouped(x, ",", ".", 3)),
    prices("1.234,5", |x| grouped(x, ".", ",", 3)),
    prices("1'234.5", |x| grouped(x, "'", ".", 3)),
    prices("1 234.5", |x| grouped(x, " ", ".", 3)),
    prices("1 234,5", |x| grouped(x, " ", ",", 3)),
    prices("1\u{202f}234,5", |x| grouped(x, "\u{202f}", ",", 3)),
    prices("1,02,345.5", |x| grouped(x, ",", ".", 2)),
    prices("$1,234.5", |x| format!("${}", grouped(x, ",", ".", 3))),
    prices("Rs. 1,02,345.5", |x| format!("Rs. {}", grouped(x, ",", ".", 2))),
    prices("1.234,5 €", |x| format!("{} €", grouped(x, ".", ",", 3))),
    prices("CHF 1'234.5", |x| format!("CHF {}", grouped(x, "'", ".", 3))),
    prices("=\"1.5\"", |x| format!("=\"{x}\"")),
    returns("5.25-", |x| x.strip_prefix('-').map_or(x.to_string(), |rest| format!("{rest}-"))),
    returns("(5.25)", |x| x.strip_prefix('-').map_or(x.to_string(), |rest| format!("({rest})"))),
    returns("1.25%", |x| format!("{:.4}%", 100.0 * x.parse::<f64>().unwrap_or_default())),
    returns("+5.25", |x| if x.starts_with('-') { x.to_string() } else { format!("+{x}") }),
    returns("\u{2212}5.25", |x| x.replace('-', "\u{2212}")),
];
