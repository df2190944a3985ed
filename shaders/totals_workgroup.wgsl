// Four sums at once over the lanes of a workgroup.
// Prepended: lanes_workgroup.wgsl.

var<workgroup> partials: array<vec4<real>, LANES>;

fn totals(value: vec4<real>) -> vec4<real> {
    partials[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            partials[lane] += partials[lane + half];
        }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&partials[0]);
}
