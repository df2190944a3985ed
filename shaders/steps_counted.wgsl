// Four steps of counts (draw_steps.wgsl).
// Prepended: moments_steps.wgsl.

fn weighted(step: u32, quad: u32) -> vec4<real> {
    return real(bitcast<f32>(step & 0xffffff00u)) * slice[(step & 0xffu) * QUADS + quad];
}

fn gather(before: vec4<real>, group: vec4<u32>, quad: u32) -> vec4<real> {
    var sum = before + weighted(group.x, quad);
    sum += weighted(group.y, quad);
    sum += weighted(group.z, quad);
    sum += weighted(group.w, quad);
    return sum;
}
