// `shrink` by one workgroup a problem, whose rows its lanes take in turn. Rounding stays of the order of a row.
// Prepended: const LANES, a power of two.

var<workgroup> partial: array<vec2<real>, LANES>;

fn total(lane: u32, value: vec2<real>) -> vec2<real> {
    partial[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            partial[lane] += partial[lane + half];
        }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&partial[0]);
}

@compute @workgroup_size(LANES)
fn shrink(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let problem = group.y * groups.x + group.x;
    if (problem >= shape.problems) {
        return;
    }
    let base = problem * CELLS;
    // Lanes are neighbours along a row: they read side by side. A column of a lane's own is summed by itself.
    var sums = vec2<real>();
    for (var j = lane; j < N; j += LANES) {
        var column = vec2<real>();
        for (var i = 0u; i < N; i++) {
            let c = select(correlations[base + i * PADDED + j], real(0.0), i == j);
            column += vec2<real>(c, c * c);
        }
        sums += column;
    }
    sums = total(lane, sums);
    let mean = sums.x / COUNT;
    var spread = real(0.0);
    for (var j = lane; j < N; j += LANES) {
        var column = real(0.0);
        for (var i = 0u; i < N; i++) {
            let deviation = select(correlations[base + i * PADDED + j] - mean, real(0.0), i == j);
            column += deviation * deviation;
        }
        spread += column;
    }
    spread = total(lane, vec2<real>(spread, 0.0)).x;
    let found = shrinkage(problem, Pairs(sums.x, sums.y, mean, spread));
    for (var j = lane; j < N; j += LANES) {
        for (var i = 0u; i < N; i++) {
            let at = base + i * PADDED + j;
            correlations[at] = select(correlations[at] * found.keep + found.shift, real(1.0), i == j);
        }
    }
    if (lane == 0u) {
        intensities[problem] = found.intensity;
    }
}
