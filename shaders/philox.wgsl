// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011) in 32-bit integers only; twin of src/philox.rs.

// High word of a 32 x 32 bit product, from 16-bit limbs: WGSL has no 64-bit integers.
fn mulhi(a: u32, b: u32) -> u32 {
    let a_lo = a & 0xffffu;
    let a_hi = a >> 16u;
    let b_lo = b & 0xffffu;
    let b_hi = b >> 16u;
    let t = a_hi * b_lo + ((a_lo * b_lo) >> 16u);
    let m = a_lo * b_hi + (t & 0xffffu);
    return a_hi * b_hi + (t >> 16u) + (m >> 16u);
}

fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round++) {
        let hi = vec2<u32>(mulhi(0xD2511F53u, c.x), mulhi(0xCD9E8D57u, c.z));
        let lo = vec2<u32>(0xD2511F53u * c.x, 0xCD9E8D57u * c.z);
        c = vec4<u32>(hi.y ^ c.y ^ k.x, lo.y, hi.x ^ c.w ^ k.y, lo.x);
        k += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}
