// Volatilities and correlations from moments, two passes; twin of `correlate` in src/covariance/mod.rs.
// Prepended: alias real, cells.wgsl. Follows: covariance.wgsl (const ENTRIES, fn at, covariance, complete, resolved).
//
//     s_i = sqrt(S_ii)        C_ij = S_ij / (s_i s_j)

struct Shape {
    problems: u32,
    // T, the sum of the counts; zero where rows are weighed.
    rows: u32,
    // Of sums of squares: T - 1, or one where it is in the weights.
    divisor: u32,
    // What rows count together, where they are weighed.
    total: f32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read_write> volatilities: array<real>;
@group(0) @binding(3) var<storage, read_write> correlations: array<real>;

@compute @workgroup_size(64)
fn volatility(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let k = (group.y * groups.x + group.x) * 64u + lane;
    if (k < shape.problems * N) {
        let variance = covariance(k / N, k % N, k % N);
        // Zero where rounding has eaten the variance, or where a draw had no room: `certify` refuses such a problem.
        let drawn = complete(moments[k / N * ENTRIES]);
        let moment = moments[k / N * ENTRIES + at(k % N + 1u, k % N + 1u)];
        volatilities[k] = select(real(0.0), sqrt(variance), drawn && resolved(variance, moment));
    }
}

@compute @workgroup_size(64)
fn correlate(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let k = (group.y * groups.x + group.x) * 64u + lane;
    if (k >= shape.problems * CELLS) {
        return;
    }
    let here = cell(k, shape.problems);
    var c = real(0.0);
    if (here.i < N && here.j < N) {
        let scale = volatilities[here.problem * N + here.i] * volatilities[here.problem * N + here.j];
        if (here.i == here.j) {
            c = 1.0;
        } else if (scale > 0.0) {
            c = covariance(here.problem, here.i, here.j) / scale;
        }
    }
    correlations[k] = c;
}
