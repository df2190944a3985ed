//! Is all JSON that the program prints or writes what docs/json.md says it is, field by field?
//!
//! `docs/json.schema.json` has a definition for each table of the page. The validator below knows the keywords that are
//! there and no others: the schema says nothing that is not checked.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::estimators::{ESTIMATORS, flags};
use crate::interrupted::killed;
use crate::run::{Folder, covariance, equirisk, npy, returns, sample_covariance, table};

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Definitions of a schema, by name.
struct Schema(Value);

impl Schema {
    fn of_the_page() -> Schema {
        let whole: Value = serde_json::from_str(&page("json.schema.json")).unwrap();
        let schema = Schema(whole["$defs"].clone());
        schema.definitions().for_each(|(name, definition)| schema.sound(definition).expect(name));
        schema
    }

    fn definitions(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.as_object().unwrap().iter()
    }

    fn definition(&self, name: &str) -> Result<&Value, String> {
        self.0.get(name).ok_or_else(|| format!("nothing is defined as `{name}`"))
    }

    /// What a `$ref` names.
    fn referred(&self, rule: &Value) -> Result<&Value, String> {
        let name = rule.as_str().and_then(|rule| rule.strip_prefix("#/$defs/"));
        self.definition(name.ok_or_else(|| format!("{rule} is no place in $defs"))?)
    }

    /// Whether a schema has only what is checked, says of every field whether there may be others, and requires only
    /// fields that it knows.
    fn sound(&self, schema: &Value) -> Result<(), String> {
        for (keyword, rule) in schema.as_object().ok_or_else(|| format!("{schema} is no schema"))? {
            let good = match keyword.as_str() {
                "title" | "description" => rule.is_string(),
                "$ref" => self.referred(rule).is_ok(),
                "type" => kinds(rule).iter().all(|kind| KINDS.contains(kind)),
                "enum" => rule.is_array(),
                "minimum" | "maximum" => rule.is_number(),
                "items" => self.sound(rule).map(|()| true)?,
                "properties" => {
                    rule.as_object().unwrap().values().try_for_each(|property| self.sound(property))?;
                    schema.get("additionalProperties").is_some()
                }
                "additionalProperties" => *rule == json!(false) || self.sound(rule).map(|()| true)?,
                "required" => {
                    rule.as_array().unwrap().iter().all(|name| schema["properties"].get(word(name)).is_some())
                }
                _ => false,
            };
            if !good {
                return Err(format!("`{keyword}` says {rule}, which is not checked"));
            }
        }
        Ok(())
    }

    /// Says where a value is not as a schema has it, and why.
    fn check(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        let number = value.as_f64();
        for (keyword, rule) in schema.as_object().unwrap() {
            let good = match keyword.as_str() {
                "$ref" => self.check(self.referred(rule)?, value, place).map(|()| true)?,
                "type" => kinds(rule).iter().any(|kind| is_a(value, kind)),
                "enum" => rule.as_array().unwrap().contains(value),
                "minimum" => number.is_none_or(|x| x >= rule.as_f64().unwrap()),
                "maximum" => number.is_none_or(|x| x <= rule.as_f64().unwrap()),
                "items" => {
                    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{place}[{at}]"))?;
                    }
                    true
                }
                "required" => {
                    let has = |name: &Value| value.get(word(name)).is_some();
                    !value.is_object() || rule.as_array().unwrap().iter().all(has)
                }
                "properties" | "additionalProperties" => {
                    let known = schema.get("properties");
                    for (name, member) in value.as_object().into_iter().flatten() {
                        let own = known.and_then(|known| known.get(name));
                        let rule = if keyword == "properties" { own } else { Some(rule).filter(|_| own.is_none()) };
                        match rule {
                            Some(Value::Bool(false)) => return Err(format!("{place}: `{name}` is not known")),
                            Some(rule) => self.check(rule, member, &format!("{place}.{name}"))?,
                            None => {}
                        }
                    }
                    true
                }
                _ => true,
            };
            if !good {
                let shown: String = value.to_string().chars().take(300).collect();
                return Err(format!("{place}: {keyword} {rule}, found {shown}"));
            }
        }
        Ok(())
    }

    fn valid(&self, name: &str, value: &Value) -> Result<(), String> {
        self.check(self.definition(name)?, value, name)
    }

    /// Runs the program, whose JSON must be of this definition. A study that has solved nothing is one, too.
    fn printed(&self, name: &str, args: &[&str]) -> Value {
        let run = equirisk(&[args, &["--json", "--quiet"]].concat());
        assert!([0, 3].contains(&run.code), "{args:?}: {run:?}");
        let value = run.json();
        self.valid(name, &value).unwrap_or_else(|error| panic!("{args:?}: {error}"));
        value
    }

    /// The record of a run, with the job and the outcome of its study.
    fn recorded(&self, folder: &Folder, directory: &str) -> Value {
        let value: Value = serde_json::from_str(&folder.read(&format!("{directory}/run.json"))).unwrap();
        let study = word(&value["job"]["study"]);
        let valid = |name: &str, value: &Value| {
            self.valid(name, value).unwrap_or_else(|error| panic!("{directory}: {error}"));
        };
        valid("run", &value);
        valid(&format!("job_{study}"), &value["job"]);
        if !value["outcome"].is_null() {
            valid(&format!("outcome_{study}"), &value["outcome"]);
        }
        value
    }

    /// Whether a field may be null.
    fn is_nullable(&self, property: &Value) -> bool {
        match (property.get("type"), property.get("$ref")) {
            (Some(rule), _) => kinds(rule).contains(&"null"),
            (None, Some(rule)) => self.is_nullable(self.referred(rule).unwrap()),
            (None, None) => false,
        }
    }
}

const KINDS: [&str; 7] = ["null", "boolean", "string", "number", "integer", "array", "object"];

/// The words of `type`: one, or several.
fn kinds(rule: &Value) -> Vec<&str> {
    rule.as_array().map_or_else(|| vec![word(rule)], |all| all.iter().map(word).collect())
}

/// The text of a value; of what is none, a name that nothing bears.
fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("(no text)")
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        _ => value.is_object(),
    }
}

/// What stands in a table for names that are free.
const FREE: &str = "*NAME*";

/// Fields and types of the page's tables, by the name in the heading above.
fn tables(page: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut heading = "";
    for line in page.lines() {
        let quoted = line.split('`').nth(1);
        let is_free = line.strip_prefix("| ").is_some_and(|row| row.starts_with(FREE));
        let field = if is_free { Some(FREE) } else { quoted.filter(|_| line.starts_with("| `")) };
        if line.starts_with('#') {
            heading = quoted.unwrap_or_default();
        } else if let Some(field) = field {
            let kind = line.split('|').nth(2).unwrap().trim();
            tables.entry(heading.to_owned()).or_default().push((field.to_owned(), kind.to_owned()));
        }
    }
    tables
}

/// Returns of four assets over so many dated rows.
fn history(folder: &Folder, rows: usize) -> String {
    folder.write(&format!("{rows}.csv"), table(&returns(rows, 4, 0.7, 3), 4))
}

/// The same without dates.
fn undated(folder: &Folder) -> String {
    let text = table(&returns(250, 4, 0.7, 3), 4);
    let lines: Vec<&str> = text.lines().map(|line| line.split_once(',').unwrap().1).collect();
    folder.write("undated.csv", lines.join("\n"))
}

/// The same with dates, where the last asset starts later.
fn late(folder: &Folder) -> String {
    let text = table(&returns(250, 4, 0.7, 3), 4);
    let line = |(at, line): (usize, &str)| match line.rsplit_once(',') {
        Some((others, _)) if (1..120).contains(&at) => format!("{others},"),
        _ => line.to_owned(),
    };
    folder.write("late.csv", text.lines().enumerate().map(line).collect::<Vec<_>>().join("\n"))
}

/// Two assets that hedge each other: nothing can be solved.
fn hedge(folder: &Folder) -> String {
    let values: Vec<f64> = returns(40, 1, 0.0, 5).into_iter().flat_map(|r| [r, -2.0 * r]).collect();
    folder.write("hedge.csv", table(&values, 2))
}

/// The covariance of four assets.
fn matrix() -> Vec<f64> {
    sample_covariance(&returns(250, 4, 0.7, 3), 4, &(0..250).collect::<Vec<_>>())
}

/// Three matrices, of which the second is none.
fn matrices(folder: &Folder) -> String {
    folder.write("covariances.npy", npy(&[3, 4, 4], &[matrix(), vec![f64::NAN; 16], matrix()].concat()))
}

/// All methods, and mixes: with a name, with a short position, and another one.
const ALL: [&str; 8] =
    ["--methods", "all", "--fixed", "60/40:A0=0.6,A1=0.4", "--fixed", "A0=1.5,A1=-0.5", "--fixed", "A3=1"];
/// Results call them so, in this order of letters.
const NAMES: [&str; 9] = [
    "60/40",
    "equal_weight",
    "erc",
    "fixed",
    "fixed_2",
    "hrp",
    "inverse_volatility",
    "max_diversification",
    "min_variance",
];

/// A backtest of four years of the sample, which decides once a month.
const YEARS: [&str; 7] = ["backtest", "--from", "2006", "--to", "2009", "--lookback", "120"];

/// The names of an object's fields.
fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Measures of risk other than volatility.
const SEMI_DEVIATION: [&str; 2] = ["--risk", "semi-deviation"];
const SHORTFALL: [&str; 4] = ["--risk", "expected-shortfall", "--level", "0.9"];

const CPU: [&str; 2] = ["--engine", "cpu"];
const GPU: [&str; 2] = ["--engine", "gpu"];

#[test]
fn every_field_has_a_row_and_every_row_a_field() {
    let (schema, tables) = (Schema::of_the_page(), tables(&page("json.md")));
    let names: Vec<&String> = schema.definitions().map(|(name, _)| name).collect();
    assert_eq!(tables.keys().collect::<Vec<_>>(), names, "tables and definitions");
    for (name, definition) in schema.definitions() {
        let mut properties = definition["properties"].as_object().unwrap().clone();
        let others = &definition["additionalProperties"];
        if *others != json!(false) {
            properties.insert(FREE.to_owned(), others.clone());
        }
        let mut rows = tables[name].clone();
        rows.sort();
        let fields: Vec<&String> = rows.iter().map(|(field, _)| field).collect();
        assert_eq!(fields, properties.keys().collect::<Vec<_>>(), "{name}");
        for (field, kind) in &rows {
            let is_required = definition["required"].as_array().unwrap().contains(&json!(field));
            assert_eq!(kind.contains("optional"), !is_required, "{name}.{field} is {kind}");
            assert_eq!(kind.contains("or null"), schema.is_nullable(&properties[field]), "{name}.{field} is {kind}");
            // An object's table is named.
            let referred = [&properties[field], &properties[field]["items"]].into_iter().find_map(|p| p.get("$ref"));
            if let Some(referred) = referred {
                let other = word(referred).rsplit('/').next().unwrap();
                assert!(kind.contains(&format!("`{other}`")), "{name}.{field} is {kind}, not `{other}`");
            }
        }
    }
}

#[test]
fn a_wrong_type_a_missing_and_an_unknown_field_are_refused() {
    let schema = Schema(json!({
        "pair": {
            "type": ["object", "null"],
            "properties": {
                "name": {"type": "string", "enum": ["a", "b"]},
                "count": {"type": "integer", "minimum": 1},
                "share": {"type": ["number", "null"], "maximum": 1},
                "next": {"$ref": "#/$defs/pair", "type": "object"},
                "list": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
                "sums": {"type": "object", "additionalProperties": {"type": "string"}},
                "free": {
                    "type": "object",
                    "properties": {"own": {"type": "string"}},
                    "additionalProperties": {"type": "integer"},
                },
            },
            "required": ["name", "count", "share"],
            "additionalProperties": false,
        },
    }));
    schema.definitions().for_each(|(name, definition)| schema.sound(definition).expect(name));
    let base = json!({"name": "a", "count": 2, "share": 0.5});
    let with = |field: &str, value: Value| {
        let mut changed = base.clone();
        changed[field] = value;
        changed
    };
    let sums = json!({"x": "1"});
    let good = [
        Value::Null,
        base.clone(),
        with("share", Value::Null),
        with("next", base.clone()),
        with("list", json!([base, null])),
        with("sums", sums),
        with("free", json!({"own": "1", "another": 1})),
    ];
    good.iter().for_each(|value| schema.valid("pair", value).unwrap());
    for (value, said) in [
        (json!([]), "pair: type"),
        (json!({"name": "a", "count": 2}), "pair: required"),
        (with("name", json!("c")), "pair.name: enum"),
        (with("name", Value::Null), "pair.name: "),
        (with("count", json!(0)), "pair.count: minimum"),
        (with("count", json!(1.5)), "pair.count: type"),
        (with("share", json!(1.5)), "pair.share: maximum"),
        (with("share", json!("1")), "pair.share: type"),
        (with("next", Value::Null), "pair.next: type"),
        (with("list", json!([base, {"name": "a"}])), "pair.list[1]: required"),
        (with("sums", json!({"x": 1})), "pair.sums.x: type"),
        (with("free", json!({"own": 1})), "pair.free.own: type"),
        (with("free", json!({"another": "1"})), "pair.free.another: type"),
        (with("other", json!(1)), "pair: `other` is not known"),
    ] {
        let error = schema.valid("pair", &value).unwrap_err();
        assert!(error.starts_with(said), "{error} is not {said}");
    }
    assert!(schema.valid("other", &base).unwrap_err().contains("`other`"));
    // What would be passed over in silence.
    for unchecked in [
        json!({"type": "string", "pattern": "a"}),
        json!({"anyOf": [{"type": "string"}]}),
        json!({"type": "text"}),
        json!({"$ref": "#/$defs/other"}),
        json!({"properties": {"x": {"const": 1}}, "additionalProperties": false}),
        json!({"properties": {"x": {}}}),
        json!({"properties": {"x": {}}, "additionalProperties": false, "required": ["y"]}),
        json!({"additionalProperties": true}),
    ] {
        assert!(schema.sound(&unchecked).is_err(), "{unchecked}");
    }
}

#[test]
fn one_portfolio_is_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let solved = |args: &[&str]| schema.printed("solve", &[&["solve"], args].concat());
    let dated = history(&folder, 250);
    solved(&CPU);
    solved(&[&[&dated, "--returns"], &GPU[..]].concat());
    let held = solved(&[&dated, "--returns", "--weights", "A0=0.5,A1=0.5"]);
    assert!(held["given"]["outside"].is_array() && held["robust"].is_object());
    let undated = solved(&[&undated(&folder), "--returns", "--date-format", "none"]);
    assert!(
        undated["volatility_annual"].is_null() && undated["methods"]["equal_weight"]["volatility_annual"].is_null()
    );
    let zero = solved(&[&dated, "--returns", "--budgets", "A0=0.5,A1=0.5,A2=0,A3=0"]);
    assert_eq!(zero["robust"]["se"][3], 0.0);
    assert!(solved(&[&history(&folder, 12), "--returns"])["robust"].is_null());
    let given = folder.write("covariance.csv", covariance(&matrix(), 4));
    let given = solved(&[&given, "--covariance", "--weights", "A0=1"]);
    assert!(given["robust"].is_null() && given["given"]["outside"].is_null());
    assert!(given["shrinkage"].is_null() && given["run"]["estimator"].is_null());
    let one = folder.write("one.csv", table(&returns(250, 1, 0.0, 3), 1));
    assert!(solved(&[&one, "--returns", "--methods", "all"])["methods"]["hrp"]["margin"].is_null());
    let all = solved(&[&[&dated, "--returns"], &ALL[..]].concat());
    assert!(names(&all["methods"]) == NAMES && all["methods"]["hrp"]["margin"].is_number());
    let fewer = ["--returns", "--methods", "hrp", "--budgets", "A0=0.5,A1=0.5,A2=0,A3=0"];
    let fewer = solved(&[&[dated.as_str()], &fewer[..]].concat());
    assert!(names(&fewer["methods"]) == ["erc", "hrp"] && fewer["methods"]["hrp"]["order"] == json!(["A0", "A1"]));
    for name in ESTIMATORS {
        let found = solved(&[&[&dated, "--returns"], &flags(name, "30")[..]].concat());
        let told = &found["run"]["estimator"];
        assert!(told["half_life"].is_null() == (name != "ewma") && told["kept"].is_null() == (name != "denoised"));
        assert_eq!(found["shrinkage"], told["intensity"]["point"], "{name}");
    }
}

#[test]
fn one_portfolio_of_another_risk_is_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let dated = history(&folder, 250);
    let solved = |args: &[&str]| schema.printed("solve", &[&["solve", &dated, "--returns"], args].concat());
    let told = |value: &Value| value["run"]["risk"].clone();
    let volatility = solved(&CPU);
    assert_eq!(told(&volatility), json!({"measure": "volatility", "level": null, "centred": true}));
    assert!(volatility["kappa"].is_number() && volatility["methods"]["volatility_parity"].is_null());
    assert!(volatility.get("slack").is_none());
    let semi = solved(&[&ALL[..], &SEMI_DEVIATION, &["--weights", "A0=0.5,A1=0.5"]].concat());
    assert_eq!(told(&semi), json!({"measure": "semi_deviation", "level": null, "centred": true}));
    assert_eq!(names(&semi["methods"]), [&NAMES[..], &["volatility_parity"]].concat());
    assert!(semi["kappa"].is_null() && semi["robust"].is_null() && semi["given"]["outside"].is_null());
    assert!(semi.get("slack").is_none() && semi["methods"]["volatility_parity"]["rc_error"].is_number());
    let shortfall = solved(&SHORTFALL);
    assert_eq!(told(&shortfall), json!({"measure": "expected_shortfall", "level": 0.9, "centred": true}));
    assert!(shortfall["slack"].is_number() && shortfall["kappa"].is_null());
    let raw = ["--risk", "expected-shortfall", "--raw-losses", "--budgets", "A0=0.5,A1=0.5,A2=0,A3=0"];
    let raw = solved(&raw);
    assert_eq!(told(&raw), json!({"measure": "expected_shortfall", "level": 0.95, "centred": false}));
    assert_eq!(raw["methods"]["volatility_parity"]["weights"][3], 0.0);
    assert_eq!(solved(&SEMI_DEVIATION)["engine"], "cpu");
}

#[test]
fn a_bootstrap_is_as_the_page_says_whatever_it_has_no_number_for() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let study = |args: &[&str]| {
        schema.printed("bootstrap", &[&["bootstrap", "--returns", "-B", "50", "--seed", "1"], args].concat())
    };
    let dated = history(&folder, 250);
    let whole = study(&[&[&dated, "--weights", "A0=0.5,A1=0.5"], &CPU[..]].concat());
    assert!(whole["halves"].is_object() && whole["windows"].is_object() && whole["given"]["outside"].is_array());
    assert!(study(&[&[dated.as_str()], &GPU[..]].concat())["crosscheck"].is_object());
    let zero = study(&[&dated, "--budgets", "A0=0.5,A1=0.5,A2=0,A3=0"]);
    assert!(zero["assets"][2]["mean_rank"].is_null() && zero["run"]["excluded"] == json!(["A2", "A3"]));
    assert!(study(&[&dated, "--scheme", "iid"])["run"]["block_estimates"].is_null());
    let moving = study(&[&dated, "--scheme", "moving", "--no-sensitivity"]);
    assert!(moving["run"]["threshold"].is_null() && moving["sensitivity"] == json!([]));
    assert!(study(&[&undated(&folder), "--date-format", "none"])["portfolio"]["volatility_annual"].is_null());
    // Too few rows for anything but the bands, and fewer rows than assets.
    let short = study(&[&history(&folder, 5)]);
    assert!(short["halves"].is_null() && short["windows"].is_null() && short["assets"][0]["robust"].is_null());
    let singular = folder.write("singular.csv", table(&returns(10, 20, 0.7, 3), 20));
    assert!(study(&[&singular])["methods"]["erc"]["out_of_bag"].is_null());
    let one = folder.write("one.csv", table(&returns(250, 1, 0.0, 3), 1));
    assert!(study(&[&one])["windows"]["ratio"].is_null());
    // No certified resample, with a portfolio of the history and without one.
    let tight = ["bootstrap", "-B", "50", "--seed", "1", "--tolerance", "1e-17", "--weights", "NIKKEI=1"];
    let stalled = schema.printed("bootstrap", &tight);
    assert!(stalled["rc_error"]["max"].is_null() && stalled["given"]["outside"].is_null());
    let hedged = study(&[&hedge(&folder), "--weights", "A0=1"]);
    assert!(hedged["assets"][0]["point"].is_null() && hedged["methods"]["erc"]["bagged"].is_null());
    assert!(hedged["methods"]["erc"]["turnover"].is_null() && hedged["given"]["distance"].is_null());
}

#[test]
fn other_methods_and_estimators_of_a_bootstrap_are_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let study = |data: &str, args: &[&str]| {
        let common = ["bootstrap", data, "--returns", "-B", "50", "--seed", "1", "--no-sensitivity"];
        schema.printed("bootstrap", &[&common[..], args].concat())
    };
    let dated = history(&folder, 250);
    let others = ["--estimator", "oas", "--compare-estimators", "ewma,denoised,sample", "--half-life", "30"];
    let whole = study(&dated, &[&ALL[..], &others].concat());
    let methods = [&whole["methods"], &whole["halves"]["methods"], &whole["estimators"][0]["methods"]];
    assert_eq!(methods.map(names), [NAMES.to_vec(), NAMES.to_vec(), NAMES.to_vec()]);
    let told: Vec<&Value> = whole["estimators"].as_array().unwrap().iter().map(|under| &under["name"]).collect();
    assert_eq!(told, ["oas", "ewma", "denoised", "sample"]);
    assert!(whole["run"]["estimator"]["intensity"]["q05"].is_number());
    assert!(whole["estimators"][2]["kept"]["mean"].is_number());
    assert!(whole["methods"]["fixed"]["certificate"].is_null() && whole["methods"]["hrp"]["aim"].is_null());
    // No standard errors.
    let ewma = study(&dated, &["--estimator", "ewma", "--half-life", "30", "--methods", "erc"]);
    assert!(ewma["halves"].is_null() && ewma["windows"].is_null() && ewma["assets"][0]["robust"].is_null());
    assert!(ewma["days"] == json!([]) && ewma["estimators"] == json!([]) && names(&ewma["methods"]) == ["erc"]);
    // No certified resample but of some methods, under some estimators.
    let hedged = study(&hedge(&folder), &["--methods", "all", "--compare-estimators", "oas,denoised"]);
    assert!(hedged["methods"]["erc"]["certificate"] == json!({}) && hedged["estimators"][2]["kept"]["mean"].is_null());
    assert!(hedged["methods"]["hrp"]["certificate"]["margin"]["min"].is_null());
    assert!(hedged["estimators"][0]["methods"]["erc"]["held"].is_null());
    let single = ["bootstrap", &dated, "--returns", "-B", "1", "--seed", "1", "--compare-estimators", "oas"];
    let single = schema.printed("bootstrap", &[&single[..], &ALL].concat());
    assert!(single["estimators"][1]["methods"]["hrp"]["pairwise_turnover"].is_null());
}

#[test]
fn a_bootstrap_of_another_risk_is_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let study = |data: &str, args: &[&str]| {
        schema.printed("bootstrap", &[&["bootstrap", data, "--returns", "-B", "30", "--seed", "1"], args].concat())
    };
    let dated = history(&folder, 250);
    let volatility = study(&dated, &[]);
    assert!(volatility["paired"].is_null() && volatility["run"]["risk"]["measure"] == "volatility");
    assert!(volatility["methods"]["erc"]["certificate"].get("slack").is_none());
    let semi = study(&dated, &[&SEMI_DEVIATION[..], &ALL, &["--weights", "A0=0.5,A1=0.5"]].concat());
    assert_eq!(names(&semi["methods"]), [&NAMES[..], &["volatility_parity"]].concat());
    assert!(semi["paired"]["distance"].is_number() && semi["paired"]["assets"][3]["point"].is_number());
    assert_eq!(semi["paired"]["noise"], semi["methods"]["erc"]["pairwise_turnover"]);
    assert_eq!(names(&semi["methods"]["volatility_parity"]["certificate"]), ["rc_error"]);
    assert!(semi["halves"].is_null() && semi["windows"].is_null() && semi["days"] == json!([]));
    assert!(semi["assets"][0]["robust"].is_null() && semi["assets"][0]["halves"].is_null());
    let shortfall = study(&dated, &[&SHORTFALL[..], &["--budgets", "A0=0.5,A1=0.5,A2=0,A3=0"]].concat());
    assert_eq!(shortfall["run"]["risk"], json!({"measure": "expected_shortfall", "level": 0.9, "centred": true}));
    assert!(shortfall["methods"]["erc"]["certificate"]["slack"]["max"].is_number());
    assert!(shortfall["paired"]["assets"][2]["mean"] == 0.0 && shortfall["paired"]["assets"][2]["clear"] == false);
    let raw = study(&dated, &["--risk", "expected-shortfall", "--raw-losses"]);
    assert_eq!(raw["run"]["risk"]["centred"], false);
    // Few resamples, few rows, and none with a portfolio.
    let single = ["bootstrap", &dated, "--returns", "-B", "1", "--seed", "1"];
    let single = schema.printed("bootstrap", &[&single[..], &SEMI_DEVIATION].concat());
    assert!(single["paired"]["noise"].is_null() && single["paired"]["assets"][0]["sd"].is_null());
    study(&history(&folder, 5), &SHORTFALL);
    for risk in [&SEMI_DEVIATION[..], &SHORTFALL] {
        let hedged = study(&hedge(&folder), risk);
        assert!(hedged["paired"].is_null() && hedged["methods"]["erc"]["certificate"] == json!({}), "{risk:?}");
        assert!(hedged["methods"]["volatility_parity"]["certificate"] == json!({}), "{risk:?}");
    }
}

#[test]
fn one_resample_and_two_are_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let dated = history(&folder, 250);
    for resamples in ["1", "2"] {
        let args = ["bootstrap", &dated, "--returns", "-B", resamples, "--seed", "1"];
        let study = schema.printed("bootstrap", &args);
        assert_eq!(study["assets"][0]["sd"].is_null(), resamples == "1", "{resamples}");
    }
}

#[test]
fn a_screen_is_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let dated = history(&folder, 250);
    let screen =
        |args: &[&str]| schema.printed("screen", &[&["screen", &dated, "--returns", "-k", "2"], args].concat());
    let plain = screen(&CPU);
    assert!(plain["halves"].is_object() && plain["top"][0]["halves"].is_object() && plain["bootstrap"].is_null());
    assert!(screen(&GPU)["crosscheck"].is_object());
    let again = ["--bootstrap-top", "3", "-B", "20", "--seed", "1", "--by", "effective-bets"];
    let again = screen(&[&again[..], &["--where", "max-weight<0.9", "--max-correlation", "0.9"]].concat());
    assert!(again["bootstrap"].is_object() && again["run"]["filters"] == json!(["max-weight<0.9"]));
    let path =
        screen(&["--by", "sharpe", "--sample", "5", "--seed", "1", "--no-halves", "--top", "1", "--shortlist", "4"]);
    assert!(path["run"]["shortlist"].is_number() && path["halves"].is_null());
    let shrunk = screen(&["--estimator", "oas"]);
    assert!(shrunk["top"][0]["shrinkage"].is_number() && shrunk["run"]["estimator"]["intensity"].is_null());
    let ewma = screen(&["--estimator", "ewma", "--half-life", "30"]);
    assert!(ewma["top"][0]["shrinkage"].is_null() && ewma["run"]["estimator"]["effective_rows"].is_number());
    let bounded = screen(&["--max-weight", "A0=0.5,A1=0.4,A2=0.6", "--min-weight", "A3=0.5"]);
    assert!(bounded["run"]["bounds"].is_object() && bounded["top"][0]["bounds"].is_array());
    assert!(bounded["rc_error"]["max"].is_null() && bounded["kkt_error"]["max"].is_number());
    // A0 and A1 hold 0.9 at most.
    assert_eq!((&bounded["solves"]["infeasible"], &bounded["subsets"]["feasible"]), (&json!(1), &json!(5)));
    // Nothing passes, nothing is feasible, or there is but one subset.
    let nothing = screen(&["--where", "volatility<0"]);
    assert!(nothing["top"] == json!([]) && nothing["distribution"].get("mean").is_none());
    assert!(screen(&["--max-correlation", "-0.99"])["rc_error"]["max"].is_null());
    assert!(schema.printed("screen", &["screen", &dated, "--returns", "-k", "4"])["halves"].is_null());
    let single = schema.printed("screen", &["screen", &dated, "--returns", "-k", "1"]);
    assert!(single["top"][0]["mean_correlation"].is_null());
    schema.printed("screen", &["screen", &hedge(&folder), "--returns", "-k", "2"]);
    let given = folder.write("covariance.csv", covariance(&matrix(), 4));
    let given = schema.printed("screen", &["screen", &given, "--covariance", "-k", "2"]);
    assert!(given["top"][0]["path"].is_null() && given["run"]["rows"].is_null());
    assert!(given["top"][0]["shrinkage"].is_null() && given["run"]["estimator"].is_null());
}

/// Where nothing is ever lost, there is no drawdown to divide by.
#[test]
fn an_infinite_figure_is_null() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let rising: Vec<f64> = returns(100, 3, 0.7, 3).iter().map(|r| r.abs()).collect();
    let data = folder.write("rising.csv", table(&rising, 3));
    let args = ["screen", &data, "--returns", "-k", "2", "--by", "calmar", "--periods-per-year", "252"];
    assert!(schema.printed("screen", &args)["top"][0]["path"]["calmar"].is_null());
}

#[test]
fn a_batch_is_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let (data, out) = (matrices(&folder), folder.name("weights.npy"));
    let batch =
        |data: &str, more: &[&str]| schema.printed("batch", &[&["batch", data, "-o", &out, "--force"], more].concat());
    assert_eq!(batch(&data, &CPU)["statuses"], json!(["converged", "invalid", "converged"]));
    assert!(batch(&data, &GPU)["crosscheck"].is_object());
    batch(&data, &["--budgets", "0=0.5,1=0.5,2=0,3=0"]);
    assert_eq!(batch(&data, &["--methods", "erc,equal-weight"])["methods"], json!({}));
    let all = batch(&data, &["--methods", "all"])["methods"].take();
    assert_eq!(names(&all), ["hrp", "inverse_volatility", "max_diversification", "min_variance"]);
    assert!(all["min_variance"]["statuses"]["invalid"] == 1 && all["inverse_volatility"]["statuses"].is_null());
    let nothing = folder.write("nothing.npy", npy(&[1, 4, 4], &[f64::NAN; 16]));
    assert!(batch(&nothing, &CPU)["rc_error"]["median"].is_null());
    let none = batch(&nothing, &["--methods", "all"]);
    assert_eq!(none["methods"]["hrp"]["certificate"], json!({}));
}

#[test]
fn a_backtest_is_as_the_page_says_whatever_it_has_no_number_for() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let (dated, undated) = (history(&folder, 300), undated(&folder));
    let of = |data: &str, args: &[&str]| {
        schema.printed("backtest", &[&["backtest", data, "--returns", "--lookback", "60"], args].concat())
    };
    let found = of(&dated, &["--fixed", "60/40:A0=0.6,A1=0.4", "--target-vol", "0.1", "--regime", "20"]);
    assert_eq!(found["strategies"].as_array().unwrap().len(), 8);
    // Twelve months are too few to compare Sharpe ratios, and a mix has no budgets.
    assert!(found["strategies"][0]["metrics"]["sharpe_difference"].is_null());
    assert!(found["strategies"][7]["metrics"]["risk_share_error"].is_null());
    let named = ["--period", "spring=2000-03..2000-05", "--period", "never=1990", "--cost-bps", "A0=1,*=5"];
    let found = of(&dated, &[&named[..], &["--rebalance", "never", "--methods", "equal-weight,hrp"]].concat());
    assert_eq!(found["periods"].as_array().unwrap().last().unwrap()["from"], Value::Null);
    let year = ["--periods-per-year", "250"];
    let limits = ["--max-weight", "0.4", "--lookback", "expanding", "--min-history", "40"];
    let found = schema.printed("backtest", &[&["backtest", &undated, "--returns"], &year[..], &limits].concat());
    assert!(found["kkt_error"].is_object() && found["rc_error"]["max"].is_null());
    assert_eq!(found["strategies"][0]["calendar_years"], json!([]));
    let directory = folder.name("backtest");
    let decaying =
        ["--rebalance", "monthly+3", "--estimator", "ewma", "--half-life", "30", "--grid", "half-life=20,30"];
    let found = of(&dated, &[&decaying[..], &["--grid", "lag=0,1", "-o", &directory]].concat());
    // Ten months are too few to tell luck.
    assert_eq!(found["grid"]["deflated"][0], json!({ "strategy": "erc" }));
    assert!(schema.recorded(&folder, "backtest")["shard"].is_null());
    schema.valid("verify", &equirisk(&["verify", &directory, "--json"]).succeeded().json()).unwrap();
    schema.printed("dry_run_backtest", &["backtest", &dated, "--returns", "--lookback", "60", "--dry-run"]);
}

#[test]
fn paths_of_a_backtest_are_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let of = |args: &[&str]| schema.printed("backtest", &[&YEARS[..], &["--seed", "1"], args].concat());
    let levered = of(&["--paths", "12", "--target-vol", "0.1", "--regime", "20"]);
    let (found, own) = (&levered["paths"], &levered["paths"]["strategies"][0]);
    // Twelve paths are too few to bracket a 5 % quantile.
    assert!(own["sharpe"]["mc_error"]["q50"].is_number() && own["sharpe"]["mc_error"]["q05"].is_null());
    assert!(own["volatility_to_target"].is_object() && found["threshold"].is_number());
    assert!(found["sensitivity"].as_array().unwrap().len() == 3 && found["wealth"].as_array().unwrap().len() == 2);
    assert!(levered["run"]["seed"] == 1 && levered["run"]["law"].is_string() && levered.get("fan").is_none());
    let single = of(&["--paths", "1", "--scheme", "moving"])["paths"].take();
    assert!(single["threshold"].is_null() && single["sensitivity"][0]["threshold"].is_null());
    assert!(single["strategies"][0]["cagr"]["sd"].is_null());
    assert!(single["strategies"][0]["volatility_to_target"].is_null());
    let rows = of(&["--paths", "2", "--scheme", "iid"])["paths"].take();
    assert!(rows["block_estimates"].is_null() && rows["sensitivity"] == json!([]));
    let hedged = schema.printed("backtest", &[&nowhere(&hedge(&folder))[..], &["--paths", "5"]].concat());
    assert!(hedged["paths"]["max_error"].is_null() && hedged["paths"]["beats"][0]["probability"].is_null());
    assert!(hedged["paths"]["strategies"][0]["sharpe"].is_null());
}

#[test]
fn fans_of_a_backtest_are_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let found = schema.printed("backtest", &[&YEARS[..], &["-B", "20", "--seed", "1"]].concat());
    let own = &found["fan"][0]["assets"][0];
    assert!(own["q05"].is_number() && own["same_direction"].is_number() && found.get("paths").is_none());
    schema.printed("backtest", &[&YEARS[..], &["-B", "20", "--fan-band", "--seed", "1"]].concat());
    let data = late(&folder);
    let late = ["backtest", &data, "--returns", "--lookback", "60", "-B", "5", "--seed", "1"];
    let late = schema.printed("backtest", &late);
    assert!(late["fan"][0]["assets"][3]["weight"].is_null() && late["fan"][0]["assets"][0]["q50"].is_number());
    let hedged = schema.printed("backtest", &[&nowhere(&hedge(&folder))[..], &["-B", "5"]].concat());
    assert!(hedged["fan"][0]["converged"] == 0 && hedged["fan"][0]["assets"][0]["same_direction"].is_null());
}

/// A backtest of a few rows in which no decision has a portfolio of risk budgeting.
fn nowhere(data: &str) -> Vec<&str> {
    let shared =
        "--returns --lookback 15 --rebalance every-5 --methods erc,equal-weight --periods-per-year 252 --seed 1";
    ["backtest", data].into_iter().chain(shared.split(' ')).collect()
}

/// Runs whole and in two parts, joins and verifies them.
fn kept(folder: &Folder, study: &str, args: &[&str], parts: [[&str; 2]; 2]) {
    let schema = Schema::of_the_page();
    let whole = folder.name(&format!("{study}_whole"));
    let printed = schema.printed(study, &[args, &["-o", &whole]].concat());
    let summary: Value = serde_json::from_str(&folder.read(&format!("{study}_whole/summary.json"))).unwrap();
    assert_eq!(summary, printed);
    assert!(schema.recorded(folder, &format!("{study}_whole"))["shard"].is_null());
    let mut merge = vec!["merge".to_owned()];
    for (at, part) in parts.iter().enumerate() {
        let directory = format!("{study}_{at}");
        let out = folder.name(&directory);
        schema.printed(&format!("share_{study}"), &[args, &part[..], &["-o", &out]].concat());
        assert!(schema.recorded(folder, &directory)["shard"].is_object());
        merge.push(out);
    }
    let joined = folder.name(&format!("{study}_joined"));
    merge.extend(["-o".to_owned(), joined.clone()]);
    let merge: Vec<&str> = merge.iter().map(String::as_str).collect();
    assert_eq!(schema.printed(study, &merge), printed);
    schema.recorded(folder, &format!("{study}_joined"));
    for directory in [&whole, &joined] {
        let run = equirisk(&["verify", directory, "--json"]).succeeded();
        schema.valid("verify", &run.json()).unwrap();
    }
}

#[test]
fn runs_their_parts_and_what_verifies_them_are_as_the_page_says() {
    let folder = Folder::new();
    let dated = history(&folder, 250);
    let bootstrap = ["bootstrap", &dated, "--returns", "-B", "50", "--seed", "1"];
    let halves = [["--shard", "0/2"], ["--shard", "1/2"]];
    kept(&folder, "bootstrap", &[&bootstrap[..], &CPU].concat(), [["--problems", "0..20"], ["--problems", "20..50"]]);
    let groups = folder.write("groups.csv", "asset,group\nA0,x\nA1,x\n");
    let screen =
        ["screen", &dated, "--returns", "-k", "2", "--include", "A3", "--groups", &groups, "--group-max", "x=1"];
    let again = ["--bootstrap-top", "2", "-B", "20", "--seed", "1", "--max-correlation", "0.9"];
    kept(&folder, "screen", &[&screen[..], &again, &CPU].concat(), halves);
    kept(
        &Folder::new(),
        "screen",
        &[&screen[..3], &["-k", "2", "--max-weight", "A0=0.5,A1=0.4,A2=0.6"]].concat(),
        halves,
    );
    let data = matrices(&folder);
    kept(&folder, "batch", &[&["batch", &data], &CPU[..]].concat(), halves);
}

#[test]
fn runs_of_other_methods_and_estimators_are_as_the_page_says() {
    let folder = Folder::new();
    let dated = history(&folder, 250);
    let halves = [["--shard", "0/2"], ["--shard", "1/2"]];
    let decaying = ["--estimator", "ewma", "--half-life", "30"];
    let bootstrap = ["bootstrap", &dated, "--returns", "-B", "50", "--seed", "1", "--no-sensitivity"];
    let others = ["--compare-estimators", "denoised,ewma"];
    kept(&folder, "bootstrap", &[&bootstrap[..], &ALL, &decaying, &others].concat(), halves);
    let screen = ["screen", &dated, "--returns", "-k", "2"];
    kept(&folder, "screen", &[&screen[..], &decaying].concat(), halves);
    let data = matrices(&folder);
    kept(&folder, "batch", &["batch", &data, "--methods", "all"], halves);
}

#[test]
fn runs_of_another_risk_are_as_the_page_says() {
    let folder = Folder::new();
    let dated = history(&folder, 250);
    let halves = [["--shard", "0/2"], ["--shard", "1/2"]];
    let bootstrap = ["bootstrap", &dated, "--returns", "-B", "30", "--seed", "1", "--no-sensitivity"];
    kept(&folder, "bootstrap", &[&bootstrap[..], &SHORTFALL].concat(), halves);
    let schema = Schema::of_the_page();
    let share: Value = serde_json::from_str(&folder.read("bootstrap_0/summary.json")).unwrap();
    assert_eq!(share["run"]["risk"], json!({"measure": "expected_shortfall", "level": 0.9, "centred": true}));
    let record = schema.recorded(&folder, "bootstrap_whole");
    assert_eq!(record["job"]["measure"], json!({"expected_shortfall": {"level": 0.9, "centred": true}}));
    assert_eq!(record["outcome"]["run"]["risk"], share["run"]["risk"]);
}

#[test]
fn runs_of_paths_and_of_a_fan_are_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let halves = [["--shard", "0/2"], ["--shard", "1/2"]];
    kept(&folder, "backtest", &[&YEARS[..], &["--paths", "8", "--seed", "1"], &CPU].concat(), halves);
    let out = folder.name("fan");
    schema.printed("backtest", &[&YEARS[..], &["-B", "20", "--fan-band", "--seed", "1", "-o", &out]].concat());
    let record = schema.recorded(&folder, "fan");
    assert!(record["job"]["fan"]["trades"] == true && record["job"]["paths"].is_null() && record["seed"] == 1);
    schema.valid("verify", &equirisk(&["verify", &out, "--json"]).succeeded().json()).unwrap();
}

#[test]
fn runs_on_a_device_are_as_the_page_says() {
    let folder = Folder::new();
    let dated = history(&folder, 250);
    let halves = [["--shard", "0/2"], ["--shard", "1/2"]];
    let bootstrap = ["bootstrap", &dated, "--returns", "-B", "50", "--seed", "1", "--crosscheck", "all"];
    kept(&folder, "bootstrap", &[&bootstrap[..], &GPU].concat(), halves);
    let screen = ["screen", &dated, "--returns", "-k", "2"];
    kept(&folder, "screen", &[&screen[..], &GPU].concat(), halves);
    let backtest = [&YEARS[..], &["--methods", "erc", "--rebalance", "yearly", "--seed", "1"], &GPU].concat();
    let schema = Schema::of_the_page();
    for drawn in [["--paths", "4"], ["-B", "20"]] {
        let found = schema.printed("backtest", &[&backtest[..], &drawn].concat());
        assert_eq!(found["run"]["engine"], "gpu");
    }
}

#[test]
fn the_record_of_a_run_that_was_killed_is_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let dated = history(&folder, 250);
    let args = ["bootstrap", &dated, "--returns", "-B", "2000000", "--seed", "1", "--engine", "cpu", "--quiet"];
    killed(&args, &folder.name("out"), 1);
    let record = schema.recorded(&folder, "out");
    assert!(record["finished"] == json!(false) && record["outcome"].is_null() && record["timings"].is_null());
}

#[test]
fn a_comparison_is_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let dated = history(&folder, 250);
    let run = |name: &str, data: &str, more: &[&str]| {
        let out = folder.name(name);
        let args = ["bootstrap", data, "--returns", "-B", "50", "--seed", "1", "--engine", "cpu", "-o", &out];
        schema.printed("bootstrap", &[&args[..], more].concat());
        out
    };
    let (first, fewer) = (run("first", &dated, &[]), run("fewer", &dated, &["--assets", "A0,A1"]));
    let hedged = run("hedged", &hedge(&folder), &[]);
    let decaying = run("decaying", &dated, &[&ALL[..], &["--estimator", "ewma", "--half-life", "30"]].concat());
    let semi = run("semi", &dated, &SEMI_DEVIATION);
    assert_eq!(schema.recorded(&folder, "semi")["job"]["measure"], "semi_deviation");
    let compare = |first: &str, second: &str| {
        let run = equirisk(&["compare", first, second, "--json"]).succeeded();
        let found = run.json();
        schema.valid("compare", &found).unwrap_or_else(|error| panic!("{error}"));
        found
    };
    assert!(compare(&first, &first)["configuration"] == json!([]));
    assert!(compare(&first, &fewer)["assets"][3]["second"].is_null());
    assert!(compare(&first, &hedged)["distance"].is_null());
    let changed = compare(&first, &decaying)["configuration"].take();
    let fields: Vec<&Value> = changed.as_array().unwrap().iter().map(|changed| &changed["field"]).collect();
    assert_eq!(fields, ["comparison.fixed", "comparison.methods", "estimator", "half_life"]);
    let changed = compare(&first, &semi)["configuration"].take();
    assert_eq!(changed, json!([{"field": "measure", "first": "volatility", "second": "semi_deviation"}]));
}

#[test]
fn dry_runs_are_as_the_page_says() {
    let (schema, folder) = (Schema::of_the_page(), Folder::new());
    let (dated, data) = (history(&folder, 250), matrices(&folder));
    let array = folder.write("returns.npy", npy(&[250, 4], &returns(250, 4, 0.7, 3)));
    let given = folder.write("covariance.csv", covariance(&matrix(), 4));
    let all = folder.name("all.parquet");
    let plan = |study: &str, args: &[&str]| {
        schema.printed(&format!("dry_run_{study}"), &[&[study], args, &["--dry-run"]].concat())
    };
    assert_eq!(plan("solve", &[])["assets"].as_array().unwrap().len(), 10);
    assert!(plan("solve", &[&array, "--returns"])["files"][0]["dates"].is_null());
    for engine in [CPU, GPU] {
        plan("bootstrap", &[&[&dated, "--returns", "-B", "50"], &engine[..]].concat());
        plan("batch", &[&[data.as_str()], &engine[..]].concat());
        let paths =
            plan("backtest", &[&YEARS[1..], &["--paths", "12", "--seed", "1"], &engine].concat())["paths"].take();
        assert!(paths["engine"] == engine[1] && paths["count"] == 12);
    }
    assert!(plan("backtest", &[&YEARS[1..], &["-B", "20", "--seed", "1"]].concat())["paths"].is_null());
    assert!(plan("screen", &[&dated, "--returns", "-k", "2"])["all_bytes"].is_null());
    let path = plan("screen", &[&dated, "--returns", "-k", "2", "--by", "sharpe", "--all", &all]);
    assert!(path["all_bytes"].is_number() && path["shortlist"].is_number());
    assert_eq!(plan("screen", &[&given, "--covariance", "-k", "2"])["files"], json!([]));
}

/// Where there is no adapter, there is JSON all the same.
#[test]
fn devices_are_as_the_page_says() {
    let found = equirisk(&["devices", "--json"]).json();
    Schema::of_the_page().valid("devices", &found).unwrap_or_else(|error| panic!("{error}"));
}
