//! Text of the thread-per-problem `descend` kernel: loops over assets written out, so that the whole problem stays in
//! registers. A loop over a private array runs 9 to 20 times slower on a software adapter.

use std::fmt::Write;

use super::text::{each, function, line};

/// Threads per workgroup.
pub const THREADS: u32 = 64;

/// The functions that `shaders/descend.wgsl` asks for, for `n` assets, and the entry point.
pub fn descend(n: usize) -> String {
    let mut text = String::from(
        "\
// A problem of `descend` in the registers of one thread. Written by src/engine/gpu/unrolled.rs.

// Strict lower triangle, entry e of problem p at e P + p; positions likewise.
@group(0) @binding(1) var<storage, read> correlations: array<real>;
@group(0) @binding(3) var<storage, read_write> positions: array<real>;

",
    );
    for i in 0..n {
        line(&mut text, 0, &format!("var<private> y{i}: real; var<private> p{i}: real; var<private> b{i}: real;"));
        for j in 0..i {
            line(&mut text, 0, &format!("var<private> c{i}_{j}: real;"));
        }
    }
    function(&mut text, "load_matrix(problem: u32)", |body| {
        for i in 0..n {
            line(body, 1, &format!("b{i} = budget({i}u);"));
            for j in 0..i {
                let e = i * (i - 1) / 2 + j;
                line(body, 1, &format!("c{i}_{j} = correlations[{e}u * descent.problems + problem];"));
            }
        }
        if n == 1 {
            // The binding has to be used to be part of the layout.
            line(body, 1, "_ = arrayLength(&correlations);");
        }
    });
    function(&mut text, "load(problem: u32)", |body| {
        each(body, n, |i| format!("y{i} = positions[{i}u * descent.problems + problem];"));
    });
    function(&mut text, "store(problem: u32)", |body| {
        each(body, n, |i| format!("positions[{i}u * descent.problems + problem] = y{i};"));
    });
    function(&mut text, "start()", |body| {
        each(body, n, |i| format!("y{i} = 1.0;"));
        line(body, 1, "product(true);");
        each(body, n, |i| format!("y{i} = sqrt(b{i}) / select(real(1.0), sqrt(p{i}), p{i} > 0.0);"));
    });
    function(&mut text, "product(renew: bool)", |body| {
        line(body, 1, "if (!renew) {\n        return;\n    }");
        for i in 0..n {
            let terms: Vec<_> = (0..n).map(|j| term(i, j, &format!("y{j}"))).collect();
            line(body, 1, &format!("p{i} = {};", terms.join(" + ")));
        }
    });
    function(&mut text, "sweep(go: bool)", |body| {
        line(body, 1, "var next: real;\n    var change: real;");
        for i in 0..n {
            line(body, 1, &format!("next = root(p{i} - y{i}, b{i}); change = next - y{i}; y{i} = next;"));
            each(body, n, |j| format!("p{j} += {};", term(i, j, "change")));
        }
    });
    let products: Vec<_> = (0..n).map(|i| format!("y{i} * p{i}")).collect();
    line(&mut text, 0, &format!("fn inner() -> real {{\n    return {};\n}}", products.join(" + ")));
    function(&mut text, "scale(factor: real)", |body| {
        each(body, n, |i| format!("y{i} *= factor; p{i} *= factor;"));
    });
    function(&mut text, "deviation(variance: real) -> real", |body| {
        line(body, 1, "var worst = real(0.0);");
        each(body, n, |i| format!("worst = max(worst, number(abs(y{i} * p{i} / variance - b{i}) / b{i}));"));
        line(body, 1, "return worst;");
    });
    let _ = write!(
        text,
        "
fn number(value: real) -> real {{
    return select(HUGE, value, value < HUGE);
}}

fn any_lane(flag: bool) -> bool {{
    return flag;
}}

@compute @workgroup_size({THREADS})
fn descend(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {{
    let problem = descent.first + (group.y * groups.x + group.x) * {THREADS}u + invocation;
    if (problem >= descent.problems || states[min(problem, descent.problems - 1u)].done != 0u) {{
        return;
    }}
    load_matrix(problem);
    run(problem, true, true);
}}
"
    );
    text
}

/// C_ij times something, with the unit diagonal and the symmetric half left implicit.
fn term(i: usize, j: usize, factor: &str) -> String {
    match i.cmp(&j) {
        std::cmp::Ordering::Equal => factor.to_owned(),
        std::cmp::Ordering::Greater => format!("c{i}_{j} * {factor}"),
        std::cmp::Ordering::Less => format!("c{j}_{i} * {factor}"),
    }
}
