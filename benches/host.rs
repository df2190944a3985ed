//! How much CPU time does the host take beside a device? Decoding, checks, keeping and folding, and what wgpu takes.
//!
//! usage: cargo bench --bench host [-- PART OF A NAME...]
//!
//! A software adapter computes in threads of its own, which are left out: what remains is what a program with a graphics
//! card would spend. Two runs of each case differ in problems alone, so that start-up and compiling cancel. Linux only.

#![expect(clippy::print_stdout, reason = "the times are what it is for")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use cpu_time::ProcessTime;
use equirisk::Batch;
use equirisk::batch::Request;
use equirisk::covariance::{Estimator, Universe};
use equirisk::engine::gpu::{GpuEngine, Options};
use equirisk::measure::Metric;
use equirisk::methods::risk_budgeting::validity;
use equirisk::observer::Unwatched;
use equirisk::panel::Panel;
use equirisk::resample::{Law, Scheme};
use equirisk::run::crosscheck::Sample;
use equirisk::run::{Context, Work, keep};
use equirisk::store::Checkpoint;
use equirisk::store::checkpoint::IN_MEMORY;
use equirisk::study::screen::figure::Figure;
use equirisk::study::screen::{Config, Question, screen};
use equirisk::subsets::Subsets;
use equirisk::subsets::space::Space;

#[path = "gpu/measure/data.rs"]
mod data;

/// Few, for the device's share is left out.
const ROWS: usize = 64;
const UNIVERSE: usize = 120;

fn main() {
    rayon::broadcast(|_| ());
    let ours = threads();
    let engine = GpuEngine::open(Options { allow_software: true, ..Options::default() }).expect("there is an adapter");
    assert!(engine.facts().software, "a card computes beside the host: there is nothing to leave out");
    let device = Device(threads().difference(&ours).cloned().collect());
    println!("{}, {} threads", engine.facts().name, rayon::current_num_threads());
    let only: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let case = |name: &str, problems: [u64; 2], unit: (f64, &str), run: &dyn Fn(u64)| {
        if only.is_empty() || only.iter().any(|part| name.contains(part.as_str())) {
            println!("{name}: {:.1} {}", device.nanoseconds(problems, run) * unit.0, unit.1);
        }
    };
    let (each, many) = ((1.0, "ns per subset"), (0.1, "ms per 100,000"));
    for (n, request) in [(10, Request::PORTFOLIOS), (50, Request::PORTFOLIOS), (50, Request::COMPARED)] {
        let compared = if request == Request::COMPARED { ", other methods beside" } else { "" };
        let run = |problems| bootstrap(&engine, n, &request, problems);
        case(&format!("bootstrap, n = {n}{compared}"), [16_384, 81_920], many, &run);
    }
    for n in [10, 50] {
        let batch = Batch::given(data::covariances(n, 20_480), &vec![1.0; n]).expect("it is a batch").assume_psd();
        let run = |problems| kept(&engine, &batch, &Request::PORTFOLIOS, problems);
        case(&format!("given, n = {n}"), [4096, 20_480], many, &run);
    }
    for k in [4, 5] {
        case(&format!("screen, k = {k}"), [1 << 20, 5 << 20], each, &|problems| subsets(&engine, k, problems));
    }
}

/// The threads of this process.
fn threads() -> BTreeSet<PathBuf> {
    let tasks = fs::read_dir("/proc/self/task").expect("this is Linux");
    tasks.flatten().map(|task| task.path()).collect()
}

/// The threads in which a software adapter computes.
struct Device(Vec<PathBuf>);

impl Device {
    /// CPU time of the host per problem: that of the process less that of the device, in the difference of two runs, each
    /// at its best of five.
    fn nanoseconds(&self, problems: [u64; 2], run: &dyn Fn(u64)) -> f64 {
        run(problems[0]);
        let once = |problems| {
            let before = (ProcessTime::now(), self.time());
            run(problems);
            before.0.elapsed().as_nanos() as f64 - (self.time() - before.1)
        };
        let [few, many] = problems.map(|problems| (0..5).map(|_| once(problems)).fold(f64::INFINITY, f64::min));
        (many - few) / (problems[1] - problems[0]) as f64
    }

    /// CPU time of the device's threads so far, in nanoseconds.
    fn time(&self) -> f64 {
        let time = |thread: &PathBuf| -> Option<f64> {
            fs::read_to_string(thread.join("schedstat")).ok()?.split(' ').next()?.parse().ok()
        };
        self.0.iter().map(|thread| time(thread).expect("Linux tells the time of a thread")).sum()
    }
}

fn bootstrap(engine: &GpuEngine, n: usize, request: &Request, problems: u64) {
    let panel = Panel::new(&data::returns(ROWS, n, 7)).expect("they are returns");
    let law = Law::new(Scheme::Stationary, 20.0, ROWS, 42, 0).expect("it is a law");
    let batch = Batch::resampled(panel, law, problems, &vec![1.0; n]).expect("it is a batch");
    kept(engine, &batch, request, problems);
}

fn kept(engine: &GpuEngine, batch: &Batch, request: &Request, problems: u64) {
    let work = Work { batch, request, number: 0, sample: &[] };
    let context = &mut Context { engine, store: &mut Checkpoint::aside(IN_MEMORY), observer: &mut Unwatched };
    keep(work, 0..problems, context).expect("the device is not lost");
}

fn subsets(engine: &GpuEngine, k: usize, problems: u64) {
    let assets: Vec<String> = (0..UNIVERSE).map(|i| format!("A{i}")).collect();
    let model = validity::model(&data::covariances(UNIVERSE, 1), true).expect("it is a covariance");
    let universe = Universe::from(model);
    let subsets = Subsets::all(Space::of(UNIVERSE, k).expect("it is a space")).expect("they can be counted");
    let question = Question {
        assets: &assets,
        universe: &universe,
        estimator: Estimator::Sample,
        returns: None,
        simple: None,
        subsets: &subsets,
        max_correlation: None,
        bounds: None,
        periods_per_year: None,
    };
    let config = Config {
        by: Figure::Metric(Metric::Diversification),
        top: 10,
        filters: Vec::new(),
        shortlist_by: Metric::Diversification,
        shortlist: 10,
        halves: false,
        also: Vec::new(),
        crosscheck: Sample::Count(0),
    };
    let context = &mut Context { engine, store: &mut Checkpoint::none(), observer: &mut Unwatched };
    screen(&question, problems, &config, context, &mut |_, _, _| Ok(())).expect("the device is not lost");
}
