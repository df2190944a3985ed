//! Subsets solved by themselves, of which those are kept that keep all bounds.

use rayon::prelude::*;

use super::Question;
use super::figure::{Figure, Filter};
use super::finalist::{Finalist, Setting};
use crate::error::Result;
use crate::run::chunks::PIECE;
use crate::stop::Stop;

/// What is asked of subsets that are solved by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub question: &'a Question<'a>,
    pub filters: &'a [Filter],
    /// A figure that each must have, beside those of the bounds.
    pub figure: Option<Figure>,
    /// Whether figures of the path are wanted even where no bound and no figure asks for them.
    pub paths: bool,
}

/// The portfolios of those `sets`, given with their ranks, that keep all bounds on the whole history: in their order.
///
/// # Errors
/// Asked to stop.
pub fn passing(asked: &Asked, sets: &[(u64, Vec<u32>)], stop: &Stop) -> Result<Vec<Finalist>> {
    let Asked { question, filters, figure, paths } = *asked;
    let figures = || filters.iter().map(|filter| filter.figure).chain(figure);
    let setting = Setting {
        universe: question.universe,
        bounds: question.bounds,
        returns: question.simple.filter(|_| paths || figures().any(Figure::is_of_the_path)),
        periods_per_year: question.periods_per_year,
        bets: figures().any(Figure::is_of_bets),
    };
    let keeps = |found: &Finalist| {
        let holds = |filter: &Filter| filter.relation.holds(found.figures.get(filter.figure), filter.bound);
        filters.iter().all(holds) && figure.is_none_or(|figure| !found.figures.get(figure).is_nan())
    };
    let mut kept = Vec::new();
    for piece in sets.chunks(PIECE as usize) {
        stop.check()?;
        let solve = |(rank, assets): &(u64, Vec<u32>)| Finalist::of(&setting, *rank, assets.clone()).filter(keeps);
        kept.extend(piece.par_iter().filter_map(solve).collect::<Vec<Finalist>>());
    }
    Ok(kept)
}
