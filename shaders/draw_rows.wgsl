// What `draw` makes of a row in tests: its place in the resample. Rows are problems x T.

@group(0) @binding(2) var<storage, read_write> rows: array<u32>;

fn take(problem: u32, position: u32, row: u32) {
    rows[problem * law.rows + position] = row;
}
