//! Structures shared with the shaders, field for field. The tests compare their offsets with those of the WGSL text.

use bytemuck::{Pod, Zeroable};

use crate::resample::{Law, Restart};

/// `Law` of `shaders/draw.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct DrawLaw {
    pub problems: u32,
    pub rows: u32,
    pub starts: u32,
    pub restart: u32,
    pub parameter: u32,
    pub cell: u32,
    pub seed_lo: u32,
    pub seed_hi: u32,
    pub first_row: u32,
    pub room: u32,
    pub slices: u32,
    pub ages: u32,
}

impl DrawLaw {
    /// Rows from the first on; no room but for them.
    pub fn new(law: &Law, problems: u32) -> DrawLaw {
        let (restart, parameter) = match law.restart {
            Restart::Always => (0, 0),
            Restart::Below(threshold) => (1, threshold),
            Restart::Every(length) => (2, length),
        };
        DrawLaw {
            problems,
            rows: law.rows,
            starts: law.starts,
            restart,
            parameter,
            cell: law.cell,
            seed_lo: low(law.seed),
            seed_hi: high(law.seed),
            first_row: 0,
            room: law.rows,
            slices: 0,
            ages: 0,
        }
    }
}

/// `Question` of `shaders/known.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Question {
    pub counter: [u32; 4],
    pub key: [u32; 4],
}

/// `Range` of `shaders/moments_tile.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct MomentRange {
    pub problems: u32,
    pub first_problem: u32,
    pub words: u32,
    pub rows: u32,
    pub first_row: u32,
    pub first_slice_row: u32,
    pub resumed: u32,
    pub unit: f32,
}

/// `Range` of `shaders/moments_steps.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct StepRange {
    pub problems: u32,
    pub first_problem: u32,
    pub room: u32,
    pub slices: u32,
    pub first_slice: u32,
    pub last_slice: u32,
    pub rows: u32,
    pub tiles: u32,
    pub first_tile: u32,
    pub unit: f32,
}

/// `Range` of `shaders/moments_windows.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct WindowRange {
    pub problems: u32,
    pub first_window: u32,
    pub paths: u32,
    pub first_path: u32,
    pub windows: u32,
    pub groups: u32,
    pub rows: u32,
}

/// `Group` of `shaders/moments_windows.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct WindowGroup {
    pub first: u32,
    pub end: u32,
    pub pivot: u32,
}

/// `Range` of `shaders/fourth_range.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct FourthRange {
    pub problems: u32,
    pub all_rows: u32,
    pub rows: u32,
    pub first_row: u32,
    pub first_slice_row: u32,
    pub stride: u32,
    pub room: u32,
    pub slices: u32,
    pub resumed: u32,
}

/// `Range` of `shaders/gerber_range.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct GerberRange {
    pub problems: u32,
    pub first_problem: u32,
    pub all_rows: u32,
    pub all_words: u32,
    pub words: u32,
    pub rows: u32,
    pub first_row: u32,
    pub first_slice_row: u32,
}

/// `Shape` of `shaders/correlate.wgsl`, `shaders/certify.wgsl`, `shaders/solve.wgsl` and `shaders/shrink.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Shape {
    pub problems: u32,
    pub rows: u32,
    pub divisor: u32,
    pub total: f32,
}

/// `Descent` of `shaders/descent.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Descent {
    pub problems: u32,
    pub first: u32,
    pub sweeps: u32,
    pub limit: u32,
    pub resumed: u32,
    pub tolerance: f32,
}

/// `State` of `shaders/descent.wgsl` and `shaders/certify.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct State {
    pub sweeps: u32,
    pub done: u32,
    pub stalls: u32,
    pub best: f32,
}

/// `Certificate` of `shaders/certificate.wgsl` in double precision; in single precision its numbers are half as wide.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct DeviceCertificate {
    pub rc_error: f64,
    pub kappa: f64,
    pub volatility: f64,
    pub inverse_volatility: f64,
    pub equal_weight: f64,
    pub smallest: f64,
    pub sweeps: f64,
    pub kkt_error: f64,
}

impl DeviceCertificate {
    /// Numbers of a certificate.
    pub const NUMBERS: usize = size_of::<DeviceCertificate>() / size_of::<f64>();
}

/// `Proof` of `shaders/proof.wgsl`, likewise.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct DeviceProof {
    pub error: f64,
    pub margin: f64,
    pub volatility: f64,
    pub solved: f64,
}

impl DeviceProof {
    /// Numbers of a proof.
    pub const NUMBERS: usize = size_of::<DeviceProof>() / size_of::<f64>();
}

/// `Screen` of `shaders/subset.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Screen {
    pub problems: u32,
    pub start_lo: u32,
    pub start_hi: u32,
    pub assets: u32,
    pub pool: u32,
    pub words: u32,
    pub half: u32,
    pub size_lo: u32,
    pub size_hi: u32,
    pub seed_lo: u32,
    pub seed_hi: u32,
    pub aim: f32,
    pub acceptance: f32,
    pub condition: f32,
}

/// `Universe` of `shaders/correlate_subset.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Universe {
    pub problems: u32,
    pub assets: u32,
}

/// `Acceptance` of `shaders/measure_certified.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Acceptance {
    pub problems: u32,
    pub rc_error: f32,
    pub kappa: f32,
}

/// The low word, as the shaders take 64-bit numbers.
pub const fn low(x: u64) -> u32 {
    (x & 0xFFFF_FFFF) as u32
}

/// The high word.
pub const fn high(x: u64) -> u32 {
    (x >> 32) as u32
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::super::kernel::{Covariance, Drawn, Kernel, Other, Shrinkage, Spread};
    use super::super::precision::Precision;
    use super::*;

    /// Compares name, offset and span of every field with the struct of the same name in the kernel's text.
    fn assert_same(kernel: Kernel, name: &str, fields: &[(&str, usize)], span: usize) {
        let module = naga::front::wgsl::parse_str(&kernel.text()).unwrap();
        let (_, found) = module.types.iter().find(|(_, t)| t.name.as_deref() == Some(name)).unwrap();
        let naga::TypeInner::Struct { members, span: found_span } = &found.inner else {
            panic!("{name} is not a struct")
        };
        let found: Vec<_> = members.iter().map(|m| (m.name.as_deref().unwrap(), m.offset as usize)).collect();
        assert_eq!(found, fields, "{name} in {kernel:?}");
        assert_eq!(*found_span as usize, span, "{name} in {kernel:?}");
    }

    macro_rules! assert_same {
        ($kernel:expr, $name:literal, $struct:ty { $($field:ident),* }) => {
            let fields = [$((stringify!($field), offset_of!($struct, $field))),*];
            assert_same($kernel, $name, &fields, size_of::<$struct>())
        };
    }

    #[test]
    fn structs_are_laid_out_as_in_the_shaders() {
        let precision = Precision::Double;
        let certify = Kernel::Certify { assets: 3, covariance: Covariance::Moments, comparisons: true, precision };
        let wide = false;
        assert_same!(Kernel::Known { wide }, "Question", Question { counter, key });
        assert_same!(
            Kernel::Draw { drawn: Drawn::Steps, tile: 256, wide },
            "Law",
            DrawLaw {
                problems,
                rows,
                starts,
                restart,
                parameter,
                cell,
                seed_lo,
                seed_hi,
                first_row,
                room,
                slices,
                ages
            }
        );
        assert_same!(
            Kernel::MomentsSteps { assets: 10, decaying: true, precision },
            "Range",
            StepRange { problems, first_problem, room, slices, first_slice, last_slice, rows, tiles, first_tile, unit }
        );
        let windows = Kernel::MomentsWindows { assets: 10, precision };
        assert_same!(
            windows,
            "Range",
            WindowRange { problems, first_window, paths, first_path, windows, groups, rows }
        );
        assert_same!(windows, "Group", WindowGroup { first, end, pivot });
        for assets in [10, 500] {
            assert_same!(
                Kernel::Moments { assets, weighed: true, precision },
                "Range",
                MomentRange { problems, first_problem, words, rows, first_row, first_slice_row, resumed, unit }
            );
        }
        assert_same!(
            Kernel::Measure { assets: 4, included: 1, metrics: 3, wide },
            "Screen",
            Screen {
                problems,
                start_lo,
                start_hi,
                assets,
                pool,
                words,
                half,
                size_lo,
                size_hi,
                seed_lo,
                seed_hi,
                aim,
                acceptance,
                condition
            }
        );
        assert_same!(Kernel::CorrelateSubset { assets: 3, precision }, "Universe", Universe { problems, assets });
        let measure = Kernel::MeasureCertified { assets: 3, metrics: 3, precision };
        assert_same!(measure, "Acceptance", Acceptance { problems, rc_error, kappa });
        for drawn in [Drawn::Counts, Drawn::Steps] {
            assert_same!(
                Kernel::FourthMoments { assets: 10, drawn, cubes: true, precision },
                "Range",
                FourthRange { problems, all_rows, rows, first_row, first_slice_row, stride, room, slices, resumed }
            );
        }
        for kernel in [Kernel::GerberPlanes { assets: 3, precision }, Kernel::Gerber { assets: 3, precision }] {
            assert_same!(
                kernel,
                "Range",
                GerberRange { problems, first_problem, all_rows, all_words, words, rows, first_row, first_slice_row }
            );
        }
        assert_same!(
            Kernel::MomentsDiagonal { assets: 10, precision },
            "Range",
            MomentRange { problems, first_problem, words, rows, first_row, first_slice_row, resumed, unit }
        );
        let shrink = Kernel::Shrink { assets: 3, shrinkage: Shrinkage::Oas, precision };
        let solve = Kernel::Solve { assets: 20, problems: 2, comparisons: false };
        let (groups, uncorrelated, covariance) = (2, false, Covariance::Moments);
        let within = Kernel::CertifyLimited { assets: 3, groups, covariance, uncorrelated, precision };
        for kernel in [Kernel::Correlate { assets: 3, precision }, certify, within, shrink, solve] {
            assert_same!(kernel, "Shape", Shape { problems, rows, divisor, total });
        }
        for other in [Other::MinimumVariance, Other::HierarchicalRiskParity] {
            let kernel = Kernel::Other { assets: 3, other, precision };
            assert_same!(kernel, "Shape", Shape { problems, rows, divisor, total });
            assert_same!(kernel, "Proof", DeviceProof { error, margin, volatility, solved });
        }
        let descend = |assets, spread| Kernel::Descend { assets, spread, precision };
        let limit = Kernel::Limit { assets: 3, groups, uncorrelated, spread: Spread::Workgroup, precision };
        for kernel in [descend(3, Spread::Thread), descend(33, Spread::Streamed), limit] {
            assert_same!(kernel, "Descent", Descent { problems, first, sweeps, limit, resumed, tolerance });
            assert_same!(kernel, "State", State { sweeps, done, stalls, best });
        }
        for kernel in [certify, within] {
            assert_same!(kernel, "State", State { sweeps, done, stalls, best });
            assert_same!(
                kernel,
                "Certificate",
                DeviceCertificate {
                    rc_error,
                    kappa,
                    volatility,
                    inverse_volatility,
                    equal_weight,
                    smallest,
                    sweeps,
                    kkt_error
                }
            );
        }
    }
}
