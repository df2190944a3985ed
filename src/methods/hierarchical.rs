//! Hierarchical risk parity (Lopez de Prado 2016), defined to the last tie: slices in, weights out.
//!
//! ```text
//! tree:   pairs (i, j), i < j, by falling round(C_ij 2^30), half to even, ties by (i, j); a pair merges the clusters
//!         of i and j (Kruskal 1956): single linkage of the distance sqrt((1 - C_ij) / 2), which falls with C_ij
//! order:  merge k makes cluster n + k; the child with the smaller number is the left one; leaves from left to right
//! split:  the list into its first floor(len / 2) assets and the others, until single; V = x'S x with x_i ~ 1 / S_ii,
//!         sum x = 1, of each part; weights on the left times V_r / (V_l + V_r), on the right times V_l / (V_l + V_r)
//! ```
//!
//! Other answers go by this name: the listing of 2016 clusters the columns of the distance matrix by their Euclidean
//! distance, and some libraries link by Ward or reorder the leaves.
//!
//! The pairs that merge are the spanning tree of largest keys. The order of pairs is strict, so there is one, and Prim
//! (1957) finds it in O(n^2).

use crate::methods::certificate::Status;

/// Splits further than this from their variances mean that these cancel.
const SPLIT_TOLERANCE: f64 = 1e-8;

/// Keys are whole multiples of 2^-30: what differs by less is a tie, whatever the last bits are.
const KEYS: f64 = (1_u64 << 30) as f64;

/// The largest number of assets: a pair of them is 32 bits.
const LARGEST: usize = 1 << 16;

/// Room to solve in, so that no problem allocates once it is large enough.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// Assets outside the tree, and the code of the best pair that ties each to it.
    outside: Vec<u32>,
    best: Vec<u64>,
    /// Codes of the pairs that merge, in their order.
    merges: Vec<u64>,
    clusters: Vec<Cluster>,
    /// The asset to the right of each in its cluster.
    next: Vec<u32>,
    order: Vec<usize>,
    inverse: Vec<f64>,
    product: Vec<f64>,
}

impl Workspace {
    /// The leaves of the last problem, from left to right.
    pub fn order(&self) -> &[usize] {
        &self.order
    }
}

/// A node of the union-find forest, one for each asset; what it says besides its parent counts at roots.
#[derive(Debug, Clone, Copy)]
struct Cluster {
    parent: u32,
    number: u32,
    first: u32,
    last: u32,
}

/// What travels with the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// No solution: two parts without variance face each other.
    pub status: Status,
    /// [`split_error`] of the returned weights; NaN without weights.
    pub split_error: f64,
    /// The smallest difference of two successive merge correlations, zero for a tie, infinite where there are no two.
    /// Correlations that are wrong by less than half of it, beyond the 2^-30 of the keys, give the same order.
    pub margin: f64,
    /// Volatility of the returned weights, per period; NaN without weights.
    pub volatility: f64,
}

/// Solves one problem and writes its weights; NaN where there are none. `correlation` is n x n, row-major, symmetric,
/// of unit diagonal; volatilities are positive.
///
/// # Panics
/// Above 65,536 assets.
#[inline(always)]
pub fn solve(correlation: &[f64], volatilities: &[f64], work: &mut Workspace, weights: &mut [f64]) -> Found {
    let n = volatilities.len();
    assert!(n <= LARGEST, "{n} assets are more than {LARGEST}");
    span(correlation, n, work);
    let margin = margin(&work.merges);
    arrange(n, work);

    let Workspace { order, inverse, product, .. } = work;
    let least = volatilities.iter().copied().fold(f64::INFINITY, f64::min);
    inverse.clear();
    inverse.extend(volatilities.iter().map(|s| least / s));
    let view = View { correlation, n, inverse };
    weights.fill(1.0);
    if n > 0 && bisect(&view, order, weights).is_none() {
        weights.fill(f64::NAN);
        return Found { status: Status::NoSolution, split_error: f64::NAN, margin, volatility: f64::NAN };
    }
    let split_error = largest_split_error(&view, order, weights);

    // x = w sigma, the portfolio in correlation units.
    product.clear();
    product.resize(n, 0.0);
    for (i, row) in correlation.chunks_exact(n.max(1)).enumerate() {
        let x = weights[i] * (volatilities[i] / least);
        product.iter_mut().zip(row).for_each(|(p, c)| *p += x * c);
    }
    let variance: f64 = (0..n).map(|i| weights[i] * (volatilities[i] / least) * product[i]).sum();
    let status = if split_error <= SPLIT_TOLERANCE { Status::Converged } else { Status::Stalled };
    let volatility = if variance < 0.0 { 0.0 } else { least * variance.sqrt() };
    Found { status, split_error, margin, volatility }
}

/// The largest |W_l / (W_l + W_r) - V_r / (V_l + V_r)| over all splits of `order`, a permutation of the assets: how far
/// anybody's weights are from hierarchical risk parity along these leaves. Parts without weight are not split.
pub fn split_error(order: &[usize], correlation: &[f64], volatilities: &[f64], weights: &[f64]) -> f64 {
    let least = volatilities.iter().copied().fold(f64::INFINITY, f64::min);
    let inverse: Vec<f64> = volatilities.iter().map(|s| least / s).collect();
    largest_split_error(&View { correlation, n: volatilities.len(), inverse: &inverse }, order, weights)
}

/// Code of a pair: a larger code comes first. The key in the upper half, (i, j) in the lower, reversed.
#[inline(always)]
fn code(correlation: f64, u: u32, v: u32) -> u64 {
    // Adding 3 2^51 leaves no bit below one, so the sum is rounded half to even, and its last bits are the key.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    let rounded = (correlation.clamp(-1.0, 1.0) * KEYS + SHIFT).to_bits();
    let key = rounded.wrapping_sub((SHIFT - KEYS).to_bits());
    key << 32 | u64::from(!(u.min(v) << 16 | u.max(v)))
}

/// i and j of a code.
#[inline(always)]
fn pair(code: u64) -> (usize, usize) {
    let pair = !(code as u32);
    ((pair >> 16) as usize, (pair & 0xffff) as usize)
}

/// Writes the pairs that merge, in their order.
#[inline(always)]
fn span(correlation: &[f64], n: usize, work: &mut Workspace) {
    let Workspace { outside, best, merges, .. } = work;
    outside.clear();
    outside.extend(1..n as u32);
    best.clear();
    best.resize(n.saturating_sub(1), 0);
    merges.clear();
    let mut last = 0;
    while !outside.is_empty() {
        // The tree has grown by `last`: its pairs compete, and the best of all is the next of the tree.
        let row = &correlation[last as usize * n..][..n];
        let (mut top, mut at) = (0, 0);
        for (k, (&v, best)) in outside.iter().zip(&mut *best).enumerate() {
            *best = code(row[v as usize], last, v).max(*best);
            if *best > top {
                (top, at) = (*best, k);
            }
        }
        merges.push(top);
        best.swap_remove(at);
        last = outside.swap_remove(at);
    }
    merges.sort_unstable_by(|a, b| b.cmp(a));
}

/// The smallest difference of the keys of successive merges, as a correlation.
fn margin(merges: &[u64]) -> f64 {
    let differences = merges.windows(2).map(|two| ((two[0] >> 32) - (two[1] >> 32)) as f64 / KEYS);
    differences.fold(f64::INFINITY, f64::min)
}

/// Merges the clusters and writes the leaves from left to right.
fn arrange(n: usize, work: &mut Workspace) {
    let Workspace { merges, clusters, next, order, .. } = work;
    clusters.clear();
    clusters.extend((0..n as u32).map(|i| Cluster { parent: i, number: i, first: i, last: i }));
    next.clear();
    next.resize(n, 0);
    for (k, &merge) in merges.iter().enumerate() {
        let (i, j) = pair(merge);
        let (a, b) = (root(clusters, i), root(clusters, j));
        let (left, right) = if clusters[a].number < clusters[b].number { (a, b) } else { (b, a) };
        next[clusters[left].last as usize] = clusters[right].first;
        clusters[left].last = clusters[right].last;
        clusters[left].number = (n + k) as u32;
        clusters[right].parent = left as u32;
    }
    order.clear();
    if n > 0 {
        let whole = root(clusters, 0);
        let mut leaf = clusters[whole].first as usize;
        for _ in 0..n {
            order.push(leaf);
            leaf = next[leaf] as usize;
        }
    }
}

/// The root of a node; paths are halved on the way.
fn root(clusters: &mut [Cluster], mut node: usize) -> usize {
    while clusters[node].parent as usize != node {
        let above = clusters[node].parent as usize;
        clusters[node].parent = clusters[above].parent;
        node = above;
    }
    node
}

/// S in units of the least volatility, and u_i = 1 / sigma_i: V = sum_ij C_ij u_i u_j / (sum_i u_i^2)^2.
struct View<'a> {
    correlation: &'a [f64],
    n: usize,
    inverse: &'a [f64],
}

/// What the variance of a part is made of.
#[derive(Clone, Copy)]
struct Part {
    /// sum_ij C_ij u_i u_j.
    quadratic: f64,
    /// sum_i u_i.
    size: f64,
    /// sum_i u_i^2.
    squares: f64,
}

impl Part {
    fn single(u: f64) -> Part {
        Part { quadratic: u * u, size: u, squares: u * u }
    }

    /// V of m assets; zero where it is rounding.
    fn variance(self, m: usize) -> f64 {
        let rounding = m as f64 * f64::EPSILON * self.size * self.size;
        if self.quadratic <= rounding { 0.0 } else { self.quadratic / (self.squares * self.squares) }
    }
}

/// The shares of both parts of m assets, V_r / (V_l + V_r) and V_l / (V_l + V_r); none where neither has a variance.
fn shares(left: Part, right: Part, m: usize) -> Option<(f64, f64)> {
    let (v_l, v_r) = (left.variance(m / 2), right.variance(m - m / 2));
    let total = v_l + v_r;
    if total <= 0.0 { None } else { Some((v_r / total, v_l / total)) }
}

impl View<'_> {
    /// sum of C_ij u_i u_j over i of `rows` and j of `columns`.
    #[inline(always)]
    fn cross(&self, rows: &[usize], columns: &[usize]) -> f64 {
        let mut sum = 0.0;
        for &i in rows {
            let row = &self.correlation[i * self.n..(i + 1) * self.n];
            let (fours, rest) = columns.as_chunks::<4>();
            let mut sums = [0.0; 4];
            for four in fours {
                for k in 0..4 {
                    sums[k] += row[four[k]] * self.inverse[four[k]];
                }
            }
            let rest: f64 = rest.iter().map(|&j| row[j] * self.inverse[j]).sum();
            sum += self.inverse[i] * ((sums[0] + sums[1]) + (sums[2] + sums[3]) + rest);
        }
        sum
    }
}

/// Splits `order`, multiplies the weights of each part by its shares and returns what the variance of the whole is made
/// of. A pair of assets is visited once in all, in the smallest part that holds both.
fn bisect(view: &View, order: &[usize], weights: &mut [f64]) -> Option<Part> {
    if let &[asset] = order {
        return Some(Part::single(view.inverse[asset]));
    }
    let (left, right) = order.split_at(order.len() / 2);
    let (l, r) = (bisect(view, left, weights)?, bisect(view, right, weights)?);
    let (to_left, to_right) = shares(l, r, order.len())?;
    left.iter().for_each(|&i| weights[i] *= to_left);
    right.iter().for_each(|&i| weights[i] *= to_right);
    let across = if order.len() < view.n { view.cross(left, right) } else { 0.0 };
    Some(Part {
        quadratic: l.quadratic + r.quadratic + 2.0 * across,
        size: l.size + r.size,
        squares: l.squares + r.squares,
    })
}

/// The certificate: the variance of every part is summed afresh, row by row.
fn largest_split_error(view: &View, order: &[usize], weights: &[f64]) -> f64 {
    if order.len() < 2 {
        return 0.0;
    }
    let (left, right) = order.split_at(order.len() / 2);
    let part = |assets: &[usize]| {
        let mut part = Part { quadratic: 0.0, size: 0.0, squares: 0.0 };
        for (k, &i) in assets.iter().enumerate() {
            let u = view.inverse[i];
            part.quadratic += u * u + 2.0 * view.cross(&[i], &assets[k + 1..]);
            part.size += u;
            part.squares += u * u;
        }
        part
    };
    let held = |assets: &[usize]| assets.iter().map(|&i| weights[i]).sum::<f64>();
    let (w_l, w_r) = (held(left), held(right));
    let error = if w_l + w_r == 0.0 {
        0.0
    } else {
        let shares = shares(part(left), part(right), order.len());
        shares.map_or(f64::NAN, |(to_left, _)| (w_l / (w_l + w_r) - to_left).abs())
    };
    [error, largest_split_error(view, left, weights), largest_split_error(view, right, weights)]
        .into_iter()
        .fold(0.0, |m: f64, e| if m.is_nan() || e <= m { m } else { e })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solved(correlation: &[f64], volatilities: &[f64]) -> (Found, Vec<f64>, Vec<usize>) {
        let mut work = Workspace::default();
        let mut weights = vec![0.0; volatilities.len()];
        let found = solve(correlation, volatilities, &mut work, &mut weights);
        (found, weights, work.order().to_vec())
    }

    fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance)
    }

    fn equal(n: usize, correlation: f64) -> Vec<f64> {
        (0..n * n).map(|k| if k / n == k % n { 1.0 } else { correlation }).collect()
    }

    struct Sequence(u64);

    impl Sequence {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }

        /// Random loadings on n + 1 factors; correlations of few values, thus many ties, where `coarse`.
        fn model(&mut self, n: usize, coarse: bool) -> (Vec<f64>, Vec<f64>) {
            let loadings: Vec<Vec<f64>> = (0..n).map(|_| (0..=n).map(|_| self.next() - 0.3).collect()).collect();
            let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let volatilities: Vec<f64> = loadings.iter().map(|a| product(a, a).sqrt()).collect();
            let mut correlation = equal(n, 0.0);
            for i in 0..n {
                for j in 0..i {
                    let c = product(&loadings[i], &loadings[j]) / (volatilities[i] * volatilities[j]);
                    let c = if coarse { (c * 8.0).round() / 16.0 } else { c };
                    (correlation[i * n + j], correlation[j * n + i]) = (c, c);
                }
            }
            (correlation, volatilities)
        }
    }

    /// The leaves by the words of the definition: all pairs sorted, clusters as lists.
    fn leaves_by_definition(correlation: &[f64], n: usize) -> (Vec<usize>, f64) {
        let key = |i: usize, j: usize| (correlation[i * n + j] * KEYS).round_ties_even() as i64;
        let mut pairs: Vec<(i64, usize, usize)> =
            (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).map(|(i, j)| (-key(i, j), i, j)).collect();
        pairs.sort_unstable();
        let mut clusters: Vec<Option<Vec<usize>>> = (0..n).map(|i| Some(vec![i])).collect();
        let mut heights = Vec::new();
        for (key, i, j) in pairs {
            let of = |asset: usize| {
                clusters
                    .iter()
                    .position(|c| c.as_ref().is_some_and(|c| c.contains(&asset)))
                    .expect("every asset is in one")
            };
            let (a, b) = (of(i).min(of(j)), of(i).max(of(j)));
            if a != b {
                let mut left = clusters[a].take().unwrap();
                left.extend(clusters[b].take().unwrap());
                clusters.push(Some(left));
                heights.push(-key);
            }
        }
        let margin = heights.windows(2).map(|two| (two[0] - two[1]) as f64 / KEYS).fold(f64::INFINITY, f64::min);
        (clusters.pop().flatten().unwrap_or_default(), margin)
    }

    #[test]
    fn hand_examples_are_met_as_fractions() {
        // All pairs tie: (0, 1), (0, 2), (0, 3); a leaf has a smaller number than a merged cluster, so each new leaf
        // goes to the left.
        let (found, weights, order) = solved(&equal(4, 0.5), &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!((order, found.margin, found.status), (vec![3, 2, 0, 1], 0.0, Status::Converged));
        let expected = [5328.0 / 7535.0, 1332.0 / 7535.0, 112.0 / 1507.0, 63.0 / 1507.0];
        assert!(close(&weights, &expected, 1e-15) && found.split_error < 1e-15, "{weights:?}");

        // (0, 2) and (1, 3) tie: (0, 2) is merged first, as cluster 4.
        let (a, b) = (0.25, 0.75);
        let pairs = [1.0, a, b, a, a, 1.0, a, b, b, a, 1.0, a, a, b, a, 1.0];
        let (_, weights, order) = solved(&pairs, &[1.0, 1.0, 2.0, 2.0]);
        assert_eq!(order, [0, 2, 1, 3]);
        assert!(close(&weights, &[0.4, 0.4, 0.1, 0.1], 1e-15), "{weights:?}");

        // Odd size: the left part is the smaller one.
        let (found, weights, order) = solved(&[1.0, -0.5, 0.25, -0.5, 1.0, 0.5, 0.25, 0.5, 1.0], &[1.0; 3]);
        assert_eq!((order, found.margin), (vec![0, 1, 2], 0.25));
        assert!(close(&weights, &[3.0 / 7.0, 2.0 / 7.0, 2.0 / 7.0], 1e-15), "{weights:?}");
    }

    #[test]
    fn small_problems_have_closed_forms() {
        let (found, weights, order) = solved(&[1.0], &[0.2]);
        assert_eq!((found.status, found.split_error, found.volatility), (Status::Converged, 0.0, 0.2));
        assert_eq!((found.margin, weights, order), (f64::INFINITY, vec![1.0], vec![0]));
        // Two assets: inverse variance, whatever their correlation.
        for rho in [-0.9, 0.0, 0.7, 1.0] {
            let (found, weights, _) = solved(&[1.0, rho, rho, 1.0], &[1.0, 2.0]);
            assert!(close(&weights, &[0.8, 0.2], 1e-15) && found.margin == f64::INFINITY);
            let variance: f64 = 0.64 + 0.16 + 2.0 * 0.32 * rho;
            assert!((found.volatility - variance.sqrt()).abs() < 1e-15);
        }
        // Uncorrelated assets: inverse variance.
        let volatilities: Vec<f64> = (0..13_u8).map(|i| 0.1 + 0.02 * f64::from(i)).collect();
        let total: f64 = volatilities.iter().map(|s| s.powi(-2)).sum();
        let expected: Vec<f64> = volatilities.iter().map(|s| s.powi(-2) / total).collect();
        assert!(close(&solved(&equal(13, 0.0), &volatilities).1, &expected, 1e-15));
    }

    #[test]
    fn leaves_are_those_of_the_definition_ties_included() {
        let mut sequence = Sequence(1);
        let mut ties = 0;
        for case in 0..400 {
            let n = 1 + case % 23;
            let (correlation, volatilities) = sequence.model(n, case % 2 == 0);
            let (found, weights, order) = solved(&correlation, &volatilities);
            assert_eq!((order, found.margin), leaves_by_definition(&correlation, n), "case {case}");
            ties += usize::from(found.margin == 0.0);
            assert!(found.status == Status::Converged && found.split_error < 1e-14, "case {case}: {found:?}");
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-14 && weights.iter().all(|&w| w > 0.0));
        }
        assert!(ties > 100, "{ties} of 400 problems had ties");
    }

    #[test]
    fn keys_are_rounded_half_to_even() {
        for c in [
            -1.0,
            -0.75,
            0.0,
            0.3,
            0.5 / KEYS,
            1.5 / KEYS,
            2.5 / KEYS,
            -0.5 / KEYS,
            -1.5 / KEYS,
            1.0 - f64::EPSILON,
            1.0,
        ] {
            let key = (c * KEYS).round_ties_even() + KEYS;
            assert_eq!((code(c, 7, 3) >> 32) as f64, key, "{c}");
            assert_eq!(pair(code(c, 7, 3)), (3, 7));
        }
        assert!(code(0.5, 0, 9) > code(0.5, 1, 2) && code(0.5, 1, 2) > code(0.5, 1, 3));
    }

    #[test]
    fn the_split_error_tells_other_weights_apart() {
        let mut sequence = Sequence(2);
        let (correlation, volatilities) = sequence.model(11, false);
        let (found, mut weights, order) = solved(&correlation, &volatilities);
        let error = |weights: &[f64]| split_error(&order, &correlation, &volatilities, weights);
        assert_eq!(error(&weights), found.split_error);
        let scaled: Vec<f64> = weights.iter().map(|w| w * 3.0).collect();
        assert!(error(&scaled) < 1e-14);
        weights[4] += 0.01;
        assert!(error(&weights) > 1e-3);
        assert!(error(&[f64::NAN; 11]).is_nan());
    }

    #[test]
    fn parts_without_variance_take_all_or_leave_nothing_to_decide() {
        // No covariance is like this beyond three assets, but rounding makes such: both halves are hedged.
        let (found, weights, _) = solved(&equal(4, -1.0), &[1.0; 4]);
        assert_eq!(found.status, Status::NoSolution);
        assert!(weights.iter().all(|w| w.is_nan()) && found.split_error.is_nan() && found.volatility.is_nan());
        // Leaves 0, 1, 2: against an asset of some variance, the hedged pair is held alone.
        let (found, weights, order) = solved(&[1.0, 0.5, 0.5, 0.5, 1.0, -1.0, 0.5, -1.0, 1.0], &[1.0; 3]);
        assert_eq!(order, [2, 0, 1]);
        assert_eq!(found.status, Status::Converged);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn units_and_earlier_problems_do_not_matter() {
        let mut sequence = Sequence(3);
        let mut work = Workspace::default();
        for n in [14, 2, 33, 5] {
            let (correlation, volatilities) = sequence.model(n, false);
            let (found, weights, order) = solved(&correlation, &volatilities);
            let unit = 2.0_f64.powi(-33);
            let scaled: Vec<f64> = volatilities.iter().map(|s| s * unit).collect();
            let mut same = vec![0.0; n];
            let other = solve(&correlation, &scaled, &mut work, &mut same);
            assert_eq!(other, Found { volatility: found.volatility * unit, ..found });
            assert_eq!((weights, order.as_slice()), (same, work.order()));
        }
    }

    #[test]
    fn what_is_not_a_number_ends_too() {
        let (found, _, order) = solved(&equal(5, f64::NAN), &[1.0; 5]);
        assert_eq!((found.status, order.len()), (Status::Stalled, 5));
        assert_eq!(solved(&[], &[]).1, Vec::<f64>::new());
    }
}
