//! The frozen index law, written from its definition and nothing else: which rows resample `b` uses.
//!
//! Word s of a stream is word s mod 4 of Philox4x32-10 at counter (s / 4, b low, b high, domain) under the key
//! (seed low, seed high), domain 1 deciding on restarts and domain 2 on starts. At a restart r the block begins at
//! floor(word x R / 2^32), R the number of possible starts; position s then uses row (start + s - r) mod T.

use crate::run::Run;

pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let product = |a: u32, b: u32| u64::from(a) * u64::from(b);
        let (p, q) = (product(0xD251_1F53, counter[0]), product(0xCD9E_8D57, counter[2]));
        counter = [(q >> 32) as u32 ^ counter[1] ^ key[0], q as u32, (p >> 32) as u32 ^ counter[3] ^ key[1], p as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

/// Rows of resample `b`. `circular` and `moving` take whole block lengths only.
pub fn rows(scheme: &str, total: u32, block: f64, seed: u64, b: u64) -> Vec<usize> {
    let word = |s: u32, domain: u32| {
        philox([s >> 2, b as u32, (b >> 32) as u32, domain], [seed as u32, (seed >> 32) as u32])[(s & 3) as usize]
    };
    let threshold = (4_294_967_296.0 / block + 0.5).floor();
    let starts = if scheme == "moving" { total - block as u32 + 1 } else { total };
    let mut start = (0, 0);
    (0..total)
        .map(|s| {
            let restart = match scheme {
                "iid" => true,
                "stationary" => s == 0 || f64::from(word(s, 1)) < threshold,
                _ => s % block as u32 == 0,
            };
            if restart {
                start = ((u64::from(word(s, 2)) * u64::from(starts)) >> 32, s);
            }
            ((start.0 + u64::from(s - start.1)) % u64::from(total)) as usize
        })
        .collect()
}

/// What `equirisk rows` printed, as (resample, its rows).
pub fn printed(run: &Run) -> Vec<(u64, Vec<usize>)> {
    let mut lines = run.stdout.lines();
    assert_eq!(lines.next(), Some("resample,position,row"));
    let mut resamples: Vec<(u64, Vec<usize>)> = Vec::new();
    for line in lines {
        let [resample, position, row] = *line.split(',').collect::<Vec<_>>() else { panic!("{line}") };
        let resample = resample.parse().unwrap();
        if resamples.last().is_none_or(|(last, _)| *last != resample) {
            resamples.push((resample, Vec::new()));
        }
        let rows = &mut resamples.last_mut().unwrap().1;
        assert_eq!(position.parse(), Ok(rows.len()), "{line}");
        rows.push(row.parse().unwrap());
    }
    resamples
}

/// FNV-1a, 64 bit, over the rows as little-endian u32.
pub fn fnv(rows: &[usize]) -> u64 {
    rows.iter()
        .flat_map(|row| (*row as u32).to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
