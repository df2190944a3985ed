// Hierarchical risk parity (Lopez de Prado 2016), one workgroup a problem, one asset a lane; twin of
// src/methods/hierarchical.rs.
// Prepended: others.wgsl, proof.wgsl, const EPSILON of the precision. LANES is at least N.
//
// The tree is the spanning tree of largest correlations (Prim 1957). Correlations that are wrong by less than half the margin
// between two successive merges give the same order of leaves: what lies nearer is left to the CPU by whoever reads `margin`.

const NOBODY = 0xFFFFFFFFu;

// Pairs that merge, as they were found, and in their order.
var<workgroup> merge_c: array<real, N>;
var<workgroup> merge_i: array<u32, N>;
var<workgroup> merge_j: array<u32, N>;
var<workgroup> ranked: array<u32, N>;
// A union-find forest; what it says besides parents counts at roots. And the asset to the right of each in its cluster.
var<workgroup> above: array<u32, N>;
var<workgroup> number: array<u32, N>;
var<workgroup> first: array<u32, N>;
var<workgroup> last: array<u32, N>;
var<workgroup> next: array<u32, N>;
// Leaves from left to right.
var<workgroup> leaves: array<u32, N>;
// By leaf: u = 1 / sigma, rows of products, weights.
var<workgroup> inverse: array<real, N>;
var<workgroup> row: array<real, N>;
var<workgroup> weight: array<real, N>;
var<workgroup> index: array<u32, LANES>;

// The lane of the largest value, the first of equals.
fn leader(lane: u32, value: real) -> u32 {
    partial[lane] = value;
    index[lane] = lane;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            let other = partial[lane + half];
            if (other > partial[lane] || other == partial[lane] && index[lane + half] < index[lane]) {
                partial[lane] = other;
                index[lane] = index[lane + half];
            }
        }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&index[0]);
}

// Finds the pairs that merge.
fn span(problem: u32, lane: u32) {
    // The best pair that ties this lane's asset to the tree.
    var best = -HUGE;
    var tied_to = 0u;
    var outside = lane > 0u && lane < N;
    var newest = 0u;
    for (var k = 0u; k + 1u < N; k++) {
        if (outside) {
            let c = correlation(problem, newest, lane);
            if (c > best) {
                best = c;
                tied_to = newest;
            }
        }
        newest = leader(lane, select(-2.0 * HUGE, best, outside));
        if (lane == newest) {
            merge_c[k] = best;
            merge_i[k] = tied_to;
            merge_j[k] = lane;
            outside = false;
        }
    }
    workgroupBarrier();
}

// Sorts them, and returns the smallest difference of two that follow one another.
fn sort(lane: u32) -> real {
    if (lane < N) {
        ranked[lane] = lane;
    }
    workgroupBarrier();
    if (lane + 1u < N) {
        let c = merge_c[lane];
        var rank = 0u;
        for (var k = 0u; k + 1u < N; k++) {
            let other = merge_c[k];
            rank += select(0u, 1u, other > c || other == c && k < lane);
        }
        ranked[rank] = lane;
    }
    workgroupBarrier();
    var margin = HUGE;
    if (lane + 2u < N) {
        margin = merge_c[ranked[lane]] - merge_c[ranked[lane + 1u]];
    }
    return smallest(lane, margin);
}

fn root(asset: u32) -> u32 {
    var node = asset;
    while (above[node] != node) {
        above[node] = above[above[node]];
        node = above[node];
    }
    return node;
}

// Merges the clusters and lists the leaves; by one lane.
fn arrange(lane: u32) {
    if (lane < N) {
        above[lane] = lane;
        number[lane] = lane;
        first[lane] = lane;
        last[lane] = lane;
        next[lane] = lane;
    }
    workgroupBarrier();
    if (lane == 0u) {
        for (var k = 0u; k + 1u < N; k++) {
            let a = root(merge_i[ranked[k]]);
            let b = root(merge_j[ranked[k]]);
            let a_first = number[a] < number[b];
            let left = select(b, a, a_first);
            let right = select(a, b, a_first);
            next[last[left]] = first[right];
            last[left] = last[right];
            number[left] = N + k;
            above[right] = left;
        }
        var leaf = first[root(0u)];
        for (var at = 0u; at < N; at++) {
            leaves[at] = leaf;
            leaf = next[leaf];
        }
    }
    workgroupBarrier();
}

// The part of the list that a leaf is in, and where it is split: none where it is single.
struct Part {
    begin: u32,
    middle: u32,
    end: u32,
}

fn part(begin: u32, end: u32) -> Part {
    return Part(begin, begin + (end - begin) / 2u, end);
}

// The half that a leaf is in.
fn half_of(at: u32, whole: Part) -> Part {
    if (at < whole.middle) {
        return part(whole.begin, whole.middle);
    }
    return part(whole.middle, whole.end);
}

// V = sum C_ij u_i u_j / (sum u_i^2)^2 over leaves from `begin` to `end`, rows being summed; zero where it is rounding.
fn variance_of(begin: u32, end: u32) -> real {
    var sum = real(0.0);
    var size = real(0.0);
    var squares = real(0.0);
    for (var at = begin; at < end; at++) {
        sum += row[at];
        size += inverse[at];
        squares += inverse[at] * inverse[at];
    }
    let rounding = real(end - begin) * EPSILON * size * size;
    return select(real(0.0), sum / (squares * squares), sum > rounding);
}

// The shares of both halves of a part, V_r / (V_l + V_r) and V_l / (V_l + V_r), once rows are summed within halves.
fn shares(whole: Part) -> vec2<real> {
    let left = variance_of(whole.begin, whole.middle);
    let right = variance_of(whole.middle, whole.end);
    // Where neither has a variance there is no answer.
    return select(vec2<real>(-HUGE), vec2<real>(right, left) / (left + right), left + right > 0.0);
}

// Sums the row of a leaf within its half.
fn sum_row(problem: u32, at: u32, whole: Part) {
    if (at < N && whole.end - whole.begin > 1u) {
        let within = half_of(at, whole);
        var sum = real(0.0);
        for (var other = within.begin; other < within.end; other++) {
            sum += correlation(problem, leaves[at], leaves[other]) * inverse[other];
        }
        row[at] = sum * inverse[at];
    }
}

@compute @workgroup_size(LANES)
fn hierarchical(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let problem = group.y * groups.x + group.x;
    if (problem >= shape.problems) {
        return;
    }
    span(problem, lane);
    let margin = sort(lane);
    arrange(lane);

    var own = HUGE;
    if (lane < N) {
        own = volatility(problem, leaves[lane]);
    }
    let least = smallest(lane, own);
    if (lane < N) {
        inverse[lane] = least / own;
    }
    // Powers of what is smaller leave the range of single precision.
    let tells = smallest(lane, select(HUGE, least / own, lane < N)) > 1e-9;
    workgroupBarrier();

    // Splits, until all parts are single.
    var mine = real(1.0);
    var whole = part(0u, N);
    for (var length = N; length > 1u; length = (length + 1u) / 2u) {
        sum_row(problem, lane, whole);
        workgroupBarrier();
        if (lane < N && whole.end - whole.begin > 1u) {
            let both = shares(whole);
            mine *= select(both.y, both.x, lane < whole.middle);
            whole = half_of(lane, whole);
        }
        workgroupBarrier();
    }
    if (lane < N) {
        weight[lane] = mine;
        weights[problem * N + leaves[lane]] = mine;
    }
    workgroupBarrier();

    // The certificate: shares of the weights as they are returned against variances that are summed afresh.
    var error = real(0.0);
    whole = part(0u, N);
    for (var length = N; length > 1u; length = (length + 1u) / 2u) {
        sum_row(problem, lane, whole);
        workgroupBarrier();
        if (lane < N && whole.end - whole.begin > 1u) {
            var left = real(0.0);
            var right = real(0.0);
            for (var at = whole.begin; at < whole.end; at++) {
                left += select(real(0.0), weight[at], at < whole.middle);
                right += select(weight[at], real(0.0), at < whole.middle);
            }
            let off = abs(left / (left + right) - shares(whole).x);
            if (left + right != 0.0) {
                error = max(error, select(HUGE, off, off < HUGE));
            }
            whole = half_of(lane, whole);
        }
        workgroupBarrier();
    }
    error = largest(lane, error);

    // x = w sigma, in units of the least volatility: w_i / u_i.
    var share = real(0.0);
    if (lane < N) {
        for (var other = 0u; other < N; other++) {
            share += correlation(problem, leaves[lane], leaves[other]) * (weight[other] / inverse[other]);
        }
        share *= weight[lane] / inverse[lane];
    }
    let variance = total(lane, share);
    if (lane == 0u) {
        let good = least > 0.0 && variance > 0.0 && tells;
        proofs[problem] = Proof(error, margin, least * sqrt(variance), select(real(0.0), real(1.0), good));
    }
}
