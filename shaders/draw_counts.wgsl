// Counts per row, four a word (the earliest in the lowest byte), for blocks that are short. A count beyond 255 is held
// at 255: `volatility` notices, for the counts then do not sum to T.

// Per problem `law.room` words, of which those past T stay zero.
@group(0) @binding(2) var<storage, read_write> counts: array<u32>;

fn finish(problem: u32, lane: u32) {
    var count = count_before(lane);
    for (var own = 0u; own < OWN / 4u; own++) {
        let word = lane * (OWN / 4u) + own;
        let a = pair(2u * word);
        let b = pair(2u * word + 1u);
        let first = count + a.x;
        let second = first + a.y;
        let third = second + b.x;
        count = third + b.y;
        let row = law.first_row + 4u * word + vec4<u32>(0u, 1u, 2u, 3u);
        let held = min(vec4<u32>(vec4<i32>(first, second, third, count)), vec4<u32>(255u));
        let four = select(vec4<u32>(0u), held, row < vec4<u32>(law.rows));
        let at = law.first_row / 4u + word;
        if (at < law.room) {
            counts[problem * law.room + at] = four.x | four.y << 8u | four.z << 16u | four.w << 24u;
        }
    }
}
