// `shrink` by one thread a problem, where the correlations of all problems are interleaved.

const CELL_COUNT = N * (N - 1u) / 2u;

@compute @workgroup_size(64)
fn shrink(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let problem = (group.y * groups.x + group.x) * 64u + lane;
    if (problem >= shape.problems) {
        return;
    }
    var sum = real(0.0);
    var squares = real(0.0);
    for (var e = 0u; e < CELL_COUNT; e++) {
        let c = correlations[e * shape.problems + problem];
        sum += c;
        squares += c * c;
    }
    let mean = 2.0 * sum / COUNT;
    var spread = real(0.0);
    for (var e = 0u; e < CELL_COUNT; e++) {
        let deviation = correlations[e * shape.problems + problem] - mean;
        spread += deviation * deviation;
    }
    let found = shrinkage(problem, Pairs(2.0 * sum, 2.0 * squares, mean, 2.0 * spread));
    for (var e = 0u; e < CELL_COUNT; e++) {
        let at = e * shape.problems + problem;
        correlations[at] = correlations[at] * found.keep + found.shift;
    }
    intensities[problem] = found.intensity;
}
