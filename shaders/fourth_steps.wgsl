// How often a row was drawn, from steps of counts: the sum of the steps in its slice up to it.
// Prepended: fourth_range.wgsl.

// As in draw_steps.wgsl.
@group(0) @binding(2) var<storage, read> steps: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> ends: array<u32>;

var<workgroup> counted: array<i32, 256>;

fn end(problem: u32, slices: u32) -> u32 {
    if (slices == 0u) {
        return 0u;
    }
    return min(ends[problem * range.slices + slices - 1u], range.room);
}

// No two steps of a slice are of one row, but those of zero that fill up a group.
fn place(step: u32) {
    let by = i32(bitcast<f32>(step & 0xffffff00u));
    if (by != 0) {
        counted[step & 0xffu] = by;
    }
}

// Of the row of this lane in a slice that begins so many rows into the dispatch.
fn weight(problem: u32, slice: u32, lane: u32) -> real {
    let number = (range.first_row + slice) / 256u;
    let first = problem * range.room;
    let last = end(problem, number + 1u);
    workgroupBarrier();
    counted[lane] = 0;
    workgroupBarrier();
    for (var group = end(problem, number) + lane; group < last; group += 256u) {
        let four = steps[first + group];
        place(four.x);
        place(four.y);
        place(four.z);
        place(four.w);
    }
    workgroupBarrier();
    // Sums of twice as many steps at a time.
    for (var reach = 1u; reach < 256u; reach <<= 1u) {
        var sum = counted[lane];
        if (lane >= reach) {
            sum += counted[lane - reach];
        }
        workgroupBarrier();
        counted[lane] = sum;
        workgroupBarrier();
    }
    return select(0.0, real(counted[lane]), slice + lane < range.rows);
}
