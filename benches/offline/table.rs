//! The kernels of interest as a table in Markdown.

use crate::record::{Figures, Record};

/// What a row is called, and the kernel.
const ROWS: [(&str, &str); 25] = [
    ("descend thread n=10 f32", "Descend { assets: 10, spread: Thread, precision: Single }"),
    ("descend thread n=16 f32", "Descend { assets: 16, spread: Thread, precision: Single }"),
    ("descend thread n=10 f64", "Descend { assets: 10, spread: Thread, precision: Double }"),
    (
        "descend 8 lanes n=16 f64, 4 problems",
        "Descend { assets: 16, spread: Subgroup { problems: 4 }, precision: Double }",
    ),
    (
        "descend 8 lanes n=20 f32, 4 problems",
        "Descend { assets: 20, spread: Subgroup { problems: 4 }, precision: Single }",
    ),
    ("descend 8 lanes n=32 f32, 4", "Descend { assets: 32, spread: Subgroup { problems: 4 }, precision: Single }"),
    ("descend 8 lanes n=50 f32, 4", "Descend { assets: 50, spread: Subgroup { problems: 4 }, precision: Single }"),
    ("descend 8 lanes n=50 f64, 2", "Descend { assets: 50, spread: Subgroup { problems: 2 }, precision: Double }"),
    ("solve n=20 f32, 4 problems, comparisons", "Solve { assets: 20, problems: 4, comparisons: true }"),
    ("solve n=50 f32, 4, comparisons", "Solve { assets: 50, problems: 4, comparisons: true }"),
    ("descend workgroup n=100 f32", "Descend { assets: 100, spread: Workgroup, precision: Single }"),
    ("descend streamed n=500 f32", "Descend { assets: 500, spread: Streamed, precision: Single }"),
    ("moments n=50 f32", "Moments { assets: 50, weighed: false, precision: Single }"),
    ("moments n=50 f64", "Moments { assets: 50, weighed: false, precision: Double }"),
    ("moments_steps n=50 f32", "MomentsSteps { assets: 50, decaying: false, precision: Single }"),
    ("moments_steps n=50 f64", "MomentsSteps { assets: 50, decaying: false, precision: Double }"),
    (
        "fourth moments n=50 f32, counts, cubes",
        "FourthMoments { assets: 50, drawn: Counts, cubes: true, precision: Single }",
    ),
    ("gerber n=50 f32", "Gerber { assets: 50, precision: Single }"),
    ("min variance n=50 f32", "Other { assets: 50, other: MinimumVariance, precision: Single }"),
    ("hrp n=50 f32", "Other { assets: 50, other: HierarchicalRiskParity, precision: Single }"),
    ("correlate n=50 f32", "Correlate { assets: 50, precision: Single }"),
    (
        "certify n=50 f32, comparisons",
        "Certify { assets: 50, covariance: Moments, comparisons: true, precision: Single }",
    ),
    ("draw counts, 4096 rows", "Draw { drawn: Counts, tile: 4096, wide: true }"),
    ("measure k=5", "Measure { assets: 5, included: 0, metrics: 2, wide: true }"),
    ("measure k=10", "Measure { assets: 10, included: 0, metrics: 2, wide: true }"),
];

const HEAD: &str = "\
| kernel | RDNA 2 registers | spilled / scratch | workgroup memory | code | waves | sm_90 registers | spilled / scratch \
| warps | sm_86 warps |
|---|---|---|---|---|---|---|---|---|---|
";

/// # Errors
/// A kernel of interest is not in the record.
pub fn markdown(record: &Record) -> Result<String, String> {
    let mut table = HEAD.to_owned();
    for (title, kernel) in ROWS {
        let targets = record.kernels.get(kernel).ok_or_else(|| format!("{kernel} is not in the record"))?;
        let of = |target: &str| targets.get(target).ok_or_else(|| format!("{target}: {kernel} is not in the record"));
        let (amd, hopper, ampere) = (of("navi21")?, of("sm_90")?, of("sm_86")?);
        table += &format!(
            "| {title} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            amd.registers,
            spilled(amd),
            bytes(amd.memory),
            bytes(amd.code),
            amd.waves,
            hopper.registers,
            spilled(hopper),
            hopper.waves,
            ampere.waves,
        );
    }
    Ok(table)
}

fn spilled(figures: &Figures) -> String {
    match (figures.spills, figures.scratch) {
        (0, 0) => "0".to_owned(),
        (spills, scratch) => format!("{spills} / {}", bytes(scratch)),
    }
}

/// Kibibytes where there are many.
fn bytes(bytes: u64) -> String {
    if bytes < 1024 { bytes.to_string() } else { format!("{:.1} K", bytes as f64 / 1024.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equirisk::engine::gpu::kernels;

    #[test]
    fn every_row_is_a_kernel() {
        let names: Vec<String> = kernels().map(|kernel| kernel.name).collect();
        for (title, kernel) in ROWS {
            assert!(names.iter().any(|name| name == kernel), "{title}: there is no {kernel}");
        }
    }
}
