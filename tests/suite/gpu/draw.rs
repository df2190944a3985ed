//! Are the rows of a resample equal, bit for bit?

use super::*;
use equirisk::engine::cpu::CpuEngine;

const RESAMPLES: [u64; 5] = [0, 1, 77, (1 << 32) + 3, u64::MAX - 1];

fn laws(rows: usize) -> Vec<Law> {
    let all = rows as f64;
    let law = |scheme, length, cell| Law::new(scheme, length, rows, 0x0123_4567_89AB_CDEF, cell).unwrap();
    let mut laws = vec![law(Scheme::Iid, 1.0, 0)];
    for length in [1.0, 1.5, (all / 7.0).max(1.0), all / 2.0, all] {
        laws.push(law(Scheme::Stationary, length.max(1.0), 7));
        laws.push(law(Scheme::Circular, length.max(1.0), 0xFF_FFFF));
        laws.push(law(Scheme::Moving, length.max(1.0), 0));
    }
    laws
}

#[test]
fn rows_of_a_resample_are_those_of_the_cpu() {
    for rows in [2, 3, 5, 64, 100, 255, 256, 257, 2520, 4097, 100_000] {
        for law in laws(rows) {
            // Long histories once each: the law does not depend on T beyond the number of calls.
            let resamples = if rows > 10_000 { &RESAMPLES[3..4] } else { &RESAMPLES[..] };
            for &resample in resamples {
                let drawn = engine().rows(&law, resample).unwrap();
                assert!(drawn == law.rows(resample), "T = {rows}, {law:?}, resample {resample}");
            }
        }
    }
}

#[test]
fn counts_of_a_resample_are_those_of_the_cpu() {
    for rows in [2, 3, 5, 64, 100, 2520, 4097, 100_000] {
        let panel = panel(rows, 1);
        for law in laws(rows) {
            let batch = Batch::resampled(panel.clone(), law, u64::MAX, &[1.0]).unwrap();
            let counts = engine().prepare(&batch, &Request::PORTFOLIOS).unwrap().counts(&RESAMPLES).unwrap();
            let expected = CpuEngine::default().job(&batch, &Request::PORTFOLIOS).counts(&RESAMPLES).unwrap();
            assert!(counts == expected, "T = {rows}, {law:?}");
        }
    }
}
