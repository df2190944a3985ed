// What methods beside risk budgeting read of a problem, whose correlations are made: one workgroup a problem.
// Prepended: alias real, const LANES (a power of two), cells.wgsl, across_lanes.wgsl.

struct Shape {
    problems: u32,
    // T.
    rows: u32,
    divisor: u32,
    total: f32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> correlations: array<real>;
// Of assets, standardised.
@group(0) @binding(2) var<storage, read> volatilities: array<real>;
// (budget, sigma) per asset, as in certify.wgsl.
@group(0) @binding(3) var<storage, read> assets: array<vec2<real>>;

const HUGE = real(1e30);

fn smallest(lane: u32, value: real) -> real {
    return -largest(lane, -value);
}

fn volatility(problem: u32, i: u32) -> real {
    return volatilities[problem * N + i] * assets[i].y;
}

fn correlation(problem: u32, i: u32, j: u32) -> real {
    if (i == j) {
        return 1.0;
    }
    return correlations[place(problem, shape.problems, i, j)];
}
