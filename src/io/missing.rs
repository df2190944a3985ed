//! What becomes of missing cells. They are never filled in.

use crate::error::{Error, Result, option};
use crate::io::history::History;
use crate::io::lives::{self, has_cell};
use crate::io::{Kind, Notices, count, listed, shown};

/// What becomes of a history with missing cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// Keep the rows in which every asset has a cell. A return made from prices may then span a gap.
    #[default]
    CompleteRows,
    /// Keep the assets that have a cell in every row (rows without any cell are left out first).
    ExcludeAssets,
    /// Refuse the history.
    Error,
    /// For backtests: an asset lives from its first cell to its last. Keep the rows in which every living asset has a cell;
    /// returns are NaN before and after a life. A return made from prices may then span a gap; in a history of returns a
    /// gap within a life is an error, as a period cannot be skipped.
    LifeSpans,
}

/// What is done about missing cells; the last column may be cash, which is no asset.
pub(crate) fn apply(history: &mut History, rule: Missing, kind: Kind, has_cash: bool) -> Result<Notices> {
    let n = history.assets.len();
    let Some(first) = history.values.iter().position(|value| value.is_nan()) else { return Ok(Notices::new()) };
    let assets = n - usize::from(has_cash);
    match rule {
        Missing::CompleteRows => complete_rows(history),
        Missing::LifeSpans => lives::keep(history, kind, assets),
        Missing::ExcludeAssets => {
            let mut notices = exclude_assets(history, assets)?;
            if has_cash {
                let assets = history.assets.len() - 1;
                notices.extend(lives::keep(history, kind, assets)?);
            }
            Ok(notices)
        }
        Missing::Error => {
            Err(Error::input(format!("{}: missing cell", history.place(first / n, first % n))).hint(format!(
                "use {} or exclude-assets, or shorten the dates with {} and {}",
                option("missing").word("complete-rows"),
                option("from"),
                option("to")
            )))
        }
    }
}

fn complete_rows(history: &mut History) -> Result<Notices> {
    let before = history.rows();
    let complete: Vec<usize> = (0..before).filter(|&row| !history.row(row).iter().any(|x| x.is_nan())).collect();
    let costs = costs(history, &gaps(history));
    if complete.is_empty() {
        return Err(Error::input(format!(
            "{}: none of {} has a cell for every asset; {costs}",
            history.source,
            count(before, "row")
        ))
        .hint(format!(
            "use {}, or leave assets out with {}",
            option("missing").word("exclude-assets"),
            option("assets")
        )));
    }
    history.take(&complete);
    Ok(vec![
        format!(
            "{}: {} of {before} rows left out for missing cells, {} kept ({}); {costs}",
            history.source,
            before - complete.len(),
            complete.len(),
            history.span()
        )
        .into(),
    ])
}

fn exclude_assets(history: &mut History, assets: usize) -> Result<Notices> {
    let mut notices = Notices::new();
    let before = history.rows();
    let traded: Vec<usize> = (0..before).filter(|&row| has_cell(history, row, assets)).collect();
    if traded.len() < before {
        let empty = count(before - traded.len(), "row");
        notices.push(format!("{}: {empty} of {before} left out: no asset has a cell there", history.source).into());
        history.take(&traded);
    }
    let gaps = gaps(history);
    let (mut kept, left): (Vec<usize>, Vec<usize>) = (0..assets).partition(|&asset| gaps[asset] == 0);
    if kept.is_empty() {
        let costs = costs(history, &gaps[..assets]);
        return Err(Error::input(format!("{}: every asset has missing cells; {costs}", history.source)).hint(format!(
            "use {}, or shorten the dates with {} and {}",
            option("missing").word("complete-rows"),
            option("from"),
            option("to")
        )));
    }
    if !left.is_empty() {
        let names = listed(left.iter().map(|&asset| history.assets[asset].as_str()));
        let some = count(left.len(), "asset");
        notices.push(format!("{}: {some} of {assets} left out for missing cells: {names}", history.source).into());
        // Cash stays.
        kept.extend(assets..history.assets.len());
        history.take_assets(&kept);
    }
    Ok(notices)
}

/// Missing cells per asset.
fn gaps(history: &History) -> Vec<usize> {
    let mut gaps = vec![0; history.assets.len()];
    for row in 0..history.rows() {
        for (gap, value) in gaps.iter_mut().zip(history.row(row)) {
            *gap += usize::from(value.is_nan());
        }
    }
    gaps
}

/// The assets that cost most rows: "most are missing in `KO` (80, starts 2019-09-25), `CVX` (80, starts 2019-09-25)"
pub(super) fn costs(history: &History, gaps: &[usize]) -> String {
    const MOST: usize = 3;
    let most = gaps.iter().copied().max().unwrap_or(0);
    let worst: Vec<usize> = (0..gaps.len()).filter(|&asset| gaps[asset] == most).collect();
    let mut list = Vec::new();
    for &asset in worst.iter().take(MOST) {
        let present: Vec<usize> = (0..history.rows()).filter(|&row| !history.row(row)[asset].is_nan()).collect();
        let life = match (present.first(), present.last()) {
            (Some(&first), Some(&last)) => {
                let starts = (first > 0).then(|| format!(", starts {}", history.label(first)));
                let ends = (last + 1 < history.rows()).then(|| format!(", ends {}", history.label(last)));
                starts.unwrap_or_default() + &ends.unwrap_or_default()
            }
            _ => ", empty".to_string(),
        };
        list.push(format!("`{}` ({most}{life})", shown(&history.assets[asset])));
    }
    let others = worst.len().saturating_sub(MOST);
    let others = if others == 0 { String::new() } else { format!(" and {others} more") };
    format!("most are missing in {}{others}", list.join(", "))
}
