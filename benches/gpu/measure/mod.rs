//! The GPU engine measured: adapter, float arithmetic, speeds, cold start, and workloads with their floors. One object
//! that describes itself; units stand in the names of its fields.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use equirisk::engine::Engine as _;
use equirisk::engine::gpu::{AdapterFacts, GpuEngine, Options, SelfTest, adapters};
use equirisk::stop::Stop;
use equirisk::{Batch, Request};
use serde::Serialize;

mod cases;
mod data;
mod floors;
mod hardware;
mod probe;
mod table;

use cases::{Case, Outcome, Workload};
use hardware::{Bare, Hardware};
use probe::Probe;

/// Raised when a field changes its meaning.
const SCHEMA: &str = "equirisk-gpu-bench-1";

/// Bytes of given covariances at most.
const GIVEN_BYTES: u64 = 1 << 30;

/// How much is measured.
pub struct Settings {
    /// Adapter, as `--device` takes it; none for the fastest kind, a software adapter if there is no other.
    pub device: Option<String>,
    /// Device memory for the engine, in bytes.
    pub memory: Option<u64>,
    /// Small sizes; none for small sizes on a software adapter.
    pub quick: Option<bool>,
    /// Sizes of given covariances.
    pub assets: Vec<usize>,
    /// Time for all cases together.
    pub limit: Duration,
    /// When and from which commit, as the caller says.
    pub date: Option<String>,
    pub commit: Option<String>,
    /// A program that starts, computes a first result with the adapter appended, and ends.
    pub cold_start: Option<(PathBuf, Vec<String>)>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub schema: &'static str,
    pub version: &'static str,
    /// UTC.
    pub date: String,
    pub commit: Option<String>,
    pub quick: bool,
    pub adapter: AdapterFacts,
    pub features: Vec<String>,
    pub self_test: SelfTest,
    pub host_threads: usize,
    pub cold_start: Option<ColdStart>,
    pub probe: Option<Probe>,
    pub hardware: Option<Hardware>,
    pub cases: Vec<Outcome>,
    /// Filled by the scripts that time other programs on the same device.
    pub peers: Vec<serde_json::Value>,
    /// Whether all that was planned has been measured or skipped.
    pub complete: bool,
    pub seconds: f64,
}

/// From the start of a process to its end, a first result computed; the first finds whatever the driver has cached.
#[derive(Debug, Clone, Serialize)]
pub struct ColdStart {
    pub program: String,
    pub process_seconds: Vec<f64>,
    /// Why there are no more of them.
    pub failure: Option<String>,
    /// What the last process says about itself, if it is this one.
    pub itself: Option<serde_json::Value>,
}

/// Measures everything. `watch` sees the report after each part, with a line on what is new.
///
/// # Errors
/// No adapter that works.
pub fn run(settings: &Settings, watch: &mut dyn FnMut(&Report, &str)) -> Result<Report, String> {
    let start = Instant::now();
    let cold = settings.cold_start.as_ref().map(|program| cold_start(program, settings.device.as_deref()));
    let engine = open(settings).map_err(|e| e.to_string())?;
    let facts = engine.facts().clone();
    let quick = settings.quick.unwrap_or(facts.software);
    let bare = Bare::open(facts.index, quick)?;
    let mut report = Report {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        date: settings.date.clone().unwrap_or_else(|| jiff::Timestamp::now().to_string()),
        commit: settings.commit.clone(),
        quick,
        adapter: facts,
        features: bare.features.clone(),
        self_test: engine.self_test().clone(),
        host_threads: rayon::current_num_threads(),
        cold_start: cold,
        probe: None,
        hardware: None,
        cases: Vec::new(),
        peers: Vec::new(),
        complete: false,
        seconds: 0.0,
    };
    watch(&report, &table::introduction(&report));
    let found = probe::probe(&bare);
    report.probe = Some(found);
    watch(&report, &format!("{found:#?}"));
    let hardware = bare.measure(quick);
    report.hardware = Some(hardware);
    watch(&report, &format!("{hardware:#?}"));
    drop(bare);

    watch(&report, table::HEADER);
    let plan = plan(quick, &settings.assets);
    for (at, case) in plan.iter().enumerate() {
        let left = settings.limit.saturating_sub(start.elapsed());
        // An even share of what is left, but for the large sizes that the small ones leave time to.
        let share = left.mul_f64((4.0 / (plan.len() - at) as f64).min(1.0));
        let outcome = case.measure(&engine, &hardware, share);
        let line = table::line(&outcome);
        report.cases.push(outcome);
        report.seconds = start.elapsed().as_secs_f64();
        watch(&report, &line);
    }
    report.complete = true;
    Ok(report)
}

fn open(settings: &Settings) -> equirisk::Result<GpuEngine> {
    let (select, memory) = (settings.device.clone(), settings.memory);
    GpuEngine::open(Options { select, memory, allow_software: true, profile: true, ..Options::default() })
}

/// Bootstraps first: they are what the engine is for.
fn plan(quick: bool, assets: &[usize]) -> Vec<Case> {
    let (shape, sizes, at_once): (_, &[u64], _) =
        if quick { ((252, 10), &[64, 256], 256) } else { ((2520, 50), &[1_000, 100_000, 1_000_000], 100_000) };
    let mut plan = Vec::new();
    for mean_block in [1.0, 20.0] {
        plan.extend(sizes.iter().map(|&problems| Case::bootstrap(Workload::Bootstrap, shape, mean_block, problems)));
        plan.push(Case::bootstrap(Workload::BootstrapAtOnce, shape, mean_block, at_once));
    }
    plan.extend(assets.iter().map(|&n| {
        let bytes = 8 * (n * n) as u64;
        // Enough to fill a large card, as far as the host's memory goes; whole workgroups, so that rows of a batch-last
        // layout are aligned for everyone.
        let full = (GIVEN_BYTES / bytes).clamp(64, 1 << 20) / 64 * 64;
        Case::given(n, if quick { (20_000 / n as u64).clamp(16, 2048) } else { full })
    }));
    let (universe, subsets) = if quick { (20, 4096) } else { (100, 10_000_000) };
    plan.extend([4, 5, 8].map(|size| Case::screen(size, universe, subsets)));
    let (universe, subsets) = if quick { (24, 1024) } else { (50, 1_000_000) };
    plan.push(Case::screen(20, universe, subsets));
    plan
}

/// Times three fresh processes.
fn cold_start((program, arguments): &(PathBuf, Vec<String>), device: Option<&str>) -> ColdStart {
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let called = [&name, &*arguments.join(" ")].join(" ");
    let mut cold = ColdStart { program: called, process_seconds: Vec::new(), failure: None, itself: None };
    // Named, so that a software adapter is not refused.
    let named = device.map_or_else(|| first_choice().to_string(), str::to_owned);
    for _ in 0..3 {
        let start = Instant::now();
        match Command::new(program).args(arguments).args(["--device", &named]).output() {
            Ok(output) if output.status.success() => {
                cold.process_seconds.push(start.elapsed().as_secs_f64());
                cold.itself = serde_json::from_slice(&output.stdout).ok();
            }
            Ok(output) => cold.failure = Some(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => cold.failure = Some(error.to_string()),
        }
    }
    cold
}

/// Index of the adapter that opens when none is named.
fn first_choice() -> usize {
    let listed = adapters();
    let rank = |a: &&AdapterFacts| (a.software, a.device_type != "discrete", a.index);
    listed.iter().min_by_key(rank).map_or(0, |a| a.index)
}

/// The work of one cold process: an engine, a thousand resamples, their weights. Says where the seconds went.
///
/// # Errors
/// No adapter that works.
pub fn first_result(settings: &Settings) -> Result<String, String> {
    let start = Instant::now();
    let measured = || -> equirisk::Result<String> {
        let engine = open(settings)?;
        let open_seconds = start.elapsed().as_secs_f64();
        let returns = data::returns(2520, 50, 7);
        let panel = equirisk::panel::Panel::new(&returns)?;
        let law = equirisk::resample::Law::new(equirisk::resample::Scheme::Stationary, 20.0, 2520, 1, 0)?;
        let problems = if engine.facts().software { 16 } else { 1000 };
        let batch = Batch::resampled(panel, law, problems, &[1.0; 50])?;
        engine.prepare(&batch, &Request::PORTFOLIOS)?.run(0..problems, &Stop::NEVER)?;
        let first_result_seconds = start.elapsed().as_secs_f64();
        Ok(serde_json::json!({
            "open_seconds": open_seconds,
            "first_result_seconds": first_result_seconds,
            "resamples": problems,
        })
        .to_string())
    };
    measured().map_err(|e| e.to_string())
}

/// What the report's file is called.
pub fn file_name(adapter: &str) -> String {
    let words: Vec<_> = adapter.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("gpu-{}.json", words.join("-").to_lowercase())
}
