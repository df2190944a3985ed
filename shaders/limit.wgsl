// Stage `limit`: descent within bounds and limits on the sums of groups, some sweeps a dispatch; twin of
// src/methods/risk_budgeting/limited/interleaved.rs. The weights themselves move, so that a bound is one number for all
// problems.
// Prepended: alias real, const N, GROUPS, ROUNDING, descent.wgsl, quads.wgsl, limits.wgsl. Follows: limit_quads.wgsl (fn
// start, load, store, multiply), limit_multipliers.wgsl (fn certify, lines, multipliers), limit_sweep.wgsl (fn sweep,
// restore, accelerate).
//
//     y_i = sigma_i w_i,   p = C y,   v = y'p,   gap_i = b_i - y_i p_i / v        (stationary: gap_i = lambda_i w_i)
//     step_i(l) = w_i + slope_i (gap_i - l w_i), at least w_i / 4, clipped to the bounds
//     slope_i = w_i / (y_i^2 / v + b_i)
//     repeat
//       certify        with the fresh p
//       multipliers    with the product frozen, steps are lines: nu from  sum_g clip(sum_g step_i(nu), lo_g, hi_g) = 1, then
//                      lambda_g of the groups that were clipped
//       sweep          w_i <- step_i(lambda_g(i)) with the running p
//       restore twice  what is free of each held group, and of the rest, is scaled to the sum that is left to it
//       accelerate     with w' the weights so far, u the move of y, and - what the last sweep left:
//                      w = w' - theta (w' - w'-),   theta = u'(u - u-) / |u - u-|^2,  where it is in [-1, 1]
//       p = C y

// Evaluations of a scalar equation.
const EVALUATIONS = 16u;

// From this error on the same weights are at bounds from sweep to sweep, and a few evaluations do.
const CLOSE = real(1e-3);
const FEW = 2u;

// The first sweep that is accelerated: its move and two weights before it are of steps alone.
const ACCELERATED = 2u;

// Runs one problem for at most `descent.sweeps` sweeps. `live`: these lanes have a problem at all; those without one, and
// those whose problem is done, only keep their neighbours company and change nothing.
fn run(problem: u32, live: bool, leader: bool) {
    var state = states[problem];
    var go = live && state.done == 0u;
    start(problem);
    if (descent.resumed == 0u) {
        state.best = FAR;
    } else {
        load(problem);
    }
    var left = descent.sweeps;
    while (any_lane(go)) {
        multiply();
        let error = certify();
        if (go) {
            if (f32(error) < state.best) {
                state.best = f32(error);
            } else if (state.best < SMALL) {
                state.stalls += 1u;
            }
            // Before the first sweep no multiplier has been asked for.
            let verified = error <= real(descent.tolerance) && state.sweeps > 0u;
            if (verified || !(error < HUGE) || state.stalls >= STALLS || state.sweeps >= descent.limit) {
                state.done = 1u;
                go = false;
            }
        }
        if (left == 0u || !any_lane(go)) {
            break;
        }
        // Slopes hardly change once the weights do not; those of a dispatch before are gone, and so are multipliers and moves.
        let made = descent.sweeps - left;
        lines(made == 0u || (state.sweeps & (state.sweeps - 1u)) == 0u);
        multipliers(go, select(FEW, EVALUATIONS, made == 0u || error > CLOSE));
        sweep(go);
        for (var time = 0u; time < 2u; time++) {
            restore(go);
        }
        accelerate(go, made >= ACCELERATED);
        left -= 1u;
        if (go) {
            state.sweeps += 1u;
        }
    }
    if (live) {
        store(problem);
        if (leader) {
            states[problem] = state;
            if (state.done == 0u) {
                atomicAdd(&running, 1u);
            }
        }
    }
}
