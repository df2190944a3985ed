//! Which columns say when: dates, times, and parts of dates.

use super::{Role, Table};
use crate::error::{Error, Result, option};
use crate::io::fields::{self, Part};
use crate::io::layout::Labels;
use crate::io::shown;
use crate::io::sketch::{Content, Sketch};

impl Table<'_> {
    pub(super) fn is_dates(&self, column: usize) -> bool {
        let sketch = &self.columns[column];
        sketch.content == Content::Dates
            || fields::is_date_name(&sketch.name)
                && matches!(sketch.content, Content::Numbers | Content::Text)
                && !self.is_part(column)
    }

    /// A year, quarter, month or day in a column of its own; months may be in words.
    pub(super) fn is_part(&self, column: usize) -> bool {
        let sketch = &self.columns[column];
        let are_within = |low, high| sketch.figures.are_whole_within(low, high);
        match Part::of(&sketch.name) {
            Some(Part::Year) => are_within(1_800.0, 2_200.0) || are_within(0.0, 99.0),
            Some(Part::Quarter) => are_within(1.0, 4.0) || sketch.content == Content::Text,
            Some(Part::Month) => are_within(1.0, 12.0) || sketch.content == Content::Text,
            Some(Part::Day) => are_within(1.0, 31.0),
            None => false,
        }
    }

    /// The columns that label rows, and the roles of all that tell of dates and times.
    pub(super) fn labels(&mut self) -> Result<Labels> {
        let free = self.rest();
        let is_named = |column: &usize| fields::is_date_name(self.name(*column));
        let first = |test: &dyn Fn(&usize) -> bool| free.iter().copied().find(|column| test(column));
        let has_dates = |column: &usize| self.columns[*column].content == Content::Dates;
        let is_index = |column: &usize| self.columns[*column].is_index;
        let day = first(&|column| is_index(column) && has_dates(column))
            .or_else(|| first(&|column| is_named(column) && has_dates(column)))
            .or_else(|| first(&has_dates));
        // A year alone is one of a row that has its date elsewhere.
        let is_dated = |column: &usize| is_named(column) && self.is_dates(*column);
        let parts = self.parts(&free).filter(|parts| parts.len() > 1 || first(&is_dated).is_none());
        if day.is_none()
            && let Some(parts) = parts
        {
            let columns: Vec<usize> = parts.iter().map(|(_, column)| *column).collect();
            self.take(&columns, &Role::Date);
            self.remarks.push(format!("dates stand in {}", self.listed(&columns)).into());
            return Ok(Labels::Parts(parts));
        }
        let is_clock = |column: &usize| {
            let sketch = &self.columns[*column];
            let is_time = fields::is_time_name(&sketch.name) && sketch.figures.are_whole_within(0.0, 240_000.0);
            sketch.content == Content::Times || is_time && !sketch.figures.are_monotone
        };
        let clock = first(&is_clock);
        let named = || first(&|column| Some(*column) != clock && is_named(column) && self.is_dates(*column));
        // A time without a day is a day, as far as can be told: seconds since 1970, days of a spreadsheet.
        let day = day
            .or_else(|| first(&is_index))
            .or_else(named)
            .or(clock.filter(|&clock| self.columns[clock].content == Content::Numbers))
            .or_else(|| first(&|column| self.may_be_days(*column)))
            .or_else(|| self.first_column(&free));
        let Some(day) = day else { return Ok(Labels::None) };
        self.roles[day] = Some(Role::Date);
        if self.columns[day].content == Content::Dates && day > 0 && !self.columns[day].is_index {
            self.remarks.push(format!("dates stand in column {} (`{}`)", day + 1, shown(self.name(day))).into());
        }
        match clock.filter(|&clock| clock != day) {
            Some(clock) => {
                self.roles[clock] = Some(Role::Time);
                Ok(Labels::DayAndTime(day, clock))
            }
            None => self.sure(day).map(|()| Labels::Column(day)),
        }
    }

    /// Year and month (or quarter), and perhaps day, each in a column; a year alone.
    pub(super) fn parts(&self, free: &[usize]) -> Option<Vec<(Part, usize)>> {
        let column = |part: Part| {
            let is_it = |column: &usize| Part::of(self.name(*column)) == Some(part) && self.is_part(*column);
            free.iter().copied().find(is_it).map(|column| (part, column))
        };
        let year = column(Part::Year)?;
        let parts = match (column(Part::Month), column(Part::Quarter), column(Part::Day)) {
            (Some(month), _, Some(day)) => vec![year, month, day],
            (Some(month), _, None) => vec![year, month],
            (None, Some(quarter), _) => vec![year, quarter],
            (None, None, _) => vec![year],
        };
        Some(parts)
    }

    /// Days, months or seconds by their size, under no name or one such as `Excel day`: they, and not the row numbers
    /// before them, say in which order rows are.
    pub(super) fn may_be_days(&self, column: usize) -> bool {
        let Sketch { name, content, figures, .. } = &self.columns[column];
        let are_dates = figures.may_be_seconds() || figures.may_be_days_or_months();
        let is_counter = fields::is_row_name(name) || fields::plain(name).ends_with("id");
        let is_so_named = fields::is_nameless(name) || fields::is_helper_name(name) && !is_counter && figures.are_whole;
        *content == Content::Numbers && figures.count > 1 && are_dates && is_so_named
    }

    /// The first column, unless its numbers go up and down like a price.
    pub(super) fn first_column(&self, free: &[usize]) -> Option<usize> {
        let first = free.first().copied().filter(|&column| column == 0)?;
        let sketch = &self.columns[first];
        let is_label = fields::is_row_name(&sketch.name);
        let is_asset = sketch.content == Content::Numbers && sketch.figures.are_measured && !is_label;
        (!is_asset).then_some(first)
    }

    /// Rising whole numbers under a name like the assets' may be an asset.
    pub(super) fn sure(&self, labels: usize) -> Result<()> {
        let sketch = &self.columns[labels];
        let is_said = sketch.is_index || fields::is_helper_name(&sketch.name) || fields::is_date_name(&sketch.name);
        if is_said || sketch.content != Content::Numbers || !sketch.figures.are_whole {
            return Ok(());
        }
        let name = shown(&sketch.name);
        Err(Error::input(format!(
            "{}: column {} (`{name}`) holds {} whole numbers: an asset, or the numbers of the rows?",
            self.source,
            labels + 1,
            if sketch.figures.are_monotone { "rising or falling" } else { "few" },
        ))
        .hint(format!(
            "call it `date` or `row` if it labels the rows; leave it out with {} if it does not matter",
            option("exclude").quoted(&name)
        )))
    }

    /// Dates beside those that label the rows are no assets; nor are parts of dates.
    pub(super) fn further_dates(&mut self, labels: &Labels) -> Result<()> {
        if *labels == Labels::None {
            return Ok(());
        }
        let is_date = |column: &usize| {
            self.columns[*column].content == Content::Dates
                || self.columns[*column].content == Content::Times
                || self.is_part(*column)
                || self.is_dates(*column)
        };
        let extra: Vec<usize> = self.rest().into_iter().filter(is_date).collect();
        // A price under the name of a date is no date: dates in numbers are whole, and hardly go up and down.
        let is_price = |column: &&usize| {
            let Sketch { name, content, figures, .. } = &self.columns[**column];
            let is_known = self.is_part(**column) || fields::is_helper_name(name);
            *content == Content::Numbers && (!figures.are_whole || figures.are_measured && !is_known)
        };
        if let Some(&column) = extra.iter().find(is_price) {
            let name = shown(self.name(column));
            return Err(Error::input(format!(
                "{}: column {} (`{name}`) has the name of a date and holds numbers: an asset, or dates?",
                self.source,
                column + 1
            ))
            .hint(format!("leave it out with {}, or give it another name", option("exclude").quoted(&name))));
        }
        // Another column under the name of the first dates other rows than it does: values would be aligned by row.
        let first = labels.first().map(|first| &self.columns[first]);
        let is_other = |&&column: &&usize| {
            let sketch = &self.columns[column];
            first.is_some_and(|first| {
                fields::plain(&first.name) == fields::plain(&sketch.name) && first.digest != sketch.digest
            })
        };
        if let Some(&other) = extra.iter().find(is_other) {
            return Err(self.several_dates(&[labels.first().unwrap_or(0), other]));
        }
        if !extra.is_empty() {
            self.take(&extra, &Role::RowNumber);
            self.remarks.push(format!("further columns of dates are left out: {}", self.listed(&extra)).into());
        }
        Ok(())
    }
}
