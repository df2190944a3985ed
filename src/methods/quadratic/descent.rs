//! Coordinate descent on the quadratic program, with the exact minimum on the ray between sweeps.
//!
//! ```text
//! start: y = l
//! before the first sweep and after each: y <- y (l'y) / (y'C y)
//! for each i:   y_i <- max(0, l_i - a)          a = (C y)_i - y_i
//!               C y <- C y + (new y_i - old y_i) C[i, :]
//! stop: gap <= tolerance, with C y computed afresh, or ten sweeps
//! ```
//!
//! Everything here is inlined, so that it is compiled for the vector instructions of the caller.

use crate::methods::linear::{add, dot};

/// Sweeps before the active set: most find the assets held by then, and what they leave wrong costs little.
const SWEEPS: u32 = 10;

/// At or below this share of (sum y)^2 a variance may be none at all: the ray would be scaled by rounding.
const SUSPICIOUS: f64 = 1e-12;

/// Returns the number of sweeps. `product` holds C y up to rounding.
#[inline(always)]
pub fn descend(correlation: &[f64], linear: &[f64], tolerance: f64, y: &mut [f64], product: &mut [f64]) -> u32 {
    let n = linear.len();
    y.copy_from_slice(linear);
    multiply(correlation, y, product);
    if !rescale(linear, y, product) {
        return 0;
    }
    for sweep in 1..=SWEEPS {
        for i in 0..n {
            let change = (linear[i] - product[i]).max(-y[i]);
            // Most assets are not held, and stay so.
            if change != 0.0 {
                y[i] += change;
                add(product, change, &correlation[i * n..(i + 1) * n]);
            }
        }
        if !rescale(linear, y, product) {
            return sweep;
        }
        if gap(linear, y, product) <= tolerance {
            multiply(correlation, y, product);
            if gap(linear, y, product) <= tolerance {
                return sweep;
            }
        }
    }
    SWEEPS
}

/// Scales y and C y to the minimum on the ray. False where the variance may be rounding.
#[inline(always)]
fn rescale(linear: &[f64], y: &mut [f64], product: &mut [f64]) -> bool {
    let variance = dot(y, product);
    let total: f64 = y.iter().sum();
    if !(variance > SUSPICIOUS * total * total) {
        return false;
    }
    let scale = dot(linear, y) / variance;
    for (y, p) in y.iter_mut().zip(product) {
        *y *= scale;
        *p *= scale;
    }
    true
}

/// 1 - min_i g_i with g_i = (C y)_i (l'y) / (l_i y'C y), from the product as it is; NaN where that is not a number.
#[inline(always)]
pub fn gap(linear: &[f64], y: &[f64], product: &[f64]) -> f64 {
    let smallest = linear.iter().zip(product).map(|(l, p)| p / l).fold(f64::INFINITY, f64::min);
    let gap = 1.0 - smallest * (dot(linear, y) / dot(y, product));
    // In exact arithmetic it is not negative, see the certificate.
    if gap < 0.0 { 0.0 } else { gap }
}

/// product = C y. Rows of assets that are not held are not read.
#[inline(always)]
pub fn multiply(correlation: &[f64], y: &[f64], product: &mut [f64]) {
    product.fill(0.0);
    for (&yi, row) in y.iter().zip(correlation.chunks_exact(y.len().max(1))) {
        if yi != 0.0 {
            add(product, yi, row);
        }
    }
}
