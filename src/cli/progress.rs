//! Progress and notices on standard error: a bar only on a terminal, notices above it.

use std::io::IsTerminal as _;
use std::time::Duration;

use equirisk::engine::Fault;
use equirisk::error::Text;
use equirisk::run::Watch;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;

/// How often the bar is drawn, so that the time left goes on while a long chunk is under way.
const TICK: Duration = Duration::from_millis(200);

/// Shows a run to the user.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    quiet: bool,
    faults: Vec<Fault>,
}

impl Progress {
    /// For a run of so many problems; `noun` is what they are called.
    pub fn new(problems: u64, noun: &str, quiet: bool) -> Progress {
        let hidden = quiet || !std::io::stderr().is_terminal();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let template = format!("{{bar:32}} {{human_pos}} of {{human_len}} {noun}, {{custom_per_sec}}, {{eta}} left");
        let style = ProgressStyle::with_template(&template)
            .expect("the template is fixed and valid")
            .with_key("custom_per_sec", |state: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                // A writer that fails leaves the rate out.
                let _ = write!(w, "{:.0}/s", state.per_sec());
            })
            .progress_chars("━╸─");
        let bar = ProgressBar::with_draw_target(Some(problems), target).with_style(style);
        if !hidden {
            bar.enable_steady_tick(TICK);
        }
        Progress { bar, quiet, faults: Vec::new() }
    }

    /// Removes the bar. What went wrong with the device is left.
    pub fn finish(self) -> Vec<Fault> {
        self.bar.finish_and_clear();
        self.faults
    }
}

impl Watch for Progress {
    fn finished(&mut self, problems: u64) {
        self.bar.inc(problems);
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
}

#[cfg(test)]
mod tests {
    use equirisk::engine::Remedy;

    use super::*;

    #[test]
    fn faults_are_left_for_the_manifest() {
        let mut progress = Progress::new(1, "problems", true);
        let fault = Fault { what: "the device was lost".to_owned(), problem: Some(3), remedy: Remedy::Reopened };
        progress.fault(&fault);
        assert_eq!(progress.finish(), [fault]);
    }
}
