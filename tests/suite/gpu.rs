//! Does the GPU engine compute what the CPU engine does?

use equirisk::engine::gpu::{GpuEngine, Options};
use equirisk::engine::{Engine, Job, cpu::CpuEngine};
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::{Batch, Source, Status, Want};

fn panel(rows: usize, n: usize) -> Panel {
    let mut seed = 1_u64;
    let mut uniform = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f64 / (1_u64 << 31) as f64 - 0.5
    };
    let values = (0..rows)
        .flat_map(|_| {
            let market = uniform();
            (0..n).map(|i| (0.01 + 0.03 * i as f64 / n as f64) * (market + uniform() + uniform())).collect::<Vec<_>>()
        })
        .collect();
    let assets = (0..n).map(|i| format!("A{i}")).collect();
    Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap()
}

#[test]
#[ignore]
fn smoke() {
    let t = std::time::Instant::now();
    let engine = GpuEngine::open_with(Options {
        allow_software: true,
        no_subgroups: std::env::var("NOSUB").is_ok(),
        ..Options::default()
    })
    .unwrap();
    println!("open {:?} {:?} {:?}", t.elapsed(), engine.facts(), engine.self_test());
    let sizes = std::env::var("SIZES").unwrap();
    for size in sizes.split(' ') {
        let v: Vec<usize> = size.split(',').map(|x| x.parse().unwrap()).collect();
        let (n, rows, b) = (v[0], v[1], v[2] as u64);
        let panel = panel(rows, n);
        let law = Law::new(Scheme::Stationary, 20.0, rows, 1, 0).unwrap();
        let batch = Batch::new(Source::Resampled { panel, law }, &vec![1.0; n]).unwrap();
        let want = Want { comparisons: true };
        for round in 0..2 {
            let t = std::time::Instant::now();
            let job = engine.prepare(&batch, want).unwrap();
            let gpu = job.solve(0..b).unwrap();
            let gpu_time = t.elapsed();
            let t = std::time::Instant::now();
            let cpu = CpuEngine::default().job(&batch, want).solve(0..b).unwrap();
            let d = gpu.weights.iter().zip(&cpu.weights).fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
            let converged = gpu.certificates.iter().filter(|c| c.status == Status::Converged).count();
            let rc = gpu.certificates.iter().fold(0.0_f64, |m, c| m.max(c.rc_error));
            let sweeps = gpu.certificates.iter().map(|c| c.sweeps).max();
            let kappa = gpu.certificates.iter().fold(0.0_f64, |m, c| m.max(c.kappa));
            println!(
                "n {n} T {rows} B {b} round {round}: gpu {gpu_time:?} cpu {:?} dw {d:.2e} converged {converged} rc {rc:.2e} sweeps {sweeps:?} kappa {kappa:.2}",
                t.elapsed()
            );
            let rel = |a: &[f64], b: &[f64]| a.iter().zip(b).fold(0.0_f64, |m, (a, b)| m.max((a / b - 1.0).abs()));
            println!(
                "   vol {:.2e} iv {:.2e} ew {:.2e} pv {:.2e}",
                rel(&gpu.comparisons.volatilities, &cpu.comparisons.volatilities),
                rel(&gpu.comparisons.inverse_volatility, &cpu.comparisons.inverse_volatility),
                rel(&gpu.comparisons.equal_weight, &cpu.comparisons.equal_weight),
                rel(
                    &gpu.certificates.iter().map(|c| c.volatility).collect::<Vec<_>>(),
                    &cpu.certificates.iter().map(|c| c.volatility).collect::<Vec<_>>()
                )
            );
        }
    }
}
