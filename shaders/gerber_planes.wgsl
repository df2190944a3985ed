// Bits of 32 rows of the history a word: where an asset of a problem is far from zero, and where it is below; and how often
// each row was drawn, bit by bit. One workgroup a problem and word, assets by lanes. Twin of `Mark` in
// src/covariance/estimator/gerber.rs, which marks drawn rows.
// Prepended: alias real, const N, LANES (32 or more), NEAR (a few eps), gerber_range.wgsl. Follows: rows_counted.wgsl (fn
// weight).
//
//     active_iw = sum_b 2^b [|x_i| >= c s0_i]        x_i = z_i + mean_i / sigma_i of row 32 w + b
//     negative_iw = active_iw & sum_b 2^b [x_i < 0]
//     drawn_kw = sum_b 2^b [bit k of the count of that row]
//
// Comparisons are those of double precision, or the problem is left to the CPU: where a drawn row is nearer to its threshold
// than rounding, the volatility of the asset becomes zero, which `certify` refuses.

@group(0) @binding(1) var<storage, read> panel: array<real>;
// Standardised; and the mean of each asset over the history, in units of its volatility there.
@group(0) @binding(3) var<storage, read_write> volatilities: array<real>;
@group(0) @binding(4) var<storage, read> offsets: array<real>;
// (active, negative): word after word of a problem, in each the assets.
@group(0) @binding(5) var<storage, read_write> planes: array<vec2<u32>>;
// Eight planes of counts: word after word of a problem.
@group(0) @binding(6) var<storage, read_write> drawn: array<u32>;

const C = real(0.5);

@compute @workgroup_size(LANES)
fn gerber_planes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let words = (range.rows + 31u) / 32u;
    let place = group.y * groups.x + group.x;
    let problem = place / words;
    if (problem >= range.problems) {
        return;
    }
    let first = 32u * (place % words);
    let word = problem * range.all_words + range.first_row / 32u + place % words;
    if (lane < 8u) {
        var plane = 0u;
        for (var b = 0u; b < 32u; b++) {
            if (first + b < range.rows) {
                let count = u32(weight(problem, range.first_row + first + b));
                plane |= extractBits(count, lane, 1u) << b;
            }
        }
        drawn[8u * word + lane] = plane;
    }
    let rows = real(range.all_rows);
    for (var i = lane; i < N; i += LANES) {
        // Another workgroup may write zero meanwhile: whatever comes of it, the problem is left to the CPU.
        let s = volatilities[problem * N + i];
        let threshold = C * sqrt((rows - 1.0) / rows) * s;
        // Its rounding: variances round at the order of the history's.
        let rounding = NEAR * (threshold * (1.0 + 1.0 / (s * s)) + abs(offsets[i]));
        let offset = offsets[i];
        var far = 0u;
        var negative = 0u;
        var near = 0u;
        for (var b = 0u; b < 32u && first + b < range.rows; b++) {
            let x = panel[(range.first_slice_row + first + b) * (N + 1u) + i + 1u] + offset;
            let size = abs(x);
            far |= select(0u, 1u << b, size >= threshold);
            negative |= select(0u, 1u << b, x < 0.0);
            // Not where that is no number either.
            near |= select(1u << b, 0u, abs(size - threshold) > rounding);
        }
        planes[word * N + i] = vec2<u32>(far, far & negative);
        if (near != 0u) {
            for (var b = 0u; b < 32u && first + b < range.rows; b++) {
                if ((near >> b & 1u) != 0u && weight(problem, range.first_row + first + b) > 0.0) {
                    volatilities[problem * N + i] = 0.0;
                }
            }
        }
    }
}
