// Fills `matrix_triangle.wgsl` with correlations that lie interleaved: entry e of the strict lower triangle of problem p at
// e P + p.

@group(0) @binding(1) var<storage, read> correlations: array<real>;

// Zero where it pads.
fn correlation(i: u32, j: u32) -> real {
    if (i == j) {
        return select(real(0.0), real(1.0), i < N);
    }
    let high = max(i, j);
    if (high >= N) {
        return 0.0;
    }
    return correlations[(high * (high - 1u) / 2u + min(i, j)) * descent.problems + matrix_of];
}

fn row(i: u32, j: u32) -> vec4<real> {
    return vec4<real>(correlation(i, j), correlation(i, j + 1u), correlation(i, j + 2u), correlation(i, j + 3u));
}

fn keep_matrix() {
    var i = 0u;
    var j = lane;
    for (var k = lane; k < BLOCKS; k += LANES) {
        while (j > i) {
            j -= i + 1u;
            i += 1u;
        }
        let at = 4u * i;
        write_block(k, Block(row(at, 4u * j), row(at + 1u, 4u * j), row(at + 2u, 4u * j), row(at + 3u, 4u * j)));
        j += LANES;
    }
}
