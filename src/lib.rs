//! How far can you trust a risk-parity portfolio?
//!
//! Solves thousands to millions of risk-budgeting problems at once, on the GPU (WGSL through wgpu, single precision
//! unless told otherwise) or the CPU (rayon, double precision), each with a certificate. The problem, its convex program
//! and its solver stand at the top of [`solver`]; the command line is described in the README.
//!
//! ```
//! use equirisk::engine::cpu::CpuEngine;
//! use equirisk::{Batch, Status};
//!
//! // Two problems of two assets: volatilities 10 % and 20 %, correlations 0 and -1.
//! let covariances = vec![0.01, 0.0, 0.0, 0.04, 0.01, -0.02, -0.02, 0.04];
//! let budgets = [0.5, 0.5];
//! let solutions = Batch::given(covariances, &budgets)?.solve(&CpuEngine::default())?;
//!
//! // Two assets with equal budgets are weighted by inverse volatility.
//! assert_eq!(solutions.certificates[0].status, Status::Converged);
//! assert!((solutions.weights[0] - 2.0 / 3.0).abs() < 1e-8);
//! // A perfect hedge has no risk to share.
//! assert_eq!(solutions.certificates[1].status, Status::NoSolution);
//! # Ok::<(), equirisk::Error>(())
//! ```
//!
//! # The one idea
//!
//! *A job is a pure function from a problem's index to its certified solution.* A [`Batch`] is a recipe (a
//! [`batch::Source`] with budgets) that builds problem `p` anywhere, on any device, in any order. Chunks, shards, rescues, cross-checks
//! and reproducibility follow from that. No path, covariance or random state is ever stored for all problems.
//!
//! # Layers
//!
//! Imports point down only; siblings do not know each other.
//!
//! | layer | what it does |
//! |---|---|
//! | `main`, `cli` (the binary) | the user's words: parse, call, print, exit code |
//! | [`report`] | outcomes to terminal tables, run directories and pages of charts |
//! | [`study`] | a question -> batch ... solutions -> statistics |
//! | [`run`] | chunks in index order, kept, resumed and joined; rescue and cross-check, which need both engines |
//! | [`engine`] | the only seam, trait [`engine::Engine`]: a range of problem indices -> [`batch::Block`] |
//! | [`store`] | what is kept of finished chunks |
//! | [`batch`] | what every engine agrees on: source, budgets and what is asked |
//! | [`solver`] | one problem, slices in, weights and certificate out |
//! | [`covariance`], [`sampling`], [`resample`], [`block_length`], [`subsets`] | building problem `p` |
//! | [`mod@measure`] | what is measured of a subset's portfolio |
//! | [`panel`], [`io`] | histories: files to checked returns |
//! | [`stats`], [`philox`], [`feistel`], [`real`], [`lanes`], [`certificate`], [`stop`], [`error`] | leaves |
//!
//! wgpu appears in [`engine::gpu`] alone. `study` and `solver` know no file format and no command line.
//!
//! # How a bootstrap flows
//!
//! 1. [`io`] turns bytes into [`panel::Returns`], or an error that says where. [`panel::Panel`] centres and scales them
//!    once, in f64.
//! 2. [`study::bootstrap`] fixes the block length and with it the [`resample::Law`]: seed and resample number -> rows.
//! 3. [`run::run`] cuts `0..B` into chunks and hands those that a [`store::Checkpoint`] does not hold yet to an engine, in
//!    order. A run that was interrupted, a shard and the union of all shards differ only in what is held.
//! 4. The engine takes each problem through the stages below. Certificates come back with the weights.
//! 5. What a GPU did not converge, [`run`] solves again on the CPU, from the recipe on. [`run::crosscheck`] does the
//!    same with a sample of the rest, and compares.
//! 6. The study folds the converged problems into statistics; [`report`] prints them.
//!
//! # Stages and their twins
//!
//! A stage has one name: shader, Rust twin, pipeline label and test share it. Both keep the same variables in the same
//! order.
//!
//! | stage | what it makes | Rust | WGSL (`shaders/`) |
//! |---|---|---|---|
//! | `draw` | the rows of resample `p`, as counts or where these change; the assets of subset `p` | [`resample`]; [`subsets`] | `draw*.wgsl`, `subset.wgsl`, `philox.wgsl` |
//! | `moments` | second moments of the drawn rows | [`covariance`]; [`covariance::gram`], [`covariance::bridge`] | `moments*.wgsl` |
//! | `correlate` | correlations and volatilities | [`covariance`]; [`covariance::interleaved`] | `correlate*.wgsl` |
//! | `descend` | the weights | [`solver::descent`]; [`solver::interleaved`] | `descend*.wgsl` |
//! | `certify` | `rc_error` and `kappa`, in fresh arithmetic | [`solver::certificate`]; [`solver::interleaved`] | `certify*.wgsl` |
//! | `measure` | figures of a subset's portfolio, small ones drawn and solved in one go | [`solver::small`]; [`mod@measure`] | `measure*.wgsl` |
//!
//! The first module named is the twin, generic over the number type; those after the semicolon are the CPU engine's forms
//! for vector arithmetic, most of them with eight problems side by side ([`lanes`]).
//!
//! Without a shader, in f64 on the CPU only: [`solver::newton`], [`solver::existence`], [`solver::validity`].
//!
//! # Numbers that must agree
//!
//! - Rows are equal, bit for bit, on every device: the index law is integers only, on a counter-based generator.
//! - Weights are equal, bit for bit, on one adapter and driver, whatever the chunks, the threads and the memory, and
//!   whatever B: a larger B extends a smaller one.
//! - Across engines weights agree to single precision ([`run::crosscheck::WEIGHT_TOLERANCE`]).
//! - Certificates are at most the tolerance: 1e-8 on the CPU ([`solver::Options`]), 1e-5 on the GPU
//!   ([`engine::gpu::ACCEPTANCE`]), 1e-8 again in double precision ([`engine::Precision`]).
//! - Multiplying all returns by a power of two changes no weight at all.

pub mod batch;
pub mod block_length;
pub mod certificate;
pub mod covariance;
pub mod engine;
pub mod error;
pub mod feistel;
pub mod io;
pub mod lanes;
pub mod measure;
pub mod observer;
pub mod panel;
pub mod philox;
pub mod real;
pub mod report;
pub mod resample;
pub mod run;
pub mod sampling;
pub mod solver;
pub mod stats;
pub mod stop;
pub mod store;
pub mod study;
pub mod subsets;

pub use batch::{Batch, Request, Solutions};
pub use certificate::{Certificate, Status};
pub use error::{Error, ErrorKind, Result};

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
