//! What each column of a table is: a date, a time, the name of an asset, a field that is not read, a row number, a
//! remark, or an asset. Everything that follows is decided here, and said.
//!
//! One rule: a column is an asset only if nothing says otherwise. Its name, its cells and its neighbours are asked; where
//! they leave a doubt, the file is refused with the names of the columns.
//!
//! Steps: what the user leaves out or asks for by name; dates, times and parts of dates; series side by side, each with
//! dates of its own; long tables; fields of vendors; counters and helpers; remarks; what is left are assets.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::io::fields::{self, Field, Part};
use crate::io::layout::{Block, Labels, Layout};
use crate::io::sketch::{Content, Sketch};
use crate::io::{Kind, Request, listed, shown};

/// What a column was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    Date,
    Time,
    /// The name of the asset of each row.
    Ticker,
    /// A field of an asset that is not read.
    Field,
    /// A counter, a second date, or another number of the row's own.
    RowNumber,
    Remark,
    Asset(String),
    /// Neither name nor cells.
    Nothing,
    /// Left out by the user.
    Excluded,
}

impl Role {
    fn name(&self) -> &'static str {
        match self {
            Role::Date => "date",
            Role::Time => "time",
            Role::Ticker => "ticker",
            Role::Field => "field",
            Role::RowNumber => "row number",
            Role::Remark => "remark",
            Role::Asset(_) => "asset",
            Role::Nothing => "nothing",
            Role::Excluded => "left out",
        }
    }
}

/// A column as it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnRole {
    /// Its place in the file, from 1.
    pub column: usize,
    pub name: String,
    /// `date`, `time`, `ticker`, `field`, `row number`, `remark`, `asset`, `nothing` or `left out`.
    pub role: &'static str,
    /// The asset that is read from it.
    pub asset: Option<String>,
}

/// The columns of a table, decided.
pub(crate) struct Roles {
    pub layout: Layout,
    pub columns: Vec<ColumnRole>,
    pub remarks: Vec<String>,
}

/// Decides what the columns are.
///
/// # Errors
/// Columns that may be one thing or another, and tables that are no history; the message names them.
pub(crate) fn decide(source: &str, columns: &[Sketch], request: &Request<'_>) -> Result<Roles> {
    let mut table = Table { source, columns, roles: vec![None; columns.len()], remarks: Vec::new() };
    for (column, sketch) in columns.iter().enumerate() {
        if request.excludes(&sketch.name) {
            table.roles[column] = Some(Role::Excluded);
        } else if sketch.content == Content::Empty && fields::is_nameless(&sketch.name) {
            table.roles[column] = Some(Role::Nothing);
        }
    }
    let layout = table.layout(request)?;
    let columns = columns.iter().zip(&table.roles).zip(1..).map(|((sketch, role), column)| {
        let role = role.as_ref().unwrap_or(&Role::Remark);
        let asset = if let Role::Asset(name) = role { Some(name.clone()) } else { None };
        ColumnRole { column, name: sketch.name.clone(), role: role.name(), asset }
    });
    Ok(Roles { layout, columns: columns.collect(), remarks: table.remarks })
}

/// Columns and the names of their assets.
type Assets = Vec<(usize, String)>;

struct Table<'a> {
    source: &'a str,
    columns: &'a [Sketch],
    /// What has been decided so far.
    roles: Vec<Option<Role>>,
    remarks: Vec<String>,
}

impl Table<'_> {
    fn layout(&mut self, request: &Request<'_>) -> Result<Layout> {
        let wanted = self.asked_for(request);
        if wanted.is_none()
            && let Some(blocks) = self.blocks(request)?
        {
            return Ok(Layout::Wide { blocks, is_single: false });
        }
        let labels = self.labels()?;
        if let Some(assets) = wanted {
            self.rest().into_iter().for_each(|column| self.roles[column] = Some(Role::Remark));
            assets.iter().for_each(|(column, name)| self.roles[*column] = Some(Role::Asset(name.clone())));
            return Ok(Layout::Wide { blocks: vec![Block { labels, assets }], is_single: false });
        }
        if let Some(layout) = self.long(&labels, request)? {
            return Ok(layout);
        }
        self.nothing_but_positions(&labels)?;
        self.further_dates(&labels)?;
        let (assets, is_single) = match self.of_fields(request)? {
            Some(found) => found,
            None => (self.plain(&labels)?, false),
        };
        if assets.is_empty() {
            return Err(self.no_assets());
        }
        for (column, name) in &assets {
            self.roles[*column] = Some(Role::Asset(name.clone()));
        }
        self.say_what_is_left_out();
        if labels == Labels::None {
            let all = "no column of dates: every column is an asset, and rows keep the file's order, oldest first";
            self.remarks.push(all.to_string());
        }
        Ok(Layout::Wide { blocks: vec![Block { labels, assets }], is_single })
    }

    /// Columns without a role yet.
    fn rest(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|&column| self.roles[column].is_none()).collect()
    }

    fn name(&self, column: usize) -> &str {
        &self.columns[column].name
    }

    fn listed(&self, columns: &[usize]) -> String {
        listed(columns.iter().map(|&column| self.name(column)))
    }

    fn take(&mut self, columns: &[usize], role: &Role) {
        columns.iter().for_each(|&column| self.roles[column] = Some(role.clone()));
    }

    /// Columns that are asked for by their own names are assets, whatever they look like, if they hold numbers.
    fn asked_for(&self, request: &Request<'_>) -> Option<Vec<(usize, String)>> {
        let wanted = request.assets?;
        let place = |name: &String| {
            let mut places = (0..self.columns.len()).filter(|&column| self.name(column) == name);
            let place = places.next().filter(|&column| self.columns[column].content == Content::Numbers)?;
            places.next().is_none().then(|| (place, name.clone()))
        };
        let found: Vec<(usize, String)> = wanted.iter().filter_map(place).collect();
        // A plain table finds them by itself, and says more.
        let is_needed = found.iter().any(|(column, name)| {
            fields::field(name).is_some() || fields::asset_and_field(name).is_some() || self.may_number_rows(*column)
        });
        (is_needed && found.len() == wanted.len()).then_some(found)
    }

    // --- dates ---

    fn is_dates(&self, column: usize) -> bool {
        let sketch = &self.columns[column];
        sketch.content == Content::Dates
            || fields::is_date_name(&sketch.name)
                && matches!(sketch.content, Content::Numbers | Content::Text)
                && !self.is_part(column)
    }

    /// A year, quarter, month or day in a column of its own; months may be in words.
    fn is_part(&self, column: usize) -> bool {
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
    fn labels(&mut self) -> Result<Labels> {
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
            self.remarks.push(format!("dates stand in {}", self.listed(&columns)));
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
            self.remarks.push(format!("dates stand in column {} (`{}`)", day + 1, shown(self.name(day))));
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
    fn parts(&self, free: &[usize]) -> Option<Vec<(Part, usize)>> {
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
    fn may_be_days(&self, column: usize) -> bool {
        let Sketch { name, content, figures, .. } = &self.columns[column];
        let is_within = |low: f64, high: f64| low <= figures.low && figures.high <= high;
        let are_seconds = [1.0, 1e3, 1e6, 1e9].iter().any(|scale| is_within(2e8 * scale, 4e9 * scale));
        let are_dates = are_seconds || is_within(20_000.0, 60_000.0) || is_within(180_001.0, 220_012.0);
        let is_counter = fields::is_row_name(name) || fields::plain(name).ends_with("id");
        let is_so_named = fields::is_nameless(name) || fields::is_helper_name(name) && !is_counter && figures.are_whole;
        *content == Content::Numbers && figures.count > 1 && are_dates && is_so_named
    }

    /// The first column, unless its numbers go up and down like a price.
    fn first_column(&self, free: &[usize]) -> Option<usize> {
        let first = free.first().copied().filter(|&column| column == 0)?;
        let sketch = &self.columns[first];
        let is_label = fields::is_row_name(&sketch.name);
        let is_asset = sketch.content == Content::Numbers && sketch.figures.are_measured && !is_label;
        (!is_asset).then_some(first)
    }

    /// Rising whole numbers under a name like the assets' may be an asset.
    fn sure(&self, labels: usize) -> Result<()> {
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
        .hint(format!("call it `date` or `row` if it labels the rows; leave it out with --exclude \"{name}\" if it does not matter")))
    }

    /// Series side by side, each behind dates of its own.
    fn blocks(&mut self, request: &Request<'_>) -> Result<Option<Vec<Block>>> {
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
        let is_day = |column: &usize| self.columns[*column].content == Content::Dates || is_numbered(*column);
        let days: Vec<usize> = free.iter().copied().filter(is_day).collect();
        if days.len() < 2 || self.columns.iter().any(|sketch| sketch.is_index) {
            return Ok(None);
        }
        let are_days = |column: &usize| {
            let name = self.name(*column);
            (fields::is_date_name(name) || fields::is_nameless(name) || plain(*column) == plain(days[0]))
                && !self.columns[*column].repeats
        };
        let values = |from: usize, to: usize| -> Vec<usize> {
            free.iter()
                .copied()
                .filter(|column| (from + 1..to).contains(column))
                .filter(|&column| self.columns[column].content == Content::Numbers)
                .collect()
        };
        let ends = days[1..].iter().copied().chain([self.columns.len()]);
        let spans: Vec<(usize, Vec<usize>)> =
            days.iter().copied().zip(ends).map(|(day, end)| (day, values(day, end))).collect();
        let is_first =
            free.iter().copied().find(|&column| self.columns[column].content != Content::Empty) == Some(days[0]);
        if !is_first || !days.iter().all(are_days) || spans.iter().any(|(_, values)| values.is_empty()) {
            // Dates that differ and belong to nobody would be aligned by row.
            let is_long = free.iter().any(|&column| self.columns[column].content == Content::Text);
            let digest = |column: usize| self.columns[column].digest;
            let mut several = days.iter().copied().filter(are_days);
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
                values.iter().map(|&column| self.asset_of(column)).collect();
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
        self.remarks
            .push(format!("{} series side by side, each with dates of its own, are joined by date", blocks.len()));
        self.say_what_is_left_out();
        Ok(Some(blocks))
    }

    /// The asset of a column of a block, and the field that it is.
    fn asset_of(&self, column: usize) -> (usize, String, Option<Field>) {
        let sketch = &self.columns[column];
        match &sketch.parts {
            Some((asset, field)) if !asset.is_empty() => (column, asset.clone(), fields::field(field)),
            _ => (column, sketch.name.clone(), fields::field(&sketch.name)),
        }
    }

    fn several_dates(&self, days: &[usize]) -> Error {
        Error::input(format!("{}: several columns of dates: {}", self.source, self.listed(days)))
            .hint("series with dates of their own stand side by side as date,value,date,value; leave other dates out with --exclude")
    }

    /// Dates beside those that label the rows are no assets; nor are parts of dates.
    fn further_dates(&mut self, labels: &Labels) -> Result<()> {
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
            .hint(format!("leave it out with --exclude \"{name}\", or give it another name")));
        }
        if !extra.is_empty() {
            self.take(&extra, &Role::RowNumber);
            self.remarks.push(format!("further columns of dates are left out: {}", self.listed(&extra)));
        }
        Ok(())
    }

    // --- long tables ---

    /// One row per date and asset, where names and cells say so, or the user.
    fn long(&mut self, labels: &Labels, request: &Request<'_>) -> Result<Option<Layout>> {
        const HINT: &str =
            "a long table has a date, an asset and a value on each row, under names such as date,ticker,close";
        let asked = request.notation.long;
        let missing =
            |what: &str| Err(Error::input(format!("{}: --long: there is no column of {what}", self.source)).hint(HINT));
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
        self.remarks.push(format!("a long table: `{}` of each `{}`", shown(self.name(value)), shown(self.name(asset))));
        Ok(Some(Layout::Long { labels: labels.clone(), asset, value }))
    }

    // --- fields of vendors ---

    /// The assets of a table of vendors' fields, one field of each, and whether it is a table of one asset; none where the
    /// columns are no fields.
    fn of_fields(&mut self, request: &Request<'_>) -> Result<Option<(Assets, bool)>> {
        let rest: Vec<usize> = self.rest();
        let numbers: Vec<usize> =
            rest.iter().copied().filter(|&column| self.columns[column].content == Content::Numbers).collect();
        if let Some(assets) = self.of_several_assets(&rest, &numbers, request)? {
            return Ok(Some((assets, false)));
        }
        self.of_one_asset(&rest, &numbers, request).map(|found| found.map(|assets| (assets, true)))
    }

    /// Open, high, low, close, volume: the fields of one asset.
    fn of_one_asset(
        &mut self,
        rest: &[usize],
        numbers: &[usize],
        request: &Request<'_>,
    ) -> Result<Option<Vec<(usize, String)>>> {
        let known = |column: &usize| fields::field(self.name(*column));
        let named: Vec<(usize, Field)> = rest.iter().filter_map(|column| Some((*column, known(column)?))).collect();
        let ranges = named.iter().filter(|(_, field)| *field == Field::Range).count();
        let prices = named.iter().filter(|(_, field)| matches!(field, Field::Price(_))).count();
        // `LOW` and `OPEN` are shares too.
        let are_symbols = || numbers.iter().all(|&column| self.name(column).chars().all(|c| c.is_ascii_uppercase()));
        let is_bars = ranges >= 3 || ranges >= 1 && prices >= 1 || ranges == 2 && !are_symbols();
        let is_certain = named.iter().any(|(column, _)| fields::is_certainly_a_field(self.name(*column)));
        let are_all = !numbers.is_empty() && numbers.iter().all(|column| known(column).is_some());
        // One column under any name is one asset; `close` alone has its name from the file.
        if named.is_empty() || !(are_all || is_bars || is_certain && prices >= 1) {
            let unknown: Vec<usize> = numbers.iter().copied().filter(|column| known(column).is_none()).collect();
            return match is_certain && numbers.len() > 1 {
                true if unknown.is_empty() => Err(self.no_price(numbers)),
                true => self.unknown_fields(&unknown).map(|()| None),
                false => Ok(None),
            };
        }
        let Some(place) = preferred(named.iter().map(|(_, field)| *field), request.kind) else {
            return match is_bars || is_certain {
                true => Err(self.no_price(numbers)),
                false => Ok(None),
            };
        };
        let is_explained = |column: &usize| {
            known(column).is_some()
                || fields::asset_and_field(self.name(*column))
                    .is_some_and(|(_, field, _)| matches!(field, Field::Other | Field::Range))
                || fields::is_other_field(self.name(*column))
                || self.is_helper(*column)
        };
        let unknown: Vec<usize> = numbers.iter().copied().filter(|column| !is_explained(column)).collect();
        if !unknown.is_empty() {
            return self.unknown_fields(&unknown).map(|()| None);
        }
        let value = named[place].0;
        self.refuse_prices_as_returns(&[value], request)?;
        let of = self.listed(&named.iter().map(|(column, _)| *column).collect::<Vec<_>>());
        for &column in rest {
            self.roles[column] = Some(match self.columns[column].content {
                Content::Text | Content::Empty if fields::field(self.name(column)).is_none() => Role::Remark,
                _ if self.is_helper(column) => Role::RowNumber,
                _ => Role::Field,
            });
        }
        if named.len() > 1 {
            self.remarks
                .push(format!("a table of one asset with the fields {of}: `{}` is read", shown(self.name(value))));
        }
        let name = Request::name_of_single(self.source, &self.columns[value].name, &mut self.remarks);
        Ok(Some(vec![(value, name)]))
    }

    /// `Close_SPY`, `Volume_SPY`, `Close_TLT`: a field of each asset.
    fn of_several_assets(
        &mut self,
        rest: &[usize],
        numbers: &[usize],
        request: &Request<'_>,
    ) -> Result<Option<Vec<(usize, String)>>> {
        struct Of {
            column: usize,
            asset: String,
            field: Field,
            named: String,
        }
        let of = |&column: &usize| {
            let sketch = &self.columns[column];
            let (asset, named) = match &sketch.parts {
                Some((asset, named)) => (asset.clone(), named.clone()),
                None => {
                    let (asset, _, named) = fields::asset_and_field(&sketch.name)?;
                    (asset, named)
                }
            };
            Some(Of { column, asset, field: fields::field(&named)?, named })
        };
        let found: Vec<Of> = rest.iter().filter_map(of).collect();
        let is_in_parts = found.iter().any(|of| self.columns[of.column].parts.is_some());
        // One asset with two fields, or one field of every asset, and not a name such as `High Yield`.
        let is_value = |field: Field| matches!(field, Field::Price(_) | Field::Return);
        let shares_asset =
            found.iter().any(|a| is_value(a.field) && found.iter().any(|b| a.asset == b.asset && a.named != b.named));
        let is_found = |column: &usize| found.iter().any(|of| of.column == *column);
        let is_one_field = found.len() > 1
            && numbers.iter().all(|column| is_found(column) || self.is_helper(*column))
            && found.iter().all(|of| of.named == found[0].named && is_value(of.field));
        if !(is_in_parts || shares_asset || is_one_field) {
            return Ok(None);
        }
        // The name of the line of tickers stands above the dates, where these are no asset.
        let is_title =
            |of: &&Of| is_in_parts && ["ticker", "tickers", "symbol"].contains(&fields::plain(&of.asset).as_str());
        if let Some(of) = found.iter().find(is_title) {
            return self.unknown_fields(&[of.column]).map(|()| None);
        }
        let unknown: Vec<usize> = numbers
            .iter()
            .copied()
            .filter(|column| {
                !is_found(column) && !self.is_helper(*column) && !fields::is_certainly_a_field(self.name(*column))
            })
            .collect();
        if !unknown.is_empty() {
            return self.unknown_fields(&unknown).map(|()| None);
        }
        let mut assets: Vec<&str> = Vec::new();
        found.iter().for_each(|of| {
            if !assets.contains(&of.asset.as_str()) {
                assets.push(&of.asset);
            }
        });
        // The best field that every asset has, else the best of each.
        let mut kinds: Vec<(&str, Field)> = Vec::new();
        found.iter().for_each(|of| {
            if !kinds.iter().any(|(named, _)| *named == of.named) {
                kinds.push((&of.named, of.field));
            }
        });
        let has = |asset: &str, named: &str| found.iter().any(|of| of.asset == asset && of.named == named);
        let common: Vec<(&str, Field)> =
            kinds.iter().copied().filter(|(named, _)| assets.iter().all(|asset| has(asset, named))).collect();
        let shared = preferred(common.iter().map(|(_, field)| *field), request.kind).map(|place| common[place].0);
        let mut chosen: Vec<(usize, String)> = Vec::new();
        let mut taken: Vec<&str> = Vec::new();
        for &asset in &assets {
            let own: Vec<&Of> = found.iter().filter(|of| of.asset == asset).collect();
            let best = match shared {
                Some(named) => own.iter().position(|of| of.named == named),
                None => preferred(own.iter().map(|of| of.field), request.kind),
            };
            if let Some(place) = best {
                chosen.push((own[place].column, asset.to_string()));
                if !taken.contains(&own[place].named.as_str()) {
                    taken.push(&own[place].named);
                }
            }
        }
        if chosen.is_empty() {
            return Err(self.no_price(numbers));
        }
        let kinds = listed(kinds.iter().map(|(named, _)| *named).collect::<Vec<_>>().into_iter());
        let taken = taken.iter().map(|named| format!("`{}`", shown(named))).collect::<Vec<_>>().join(" or ");
        let remark = format!("fields of each asset are {kinds}: {taken} is read");
        let columns: Vec<usize> = chosen.iter().map(|(column, _)| *column).collect();
        self.refuse_prices_as_returns(&columns, request)?;
        self.remarks.push(remark);
        for &column in rest {
            let is_text = self.columns[column].content == Content::Text;
            self.roles[column] = Some(if is_text { Role::Remark } else { Role::Field });
        }
        Ok(Some(chosen))
    }

    fn unknown_fields(&self, unknown: &[usize]) -> Result<()> {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        Err(Error::input(format!(
            "{}: some columns are fields of an asset, such as closes or volumes: is {} a field or an asset? The columns are \
             {}",
            self.source,
            self.listed(unknown),
            self.listed(&all)
        ))
        .hint("name the columns to read with --assets, or leave others out with --exclude"))
    }

    fn no_price(&self, numbers: &[usize]) -> Error {
        Error::input(format!("{}: of the fields {} none is a price or a return", self.source, self.listed(numbers)))
            .hint("name the columns to read with --assets")
    }

    /// Under --returns a column that is called a price is none.
    fn refuse_prices_as_returns(&self, columns: &[usize], request: &Request<'_>) -> Result<()> {
        let is_price = |name: &str| {
            let certain = ["adj close", "close", "px last", "price", "prc", "closing price", "settle", "nav"];
            certain.contains(&fields::plain(name).as_str())
        };
        let named = |column: usize| {
            let sketch = &self.columns[column];
            sketch.parts.as_ref().map_or(sketch.name.clone(), |(_, field)| field.clone())
        };
        let column = columns.iter().copied().find(|&column| {
            request.kind == Kind::Returns && is_price(&named(column)) && self.columns[column].figures.low > 0.0
        });
        let Some(column) = column else { return Ok(()) };
        Err(Error::input(format!(
            "{}: column {} (`{}`) is one of prices by its name and cells, and --returns asks for returns",
            self.source,
            column + 1,
            shown(self.name(column))
        ))
        .hint("leave --returns out, or name the column of returns `return`"))
    }

    // --- what is left ---

    /// Whether a column of numbers counts, dates or classifies rows by its name and cells.
    fn is_helper(&self, column: usize) -> bool {
        let Sketch { name, content, figures, .. } = &self.columns[column];
        // `T` and `KEY` are shares, unless their numbers rise as those of rows do.
        let is_symbol = name.len() <= 4 && name.chars().all(|c| c.is_ascii_uppercase());
        let is_count = figures.are_monotone || !(is_symbol || fields::is_row_name(name));
        *content == Content::Numbers && figures.are_whole && fields::is_helper_name(name) && is_count
    }

    /// Whether the cells of a column alone would make a row's number, day or second of them.
    fn may_number_rows(&self, column: usize) -> bool {
        const LEAST: usize = 5;
        let figures = &self.columns[column].figures;
        let is_range = |low, high| figures.are_whole_within(low, high);
        let are_seconds = [1.0, 1e3, 1e6, 1e9].iter().any(|scale| is_range(2e8 * scale, 4e9 * scale));
        // 1954 to 2064 in days, 1800 to 2200 in months.
        let are_days = is_range(20_000.0, 60_000.0) || is_range(180_001.0, 220_012.0) || is_range(700_000.0, 800_000.0);
        figures.count >= LEAST
            && figures.are_whole
            && (figures.are_in_turn || figures.are_monotone && (are_seconds || are_days))
    }

    /// Assets that nothing says otherwise of.
    fn plain(&mut self, labels: &Labels) -> Result<Vec<(usize, String)>> {
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
                    if self.may_number_rows(column) {
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
            .hint(format!("leave it out with --exclude \"{name}\", or name the columns to read with --assets")));
        }
        Ok(assets)
    }

    fn text(&self, column: usize) -> Error {
        let name = shown(self.name(column));
        Error::input(format!("{}: column {} (`{name}`) holds text, no numbers", self.source, column + 1))
            .hint(format!("leave it out with --exclude \"{name}\""))
    }

    fn unreadable(&self, column: usize, cell: &str) -> Error {
        let hint = match crate::io::cells::thirty_seconds(cell) {
            Some(_) => {
                "say --thirty-seconds if these are whole numbers and 32nds; else leave the column out with --exclude"
            }
            None => "correct the cells, or leave the column out with --exclude",
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
    fn nothing_but_positions(&self, labels: &Labels) -> Result<()> {
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

    fn no_assets(&self) -> Error {
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

    /// One remark for all that is neither date nor asset.
    fn say_what_is_left_out(&mut self) {
        let said: Vec<String> = [
            (Role::RowNumber, "numbers of the rows"),
            (Role::Remark, "text"),
            (Role::Nothing, "columns without name and cells"),
            (Role::Excluded, "as asked"),
        ]
        .iter()
        .filter_map(|(role, what)| {
            let columns: Vec<usize> =
                (0..self.columns.len()).filter(|&column| self.roles[column].as_ref() == Some(role)).collect();
            let is_said = |column: &usize| {
                self.remarks.iter().any(|remark| remark.contains(&format!("`{}`", shown(self.name(*column)))))
            };
            match columns.is_empty() || columns.iter().all(is_said) {
                true => None,
                false if *role == Role::Nothing => Some((*what).to_string()),
                false => Some(format!("{} ({what})", self.listed(&columns))),
            }
        })
        .collect();
        if !said.is_empty() {
            self.remarks.push(format!("left out: {}", said.join(", ")));
        }
    }
}

/// The place of the field to read: of prices the most wanted, or, where returns are asked for, a return before these.
fn preferred(named: impl Iterator<Item = Field>, kind: Kind) -> Option<usize> {
    let rank = |field: Field| match (field, kind) {
        (Field::Return, Kind::Returns) => Some(0),
        (Field::Price(rank), _) => Some(1 + rank),
        (Field::Return, Kind::Prices) => Some(u8::MAX),
        (Field::Range | Field::Other, _) => None,
    };
    named.enumerate().filter_map(|(place, field)| Some((rank(field)?, place))).min().map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::cells::{Decimal, Numbers};
    use crate::io::head::Head;
    use crate::io::{Limits, Notation};

    fn decided(text: &str, kind: Kind, notation: &Notation) -> Result<Roles> {
        let head = Head::read("f.csv", text, b',', &Numbers::new(Decimal::Point, true))?;
        let request = Request {
            kind,
            assets: None,
            exclude: &[],
            excluded: std::cell::RefCell::default(),
            is_part: false,
            notation,
            limits: Limits::default(),
        };
        decide("f.csv", &head.columns, &request)
    }

    /// Names and roles, as `date=date A=asset`; an asset of another name than its column's as `Close=asset:SPY`.
    fn roles(text: &str, kind: Kind) -> Result<String> {
        let written = |column: &ColumnRole| {
            let asset = column.asset.as_ref().filter(|asset| **asset != column.name);
            format!("{}={}{}", column.name, column.role, asset.map_or(String::new(), |asset| format!(":{asset}")))
        };
        Ok(decided(text, kind, &Notation::default())?.columns.iter().map(written).collect::<Vec<_>>().join(" "))
    }

    /// Rows of five days, with these cells behind (or, with `before`, before) the date.
    fn days(header: &str, rows: [&str; 5]) -> String {
        let rows = rows.iter().zip(1..).map(|(row, day)| row.replace('@', &format!("2020-06-{day:02}")) + "\n");
        format!("{header}\n{}", rows.collect::<String>())
    }

    #[test]
    fn each_column_has_one_role() {
        for (text, expected) in [
            (days("date,A,B", ["@,1,2", "@,3,1", "@,2,3", "@,4,2", "@,3,3"]), "date=date A=asset B=asset"),
            // Dates first, last, and beside a counter.
            (days("A,B,date", ["1,2,@", "3,1,@", "2,3,@", "4,2,@", "3,3,@"]), "A=asset B=asset date=date"),
            (
                days("id,date,A,B", ["7,@,1,2", "8,@,3,1", "9,@,2,3", "10,@,4,2", "11,@,3,3"]),
                "id=row number date=date A=asset B=asset",
            ),
            (days(",date,A", ["0,@,1.5", "1,@,3.5", "2,@,2.5", "3,@,4.5", "4,@,3"]), "=row number date=date A=asset"),
            // A second date, a weekday, a currency, a column of nothing.
            (
                days(
                    "date,A,,unix,weekday,Currency",
                    [
                        "@,1.5,,1590969600,1,USD",
                        "@,3.5,,1591056000,2,USD",
                        "@,2.5,,1591142400,3,USD",
                        "@,4.5,,1591228800,4,USD",
                        "@,1.5,,1591315200,5,USD",
                    ],
                ),
                "date=date A=asset =nothing unix=row number weekday=row number Currency=remark",
            ),
            // Fields of one asset, and of several.
            (
                days(
                    "Date,Open,Close,Adj Close,Volume",
                    ["@,1,2,3,9", "@,3,1,2,8", "@,2,3,1,9", "@,4,2,2,7", "@,3,3,1,9"],
                ),
                "Date=date Open=field Close=field Adj Close=asset:f Volume=field",
            ),
            (
                days("Date,Close_A,Close_B,Volume_A", ["@,1,2,3", "@,3,1,2", "@,2,3,1", "@,4,2,2", "@,3,3,1"]),
                "Date=date Close_A=asset:A Close_B=asset:B Volume_A=field",
            ),
            // Day and time; year and month.
            (
                days("Date,Time,A", ["@,9:30,2", "@,9:30,1", "@,9:30,3", "@,9:30,2", "@,9:30,3"]),
                "Date=date Time=time A=asset",
            ),
            (
                "Year,Month,A\n2020,1,0.5\n2020,2,0.25\n2020,3,0.75\n2020,4,0.5\n".to_string(),
                "Year=date Month=date A=asset",
            ),
            // One row per date and asset.
            (
                days("date,ticker,close,volume", ["@,A,1,9", "@,B,2,8", "@,A,3,7", "@,B,2,6", "@,A,1,5"]),
                "date=date ticker=ticker close=asset:each ticker volume=field",
            ),
            (
                "permno,yyyymm,ret\n10107,202001,0.5\n10107,202002,0.25\n14593,202001,0.1\n14593,202002,0.2\n"
                    .to_string(),
                "permno=ticker yyyymm=date ret=asset:each permno",
            ),
            // Days in numbers say the order of rows, not the counter before them; a year is not all of a date.
            ("id,,A\n1,43985,1.5\n2,43984,2.5\n3,43983,1\n4,43982,2\n".to_string(), "id=row number =date A=asset"),
            (
                "time,A,Year\n1590969600,1.5,2020\n1591056000,3.5,2020\n1591142400,2.5,2020\n".to_string(),
                "time=date A=asset Year=row number",
            ),
            // A day of the week names no asset.
            (
                days("Date,A,Day", ["@,1.5,Mon", "@,3.5,Tue", "@,2.5,Wed", "@,4.5,Thu", "@,1.5,Fri"]),
                "Date=date A=asset Day=row number",
            ),
            // One field of each asset, beside a counter and an asset that is called like one.
            (
                days("id,date,Close_A,Close_ID", ["7,@,1,2", "8,@,3,1", "9,@,2,3", "10,@,4,2", "11,@,3,3"]),
                "id=field date=date Close_A=asset:A Close_ID=asset:ID",
            ),
            // Days of several series, written as numbers.
            (
                "Date,A,Date,B\n43983,1,43984,2\n43984,3,43985,4\n43985,2,43986,3\n".to_string(),
                "Date=date A=asset Date=date B=asset",
            ),
            // Series with dates of their own.
            (
                "Date,A,Date,B\n2020-06-01,1,2020-06-02,2\n2020-06-02,3,2020-06-03,4\n2020-06-03,2,2020-06-04,3\n"
                    .to_string(),
                "Date=date A=asset Date=date B=asset",
            ),
        ] {
            assert_eq!(
                roles(&text, Kind::Prices).map_err(|error| error.to_string()),
                Ok(expected.to_string()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_return_is_read_before_a_price_where_returns_are_asked_for() {
        let text = days("date,ticker,PRC,RET", ["@,A,1,.1", "@,B,2,.2", "@,A,3,-.1", "@,B,2,.3", "@,A,1,.1"]);
        assert!(roles(&text, Kind::Prices).is_ok_and(|roles| roles.contains("PRC=asset")));
        assert!(roles(&text, Kind::Returns).is_ok_and(|roles| roles.contains("RET=asset")));
        let prices = days("date,close", ["@,1", "@,2", "@,3", "@,2", "@,1"]);
        assert!(roles(&prices, Kind::Returns).is_err_and(|error| error.message.contains("`close`")));
    }

    #[test]
    fn columns_in_doubt_are_named() {
        for (text, words) in [
            // Whole numbers that rise: an asset, or numbers of rows?
            ("A,B\n1,1.5\n2,2.5\n3,1.5\n4,2\n5,1\n".to_string(), "`A`"),
            // Days of a spreadsheet under the name of an asset.
            (days("date,A,B", ["@,43983,2", "@,43984,1", "@,43985,3", "@,43986,2", "@,43987,3"]), "`B`|`A`"),
            // A field beside what may be an asset.
            (days("date,Close_A,Volume_A,B", ["@,1,2,1.5", "@,3,1,2", "@,2,3,1.5", "@,4,2,2", "@,3,3,1"]), "`B`"),
            // A price under the name of a date.
            (days("caldt,A,DATE", ["@,1,2.5", "@,3,1.5", "@,2,3.5", "@,4,2.5", "@,3,3.5"]), "`DATE`"),
            // Volumes alone.
            (days("date,Volume,Open Interest", ["@,1,2", "@,3,1", "@,2,3", "@,4,2", "@,3,3"]), "`Volume`"),
            // Text that is no remark.
            (days("date,A,B", ["@,1,x", "@,3,y", "@,2,z", "@,4,x", "@,3,y"]), "`B`"),
            ("Name,Shares,Price\nX,1,2\nY,2,3\nZ,3,4\n".to_string(), "`Shares`"),
            ("Start Date,End Date,A\n2020-06-01,2020-06-02,1\n2020-06-02,2020-06-03,2\n".to_string(), "`Start Date`"),
        ] {
            let error = roles(&text, Kind::Prices).expect_err(&text);
            assert!(words.split('|').any(|word| error.message.contains(word)), "{error}\n{text}");
            assert!(error.hint.is_some(), "{error}");
        }
    }
}
