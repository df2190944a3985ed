//! In a process of its own: does one problem leave the machine's other cores alone?

use equirisk::engine::cpu::CpuEngine;
use equirisk::{Batch, Status};

#[test]
fn one_problem_starts_no_threads() {
    let covariance = [0.01, 0.002, 0.002, 0.04];
    let batch = Batch::given(&covariance[..], &[0.5, 0.5]).expect("a covariance");
    let solutions = batch.solve(&CpuEngine::default()).expect("the CPU engine does not fail");
    assert_eq!(solutions.certificates[0].status, Status::Converged);
    // It can be made once, unless somebody has used it.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("nobody has used the global pool");
}
