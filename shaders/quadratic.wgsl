// Minimum variance and maximum diversification, one workgroup a problem; twin of src/methods/quadratic/mod.rs.
// Prepended: others.wgsl, proof.wgsl, const LEAST (whether variance is minimised), and of the precision: SINGULAR (pivots
// at or below it are left to the CPU), MISSING (an asset enters that is so much better, relative), TIED (one that is no worse
// by so much is as good) and SMALLEST (a number above zero).
//
//     minimise 1/2 y'C y - l'y, y >= 0        l_i = min sigma / sigma_i (minimum variance), 1 (maximum diversification)
//     w_i = (y_i / sigma_i) / sum             gap = 1 - min_i (C y)_i (l'y) / (l_i y'C y)
//
// Ten sweeps of coordinate descent, then an active set by Cholesky with one refinement. What rounding cannot tell is left to
// the CPU: assets held that nearly depend on one another, and assets not held that are as good as those held.

const SWEEPS = 10u;
// Factorisations at most: llvmpipe ends loops after 65,535 iterations in total.
const ROUNDS = 14u;
// Assets held at most: their factor, with the right side as one more row, is kept in workgroup memory.
const HELD = min(N, 64u);
const CELLS_HELD = (HELD + 1u) * (HELD + 2u) / 2u;
const NOBODY = 0xFFFFFFFFu;

var<workgroup> l: array<real, N>;
var<workgroup> y: array<real, N>;
// C y.
var<workgroup> p: array<real, N>;
var<workgroup> held: array<u32, HELD>;
// Of the assets held: solution, and what is left of the right side.
var<workgroup> z: array<real, HELD>;
var<workgroup> residual: array<real, HELD>;
// Lower triangle by rows, inverses on the diagonal.
var<workgroup> factor: array<real, CELLS_HELD>;
// What one lane tells all others.
var<workgroup> told: real;
var<workgroup> size: u32;
var<workgroup> chosen: u32;
var<workgroup> index: array<u32, LANES>;

fn entry(a: u32, b: u32) -> u32 {
    return a * (a + 1u) / 2u + b;
}

// Row i of C, a column a lane: p <- p + by C_i.
fn add_row(problem: u32, lane: u32, i: u32, by: real) {
    for (var j = lane; j < N; j += LANES) {
        p[j] += by * correlation(problem, i, j);
    }
}

// p = C y, afresh. A lane reads and writes its own columns of p alone.
fn product(problem: u32, lane: u32) {
    workgroupBarrier();
    for (var j = lane; j < N; j += LANES) {
        p[j] = 0.0;
    }
    for (var i = 0u; i < N; i++) {
        let by = y[i];
        if (by != 0.0) {
            add_row(problem, lane, i, by);
        }
    }
    workgroupBarrier();
}

fn inner(lane: u32) -> real {
    var sum = real(0.0);
    for (var j = lane; j < N; j += LANES) {
        sum += y[j] * p[j];
    }
    return total(lane, sum);
}

fn linear(lane: u32) -> real {
    var sum = real(0.0);
    for (var j = lane; j < N; j += LANES) {
        sum += l[j] * y[j];
    }
    return total(lane, sum);
}

// To the minimum on the ray. False where there is no variance that rounding leaves.
fn rescale(lane: u32) -> bool {
    var sum = real(0.0);
    for (var j = lane; j < N; j += LANES) {
        sum += y[j];
    }
    sum = total(lane, sum);
    let variance = inner(lane);
    let scale = linear(lane) / variance;
    if (!(variance > SINGULAR * sum * sum / real(N))) {
        return false;
    }
    for (var j = lane; j < N; j += LANES) {
        y[j] *= scale;
        p[j] *= scale;
    }
    return true;
}

// One step for every coordinate in turn. The owner of a coordinate alone keeps its y and p.
fn sweep(problem: u32, lane: u32) {
    for (var i = 0u; i < N; i++) {
        if (lane == i % LANES) {
            let change = max(l[i] - p[i], -y[i]);
            y[i] += change;
            told = change;
        }
        let change = workgroupUniformLoad(&told);
        if (change != 0.0) {
            add_row(problem, lane, i, change);
        }
    }
}

// Lists the assets held, in order; more than there is room for where there are more.
fn list(lane: u32) -> u32 {
    workgroupBarrier();
    if (lane == 0u) {
        var found = 0u;
        for (var i = 0u; i < N; i++) {
            if (y[i] > 0.0) {
                if (found < HELD) {
                    held[found] = i;
                }
                found += 1u;
            }
        }
        size = found;
    }
    return workgroupUniformLoad(&size);
}

// C_PP = L L', the right side l_P beside it, and z. False where a pivot is too small.
fn solve(problem: u32, lane: u32, m: u32) -> bool {
    for (var a = 0u; a <= m; a++) {
        for (var b = lane; b <= min(a, m - 1u); b += LANES) {
            var value = l[held[b]];
            if (a < m) {
                value = correlation(problem, held[a], held[b]);
            }
            factor[entry(a, b)] = value;
        }
    }
    workgroupBarrier();
    for (var k = 0u; k < m; k++) {
        if (lane == 0u) {
            told = factor[entry(k, k)];
        }
        let pivot = workgroupUniformLoad(&told);
        if (!(pivot > SINGULAR)) {
            return false;
        }
        let scale = 1.0 / sqrt(pivot);
        for (var a = k + lane; a <= m; a += LANES) {
            if (a == k) {
                factor[entry(k, k)] = scale;
            } else {
                factor[entry(a, k)] *= scale;
            }
        }
        workgroupBarrier();
        for (var a = k + 1u + lane; a <= m; a += LANES) {
            let by = factor[entry(a, k)];
            for (var b = k + 1u; b <= min(a, m - 1u); b++) {
                factor[entry(a, b)] -= by * factor[entry(b, k)];
            }
        }
        workgroupBarrier();
    }
    for (var a = lane; a < m; a += LANES) {
        z[a] = 0.0;
        residual[a] = factor[entry(m, a)];
    }
    back_substitute(lane, m);
    // Once more for what that leaves of l_P.
    for (var a = lane; a < m; a += LANES) {
        var rest = l[held[a]];
        for (var b = 0u; b < m; b++) {
            rest -= correlation(problem, held[a], held[b]) * z[b];
        }
        residual[a] = rest;
    }
    for (var k = 0u; k < m; k++) {
        workgroupBarrier();
        let solved = residual[k] * factor[entry(k, k)];
        workgroupBarrier();
        for (var a = k + lane; a < m; a += LANES) {
            if (a == k) {
                residual[k] = solved;
            } else {
                residual[a] -= factor[entry(a, k)] * solved;
            }
        }
    }
    back_substitute(lane, m);
    return true;
}

// z <- z + L'^-1 residual.
fn back_substitute(lane: u32, m: u32) {
    for (var k = m; k > 0u; k--) {
        workgroupBarrier();
        let solved = residual[k - 1u] * factor[entry(k - 1u, k - 1u)];
        workgroupBarrier();
        for (var b = lane; b < k; b += LANES) {
            if (b == k - 1u) {
                z[b] += solved;
            } else {
                residual[b] -= factor[entry(k - 1u, b)] * solved;
            }
        }
    }
    workgroupBarrier();
}

// y <- y + t (z - y): all the way, or until the first asset is at zero, which leaves. Whether one has left.
fn advance(lane: u32, m: u32) -> bool {
    if (lane == 0u) {
        var first = NOBODY;
        var least = real(2.0);
        for (var a = 0u; a < m; a++) {
            if (z[a] <= 0.0) {
                let at = y[held[a]];
                let t = select(real(0.0), at / (at - z[a]), at > 0.0);
                if (t < least) {
                    least = t;
                    first = a;
                }
            }
        }
        chosen = first;
        told = select(least, real(1.0), first == NOBODY);
    }
    let leaving = workgroupUniformLoad(&chosen);
    let t = workgroupUniformLoad(&told);
    for (var a = lane; a < m; a += LANES) {
        let i = held[a];
        y[i] = select(max(y[i] + t * (z[a] - y[i]), real(0.0)), z[a], leaving == NOBODY);
        if (a == leaving) {
            y[i] = 0.0;
        }
    }
    return leaving != NOBODY;
}

// The asset whose holding would lower the objective the most, and whether one is as good as those held.
struct Missing {
    asset: u32,
    tied: bool,
}

fn missing(lane: u32) -> Missing {
    var least = HUGE;
    var asset = NOBODY;
    for (var i = lane; i < N; i += LANES) {
        let ratio = p[i] / l[i];
        if (y[i] == 0.0 && ratio < least) {
            least = ratio;
            asset = i;
        }
    }
    partial[lane] = least;
    index[lane] = asset;
    workgroupBarrier();
    if (lane == 0u) {
        var best = 0u;
        for (var other = 1u; other < LANES; other++) {
            let same = partial[other] == partial[best] && index[other] < index[best];
            if (partial[other] < partial[best] || same) {
                best = other;
            }
        }
        chosen = index[best];
        told = partial[best];
    }
    let found = workgroupUniformLoad(&chosen);
    let ratio = workgroupUniformLoad(&told);
    return Missing(select(NOBODY, found, ratio < 1.0 - MISSING), ratio < 1.0 + TIED);
}

// Exact, from where the sweeps have ended. False where it is left to the CPU.
fn minimise(problem: u32, lane: u32) -> bool {
    var m = list(lane);
    for (var round = 0u; round < ROUNDS; round++) {
        if (m == 0u || m > HELD) {
            return false;
        }
        if (!solve(problem, lane, m)) {
            return false;
        }
        if (advance(lane, m)) {
            m = list(lane);
            continue;
        }
        product(problem, lane);
        let found = missing(lane);
        if (found.asset == NOBODY) {
            return !found.tied;
        }
        // As good as held: the smallest of numbers keeps its place.
        if (lane == 0u) {
            y[found.asset] = SMALLEST;
        }
        m = list(lane);
    }
    return false;
}

@compute @workgroup_size(LANES)
fn quadratic(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let problem = group.y * groups.x + group.x;
    if (problem >= shape.problems) {
        return;
    }
    var own = HUGE;
    for (var i = lane; i < N; i += LANES) {
        own = min(own, volatility(problem, i));
    }
    let least = smallest(lane, own);
    for (var i = lane; i < N; i += LANES) {
        l[i] = select(real(1.0), least / volatility(problem, i), LEAST);
        y[i] = l[i];
    }
    product(problem, lane);
    var good = least > 0.0;
    good = rescale(lane) && good;
    for (var k = 0u; k < SWEEPS; k++) {
        sweep(problem, lane);
        good = rescale(lane) && good;
    }
    good = minimise(problem, lane) && good;

    workgroupBarrier();
    var sum = real(0.0);
    for (var i = lane; i < N; i += LANES) {
        y[i] *= least / volatility(problem, i);
        sum += y[i];
    }
    sum = total(lane, sum);
    for (var i = lane; i < N; i += LANES) {
        let w = y[i] / sum;
        weights[problem * N + i] = w;
        // The same portfolio in correlation units, from the weights as they are returned.
        y[i] = w * (volatility(problem, i) / least);
    }
    product(problem, lane);
    let variance = inner(lane);
    own = HUGE;
    for (var i = lane; i < N; i += LANES) {
        own = min(own, p[i] / l[i]);
    }
    let gap = 1.0 - smallest(lane, own) * (linear(lane) / variance);
    if (lane == 0u) {
        proofs[problem] = Proof(gap, 0.0, least * sqrt(variance), select(real(0.0), real(1.0), good));
    }
}
