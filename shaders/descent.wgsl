// What stages that descend share: how many sweeps a dispatch takes, and where its problems stand.
// Prepended: alias real.

struct Descent {
    // Problems of the batch, and the first of this dispatch.
    problems: u32,
    first: u32,
    // Sweeps of this dispatch at most, and of all dispatches together.
    sweeps: u32,
    limit: u32,
    // Whether `positions` and `states` hold the sweeps before.
    resumed: u32,
    tolerance: f32,
}

// Where a problem stands between dispatches; zeros before the first.
struct State {
    sweeps: u32,
    done: u32,
    // Sweeps that did not lower the error although it was small, and stops that did not survive a fresh product.
    stalls: u32,
    best: f32,
}

@group(0) @binding(0) var<uniform> descent: Descent;
@group(0) @binding(4) var<storage, read_write> states: array<State>;
// How many problems need another dispatch.
@group(0) @binding(5) var<storage, read_write> running: atomic<u32>;

// The error is not monotone early on: only below this may it stall.
const SMALL = 1e-4;
const STALLS = 4u;
const FAR = 1e30;
const HUGE = real(FAR);
