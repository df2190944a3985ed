// Volatilities and correlations from moments, two passes; twin of `correlate` in src/covariance.rs.
// Prepended: alias real, cells.wgsl.
//
//     S_ij = (M_ij - m_i m_j / T) / (T - 1)        s_i = sqrt(S_ii)        C_ij = S_ij / (s_i s_j)

struct Shape {
    problems: u32,
    // T.
    rows: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
// Packed by rows of the lower triangle, asset i at i + 1: entry (i + 1, 0) is its sum m_i.
@group(0) @binding(1) var<storage, read> moments: array<real>;
@group(0) @binding(2) var<storage, read_write> volatilities: array<real>;
@group(0) @binding(3) var<storage, read_write> correlations: array<real>;

const ENTRIES = (N + 1u) * (N + 2u) / 2u;

fn at(i: u32, j: u32) -> u32 {
    return i * (i + 1u) / 2u + j;
}

// S_ij for i >= j.
fn covariance(problem: u32, i: u32, j: u32) -> real {
    let base = problem * ENTRIES;
    let mean = moments[base + at(i + 1u, 0u)] / real(shape.rows);
    return (moments[base + at(i + 1u, j + 1u)] - mean * moments[base + at(j + 1u, 0u)]) / real(shape.rows - 1u);
}

@compute @workgroup_size(64)
fn volatility(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let k = (group.y * groups.x + group.x) * 64u + lane;
    if (k < shape.problems * N) {
        let variance = covariance(k / N, k % N, k % N);
        // Zero where rounding has eaten the variance, or where a draw had no room (counts then do not sum to T): `certify`
        // refuses such a problem.
        let drawn = moments[k / N * ENTRIES] == real(shape.rows);
        volatilities[k] = select(real(0.0), sqrt(variance), drawn && variance > 0.0);
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
            c = covariance(here.problem, max(here.i, here.j), min(here.i, here.j)) / scale;
        }
    }
    correlations[k] = c;
}
