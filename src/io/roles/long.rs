//! Long tables: one row per date and asset.

use super::{Role, Table, preferred};
use crate::error::{Error, Result, option};
use crate::io::fields::{self, Field};
use crate::io::layout::{Labels, Layout};
use crate::io::sketch::Content;
use crate::io::{Kind, Request, shown};

impl Table<'_> {
    /// One row per date and asset, where names and cells say so, or the user.
    pub(super) fn long(&mut self, labels: &Labels, request: &Request<'_>) -> Result<Option<Layout>> {
        const HINT: &str =
            "a long table has a date, an asset and a value on each row, under names such as date,ticker,close";
        let asked = request.notation.long;
        let missing = |what: &str| {
            Err(Error::input(format!("{}: {}: there is no column of {what}", self.source, option("long"))).hint(HINT))
        };
        let Some(_) = labels.first() else { return if asked { missing("dates") } else { Ok(None) } };
        let sketch = |column: usize| &self.columns[column];
        let rest = self.rest();
        let repeats = match labels {
            Labels::Column(column) => sketch(*column).repeats,
            // Months and days of the year repeat by themselves.
            _ => true,
        };
        let is_named = |column: &usize| fields::is_asset_name(self.name(*column));
        let texts: Vec<usize> =
            rest.iter().copied().filter(|&column| sketch(column).content == Content::Text).collect();
        let is_numbered = |column: &usize| {
            let figures = &sketch(*column).figures;
            is_named(column)
                && sketch(*column).content == Content::Numbers
                && figures.are_whole
                && sketch(*column).repeats
        };
        // Days of the week name no assets.
        let may_name = |&column: &usize| {
            let name = self.name(column);
            sketch(column).different > 1
                && !fields::is_date_name(name)
                && (is_named(&column) || !fields::is_helper_name(name) || fields::is_nameless(name))
        };
        let alone = || texts.iter().copied().filter(may_name).collect::<Vec<_>>();
        let asset = texts
            .iter()
            .copied()
            .find(|column| is_named(column))
            // Numbers may name assets too, where dates stand several times.
            .or_else(|| {
                rest.iter().copied().find(|column| is_numbered(column) && (repeats || sketch(*column).different == 1))
            })
            .or_else(|| match alone()[..] {
                [one] if repeats || asked => Some(one),
                _ => None,
            })
            .or_else(|| rest.iter().copied().find(|_| asked));
        let Some(asset) = asset else { return if asked { missing("assets") } else { Ok(None) } };
        let holds_numbers =
            |column: &usize| *column != asset && matches!(sketch(*column).content, Content::Numbers | Content::Empty);
        let values: Vec<usize> = rest.iter().copied().filter(holds_numbers).collect();
        let value = match values[..] {
            [] if asked => return missing("values"),
            [] => return Ok(None),
            [one] => one,
            _ => {
                let named = values.iter().map(|&column| fields::field(self.name(column)).unwrap_or(Field::Other));
                let likely: Vec<usize> = values.iter().copied().filter(|&column| !self.is_helper(column)).collect();
                match (preferred(named, request.kind), &likely[..]) {
                    (Some(place), _) => values[place],
                    (None, [one]) => *one,
                    (None, _) => {
                        let (source, names) = (self.source, self.listed(&values));
                        let what = if request.kind == Kind::Returns { "return" } else { "price" };
                        return Err(Error::input(format!(
                            "{source}: this looks like a long table, but which column is the {what}? {names}"
                        ))
                        .hint("keep three columns: date,ticker,close"));
                    }
                }
            }
        };
        self.refuse_prices_as_returns(&[value], request)?;
        self.roles[asset] = Some(Role::Ticker);
        let others: Vec<usize> = self.rest();
        for column in others {
            let role = match self.columns[column].content {
                Content::Numbers if fields::field(self.name(column)).is_some() => Role::Field,
                Content::Numbers | Content::Dates | Content::Times => Role::RowNumber,
                Content::Text | Content::Empty => Role::Remark,
            };
            self.roles[column] = Some(role);
        }
        self.roles[value] = Some(Role::Asset(format!("each {}", self.name(asset))));
        self.remarks
            .push(format!("a long table: `{}` of each `{}`", shown(self.name(value)), shown(self.name(asset))).into());
        Ok(Some(Layout::Long { labels: labels.clone(), asset, value }))
    }
}
