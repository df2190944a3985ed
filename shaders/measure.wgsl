// Stage `measure`: one thread numbers, gathers, solves and measures one small subset; only its figures leave. Twin of
// src/methods/risk_budgeting/small.rs.
// Prepended: alias real, subset.wgsl. Follows: the text of src/engine/gpu/unrolled_measure.rs, which holds a problem in
// registers (fn subset, admitted, gather, newton, certify).

@group(0) @binding(3) var<storage, read> correlation: array<f32>;
@group(0) @binding(4) var<storage, read> volatilities: array<f32>;
// Errors of all problems, then each figure of all problems.
@group(0) @binding(6) var<storage, read_write> figures: array<f32>;

const B = 1.0 / f32(K);
const HUGE = 1e30;
const BARRED = -1.0;
const STEPS = 12u;
const TO_BOUNDARY = 0.9;

// Huge where it is not a number, so that a maximum cannot lose it.
fn number(value: f32) -> f32 {
    return select(HUGE, value, value < HUGE);
}

fn correlated(a: u32, b: u32) -> f32 {
    return correlation[a * screen.assets + b];
}

@compute @workgroup_size(THREADS)
fn measure(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let problem = (group.y * groups.x + group.x) * THREADS + invocation;
    if (problem >= screen.problems) {
        return;
    }
    subset(rank_of(problem));
    if (screen.words > 0u && !admitted()) {
        figures[problem] = BARRED;
        return;
    }
    gather();
    newton();
    certify(problem);
}
