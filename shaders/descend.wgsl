// Stage `descend`: cyclical coordinate descent on the correlation (Griveau-Billion, Richard & Roncalli 2013), some sweeps
// a dispatch; twin of src/methods/risk_budgeting/descent.rs.
// Prepended: alias real, const N, descent.wgsl. Follows: budgets.wgsl or solve.wgsl (fn budget), and quads.wgsl with
// descend_lanes.wgsl, or for few assets the text of src/engine/gpu/unrolled.rs; it holds a problem in its lanes' registers
// (fn start, load, store, product, sweep, inner, scale, deviation, any_lane).
//
//     for each i:   a = (C y)_i - y_i          d = sqrt(a^2 + 4 b_i)
//                   y_i <- a > 0 ? 2 b_i / (a + d) : (d - a) / 2     (the root without cancellation)
//                   C y <- C y + (new y_i - old y_i) C[:, i]
//     after each sweep: y <- y / sqrt(y'C y)
//     stop: max_i |y_i (C y)_i - b_i| / b_i <= tolerance, with C y computed afresh

// Root of y^2 + a y = b that is positive, as one quotient without a branch.
fn root(a: real, b: real) -> real {
    let d = sqrt(a * a + 4.0 * b);
    let positive = a > 0.0;
    return select(d - a, 4.0 * b, positive) / select(real(2.0), 2.0 * (a + d), positive);
}

// Runs one problem for at most `descent.sweeps` sweeps. `live`: these lanes have a problem at all; those without one, and
// those whose problem is done, only keep their neighbours company and change nothing.
fn run(problem: u32, live: bool, leader: bool) {
    var state = states[problem];
    var go = live && state.done == 0u;
    if (descent.resumed == 0u) {
        start();
        state.best = FAR;
    } else {
        load(problem);
    }
    var left = descent.sweeps;
    var fresh = true;
    while (any_lane(go)) {
        if (any_lane(go && fresh)) {
            // The maintained C y drifts: convergence is judged by a fresh one only.
            let renew = go && fresh;
            product(renew);
            let variance = inner();
            let sound = variance > 0.0;
            // Asked for first: `&&` would keep some lanes from a shuffle that needs all.
            let error = deviation(variance);
            let verified = sound && error <= real(descent.tolerance);
            scale(select(real(1.0), 1.0 / sqrt(variance), renew && sound));
            if (renew) {
                if (left < descent.sweeps && !verified) {
                    state.stalls += 1u;
                }
                if (verified || !sound || state.stalls >= STALLS) {
                    state.done = 1u;
                    go = false;
                }
                fresh = false;
            }
        }
        if (left == 0u || !any_lane(go)) {
            break;
        }
        sweep(go);
        let variance = inner();
        let sound = variance > 0.0;
        scale(select(real(1.0), 1.0 / sqrt(variance), go && sound));
        let error = deviation(real(1.0));
        left -= 1u;
        if (go) {
            state.sweeps += 1u;
            if (f32(error) < state.best) {
                state.best = f32(error);
            } else if (state.best < SMALL) {
                state.stalls += 1u;
            }
            if (!sound || !(error < HUGE) || state.stalls >= STALLS || state.sweeps >= descent.limit) {
                state.done = 1u;
                go = false;
            }
            fresh = error <= real(descent.tolerance);
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
