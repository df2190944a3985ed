//! Do explicit matrices come back as weights, row by row, whatever stands among them?

use crate::cases::Npz;
use crate::run::{Folder, apart, equirisk, npy, read_npy, risk};

fn matrix(name: &str) -> Vec<f64> {
    Npz::open(&format!("reference/{name}.npz")).array("cov").1
}

/// Five solvable problems of 20 assets among five that are not, with what each is.
fn problems() -> (Vec<f64>, Vec<(&'static str, Option<&'static str>)>) {
    let good = matrix("sp20_full");
    let changed = |entries: &[(usize, f64)]| {
        let mut matrix = good.clone();
        entries.iter().for_each(|(at, value)| matrix[*at] = *value);
        matrix
    };
    // Assets 0 and 1 hedge each other perfectly and move with nothing else.
    let hedged = (0..400).map(|k| match (k / 20, k % 20) {
        (0, 0) | (1, 1) => 0.04,
        (0, 1) | (1, 0) => -0.04,
        (0 | 1, _) | (_, 0 | 1) => 0.0,
        _ => good[k],
    });
    let parts: [(Vec<f64>, &str, Option<&str>); 10] = [
        (good.clone(), "converged", Some("sp20_full")),
        (changed(&[(45, f64::NAN)]), "invalid", None),
        (matrix("volspread_1e4_n20"), "converged", Some("volspread_1e4_n20")),
        (hedged.collect(), "no_solution", None),
        (changed(&[(21, 0.0)]), "invalid", None),
        (matrix("sp20_T15"), "converged", Some("sp20_T15")),
        (changed(&[(27, 1.5 * good[27])]), "invalid", None),
        (matrix("scale_1e-16"), "converged", Some("scale_1e-16")),
        (changed(&[(1, f64::INFINITY), (20, f64::INFINITY)]), "invalid", None),
        (good.clone(), "converged", Some("sp20_full")),
    ];
    let kinds = parts.iter().map(|(_, status, name)| (*status, *name)).collect();
    (parts.into_iter().flat_map(|(matrix, _, _)| matrix).collect(), kinds)
}

#[test]
fn each_matrix_gets_its_weights_or_a_row_of_nan_and_its_status() {
    let folder = Folder::new();
    let (values, kinds) = problems();
    let data = folder.write("covariances.npy", npy(&[10, 20, 20], &values));
    // Weights lie within about twice the tolerance; the last run takes the finishing step.
    for (engine, tolerance, within) in [("cpu", None, 2e-8), ("gpu", None, 2e-5), ("cpu", Some("1e-12"), 1e-13 + 3e-15)]
    {
        let out = folder.name("weights.npy");
        let mut args = vec!["batch", &data, "-o", &out, "--engine", engine, "--json", "--force"];
        args.extend(tolerance.iter().flat_map(|tolerance| ["--tolerance", tolerance]));
        let summary = equirisk(&args).succeeded().json();
        let weights = read_npy(&folder.path("weights.npy"));
        assert_eq!(weights.len(), 10);
        for (p, (row, (status, name))) in weights.iter().zip(&kinds).enumerate() {
            assert_eq!(summary["statuses"][p], *status, "{engine}: problem {p}");
            match name {
                Some(name) => {
                    let expected = Npz::open(&format!("reference/{name}.npz")).array("weights").1;
                    assert!(apart(row, &expected) <= within, "{engine} {name}: {:e}", apart(row, &expected));
                }
                None => assert!(row.len() == 20 && row.iter().all(|w| w.is_nan()), "{engine}: problem {p}"),
            }
        }
        assert!(weights[0] == weights[9], "{engine}: equal matrices, other weights");
        let solves = &summary["solves"];
        assert_eq!((&solves["total"], &solves["converged"]), (&10.into(), &5.into()), "{solves}");
        assert_eq!((&solves["no_solution"], &solves["invalid"]), (&1.into(), &4.into()), "{solves}");
        assert!(summary["rc_error"]["max"].as_f64().unwrap() <= if engine == "cpu" { 1e-8 } else { 1e-5 });
    }
}

#[test]
fn unsolved_problems_are_exit_code_3_only_when_strict() {
    let folder = Folder::new();
    let data = folder.write("covariances.npy", npy(&[10, 20, 20], &problems().0));
    let out = folder.name("weights.npy");
    equirisk(&["batch", &data, "-o", &out]).succeeded();
    assert_eq!(equirisk(&["batch", &data, "-o", &out, "--force", "--strict"]).code, 3);
    let good = folder.write("good.npy", npy(&[1, 20, 20], &matrix("sp20_full")));
    equirisk(&["batch", &good, "-o", &out, "--force", "--strict"]).succeeded();
}

#[test]
fn an_existing_file_is_not_overwritten_without_force() {
    let folder = Folder::new();
    let data = folder.write("covariances.npy", npy(&[2, 2, 2], &[4.0, 1.0, 1.0, 9.0, 1.0, 0.0, 0.0, 1.0]));
    let out = folder.write("weights.npy", "precious");
    let run = equirisk(&["batch", &data, "-o", &out]).refused(2);
    assert!(run.stderr.contains("--force"), "{}", run.stderr);
    assert_eq!(folder.read("weights.npy"), "precious");
    equirisk(&["batch", &data, "-o", &out, "--force"]).succeeded();
    let weights = read_npy(&folder.path("weights.npy"));
    assert!(apart(&weights[0], &[0.6, 0.4]) <= 2e-8 && apart(&weights[1], &[0.5, 0.5]) <= 2e-8, "{weights:?}");
}

#[test]
fn arrays_of_another_shape_or_kind_are_refused_and_nothing_is_written() {
    let folder = Folder::new();
    let ones = vec![1.0; 36];
    let whole = npy(&[4, 3, 3], &ones);
    let integers = String::from_utf8_lossy(&whole[..128]).into_owned();
    let integers = [integers.replace("<f8", "<i8").as_bytes().get(1..).unwrap(), &whole[128..]].concat();
    for (what, bytes) in [
        ("4 x 9", npy(&[4, 9], &ones)),
        ("3 x 3 x 4", npy(&[3, 3, 4], &ones)),
        ("1 x 4 x 3 x 3", npy(&[1, 4, 3, 3], &ones)),
        ("36", npy(&[36], &ones)),
        ("no problems", npy(&[0, 3, 3], &[])),
        ("no assets", npy(&[3, 0, 0], &[])),
        ("too short", whole[..whole.len() - 8].to_vec()),
        ("too long", [&whole[..], &[0; 8]].concat()),
        ("larger than memory", npy(&[1 << 30, 1 << 30, 1 << 30], &ones)),
        ("integers", integers),
        ("header only", whole[..40].to_vec()),
        ("text", b"1,2\n3,4\n".to_vec()),
        ("empty", Vec::new()),
    ] {
        let data = folder.write("covariances.npy", bytes);
        let out = folder.name("weights.npy");
        let run = equirisk(&["batch", &data, "-o", &out, "--json"]);
        assert_eq!(run.code, 4, "{what}: {run:?}");
        run.refused(4);
        assert!(!folder.path("weights.npy").exists(), "{what}");
    }
}

#[test]
fn a_zero_budget_is_a_weight_of_exactly_zero_and_budgets_hold_for_the_rest() {
    let folder = Folder::new();
    let matrix = [1.0, 0.2, 0.3, 0.2, 4.0, 0.1, 0.3, 0.1, 9.0];
    let data = folder.write("covariances.npy", npy(&[2, 3, 3], &[matrix, matrix.map(|x| 7.0 * x)].concat()));
    for (engine, within) in [("cpu", 1e-8), ("gpu", 2e-5)] {
        let out = folder.name("weights.npy");
        let args = ["-o", &out, "--budgets", "0=0.75,1=0,2=0.25", "--engine", engine, "--force"];
        equirisk(&[&["batch", &data], &args[..]].concat()).succeeded();
        for weights in read_npy(&folder.path("weights.npy")) {
            assert_eq!(weights[1], 0.0);
            let (_, shares) = risk(&matrix, &weights);
            assert!(apart(&[shares[0], shares[2]], &[0.75, 0.25]) <= within, "{engine}: {shares:?}");
        }
    }
}

#[test]
fn a_batch_larger_than_the_memory_allowed_is_refused_before_it_is_read() {
    let folder = Folder::new();
    let data = folder.write("covariances.npy", npy(&[100, 3, 3], &[1.0; 900]));
    let run = equirisk(&["batch", &data, "-o", &folder.name("weights.npy"), "--memory", "7KB"]).refused(2);
    assert!(run.stderr.contains("--memory") && run.stderr.contains("[100, 3, 3]"), "{}", run.stderr);
}
