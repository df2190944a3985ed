//! What is measured, in lines for people.

use super::Report;
use super::cases::{Case, Measured, Outcome, Workload};

/// Nanoseconds per problem.
pub const HEADER: &str = "case                                    problems     wall ns   device ns    floor ns   ratio  \
     stages: device ns (ratio)";

pub fn introduction(report: &Report) -> String {
    let mut text = report.adapter.to_string();
    if let Some(cold) = &report.cold_start {
        let seconds: Vec<_> = cold.process_seconds.iter().map(|seconds| format!("{seconds:.2} s")).collect();
        text += &format!("\n   cold      {}: {}", cold.program, seconds.join(", "));
        text += cold.failure.as_deref().unwrap_or_default();
    }
    text
}

pub fn line(outcome: &Outcome) -> String {
    let Case { assets, problems, .. } = outcome.case;
    let head = format!("{:<38}{problems:>10}", format!("{}, n {assets}", name(&outcome.case)));
    let Some(measured) = &outcome.measured else {
        return format!("{head}  skipped: {}", outcome.skipped.as_deref().unwrap_or_default());
    };
    let Measured { wall_nanoseconds_per_problem, device_nanoseconds_per_problem, floor_seconds, .. } = measured;
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    let stages: Vec<_> = measured
        .stages
        .iter()
        .map(|stage| {
            let ratio = stage.ratio_to_floor.map(|ratio| format!(" ({ratio:.1})")).unwrap_or_default();
            format!("{} {:.1}{ratio}", stage.stage, stage.device_nanoseconds_per_problem)
        })
        .collect();
    let wrong = match measured.crosscheck.disagreements {
        0 => String::new(),
        count => format!("; {count} DISAGREE with the CPU"),
    };
    format!(
        "{head}{wall_nanoseconds_per_problem:>12.1}{:>12}{:>12.1}{:>8}  {}{wrong}",
        number(*device_nanoseconds_per_problem),
        floor_seconds * 1e9 / problems as f64,
        number(measured.ratio_to_floor),
        stages.join(", "),
    )
}

fn name(case: &Case) -> String {
    match (case.workload, case.rows.zip(case.mean_block)) {
        (Workload::Screen, _) => format!("screen of {}", case.universe.unwrap_or_default()),
        (_, None) => "given".to_owned(),
        (Workload::BootstrapAtOnce, Some((_, block))) => format!("bootstrap at once, block {block}"),
        (_, Some((_, block))) => format!("bootstrap, block {block}"),
    }
}
