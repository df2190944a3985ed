//! Do resamples use the rows that the published law says?

use crate::law::{fnv, philox, printed, rows};
use crate::run::{Folder, equirisk, json, prices, returns, table};

const PUBLISHED_SEED: &str = "81985529216486895"; // 0x0123456789abcdef

fn ask(total: &str, scheme: &str, block: &str, seed: &str, range: &str) -> Vec<(u64, Vec<usize>)> {
    let args = ["rows", "--rows", total, "--scheme", scheme, "--block", block, "--seed", seed, "--resample", range];
    printed(&equirisk(&args).succeeded())
}

#[test]
fn the_reference_generator_of_these_tests_gives_the_known_answers() {
    // Random123, tests/kat_vectors.
    assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    assert_eq!(philox([!0; 4], [!0; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    assert_eq!(
        philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
    );
}

#[test]
fn rows_follow_the_published_vectors_of_the_law() {
    let blocks: Vec<usize> = [86].into_iter().chain(67..=73).chain([51, 52]).chain(14..=19).chain(13..=20).collect();
    // Scheme, T, L, seed, resample; first rows, sum, hash.
    let vectors = [
        ("stationary", "100", "5", "0", 0, &blocks[..], 5422_usize, 0x9f08_6138_bcab_ac2d),
        ("stationary", "2520", "20", PUBLISHED_SEED, 0, &[696], 2_940_701, 0x38e8_8271_4958_d471),
        ("stationary", "2520", "20", PUBLISHED_SEED, 1, &[969], 3_028_608, 0x6b54_df9e_cfd4_6045),
        ("iid", "100", "1", "0", 0, &[86, 67, 90, 82, 72, 39], 5113, 0xe873_b646_88e6_3db2),
        ("iid", "100", "1", "0", 1, &[], 5392, 0x37da_4148_6e54_20a3),
        ("circular", "100", "7", "0", 0, &[], 6358, 0xb627_0785_a1ae_25b5),
        ("moving", "100", "7", "0", 0, &[], 6019, 0x6956_fba2_303a_27b4),
    ];
    for (scheme, total, block, seed, b, first, sum, hash) in vectors {
        let found = ask(total, scheme, block, seed, &format!("{b}..{}", b + 1));
        let [(resample, rows)] = &found[..] else { panic!("{} resamples", found.len()) };
        assert_eq!(*resample, b);
        assert_eq!(rows[..first.len()], *first, "{scheme} {total} {b}");
        assert_eq!((rows.len().to_string().as_str(), rows.iter().sum::<usize>(), fnv(rows)), (total, sum, hash));
    }
}

#[test]
fn rows_follow_the_law_for_every_scheme_length_seed_and_resample_number() {
    for (scheme, total, block, seed, b) in [
        ("stationary", 2, 2.0, 1, 0),
        ("stationary", 997, 1.7, 3, 12),
        ("stationary", 997, 114.503_153_982_243_53, 1, 9_999),
        ("stationary", 997, 997.0, u64::MAX, u64::MAX - 1),
        ("stationary", 50, 5.0, 0x0123_4567_89ab_cdef, (1 << 32) + 3),
        ("circular", 50, 50.0, 1 << 32, 1 << 32),
        ("circular", 50, 7.0, 9, (1 << 33) - 1),
        ("moving", 50, 50.0, 9, 4),
        ("moving", 50, 49.0, 9, 4),
        ("moving", 5_000, 63.0, 9, 70_000),
        ("iid", 3, 1.0, 9, 1 << 40),
        ("iid", 100_000, 1.0, 9, 77),
    ] {
        let found = ask(&total.to_string(), scheme, &block.to_string(), &seed.to_string(), &format!("{b}..{}", b + 1));
        assert!(found == [(b, rows(scheme, total, block, seed, b))], "{scheme} T={total} L={block} b={b}");
    }
}

#[test]
fn the_range_is_half_open_and_a_resample_does_not_depend_on_its_neighbours() {
    let all = ask("40", "stationary", "4", "7", "0..6");
    assert_eq!(all.iter().map(|(b, _)| *b).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert!(all.iter().all(|(_, rows)| rows.len() == 40));
    assert_eq!(ask("40", "stationary", "4", "7", "3..5"), all[3..5]);
}

#[test]
fn blocks_of_one_row_are_the_same_as_single_rows_in_every_scheme() {
    let single = ask("60", "iid", "1", "5", "0..4");
    for scheme in ["stationary", "circular", "moving"] {
        assert!(ask("60", scheme, "1", "5", "0..4") == single, "{scheme}");
    }
}

#[test]
fn a_moving_block_as_long_as_the_history_is_the_history() {
    assert_eq!(ask("60", "moving", "60", "5", "8..9"), [(8, (0..60).collect())]);
}

#[test]
fn a_block_longer_than_the_history_is_a_usage_error() {
    for scheme in ["stationary", "circular", "moving"] {
        let args = ["--rows", "10", "--scheme", scheme, "--block", "11", "--seed", "1", "--resample", "0..1"];
        equirisk(&[&["rows"], &args[..]].concat()).refused(2);
    }
    equirisk(&["bootstrap", "--last", "100", "--block", "101", "-B", "10"]).refused(2);
}

/// Blocks of equal length have whole lengths: a fraction is rounded, as the automatic length is, or refused.
#[test]
fn a_fractional_block_is_rounded_where_blocks_have_equal_length() {
    for scheme in ["circular", "moving"] {
        let args = ["--rows", "60", "--scheme", scheme, "--block", "2.7", "--seed", "1", "--resample", "0..2"];
        let run = equirisk(&[&["rows"], &args[..]].concat());
        if run.code == 2 {
            continue;
        }
        let expected: Vec<_> = (0..2).map(|b| (b, rows(scheme, 60, 3.0, 1, b))).collect();
        assert!(printed(&run.succeeded()) == expected, "{scheme}: not blocks of 3 rows");
    }
}

#[test]
fn a_history_of_fewer_than_twenty_rows_is_resampled_row_by_row_with_a_notice() {
    let folder = Folder::new();
    let data = folder.write("short.csv", table(&prices(&returns(19, 3, 1.0, 1), 3), 3));
    for scheme in ["stationary", "circular", "moving"] {
        let run = equirisk(&["rows", &data, "--scheme", scheme, "--seed", "4", "--resample", "0..3"]).succeeded();
        let expected: Vec<_> = (0..3).map(|b| (b, rows("iid", 19, 1.0, 4, b))).collect();
        assert!(printed(&run) == expected, "{scheme}");
        let run = equirisk(&["bootstrap", &data, "--scheme", scheme, "--seed", "4", "-B", "3"]).succeeded();
        assert!(run.stderr.contains("19") && run.stderr.contains("20"), "{}", run.stderr);
    }
}

#[test]
fn the_rows_shown_are_those_of_the_block_length_that_the_study_reports() {
    for scheme in ["stationary", "circular", "moving"] {
        let shared = ["--last", "500", "--scheme", scheme, "--seed", "4"];
        let study = json(&[&["bootstrap", "-B", "10", "--json", "--no-sensitivity"], &shared[..]].concat());
        let block = study["run"]["block_length"].as_f64().unwrap();
        assert!(block > 1.0 && (scheme == "stationary" || block.fract() == 0.0), "{scheme}: {block}");
        let run = equirisk(&[&["rows", "--resample", "0..2"], &shared[..]].concat()).succeeded();
        let expected: Vec<_> = (0..2).map(|b| (b, rows(scheme, 500, block, 4, b))).collect();
        assert!(printed(&run) == expected, "{scheme}");
    }
}
