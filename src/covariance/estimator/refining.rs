//! From the sample covariance of a problem to what its estimator makes of it.

use std::sync::OnceLock;

use super::Estimator;
use super::fourth_moments::{FourthMoments, Room, RowTiles, Units};
use super::shrinkage::{Pairs, Shrinkage};
use crate::covariance::RiskModel;
use crate::panel::Panel;

/// What is known of a problem beside its sample covariance.
#[derive(Debug, Clone, Copy)]
pub struct Refining<'a> {
    pub estimator: Estimator,
    pub panel: &'a Panel,
    /// Rows T of the problem.
    pub rows: usize,
    /// The assets it is about, by their places in the panel; none where it is about all.
    pub places: Option<&'a [u32]>,
    /// Means of the drawn rows, of all assets of the panel, in standardised units.
    pub means: &'a [f64],
    /// Made when they are first needed.
    pub tiles: &'a OnceLock<RowTiles>,
}

impl Refining<'_> {
    /// Turns the sample covariance in standardised units into the estimate per period, and returns the shrinkage, where
    /// there is one. `weigh` says how often each row of the panel is drawn.
    pub fn refine(
        &self,
        model: &mut RiskModel,
        room: &mut Room,
        weigh: impl FnOnce(&mut [f64]),
    ) -> Option<Shrinkage<f64>> {
        let Refining { estimator, panel, rows, .. } = *self;
        let shrinkage = if estimator.shrinks() {
            let moments = match estimator.reads_rows() {
                true => self.fourth_moments(&model.volatilities, room, weigh),
                false => FourthMoments::default(),
            };
            shrink(estimator, rows, moments, model)
        } else {
            None
        };
        match self.places {
            None => model.volatilities.iter_mut().zip(panel.volatilities()).for_each(|(s, unit)| *s *= unit),
            Some(places) => {
                let units = places.iter().map(|&place| panel.volatilities()[place as usize]);
                model.volatilities.iter_mut().zip(units).for_each(|(s, unit)| *s *= unit);
            }
        }
        shrinkage
    }

    /// Over the drawn rows, of the assets of the problem, which have these volatilities.
    pub fn fourth_moments(
        &self,
        volatilities: &[f64],
        room: &mut Room,
        weigh: impl FnOnce(&mut [f64]),
    ) -> FourthMoments<f64> {
        room.units.clear();
        let mean = |at: usize| self.means[self.places.map_or(at, |places| places[at] as usize)];
        let units = volatilities.iter().enumerate().map(|(at, &volatility)| Units::of(mean(at), volatility, self.rows));
        room.units.extend(units);
        let tiles = self.tiles.get_or_init(|| RowTiles::new(self.panel));
        tiles.moments(self.places, self.rows as f64, self.estimator.reads_cubes(), room, weigh)
    }
}

/// Stage `shrink` of one problem: what an estimator makes of correlations over so many rows. None where it leaves them.
pub fn shrink(
    estimator: Estimator,
    rows: usize,
    moments: FourthMoments<f64>,
    RiskModel { correlation, volatilities }: &mut RiskModel,
) -> Option<Shrinkage<f64>> {
    let n = volatilities.len();
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
