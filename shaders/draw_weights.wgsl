// What `draw` makes of runs where rows count by their age: what each row of the history counts, for one tile of rows. Twin of
// `Rows::whole_weights` in src/sampling/rows.rs. Weights are whole numbers, so that the order in which they are added is
// immaterial; together they stay below 2^30.
// Prepended: const TILE, rows of the tile.

// Per problem `law.room` words, of which those past T stay zero.
@group(0) @binding(2) var<storage, read_write> weights: array<u32>;
// By age, the newest first.
@group(0) @binding(3) var<storage, read> ages: array<u32>;

var<workgroup> sums: array<atomic<u32>, TILE>;

fn open(lane: u32) {
    for (var at = lane; at < TILE; at += LANES) {
        atomicStore(&sums[at], 0u);
    }
    workgroupBarrier();
}

fn take(problem: u32, lane: u32, runs: u32) {
    for (var s = max(positions[0], law.rows - min(law.ages, law.rows)) + lane; s < positions[runs]; s += LANES) {
        let at = row_at(s, runs) - law.first_row;
        if (at < TILE) {
            atomicAdd(&sums[at], ages[law.rows - 1u - s]);
        }
    }
}

fn finish(problem: u32, lane: u32) {
    for (var at = lane; at < TILE && law.first_row + at < law.room; at += LANES) {
        weights[problem * law.room + law.first_row + at] = atomicLoad(&sums[at]);
    }
}
