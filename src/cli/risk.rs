//! The flags that say what risk is.

use clap::{Args, ValueEnum};

use super::args::{EngineChoice, MachineArguments};
use super::estimator::EstimatorArguments;
use crate::methods::RiskMeasure;
use crate::{Error, Result};

/// What is budgeted.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Problem")]
pub struct RiskArguments {
    /// What risk is
    #[arg(long, value_name = "MEASURE", value_enum, default_value_t = Name::Volatility)]
    pub risk: Name,
    /// For --risk expected-shortfall, the share of the outcomes that are better [default: 0.95]
    #[arg(long, value_name = "X", value_parser = level, allow_negative_numbers = true)]
    pub level: Option<f64>,
    /// For --risk expected-shortfall, losses from zero in place of the mean: what has a gain on average may have no risk
    #[arg(long)]
    pub raw_losses: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// The standard deviation
    Volatility,
    /// The root mean square of what falls short of the mean
    SemiDeviation,
    /// The mean of the worst losses, about the mean
    ExpectedShortfall,
}

impl RiskArguments {
    /// # Errors
    /// Flags that contradict each other, the estimation, or the machine: other risks take the returns themselves, and are
    /// for the CPU.
    pub fn measure(&self, estimation: &EstimatorArguments, machine: &MachineArguments) -> Result<RiskMeasure> {
        let alone = [("--level", self.level.is_some()), ("--raw-losses", self.raw_losses)];
        if let Some((flag, _)) = alone.into_iter().find(|(_, given)| *given && self.risk != Name::ExpectedShortfall) {
            return Err(Error::usage(format!("{flag} is for expected shortfall, and another risk is budgeted"))
                .hint(format!("add --risk expected-shortfall, or leave {flag} out")));
        }
        let measure = match self.risk {
            Name::Volatility => return Ok(RiskMeasure::Volatility),
            Name::SemiDeviation => RiskMeasure::SemiDeviation,
            Name::ExpectedShortfall => RiskMeasure::ExpectedShortfall {
                level: self.level.unwrap_or(RiskMeasure::LEVEL),
                centred: !self.raw_losses,
            },
        };
        if estimation.is_asked() {
            return Err(Error::usage(format!(
                "--estimator is for volatility: {} takes the returns themselves",
                self.name()
            ))
            .hint("leave --estimator or --risk out"));
        }
        if machine.engine == EngineChoice::Gpu || machine.device.is_some() {
            return Err(Error::usage(format!("--risk {} is solved on the CPU, and a GPU was asked for", self.name()))
                .hint("leave --engine gpu and --device out"));
        }
        Ok(measure)
    }

    /// Of a covariance that was given: it knows volatility alone.
    ///
    /// # Errors
    /// Another risk was asked for.
    pub fn none(&self) -> Result<()> {
        match self.risk {
            Name::Volatility => Ok(()),
            _ => Err(Error::usage(format!("--risk {} takes returns, and --covariance gives none", self.name()))
                .hint("give prices or returns in place of --covariance, or leave --risk out")),
        }
    }

    fn name(&self) -> String {
        self.risk.to_possible_value().map_or(String::new(), |value| value.get_name().to_string())
    }
}

fn level(text: &str) -> std::result::Result<f64, String> {
    let found = text.parse().ok().filter(|level: &f64| *level > 0.0 && *level < 1.0);
    found.ok_or_else(|| "not a number between 0 and 1, such as 0.95".to_string())
}
