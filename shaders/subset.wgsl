// Which subset a problem of a screen is: from its number to its rank, from its rank to the elements.
// Prepended: const K, INCLUDED, REST (K - INCLUDED), THREADS, mulhi_*.wgsl, philox.wgsl. Follows: measure.wgsl or draw_subset.wgsl.

struct Screen {
    problems: u32,
    // Number of the first problem.
    start_lo: u32,
    start_hi: u32,
    // Assets of the universe.
    assets: u32,
    // Assets that subsets are drawn from.
    pool: u32,
    // Words of a row of `barred`; none without a cap.
    words: u32,
    // Bits of a half of the permutation; none where a problem's number is its rank.
    half: u32,
    // Size of the space, for the permutation.
    size_lo: u32,
    size_hi: u32,
    seed_lo: u32,
    seed_hi: u32,
    // Error at which descent stops, and at which a solution counts.
    aim: f32,
    acceptance: f32,
    // Largest bound of kappa.
    condition: f32,
}

@group(0) @binding(0) var<uniform> screen: Screen;
// C(i, j) as (low, high) at i (REST + 1) + j.
@group(0) @binding(1) var<storage, read> binomials: array<vec2<u32>>;
// The assets always held, then the pool.
@group(0) @binding(2) var<storage, read> held: array<u32>;
@group(0) @binding(5) var<storage, read> barred: array<u32>;

const FEISTEL = 6u;
const ROUNDS = 6u;

// Integers of 64 bits as (low, high).
fn exceeds(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.y > b.y || (a.y == b.y && a.x > b.x);
}

fn minus(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn binomial(i: u32, j: u32) -> vec2<u32> {
    return binomials[i * (REST + 1u) + j];
}

// The largest x up to `first` with C(x, i) <= rank.
fn element(first: u32, i: u32, rank: vec2<u32>) -> u32 {
    var x = first;
    while (exceeds(binomial(x, i), rank)) {
        x -= 1u;
    }
    return x;
}

// Rank among the subsets below an element: the others follow in reversed order.
fn rest(element: u32, i: u32, rank: vec2<u32>) -> vec2<u32> {
    return minus(minus(binomial(element + 1u, i), vec2<u32>(1u, 0u)), rank);
}

// A balanced Feistel network with cycle walking; twin of src/feistel.rs. Halves have at most 31 bits.
fn permuted(number: vec2<u32>) -> vec2<u32> {
    let half = screen.half;
    let mask = (1u << half) - 1u;
    let size = vec2<u32>(screen.size_lo, screen.size_hi);
    var x = number;
    loop {
        var left = ((x.x >> half) | (x.y << (32u - half))) & mask;
        var right = x.x & mask;
        for (var round = 0u; round < ROUNDS; round++) {
            let word = philox(vec4<u32>(right, 0u, round, FEISTEL), vec2<u32>(screen.seed_lo, screen.seed_hi)).x;
            let next = left ^ (word & mask);
            left = right;
            right = next;
        }
        x = vec2<u32>((left << half) | right, left >> (32u - half));
        if (exceeds(size, x)) {
            break;
        }
    }
    return x;
}

fn number_of(problem: u32) -> vec2<u32> {
    let low = screen.start_lo + problem;
    return vec2<u32>(low, screen.start_hi + select(0u, 1u, low < problem));
}

fn rank_of(problem: u32) -> vec2<u32> {
    let number = number_of(problem);
    if (screen.half == 0u) {
        return number;
    }
    return permuted(number);
}

fn bars(a: u32, b: u32) -> bool {
    return ((barred[a * screen.words + b / 32u] >> (b % 32u)) & 1u) == 1u;
}
