// Steps of the counts, for blocks that are long: within each slice of the history the rows at which the count is not
// that of the row before (at a slice's first row: not zero), in order.

// Per problem `law.room` groups of four: the row within the slice in the low byte, the step above it. Slices begin with
// a whole group, filled up with steps of zero.
@group(0) @binding(2) var<storage, read_write> steps: array<u32>;
// Groups of a problem up to the end of each slice. Beyond `law.room` nothing is written: `moments` sees it here.
@group(0) @binding(3) var<storage, read_write> ends: array<u32>;

const SLICE = 256u;
// Lanes that share a slice.
const SHARERS = SLICE / OWN;

var<workgroup> found: array<u32, LANES>;

// The steps at rows 2 word and 2 word + 1 of the tile; `count` is that of the row before.
fn steps_at(word: u32, count: i32) -> vec2<i32> {
    var both = pair(word);
    if (word % (SLICE / 2u) == 0u) {
        both.x += count;
    }
    return both;
}

fn finish(problem: u32, lane: u32) {
    let count = count_before(lane);
    var own = 0u;
    for (var word = lane * (OWN / 2u); word < (lane + 1u) * (OWN / 2u); word++) {
        own += dot(vec2<u32>(steps_at(word, count) != vec2<i32>(0)), vec2<u32>(1u));
    }
    found[lane] = own;
    workgroupBarrier();

    // Groups before this lane's slice, steps of the slice before this lane's, and all of it.
    let first_slice = law.first_row / SLICE;
    var groups = 0u;
    if (first_slice > 0u) {
        groups = ends[problem * law.slices + first_slice - 1u];
    }
    let slice = lane / SHARERS;
    for (var k = 0u; k < slice; k++) {
        var held = 0u;
        for (var sharer = 0u; sharer < SHARERS; sharer++) {
            held += found[k * SHARERS + sharer];
        }
        groups += (held + 3u) / 4u;
    }
    var before = 0u;
    var all = 0u;
    for (var sharer = 0u; sharer < SHARERS; sharer++) {
        let held = found[slice * SHARERS + sharer];
        before += select(0u, held, slice * SHARERS + sharer < lane);
        all += held;
    }

    var at = 4u * groups + before;
    for (var word = lane * (OWN / 2u); word < (lane + 1u) * (OWN / 2u); word++) {
        let both = steps_at(word, count);
        for (var k = 0u; k < 2u; k++) {
            if (both[k] != 0) {
                write(problem, at, (2u * word + k) % SLICE | u32(both[k]) << 8u);
                at += 1u;
            }
        }
    }
    if (lane % SHARERS == SHARERS - 1u) {
        let end = groups + (all + 3u) / 4u;
        for (; at < 4u * end; at++) {
            write(problem, at, 0u);
        }
        if (first_slice + slice < law.slices) {
            ends[problem * law.slices + first_slice + slice] = end;
        }
    }
}

fn write(problem: u32, at: u32, step: u32) {
    if (at < 4u * law.room) {
        steps[4u * problem * law.room + at] = step;
    }
}
