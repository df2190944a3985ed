// Four sums at once over the lanes of a problem that talk through shuffles.
// Prepended: lanes_subgroup.wgsl.

fn totals(value: vec4<real>) -> vec4<real> {
    var sums = value;
    for (var mask = 1u; mask < LANES; mask <<= 1u) {
        sums += subgroupShuffleXor(sums, mask);
    }
    return sums;
}
