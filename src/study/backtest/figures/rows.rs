//! What figures are made of: the evaluated rows, as the accounts of strategies left them.
//!
//! Closes are numbered from 0, the close at which all strategies are built and wealth is 1. Row t of N lies between
//! closes t - 1 and t; it stands at position t - 1 of the slices.

use jiff::civil::Date;

use super::months::{self, Month};

const DAYS_PER_YEAR: f64 = 365.25;

/// Where the evaluated rows lie in time: the same for all strategies, and for all resampled paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// Of all closes, N + 1.
    pub labels: Vec<String>,
    /// Of all closes, N + 1.
    pub dates: Option<Vec<Date>>,
    /// A.
    pub periods_per_year: f64,
    /// Y. By the dates, not N / A, where there are dates; none where no time passes.
    pub years: Option<f64>,
    /// Rows by calendar month; none without dates, or where rows are longer than months.
    pub months: Vec<Month>,
}

impl Timeline {
    pub fn new(labels: Vec<String>, dates: Option<Vec<Date>>, periods_per_year: f64) -> Timeline {
        let years = match dates.as_deref() {
            Some([first, .., last]) => f64::from((*last - *first).get_days()) / DAYS_PER_YEAR,
            Some(_) => 0.0,
            None => labels.len().saturating_sub(1) as f64 / periods_per_year,
        };
        let months = dates.as_deref().map_or_else(Vec::new, |dates| months::group(dates, periods_per_year));
        Timeline { labels, dates, periods_per_year, years: (years > 0.0).then_some(years), months }
    }

    /// Whether months say something that rows do not.
    pub fn has_shorter_rows_than_months(&self) -> bool {
        self.periods_per_year > months::PER_YEAR && !self.months.is_empty()
    }

    /// Label of a close; empty for none.
    pub fn label(&self, close: usize) -> String {
        self.labels.get(close).cloned().unwrap_or_default()
    }
}

/// What all strategies share.
#[derive(Debug, Clone, Copy)]
pub struct Market<'a> {
    pub timeline: &'a Timeline,
    /// y_t: return of cash over each row.
    pub cash: &'a [f64],
    /// s_t: what borrowed money costs more.
    pub spread: &'a [f64],
}

/// Rows of one strategy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Track {
    /// r_t: return after costs; -1 in the row of a ruin, and 0 from then on.
    pub net: Vec<f64>,
    /// g_t: return before costs; that of cash after a ruin.
    pub gross: Vec<f64>,
    /// sum_i |h*_i - h_i| at the close of each row: what was traded, of the wealth before it.
    pub traded: Vec<f64>,
    /// k_t: what trading cost at the close of each row, of the wealth before it.
    pub cost: Vec<f64>,
    /// The part of `cost` that no cost of trading explains: losses of assets that were delisted. Empty for none.
    pub losses: Vec<f64>,
    /// At the first close, before the first row.
    pub build: Build,
    /// l_t = sum_i h_i at the start of each row.
    pub exposure: Vec<f64>,
    /// a_t = sum_i h_i r_ti.
    pub earned: Vec<f64>,
    /// h_i r_ti, row by row. Empty where shares of risk are not asked for.
    pub contributions: Vec<f64>,
    pub assets: usize,
    /// How often it traded, the build included.
    pub trades: usize,
    /// Half of what these trades traded, the build left out: one-way.
    pub turned_over: f64,
    /// W_t after each row.
    pub wealth: Vec<f64>,
    /// Mean over rows of the budgets in force; empty for a strategy without budgets.
    pub budgets: Vec<f64>,
}

/// The trade at the first close.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Build {
    pub traded: f64,
    pub cost: f64,
}

impl Track {
    pub fn rows(&self) -> usize {
        self.net.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_those_of_the_calendar_where_there_are_dates() {
        let dates = [Date::constant(2007, 7, 2), Date::constant(2009, 12, 31)].to_vec();
        let labels: Vec<String> = dates.iter().map(Date::to_string).collect();
        // 913 days.
        assert_eq!(Timeline::new(labels.clone(), Some(dates), 252.0).years, Some(913.0 / 365.25));
        assert_eq!(Timeline::new(labels, None, 4.0).years, Some(0.25));
    }

    #[test]
    fn without_rows_no_time_passes() {
        let date = Date::constant(2007, 7, 2);
        assert_eq!(Timeline::new(vec![date.to_string()], Some(vec![date]), 252.0).years, None);
        assert_eq!(Timeline::new(Vec::new(), None, 252.0).years, None);
    }
}
