// What `draw` makes of runs: how the count of a row of the history differs from that of the row before, for one tile of
// rows. A run is one more where it begins and one less where it ends, whatever its length; atomic integers make the
// order of runs immaterial.
// Prepended: const TILE, rows of the tile: a power of two from 256 to 4096. Follows: draw_counts.wgsl or draw_steps.wgsl,
// which write what the tile holds (fn finish).

// Rows of a lane, once all runs are in.
const OWN = TILE / LANES;
const CELLS = TILE / 2u + TILE / 64u;

// Two rows a word, the later in the high half; a word of padding after every 32, so that lanes that walk along their own
// rows meet different banks. A half overflows when one row begins 2^15 runs: never within 2^15 rows,
// and `volatility` notices, for the counts then do not sum to T.
var<workgroup> changes: array<atomic<i32>, CELLS>;
var<workgroup> partial: array<i32, LANES>;
var<workgroup> eights: array<i32, 8>;

fn cell(word: u32) -> u32 {
    return word + word / 32u;
}

fn open(lane: u32) {
    for (var at = lane; at < CELLS; at += LANES) {
        atomicStore(&changes[at], 0);
    }
    workgroupBarrier();
}

fn change(row: u32, by: i32) {
    let at = row - law.first_row;
    if (at < TILE) {
        atomicAdd(&changes[cell(at / 2u)], by << (16u * (at % 2u)));
    }
}

// Counts rows from .. to of the history once more.
fn cover(begin: u32, to: u32) {
    let within = max(begin, law.first_row);
    if (within < to) {
        change(within, 1);
        if (to < law.rows) {
            change(to, -1);
        }
    }
}

fn take(problem: u32, lane: u32, runs: u32) {
    for (var run = lane; run < runs; run += LANES) {
        let begin = starts[run];
        let end = begin + positions[run + 1u] - positions[run];
        cover(begin, min(end, law.rows));
        if (end > law.rows) {
            cover(0u, end - law.rows);
        }
    }
}

// The changes at rows 2 word and 2 word + 1 of the tile.
fn pair(word: u32) -> vec2<i32> {
    let both = atomicLoad(&changes[cell(word)]);
    let first = extractBits(both, 0u, 16u);
    return vec2<i32>(first, (both - first) >> 16u);
}

// The sum of what the lanes before this one have, in two steps of eight.
fn sum_before(lane: u32, value: i32) -> i32 {
    partial[lane] = value;
    workgroupBarrier();
    if (lane < 8u) {
        var sum = 0;
        for (var k = 8u * lane; k < 8u * lane + 8u; k++) {
            sum += partial[k];
        }
        eights[lane] = sum;
    }
    workgroupBarrier();
    var sum = 0;
    for (var k = 0u; k < lane / 8u; k++) {
        sum += eights[k];
    }
    for (var k = lane / 8u * 8u; k < lane; k++) {
        sum += partial[k];
    }
    return sum;
}

// The count of the row before this lane's first.
fn count_before(lane: u32) -> i32 {
    var sum = 0;
    for (var word = lane * (OWN / 2u); word < (lane + 1u) * (OWN / 2u); word++) {
        let both = pair(word);
        sum += both.x + both.y;
    }
    return sum_before(lane, sum);
}
