//! Progress and notices on standard error: a bar only on a terminal, notices above it.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{interrupt, output};
use crate::engine::Fault;
use crate::error::Text;
use crate::observer::Observer;
use crate::stop::Stop;
use crate::wording::grouped;

/// How often the bar is drawn, so that the time left goes on while a long chunk is under way.
const TICK: Duration = Duration::from_millis(200);

/// What phases begin with in which problems are counted.
const SOLVING: &str = "solving";

/// A bar over all phases, with the rate at which a noun is solved.
fn style(noun: Option<&str>) -> ProgressStyle {
    let rate = noun.map_or(String::new(), |noun| format!(", {{rate}} {noun}s/s"));
    let template = format!("{{bar:32}} {{msg}}: {{percent}} %{rate}, {{eta}} left");
    ProgressStyle::with_template(&template)
        .expect("the template is fixed and valid")
        .with_key("rate", |state: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
            // A writer that fails leaves the rate out.
            let _ = write!(w, "{}", grouped(state.per_sec() as u64));
        })
        .progress_chars("━╸─")
}

/// Shows a run to the user.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    noun: String,
    quiet: bool,
    faults: Vec<Fault>,
    /// What was said last: several batches of a study may meet the same.
    said: String,
    stop: Stop,
}

impl Progress {
    /// For a run whose problems are called `noun`.
    pub fn new(noun: &str, quiet: bool) -> Progress {
        let hidden = quiet || !std::io::stderr().is_terminal();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target).with_style(style(Some(noun))).with_message(SOLVING);
        if !hidden {
            bar.enable_steady_tick(TICK);
        }
        Progress {
            bar,
            noun: noun.to_string(),
            quiet,
            faults: Vec::new(),
            said: String::new(),
            stop: interrupt::listen(),
        }
    }

    /// What went wrong with the device until now.
    pub fn faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    /// Removes the bar.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn total(&mut self, work: u64) {
        self.bar.set_length(work);
    }

    fn phase(&mut self, name: &str) {
        // Of what is not solved, the rate says nothing.
        self.bar.set_style(style(name.starts_with(SOLVING).then_some(&*self.noun)));
        self.bar.set_message(name.to_string());
    }

    fn finished(&mut self, work: u64) {
        self.bar.inc(work);
    }

    fn kept(&mut self, work: u64) {
        self.bar.inc(work);
        self.bar.reset_eta();
    }

    fn notice(&mut self, message: &Text) {
        let message = message.render(output::option);
        if !self.quiet && message != self.said {
            self.bar.suspend(|| output::notice(&message));
            self.said = message;
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
        assert_eq!(progress.faults(), [fault]);
    }
}
