//! Bounds of the assets of a universe, of which each set of assets takes those of its members.

use serde::{Deserialize, Serialize};

use super::Limits;
use super::feasibility::rounding;

/// Least and largest weight of each asset, from 0 to 1, the one not above the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    pub least: Vec<f64>,
    pub most: Vec<f64>,
}

impl Bounds {
    /// Number n of assets.
    pub fn assets(&self) -> usize {
        self.least.len()
    }

    /// Whether they are bounds at all: a record may hold anything.
    pub fn is_sound(&self) -> bool {
        let mut pairs = self.least.iter().zip(&self.most);
        self.least.len() == self.most.len() && pairs.all(|(least, most)| 0.0 <= *least && least <= most && *most <= 1.0)
    }

    /// Whether every portfolio is within them.
    pub fn is_none(&self) -> bool {
        self.least.iter().all(|least| *least <= 0.0) && self.most.iter().all(|most| *most >= 1.0)
    }

    /// Least and largest weight of one asset.
    #[inline]
    pub fn of(&self, asset: usize) -> [f64; 2] {
        [self.least[asset], self.most[asset]]
    }

    /// Those of the assets at these places, in their order.
    pub fn over(&self, assets: impl IntoIterator<Item = usize>) -> Bounds {
        let (least, most) = assets.into_iter().map(|asset| (self.least[asset], self.most[asset])).unzip();
        Bounds { least, most }
    }

    /// What the members of a set may weigh.
    pub fn of_set(&self, assets: &[u32]) -> Limits {
        let Bounds { least, most } = self.over(assets.iter().map(|&asset| asset as usize));
        Limits { least, most, ..Limits::none(0) }
    }

    /// Whether these assets together can hold the whole, each of them some of it: sum min <= 1 <= sum max, and what the least
    /// weights leave is something where an asset has none.
    #[inline]
    pub fn admit(&self, assets: &[u32]) -> bool {
        let (mut least, mut most, mut nothing, mut barred) = (0.0, 0.0, false, false);
        for &asset in assets {
            let [low, high] = self.of(asset as usize);
            (least, most) = (least + low, most + high);
            nothing |= low == 0.0;
            barred |= high == 0.0;
        }
        let rounding = rounding(assets.len());
        let room = if nothing { 1.0 - least > rounding } else { least <= 1.0 + rounding };
        room && most >= 1.0 - rounding && !barred
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_admitted_where_limits_of_its_bounds_have_no_conflict() {
        let grid = [0.0, 0.25, 0.5];
        let bounds = Bounds {
            least: [0.0, 0.1, 0.25, 0.5, 1.0 / 3.0, 0.0, 0.5, 1.0].to_vec(),
            most: [0.25, 0.1, 0.5, 0.5, 1.0 / 3.0, 1.0, 1.0, 1.0].to_vec(),
        };
        assert!(bounds.is_sound() && !bounds.is_none());
        let (mut admitted, n) = (0, bounds.assets() as u32);
        for a in 0..n {
            for b in a + 1..n {
                for c in b + 1..n {
                    let set = [a, b, c];
                    let conflict = bounds.of_set(&set).conflict();
                    assert_eq!(bounds.admit(&set), conflict.is_none(), "{set:?}: {conflict:?}");
                    admitted += usize::from(conflict.is_none());
                }
            }
        }
        assert!((10..50).contains(&admitted), "{admitted}");
        // What may have no weight is in no set.
        assert!(!Bounds { least: vec![0.0; 2], most: vec![0.0, 1.0] }.admit(&[0, 1]));
        assert!(!Bounds { least: grid.to_vec(), most: vec![0.4; 3] }.is_sound());
    }
}
