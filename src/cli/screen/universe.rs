//! What is screened: the history or the covariance, checked once for all subsets.

use equirisk::covariance::{RiskModel, full_sample};
use equirisk::io::Detected;
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::report::screen::Job;
use equirisk::solver::validity;
use equirisk::study::screen::Question;
use equirisk::study::solve::rejected;
use equirisk::subsets::Subsets;
use equirisk::{Error, Result};

use crate::cli::args::ScreenArguments;
use crate::cli::data::{self, Inputs};

/// The assets and how they move.
pub struct Screenable {
    pub assets: Vec<String>,
    pub universe: RiskModel,
    /// What the covariance is of; none where there is a covariance alone.
    pub returns: Option<Returns>,
    /// The same as simple returns, where they are logarithmic.
    pub simple: Option<Returns>,
}

/// What a file held: returns, or a covariance whose rows are labelled with its assets.
pub struct Read {
    pub data: Returns,
    pub periods_per_year: Option<f64>,
    /// Where it came from, and how it was read.
    pub input: Inputs,
    pub detected: Vec<Detected>,
}

pub fn read(arguments: &ScreenArguments) -> Result<Read> {
    let quiet = arguments.out.quiet;
    let input = data::input(&arguments.data, quiet || arguments.covariance);
    if !arguments.covariance {
        let (data, detected) = data::returns(&arguments.data, &input, arguments.machine.memory, quiet)?;
        let periods_per_year = data::periods_per_year(&arguments.data, &data, quiet);
        return Ok(Read { data, periods_per_year, input, detected });
    }
    if arguments.data.data.is_empty() {
        return Err(Error::usage("--covariance needs DATA: the embedded sample holds prices")
            .hint("name a file that holds the matrix and the names of its assets"));
    }
    let covariance = data::covariance(&arguments.data, &input, arguments.machine.memory, quiet)?;
    let labels = Labels::Text(covariance.assets.clone());
    let data = Returns { assets: covariance.assets, labels, values: covariance.values };
    Ok(Read { data, periods_per_year: arguments.data.periods_per_year, input, detected: Vec::new() })
}

impl Screenable {
    /// # Errors
    /// A history without a covariance, or a matrix that is none.
    pub fn of(data: Returns, job: &Job) -> Result<Screenable> {
        let (assets, n) = (data.assets.clone(), data.assets.len());
        if job.covariance {
            if data.values.len() != n * n {
                return Err(Error::input(format!("{} numbers are no covariance of {n} assets", data.values.len())));
            }
            let names: Vec<&str> = assets.iter().map(String::as_str).collect();
            let universe = validity::model(&data.values, job.assume_psd).map_err(|flaw| rejected(flaw, &names))?;
            return Ok(Screenable { assets, universe, returns: None, simple: None });
        }
        let universe = full_sample(&Panel::new(&data)?);
        // A portfolio's return is the mean of simple ones.
        let simple = job
            .log_returns
            .then(|| Returns { values: data.values.iter().map(|r| r.exp_m1()).collect(), ..data.clone() });
        Ok(Screenable { assets, universe, returns: Some(data), simple })
    }

    pub fn question<'a>(&'a self, job: &Job, subsets: &'a Subsets) -> Question<'a> {
        Question {
            assets: &self.assets,
            universe: &self.universe,
            returns: self.returns.as_ref(),
            simple: self.simple.as_ref().or(self.returns.as_ref()),
            subsets,
            max_correlation: job.max_correlation,
            periods_per_year: job.periods_per_year,
        }
    }
}
