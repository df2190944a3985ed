// Stage `moments` where only those of single assets are wanted, one workgroup a problem, assets by lanes; the formulas of
// moments_tile.wgsl.
// Prepended: alias real, const N, LANES. Follows: rows_counted.wgsl (fn weight).

// As in moments_tile.wgsl.
struct Range {
    problems: u32,
    first_problem: u32,
    words: u32,
    rows: u32,
    first_row: u32,
    first_slice_row: u32,
    resumed: u32,
    unit: f32,
}

@group(0) @binding(0) var<uniform> range: Range;
// A slice of the standardised panel: rows x (1 + N), each row led by a one.
@group(0) @binding(1) var<storage, read> panel: array<real>;
@group(0) @binding(3) var<storage, read_write> moments: array<real>;

const ENTRIES = (N + 1u) * (N + 2u) / 2u;
const TILE_ROWS = 64u;

fn add(at: u32, sum: real) {
    moments[at] = select(real(0.0), moments[at], range.resumed != 0u) + sum;
}

@compute @workgroup_size(LANES)
fn moments_diagonal(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let problem = range.first_problem + group.y * groups.x + group.x;
    if (problem >= range.first_problem + range.problems) {
        return;
    }
    let base = problem * ENTRIES;
    // Column zero is the one that leads: its sum is that of the counts.
    for (var i = lane; i <= N; i += LANES) {
        var sum = real(0.0);
        var square = real(0.0);
        for (var tile = 0u; tile < range.rows; tile += TILE_ROWS) {
            var sums = vec2<real>();
            for (var row = tile; row < min(tile + TILE_ROWS, range.rows); row++) {
                let z = panel[(range.first_slice_row + row) * (N + 1u) + i];
                let c = weight(problem, range.first_row + row);
                sums += c * vec2<real>(z, z * z);
            }
            sum += sums.x;
            square += sums.y;
        }
        // Entry (i, 0), then (i, i).
        let first = base + i * (i + 1u) / 2u;
        add(first, sum);
        if (i > 0u) {
            add(first + i, square);
        }
    }
}
