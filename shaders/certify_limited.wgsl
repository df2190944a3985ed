// Stage `certify` within limits: how far weights are from the best by fresh arithmetic against the covariance that was
// built; one workgroup per problem. Twin of src/methods/risk_budgeting/limited/certificate.rs.
// Prepended: alias real, const LANES (a power of two), NEAR, UNCORRELATED (conditions are those of assets that have nothing
// in common), cells.wgsl, limits.wgsl, certificate.wgsl, across_lanes.wgsl. Follows: covariance.wgsl or
// certify_correlations.wgsl (fn covariance).
//
//     x_i = w_i sigma_i        s_i = x_i (S x)_i / x'S x
//     kkt_error = max_i |s_i - b_i + w_i (nu + z_i + m_g(i))| / b_i, and every violated limit
//     nu + m_g = - sum_F (s_i - b_i) / sum_F w_i over the free assets F of a part; without any, what the signs of z leave
//     kappa = max_i x_i (|S| x)_i / (b_i x'S x) over what is free, and their sum without b_i

struct Shape {
    problems: u32,
    // T, the sum of the counts; zero where rows are weighed.
    rows: u32,
    // Of sums of squares: T - 1, or one where it is in the weights.
    divisor: u32,
    // What rows count together, where they are weighed.
    total: f32,
}

// As in descent.wgsl.
struct State {
    sweeps: u32,
    done: u32,
    stalls: u32,
    best: f32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> volatilities: array<real>;
// Weights, as limit_quads.wgsl leaves them.
@group(0) @binding(3) var<storage, read> positions: array<real>;
// (budget, sigma) per asset, as in certify.wgsl.
@group(0) @binding(4) var<storage, read> assets: array<vec2<real>>;
@group(0) @binding(5) var<storage, read> states: array<State>;
@group(0) @binding(6) var<storage, read_write> weights: array<real>;
@group(0) @binding(7) var<storage, read_write> certificates: array<Certificate>;

const ROW_TILE = 64u;
const HUGE = real(1e30);

// A multiplier this clear of zero, relative to the terms of its condition, is no rounding.
const CLEAR = real(1e-5);

// What the sum of a group is at.
const LEAST = 1u;
const MOST = 2u;

// w sigma over its largest entry, so that no square leaves the range.
var<workgroup> x: array<real, N>;

// Of a lane's own assets, i at i / LANES: w, s_i - b_i, and x_i (|S| x)_i / x'S x.
const OWN = (N + LANES - 1u) / LANES;
var<private> w: array<real, OWN>;
var<private> left: array<real, OWN>;
var<private> sizes: array<real, OWN>;

// Of the groups: what their sums are at, and the multipliers that they may have.
var<private> ends: array<u32, PARTS>;
var<private> low: array<real, PARTS>;
var<private> high: array<real, PARTS>;

// Huge where it is not a number, so that a maximum cannot lose it.
fn number(value: real) -> real {
    return select(HUGE, value, value < HUGE);
}

fn is_least(i: u32) -> bool {
    return w[i / LANES] <= limits[i].x;
}

fn is_most(i: u32) -> bool {
    return w[i / LANES] >= limits[i].y;
}

// The group of an asset where its sum is at a limit, else the rest.
fn block_of(i: u32) -> u32 {
    let part = part_of(i);
    return select(GROUPS, part, ends[part] != 0u);
}

// The middle of an interval, its finite end, or zero.
fn middle(bottom: real, top: real) -> real {
    if (-HUGE < bottom) {
        return select(max(bottom, real(0.0)), 0.5 * (bottom + top), top < HUGE);
    }
    return select(real(0.0), min(top, real(0.0)), top < HUGE);
}

// Weights, and exposures over the largest, which is returned.
fn take(problem: u32, lane: u32) -> real {
    var peak = real(0.0);
    for (var i = lane; i < N; i += LANES) {
        if (INTERLEAVED) {
            w[i / LANES] = positions[i * shape.problems + problem];
        } else {
            w[i / LANES] = positions[problem * PADDED + i];
        }
        weights[problem * N + i] = w[i / LANES];
        x[i] = w[i / LANES] * assets[i].y;
        peak = max(peak, x[i]);
    }
    peak = largest(lane, peak);
    for (var i = lane; i < N; i += LANES) {
        x[i] /= peak;
    }
    workgroupBarrier();
    return peak;
}

// Shares less budgets, and sizes; returns x'S x. Long rows in tiles, so that rounding stays of their order.
fn share(problem: u32, lane: u32) -> real {
    var variance = real(0.0);
    var uncorrelated = real(0.0);
    for (var i = lane; i < N; i += LANES) {
        var product = real(0.0);
        var size = real(0.0);
        for (var tile = 0u; tile < N; tile += ROW_TILE) {
            var part = vec2<real>();
            for (var j = tile; j < min(tile + ROW_TILE, N); j++) {
                let term = covariance(problem, i, j) * x[j];
                part += vec2<real>(term, abs(term));
            }
            product += part.x;
            size += part.y;
        }
        variance += x[i] * product;
        left[i / LANES] = x[i] * product;
        sizes[i / LANES] = x[i] * size;
        if (UNCORRELATED) {
            left[i / LANES] = x[i] * covariance(problem, i, i) * x[i];
            sizes[i / LANES] = left[i / LANES];
            uncorrelated += left[i / LANES];
        }
    }
    variance = total(lane, variance);
    var whole = variance;
    if (UNCORRELATED) {
        whole = total(lane, uncorrelated);
    }
    for (var i = lane; i < N; i += LANES) {
        left[i / LANES] = left[i / LANES] / whole - assets[i].x;
        sizes[i / LANES] /= whole;
    }
    return variance;
}

// Violated limits, and which groups are at one.
fn violated(lane: u32) -> real {
    var own = real(0.0);
    var error = real(0.0);
    for (var i = lane; i < N; i += LANES) {
        own += w[i / LANES];
        error = max(error, max(limits[i].x - w[i / LANES], w[i / LANES] - limits[i].y));
    }
    error = max(largest(lane, error), abs(total(lane, own) - 1.0));
    for (var part = 0u; part < GROUPS; part++) {
        own = 0.0;
        for (var i = lane; i < N; i += LANES) {
            own += select(real(0.0), w[i / LANES], part_of(i) == part);
        }
        let sum = total(lane, own);
        let limit = limits[N + part];
        error = max(error, max(limit.x - sum, sum - limit.y));
        ends[part] = select(0u, LEAST, limit.x > 0.0 && sum <= limit.x * (1.0 + NEAR));
        ends[part] |= select(0u, MOST, limit.y < 1.0 && sum >= limit.y * (1.0 - NEAR));
    }
    ends[GROUPS] = 0u;
    return error;
}

// The interval that the signs of a block leave to its multiplier, or the mean of what is free.
fn bracket(block: u32, lane: u32) {
    var sum = real(0.0);
    var free = real(0.0);
    var bottom = -HUGE;
    var top = HUGE;
    for (var i = lane; i < N; i += LANES) {
        if (block_of(i) == block && !is_pinned(i)) {
            let own = -left[i / LANES] / w[i / LANES];
            if (is_most(i)) {
                top = min(top, own);
            } else if (is_least(i)) {
                bottom = max(bottom, own);
            } else {
                sum += left[i / LANES];
                free += w[i / LANES];
            }
        }
    }
    sum = total(lane, sum);
    free = total(lane, free);
    low[block] = largest(lane, bottom);
    high[block] = -largest(lane, -top);
    if (free > 0.0) {
        low[block] = -sum / free;
        high[block] = low[block];
    }
}

// A multiplier with the sign that it may have where a sum is.
fn projected(end: u32, multiplier: real) -> real {
    let upper = select(min(multiplier, real(0.0)), multiplier, (end & MOST) != 0u);
    return select(max(upper, real(0.0)), upper, (end & LEAST) != 0u);
}

@compute @workgroup_size(LANES)
fn certify(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let problem = group.y * groups.x + group.x;
    if (problem >= shape.problems) {
        return;
    }
    let peak = take(problem, lane);
    let variance = share(problem, lane);
    var error = violated(lane);

    for (var part = 0u; part < PARTS; part++) {
        bracket(part, lane);
    }
    var bottom = low[GROUPS];
    var top = high[GROUPS];
    if (bottom != top) {
        for (var part = 0u; part < GROUPS; part++) {
            top = select(top, min(top, high[part]), ends[part] == MOST);
            bottom = select(bottom, max(bottom, low[part]), ends[part] == LEAST);
        }
    }
    let nu = middle(bottom, top);
    var multipliers: array<real, PARTS>;
    multipliers[GROUPS] = nu;
    for (var part = 0u; part < GROUPS; part++) {
        var own = middle(low[part], high[part]);
        if (low[part] <= high[part]) {
            own = min(max(nu, low[part]), high[part]);
        }
        multipliers[part] = nu + projected(ends[part], own - nu);
    }

    var missed = real(0.0);
    var kappa = real(0.0);
    var size = real(0.0);
    var smallest = HUGE;
    for (var i = lane; i < N; i += LANES) {
        smallest = min(smallest, volatilities[problem * N + i]);
        size += sizes[i / LANES];
        let budget = assets[i].x;
        if (budget > 0.0) {
            missed = max(missed, number(abs(left[i / LANES]) / budget));
        }
        if (is_pinned(i)) {
            continue;
        }
        let rest = left[i / LANES] + w[i / LANES] * multipliers[block_of(i)];
        var wrong = abs(rest);
        if (is_most(i)) {
            wrong = max(rest, real(0.0));
        } else if (is_least(i)) {
            wrong = max(-rest, real(0.0));
        }
        error = max(error, number(wrong / budget));
        // What is clearly held is held however its share rounds.
        let held = wrong == 0.0 && abs(rest) > CLEAR * sizes[i / LANES];
        kappa = max(kappa, select(number(sizes[i / LANES] / budget), real(0.0), held));
    }

    var certificate: Certificate;
    certificate.kkt_error = largest(lane, error);
    certificate.rc_error = largest(lane, missed);
    certificate.kappa = max(largest(lane, kappa), total(lane, size));
    certificate.volatility = peak * sqrt(variance);
    certificate.smallest = -largest(lane, -smallest);
    certificate.sweeps = real(states[problem].sweeps);
    if (lane == 0u) {
        certificates[problem] = certificate;
    }
}
