//! Progress and notices on standard error: a bar only on a terminal, notices above it.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{interrupt, output};
use crate::engine::Fault;
use crate::error::Text;
use crate::observer::Observer;
use crate::stop::Stop;

/// How often the bar is drawn, so that the time left goes on while a long chunk is under way.
const TICK: Duration = Duration::from_millis(200);

/// Shows a run to the user.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    quiet: bool,
    faults: Vec<Fault>,
    stop: Stop,
}

impl Progress {
    /// For a run whose problems are called `noun`.
    pub fn new(noun: &str, quiet: bool) -> Progress {
        let hidden = quiet || !std::io::stderr().is_terminal();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let template =
            format!("{{bar:32}} {{msg}} {{human_pos}} of {{human_len}} {noun}s, {{custom_per_sec}}, {{eta}} left");
        let style = ProgressStyle::with_template(&template)
            .expect("the template is fixed and valid")
            .with_key("custom_per_sec", |state: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                // A writer that fails leaves the rate out.
                let _ = write!(w, "{:.0}/s", state.per_sec());
            })
            .progress_chars("━╸─");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style).with_message("solving");
        if !hidden {
            bar.enable_steady_tick(TICK);
        }
        Progress { bar, quiet, faults: Vec::new(), stop: interrupt::listen() }
    }

    /// Removes the bar. What went wrong with the device is left.
    pub fn finish(self) -> Vec<Fault> {
        self.bar.finish_and_clear();
        self.faults
    }
}

impl Observer for Progress {
    fn total(&mut self, work: u64) {
        self.bar.set_length(work);
    }

    fn phase(&mut self, name: &str) {
        self.bar.set_message(name.to_string());
    }

    fn finished(&mut self, work: u64) {
        self.bar.inc(work);
    }

    fn notice(&mut self, message: &Text) {
        if !self.quiet {
            self.bar.suspend(|| output::notice(&message.render(output::option)));
        }
    }

    fn fault(&mut self, fault: &Fault) {
        self.notice(&fault.to_string().into());
        self.faults.push(fault.clone());
    }

    fn stop(&self) -> Stop {
        self.stop.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Remedy;

    #[test]
    fn faults_are_left_for_the_manifest() {
        let mut progress = Progress::new("problem", true);
        let fault = Fault { what: "the device was lost".to_owned(), problem: Some(3), remedy: Remedy::Reopened };
        progress.fault(&fault);
        assert_eq!(progress.finish(), [fault]);
    }
}
