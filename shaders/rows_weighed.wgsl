// What a row counts in a resample where rows count by their age: whole multiples of `range.unit`, a word each
// (draw_weights.wgsl).

// Zero past T.
@group(0) @binding(2) var<storage, read> counts: array<u32>;

// Where four rows from `row` on are, of four problems.
fn words(problems: vec4<u32>, row: u32) -> vec4<u32> {
    return problems * range.words + row;
}

// The k-th of these rows.
fn weights(words: vec4<u32>, k: u32) -> vec4<real> {
    let at = words + k;
    return vec4<real>(vec4<u32>(counts[at.x], counts[at.y], counts[at.z], counts[at.w])) * real(range.unit);
}

fn weight(problem: u32, row: u32) -> real {
    return real(counts[problem * range.words + row]) * real(range.unit);
}
