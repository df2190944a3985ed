//! Does double precision give what the CPU gives? Where the adapter has none, every test here is that it is refused.

use super::*;
use equirisk::batch::Block;
use equirisk::engine::cpu::CpuEngine;
use equirisk::methods::risk_budgeting;
use equirisk::run::crosscheck::Checker;

fn double() -> Option<&'static GpuEngine> {
    static ENGINE: OnceLock<Option<GpuEngine>> = OnceLock::new();
    ENGINE.get_or_init(|| open_double(Options::default())).as_ref()
}

#[test]
fn solutions_are_those_of_the_cpu_to_its_tolerance() {
    let Some(double) = double() else { return };
    // Thread, subgroup, workgroup and streamed kernels; moments from steps, of two slices, and from counts, both kernels.
    for (batch, n) in [(batch(300, 3), 3), (iid(300, 20), 20), (batch(300, 70), 70), (iid(100, 140), 140)] {
        let (gpu, cpu) = (solve(double, &batch, 0..9), solve(&CpuEngine::default(), &batch, 0..9));
        assert_eq!(count(&gpu, Status::Converged), 9, "n {n}: {:?}", gpu.certificates);
        for (p, (g, c)) in gpu.weights.iter().zip(&cpu.weights).enumerate() {
            // Both are within twice their tolerance of 1e-8.
            assert!((g / c - 1.0).abs() <= 4e-8, "n {n}, weight {p}: {g:e} {c:e}");
        }
        for (g, c) in gpu.certificates.iter().zip(&cpu.certificates) {
            assert!(g.rc_error <= 1e-8 && (g.volatility / c.volatility - 1.0).abs() <= 1e-7, "n {n}: {g:?} {c:?}");
        }
        for (g, c) in gpu.comparisons.volatilities.iter().zip(&cpu.comparisons.volatilities) {
            assert!((g / c - 1.0).abs() <= 1e-12, "n {n}: {g:e} {c:e}");
        }
        // The certificates are true: the same weights against the covariance that the CPU builds.
        let checker = Checker::new(&batch, &Request::PORTFOLIOS, Precision::Double, risk_budgeting::Options::default());
        let job = double.prepare(&batch, &Request::PORTFOLIOS).unwrap();
        let checked = checker.check(0, &Block::Portfolios(gpu), &[0, 3, 8], Some(&*job), &Stop::NEVER).unwrap();
        assert_eq!(checked.disagreements, 0, "n {n}: {checked:?}");
        assert!(checked.max_rc_error.unwrap() <= 1.01e-8, "n {n}: {checked:?}");
    }
}

#[test]
fn a_tolerance_beyond_the_usual_is_reached_on_the_device() {
    let Some(engine) = open_double(Options { tolerance: Some(1e-11), ..Options::default() }) else { return };
    let solutions = solve(&engine, &batch(300, 3), 0..9);
    assert_eq!(count(&solutions, Status::Converged), 9);
    assert!(solutions.certificates.iter().all(|c| c.rc_error <= 1e-11), "{:?}", solutions.certificates);
}

#[test]
fn tiny_budgets_are_met_in_double_precision() {
    let Some(double) = double() else { return };
    let batch = budgeted(&batch(100, 3), &[1.0, 1.0, 1e-5]);
    assert_eq!(count(&solve(double, &batch, 0..4), Status::Converged), 4);
}

#[test]
fn given_covariances_are_solved_and_certified_in_double_precision() {
    let Some(double) = double() else { return };
    let covariances = vec![1.0, 0.3, 0.1, 0.3, 4.0, -0.4, 0.1, -0.4, 2.0];
    let batch = Batch::given(covariances, &[0.2, 0.3, 0.5]).unwrap();
    let (gpu, cpu) = (solve(double, &batch, 0..1), solve(&CpuEngine::default(), &batch, 0..1));
    assert_eq!(gpu.certificates[0].status, Status::Converged);
    for (g, c) in gpu.weights.iter().zip(&cpu.weights) {
        assert!((g / c - 1.0).abs() <= 4e-8, "{g:e} {c:e}");
    }
}

#[test]
fn an_adapter_without_double_precision_is_refused() {
    let options = Options { precision: Precision::Double, plain: true, allow_software: true, ..Options::default() };
    let error = GpuEngine::open(options).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Device);
    assert!(error.message.contains("no double precision") && error.hint.unwrap().contains("`engine=cpu`"));
}
