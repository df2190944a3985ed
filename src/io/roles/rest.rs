//! What is left of a table: assets, unless a column counts rows, holds text, or the table is no history.

use super::{Role, Table};
use crate::error::{Error, Result, option};
use crate::io::fields;
use crate::io::layout::Labels;
use crate::io::sketch::{Content, Sketch};
use crate::io::{Request, dates, shown};

impl Table<'_> {
    /// Whether a column of numbers counts, dates or classifies rows by its name and cells.
    pub(super) fn is_helper(&self, column: usize) -> bool {
        let Sketch { name, content, figures, .. } = &self.columns[column];
        // `T` and `KEY` are shares, unless their numbers rise as those of rows do.
        let is_symbol = name.len() <= 4 && name.chars().all(|c| c.is_ascii_uppercase());
        let is_count = figures.are_monotone || !(is_symbol || fields::is_row_name(name));
        *content == Content::Numbers && figures.are_whole && fields::is_helper_name(name) && is_count
    }

    /// Whether the cells of a column alone would make a row's number, day or second of them.
    pub(super) fn may_number_rows(&self, column: usize) -> bool {
        const LEAST: usize = 5;
        const MONOTONE: usize = 10;
        const CLASSES: usize = 20;
        const MOST_CLASSES: usize = 4;
        let figures = &self.columns[column].figures;
        // Days of MATLAB beside those of spreadsheets.
        let are_dates = figures.may_be_seconds() || figures.may_be_days_or_months() || figures.are_within(7e5, 8e5);
        // Whole numbers that only rise, as days to a date fall; a year and its fraction; a few classes.
        let only_rise = figures.count >= MONOTONE && figures.are_whole && figures.are_monotone;
        let are_years = figures.are_monotone && figures.are_within(1_900.0, 2_100.0);
        let is_fraction =
            figures.count >= MONOTONE && are_years && figures.high - figures.low < 0.1 * figures.count as f64;
        let are_classes = figures.count >= CLASSES
            && figures.are_whole
            && (2..=MOST_CLASSES).contains(&self.columns[column].different);
        only_rise
            || is_fraction
            || are_classes
            || figures.count >= LEAST && figures.are_whole && (figures.are_in_turn || figures.are_monotone && are_dates)
    }

    /// Whether the cells of a first column, each but once, would be dates in some notation, in whatever order.
    fn may_date_rows(&self, column: usize) -> bool {
        let Sketch { figures, repeats, .. } = &self.columns[column];
        // Also yymmdd, yyyyddd, ddmmyyyy and mmddyyyy.
        let are_dates = figures.may_be_seconds()
            || figures.may_be_days_or_months()
            || figures.are_within(10_101.0, 991_231.0)
            || figures.are_within(1_900_001.0, 2_100_366.0)
            || figures.are_within(1_011_900.0, 31_122_100.0);
        figures.count >= 5 && figures.are_whole && !repeats && are_dates
    }

    /// Assets that nothing says otherwise of.
    pub(super) fn plain(&mut self, labels: &Labels, request: &Request<'_>) -> Result<Vec<(usize, String)>> {
        let mut assets = Vec::new();
        let mut doubtful = Vec::new();
        for column in self.rest() {
            let sketch = &self.columns[column];
            match sketch.content {
                Content::Text => {
                    if let Some(cell) = &sketch.unreadable {
                        return Err(self.unreadable(column, cell));
                    }
                    if !(fields::is_remark_name(&sketch.name) || sketch.different < 2) {
                        return Err(self.text(column));
                    }
                    self.roles[column] = Some(Role::Remark);
                }
                Content::Dates | Content::Times => self.roles[column] = Some(Role::RowNumber),
                Content::Numbers | Content::Empty if self.is_helper(column) && *labels != Labels::None => {
                    // Assets may be numbered: only the name of a counter is left out, not `0` or `1`.
                    self.roles[column] = Some(Role::RowNumber);
                }
                Content::Numbers | Content::Empty => {
                    if sketch.name.is_empty() {
                        return Err(Error::input(format!("{}: column {} has no name", self.source, column + 1))
                            .hint("the first line names every column"));
                    }
                    let is_first = column == 0 && *labels == Labels::None;
                    // Rates of central banks stay for long, and are whole.
                    let may_number_rows = self.may_number_rows(column) && !request.are_rates;
                    if may_number_rows || is_first && self.may_date_rows(column) {
                        doubtful.push(column);
                    }
                    assets.push((column, sketch.name.clone()));
                }
            }
        }
        if let Some(&column) = doubtful.first() {
            let name = shown(self.name(column));
            return Err(Error::input(format!(
                "{}: column {} (`{name}`) holds whole numbers that count or date the rows: an asset, or not?",
                self.source,
                column + 1
            ))
            .hint(format!(
                "leave it out with {}, or name the columns to read with {}",
                option("exclude").quoted(&name),
                option("assets")
            )));
        }
        Ok(assets)
    }

    pub(super) fn text(&self, column: usize) -> Error {
        let name = shown(self.name(column));
        Error::input(format!("{}: column {} (`{name}`) holds text, no numbers", self.source, column + 1))
            .hint(format!("leave it out with {}", option("exclude").quoted(&name)))
    }

    pub(super) fn unreadable(&self, column: usize, cell: &str) -> Error {
        let hint = match crate::io::cells::thirty_seconds(cell) {
            Some(_) => {
                format!(
                    "say {} if these are whole numbers and 32nds; else leave the column out with {}",
                    option("thirty-seconds"),
                    option("exclude")
                )
            }
            None => format!("correct the cells, or leave the column out with {}", option("exclude")),
        };
        Error::input(format!(
            "{}: column {} (`{}`): most cells are no numbers, such as `{}`",
            self.source,
            column + 1,
            shown(self.name(column)),
            shown(cell)
        ))
        .hint(hint)
    }

    /// A table of what somebody holds has no dates, but words such as quantity and weight.
    pub(super) fn nothing_but_positions(&self, labels: &Labels) -> Result<()> {
        const WORDS: [&str; 12] = [
            "shares",
            "quantity",
            "qty",
            "weight",
            "weights",
            "position",
            "market value",
            "weight %",
            "cost basis",
            "units",
            "notional",
            "portfolio weight",
        ];
        let found: Vec<usize> = (0..self.columns.len())
            .filter(|&column| WORDS.contains(&fields::plain(self.name(column)).as_str()))
            .collect();
        let months = (0..self.columns.len()).filter(|&column| dates::is_month_name(self.name(column))).count();
        if months >= 10 {
            return Err(Error::input(format!(
                "{}: this looks like one series in a table of years by months, not a history of several assets",
                self.source
            ))
            .hint("write one row per month: a date, and a column per asset"));
        }
        let is_dated = labels.first().is_some_and(|first| self.is_dates(first));
        if found.is_empty() || is_dated {
            return Ok(());
        }
        Err(Error::input(format!(
            "{}: this looks like a table of positions ({}), not a history: no column holds dates",
            self.source,
            self.listed(&found)
        ))
        .hint("a history has dates in the first column and a price or return of each asset"))
    }

    pub(super) fn no_assets(&self) -> Error {
        let taken = self.columns.iter().zip(&self.roles).filter_map(|(sketch, role)| {
            let role = role.as_ref()?;
            Some(format!("`{}` ({})", shown(&sketch.name), role.name()))
        });
        let taken: Vec<String> = taken.take(8).collect();
        let what = match self.columns.len() {
            1 => "there is one column only".to_string(),
            _ => format!("the columns are {}", taken.join(", ")),
        };
        Error::input(format!("{}: no asset columns: {what}", self.source))
            .hint("the first column holds dates, each further column an asset")
    }
}
