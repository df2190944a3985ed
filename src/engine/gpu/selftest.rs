//! The start-up self-test of every adapter: known answers of Philox, rows of the index law, a small descent. A driver
//! that fails is refused, whatever it is called.

use std::sync::Arc;

use super::device::{Attempt, Device};
use super::driver::Driver as _;
use super::facts::SelfTest;
use super::given::{Given, Matrices};
use super::kernel::Kernel;
use super::parameters::Question;
use super::plan::Accuracy;
use crate::batch::Request;
use crate::error::Result;
use crate::methods::certificate::Status;
use crate::philox::KNOWN_ANSWERS;
use crate::resample::{Law, Scheme};

/// Resamples whose rows are compared with the CPU's: the published vectors of the law (its tests check the CPU's).
const DRAWS: [(Scheme, f64, usize, u64, u32, u64); 6] = [
    (Scheme::Stationary, 5.0, 100, 0, 0, 0),
    (Scheme::Stationary, 20.0, 2520, 0x0123_4567_89AB_CDEF, 0, 1),
    (Scheme::Stationary, 20.0, 2520, 0x0123_4567_89AB_CDEF, 7, (1 << 32) + 3),
    (Scheme::Iid, 1.0, 100, 0, 0, 1),
    (Scheme::Circular, 7.0, 100, 0, 0, 0),
    (Scheme::Moving, 7.0, 100, 0, 0, 0),
];

/// Budgets and correlations of the problems to solve: an ordinary one, one with small and negative correlations.
const BUDGETS: [f64; 3] = [0.2, 0.3, 0.5];
const COVARIANCES: [f64; 18] =
    [4.0, 2.4, 0.9, 2.4, 9.0, 1.2, 0.9, 1.2, 1.0, 1.0, -0.3, 0.01, -0.3, 1.0, -0.2, 0.01, -0.2, 1.0];

/// # Errors
/// The device cannot run the test at all.
pub fn run(device: &Arc<Device>, accuracy: Accuracy) -> Result<SelfTest> {
    let philox = device.attempt(|| philox(device))?;
    let mut law = true;
    for (scheme, length, rows, seed, cell, resample) in DRAWS {
        let expected = Law::new(scheme, length, rows, seed, cell)?;
        law &= device.attempt(|| device.rows(&expected, resample))? == expected.rows(resample);
    }
    let memory = 1 << 20;
    let matrices = Matrices::Given { covariances: &COVARIANCES, assume_psd: true };
    let solutions = device.attempt(|| {
        let mut given = Given::new(Arc::clone(device), memory, &BUDGETS, matrices, accuracy, &Request::PORTFOLIOS)?;
        given.start(0..2)?;
        given.finish()
    })?;
    let solutions = solutions.portfolios();
    let solved = solutions.certificates.iter().all(|c| c.status == Status::Converged);
    let error = solutions.certificates.iter().fold(0.0_f64, |m, c| m.max(c.rc_error));
    Ok(SelfTest { philox, law, descend: solved, descend_error: error })
}

fn philox(device: &Device) -> Attempt<bool> {
    let questions = KNOWN_ANSWERS.map(|(counter, key, _)| Question { counter, key: [key[0], key[1], 0, 0] });
    let questions = device.upload("questions", &questions);
    let answers = device.room("answers", 16 * KNOWN_ANSWERS.len() as u64);
    let kernel = Kernel::Known { wide: device.facts.wide_integers };
    let words = device.run(kernel, 1, &[(0, &questions), (1, &answers)], &answers)?;
    Ok(words.iter().eq(KNOWN_ANSWERS.iter().flat_map(|(_, _, answer)| answer)))
}

impl Device {
    fn attempt<T>(&self, work: impl FnOnce() -> Attempt<T>) -> Result<T> {
        self.guarded(work).map_err(|trouble| trouble.into_error())
    }
}
