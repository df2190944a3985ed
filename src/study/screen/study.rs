//! The screen as a [`Study`].

use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::passing::{Asked, passing};
use super::sample::{Admission, SIZE};
use super::universe::Screenable;
use super::verify::{Listed, verify};
use super::{AGAIN, Config, LAST_OF_PART, Outcome, Question, Share, Sink, Spec, allows_some, check, part, screen};
use crate::batch::part::{Part, scaled};
use crate::engine::EngineInfo;
use crate::error::{Error, Result};
use crate::measure::Metric;
use crate::observer::Observer;
use crate::panel::Returns;
use crate::run::Context;
use crate::run::chunks::PIECE;
use crate::run::crosscheck::{CrossCheck, Sample};
use crate::stop::Stop;
use crate::store::manifest::Manifest;
use crate::store::{Checkpoint, directory, history};
use crate::study::protocol::{Ending, Study};
use crate::study::winners;
use crate::subsets::Subsets;
use crate::subsets::cap::Cap;

/// A screen, and what became of its winners on resamples of the history.
#[derive(Debug, Clone, Serialize)]
pub struct Screened {
    #[serde(flatten)]
    pub outcome: Outcome,
    pub bootstrap: Option<winners::Outcome>,
}

/// A screen, ready to be solved.
#[derive(Debug)]
pub struct Screen {
    spec: Spec,
    config: Config,
    seed: Option<u64>,
    screenable: Screenable,
    subsets: Subsets,
    problems: u64,
}

impl Screen {
    /// As [`Study::whole`], and hands these metrics of every subset to `sink` on the way: they are kept, too.
    ///
    /// # Errors
    /// As [`Study::whole`], and what the sink says.
    pub fn whole_with(&self, also: &[Metric], context: &mut Context, sink: &mut Sink) -> Result<Screened> {
        let question = self.question();
        let config = Config { also: also.to_vec(), ..self.config.clone() };
        let mut outcome = screen(&question, self.problems, &config, context, sink)?;
        let bootstrap = match (self.spec.bootstrap, question.returns, question.simple) {
            (Some(again), Some(returns), Some(simple)) if !outcome.winners.is_empty() => {
                let config = winners::Config {
                    resamples: again.resamples,
                    scheme: again.scheme,
                    block: again.block,
                    seed: self.seed.unwrap_or_default(),
                    estimator: question.estimator,
                    periods_per_year: question.periods_per_year,
                    bounds: question.bounds,
                    number: AGAIN,
                };
                let count = outcome.winners.len().min(again.winners);
                let winners = &outcome.winners[..count];
                let all = self.reselected(again.resamples, &context.observer.stop())?;
                let all = all.as_ref().map(|(sets, resamples)| (&sets[..], *resamples));
                Some(winners::winners((returns, simple), winners, all, outcome.run.by, &config, context)?)
            }
            _ => None,
        };
        // No more of them listed than were asked for.
        outcome.top.truncate(self.spec.config.top);
        Ok(Screened { outcome, bootstrap })
    }

    /// The subsets that the best are chosen from again on resamples, and on how many: those within the cap and the bounds of
    /// weights that keep all bounds on the whole history. None where that is too much.
    fn reselected(&self, resamples: u64, stop: &Stop) -> Result<Option<(Vec<Vec<u32>>, u64)>> {
        let Some(resamples) = self.reselections(resamples) else { return Ok(None) };
        let question = self.question();
        let cap = question.max_correlation.map(|largest| Cap::new(&question.universe.model().correlation, largest));
        let admission = Admission { cap: cap.as_ref(), bounds: question.bounds };
        let mut sets = Vec::new();
        self.subsets.visit(0..self.problems, |rank, assets| {
            if admission.admits(assets) {
                sets.push((rank, assets.to_vec()));
            }
        });
        let asked = Asked { question: &question, filters: &self.config.filters, figure: None, paths: false };
        let kept = passing(&asked, &sets, stop)?;
        Ok(Some((kept.into_iter().map(|finalist| finalist.assets).collect(), resamples)))
    }

    /// Resamples on which the best are chosen again; none where that is too much.
    fn reselections(&self, resamples: u64) -> Option<u64> {
        let rows = self.screenable.returns.as_ref().map_or(0, Returns::rows);
        winners::affordable(self.problems, self.subsets.size(), rows, self.config.by, resamples)
    }

    pub fn question(&self) -> Question<'_> {
        self.screenable.question(&self.spec, &self.subsets)
    }

    pub fn config(&self) -> &Config {
        &self.config
    }
}

impl Study for Screen {
    type Spec = Spec;
    type Data = Returns;
    type Outcome = Screened;
    type Share = Share;

    const NAME: &'static str = "screen";
    const NOUN: &'static str = "subset";
    const PIECE: u64 = PIECE;
    const FILES: &'static [&'static str] = &["top.csv", "list.csv", "histogram.csv", "inclusion.csv", "report.html"];
    const DATA: Option<&'static str> = Some(history::NAME);
    const LAST_OF_PART: u32 = LAST_OF_PART;
    const SOLVES_JOINED: bool = true;

    fn prepare(spec: &Spec, seed: Option<u64>, data: Returns, _: &mut dyn Observer) -> Result<Self> {
        let (subsets, problems) = spec.subsets(seed, data.assets.len())?;
        if let Some(bounds) = &spec.bounds {
            allows_some(bounds, subsets.space())?;
        }
        let screenable = Screenable::of(data, spec)?;
        let config = spec.config();
        check(&screenable.question(spec, &subsets), &config)?;
        Ok(Screen { spec: spec.clone(), config, seed, screenable, subsets, problems })
    }

    fn problems(&self) -> u64 {
        self.problems
    }

    fn work(&self, range: &Range<u64>, part: bool) -> u64 {
        let own = range.end - range.start;
        // Of the halves, the sample and the list.
        let halves = self.config.halves && self.screenable.returns.is_some();
        let share = scaled(range, self.problems, self.problems.min(SIZE));
        let sample = if halves { 2 * (share.end - share.start) } else { 0 };
        if part {
            return own + sample;
        }
        let list = if halves { 2 * (self.config.top as u64).min(self.problems) } else { 0 };
        let again = self
            .spec
            .bootstrap
            .map_or(0, |again| again.resamples.saturating_mul((again.winners as u64).min(self.problems)));
        let asked = self.spec.bootstrap.and_then(|again| self.reselections(again.resamples));
        let reselected = asked.map_or(0, |resamples| resamples.saturating_mul(self.problems));
        own.saturating_add(sample + list).saturating_add(again).saturating_add(reselected)
    }

    fn whole(&self, context: &mut Context) -> Result<Screened> {
        self.whole_with(&[], context, &mut |_, _, _| Ok(()))
    }

    fn part(&self, share: Part, context: &mut Context) -> Result<Share> {
        part(&self.question(), self.problems, &self.config, share, context)
    }

    fn shared(share: &Share) -> Ending {
        let disagreements = share.crosscheck.map_or(0, |checked| checked.disagreements);
        Ending { solves: share.solves, disagreements, part: true }
    }

    fn ending(found: &Screened) -> Ending {
        let disagreements = found.outcome.crosscheck.map_or(0, |checked| checked.disagreements);
        Ending { solves: found.outcome.solves, disagreements, part: false }
    }

    fn state(found: &Screened) -> Value {
        let outcome = &found.outcome;
        serde_json::json!({
            "run": outcome.run,
            "range": [0, outcome.subsets.screened],
            "solves": outcome.solves,
            "crosscheck": outcome.crosscheck,
        })
    }

    fn state_of_part(share: &Share) -> Value {
        serde_json::json!({ "range": share.range, "solves": share.solves, "crosscheck": share.crosscheck })
    }

    fn write(&self, _: &Screened, _: &mut Checkpoint, _: &mut dyn Observer, _: &Path) -> Result<()> {
        Ok(())
    }

    fn keep(data: &Returns, directory: &Path) -> Result<()> {
        history::write(&directory.join(history::NAME), data)
    }

    fn data(_: &Manifest, spec: &Spec, directory: &Path) -> Result<Returns> {
        history::read_known(&directory.join(history::NAME), &spec.data_sha256)
    }

    fn verify(&self, _: &EngineInfo, _: Sample, directory: &Path) -> Result<CrossCheck> {
        Ok(verify(&self.question(), self.problems, self.config.by, &read_top(directory)?))
    }
}

/// The list of a finished screen.
fn read_top(directory: &Path) -> Result<Vec<Listed>> {
    #[derive(Deserialize)]
    struct Summary {
        top: Vec<Listed>,
    }
    let path = directory.join(directory::SUMMARY);
    let wrong = |what: String| Error::input(format!("`{}` cannot be read: {what}", path.display()));
    let text = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice::<Summary>(&text).map(|summary| summary.top).map_err(|error| wrong(error.to_string()))
}
