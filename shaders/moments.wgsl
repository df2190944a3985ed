// Stage `moments` for few assets: counts (problems x T) times pair products (T x entries), formed as they are needed.
// Prepended: const N, and RIGHT of moments_tile.wgsl, which follows, as rows_counted.wgsl or rows_weighed.wgsl does;
// pairs.wgsl.

const TILES = (ENTRIES + RIGHT - 1u) / RIGHT;

// First problem and first entry of this workgroup's tile.
var<private> problem: u32;
var<private> entry: u32;

fn place(group: u32, lane: u32) -> bool {
    problem = range.first_problem + group / TILES * LEFT;
    entry = group % TILES * RIGHT;
    take_pairs(entry + 4u * (lane % (RIGHT / 4u)));
    return problem < range.first_problem + range.problems;
}

// What the rows from `step` on, `STEP` of them, count in the tile's problems. A lane takes four rows of four problems and
// stores whole quads. To store one component of a quad that others share is a race: WGSL lets
// it write all four (gpuweb #2112), and Metal does.
fn fill_left(step: u32, lane: u32) {
    for (var at = lane; at < LEFT / 4u * STEP / 4u; at += RIGHT) {
        let m = at % (LEFT / 4u);
        let row = at / (LEFT / 4u) * 4u;
        let last = range.first_problem + range.problems - 1u;
        let problems = min(problem + 4u * m + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(last));
        let rows = words(problems, range.first_row + step + row);
        for (var k = 0u; k < 4u; k++) {
            left_tile[(row + k) * (LEFT / 4u) + m] = weights(rows, k);
        }
    }
}

fn right(row: u32, quad: u32) -> vec4<real> {
    return products(range.first_slice_row + min(row, range.rows - 1u));
}

fn add(m: u32, e: u32, sums: vec4<real>) {
    let p = problem + m;
    if (p < range.first_problem + range.problems) {
        for (var k = 0u; k < 4u; k++) {
            if (entry + e + k < ENTRIES) {
                let at = p * ENTRIES + entry + e + k;
                moments[at] = select(real(0.0), moments[at], range.resumed != 0u) + sums[k];
            }
        }
    }
}
