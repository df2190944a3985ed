//! Texts of a bootstrap study: `assets.csv` and `report.html` beside the summary.

use super::{Shown, html};
use crate::error::{Error, Result};
use crate::methods::Method;
use crate::report::sentence::sentence;
use crate::report::terminal::{self, View};
use crate::report::words;
use crate::store::origin::Origin;
use crate::study::bootstrap::Outcome;
use crate::study::statistics::asset::WeightStatistics;

const ASSETS: &str = "assets.csv";

impl Shown for Outcome {
    fn table(&self, view: View) -> String {
        terminal::bootstrap(self, view)
    }

    fn texts(&self, origin: &Origin, view: View) -> Result<Vec<(&'static str, String)>> {
        Ok(vec![(ASSETS, assets_csv(self)?), (super::REPORT, html::bootstrap(self, origin, view))])
    }

    fn sentence(&self) -> Option<String> {
        Some(sentence(self))
    }

    fn notes(&self, view: View) -> Vec<String> {
        let said = self.notes.iter().map(|note| view.text(note.clone()));
        said.chain(words::wider(&self.assets)).collect()
    }
}

/// One line per asset: the weight's distribution, its Monte Carlo errors, the realised risk share, and the robust band.
fn assets_csv(outcome: &Outcome) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Error::failed(format!("`{ASSETS}` cannot be written: {error}"));
    let statistics = ["mean", "sd", "q025", "q05", "q25", "q50", "q75", "q95", "q975"];
    let mut header: Vec<String> = ["asset", "budget", "point"].map(String::from).to_vec();
    header.extend(statistics.map(String::from));
    header.extend(
        ["bias", "mean_rank", "rank_sd", "p_rank_1", "p_rank_3", "p_rank_5", "p_double", "p_half"].map(String::from),
    );
    header.extend(statistics.map(|s| format!("mc_error_{s}")));
    header.extend(["mean", "sd", "q05", "q50", "q95"].map(|s| format!("realised_risk_share_{s}")));
    header.extend(["robust_se", "robust_lower", "robust_upper"].map(String::from));
    writer.write_record(&header).map_err(failed)?;
    // Shortest text that reads back to the same number; nothing where there is none.
    let number = |x: f64| if x.is_finite() { x.to_string() } else { String::new() };
    let maybe = |x: Option<f64>| x.map_or(String::new(), number);
    for asset in &outcome.assets {
        let columns =
            |w: &WeightStatistics| [w.mean, w.sd, w.q025, w.q05, w.q25, w.q50, w.q75, w.q95, w.q975].map(number);
        let mut record = vec![asset.name.clone(), number(asset.budget), maybe(asset.point)];
        record.extend(columns(&asset.weight));
        record.extend([maybe(asset.bias), number(asset.mean_rank), number(asset.rank_sd)]);
        record.extend(
            [1, 3, 5].map(|k| maybe(asset.rank_probabilities.iter().find(|p| p.k == k).map(|p| p.probability))),
        );
        record.extend([maybe(asset.p_double), maybe(asset.p_half)]);
        record.extend(columns(&asset.mc_error));
        let share =
            outcome.methods.of(Method::RiskBudgeting).realised.shares.iter().find(|share| share.name == asset.name);
        record.extend(match share {
            Some(s) => [s.summary.mean, s.summary.sd, s.summary.q05, s.summary.q50, s.summary.q95].map(number),
            None => [const { String::new() }; 5],
        });
        record.extend(match asset.robust {
            Some(band) => [band.se, band.lower, band.upper].map(number),
            None => [const { String::new() }; 3],
        });
        writer.write_record(&record).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Error::failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Error::failed(error.to_string()))
}
