// What `draw` makes of runs for windows of paths, and for the self-test: the row at each position. Rows are problems x T.

@group(0) @binding(2) var<storage, read_write> rows: array<u32>;

fn open(lane: u32) {}

fn take(problem: u32, lane: u32, runs: u32) {
    for (var s = positions[0] + lane; s < positions[runs]; s += LANES) {
        rows[problem * law.rows + s] = row_at(s, runs);
    }
}

fn finish(problem: u32, lane: u32) {}
