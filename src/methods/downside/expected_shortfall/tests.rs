use super::super::examples::{Case, Sequence, archs, furthest};
use super::*;

fn solved(problem: Problem, options: Options) -> (Found, Vec<f64>) {
    let mut weights = vec![0.0; problem.budgets.len()];
    (solve(problem, options, &mut Workspace::default(), &mut weights), weights)
}

fn centred(level: f64) -> Options<'static> {
    Options { level, ..Options::default() }
}

fn raw(level: f64, taken: &[f64]) -> Options<'_> {
    Options { level, form: Form::Raw { taken }, ..Options::default() }
}

/// By its definition: the mean of the worst losses, of which the last counts as far as it fits.
fn shortfall(case: &Case, weights: &[f64], options: Options) -> f64 {
    let mut outcomes = case.outcomes(weights, options.form == Form::Centred);
    outcomes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tail = (1.0 - options.level) * case.counts.iter().sum::<f64>();
    let (mut left, mut sum) = (tail, 0.0);
    for (outcome, count) in outcomes {
        sum -= outcome * count.min(left);
        left = (left - count).max(0.0);
    }
    sum / tail
}

/// ln ES - sum b ln w: least at the solution, whatever the scale.
fn objective(case: &Case, weights: &[f64], options: Options) -> f64 {
    let logs: f64 = case.budgets.iter().zip(weights).map(|(b, w)| b * w.ln()).sum();
    shortfall(case, weights, options).ln() - logs
}

#[test]
fn one_asset_has_all_the_weight_and_its_own_risk() {
    // About the mean of 1, the losses are 3, 1, 0 and -4: of two and a half rows, 3 + 1 + 0.
    let case = Case::new(&[-2.0, 0.0, 1.0, 5.0], 1);
    let (found, weights) = solved(case.problem(), centred(0.375));
    assert_eq!((found.status, weights[0], found.tail), (Status::Converged, 1.0, 2.5));
    assert!((found.risk - 1.6).abs() < 1e-14 && found.slack == 0.0 && found.rc_error < 1e-14, "{found:?}");
    let (found, _) = solved(case.problem(), raw(0.375, &[0.0]));
    assert!((found.risk - (2.0 + 0.0 - 0.5) / 2.5).abs() < 1e-14, "{found:?}");
    // The tail may be less than a row.
    let (found, _) = solved(case.problem(), centred(0.9));
    assert!((found.risk - 3.0).abs() < 1e-14 && found.tail < 1.0, "{found:?}");
}

#[test]
fn assets_that_trade_places_are_held_alike() {
    let values = [-0.05, 0.02, 0.02, -0.05, 0.01, 0.03, 0.03, 0.01, -0.01, -0.02, -0.02, -0.01];
    for level in [0.1, 0.5, 0.7, 0.95] {
        let (found, weights) = solved(Case::new(&values, 2).problem(), centred(level));
        assert!(found.status == Status::Converged && furthest(&weights, &[0.5, 0.5]) < 1e-9, "{level}: {found:?}");
    }
}

#[test]
fn at_a_level_near_zero_the_raw_shortfall_is_minus_the_mean() {
    // So w_i m_i = b_i sum_j w_j m_j, and weights are budgets over mean losses.
    let mut sequence = Sequence(1);
    let mut values = sequence.returns(50, 4, 2);
    values.iter_mut().enumerate().for_each(|(k, x)| *x -= 0.02 * (1 + k % 4) as f64);
    let mut case = Case::new(&values, 4);
    case.budgets = vec![0.4, 0.3, 0.2, 0.1];
    case.counts = sequence.counts(50);
    let total: f64 = case.counts.iter().sum();
    let loss = |i: usize| -(0..50).map(|t| case.counts[t] * values[4 * t + i]).sum::<f64>() / total;
    let mut expected: Vec<f64> = (0..4).map(|i| case.budgets[i] / loss(i)).collect();
    let all: f64 = expected.iter().sum();
    expected.iter_mut().for_each(|w| *w /= all);
    let (found, weights) = solved(case.problem(), raw(1e-12, &[0.0; 4]));
    assert!(
        found.status == Status::Converged && furthest(&weights, &expected) < 1e-10,
        "{found:?} {weights:?} {expected:?}"
    );
}

#[test]
fn two_assets_are_held_as_a_search_finds() {
    let mut sequence = Sequence(2);
    for level in [0.3, 0.9, 0.95, 0.99] {
        let mut case = Case::new(&sequence.returns(120, 2, 1), 2);
        case.budgets = vec![0.7, 0.3];
        case.counts = sequence.counts(120);
        let options = centred(level);
        let (found, weights) = solved(case.problem(), options);
        assert_eq!(found.status, Status::Converged);
        assert!(
            (found.risk / shortfall(&case, &weights, options) - 1.0).abs() < 1e-12,
            "{found:?} {} {}",
            found.risk,
            shortfall(&case, &weights, options)
        );
        // The objective is convex in the logarithm of the ratio of weights: a bracket that is cut by a third.
        let at = |x: f64| objective(&case, &[x.exp(), 1.0], options);
        let (mut low, mut high) = (-6.0_f64, 6.0_f64);
        for _ in 0..120 {
            let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if at(a) < at(b) { high = b } else { low = a }
        }
        let best = low.exp() / (1.0 + low.exp());
        // A search by values sees the root of their rounding, unless the solution is at a kink.
        assert!((weights[0] - best).abs() < 1e-7, "{level}: {} {best}", weights[0]);
    }
}

#[test]
fn of_normal_returns_it_is_near_volatility_parity() {
    let mut sequence = Sequence(3);
    let loadings: Vec<f64> = (0..5 * 3).map(|_| sequence.next()).collect();
    let mut values = Vec::new();
    for _ in 0..20_000 {
        let common: Vec<f64> = (0..3).map(|_| sequence.normal()).collect();
        values.extend((0..5).map(|i| {
            (1 + i) as f64 * ((0..3).map(|f| loadings[3 * i + f] * common[f]).sum::<f64>() + sequence.normal())
        }));
    }
    let case = Case::new(&values, 5);
    let (found, weights) = solved(case.problem(), centred(0.95));
    // Sampling alone tells them apart: the tail has a thousand rows.
    assert!(found.status == Status::Converged && furthest(&weights, &case.parity()) < 0.01, "{found:?} {weights:?}");
}

#[test]
fn contributions_are_the_derivatives_of_the_risk() {
    let mut sequence = Sequence(4);
    let mut case = Case::new(&sequence.returns(80, 5, 2), 5);
    case.counts = sequence.counts(80);
    case.units = vec![1.0, 0.01, 3.0, 0.5, 20.0];
    let taken = [0.001, 0.2, 0.0, -0.002, 1e-5];
    for options in [centred(0.9), raw(0.9, &[0.0; 5]), raw(0.7, &taken)] {
        let mut moved_case = Case::new(&case.values, 5);
        (moved_case.counts, moved_case.units) = (case.counts.clone(), case.units.clone());
        if let Form::Raw { taken } = options.form {
            moved_case.values.iter_mut().enumerate().for_each(|(k, x)| *x += taken[k % 5]);
        }
        for _ in 0..20 {
            let weights: Vec<f64> = (0..5).map(|i| (0.1 + sequence.next()) / case.units[i]).collect();
            let shares = tail(case.problem(), options, &weights).unwrap();
            let certified = certify(case.problem(), options, &weights, &shares);
            let risk = shortfall(&moved_case, &weights, options);
            if risk <= 0.0 {
                assert!(certified.is_none());
                continue;
            }
            let certified = certified.unwrap();
            assert!((certified.risk - risk).abs() < 1e-12 * risk.max(1.0) && certified.slack < 1e-12);
            for i in 0..5 {
                let mut moved = [weights.clone(), weights.clone()];
                moved[0][i] *= 1.0 + 1e-7;
                moved[1][i] *= 1.0 - 1e-7;
                let [up, down] = moved.map(|moved| shortfall(&moved_case, &moved, options));
                // Piecewise linear: exact but for rounding, unless rows trade places in between.
                assert!(((up - down) / (2e-7 * risk) - certified.contributions[i]).abs() < 1e-6);
            }
            // Of degree one.
            let tripled: Vec<f64> = weights.iter().map(|w| 3.0 * w).collect();
            let other = certify(case.problem(), options, &tripled, &shares).unwrap();
            assert!((other.risk / certified.risk - 3.0).abs() < 1e-12);
            assert!(furthest(&other.contributions, &certified.contributions) < 1e-12);
        }
    }
}

#[test]
fn certificates_hold_for_returned_weights() {
    let mut sequence = Sequence(5);
    let mut work = Workspace::default();
    for (rows, n) in [(40, 1), (30, 3), (12, 20), (252, 10), (64, 40), (300, 75), (1500, 12)] {
        let mut case = Case::new(&sequence.returns(rows, n, 2), n);
        for level in [0.05, 0.5, 0.9, 0.95, 0.99, 0.9999] {
            let options = centred(level);
            let mut weights = vec![0.0; n];
            let found = solve(case.problem(), options, &mut work, &mut weights);
            let certified = certify(case.problem(), options, &weights, work.shares()).unwrap();
            assert!(found.status == Status::Converged && found.rc_error <= 1e-10, "{rows} x {n}, {level}: {found:?}");
            assert!(certified.rc_error <= 1e-10 && certified.slack <= 1e-8, "{rows} x {n}, {level}: {certified:?}");
            let risk = shortfall(&case, &weights, options);
            assert!((certified.risk / risk - 1.0).abs() < 1e-12 && (found.risk / risk - 1.0).abs() < 1e-8);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-14 && weights.iter().all(|w| *w > 0.0));
            // Shares are of the tail.
            let whole = (1.0 - level) * case.counts.iter().sum::<f64>();
            assert!((work.shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(work.shares().iter().zip(&case.counts).all(|(p, c)| *p >= 0.0 && *p <= c / whole * (1.0 + 1e-12)));
            case.counts = sequence.counts(rows);
        }
    }
}

#[test]
fn no_long_only_portfolio_beats_the_slack() {
    let mut sequence = Sequence(6);
    for n in [2, 5, 12] {
        let mut case = Case::new(&sequence.returns(90, n, 2), n);
        case.counts = sequence.counts(90);
        let options = centred(0.9);
        let (found, best) = solved(case.problem(), options);
        let least = objective(&case, &best, options);
        assert_eq!(found.status, Status::Converged);
        for _ in 0..100 {
            // Anybody's weights and anybody's shares, of all scales.
            let given: Vec<f64> = (0..n).map(|_| 3.0 * sequence.next() + 1e-3).collect();
            let shares: Vec<f64> = (0..90).map(|_| sequence.next() - 0.8).collect();
            for shares in [shares, tail(case.problem(), options, &given).unwrap()] {
                let Some(certified) = certify(case.problem(), options, &given, &shares) else { continue };
                assert!(certified.slack >= 0.0 && certified.slack < 1.0 && certified.rc_error >= 0.0);
                let value = |weights: &[f64]| {
                    let logs = certified.contributions.iter().zip(weights).map(|(k, w)| k * w.ln());
                    shortfall(&case, weights, options).ln() - logs.sum::<f64>()
                };
                let floor = value(&given) + (1.0 - certified.slack).ln();
                for _ in 0..10 {
                    let other: Vec<f64> = (0..n).map(|_| sequence.next() + 1e-6).collect();
                    // The mean of ratios is at least their geometric mean where contributions are positive.
                    if certified.contributions.iter().all(|k| *k >= 0.0) {
                        assert!(value(&other) >= floor - 1e-12);
                    }
                }
            }
            assert!(objective(&case, &given, options) >= least - 1e-12);
        }
    }
}

#[test]
fn counting_a_row_is_repeating_it() {
    let mut sequence = Sequence(7);
    for level in [0.8, 0.95] {
        let values = sequence.returns(60, 4, 2);
        let mut case = Case::new(&values, 4);
        case.counts = sequence.counts(60);
        let repeated: Vec<f64> = values
            .chunks_exact(4)
            .zip(&case.counts)
            .flat_map(|(row, &count)| std::iter::repeat_n(row, count as usize).flatten().copied())
            .collect();
        let (found, weights) = solved(case.problem(), centred(level));
        let (again, same) = solved(Case::new(&repeated, 4).problem(), centred(level));
        assert_eq!((found.status, again.status), (Status::Converged, Status::Converged));
        assert!(furthest(&weights, &same) < 1e-10, "{found:?} {again:?}");
        assert!((found.risk / again.risk - 1.0).abs() < 1e-10);
    }
}

#[test]
fn units_change_nothing_else() {
    let mut sequence = Sequence(8);
    let values = sequence.returns(90, 6, 3);
    let mut case = Case::new(&values, 6);
    case.counts = sequence.counts(90);
    for level in [0.9, 0.95] {
        let (found, weights) = solved(case.problem(), centred(level));
        for asset in 0..6 {
            for unit in [2.0_f64.powi(-30), 8.0] {
                let scaled = |k: usize| if k % 6 == asset { values[k] * unit } else { values[k] };
                let mut levered = Case::new(&(0..values.len()).map(scaled).collect::<Vec<_>>(), 6);
                levered.counts.clone_from(&case.counts);
                let (other, mut same) = solved(levered.problem(), centred(level));
                same[asset] *= unit;
                let total: f64 = same.iter().sum();
                same.iter_mut().for_each(|w| *w /= total);
                assert_eq!((found.steps, found.pricings), (other.steps, other.pricings));
                for (a, b) in weights.iter().zip(&same) {
                    // y is the same to the last bit: a few roundings of the scaling to sum one.
                    assert!((a - b).abs() <= 8.0 * f64::EPSILON * a, "{a} {b}");
                }
                // The unit may be told apart from the values.
                levered.units[asset] = 1.0 / unit;
                let (other, same) = solved(levered.problem(), centred(level));
                assert_eq!((found, &weights), (other, &same));
            }
        }
    }
}

#[test]
fn what_was_taken_from_returns_comes_back() {
    let mut sequence = Sequence(9);
    let values = sequence.returns(200, 4, 2);
    let (plain, taken) = (Case::new(&values, 4), [0.01, -0.5, 3.0, 0.0]);
    let less: Vec<f64> = values.iter().enumerate().map(|(k, x)| x - taken[k % 4]).collect();
    let (found, weights) = solved(plain.problem(), raw(0.95, &[0.0; 4]));
    let (again, same) = solved(Case::new(&less, 4).problem(), raw(0.95, &taken));
    assert!(found.status == Status::Converged && again.status == Status::Converged, "{found:?}");
    assert!(furthest(&weights, &same) < 1e-10 && (found.risk / again.risk - 1.0).abs() < 1e-10);
    // The centred form does not see it.
    let (_, weights) = solved(plain.problem(), centred(0.95));
    let (_, same) = solved(Case::new(&less, 4).problem(), centred(0.95));
    assert!(furthest(&weights, &same) < 1e-10);
}

#[test]
fn cash_with_a_positive_mean_is_the_proof_that_there_is_no_raw_solution() {
    let mut sequence = Sequence(10);
    let mut values = sequence.returns(120, 4, 2);
    for row in values.chunks_exact_mut(4) {
        row[2] = 0.003 + 1e-4 * row[2];
    }
    let case = Case::new(&values, 4);
    let (mut work, mut weights) = (Workspace::default(), vec![0.0; 4]);
    let found = solve(case.problem(), raw(0.95, &[0.0; 4]), &mut work, &mut weights);
    assert_eq!((found.status, found.alone), (Status::NoSolution, Some(2)));
    assert_eq!(work.direction(), [0.0, 0.0, 1.0, 0.0]);
    assert!(
        weights.iter().all(|w| w.is_nan()) && found.rc_error.is_nan() && found.slack.is_nan() && found.risk.is_nan()
    );
    assert!(shortfall(&case, work.direction(), raw(0.95, &[0.0; 4])) < 0.0);
    // The deviation of cash is positive.
    assert_eq!(solved(case.problem(), centred(0.95)).0.status, Status::Converged);
}

#[test]
fn a_mix_without_shortfall_is_the_proof_where_no_asset_is() {
    let mut sequence = Sequence(11);
    for n in [2, 3, 6] {
        // Two assets that hedge each other and drift up together.
        let mut values = sequence.returns(150, n, 2);
        for row in values.chunks_exact_mut(n) {
            (row[0], row[1]) = (0.002 + row[0], 0.002 - row[0] + 1e-3 * row[1]);
        }
        let mut case = Case::new(&values, n);
        case.units[1] = 0.25;
        let options = raw(0.9, &[0.0; 6][..n]);
        let (mut work, mut weights) = (Workspace::default(), vec![0.0; n]);
        let found = solve(case.problem(), options, &mut work, &mut weights);
        assert_eq!((found.status, found.alone), (Status::NoSolution, None), "n = {n}: {found:?}");
        let direction = work.direction();
        assert!((direction.iter().sum::<f64>() - 1.0).abs() < 1e-12 && direction.iter().all(|d| *d >= 0.0));
        assert!(shortfall(&case, direction, options) <= 1e-15, "n = {n}");
    }
}

#[test]
fn a_mix_that_never_moves_is_no_solution() {
    let mut sequence = Sequence(12);
    for n in [2, 3, 8] {
        let mut values = sequence.returns(60, n, 2);
        for row in values.chunks_exact_mut(n) {
            row[n - 1] = 0.001 - (0..n - 1).map(|i| (1 + i) as f64 * row[i]).sum::<f64>();
        }
        let case = Case::new(&values, n);
        let (mut work, mut weights) = (Workspace::default(), vec![0.0; n]);
        let found = solve(case.problem(), centred(0.9), &mut work, &mut weights);
        assert_eq!(found.status, Status::NoSolution, "n = {n}: {found:?}");
        let largest = case.outcomes(work.direction(), true).iter().fold(0.0_f64, |m, (x, _)| m.max(x.abs()));
        // Variances are told from rounding down to 32 n eps: volatilities down to 2e-7 of those of assets.
        assert!(largest < 1e-7, "n = {n}: {largest}");
        // Raw, this mix earns a thousandth for certain: no solution either.
        let found = solve(case.problem(), raw(0.9, &[0.0; 8][..n]), &mut work, &mut weights);
        assert_eq!(found.status, Status::NoSolution, "n = {n}: {found:?}");
    }
}

#[test]
fn what_is_no_problem_is_invalid() {
    let mut sequence = Sequence(13);
    let values = sequence.returns(30, 3, 2);
    let case = Case::new(&values, 3);
    for level in [0.0, 1.0, -0.5, 2.0, f64::NAN] {
        let (found, weights) = solved(case.problem(), centred(level));
        assert!(found.status == Status::Invalid && weights.iter().all(|w| w.is_nan()), "{level}");
    }
    assert_eq!(solved(case.problem(), raw(0.9, &[0.0; 2])).0.status, Status::Invalid);
    assert_eq!(solved(case.problem(), raw(0.9, &[0.0, f64::NAN, 0.0])).0.status, Status::Invalid);
    let mut none = Case::new(&values, 3);
    none.counts.fill(0.0);
    assert_eq!(solved(none.problem(), centred(0.9)).0.status, Status::Invalid);
    assert!(certify(none.problem(), centred(0.9), &[1.0; 3], &[0.1; 30]).is_none());
    assert!(certify(case.problem(), centred(0.9), &[1.0; 3], &[0.0; 30]).is_none());
    assert!(certify(case.problem(), centred(0.9), &[1.0; 3], &[0.1; 29]).is_none());
    // An asset that does not move is invalid about its mean; raw, it is a loss or a gain.
    let mut flat = values.clone();
    flat.iter_mut().skip(1).step_by(3).for_each(|x| *x = -0.3);
    assert_eq!(solved(Case::new(&flat, 3).problem(), centred(0.9)).0.status, Status::Invalid);
    assert_eq!(solved(Case::new(&flat, 3).problem(), raw(0.9, &[0.0; 3])).0.status, Status::Converged);
    for gain in [0.0, 0.3] {
        flat.iter_mut().skip(1).step_by(3).for_each(|x| *x = gain);
        let (found, _) = solved(Case::new(&flat, 3).problem(), raw(0.9, &[0.0; 3]));
        assert_eq!((found.status, found.alone), (Status::NoSolution, Some(1)));
    }
}

#[test]
fn what_was_solved_before_does_not_matter() {
    let mut sequence = Sequence(14);
    let mut work = Workspace::default();
    for (rows, n) in [(200, 30), (20, 3), (9, 1), (64, 12), (33, 45), (500, 2)] {
        let case = Case::new(&sequence.returns(rows, n, 2), n);
        for options in [centred(0.95), raw(0.8, &[0.0; 45][..n])] {
            let mut weights = vec![0.0; n];
            let found = solve(case.problem(), options, &mut work, &mut weights);
            // What does not exist is not a number: as text, it equals itself.
            assert_eq!(format!("{:?}", (found, weights)), format!("{:?}", solved(case.problem(), options)));
        }
    }
}

#[test]
fn a_start_changes_the_way_and_not_the_end() {
    let mut sequence = Sequence(15);
    let case = Case::new(&sequence.returns(250, 8, 3), 8);
    let (_, weights) = solved(case.problem(), centred(0.95));
    for start in [case.parity(), vec![1.0; 8], (0..8).map(|i| f64::from(1 << i)).collect()] {
        let (found, same) = solved(Problem { start: Some(&start), ..case.problem() }, centred(0.95));
        assert!(found.status == Status::Converged && furthest(&weights, &same) < 1e-9, "{found:?}");
    }
}

#[test]
fn every_problem_ends() {
    let mut sequence = Sequence(16);
    for case in 0..6000 {
        let (rows, n) = (1 + case % 23, 1 + case % 7);
        // Of few values: duplicates, ties in the tail, assets that do not move, mixes that do not.
        let steps = [3.0, 5.0, 40.0][case % 3];
        let values: Vec<f64> = (0..rows * n).map(|_| (sequence.next() * steps).floor() - 0.5 * steps).collect();
        let level = [0.02, 0.5, 0.8, 0.95, 0.999][case % 5];
        let counts: Vec<f64> = (0..rows).map(|_| (sequence.next() * 3.0).floor()).collect();
        // Raw, such numbers have mixes whose shortfall is zero: neither is there a solution, nor a proof to the last
        // bit.
        let moved: Vec<f64> = values.iter().map(|x| x + 0.3 * sequence.next()).collect();
        for (values, options) in [(values, centred(level)), (moved, raw(level, &[0.0; 7][..n]))] {
            let mut case = Case::new(&values, n);
            case.counts.clone_from(&counts);
            let (mut work, mut weights) = (Workspace::default(), vec![0.0; n]);
            let found = solve(case.problem(), options, &mut work, &mut weights);
            match found.status {
                Status::Converged => {
                    let certified = certify(case.problem(), options, &weights, work.shares()).unwrap();
                    let risk = shortfall(&case, &weights, options);
                    assert!(certified.rc_error <= 1.1e-8 && certified.slack <= 1.1e-8 && risk > 0.0, "{found:?}");
                }
                Status::NoSolution => {
                    // Variances are told from rounding down to 32 n eps: volatilities down to 2e-7 of those of assets.
                    let risk = shortfall(&case, work.direction(), options);
                    assert!(risk <= 1e-5, "{rows} x {n}, {level}: {found:?} {risk}");
                }
                // Rounding hides what is left of the shortfall.
                Status::Stalled if shortfall(&case, &weights, options) < 1e-5 => {}
                Status::Stalled => panic!("{rows} x {n}, {options:?}: {values:?} {:?} {found:?}", case.counts),
                Status::Infeasible | Status::Invalid => {}
            }
        }
    }
}

#[test]
fn vector_instructions_change_the_last_bits_alone() {
    let mut sequence = Sequence(17);
    for (rows, n) in [(37, 3), (200, 9), (300, 33)] {
        let mut case = Case::new(&sequence.returns(rows, n, 2), n);
        case.counts = sequence.counts(rows);
        let (found, weights) = solved(case.problem(), centred(0.95));
        for arch in archs() {
            let (mut work, mut same) = (Workspace::default(), vec![0.0; n]);
            let (problem, options) = (case.problem(), centred(0.95));
            let other = arch.dispatch(Solve { problem, options, work: &mut work, weights: &mut same });
            assert!(found.status == Status::Converged && other.status == Status::Converged, "{found:?} {other:?}");
            assert!(furthest(&weights, &same) < 1e-10 && (found.risk / other.risk - 1.0).abs() < 1e-12);
        }
    }
}
