// Limits that all problems share: bounds of assets, and of the sums of disjoint groups.
// Prepended: alias real, const N, GROUPS.

// Of an asset its least weight, its largest, and the number of its group, GROUPS where it has none; from N on, of a group
// its least sum and its largest.
@group(0) @binding(8) var<storage, read> limits: array<vec4<real>>;

// Groups and, last, all other assets.
const PARTS = GROUPS + 1u;

fn part_of(i: u32) -> u32 {
    return u32(limits[i].z);
}

fn is_pinned(i: u32) -> bool {
    return limits[i].x == limits[i].y;
}
