//! From the sample covariance of a problem to what its estimator makes of it.

use std::sync::OnceLock;

use super::fourth_moments::{self, FourthMoments, RowTiles, Units};
use super::gerber::{self, History, THRESHOLD};
use super::shrinkage::{Pairs, Shrinkage};
use super::{Estimator, Parameter, denoised, nonlinear, raw};
use crate::covariance::RiskModel;
use crate::panel::Panel;
use crate::sampling::{Rows, Weighting};

/// A panel as estimators read it, laid out when it is first needed.
#[derive(Debug, Default)]
pub struct Layouts {
    tiles: OnceLock<RowTiles>,
    history: OnceLock<History>,
}

/// Room to refine one covariance after the other in.
#[derive(Debug, Clone, Default)]
pub struct Room {
    pass: fourth_moments::Room,
    counting: gerber::Workspace,
    drawn: Vec<u32>,
    thresholds: Vec<f64>,
}

/// What became of a sample covariance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Refined {
    /// Of linear shrinkage.
    pub shrinkage: Option<Shrinkage<f64>>,
    /// [`Estimator::parameter`].
    pub parameter: Option<f64>,
}

impl Refined {
    fn told(parameter: f64) -> Refined {
        Refined { shrinkage: None, parameter: Some(parameter) }
    }
}

/// What is known of a problem beside its sample covariance.
#[derive(Debug, Clone, Copy)]
pub struct Refining<'a> {
    pub estimator: Estimator,
    pub panel: &'a Panel,
    /// The rows of the problem are a set of these.
    pub rows: &'a Rows,
    pub set: u64,
    /// The assets it is about, by their places in the panel; none where it is about all.
    pub places: Option<&'a [u32]>,
    /// Means of the drawn rows, of all assets of the panel, in standardised units.
    pub means: &'a [f64],
    pub layouts: &'a Layouts,
}

impl Refining<'_> {
    fn length(&self) -> usize {
        self.rows.length(self.set, self.panel.rows())
    }

    /// A column of the panel for each asset of the problem.
    fn place(&self, at: usize) -> usize {
        self.places.map_or(at, |places| places[at] as usize)
    }

    /// Turns the sample covariance in standardised units into the estimate per period.
    pub fn refine(&self, model: &mut RiskModel, room: &mut Room) -> Refined {
        let (estimator, rows) = (self.estimator, self.length());
        if estimator == Estimator::Gerber {
            self.count(model, room);
        }
        let moments = match estimator.reads_rows() {
            true => self.fourth_moments(&model.volatilities, room, |weights| {
                self.rows.weights(self.set, &Weighting::Equal, weights);
            }),
            false => FourthMoments::default(),
        };
        for (at, volatility) in model.volatilities.iter_mut().enumerate() {
            *volatility *= self.panel.volatilities()[self.place(at)];
        }
        let distinct = if estimator == Estimator::Nonlinear { self.distinct(rows) } else { rows };
        refine(estimator, (rows, distinct), moments, model)
    }

    /// How many of so many drawn rows are distinct.
    fn distinct(&self, rows: usize) -> usize {
        if matches!(self.rows, Rows::All | Rows::Spans(_)) {
            return rows;
        }
        let mut weights = vec![0.0; self.panel.rows()];
        self.rows.weights(self.set, &Weighting::Equal, &mut weights);
        weights.iter().filter(|weight| **weight > 0.0).count()
    }

    /// Over the drawn rows, of the assets of the problem, whose volatilities in standardised units these are. `weigh` says
    /// how often each row of the panel is drawn.
    pub fn fourth_moments(
        &self,
        volatilities: &[f64],
        room: &mut Room,
        weigh: impl FnOnce(&mut [f64]),
    ) -> FourthMoments<f64> {
        let (rows, pass) = (self.length(), &mut room.pass);
        pass.units.clear();
        if self.estimator.is_linear() {
            let units = |(at, &volatility)| Units::of(self.means[self.place(at)], volatility, rows);
            pass.units.extend(volatilities.iter().enumerate().map(units));
        } else {
            // In units of the largest volatility.
            let unit = |at: usize| self.panel.volatilities()[self.place(at)];
            let largest = volatilities.iter().enumerate().map(|(at, s)| s * unit(at)).fold(0.0, f64::max);
            let units = |at: usize| {
                let scale = unit(at) / largest;
                Units { scale, offset: self.means[self.place(at)] * scale }
            };
            pass.units.extend((0..volatilities.len()).map(units));
        }
        let tiles = self.layouts.tiles.get_or_init(|| RowTiles::new(self.panel));
        tiles.moments(self.places, rows as f64, self.estimator.reads_cubes(), pass, weigh)
    }

    /// The Gerber statistic of the drawn rows in place of their correlations.
    fn count(&self, RiskModel { correlation, volatilities }: &mut RiskModel, room: &mut Room) {
        let (panel, n) = (self.panel, self.panel.assets());
        let Room { counting, drawn, thresholds, .. } = room;
        let history = self.layouts.history.get_or_init(|| {
            let returns =
                panel.values().chunks_exact(n).flat_map(|row| row.iter().zip(panel.means()).map(|(z, m)| z + m));
            History::new(&returns.collect::<Vec<f64>>(), n)
        });
        let (length, rows) = (self.length() as f64, panel.rows() as u32);
        drawn.clear();
        self.rows.runs(self.set, panel.rows(), |start, length| {
            drawn.extend((start..start + length).map(|row| if row >= rows { row - rows } else { row }));
        });
        thresholds.clear();
        thresholds.extend(volatilities.iter().map(|s| THRESHOLD * s * ((length - 1.0) / length).sqrt()));
        history.correlation(drawn, thresholds, counting, correlation);
    }
}

/// Stage `shrink` of one problem: what an estimator makes of the covariance of so many rows, so many of them distinct, per
/// period, of which fourth moments are known where it reads the rows.
pub fn refine(
    estimator: Estimator,
    (rows, distinct): (usize, usize),
    moments: FourthMoments<f64>,
    model: &mut RiskModel,
) -> Refined {
    let RiskModel { correlation, volatilities } = model;
    if volatilities.len() < 2 && estimator.parameter() == Some(Parameter::Intensity) {
        // Of one asset nothing is shrunk.
        return Refined::told(0.0);
    }
    match estimator {
        Estimator::Sample | Estimator::Ewma { .. } | Estimator::Gerber => Refined::default(),
        Estimator::LedoitWolf | Estimator::ConstantCorrelation | Estimator::Oas => {
            let shrinkage = shrink(estimator, rows, moments, correlation, volatilities.len());
            Refined { shrinkage, parameter: Some(shrinkage.map_or(0.0, |shrinkage| shrinkage.intensity)) }
        }
        Estimator::LedoitWolfRaw => Refined::told(raw::ledoit_wolf_raw(correlation, volatilities, rows, moments.norms)),
        Estimator::OasRaw => Refined::told(raw::oas_raw(correlation, volatilities, rows)),
        Estimator::Nonlinear => {
            nonlinear::nonlinear(correlation, rows, distinct);
            Refined::default()
        }
        Estimator::Denoised => Refined::told(denoised::denoised(correlation, rows) as f64),
    }
}

/// Moves correlations towards their target; none of one asset.
fn shrink(
    estimator: Estimator,
    rows: usize,
    moments: FourthMoments<f64>,
    correlation: &mut [f64],
    n: usize,
) -> Option<Shrinkage<f64>> {
    let below = (0..n).flat_map(|i| &correlation[i * n..i * n + i]).map(std::array::from_ref);
    let [pairs] = Pairs::of::<1>(below);
    let shrinkage = Shrinkage::of(estimator, n, rows, pairs, moments)?;
    for i in 0..n {
        for j in 0..i {
            let c = shrinkage.apply(correlation[i * n + j]);
            correlation[i * n + j] = c;
            correlation[j * n + i] = c;
        }
    }
    Some(shrinkage)
}
