// A problem of `descend` spread over lanes. The owner of a quad takes its four steps alone, with the 4 x 4 block that it
// holds of their rows; the four changes then go to all lanes at once.
// Prepended: descend.wgsl, quads.wgsl.

@group(0) @binding(3) var<storage, read_write> positions: array<vec4<real>>;

fn load(problem: u32) {
    y0 = select(vec4<real>(), positions[problem * QUADS + first_quad()], lane < QUADS);
    if (TWO) {
        y1 = select(vec4<real>(), positions[problem * QUADS + second_quad()], LANES + lane < QUADS);
    }
}

fn store(problem: u32) {
    if (lane < QUADS) {
        positions[problem * QUADS + lane] = y0;
    }
    if (TWO && LANES + lane < QUADS) {
        positions[problem * QUADS + LANES + lane] = y1;
    }
}

// y_i proportional to sqrt(b_i) / sqrt(row sum of C) where that is positive, else sqrt(b_i).
fn start() {
    y0 = select(vec4<real>(), vec4<real>(1.0), b0 > vec4<real>());
    y1 = select(vec4<real>(), vec4<real>(1.0), b1 > vec4<real>());
    product(true);
    y0 = sqrt(b0) / select(vec4<real>(1.0), sqrt(cy0), cy0 > vec4<real>());
    if (TWO) {
        y1 = sqrt(b1) / select(vec4<real>(1.0), sqrt(cy1), cy1 > vec4<real>());
    }
}

// Four steps in turn, from y, C y, and the block of their rows and columns.
fn steps(y: vec4<real>, cy: vec4<real>, b: vec4<real>, rows: Block) -> vec4<real> {
    var p = cy;
    var next: vec4<real>;
    next.x = root(p.x - y.x, b.x);
    p += (next.x - y.x) * rows.x;
    next.y = root(p.y - y.y, b.y);
    p += (next.y - y.y) * rows.y;
    next.z = root(p.z - y.z, b.z);
    p += (next.z - y.z) * rows.z;
    next.w = root(p.w - y.w, b.w);
    return next;
}

// One step for every coordinate in turn; none for a problem that is done.
fn sweep(go: bool) {
    for (var owner = 0u; owner < min(LANES, QUADS); owner++) {
        let first = block(owner, first_quad());
        var change = vec4<real>();
        if (lane == owner && go) {
            let next = steps(y0, cy0, b0, first);
            change = next - y0;
            y0 = next;
        }
        change = broadcast(change, owner);
        cy0 = along(cy0, change, first);
        if (TWO) {
            cy1 = along(cy1, change, block(owner, second_quad()));
        }
    }
    for (var quad = LANES; quad < QUADS; quad++) {
        let second = block(quad, second_quad());
        var change = vec4<real>();
        if (lane == quad - LANES && go) {
            let next = steps(y1, cy1, b1, second);
            change = next - y1;
            y1 = next;
        }
        change = broadcast(change, quad - LANES);
        cy0 = along(cy0, change, block(quad, first_quad()));
        cy1 = along(cy1, change, second);
    }
}

fn scale(factor: real) {
    y0 *= factor;
    cy0 *= factor;
    if (TWO) {
        y1 *= factor;
        cy1 *= factor;
    }
}

// Largest |share / variance - b| / b of a quad.
fn error_of(shares: vec4<real>, b: vec4<real>, variance: real) -> real {
    let inside = b > vec4<real>();
    let gap = abs(shares / variance - b) / select(vec4<real>(1.0), b, inside);
    return most(select(vec4<real>(), numbers(gap), inside));
}

// max_i |y_i (C y)_i / variance - b_i| / b_i.
fn deviation(variance: real) -> real {
    var worst = error_of(y0 * cy0, b0, variance);
    if (TWO) {
        worst = max(worst, error_of(y1 * cy1, b1, variance));
    }
    return largest(worst);
}
