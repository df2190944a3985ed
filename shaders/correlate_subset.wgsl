// Stage `correlate` of a screen: volatilities and correlations of each subset, gathered from those of the universe.
// Prepended: alias real, cells.wgsl.

struct Universe {
    problems: u32,
    assets: u32,
}

@group(0) @binding(0) var<uniform> universe: Universe;
// As in draw_subset.wgsl.
@group(0) @binding(1) var<storage, read> members: array<u32>;
@group(0) @binding(2) var<storage, read> all_correlations: array<real>;
@group(0) @binding(3) var<storage, read> all_volatilities: array<real>;
@group(0) @binding(4) var<storage, read_write> volatilities: array<real>;
@group(0) @binding(5) var<storage, read_write> correlations: array<real>;

const NOBODY = 0xFFFFFFFFu;

// A barred subset holds uncorrelated assets, unheeded.
fn nobody(problem: u32) -> bool {
    return members[problem * N] == NOBODY;
}

// One thread a cell, and a volatility where there are as many.
@compute @workgroup_size(64)
fn correlate(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let k = (group.y * groups.x + group.x) * 64u + lane;
    if (k < universe.problems * N) {
        if (nobody(k / N)) {
            volatilities[k] = 1.0;
        } else {
            volatilities[k] = all_volatilities[members[k]];
        }
    }
    if (N == 1u || k >= universe.problems * CELLS) {
        return;
    }
    let here = cell(k, universe.problems);
    var c = real(0.0);
    if (here.i == here.j) {
        c = 1.0;
    } else if (here.i < N && here.j < N && !nobody(here.problem)) {
        let base = here.problem * N;
        c = all_correlations[members[base + here.i] * universe.assets + members[base + here.j]];
    }
    correlations[k] = select(real(0.0), c, here.i < N && here.j < N);
}
