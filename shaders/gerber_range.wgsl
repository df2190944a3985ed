// What a dispatch of the Gerber statistic reads.

struct Range {
    problems: u32,
    // Of this dispatch of pairs.
    first_problem: u32,
    // T.
    all_rows: u32,
    // Words of bits of a problem, 32 rows each.
    all_words: u32,
    // Words of counts of a problem.
    words: u32,
    // Rows of this dispatch; the first of them, in the history and in the bound slice of the panel, a multiple of 32.
    rows: u32,
    first_row: u32,
    first_slice_row: u32,
}

@group(0) @binding(0) var<uniform> range: Range;
