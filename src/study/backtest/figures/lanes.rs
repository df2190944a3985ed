//! The figures of a path of up to eight strategies at once, a lane each: the twin of [`PathFigures::of`], whose parts it ends
//! with.

use pulp::{Arch, Simd, WithSimd};

use super::attribution::Leverage;
use super::drawdown::Depth;
use super::growth::cagr;
use super::months;
use super::path::{PathFigures, to_target};
use super::performance::Performance;
use super::rows::Timeline;
use super::tail::cvar95_below;
use crate::lanes::{LANES, Lanes, vectors, vectors_mut};

/// Rows of up to eight strategies.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub timeline: &'a Timeline,
    /// y_t.
    pub cash: &'a [f64],
    /// Of the months; empty where they say nothing that rows do not.
    pub monthly_cash: &'a [f64],
    /// r_t, l_t and u_t.
    pub net: &'a [Lanes],
    pub exposure: &'a [Lanes],
    pub unlevered: &'a [Lanes],
    /// Closes, in ascending order, at which wealth is told.
    pub marks: &'a [usize],
}

/// Sums over the rows, and room for the next path.
#[derive(Debug, Clone, Default)]
pub struct Summed {
    /// Means of r, r - y, l and u.
    means: [Lanes; 4],
    /// Sums of squared deviations of r and r - y, and of the products of those of l and u.
    squares: [Lanes; 3],
    /// W at the end.
    wealth: Lanes,
    deepest: Lanes,
    drawdowns: Lanes,
    /// Compounded returns of the months.
    months: Vec<Lanes>,
    /// W at the marks.
    pub marked: Vec<Lanes>,
    room: Vec<f64>,
}

impl Summed {
    pub fn sum(&mut self, arch: Arch, side: Side, lanes: usize) {
        self.months.clear();
        self.marked.clear();
        arch.dispatch(Sum { side, lanes, summed: self });
    }

    /// The figures of one lane. `turned_over` is half of what was traded after the build, and `target` the volatility a year
    /// that the strategy is levered to.
    pub fn figures(&mut self, side: Side, lane: usize, turned_over: f64, target: Option<f64>) -> PathFigures {
        let Side { timeline, net, monthly_cash, .. } = side;
        let (rows, a) = (net.len(), timeline.periods_per_year);
        let of = |lanes: &Lanes| lanes.0[lane];
        let means = self.means.map(|mean| of(&mean));
        let squares = self.squares.map(|sum| of(&sum));
        let performance = Performance::of_sums(rows, [means[0], means[1]], [squares[0], squares[1]], a);
        let depth = Depth::of_sums(rows, of(&self.deepest), of(&self.drawdowns));
        let leverage = Leverage::of_sums(rows, [means[2], means[3]], squares[2], a);
        let months = self.months.iter().map(of).zip(monthly_cash.iter().copied());
        let sd = (squares[0] / (rows as f64 - 1.0)).sqrt();
        PathFigures {
            cagr: (rows > 0).then_some(of(&self.wealth)).and_then(|wealth| cagr(wealth, timeline.years)),
            volatility: performance.volatility,
            sharpe: performance.sharpe,
            sharpe_monthly: Performance::of(months, months::PER_YEAR).sharpe,
            max_drawdown: depth.map(|depth| depth.max),
            ulcer_index: depth.map(|depth| depth.ulcer),
            cvar95: cvar95_below(net.iter().map(of), means[0] - sd, &mut self.room),
            turnover: timeline.years.map(|years| turned_over / years),
            exposure_mean: leverage.map(|leverage| leverage.mean),
            volatility_to_target: to_target(performance.volatility, target),
            covariance: leverage.map(|leverage| leverage.covariance),
        }
    }
}

struct Sum<'a> {
    side: Side<'a>,
    lanes: usize,
    summed: &'a mut Summed,
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sum { side: Side { timeline, cash, monthly_cash, net, exposure, unlevered, marks }, lanes, summed } = self;
        let v = LANES / S::F64_LANES;
        let (one, zero) = (simd.splat_f64s(1.0), simd.splat_f64s(0.0));
        let has_months = !monthly_cash.is_empty();
        if has_months {
            summed.months.resize(timeline.months.len(), Lanes::default());
        }
        summed.marked.resize(marks.len(), Lanes::splat(1.0));
        let per_row = simd.splat_f64s(1.0 / net.len().max(1) as f64);
        let (net, exposure, unlevered) = (vectors::<S>(net), vectors::<S>(exposure), vectors::<S>(unlevered));
        for k in 0..lanes.div_ceil(S::F64_LANES) {
            let (months, marked) = (vectors_mut::<S>(&mut summed.months), vectors_mut::<S>(&mut summed.marked));
            let mut sums = [zero; 4];
            let (mut wealth, mut high, mut deepest, mut drawdowns, mut month) = (one, one, zero, zero, one);
            let (mut next_month, mut next_mark) = (0, marks.iter().take_while(|close| **close == 0).count());
            for (row, y) in cash.iter().enumerate() {
                let (r, y) = (net[row * v + k], simd.splat_f64s(*y));
                sums[0] = simd.add_f64s(sums[0], r);
                sums[1] = simd.add_f64s(sums[1], simd.sub_f64s(r, y));
                sums[2] = simd.add_f64s(sums[2], exposure[row * v + k]);
                sums[3] = simd.add_f64s(sums[3], unlevered[row * v + k]);
                let growth = simd.add_f64s(one, r);
                wealth = simd.mul_f64s(wealth, growth);
                high = simd.max_f64s(high, wealth);
                let drawdown = simd.sub_f64s(one, simd.div_f64s(wealth, high));
                deepest = simd.max_f64s(deepest, drawdown);
                drawdowns = simd.mul_add_e_f64s(drawdown, drawdown, drawdowns);
                if has_months {
                    month = simd.mul_f64s(month, growth);
                    if timeline.months[next_month].rows.end == row + 1 {
                        months[next_month * v + k] = simd.sub_f64s(month, one);
                        (month, next_month) = (one, next_month + 1);
                    }
                }
                if marks.get(next_mark) == Some(&(row + 1)) {
                    marked[next_mark * v + k] = wealth;
                    next_mark += 1;
                }
            }
            let means = sums.map(|sum| simd.mul_f64s(sum, per_row));
            let mut squares = [zero; 3];
            for (row, y) in cash.iter().enumerate() {
                let (r, y) = (net[row * v + k], simd.splat_f64s(*y));
                let own = simd.sub_f64s(r, means[0]);
                let excess = simd.sub_f64s(simd.sub_f64s(r, y), means[1]);
                let (l, u) =
                    (simd.sub_f64s(exposure[row * v + k], means[2]), simd.sub_f64s(unlevered[row * v + k], means[3]));
                squares[0] = simd.mul_add_e_f64s(own, own, squares[0]);
                squares[1] = simd.mul_add_e_f64s(excess, excess, squares[1]);
                squares[2] = simd.mul_add_e_f64s(l, u, squares[2]);
            }
            let put = |to: &mut Lanes, value: S::f64s| vectors_mut::<S>(std::slice::from_mut(to))[k] = value;
            summed.means.iter_mut().zip(means).for_each(|(to, mean)| put(to, mean));
            summed.squares.iter_mut().zip(squares).for_each(|(to, square)| put(to, square));
            put(&mut summed.wealth, wealth);
            put(&mut summed.deepest, deepest);
            put(&mut summed.drawdowns, drawdowns);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use jiff::civil::date;

    use super::super::months::monthly;
    use super::super::{Market, Scratch, Track};
    use super::*;

    #[test]
    fn figures_side_by_side_are_those_of_each_by_itself() {
        let wave = |k: usize| ((k * k) as f64 * 0.37).sin();
        let rows = 700;
        let dates: Vec<_> = (0..=rows as i32).map(|day| date(2001, 3, 15) + day.days()).collect();
        let labels: Vec<String> = dates.iter().map(ToString::to_string).collect();
        for timeline in [Timeline::new(labels.clone(), Some(dates), 365.0), Timeline::new(labels, None, 252.0)] {
            let cash: Vec<f64> = (0..rows).map(|t| 1e-4 * wave(t + 3)).collect();
            let tracks: Vec<Track> = (0..7)
                .map(|lane| {
                    let net: Vec<f64> = (0..rows).map(|t| 0.01 * (1.0 + lane as f64) * wave(t * 7 + lane)).collect();
                    let exposure: Vec<f64> = (0..rows).map(|t| if lane == 2 { 0.0 } else { 1.0 + wave(t) }).collect();
                    let wealth = net.iter().scan(1.0, |wealth: &mut f64, r| {
                        *wealth *= 1.0 + r;
                        Some(*wealth)
                    });
                    Track {
                        wealth: wealth.collect(),
                        earned: exposure.iter().zip(&net).map(|(l, r)| l * (r + 1e-3)).collect(),
                        net,
                        exposure,
                        turned_over: 3.0,
                        ..Track::default()
                    }
                })
                .collect();
            let market = Market { timeline: &timeline, cash: &cash, spread: &[] };
            let interleaved = |of: &dyn Fn(&Track, usize) -> f64| -> Vec<Lanes> {
                let lanes =
                    |t: usize| Lanes(std::array::from_fn(|lane| tracks.get(lane).map_or(0.0, |own| of(own, t))));
                (0..rows).map(lanes).collect()
            };
            let net = interleaved(&|own, t| own.net[t]);
            let exposure = interleaved(&|own, t| own.exposure[t]);
            let unlevered = interleaved(&|own, t| {
                if own.exposure[t] == 0.0 { 0.0 } else { own.earned[t] / own.exposure[t] - cash[t] }
            });
            let monthly_cash: Vec<f64> = match timeline.has_shorter_rows_than_months() {
                true => monthly(&timeline, &cash).collect(),
                false => Vec::new(),
            };
            let marks = [0, 1, 350, rows];
            let side = Side {
                timeline: &timeline,
                cash: &cash,
                monthly_cash: &monthly_cash,
                net: &net,
                exposure: &exposure,
                unlevered: &unlevered,
                marks: &marks,
            };
            let mut summed = Summed::default();
            summed.sum(Arch::new(), side, tracks.len());
            for (lane, track) in tracks.iter().enumerate() {
                let target = (lane > 3).then_some(0.1);
                let expected = PathFigures::of(&market, track, target, &mut Scratch::default()).into_array();
                let found = summed.figures(side, lane, 3.0, target).into_array();
                for ((found, expected), name) in found.into_iter().zip(expected).zip(PathFigures::<f64>::NAMES) {
                    let near = match (found, expected) {
                        // Sums of hundreds of numbers, in another order.
                        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs().max(1e-3),
                        (a, b) => a == b,
                    };
                    assert!(near, "{name} of {lane}: {found:?} {expected:?}");
                }
                let at = |close: usize| if close == 0 { 1.0 } else { track.wealth[close - 1] };
                let marked: Vec<f64> = summed.marked.iter().map(|own| own.0[lane]).collect();
                assert!(marked.iter().zip(marks).all(|(own, close)| (own / at(close) - 1.0).abs() <= 1e-12));
            }
        }
    }
}
