// Stage `measure` of a screen whose subsets were solved in stages: the figures of one portfolio a thread.
// Prepended: alias real, const METRICS (one bit for each figure), THREADS, cells.wgsl, certificate.wgsl.

struct Acceptance {
    problems: u32,
    // Largest error and largest kappa of a solution that counts.
    rc_error: f32,
    kappa: f32,
}

@group(0) @binding(0) var<uniform> acceptance: Acceptance;
// As in draw_subset.wgsl.
@group(0) @binding(1) var<storage, read> members: array<u32>;
@group(0) @binding(2) var<storage, read> volatilities: array<real>;
@group(0) @binding(3) var<storage, read> correlations: array<real>;
@group(0) @binding(4) var<storage, read> weights: array<real>;
@group(0) @binding(5) var<storage, read> certificates: array<Certificate>;
// Errors of all problems, then each figure of all problems.
@group(0) @binding(6) var<storage, read_write> figures: array<real>;

const NOBODY = 0xFFFFFFFFu;
const HUGE = real(1e30);
const BARRED = real(-1.0);

@compute @workgroup_size(THREADS)
fn measure(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let problems = acceptance.problems;
    let problem = (group.y * groups.x + group.x) * THREADS + invocation;
    if (problem >= problems) {
        return;
    }
    if (members[problem * N] == NOBODY) {
        figures[problem] = BARRED;
        return;
    }
    var undiversified = real(0.0);
    var largest = real(0.0);
    for (var i = 0u; i < N; i++) {
        let w = weights[problem * N + i];
        undiversified += w * volatilities[problem * N + i];
        largest = max(largest, w);
    }
    let certificate = certificates[problem];
    let volatility = certificate.volatility;
    let good = certificate.rc_error <= real(acceptance.rc_error) && certificate.kappa <= real(acceptance.kappa)
        && volatility > 0.0;
    figures[problem] = select(HUGE, certificate.rc_error, good);
    var at = problems + problem;
    if ((METRICS & 1u) != 0u) {
        figures[at] = volatility;
        at += problems;
    }
    if ((METRICS & 2u) != 0u) {
        figures[at] = undiversified / volatility;
        at += problems;
    }
    if ((METRICS & 4u) != 0u) {
        figures[at] = largest;
        at += problems;
    }
    if ((METRICS & 8u) != 0u) {
        var sum = real(0.0);
        for (var i = 1u; i < N; i++) {
            for (var j = 0u; j < i; j++) {
                sum += correlations[place(problem, problems, i, j)];
            }
        }
        figures[at] = sum / real(max(1u, N * (N - 1u) / 2u));
    }
}
