//! How far can you trust a risk-parity portfolio?
//!
//! Solves thousands to millions of risk-budgeting problems at once, on the GPU (WGSL through wgpu, single precision
//! unless told otherwise) or the CPU (rayon, double precision), each with a certificate. The problem, its convex program
//! and its solver stand at the top of [`methods::risk_budgeting`]; the command line is described in the README.
//!
//! ```
//! use equirisk::{Batch, CpuEngine, Status};
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
//! *A job is a pure function from a problem's index to its certified result.* A [`Batch`] is a recipe that builds problem
//! `p` anywhere, on any device, in any order: set of assets `p % A` of covariance `p / A`. Chunks, parts, rescues,
//! cross-checks and reproducibility follow from that. No path, covariance or random state is ever stored for all problems.
//!
//! # The names that a user needs
//!
//! | | |
//! |---|---|
//! | problems | [`Batch`] of a [`Source`]: [`Covariances`] (given, known, or estimated from [`Rows`] of a [`Panel`] by a [`Law`]) and [`Assets`] of each |
//! | asked, and what comes back | [`Request`], [`Block`], [`Solutions`], [`Certificate`], [`Status`], [`Metric`] |
//! | where it is solved | [`Engine`]: [`CpuEngine`], `GpuEngine`; [`Wish`] and [`choose`] take what pays |
//! | how it is watched, kept and stopped | [`Observer`], [`Stop`], [`Checkpoint`], [`Context`] |
//! | studies | [`study::bootstrap`], [`study::screen`], [`study::solve`], `study::given`; runs in directories: `runs` |
//! | data | [`Returns`], [`Labels`], [`RiskModel`]; files and tables: `io` |
//! | what goes wrong | [`Error`], [`ErrorKind`], [`Hint`] |
//!
//! Features: `files` (histories and matrices in files, run directories), `report` (tables and pages), `gpu`, `cli`; all by
//! default. The core without them reads and writes nothing.
//!
//! # Layers
//!
//! Imports point down only. `docs/architecture.md` shows every folder, and how a bootstrap flows through them.
//!
//! | layer | what it does |
//! |---|---|
//! | `cli` | the user's words: parse, call, print, exit code |
//! | `runs` | studies in directories: begun, gone on with, finished, joined, verified |
//! | `report` | outcomes as terminal tables and pages of charts: it shows, and writes nothing but text |
//! | [`study`] | a question -> batches ... results -> statistics |
//! | [`run`] | one loop: chunks in index order, rescue, cross-check, fold |
//! | [`store`] | what is kept: columns of finished chunks, the journal, the run directory, the tables of results |
//! | [`engine`] | the only seam, trait [`Engine`]: a range of problem indices -> [`Block`]s |
//! | [`batch`] | what every engine agrees on: covariances, assets, budgets, and what is asked |
//! | [`methods`] | one problem, slices in, weights and certificate out |
//! | [`covariance`], [`sampling`], [`resample`], [`block_length`], [`subsets`] | building problem `p` |
//! | [`mod@measure`] | figures of one portfolio |
//! | [`panel`], [`calendar`], `io` | histories: files to checked returns |
//! | [`stats`], [`philox`], [`feistel`], [`real`], [`lanes`], [`stop`], [`error`], [`text`] | leaves |
//!
//! wgpu appears in `engine::gpu` alone. `study` and `methods` know no file format and no command line.
//!
//! # Stages and their twins
//!
//! A stage has one name: shader, Rust twin, pipeline label and test share it. Both keep the same variables in the same
//! order. `shaders/README.md` lists every kernel with its pieces, twin, test and bench, and is checked by a test.
//!
//! | stage | what it makes | Rust |
//! |---|---|---|
//! | `draw` | the rows of resample `p`, as counts or where these change; the assets of subset `p` | [`resample`]; [`subsets`] |
//! | `moments` | second moments of the drawn rows | [`covariance`]; [`covariance::gram`], [`covariance::bridge`] |
//! | `correlate` | correlations and volatilities | [`covariance`]; [`covariance::interleaved`] |
//! | `descend` | the weights | [`descent`](methods::risk_budgeting::descent); [`interleaved`](methods::risk_budgeting::interleaved) |
//! | `certify` | `rc_error` and `kappa`, in fresh arithmetic | [`certificate`](methods::risk_budgeting::certificate); [`interleaved`](methods::risk_budgeting::interleaved) |
//! | `solve` | the last three in one kernel, for problems that eight lanes share | theirs |
//! | `measure` | figures of a subset's portfolio, small ones drawn and solved in one go | [`small`](methods::risk_budgeting::small); [`mod@measure`] |
//!
//! The first module named is the twin, generic over the number type; those after the semicolon are the CPU engine's forms
//! for vector arithmetic, most of them with eight problems side by side ([`lanes`]).
//!
//! Without a shader, in f64 on the CPU only: [`limited`](methods::risk_budgeting::limited), [`newton`](methods::risk_budgeting::newton), [`existence`](methods::risk_budgeting::existence), [`validity`](methods::risk_budgeting::validity).
//!
//! # Numbers that must agree
//!
//! - Rows are equal, bit for bit, on every device: the index law is integers only, on a counter-based generator.
//! - Weights are equal, bit for bit, on one adapter and driver, whatever the chunks, the threads and the memory, and
//!   whatever B: a larger B extends a smaller one.
//! - Across engines weights agree to single precision ([`run::crosscheck::WEIGHT_TOLERANCE`]).
//! - Certificates are at most the tolerance: 1e-8 on the CPU ([`Options`]), 1e-5 on the GPU ([`engine::ACCEPTANCE`]), 1e-8
//!   again in double precision ([`Precision`]).
//! - Multiplying all returns by a power of two changes no weight at all.

pub mod batch;
#[doc(hidden)]
pub mod block_length;
pub mod calendar;
#[cfg(feature = "cli")]
pub mod cli;
#[doc(hidden)]
pub mod covariance;
pub mod engine;
pub mod error;
#[doc(hidden)]
pub mod feistel;
#[cfg(feature = "files")]
pub mod io;
#[doc(hidden)]
pub mod lanes;
#[doc(hidden)]
pub mod measure;
#[doc(hidden)]
pub mod methods;
#[doc(hidden)]
pub mod observer;
#[doc(hidden)]
pub mod panel;
#[doc(hidden)]
pub mod philox;
#[doc(hidden)]
pub mod real;
#[cfg(feature = "report")]
pub mod report;
#[doc(hidden)]
pub mod resample;
#[doc(hidden)]
pub mod run;
#[cfg(feature = "report")]
pub mod runs;
#[doc(hidden)]
pub mod sampling;
#[doc(hidden)]
pub mod stats;
#[doc(hidden)]
pub mod stop;
#[doc(hidden)]
pub mod store;
pub mod study;
#[doc(hidden)]
pub mod subsets;
#[doc(hidden)]
pub mod text;
#[doc(hidden)]
pub mod wording;

pub use batch::{Assets, Batch, Block, Covariances, Request, Rows, Solutions, Source};
pub use covariance::{Estimator, RiskModel};
pub use engine::choose::{Wish, choose};
pub use engine::cpu::CpuEngine;
#[cfg(feature = "gpu")]
pub use engine::gpu::GpuEngine;
pub use engine::{Choice, Engine, EngineInfo, Job, Precision};
pub use error::{Error, ErrorKind, Hint, Result};
pub use measure::Metric;
pub use methods::certificate::{Certificate, Status};
pub use methods::risk_budgeting::Options;
pub use methods::{Method, Program, RiskMeasure};
pub use observer::Observer;
pub use panel::{Labels, Panel, Returns};
pub use resample::{Law, Scheme};
pub use run::Context;
pub use stop::Stop;
pub use store::Checkpoint;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Readme;
