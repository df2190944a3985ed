// How often a row was drawn, from counts.
// Prepended: fourth_range.wgsl.

// As in draw_counts.wgsl.
@group(0) @binding(2) var<storage, read> counts: array<u32>;

// Of the row of this lane in a slice that begins so many rows into the dispatch.
fn weight(problem: u32, slice: u32, lane: u32) -> real {
    if (slice + lane >= range.rows) {
        return 0.0;
    }
    let row = range.first_row + slice + lane;
    return real(extractBits(counts[problem * range.room + row / 4u], 8u * (row % 4u), 8u));
}
