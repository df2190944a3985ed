//! Numbers as a reader wants them.

/// "1 asset", "10,000 assets".
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// Six significant digits at most, without what rounding leaves: 0.1 + 0.2 is 0.3.
pub fn short(number: f64) -> String {
    rounded(number, 6).to_string()
}

/// The same with as many digits more as tell the number from another.
pub fn short_beside(number: f64, other: f64) -> String {
    let told = |digits: &usize| rounded(number, *digits) != rounded(other, *digits);
    rounded(number, (6..17).find(told).unwrap_or(17)).to_string()
}

/// The same, rounded up: at least the number.
pub fn short_above(number: f64) -> String {
    let near = rounded(number, 6);
    if near >= number * (1.0 - 1e-15) {
        return near.to_string();
    }
    let step = 10.0_f64.powi(number.abs().log10().floor() as i32 - 5);
    short(near + step)
}

/// The number of so many significant digits that is nearest.
fn rounded(number: f64, digits: usize) -> f64 {
    // A zero has no sign.
    format!("{number:.*e}", digits - 1).parse().unwrap_or(number) + 0.0
}

/// "`A`, `B` and `C`" of what is quoted already; of many, the first eight.
pub fn joined(items: &[String]) -> String {
    const MOST: usize = 8;
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] if items.len() <= MOST => format!("{} and {last}", before.join(", ")),
        _ => format!("{} and {} more", items[..MOST].join(", "), items.len() - MOST),
    }
}

/// 10000 -> 10,000.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_say_what_they_have_to() {
        assert_eq!(
            [0.1 + 0.2, 0.95, 1.0 / 3.0, -0.0, 12.5, 1e-7].map(short),
            ["0.3", "0.95", "0.333333", "0", "12.5", "0.0000001"]
        );
        assert_eq!(short_beside(0.99999999, 1.0), "0.99999999");
        assert_eq!(short_beside(0.9, 1.0), "0.9");
        assert_eq!([1.0 / 3.0, 0.1, 1.0 / 7.0, 0.1 + 0.2].map(short_above), ["0.333334", "0.1", "0.142858", "0.3"]);
    }
}
