//! A line per strategy.

use std::fmt::Write as _;

use crate::report::html::text::{escaped, name};
use crate::report::words::{maybe_percent, ratio};
use crate::study::backtest::Outcome;

const HEAD: [&str; 10] = [
    "strategy",
    "a year",
    "volatility",
    "Sharpe",
    "of months",
    "largest fall",
    "CVaR 95 %",
    "turnover",
    "exposure",
    "p against the benchmark",
];

pub fn overview(outcome: &Outcome) -> String {
    let mut out = "<section id=\"strategies\" aria-labelledby=\"strategies-title\">\n<h2 id=\"strategies-title\">The strategies on \
                   the same dates</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Strategies\">\
                   <table class=\"overview\">\n<thead><tr>"
        .to_string();
    HEAD.iter().for_each(|head| out.push_str(&format!("<th scope=\"col\">{}</th>", escaped(head))));
    out.push_str("</tr></thead>\n<tbody>\n");
    for strategy in &outcome.strategies {
        let metrics = &strategy.metrics;
        let cells = [
            maybe_percent(metrics.cagr, 2),
            maybe_percent(metrics.volatility, 2),
            ratio(metrics.sharpe),
            ratio(metrics.sharpe_monthly),
            maybe_percent(metrics.max_drawdown, 1),
            maybe_percent(metrics.cvar95, 2),
            maybe_percent(metrics.turnover, 0),
            ratio(metrics.exposure_mean),
            ratio(metrics.relative.sharpe_difference.map(|found| found.p_value)),
        ];
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escaped(&name(&strategy.label)));
        cells.iter().for_each(|cell| out.push_str(&format!("<td>{}</td>", escaped(cell))));
        out.push_str("</tr>\n");
    }
    out.push_str(
        "</tbody></table></div>\n<p class=\"how\">After all costs. Turnover is one-way, exposure is over wealth, p is that the \
         Sharpe ratio differs from the benchmark's by chance.</p>\n</section>",
    );
    out
}
