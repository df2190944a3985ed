// The matrix of `quads.wgsl` kept in workgroup memory: 4 x 4 blocks of the lower triangle. Half of a full matrix,
// so twice as many problems stay on a multiprocessor.
// Prepended: quads.wgsl. Follows: keep_correlations.wgsl or keep_moments.wgsl (fn keep_matrix, which fills it).

const BLOCKS = QUADS * (QUADS + 1u) / 2u;

// Row r of block k of the problem at slot p at (4 p + r) BLOCKS + k: neighbouring lanes read neighbouring quads.
var<workgroup> triangle: array<vec4<real>, PROBLEMS * 4u * BLOCKS>;

fn block_at(high: u32, low: u32) -> u32 {
    return high * (high + 1u) / 2u + low;
}

fn write_block(k: u32, rows: Block) {
    let at = slot * 4u * BLOCKS + k;
    triangle[at] = rows.x;
    triangle[at + BLOCKS] = rows.y;
    triangle[at + 2u * BLOCKS] = rows.z;
    triangle[at + 3u * BLOCKS] = rows.w;
}

// Rows of quad i, columns of quad j. Above the diagonal the block is the mirror of the one below.
fn block(i: u32, j: u32) -> Block {
    let at = slot * 4u * BLOCKS + block_at(max(i, j), min(i, j));
    let x = triangle[at];
    let y = triangle[at + BLOCKS];
    let z = triangle[at + 2u * BLOCKS];
    let w = triangle[at + 3u * BLOCKS];
    let below = i >= j;
    return Block(
        select(vec4<real>(x.x, y.x, z.x, w.x), x, below),
        select(vec4<real>(x.y, y.y, z.y, w.y), y, below),
        select(vec4<real>(x.z, y.z, z.z, w.z), z, below),
        select(vec4<real>(x.w, y.w, z.w, w.w), w, below),
    );
}
