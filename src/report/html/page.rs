//! The page around the charts.

use std::fmt::Write as _;
use std::io::Read as _;

use super::chart::Chart;
use super::text::escaped;
use crate::report::words::counted;
use crate::store::origin::Origin;

/// A report.
pub struct Page {
    /// Of the window: names the study and the data.
    pub name: String,
    /// The question.
    pub title: String,
    /// The answer, a paragraph each.
    pub answer: Vec<String>,
    /// What went in: a word, and what stands for it.
    pub facts: Vec<(&'static str, String)>,
    /// What stands out of all else, above the answer's evidence.
    pub warnings: Vec<String>,
    /// What a reader should know of the data and of the study.
    pub notes: Vec<String>,
    /// A line per asset, or per subset, in HTML.
    pub overview: String,
    pub charts: Vec<Chart>,
    /// What a reader should keep in mind, below the charts.
    pub closing: String,
}

/// Nothing may be fetched, whatever a name holds; pictures are those that a chart saves of itself.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; \
                      base-uri 'none'; form-action 'none'";

impl Page {
    pub fn html(&self, origin: &Origin) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail, here and below.
        let _ = write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
             <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{}</h1>\n",
            escaped(&self.name),
            include_str!("style.css"),
            escaped(&self.title)
        );
        for paragraph in &self.answer {
            let _ = writeln!(out, "<p class=\"sentence\">{}</p>", escaped(paragraph));
        }
        for warning in &self.warnings {
            let _ = writeln!(out, "<p class=\"warning\" role=\"note\"><strong>Note.</strong> {}</p>", escaped(warning));
        }
        out.push_str("<dl aria-label=\"What went in\">\n");
        for (word, text) in &self.facts {
            let _ = writeln!(out, "<div><dt>{word}</dt><dd>{}</dd></div>", escaped(text));
        }
        out.push_str("</dl>\n");
        if !self.notes.is_empty() {
            let _ = writeln!(
                out,
                "<details class=\"notes\" open><summary>{} on data and study</summary>\n<ul>",
                counted(self.notes.len() as u64, "note")
            );
            self.notes.iter().for_each(|note| out.push_str(&format!("<li>{}</li>\n", escaped(note))));
            out.push_str("</ul></details>\n");
        }
        out.push_str("</header>\n");
        out.push_str(&self.overview);
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
        self.charts.iter().for_each(|chart| chart.write(&mut out));
        let _ = writeln!(out, "<footer>\n<p>{}</p>\n{}</footer>\n</main>", escaped(&self.closing), made(origin));
        if !self.charts.is_empty() {
            let _ = writeln!(out, "<script>{}</script>\n<script>\n{}</script>", plotly_js(), include_str!("draw.js"));
        }
        out.push_str("</body>\n</html>\n");
        out
    }
}

/// Program, command and digests: how to make the report again.
fn made(origin: &Origin) -> String {
    let commit = option_env!("EQUIRISK_COMMIT").map_or(String::new(), |commit| format!(" ({commit})"));
    let mut out = format!(
        "<dl class=\"made\">\n<div><dt>Program</dt><dd>equirisk {}{commit}</dd></div>\n",
        env!("CARGO_PKG_VERSION")
    );
    if !origin.command.is_empty() {
        let _ = writeln!(out, "<div><dt>Command</dt><dd><code>{}</code></dd></div>", escaped(&origin.command));
    }
    for file in &origin.files {
        if let Some(sha256) = &file.sha256 {
            let _ =
                writeln!(out, "<div><dt>SHA-256 of {}</dt><dd><code>{sha256}</code></dd></div>", escaped(&file.source));
        }
    }
    out.push_str("</dl>\n");
    out
}

/// plotly.js with what charts of two axes need.
fn plotly_js() -> String {
    let mut source = String::new();
    let packed = &include_bytes!("plotly/plotly-cartesian.min.js.gz")[..];
    let read = flate2::read::GzDecoder::new(packed).read_to_string(&mut source);
    read.expect("the file is whole: a test reads it");
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_plotly_and_nothing_else() {
        let script = plotly_js();
        assert!(script.starts_with("/**\n* plotly.js (cartesian - minified) v3.0.1\n"), "{:?}", script.get(..80));
        assert!(script.contains("newPlot") && !script.contains("<script") && !script.contains("</script"));
        // Without maps, surfaces and MathJax, which no chart here uses: those of the whole have 4.65 and 2.1 MB.
        assert!((1_300_000..1_400_000).contains(&script.len()), "{}", script.len());
    }
}
