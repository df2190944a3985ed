// Towards no correlation (Ledoit & Wolf 2004); twin of src/covariance/estimator/ledoit_wolf.rs.
// Prepended: shrink.wgsl.
//
//     rho = (A - n - delta) / (T delta), at most 1; 0 where delta = 0

@group(0) @binding(3) var<storage, read> fourth: array<vec4<real>>;

fn shrinkage(problem: u32, pairs: Pairs) -> Shrinkage {
    if (!(pairs.squares > 0.0)) {
        return towards(0.0, 0.0);
    }
    let noise = fourth[problem].x - ASSETS - pairs.squares;
    return towards(0.0, unit(noise / (real(shape.rows) * pairs.squares)));
}
