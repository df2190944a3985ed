//! Does the study answer the question: how far to trust these weights, why, and what to do? Histories with opposite answers,
//! what somebody holds, and two runs beside each other.

use serde_json::Value;

use crate::run::{Folder, equirisk, json, prices, returns, table, uniform};
use crate::worlds::{ASSETS, World};

const STUDY: [&str; 6] = ["-B", "300", "--seed", "1", "--engine", "cpu"];

/// The study of a history of `assets` columns of returns.
fn study(folder: &Folder, returns: &[f64], assets: usize) -> Value {
    let data = folder.write("prices.csv", table(&prices(returns, assets), assets));
    json(&[&["bootstrap", &data, "--json", "--quiet"], &STUDY[..]].concat())
}

fn sentence(study: &Value) -> &str {
    study["sentence"].as_str().unwrap()
}

/// Independent normal-like returns: of asset i, sizes(t)[i] times a number of its own.
fn independent<const N: usize>(rows: usize, seed: u64, sizes: impl Fn(usize) -> [f64; N]) -> Vec<f64> {
    let mut uniform = uniform(seed);
    let mut number = move || (0..6).map(|_| uniform()).sum::<f64>();
    (0..rows).flat_map(|t| sizes(t).map(|size| 0.01 * size * number())).collect()
}

#[test]
fn where_nothing_changes_sampling_is_the_reason() {
    let found = study(&Folder::new(), &World::Normal.history(2000, 3).values, ASSETS);
    assert!(sentence(&found).contains("sampling is the main reason"), "{}", sentence(&found));
    let halves = &found["halves"];
    let number = |key: &str| halves[key].as_f64().unwrap();
    // Its expectation, by standard errors of eight degrees of freedom each.
    assert!((0.3..1.5).contains(&(number("distance") / number("expected_distance"))), "{halves:#}");
}

#[test]
fn where_the_second_half_is_another_world_change_is_the_reason() {
    let sizes = |t: usize| if t < 800 { [1.0, 1.0, 1.0] } else { [1.0, 1.0, 3.0] };
    let found = study(&Folder::new(), &independent(1600, 5, sizes), 3);
    assert!(sentence(&found).contains("change matters more than sampling"), "{}", sentence(&found));
    // A third each, then 3/7, 3/7, 1/7: half the changes are 4/21.
    assert!((found["halves"]["distance"].as_f64().unwrap() - 4.0 / 21.0).abs() <= 0.02);
    assert!(found["windows"]["ratio"].as_f64().unwrap() > 3.0);
}

/// The second asset follows the first in one half, and the third in the other. Whoever counts on it misplaces more risk than
/// who knows of no correlation.
#[test]
fn where_correlations_turn_another_method_does_better() {
    let mut uniform = uniform(8);
    let mut rows = Vec::new();
    for t in 0..1600 {
        let [a, b, c] = std::array::from_fn(|_| 0.01 * (0..6).map(|_| uniform()).sum::<f64>());
        let mixed = |with: f64| 0.95 * with + (1.0_f64 - 0.95 * 0.95).sqrt() * b;
        rows.extend([a, if t < 800 { mixed(a) } else { mixed(c) }, c]);
    }
    let found = study(&Folder::new(), &rows, 3);
    assert!(sentence(&found).contains("did better"), "{}", sentence(&found));
    let misplaced = |method: &str| found["halves"]["methods"][method]["misplaced"].as_f64().unwrap();
    assert!(misplaced("erc") > 1.1 * misplaced("inverse_volatility"));
}

#[test]
fn a_history_shorter_than_its_assets_is_called_singular() {
    let folder = Folder::new();
    let found = study(&folder, &returns(30, 40, 0.7, 2), 40);
    assert!(sentence(&found).contains("30 returns of 40 assets make a singular covariance"), "{}", sentence(&found));
    assert!(sentence(&found).contains("fewer assets or a longer history"));
}

#[test]
fn where_nothing_is_solved_the_answer_is_that_nothing_can_be_trusted() {
    let folder = Folder::new();
    let hedged: Vec<f64> = independent(60, 4, |_| [1.0]).iter().flat_map(|r| [*r, -r]).collect();
    let text = hedged
        .chunks(2)
        .enumerate()
        .map(|(t, row)| format!("2020-{:02}-{:02},{},{}\n", 1 + t / 28, 1 + t % 28, row[0], row[1]));
    let data = folder.write("hedged.csv", format!("date,A,B\n{}", text.collect::<String>()));
    let run = equirisk(&[&["bootstrap", &data, "--returns", "--json", "--quiet"], &STUDY[..]].concat());
    assert_eq!(run.code, 3, "{}", run.stderr);
    let found = run.json();
    assert!(sentence(&found).starts_with("No weights can be trusted here"), "{}", sentence(&found));
    assert!(sentence(&found).contains("no variance"), "{}", sentence(&found));
}

#[test]
fn an_asset_with_most_of_the_weight_is_named() {
    let found = study(&Folder::new(), &independent(900, 6, |_| [0.05, 1.0, 1.0, 1.5]), 4);
    let (share, said) = (found["assets"][0]["point"].as_f64().unwrap(), sentence(&found));
    assert!(share > 0.65 && said.contains(&format!("A0 holds {:.0} % of the portfolio", 100.0 * share)), "{said}");
}

/// Spells of each asset's own, without change: eight cosines see what blocks miss.
#[test]
fn where_volatility_comes_in_spells_robust_bands_are_the_ones_to_use() {
    let folder = Folder::new();
    let spells = (0..8).filter(|&seed| {
        let found = study(&folder, &World::OwnSpells.history(2520, seed).values, ASSETS);
        let said = sentence(&found).to_owned();
        said.contains("Spells of volatility matter most") || said.contains("change matters more")
    });
    // Most of these histories: a single one may be calm.
    assert!(spells.count() >= 4);
}

#[test]
fn sentence_and_notes_stand_in_every_file_of_a_run() {
    let folder = Folder::new();
    let rows = table(&prices(&returns(300, 3, 0.7, 3), 3), 3);
    // A row with a missing cell.
    let hole = |line: &str| match line.split(',').collect::<Vec<_>>()[..] {
        ["2000-05-01", _, b, c] => format!("2000-05-01,,{b},{c}"),
        _ => line.to_string(),
    };
    let holes: Vec<String> = rows.lines().map(hole).collect();
    let data = folder.write("holes.csv", holes.join("\n"));
    let out = folder.name("out");
    let run = equirisk(&[&["bootstrap", &data, "-o", &out], &STUDY[..]].concat()).succeeded();
    let summary: Value = serde_json::from_str(&folder.read("out/summary.json")).unwrap();
    let manifest: Value = serde_json::from_str(&folder.read("out/run.json")).unwrap();
    let (said, notes) = (sentence(&summary), summary["notes"].as_array().unwrap());
    let left_out = notes.iter().find_map(|note| note.as_str().filter(|note| note.contains("left out"))).unwrap();
    assert!(run.stderr.contains(left_out));
    assert!(manifest["input"]["notes"].as_array().unwrap().iter().any(|note| note == left_out));
    let flat = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = flat(folder.read("out/summary.txt"));
    assert!(words.contains(&flat(left_out.to_string())) && words.contains(&flat(said.to_string())), "{words}");
    assert!(flat(run.stdout).contains(&flat(said.to_string())));
    let page = folder.read("out/report.html").replace('\u{a0}', " ");
    let escaped = |text: &str| text.replace('&', "&amp;").replace('\'', "&#39;");
    let lead = page.split_once("<p class=\"sentence\">").unwrap().1.split_once("</p>").unwrap().0;
    assert_eq!(lead, escaped(said));
    assert!(page.contains(&format!("<li>{}</li>", escaped(left_out))));
    assert!(page.contains("<code>equirisk bootstrap "), "the command");
    assert!(page.contains(manifest["input"]["files"][0]["sha256"].as_str().unwrap()));
}

/// Two uncorrelated assets: half of each at equal volatility.
#[test]
fn what_somebody_holds_is_measured_and_set_beside_the_bands() {
    let folder = Folder::new();
    let data = folder.write("prices.csv", table(&prices(&independent(1200, 9, |_| [1.0, 1.0, 1.0]), 3), 3));
    let held = folder.write("mine.csv", "asset,weight\nA0,60%\nA1,40%\n");
    for command in [&["bootstrap"][..], &["solve"]] {
        let study: &[&str] = if command[0] == "bootstrap" { &STUDY } else { &[] };
        let found = json(&[command, &[&data, "--weights", &held, "--json", "--quiet"], study].concat());
        let given = &found["given"];
        let numbers =
            |key: &str| given[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>();
        assert_eq!(numbers("weights"), [0.6, 0.4, 0.0]);
        // 0.36 to 0.16, up to the correlations of a sample of 1,200: about 0.03 each.
        let shares = numbers("risk_shares");
        assert!((shares[0] - 0.36 / 0.52).abs() <= 0.04 && shares[2] == 0.0, "{shares:?}");
        assert!((shares.iter().sum::<f64>() - 1.0).abs() <= 1e-12);
        assert!((given["distance"].as_f64().unwrap() - 1.0 / 3.0).abs() <= 0.03, "{given:#}");
        assert_eq!(given["outside"], serde_json::json!(["A0", "A1", "A2"]));
    }
    // What is solved for lies within every band.
    let solved = json(&["solve", &data, "--json", "--quiet"]);
    let own: Vec<String> = (0..3).map(|i| format!("A{i}={}", solved["weights"][i])).collect();
    let found = json(&["solve", &data, "--weights", &own.join(","), "--json", "--quiet"]);
    assert_eq!(found["given"]["outside"], serde_json::json!([]));
    assert!(found["given"]["distance"].as_f64().unwrap() <= 1e-12);
    for i in 0..3 {
        let (one, other) = (&found["given"]["risk_shares"][i], &found["risk_shares"][i]);
        assert!((one.as_f64().unwrap() - other.as_f64().unwrap()).abs() <= 1e-12);
    }
    let text = equirisk(&["solve", &data, "--weights", &own.join(",")]).succeeded().stdout;
    assert!(text.contains("gives no reason to trade"), "{text}");
    // A name that is not there, and a run that is another with other holdings.
    let refused = equirisk(&["solve", &data, "--weights", "A0=0.5,CASH=0.5"]).refused(4);
    assert!(refused.stderr.contains("no asset `CASH`"), "{}", refused.stderr);
    let out = folder.name("out");
    let run = |weights: &str| equirisk(&[&["bootstrap", &data, "-o", &out, "--weights", weights], &STUDY[..]].concat());
    run("A0=1").succeeded();
    assert!(run("A1=1").refused(2).stderr.contains("weights"));
}

#[test]
fn two_runs_are_compared_by_weights_bands_and_what_was_asked_for() {
    let folder = Folder::new();
    let sizes = |t: usize| if t < 800 { [1.0, 1.0, 1.0] } else { [1.0, 1.0, 3.0] };
    let data = folder.write("prices.csv", table(&prices(&independent(1600, 5, sizes), 3), 3));
    let run = |name: &str, more: &[&str]| {
        let out = folder.name(name);
        equirisk(&[&["bootstrap", &data, "-o", &out], more, &STUDY[..]].concat()).succeeded();
        out
    };
    let (whole, late) = (run("whole", &[]), run("late", &["--last", "700", "--exclude", "A1"]));
    let found = json(&["compare", &whole, &late, "--json"]);
    let names: Vec<&str> =
        found["configuration"].as_array().unwrap().iter().map(|f| f["field"].as_str().unwrap()).collect();
    for name in ["rows", "first", "assets", "data_sha256", "budgets"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert!(!names.contains(&"resamples") && !names.contains(&"seed"));
    let assets = found["assets"].as_array().unwrap();
    let of = |path: &str, name: &str, key: &str| {
        let summary: Value = serde_json::from_str(&folder.read(path)).unwrap();
        let found = summary["assets"].as_array().unwrap().iter().find(|a| a["name"] == name).unwrap().clone();
        found[key].as_f64().unwrap()
    };
    let mut distance = 0.0;
    for asset in assets {
        let name = asset["name"].as_str().unwrap();
        let first = of("whole/summary.json", name, "point");
        assert_eq!(asset["first"].as_f64().unwrap(), first);
        if name == "A1" {
            assert!(asset["second"].is_null() && asset["difference"].is_null() && asset["overlaps"].is_null());
            distance += 0.5 * first;
            continue;
        }
        let second = of("late/summary.json", name, "point");
        distance += 0.5 * (second - first).abs();
        assert!((asset["difference"].as_f64().unwrap() - (second - first)).abs() <= 1e-15);
        let band = |path: &str| [of(path, name, "q05"), of(path, name, "q95")];
        let (a, b) = (band("whole/summary.json"), band("late/summary.json"));
        assert_eq!(asset["overlaps"], serde_json::json!(a[0] <= b[1] && b[0] <= a[1]));
    }
    assert!((found["distance"].as_f64().unwrap() - distance).abs() <= 1e-15);
    // The same run twice, in words.
    let text = equirisk(&["compare", &whole, &whole]).succeeded().stdout;
    assert!(
        text.contains("Weights and bands are the same") && text.contains("Data and configuration are the same"),
        "{text}"
    );
    let text = equirisk(&["compare", &whole, &late]).succeeded().stdout;
    assert!(text.contains("apart") && text.contains("A1"), "{text}");
    // What has no bands.
    let screen = folder.name("screen");
    equirisk(&["screen", &data, "-k", "2", "--engine", "cpu", "-o", &screen]).succeeded();
    assert!(equirisk(&["compare", &whole, &screen]).refused(2).stderr.contains("holds a screen"));
    assert!(equirisk(&["compare", &whole, &folder.name("none")]).refused(2).stderr.contains("holds no run"));
}

/// `--windows` is part of what a run is, and counts the windows.
#[test]
fn the_number_of_windows_can_be_chosen() {
    let windows = |count: &str| {
        let args = ["bootstrap", "-B", "20", "--json", "--quiet", "--seed", "1", "--engine", "cpu", "--windows", count];
        json(&args)["windows"].clone()
    };
    assert_eq!((&windows("2")["count"], &windows("30")["count"]), (&2.into(), &30.into()));
    let args = ["bootstrap", "-B", "20", "--json", "--quiet", "--seed", "1", "--windows", "2000"];
    let short = json(&args);
    assert!(short["windows"].is_null(), "windows of one row have no covariance");
    assert!(short["notes"].to_string().contains("2000 windows of 1 returns are too short"), "{}", short["notes"]);
    assert!(equirisk(&["bootstrap", "--windows", "1"]).refused(2).stderr.contains("at least 2"));
}

/// Every number that the page shows can be opened elsewhere, and is the one of the summary.
#[test]
fn tables_hold_the_numbers_of_the_summary() {
    let folder = Folder::new();
    let out = folder.name("out");
    let summary = json(&[&["bootstrap", "-o", &out, "--json", "--quiet", "--last", "900"], &STUDY[..]].concat());
    let records = |name: &str| -> Vec<Vec<String>> {
        let text = folder.read(&format!("out/{name}"));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(String::from).collect()).collect()
    };
    let number = |value: &Value| value.as_f64().unwrap();
    let assets = records("assets.csv");
    let column = |name: &str| assets[0].iter().position(|head| head == name).unwrap();
    for (row, asset) in assets[1..].iter().zip(summary["assets"].as_array().unwrap()) {
        assert_eq!(row[0], asset["name"]);
        for (head, found) in [
            ("point", &asset["point"]),
            ("robust_se", &asset["robust"]["se"]),
            ("first_half", &asset["halves"]["first"]),
            ("half_se", &asset["halves"]["se"]),
        ] {
            assert_eq!(row[column(head)].parse::<f64>().unwrap(), number(found), "{head}");
        }
    }
    let days = records("days.csv");
    assert_eq!(days[0], ["date", "asset", "influence"]);
    for (row, day) in days[1..].iter().zip(summary["days"].as_array().unwrap()) {
        assert_eq!(
            (&row[0], &row[1]),
            (&day["date"].as_str().unwrap().to_string(), &day["asset"].as_str().unwrap().to_string())
        );
        assert_eq!(row[2].parse::<f64>().unwrap(), number(&day["influence"]));
    }
    assert_eq!(days.len(), 21);
    // Forty-one windows of ten assets, whose weights sum to one in each.
    let rolling = records("rolling.csv");
    assert_eq!((rolling.len(), &*rolling[0].join(",")), (411, "last_row,asset,weight,lower,upper"));
    for window in rolling[1..].chunks(10) {
        let sum: f64 = window.iter().map(|row| row[2].parse::<f64>().unwrap()).sum();
        assert!((sum - 1.0).abs() <= 1e-12);
        assert!(window.iter().all(|row| row[0] == window[0][0]));
    }
    assert_eq!(rolling[410][0], summary["run"]["last"].as_str().unwrap());
}

#[test]
fn a_portfolio_goes_to_a_file_for_a_spreadsheet_or_for_a_program() {
    let folder = Folder::new();
    let (table, whole) = (folder.name("w.csv"), folder.name("w.json"));
    let run = equirisk(&["solve", "-o", &table]).succeeded();
    assert!(run.stderr.contains("wrote: ") && run.stderr.contains("w.csv"), "{}", run.stderr);
    let printed = equirisk(&["solve", "-o", &whole, "--json"]).succeeded();
    assert_eq!(folder.read("w.json"), printed.stdout);
    let found = printed.json();
    let text = folder.read("w.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heads: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
    for (i, record) in reader.records().enumerate() {
        let record = record.unwrap();
        let cell = |name: &str| record.get(heads.iter().position(|head| head == name).unwrap()).unwrap();
        assert_eq!(cell("asset"), found["assets"][i]);
        for (head, value) in [
            ("weight", &found["weights"][i]),
            ("risk_share", &found["risk_shares"][i]),
            ("robust_upper", &found["robust"]["upper"][i]),
            ("inverse_volatility", &found["methods"]["inverse_volatility"]["weights"][i]),
        ] {
            assert_eq!(cell(head).parse::<f64>().unwrap(), value.as_f64().unwrap(), "{head}");
        }
    }
    assert!(equirisk(&["solve", "-o", &table]).refused(2).stderr.contains("--force"));
    equirisk(&["solve", "-o", &table, "--force"]).succeeded();
    assert!(equirisk(&["solve", "-o", "weights.xlsx"]).refused(2).stderr.contains(".csv or .json"));
}
