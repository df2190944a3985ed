//! Typed columns, as Parquet and Arrow files hold them, to a history.

use std::collections::{HashMap, HashSet};
use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::error::{Error, Result};
use crate::io::dates::{self, Keys};
use crate::io::history::History;
use crate::io::layout::{self, Content, Layout, Sketch};
use crate::io::pivot::Pivot;
use crate::io::{Detected, EMPTY, Request, head, shown};

/// The code of a missing word.
const NO_WORD: u32 = u32::MAX;

/// A column, gathered batch by batch.
enum Column {
    /// No batch yet, or nulls alone.
    Nothing(usize),
    Numbers(Vec<f64>),
    Dates(Vec<Option<Date>>),
    Words {
        codes: Vec<u32>,
        words: Vec<String>,
        numbers: HashMap<String, u32>,
    },
    /// A type that holds neither numbers, dates nor text.
    Other(String),
}

/// A table of columns.
pub(crate) struct Frame {
    source: String,
    names: Vec<String>,
    columns: Vec<Column>,
    /// Columns that pandas wrote as the index.
    index: Vec<String>,
    rows: usize,
}

impl Frame {
    /// A table of these columns; `pandas` is what that library says about them.
    pub(crate) fn new(source: &str, names: Vec<String>, pandas: Option<&str>) -> Frame {
        let columns = names.iter().map(|_| Column::Nothing(0)).collect();
        Frame {
            source: source.to_string(),
            names,
            columns,
            index: pandas.map(index_columns).unwrap_or_default(),
            rows: 0,
        }
    }

    pub(crate) fn push(&mut self, batch: &RecordBatch, request: &Request<'_>) -> Result<()> {
        self.rows = self.rows.saturating_add(batch.num_rows());
        request.limits.check(&self.source, self.rows, self.rows.saturating_mul(self.names.len()))?;
        for (place, array) in batch.columns().iter().enumerate().take(self.columns.len()) {
            let name = &self.names[place];
            self.columns[place].extend(array.as_ref()).map_err(|reason| {
                Error::input(format!("{}: column `{}`: {reason}", self.source, shown(name)))
                    .hint("write it again, or save it as CSV")
            })?;
        }
        Ok(())
    }

    /// Names of several levels, which pandas writes as Python tuples, become one name each; the columns of other fields
    /// than the one chosen are left out.
    fn flatten(&mut self, remarks: &mut Vec<String>) {
        let of_assets: Vec<usize> = (0..self.names.len()).filter(|&place| !self.is_index(place)).collect();
        let tuples: Option<Vec<Vec<String>>> = of_assets.iter().map(|&place| tuple(&self.names[place])).collect();
        let Some(tuples) = tuples.filter(|tuples| !tuples.is_empty()) else { return };
        let depth = tuples[0].len();
        if tuples.iter().any(|tuple| tuple.len() != depth) {
            return;
        }
        // The first column of a text table holds labels, and has no say.
        let level = |level: usize| {
            std::iter::once(String::new()).chain(tuples.iter().map(|tuple| tuple[level].clone())).collect()
        };
        let (names, left_out) = head::combine(&mut (0..depth).map(level).collect(), remarks);
        for (&place, name) in of_assets.iter().zip(names.into_iter().skip(1)) {
            self.names[place] = name;
        }
        for &column in left_out.iter().rev() {
            self.names.remove(of_assets[column - 1]);
            self.columns.remove(of_assets[column - 1]);
        }
    }

    fn is_index(&self, place: usize) -> bool {
        self.index.contains(&self.names[place])
    }

    pub(crate) fn finish(mut self, format: &'static str, request: &Request<'_>) -> Result<(History, Detected)> {
        let mut flattened = Vec::new();
        self.flatten(&mut flattened);
        let source = self.source.as_str();
        if self.rows == 0 {
            return Err(Error::input(format!("{source}: a table without rows")).hint(EMPTY));
        }
        let sketches: Vec<Sketch> = self
            .names
            .iter()
            .zip(&self.columns)
            .map(|(name, column)| column.sketch(name, self.index.contains(name)))
            .collect();
        let (layout, mut remarks) = layout::decide(source, &sketches, request.notation.long)?;
        // An index is where it is: pandas puts it last.
        remarks.retain(|remark| !(remark.starts_with("dates stand in column") && !self.index.is_empty()));
        let remarks = [flattened, remarks].concat();
        let mut detected = Detected { source: source.to_string(), format, remarks, ..Detected::default() };
        let (mut history, labels) = match layout {
            Layout::Long { labels, asset, value } => {
                detected.layout = "long";
                let mut pivot = Pivot::new(source, "row", request.limits);
                for row in 0..self.rows {
                    let name = self.text(asset, row)?;
                    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
                    pivot.push(row as u64 + 1, &self.text(labels, row)?, &name, self.number(value, row)?)?;
                }
                let (mut history, remark) = pivot.finish(value + 1)?;
                detected.remarks.extend(remark);
                let chosen = request.choose(source, &history.assets, |_| value + 1)?;
                history.take_assets(&chosen);
                (history, Some(labels))
            }
            Layout::Wide { labels, assets } => {
                detected.layout = "wide";
                let names: Vec<String> = assets.iter().map(|&column| self.names[column].clone()).collect();
                let chosen = request.choose(source, &names, |asset| assets[asset] + 1)?;
                let columns: Vec<usize> = chosen.iter().map(|&asset| assets[asset]).collect();
                let names = chosen.iter().map(|&asset| names[asset].clone()).collect();
                (self.wide(labels, names, &columns)?, labels)
            }
            Layout::Single { labels, value } => {
                detected.layout = "single";
                let names = [Request::name_of_single(source, &self.names[value], &mut detected.remarks)];
                let chosen = request.choose(source, &names, |_| value + 1)?;
                let columns: Vec<usize> = chosen.iter().map(|_| value).collect();
                let names = chosen.iter().map(|&asset| names[asset].clone()).collect();
                (self.wide(labels, names, &columns)?, labels)
            }
        };
        let is_dated = labels.is_some_and(|labels| matches!(self.columns[labels], Column::Dates(_)));
        let mut notation = request.notation.clone();
        if is_dated {
            // These are no text: they have no format.
            notation.date_format = None;
        }
        history.read_labels(labels.map(|labels| self.names[labels].as_str()), &notation, &mut detected)?;
        Ok((history, detected))
    }

    fn wide(&self, labels: Option<usize>, assets: Vec<String>, columns: &[usize]) -> Result<History> {
        let mut history = History {
            source: self.source.clone(),
            assets,
            columns: columns.iter().map(|column| column + 1).collect(),
            labels: Vec::with_capacity(self.rows),
            keys: Keys::Names,
            lines: (1..=self.rows as u64).collect(),
            cell_lines: Vec::new(),
            noun: "row",
            values: Vec::with_capacity(self.rows * columns.len()),
        };
        for row in 0..self.rows {
            history.labels.push(match labels {
                Some(labels) => self.text(labels, row)?,
                None => (row + 1).to_string(),
            });
            for &column in columns {
                history.values.push(self.number(column, row)?);
            }
        }
        Ok(history)
    }

    /// A cell as a number; NaN where it is missing.
    fn number(&self, column: usize, row: usize) -> Result<f64> {
        match &self.columns[column] {
            Column::Numbers(numbers) => Ok(numbers[row]),
            Column::Nothing(_) => Ok(f64::NAN),
            Column::Words { codes, .. } if codes[row] == NO_WORD => Ok(f64::NAN),
            other => {
                let name = shown(&self.names[column]);
                Err(Error::input(format!("{}: column `{name}` holds {other}, no numbers", self.source))
                    .hint(format!("leave `{name}` out with --assets")))
            }
        }
    }

    /// A cell as a label or a name; empty where it is missing.
    fn text(&self, column: usize, row: usize) -> Result<String> {
        Ok(match &self.columns[column] {
            Column::Numbers(numbers) => match numbers[row] {
                number if number.is_nan() => String::new(),
                number if number.fract() == 0.0 && number.abs() < 1e18 => (number as i64).to_string(),
                number => number.to_string(),
            },
            Column::Dates(dates) => dates[row].map(|date| date.to_string()).unwrap_or_default(),
            Column::Words { codes, words, .. } => words.get(codes[row] as usize).cloned().unwrap_or_default(),
            Column::Nothing(_) => String::new(),
            Column::Other(kind) => {
                let name = shown(&self.names[column]);
                return Err(Error::input(format!("{}: column `{name}` holds {kind}", self.source))
                    .hint("rows are labelled by dates, numbers or text"));
            }
        })
    }
}

/// The columns that pandas says are its index. A range is not stored, and has no column.
fn index_columns(pandas: &str) -> Vec<String> {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(pandas) else { return Vec::new() };
    let names = value.get("index_columns").and_then(|columns| columns.as_array());
    names.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_string)).collect()
}

/// The words of `('Close', 'AAPL')`.
fn tuple(name: &str) -> Option<Vec<String>> {
    let inside = name.strip_prefix("('")?.strip_suffix("')")?;
    let words: Vec<String> = inside.split("', '").map(str::to_string).collect();
    (words.len() > 1).then_some(words)
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Column::Nothing(_) => f.write_str("nothing"),
            Column::Numbers(_) => f.write_str("numbers"),
            Column::Dates(_) => f.write_str("dates"),
            Column::Words { .. } => f.write_str("text"),
            Column::Other(kind) => write!(f, "values of type {kind}"),
        }
    }
}

impl Column {
    fn sketch(&self, name: &str, is_index: bool) -> Sketch {
        let (content, different, repeats) = match self {
            Column::Nothing(_) => (Content::Empty, 0, false),
            Column::Numbers(numbers) => {
                let different = numbers.iter().map(|x| x.to_bits()).collect::<HashSet<_>>().len();
                (Content::Numbers, different, different < numbers.len())
            }
            Column::Dates(dates) => {
                let different = dates.iter().collect::<HashSet<_>>().len();
                (Content::Dates, different, different < dates.len())
            }
            Column::Words { codes, words, .. } => {
                let dated = words.iter().filter(|word| dates::looks_like_a_date(word)).count();
                let content = if 2 * dated > words.len() { Content::Dates } else { Content::Text };
                (content, words.len(), words.len() < codes.len())
            }
            Column::Other(_) => (Content::Text, 1, true),
        };
        let numbers: &[f64] = if let Column::Numbers(numbers) = self { numbers } else { &[] };
        let is_compact = !numbers.is_empty()
            && numbers
                .iter()
                .all(|x| (18_000_101.0..22_001_231.0).contains(x) && dates::looks_like_a_date(&x.to_string()));
        Sketch {
            name: name.split_whitespace().collect::<Vec<_>>().join(" "),
            content: if is_compact { Content::Dates } else { content },
            is_count: layout::is_count(numbers),
            is_measured: layout::is_measured(numbers),
            repeats,
            different,
            is_index,
        }
    }

    /// Adds the cells of an array, or says what is wrong with them.
    fn extend(&mut self, array: &dyn Array) -> std::result::Result<(), String> {
        let rows = array.len();
        match array.data_type() {
            DataType::Null => self.extend_with(rows, |_| None::<f64>),
            DataType::Float64 => self.numbers::<Float64Type>(array, |x| x),
            DataType::Float32 => self.numbers::<Float32Type>(array, f64::from),
            DataType::Int8 => self.numbers::<Int8Type>(array, f64::from),
            DataType::Int16 => self.numbers::<Int16Type>(array, f64::from),
            DataType::Int32 => self.numbers::<Int32Type>(array, f64::from),
            DataType::Int64 => self.numbers::<Int64Type>(array, |x| x as f64),
            DataType::UInt8 => self.numbers::<UInt8Type>(array, f64::from),
            DataType::UInt16 => self.numbers::<UInt16Type>(array, f64::from),
            DataType::UInt32 => self.numbers::<UInt32Type>(array, f64::from),
            DataType::UInt64 => self.numbers::<UInt64Type>(array, |x| x as f64),
            DataType::Decimal128(_, scale) => {
                let unit = 10_f64.powi(i32::from(*scale));
                self.numbers::<Decimal128Type>(array, |x| x as f64 / unit)
            }
            DataType::Date32 => self.dates::<Date32Type>(array, |day| dates::date_of_day(i64::from(day))),
            DataType::Date64 => {
                self.dates::<Date64Type>(array, |milliseconds| dates::date_of_day(milliseconds.div_euclid(86_400_000)))
            }
            DataType::Timestamp(unit, zone) => {
                let zone = zone_named(zone.as_deref())?;
                let day = |time: i64, scale: i64| {
                    let nanoseconds = i128::from(time) * i128::from(scale);
                    Timestamp::from_nanosecond(nanoseconds).ok().map(|time| zone.to_datetime(time).date())
                };
                match unit {
                    TimeUnit::Second => self.dates::<TimestampSecondType>(array, |time| day(time, 1_000_000_000)),
                    TimeUnit::Millisecond => self.dates::<TimestampMillisecondType>(array, |time| day(time, 1_000_000)),
                    TimeUnit::Microsecond => self.dates::<TimestampMicrosecondType>(array, |time| day(time, 1_000)),
                    TimeUnit::Nanosecond => self.dates::<TimestampNanosecondType>(array, |time| day(time, 1)),
                }
            }
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                self.words(rows, |row| texts.is_valid(row).then(|| texts.value(row)))
            }
            DataType::LargeUtf8 => {
                let texts = array.as_string::<i64>();
                self.words(rows, |row| texts.is_valid(row).then(|| texts.value(row)))
            }
            DataType::Utf8View => {
                let texts = array.as_string_view();
                self.words(rows, |row| texts.is_valid(row).then(|| texts.value(row)))
            }
            DataType::Dictionary(_, _) => self.dictionary(array),
            other => {
                if let Column::Nothing(_) = self {
                    *self = Column::Other(other.to_string());
                }
                Ok(())
            }
        }
    }

    fn numbers<T: ArrowPrimitiveType>(
        &mut self,
        array: &dyn Array,
        value: impl Fn(T::Native) -> f64,
    ) -> std::result::Result<(), String> {
        let array = array.as_primitive::<T>();
        self.extend_with(array.len(), |row| array.is_valid(row).then(|| value(array.value(row))))
    }

    fn extend_with(&mut self, rows: usize, value: impl Fn(usize) -> Option<f64>) -> std::result::Result<(), String> {
        if let Column::Nothing(before) = self
            && (0..rows).any(|row| value(row).is_some())
        {
            *self = Column::Numbers(vec![f64::NAN; *before]);
        }
        match self {
            Column::Nothing(before) => *before += rows,
            Column::Numbers(numbers) => numbers.extend((0..rows).map(|row| value(row).unwrap_or(f64::NAN))),
            _ => return Err("its type changes between batches".to_string()),
        }
        Ok(())
    }

    fn dates<T: ArrowPrimitiveType>(
        &mut self,
        array: &dyn Array,
        date: impl Fn(T::Native) -> Option<Date>,
    ) -> std::result::Result<(), String> {
        let array = array.as_primitive::<T>();
        if let Column::Nothing(before) = self {
            *self = Column::Dates(vec![None; *before]);
        }
        let Column::Dates(dates) = self else { return Err("its type changes between batches".to_string()) };
        for row in 0..array.len() {
            dates.push(match array.is_valid(row) {
                true => Some(date(array.value(row)).ok_or("a date lies outside the years -9999 to 9999")?),
                false => None,
            });
        }
        Ok(())
    }

    fn words<'a>(&mut self, rows: usize, text: impl Fn(usize) -> Option<&'a str>) -> std::result::Result<(), String> {
        if let Column::Nothing(before) = self {
            *self = Column::Words { codes: vec![NO_WORD; *before], words: Vec::new(), numbers: HashMap::new() };
        }
        let Column::Words { codes, words, numbers } = self else {
            return Err("its type changes between batches".to_string());
        };
        for row in 0..rows {
            codes.push(match text(row) {
                None => NO_WORD,
                Some(word) => match numbers.get(word) {
                    Some(&code) => code,
                    None => {
                        let code = words.len() as u32;
                        words.push(word.to_string());
                        numbers.insert(word.to_string(), code);
                        code
                    }
                },
            });
        }
        Ok(())
    }

    fn dictionary(&mut self, array: &dyn Array) -> std::result::Result<(), String> {
        let dictionary = array.as_any_dictionary();
        let mut values = Column::Nothing(0);
        values.extend(dictionary.values().as_ref())?;
        let keys = dictionary.keys();
        let mut places = Column::Nothing(0);
        places.extend(keys)?;
        let place = |row: usize| match &places {
            Column::Numbers(numbers) if keys.is_valid(row) => Some(numbers[row] as usize),
            _ => None,
        };
        match &values {
            Column::Words { codes, words, .. } => self.words(array.len(), |row| {
                let code = codes.get(place(row)?)?;
                words.get(*code as usize).map(String::as_str)
            }),
            Column::Numbers(numbers) => {
                self.extend_with(array.len(), |row| numbers.get(place(row)?).copied().filter(|number| !number.is_nan()))
            }
            Column::Nothing(_) => self.extend_with(array.len(), |_| None),
            other => Err(format!("a dictionary of {other}")),
        }
    }
}

/// The zone of a timestamp: a name, an offset such as +02:00, or none, which means the clock on the wall.
fn zone_named(zone: Option<&str>) -> std::result::Result<TimeZone, String> {
    let Some(zone) = zone else { return Ok(TimeZone::UTC) };
    if let Ok(zone) = TimeZone::get(zone) {
        return Ok(zone);
    }
    let offset = || {
        let (sign, rest) = match zone.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, zone.strip_prefix('+')?),
        };
        let (hours, minutes) = rest.split_once(':').or_else(|| rest.split_at_checked(2))?;
        let [hours, minutes]: [i32; 2] = [hours.parse().ok()?, minutes.parse().ok()?];
        jiff::tz::Offset::from_seconds(sign * hours.checked_mul(3_600)?.checked_add(minutes.checked_mul(60)?)?).ok()
    };
    offset().map(TimeZone::fixed).ok_or_else(|| format!("`{}` is no time zone", shown(zone)))
}
