// Lanes of `quads.wgsl` that talk through subgroup shuffles: LANES (8) divides every subgroup size from 8 on, so
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

// Seats this lane: its problem, its place in it. Whether there is such a problem: a lane without one takes the last, reads
// along, and changes nothing.
fn seat(group: u32, subgroup: u32, size: u32, invocation: u32) -> bool {
    lane = invocation % LANES;
    first_lane = invocation - lane;
    slot = subgroup * (size / LANES) + invocation / LANES;
    let problem = descent.first + group * PROBLEMS + slot;
    matrix_of = min(problem, descent.problems - 1u);
    return slot < PROBLEMS && problem < descent.problems;
}
