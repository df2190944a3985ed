// A problem of `limit` spread over lanes, in their registers.
// Prepended: limit.wgsl, const INTERLEAVED. Follows: limit_multipliers.wgsl, limit_sweep.wgsl; lanes_subgroup.wgsl with
// totals_subgroup.wgsl, or those of workgroups (fn totals).

// (budget, sigma) per asset, as in certify.wgsl.
@group(0) @binding(2) var<storage, read> assets: array<vec2<real>>;
// Weights: of a batch whose correlations are interleaved w_i of problem p at i P + p, else per problem, padded.
@group(0) @binding(3) var<storage, read_write> positions: array<real>;
// Per problem, standardised.
@group(0) @binding(6) var<storage, read> volatilities: array<real>;

// A quad of coordinates. What pads has no weight and may have none.
struct Quad {
    w: vec4<real>,
    // Volatilities, over what makes the largest exposure of the start one: no square leaves the range.
    s: vec4<real>,
    b: vec4<real>,
    least: vec4<real>,
    most: vec4<real>,
    part: vec4<u32>,
    // s_i - b_i, then what the steps are lines of: step_i(l) = at_i - l falls_i before it is clipped.
    at: vec4<real>,
    falls: vec4<real>,
    slope: vec4<real>,
    // Multipliers of the parts, and what C y has changed by in this sweep.
    lambda: vec4<real>,
    change: vec4<real>,
    // How far y moved in the last sweep, and the weights it led to.
    moved: vec4<real>,
    image: vec4<real>,
}

var<private> first: Quad;
var<private> second: Quad;
// 1 / v.
var<private> inverse: real;

// Of the parts: multipliers; which groups are held, by bits, and at which sum; what scales their free weights.
var<private> lambdas: array<real, PARTS>;
var<private> held: u32;
var<private> targets: array<real, PARTS>;
var<private> factors: array<real, PARTS>;

fn budget(i: u32) -> real {
    return assets[i].x;
}

fn is_held(part: u32) -> bool {
    return (held >> part & 1u) == 1u;
}

fn place_of(problem: u32, i: u32) -> u32 {
    if (INTERLEAVED) {
        return i * descent.problems + problem;
    }
    return problem * PADDED + i;
}

fn sum_of(v: vec4<real>) -> real {
    return v.x + v.y + v.z + v.w;
}

// What the coordinates of a part add up to in a quad.
fn of_part(v: vec4<real>, quad: Quad, part: u32) -> real {
    if (GROUPS == 0u) {
        return sum_of(v);
    }
    return sum_of(select(vec4<real>(), v, quad.part == vec4<u32>(part)));
}

// The multipliers of the coordinates' parts.
fn lambdas_of(quad: Quad) -> vec4<real> {
    if (GROUPS == 0u) {
        return vec4<real>(lambdas[0]);
    }
    return vec4<real>(lambdas[quad.part.x], lambdas[quad.part.y], lambdas[quad.part.z], lambdas[quad.part.w]);
}

fn clipped(quad: Quad, w: vec4<real>) -> vec4<real> {
    return min(max(w, quad.least), quad.most);
}

// At neither bound.
fn is_free(quad: Quad) -> vec4<bool> {
    return (quad.least < quad.w) & (quad.w < quad.most);
}

fn volatility(problem: u32, i: u32) -> real {
    return volatilities[problem * N + i] * assets[i].y;
}

fn opened(problem: u32, number: u32, b: vec4<real>) -> Quad {
    let i = 4u * number + vec4<u32>(0u, 1u, 2u, 3u);
    let inside = i < vec4<u32>(N);
    let at = min(i, vec4<u32>(N - 1u));
    let s = vec4<real>(
        volatility(problem, at.x),
        volatility(problem, at.y),
        volatility(problem, at.z),
        volatility(problem, at.w),
    );
    var quad: Quad;
    quad.s = select(vec4<real>(1.0), s, inside);
    quad.b = b;
    quad.least = vec4<real>(limits[at.x].x, limits[at.y].x, limits[at.z].x, limits[at.w].x);
    quad.least = select(vec4<real>(), quad.least, inside);
    quad.most = vec4<real>(limits[at.x].y, limits[at.y].y, limits[at.z].y, limits[at.w].y);
    quad.most = select(vec4<real>(), quad.most, inside);
    quad.part = vec4<u32>(part_of(at.x), part_of(at.y), part_of(at.z), part_of(at.w));
    quad.part = select(vec4<u32>(GROUPS), quad.part, inside);
    return quad;
}

// w_i in proportion to sqrt(b_i) / sigma_i, within the bounds.
fn start(problem: u32) {
    first = opened(problem, lane, b0);
    first.w = sqrt(first.b) / first.s;
    var own = sum_of(first.w);
    if (TWO) {
        second = opened(problem, LANES + lane, b1);
        second.w = sqrt(second.b) / second.s;
        own += sum_of(second.w);
    }
    let whole = total(own);
    first.w = clipped(first, first.w / whole);
    var peak = most(first.w * first.s);
    if (TWO) {
        second.w = clipped(second, second.w / whole);
        peak = max(peak, most(second.w * second.s));
    }
    peak = largest(peak);
    first.s /= peak;
    if (TWO) {
        second.s /= peak;
    }
    held = 0u;
    for (var part = 0u; part < PARTS; part++) {
        lambdas[part] = 0.0;
        targets[part] = 0.0;
    }
}

fn load_one(problem: u32, i: u32) -> real {
    if (i < N) {
        return positions[place_of(problem, i)];
    }
    return 0.0;
}

fn load_quad(problem: u32, number: u32) -> vec4<real> {
    let i = 4u * number;
    return vec4<real>(
        load_one(problem, i),
        load_one(problem, i + 1u),
        load_one(problem, i + 2u),
        load_one(problem, i + 3u),
    );
}

fn load(problem: u32) {
    first.w = load_quad(problem, lane);
    if (TWO) {
        second.w = load_quad(problem, LANES + lane);
    }
}

fn store_one(problem: u32, i: u32, w: real) {
    if (i < N) {
        positions[place_of(problem, i)] = w;
    }
}

fn store_quad(problem: u32, number: u32, w: vec4<real>) {
    let i = 4u * number;
    store_one(problem, i, w.x);
    store_one(problem, i + 1u, w.y);
    store_one(problem, i + 2u, w.z);
    store_one(problem, i + 3u, w.w);
}

fn store(problem: u32) {
    store_quad(problem, lane, first.w);
    if (TWO) {
        store_quad(problem, LANES + lane, second.w);
    }
}

// y, C y and 1 / v from the weights.
fn multiply() {
    y0 = first.w * first.s;
    if (TWO) {
        y1 = second.w * second.s;
    }
    product(true);
    inverse = 1.0 / inner();
}
