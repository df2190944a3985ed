// Stage `moments` for long blocks: summation by parts, slice by slice of the history.
// Prepended: alias real, const N, QUADS (of columns in a tile: as many as are 128 bytes). Follows: steps_counted.wgsl or
// steps_decaying.wgsl (fn gather), which say what a group of steps is; the second also what R is.
//
//     sum_t c_t q_t = T mean q + sum over slices of sum_t (c_t - c_{t-1}) R_t
//     q_t = packed z_t z_t', z_t0 = 1
//     R_t = sum of (q_u - mean q) over u >= t in the slice            c_{t-1} = 0 at a slice's first row
//
// A count only changes where a run begins or ends, so a block costs two rows of R whatever its length, and each slice
// one more. Sums of deviations that start anew in every slice stay small, and so does their rounding: where counts are
// multiplied with rows, errors are no smaller. The order is fixed: a problem's bits do not depend on its neighbours.
//
// A workgroup holds a tile of columns of a slice in workgroup memory and passes PROBLEMS problems over it. QUADS lanes
// share a problem, four columns each: the 128 bytes of a row are read in one go, whichever row it is, without bank conflicts.

struct Range {
    // One past the last problem of this dispatch, and the first.
    problems: u32,
    first_problem: u32,
    // Groups of steps there is room for per problem.
    room: u32,
    // Slices of the history; the first of this dispatch and one past its last.
    slices: u32,
    first_slice: u32,
    last_slice: u32,
    // T.
    rows: u32,
    // Tiles of columns in the bound part of the sums, and the first of them.
    tiles: u32,
    first_tile: u32,
    // What one is worth where powers are whole numbers: a power of two.
    unit: f32,
}

@group(0) @binding(0) var<uniform> range: Range;
// R by tiles of columns, each (T + 1) x QUADS, the last row T mean q. The mean of q_00, which is one, is taken to
// be zero there, so that the first moment is the sum of the counts.
@group(0) @binding(1) var<storage, read> suffixes: array<vec4<real>>;
// As in draw_steps.wgsl or draw_decays.wgsl.
@group(0) @binding(2) var<storage, read> steps: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> ends: array<u32>;
@group(0) @binding(4) var<storage, read_write> moments: array<real>;

const ENTRIES = (N + 1u) * (N + 2u) / 2u;
const SLICE = 256u;
const LANES = 256u;
const SHARED = LANES / QUADS;
// Eight for each group of lanes: their sums stay in registers.
const PROBLEMS = 8u * SHARED;

var<workgroup> slice: array<vec4<real>, SLICE * QUADS>;

// Groups of steps up to the end of so many slices of a problem, from the first of the buffer.
fn end(problem: u32, slices: u32) -> u32 {
    let p = min(problem, range.problems - 1u);
    var groups = 0u;
    if (slices > 0u) {
        groups = min(ends[p * range.slices + slices - 1u], range.room);
    }
    return p * range.room + groups;
}

// In the order of rows: what has been summed is then the moments so far, and the rest of the slice at the last count.
fn walk(begin: u32, to: u32, quad: u32) -> vec4<real> {
    var sum = vec4<real>();
    if (begin >= to) {
        return sum;
    }
    // Each group is asked for while the one before it is summed.
    var next = steps[begin];
    for (var group = begin; group < to; group++) {
        let four = next;
        next = steps[min(group + 1u, to - 1u)];
        sum = gather(sum, four, quad);
    }
    return sum;
}

fn store(problem: u32, column: u32, total: vec4<real>, sums: vec4<real>) {
    if (problem >= range.problems) {
        return;
    }
    // Steps that found no room are missing: moments of zero say so, the first of them not being T.
    let held = ends[problem * range.slices + range.slices - 1u] <= range.room;
    for (var k = 0u; k < 4u; k++) {
        if (column + k < ENTRIES) {
            let at = problem * ENTRIES + column + k;
            var before = total[k];
            if (range.first_slice > 0u) {
                before = moments[at];
            }
            moments[at] = select(real(0.0), before + sums[k], held);
        }
    }
}

@compute @workgroup_size(LANES)
fn moments_steps(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = group.y * groups.x + group.x;
    let tile = place % range.tiles;
    let first = range.first_problem + place / range.tiles * PROBLEMS;
    if (first >= range.problems) {
        return;
    }
    let quad = lane % QUADS;
    let base = tile * (range.rows + 1u) * QUADS;
    let p0 = first + lane / QUADS; let p1 = p0 + SHARED; let p2 = p1 + SHARED; let p3 = p2 + SHARED;
    let p4 = p3 + SHARED; let p5 = p4 + SHARED; let p6 = p5 + SHARED; let p7 = p6 + SHARED;

    var a0 = end(p0, range.first_slice); var a1 = end(p1, range.first_slice);
    var a2 = end(p2, range.first_slice); var a3 = end(p3, range.first_slice);
    var a4 = end(p4, range.first_slice); var a5 = end(p5, range.first_slice);
    var a6 = end(p6, range.first_slice); var a7 = end(p7, range.first_slice);
    var s0 = vec4<real>(); var s1 = vec4<real>(); var s2 = vec4<real>(); var s3 = vec4<real>();
    var s4 = vec4<real>(); var s5 = vec4<real>(); var s6 = vec4<real>(); var s7 = vec4<real>();
    for (var k = range.first_slice; k < range.last_slice; k++) {
        workgroupBarrier();
        for (var at = lane; at < SLICE * QUADS; at += LANES) {
            // Past row T nothing is ever read.
            let row = min(k * SLICE + at / QUADS, range.rows);
            slice[at] = suffixes[base + row * QUADS + at % QUADS];
        }
        workgroupBarrier();
        let e0 = end(p0, k + 1u); s0 += walk(a0, e0, quad); a0 = e0;
        let e1 = end(p1, k + 1u); s1 += walk(a1, e1, quad); a1 = e1;
        let e2 = end(p2, k + 1u); s2 += walk(a2, e2, quad); a2 = e2;
        let e3 = end(p3, k + 1u); s3 += walk(a3, e3, quad); a3 = e3;
        let e4 = end(p4, k + 1u); s4 += walk(a4, e4, quad); a4 = e4;
        let e5 = end(p5, k + 1u); s5 += walk(a5, e5, quad); a5 = e5;
        let e6 = end(p6, k + 1u); s6 += walk(a6, e6, quad); a6 = e6;
        let e7 = end(p7, k + 1u); s7 += walk(a7, e7, quad); a7 = e7;
    }
    let column = 4u * (QUADS * (range.first_tile + tile) + quad);
    let total = suffixes[base + range.rows * QUADS + quad];
    store(p0, column, total, s0); store(p1, column, total, s1); store(p2, column, total, s2);
    store(p3, column, total, s3); store(p4, column, total, s4); store(p5, column, total, s5);
    store(p6, column, total, s6); store(p7, column, total, s7);
}
