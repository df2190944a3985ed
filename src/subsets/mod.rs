//! Subsets of k of n assets by number, so that a screen is a batch: problem `p` is a pure function of `p`.
//!
//! The subsets that meet the constraints are numbered without gaps ([`space`]), in revolving-door order
//! ([`revolving`]): neighbours differ by one swap, and the next one costs O(k). A screen takes all of them, or a sample
//! without replacement ([`Draw`]). Numbers are integers below 2^64 ([`binomial`]), equal on every device. Law `rd-1`.

pub mod binomial;
pub mod cap;
pub mod floyd;
pub mod revolving;
pub mod space;

use crate::error::{Error, Result, option};
use crate::feistel;
use space::{Cursor, Space};

/// The law by which a number becomes a subset, as recorded with a run.
pub const LAW: &str = "rd-1";

/// Largest space that the Feistel permutation samples.
const MOST_PERMUTED: u64 = 1 << 62;

/// Which subsets of a space are problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// Problem `p` is the subset of rank `p`.
    All,
    /// Problem `p` has the rank that the seed's permutation gives `p`: no rank occurs twice.
    Permuted { seed: u64 },
    /// Problem `p` is the `p`-th draw of Floyd's algorithm, for spaces too large to rank. A subset may occur twice, with
    /// a chance of about p^2 / 2 over the size of the space.
    Floyd { seed: u64 },
}

/// The problems of a screen: subsets of one size by number.
#[derive(Debug, Clone, PartialEq)]
pub struct Subsets {
    space: Space,
    draw: Draw,
}

impl Subsets {
    /// Every subset of the space.
    ///
    /// # Errors
    /// A space of 2^64 subsets or more.
    pub fn all(space: Space) -> Result<Subsets> {
        if space.count().is_none() {
            return Err(Error::usage(format!(
                "{:.2e} subsets are too many to number (2^64 is {:.2e})",
                space.approximate_count(),
                2.0_f64.powi(64)
            ))
            .hint(format!(
                "draw some of them with {}, or choose a smaller {} or fewer assets",
                option("sample").plain("M"),
                option("size")
            )));
        }
        Ok(Subsets { space, draw: Draw::All })
    }

    /// `sample` subsets without replacement, or every subset where there are no more than that.
    ///
    /// # Errors
    /// A space that can be neither permuted nor drawn from.
    pub fn sampled(space: Space, sample: u64, seed: u64) -> Result<Subsets> {
        let draw = match space.count() {
            Some(count) if count <= sample => Draw::All,
            Some(count) if count <= MOST_PERMUTED => Draw::Permuted { seed },
            _ if space.is_plain() => Draw::Floyd { seed },
            _ => {
                return Err(Error::usage(format!(
                    "a space of {:.2e} subsets with group limits is too large to sample from (the most is 2^62)",
                    space.approximate_count()
                ))
                .hint(format!("choose a smaller {}, fewer assets or tighter limits", option("size"))));
            }
        };
        Ok(Subsets { space, draw })
    }

    pub fn space(&self) -> &Space {
        &self.space
    }

    pub fn draw(&self) -> Draw {
        self.draw
    }

    /// Assets of each subset.
    pub fn size(&self) -> usize {
        self.space.size()
    }

    /// What stands for problem `p` where ties are broken: its rank in the space, or `p` itself where there are no ranks.
    pub fn rank(&self, problem: u64) -> u64 {
        match self.draw {
            Draw::All | Draw::Floyd { .. } => problem,
            Draw::Permuted { seed } => {
                let count = self.space.count().expect("a permuted space has its ranks");
                feistel::permute(problem, count, seed, 0)
            }
        }
    }

    /// Problems there are at most; none where there is no end of them.
    pub fn most(&self) -> Option<u64> {
        match self.draw {
            Draw::All | Draw::Permuted { .. } => self.space.count(),
            Draw::Floyd { .. } => None,
        }
    }

    /// Every rank of the first `problems` lies below this.
    pub fn ranks(&self, problems: u64) -> u64 {
        match self.draw {
            Draw::Permuted { .. } => self.space.count().unwrap_or(u64::MAX),
            Draw::All | Draw::Floyd { .. } => problems,
        }
    }

    /// The assets of the subset called `rank`, in the order that problems hold them.
    pub fn assets(&self, rank: u64, assets: &mut [u32]) {
        match self.draw {
            Draw::Floyd { seed } => self.floyd(rank, seed, assets),
            Draw::All | Draw::Permuted { .. } => Cursor::at(&self.space, rank).assets(assets),
        }
    }

    fn floyd(&self, problem: u64, seed: u64, assets: &mut [u32]) {
        let (included, pool) = self.space.plain();
        let (first, rest) = assets.split_at_mut(included.len());
        first.copy_from_slice(included);
        floyd::draw(problem, pool.len(), seed, rest);
        rest.iter_mut().for_each(|position| *position = pool[*position as usize]);
    }

    /// Calls `visit` with the rank and the assets of each problem of `range`, in order.
    pub fn visit(&self, range: std::ops::Range<u64>, mut visit: impl FnMut(u64, &[u32])) {
        if range.is_empty() {
            return;
        }
        let mut assets = vec![0; self.size()];
        match self.draw {
            Draw::All => {
                let mut cursor = Cursor::at(&self.space, range.start);
                for rank in range.clone() {
                    cursor.assets(&mut assets);
                    visit(rank, &assets);
                    if rank + 1 < range.end {
                        cursor.advance();
                    }
                }
            }
            Draw::Permuted { .. } => {
                let mut cursor = Cursor::at(&self.space, 0);
                for problem in range {
                    let rank = self.rank(problem);
                    cursor.seek(rank);
                    cursor.assets(&mut assets);
                    visit(rank, &assets);
                }
            }
            Draw::Floyd { seed } => {
                for problem in range {
                    self.floyd(problem, seed, &mut assets);
                    visit(problem, &assets);
                }
            }
        }
    }
}
