//! Sums over two rows of numbers, that vector instructions take.

/// out += factor row.
#[inline(always)]
pub fn add(out: &mut [f64], factor: f64, row: &[f64]) {
    for (out, &x) in out.iter_mut().zip(row) {
        *out += factor * x;
    }
}

/// a'b, in four sums side by side.
#[inline(always)]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a4, a) = a.as_chunks::<4>();
    let (b4, b) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a4.iter().zip(b4) {
        for k in 0..4 {
            sums[k] += a[k] * b[k];
        }
    }
    let rest: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}
