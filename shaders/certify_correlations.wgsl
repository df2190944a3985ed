// The covariance of a subset, or of a shrunk resample, from its volatilities and correlations.

@group(0) @binding(1) var<storage, read> correlations: array<real>;

fn covariance(problem: u32, a: u32, b: u32) -> real {
    let scale = volatilities[problem * N + a] * volatilities[problem * N + b];
    if (a == b) {
        return scale;
    }
    // By columns: neighbouring lanes, which have neighbouring rows, then read side by side.
    return scale * correlations[place(problem, shape.problems, b, a)];
}
