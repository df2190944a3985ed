//! What happens during a run, for whoever watches, and what whoever watches may ask for.

use crate::engine::Fault;
use crate::error::{Result, Text};
use crate::stop::Stop;

/// Watches a run.
pub trait Observer {
    /// So much work there is in all, in problems: what is kept from before, and what follows the last problem, included.
    fn total(&mut self, work: u64) {
        let _ = work;
    }

    /// Work of this name begins, such as `solving`.
    fn phase(&mut self, name: &str) {
        let _ = name;
    }

    /// So much of it is done.
    fn finished(&mut self, work: u64);

    /// So much of it was done before: it says nothing of how long the rest will take.
    fn kept(&mut self, work: u64) {
        self.finished(work);
    }

    /// Something a user should know.
    fn notice(&mut self, message: &Text);

    /// A device failed, and the run goes on.
    fn fault(&mut self, fault: &Fault) {
        self.notice(&fault.to_string().into());
    }

    /// Whether the run should end.
    fn stop(&self) -> Stop {
        Stop::NEVER
    }

    /// # Errors
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted) once it should.
    fn check(&self) -> Result<()> {
        self.stop().check()
    }
}

/// Hands on what it sees, and keeps the notices.
pub struct Noted<'a> {
    observer: &'a mut dyn Observer,
    pub notes: Vec<Text>,
}

impl<'a> Noted<'a> {
    pub fn new(observer: &'a mut dyn Observer) -> Noted<'a> {
        Noted { observer, notes: Vec::new() }
    }
}

impl Observer for Noted<'_> {
    fn total(&mut self, work: u64) {
        self.observer.total(work);
    }

    fn phase(&mut self, name: &str) {
        self.observer.phase(name);
    }

    fn finished(&mut self, work: u64) {
        self.observer.finished(work);
    }

    fn kept(&mut self, work: u64) {
        self.observer.kept(work);
    }

    fn notice(&mut self, message: &Text) {
        self.notes.push(message.clone());
        self.observer.notice(message);
    }

    fn fault(&mut self, fault: &Fault) {
        self.observer.fault(fault);
    }

    fn stop(&self) -> Stop {
        self.observer.stop()
    }
}

/// Watches nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Unwatched;

impl Observer for Unwatched {
    fn finished(&mut self, _: u64) {}
    fn notice(&mut self, _: &Text) {}
}
