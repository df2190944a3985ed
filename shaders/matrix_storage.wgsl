// The matrix of `quads.wgsl` read where it lies: too large for workgroup memory.

// Per problem full, rows and columns padded with zeros to whole quads.
@group(0) @binding(1) var<storage, read> correlations: array<vec4<real>>;

fn keep_matrix() {}

// Rows of quad i, columns of quad j.
fn block(i: u32, j: u32) -> Block {
    let at = (matrix_of * PADDED + 4u * i) * QUADS + j;
    return Block(
        correlations[at],
        correlations[at + QUADS],
        correlations[at + 2u * QUADS],
        correlations[at + 3u * QUADS],
    );
}
