// Stage `shrink`, the pass over the rows: fourth moments of the drawn rows in correlation units, one workgroup a problem, one
// row of a slice of the history a lane. Twin of src/covariance/estimator/fourth_moments.rs.
// Prepended: alias real, const N, CUBES (whether all sums are wanted, or the first alone). Follows: fourth_counts.wgsl or
// fourth_steps.wgsl (var range, fn weight).
//
//     y_i = z_i / s0_i - m_i / (T s0_i)        p = sum_i y_i    q = sum_i y_i^2    c = sum_i y_i^3    f = sum_i y_i^4
//     A = sum_t c_t q_t^2 / T                  B = sum_t c_t f_t / T               D = sum_t c_t c p / T
//
// The order of sums is fixed: assets by 64, a lane's slices, lanes by halves, dispatches in `fourth`.

// A slice of the standardised panel, asset by asset: N x `range.stride` rows.
@group(0) @binding(1) var<storage, read> columns: array<real>;
@group(0) @binding(4) var<storage, read> volatilities: array<real>;
@group(0) @binding(5) var<storage, read> moments: array<real>;
// (A, B, D) of each problem.
@group(0) @binding(6) var<storage, read_write> fourth: array<vec4<real>>;

const ENTRIES = (N + 1u) * (N + 2u) / 2u;
const SLICE = 256u;
// Assets whose units are held at a time, and whose powers are summed before they join the others.
const HELD = min(N, 256u);
const TOGETHER = 64u;

// y = z x - y of these, asset by asset.
var<workgroup> units: array<vec2<real>, HELD>;
var<workgroup> sums: array<vec4<real>, SLICE>;

fn hold(problem: u32, first: u32, lane: u32) {
    let i = first + lane;
    if (lane < HELD && i < N) {
        let rows = real(range.all_rows);
        let scale = sqrt(rows / (rows - 1.0)) / volatilities[problem * N + i];
        let mean = moments[problem * ENTRIES + (i + 1u) * (i + 2u) / 2u] / rows;
        units[lane] = vec2<real>(scale, mean * scale);
    }
}

// (q, f, c, p) of some assets, of which the units are held from `first` on.
fn powers(first: u32, begin: u32, end: u32, row: u32) -> vec4<real> {
    var sum = vec4<real>();
    for (var i = begin; i < end; i++) {
        let unit = units[i - first];
        let y = columns[i * range.stride + row] * unit.x - unit.y;
        let square = y * y;
        sum.x += square;
        if (CUBES) {
            sum.y += square * square;
            sum.z += square * y;
            sum.w += y;
        }
    }
    return sum;
}

@compute @workgroup_size(SLICE)
fn fourth_moments(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let problem = group.y * groups.x + group.x;
    if (problem >= range.problems) {
        return;
    }
    hold(problem, 0u, lane);
    workgroupBarrier();
    var sum = vec4<real>();
    for (var slice = 0u; slice < range.rows; slice += SLICE) {
        let c = weight(problem, slice, lane);
        let row = range.first_slice_row + min(slice + lane, range.rows - 1u);
        var all = vec4<real>();
        for (var first = 0u; first < N; first += HELD) {
            if (N > HELD) {
                workgroupBarrier();
                hold(problem, first, lane);
                workgroupBarrier();
            }
            let last = min(first + HELD, N);
            for (var begin = first; begin < last; begin += TOGETHER) {
                all += powers(first, begin, min(begin + TOGETHER, last), row);
            }
        }
        // Not of rows that were not drawn, whatever they are.
        if (c > 0.0) {
            sum += c * vec4<real>(all.x * all.x, all.y, all.z * all.w, 0.0);
        }
    }
    sums[lane] = sum;
    workgroupBarrier();
    for (var half = SLICE / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            sums[lane] += sums[lane + half];
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        let before = select(vec4<real>(), fourth[problem], range.resumed != 0u);
        fourth[problem] = before + sums[0] / real(range.all_rows);
    }
}
