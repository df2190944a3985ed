// The matrix of `descend_lanes.wgsl` kept in workgroup memory.

var<workgroup> matrix: array<vec4<real>, PROBLEMS * PADDED * QUADS>;

fn keep_matrix() {
    for (var at = lane; at < PADDED * QUADS; at += LANES) {
        matrix[slot * PADDED * QUADS + at] = correlations[matrix_of * PADDED * QUADS + at];
    }
}

fn row(i: u32, quad: u32) -> vec4<real> {
    return matrix[(slot * PADDED + i) * QUADS + quad];
}
