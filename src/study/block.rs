//! Which block length a bootstrap uses, and which others it is compared with.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::block_length::{self, BlockLength};
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::panel::Returns;
use crate::resample::{Law, Scheme};
use crate::stats;

/// How the block length is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Block {
    /// Median over assets of the optimal length for the squared returns: a covariance is a mean of products.
    Auto,
    /// Median over assets of the optimal length for the returns themselves.
    AutoReturns,
    Length(f64),
}

impl Block {
    /// From `auto`, `auto-returns` or a number of rows from 1 up.
    pub fn parse(text: &str) -> Option<Block> {
        match text {
            "auto" => Some(Block::Auto),
            "auto-returns" => Some(Block::AutoReturns),
            _ => text.parse().ok().filter(|length: &f64| *length >= 1.0 && length.is_finite()).map(Block::Length),
        }
    }
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Block::Auto => f.write_str("auto"),
            Block::AutoReturns => f.write_str("auto-returns"),
            Block::Length(length) => write!(f, "{length}"),
        }
    }
}

impl From<Block> for String {
    fn from(block: Block) -> String {
        block.to_string()
    }
}

impl TryFrom<String> for Block {
    type Error = Error;

    fn try_from(text: String) -> Result<Block> {
        Block::parse(&text).ok_or_else(|| Error::input(format!("`{text}` is no block length")))
    }
}

/// Where the block length comes from: the estimates behind the choice.
#[derive(Debug, Clone, Serialize)]
pub struct BlockEstimates {
    pub squared_returns: Spread,
    pub returns: Spread,
    /// Of the squared return of the full-sample portfolio; null where none exists.
    pub portfolio_squared: Option<f64>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

/// The rule of [`Block`]: the length used, and the estimates behind an automatic one. `point` is the portfolio whose
/// squared return is estimated beside the assets'.
pub fn block_length(
    returns: &Returns,
    point: Option<&[f64]>,
    scheme: Scheme,
    block: Block,
    observer: &mut dyn Observer,
) -> (f64, Option<BlockEstimates>) {
    let rows = returns.rows();
    if scheme == Scheme::Iid {
        return (1.0, None);
    }
    let fixed = matches!(scheme, Scheme::Circular | Scheme::Moving);
    if let Block::Length(length) = block {
        return (if fixed { length.round() } else { length }, None);
    }
    if rows < block_length::FEWEST_ROWS {
        observer.notice(
            &format!(
                "{rows} rows are too few to estimate a block length (at least {}): resampling single rows",
                block_length::FEWEST_ROWS
            )
            .into(),
        );
        return (1.0, None);
    }
    let pick = |b: BlockLength| if fixed { b.circular } else { b.stationary };
    let n = returns.assets.len();
    let estimate = |squared: bool| -> Vec<f64> {
        (0..n)
            .into_par_iter()
            .map(|i| {
                let column: Vec<f64> = returns.values.iter().skip(i).step_by(n).copied().collect();
                let mut series = scaled(&column);
                if squared {
                    series.iter_mut().for_each(|x| *x *= *x);
                }
                pick(block_length::optimal(&series))
            })
            .collect()
    };
    let (squared, plain) = (spread(estimate(true)), spread(estimate(false)));
    let portfolio = point.map(|weights| {
        let path: Vec<f64> =
            returns.values.chunks_exact(n).map(|row| row.iter().zip(weights).map(|(r, w)| r * w).sum()).collect();
        let squares: Vec<f64> = scaled(&path).iter().map(|r| r * r).collect();
        pick(block_length::optimal(&squares))
    });
    let chosen = if block == Block::AutoReturns { plain.median } else { squared.median };
    let estimates = BlockEstimates { squared_returns: squared, returns: plain, portfolio_squared: portfolio };
    if !chosen.is_finite() {
        observer.notice(&"the block length cannot be estimated from this history: resampling single rows".into());
        return (1.0, Some(estimates));
    }
    let length = if fixed { chosen.round() } else { chosen };
    (length.clamp(1.0, block_length::longest(rows).max(1.0)), Some(estimates))
}

/// Divides by the largest size: block lengths do not depend on units, and squares must not vanish.
fn scaled(series: &[f64]) -> Vec<f64> {
    let largest = series.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    series.iter().map(|x| x / largest).collect()
}

fn spread(mut values: Vec<f64>) -> Spread {
    // A series that cannot be estimated, such as a constant one, has no say.
    values.retain(|x| !x.is_nan());
    stats::sort(&mut values);
    let q = |q| stats::quantile(&values, q);
    Spread { min: q(0.0), median: q(0.5), max: q(1.0) }
}

/// Half, once and twice the block length, within what the history allows; fixed blocks rounded.
pub fn sensitivity_lengths(law: &Law, base: f64, scheme: Scheme) -> Vec<(f64, Law)> {
    if scheme == Scheme::Iid {
        return Vec::new();
    }
    let fixed = scheme != Scheme::Stationary;
    let mut lengths = Vec::new();
    for factor in [0.5, 1.0, 2.0] {
        let mut length = (base * factor).clamp(1.0, f64::from(law.rows));
        if fixed {
            length = length.round();
        }
        if let Ok(law) = Law::new(scheme, length, law.rows as usize, law.seed, law.cell)
            && lengths.iter().all(|(_, other)| *other != law)
        {
            lengths.push((length, law));
        }
    }
    lengths
}
