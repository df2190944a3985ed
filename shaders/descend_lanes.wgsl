// A problem of `descend` spread over LANES lanes, each with every LANES-th quad of coordinates in its registers. The
// owner of a quad takes its four steps alone, with the 4 x 4 block that it holds of their rows; the four changes then
// go to all lanes at once.
// Prepended: alias real, const N, LANES, PROBLEMS (per workgroup), descend.wgsl, lanes_subgroup.wgsl or
// lanes_workgroup.wgsl (fn broadcast, total, largest, any_lane, main), matrix_triangle.wgsl or matrix_storage.wgsl (fn
// block).

@group(0) @binding(3) var<storage, read_write> positions: array<vec4<real>>;

const QUADS = (N + 3u) / 4u;
const PADDED = 4u * QUADS;
// Whether lanes own a second quad. None owns a third: arrays indexed by quad would go to memory.
const TWO = QUADS > LANES;
const_assert QUADS <= 2u * LANES;

// This lane within its problem; the problem within the workgroup and within the batch.
var<private> lane: u32;
var<private> slot: u32;
var<private> matrix_of: u32;

// A lane's first quad, and its second.
var<private> y0: vec4<real>;
var<private> y1: vec4<real>;
var<private> cy0: vec4<real>;
var<private> cy1: vec4<real>;
// Zero marks a coordinate that pads.
var<private> b0: vec4<real>;
var<private> b1: vec4<real>;

// Four rows of four neighbouring columns.
struct Block {
    x: vec4<real>,
    y: vec4<real>,
    z: vec4<real>,
    w: vec4<real>,
}

// This lane's quads of columns; past the last one any will do, for its y stays zero.
fn first_quad() -> u32 {
    return min(lane, QUADS - 1u);
}

fn second_quad() -> u32 {
    return min(LANES + lane, QUADS - 1u);
}

fn budgets_of(quad: u32) -> vec4<real> {
    let i = 4u * quad + vec4<u32>(0u, 1u, 2u, 3u);
    let at = min(i, vec4<u32>(N - 1u));
    let values = vec4<real>(budget(at.x), budget(at.y), budget(at.z), budget(at.w));
    return select(vec4<real>(), values, i < vec4<u32>(N));
}

fn load_budgets() {
    b0 = budgets_of(lane);
    if (TWO) {
        b1 = budgets_of(LANES + lane);
    }
}

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

// sum + v' times the rows of a block, one after the other.
fn along(sum: vec4<real>, v: vec4<real>, rows: Block) -> vec4<real> {
    var next = sum + v.x * rows.x;
    next += v.y * rows.y;
    next += v.z * rows.z;
    next += v.w * rows.w;
    return next;
}

// C y from scratch, where asked for.
fn product(renew: bool) {
    var sum0 = vec4<real>();
    var sum1 = vec4<real>();
    for (var quad = 0u; quad < QUADS; quad++) {
        var mine = y0;
        if (TWO) {
            mine = select(y0, y1, quad >= LANES);
        }
        let v = broadcast(mine, quad % LANES);
        sum0 = along(sum0, v, block(quad, first_quad()));
        if (TWO) {
            sum1 = along(sum1, v, block(quad, second_quad()));
        }
    }
    cy0 = select(cy0, sum0, renew);
    cy1 = select(cy1, sum1, renew);
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

// y'C y.
fn inner() -> real {
    var sum = dot(y0, cy0);
    if (TWO) {
        sum += dot(y1, cy1);
    }
    return total(sum);
}

fn scale(factor: real) {
    y0 *= factor;
    cy0 *= factor;
    if (TWO) {
        y1 *= factor;
        cy1 *= factor;
    }
}

fn most(v: vec4<real>) -> real {
    return max(max(v.x, v.y), max(v.z, v.w));
}

// Huge where it is not a number, so that a maximum cannot lose it.
fn numbers(v: vec4<real>) -> vec4<real> {
    return select(vec4<real>(HUGE), v, v < vec4<real>(HUGE));
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
