// Volatilities of fixed mixes, one workgroup a problem and mix; twin of `volatility` in src/methods/mod.rs.
// Prepended: others.wgsl, const LEAST: below this share of its terms a variance is rounding.

// One after the other.
@group(0) @binding(4) var<storage, read> mixes: array<real>;
// Those of all problems, mix after mix, in units of `sigma`. Negative where long and short positions cancel to rounding:
// left to the CPU.
@group(0) @binding(5) var<storage, read_write> found: array<real>;

// x = w sigma over its largest, so that no square leaves the range.
var<workgroup> x: array<real, N>;

@compute @workgroup_size(LANES)
fn mixes_volatility(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = group.y * groups.x + group.x;
    let problem = place % shape.problems;
    let mix = place / shape.problems;
    if (mix >= arrayLength(&mixes) / N) {
        return;
    }
    var most = real(0.0);
    for (var i = lane; i < N; i += LANES) {
        x[i] = mixes[mix * N + i] * volatility(problem, i);
        most = max(most, abs(x[i]));
    }
    let peak = largest(lane, most);
    var sum = real(0.0);
    var size = real(0.0);
    for (var i = lane; i < N; i += LANES) {
        var product = real(0.0);
        var absolute = real(0.0);
        for (var j = 0u; j < N; j++) {
            let term = correlation(problem, j, i) * (x[j] / peak);
            product += term;
            absolute += abs(term);
        }
        sum += x[i] / peak * product;
        size += abs(x[i] / peak) * absolute;
    }
    sum = total(lane, sum);
    size = total(lane, size);
    if (lane == 0u) {
        found[mix * shape.problems + problem] = select(real(-1.0), peak * sqrt(sum), sum > LEAST * size);
    }
}
