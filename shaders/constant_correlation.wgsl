// Towards one correlation for all pairs (Ledoit & Wolf 2004); twin of src/covariance/estimator/constant_correlation.rs.
// Prepended: shrink.wgsl, const EQUAL, and EPSILON of the precision.
//
//     rho = (A - n - delta - (B - n) - rbar (D - B - sum C_ij)) / (T gamma), within 0 and 1
//     C* = C and rho = 1 where n = 2 or gamma <= EQUAL n^2
//
// EQUAL is 64 eps in double precision, as the twin has it. In single precision correlations that are no further from their
// mean than that are told apart, and C* would not be the mean: there it is 64 eps^2, where C is the mean to rounding.

@group(0) @binding(3) var<storage, read> fourth: array<vec4<real>>;

fn shrinkage(problem: u32, pairs: Pairs) -> Shrinkage {
    let equal = pairs.spread <= EQUAL * ASSETS * ASSETS;
    if (equal || N <= 2u) {
        return Shrinkage(1.0, 0.0, 1.0);
    }
    let moments = fourth[problem];
    let noise = moments.x - ASSETS - pairs.squares - (moments.y - ASSETS)
        - pairs.mean * (moments.z - moments.y - pairs.sum);
    let scale = real(shape.rows) * pairs.spread;
    let found = towards(pairs.mean, unit(noise / scale));
    // A difference of larger numbers, each off by a few units of the last place.
    let rounding = 2.0 * EPSILON * (moments.x + abs(pairs.mean) * abs(moments.z));
    let told = rounding <= 1e-5 * max(found.intensity, real(0.1)) * scale;
    let bounded = found.intensity <= 0.0 || found.intensity >= 1.0;
    // No intensity: the problem is left to the CPU.
    return Shrinkage(found.keep, found.shift, select(real(-1.0), found.intensity, told || bounded));
}
