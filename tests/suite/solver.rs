//! Are the weights right, and is the certificate honest, where the answer is known from elsewhere?

use equirisk::covariance::interleaved::scale;
use equirisk::engine::Job as _;
use equirisk::engine::cpu::CpuEngine;
use equirisk::lanes::{LANES, Lanes, interleave};
use equirisk::methods::risk_budgeting::Options;
use equirisk::methods::risk_budgeting::existence::zero_variance_direction;
use equirisk::methods::risk_budgeting::interleaved::Group;
use equirisk::methods::risk_budgeting::newton::accurate_gap;
use equirisk::methods::risk_budgeting::validity::check;
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::stop::Stop;
use equirisk::store::Columns;
use equirisk::{Batch, Certificate, Method, Request, Solutions, Status};

use pulp::Arch;

use crate::cases::{Npz, json, numbers};

/// Solves one given covariance as `equirisk solve` does: with the finishing step.
pub fn solve(covariance: &[f64], budgets: &[f64]) -> (Vec<f64>, Certificate) {
    let engine = CpuEngine { options: Options { finish: true, ..Options::default() } };
    let solutions = Batch::given(covariance, budgets).unwrap().solve(&engine).unwrap();
    (solutions.weights, solutions.certificates[0])
}

#[test]
fn weights_match_the_high_precision_references() {
    for case in json("reference/index.json")["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mut npz = Npz::open(&format!("reference/{name}.npz"));
        let (_, covariance) = npz.array("cov");
        let (_, budgets) = npz.array("budget");
        let (_, expected) = npz.array("weights");
        let (weights, certificate) = solve(&covariance, &budgets);
        assert_eq!(certificate.status, Status::Converged, "{name}: {certificate:?}");
        // The references state this tolerance: rounding of the input, amplified by the condition number.
        let tolerance = 1e-13 + 1e-15 * case["componentwise_condition"].as_f64().unwrap();
        let worst = weights.iter().zip(&expected).fold(0.0_f64, |m, (w, e)| m.max((w / e - 1.0).abs()));
        println!("{name}: {worst:.1e} of {tolerance:.1e}, {certificate:?}");
        assert!(worst <= tolerance, "{name}: {worst:e} > {tolerance:e}, {certificate:?}");
    }
}

fn paper_covariance(case: &serde_json::Value) -> Vec<f64> {
    let matrix = |value: &serde_json::Value| value.as_array().unwrap().iter().flat_map(numbers).collect::<Vec<_>>();
    if case["cov"].is_array() {
        return matrix(&case["cov"]);
    }
    let vol = numbers(&case["vol"]);
    let corr = matrix(&case["corr"]);
    corr.iter().enumerate().map(|(k, c)| c * vol[k / vol.len()] * vol[k % vol.len()]).collect()
}

#[test]
fn published_tables_are_reproduced() {
    let cases = json("paper_cases.json");
    let mut solved = 0;
    for case in cases.as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (weights, certificate) = match case["kind"].as_str().unwrap() {
            "unconstrained" | "degenerate_no_solution" => solve(&paper_covariance(case), &numbers(&case["budget"])),
            _ => continue,
        };
        if case["kind"] == "degenerate_no_solution" {
            assert_eq!(certificate.status, Status::NoSolution, "{name}");
            assert!(weights.iter().all(|w| w.is_nan()));
            continue;
        }
        assert_eq!(certificate.status, Status::Converged, "{name}: {certificate:?}");
        let difference = |expected: &serde_json::Value| {
            numbers(expected).iter().zip(&weights).fold(0.0_f64, |m, (e, w)| m.max((e - w).abs()))
        };
        // `solved_f64` was itself computed in f64, with an error of up to 6e-12.
        assert!(difference(&case["solved_f64"]) <= 1e-11, "{name}: {}", difference(&case["solved_f64"]));
        if case["matches_print"] == true {
            // Half a unit of the last printed digit, and the rounding of that comparison itself.
            let printed = case["print_halfulp"].as_f64().unwrap() + 1e-15;
            assert!(difference(&case["weights"]) <= printed, "{name}: {}", difference(&case["weights"]));
        }
        solved += 1;
    }
    assert!(solved >= 28, "only {solved} cases were compared");
}

/// A covariance of `rows` observations of `assets` with factor loadings of mixed sign, from a seed.
fn sample_covariance(rows: usize, assets: usize, market: f64, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut normal = || {
        // Sum of uniforms: the shape does not matter here, only that it is continuous.
        (0..6)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
            })
            .sum::<f64>()
    };
    let mut x: Vec<f64> = Vec::new();
    for _ in 0..rows {
        let common = market * normal();
        x.extend((0..assets).map(|_| normal() + common));
    }
    for j in 0..assets {
        let mean = x.iter().skip(j).step_by(assets).sum::<f64>() / rows as f64;
        x.iter_mut().skip(j).step_by(assets).for_each(|x| *x -= mean);
    }
    let mut s = vec![0.0; assets * assets];
    for row in x.chunks(assets) {
        for i in 0..assets {
            for j in 0..assets {
                s[i * assets + j] += row[i] * row[j] / (rows - 1) as f64;
            }
        }
    }
    s
}

/// max_i |w_i (S w)_i / w'S w - b_i| / b_i, the plain way.
fn error_of(covariance: &[f64], weights: &[f64], budgets: &[f64]) -> f64 {
    let n = weights.len();
    let contributions: Vec<f64> =
        (0..n).map(|i| weights[i] * (0..n).map(|j| covariance[i * n + j] * weights[j]).sum::<f64>()).collect();
    let variance: f64 = contributions.iter().sum();
    contributions.iter().zip(budgets).map(|(c, b)| (c / variance - b).abs() / b).fold(0.0, f64::max)
}

#[test]
fn every_sample_covariance_is_solved_or_proven_unsolvable() {
    for (rows, assets) in [(2, 2), (2, 5), (3, 3), (4, 5), (5, 20), (10, 20), (20, 20), (21, 20), (30, 50), (60, 50)] {
        for market in [0.0, 0.3, 1.0] {
            for seed in 0..60 {
                let covariance = sample_covariance(rows, assets, market, seed * 7919 + 13);
                let budgets: Vec<f64> = (0..assets).map(|i| 1.0 + (i % 3) as f64).collect();
                let total: f64 = budgets.iter().sum();
                let budgets: Vec<f64> = budgets.iter().map(|b| b / total).collect();
                let (weights, certificate) = solve(&covariance, &budgets);
                let case = format!("{rows} rows, {assets} assets, market {market}, seed {seed}: {certificate:?}");
                match certificate.status {
                    Status::Converged => {
                        assert!(weights.iter().all(|w| *w > 0.0), "{case}");
                        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{case}");
                        // The plain product has its own rounding, up to the floor of 8 eps kappa.
                        let error = error_of(&covariance, &weights, &budgets);
                        assert!(error <= 1e-8 + 8.0 * f64::EPSILON * certificate.kappa, "{case}: {error:e}");
                    }
                    Status::NoSolution => {
                        let mut correlation = vec![0.0; assets * assets];
                        let mut volatilities = vec![0.0; assets];
                        check(&covariance, true, &mut correlation, &mut volatilities).unwrap();
                        let d = zero_variance_direction(&correlation).expect("the proof");
                        assert!(d.iter().all(|d| *d >= 0.0) && d.iter().any(|d| *d > 0.0), "{case}");
                        let mix: Vec<f64> = d.iter().zip(&volatilities).map(|(d, s)| d / s).collect();
                        let n = assets;
                        let variance: f64 = (0..n * n).map(|k| mix[k / n] * covariance[k] * mix[k % n]).sum();
                        // 32 n eps of a d'|C|d that is at most one.
                        assert!(variance.abs() < 64.0 * n as f64 * f64::EPSILON, "{case}: {variance:e}");
                        assert!(rows <= assets, "a covariance of full rank has a solution; {case}");
                    }
                    // Nearly unsolvable: honest only at the rounding floor.
                    Status::Stalled => {
                        assert!(8.0 * f64::EPSILON * certificate.kappa > 1e-8, "{case}");
                    }
                    Status::Infeasible | Status::Invalid => panic!("{case}"),
                }
            }
        }
    }
}

#[test]
fn invalid_matrices_are_told_apart() {
    let status = |covariance: &[f64], n: usize| solve(covariance, &vec![1.0; n]).1.status;
    assert_eq!(status(&[1.0, -1.0, -1.0, 1.0], 2), Status::NoSolution);
    assert_eq!(status(&[1.0, 2.0, 2.0, 1.0], 2), Status::Invalid);
    assert_eq!(status(&[1.0, 0.5, 0.4, 1.0], 2), Status::Invalid);
    assert_eq!(status(&[1.0, f64::NAN, f64::NAN, 1.0], 2), Status::Invalid);
    assert_eq!(status(&[1.0, 0.0, 0.0, 0.0], 2), Status::Invalid);
    assert_eq!(status(&[0.0], 1), Status::Invalid);
    assert_eq!(status(&[-1.0], 1), Status::Invalid);
    assert_eq!(status(&[4.0], 1), Status::Converged);
    // Correlations of -0.9 between three assets: a negative variance, and yet descent would look perfect on it.
    assert_eq!(status(&[1.0, -0.9, -0.9, -0.9, 1.0, -0.9, -0.9, -0.9, 1.0], 3), Status::Invalid);
}

#[test]
fn scale_and_units_do_not_matter() {
    let covariance = sample_covariance(60, 12, 0.5, 5);
    let budgets = vec![1.0 / 12.0; 12];
    let (weights, _) = solve(&covariance, &budgets);
    for power in [-900, -300, -2, 2, 300, 900] {
        let scaled: Vec<f64> = covariance.iter().map(|s| s * 2.0_f64.powi(power)).collect();
        assert_eq!(solve(&scaled, &budgets).0, weights, "2^{power}");
    }
    // Another unit for one asset moves its weight by that unit and nothing else.
    let mut units = covariance.clone();
    for k in 0..12 {
        units[3 * 12 + k] *= 1024.0;
        units[k * 12 + 3] *= 1024.0;
    }
    let (moved, _) = solve(&units, &budgets);
    let ratio = |w: &[f64]| w[3] / w[7];
    assert!((ratio(&moved) * 1024.0 / ratio(&weights) - 1.0).abs() < 1e-13);
}

#[test]
fn two_assets_get_inverse_volatility_whatever_their_correlation() {
    for rho in [-0.999_999, -0.5, 0.0, 0.3, 0.999_999, 1.0] {
        let (a, b) = (0.02, 0.3);
        let (weights, certificate) = solve(&[a * a, rho * a * b, rho * a * b, b * b], &[0.5, 0.5]);
        assert_eq!(certificate.status, Status::Converged);
        // K = 1e6 at the hedged end.
        assert!((weights[0] / (b / (a + b)) - 1.0).abs() < 1e-9, "{rho}: {weights:?}");
    }
}

#[test]
fn bulk_solutions_are_within_twice_their_error() {
    for (rows, assets) in [(40, 7), (200, 30), (300, 120)] {
        let covariance = sample_covariance(rows, assets, 0.7, 99);
        let budgets = vec![1.0 / assets as f64; assets];
        let (exact, _) = solve(&covariance, &budgets);
        for tolerance in [1e-4, 1e-6, 1e-8, 1e-10] {
            let engine = CpuEngine { options: Options { tolerance, finish: false } };
            let solutions = Batch::given(&covariance, &budgets).unwrap().solve(&engine).unwrap();
            let certificate = solutions.certificates[0];
            assert_eq!(certificate.status, Status::Converged);
            assert!(certificate.rc_error <= tolerance);
            let worst = solutions.weights.iter().zip(&exact).map(|(w, e)| (w / e - 1.0).abs()).fold(0.0, f64::max);
            assert!(worst <= 2.0 * certificate.rc_error + 1e-13, "{assets} {tolerance:e}: {worst:e}");
        }
    }
}

#[test]
fn a_certificate_holds_where_plain_products_cancel() {
    // Three pairs that hedge each other almost perfectly: kappa near 1e8, so plain arithmetic cannot tell 1e-8.
    for k in 1..40 {
        let rho = -1.0 + 2e-8 * f64::from(k);
        let mut covariance = vec![0.0; 36];
        for i in 0..6 {
            covariance[i * 6 + i] = 1.0;
            covariance[i * 6 + (i ^ 1)] = rho;
            for j in 0..6 {
                if i / 2 != j / 2 {
                    covariance[i * 6 + j] = if (i + j) % 2 == 0 { 0.01 } else { -0.01 };
                }
            }
        }
        let budgets = [0.1, 0.2, 0.15, 0.25, 0.1, 0.2];
        let solutions = Batch::given(&covariance, &budgets).unwrap().solve(&CpuEngine::default()).unwrap();
        if solutions.certificates[0].status == Status::Converged {
            let (_, error) = accurate_gap(&covariance, &budgets, &solutions.weights);
            assert!(error <= 1e-8, "{k}: {error:e}, {:?}", solutions.certificates[0]);
        }
    }
}

#[test]
fn large_and_small_covariances_are_solved_alike() {
    let covariance = sample_covariance(60, 5, 0.5, 5);
    let budgets = [0.2; 5];
    let (weights, _) = solve(&covariance, &budgets);
    for scale in [1e-290, 1e-100, 1e100, 1e299, 1e302] {
        let scaled: Vec<f64> = covariance.iter().map(|s| s * scale).collect();
        let (found, certificate) = solve(&scaled, &budgets);
        assert_eq!(certificate.status, Status::Converged, "{scale:e}");
        // Rounding of the scaled input.
        assert!(found.iter().zip(&weights).all(|(f, w)| (f / w - 1.0).abs() < 1e-13), "{scale:e}");
    }
}

#[test]
fn machines_without_vectors_solve_the_same_problems() {
    let n = 9;
    let budgets: Vec<f64> = (1..=n).map(|i| i as f64 / 45.0).collect();
    let covariances: Vec<Vec<f64>> = (0..8).map(|seed| sample_covariance(40, n, 0.4, seed)).collect();
    let solved = |arch: Arch| {
        let mut group = Group::default();
        group.resize(n);
        for (lane, covariance) in covariances.iter().enumerate() {
            let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
            check(covariance, false, &mut correlation, &mut volatilities).unwrap();
            let pairs = (0..n).flat_map(|i| (0..i).map(move |j| i * n + j));
            group.correlation.iter_mut().zip(pairs).for_each(|(to, at)| to.0[lane] = correlation[at]);
            group.volatilities.iter_mut().zip(&volatilities).for_each(|(to, s)| to.0[lane] = *s);
        }
        // A lane without a problem must not disturb the others.
        group.usable = [true, true, true, false, true, true, true, true];
        let found = group.solve(arch, &budgets, Options::default(), false);
        (found, group.weights)
    };
    let (found, weights) = solved(Arch::new());
    let (plain_found, plain_weights) = solved(Arch::Scalar);
    for lane in [0, 1, 2, 4, 5, 6, 7] {
        assert!(found[lane].converged && plain_found[lane].converged);
        let (exact, _) = solve(&covariances[lane], &budgets);
        for i in 0..n {
            // Both stop at 1e-8; with and without fused multiply-adds they part by rounding alone.
            assert!((weights[i].0[lane] / exact[i] - 1.0).abs() < 2e-8);
            assert!((plain_weights[i].0[lane] / weights[i].0[lane] - 1.0).abs() < 1e-12);
        }
    }
    assert!(!found[3].converged);
}

/// Pairs that hedge each other but for `rest`, uncorrelated otherwise.
fn hedged_pairs(assets: usize, rest: f64) -> Vec<f64> {
    let entry = |i: usize, j: usize| match (i, j) {
        _ if i == j => 1.0,
        _ if i / 2 == j / 2 => -1.0 + rest,
        _ => 0.0,
    };
    (0..assets * assets).map(|k| entry(k / assets, k % assets)).collect()
}

/// Solves given covariances in bulk.
fn solve_all(covariances: Vec<f64>, budgets: &[f64]) -> Solutions {
    Batch::given(covariances, budgets).unwrap().solve(&CpuEngine::default()).unwrap()
}

#[test]
fn a_solution_does_not_depend_on_the_problems_beside_it() {
    // Every third pair is hedged, ever more perfectly: its product drifts, and its certificate needs a second look.
    let covariances: Vec<Vec<f64>> = (0..64)
        .map(|p| {
            let pair = sample_covariance(6, 2, 0.5, p);
            let hedge = -(1.0 - 0.1_f64.powi(p as i32 / 3)) * pair[0];
            if p % 3 == 0 { vec![pair[0], hedge, hedge, pair[0]] } else { pair }
        })
        .collect();
    let budgets = [1.0 / 3.0, 2.0 / 3.0];
    let together = solve_all(covariances.concat(), &budgets);
    for (p, covariance) in covariances.into_iter().enumerate() {
        let alone = solve_all(covariance, &budgets);
        let bits = |weights: &[f64]| weights.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&alone.weights), bits(&together.weights[2 * p..2 * p + 2]), "problem {p}");
        let (one, all) = (alone.certificates[0], together.certificates[p]);
        assert_eq!((one.status, one.sweeps, one.rc_error.to_bits()), (all.status, all.sweeps, all.rc_error.to_bits()));
    }
}

#[test]
fn problems_of_a_list_are_solved_as_in_a_range() {
    let values = crate::run::returns(300, 12, 0.5, 3);
    let assets = (0..12).map(|i| i.to_string()).collect();
    let panel = Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap();
    let drawn = |scheme, length| {
        Batch::resampled(panel.clone(), Law::new(scheme, length, 300, 5, 0).unwrap(), 3000, &[1.0; 12]).unwrap()
    };
    let hedged =
        (0..3000).flat_map(|p| if p % 5 == 0 { hedged_pairs(12, 1e-7) } else { sample_covariance(40, 12, 0.4, p) });
    let given = Batch::given(hedged.collect::<Vec<f64>>(), &[1.0; 12]).unwrap();
    for batch in [drawn(Scheme::Stationary, 30.0), drawn(Scheme::Iid, 1.0), given] {
        let job = CpuEngine::default().job(&batch, &Request::COMPARED);
        let whole = job.run_all(&(0..3000).collect::<Vec<u64>>(), &Stop::NEVER).unwrap().portfolios();
        // Gaps of all sizes, and more than resamples that share their sums.
        let listed: Vec<u64> = (0..3000).filter(|p| p % 3 == 0 || p % 7 == 2).collect();
        let mut parts = whole.clone();
        let positions: Vec<usize> = listed.iter().map(|&p| p as usize).collect();
        for &at in &positions {
            parts.weights[12 * at..][..12].fill(f64::NAN);
            parts.certificates[at] = Certificate::unsolved(Status::Stalled);
        }
        parts.replace(&positions, &job.run_all(&listed, &Stop::NEVER).unwrap().portfolios(), 0);
        // As they are kept: bit by bit, what is not a number included.
        assert!(Columns::from(parts).encode().unwrap() == Columns::from(whole).encode().unwrap());
    }
}

/// Resamples of a history of 113 assets, more than are solved in lanes.
fn resamples_of_many(values: Vec<f64>, scheme: Scheme, length: f64) -> Batch<'static> {
    let assets = (0..113).map(|i| i.to_string()).collect();
    let panel = Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap();
    let law = Law::new(scheme, length, panel.rows(), 5, 0).unwrap();
    Batch::resampled(panel, law, 1100, &[1.0; 113]).unwrap()
}

#[test]
fn resamples_of_many_assets_do_not_depend_on_those_beside_them() {
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for (scheme, length) in [(Scheme::Stationary, 30.0), (Scheme::Iid, 1.0)] {
        let batch = resamples_of_many(crate::run::returns(300, 113, 0.5, 3), scheme, length);
        let cpu = CpuEngine::default();
        let request = Request::COMPARED;
        let job = cpu.job(&batch, &request);
        let solve = |problems: std::ops::Range<u64>| job.run(problems, &Stop::NEVER).unwrap().portfolios();
        // More than share their sums.
        let whole = solve(0..1100);
        assert!(whole.certificates.iter().all(|c| c.status == Status::Converged && c.rc_error <= 1e-8));
        let mut pieces = solve(0..301);
        pieces.extend(one_thread.install(|| solve(301..1100)));
        assert!(
            Columns::from(pieces).encode().unwrap() == Columns::from(whole.clone()).encode().unwrap(),
            "{scheme:?}"
        );
        let mut alone = solve(1090..1091);
        alone.extend(job.run_all(&[1092, 1099], &Stop::NEVER).unwrap().portfolios());
        for (at, &resample) in [1090, 1092, 1099].iter().enumerate() {
            let weights = |solutions: &Solutions, at: usize| solutions.weights[113 * at..][..113].to_vec();
            assert_eq!(weights(&alone, at), weights(&whole, resample), "{scheme:?}");
        }
    }
}

#[test]
fn resamples_of_many_assets_agree_with_exact_solutions() {
    let rows = 300;
    let ordinary = crate::run::returns(rows, 113, 0.5, 3);
    let with = |change: &dyn Fn(usize, &mut [f64])| {
        let mut values = ordinary.clone();
        values.chunks_mut(113).enumerate().for_each(|(t, row)| change(t, row));
        values
    };
    // Nearly all of one asset's variance is that of a row which a third of the resamples leave out, all of another's.
    let pegged = with(&|t, row| {
        row[0] = if t == 100 { 0.05 } else { 1e-4 * row[0] };
        row[1] = if t == 200 { 0.05 } else { 0.0 };
    });
    // Two assets that hedge each other to 5e-8.
    let hedged = with(&|_, row| row[3] = 3e-4 * row[3] - row[2]);
    for (scheme, length) in [(Scheme::Stationary, 30.0), (Scheme::Iid, 1.0)] {
        // Beside twice the error of the certificate, rounding of the sums, amplified by kappa where assets are hedged.
        for (name, values, rounding) in
            [("ordinary", &ordinary, 1e-12), ("pegged", &pegged, 1e-12), ("hedged", &hedged, 1e-6)]
        {
            let batch = resamples_of_many(values.clone(), scheme, length);
            let solve = |finish: bool| {
                let cpu = CpuEngine { options: Options { finish, ..Options::default() } };
                cpu.job(&batch, &Request::COMPARED).run(0..64, &Stop::NEVER).unwrap().portfolios()
            };
            let (found, exact) = (solve(false), solve(true));
            let invalid = found.certificates.iter().filter(|c| c.status == Status::Invalid).count();
            assert_eq!((1..64).contains(&invalid), name == "pegged", "{name}: {invalid} invalid");
            for (at, (certificate, expected)) in found.certificates.iter().zip(&exact.certificates).enumerate() {
                let case = format!("{scheme:?}, {name}, resample {at}: {certificate:?}");
                assert_eq!(certificate.status, expected.status, "{case}");
                if expected.status == Status::Invalid {
                    assert!(found.weights[113 * at..][..113].iter().all(|w| w.is_nan()), "{case}");
                    continue;
                }
                assert!(certificate.rc_error <= 1e-8, "{case}");
                // Of hedged assets single precision tells too little: more sweeps than it ever takes say who solved them.
                assert_eq!(certificate.sweeps > 100, name == "hedged", "{case}");
                let close = |a: f64, b: f64, beside: f64| assert!((a / b - 1.0).abs() <= beside, "{a} {b}, {case}");
                for i in 113 * at..113 * (at + 1) {
                    close(found.weights[i], exact.weights[i], 2.0 * certificate.rc_error + rounding);
                    close(found.comparisons.volatilities[i], exact.comparisons.volatilities[i], 1e-11);
                }
                close(certificate.volatility, expected.volatility, 1e-8);
                for method in Method::CLOSED_FORMS {
                    close(found.volatility_of(method, at), exact.volatility_of(method, at), 1e-11);
                }
            }
        }
    }
}

#[test]
fn a_certificate_holds_for_the_matrix_as_it_was_given() {
    // An asymmetry that counts as rounding, made visible by pairs that hedge each other: against the mean of the two
    // triangles an error of 1e-7 looks like none.
    for (n, asymmetry) in [(6, 1e-15), (6, 9e-13), (6, 5e-11), (120, 1e-15), (120, 9e-13), (120, 5e-11)] {
        let mut covariance = hedged_pairs(n, 1e-5);
        covariance[1] += asymmetry;
        covariance[2 * n + 3] -= asymmetry;
        let budgets = vec![1.0 / n as f64; n];
        let solutions = solve_all(covariance.clone(), &budgets);
        let (_, error) = accurate_gap(&covariance, &budgets, &solutions.weights);
        let certificate = solutions.certificates[0];
        assert_eq!(certificate.status, Status::Converged, "{n} {asymmetry:e}: {certificate:?}");
        // Products of this kappa, 2e5, round by 4e-10 at most.
        assert!((error - certificate.rc_error).abs() <= 4e-10, "{n} {asymmetry:e}: {error:e}, {certificate:?}");
    }
}

#[test]
fn what_is_invalid_has_no_weights() {
    for n in [5, 120] {
        // Two assets that cannot both be so close to the first and not to each other: descent looks perfect on it.
        let mut covariance = hedged_pairs(n, 1.0);
        for (i, j) in [(0, 1), (0, 2)] {
            (covariance[i * n + j], covariance[j * n + i]) = (0.9, 0.9);
        }
        let solutions = solve_all(covariance, &vec![1.0 / n as f64; n]);
        assert_eq!(solutions.certificates[0].status, Status::Invalid, "{n} assets");
        assert!(solutions.weights.iter().all(|w| w.is_nan()), "{n} assets");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn four_lanes_a_vector_and_eight_give_the_same_bits() {
    use equirisk::methods::risk_budgeting::definite::definite;
    use equirisk::methods::risk_budgeting::mixed::{Matrix, Mixed};
    use equirisk::methods::risk_budgeting::small;

    let (Some(four), Some(eight)) = (pulp::x86::V3::try_new(), pulp::x86::V4::try_new()) else {
        println!("this machine has one vector length: nothing to compare");
        return;
    };
    let archs = [Arch::V3(four), Arch::V4(eight)];
    for n in [1, 2, 5, 8, 13, 50, 113] {
        let budgets: Vec<f64> = (1..=n).map(|i| 2.0 * i as f64 / (n * (n + 1)) as f64).collect();
        let covariances: Vec<Vec<f64>> = (0..8).map(|seed| sample_covariance(2 * n + 3, n, 0.5, seed)).collect();
        let [first, second] = archs.map(|arch| {
            let mut group = Group::default();
            group.resize(n);
            let rows: [&[f64]; LANES] = std::array::from_fn(|lane| &covariances[lane][..]);
            let mut matrices = vec![Lanes::default(); n * n];
            interleave(&rows, &mut matrices);
            let Group { correlation, volatilities, weights: inverses, .. } = &mut group;
            group.usable = scale(arch, &matrices, correlation, volatilities, inverses, 1e-12);
            let found = group.solve(arch, &budgets, Options::default(), true);
            (found, group.weights)
        });
        assert!(first == second && first.0.iter().all(|found| found.converged), "{n} assets in lanes");
        let [first, second] = archs.map(|arch| {
            let (mut mixed, mut weights) = (Mixed::default(), vec![0.0; n]);
            let matrix = Matrix::Given(&covariances[0]);
            let found = mixed.solve(arch, matrix, &budgets, Options::default(), &mut weights);
            (found, weights, definite(arch, &covariances[0], mixed.inverses(), &mut Vec::new()))
        });
        assert!(first == second && first.0.is_some() && first.2, "{n} assets in two precisions");
        if n <= small::MOST {
            let mut gathered = vec![Lanes::splat(1.0); small::entries(n)];
            for (i, j) in (0..n).flat_map(|i| (0..i).map(move |j| (i, j))) {
                gathered[small::at(i, j)] =
                    Lanes(std::array::from_fn(|lane| 0.1 * lane as f64 - 0.03 * (i + j) as f64));
            }
            let [first, second] = archs.map(|arch| {
                let (mut weights, mut found) = (vec![Lanes::default(); n], [small::Found::default()]);
                small::solve(arch, n, &gathered, Options::default(), &mut weights, &mut found);
                let bits = |lanes: Lanes| lanes.0.map(f64::to_bits);
                (weights.into_iter().map(bits).collect::<Vec<_>>(), bits(found[0].rc_error), bits(found[0].volatility))
            });
            assert_eq!(first, second, "{n} assets unrolled");
        }
    }
}
