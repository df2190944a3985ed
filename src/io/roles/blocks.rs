//! Series side by side, each with dates of its own: date,value,date,value.

use super::{Role, Table, preferred};
use crate::error::{Error, Result, option};
use crate::io::Request;
use crate::io::fields::{self, Field};
use crate::io::layout::{Block, Labels};
use crate::io::sketch::Content;

impl Table<'_> {
    /// Series side by side, each behind dates of its own.
    pub(super) fn blocks(&mut self, request: &Request<'_>) -> Result<Option<Vec<Block>>> {
        let free: Vec<usize> = self.rest();
        // Days of a series are told by a name that all share, or by none, and stand each but once.
        let plain = |column: usize| {
            fields::plain(self.name(column)).trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ').to_string()
        };
        // Days written as numbers are told by a name that stands again, the first column's.
        let first = free.first().copied().filter(|&first| self.is_dates(first));
        let shared: Vec<usize> = match first {
            Some(first) => free.iter().copied().filter(|&c| self.is_dates(c) && plain(c) == plain(first)).collect(),
            None => Vec::new(),
        };
        let is_numbered = |column: usize| shared.len() > 1 && shared.contains(&column);
        // Under no name, days are told by their size and by rising.
        let is_nameless = |column: usize| {
            let sketch = &self.columns[column];
            fields::is_nameless(&sketch.name) && sketch.figures.are_monotone && self.may_be_days(column)
        };
        let is_day = |column: &usize| {
            self.columns[*column].content == Content::Dates || is_numbered(*column) || is_nameless(*column)
        };
        let days: Vec<usize> = free.iter().copied().filter(is_day).collect();
        if days.len() < 2 || self.columns.iter().any(|sketch| sketch.is_index) {
            return Ok(None);
        }
        // The name of the asset may stand above its dates.
        let is_above = |column: usize| {
            let next = self.columns.get(column + 1).and_then(|next| next.parts.as_ref());
            next.is_some_and(|(asset, _)| *asset == self.name(column))
        };
        let are_days = |column: &usize| {
            let name = self.name(*column);
            let is_named = fields::is_date_name(name) || fields::is_nameless(name) || plain(*column) == plain(days[0]);
            (is_named || is_above(*column)) && !self.columns[*column].repeats
        };
        let values = |from: usize, to: usize| -> Vec<usize> {
            free.iter()
                .copied()
                .filter(|column| (from + 1..to).contains(column))
                .filter(|&column| self.columns[column].content == Content::Numbers)
                .collect()
        };
        let ends = days[1..].iter().copied().chain([self.columns.len()]);
        let mut spans: Vec<(usize, Vec<usize>)> =
            days.iter().copied().zip(ends).map(|(day, end)| (day, values(day, end))).collect();
        // A series that is left out takes its dates along.
        let is_left_out = |day: usize| {
            let after = day + 1..self.columns.len();
            after.take_while(|column| !days.contains(column)).any(|column| self.roles[column] == Some(Role::Excluded))
        };
        spans.retain(|(day, values)| !values.is_empty() || !is_left_out(*day));
        let is_first =
            free.iter().copied().find(|&column| self.columns[column].content != Content::Empty) == Some(days[0]);
        if !is_first || !days.iter().all(are_days) || spans.iter().any(|(_, values)| values.is_empty()) {
            // Dates that differ and belong to nobody would be aligned by row.
            let is_long = free.iter().any(|&column| self.columns[column].content == Content::Text);
            let digest = |column: usize| self.columns[column].digest;
            let mut several = days.iter().copied().filter(|&day| !self.columns[day].repeats);
            let first = several.next();
            return match first.is_some_and(|first| several.any(|other| digest(other) != digest(first))) && !is_long {
                true => Err(self.several_dates(&days)),
                false => Ok(None),
            };
        }
        let mut blocks = Vec::new();
        for (day, values) in spans {
            self.roles[day] = Some(Role::Date);
            let named: Vec<(usize, String, Option<Field>)> =
                values.iter().map(|&column| self.asset_of(column, values.len() > 1)).collect();
            let is_fields = named.len() > 1 && named.iter().all(|(_, _, field)| field.is_some());
            let assets: Vec<(usize, String)> = match is_fields {
                true => {
                    let best = preferred(named.iter().map(|(_, _, field)| field.unwrap_or(Field::Other)), request.kind);
                    let Some(best) = best else { return Err(self.several_dates(&days)) };
                    named
                        .into_iter()
                        .enumerate()
                        .filter(|(place, _)| *place == best)
                        .map(|(_, (column, name, _))| (column, name))
                        .collect()
                }
                false => named.into_iter().map(|(column, name, _)| (column, name)).collect(),
            };
            self.take(&values, &Role::Field);
            assets.iter().for_each(|(column, name)| self.roles[*column] = Some(Role::Asset(name.clone())));
            blocks.push(Block { labels: Labels::Column(day), assets });
        }
        let mut names: Vec<&String> =
            blocks.iter().flat_map(|block: &Block| block.assets.iter().map(|(_, name)| name)).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(self
                .several_dates(&days)
                .hint("give each series a name of its own: the program joins them by date"));
        }
        self.remarks.push(
            format!("{} series side by side, each with dates of its own, are joined by date", blocks.len()).into(),
        );
        self.say_what_is_left_out();
        Ok(Some(blocks))
    }

    /// The asset of a column of a block, and the field that it is.
    pub(super) fn asset_of(&self, column: usize, is_one_of_several: bool) -> (usize, String, Option<Field>) {
        let sketch = &self.columns[column];
        match &sketch.parts {
            Some((asset, field)) if !asset.is_empty() => (column, asset.clone(), fields::field(field)),
            // A name by itself may hold the word of a field: `High Yield`.
            _ => match fields::asset_and_field(&sketch.name).filter(|_| is_one_of_several) {
                Some((asset, field, _)) => (column, asset, Some(field)),
                None => (column, sketch.name.clone(), fields::field(&sketch.name)),
            },
        }
    }

    pub(super) fn several_dates(&self, days: &[usize]) -> Error {
        Error::input(format!("{}: several columns of dates: {}", self.source, self.listed(days))).hint(format!(
            "series with dates of their own stand side by side as date,value,date,value; leave other dates out with {}",
            option("exclude")
        ))
    }
}
