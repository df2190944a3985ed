//! The flags, as `design` calls them; the library's options mirror them.

use std::ops::Range;
use std::path::PathBuf;

use crate::batch::part::Part;
use crate::engine::{Choice, Precision};
use crate::measure::Metric;
use crate::resample::Scheme;
use crate::run::crosscheck::Sample;
use crate::study::block::Block;
use crate::study::screen::figure::{Figure, Filter};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

use super::backtest::BacktestArguments;
use super::estimator::{EstimatorArguments, Name as EstimatorName};
use super::help::Named;
use super::limits::{BoundArguments, LimitArguments, TermArguments};
use super::methods::{MethodArguments, Name as MethodName};
use super::risk::RiskArguments;
use super::values::{
    asset, block, correlation, count, delimiter, figure, filter, first_day, last_day, memory, metric, positive, range,
    sample, seed, shard, size, table_or_json, thousands, tolerance, windows,
};

/// How far can you trust a risk-parity portfolio?
///
/// Solves thousands to millions of risk-budgeting problems at once, on GPU and CPU, each with a certificate.
#[derive(Debug, Parser)]
#[command(name = "equirisk", version, max_term_width = 110)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Resample a history, solve every resample, report how far the weights can be trusted
    Bootstrap(BootstrapArguments),
    /// Solve every sub-portfolio of k assets, or a sample, and rank them
    #[command(after_long_help = FIGURES)]
    Screen(Box<ScreenArguments>),
    /// Run strategies through a history: decide, trade, hold; with costs, cash and leverage
    Backtest(Box<BacktestArguments>),
    /// One portfolio: weights and risk contributions, beside inverse volatility and equal weight
    Solve(SolveArguments),
    /// Explicit covariance matrices (B x n x n .npy) to weights (B x n .npy)
    #[command(after_help = ARRAY)]
    Batch(BatchArguments),
    /// Print the rows that resamples use, as CSV
    Rows(RowsArguments),
    /// Join the shards of a run: byte by byte what one machine would have made
    Merge(MergeArguments),
    /// Compare two bootstraps: data, configuration, weights and their bands
    Compare(CompareArguments),
    /// Check a finished run: every file against its digest, and a sample solved again on the CPU
    Verify(VerifyArguments),
    /// List adapters, features and limits, and run the start-up self-test on each
    Devices(DevicesArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
    /// Print the manual page of the program or of a command
    Man(ManArguments),
}

impl Command {
    /// Threads that are asked for.
    pub fn threads(&self) -> Option<u16> {
        match self {
            Command::Bootstrap(arguments) => arguments.machine.threads,
            Command::Screen(arguments) => arguments.machine.threads,
            Command::Solve(arguments) => arguments.machine.threads,
            Command::Backtest(arguments) => arguments.machine.threads,
            Command::Batch(arguments) => arguments.machine.threads,
            Command::Merge(arguments) => arguments.threads,
            Command::Verify(arguments) => arguments.threads,
            Command::Rows(_)
            | Command::Compare(_)
            | Command::Devices(_)
            | Command::Completions(_)
            | Command::Man(_) => None,
        }
    }
}

/// Where the weights of a batch go.
const ARRAY: &str = "\
With -o FILE.npy (default: weights.npy) the weights alone are written, B x n in
f64. With -o DIR a run is kept that can be resumed, cut into parts and verified:
weights.npy, and weights.parquet with a certificate for each row.";

/// What a screen can rank by and filter on.
const FIGURES: &str = "\
Figures, for --by and --where, of each subset's risk-parity portfolio:

  volatility         sd of its return per period; the smallest is the best
  volatility-annual  the same, times the root of the periods per year
  diversification    sum of w_i sigma_i over the volatility; the largest is best
  effective-bets     exp of the entropy of the variance along the principal
                     components of the subset's correlation (Meucci 2009); the
                     largest is the best
  max-weight         largest weight; the smallest is the best
  mean-correlation   mean over the pairs; the smallest is the best

Of the path of simple returns, the weights held constant and rebalanced every
period, without costs (needs a history):

  sharpe             mean over sd (divisor T - 1), times the root of the periods
                     per year
  sortino            mean over the root of sum min(r, 0)^2 / T,
                     annualised likewise
  max-drawdown       largest loss from a peak of compounded wealth; the smallest
                     is the best
  cvar95             minus the mean of the worst 5 % of returns, per period; the
                     smallest is the best
  calmar             compound growth per year over the maximal drawdown

Every subset is ranked by a figure of the covariance. Where --by is one of the
path, --shortlist-by makes a shortlist, and the path figures are computed for it
alone: for all subsets, where --shortlist is as long. A bound (--where) on the
path is tried on the best by --by, at most --shortlist of them. Bounds hold for
the sample of subsets that is compared in the halves of the history, too.";

/// Where the history comes from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArguments {
    /// Price histories, one column per asset, dates first (CSV, Parquet, Arrow, NPY, NPZ; may be gzipped), joined by
    /// date; `-` reads standard input. Omitted: the embedded sample, ten indices 1998-2014
    #[arg(value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// DATA holds returns, not prices
    #[arg(long)]
    pub returns: bool,
    /// Take logarithmic returns of the prices (with --returns: the file's returns are logarithmic)
    #[arg(long)]
    pub log_returns: bool,
    /// Only these assets, in this order
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', value_parser = asset)]
    pub assets: Option<Vec<String>>,
    /// Without these assets, or columns of the file
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', value_parser = asset)]
    pub exclude: Vec<String>,
    /// Only rows dated on or after this day, or the first of this month or year: 2020-02-03, 2020-02, 2020
    #[arg(long, value_name = "DATE", value_parser = first_day)]
    pub from: Option<Date>,
    /// Only rows dated on or before this day, or the last of this month or year
    #[arg(long, value_name = "DATE", value_parser = last_day)]
    pub to: Option<Date>,
    /// Only the last N returns
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub last: Option<usize>,
    /// DATA has one row per date and asset (default: detected)
    #[arg(long)]
    pub long: bool,
    /// What separates cells: a character, `tab` or `space` (default: detected)
    #[arg(long, value_name = "C", value_parser = delimiter, allow_hyphen_values = true)]
    pub delimiter: Option<u8>,
    /// Numbers are written 1.234,5; with =false, 1,234.5 (default: detected)
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub decimal_comma: Option<bool>,
    /// What separates thousands, and nothing else does: , . ' or space (default: detected)
    #[arg(long, value_name = "MARK", value_parser = thousands, allow_hyphen_values = true)]
    pub thousands: Option<char>,
    /// Prices are whole numbers and 32nds, as bonds are quoted: 118-16 and 118'160 are 118.5
    #[arg(long, conflicts_with = "thousands")]
    pub thirty_seconds: bool,
    /// Further words and numbers that stand for a missing cell, such as ND or -99
    #[arg(long = "na", value_name = "VALUE,..", value_delimiter = ',', value_parser = asset, allow_hyphen_values = true)]
    pub missing_values: Vec<String>,
    /// Returns are in percent: 1.5 is 0.015; with =false, they are taken as they are (default: told from their size)
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub percent: Option<bool>,
    /// Which table is read where the file holds several, from 1
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub table: Option<usize>,
    /// How dates are written, as in %d/%m/%Y or dd/mm/yyyy; `none` takes rows in the file's order (default: detected)
    #[arg(long, value_name = "FORMAT")]
    pub date_format: Option<String>,
    /// What becomes of rows in which a cell is missing
    #[arg(long, value_enum, default_value_t = MissingRule::CompleteRows)]
    pub missing: MissingRule,
    /// Periods per year, to annualise volatilities (default: from the dates)
    #[arg(long, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    pub periods_per_year: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MissingRule {
    /// Keep the rows in which every asset has a cell
    CompleteRows,
    /// Keep the assets that have a cell in every row
    ExcludeAssets,
    /// Refuse the data
    Error,
}

/// What is solved, and how well.
#[derive(Debug, Args)]
#[command(next_help_heading = "Problem")]
pub struct ProblemArguments {
    /// Risk budgets: `A=0.3,B=70%`, or a CSV file `asset,budget` (default: equal)
    #[arg(long, value_name = "FILE|A=0.3,B=0.7")]
    pub budgets: Option<String>,
    /// Largest relative error of a risk contribution that counts as solved [default: 1e-8; on the GPU in f32 1e-5]
    #[arg(long, value_name = "X", value_parser = tolerance, allow_negative_numbers = true)]
    pub tolerance: Option<f64>,
}

/// What the user holds.
#[derive(Debug, Args)]
#[command(next_help_heading = "Your portfolio")]
pub struct HeldArguments {
    /// Weights you hold, to compare: `A=0.3,B=70%` or a CSV file `asset,weight`; what is not named is not held
    #[arg(long, value_name = "FILE|A=0.3,B=0.7")]
    pub weights: Option<String>,
}

/// On what it is solved.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Machine")]
pub struct MachineArguments {
    /// `auto` takes the GPU only when it pays
    #[arg(long, value_enum, default_value_t = EngineChoice::Auto)]
    pub engine: EngineChoice,
    /// The GPU to use: a name, an index or a PCI bus id of `equirisk devices` (default: what the environment variable
    /// EQUIRISK_DEVICE names, else the fastest kind that CUDA_VISIBLE_DEVICES leaves)
    #[arg(long, value_name = "NAME|INDEX|PCI")]
    pub device: Option<String>,
    /// Precision on the GPU; f64 takes longer, and an adapter that has it. The CPU always computes in f64 [default: f32]
    #[arg(long, value_enum, hide_possible_values = true, value_name = "f32|f64")]
    pub precision: Option<PrecisionChoice>,
    /// Threads of the CPU engine (default: all cores)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub threads: Option<u16>,
    /// Memory to stay within, such as 8GiB
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    pub memory: Option<u64>,
    /// Problems of a GPU run that are solved again on the CPU (default: the larger of 64 and B/1000)
    #[arg(long, value_name = "N|all", value_parser = sample)]
    pub crosscheck: Option<Sample>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    Auto,
    Gpu,
    Cpu,
}

impl EngineChoice {
    pub fn choice(self) -> Choice {
        match self {
            EngineChoice::Auto => Choice::Auto,
            EngineChoice::Gpu => Choice::Gpu,
            EngineChoice::Cpu => Choice::Cpu,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrecisionChoice {
    F32,
    F64,
}

impl PrecisionChoice {
    pub fn precision(self) -> Precision {
        match self {
            PrecisionChoice::F32 => Precision::Single,
            PrecisionChoice::F64 => Precision::Double,
        }
    }
}

/// How resamples are drawn.
#[derive(Debug, Args)]
#[command(next_help_heading = "Resampling")]
pub struct ResampleArguments {
    /// How rows are drawn
    #[arg(long, value_enum, default_value_t = SchemeChoice::Stationary)]
    pub scheme: SchemeChoice,
    /// Block length: `auto` (from squared returns), `auto-returns`, or a number of rows
    #[arg(long, value_name = "auto|auto-returns|L", default_value = "auto", value_parser = block, allow_negative_numbers = true)]
    pub block: Block,
    /// Seed of the draws (default: random, and printed)
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemeChoice {
    /// Blocks of random length, mean L, wrapping at the end (Politis & Romano 1994)
    Stationary,
    /// Blocks of length L, wrapping at the end
    Circular,
    /// Blocks of length L that do not wrap
    Moving,
    /// Single rows
    Iid,
}

impl SchemeChoice {
    pub fn scheme(self) -> Scheme {
        match self {
            SchemeChoice::Stationary => Scheme::Stationary,
            SchemeChoice::Circular => Scheme::Circular,
            SchemeChoice::Moving => Scheme::Moving,
            SchemeChoice::Iid => Scheme::Iid,
        }
    }
}

/// What is printed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArguments {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// No notices and no progress on standard error
    #[arg(long, short)]
    pub quiet: bool,
}

/// Where the results of a study go, and how it is run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub struct RunArguments {
    /// Write the results to this directory. A run that was interrupted goes on where it was; a finished one is shown
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Solve the I-th of N equal parts, 0 <= I < N: `equirisk merge` joins them
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "output")]
    pub shard: Option<Part>,
    /// Solve the problems lo..hi, hi excluded: `equirisk merge` joins parts that cover a run
    #[arg(long, value_name = "lo..hi", value_parser = range, requires = "output", conflicts_with = "shard")]
    pub problems: Option<Range<u64>>,
    /// Go on with what another engine, adapter, driver or version has begun
    #[arg(long)]
    pub allow_mixed: bool,
    /// Replace an existing result
    #[arg(long)]
    pub force: bool,
    /// Exit with code 3 when some problem stays unsolved
    #[arg(long)]
    pub strict: bool,
    /// Only say what the run would take: problems, memory, time
    #[arg(long)]
    pub dry_run: bool,
}

impl RunArguments {
    /// The part that is asked for; none for the whole.
    pub fn part(&self) -> Option<Part> {
        let problems = self.problems.as_ref().map(|range| Part::Problems { from: range.start, to: range.end });
        self.shard.or(problems)
    }
}

#[derive(Debug, Args)]
pub struct BootstrapArguments {
    #[command(flatten)]
    pub data: DataArguments,
    #[command(flatten)]
    pub estimation: EstimatorArguments,
    /// Number of resamples
    #[arg(short = 'B', long, value_name = "N", default_value = "10000", value_parser = count)]
    #[arg(allow_negative_numbers = true, help_heading = "Resampling")]
    pub resamples: u64,
    #[command(flatten)]
    pub resample: ResampleArguments,
    /// Leave out the runs at half and twice the block length
    #[arg(long, help_heading = "Resampling")]
    pub no_sensitivity: bool,
    /// Repeat the study under these estimators, on a tenth of the resamples
    #[arg(long, value_name = "A,B,..", value_enum, value_delimiter = ',', help_heading = "Estimation")]
    pub compare_estimators: Vec<EstimatorName>,
    /// Cut the history into N windows and compare their portfolios
    #[arg(long, value_name = "N", default_value_t = crate::study::change::WINDOWS, value_parser = windows)]
    #[arg(allow_negative_numbers = true, help_heading = "Change")]
    pub windows: usize,
    #[command(flatten)]
    pub problem: ProblemArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    #[command(flatten)]
    pub terms: TermArguments,
    #[command(flatten)]
    pub risk: RiskArguments,
    #[command(flatten)]
    pub methods: MethodArguments,
    #[command(flatten)]
    pub held: HeldArguments,
    #[command(flatten)]
    pub machine: MachineArguments,
    #[command(flatten)]
    pub run: RunArguments,
    #[command(flatten)]
    pub out: OutputArguments,
}

#[derive(Debug, Args)]
pub struct ScreenArguments {
    #[command(flatten)]
    pub data: DataArguments,
    #[command(flatten)]
    pub estimation: EstimatorArguments,
    /// DATA is a covariance matrix with the names of its assets (CSV, Parquet, Arrow, NPZ; NPY: assets 0, 1, 2, ..)
    #[arg(long, help_heading = "Data", conflicts_with_all = ["returns", "log_returns", "from", "to", "last"])]
    pub covariance: bool,
    /// Do not search a given covariance for negative variances
    #[arg(long, help_heading = "Data")]
    pub assume_psd: bool,
    /// Assets of each subset
    #[arg(short = 'k', long, value_name = "K", value_parser = size, allow_negative_numbers = true, help_heading = "Subsets")]
    pub size: usize,
    /// Screen M subsets, drawn without replacement, in place of all
    #[arg(long, value_name = "M", value_parser = count, allow_negative_numbers = true, help_heading = "Subsets")]
    pub sample: Option<u64>,
    /// Assets that every subset holds
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', value_parser = asset, help_heading = "Subsets")]
    pub include: Vec<String>,
    /// Groups of assets: a CSV file `asset,group`
    #[arg(long, value_name = "FILE", help_heading = "Subsets")]
    pub groups: Option<PathBuf>,
    /// At least so many of a group
    #[arg(long, value_name = "G=1,H=2", requires = "groups", help_heading = "Subsets")]
    pub group_min: Option<String>,
    /// At most so many of a group
    #[arg(long, value_name = "G=1,H=2", requires = "groups", help_heading = "Subsets")]
    pub group_max: Option<String>,
    /// No two assets with a correlation above X
    #[arg(long, value_name = "X", value_parser = correlation, allow_negative_numbers = true, help_heading = "Subsets")]
    pub max_correlation: Option<f64>,
    /// What subsets are ranked by: `--help` lists the figures
    #[arg(long, value_name = "FIGURE", default_value = "diversification", value_parser = Named { parse: figure, names: Figure::ALL.map(Figure::name).to_vec() }, hide_possible_values = true, help_heading = "Ranking")]
    pub by: Figure,
    /// Length of the list
    #[arg(long, value_name = "K", default_value = "50", value_parser = size, allow_negative_numbers = true)]
    #[arg(help_heading = "Ranking")]
    pub top: usize,
    /// Only subsets that keep a bound, such as "volatility-annual<0.10"; may be repeated
    #[arg(long = "where", value_name = "FIGURE<X", value_parser = filter, help_heading = "Ranking")]
    pub filters: Vec<Filter>,
    /// With --by or --where a figure of the path: how many subsets it is computed for
    #[arg(long, value_name = "N", default_value = "100000", value_parser = size, allow_negative_numbers = true)]
    #[arg(help_heading = "Ranking")]
    pub shortlist: usize,
    /// The metric that makes this shortlist
    #[arg(long, value_name = "METRIC", default_value = "diversification", value_parser = Named { parse: metric, names: Metric::ALL.map(Metric::name).to_vec() }, hide_possible_values = true, help_heading = "Ranking")]
    pub shortlist_by: Metric,
    #[command(flatten)]
    pub bounds: BoundArguments,
    /// Compare the two halves of the history (the default where there is one)
    #[arg(long, conflicts_with = "no_halves", help_heading = "Ranking")]
    pub halves: bool,
    /// Do not compare them
    #[arg(long, help_heading = "Ranking")]
    pub no_halves: bool,
    /// Solve the best N subsets on resamples of the history: would they win again, and be chosen again from all?
    #[arg(long, value_name = "N", value_parser = size, allow_negative_numbers = true, help_heading = "Resampling")]
    pub bootstrap_top: Option<usize>,
    /// Number of resamples for --bootstrap-top
    #[arg(short = 'B', long, value_name = "N", default_value = "1000", value_parser = count)]
    #[arg(allow_negative_numbers = true, help_heading = "Resampling")]
    pub resamples: u64,
    #[command(flatten)]
    pub resample: ResampleArguments,
    /// Largest relative error of a risk contribution that counts as solved [default: 1e-8]
    #[arg(long, value_name = "X", value_parser = tolerance, allow_negative_numbers = true, help_heading = "Problem")]
    pub tolerance: Option<f64>,
    #[command(flatten)]
    pub machine: MachineArguments,
    /// Write the metrics of every subset to this Parquet file
    #[arg(long, value_name = "FILE", help_heading = "Run", conflicts_with_all = ["shard", "problems"])]
    pub all: Option<PathBuf>,
    #[command(flatten)]
    pub run: RunArguments,
    #[command(flatten)]
    pub out: OutputArguments,
}

#[derive(Debug, Args)]
pub struct SolveArguments {
    #[command(flatten)]
    pub data: DataArguments,
    #[command(flatten)]
    pub estimation: EstimatorArguments,
    /// DATA is a covariance matrix with the names of its assets (CSV, Parquet, Arrow, NPZ; NPY: assets 0, 1, 2, ..)
    #[arg(long, help_heading = "Data", conflicts_with_all = ["returns", "log_returns", "from", "to", "last"])]
    pub covariance: bool,
    /// Do not search a given covariance for negative variances
    #[arg(long, help_heading = "Problem")]
    pub assume_psd: bool,
    #[command(flatten)]
    pub problem: ProblemArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    #[command(flatten)]
    pub terms: TermArguments,
    #[command(flatten)]
    pub risk: RiskArguments,
    #[command(flatten)]
    pub methods: MethodArguments,
    #[command(flatten)]
    pub held: HeldArguments,
    #[command(flatten)]
    pub machine: MachineArguments,
    /// Only say what the columns of DATA are taken for, and what would be solved
    #[arg(long, help_heading = "Output", conflicts_with = "covariance")]
    pub dry_run: bool,
    /// Write the portfolio to this file as well: a table (.csv) or all that --json prints (.json)
    #[arg(short, long, value_name = "FILE", value_parser = table_or_json, help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, help_heading = "Output", requires = "output")]
    pub force: bool,
    #[command(flatten)]
    pub out: OutputArguments,
}

#[derive(Debug, Args)]
pub struct BatchArguments {
    /// Covariance matrices, B x n x n or n x n (.npy, f32 or f64); `--budgets` calls the assets 0, 1, 2, ..
    #[arg(value_name = "COVARIANCES.npy")]
    pub covariances: PathBuf,
    /// Do not search the matrices for negative variances
    #[arg(long, help_heading = "Problem")]
    pub assume_psd: bool,
    #[command(flatten)]
    pub problem: ProblemArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    #[command(flatten)]
    pub terms: TermArguments,
    /// Methods to solve for beside risk budgeting; each writes FILE.METHOD.npy beside FILE.npy
    #[arg(long, value_name = "A,B,..", value_enum, value_delimiter = ',', help_heading = "Methods")]
    pub methods: Option<Vec<MethodName>>,
    #[command(flatten)]
    pub machine: MachineArguments,
    #[command(flatten)]
    pub run: RunArguments,
    #[command(flatten)]
    pub out: OutputArguments,
}

#[derive(Debug, Args)]
pub struct RowsArguments {
    #[command(flatten)]
    pub data: DataArguments,
    /// Rows of the history, in place of DATA
    #[arg(long, value_name = "T")]
    #[arg(conflicts_with_all = ["data", "assets", "from", "to", "last", "returns", "log_returns"])]
    pub rows: Option<u32>,
    /// Resamples lo..hi, hi excluded
    #[arg(long, value_name = "lo..hi", value_parser = range)]
    pub resample: Range<u64>,
    #[command(flatten)]
    pub law: ResampleArguments,
    /// No notices on standard error
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct MergeArguments {
    /// Directories of all shards of one run, in any order
    #[arg(value_name = "RUN_DIR", required = true)]
    pub shards: Vec<PathBuf>,
    /// Write the results to this directory
    #[arg(short, long, value_name = "DIR", help_heading = "Run")]
    pub output: PathBuf,
    /// Join what different engines, adapters, drivers or versions have made
    #[arg(long, help_heading = "Run")]
    pub allow_mixed: bool,
    /// Replace an existing result
    #[arg(long, help_heading = "Run")]
    pub force: bool,
    /// Exit with code 3 when some problem stayed unsolved
    #[arg(long, help_heading = "Run")]
    pub strict: bool,
    /// Threads of the CPU (default: all cores)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096), help_heading = "Machine")]
    pub threads: Option<u16>,
    /// Memory to stay within, such as 8GiB
    #[arg(long, value_name = "SIZE", value_parser = memory, help_heading = "Machine")]
    pub memory: Option<u64>,
    #[command(flatten)]
    pub out: OutputArguments,
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Directory of a finished run
    #[arg(value_name = "RUN_DIR")]
    pub directory: PathBuf,
    /// Problems solved again (default: the larger of 64 and B/1000)
    #[arg(long, value_name = "N|all", value_parser = sample)]
    pub crosscheck: Option<Sample>,
    /// Threads of the CPU (default: all cores)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub threads: Option<u16>,
    #[command(flatten)]
    pub out: OutputArguments,
}

#[derive(Debug, Args)]
pub struct CompareArguments {
    /// Directory of a finished bootstrap
    #[arg(value_name = "RUN_DIR")]
    pub first: PathBuf,
    /// Directory of another
    #[arg(value_name = "RUN_DIR")]
    pub second: PathBuf,
    #[command(flatten)]
    pub out: OutputArguments,
}

#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell that reads it
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct ManArguments {
    /// The command whose page is printed (default: that of the program)
    pub command: Option<String>,
    /// Write all pages to this folder, as files for `man`
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DevicesArguments {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
