//! Text of the `measure` kernel: loops over assets written out, so that the whole problem stays in registers.

use super::text::{each, function, line};
use crate::measure::Metric;

/// The figures a device can measure, in the order of their columns.
pub const METRICS: [Metric; 4] =
    [Metric::Volatility, Metric::Diversification, Metric::MaxWeight, Metric::MeanCorrelation];

/// Threads per workgroup.
pub const THREADS: u32 = 64;

/// The functions that `shaders/measure.wgsl` asks for, for subsets of `k` assets, `included` of them always held;
/// `metrics` has one bit for each of [`METRICS`].
pub fn measure(k: usize, included: usize, metrics: u8) -> String {
    let mut text = String::from("// Written by src/engine/gpu/unrolled_measure.rs.\n\n");
    for i in 0..k {
        line(&mut text, 0, &format!("var<private> s{i}: u32; var<private> y{i}: f32; var<private> x{i}: f32;"));
        for j in 0..i {
            line(&mut text, 0, &format!("var<private> c{i}_{j}: f32;"));
        }
    }
    function(&mut text, "subset(first: vec2<u32>)", |body| {
        each(body, included, |i| format!("s{i} = held[{i}u];"));
        line(body, 1, "var rank = first;\n    var x = screen.pool;");
        for i in (1..=k - included).rev() {
            let s = included + i - 1;
            line(
                body,
                1,
                &format!("x = element(x, {i}u, rank); s{s} = held[INCLUDED + x]; rank = rest(x, {i}u, rank);"),
            );
        }
    });
    function(&mut text, "admitted() -> bool", |body| {
        for i in 1..k {
            for j in 0..i {
                line(body, 1, &format!("if (bars(s{i}, s{j})) {{ return false; }}"));
            }
        }
        line(body, 1, &format!("return screen.words == 0u || !bars(s{0}, s{0});", k - 1));
    });
    function(&mut text, "gather()", |body| {
        for i in 1..k {
            each(body, i, |j| format!("c{i}_{j} = correlated(s{i}, s{j});"));
        }
        if k == 1 {
            // The binding has to be used to be part of the layout.
            line(body, 1, "_ = correlated(s0, s0);");
        }
    });
    function(&mut text, "newton()", |body| newton(body, k));
    function(&mut text, "certify(problem: u32)", |body| certify(body, k, metrics));
    text
}

/// As `newton` of the twin, line by line.
fn newton(body: &mut String, k: usize) {
    each(body, k, |i| format!("y{i} = 1.0;"));
    pairs(body, 1, k, |i, j| format!("y{i} += c{i}_{j}; y{j} += c{i}_{j};"));
    each(body, k, |i| format!("y{i} = sqrt(B / select(1.0, y{i}, y{i} > 0.0));"));
    line(body, 1, "for (var step = 0u; step < STEPS; step++) {");
    let mut inner = |text: &str| line(body, 2, text);
    for i in 0..k {
        inner(&format!("var g{i} = y{i} * y{i}; var d{i} = g{i} + B;"));
    }
    for i in 1..k {
        for j in 0..i {
            inner(&format!("var m{i}_{j} = c{i}_{j} * y{i} * y{j}; g{i} += m{i}_{j}; g{j} += m{i}_{j};"));
        }
    }
    inner("var error = 0.0;");
    for i in 0..k {
        inner(&format!("var u{i} = B - g{i}; error = max(error, abs(u{i}));"));
    }
    // Not a number stops as well.
    inner("if (!(error * f32(K) > screen.aim)) { break; }");
    for i in 0..k {
        for j in 0..i {
            for l in 0..j {
                inner(&format!("m{i}_{j} -= m{i}_{l} * m{j}_{l};"));
            }
        }
        for j in 0..i {
            inner(&format!(
                "let f{i}_{j} = m{i}_{j} * d{j}; d{i} -= f{i}_{j} * m{i}_{j}; u{i} -= f{i}_{j} * u{j}; m{i}_{j} = f{i}_{j};"
            ));
        }
        inner(&format!("d{i} = 1.0 / d{i};"));
    }
    for i in 0..k {
        inner(&format!("u{i} *= d{i};"));
    }
    for i in (0..k).rev() {
        for j in 0..i {
            inner(&format!("u{j} -= m{i}_{j} * u{i};"));
        }
    }
    for i in 0..k {
        inner(&format!("y{i} += y{i} * max(u{i}, -TO_BOUNDARY);"));
    }
    line(body, 1, "}");
}

/// As `measure` of the twin: weights, their fresh error, and the figures asked for.
fn certify(body: &mut String, k: usize, metrics: u8) {
    line(body, 1, "var total = 0.0;");
    each(body, k, |i| format!("let v{i} = volatilities[s{i}]; var w{i} = y{i} / v{i}; total += w{i};"));
    line(body, 1, "var undiversified = 0.0;\n    var largest = 0.0;\n    var largest_x = 0.0;");
    each(body, k, |i| {
        format!(
            "w{i} /= total; x{i} = w{i} * v{i}; undiversified += x{i}; largest = max(largest, w{i}); \
             largest_x = max(largest_x, x{i});"
        )
    });
    line(body, 1, "var correlations = 0.0;");
    each(body, k, |i| format!("var p{i} = x{i};"));
    pairs(body, 1, k, |i, j| format!("p{i} += c{i}_{j} * x{j}; p{j} += c{i}_{j} * x{i}; correlations += c{i}_{j};"));
    line(body, 1, "var variance = 0.0;");
    each(body, k, |i| format!("p{i} *= x{i}; variance += p{i};"));
    line(body, 1, "let volatility = sqrt(variance);\n    var error = 0.0;");
    each(body, k, |i| format!("error = max(error, number(abs(p{i} * f32(K) / variance - 1.0)));"));
    line(body, 1, "let bound = largest_x * undiversified * f32(K) / variance;");
    line(body, 1, "let good = error <= screen.acceptance && bound <= screen.condition && variance > 0.0;");
    line(body, 1, "figures[problem] = select(HUGE, error, good);");
    let pair_count = (k * (k - 1) / 2).max(1);
    let values: [String; METRICS.len()] = [
        "volatility".to_owned(),
        "undiversified / volatility".to_owned(),
        "largest".to_owned(),
        format!("correlations / {pair_count}.0"),
    ];
    let wanted = values.iter().enumerate().filter(|(at, _)| metrics >> at & 1 == 1);
    for (column, (_, value)) in wanted.enumerate() {
        line(body, 1, &format!("figures[{}u * screen.problems + problem] = {value};", column + 1));
    }
}

fn pairs(text: &mut String, indent: usize, k: usize, statement: impl Fn(usize, usize) -> String) {
    for i in 1..k {
        for j in 0..i {
            line(text, indent, &statement(i, j));
        }
    }
}
