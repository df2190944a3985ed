// Two ends of runs and what the sums up to them count (draw_decays.wgsl), where rows count by their age.
// Prepended: moments_steps.wgsl.
//
//     sum_t w_t q_t = W mean q + sum over runs of  lambda^(T - p - (e - s)) R_{e-1} - lambda^(T - p) R_{s-1}
//     R_t = lambda R_{t-1} + q_t - mean q         a run: rows s .. e - 1 at positions from p on; R_{-1} = 0
//
// R stays of the order of the square root of the half-life, however long the history.

fn weighted(row: u32, sum: u32, quad: u32) -> vec4<real> {
    return real(bitcast<i32>(sum)) * real(range.unit) * slice[row * QUADS + quad];
}

fn gather(before: vec4<real>, group: vec4<u32>, quad: u32) -> vec4<real> {
    let sum = before + weighted(group.x, group.y, quad);
    return sum + weighted(group.z, group.w, quad);
}
