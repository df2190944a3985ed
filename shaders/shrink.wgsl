// Stage `shrink`: moves the correlations of a problem, all alike, towards one number, and says by how much. Twin of
// src/covariance/estimator/shrinkage.rs.
// Prepended: alias real, cells.wgsl. Follows: ledoit_wolf.wgsl, constant_correlation.wgsl or oas.wgsl (fn shrinkage), and
// shrink_thread.wgsl or shrink_lanes.wgsl.
//
//     C*_ij = keep C_ij + shift        i != j; the diagonal stays one

struct Shape {
    problems: u32,
    // T.
    rows: u32,
    divisor: u32,
    total: f32,
}

// What the correlations of all pairs come to; each pair counts twice, as in the matrix.
struct Pairs {
    sum: real,
    // delta = sum_{i != j} C_ij^2.
    squares: real,
    // rbar = sum / (n (n - 1)).
    mean: real,
    // gamma = sum_{i != j} (C_ij - rbar)^2, about the mean itself, for the difference of sums would cancel.
    spread: real,
}

struct Shrinkage {
    keep: real,
    shift: real,
    intensity: real,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> correlations: array<real>;
@group(0) @binding(2) var<storage, read_write> intensities: array<real>;

const ASSETS = real(N);
const COUNT = real(N * (N - 1u));

fn towards(correlation: real, intensity: real) -> Shrinkage {
    return Shrinkage(1.0 - intensity, intensity * correlation, intensity);
}

fn unit(x: real) -> real {
    return min(max(x, real(0.0)), real(1.0));
}
