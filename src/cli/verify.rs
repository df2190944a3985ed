//! `equirisk verify`: is a finished run what it says it is?

use super::args::VerifyArguments;
use super::output;
use crate::runs::verify;
use crate::wording::counted;
use crate::{Error, ErrorKind, Result};

pub fn run(arguments: &VerifyArguments) -> Result<u8> {
    let found = verify(&arguments.directory, arguments.crosscheck.unwrap_or_default())?;
    let crosscheck = found.crosscheck;
    let text = if arguments.out.json {
        output::json(&found)?
    } else {
        let largest =
            |x: Option<f64>| x.map_or("-".to_string(), |x| if x == 0.0 { "0".to_string() } else { format!("{x:.1e}") });
        format!(
            "{} in {}: {} as run.json says; {} solved again, weights differ by at most {}, rc_error at most {}\n",
            found.study,
            found.directory,
            counted(found.files as u64, "file"),
            counted(crosscheck.sampled, "problem"),
            largest(crosscheck.max_weight_difference),
            largest(crosscheck.max_rc_error),
        )
    };
    output::print(&text)?;
    if crosscheck.disagreements > 0 {
        let message = format!("{} differ from what the CPU finds", counted(crosscheck.disagreements, "problem"));
        return Err(Error::new(ErrorKind::Disagreement, message).hint("run the job again with --engine cpu --force"));
    }
    Ok(0)
}
