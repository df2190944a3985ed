// Four packed entries of the moments of a problem, and their products of a row of the panel.
// Prepended: alias real, const N. Follows: const ENTRIES, var panel, rows of 1 + N numbers, each led by a one.

// The pairs whose products this lane forms.
var<private> pair_i: vec4<u32>;
var<private> pair_j: vec4<u32>;

// Row of the lower triangle in which a packed entry lies.
fn triangle_row(e: u32) -> u32 {
    var i = u32((sqrt(8.0 * f32(e) + 1.0) - 1.0) * 0.5);
    // The square root may round across an integer.
    while (i * (i + 1u) / 2u > e) {
        i -= 1u;
    }
    while ((i + 1u) * (i + 2u) / 2u <= e) {
        i += 1u;
    }
    return i;
}

// Takes four entries from one on; past the last one any will do, for it is never stored.
fn take_pairs(entry: u32) {
    let e = min(entry + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(ENTRIES - 1u));
    pair_i = vec4<u32>(triangle_row(e.x), triangle_row(e.y), triangle_row(e.z), triangle_row(e.w));
    pair_j = e - pair_i * (pair_i + 1u) / 2u;
}

// Their products of a row.
fn products(row: u32) -> vec4<real> {
    let i = vec4<u32>(row * (N + 1u)) + pair_i;
    let j = vec4<u32>(row * (N + 1u)) + pair_j;
    return vec4<real>(panel[i.x], panel[i.y], panel[i.z], panel[i.w])
        * vec4<real>(panel[j.x], panel[j.y], panel[j.z], panel[j.w]);
}
