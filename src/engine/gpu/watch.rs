//! Waiting for a device that may never answer. Drivers reset most cards that hang, and say so; where none does, a wait has
//! an end of its own.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::device::{Attempt, Device, Trouble};

/// A submission is a tenth of a second of work by plan ([`super::plan`]), on a weak card a few. A card that finishes none
/// for so long has stopped.
const PATIENCE: Duration = Duration::from_secs(60);

/// The processor in the place of a card is slow, and shared, but does not hang.
const SOFTWARE_PATIENCE: Duration = Duration::from_secs(1800);

/// How often a wait looks whether the device gets on.
const LOOK: Duration = Duration::from_secs(1);

/// Whether a device gets on with its submissions.
#[derive(Debug, Default)]
pub struct Watch {
    /// Submissions done.
    finished: Arc<AtomicU64>,
    hung: AtomicBool,
}

impl Watch {
    /// To be called after each submission.
    pub fn submitted(&self, queue: &wgpu::Queue) {
        let finished = Arc::clone(&self.finished);
        queue.on_submitted_work_done(move || {
            finished.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// # Errors
    /// The device has been waited for in vain before.
    pub fn answers(&self) -> Attempt<()> {
        if self.hung.load(Ordering::Relaxed) { Err(Trouble::Hung) } else { Ok(()) }
    }
}

impl Device {
    /// Waits for a submission, or for all.
    ///
    /// # Errors
    /// The device is lost meanwhile, or finishes nothing for a minute.
    pub fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Attempt<()> {
        self.watch.answers()?;
        let usual = if self.facts.software { SOFTWARE_PATIENCE } else { PATIENCE };
        let patience = self.seam.patience().unwrap_or(usual);
        let (mut finished, mut since) = (self.watch.finished.load(Ordering::Relaxed), Instant::now());
        loop {
            let submission_index = submission.clone();
            let what = wgpu::PollType::Wait { submission_index, timeout: Some(LOOK.min(patience)) };
            // wgpu panics here when the device is lost while it is waited for.
            let polled = catch_unwind(AssertUnwindSafe(|| self.device.poll(what)));
            match polled.map_err(|_| Trouble::Lost("it went away while it was waited for".to_owned()))? {
                Ok(_) => return Ok(()),
                Err(wgpu::PollError::Timeout) => {}
                Err(error) => return Err(Trouble::Failed(format!("the device could not be waited for: {error}"))),
            }
            let now = self.watch.finished.load(Ordering::Relaxed);
            if now != finished {
                (finished, since) = (now, Instant::now());
            } else if since.elapsed() >= patience {
                if !self.watch.hung.swap(true, Ordering::Relaxed) {
                    // Who drops the last handle of a queue waits for its work, here for ever: this one is never dropped.
                    let _kept = ManuallyDrop::new((self.device.clone(), self.queue.clone()));
                }
                return Err(Trouble::Hung);
            }
        }
    }
}
