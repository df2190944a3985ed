//! How often do the bands of weights hold the true weight? Simulated histories whose truth is known.
//!
//! usage: cargo bench --bench coverage [-- HISTORIES]
//!
//! Of each world and length, 200 histories unless told otherwise; the share of true weights within the 90 % band of a
//! bootstrap of 1,000 resamples (blocks chosen by the program, and single rows), and within the robust band.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "the table is what it is for; it ends where it fails")]

use equirisk::RiskMeasure;
use equirisk::covariance::Estimator;
use equirisk::engine::cpu::CpuEngine;
use equirisk::observer::Unwatched;
use equirisk::resample::Scheme;
use equirisk::run::Context;
use equirisk::run::crosscheck::Sample;
use equirisk::store::Checkpoint;
use equirisk::study::block::Block;
use equirisk::study::bootstrap::{Config, Outcome, bootstrap};
use rayon::prelude::*;

#[path = "../tests/suite/worlds.rs"]
mod worlds;

use worlds::{ASSETS, World};

const LENGTHS: [usize; 2] = [750, 2520];
const HISTORIES: u64 = 200;
const RESAMPLES: u64 = 1000;

fn main() {
    let number = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let histories = number.unwrap_or(HISTORIES);
    println!("| world | rows | bootstrap, blocks | single rows | robust |\n|---|---|---|---|---|");
    for world in World::ALL {
        let truth = world.truth();
        for rows in LENGTHS {
            let inside = (0..histories).into_par_iter().map(|seed| {
                let blocks = study(world, rows, seed, Scheme::Stationary);
                let single = study(world, rows, seed, Scheme::Iid);
                let count = |held: &dyn Fn(usize) -> bool| (0..ASSETS).filter(|&i| held(i)).count();
                let resampled = |outcome: &Outcome| {
                    let weight = |i: usize| &outcome.assets[i].weight;
                    count(&|i| (weight(i).q05..=weight(i).q95).contains(&truth[i]))
                };
                let robust = count(&|i| {
                    blocks.assets[i].robust.is_some_and(|band| (band.lower..=band.upper).contains(&truth[i]))
                });
                [resampled(&blocks), resampled(&single), robust]
            });
            let inside = inside.reduce(|| [0; 3], |a, b| std::array::from_fn(|k| a[k] + b[k]));
            let [blocks, single, robust] = inside.map(|count| count as f64 / (histories as usize * ASSETS) as f64);
            println!("| {world:?} | {rows} | {blocks:.3} | {single:.3} | {robust:.3} |");
        }
    }
}

fn study(world: World, rows: usize, seed: u64, scheme: Scheme) -> Outcome {
    let config = Config {
        resamples: RESAMPLES,
        scheme,
        block: Block::Auto,
        seed,
        crosscheck: Sample::Count(0),
        sensitivity: false,
        periods_per_year: None,
        windows: 8,
        estimator: Estimator::Sample,
        measure: RiskMeasure::Volatility,
    };
    let engine = &CpuEngine::default();
    let context = &mut Context { engine, store: &mut Checkpoint::none(), observer: &mut Unwatched };
    bootstrap(&world.history(rows, seed), &[1.0; ASSETS], &config, context).unwrap()
}
