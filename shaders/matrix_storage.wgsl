// The matrix of `descend_lanes.wgsl` read where it lies: too large for workgroup memory.

fn keep_matrix() {}

fn row(i: u32, quad: u32) -> vec4<real> {
    return correlations[(matrix_of * PADDED + i) * QUADS + quad];
}
