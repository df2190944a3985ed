// Volatilities and correlations from moments, two passes; twin of `correlate` in src/covariance.rs.
// Prepended: alias real, const N, INTERLEAVED.
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
// Interleaved: strict lower triangle, entry e of problem p at e P + p. Else per problem full, rows and columns padded
// with zeros to a multiple of four.
@group(0) @binding(3) var<storage, read_write> correlations: array<real>;

const ENTRIES = (N + 1u) * (N + 2u) / 2u;
const PADDED = (N + 3u) / 4u * 4u;
const CELLS = max(1u, select(PADDED * PADDED, N * (N - 1u) / 2u, INTERLEAVED));

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
    var problem: u32;
    var i: u32;
    var j: u32;
    if (INTERLEAVED) {
        problem = k % shape.problems;
        let e = k / shape.problems;
        i = 1u;
        while (i * (i + 1u) / 2u <= e) {
            i += 1u;
        }
        j = e - i * (i - 1u) / 2u;
    } else {
        problem = k / CELLS;
        i = k % CELLS / PADDED;
        j = k % PADDED;
    }
    var c = real(0.0);
    if (i < N && j < N) {
        let scale = volatilities[problem * N + i] * volatilities[problem * N + j];
        if (i == j) {
            c = 1.0;
        } else if (scale > 0.0) {
            c = covariance(problem, max(i, j), min(i, j)) / scale;
        }
    }
    correlations[k] = c;
}
