// Stage `certify` by the lanes that have solved a problem; the formulas of certify.wgsl.
// Prepended: quads.wgsl, descend_lanes.wgsl, keep_moments.wgsl, certificate.wgsl.

@group(0) @binding(6) var<storage, read_write> weights: array<real>;
@group(0) @binding(7) var<storage, read_write> certificates: array<Certificate>;
@group(0) @binding(8) var<storage, read_write> volatilities: array<real>;

// What a lane finds of a quad of its own.
struct Own {
    // s and sigma, ones where they pad.
    s: vec4<real>,
    sigma: vec4<real>,
    // y / (s sigma), then the weights, then exposures over the largest.
    x: vec4<real>,
    // S x, |S| x, S / s, S sigma.
    product: vec4<real>,
    size: vec4<real>,
    inverse: vec4<real>,
    equal: vec4<real>,
}

fn sum_of(v: vec4<real>) -> real {
    return v.x + v.y + v.z + v.w;
}

fn sigma_of(quad: u32) -> vec4<real> {
    let i = min(assets_of(quad), vec4<u32>(N - 1u));
    return vec4<real>(assets[i.x].y, assets[i.y].y, assets[i.z].y, assets[i.w].y);
}

// Volatilities, ones where they pad.
fn volatilities_of(quad: u32) -> vec4<real> {
    let at = slot * QUADS + min(quad, QUADS - 1u);
    return select(vec4<real>(1.0), deviations[at], assets_of(quad) < vec4<u32>(N));
}

fn open(quad: u32, y: vec4<real>) -> Own {
    let s = volatilities_of(quad);
    let sigma = sigma_of(quad);
    let zero = vec4<real>();
    return Own(s, sigma, select(zero, y / (s * sigma), assets_of(quad) < vec4<u32>(N)), zero, zero, zero, zero);
}

fn write(i: u32, weight: real, s: real) {
    if (i < N) {
        weights[matrix_of * N + i] = weight;
        volatilities[matrix_of * N + i] = s;
    }
}

fn write_all(quad: u32, own: Own) {
    write(4u * quad, own.x.x, own.s.x);
    write(4u * quad + 1u, own.x.y, own.s.y);
    write(4u * quad + 2u, own.x.z, own.s.z);
    write(4u * quad + 3u, own.x.w, own.s.w);
}

// The rows of a quad, and what they are multiplied with (x, 1 / s and sigma, zeros where they pad, for there the rows are
// others' again), added to what the quad `mine` of this lane has.
fn add(own: Own, quad: u32, mine: u32, x: vec4<real>, inverse: vec4<real>, sigma: vec4<real>) -> Own {
    let rows = covariance_block(quad, mine);
    var sum = own;
    sum.product = along(sum.product, x, rows);
    sum.size = along(sum.size, x, Block(abs(rows.x), abs(rows.y), abs(rows.z), abs(rows.w)));
    if (COMPARISONS) {
        sum.inverse = along(sum.inverse, inverse, rows);
        sum.equal = along(sum.equal, sigma, rows);
    }
    return sum;
}

// S of the rows of quad i and the columns of quad j.
fn covariance_block(i: u32, j: u32) -> Block {
    let rows = covariances(max(i, j), min(i, j));
    if (i >= j) {
        return rows;
    }
    return Block(
        vec4<real>(rows.x.x, rows.y.x, rows.z.x, rows.w.x),
        vec4<real>(rows.x.y, rows.y.y, rows.z.y, rows.w.y),
        vec4<real>(rows.x.z, rows.y.z, rows.z.z, rows.w.z),
        vec4<real>(rows.x.w, rows.y.w, rows.z.w, rows.w.w),
    );
}

fn certify(live: bool) {
    var first = open(lane, y0);
    var second = open(LANES + lane, y1);
    let inside0 = assets_of(lane) < vec4<u32>(N);
    let inside1 = assets_of(LANES + lane) < vec4<u32>(N);

    let sum = total(sum_of(first.x) + sum_of(second.x));
    first.x /= sum;
    second.x /= sum;
    if (live) {
        write_all(lane, first);
        write_all(LANES + lane, second);
    }
    let smallest = -largest(max(
        most(select(vec4<real>(-HUGE), -first.s, inside0)),
        most(select(vec4<real>(-HUGE), -second.s, inside1)),
    ));
    first.x *= first.sigma;
    second.x *= second.sigma;
    // No square of an exposure over the largest leaves the range.
    let peak = largest(max(most(first.x), most(second.x)));
    first.x /= peak;
    second.x /= peak;

    for (var quad = 0u; quad < QUADS; quad++) {
        var mine = first.x;
        if (TWO) {
            mine = select(first.x, second.x, quad >= LANES);
        }
        // Zero where it pads.
        let x = broadcast(mine, quad % LANES);
        let inside = assets_of(quad) < vec4<u32>(N);
        let inverse = select(vec4<real>(), 1.0 / volatilities_of(quad), inside);
        let sigma = select(vec4<real>(), sigma_of(quad), inside);
        first = add(first, quad, first_quad(), x, inverse, sigma);
        if (TWO) {
            second = add(second, quad, second_quad(), x, inverse, sigma);
        }
    }
    let shares0 = select(vec4<real>(), first.x * first.product, inside0);
    let shares1 = select(vec4<real>(), second.x * second.product, inside1);
    let variance = total(sum_of(shares0) + sum_of(shares1));
    let kappa0 = numbers(first.size / abs(first.product));
    let kappa1 = numbers(second.size / abs(second.product));
    let kappas = max(most(select(vec4<real>(), kappa0, inside0)), most(select(vec4<real>(), kappa1, inside1)));
    let kappa = largest(kappas);
    let error = largest(max(error_of(shares0, b0, variance), error_of(shares1, b1, variance)));

    var certificate: Certificate;
    certificate.rc_error = error;
    certificate.kappa = kappa;
    certificate.volatility = peak * sqrt(variance);
    certificate.smallest = smallest;
    if (COMPARISONS) {
        let parts0 = select(vec4<real>(), first.inverse / first.s, inside0);
        let parts1 = select(vec4<real>(), second.inverse / second.s, inside1);
        let wholes0 = select(vec4<real>(), 1.0 / (first.s * first.sigma), inside0);
        let wholes1 = select(vec4<real>(), 1.0 / (second.s * second.sigma), inside1);
        let deviation = sqrt(total(sum_of(parts0) + sum_of(parts1)));
        certificate.inverse_volatility = deviation / total(sum_of(wholes0) + sum_of(wholes1));
        let equal0 = select(vec4<real>(), first.equal * first.sigma, inside0);
        let equal1 = select(vec4<real>(), second.equal * second.sigma, inside1);
        certificate.equal_weight = sqrt(total(sum_of(equal0) + sum_of(equal1))) / real(N);
    }
    if (live && lane == 0u) {
        certificate.sweeps = real(states[matrix_of].sweeps);
        certificates[matrix_of] = certificate;
    }
}
