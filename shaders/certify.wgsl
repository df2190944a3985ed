// Stage `certify`: weights, and how far they are from the budgets by fresh arithmetic against the covariance that was
// built; one workgroup per problem. Twin of src/methods/risk_budgeting/certificate.rs.
// Prepended: alias real, const LANES (a power of two), COMPARISONS, cells.wgsl, certificate.wgsl, across_lanes.wgsl. Follows:
// covariance.wgsl or certify_correlations.wgsl (fn covariance).
//
//     w_i = (y_i / (s_i sigma_i)) / sum         x_i = w_i sigma_i
//     rc_error = max_i |x_i (S x)_i / x'S x - b_i| / b_i         kappa = max_i (|S| x)_i / |(S x)_i|

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
// Interleaved: y_i of problem p at i P + p; else per problem, padded to whole quads.
@group(0) @binding(3) var<storage, read> positions: array<real>;
// (budget, sigma) per asset: sigma the full-sample volatility, relative to a power of two near the largest.
@group(0) @binding(4) var<storage, read> assets: array<vec2<real>>;
@group(0) @binding(5) var<storage, read> states: array<State>;
@group(0) @binding(6) var<storage, read_write> weights: array<real>;
@group(0) @binding(7) var<storage, read_write> certificates: array<Certificate>;

// Rows a lane takes.
const OWN = (N + LANES - 1u) / LANES;
const ROW_TILE = 64u;
const HUGE = real(1e30);

// x over its largest entry, so that no square leaves the range.
var<workgroup> x: array<real, N>;
// Huge where it is not a number, so that a maximum cannot lose it.
fn number(value: real) -> real {
    return select(HUGE, value, value < HUGE);
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

    var sum = real(0.0);
    var smallest = HUGE;
    for (var i = lane; i < N; i += LANES) {
        let s = volatilities[problem * N + i];
        smallest = min(smallest, s);
        var y: real;
        if (INTERLEAVED) {
            y = positions[i * shape.problems + problem];
        } else {
            y = positions[problem * PADDED + i];
        }
        x[i] = y / (s * assets[i].y);
        sum += x[i];
    }
    smallest = -largest(lane, -smallest);
    sum = total(lane, sum);

    var peak = real(0.0);
    for (var i = lane; i < N; i += LANES) {
        let w = x[i] / sum;
        weights[problem * N + i] = w;
        x[i] = w * assets[i].y;
        peak = max(peak, x[i]);
    }
    peak = largest(lane, peak);
    for (var i = lane; i < N; i += LANES) {
        x[i] /= peak;
    }
    workgroupBarrier();

    // Each lane's rows of S x; long rows in tiles, so that rounding stays of their order.
    var shares: array<real, OWN>;
    var kappa = real(0.0);
    var variance = real(0.0);
    var inverse_variance = real(0.0);
    var equal_variance = real(0.0);
    var inverse_total = real(0.0);
    for (var i = lane; i < N; i += LANES) {
        var product = real(0.0);
        var size = real(0.0);
        var inverse = real(0.0);
        var equal = real(0.0);
        for (var tile = 0u; tile < N; tile += ROW_TILE) {
            var part = vec4<real>();
            for (var j = tile; j < min(tile + ROW_TILE, N); j++) {
                let s_ij = covariance(problem, i, j);
                part.x += s_ij * x[j];
                part.y += abs(s_ij) * x[j];
                if (COMPARISONS) {
                    part.z += s_ij / volatilities[problem * N + j];
                    part.w += s_ij * assets[j].y;
                }
            }
            product += part.x;
            size += part.y;
            inverse += part.z;
            equal += part.w;
        }
        shares[i / LANES] = x[i] * product;
        variance += x[i] * product;
        kappa = max(kappa, number(size / abs(product)));
        if (COMPARISONS) {
            let s = volatilities[problem * N + i];
            inverse_variance += inverse / s;
            inverse_total += 1.0 / (s * assets[i].y);
            equal_variance += equal * assets[i].y;
        }
    }
    variance = total(lane, variance);
    kappa = largest(lane, kappa);
    var error = real(0.0);
    for (var i = lane; i < N; i += LANES) {
        let budget = assets[i].x;
        error = max(error, number(abs(shares[i / LANES] / variance - budget) / budget));
    }
    error = largest(lane, error);

    var certificate: Certificate;
    certificate.rc_error = error;
    certificate.kappa = kappa;
    certificate.volatility = peak * sqrt(variance);
    certificate.smallest = smallest;
    certificate.sweeps = real(states[problem].sweeps);
    if (COMPARISONS) {
        let inverse_deviation = sqrt(total(lane, inverse_variance));
        certificate.inverse_volatility = inverse_deviation / total(lane, inverse_total);
        certificate.equal_weight = sqrt(total(lane, equal_variance)) / real(N);
    }
    if (lane == 0u) {
        certificates[problem] = certificate;
    }
}
