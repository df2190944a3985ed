// Draws resamples by the index law `pxsb-1`, one workgroup each; twin of src/resample.rs.
// Prepended: philox.wgsl, and draw_rows.wgsl, draw_weights.wgsl, draw_decays.wgsl or draw_changes.wgsl, which say what becomes
// of the runs (fn open, take, finish).
//
//     restart(s) = s = 0, or ACCEPT(s) < threshold       (iid: always; circular, moving: L divides s)
//     row(s)     = (mulhi(START(r), R) + s - r) mod T    r = the last restart at or before s
//
// Positions are taken in rounds. In each the lanes mark the restarts in a bitmap, list them in order, and draw a start
// for each: no lane calls Philox while others wait. The last run of a round is closed by the next.

struct Law {
    problems: u32,
    // T.
    rows: u32,
    // R, the number of admissible block starts.
    starts: u32,
    // ALWAYS, BELOW or EVERY, and its threshold or length.
    restart: u32,
    parameter: u32,
    cell: u32,
    seed_lo: u32,
    seed_hi: u32,
    // The first row of the history that this dispatch looks at.
    first_row: u32,
    // Room per problem in the buffer that is written.
    room: u32,
    // Slices of the history (draw_steps.wgsl).
    slices: u32,
    // Rows from the newest on that count (draw_weights.wgsl, draw_decays.wgsl).
    ages: u32,
}

@group(0) @binding(0) var<uniform> law: Law;
// Resample numbers, 64 bits each (low word first).
@group(0) @binding(1) var<storage, read> resamples: array<vec2<u32>>;

const LANES = 64u;
// Positions per round: two Philox calls a lane.
const ROUND = 512u;
const WORDS = ROUND / 32u;

const ALWAYS = 0u;
const BELOW = 1u;
const EVERY = 2u;

const DOMAIN_ACCEPT = 1u;
const DOMAIN_START = 2u;

// A bit per position of the round: whether it restarts.
var<workgroup> restarts: array<atomic<u32>, WORDS>;
// Run k covers positions[k] .. positions[k + 1] and begins with row starts[k].
var<workgroup> positions: array<u32, ROUND + 2u>;
var<workgroup> starts: array<u32, ROUND + 1u>;

fn words(domain: u32, resample: vec2<u32>, call: u32) -> vec4<u32> {
    return philox(
        vec4<u32>(call, resample.x, resample.y, (law.cell << 8u) | domain),
        vec2<u32>(law.seed_lo, law.seed_hi),
    );
}

// Which of the positions 4 call .. 4 call + 3 restart, a bit each, where not all do.
fn restarting(resample: vec2<u32>, call: u32) -> u32 {
    let s = 4u * call + vec4<u32>(0u, 1u, 2u, 3u);
    var flags = s % vec4<u32>(law.parameter) == vec4<u32>(0u);
    if (law.restart == BELOW) {
        flags = words(DOMAIN_ACCEPT, resample, call) < vec4<u32>(law.parameter);
    }
    flags = (flags | (s == vec4<u32>(0u))) & (s < vec4<u32>(law.rows));
    let bits = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), flags);
    return bits.x | bits.y | bits.z | bits.w;
}

// Lists the positions of the round that restart, in order, and returns how many there are.
fn list(resample: vec2<u32>, lane: u32, first: u32, listed: u32) -> u32 {
    if (lane < WORDS) {
        atomicStore(&restarts[lane], 0u);
    }
    workgroupBarrier();
    for (var call = lane; call < ROUND / 4u; call += LANES) {
        if (first + 4u * call < law.rows) {
            let bits = restarting(resample, first / 4u + call);
            atomicOr(&restarts[call / 8u], bits << (4u * (call % 8u)));
        }
    }
    workgroupBarrier();
    var all = 0u;
    var at = listed;
    for (var word = 0u; word < WORDS; word++) {
        let found = countOneBits(atomicLoad(&restarts[word]));
        at += select(0u, found, word < lane);
        all += found;
    }
    if (lane < WORDS) {
        var left = atomicLoad(&restarts[lane]);
        while (left != 0u) {
            positions[at] = first + 32u * lane + firstTrailingBit(left);
            at += 1u;
            left &= left - 1u;
        }
    }
    workgroupBarrier();
    return all;
}

// The row at position s of the round, which holds so many runs.
fn row_at(s: u32, runs: u32) -> u32 {
    // The last run that does not begin after s.
    var run = 0u;
    for (var half = ROUND; half > 0u; half >>= 1u) {
        if (run + half < runs && positions[run + half] <= s) {
            run += half;
        }
    }
    let row = starts[run] + s - positions[run];
    return select(row, row - law.rows, row >= law.rows);
}

@compute @workgroup_size(LANES)
fn draw(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let problem = group.y * groups.x + group.x;
    if (problem >= law.problems) {
        return;
    }
    let resample = resamples[problem];
    open(lane);

    // One run is open from the round before, except at first.
    var carried = 0u;
    for (var first = 0u; first < law.rows; first += ROUND) {
        let end = min(first + ROUND, law.rows);
        var runs = carried;
        if (law.restart == ALWAYS) {
            // Nothing to list, and one call draws the starts of four positions.
            runs += end - first;
            for (var s = first + lane; s < end; s += LANES) {
                positions[carried + s - first] = s;
            }
            for (var call = lane; call < ROUND / 4u; call += LANES) {
                let drawn = words(DOMAIN_START, resample, first / 4u + call);
                for (var k = 0u; k < 4u; k++) {
                    if (first + 4u * call + k < end) {
                        starts[carried + 4u * call + k] = mulhi(drawn[k], law.starts);
                    }
                }
            }
        } else {
            runs += list(resample, lane, first, carried);
            for (var run = carried + lane; run < runs; run += LANES) {
                let s = positions[run];
                starts[run] = mulhi(words(DOMAIN_START, resample, s / 4u)[s % 4u], law.starts);
            }
        }
        if (lane == 0u) {
            positions[runs] = end;
        }
        workgroupBarrier();

        let last = end == law.rows;
        take(problem, lane, select(runs - 1u, runs, last));
        workgroupBarrier();
        if (lane == 0u && !last) {
            positions[0] = positions[runs - 1u];
            starts[0] = starts[runs - 1u];
        }
        workgroupBarrier();
        carried = 1u;
    }
    finish(problem, lane);
}
