//! How two jobs differ, in words.

use serde_json::Value;

use crate::wording::grouped;

/// Entries named in a message at most.
const MOST: usize = 3;

/// "size 3, now 2; top 50, now 10": the entries in which `asked` is not what `held` is.
pub fn difference(held: &Value, asked: &Value) -> String {
    if let (Some(held), Some(asked)) = (held["study"].as_str(), asked["study"].as_str())
        && held != asked
    {
        return format!("a {held}, now a {asked}");
    }
    let (mut found, mut others) = (Vec::new(), Vec::new());
    collect(held, asked, &mut found, &mut others);
    // What can be shown comes first, what has no room in a line last, once.
    others.dedup();
    found.extend(others.into_iter().map(|name| format!("other {name}")));
    if found.len() > MOST {
        let more = found.len() - MOST;
        found.truncate(MOST);
        found.push(format!("and {more} more"));
    }
    found.join("; ")
}

/// All entries in which two values differ, by their names in order, each with both; names of objects within others are
/// paths such as `run.engine`.
pub fn fields(first: &Value, second: &Value) -> Vec<(String, Value, Value)> {
    let mut names: Vec<&String> =
        first.as_object().into_iter().chain(second.as_object()).flat_map(serde_json::Map::keys).collect();
    names.sort_unstable();
    names.dedup();
    let mut found = Vec::new();
    for name in names {
        let (first, second) = (&first[name], &second[name]);
        if first.is_object() && second.is_object() {
            let inner = fields(first, second).into_iter();
            found.extend(inner.map(|(path, first, second)| (format!("{name}.{path}"), first, second)));
        } else if first != second {
            found.push((name.clone(), first.clone(), second.clone()));
        }
    }
    found
}

fn collect(held: &Value, asked: &Value, found: &mut Vec<String>, others: &mut Vec<String>) {
    let mut names: Vec<&String> =
        held.as_object().into_iter().chain(asked.as_object()).flat_map(serde_json::Map::keys).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (held, asked) = (&held[name], &asked[name]);
        if held == asked {
            continue;
        }
        if held.is_object() && asked.is_object() {
            collect(held, asked, found, others);
            continue;
        }
        let spelled = match name.as_str() {
            "returns_sha256" | "data_sha256" => "data".to_string(),
            "pools" => "constraints".to_string(),
            "least" | "most" => "bounds".to_string(),
            "measure" => "risk".to_string(),
            "rows" => "limits".to_string(),
            name => name.replace('_', " "),
        };
        match (shown(held), shown(asked)) {
            (Some(held), Some(asked)) if !name.ends_with("sha256") => {
                found.push(format!("{spelled} {held}, now {asked}"));
            }
            _ => others.push(spelled),
        }
    }
}

/// A value that has room in a line.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("none".to_string()),
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_string()),
        Value::Number(number) => Some(number.as_u64().map_or_else(|| number.to_string(), grouped)),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_named_with_both_values() {
        let held =
            json!({ "study": "s", "resamples": 10_000, "budgets": [1, 2], "again": { "block": "auto" }, "x": null });
        let with = |change: Value| {
            let mut asked = held.clone();
            asked.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            difference(&held, &asked)
        };
        assert_eq!(with(json!({ "resamples": 100 })), "resamples 10,000, now 100");
        assert_eq!(with(json!({ "budgets": [1], "x": 0.5 })), "x none, now 0.5; other budgets");
        assert_eq!(with(json!({ "again": { "block": "9" } })), "block auto, now 9");
        assert_eq!(with(json!({ "study": "t", "resamples": 100 })), "a s, now a t");
        let bounds = |most: f64| json!({ "bounds": { "least": [0.1 * most], "most": [most] } });
        assert_eq!(with(bounds(0.5)), "other bounds");
        assert_eq!(difference(&bounds(0.5), &bounds(0.4)), "other bounds");
        assert_eq!(
            with(json!({ "a": 1, "b": 2, "c": 3, "returns_sha256": "f" })),
            "a none, now 1; b none, now 2; c none, now 3; and 1 more"
        );
    }
}
