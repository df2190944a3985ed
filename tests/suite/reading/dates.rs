//! Notations of dates: one or several columns that label a row.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::made::Period::{self, Days, Hours, Months, Quarters, Weeks};

/// A notation: the periods it can tell apart, the names of its columns, and their cells.
#[derive(Clone, Copy)]
pub struct Notation {
    pub name: &'static str,
    pub periods: &'static [Period],
    pub header: &'static [&'static str],
    pub cells: fn(DateTime) -> Vec<String>,
}

const DATED: &[Period] = &[Days, Weeks, Months, Quarters];

fn in_format(format: &str, moment: DateTime) -> Vec<String> {
    vec![moment.strftime(format).to_string()]
}

fn second(moment: DateTime) -> i64 {
    moment.to_zoned(TimeZone::UTC).expect("a moment of a market").timestamp().as_second()
}

/// Days of a spreadsheet: day 25,569 is day 0 of 1970.
pub fn serial(moment: DateTime) -> f64 {
    second(moment) as f64 / 86_400.0 + 25_569.0
}

fn with_month(moment: DateTime, months: [&str; 12], write: fn(i8, &str, i16) -> String) -> Vec<String> {
    vec![write(moment.day(), months[moment.month() as usize - 1], moment.year())]
}

const FRENCH: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const GERMAN: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const SPANISH: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const SPANISH_SHORT: [&str; 12] = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"];

fn quarter(moment: DateTime) -> i8 {
    (moment.month() + 2) / 3
}

const fn one(
    name: &'static str,
    periods: &'static [Period],
    header: &'static [&'static str],
    cells: fn(DateTime) -> Vec<String>,
) -> Notation {
    Notation { name, periods, header, cells }
}

pub const NOTATIONS: &[Notation] = &[
    one("iso", DATED, &["Date"], |m| in_format("%F", m)),
    one("iso under another name", DATED, &["caldt"], |m| in_format("%F", m)),
    one("iso without a name", DATED, &[""], |m| in_format("%F", m)),
    one("yyyymmdd", DATED, &["date"], |m| in_format("%Y%m%d", m)),
    one("yyyymmdd without a name", DATED, &[""], |m| in_format("%Y%m%d", m)),
    one("dd/mm/yyyy", DATED, &["Date"], |m| in_format("%d/%m/%Y", m)),
    one("mm/dd/yyyy", DATED, &["Date"], |m| in_format("%m/%d/%Y", m)),
    one("m/d/yyyy", DATED, &["Date"], |m| in_format("%-m/%-d/%Y", m)),
    one("dd.mm.yyyy", DATED, &["Datum"], |m| in_format("%d.%m.%Y", m)),
    one("dd.mm.yy", DATED, &["Datum"], |m| in_format("%d.%m.%y", m)),
    one("mm/dd/yy", DATED, &["Date"], |m| in_format("%m/%d/%y", m)),
    one("serial days", DATED, &["Date"], |m| vec![serial(m).to_string()]),
    one("serial days without a name", DATED, &[""], |m| vec![serial(m).to_string()]),
    one("seconds", DATED, &["timestamp"], |m| vec![second(m).to_string()]),
    one("milliseconds", DATED, &["time"], |m| vec![(1_000 * second(m)).to_string()]),
    one("nanoseconds", DATED, &["date"], |m| vec![(1_000_000_000 * second(m)).to_string()]),
    one("mails", DATED, &["Date"], |m| in_format("%a, %d %b %Y %H:%M:%S +0000", m)),
    one("midnight", DATED, &["Date"], |m| in_format("%F 00:00:00", m)),
    one("midnight in New York", DATED, &["Date"], |m| in_format("%F 00:00:00-05:00", m)),
    one("dd-Mmm-yy", DATED, &["Date"], |m| in_format("%d-%b-%y", m)),
    one("Mmm dd, yyyy", DATED, &["Date"], |m| in_format("%b %d, %Y", m)),
    one("French", DATED, &["Date"], |m| with_month(m, FRENCH, |d, m, y| format!("{d} {m} {y}"))),
    one("German", DATED, &["Datum"], |m| with_month(m, GERMAN, |d, m, y| format!("{d}. {m} {y}"))),
    one("Spanish", DATED, &["Fecha"], |m| with_month(m, SPANISH, |d, m, y| format!("{d} de {m} de {y}"))),
    one("Year, Month, Day", DATED, &["Year", "Month", "Day"], |m| {
        vec![m.year().to_string(), m.month().to_string(), m.day().to_string()]
    }),
    one("Date and the same Time", DATED, &["Date", "Time"], |m| {
        vec![m.strftime("%F").to_string(), "16:00".to_string()]
    }),
    one("yyyy-mm", &[Months, Quarters], &["Date"], |m| in_format("%Y-%m", m)),
    one("mm/yyyy", &[Months, Quarters], &["Date"], |m| in_format("%m/%Y", m)),
    one("mm.yyyy", &[Months, Quarters], &["Monat"], |m| in_format("%m.%Y", m)),
    one("yyyymm", &[Months, Quarters], &["yyyymm"], |m| in_format("%Y%m", m)),
    one("yyyymm without a name", &[Months], &[""], |m| in_format("%Y%m", m)),
    one("yyyyMmm", &[Months, Quarters], &["TIME_PERIOD"], |m| in_format("%YM%m", m)),
    one("Mmm-yy", &[Months, Quarters], &["Month"], |m| in_format("%b-%y", m)),
    one("Mmm yyyy", &[Months, Quarters], &["Date"], |m| in_format("%b %Y", m)),
    one("French months", &[Months, Quarters], &["Mois"], |m| with_month(m, FRENCH, |_, m, y| format!("{m} {y}"))),
    one("Spanish months", &[Months, Quarters], &["Fecha"], |m| {
        with_month(m, SPANISH_SHORT, |_, m, y| format!("{m}-{:02}", y % 100))
    }),
    one("Year, Month", &[Months, Quarters], &["Year", "Month"], |m| vec![m.year().to_string(), m.month().to_string()]),
    one("Year, Mmm", &[Months, Quarters], &["Year", "Month"], |m| {
        vec![m.year().to_string(), m.strftime("%b").to_string()]
    }),
    one("yyyyQq", &[Quarters], &["Date"], |m| vec![format!("{}Q{}", m.year(), quarter(m))]),
    one("Qq yyyy", &[Quarters], &["Quarter"], |m| vec![format!("Q{} {}", quarter(m), m.year())]),
    one("qQyy", &[Quarters], &["period"], |m| vec![format!("{}Q{:02}", quarter(m), m.year() % 100)]),
    one("Year, Quarter", &[Quarters], &["Year", "Quarter"], |m| vec![m.year().to_string(), quarter(m).to_string()]),
    one("yyyy-Www", &[Weeks], &["Week"], |m| in_format("%G-W%V", m)),
    one("iso with time", &[Hours], &["Datetime"], |m| in_format("%F %H:%M", m)),
    one("iso with T and Z", &[Hours], &["timestamp"], |m| in_format("%FT%H:%M:%S.000Z", m)),
    one("American with time", &[Hours], &["Date"], |m| in_format("%m/%d/%Y %I:%M %p", m)),
    one("seconds of bars", &[Hours], &["time"], |m| vec![second(m).to_string()]),
    one("milliseconds of bars", &[Hours], &["Open time"], |m| vec![(1_000 * second(m)).to_string()]),
    one("serial days of bars", &[Hours], &["Date"], |m| vec![format!("{:.8}", serial(m))]),
    one("mails of bars", &[Hours], &["Date"], |m| in_format("%a, %d %b %Y %H:%M:%S +0000", m)),
    one("Date, Time", &[Hours], &["Date", "Time"], |m| {
        vec![m.strftime("%F").to_string(), m.strftime("%H:%M").to_string()]
    }),
    one("<DATE>, <TIME>", &[Hours], &["<DATE>", "<TIME>"], |m| {
        vec![m.strftime("%Y%m%d").to_string(), m.strftime("%H%M%S").to_string()]
    }),
    one("Date, hhmm", &[Hours], &["Date", "Time"], |m| {
        vec![m.strftime("%d/%m/%Y").to_string(), m.strftime("%-H%M").to_string()]
    }),
];

pub fn of(period: Period) -> Vec<Notation> {
    NOTATIONS.iter().copied().filter(|notation| notation.periods.contains(&period)).collect()
}
