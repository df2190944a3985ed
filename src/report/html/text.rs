//! Text and numbers for a page and for its charts. Names come from files and may hold anything.

use crate::report::words;

/// Columns of a name beside an axis, where it leaves room for the plot on a phone.
const LABEL: usize = 22;

/// Columns of a name in a sentence.
const NAME: usize = 40;

/// For HTML, between tags and in quoted attributes. A number and its percent sign stay on one line.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push('?'),
            c => safe.push(c),
        }
    }
    safe.replace(" %", "\u{a0}%")
}

/// For plotly, which takes tags in text for HTML's, and knows few entities.
pub fn label(text: &str) -> String {
    words::cut(text, LABEL).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// For a sentence; whoever writes it to the page escapes it.
pub fn name(text: &str) -> String {
    words::cut(text, NAME)
}

/// A share in percent.
pub fn percent(share: f64) -> f64 {
    rounded(100.0 * share)
}

/// To six digits: no eye sees more, and the file stays small. What is no number stays so, and leaves a gap.
pub fn rounded(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(f64::NAN)
}

/// "23.59 to 30.57 %".
pub fn range(low: f64, high: f64, decimals: usize) -> String {
    format!("{:.decimals$} to {:.decimals$} %", 100.0 * low, 100.0 * high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_take_for_code_is_text() {
        assert_eq!(escaped("</script>&\"'\u{0}"), "&lt;/script&gt;&amp;&quot;&#39;?");
        assert_eq!(label("<b>\"A&amp;B\"</b>"), "&lt;b&gt;\"A&amp;amp;B\"&lt;/b&gt;");
    }

    #[test]
    fn numbers_keep_six_digits() {
        assert_eq!([rounded(100.0 * 0.2245), rounded(1.234_567_89e-7)], [22.45, 1.23457e-7]);
        assert!(rounded(f64::NAN).is_nan() && rounded(f64::INFINITY).is_infinite());
    }
}
