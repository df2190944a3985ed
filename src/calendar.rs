//! Periods per year, from the dates of a history.

use crate::panel::Labels;

const DAYS_PER_YEAR: f64 = 365.25;

/// Counted periods may differ by this much from those taken before it is said.
const APART: f64 = 0.02;
/// And by so many rows, which holidays account for in a short history.
const ROWS_APART: f64 = 2.0;

/// Periods of a year.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Periods {
    /// The usual number for the distance of the dates.
    pub taken: f64,
    /// What the dates hold, where that is another number.
    pub counted: Option<f64>,
}

/// None where there are no dates, or their distance is uncommon.
pub fn periods_per_year(labels: &Labels) -> Option<Periods> {
    let Labels::Dates(dates) = labels else { return None };
    let taken = usual_periods(dates)?;
    let years = f64::from((dates[dates.len() - 1] - dates[0]).get_days()) / DAYS_PER_YEAR;
    let (counted, expected) = ((dates.len() - 1) as f64, taken * years);
    let differs = (counted - expected).abs() > (APART * expected).max(ROWS_APART);
    Some(Periods { taken, counted: differs.then(|| counted / years) })
}

/// The usual number of periods per year for the median distance of neighbouring dates; none for an uncommon one.
fn usual_periods(dates: &[jiff::civil::Date]) -> Option<f64> {
    let mut days: Vec<i32> = dates.windows(2).map(|pair| (pair[1] - pair[0]).get_days()).collect();
    days.sort_unstable();
    let weekends = days.iter().filter(|d| **d >= 3).count() * 10 >= days.len();
    match days.get(days.len() / 2)? {
        // Seven days a week, as for currencies that never close, or business days.
        1 if !weekends => Some(365.0),
        1 => Some(252.0),
        7 => Some(52.0),
        14 => Some(26.0),
        15..=16 => Some(24.0),
        28..=31 => Some(12.0),
        59..=62 => Some(6.0),
        89..=92 => Some(4.0),
        181..=184 => Some(2.0),
        365..=366 => Some(1.0),
        _ => None,
    }
}
