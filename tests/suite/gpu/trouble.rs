//! Does trouble with the device end in a result or a message, never in a panic?

use super::*;
use crate::screen::{first_of, nikkei};
use equirisk::ErrorKind;
use equirisk::engine::gpu::{Faults, System, adapters};
use equirisk::engine::{Fault, Remedy};
use equirisk::measure::{Measured, Metric};
use equirisk::observer::Observer;
use equirisk::run::chunks::PIECE;
use equirisk::run::crosscheck::Check;
use equirisk::run::{self, Added, Chunk, Context, Work, gather};
use equirisk::store::{Checkpoint, Columns};
use equirisk::study::screen::fold;
use equirisk::subsets::Subsets;
use equirisk::subsets::space::Space;

/// Room for a few problems at a time beside the sums of 300 rows, or beside a universe: there are several batches.
const LITTLE: u64 = 160 << 10;

fn with_faults(memory: u64, faults: Faults) -> GpuEngine {
    open(Options { memory: Some(memory), faults, ..Options::default() })
}

/// What a run told.
#[derive(Default)]
struct Told {
    faults: Vec<Fault>,
    notices: Vec<String>,
}

impl Observer for Told {
    fn finished(&mut self, _: u64) {}

    fn notice(&mut self, message: &equirisk::error::Text) {
        self.notices.push(message.to_string());
    }

    fn fault(&mut self, fault: &Fault) {
        self.faults.push(fault.clone());
    }
}

fn run(engine: &GpuEngine, batch: &Batch, problems: u64) -> (Solutions, Told) {
    let mut told = Told::default();
    let work = Work { batch, request: &Request::COMPARED, number: 0, sample: &[] };
    let context = &mut Context { engine, store: &mut Checkpoint::none(), observer: &mut told };
    (gather(work, 0..problems, context).unwrap().solutions, told)
}

fn remedies(told: &Told) -> Vec<Remedy> {
    told.faults.iter().map(|fault| fault.remedy).collect()
}

/// What a screen found, as a study keeps it.
struct Found(Measured);

impl run::Fold for Found {
    fn columns(&self, chunk: Chunk) -> Columns {
        let measured = chunk.block.metrics();
        let fold = fold::Fold { rescued: measured.rescued, check: chunk.check, pieces: Vec::new() };
        fold.columns(Some(measured))
    }

    fn add(&mut self, _: &std::ops::Range<u64>, columns: &Columns) -> equirisk::Result<Added> {
        let kept = fold::Fold::of_columns(columns, 0).unwrap();
        assert_eq!(kept.check.map_or(0, |check: Check| check.disagreements), 0);
        let measured = fold::measured(columns, self.0.columns.len()).unwrap();
        self.0.extend(&Measured { rescued: kept.rescued, ..measured });
        Ok(Added::Taken)
    }
}

fn subsets_of_24(k: usize, problems: u64) -> Batch<'static> {
    let subsets = Subsets::all(Space::of(24, k).unwrap()).unwrap();
    Batch::subsets(first_of(&nikkei(), 24), subsets, problems, None).unwrap()
}

/// A screen of `k` of 24 assets: all figures, and what was told.
fn measured(engine: &GpuEngine, k: usize, problems: u64) -> (Measured, Told) {
    measured_beside(engine, k, 0..problems, &mut Checkpoint::none())
}

/// The same of a range, beside what is kept.
fn measured_beside(
    engine: &GpuEngine,
    k: usize,
    range: std::ops::Range<u64>,
    store: &mut Checkpoint,
) -> (Measured, Told) {
    let batch = subsets_of_24(k, range.end);
    let metrics = vec![Metric::Volatility, Metric::Diversification, Metric::MaxWeight, Metric::MeanCorrelation];
    let (mut told, mut all) = (Told::default(), Found(Measured::new(metrics.len())));
    let work = Work { batch: &batch, request: &Request::Metrics(metrics), number: 0, sample: &[3, 5] };
    run::run(work, range, &mut Context { engine, store, observer: &mut told }, &mut all).unwrap();
    (all.0, told)
}

#[test]
fn a_device_lost_at_any_submission_is_opened_again_and_nothing_changes() {
    let batch = batch(300, 10);
    let undisturbed = solve(engine(), &batch, 0..100);
    for submission in [1, 2, 3, 5] {
        let engine = with_faults(LITTLE, Faults { lost: vec![submission], ..Faults::default() });
        let (solutions, told) = run(&engine, &batch, 100);
        assert_eq!(
            (solutions.certificates, &solutions.weights),
            (undisturbed.certificates.clone(), &undisturbed.weights)
        );
        assert_eq!(remedies(&told), [Remedy::Reopened], "{:?}", told.faults);
        let fault = &told.faults[0];
        assert!(fault.what.contains("lost") && fault.problem.is_some_and(|problem| problem < 100), "{fault}");
        assert!(engine.faults().is_empty());
    }
}

#[test]
fn a_screen_outlives_a_lost_device_unchanged() {
    for (k, problems, memory) in [(4, 9000, LITTLE), (20, 300, LITTLE)] {
        let (undisturbed, _) = measured(engine(), k, problems);
        for submission in [1, 2, 4] {
            let engine = with_faults(memory, Faults { lost: vec![submission], ..Faults::default() });
            let (found, told) = measured(&engine, k, problems);
            assert_eq!(found, undisturbed);
            assert_eq!(remedies(&told), [Remedy::Reopened], "{:?}", told.faults);
        }
    }
}

#[test]
fn the_cpu_takes_the_rest_when_a_device_is_lost_twice() {
    let batch = batch(300, 10);
    let undisturbed = solve(engine(), &batch, 0..9000);
    // Within the first 4,096 problems, and within the next.
    let engine = with_faults(4 << 20, Faults { lost: vec![2, 8], ..Faults::default() });
    let (solutions, told) = run(&engine, &batch, 9000);
    assert_eq!(remedies(&told), [Remedy::Reopened, Remedy::Cpu], "{:?}", told.faults);
    let from = told.faults[1].problem.unwrap() as usize;
    assert!(from > 0 && from < 9000, "{:?}", told.faults);
    assert_eq!(solutions.weights[..10 * from], undisturbed.weights[..10 * from]);
    let (before, after) = solutions.certificates.split_at(from);
    assert!(before.iter().all(|c| !c.rescued) && after.iter().all(|c| c.rescued && c.status == Status::Converged));
}

#[test]
fn the_cpu_takes_the_rest_of_a_screen_when_a_device_is_lost_twice() {
    // What is kept in the middle makes two chunks of a screen of one: the device is lost in both.
    let mut store = Checkpoint::aside(u64::MAX);
    measured_beside(engine(), 4, PIECE..2 * PIECE, &mut store);
    let (undisturbed, _) = measured(engine(), 4, 2 * PIECE);
    let faulty = with_faults(LITTLE, Faults { lost: vec![1, 5], ..Faults::default() });
    let (found, told) = measured_beside(&faulty, 4, 0..9000, &mut store);
    assert_eq!(remedies(&told), [Remedy::Reopened, Remedy::Cpu], "{:?}", told.faults);
    let from = told.faults[1].problem.unwrap();
    assert!(
        from == 2 * PIECE
            && found.rescued == 9000 - from
            && found.columns.iter().zip(&undisturbed.columns).all(|(all, device)| all[..device.len()] == device[..])
            && found.statuses.iter().all(|status| *status == Some(Status::Converged))
    );
}

#[test]
fn an_adapter_that_is_gone_leaves_all_to_the_cpu() {
    let engine = with_faults(LITTLE, Faults { lost: vec![1], gone: true, ..Faults::default() });
    let (solutions, told) = run(&engine, &batch(300, 10), 50);
    assert_eq!(count(&solutions, Status::Converged), 50);
    assert_eq!(remedies(&told), [Remedy::Cpu], "{:?}", told.faults);
    let fault = &told.faults[0];
    assert!(fault.to_string().contains("opened again") && fault.problem == Some(0), "{fault}");
    assert_eq!(serde_json::to_value(fault).unwrap()["remedy"], "cpu");
}

#[test]
fn failed_allocations_halve_the_batch_and_nothing_changes() {
    let batch = batch(300, 10);
    let undisturbed = solve(engine(), &batch, 0..100);
    // The first allocations are those that all problems share.
    for allocation in [4, 6, 9, 16] {
        let engine = with_faults(LITTLE, Faults { exhausted: vec![allocation], ..Faults::default() });
        let (solutions, told) = run(&engine, &batch, 100);
        assert_eq!(bits(&solutions), bits(&undisturbed));
        assert!(matches!(remedies(&told)[..], [Remedy::Fewer(1..)]), "allocation {allocation}: {:?}", told.faults);
        assert!(told.faults[0].what.contains("out of memory"));
    }
    let (undisturbed, _) = measured(engine(), 20, 300);
    // Room for 40 problems of 20 x 20 correlations in one piece.
    let engine = with_faults(64 << 20, Faults { most_bytes: Some(40 * 1600), ..Faults::default() });
    let (found, told) = measured(&engine, 20, 300);
    assert_eq!(found, undisturbed);
    assert_eq!(remedies(&told), [150, 75, 37].map(Remedy::Fewer), "{:?}", told.faults);
}

#[test]
fn a_device_without_memory_leaves_all_to_the_cpu() {
    let engine = with_faults(LITTLE, Faults { most_bytes: Some(0), ..Faults::default() });
    let few = batch(300, 10);
    let error = engine.prepare(&few, &Request::PORTFOLIOS).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Failed);
    assert!(error.message.contains("out of memory") && error.hint.unwrap().contains("`engine=cpu`"));
    let (solutions, told) = run(&engine, &few, 50);
    assert_eq!((count(&solutions, Status::Converged), remedies(&told)), (50, vec![Remedy::Cpu]));

    // What all subsets share finds room in seven pieces, but not even one subset does.
    let engine = with_faults(64 << 20, Faults { exhausted: (8..1000).collect(), ..Faults::default() });
    let (found, told) = measured(&engine, 23, 24);
    assert_eq!(found.rescued, 24);
    assert_eq!(remedies(&told), [Remedy::Fewer(12), Remedy::Fewer(6), Remedy::Fewer(3), Remedy::Fewer(1), Remedy::Cpu]);
}

#[test]
fn a_problem_beyond_the_adapter_is_an_error() {
    // Room for what the self-test binds.
    let engine = open(Options { binding_bytes: Some(96 << 10), ..Options::default() });
    let large = batch(300, 200);
    let error = engine.prepare(&large, &Request::PORTFOLIOS).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Device);
    assert!(error.message.contains("200 assets over 300 rows"), "{error}");
}

#[test]
fn a_job_knows_what_it_takes_on_the_device() {
    for batch in [batch(300, 10), iid(300, 40), subsets_of_24(4, 9000), subsets_of_24(20, 9000)] {
        let engine = open(Options { memory: Some(1 << 20), ..Options::default() });
        let bytes = engine.device_bytes(&batch).unwrap();
        // As much as it may, or all that is worth a batch.
        assert!((1 << 19..=(1 << 20) + (1 << 14)).contains(&bytes), "{bytes}");
        let larger = open(Options { memory: Some(1 << 21), ..Options::default() });
        assert!(larger.device_bytes(&batch).unwrap() > bytes);
    }
    let engine = open(Options { memory: Some(1 << 20), ..Options::default() });
    assert_eq!(engine.device_bytes(&batch(300, 600)), None);
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

#[test]
fn a_device_that_does_not_answer_leaves_the_rest_to_the_cpu() {
    let batch = batch(300, 10);
    // No wait at all is granted: to whoever asks, nothing ever comes.
    let engine = with_faults(LITTLE, Faults { patience: Some(std::time::Duration::ZERO), ..Faults::default() });
    let (solutions, told) = run(&engine, &batch, 300);
    assert_eq!(count(&solutions, Status::Converged), 300);
    assert_eq!(bits(&solutions), bits(&solve(&engine.reserve(), &batch, 0..300)), "the CPU's results");
    assert_eq!(remedies(&told), [Remedy::Cpu], "{:?}", told.faults);
    assert!(told.faults[0].what.contains("stopped answering"), "{:?}", told.faults);
    // Nobody waits for it again.
    let (again, told) = run(&engine, &batch, 8);
    assert_eq!(bits(&again), bits(&solutions)[..80], "{:?}", told.faults);
    assert_eq!(remedies(&told), [Remedy::Cpu]);
    let error = engine.stage_times().unwrap_err();
    assert!(error.to_string().contains("stopped answering"), "{error}");
}

#[test]
fn an_engine_in_software_tells_of_the_card_beside_it() {
    // Windows lends a card here, which Vulkan cannot use.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("dev")).unwrap();
    std::fs::write(folder.path().join("dev/dxg"), "").unwrap();
    let beside = |system| open(Options { system: Some(system), ..Options::default() });
    let engine = beside(System::made_up(folder.path(), &[]));
    let told: Vec<String> = engine.notices().iter().map(ToString::to_string).collect();
    if engine.facts().software {
        assert!(told.len() == 1 && told[0].contains("WSL has no Vulkan driver of use"), "{told:?}");
    } else {
        assert_eq!(told, [""; 0]);
    }
    // Named, it is what was wanted.
    let named = beside(System::made_up(folder.path(), &[("EQUIRISK_DEVICE", &engine.facts().name)]));
    assert!(named.notices().is_empty());
}
