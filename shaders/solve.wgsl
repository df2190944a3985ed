// Stages `correlate`, `descend` and `certify` in one kernel, for problems that eight lanes share: the matrix goes from
// packed moments to workgroup memory and never leaves it. Twins as those of the three.
// Prepended: alias real, const N, LANES, PROBLEMS, COMPARISONS, descent.wgsl, descend.wgsl, quads.wgsl, descend_lanes.wgsl,
// lanes_subgroup.wgsl, matrix_triangle.wgsl, certificate.wgsl. Follows: keep_moments.wgsl (fn keep_sums, keep_matrix,
// covariances), certify_lanes.wgsl (fn certify).

struct Shape {
    problems: u32,
    // T, the sum of the counts; zero where rows are weighed.
    rows: u32,
    // Of sums of squares: T - 1, or one where it is in the weights.
    divisor: u32,
    // What rows count together, where they are weighed.
    total: f32,
}

// (budget, sigma) per asset, as in certify.wgsl.
@group(0) @binding(2) var<storage, read> assets: array<vec2<real>>;
@group(0) @binding(9) var<uniform> shape: Shape;

fn budget(i: u32) -> real {
    return assets[i].x;
}

@compute @workgroup_size(LANES * PROBLEMS)
fn solve(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_size) size: u32,
    @builtin(subgroup_invocation_id) invocation: u32,
) {
    let live = seat(group.y * groups.x + group.x, subgroup, size, invocation);
    let seated = slot < PROBLEMS;
    slot = min(slot, PROBLEMS - 1u);
    if (seated) {
        keep_sums();
    }
    workgroupBarrier();
    if (seated) {
        keep_matrix();
    }
    workgroupBarrier();
    load_budgets();
    run(matrix_of, live, lane == 0u);
    certify(live);
}
