//! What each column of a table is: a date, a time, the name of an asset, a field that is not read, a row number, a
//! remark, or an asset. Everything that follows is decided here, and said.
//!
//! One rule: a column is an asset only if nothing says otherwise. Its name, its cells and its neighbours are asked; where
//! they leave a doubt, the file is refused with the names of the columns.
//!
//! Steps: what the user leaves out or asks for by name; dates, times and parts of dates; series side by side, each with
//! dates of its own; long tables; fields of vendors; counters and helpers; remarks; what is left are assets.

mod blocks;
mod dates;
mod long;
mod rest;
mod vendor;

use serde::Serialize;

use crate::error::Result;
use crate::io::fields::{self, Field};
use crate::io::layout::{Block, Labels, Layout};
use crate::io::sketch::{Content, Sketch};
use crate::io::{Kind, Notices, Request, listed, shown};

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
    pub remarks: Notices,
}

/// Decides what the columns are.
///
/// # Errors
/// Columns that may be one thing or another, and tables that are no history; the message names them.
pub(crate) fn decide(source: &str, columns: &[Sketch], request: &Request<'_>) -> Result<Roles> {
    let mut table = Table { source, columns, roles: vec![None; columns.len()], remarks: Notices::new() };
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

struct Table<'a> {
    source: &'a str,
    columns: &'a [Sketch],
    /// What has been decided so far.
    roles: Vec<Option<Role>>,
    remarks: Notices,
}

impl Table<'_> {
    fn layout(&mut self, request: &Request<'_>) -> Result<Layout> {
        if let Some(blocks) = self.blocks(request)? {
            return Ok(Layout::Wide { blocks, is_single: false });
        }
        let wanted = self.asked_for(request);
        for (column, name) in wanted.iter().flatten() {
            self.roles[*column] = Some(Role::Asset(name.clone()));
        }
        let cash = if wanted.is_none() { self.cash(request) } else { None };
        if let Some(column) = cash {
            self.roles[column] = Some(Role::Asset(self.name(column).to_string()));
        }
        let labels = self.labels()?;
        if let Some(assets) = wanted {
            self.rest().into_iter().for_each(|column| self.roles[column] = Some(Role::Excluded));
            return Ok(Layout::Wide { blocks: vec![Block { labels, assets }], is_single: false });
        }
        if let Some(layout) = self.long(&labels, request)? {
            return Ok(layout);
        }
        self.nothing_but_positions(&labels)?;
        self.further_dates(&labels)?;
        let (mut assets, is_single) = match self.of_fields(request)? {
            Some(found) => found,
            None => (self.plain(&labels, request)?, false),
        };
        assets.extend(cash.map(|column| (column, self.name(column).to_string())));
        // Of several files, one may hold nothing but what is left out.
        if assets.is_empty() && !(request.is_part && self.roles.contains(&Some(Role::Excluded))) {
            return Err(self.no_assets());
        }
        for (column, name) in &assets {
            self.roles[*column] = Some(Role::Asset(name.clone()));
        }
        self.say_what_is_left_out();
        if labels == Labels::None {
            let all = "no column of dates: every column is an asset, and rows keep the file's order, oldest first";
            self.remarks.push(all.into());
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

    /// The column that is cash, whatever it looks like.
    fn cash(&self, request: &Request<'_>) -> Option<usize> {
        let cash = request.cash?;
        let mut places = (0..self.columns.len()).filter(|&column| self.name(column) == cash);
        let place = places.next().filter(|&column| self.may_hold_numbers(column))?;
        places.next().is_none().then_some(place)
    }

    /// Numbers, or nothing in the first rows: a late starter.
    fn may_hold_numbers(&self, column: usize) -> bool {
        matches!(self.columns[column].content, Content::Numbers | Content::Empty)
    }

    /// Columns that are asked for by their own names are assets, whatever they look like, if they hold numbers.
    fn asked_for(&self, request: &Request<'_>) -> Option<Vec<(usize, String)>> {
        let wanted = request.assets?;
        let place = |name: &String| {
            let mut places = (0..self.columns.len()).filter(|&column| self.name(column) == name);
            let place = places.next().filter(|&column| self.may_hold_numbers(column))?;
            places.next().is_none().then(|| (place, name.clone()))
        };
        let found: Vec<(usize, String)> = wanted.iter().filter_map(place).collect();
        // Of several files, one holds some of the assets.
        let is_twice = (1..wanted.len()).any(|place| wanted[..place].contains(&wanted[place]));
        let are_there = found.len() == wanted.len() || request.is_part && !found.is_empty();
        (are_there && !is_twice).then_some(found)
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
            self.remarks.push(format!("left out: {}", said.join(", ")).into());
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
            cash: None,
            are_rates: false,
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
