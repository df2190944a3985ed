// Stage `moments` of windows of paths: a workgroup for each path, group of windows that share a pivot, and tile of entries;
// twin of src/covariance/windows.rs.
// Prepended: alias real, const N, LANES, pairs.wgsl.
//
//     M[s, e) = (M[s, p) + M[p, e)) / (e - s - 1)        M[a, b) = sum of z z' over the rows a <= t < b of the path
//
// in units in which the divisor of the covariance is one, whatever the length. Rows are summed from the pivot p on, back
// and forth, each once for all windows. Rounding stays of the order of a tile: rows are summed by 64, tiles by themselves.
// The order depends on the windows alone, so a problem's bits do not depend on its neighbours.

struct Range {
    // Of the buffer of moments.
    problems: u32,
    // Which window of the first path is the first of them.
    first_window: u32,
    // Paths of this dispatch, and the first of them.
    paths: u32,
    first_path: u32,
    // Of a path.
    windows: u32,
    groups: u32,
    // T.
    rows: u32,
}

// Windows first .. end that hold a pivot.
struct Group {
    first: u32,
    end: u32,
    pivot: u32,
}

@group(0) @binding(0) var<uniform> range: Range;
// The standardised panel: T x (1 + N), each row led by a one.
@group(0) @binding(1) var<storage, read> panel: array<real>;
// Of the history, by position: paths x T.
@group(0) @binding(2) var<storage, read> rows: array<u32>;
@group(0) @binding(3) var<storage, read_write> moments: array<real>;
// Positions start .. end of each window.
@group(0) @binding(4) var<storage, read> spans: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read> groups: array<Group>;

// Packed moments of a problem, and tiles of them.
const ENTRIES = (N + 1u) * (N + 2u) / 2u;
const TILES = (ENTRIES + 4u * LANES - 1u) / (4u * LANES);
const TILE_ROWS = 64u;

// Sums of the rows so far: of whole tiles, and of the tile that is not full.
var<private> sum: vec4<real>;
var<private> tile: vec4<real>;
var<private> summed: u32;

fn begin() {
    sum = vec4<real>();
    tile = vec4<real>();
    summed = 0u;
}

// Adds the row at a position.
fn add(position: u32) {
    tile += products(rows[position]);
    summed += 1u;
    if (summed % TILE_ROWS == 0u) {
        sum += tile;
        tile = vec4<real>();
    }
}

// Four entries of a problem from one on; past the last one they repeat it.
fn stored(problem: u32, entry: u32) -> vec4<real> {
    let m = problem * ENTRIES + min(entry + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(ENTRIES - 1u));
    return vec4<real>(moments[m.x], moments[m.y], moments[m.z], moments[m.w]);
}

// Without a loop: see `MOST_TURNS` in src/engine/gpu/windows.rs.
fn store(problem: u32, entry: u32, values: vec4<real>) {
    let m = problem * ENTRIES + entry;
    moments[m] = values.x;
    if (entry + 1u < ENTRIES) {
        moments[m + 1u] = values.y;
    }
    if (entry + 2u < ENTRIES) {
        moments[m + 2u] = values.z;
    }
    if (entry + 3u < ENTRIES) {
        moments[m + 3u] = values.w;
    }
}

@compute @workgroup_size(LANES)
fn moments_windows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) counts: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = group.y * counts.x + group.x;
    let path = at / TILES / range.groups;
    let entry = (at % TILES * LANES + lane) * 4u;
    if (path >= range.paths || entry >= ENTRIES) {
        return;
    }
    let own = groups[at / TILES % range.groups];
    let begins = (range.first_path + path) * range.rows;
    // The problem that window zero of this path is. Numbers wrap: what nobody asks for lies beyond the last one.
    let base = (range.first_path + path) * range.windows - range.first_window;
    take_pairs(entry);

    begin();
    var low = own.pivot;
    for (var window = own.end; window > own.first; window -= 1u) {
        for (; low > spans[window - 1u].x; low -= 1u) {
            add(begins + low - 1u);
        }
        let problem = base + window - 1u;
        if (problem < range.problems) {
            store(problem, entry, sum + tile);
        }
    }
    begin();
    var high = own.pivot;
    for (var window = own.first; window < own.end; window += 1u) {
        let span = spans[window];
        for (; high < span.y; high += 1u) {
            add(begins + high);
        }
        let problem = base + window;
        if (problem < range.problems) {
            store(problem, entry, (stored(problem, entry) + (sum + tile)) / real(span.y - span.x - 1u));
        }
    }
}
