// Stage `moments` for few assets: counts (problems x T) times pair products (T x entries), formed as they are needed.
// Prepended: const N, and RIGHT of moments_tile.wgsl, which follows.

const TILES = (ENTRIES + RIGHT - 1u) / RIGHT;
const LEFT_ROWS_FIRST = true;

// First problem and first entry of this workgroup's tile.
var<private> problem: u32;
var<private> entry: u32;
// The pairs whose products this lane forms.
var<private> pair_i: vec4<u32>;
var<private> pair_j: vec4<u32>;

// Row of the lower triangle in which a packed entry lies.
fn triangle_row(e: u32) -> u32 {
    var i = u32((sqrt(8.0 * f32(e) + 1.0) - 1.0) * 0.5);
    // The square root may round across an integer.
    while (i * (i + 1u) / 2u > e) {
        i -= 1u;
    }
    while ((i + 1u) * (i + 2u) / 2u <= e) {
        i += 1u;
    }
    return i;
}

fn place(group: u32, lane: u32) -> bool {
    problem = range.first_problem + group / TILES * LEFT;
    entry = group % TILES * RIGHT;
    for (var k = 0u; k < 4u; k++) {
        let e = min(entry + 4u * (lane % (RIGHT / 4u)) + k, ENTRIES - 1u);
        let i = triangle_row(e);
        pair_i[k] = i;
        pair_j[k] = e - i * (i + 1u) / 2u;
    }
    return problem < range.first_problem + range.problems;
}

fn count(p: u32, row: u32) -> f32 {
    let inside = p < range.first_problem + range.problems && row < range.rows;
    return select(0.0, f32(counts[select(0u, p * range.history + range.first_row + row, inside)]), inside);
}

fn left(row: u32, quad: u32) -> vec4<f32> {
    let p = problem + 4u * quad;
    return vec4<f32>(count(p, row), count(p + 1u, row), count(p + 2u, row), count(p + 3u, row));
}

fn right(row: u32, quad: u32) -> vec4<f32> {
    let at = (range.first_slice_row + min(row, range.rows - 1u)) * (N + 1u);
    let i = vec4<u32>(at) + pair_i;
    let j = vec4<u32>(at) + pair_j;
    return vec4<f32>(panel[i.x], panel[i.y], panel[i.z], panel[i.w])
        * vec4<f32>(panel[j.x], panel[j.y], panel[j.z], panel[j.w]);
}

fn add(m: u32, e: u32, sums: vec4<f32>) {
    let p = problem + m;
    if (p < range.first_problem + range.problems) {
        for (var k = 0u; k < 4u; k++) {
            if (entry + e + k < ENTRIES) {
                let at = p * ENTRIES + entry + e + k;
                moments[at] = select(0.0, moments[at], range.resumed != 0u) + sums[k];
            }
        }
    }
}
