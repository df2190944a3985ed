// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011); twin of src/philox.rs.
// Prepended: mulhi_limbs.wgsl or mulhi_wide.wgsl (fn mulhi, the high word of a product).

fn turn(c: vec4<u32>, k: vec2<u32>) -> vec4<u32> {
    let hi = vec2<u32>(mulhi(0xD2511F53u, c.x), mulhi(0xCD9E8D57u, c.z));
    let lo = vec2<u32>(0xD2511F53u * c.x, 0xCD9E8D57u * c.z);
    return vec4<u32>(hi.y ^ c.y ^ k.x, lo.y, hi.x ^ c.w ^ k.y, lo.x);
}

// Written out: a loop would count towards the limit that llvmpipe sets on them.
fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    let weyl = vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    var k = key;
    var c = turn(counter, k);
    k += weyl; c = turn(c, k);
    k += weyl; c = turn(c, k);
    k += weyl; c = turn(c, k);
    k += weyl; c = turn(c, k);
    k += weyl; c = turn(c, k);
    k += weyl; c = turn(c, k);
    k += weyl; c = turn(c, k);
    k += weyl; c = turn(c, k);
    k += weyl; c = turn(c, k);
    return c;
}
