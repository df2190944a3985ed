// Fills `matrix_triangle.wgsl` with correlations that lie in storage.

// Per problem full, rows and columns padded with zeros to whole quads.
@group(0) @binding(1) var<storage, read> correlations: array<vec4<real>>;

fn keep_matrix() {
    // The k-th block, in the order of rows.
    var i = 0u;
    var j = lane;
    for (var k = lane; k < BLOCKS; k += LANES) {
        while (j > i) {
            j -= i + 1u;
            i += 1u;
        }
        let at = (matrix_of * PADDED + 4u * i) * QUADS + j;
        write_block(k, Block(
            correlations[at],
            correlations[at + QUADS],
            correlations[at + 2u * QUADS],
            correlations[at + 3u * QUADS],
        ));
        j += LANES;
    }
}
