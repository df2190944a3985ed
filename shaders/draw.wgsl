// Draws resamples by the index law `pxsb-1`, one workgroup each; twin of src/resample.rs.
// Prepended: philox.wgsl, and draw_counts.wgsl or draw_rows.wgsl, which say what becomes of a row (fn take).
//
//     restart(s) = s = 0, or ACCEPT(s) < threshold       (iid: always; circular, moving: L divides s)
//     row(s)     = (mulhi(START(r), R) + s - r) mod T    r = the last restart at or before s

struct Law {
    problems: u32,
    rows: u32,
    // R, the number of admissible block starts.
    starts: u32,
    // ALWAYS, BELOW or EVERY, and its threshold or length.
    restart: u32,
    parameter: u32,
    cell: u32,
    seed_lo: u32,
    seed_hi: u32,
}

@group(0) @binding(0) var<uniform> law: Law;
// Resample numbers, 64 bits each (low word first).
@group(0) @binding(1) var<storage, read> resamples: array<vec2<u32>>;

const LANES = 64u;

const ALWAYS = 0u;
const BELOW = 1u;
const EVERY = 2u;

const DOMAIN_ACCEPT = 1u;
const DOMAIN_START = 2u;

// The last restart within each lane's chunk of positions: (position + 1, first row), or zeros.
var<workgroup> last: array<vec2<u32>, LANES>;

fn words(domain: u32, resample: vec2<u32>, call: u32) -> vec4<u32> {
    return philox(
        vec4<u32>(call, resample.x, resample.y, (law.cell << 8u) | domain),
        vec2<u32>(law.seed_lo, law.seed_hi),
    );
}

// Which of the positions 4 call .. 4 call + 3 restart.
fn restarts(resample: vec2<u32>, call: u32) -> vec4<bool> {
    let s = 4u * call + vec4<u32>(0u, 1u, 2u, 3u);
    var flags = vec4<bool>(true);
    if (law.restart == BELOW) {
        flags = words(DOMAIN_ACCEPT, resample, call) < vec4<u32>(law.parameter);
    } else if (law.restart == EVERY) {
        flags = s % vec4<u32>(law.parameter) == vec4<u32>(0u);
    }
    return flags | (s == vec4<u32>(0u));
}

fn wrap(row: u32) -> u32 {
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

    // Each lane takes a contiguous chunk of positions, whole Philox calls of four.
    let calls = (law.rows + 3u) / 4u;
    let chunk = (calls + LANES - 1u) / LANES;
    let first = min(lane * chunk, calls);
    let end = min(first + chunk, calls);
    let end_position = min(4u * end, law.rows);

    // Positions before the chunk's first restart wait until the restart they belong to is known.
    var head_end = end_position;
    var begun = false;
    var restart = 0u;
    var start = 0u;
    for (var call = first; call < end; call++) {
        let flags = restarts(resample, call);
        var starts = vec4<u32>(0u);
        if (any(flags)) {
            starts = words(DOMAIN_START, resample, call);
        }
        for (var k = 0u; k < 4u; k++) {
            let s = 4u * call + k;
            if (s < law.rows) {
                if (flags[k]) {
                    head_end = select(s, head_end, begun);
                    begun = true;
                    restart = s;
                    start = mulhi(starts[k], law.starts);
                }
                if (begun) {
                    take(problem, s, wrap(start + s - restart));
                }
            }
        }
    }
    last[lane] = select(vec2<u32>(0u), vec2<u32>(restart + 1u, start), begun);
    workgroupBarrier();

    // Lane 0 has seen the restart at position 0, so the walk back ends.
    var owner = lane;
    if (first < end && head_end > 4u * first) {
        owner -= 1u;
        while (owner > 0u && last[owner].x == 0u) {
            owner -= 1u;
        }
    }
    restart = last[owner].x - 1u;
    start = last[owner].y;
    for (var s = 4u * first; s < head_end; s++) {
        take(problem, s, wrap(start + s - restart));
    }
}
