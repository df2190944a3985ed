//! One column of a Parquet or Arrow file: numbers, dates or words, whatever their type and width.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::io::cells::{Cell, Decimal, Numbers};
use crate::io::sketch::Name;
use crate::io::sketch::{Content, Figures, Sketch, begins_like_a_number};
use crate::io::{dates, shown};

/// The code of a missing word.
const NO_WORD: u32 = u32::MAX;

/// A column, gathered batch by batch.
pub(crate) enum Column {
    /// No batch yet, or nulls alone.
    Nothing(usize),
    Numbers(Vec<f64>),
    Dates(Vec<Option<DateTime>>),
    Words {
        codes: Vec<u32>,
        words: Vec<String>,
        numbers: HashMap<String, u32>,
    },
    /// A type that holds neither numbers, dates nor text.
    Other(String),
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
    pub(crate) fn sketch(&self, name: Name, is_index: bool) -> Sketch {
        let mut digest = DefaultHasher::new();
        let mut figures = Figures::default();
        let mut unreadable = None;
        let (content, different, repeats) = match self {
            Column::Nothing(_) => (Content::Empty, 0, false),
            Column::Numbers(numbers) => {
                let different = numbers.iter().map(|x| x.to_bits()).collect::<HashSet<_>>().len();
                figures = Figures::of(numbers);
                let content = if figures.are_compact_days { Content::Dates } else { Content::Numbers };
                (content, different, different < numbers.len())
            }
            Column::Dates(dates) => {
                let different = dates.iter().collect::<HashSet<_>>().len();
                dates.hash(&mut digest);
                (Content::Dates, different, different < dates.len())
            }
            Column::Words { codes, words, .. } => {
                (codes, words).hash(&mut digest);
                let numbers = Numbers::new(Decimal::Point, false);
                let dated = words.iter().filter(|word| dates::looks_like_a_date(word)).count();
                let timed = words.iter().filter(|word| dates::is_time(word)).count();
                let numbered = words.iter().filter(|word| numbers.parse(word) != Cell::Text).count();
                unreadable = words.iter().find(|word| begins_like_a_number(word)).cloned();
                let content = match words.len() {
                    all if 2 * dated > all => Content::Dates,
                    all if 2 * timed > all => Content::Times,
                    all if all > 0 && numbered == all => {
                        let all: Vec<f64> = words.iter().filter_map(|word| number(numbers.parse(word))).collect();
                        figures = Figures::of(&all);
                        Content::Numbers
                    }
                    _ => Content::Text,
                };
                (content, words.len(), words.len() < codes.len())
            }
            Column::Other(kind) => {
                unreadable = Some(kind.clone());
                (Content::Text, 1, true)
            }
        };
        Sketch {
            name: name.text,
            parts: name.parts,
            content,
            figures,
            repeats,
            different,
            unreadable,
            digest: digest.finish(),
            is_index,
        }
    }

    /// Adds the cells of an array, or says what is wrong with them.
    pub(crate) fn extend(&mut self, array: &dyn Array) -> Result<(), String> {
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
            DataType::Date32 => self.dates::<Date32Type>(array, |day| dates::date_of_day(i64::from(day)).map(midnight)),
            DataType::Date64 => self.dates::<Date64Type>(array, |milliseconds| {
                dates::date_of_day(milliseconds.div_euclid(86_400_000)).map(midnight)
            }),
            DataType::Timestamp(unit, zone) => {
                let zone = zone_named(zone.as_deref())?;
                let day = |time: i64, scale: i64| {
                    let nanoseconds = i128::from(time) * i128::from(scale);
                    Timestamp::from_nanosecond(nanoseconds).ok().map(|time| zone.to_datetime(time))
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
    ) -> Result<(), String> {
        let array = array.as_primitive::<T>();
        self.extend_with(array.len(), |row| array.is_valid(row).then(|| value(array.value(row))))
    }

    fn extend_with(&mut self, rows: usize, value: impl Fn(usize) -> Option<f64>) -> Result<(), String> {
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
        date: impl Fn(T::Native) -> Option<DateTime>,
    ) -> Result<(), String> {
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

    fn words<'a>(&mut self, rows: usize, text: impl Fn(usize) -> Option<&'a str>) -> Result<(), String> {
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

    fn dictionary(&mut self, array: &dyn Array) -> Result<(), String> {
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

fn midnight(date: Date) -> DateTime {
    date.at(0, 0, 0, 0)
}

fn number(cell: Cell) -> Option<f64> {
    if let Cell::Number(number) | Cell::Percent(number) = cell { Some(number) } else { None }
}

/// The zone of a timestamp: a name, an offset such as +02:00, or none, which means the clock on the wall.
fn zone_named(zone: Option<&str>) -> Result<TimeZone, String> {
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
