//! The flags of a backtest.

use std::path::PathBuf;

use clap::Args;

use super::grid::{Axis, axis};
use super::values::{
    CashRate, Leverage, Lookback, cash_rate, decimal, fan_block, lookback, named_span, rate, rebalance, rows, share,
    target,
};
use crate::cli::args::{
    DataArguments, MachineArguments, OutputArguments, ProblemArguments, ResampleArguments, RunArguments,
};
use crate::cli::estimator::EstimatorArguments;
use crate::cli::limits::LimitArguments;
use crate::cli::methods::Name as MethodName;
use crate::cli::values::{asset, count, positive, size};
use crate::study::backtest::config::Named;

use super::values::Calendar;

#[derive(Debug, Args)]
pub struct BacktestArguments {
    #[command(flatten)]
    pub data: DataArguments,
    /// A column of DATA that is cash, prices or returns like the others; it is no asset
    #[arg(long, value_name = "COLUMN", value_parser = asset, help_heading = "Data", conflicts_with = "cash_rate")]
    pub cash: Option<String>,
    /// What cash earns a year: a number such as 0.02, or a file of dates and rates in percent, as FRED has them [default: 0]
    #[arg(long, value_name = "X|FILE", value_parser = cash_rate, allow_negative_numbers = true, help_heading = "Data")]
    pub cash_rate: Option<CashRate>,
    #[command(flatten)]
    pub estimation: EstimatorArguments,
    /// Rows that a covariance is estimated from, or `expanding` for all there are [default: 252 of days, 104 of weeks, 36 of
    /// months]
    #[arg(long, value_name = "ROWS|expanding", value_parser = lookback, allow_negative_numbers = true)]
    #[arg(help_heading = "Estimation")]
    pub lookback: Option<Lookback>,
    /// With --lookback expanding: rows that an asset has before it enters [default: as --lookback]
    #[arg(long, value_name = "ROWS", value_parser = size, allow_negative_numbers = true, help_heading = "Estimation")]
    pub min_history: Option<usize>,
    /// Estimate from sums of K neighbouring rows, for markets that close at different hours
    #[arg(long, value_name = "K", default_value = "1", value_parser = size, allow_negative_numbers = true)]
    #[arg(help_heading = "Estimation")]
    pub overlap: usize,
    /// When to decide: daily, weekly, monthly, quarterly, yearly, rows after one (monthly+5), every-N, never, or dates:FILE
    /// [default: monthly; every-21 without dates]
    #[arg(long, value_name = "RULE", value_parser = rebalance, help_heading = "Trading")]
    pub rebalance: Option<Calendar>,
    /// Rows from a decision to its trade [default: 1 of days, else 0]
    #[arg(long, value_name = "ROWS", value_parser = rows, allow_negative_numbers = true, help_heading = "Trading")]
    pub lag: Option<usize>,
    /// Cost of trading in basis points of what is traded, each way: a number, or one for each asset (A=1,B=3,*=2)
    #[arg(long, value_name = "B|A=1,*=2", default_value = "5", allow_hyphen_values = true, help_heading = "Trading")]
    pub cost_bps: String,
    /// The first build costs nothing
    #[arg(long, help_heading = "Trading")]
    pub no_initial_cost: bool,
    /// Trade only when some holding is further than X from its target
    #[arg(long, value_name = "X", value_parser = decimal, allow_negative_numbers = true, help_heading = "Trading")]
    pub band: Option<f64>,
    /// Trade only the assets that are further than X from their targets
    #[arg(long, value_name = "X", value_parser = decimal, allow_negative_numbers = true, help_heading = "Trading")]
    pub no_trade: Option<f64>,
    /// What is lost of an asset that ends, such as -0.3 [default: it is sold at its last price]
    #[arg(long, value_name = "X", value_parser = share, allow_negative_numbers = true, help_heading = "Trading")]
    pub delisting_return: Option<f64>,
    /// Strategies to compare, in this order [default: all]
    #[arg(long, value_name = "A,B,..", value_enum, value_delimiter = ',', help_heading = "Strategies")]
    pub methods: Option<Vec<MethodName>>,
    /// A fixed mix to compare: parts of wealth with a name or without, `60/40:A=0.6,B=0.4`, or a CSV file `asset,weight`;
    /// may be given several times
    #[arg(long, value_name = "[NAME:]A=0.6,B=0.4|FILE", help_heading = "Strategies")]
    pub fixed: Vec<String>,
    /// What the others are compared with [default: the first fixed mix, else equal weight]
    #[arg(long, value_name = "NAME", help_heading = "Strategies")]
    pub benchmark: Option<String>,
    /// Hold as much as gives this annual volatility, such as 0.10; or the volatility of a strategy, match:60/40
    #[arg(long, value_name = "X|match:NAME", value_parser = target, allow_negative_numbers = true)]
    #[arg(help_heading = "Exposure", conflicts_with = "leverage")]
    pub target_vol: Option<Leverage>,
    /// Hold X times wealth
    #[arg(long, value_name = "X", value_parser = positive, allow_negative_numbers = true, help_heading = "Exposure")]
    pub leverage: Option<f64>,
    /// With --target-vol: hold at most X times wealth
    #[arg(long, value_name = "X", default_value = "3", value_parser = positive, allow_negative_numbers = true)]
    #[arg(help_heading = "Exposure")]
    pub max_leverage: f64,
    /// Strategies whose exposure this is [default: all but fixed mixes]
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', value_parser = asset, help_heading = "Exposure")]
    pub lever: Option<Vec<String>>,
    /// Add a twin of risk budgeting that holds less while the last F rows are wilder than the window
    #[arg(long, value_name = "F", value_parser = size, allow_negative_numbers = true, help_heading = "Exposure")]
    pub regime: Option<usize>,
    /// The twin keeps at least this part of its exposure
    #[arg(long, value_name = "X", default_value = "0.25", value_parser = rate, allow_negative_numbers = true)]
    #[arg(help_heading = "Exposure", requires = "regime")]
    pub regime_floor: f64,
    /// What borrowing costs a year beyond what cash earns
    #[arg(long, value_name = "X", default_value = "0.005", value_parser = decimal, allow_negative_numbers = true)]
    #[arg(help_heading = "Exposure")]
    pub financing_spread: f64,
    /// A span to look at by itself, such as `crisis=2007-10..2009-03`; spans of one name are looked at together
    #[arg(long, value_name = "NAME=FROM..TO", value_parser = named_span, help_heading = "Periods")]
    pub period: Vec<Named>,
    /// The same from a CSV file `name,from,to`
    #[arg(long, value_name = "FILE", help_heading = "Periods")]
    pub periods: Option<PathBuf>,
    /// Run all combinations of such lists as well, such as lookback=126,252,504; may be given several times
    #[arg(long, value_name = "KEY=V1,V2,..", value_parser = axis, help_heading = "Grid")]
    pub grid: Vec<Axis>,
    /// Run the strategies along P resampled paths of the history as well: how much of each figure is luck of the path
    #[arg(long, value_name = "P", value_parser = count, allow_negative_numbers = true, help_heading = "Paths")]
    pub paths: Option<u64>,
    #[command(flatten, next_help_heading = "Paths")]
    pub resample: ResampleArguments,
    /// Resample the window of each decision N times as well: bands of its weights, and how sure its trades are
    #[arg(short = 'B', long, value_name = "N", value_parser = count, allow_negative_numbers = true, help_heading = "Fan")]
    #[arg(conflicts_with = "paths")]
    pub resamples: Option<u64>,
    /// With -B: rows of a block [default: the smaller of 21 and a quarter of the window]
    #[arg(long, value_name = "ROWS", value_parser = fan_block, allow_negative_numbers = true, help_heading = "Fan")]
    #[arg(requires = "resamples")]
    pub fan_block: Option<f64>,
    /// With -B: risk budgeting, and its twin, trade only the assets that are held outside their 90 % bands
    #[arg(long, help_heading = "Fan", requires = "resamples", conflicts_with = "grid")]
    pub fan_band: bool,
    /// Leave out the paths at half and twice the block length
    #[arg(long, help_heading = "Paths", requires = "paths")]
    pub no_sensitivity: bool,
    #[command(flatten)]
    pub problem: ProblemArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    #[command(flatten)]
    pub machine: MachineArguments,
    #[command(flatten)]
    pub run: RunArguments,
    #[command(flatten)]
    pub out: OutputArguments,
}
