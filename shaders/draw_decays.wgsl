// What `draw` makes of runs where rows count by their age and blocks are long: within each slice of the history the rows at
// which runs end, or which come before one, in order, and what the sums up to them count.
// Prepended: const TILE, rows of the tile: a power of two from 256 to 2048.
//
//     a run of rows s .. e - 1 at positions from p on:  lambda^(T - p - (e - s)) at row e - 1,  -lambda^(T - p) at row s - 1
//
// See steps_decaying.wgsl. Powers are whole numbers, so that the order in which they are added is immaterial.

// Per problem `law.room` groups of two: the row within the slice, then what its sum counts. Slices begin with a whole group,
// filled up with zeros.
@group(0) @binding(2) var<storage, read_write> steps: array<u32>;
// Powers by age, the newest first.
@group(0) @binding(3) var<storage, read> ages: array<u32>;
// Groups of a problem up to the end of each slice. Beyond `law.room` nothing is written: `moments` sees it here.
@group(0) @binding(4) var<storage, read_write> ends: array<u32>;

const SLICE = 256u;
// Rows of a lane, once all runs are in, and lanes that share a slice.
const OWN = TILE / LANES;
const SHARERS = SLICE / OWN;
// A word of padding after every 32, so that lanes that walk along their own rows meet different banks.
const CELLS = TILE + TILE / 32u;

var<workgroup> sums: array<atomic<i32>, CELLS>;
// Steps before each lane's rows, and all of them.
var<workgroup> found: array<u32, LANES + 1u>;

fn open(lane: u32) {
    for (var at = lane; at < CELLS; at += LANES) {
        atomicStore(&sums[at], 0);
    }
    workgroupBarrier();
}

fn cell(row: u32) -> u32 {
    return row + row / 32u;
}

fn power(age: u32) -> i32 {
    return select(0, i32(ages[min(age, law.ages - 1u)]), age < law.ages);
}

fn change(row: u32, by: i32) {
    let at = row - law.first_row;
    if (at < TILE && by != 0) {
        atomicAdd(&sums[cell(at)], by);
    }
}

// Rows from .. to of the history, the first of them at such a position.
fn cover(begin: u32, to: u32, position: u32) {
    change(to - 1u, power(law.rows - position - (to - begin)));
    if (begin > 0u) {
        change(begin - 1u, -power(law.rows - position));
    }
}

fn take(problem: u32, lane: u32, runs: u32) {
    for (var run = lane; run < runs; run += LANES) {
        let begin = starts[run];
        let end = begin + positions[run + 1u] - positions[run];
        cover(begin, min(end, law.rows), positions[run]);
        if (end > law.rows) {
            cover(0u, end - law.rows, positions[run] + law.rows - begin);
        }
    }
}

fn sum_at(lane: u32, own: u32) -> i32 {
    return atomicLoad(&sums[cell(lane * OWN + own)]);
}

fn finish(problem: u32, lane: u32) {
    var mine = 0u;
    for (var own = 0u; own < OWN; own++) {
        mine += select(0u, 1u, sum_at(lane, own) != 0);
    }
    found[lane + 1u] = mine;
    if (lane == 0u) {
        found[0] = 0u;
    }
    workgroupBarrier();
    // Sums of twice as many at a time.
    for (var reach = 1u; reach < LANES; reach <<= 1u) {
        var sum = found[lane + 1u];
        if (lane >= reach) {
            sum += found[lane + 1u - reach];
        }
        workgroupBarrier();
        found[lane + 1u] = sum;
        workgroupBarrier();
    }

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

    var at = 2u * groups + found[lane] - found[slice * SHARERS];
    for (var own = 0u; own < OWN; own++) {
        let sum = sum_at(lane, own);
        if (sum != 0) {
            write(problem, at, (lane * OWN + own) % SLICE, sum);
            at += 1u;
        }
    }
    if (lane % SHARERS == SHARERS - 1u) {
        let end = groups + groups_of(slice);
        for (; at < 2u * end; at++) {
            write(problem, at, 0u, 0);
        }
        if (first_slice + slice < law.slices) {
            ends[problem * law.slices + first_slice + slice] = end;
        }
    }
}

fn groups_of(slice: u32) -> u32 {
    return (found[(slice + 1u) * SHARERS] - found[slice * SHARERS] + 1u) / 2u;
}

fn write(problem: u32, at: u32, row: u32, sum: i32) {
    if (at < 2u * law.room) {
        steps[4u * problem * law.room + 2u * at] = row;
        steps[4u * problem * law.room + 2u * at + 1u] = bitcast<u32>(sum);
    }
}
