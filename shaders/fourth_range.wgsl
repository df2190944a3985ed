// What a dispatch of `fourth_moments` reads.

struct Range {
    problems: u32,
    // T.
    all_rows: u32,
    // Rows of this dispatch; the first of them, in the history and in the bound slice of the panel, a multiple of 256.
    rows: u32,
    first_row: u32,
    first_slice_row: u32,
    // Rows of that slice of the panel.
    stride: u32,
    // Per problem: words of counts, or groups of steps.
    room: u32,
    // Slices of the history.
    slices: u32,
    // Whether `fourth` already holds the rows before.
    resumed: u32,
}

@group(0) @binding(0) var<uniform> range: Range;
