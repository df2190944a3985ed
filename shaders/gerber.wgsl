// The Gerber statistic from planes of bits, a pair of assets a lane (Gerber et al. 2022); twin of
// src/covariance/estimator/gerber.rs.
// Prepended: alias real, cells.wgsl, gerber_range.wgsl.
//
//     both = sum_w sum_k 2^k popcount(active_iw & active_jw & drawn_kw)
//     apart, of these: negative_iw ^ negative_jw        moved: active_iw | active_jw
//     G_ij = (both - 2 apart) / moved
//
// Counts are integers, equal on every device.

@group(0) @binding(1) var<storage, read> planes: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> drawn: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> correlations: array<real>;

const LANES = 64u;
const PAIRS = N * (N - 1u) / 2u;
const BLOCKS = (PAIRS + LANES - 1u) / LANES;

fn counted(bits: u32, low: vec4<u32>, high: vec4<u32>) -> u32 {
    let few = countOneBits(vec4<u32>(bits) & low) << vec4<u32>(0u, 1u, 2u, 3u);
    let many = countOneBits(vec4<u32>(bits) & high) << vec4<u32>(4u, 5u, 6u, 7u);
    let all = few + many;
    return all.x + all.y + all.z + all.w;
}

// Row of the strict lower triangle, its first being 1, in which a packed entry lies.
fn row_of(e: u32) -> u32 {
    var i = u32((sqrt(8.0 * f32(e) + 1.0) + 1.0) * 0.5);
    // The square root may round across an integer.
    while (i * (i - 1u) / 2u > e) {
        i -= 1u;
    }
    while (i * (i + 1u) / 2u <= e) {
        i += 1u;
    }
    return i;
}

@compute @workgroup_size(LANES)
fn gerber(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let part = group.y * groups.x + group.x;
    let problem = range.first_problem + part / BLOCKS;
    if (problem >= range.problems) {
        return;
    }
    if (!INTERLEAVED && part % BLOCKS == 0u) {
        // The diagonal, and zeros where it pads.
        for (var i = lane; i < PADDED; i += LANES) {
            for (var j = N; j < PADDED; j++) {
                correlations[problem * CELLS + i * PADDED + j] = 0.0;
                correlations[problem * CELLS + j * PADDED + i] = 0.0;
            }
            correlations[problem * CELLS + i * PADDED + i] = select(real(0.0), real(1.0), i < N);
        }
    }
    let e = part % BLOCKS * LANES + lane;
    if (e >= PAIRS) {
        return;
    }
    let i = row_of(e);
    let j = e - i * (i - 1u) / 2u;
    var both = 0u;
    var apart = 0u;
    var moved = 0u;
    for (var w = problem * range.all_words; w < (problem + 1u) * range.all_words; w++) {
        let low = drawn[2u * w];
        let high = drawn[2u * w + 1u];
        let a = planes[w * N + i];
        let b = planes[w * N + j];
        both += counted(a.x & b.x, low, high);
        apart += counted(a.x & b.x & (a.y ^ b.y), low, high);
        moved += counted(a.x | b.x, low, high);
    }
    let statistic = (real(both) - 2.0 * real(apart)) / real(max(moved, 1u));
    correlations[place(problem, range.problems, i, j)] = statistic;
    if (!INTERLEAVED) {
        correlations[place(problem, range.problems, j, i)] = statistic;
    }
}
