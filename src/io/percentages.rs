//! Percent signs: a column has them throughout, or not at all.

use crate::error::{Error, Result};
use crate::io::cells::Cell;
use crate::io::history::History;
use crate::io::shown;

/// Whether each column writes percent signs; a column that writes some is not to be trusted.
pub(crate) struct Percentages {
    /// First line with a percent sign and first line without one, per asset. A bare zero says nothing.
    seen: Vec<[Option<u64>; 2]>,
}

impl Percentages {
    pub(crate) fn new(assets: usize) -> Percentages {
        Percentages { seen: vec![[None; 2]; assets] }
    }

    pub(crate) fn see(&mut self, asset: usize, line: u64, cell: Cell) {
        let [with, without] = &mut self.seen[asset];
        match cell {
            Cell::Percent(_) => _ = with.get_or_insert(line),
            Cell::Number(number) if number != 0.0 => _ = without.get_or_insert(line),
            _ => {}
        }
    }

    /// The remark, where percentages were read; they are returns if every column writes them.
    pub(crate) fn finish(&self, history: &History) -> Result<Option<String>> {
        for (asset, seen) in self.seen.iter().enumerate() {
            if let [Some(with), Some(without)] = seen {
                return Err(Error::input(format!(
                    "{}: column {} (`{}`) has a percent sign in line {with} and none in line {without}",
                    history.source,
                    history.columns[asset],
                    shown(&history.assets[asset])
                ))
                .hint("write the whole column with percent signs or without"));
            }
        }
        let columns = self.seen.iter().filter(|seen| seen[0].is_some()).count();
        Ok((columns > 0).then(|| format!("percent signs in {columns} of {} columns: 1.25% is 0.0125", self.seen.len())))
    }

    /// All columns that hold anything but zeros hold percentages.
    pub(crate) fn are_all(&self) -> bool {
        self.seen.iter().all(|seen| seen[1].is_none())
    }

    /// The first asset and line with a percent sign.
    pub(crate) fn first(&self) -> Option<(usize, u64)> {
        self.seen.iter().enumerate().filter_map(|(asset, seen)| Some((asset, seen[0]?))).min_by_key(|(_, line)| *line)
    }
}
