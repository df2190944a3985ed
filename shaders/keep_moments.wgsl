// Fills `matrix_triangle.wgsl` with correlations made from moments, by the formulas of correlate.wgsl.
// Prepended: matrix_triangle.wgsl, solve.wgsl. Follows: covariance.wgsl (var moments, fn at, centred, complete, resolved).

// Sums m and volatilities s by quads; zeros where they pad.
var<workgroup> sums: array<vec4<real>, PROBLEMS * QUADS>;
var<workgroup> deviations: array<vec4<real>, PROBLEMS * QUADS>;

fn assets_of(quad: u32) -> vec4<u32> {
    return 4u * quad + vec4<u32>(0u, 1u, 2u, 3u);
}

fn keep_sums() {
    let base = matrix_of * ENTRIES;
    // Not so where a draw had no room: `certify` refuses a problem whose volatilities are zero.
    let total = moments[base];
    let drawn = complete(total);
    for (var quad = lane; quad < QUADS; quad += LANES) {
        let i = min(assets_of(quad), vec4<u32>(N - 1u)) + 1u;
        let inside = assets_of(quad) < vec4<u32>(N);
        let row = base + i * (i + 1u) / 2u;
        let sum = vec4<real>(moments[row.x], moments[row.y], moments[row.z], moments[row.w]);
        let own = row + i;
        let product = vec4<real>(moments[own.x], moments[own.y], moments[own.z], moments[own.w]);
        let means = sum / total * sum;
        let variance = vec4<real>(
            centred(product.x, means.x),
            centred(product.y, means.y),
            centred(product.z, means.z),
            centred(product.w, means.w),
        );
        sums[slot * QUADS + quad] = select(vec4<real>(), sum, inside);
        let told = vec4<bool>(
            resolved(variance.x, product.x),
            resolved(variance.y, product.y),
            resolved(variance.z, product.z),
            resolved(variance.w, product.w),
        );
        let moves = inside & told & vec4<bool>(drawn);
        deviations[slot * QUADS + quad] = select(vec4<real>(), sqrt(variance), moves);
    }
}

// S_ij of row i and four columns.
fn covariances_of(i: u32, j: vec4<u32>, mean: real, sum: vec4<real>) -> vec4<real> {
    let at = matrix_of * ENTRIES + min(i, N - 1u) * (min(i, N - 1u) + 3u) / 2u + 1u;
    let cells = at + min(j + 1u, vec4<u32>(min(i, N - 1u) + 1u));
    let means = mean * sum;
    return vec4<real>(
        centred(moments[cells.x], means.x),
        centred(moments[cells.y], means.y),
        centred(moments[cells.z], means.z),
        centred(moments[cells.w], means.w),
    );
}

// S of the rows of quad i and the columns of quad j <= i; what pads is of no use.
fn covariances(i: u32, j: u32) -> Block {
    let mean = sums[slot * QUADS + i] / moments[matrix_of * ENTRIES];
    let sum = sums[slot * QUADS + j];
    let columns = assets_of(j);
    let x = covariances_of(4u * i, columns, mean.x, sum);
    let y = covariances_of(4u * i + 1u, columns, mean.y, sum);
    let z = covariances_of(4u * i + 2u, columns, mean.z, sum);
    let w = covariances_of(4u * i + 3u, columns, mean.w, sum);
    if (i > j) {
        return Block(x, y, z, w);
    }
    // On the diagonal only what lies below it is there.
    return Block(
        vec4<real>(x.x, y.x, z.x, w.x),
        vec4<real>(y.x, y.y, z.y, w.y),
        vec4<real>(z.x, z.y, z.z, w.z),
        w,
    );
}

fn correlations_of(covariances: vec4<real>, s: real, volatilities: vec4<real>, diagonal: vec4<bool>) -> vec4<real> {
    let scale = s * volatilities;
    let c = select(vec4<real>(), covariances / scale, scale > vec4<real>());
    return select(c, vec4<real>(1.0), diagonal);
}

fn keep_matrix() {
    // The k-th block, in the order of rows.
    var i = 0u;
    var j = lane;
    for (var k = lane; k < BLOCKS; k += LANES) {
        while (j > i) {
            j -= i + 1u;
            i += 1u;
        }
        let rows = covariances(i, j);
        let s = deviations[slot * QUADS + i];
        let across = deviations[slot * QUADS + j];
        let diagonal = (assets_of(i) < vec4<u32>(N)) & vec4<bool>(i == j);
        write_block(k, Block(
            correlations_of(rows.x, s.x, across, diagonal & vec4<bool>(true, false, false, false)),
            correlations_of(rows.y, s.y, across, diagonal & vec4<bool>(false, true, false, false)),
            correlations_of(rows.z, s.z, across, diagonal & vec4<bool>(false, false, true, false)),
            correlations_of(rows.w, s.w, across, diagonal & vec4<bool>(false, false, false, true)),
        ));
        j += LANES;
    }
}
