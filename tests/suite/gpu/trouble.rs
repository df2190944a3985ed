//! Does trouble with the device end in a result or a message, never in a panic?

use super::*;
use equirisk::ErrorKind;
use equirisk::engine::gpu::{Faults, adapters};

fn with_faults(faults: Faults) -> GpuEngine {
    // Room for a few problems at a time beside the sums of 300 rows, so that there are several batches.
    open(Options { memory: Some(128 << 10), faults, ..Options::default() })
}

#[test]
fn a_failed_allocation_halves_the_batch() {
    let batch = batch(300, 10);
    let engine = with_faults(Faults { room: Some(3), ..Faults::default() });
    assert_eq!(bits(&solve(super::engine(), &batch, 0..40)), bits(&solve(&engine, &batch, 0..40)));
}

#[test]
fn a_device_without_memory_is_an_error() {
    let batch = batch(300, 10);
    let engine = with_faults(Faults { room: Some(0), ..Faults::default() });
    let error = engine.prepare(&batch, Want::default()).unwrap().solve(0..10).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
    assert!(error.message.contains("out of memory") && error.hint.unwrap().contains("--engine cpu"));
}

#[test]
fn a_lost_device_is_opened_again() {
    let batch = batch(300, 10);
    let engine = with_faults(Faults { losses: 1, ..Faults::default() });
    assert_eq!(bits(&solve(super::engine(), &batch, 0..60)), bits(&solve(&engine, &batch, 0..60)));
}

#[test]
fn a_device_lost_twice_is_an_error() {
    let batch = batch(300, 10);
    let engine = with_faults(Faults { losses: 2, ..Faults::default() });
    let error = engine.prepare(&batch, Want::default()).unwrap().solve(0..200).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
    assert!(error.message.contains("lost"), "{error}");
}

#[test]
fn a_problem_beyond_the_adapter_is_an_error() {
    let engine = open(Options { binding_bytes: Some(1 << 10), ..Options::default() });
    let error = engine.prepare(&batch(300, 100), Want::default()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Device);
    assert!(error.message.contains("100 assets over 300 rows"), "{error}");
}

#[test]
fn an_unknown_adapter_is_named_in_the_message() {
    let error =
        GpuEngine::open(Options { select: Some("no such thing".to_owned()), ..Options::default() }).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Device);
    assert!(error.message.contains("no such thing"));
    assert!(error.hint.unwrap().contains(&adapters()[0].name));
}

#[test]
fn an_adapter_is_found_by_number_and_by_part_of_its_name() {
    let first = &adapters()[0];
    let named: String = first.name.chars().take(4).collect();
    for select in ["0", &named.to_uppercase()] {
        let options = Options { select: Some(select.to_owned()), ..Options::default() };
        assert_eq!(GpuEngine::open(options).unwrap().facts(), first);
    }
}
