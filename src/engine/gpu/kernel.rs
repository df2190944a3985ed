//! Which kernels there are, and the WGSL text of each: constants and pieces, joined. The table in `shaders/README.md`
//! holds all of them.
//!
//! WGSL has no includes, and sizes of arrays in function scope cannot be overrides. Module scope does not care about
//! order.

use super::pieces::{
    ACROSS_LANES, BUDGETS, CELLS, CERTIFICATE, CERTIFY, CERTIFY_CORRELATIONS, CERTIFY_LANES, CERTIFY_LIMITED,
    CONSTANT_CORRELATION, CORRELATE, CORRELATE_SUBSET, COVARIANCE, DESCEND, DESCEND_LANES, DESCEND_SUBGROUP, DESCENT,
    DRAW, DRAW_CHANGES, DRAW_COUNTS, DRAW_DECAYS, DRAW_FLOYD, DRAW_RANKED, DRAW_ROWS, DRAW_STEPS, DRAW_SUBSET,
    DRAW_WEIGHTS, FOURTH_COUNTS, FOURTH_MOMENTS, FOURTH_RANGE, FOURTH_STEPS, GERBER, GERBER_PLANES, GERBER_RANGE,
    HIERARCHICAL, KEEP_CORRELATIONS, KEEP_INTERLEAVED, KEEP_MOMENTS, KNOWN, LANES_SUBGROUP, LANES_WORKGROUP,
    LEDOIT_WOLF, LIMIT, LIMIT_MULTIPLIERS, LIMIT_QUADS, LIMIT_SWEEP, LIMITS, MATRIX_IDENTITY, MATRIX_STORAGE,
    MATRIX_TRIANGLE, MEASURE, MEASURE_CERTIFIED, MIXES, MOMENTS, MOMENTS_DIAGONAL, MOMENTS_STEPS, MOMENTS_TILE,
    MOMENTS_WIDE, MOMENTS_WINDOWS, MULHI_LIMBS, MULHI_WIDE, OAS, OTHERS, PAIRS, PHILOX, PROOF, Piece, QUADRATIC, QUADS,
    ROWS_COUNTED, ROWS_WEIGHED, SHRINK, SHRINK_LANES, SHRINK_THREAD, SOLVE, STEPS_COUNTED, STEPS_DECAYING, SUBSET,
    TOTALS_SUBGROUP, TOTALS_WORKGROUP,
};
use super::precision::Precision;
use super::unrolled;
use super::unrolled_measure::{self, THREADS};
use crate::covariance::estimator::Estimator;
use crate::methods::Method;

/// Up to this many assets, eight lanes of a subgroup share a problem, where the adapter has subgroups.
pub const SUBGROUP_ASSETS: usize = 64;
/// Up to this many assets, moments are one matrix product over all problems; above, an update per problem.
pub const PRODUCT_ASSETS: usize = 128;
/// Largest number of assets: shaders hold a problem's vectors in workgroup memory and registers.
pub const MOST_ASSETS: usize = 2048;

/// Lanes per problem of the subgroup kernel: divides every subgroup size from 8 on.
pub const SUBGROUP_LANES: u32 = 8;

/// How a problem of `descend` is spread over lanes, and where its matrix is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spread {
    /// One thread per problem, everything in registers, the text unrolled.
    Thread,
    /// Eight lanes of a subgroup per problem, this many problems per workgroup, matrices in workgroup memory.
    Subgroup { problems: u32 },
    /// One workgroup per problem, the matrix in workgroup memory.
    Workgroup,
    /// One workgroup per problem, the matrix streamed.
    Streamed,
}

/// What `draw` leaves of a resample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drawn {
    /// The rows themselves, by position.
    Rows,
    /// How often each row of the history occurs.
    Counts,
    /// Where that number is not the one of the row before.
    Steps,
    /// What each row counts by its age.
    Weights,
    /// Where runs begin and end, and what the sums up to there count by their age.
    Decays,
}

/// Linear shrinkage of correlations: which intensity, and towards what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shrinkage {
    LedoitWolf,
    ConstantCorrelation,
    Oas,
}

impl Shrinkage {
    /// None of estimators that do something else.
    pub fn of(estimator: Estimator) -> Option<Shrinkage> {
        match estimator {
            Estimator::LedoitWolf => Some(Shrinkage::LedoitWolf),
            Estimator::ConstantCorrelation => Some(Shrinkage::ConstantCorrelation),
            Estimator::Oas => Some(Shrinkage::Oas),
            _ => None,
        }
    }

    /// Whether the intensity takes fourth moments of the rows.
    pub const fn reads_rows(self) -> bool {
        !matches!(self, Shrinkage::Oas)
    }

    /// Whether it takes all of them.
    pub const fn reads_cubes(self) -> bool {
        matches!(self, Shrinkage::ConstantCorrelation)
    }
}

/// What becomes of the correlations of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refining {
    Shrink(Shrinkage),
    /// The Gerber statistic takes their place: they are not made.
    Gerber,
}

impl Refining {
    /// None of estimators that leave them as they are.
    pub fn of(estimator: Estimator) -> Option<Refining> {
        match Shrinkage::of(estimator) {
            None if estimator == Estimator::Gerber => Some(Refining::Gerber),
            shrinkage => shrinkage.map(Refining::Shrink),
        }
    }

    pub const fn shrinkage(self) -> Option<Shrinkage> {
        match self {
            Refining::Shrink(shrinkage) => Some(shrinkage),
            Refining::Gerber => None,
        }
    }
}

/// A method beside risk budgeting that kernels solve for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Other {
    MinimumVariance,
    MaximumDiversification,
    HierarchicalRiskParity,
}

impl Other {
    /// None of methods that are not solved for.
    pub fn of(method: Method) -> Option<Other> {
        match method {
            Method::MinimumVariance => Some(Other::MinimumVariance),
            Method::MaximumDiversification => Some(Other::MaximumDiversification),
            Method::HierarchicalRiskParity => Some(Other::HierarchicalRiskParity),
            _ => None,
        }
    }
}

/// What the covariance of a problem is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Covariance {
    Moments,
    /// Correlations and volatilities: gathered from those of a universe, or shrunk.
    Correlations,
}

impl Covariance {
    const fn piece(self) -> Piece {
        match self {
            Covariance::Moments => COVARIANCE,
            Covariance::Correlations => CERTIFY_CORRELATIONS,
        }
    }
}

/// A compute kernel, specialised. `wide`: with 64-bit integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Philox on given counters, for the self-test.
    Known { wide: bool },
    /// Stage `draw`, so many rows of the history at a time; all of them for [`Drawn::Rows`].
    Draw { drawn: Drawn, tile: usize, wide: bool },
    /// Stage `moments` from counts, or from weights.
    Moments { assets: usize, weighed: bool, precision: Precision },
    /// Stage `moments` of single assets, from counts.
    MomentsDiagonal { assets: usize, precision: Precision },
    /// Stage `moments` of the Gerber statistic: planes of bits.
    GerberPlanes { assets: usize, precision: Precision },
    /// Stage `correlate` of the Gerber statistic.
    Gerber { assets: usize, precision: Precision },
    /// Stage `moments` from steps of counts, or from ends of runs that count by their age.
    MomentsSteps { assets: usize, decaying: bool, precision: Precision },
    /// Stage `moments` of windows of paths, from their rows.
    MomentsWindows { assets: usize, precision: Precision },
    /// Stage `correlate`, first pass.
    Volatility { assets: usize, precision: Precision },
    /// Stage `correlate`, second pass.
    Correlate { assets: usize, precision: Precision },
    /// Stage `shrink`, the pass over rows whose counts or steps were drawn.
    FourthMoments { assets: usize, drawn: Drawn, cubes: bool, precision: Precision },
    /// Stage `shrink`: correlations in place.
    Shrink { assets: usize, shrinkage: Shrinkage, precision: Precision },
    /// Stage `others`: a method beside risk budgeting that is solved for.
    Other { assets: usize, other: Other, precision: Precision },
    /// Stage `others`: volatilities of fixed mixes.
    Mixes { assets: usize, precision: Precision },
    /// Stage `descend`.
    Descend { assets: usize, spread: Spread, precision: Precision },
    /// Stage `limit`: `descend` within bounds and the limits of so many groups; of assets as they are, or as if they had
    /// nothing in common.
    Limit { assets: usize, groups: usize, uncorrelated: bool, spread: Spread, precision: Precision },
    /// Stages `correlate`, `descend` and `certify` in one, by eight lanes a problem, `problems` in a workgroup. In
    /// single precision: in double the three together take more registers than there are, and so they do where a thread
    /// has a problem: on Hopper 238 in place of 128 for 10 assets, and 400 spilled for 16.
    Solve { assets: usize, problems: u32, comparisons: bool },
    /// Stage `certify`.
    Certify { assets: usize, covariance: Covariance, comparisons: bool, precision: Precision },
    /// Stage `certify` within limits.
    CertifyLimited { assets: usize, groups: usize, covariance: Covariance, uncorrelated: bool, precision: Precision },
    /// Stage `draw` of subsets of so many assets, `included` of them always held; by rank, or by Floyd's algorithm.
    DrawSubset { assets: usize, included: usize, ranked: bool, wide: bool },
    /// Stage `correlate` of subsets.
    CorrelateSubset { assets: usize, precision: Precision },
    /// Stage `measure` of subsets that were certified, with one bit for each figure.
    MeasureCertified { assets: usize, metrics: u8, precision: Precision },
    /// All of these stages in one for small subsets, as `measure`.
    Measure { assets: usize, included: usize, metrics: u8, wide: bool },
}

impl Kernel {
    /// Name of the entry point.
    pub const fn entry(self) -> &'static str {
        match self {
            Kernel::Known { .. } => "known",
            Kernel::Moments { .. } => "moments_tile",
            Kernel::MomentsSteps { .. } => "moments_steps",
            Kernel::MomentsWindows { .. } => "moments_windows",
            Kernel::Volatility { .. } => "volatility",
            Kernel::MomentsDiagonal { .. } => "moments_diagonal",
            Kernel::GerberPlanes { .. } => "gerber_planes",
            Kernel::Gerber { .. } => "gerber",
            Kernel::FourthMoments { .. } => "fourth_moments",
            Kernel::Other { other: Other::HierarchicalRiskParity, .. } => "hierarchical",
            Kernel::Other { .. } => "quadratic",
            Kernel::Mixes { .. } => "mixes_volatility",
            // That of the lanes.
            Kernel::Limit { .. } => "descend",
            _ => self.stage(),
        }
    }

    /// The stage whose time this kernel's is.
    pub const fn stage(self) -> &'static str {
        match self {
            Kernel::Known { .. } => "known",
            Kernel::Draw { .. } | Kernel::DrawSubset { .. } => "draw",
            Kernel::Moments { .. }
            | Kernel::MomentsDiagonal { .. }
            | Kernel::MomentsSteps { .. }
            | Kernel::MomentsWindows { .. }
            | Kernel::GerberPlanes { .. } => "moments",
            Kernel::Volatility { .. }
            | Kernel::Correlate { .. }
            | Kernel::CorrelateSubset { .. }
            | Kernel::Gerber { .. } => "correlate",
            Kernel::FourthMoments { .. } | Kernel::Shrink { .. } => "shrink",
            Kernel::Other { .. } | Kernel::Mixes { .. } => "others",
            Kernel::Descend { .. } => "descend",
            Kernel::Limit { .. } => "limit",
            Kernel::Solve { .. } => "solve",
            Kernel::Certify { .. } | Kernel::CertifyLimited { .. } => "certify",
            Kernel::MeasureCertified { .. } | Kernel::Measure { .. } => "measure",
        }
    }

    /// The whole WGSL text.
    pub fn text(self) -> String {
        self.pieces().iter().map(|piece| &*piece.text).collect::<Vec<_>>().join("\n")
    }

    /// What the text is joined from, in order.
    pub fn pieces(self) -> Vec<Piece> {
        match self {
            Kernel::Known { wide } => vec![mulhi(wide), PHILOX, KNOWN],
            Kernel::Draw { drawn, tile, wide } => {
                let mut pieces = vec![Piece::constants(&[count("TILE", tile)]), mulhi(wide), PHILOX];
                match drawn {
                    Drawn::Rows => pieces.push(DRAW_ROWS),
                    Drawn::Counts => pieces.extend([DRAW_CHANGES, DRAW_COUNTS]),
                    Drawn::Steps => pieces.extend([DRAW_CHANGES, DRAW_STEPS]),
                    Drawn::Weights => pieces.push(DRAW_WEIGHTS),
                    Drawn::Decays => pieces.push(DRAW_DECAYS),
                }
                pieces.push(DRAW);
                pieces
            }
            Kernel::Moments { assets, weighed, precision } => {
                let mut lines = vec![real(precision), count("N", assets), left(precision)];
                let few = assets <= PRODUCT_ASSETS;
                if few {
                    lines.push(count("RIGHT", product_tile(assets)));
                }
                let factors = if few { vec![PAIRS, MOMENTS] } else { vec![MOMENTS_WIDE] };
                let rows = if weighed { ROWS_WEIGHED } else { ROWS_COUNTED };
                let mut pieces = vec![Piece::constants(&lines)];
                pieces.extend(factors);
                pieces.extend([MOMENTS_TILE, rows]);
                pieces
            }
            Kernel::MomentsDiagonal { assets, precision } => {
                let lines = [real(precision), count("N", assets), shared_lanes(assets)];
                vec![Piece::constants(&lines), MOMENTS_DIAGONAL, ROWS_COUNTED]
            }
            Kernel::GerberPlanes { assets, precision } => {
                let near = number("NEAR", 4.0 * precision.epsilon());
                let lines = [real(precision), count("N", assets), shared_lanes(assets), near];
                vec![Piece::constants(&lines), GERBER_RANGE, GERBER_PLANES, ROWS_COUNTED]
            }
            Kernel::Gerber { assets, precision } => {
                vec![cells(assets, precision).after(&[real(precision)]), GERBER_RANGE, GERBER]
            }
            Kernel::MomentsSteps { assets, decaying, precision } => {
                let quads = steps_columns(precision) / 4;
                let lines = [real(precision), count("N", assets), count("QUADS", quads)];
                let steps = if decaying { STEPS_DECAYING } else { STEPS_COUNTED };
                vec![Piece::constants(&lines), MOMENTS_STEPS, steps]
            }
            Kernel::MomentsWindows { assets, precision } => {
                let lines = [real(precision), count("N", assets), count("LANES", WINDOW_LANES)];
                vec![Piece::constants(&lines), PAIRS, MOMENTS_WINDOWS]
            }
            Kernel::Volatility { assets, precision } | Kernel::Correlate { assets, precision } => {
                vec![Piece::constants(&[real(precision)]), cells(assets, precision), CORRELATE, COVARIANCE]
            }
            Kernel::FourthMoments { assets, drawn, cubes, precision } => {
                let lines = [real(precision), count("N", assets), flag("CUBES", cubes)];
                let rows = if drawn == Drawn::Steps { FOURTH_STEPS } else { FOURTH_COUNTS };
                vec![Piece::constants(&lines), FOURTH_RANGE, FOURTH_MOMENTS, rows]
            }
            Kernel::Shrink { assets, shrinkage, precision } => {
                let equal = match precision {
                    Precision::Single => 64.0 * precision.epsilon().powi(2),
                    Precision::Double => 64.0 * precision.epsilon(),
                };
                let epsilon = number("EPSILON", precision.epsilon());
                let lines = [real(precision), shared_lanes(assets), number("EQUAL", equal), epsilon];
                let target = match shrinkage {
                    Shrinkage::LedoitWolf => LEDOIT_WOLF,
                    Shrinkage::ConstantCorrelation => CONSTANT_CORRELATION,
                    Shrinkage::Oas => OAS,
                };
                let spread = if interleaved(assets, precision) { SHRINK_THREAD } else { SHRINK_LANES };
                vec![cells(assets, precision).after(&lines), SHRINK, target, spread]
            }
            Kernel::Other { assets, other: Other::HierarchicalRiskParity, precision } => {
                vec![others(assets, precision, &[]), ACROSS_LANES, OTHERS, PROOF, HIERARCHICAL]
            }
            Kernel::Other { assets, other, precision } => {
                let least = flag("LEAST", other == Other::MinimumVariance);
                let [singular, missing, tied, smallest] = match precision {
                    Precision::Single => [1e-3, 4e-6, 2e-5, 1e-30],
                    Precision::Double => [1e-8, 1e-11, 1e-8, 1e-200],
                };
                let mut lines = vec![least];
                let numbers = [("SINGULAR", singular), ("MISSING", missing), ("TIED", tied), ("SMALLEST", smallest)];
                lines.extend(numbers.map(|(name, value)| number(name, value)));
                vec![others(assets, precision, &lines), ACROSS_LANES, OTHERS, PROOF, QUADRATIC]
            }
            Kernel::Mixes { assets, precision } => {
                let least = match precision {
                    Precision::Single => 1.0 / 32.0,
                    Precision::Double => 1e-8,
                };
                vec![others(assets, precision, &[number("LEAST", least)]), ACROSS_LANES, OTHERS, MIXES]
            }
            Kernel::Descend { assets, spread, precision } => descend(assets, spread, precision),
            Kernel::Solve { assets, problems, comparisons } => {
                let precision = Precision::Single;
                let lines =
                    [lanes(assets, SUBGROUP_LANES as usize, problems, precision), flag("COMPARISONS", comparisons)];
                let mut pieces = vec![Piece::constants(&lines), DESCENT, DESCEND, QUADS, DESCEND_LANES, LANES_SUBGROUP];
                pieces.extend([MATRIX_TRIANGLE, CERTIFICATE, SOLVE, KEEP_MOMENTS, COVARIANCE, CERTIFY_LANES]);
                pieces
            }
            Kernel::Certify { assets, covariance, comparisons, precision } => {
                let lines = [real(precision), shared_lanes(assets), flag("COMPARISONS", comparisons)];
                vec![cells(assets, precision).after(&lines), CERTIFICATE, ACROSS_LANES, CERTIFY, covariance.piece()]
            }
            Kernel::Limit { assets, groups, uncorrelated, spread, precision } => {
                limit(assets, groups, uncorrelated, spread, precision)
            }
            Kernel::CertifyLimited { assets, groups, covariance, uncorrelated, precision } => {
                let near = number("NEAR", precision.near());
                let lines = [real(precision), shared_lanes(assets), count("GROUPS", groups), near];
                let lines = [&lines[..], &[flag("UNCORRELATED", uncorrelated)]].concat();
                let mut pieces = vec![cells(assets, precision).after(&lines), LIMITS, CERTIFICATE, ACROSS_LANES];
                pieces.extend([CERTIFY_LIMITED, covariance.piece()]);
                pieces
            }
            Kernel::DrawSubset { assets, included, ranked, wide } => {
                let choose = if ranked { DRAW_RANKED } else { DRAW_FLOYD };
                let mut pieces = subset(assets, included, wide);
                pieces.extend([DRAW_SUBSET, choose]);
                pieces
            }
            Kernel::CorrelateSubset { assets, precision } => {
                vec![Piece::constants(&[real(precision)]), cells(assets, precision), CORRELATE_SUBSET]
            }
            Kernel::MeasureCertified { assets, metrics, precision } => {
                let lines = [real(precision), count("THREADS", THREADS as usize), count("METRICS", metrics.into())];
                vec![cells(assets, precision).after(&lines), CERTIFICATE, MEASURE_CERTIFIED]
            }
            Kernel::Measure { assets, included, metrics, wide } => {
                let body = unrolled_measure::measure(assets, included, metrics);
                let mut pieces = vec![Piece::constants(&[real(Precision::Single)])];
                pieces.extend(subset(assets, included, wide));
                pieces.extend([MEASURE, Piece::written("unrolled_measure.rs", body)]);
                pieces
            }
        }
    }
}

fn real(precision: Precision) -> String {
    format!("alias real = {precision};\n")
}

const fn mulhi(wide: bool) -> Piece {
    if wide { MULHI_WIDE } else { MULHI_LIMBS }
}

fn cells(assets: usize, precision: Precision) -> Piece {
    CELLS.after(&[count("N", assets), flag("INTERLEAVED", interleaved(assets, precision))])
}

/// Lanes of a workgroup that shares a problem, an asset each as far as there are lanes.
fn shared_lanes(assets: usize) -> String {
    count("LANES", assets.next_power_of_two().clamp(32, 256))
}

/// What kernels of other methods begin with.
fn others(assets: usize, precision: Precision, more: &[String]) -> Piece {
    let epsilon = number("EPSILON", precision.epsilon());
    let mut lines = vec![real(precision), shared_lanes(assets), epsilon];
    lines.extend_from_slice(more);
    cells(assets, precision).after(&lines)
}

fn left(precision: Precision) -> String {
    count("LEFT", product_problems(precision))
}

/// Subsets of `assets`, `included` of them always held.
fn subset(assets: usize, included: usize, wide: bool) -> Vec<Piece> {
    let lines = [
        count("K", assets),
        count("INCLUDED", included),
        count("REST", assets - included),
        count("THREADS", THREADS as usize),
    ];
    vec![Piece::constants(&lines), mulhi(wide), PHILOX, SUBSET]
}

fn descend(assets: usize, spread: Spread, precision: Precision) -> Vec<Piece> {
    let wide = workgroup_lanes(assets);
    let (lanes, rest) = match spread {
        Spread::Thread => {
            let lines = [real(precision), count("N", assets)];
            let body = Piece::written("unrolled.rs", unrolled::descend(assets));
            return vec![Piece::constants(&lines), DESCENT, DESCEND, BUDGETS, body];
        }
        Spread::Subgroup { problems } => (
            lanes(assets, SUBGROUP_LANES as usize, problems, precision),
            vec![LANES_SUBGROUP, MATRIX_TRIANGLE, KEEP_CORRELATIONS, DESCEND_SUBGROUP],
        ),
        Spread::Workgroup => {
            (lanes(assets, wide, 1, precision), vec![LANES_WORKGROUP, MATRIX_TRIANGLE, KEEP_CORRELATIONS])
        }
        Spread::Streamed => (lanes(assets, wide, 1, precision), vec![LANES_WORKGROUP, MATRIX_STORAGE]),
    };
    let mut pieces = vec![Piece::constants(&[lanes]), DESCENT, DESCEND, BUDGETS, QUADS, DESCEND_LANES];
    pieces.extend(rest);
    pieces
}

fn limit(assets: usize, groups: usize, uncorrelated: bool, spread: Spread, precision: Precision) -> Vec<Piece> {
    let (width, problems, totals) = match spread {
        Spread::Subgroup { problems } => (SUBGROUP_LANES as usize, problems, TOTALS_SUBGROUP),
        // A thread has no lanes to share a problem with.
        Spread::Thread | Spread::Workgroup | Spread::Streamed => (workgroup_lanes(assets), 1, TOTALS_WORKGROUP),
    };
    let narrow = matches!(spread, Spread::Subgroup { .. });
    let kept = if interleaved(assets, precision) { KEEP_INTERLEAVED } else { KEEP_CORRELATIONS };
    let matrix = match spread {
        _ if uncorrelated => vec![MATRIX_IDENTITY],
        Spread::Streamed => vec![MATRIX_STORAGE],
        _ => vec![MATRIX_TRIANGLE, kept],
    };
    let lines = [
        lanes(assets, width, problems, precision),
        count("GROUPS", groups),
        flag("INTERLEAVED", interleaved(assets, precision)),
        number("ROUNDING", precision.rounding()),
    ];
    let mut pieces = vec![Piece::constants(&lines), DESCENT, QUADS, LIMITS, LIMIT, LIMIT_QUADS];
    pieces.extend([LIMIT_MULTIPLIERS, LIMIT_SWEEP, if narrow { LANES_SUBGROUP } else { LANES_WORKGROUP }, totals]);
    pieces.extend(matrix);
    pieces.extend(narrow.then_some(DESCEND_SUBGROUP));
    pieces
}

/// Constants of problems that so many lanes share, so many in a workgroup.
fn lanes(assets: usize, lanes: usize, problems: u32, precision: Precision) -> String {
    [real(precision), count("N", assets), count("LANES", lanes), count("PROBLEMS", problems as usize)].concat()
}

/// Lanes per problem where a workgroup shares it: one quad of coordinates each, up to 256 lanes.
const fn workgroup_lanes(assets: usize) -> usize {
    let lanes = assets.div_ceil(4).next_power_of_two();
    match lanes {
        0..=32 => 32,
        33..=256 => lanes,
        _ => 256,
    }
}

/// Whether matrices and positions of a batch are interleaved (entry e of problem p at e P + p), as threads that take a
/// problem each want them.
pub const fn interleaved(assets: usize, precision: Precision) -> bool {
    assets <= thread_assets(precision)
}

/// Up to this many assets, a problem lives in the registers of one thread. Numbers of double width take two each: beyond
/// 10 assets compilers for RDNA2 and Hopper spill them.
pub const fn thread_assets(precision: Precision) -> usize {
    match precision {
        Precision::Single => 16,
        Precision::Double => 10,
    }
}

/// Problems of a workgroup of the matrix product behind stage `moments`; its sums stay in registers.
pub const fn product_problems(precision: Precision) -> usize {
    match precision {
        Precision::Single => 64,
        Precision::Double => 32,
    }
}

/// Workgroups of that product for one problem of more than [`PRODUCT_ASSETS`] assets: one for each 64 x 64 block of the
/// triangle, cut into as many parts as have room.
pub const fn wide_groups(assets: usize, precision: Precision) -> usize {
    let blocks = (assets + 64) / 64;
    blocks * (blocks + 1) / 2 * (64 / product_problems(precision))
}

/// Packed moments of a problem: the lower triangle of order n + 1, the first column being ones.
pub const fn moment_entries(assets: usize) -> usize {
    (assets + 1) * (assets + 2) / 2
}

/// Width of a moments tile: tiles of equal width up to 128, in steps of 8.
pub const fn product_tile(assets: usize) -> usize {
    let entries = moment_entries(assets);
    let tiles = entries.div_ceil(128);
    entries.div_ceil(tiles).next_multiple_of(8)
}

/// Columns of a tile of the sums that steps are taken over: 128 bytes.
pub const fn steps_columns(precision: Precision) -> usize {
    128 / precision.bytes() as usize
}

/// Problems of a workgroup that takes steps: eight for each group of lanes, of which each has four columns.
pub const fn steps_problems(precision: Precision) -> usize {
    8 * 256 / (steps_columns(precision) / 4)
}

/// Lanes of a workgroup that sums windows, four entries each.
const WINDOW_LANES: usize = 64;

/// Workgroups that sum one group of windows of a path.
pub const fn window_tiles(assets: usize) -> usize {
    moment_entries(assets).div_ceil(4 * WINDOW_LANES)
}

/// Bytes of workgroup memory that a method beside risk budgeting takes at most: vectors, the factor of 64 assets held, lanes.
pub const fn other_bytes(assets: usize, precision: Precision) -> u64 {
    precision.bytes() * (3 * assets + 65 * 66 / 2 + 256 + 2 * 64) as u64 + 4 * (256 + 64 + 8)
}

/// Cells of a correlation matrix as `descend` reads it.
pub const fn correlation_cells(assets: usize, precision: Precision) -> usize {
    if interleaved(assets, precision) {
        assets * (assets - 1) / 2
    } else {
        assets.next_multiple_of(4) * assets.next_multiple_of(4)
    }
}

/// Cells of a problem's position y.
pub const fn position_cells(assets: usize, precision: Precision) -> usize {
    if interleaved(assets, precision) { assets } else { assets.next_multiple_of(4) }
}

/// Where the device keeps y_i of problem p.
pub const fn position(assets: usize, precision: Precision, problems: usize, p: usize, i: usize) -> usize {
    if interleaved(assets, precision) { i * problems + p } else { p * position_cells(assets, precision) + i }
}

/// Numbers of a correlation matrix as workgroup memory holds it: 4 x 4 blocks of the lower triangle.
pub const fn triangle_cells(assets: usize) -> usize {
    let quads = assets.div_ceil(4);
    16 * (quads * (quads + 1) / 2)
}

/// Numbers that `solve` keeps there beside it: sums and volatilities, by quads.
pub const fn kept_cells(assets: usize) -> usize {
    2 * assets.next_multiple_of(4)
}

/// Numbers that a workgroup of `limit` has there beside it: a board of two quads, one and four for each lane.
pub const fn workgroup_cells(assets: usize) -> usize {
    8 + 5 * workgroup_lanes(assets)
}

fn count(name: &str, value: usize) -> String {
    format!("const {name} = {value}u;\n")
}

fn number(name: &str, value: f64) -> String {
    format!("const {name}: real = {value:e};\n")
}

fn flag(name: &str, value: bool) -> String {
    format!("const {name} = {value};\n")
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::super::catalogue::all;
    use super::*;

    #[test]
    fn every_kernel_is_valid_wgsl() {
        for kernel in all() {
            let text = kernel.text();
            let module = naga::front::wgsl::parse_str(&text)
                .unwrap_or_else(|e| panic!("{kernel:?}: {}", e.emit_to_string(&text)));
            // No capability but those that are asked for.
            let mut capabilities = match kernel {
                Kernel::Known { wide: true }
                | Kernel::Draw { wide: true, .. }
                | Kernel::DrawSubset { wide: true, .. }
                | Kernel::Measure { wide: true, .. } => Capabilities::SHADER_INT64,
                Kernel::Descend { spread: Spread::Subgroup { .. }, .. }
                | Kernel::Limit { spread: Spread::Subgroup { .. }, .. }
                | Kernel::Solve { .. } => Capabilities::SUBGROUP,
                _ => Capabilities::empty(),
            };
            if text.contains(&real(Precision::Double)) {
                capabilities |= Capabilities::FLOAT64;
            }
            let info = Validator::new(ValidationFlags::all(), capabilities).validate(&module);
            info.unwrap_or_else(|e| panic!("{kernel:?}: {}", e.emit_to_string(&text)));
            assert!(module.entry_points.iter().any(|entry| entry.name == kernel.entry()), "{kernel:?}");
        }
    }
}
