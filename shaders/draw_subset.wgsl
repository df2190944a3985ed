// Stage `draw` of a screen: the assets of one subset a thread.
// Prepended: subset.wgsl. Follows: draw_ranked.wgsl or draw_floyd.wgsl (fn choose).

// Asset i of problem p at p K + i; NOBODY in the first place of a subset that is barred.
@group(0) @binding(6) var<storage, read_write> members: array<u32>;

const NOBODY = 0xFFFFFFFFu;

fn admitted(base: u32) -> bool {
    for (var i = 1u; i < K; i++) {
        let asset = members[base + i];
        for (var j = 0u; j < i; j++) {
            if (bars(asset, members[base + j])) {
                return false;
            }
        }
    }
    return true;
}

@compute @workgroup_size(THREADS)
fn draw(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let problem = (group.y * groups.x + group.x) * THREADS + invocation;
    if (problem >= screen.problems) {
        return;
    }
    let base = problem * K;
    for (var i = 0u; i < INCLUDED; i++) {
        members[base + i] = held[i];
    }
    choose(base + INCLUDED, problem);
    if (screen.words > 0u && !admitted(base)) {
        members[base] = NOBODY;
    }
}
