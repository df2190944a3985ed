//! One figure of listed subsets, in batches: of a covariance, or of every resample of a history.

use std::ops::Range;

use rayon::prelude::*;

use super::figure::Figure;
use super::path::PathFigures;
use crate::batch::{Assets, Batch, Block, Covariances, Request, Source};
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::error::Result;
use crate::methods::Program;
use crate::methods::certificate::Status;
use crate::methods::limits::Bounds;
use crate::methods::risk_budgeting::Options;
use crate::run::{self, Added, Chunk, Context, Fold, Work};
use crate::store::Columns;

/// The path of returns of a problem's portfolio.
pub type Path<'a> = dyn Fn(u64, &[f64]) -> Vec<f64> + Sync + 'a;

/// What is asked of listed subsets.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub figure: Figure,
    pub periods_per_year: Option<f64>,
    /// Of the weights of all assets of the covariances.
    pub bounds: Option<&'a Bounds>,
    /// Of a figure of the path.
    pub path: &'a Path<'a>,
    /// Number of the batch among those of the study.
    pub number: u32,
}

/// The figure of each problem of `range`, every set of every covariance; NaN where there is no certified portfolio, or no
/// such figure. The CPU brings every solution to rounding, a device to its own precision.
///
/// # Errors
/// As [`run::run`].
pub fn values(
    covariances: Covariances,
    sets: &[Vec<u32>],
    asking: &Asking,
    range: Option<Range<u64>>,
    context: &mut Context,
) -> Result<Vec<f64>> {
    let Some(first) = sets.first() else { return Ok(Vec::new()) };
    let k = first.len();
    let source = Source { covariances, assets: Assets::listed(sets.iter().cloned())? };
    let batch = Batch::new(source, Program::new(&vec![1.0 / k as f64; k])?)?.within(asking.bounds.cloned())?;
    let (request, scale) = match asking.figure.metric(asking.periods_per_year) {
        Some((metric, scale)) => (Request::Metrics(vec![metric]), scale),
        None => (Request::PORTFOLIOS, 1.0),
    };
    let mut found = Values { asking, scale, assets: k, values: Vec::new() };
    let finishing = CpuEngine { options: Options { finish: true, ..Options::default() } };
    let on_device = context.engine.info().on_device() && batch.fits_devices();
    let engine: &dyn Engine = if on_device { context.engine } else { &finishing };
    let work = Work { batch: &batch, request: &request, number: asking.number, sample: &[] };
    let range = range.unwrap_or(0..batch.problems());
    let context = &mut Context { engine, store: &mut *context.store, observer: &mut *context.observer };
    run::run(work, range, context, &mut found)?;
    Ok(found.values)
}

struct Values<'a> {
    asking: &'a Asking<'a>,
    /// What turns a metric into the figure.
    scale: f64,
    assets: usize,
    values: Vec<f64>,
}

impl Fold for Values<'_> {
    fn columns(&self, chunk: Chunk) -> Columns {
        let Asking { figure, periods_per_year, path, .. } = *self.asking;
        let values: Vec<f64> = match &chunk.block {
            Block::Metrics(measured) => measured.columns[0].iter().map(|value| value * self.scale).collect(),
            Block::Portfolios(solutions) => solutions
                .weights
                .par_chunks(self.assets)
                .zip(&solutions.certificates)
                .enumerate()
                .map(|(at, (weights, certificate))| match certificate.status {
                    Status::Converged => {
                        let mut returns = path(chunk.range.start + at as u64, weights);
                        PathFigures::of(&mut returns, periods_per_year).get(figure)
                    }
                    _ => f64::NAN,
                })
                .collect(),
        };
        Columns::default().with("value", values)
    }

    fn add(&mut self, range: &Range<u64>, columns: &Columns) -> Result<Added> {
        let problems = (range.end - range.start) as usize;
        let Some(values) = columns.f64s("value").filter(|values| values.len() == problems) else {
            return Ok(Added::Foreign);
        };
        self.values.extend_from_slice(values);
        Ok(Added::Taken)
    }
}
