// A problem of `descend` spread over LANES lanes, each with every LANES-th quad of coordinates in its registers. The
// owner of a quad takes its four steps alone, with the 4 x 4 block that it holds of their rows; the four changes then
// go to all lanes at once.
// Prepended: alias real, const N, LANES, PROBLEMS (per workgroup), descend.wgsl, lanes_subgroup.wgsl or lanes_workgroup.wgsl (fn
// broadcast, total, largest, any_lane, main), matrix_workgroup.wgsl or matrix_storage.wgsl (fn keep_matrix, row).

// Per problem full, rows and columns padded with zeros to whole quads.
@group(0) @binding(1) var<storage, read> correlations: array<vec4<real>>;
@group(0) @binding(3) var<storage, read_write> positions: array<vec4<real>>;

const QUADS = (N + 3u) / 4u;
const PADDED = 4u * QUADS;
// Quads a lane owns.
const OWN = (QUADS + LANES - 1u) / LANES;

// This lane within its problem; the problem within the workgroup and within the batch.
var<private> lane: u32;
var<private> slot: u32;
var<private> matrix_of: u32;

var<private> y: array<vec4<real>, OWN>;
var<private> cy: array<vec4<real>, OWN>;
// Zero marks a coordinate that pads.
var<private> b: array<vec4<real>, OWN>;

// The quad of columns that is this lane's k-th; past the last one any will do, for its y stays zero.
fn column(k: u32) -> u32 {
    return min(k * LANES + lane, QUADS - 1u);
}

fn load_budgets() {
    for (var k = 0u; k < OWN; k++) {
        let i = 4u * (k * LANES + lane) + vec4<u32>(0u, 1u, 2u, 3u);
        let at = min(i, vec4<u32>(N - 1u));
        let values = vec4<real>(budgets[at.x], budgets[at.y], budgets[at.z], budgets[at.w]);
        b[k] = select(vec4<real>(), values, i < vec4<u32>(N));
    }
}

fn load(problem: u32) {
    for (var k = 0u; k < OWN; k++) {
        let inside = k * LANES + lane < QUADS;
        y[k] = select(vec4<real>(), positions[problem * QUADS + column(k)], inside);
    }
}

fn store(problem: u32) {
    for (var k = 0u; k < OWN; k++) {
        let quad = k * LANES + lane;
        if (quad < QUADS) {
            positions[problem * QUADS + quad] = y[k];
        }
    }
}

// y_i proportional to sqrt(b_i) / sqrt(row sum of C) where that is positive, else sqrt(b_i).
fn start() {
    for (var k = 0u; k < OWN; k++) {
        y[k] = select(vec4<real>(), vec4<real>(1.0), b[k] > vec4<real>());
    }
    product(true);
    for (var k = 0u; k < OWN; k++) {
        let positive = cy[k] > vec4<real>();
        y[k] = sqrt(b[k]) / select(vec4<real>(1.0), sqrt(cy[k]), positive);
    }
}

// C y from scratch, where asked for.
fn product(renew: bool) {
    var sum: array<vec4<real>, OWN>;
    for (var k = 0u; k < OWN; k++) {
        sum[k] = vec4<real>();
    }
    for (var k = 0u; k < OWN; k++) {
        for (var owner = 0u; owner < LANES; owner++) {
            let quad = k * LANES + owner;
            if (quad >= QUADS) {
                break;
            }
            let v = broadcast(y[k], owner);
            for (var c = 0u; c < OWN; c++) {
                let at = column(c);
                sum[c] += v.x * row(4u * quad, at);
                sum[c] += v.y * row(4u * quad + 1u, at);
                sum[c] += v.z * row(4u * quad + 2u, at);
                sum[c] += v.w * row(4u * quad + 3u, at);
            }
        }
    }
    for (var k = 0u; k < OWN; k++) {
        cy[k] = select(cy[k], sum[k], renew);
    }
}

// One step for every coordinate in turn; none for a problem that is done.
fn sweep(go: bool) {
    for (var k = 0u; k < OWN; k++) {
        for (var owner = 0u; owner < LANES; owner++) {
            let quad = k * LANES + owner;
            if (quad >= QUADS) {
                break;
            }
            var rows: array<array<vec4<real>, 4>, OWN>;
            for (var c = 0u; c < OWN; c++) {
                let at = column(c);
                rows[c][0] = row(4u * quad, at);
                rows[c][1] = row(4u * quad + 1u, at);
                rows[c][2] = row(4u * quad + 2u, at);
                rows[c][3] = row(4u * quad + 3u, at);
            }
            var change = vec4<real>();
            if (lane == owner && go) {
                var p = cy[k];
                let old = y[k];
                var next = vec4<real>();
                next.x = root(p.x - old.x, b[k].x);
                change.x = next.x - old.x;
                p += change.x * rows[k][0];
                next.y = root(p.y - old.y, b[k].y);
                change.y = next.y - old.y;
                p += change.y * rows[k][1];
                next.z = root(p.z - old.z, b[k].z);
                change.z = next.z - old.z;
                p += change.z * rows[k][2];
                next.w = root(p.w - old.w, b[k].w);
                change.w = next.w - old.w;
                y[k] = next;
            }
            change = broadcast(change, owner);
            for (var c = 0u; c < OWN; c++) {
                cy[c] += change.x * rows[c][0];
                cy[c] += change.y * rows[c][1];
                cy[c] += change.z * rows[c][2];
                cy[c] += change.w * rows[c][3];
            }
        }
    }
}

// y'C y.
fn inner() -> real {
    var sum = real(0.0);
    for (var k = 0u; k < OWN; k++) {
        sum += dot(y[k], cy[k]);
    }
    return total(sum);
}

fn scale(factor: real) {
    for (var k = 0u; k < OWN; k++) {
        y[k] *= factor;
        cy[k] *= factor;
    }
}

// max_i |y_i (C y)_i / variance - b_i| / b_i, huge where it is not a number.
fn deviation(variance: real) -> real {
    var worst = real(0.0);
    for (var k = 0u; k < OWN; k++) {
        let inside = b[k] > vec4<real>();
        let gap = abs(y[k] * cy[k] / variance - b[k]) / select(vec4<real>(1.0), b[k], inside);
        let error = select(vec4<real>(HUGE), gap, gap < vec4<real>(HUGE));
        let counted = select(vec4<real>(), error, inside);
        worst = max(worst, max(max(counted.x, counted.y), max(counted.z, counted.w)));
    }
    return largest(worst);
}
