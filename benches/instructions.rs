//! How many instructions does a problem take on the CPU? A number that holds on a busy machine too.
//!
//! usage: cargo bench --bench instructions [-- --record]
//!
//! Counts under valgrind and compares with `instructions.json`: more than a tenth above fails, `--record` writes what was
//! counted. What preparation and start-up take cancels in the difference of two runs of one case. valgrind has no
//! AVX-512, so that every x86-64 machine of the last ten years counts the same vectors; the compiler is recorded too.

#![expect(clippy::print_stdout, reason = "the counts are what it is for")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use equirisk::covariance::Estimator;
use equirisk::covariance::resampler::{Resampler, Workspace};
use equirisk::engine::Job as _;
use equirisk::engine::cpu::CpuEngine;
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::sampling::Rows;
use equirisk::stop::Stop;
use equirisk::{Batch, Block, Request, Status};
use pulp::Arch;
use serde::{Deserialize, Serialize};

/// A count this much above the recorded one fails: other C libraries and allocators move it by one or two percent.
const SLACK: f64 = 0.10;

struct Case {
    name: &'static str,
    /// Two numbers of problems: the more instructions one takes, the fewer.
    few: u64,
    many: u64,
    run: fn(&Case, u64),
}

const CASES: [Case; 6] = [
    Case { name: "solve, n = 10", few: 64, many: 1088, run: |case, problems| solve(10, problems, case.many) },
    Case { name: "solve, n = 50", few: 16, many: 144, run: |case, problems| solve(50, problems, case.many) },
    Case { name: "solve, n = 200", few: 2, many: 10, run: |case, problems| solve(200, problems, case.many) },
    Case { name: "resample, n = 200", few: 2, many: 10, run: |_, problems| resample(200, problems) },
    Case { name: "moments, row by row", few: 8, many: 40, run: |_, problems| moments(Scheme::Iid, 1.0, problems) },
    Case { name: "moments, bridge", few: 8, many: 136, run: |_, problems| moments(Scheme::Stationary, 20.0, problems) },
];

/// The history that resamples are drawn from, and its assets where moments alone are taken.
const OBSERVATIONS: usize = 2520;
const ASSETS: usize = 50;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    rustc: String,
    /// Instruction set that the kernels were dispatched to.
    vectors: String,
    /// Instructions per problem.
    instructions: BTreeMap<String, u64>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => compare(),
        ["--record"] => record(),
        ["--run", case, problems] => {
            run(case, problems.parse().expect("a number of problems"));
            ExitCode::SUCCESS
        }
        _ => {
            println!("usage: cargo bench --bench instructions [-- --record]");
            ExitCode::from(2)
        }
    }
}

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.json"))
}

fn record() -> ExitCode {
    let record = count();
    for (case, instructions) in &record.instructions {
        println!("{case}: {instructions} instructions a problem");
    }
    let text = serde_json::to_string_pretty(&record).expect("plain data") + "\n";
    std::fs::write(path(), text).expect("benches/instructions.json can be written");
    ExitCode::SUCCESS
}

fn compare() -> ExitCode {
    let text = std::fs::read_to_string(path()).expect("benches/instructions.json is there");
    let recorded: Record = serde_json::from_str(&text).expect("benches/instructions.json is what --record wrote");
    let counted = count();
    for (what, then, now) in
        [("rustc", &recorded.rustc, &counted.rustc), ("vectors", &recorded.vectors, &counted.vectors)]
    {
        if then != now {
            println!("note: recorded with {what} {then}, counted with {now}");
        }
    }
    let mut exceeded = 0;
    for (case, now) in &counted.instructions {
        let Some(then) = recorded.instructions.get(case) else {
            println!("{case}: {now} instructions a problem, none recorded");
            exceeded += 1;
            continue;
        };
        let change = *now as f64 / *then as f64 - 1.0;
        println!("{case}: {now} instructions a problem, recorded {then} ({:+.1} %)", 100.0 * change);
        exceeded += usize::from(change > SLACK);
    }
    if exceeded == 0 {
        return ExitCode::SUCCESS;
    }
    println!(
        "error: {exceeded} of {} counts are more than {:.0} % above the record, or new",
        CASES.len(),
        100.0 * SLACK
    );
    println!("hint: where that is meant, cargo bench --bench instructions -- --record, and say why in the commit");
    ExitCode::FAILURE
}

fn count() -> Record {
    let mut vectors = String::new();
    let instructions = CASES.iter().map(|case| {
        let [less, more] = [case.few, case.many].map(|problems| {
            let (instructions, found) = count_run(case.name, problems);
            vectors = found;
            instructions
        });
        (case.name.to_owned(), (more - less) / (case.many - case.few))
    });
    let instructions = instructions.collect();
    let version = Command::new("rustc").arg("--version").output().expect("rustc runs").stdout;
    let rustc = String::from_utf8(version).expect("a version is text").trim().to_owned();
    Record { rustc, vectors, instructions }
}

/// Instructions of [`run`] in a process of its own, and the instruction set it found.
fn count_run(case: &str, problems: u64) -> (u64, String) {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program has a path"))
        .args(["--run", case, &problems.to_string()])
        .output()
        .unwrap_or_else(|e| panic!("valgrind did not start: {e}; Debian and Ubuntu have it as package `valgrind`"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case} under valgrind: {said}");
    let (_, collected) = said.split_once("Collected : ").expect("callgrind says what it collected");
    let instructions = collected.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number");
    (instructions, String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Prepares a case and solves so many of its problems, on this thread alone; prints the instruction set.
fn run(case: &str, problems: u64) {
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().expect("the first pool");
    let case = CASES.iter().find(|c| c.name == case).expect("one of the cases");
    (case.run)(case, problems);
    let vectors = format!("{:?}", Arch::new());
    println!("{}", vectors.split('(').next().unwrap_or_default());
}

/// The first `problems` of `prepared` given covariances, taken to be positive semi-definite.
fn solve(n: usize, problems: u64, prepared: u64) {
    let mut uniform = uniform();
    let mut covariances = Vec::with_capacity(prepared as usize * n * n);
    for _ in 0..prepared {
        // A market, a style, and each asset's own: correlations of about one third, volatilities spread threefold.
        let factors: Vec<[f64; 3]> =
            (0..n).map(|_| [0.5 + uniform(), 2.0 * uniform() - 1.0, 0.5 + uniform()]).collect();
        for (i, [market, style, own]) in factors.iter().enumerate() {
            for (j, [other_market, other_style, _]) in factors.iter().enumerate() {
                let own = if i == j { own * own } else { 0.0 };
                covariances.push(1e-4 * (market * other_market + style * other_style + own));
            }
        }
    }
    let batch = Batch::given(covariances, &vec![1.0; n]).expect("equal budgets").assume_psd();
    let job = CpuEngine::default().job(&batch, &Request::PORTFOLIOS);
    let solutions = job.run(0..problems, &Stop::NEVER).expect("the CPU does not fail").portfolios();
    assert!(solutions.certificates.iter().all(|c| c.status == Status::Converged), "easy problems");
}

/// A history.
fn panel(assets: usize) -> Panel {
    let mut uniform = uniform();
    let mut values = Vec::with_capacity(OBSERVATIONS * assets);
    for _ in 0..OBSERVATIONS {
        let market = uniform() - 0.5;
        values.extend((0..assets).map(|_| market + uniform()));
    }
    let assets = (0..assets).map(|i| i.to_string()).collect();
    Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).expect("returns that move")
}

fn law(scheme: Scheme, length: f64) -> Law {
    Law::new(scheme, length, OBSERVATIONS, 1, 0).expect("a valid law")
}

/// Resamples of a history in blocks of 20 rows, their moments and all.
fn resample(n: usize, problems: u64) {
    let law = law(Scheme::Stationary, 20.0);
    let batch = Batch::resampled(Arc::new(panel(n)), law, problems, &vec![1.0; n]).expect("equal budgets");
    let request = Request::COMPARED;
    let block =
        CpuEngine::default().job(&batch, &request).run(0..problems, &Stop::NEVER).expect("the CPU does not fail");
    let Block::Portfolios(solutions) = block else { unreachable!("portfolios were asked for") };
    assert!(solutions.certificates.iter().all(|c| c.status == Status::Converged), "easy problems");
}

/// Moments of resamples of a history.
fn moments(scheme: Scheme, length: f64, problems: u64) {
    let (panel, law) = (panel(ASSETS), law(scheme, length));
    let rows = Rows::Resampled { law, resamples: problems };
    let resampler = Resampler::new(&panel, &rows, Estimator::Sample);
    let span = resampler.span(0..problems);
    let (mut work, mut moments) = (Workspace::default(), vec![0.0; resampler.entries()]);
    for resample in 0..problems {
        span.moments(resample, &mut work, &mut moments);
        std::hint::black_box(&moments);
    }
}

/// Numbers in [0, 1), always the same.
fn uniform() -> impl FnMut() -> f64 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as f64 / f64::from(u32::MAX)
    }
}
