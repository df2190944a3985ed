// What `draw` makes of a row: one more of it. Counts are problems x T, zeroed beforehand.

@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>;

fn take(problem: u32, position: u32, row: u32) {
    atomicAdd(&counts[problem * law.rows + row], 1u);
}
