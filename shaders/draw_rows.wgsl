// What `draw` makes of runs for the self-test: the row at each position. Rows are problems x T.

@group(0) @binding(2) var<storage, read_write> rows: array<u32>;

fn open(lane: u32) {}

fn take(problem: u32, lane: u32, runs: u32) {
    for (var s = positions[0] + lane; s < positions[runs]; s += LANES) {
        // The last run that does not begin after s.
        var run = 0u;
        for (var half = ROUND; half > 0u; half >>= 1u) {
            if (run + half < runs && positions[run + half] <= s) {
                run += half;
            }
        }
        let row = starts[run] + s - positions[run];
        rows[problem * law.rows + s] = select(row, row - law.rows, row >= law.rows);
    }
}

fn finish(problem: u32, lane: u32) {}
