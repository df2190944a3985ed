//! Numbers that stand for a missing cell: -99.99, -999 and the like.
//!
//! A price cannot be negative, and no return is -99.99 but by a rare chance; what a file says of its own codes, above its
//! names, and what the user says, is believed.

use crate::io::history::History;
use crate::io::{count, shown};

/// What vendors write where there is no number.
const CODES: [f64; 9] = [-99.99, -999.0, -9_999.0, -99_999.0, -999.99, -9_999.99, -999.9, -99.999, -99.9999];

/// Empties the cells that hold a code, and says how many.
pub(crate) fn empty(history: &mut History, prose: &[String], said: &[String]) -> Option<String> {
    let said: Vec<f64> = said.iter().filter_map(|word| word.parse().ok()).collect();
    let of_file = of_prose(prose);
    let is_code = |x: f64| CODES.contains(&x) || said.contains(&x) || of_file.contains(&x);
    let mut found: Vec<(f64, usize)> = Vec::new();
    for value in &mut history.values {
        if is_code(*value) {
            match found.iter_mut().find(|(code, _)| code == value) {
                Some((_, times)) => *times += 1,
                None => found.push((*value, 1)),
            }
            *value = f64::NAN;
        }
    }
    if found.is_empty() {
        return None;
    }
    let cells = count(found.iter().map(|(_, times)| times).sum(), "cell");
    let codes: Vec<String> = found.iter().map(|(code, _)| shown(&code.to_string())).collect();
    let verb = if codes.len() == 1 { "stands" } else { "stand" };
    Some(format!("{} {verb} for a missing cell: {cells}", codes.join(" and ")))
}

/// The numbers of a sentence such as "Missing data are indicated by -99.99 or -999."
fn of_prose(prose: &[String]) -> Vec<f64> {
    let speaks = |line: &&String| {
        let line = line.to_lowercase();
        ["missing", "not available", "no data", "unavailable", "no observation"].iter().any(|word| line.contains(word))
    };
    let numbers = |line: &String| -> Vec<f64> {
        line.split(|c: char| c.is_whitespace() || ",;:()=\"'".contains(c))
            .filter_map(|word| word.trim_end_matches('.').parse::<f64>().ok())
            // "Missing in 3 rows" names no code: that is negative, or of nines.
            .filter(|x| *x < 0.0 || *x >= 99.0 && x.to_string().chars().all(|c| matches!(c, '9' | '.')))
            .collect()
    };
    prose.iter().filter(speaks).flat_map(numbers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_say_its_own_codes() {
        let prose = ["Missing data are indicated by -99.99 or -77.".to_string(), "Made by -5 people".to_string()];
        assert_eq!(of_prose(&prose), [-99.99, -77.0]);
    }

    fn history(values: &[f64]) -> History {
        History {
            source: "f".into(),
            assets: vec!["A".into()],
            columns: vec![2],
            labels: (0..values.len()).map(|row| row.to_string()).collect(),
            keys: crate::io::dates::Keys::Names,
            lines: (2..2 + values.len() as u64).collect(),
            cell_lines: Vec::new(),
            noun: "line",
            values: values.to_vec(),
        }
    }

    #[test]
    fn codes_of_vendors_of_the_file_and_of_the_user_are_emptied_and_counted() {
        let mut read = history(&[0.01, -99.99, -0.02, -77.0, -5.0, -999.0]);
        let prose = ["-77 is missing".to_string()];
        let remark = empty(&mut read, &prose, &["-5".to_string(), "closed".to_string()]).expect("four codes");
        assert!(read.values[0] == 0.01 && read.values[2] == -0.02);
        assert_eq!(read.values.iter().filter(|x| x.is_nan()).count(), 4);
        assert_eq!(remark, "-99.99 and -77 and -5 and -999 stand for a missing cell: 4 cells");
        assert_eq!(empty(&mut history(&[-0.5, -77.0, -99.0]), &[], &[]), None);
    }
}
