//! The page around the charts.

use std::fmt::Write as _;

use plotly::Plot;

use super::chart::Chart;
use super::text::escaped;

/// A report.
pub struct Page {
    pub title: String,
    /// What was run: a word, and what stands for it.
    pub facts: Vec<(&'static str, String)>,
    pub warnings: Vec<String>,
    pub charts: Vec<Chart>,
    /// What a reader should keep in mind, below the charts.
    pub notes: String,
}

/// Nothing may be fetched, whatever a name holds; pictures are those that a chart saves of itself.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; \
                      base-uri 'none'; form-action 'none'";

impl Page {
    pub fn html(&self) -> String {
        let title = escaped(&self.title);
        let mut out = String::new();
        // Writing to a string cannot fail, here and below.
        let _ = write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
             <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{title}</h1>\n<dl>\n",
            include_str!("style.css")
        );
        for (word, text) in &self.facts {
            let _ = writeln!(out, "<div><dt>{word}</dt><dd>{}</dd></div>", escaped(text));
        }
        out.push_str("</dl>\n");
        for warning in &self.warnings {
            let _ = writeln!(out, "<p class=\"warning\" role=\"note\"><strong>Note.</strong> {}</p>", escaped(warning));
        }
        if !self.charts.is_empty() {
            out.push_str(
                "<noscript><p class=\"warning\">The charts need JavaScript; the tables do not.</p></noscript>\n",
            );
            out.push_str("<nav aria-label=\"Findings\"><ol>\n");
            for chart in &self.charts {
                let _ = writeln!(out, "<li><a href=\"#{}\">{}</a></li>", chart.id, escaped(&chart.title));
            }
            out.push_str("</ol></nav>\n");
        }
        out.push_str("</header>\n");
        self.charts.iter().for_each(|chart| chart.write(&mut out));
        let _ = writeln!(out, "<footer><p>{}</p></footer>\n</main>", escaped(&self.notes));
        if !self.charts.is_empty() {
            let _ = writeln!(out, "<script>{}</script>\n<script>\n{}</script>", plotly_js(), include_str!("draw.js"));
        }
        out.push_str("</body>\n</html>\n");
        out
    }
}

/// plotly.js alone: the crate's scripts hold MathJax as well, which no chart here uses.
fn plotly_js() -> String {
    let scripts = Plot::offline_js_sources();
    let first = scripts.split_once("</script>").map_or("", |(first, _)| first);
    first.split_once('>').map_or("", |(_, source)| source).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_plotly_and_nothing_else() {
        let script = plotly_js();
        assert!(script.trim_start().starts_with("/**\n* plotly.js v3"), "{:?}", script.get(..80));
        assert!(script.contains("newPlot") && !script.contains("<script"));
        // The minified source has 4.65 MB; MathJax would add 2.1 MB.
        assert!((4_000_000..5_500_000).contains(&script.len()), "{}", script.len());
    }
}
