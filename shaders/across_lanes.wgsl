// Sums and maxima over the lanes of a workgroup, in a fixed order.
// Prepended: alias real, const LANES, a power of two.

var<workgroup> partial: array<real, LANES>;

fn total(lane: u32, value: real) -> real {
    partial[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            partial[lane] += partial[lane + half];
        }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&partial[0]);
}

fn largest(lane: u32, value: real) -> real {
    partial[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            partial[lane] = max(partial[lane], partial[lane + half]);
        }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&partial[0]);
}
