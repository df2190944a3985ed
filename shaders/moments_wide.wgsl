// Stage `moments` for many assets: a weighted rank-k update, one workgroup per problem and LEFT x 64 block of the triangle.
// Prepended: const N, LEFT; moments_tile.wgsl and rows_counted.wgsl or rows_weighed.wgsl follow.

const RIGHT = 64u;
const BLOCKS = (N + 64u) / 64u;
// Of 64 x 64, and how many parts each is cut into.
const BLOCK_PAIRS = BLOCKS * (BLOCKS + 1u) / 2u;
const PARTS = 64u / LEFT;

// The problem, and the first row and column of this workgroup's block.
var<private> problem: u32;
var<private> block_i: u32;
var<private> block_j: u32;

fn place(group: u32, lane: u32) -> bool {
    problem = range.first_problem + group / PARTS / BLOCK_PAIRS;
    var pair = group / PARTS % BLOCK_PAIRS;
    var block = 0u;
    while (pair > block) {
        block += 1u;
        pair -= block;
    }
    block_i = 64u * block + LEFT * (group % PARTS);
    block_j = 64u * pair;
    return problem < range.first_problem + range.problems;
}

// Four columns of a row from `column` on; columns past the last one are never stored.
fn quad_of(row: u32, column: u32) -> vec4<real> {
    let at = (range.first_slice_row + min(row, range.rows - 1u)) * (N + 1u);
    let c = vec4<u32>(at) + min(column + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(N));
    return vec4<real>(panel[c.x], panel[c.y], panel[c.z], panel[c.w]);
}

// Rows weighted by their counts. Consecutive lanes take consecutive columns.
fn fill_left(step: u32, lane: u32) {
    for (var at = lane; at < STEP * LEFT / 4u; at += RIGHT) {
        let k = at / (LEFT / 4u);
        let quad = at % (LEFT / 4u);
        let count = weight(problem, range.first_row + step + k);
        left_tile[k * (LEFT / 4u) + quad] = count * quad_of(step + k, block_i + 4u * quad);
    }
}

fn right(row: u32, quad: u32) -> vec4<real> {
    return quad_of(row, block_j + 4u * quad);
}

fn add(m: u32, e: u32, sums: vec4<real>) {
    let i = block_i + m;
    for (var k = 0u; k < 4u; k++) {
        let j = block_j + e + k;
        if (j <= i && i <= N) {
            let at = problem * ENTRIES + i * (i + 1u) / 2u + j;
            moments[at] = select(real(0.0), moments[at], range.resumed != 0u) + sums[k];
        }
    }
}
