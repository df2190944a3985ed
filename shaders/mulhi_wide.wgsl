// High word of a 32 x 32 bit product where the adapter has 64-bit integers: one instruction on most hardware, a dozen
// from limbs.

fn mulhi(a: u32, b: u32) -> u32 {
    return u32((u64(a) * u64(b)) >> 32u);
}
