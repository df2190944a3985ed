// Lanes of `descend_lanes.wgsl` that talk through subgroup shuffles: LANES (8) divides every subgroup size from 8 on, so
// several problems share a subgroup and none needs a barrier while it runs.

var<private> first_lane: u32;

fn broadcast(value: vec4<real>, owner: u32) -> vec4<real> {
    return subgroupShuffle(value, first_lane + owner);
}

fn total(value: real) -> real {
    var sum = value;
    for (var mask = 1u; mask < LANES; mask <<= 1u) {
        sum += subgroupShuffleXor(sum, mask);
    }
    return sum;
}

fn largest(value: real) -> real {
    var most = value;
    for (var mask = 1u; mask < LANES; mask <<= 1u) {
        most = max(most, subgroupShuffleXor(most, mask));
    }
    return most;
}

// Shuffles need every lane of the subgroup: nobody leaves a loop before all can. A subgroup may be wider than what its
// workgroup fills (24 of 32 lanes, 32 of 64): lanes that do not exist are never asked, for a problem's eight are aligned.
fn any_lane(flag: bool) -> bool {
    return subgroupAny(flag);
}

@compute @workgroup_size(LANES * PROBLEMS)
fn descend(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_size) size: u32,
    @builtin(subgroup_invocation_id) invocation: u32,
) {
    lane = invocation % LANES;
    first_lane = invocation - lane;
    slot = subgroup * (size / LANES) + invocation / LANES;
    let problem = (group.y * groups.x + group.x) * PROBLEMS + slot;
    let live = slot < PROBLEMS && problem < descent.problems;
    matrix_of = min(problem, descent.problems - 1u);
    slot = min(slot, PROBLEMS - 1u);
    if (live && states[matrix_of].done == 0u) {
        keep_matrix();
    }
    workgroupBarrier();
    load_budgets();
    run(matrix_of, live, lane == 0u);
}
