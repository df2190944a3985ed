// The covariance of a resample from its moments.
// Prepended: alias real, const N, correlate.wgsl, certify.wgsl or solve.wgsl (var shape).
//
//     S_ij = (M_ij - m_i m_j / W) / D        W = M_00, the sum of what rows count: T, and D = T - 1, where all count alike

// Packed by rows of the lower triangle, asset i at i + 1: entry (i + 1, 0) is its sum m_i.
@group(0) @binding(1) var<storage, read> moments: array<real>;

const ENTRIES = (N + 1u) * (N + 2u) / 2u;

fn at(i: u32, j: u32) -> u32 {
    return i * (i + 1u) / 2u + j;
}

// From M_ij and m_i m_j / W.
fn centred(moment: real, means: real) -> real {
    return (moment - means) / real(shape.divisor);
}

// Whether all rows of a problem were drawn, from M_00: what found no room is missing there. Where `shape.total` is zero
// nothing can be missing, and problems differ in what their rows count together.
fn complete(total: real) -> bool {
    let whole = real(shape.total);
    return select(total == real(shape.rows), whole == 0.0 || abs(total - whole) <= 1e-5 * whole, shape.rows == 0u);
}

// Whether a variance is more than rounding of its moment. Where all rows count alike moments are of the order of those of
// the history, and whoever reads the volatility sees it; where few rows count the most, or those of a window, only here.
fn resolved(variance: real, moment: real) -> bool {
    return variance > select(0.0, 0.125 * moment, shape.rows == 0u);
}

fn covariance(problem: u32, a: u32, b: u32) -> real {
    let base = problem * ENTRIES;
    let i = max(a, b) + 1u;
    let j = min(a, b) + 1u;
    let mean = moments[base + at(i, 0u)] / moments[base];
    return centred(moments[base + at(i, j)], mean * moments[base + at(j, 0u)]);
}
