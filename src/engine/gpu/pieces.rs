//! The pieces that kernels are joined from. The table in `shaders/README.md` says which kernel takes which.

use std::borrow::Cow;

/// A part of a kernel's text: a file of `shaders/`, what a file beside this one writes, or constants.
#[derive(Debug)]
pub struct Piece {
    /// Name of that file; none for constants.
    #[cfg_attr(not(test), expect(dead_code, reason = "the test of the table reads it"))]
    pub name: Option<&'static str>,
    pub text: Cow<'static, str>,
}

impl Piece {
    pub fn constants(lines: &[String]) -> Piece {
        Piece { name: None, text: lines.concat().into() }
    }

    pub fn written(name: &'static str, text: String) -> Piece {
        Piece { name: Some(name), text: text.into() }
    }

    /// The same with constants of its own before it.
    pub fn after(self, lines: &[String]) -> Piece {
        Piece { text: (lines.concat() + &self.text).into(), ..self }
    }
}

macro_rules! wgsl {
    ($name:literal) => {
        Piece { name: Some($name), text: Cow::Borrowed(include_str!(concat!("../../../shaders/", $name))) }
    };
}

pub const PHILOX: Piece = wgsl!("philox.wgsl");
pub const MULHI_LIMBS: Piece = wgsl!("mulhi_limbs.wgsl");
pub const MULHI_WIDE: Piece = wgsl!("mulhi_wide.wgsl");
pub const KNOWN: Piece = wgsl!("known.wgsl");
pub const DRAW: Piece = wgsl!("draw.wgsl");
pub const DRAW_CHANGES: Piece = wgsl!("draw_changes.wgsl");
pub const DRAW_COUNTS: Piece = wgsl!("draw_counts.wgsl");
pub const DRAW_ROWS: Piece = wgsl!("draw_rows.wgsl");
pub const DRAW_STEPS: Piece = wgsl!("draw_steps.wgsl");
pub const DRAW_WEIGHTS: Piece = wgsl!("draw_weights.wgsl");
pub const PAIRS: Piece = wgsl!("pairs.wgsl");
pub const ROWS_COUNTED: Piece = wgsl!("rows_counted.wgsl");
pub const ROWS_WEIGHED: Piece = wgsl!("rows_weighed.wgsl");
pub const MOMENTS: Piece = wgsl!("moments.wgsl");
pub const MOMENTS_WIDE: Piece = wgsl!("moments_wide.wgsl");
pub const MOMENTS_STEPS: Piece = wgsl!("moments_steps.wgsl");
pub const MOMENTS_WINDOWS: Piece = wgsl!("moments_windows.wgsl");
pub const MOMENTS_TILE: Piece = wgsl!("moments_tile.wgsl");
pub const CELLS: Piece = wgsl!("cells.wgsl");
pub const COVARIANCE: Piece = wgsl!("covariance.wgsl");
pub const CORRELATE: Piece = wgsl!("correlate.wgsl");
pub const CORRELATE_SUBSET: Piece = wgsl!("correlate_subset.wgsl");
pub const FOURTH_RANGE: Piece = wgsl!("fourth_range.wgsl");
pub const FOURTH_MOMENTS: Piece = wgsl!("fourth_moments.wgsl");
pub const FOURTH_COUNTS: Piece = wgsl!("fourth_counts.wgsl");
pub const FOURTH_STEPS: Piece = wgsl!("fourth_steps.wgsl");
pub const SHRINK: Piece = wgsl!("shrink.wgsl");
pub const SHRINK_THREAD: Piece = wgsl!("shrink_thread.wgsl");
pub const SHRINK_LANES: Piece = wgsl!("shrink_lanes.wgsl");
pub const LEDOIT_WOLF: Piece = wgsl!("ledoit_wolf.wgsl");
pub const CONSTANT_CORRELATION: Piece = wgsl!("constant_correlation.wgsl");
pub const OAS: Piece = wgsl!("oas.wgsl");
pub const MOMENTS_DIAGONAL: Piece = wgsl!("moments_diagonal.wgsl");
pub const GERBER_RANGE: Piece = wgsl!("gerber_range.wgsl");
pub const GERBER_PLANES: Piece = wgsl!("gerber_planes.wgsl");
pub const GERBER: Piece = wgsl!("gerber.wgsl");
pub const DRAW_DECAYS: Piece = wgsl!("draw_decays.wgsl");
pub const STEPS_COUNTED: Piece = wgsl!("steps_counted.wgsl");
pub const STEPS_DECAYING: Piece = wgsl!("steps_decaying.wgsl");
pub const OTHERS: Piece = wgsl!("others.wgsl");
pub const PROOF: Piece = wgsl!("proof.wgsl");
pub const QUADRATIC: Piece = wgsl!("quadratic.wgsl");
pub const HIERARCHICAL: Piece = wgsl!("hierarchical.wgsl");
pub const MIXES: Piece = wgsl!("mixes.wgsl");
pub const BUDGETS: Piece = wgsl!("budgets.wgsl");
pub const DESCENT: Piece = wgsl!("descent.wgsl");
pub const QUADS: Piece = wgsl!("quads.wgsl");
pub const DESCEND: Piece = wgsl!("descend.wgsl");
pub const DESCEND_LANES: Piece = wgsl!("descend_lanes.wgsl");
pub const DESCEND_SUBGROUP: Piece = wgsl!("descend_subgroup.wgsl");
pub const LIMIT: Piece = wgsl!("limit.wgsl");
pub const LIMIT_QUADS: Piece = wgsl!("limit_quads.wgsl");
pub const LIMIT_MULTIPLIERS: Piece = wgsl!("limit_multipliers.wgsl");
pub const LIMIT_SWEEP: Piece = wgsl!("limit_sweep.wgsl");
pub const LIMITS: Piece = wgsl!("limits.wgsl");
pub const LANES_SUBGROUP: Piece = wgsl!("lanes_subgroup.wgsl");
pub const LANES_WORKGROUP: Piece = wgsl!("lanes_workgroup.wgsl");
pub const TOTALS_SUBGROUP: Piece = wgsl!("totals_subgroup.wgsl");
pub const TOTALS_WORKGROUP: Piece = wgsl!("totals_workgroup.wgsl");
pub const MATRIX_IDENTITY: Piece = wgsl!("matrix_identity.wgsl");
pub const MATRIX_TRIANGLE: Piece = wgsl!("matrix_triangle.wgsl");
pub const KEEP_CORRELATIONS: Piece = wgsl!("keep_correlations.wgsl");
pub const KEEP_INTERLEAVED: Piece = wgsl!("keep_interleaved.wgsl");
pub const KEEP_MOMENTS: Piece = wgsl!("keep_moments.wgsl");
pub const MATRIX_STORAGE: Piece = wgsl!("matrix_storage.wgsl");
pub const ACROSS_LANES: Piece = wgsl!("across_lanes.wgsl");
pub const CERTIFICATE: Piece = wgsl!("certificate.wgsl");
pub const SOLVE: Piece = wgsl!("solve.wgsl");
pub const CERTIFY: Piece = wgsl!("certify.wgsl");
pub const CERTIFY_LANES: Piece = wgsl!("certify_lanes.wgsl");
pub const CERTIFY_LIMITED: Piece = wgsl!("certify_limited.wgsl");
pub const CERTIFY_CORRELATIONS: Piece = wgsl!("certify_correlations.wgsl");
pub const SUBSET: Piece = wgsl!("subset.wgsl");
pub const DRAW_SUBSET: Piece = wgsl!("draw_subset.wgsl");
pub const DRAW_RANKED: Piece = wgsl!("draw_ranked.wgsl");
pub const DRAW_FLOYD: Piece = wgsl!("draw_floyd.wgsl");
pub const MEASURE: Piece = wgsl!("measure.wgsl");
pub const MEASURE_CERTIFIED: Piece = wgsl!("measure_certified.wgsl");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::super::catalogue::all;

    /// A row of the table, cell by cell.
    struct Row<'a> {
        stage: &'a str,
        /// Name of the variant, then what is particular to the kernels of this row.
        kernel: Vec<&'a str>,
        entry: &'a str,
        /// Pieces in order; alternatives together.
        pieces: Vec<Vec<&'a str>>,
        twin: &'a str,
        test: &'a str,
        bench: &'a str,
    }

    impl Row<'_> {
        /// Whether the row is about a kernel of this description, stage, entry point and pieces.
        fn holds(&self, kernel: &str, stage: &str, entry: &str, pieces: &[&str]) -> bool {
            let alike = self.pieces.len() == pieces.len();
            kernel.starts_with(&format!("{} {{", self.kernel[0]))
                && self.kernel[1..].iter().all(|part| kernel.contains(part))
                && (self.stage, self.entry) == (stage, entry)
                && alike
                && self.pieces.iter().zip(pieces).all(|(either, piece)| either.contains(piece))
        }
    }

    fn table(text: &str) -> Vec<Row<'_>> {
        let lines = text.lines().filter(|line| line.starts_with("| `"));
        let rows = lines.map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let &[stage, kernel, entry, pieces, twin, test, bench] = &cells[..] else { panic!("seven cells: {line}") };
            let pieces = pieces.split(", ").map(marked).collect();
            Row { stage: marked(stage)[0], kernel: marked(kernel), entry: marked(entry)[0], pieces, twin, test, bench }
        });
        rows.collect()
    }

    /// What stands between backticks.
    fn marked(cell: &str) -> Vec<&str> {
        cell.split('`').skip(1).step_by(2).collect()
    }

    fn read(path: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Files, and after each the functions in it; or a dash and why there are none.
    fn assert_names_functions(cell: &str) {
        if let Some(reason) = cell.strip_prefix("– ") {
            return assert!(!reason.is_empty(), "{cell}");
        }
        let (mut path, mut text, mut functions) = ("", String::new(), 0);
        for name in marked(cell) {
            if name.contains('/') {
                (path, text) = (name, read(name));
                continue;
            }
            let heads = ["(", "<"].map(|end| format!("fn {name}{end}"));
            assert!(heads.iter().any(|head| text.contains(head)), "`{path}` has no function `{name}`");
            let is_test = text.contains(&format!("#[test]\nfn {name}("));
            assert!(is_test || !path.starts_with("tests/"), "`{name}` in `{path}` is no test");
            functions += 1;
        }
        assert!(functions > 0, "no function is named: {cell}");
    }

    /// Names of the variants of `Kernel`, from its source.
    fn variants() -> BTreeSet<&'static str> {
        let body = include_str!("kernel.rs").split_once("pub enum Kernel {\n").unwrap().1.split_once("\n}").unwrap().0;
        body.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(" {")).map(|(name, _)| name).collect()
    }

    #[test]
    fn the_table_of_shaders_is_that_of_the_kernels() {
        let text = read("shaders/README.md");
        let rows = table(&text);
        let mut variants = variants();
        // Which row each kernel stands in, and which pieces it takes there.
        let mut taken = BTreeSet::new();
        for kernel in all() {
            let (name, made) = (format!("{kernel:?}"), kernel.pieces());
            let pieces: Vec<&str> = made.iter().filter_map(|piece| piece.name).collect();
            let found: Vec<usize> = (0..rows.len())
                .filter(|&row| rows[row].holds(&name, kernel.stage(), kernel.entry(), &pieces))
                .collect();
            assert_eq!(found.len(), 1, "rows for {name}, entry point {}, of {pieces:?}: {found:?}", kernel.entry());
            taken.extend(pieces.iter().map(|piece| (found[0], (*piece).to_owned())));
            variants.remove(name.split(' ').next().unwrap());
        }
        assert!(variants.is_empty(), "no kernel is listed of {variants:?}");

        let mut named = BTreeSet::new();
        for (at, row) in rows.iter().enumerate() {
            for piece in row.pieces.iter().flatten() {
                assert!(taken.contains(&(at, (*piece).to_owned())), "no kernel {:?} takes `{piece}`", row.kernel);
                named.insert((*piece).to_owned());
            }
            for cell in [row.twin, row.test, row.bench] {
                assert_names_functions(cell);
            }
        }
        named.retain(|name| name.ends_with(".wgsl"));
        let folder = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders")).unwrap();
        let files = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(named, files.filter(|name| name.ends_with(".wgsl")).collect());
    }
}
