// A problem spread over LANES lanes, each with every LANES-th quad of coordinates in its registers: what `descend` and
// `limit` share.
// Prepended: alias real, const N, LANES, PROBLEMS (per workgroup), descent.wgsl. Follows: a function `budget`,
// lanes_subgroup.wgsl or lanes_workgroup.wgsl (fn broadcast, total, largest, any_lane), and a matrix (fn block,
// keep_matrix).

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

// y'C y.
fn inner() -> real {
    var sum = dot(y0, cy0);
    if (TWO) {
        sum += dot(y1, cy1);
    }
    return total(sum);
}

fn most(v: vec4<real>) -> real {
    return max(max(v.x, v.y), max(v.z, v.w));
}

// Huge where it is not a number, so that a maximum cannot lose it.
fn numbers(v: vec4<real>) -> vec4<real> {
    return select(vec4<real>(HUGE), v, v < vec4<real>(HUGE));
}
