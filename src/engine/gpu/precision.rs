//! Single or double: the numbers that kernels are written in (`real`), and what the host makes of them.

use bytemuck::Pod;

pub use crate::engine::Precision;

/// What a solution must meet to count as converged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Largest `rc_error`.
    pub rc_error: f64,
    /// Largest kappa: it turns rounding of the correlations into an error of the true risk contributions.
    pub kappa: f64,
    /// Smallest share that an asset's variance in a resample may be of its full-sample variance.
    pub variance: f64,
}

impl Precision {
    /// Bytes of a number.
    pub const fn bytes(self) -> u64 {
        match self {
            Precision::Single => 4,
            Precision::Double => 8,
        }
    }

    /// A sum of weights that is at its limit is off by less, relative.
    pub const fn near(self) -> f64 {
        match self {
            Precision::Single => 1e-6,
            Precision::Double => 1e-13,
        }
    }

    /// A sum of weights of one that is right differs from one by less.
    pub const fn rounding(self) -> f64 {
        match self {
            Precision::Single => 2e-7,
            Precision::Double => 1e-14,
        }
    }

    /// Rounded to this precision.
    pub fn round(self, x: f64) -> f64 {
        match self {
            Precision::Single => f64::from(x as f32),
            Precision::Double => x,
        }
    }

    /// The numbers as the device keeps them.
    pub fn encode(self, numbers: impl Iterator<Item = f64>) -> Vec<u8> {
        match self {
            Precision::Single => bytemuck::cast_slice(&numbers.map(|x| x as f32).collect::<Vec<_>>()).to_vec(),
            Precision::Double => bytemuck::cast_slice(&numbers.collect::<Vec<_>>()).to_vec(),
        }
    }

    /// The numbers that the device has left.
    pub fn decode(self, bytes: &[u8]) -> Vec<f64> {
        match self {
            Precision::Single => numbers::<f32>(bytes).collect(),
            Precision::Double => numbers::<f64>(bytes).collect(),
        }
    }

    /// Rows of numbers that the device has left, as many as there are scales, times these; and which rows are finite.
    pub fn decode_rows(self, bytes: &[u8], scales: &[f64]) -> (Vec<f64>, Vec<bool>) {
        fn all<T: Pod + Into<f64>>(bytes: &[u8], scales: &[f64]) -> (Vec<f64>, Vec<bool>) {
            let rows = bytes.chunks_exact(size_of::<T>() * scales.len());
            let mut found = Vec::with_capacity(rows.len() * scales.len());
            let mut finite = Vec::with_capacity(rows.len());
            for row in rows {
                let own = found.len();
                found.extend(numbers::<T>(row).zip(scales).map(|(number, scale)| number * scale));
                finite.push(found[own..].iter().fold(true, |all, number| all & number.is_finite()));
            }
            (found, finite)
        }
        match self {
            Precision::Single => all::<f32>(bytes, scales),
            Precision::Double => all::<f64>(bytes, scales),
        }
    }
}

/// Numbers as they lie in the device's memory.
pub fn numbers<T: Pod + Into<f64>>(bytes: &[u8]) -> impl Iterator<Item = f64> {
    bytes.chunks_exact(size_of::<T>()).map(|bytes| bytemuck::pod_read_unaligned::<T>(bytes).into())
}
