//! The flags that say how covariances are estimated.

use std::f64::consts::LN_2;

use clap::{Args, ValueEnum};

use crate::covariance::estimator::{Estimator, SHORTEST};
use crate::{Error, Result};

/// How covariances are estimated.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Estimation")]
pub struct EstimatorArguments {
    /// How the covariance is estimated from the returns
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Name::Sample)]
    pub estimator: Name,
    /// Rows after which a row weighs half as much, for --estimator ewma
    #[arg(long, value_name = "ROWS", value_parser = half_life, allow_negative_numbers = true)]
    pub half_life: Option<f64>,
    /// The same as the weight of a row beside the row after it: 0.94 is a half-life of 11.2 rows
    #[arg(long, value_name = "LAMBDA", value_parser = decay, allow_negative_numbers = true, conflicts_with = "half_life")]
    pub decay: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// The sample covariance, divisor T - 1
    Sample,
    /// Rows weigh half as much with every --half-life
    Ewma,
    /// Correlations shrunk to zero (Ledoit & Wolf 2004)
    LedoitWolf,
    /// Correlations shrunk to their mean (Ledoit & Wolf 2004), for one asset class
    ConstantCorrelation,
    /// Correlations shrunk to zero (Chen, Wiesel, Eldar & Hero 2010)
    Oas,
    /// Ledoit-Wolf in the units of the returns, as libraries have it: wrong where volatilities differ much
    LedoitWolfRaw,
    /// OAS in the units of the returns, as libraries have it
    OasRaw,
    /// How often assets move far together (Gerber et al. 2022)
    Gerber,
    /// Eigenvalues shrunk one by one (Ledoit & Wolf 2022)
    Nonlinear,
    /// Eigenvalues within the reach of noise made equal (Lopez de Prado 2020)
    Denoised,
}

/// Half-lives that others take without being asked, with their decays.
const USUAL: &str = "11.2 (a decay of 0.94, RiskMetrics for days), 22.8 (0.97, for months), 40 and 63 rows are usual";

impl Name {
    /// One that takes no parameter.
    pub fn plain(self) -> Option<Estimator> {
        self.estimator(None, "").ok()
    }

    /// With the half-life, which `flag` needs where it names weights that decay.
    fn estimator(self, half_life: Option<f64>, flag: &str) -> Result<Estimator> {
        Ok(match self {
            Name::Sample => Estimator::Sample,
            Name::Ewma => {
                let half_life = half_life.ok_or_else(|| {
                    Error::usage(format!("{flag} ewma needs to know how fast weights decay"))
                        .hint(format!("give --half-life ROWS: {USUAL}"))
                })?;
                if half_life < SHORTEST {
                    let what = format!("--decay is a half-life of {half_life:.2e} rows: one row would be all there is");
                    return Err(Error::usage(what).hint(format!("give a decay nearer to one: {USUAL}")));
                }
                Estimator::Ewma { half_life }
            }
            Name::LedoitWolf => Estimator::LedoitWolf,
            Name::ConstantCorrelation => Estimator::ConstantCorrelation,
            Name::Oas => Estimator::Oas,
            Name::LedoitWolfRaw => Estimator::LedoitWolfRaw,
            Name::OasRaw => Estimator::OasRaw,
            Name::Gerber => Estimator::Gerber,
            Name::Nonlinear => Estimator::Nonlinear,
            Name::Denoised => Estimator::Denoised,
        })
    }
}

impl EstimatorArguments {
    /// # Errors
    /// Flags that contradict each other.
    pub fn estimator(&self) -> Result<Estimator> {
        Ok(self.compared(&[])?.0)
    }

    /// The study's own estimator, and those that it is compared with.
    ///
    /// # Errors
    /// Flags that contradict each other.
    pub fn compared(&self, others: &[Name]) -> Result<(Estimator, Vec<Estimator>)> {
        let half_life = self.half_life.or(self.decay.map(|decay| -LN_2 / decay.ln()));
        if self.estimator != Name::Ewma && !others.contains(&Name::Ewma) && half_life.is_some() {
            let flag = if self.half_life.is_some() { "--half-life" } else { "--decay" };
            return Err(Error::usage(format!("{flag} is for weights that decay, and no such estimator was asked for"))
                .hint(format!("add --estimator ewma, or leave {flag} out")));
        }
        let mut compared: Vec<Estimator> = Vec::new();
        for other in others {
            let estimator = other.estimator(half_life, "--compare-estimators")?;
            if !compared.contains(&estimator) {
                compared.push(estimator);
            }
        }
        Ok((self.estimator.estimator(half_life, "--estimator")?, compared))
    }

    /// Whether another than the sample covariance was asked for.
    pub fn is_asked(&self) -> bool {
        self.estimator != Name::Sample
    }

    /// Of a covariance that was given: nothing is estimated.
    ///
    /// # Errors
    /// An estimator that was asked for all the same.
    pub fn none(&self) -> Result<()> {
        if self.estimator()? == Estimator::Sample {
            return Ok(());
        }
        let name = self.estimator.to_possible_value().map_or(String::new(), |value| value.get_name().to_string());
        Err(Error::usage(format!("--estimator {name} estimates a covariance from returns, and --covariance gives one"))
            .hint("give prices or returns in place of --covariance, or leave --estimator out"))
    }
}

fn half_life(text: &str) -> std::result::Result<f64, String> {
    let found = text.parse().ok().filter(|rows: &f64| *rows >= SHORTEST && rows.is_finite());
    found.ok_or_else(|| format!("not a number of rows from {SHORTEST} up, such as 63"))
}

fn decay(text: &str) -> std::result::Result<f64, String> {
    let found = text.parse().ok().filter(|decay: &f64| *decay > 0.0 && *decay < 1.0);
    found.ok_or_else(|| "not a number between 0 and 1, such as 0.94".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(estimator: Name, half_life: Option<f64>, decay: Option<f64>) -> EstimatorArguments {
        EstimatorArguments { estimator, half_life, decay }
    }

    #[test]
    fn a_decay_is_a_half_life() {
        for (decay, rows) in [(0.94, 11.2), (0.97, 22.8), (0.5, 1.0)] {
            let Estimator::Ewma { half_life } = arguments(Name::Ewma, None, Some(decay)).estimator().unwrap() else {
                unreachable!()
            };
            assert!((half_life - rows).abs() <= 0.05, "{half_life}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let refused = |arguments: EstimatorArguments| arguments.estimator().unwrap_err().hint.unwrap().to_string();
        assert!(refused(arguments(Name::Ewma, None, None)).contains("11.2 (a decay of 0.94"));
        assert!(refused(arguments(Name::Sample, Some(63.0), None)).contains("--estimator ewma"));
        assert!(refused(arguments(Name::Oas, None, Some(0.9))).contains("leave --decay out"));
        assert!(refused(arguments(Name::Ewma, None, Some(1e-9))).contains("nearer to one"));
        assert!(arguments(Name::Oas, None, None).none().is_err() && arguments(Name::Sample, None, None).none().is_ok());
    }
}
