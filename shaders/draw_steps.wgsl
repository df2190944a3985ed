// Steps of the counts, for blocks that are long: within each slice of the history the rows at which the count is not
// that of the row before (at a slice's first row: not zero), in order.

// Per problem `law.room` groups of four: the row within the slice in the low byte, above it the step as the upper bytes
// of a number in single precision, so that `moments` need not convert it. Those hold steps up to 2^16; of larger ones the
// rest is lost, and the counts do not sum to T. Slices begin with a whole group, filled up with steps of zero.
@group(0) @binding(2) var<storage, read_write> steps: array<u32>;
// Groups of a problem up to the end of each slice. Beyond `law.room` nothing is written: `moments` sees it here.
@group(0) @binding(3) var<storage, read_write> ends: array<u32>;

const SLICE = 256u;
// Lanes that share a slice.
const SHARERS = SLICE / OWN;

// Steps before each lane's rows, and all of them.
var<workgroup> found: array<u32, LANES + 1u>;

// The steps at rows 2 word and 2 word + 1 of the tile; `count` is that of the row before.
fn steps_at(word: u32, count: i32) -> vec2<i32> {
    var both = pair(word);
    if (word % (SLICE / 2u) == 0u) {
        both.x += count;
    }
    return both;
}

fn finish(problem: u32, lane: u32) {
    // Past T there are no counts, and no slices that begin with one.
    let count = select(0, count_before(lane), law.first_row + lane * OWN < law.rows);
    var own = 0;
    for (var word = lane * (OWN / 2u); word < (lane + 1u) * (OWN / 2u); word++) {
        let both = steps_at(word, count);
        own += select(0, 1, both.x != 0) + select(0, 1, both.y != 0);
    }
    // `sum_before` uses the same memory once more.
    workgroupBarrier();
    let earlier = u32(sum_before(lane, own));
    found[lane] = earlier;
    if (lane == LANES - 1u) {
        found[LANES] = earlier + u32(own);
    }
    workgroupBarrier();

    // Groups before this lane's slice.
    let first_slice = law.first_row / SLICE;
    var groups = 0u;
    if (first_slice > 0u) {
        groups = ends[problem * law.slices + first_slice - 1u];
    }
    let slice = lane / SHARERS;
    for (var k = 0u; k < slice; k++) {
        groups += groups_of(k);
    }

    var at = 4u * groups + earlier - found[slice * SHARERS];
    for (var word = lane * (OWN / 2u); word < (lane + 1u) * (OWN / 2u); word++) {
        let both = steps_at(word, count);
        for (var k = 0u; k < 2u; k++) {
            if (both[k] != 0) {
                let step = bitcast<u32>(f32(both[k])) & 0xffffff00u;
                write(problem, at, (2u * word + k) % SLICE | step);
                at += 1u;
            }
        }
    }
    if (lane % SHARERS == SHARERS - 1u) {
        let end = groups + groups_of(slice);
        for (; at < 4u * end; at++) {
            write(problem, at, 0u);
        }
        if (first_slice + slice < law.slices) {
            ends[problem * law.slices + first_slice + slice] = end;
        }
    }
}

fn groups_of(slice: u32) -> u32 {
    return (found[(slice + 1u) * SHARERS] - found[slice * SHARERS] + 3u) / 4u;
}

fn write(problem: u32, at: u32, step: u32) {
    if (at < 4u * law.room) {
        steps[4u * problem * law.room + at] = step;
    }
}
