//! Texts of a backtest: `metrics.csv` and `periods.csv` beside the summary.

use super::sentence::backtest::sentence;
use super::table::{csv_of, maybe};
use super::terminal::{self, View};
use super::{Shown, html};
use crate::error::Result;
use crate::store::origin::Origin;
use crate::study::backtest::Outcome;
use crate::study::backtest::figures::{Kind, Metrics, PathFigures};
use crate::study::backtest::grid::{Cell, GridOutcome};
use crate::study::backtest::outcome::StrategyOutcome;

const METRICS: &str = "metrics.csv";
const PERIODS: &str = "periods.csv";
const GRID: &str = "grid.csv";

impl Shown for Outcome {
    fn table(&self, view: View) -> String {
        terminal::backtest(self, view)
    }

    fn texts(&self, origin: &Origin, view: View) -> Result<Vec<(&'static str, String)>> {
        let page = html::backtest(self, origin, view);
        let mut texts = vec![(METRICS, metrics_csv(self)?), (PERIODS, periods_csv(self)?), (super::REPORT, page)];
        if let Some(grid) = &self.grid {
            texts.push((GRID, grid_csv(grid)?));
        }
        Ok(texts)
    }

    fn sentence(&self) -> Option<String> {
        Some(sentence(self))
    }

    fn notes(&self, view: View) -> Vec<String> {
        self.notes.iter().map(|note| view.text(note.clone())).collect()
    }
}

/// A figure by its name.
type Named = (&'static str, fn(&Metrics) -> Option<f64>);

/// The figures of the table, one number each.
const FIGURES: [Named; 34] = [
    ("total_return", |m| m.total_return),
    ("cagr", |m| m.cagr),
    ("mean", |m| m.mean),
    ("volatility", |m| m.volatility),
    ("sharpe", |m| m.sharpe),
    ("volatility_monthly", |m| m.volatility_monthly),
    ("sharpe_monthly", |m| m.sharpe_monthly),
    ("autocorrelation", |m| m.autocorrelation),
    ("sortino", |m| m.sortino),
    ("max_drawdown", |m| m.max_drawdown),
    ("calmar", |m| m.calmar),
    ("ulcer_index", |m| m.ulcer_index),
    ("cvar95", |m| m.cvar95),
    ("var95", |m| m.var95),
    ("skewness", |m| m.skewness),
    ("excess_kurtosis", |m| m.excess_kurtosis),
    ("hit_rate", |m| m.hit_rate),
    ("hit_rate_monthly", |m| m.hit_rate_monthly),
    ("best_month", |m| m.best_month),
    ("worst_month", |m| m.worst_month),
    ("turnover", |m| m.turnover),
    ("trades", |m| Some(m.trades as f64)),
    ("exposure_mean", |m| m.exposure_mean),
    ("exposure_max", |m| m.exposure_max),
    ("volatility_to_target", |m| m.volatility_to_target),
    ("risk_share_error", |m| m.risk_share_error),
    ("tracking_error", |m| m.relative.tracking_error),
    ("information_ratio", |m| m.relative.information_ratio),
    ("beta", |m| m.relative.beta),
    ("correlation", |m| m.relative.correlation),
    ("up_capture", |m| m.relative.up_capture),
    ("down_capture", |m| m.relative.down_capture),
    ("sharpe_difference", |m| m.relative.sharpe_difference.map(|found| found.difference)),
    ("p_value", |m| m.relative.sharpe_difference.map(|found| found.p_value)),
];

/// One line per strategy.
fn metrics_csv(outcome: &Outcome) -> Result<String> {
    let header = std::iter::once("strategy").chain(FIGURES.map(|(name, _)| name)).map(String::from).collect();
    let record = |own: &StrategyOutcome| {
        let figures = FIGURES.map(|(_, figure)| maybe(figure(&own.metrics)));
        std::iter::once(own.name.clone()).chain(figures).collect()
    };
    csv_of(METRICS, std::iter::once(header).chain(outcome.strategies.iter().map(record)))
}

/// One line per setting and strategy.
fn grid_csv(grid: &GridOutcome) -> Result<String> {
    let names = PathFigures::<Option<f64>>::NAMES;
    let header = grid.keys.iter().map(String::as_str).chain(["strategy"]).chain(names).map(String::from).collect();
    let record = |cell: &Cell| {
        let setting = grid.settings[cell.setting].iter().cloned();
        setting.chain([cell.strategy.clone()]).chain(cell.figures.into_array().map(maybe)).collect()
    };
    csv_of(GRID, std::iter::once(header).chain(grid.cells.iter().map(record)))
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Drawdown => "drawdown",
        Kind::Volatility => "volatility",
        Kind::Named => "named",
    }
}

/// One line per period and strategy.
fn periods_csv(outcome: &Outcome) -> Result<String> {
    let header = [
        "kind",
        "name",
        "from",
        "to",
        "recovery",
        "strategy",
        "rows",
        "total_return",
        "volatility",
        "sharpe",
        "max_drawdown",
    ];
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let lines = outcome.periods.iter().flat_map(|period| {
        period.figures.iter().map(move |own| {
            vec![
                kind(period.kind).to_string(),
                period.name.clone(),
                text(&period.from),
                text(&period.to),
                text(&period.recovery),
                own.strategy.clone(),
                own.rows.to_string(),
                maybe(own.total_return),
                maybe(own.volatility),
                maybe(own.sharpe),
                maybe(own.max_drawdown),
            ]
        })
    });
    csv_of(PERIODS, std::iter::once(header.map(String::from).to_vec()).chain(lines))
}
