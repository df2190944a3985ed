//! Columns side by side, as many as a terminal has room for.

use super::view::View;
use crate::report::words;

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    pub head: String,
    pub cells: Vec<String>,
    /// At least this wide.
    pub width: usize,
    /// Spaces before it.
    pub gap: usize,
    pub left: bool,
    /// Where there is no room for all, columns with the smallest number leave first; none never leaves.
    pub leaves: Option<u8>,
}

impl Column {
    /// Names, which stay.
    pub fn names(head: &str, cells: Vec<String>, width: usize) -> Column {
        Column { head: head.to_string(), cells, width, gap: 0, left: true, leaves: None }
    }

    /// Numbers, to the right.
    pub fn numbers(head: &str, cells: Vec<String>, width: usize, gap: usize, leaves: Option<u8>) -> Column {
        Column { head: head.to_string(), cells, width, gap, left: false, leaves }
    }

    /// With so many spaces before it.
    pub fn after(self, gap: usize) -> Column {
        Column { gap, ..self }
    }

    /// What it takes of a line.
    pub fn room(&self) -> usize {
        self.gap + self.taken()
    }

    fn taken(&self) -> usize {
        let widest = self.cells.iter().chain([&self.head]).map(|cell| words::columns(cell)).max();
        self.width.max(widest.unwrap_or(0))
    }
}

/// The columns that find room beside each other.
pub fn fitting(mut columns: Vec<Column>, view: View) -> Vec<Column> {
    while columns.iter().map(Column::room).sum::<usize>() > view.columns() {
        let next = (0..columns.len()).filter(|&at| columns[at].leaves.is_some()).min_by_key(|&at| columns[at].leaves);
        let Some(next) = next else { break };
        columns.remove(next);
    }
    columns
}

/// The heads, then a line per row. Returns where each column that has found room ends.
pub fn table(out: &mut String, columns: Vec<Column>, view: View) -> Vec<usize> {
    let columns: Vec<(usize, Column)> =
        fitting(columns, view).into_iter().map(|column| (column.taken(), column)).collect();
    let rows = columns.first().map_or(0, |(_, column)| column.cells.len());
    let line = |of: &dyn Fn(&Column) -> &str| {
        let mut line = String::new();
        for (width, column) in &columns {
            line.push_str(&" ".repeat(column.gap));
            line.push_str(&padded(of(column), *width, column.left));
        }
        line.trim_end().to_string()
    };
    out.push_str(&view.bold(&line(&|column| &column.head)));
    out.push('\n');
    for row in 0..rows {
        out.push_str(&line(&|column| &column.cells[row]));
        out.push('\n');
    }
    let ends = columns.iter().scan(0, |end, (width, column)| {
        *end += column.gap + width;
        Some(*end)
    });
    ends.collect()
}

/// Filled up to so many columns of a terminal.
pub fn padded(text: &str, width: usize, left: bool) -> String {
    let space = " ".repeat(width.saturating_sub(words::columns(text)));
    if left { format!("{text}{space}") } else { format!("{space}{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_leave_in_their_order_until_the_rest_fits() {
        let columns = || {
            let numbers = |head, leaves| Column::numbers(head, vec!["1".to_string()], 10, 2, leaves);
            vec![
                Column::names("asset", vec!["日経".to_string()], 6),
                numbers("kept", None),
                numbers("second", Some(2)),
                numbers("first", Some(1)),
            ]
        };
        let heads = |width| {
            let mut out = String::new();
            table(&mut out, columns(), View::terminal(width, false));
            out.lines().next().unwrap().split_whitespace().map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(heads(42), ["asset", "kept", "second", "first"]);
        assert_eq!(heads(41), ["asset", "kept", "second"]);
        assert_eq!(heads(30), ["asset", "kept", "second"]);
        let mut out = String::new();
        table(&mut out, columns(), View::PLAIN);
        // Wide characters take two columns each.
        assert_eq!(out.lines().nth(1).unwrap(), "日経             1           1           1");
    }
}
