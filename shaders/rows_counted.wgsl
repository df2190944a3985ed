// What a row counts in a resample: how often it occurs, four rows a word (draw_counts.wgsl).

// Zero past T.
@group(0) @binding(2) var<storage, read> counts: array<u32>;

// What holds four rows from `row` on, a multiple of four, of four problems.
fn words(problems: vec4<u32>, row: u32) -> vec4<u32> {
    let at = problems * range.words + row / 4u;
    return vec4<u32>(counts[at.x], counts[at.y], counts[at.z], counts[at.w]);
}

// The k-th of these rows.
fn weights(words: vec4<u32>, k: u32) -> vec4<real> {
    return vec4<real>(extractBits(words, 8u * k, 8u));
}

fn weight(problem: u32, row: u32) -> real {
    return real(extractBits(counts[problem * range.words + row / 4u], 8u * (row % 4u), 8u));
}
