// High word of a 32 x 32 bit product from 16-bit limbs, where the adapter has no 64-bit integers.

fn mulhi(a: u32, b: u32) -> u32 {
    let a_lo = a & 0xffffu;
    let a_hi = a >> 16u;
    let b_lo = b & 0xffffu;
    let b_hi = b >> 16u;
    let t = a_hi * b_lo + ((a_lo * b_lo) >> 16u);
    let m = a_lo * b_hi + (t & 0xffffu);
    return a_hi * b_hi + (t >> 16u) + (m >> 16u);
}
