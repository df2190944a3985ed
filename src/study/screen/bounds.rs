//! Bounds of weights that no subset can be within are refused before any work; what some subsets are within is a screen, in
//! which the others are infeasible.

use crate::error::Result;
use crate::methods::limits::{Bounds, Side};
use crate::study::limits::of_subsets;
use crate::subsets::space::Space;

/// A sum of so many weights may be off by this.
const ROUNDING: f64 = 1e-12;

/// Refuses bounds whose largest weights sum to less than 1 over every subset, or whose least weights to more.
///
/// # Errors
/// Says what they sum to, and how far to go.
pub fn allows_some(bounds: &Bounds, space: &Space) -> Result<()> {
    let rounding = ROUNDING * space.size() as f64;
    let most = space.largest_sum(&bounds.most);
    if most < 1.0 - rounding {
        return Err(of_subsets(Side::Most, most, &bounds.most, space.size()));
    }
    let negative: Vec<f64> = bounds.least.iter().map(|least| -least).collect();
    let least = -space.largest_sum(&negative);
    if least > 1.0 + rounding {
        return Err(of_subsets(Side::Least, least, &bounds.least, space.size()));
    }
    Ok(())
}
