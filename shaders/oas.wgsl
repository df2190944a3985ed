// Towards no correlation, by the oracle-approximating intensity (Chen, Wiesel, Eldar & Hero 2010); twin of
// src/covariance/estimator/oas.rs.
// Prepended: shrink.wgsl.
//
//     rho = (n + delta + n^2) / ((T + 1) delta), at most 1; 1 where delta = 0

fn shrinkage(problem: u32, pairs: Pairs) -> Shrinkage {
    if (!(pairs.squares > 0.0)) {
        return towards(0.0, 1.0);
    }
    let delta = pairs.squares;
    return towards(0.0, unit((ASSETS + delta + ASSETS * ASSETS) / (real(shape.rows + 1u) * delta)));
}
