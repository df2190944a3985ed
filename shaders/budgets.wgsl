// Budgets, as `descend` alone reads them.

@group(0) @binding(2) var<storage, read> budgets: array<real>;

fn budget(i: u32) -> real {
    return budgets[i];
}
