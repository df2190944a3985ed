// The matrix of `quads.wgsl` where assets have nothing in common.

fn keep_matrix() {}

fn block(i: u32, j: u32) -> Block {
    let one = select(real(0.0), real(1.0), i == j);
    return Block(
        vec4<real>(one, 0.0, 0.0, 0.0),
        vec4<real>(0.0, one, 0.0, 0.0),
        vec4<real>(0.0, 0.0, one, 0.0),
        vec4<real>(0.0, 0.0, 0.0, one),
    );
}
