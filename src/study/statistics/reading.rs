//! What reading solutions costs beside solving problems, for whoever watches both.

use crate::engine::Fault;
use crate::error::Text;
use crate::observer::Observer;
use crate::stop::Stop;

/// Problems that are read while one is solved, about: measured, 15 of 10 assets.
const READ: u64 = 16;

/// Passes on what statistics tell of problems that they read, as the problems that could have been solved meanwhile.
pub struct Reading<'a> {
    observer: &'a mut dyn Observer,
    /// Problems read and not passed on.
    left: u64,
}

impl Reading<'_> {
    pub fn new(observer: &mut dyn Observer) -> Reading<'_> {
        Reading { observer, left: 0 }
    }

    /// Problems that could be solved while so many are read.
    pub fn work(problems: u64) -> u64 {
        problems / READ
    }
}

impl Observer for Reading<'_> {
    fn finished(&mut self, problems: u64) {
        self.left += problems;
        self.observer.finished(self.left / READ);
        self.left %= READ;
    }

    fn notice(&mut self, message: &Text) {
        self.observer.notice(message);
    }

    fn fault(&mut self, fault: &Fault) {
        self.observer.fault(fault);
    }

    fn stop(&self) -> Stop {
        self.observer.stop()
    }
}
