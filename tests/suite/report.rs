//! Does a report draw its charts in a browser, say what the numbers say, and leave hostile names harmless?

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::run::{Folder, equirisk, prices, returns};

/// A browser of the Chromium family: $CHROME, or the first on the path.
fn browser() -> PathBuf {
    if let Some(path) = std::env::var_os("CHROME") {
        return path.into();
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let found =
        names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file());
    found.expect(
        "reports are tested in a browser: install Chromium (Debian: apt-get install chromium), or name one in CHROME",
    )
}

/// What a browser makes of a page: the document after its scripts, what they told the console, and what the page asked
/// the network for.
struct Shown {
    dom: String,
    console: Vec<String>,
    requests: Vec<String>,
}

/// Without a sandbox, which a container has no right to, and without any network; its profile lies in `folder`.
fn browsing(folder: &Folder) -> Command {
    let mut command = Command::new(browser());
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", "--no-first-run"])
        // Timers run ahead of the clock, up to this many milliseconds of theirs.
        .args(["--virtual-time-budget=30000", "--window-size=1000,800"])
        .arg(format!("--user-data-dir={}", folder.name("profile")));
    command
}

fn show(page: &Path) -> Shown {
    show_with(page, &[])
}

fn show_with(page: &Path, args: &[&str]) -> Shown {
    let folder = Folder::new();
    let output = browsing(&folder)
        .args(args)
        .arg("--dump-dom")
        .arg(format!("--log-net-log={}", folder.name("network.json")))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let log = String::from_utf8_lossy(&output.stderr);
    let network = folder.read("network.json");
    assert!(network.contains("\"initiator\""), "the browser has not logged its network: {network}");
    // The browser has errands of its own, which no page started.
    let asked = network.split("\"initiator\":\"").skip(1).filter(|rest| !rest.starts_with("not an origin"));
    let url = |rest: &str| rest.split_once("\"url\":\"")?.1.split_once('"').map(|(url, _)| url.to_string());
    Shown {
        dom: String::from_utf8(output.stdout).unwrap(),
        console: log.lines().filter(|line| line.contains("CONSOLE")).map(String::from).collect(),
        requests: asked.filter_map(url).collect(),
    }
}

/// The page without its scripts: what a reader sees.
fn without_scripts(page: &str) -> String {
    let mut parts = page.split("<script");
    let first = parts.next().unwrap().to_string();
    parts.fold(first, |text, part| text + part.split_once("</script>").unwrap().1)
}

/// The charts of a page: their places and their data.
fn plots(page: &str) -> Vec<(String, Value)> {
    let plot = |part: &str| {
        let (id, rest) = part.split_once("\">").unwrap();
        let data = rest.split_once("</script>").unwrap().0;
        (id.to_string(), serde_json::from_str(data).unwrap())
    };
    page.split("<script type=\"application/json\" data-plot=\"").skip(1).map(plot).collect()
}

fn title<'a>(page: &'a str, chart: &str) -> &'a str {
    let from = page.split_once(&format!("<h2 id=\"{chart}-title\">")).unwrap().1;
    from.split_once("</h2>").unwrap().0
}

fn caption<'a>(page: &'a str, chart: &str) -> &'a str {
    let from = page.split_once(&format!("<section id=\"{chart}\"")).unwrap().1;
    from.split_once("<figcaption>").unwrap().1.split_once("</figcaption>").unwrap().0
}

/// Every chart has its axes and its traces in the document, and the console stayed empty.
fn assert_drawn(page: &Path, charts: &[&str]) -> Shown {
    let shown = show(page);
    assert_eq!((&*shown.console, &*shown.requests), (&[][..], &[][..]));
    assert!(shown.dom.contains(&format!("data-drawn=\"{}\"", charts.len())), "{}", &shown.dom[..200]);
    for chart in charts {
        let from = shown.dom.split_once(&format!("id=\"{chart}-plot\"")).unwrap().1;
        let drawing = from.split_once("<script").unwrap().0;
        for part in ["main-svg", "xtick", "ytick", "xtitle"] {
            assert!(drawing.contains(part), "{chart} has no {part}");
        }
        assert!(["class=\"trace", "class=\"hm\""].iter().any(|part| drawing.contains(part)), "{chart} is empty");
    }
    shown
}

/// Names that mean something to CSV, HTML, JavaScript or plotly, and some that are alike where they are cut.
const HOSTILE: [&str; 9] = [
    "</script><script>document.title='taken'</script>",
    "<img src=http://example.invalid/x.png onerror=alert(1)>",
    "\"quoted\" & 'so', to say",
    "<b>bold</b> &lt;b&gt;",
    "<!-- <script>",
    "%{x} $\\alpha$ ${1}",
    "日経平均株価指数日経平均株価指数",
    "A name so long that no axis has room for all of it, first",
    "A name so long that no axis has room for all of it, second",
];

/// Prices of so many assets, hostile names first.
fn hostile(assets: usize) -> Vec<u8> {
    let mut file = csv::Writer::from_writer(Vec::new());
    let names = (0..assets).map(|i| HOSTILE.get(i).map_or(format!("A{i}"), ToString::to_string));
    file.write_record(std::iter::once("date".to_string()).chain(names)).unwrap();
    let returns: Vec<f64> = returns(300, assets, 0.7, 5).iter().map(|r| 0.2 * r).collect();
    for (t, row) in prices(&returns, assets).chunks(assets).enumerate() {
        let date = format!("{}-{:02}-{:02}", 2000 + t / 336, 1 + t / 28 % 12, 1 + t % 28);
        file.write_record(std::iter::once(date).chain(row.iter().map(ToString::to_string))).unwrap();
    }
    file.into_inner().unwrap()
}

const BOOTSTRAP: [&str; 9] =
    ["weights", "halves", "shares", "methods", "rolling", "days", "correlation", "blocks", "convergence"];
/// Of these, what waits for a click.
const FOLDED: [&str; 2] = ["blocks", "convergence"];
const SCREEN: [&str; 7] = ["list", "histogram", "cloud", "growth", "halves", "inclusion", "again"];

#[test]
fn a_browser_draws_a_bootstrap_of_many_assets_with_hostile_names() {
    let folder = Folder::new();
    let data = folder.write("prices.csv", hostile(45));
    let out = folder.name("out");
    equirisk(&["bootstrap", &data, "-B", "200", "--seed", "1", "--engine", "cpu", "-o", &out]).succeeded();
    let page = folder.read("out/report.html");
    let plots = plots(&page);
    assert!(plots.iter().map(|(id, _)| id.trim_end_matches("-plot")).eq(BOOTSTRAP));
    // A chart has room for forty; nobody is left out of its table.
    assert!(caption(&page, "weights").contains("40 of 45 assets that move most"), "{}", caption(&page, "weights"));
    let rows = |chart: &str| {
        let from = page.split_once(&format!("<section id=\"{chart}\"")).unwrap().1;
        from.split_once("</section>").unwrap().0.matches("<th scope=\"row\">").count()
    };
    assert_eq!(["weights", "shares", "blocks"].map(rows), [45; 3]);
    let ticks = plots[0].1["layout"]["yaxis"]["ticktext"].as_array().unwrap();
    assert_eq!(ticks.len(), 40);

    let open = BOOTSTRAP.iter().copied().filter(|chart| !FOLDED.contains(chart)).collect::<Vec<_>>();
    let shown = assert_drawn(&folder.path("out/report.html"), &open);
    // And with all that is folded opened.
    folder.write("open.html", page.replace("<details class=\"folded\">", "<details class=\"folded\" open>"));
    assert_drawn(&folder.path("open.html"), &BOOTSTRAP);
    // No name became an element, neither as HTML nor in plotly's markup.
    let text = without_scripts(&shown.dom);
    let title = text.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
    assert!(title.starts_with("equirisk bootstrap of ") && title.contains("prices.csv"), "{title}");
    for element in ["<img", "<b>", "font-weight:bold", "<a href=\"http"] {
        assert!(!text.contains(element), "{element} in the document");
    }
    assert!(text.contains("&lt;/script&gt;&lt;script&gt;document.title="));
    assert!(text.contains("日経平均"));
}

#[test]
fn a_browser_draws_a_screen_with_its_winners_resampled() {
    let folder = Folder::new();
    let data = folder.write("prices.csv", hostile(12));
    let out = folder.name("out");
    let args = ["screen", &data, "-k", "3", "--top", "15", "--bootstrap-top", "10", "--resamples", "100"];
    equirisk(&[&args[..], &["--seed", "1", "--engine", "cpu", "-o", &out]].concat()).succeeded();
    let page = folder.read("out/report.html");
    assert!(plots(&page).iter().map(|(id, _)| id.trim_end_matches("-plot")).eq(SCREEN));
    let shown = assert_drawn(&folder.path("out/report.html"), &SCREEN);
    assert!(!without_scripts(&shown.dom).contains("<img"));
}

const BACKTEST: [&str; 13] = [
    "wealth",
    "paths",
    "beats",
    "periods",
    "years",
    "volatility",
    "exposure",
    "weights",
    "fan",
    "shares",
    "attribution",
    "costs",
    "grid",
];

/// A backtest that has everything but one of paths and a fan.
fn backtested(data: &str, out: &str, extra: &[&str]) {
    let args =
        ["backtest", data, "--lookback", "60", "--periods-per-year", "252", "--target-vol", "0.2", "--seed", "1"];
    let args = [&args[..], &["--grid", "lag=0,1,2", "--engine", "cpu", "-o", out], extra].concat();
    equirisk(&args).succeeded();
}

#[test]
fn a_browser_draws_a_backtest_of_hostile_names() {
    let folder = Folder::new();
    let data = folder.write("prices.csv", hostile(14));
    for (extra, left_out) in [(&["--paths", "15"][..], &["fan"][..]), (&["-B", "15"], &["paths", "beats"])] {
        let out = folder.name(extra[0].trim_start_matches('-'));
        backtested(&data, &out, extra);
        let page = std::fs::read_to_string(Path::new(&out).join("report.html")).unwrap();
        let charts: Vec<&str> = BACKTEST.iter().copied().filter(|chart| !left_out.contains(chart)).collect();
        assert!(plots(&page).iter().map(|(id, _)| id.trim_end_matches("-plot")).eq(charts.iter().copied()));
        let open: Vec<&str> = charts.iter().copied().filter(|chart| *chart != "costs").collect();
        let shown = assert_drawn(&Path::new(&out).join("report.html"), &open);
        let text = without_scripts(&shown.dom);
        for element in ["<img", "<b>", "font-weight:bold", "<a href=\"http"] {
            assert!(!text.contains(element), "{element} in the document");
        }
        // Twelve assets have an area each, and two are one.
        assert!(caption(&page, "weights").contains("12 largest"), "{}", caption(&page, "weights"));
    }
}

/// Numbers of the page are those of the summary, and a run without dates, levers and neighbours has a page as well.
#[test]
fn the_page_of_a_backtest_says_what_its_summary_says() {
    let folder = Folder::new();
    let data = folder.write("prices.csv", hostile(5));
    backtested(&data, &folder.name("out"), &["--paths", "10"]);
    let page = folder.read("out/report.html").replace('\u{a0}', " ");
    let summary: Value = serde_json::from_str(&folder.read("out/summary.json")).unwrap();
    let section = |chart: &str| {
        page.split_once(&format!("<section id=\"{chart}\"")).unwrap().1.split_once("</section>").unwrap().0
    };
    for own in summary["strategies"].as_array().unwrap() {
        let fell = format!("<td>{:.2} %</td>", 100.0 * own["metrics"]["max_drawdown"].as_f64().unwrap());
        assert!(section("wealth").contains(&fell), "{fell}");
        for year in own["calendar_years"].as_array().unwrap() {
            let cell = format!("{:.2} %</td>", 100.0 * year["return"].as_f64().unwrap());
            assert!(section("years").contains(cell.trim_start_matches('-')), "{cell}");
        }
    }
    for beats in summary["paths"]["beats"].as_array().unwrap() {
        let p = beats["probability"].as_f64().unwrap();
        assert!(section("beats").contains(&format!("<td>{:.1} %</td>", 100.0 * p)), "{beats}");
    }
    let sentence = summary["sentence"].as_str().unwrap();
    let first = sentence.split_once(';').unwrap().0;
    assert!(page.contains(first), "{first}");
    // The same again, byte by byte.
    backtested(&data, &folder.name("again"), &["--paths", "10"]);
    assert_eq!(folder.read("out/report.html").replace("/out", "/again"), folder.read("again/report.html"));
    let rows: Vec<f64> = returns(200, 3, 0.7, 5).iter().map(|r| 0.1 * r).collect();
    let lines = rows.chunks(3).enumerate().map(|(t, row)| format!("{t},{},{},{}\n", row[0], row[1], row[2]));
    let plain = folder.write("plain.csv", std::iter::once("row,A,B,C\n".to_string()).chain(lines).collect::<String>());
    let args =
        ["backtest", &plain, "--returns", "--lookback", "40", "--periods-per-year", "252", "--methods", "equal-weight"];
    equirisk(&[&args[..], &["-o", &folder.name("plain")]].concat()).succeeded();
    let page = folder.read("plain/report.html");
    assert!(page.contains("id=\"wealth\"") && !page.contains("id=\"exposure\"") && !page.contains("id=\"years\""));
}

/// Logs, once all is drawn: widths, colours, and texts of charts that are cut off.
const MEASURE: &str = r#"<script>
addEventListener("load", () => setTimeout(() => {
  const cut = [];
  const parts = ".xtick text, .ytick text, .xtitle, .ytitle, .legendtext, .annotation text";
  for (const plot of document.querySelectorAll(".plot")) {
    const box = plot.getBoundingClientRect();
    for (const text of plot.querySelectorAll(parts)) {
      const at = text.getBoundingClientRect();
      const inside = at.left >= box.left - 1 && at.right <= box.right + 1 && at.top >= box.top - 1 && at.bottom <= box.bottom + 1;
      if (at.width > 0 && !inside) cut.push(`${plot.id}: ${text.textContent}`);
    }
  }
  const channels = (colour) => colour.match(/\d+/g).slice(0, 3).map(Number);
  const style = getComputedStyle(document.body);
  console.log("MEASURED" + JSON.stringify({
    wide: document.documentElement.scrollWidth, window: innerWidth, cut,
    paper: channels(style.backgroundColor), ink: channels(style.color),
    tick: channels(getComputedStyle(document.querySelector(".xtick text")).fill),
  }) + "END");
}, 2000));
</script></body>"#;

fn measured(page: &Path, args: &[&str]) -> Value {
    let shown = show_with(page, args);
    let line =
        shown.console.iter().find(|line| line.contains("MEASURED{")).unwrap_or_else(|| panic!("{:?}", shown.console));
    let json = line.split_once("MEASURED").unwrap().1.split_once("END").unwrap().0;
    serde_json::from_str(&json.replace("\\\"", "\"")).unwrap()
}

/// On a wide screen and on a phone, in light and dark: nothing sticks out, nothing is cut off, and text stands out from its
/// paper.
#[test]
fn a_report_reads_in_light_and_dark_and_on_a_phone() {
    let folder = Folder::new();
    let data = folder.write("prices.csv", hostile(12));
    equirisk(&["bootstrap", &data, "-B", "100", "--seed", "1", "--engine", "cpu", "-o", &folder.name("b")]).succeeded();
    let screen = ["screen", &data, "-k", "3", "--top", "9", "--bootstrap-top", "5", "--resamples", "50", "--seed", "1"];
    equirisk(&[&screen[..], &["--engine", "cpu", "-o", &folder.name("s")]].concat()).succeeded();
    backtested(&data, &folder.name("t"), &["--paths", "10"]);
    for study in ["b", "s", "t"] {
        let page = folder.read(&format!("{study}/report.html")).replace("</body>", MEASURE);
        folder.write("page.html", page);
        // A window has a least width, a frame has not.
        folder.write(
            "phone.html",
            "<body style=\"margin:0\"><iframe src=\"page.html\" width=\"390\" height=\"844\"></iframe>",
        );
        for (page, args, window, dark) in [
            ("page.html", &[][..], 1000, false),
            ("page.html", &["--blink-settings=preferredColorScheme=0"], 1000, true),
            ("phone.html", &[], 390, false),
        ] {
            let found = measured(&folder.path(page), args);
            let number = |key: &str| found[key].as_f64().unwrap();
            assert_eq!(number("window"), f64::from(window));
            assert!(number("wide") <= number("window"), "{study}, {page}: {found}");
            assert_eq!(found["cut"], serde_json::json!([]), "{study}, {page}");
            let light =
                |key: &str| found[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).sum::<f64>() / 765.0;
            assert_eq!(light("paper") < 0.5, dark, "{found}");
            for text in ["ink", "tick"] {
                assert!((light(text) - light("paper")).abs() >= 0.6, "{study}, {page}: {found}");
            }
        }
    }
}

/// The lengths of what stands on each page of a PDF as Chromium writes it: objects one after the other, each page naming its
/// contents.
fn pages(pdf: &[u8]) -> Vec<usize> {
    let text = String::from_utf8_lossy(pdf);
    let length = |object: &str| -> usize {
        let from = text.split_once(&format!("\n{object} 0 obj")).unwrap().1;
        let digits = from.split_once("/Length ").unwrap().1;
        digits.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    let contents = text.split("/Type /Page\n").skip(1).map(|page| page.split_once("/Contents ").unwrap().1);
    contents.map(|rest| length(rest.split_once(' ').unwrap().0)).collect()
}

#[test]
fn a_report_prints_without_empty_pages() {
    let folder = Folder::new();
    let data = folder.write("prices.csv", hostile(12));
    let out = folder.name("out");
    equirisk(&["bootstrap", &data, "-B", "100", "--seed", "1", "--engine", "cpu", "-o", &out]).succeeded();
    let (pdf, page) = (folder.name("page.pdf"), folder.path("out/report.html"));
    let printing = ["--no-pdf-header-footer".to_string(), format!("--print-to-pdf={pdf}")];
    let output = browsing(&folder).args(printing).arg(format!("file://{}", page.display())).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let pages = pages(&std::fs::read(pdf).unwrap());
    // Eight charts of a third of a page up to a whole one, and the text before them.
    assert!((4..=10).contains(&pages.len()), "{pages:?}");
    // An empty page holds a few settings alone.
    assert!(pages.iter().all(|length| *length > 300), "{pages:?}");
}

/// What the tests above rely on: a page that fails or asks for the network does not go unnoticed.
#[test]
fn errors_and_requests_of_a_page_are_seen() {
    let folder = Folder::new();
    folder.write("page.html", "<img src=\"http://example.invalid/x.png\"><script>missing()</script>");
    let shown = show(&folder.path("page.html"));
    assert!(shown.console.iter().any(|line| line.contains("missing is not defined")), "{:?}", shown.console);
    assert!(shown.requests.iter().any(|url| url == "http://example.invalid/x.png"), "{:?}", shown.requests);
}

#[test]
fn equal_runs_write_equal_reports() {
    let folder = Folder::new();
    let jobs: [&[&str]; 2] =
        [&["bootstrap", "-B", "300", "--last", "400"], &["screen", "-k", "3", "--bootstrap-top", "9"]];
    for (at, job) in jobs.into_iter().enumerate() {
        let page = |threads: &str| {
            let name = format!("{at}-{threads}");
            let out = folder.name(&name);
            let args = [job, &["--seed", "3", "--engine", "cpu", "--threads", threads, "-o", &out]].concat();
            equirisk(&args).succeeded();
            folder.read(&format!("{name}/report.html"))
        };
        assert!(page("1") == page("2"), "{job:?}");
    }
}

#[test]
fn titles_and_charts_hold_the_numbers_of_the_summary() {
    let folder = Folder::new();
    let out = folder.name("out");
    let summary = equirisk(&["bootstrap", "-B", "500", "--seed", "2", "--engine", "cpu", "--json", "-o", &out])
        .succeeded()
        .json();
    let page = folder.read("out/report.html");
    let number = |value: &Value| value.as_f64().unwrap();
    let change = |asset: &Value, key: &str| number(&asset[key]) / number(&asset["point"]) - 1.0;
    let size = |asset: &Value| change(asset, "q95").abs().max(change(asset, "q05").abs());
    let width = |asset: &Value| number(&asset["q95"]) - number(&asset["q05"]);
    let assets = summary["assets"].as_array().unwrap();
    let most = assets.iter().max_by(|a, b| size(a).total_cmp(&size(b))).unwrap();
    let expected = format!(
        "For its size, {} moves most: {:+.0} to {:+.0}\u{a0}% of its full-history weight",
        most["name"].as_str().unwrap(),
        100.0 * change(most, "q05"),
        100.0 * change(most, "q95")
    );
    assert_eq!(title(&page, "weights"), expected);
    let erc = &summary["methods"]["erc"];
    let excess = number(&erc["realised"]["volatility"]["mean"]) / number(&erc["promised"]["mean"]) - 1.0;
    let differ = format!("differ by {:.1}\u{a0}% between", 100.0 * number(&erc["pairwise_turnover"]));
    let held = format!("hold {:.1}\u{a0}% {} than", 100.0 * excess.abs(), if excess < 0.0 { "less" } else { "more" });
    for expected in [differ, held] {
        assert!(title(&page, "methods").contains(&expected), "{expected}: {}", title(&page, "methods"));
    }

    let plots = plots(&page);
    let close = |drawn: &Value, share: f64| {
        // Six digits are drawn.
        assert!((number(drawn) - 100.0 * share).abs() <= 1e-5 * (100.0 * share).abs(), "{drawn} for {share}");
    };
    let boxes = &plots[0].1["data"][0];
    for (i, asset) in assets.iter().enumerate() {
        for (part, key) in
            [("lowerfence", "q05"), ("q1", "q25"), ("median", "q50"), ("q3", "q75"), ("upperfence", "q95")]
        {
            close(&boxes[part][i], change(asset, key));
        }
    }
    // The last step of the convergence is the study itself.
    let most = assets.iter().max_by(|a, b| width(a).total_cmp(&width(b))).unwrap();
    let settling = plots.iter().find(|(id, _)| id == "convergence-plot").unwrap().1["data"].as_array().unwrap();
    let lines: Vec<&Value> = settling.iter().filter(|trace| trace["mode"] == "lines+markers").collect();
    for (line, key) in lines.iter().zip(["q95", "q50", "q05"]) {
        close(line["y"].as_array().unwrap().last().unwrap(), number(&most[key]));
    }
}

#[test]
fn a_screens_page_begins_with_the_sentence_and_its_charts_hold_the_numbers_of_the_summary() {
    let folder = Folder::new();
    let out = folder.name("out");
    let args = ["screen", "-k", "3", "--by", "sharpe", "--top", "6", "--bootstrap-top", "8", "-B", "60", "--seed", "2"];
    let summary = equirisk(&[&args[..], &["--engine", "cpu", "--json", "-o", &out]].concat()).succeeded().json();
    let page = folder.read("out/report.html").replace('\u{a0}', " ").replace("&#39;", "'").replace("&amp;", "&");
    let sentence = summary["sentence"].as_str().unwrap();
    let header = page.split_once("<header>").unwrap().1.split_once("<dl").unwrap().0;
    assert!(header.contains(&format!("<p class=\"sentence\">{sentence}</p>")), "{sentence}\n{header}");
    // A line per place: its figure, the resamples' range, and every asset with its weight.
    let overview = page.split_once("<section id=\"places\"").unwrap().1.split_once("</section>").unwrap().0;
    let top = summary["top"].as_array().unwrap();
    assert_eq!(overview.matches("<th scope=\"row\">").count(), 6);
    let number = |value: &Value| value.as_f64().unwrap();
    for (entry, winner) in top.iter().zip(summary["bootstrap"]["winners"].as_array().unwrap()) {
        let held: Vec<String> = (0..3)
            .map(|i| format!("{} {:.2} %", entry["assets"][i].as_str().unwrap(), 100.0 * number(&entry["weights"][i])))
            .collect();
        assert!(overview.contains(&held.join(", ")), "{held:?}");
        let range = format!("{:.4} to {:.4}", number(&winner["value"]["q05"]), number(&winner["value"]["q95"]));
        assert!(overview.contains(&format!("<td>{:.4}</td><td>{range}</td>", number(&entry["value"]))), "{range}");
        assert!(overview.contains(&format!("<td>{:.0} %</td>", 100.0 * number(&winner["reselected"]))));
    }
    // Where everything is drawn.
    let plots = plots(&folder.read("out/report.html"));
    let traces = |chart: &str| {
        plots.iter().find(|(id, _)| id == &format!("{chart}-plot")).unwrap().1["data"].as_array().unwrap().clone()
    };
    let cloud = traces("cloud");
    assert_eq!((cloud[0]["x"].as_array().unwrap().len(), cloud[1]["x"].as_array().unwrap().len()), (120, 6));
    for (at, entry) in top.iter().enumerate() {
        let (drawn, known) = (number(&cloud[1]["x"][at]), 100.0 * number(&entry["volatility_annual"]));
        assert!((drawn / known - 1.0).abs() < 1e-5, "{drawn} {known}");
    }
    // Wealth and drawdown of three places and of equal weight.
    let growth = traces("growth");
    assert_eq!(growth.len(), 8);
    for (at, entry) in top.iter().take(3).enumerate() {
        let deepest = growth[2 * at + 1]["y"].as_array().unwrap().iter().map(number).fold(0.0, f64::min);
        let known = -100.0 * number(&entry["path"]["max_drawdown"]);
        // Some rows are drawn.
        assert!(deepest >= known - 1e-3 && deepest < 0.8 * known, "{deepest} {known}");
    }
    let bars = &traces("histogram")[0]["y"];
    let all: f64 = bars.as_array().unwrap().iter().map(number).sum();
    assert_eq!(all, 120.0);
    assert!(caption(&page, "histogram").starts_with("All 120 subsets, by sharpe"), "{}", caption(&page, "histogram"));
    assert!(caption(&page, "again").contains("chosen on the same history"), "{}", caption(&page, "again"));
}

#[test]
fn a_report_asks_for_nothing_and_forbids_asking() {
    let folder = Folder::new();
    equirisk(&["bootstrap", "-B", "50", "--engine", "cpu", "--seed", "1", "-o", &folder.name("out")]).succeeded();
    let page = folder.read("out/report.html");
    assert!(page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "));
    let text = without_scripts(&page);
    for (attribute, allowed) in [("src=\"", "-"), ("href=\"", "#"), ("url(", "-"), ("@import", "-")] {
        let other: BTreeSet<&str> = text.split(attribute).skip(1).map(|rest| rest.get(..5).unwrap()).collect();
        assert!(other.iter().all(|rest| rest.starts_with(allowed) || *rest == "data:"), "{attribute}: {other:?}");
    }
    // Ids are given, not drawn at random, and none twice.
    let ids: Vec<&str> = text.split(" id=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

#[test]
fn what_has_no_spread_has_a_page_that_says_so() {
    let folder = Folder::new();
    let hedged =
        "date,a,b\n2020-01-01,0.01,-0.01\n2020-01-02,-0.02,0.02\n2020-01-03,0.01,-0.01\n2020-01-06,0.03,-0.03\n";
    let data = folder.write("hedged.csv", hedged);
    for (name, code, args, said) in [
        ("one", 0, &["-B", "1", "--last", "300"][..], "1 resample with a certified portfolio: no spread to show."),
        (
            "none",
            3,
            &[&data, "--returns", "-B", "20", "--block", "1"],
            "0 resamples with a certified portfolio: no spread to show.",
        ),
    ] {
        let out = folder.name(name);
        let run = equirisk(&[&["bootstrap", "--seed", "1", "--engine", "cpu", "-o", &out], args].concat());
        assert_eq!(run.code, code, "{}", run.stderr);
        let page = folder.read(&format!("{name}/report.html"));
        assert!(page.contains(said), "{}", &page[page.len() - 2000..]);
        // Nothing to draw needs no script.
        assert!(!page.contains("<script") && page.ends_with("</html>\n"));
    }
}
