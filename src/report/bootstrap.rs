//! Texts of a bootstrap study: `assets.csv`, `days.csv`, `rolling.csv` and `report.html` beside the summary.

use super::table::{csv_of, maybe, number};
use super::{Shown, html};
use crate::error::Result;
use crate::report::sentence::bootstrap::sentence;
use crate::report::terminal::{self, View};
use crate::report::words;
use crate::store::origin::Origin;
use crate::study::bootstrap::Outcome;
use crate::study::change::Banded;
use crate::study::statistics::asset::Asset;
use crate::study::statistics::distribution::Statistics;

const ASSETS: &str = "assets.csv";
const DAYS: &str = "days.csv";
const ROLLING: &str = "rolling.csv";

impl Shown for Outcome {
    fn table(&self, view: View) -> String {
        terminal::bootstrap(self, view)
    }

    fn texts(&self, origin: &Origin, view: View) -> Result<Vec<(&'static str, String)>> {
        Ok(vec![
            (ASSETS, assets_csv(self)?),
            (DAYS, days_csv(self)?),
            (ROLLING, rolling_csv(self)?),
            (super::REPORT, html::bootstrap(self, origin, view)),
        ])
    }

    fn sentence(&self) -> Option<String> {
        Some(sentence(self))
    }

    fn notes(&self, view: View) -> Vec<String> {
        let said = self.notes.iter().map(|note| view.text(note.clone()));
        said.chain(words::bounds(self)).chain(words::wider(&self.assets)).chain(words::short_windows(self)).collect()
    }
}

/// One line per asset: the weight's distribution, its Monte Carlo errors, the realised risk share, the robust band, and the
/// weights of the two halves.
fn assets_csv(outcome: &Outcome) -> Result<String> {
    let statistics = ["mean", "sd", "q025", "q05", "q25", "q50", "q75", "q95", "q975"];
    let mut header: Vec<String> = ["asset", "budget", "point"].map(String::from).to_vec();
    header.extend(statistics.map(String::from));
    header.extend(
        ["bias", "mean_rank", "rank_sd", "p_rank_1", "p_rank_3", "p_rank_5", "p_double", "p_half"].map(String::from),
    );
    header.extend(statistics.map(|s| format!("mc_error_{s}")));
    header.extend(["mean", "sd", "q05", "q50", "q95"].map(|s| format!("realised_risk_share_{s}")));
    header.extend(["robust_se", "robust_lower", "robust_upper"].map(String::from));
    header.extend(["first_half", "second_half", "half_difference", "half_se"].map(String::from));
    let limited = outcome.run.limits.is_some();
    if limited {
        header.extend(["at_min", "at_max", "unlimited_mean", "unlimited_sd"].map(String::from));
    }
    let shares = &outcome.methods.own().realised.shares;
    let record = |asset: &Asset| {
        let columns = |w: &Statistics| [w.mean, w.sd, w.q025, w.q05, w.q25, w.q50, w.q75, w.q95, w.q975].map(number);
        let mut record = vec![asset.name.clone(), number(asset.budget), maybe(asset.point)];
        record.extend(columns(&asset.weight));
        record.extend([maybe(asset.bias), number(asset.mean_rank), number(asset.rank_sd)]);
        record.extend(
            [1, 3, 5].map(|k| maybe(asset.rank_probabilities.iter().find(|p| p.k == k).map(|p| p.probability))),
        );
        record.extend([maybe(asset.p_double), maybe(asset.p_half)]);
        record.extend(columns(&asset.mc_error));
        record.extend(match shares.iter().find(|share| share.name == asset.name) {
            Some(s) => [s.summary.mean, s.summary.sd, s.summary.q05, s.summary.q50, s.summary.q95].map(number),
            None => [const { String::new() }; 5],
        });
        record.extend(match asset.robust {
            Some(band) => [band.se, band.lower, band.upper].map(number),
            None => [const { String::new() }; 3],
        });
        record.extend(match asset.halves {
            Some(half) => [half.first, half.second, half.difference, half.se].map(number),
            None => [const { String::new() }; 4],
        });
        if limited {
            let free = asset.unlimited;
            record
                .extend([asset.at_min, asset.at_max, free.map(|free| free.mean), free.map(|free| free.sd)].map(maybe));
        }
        record
    };
    csv_of(ASSETS, std::iter::once(header).chain(outcome.assets.iter().map(record)))
}

/// The periods that decide most, the first most of all.
fn days_csv(outcome: &Outcome) -> Result<String> {
    let header = ["date", "asset", "influence"].map(String::from).to_vec();
    let records = outcome.days.iter().map(|day| vec![day.date.clone(), day.asset.clone(), number(day.influence)]);
    csv_of(DAYS, std::iter::once(header).chain(records))
}

/// One line per window that overlaps others and asset: the weight with its robust band.
fn rolling_csv(outcome: &Outcome) -> Result<String> {
    let header = ["last_row", "asset", "weight", "lower", "upper"].map(String::from).to_vec();
    let solved: Vec<&Asset> = outcome.assets.iter().filter(|asset| asset.budget > 0.0).collect();
    let windows = outcome.rolling.iter().flat_map(|rolling| rolling.ends.iter().zip(&rolling.bands));
    let records = windows.flat_map(|(end, bands)| {
        let record = |(asset, at): (&&Asset, &Banded)| {
            vec![end.clone(), asset.name.clone(), number(at.weight), number(at.lower), number(at.upper)]
        };
        solved.iter().zip(bands).map(record).collect::<Vec<_>>()
    });
    csv_of(ROLLING, std::iter::once(header).chain(records))
}
