// Lanes of `quads.wgsl` that talk through workgroup memory: one problem per workgroup, LANES a power of two.

var<workgroup> board: array<vec4<real>, 2>;
var<workgroup> partial: array<real, LANES>;
// Whether this workgroup has nothing to do.
var<workgroup> idle: u32;
// Broadcasts so far: they alternate between two slots, so one barrier each is enough.
var<private> turn: u32;

fn broadcast(value: vec4<real>, owner: u32) -> vec4<real> {
    turn += 1u;
    if (lane == owner) {
        board[turn & 1u] = value;
    }
    workgroupBarrier();
    return board[turn & 1u];
}

fn total(value: real) -> real {
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

fn largest(value: real) -> real {
    partial[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            partial[lane] = max(partial[lane], partial[lane + half]);
        }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&partial[0]);
}

// All lanes share a problem and decide alike.
fn any_lane(flag: bool) -> bool {
    return flag;
}

@compute @workgroup_size(LANES)
fn descend(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    lane = invocation;
    slot = 0u;
    turn = 0u;
    matrix_of = descent.first + group.y * groups.x + group.x;
    if (matrix_of >= descent.problems) {
        return;
    }
    // Asked by one lane for all: barriers follow.
    if (lane == 0u) {
        idle = states[matrix_of].done;
    }
    if (workgroupUniformLoad(&idle) != 0u) {
        return;
    }
    keep_matrix();
    workgroupBarrier();
    load_budgets();
    run(matrix_of, true, lane == 0u);
}
