// `descend` by lanes of subgroups.
// Prepended: lanes_subgroup.wgsl, matrix_triangle.wgsl, keep_correlations.wgsl.

@compute @workgroup_size(LANES * PROBLEMS)
fn descend(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_size) size: u32,
    @builtin(subgroup_invocation_id) invocation: u32,
) {
    let live = seat(group.y * groups.x + group.x, subgroup, size, invocation);
    if (slot < PROBLEMS) {
        keep_matrix();
    }
    slot = min(slot, PROBLEMS - 1u);
    workgroupBarrier();
    load_budgets();
    run(matrix_of, live, lane == 0u);
}
