//! In a process of its own: does one problem leave the machine's other cores alone, and all else stay in the pool that it
//! is called from?

use equirisk::covariance::Estimator;
use equirisk::engine::cpu::CpuEngine;
use equirisk::engine::gpu::{GpuEngine, Options};
use equirisk::observer::Unwatched;
use equirisk::run::crosscheck::Sample;
use equirisk::study::block::Block;
use equirisk::study::bootstrap::{Config, bootstrap};
use equirisk::{Batch, Checkpoint, Context, Engine, Labels, Returns, RiskMeasure, Scheme, Status};

fn one_problem() {
    let covariance = [0.01, 0.002, 0.002, 0.04];
    let batch = Batch::given(&covariance[..], &[0.5, 0.5]).expect("a covariance");
    let solutions = batch.solve(&CpuEngine::default()).expect("the CPU engine does not fail");
    assert_eq!(solutions.certificates[0].status, Status::Converged);
}

fn study(engine: &dyn Engine) {
    let noise = |k: usize| (k as f64 * 0.754_877_666).fract() - 0.5;
    let returns = Returns {
        assets: (0..5).map(|i| i.to_string()).collect(),
        labels: Labels::Text((0..60).map(|t| t.to_string()).collect()),
        values: (0..300).map(|k| 0.01 * noise(k * k + 3)).collect(),
    };
    let config = Config {
        resamples: 600,
        scheme: Scheme::Stationary,
        block: Block::Length(4.0),
        seed: 1,
        crosscheck: Sample::Default,
        sensitivity: true,
        periods_per_year: None,
        windows: 8,
        estimator: Estimator::Sample,
        measure: RiskMeasure::Volatility,
    };
    let context = &mut Context { engine, store: &mut Checkpoint::none(), observer: &mut Unwatched };
    let outcome = bootstrap(&returns, &[1.0; 5], &config, context).expect("a sound history");
    assert_eq!(outcome.solves.converged, 600);
}

#[test]
fn one_problem_starts_no_threads_and_a_study_none_but_its_callers() {
    one_problem();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| {
        study(&CpuEngine::default());
        let gpu = GpuEngine::open(Options { allow_software: true, ..Options::default() });
        study(&gpu.expect("a software adapter is enough"));
    });
    // It can be made once, unless somebody has used it.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("nobody has used the global pool");
}
