//! Do profiled stages add up?

use std::time::Instant;

use super::*;

fn profiled() -> GpuEngine {
    // Room for a few problems at a time beside the sums of 300 rows, so that there are several batches.
    open(Options { memory: Some(128 << 10), profile: true, ..Options::default() })
}

#[test]
fn every_stage_is_timed_and_none_longer_than_the_run() {
    let engine = profiled();
    assert_eq!(engine.stage_times().unwrap(), [], "the self-test is not part of a run");
    let start = Instant::now();
    let solutions = solve(&engine, &batch(300, 10), 0..40);
    let wall = start.elapsed().as_nanos() as f64;
    let times = engine.stage_times().unwrap();
    let stages: Vec<_> = times.iter().map(|time| time.stage).collect();
    assert_eq!(stages, ["draw", "moments", "correlate", "descend", "certify", "download"]);
    assert!(times.iter().all(|time| time.dispatches > 1 && time.nanoseconds > 0.0), "{times:?}");
    let total: f64 = times.iter().map(|time| time.nanoseconds).sum();
    assert!(total <= wall, "{times:?} in {wall} ns");
    assert_eq!(engine.stage_times().unwrap(), [], "times are handed out once");
    assert_eq!(bits(&solutions), bits(&solve(super::engine(), &batch(300, 10), 0..40)), "clocks change no bit");
}

#[test]
fn one_kernel_that_solves_is_a_stage() {
    let engine = open(Options { profile: true, ..Options::default() });
    solve(&engine, &batch(300, 20), 0..10);
    let stages: Vec<_> = engine.stage_times().unwrap().iter().map(|time| time.stage).collect();
    let expected: &[&str] = match engine.facts().subgroup_sizes {
        Some([least, _]) if least % 8 == 0 => &["draw", "moments", "solve", "download"],
        _ => &["draw", "moments", "correlate", "descend", "certify", "download"],
    };
    assert_eq!(stages, expected);
}

#[test]
fn more_dispatches_than_one_query_set_holds_are_all_counted() {
    let engine = profiled();
    solve(&engine, &batch(300, 10), 0..10_000);
    let times = engine.stage_times().unwrap();
    let batches = times.iter().find(|time| time.stage == "draw").unwrap().dispatches;
    // Seven spans of two timestamps a batch: more than the 4,096 of a set.
    assert!(batches > 300, "{times:?}");
    for time in &times {
        let each = if time.stage == "correlate" { 2 } else { 1 };
        assert_eq!(time.dispatches, each * batches, "{times:?}");
    }
}

#[test]
fn an_engine_that_is_not_asked_takes_no_times() {
    solve(engine(), &batch(300, 10), 0..4);
    assert_eq!(engine().stage_times().unwrap(), []);
}
