// Sums left_m right_e over rows in register tiles: the matrix product behind stage `moments`.
// Prepended: alias real, const LEFT (tile height: 64, or 32, so that numbers of double width stay in registers), RIGHT
// (tile width, a multiple of 8; one lane each), and moments.wgsl or moments_wide.wgsl, which say what the factors are
// (fn place, fill_left, right) and where sums go (fn add). Follows: rows_counted.wgsl or rows_weighed.wgsl (fn words,
// weights, weight), which say what c_t is.
//
//     M_ij = sum_t c_t z_ti z_tj     packed by rows of the lower triangle, z_t0 = 1: M_00 = sum_t c_t, M_i0 are the sums
//
// Rounding stays of the order of a tile: rows are summed by 64, tiles by dispatch, dispatches in `moments`. The order
// is fixed, so a problem's bits do not depend on its neighbours.

struct Range {
    // Problems of this dispatch, and the first of them.
    problems: u32,
    first_problem: u32,
    // Words per problem of what rows count.
    words: u32,
    // Rows of this dispatch; the first of them, in the history and in the bound slice of the panel.
    rows: u32,
    first_row: u32,
    first_slice_row: u32,
    // Whether `moments` already holds the rows before.
    resumed: u32,
    // What one is worth where rows are weighed: a power of two.
    unit: f32,
}

@group(0) @binding(0) var<uniform> range: Range;
// A slice of the standardised panel: rows x (1 + N), each row led by a one.
@group(0) @binding(1) var<storage, read> panel: array<real>;
@group(0) @binding(3) var<storage, read_write> moments: array<real>;

// Packed moments of a problem.
const ENTRIES = (N + 1u) * (N + 2u) / 2u;
// Whether a lane's part of the tile is 8 x 8, not 4 x 8.
const TALL = LEFT == 64u;
const STEP = 16u;
const TILE_ROWS = 64u;

var<workgroup> left_tile: array<vec4<real>, STEP * LEFT / 4u>;
var<workgroup> right_tile: array<vec4<real>, STEP * RIGHT / 4u>;

// Sums of this lane's part over the rows of a tile.
var<private> p0: vec4<real>; var<private> p1: vec4<real>; var<private> p2: vec4<real>; var<private> p3: vec4<real>;
var<private> p4: vec4<real>; var<private> p5: vec4<real>; var<private> p6: vec4<real>; var<private> p7: vec4<real>;
var<private> q0: vec4<real>; var<private> q1: vec4<real>; var<private> q2: vec4<real>; var<private> q3: vec4<real>;
var<private> q4: vec4<real>; var<private> q5: vec4<real>; var<private> q6: vec4<real>; var<private> q7: vec4<real>;

// The products of row k of the tiles: quads m and m + 8 of the left, e and e + RIGHT / 8 of the right.
fn add_row(k: u32, m: u32, e: u32) {
    let a = left_tile[k * (LEFT / 4u) + m];
    let v = right_tile[k * (RIGHT / 4u) + e];
    let w = right_tile[k * (RIGHT / 4u) + e + RIGHT / 8u];
    p0 += a.x * v; q0 += a.x * w;
    p1 += a.y * v; q1 += a.y * w;
    p2 += a.z * v; q2 += a.z * w;
    p3 += a.w * v; q3 += a.w * w;
    if (TALL) {
        let b = left_tile[k * (LEFT / 4u) + m + 8u];
        p4 += b.x * v; q4 += b.x * w;
        p5 += b.y * v; q5 += b.y * w;
        p6 += b.z * v; q6 += b.z * w;
        p7 += b.w * v; q7 += b.w * w;
    }
}

@compute @workgroup_size(RIGHT)
fn moments_tile(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    if (!place(group.y * groups.x + group.x, lane)) {
        return;
    }
    // This lane's part of the tile: quads m and, where it is tall, m + 8 of the left, e and e + RIGHT / 8 of the right.
    // Neighbours read neighbouring quads, so no two of a wavefront meet in a bank.
    let m = lane / (RIGHT / 8u);
    let e = lane % (RIGHT / 8u);

    var t0 = vec4<real>(); var t1 = vec4<real>(); var t2 = vec4<real>(); var t3 = vec4<real>();
    var t4 = vec4<real>(); var t5 = vec4<real>(); var t6 = vec4<real>(); var t7 = vec4<real>();
    var u0 = vec4<real>(); var u1 = vec4<real>(); var u2 = vec4<real>(); var u3 = vec4<real>();
    var u4 = vec4<real>(); var u5 = vec4<real>(); var u6 = vec4<real>(); var u7 = vec4<real>();
    for (var tile = 0u; tile < range.rows; tile += TILE_ROWS) {
        p0 = vec4<real>(); p1 = vec4<real>(); p2 = vec4<real>(); p3 = vec4<real>();
        p4 = vec4<real>(); p5 = vec4<real>(); p6 = vec4<real>(); p7 = vec4<real>();
        q0 = vec4<real>(); q1 = vec4<real>(); q2 = vec4<real>(); q3 = vec4<real>();
        q4 = vec4<real>(); q5 = vec4<real>(); q6 = vec4<real>(); q7 = vec4<real>();
        for (var step = tile; step < min(tile + TILE_ROWS, range.rows); step += STEP) {
            workgroupBarrier();
            fill_left(step, lane);
            for (var at = lane; at < STEP * RIGHT / 4u; at += RIGHT) {
                right_tile[at] = right(step + at / (RIGHT / 4u), at % (RIGHT / 4u));
            }
            workgroupBarrier();
            // Two rows at a time, in order: half the counting.
            for (var k = 0u; k < STEP; k += 2u) {
                add_row(k, m, e);
                add_row(k + 1u, m, e);
            }
        }
        t0 += p0; t1 += p1; t2 += p2; t3 += p3; t4 += p4; t5 += p5; t6 += p6; t7 += p7;
        u0 += q0; u1 += q1; u2 += q2; u3 += q3; u4 += q4; u5 += q5; u6 += q6; u7 += q7;
    }
    add(4u * m, 4u * e, t0); add(4u * m, 4u * e + RIGHT / 2u, u0);
    add(4u * m + 1u, 4u * e, t1); add(4u * m + 1u, 4u * e + RIGHT / 2u, u1);
    add(4u * m + 2u, 4u * e, t2); add(4u * m + 2u, 4u * e + RIGHT / 2u, u2);
    add(4u * m + 3u, 4u * e, t3); add(4u * m + 3u, 4u * e + RIGHT / 2u, u3);
    if (TALL) {
        add(4u * m + 32u, 4u * e, t4); add(4u * m + 32u, 4u * e + RIGHT / 2u, u4);
        add(4u * m + 33u, 4u * e, t5); add(4u * m + 33u, 4u * e + RIGHT / 2u, u5);
        add(4u * m + 34u, 4u * e, t6); add(4u * m + 34u, 4u * e + RIGHT / 2u, u6);
        add(4u * m + 35u, 4u * e, t7); add(4u * m + 35u, 4u * e + RIGHT / 2u, u7);
    }
}
