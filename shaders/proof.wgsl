// What a method that is solved for leaves: weights, and what travels with them.
// Prepended: others.wgsl.

struct Proof {
    // Gap, or split error.
    error: real,
    // Of hierarchical risk parity: the smallest difference of two successive merge correlations.
    margin: real,
    // In units of `sigma`.
    volatility: real,
    // Zero where the problem is left to the CPU.
    solved: real,
}

@group(0) @binding(4) var<storage, read_write> weights: array<real>;
@group(0) @binding(5) var<storage, read_write> proofs: array<Proof>;
