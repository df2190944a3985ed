//! What compilers made of every kernel when it was last recorded, and whether it has become worse.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a compiler says of a kernel. AMD counts registers of a lane of a wave, NVIDIA those of a thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Figures {
    #[serde(skip_serializing_if = "is_zero")]
    pub registers: u64,
    /// Registers kept in memory (AMD), or bytes of them (NVIDIA).
    #[serde(skip_serializing_if = "is_zero")]
    pub spills: u64,
    /// Bytes of memory of its own that a wave (AMD) or a thread (NVIDIA) takes, spilled registers included.
    #[serde(skip_serializing_if = "is_zero")]
    pub scratch: u64,
    /// Bytes of workgroup memory.
    #[serde(skip_serializing_if = "is_zero")]
    pub memory: u64,
    /// Bytes of instructions; NVIDIA's are not counted.
    #[serde(skip_serializing_if = "is_zero")]
    pub code: u64,
    /// Resident at a time: waves on a SIMD unit (AMD), warps on a multiprocessor (NVIDIA).
    pub waves: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Figures by kernel and target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Name and version of each target's compiler.
    pub compilers: BTreeMap<String, String>,
    pub kernels: BTreeMap<String, BTreeMap<String, Figures>>,
}

/// A line of what a comparison says.
#[derive(Debug, PartialEq, Eq)]
pub enum Finding {
    /// The kernels are worse, or not those of the record.
    Fault(String),
    /// Good to know.
    Note(String),
}

impl Record {
    /// Takes over what another holds of its targets: kernels that are no more go, other targets stay as they are.
    pub fn take(&mut self, other: Record) {
        for targets in self.kernels.values_mut() {
            targets.retain(|target, _| !other.compilers.contains_key(target));
        }
        self.kernels.retain(|name, _| other.kernels.contains_key(name));
        self.join(other);
    }

    /// Adds other targets.
    pub fn join(&mut self, other: Record) {
        for (name, targets) in other.kernels {
            self.kernels.entry(name).or_default().extend(targets);
        }
        self.compilers.extend(other.compilers);
    }

    /// As JSON, one line for each kernel and target.
    pub fn text(&self) -> serde_json::Result<String> {
        let mut text = String::from("{\n  \"compilers\": {\n");
        lines(&mut text, "    ", &self.compilers)?;
        text += "  },\n  \"kernels\": {\n";
        for (at, (name, targets)) in self.kernels.iter().enumerate() {
            text += &format!("    {}: {{\n", serde_json::to_string(name)?);
            lines(&mut text, "      ", targets)?;
            text += if at + 1 < self.kernels.len() { "    },\n" } else { "    }\n" };
        }
        text += "  }\n}\n";
        Ok(text)
    }

    /// Compares what was found with this record, target by target.
    pub fn compare(&self, found: &Record) -> Vec<Finding> {
        found.compilers.keys().flat_map(|target| self.compare_target(found, target)).collect()
    }

    fn compare_target(&self, found: &Record, target: &str) -> Vec<Finding> {
        let compiler = &found.compilers[target];
        let Some(recorded) = self.compilers.get(target) else {
            return vec![Finding::Fault(format!("{target} is not in the record"))];
        };
        let same = recorded == compiler;
        let (before, now) = (self.of(target), found.of(target));
        let most = |of: &BTreeMap<&str, Figures>| of.values().map(|figures| figures.waves).max().unwrap_or(0);
        let judge = Judge { same, most: [most(&before), most(&now)] };

        let (mut findings, mut better) = (Vec::new(), 0);
        for (name, now) in &now {
            let Some(before) = before.get(name) else {
                findings.push(Finding::Fault(format!("{target}: {name} is not in the record")));
                continue;
            };
            let faults = judge.faults(*before, *now);
            let fewer = now.spills < before.spills || now.scratch < before.scratch;
            better += u64::from(faults.is_empty() && (fewer || now.waves > before.waves));
            findings.extend(faults.into_iter().map(|fault| Finding::Fault(format!("{target}: {name}: {fault}"))));
        }
        let gone = before.keys().filter(|name| !now.contains_key(*name));
        findings.extend(gone.map(|name| Finding::Fault(format!("{target}: {name} is in the record alone"))));

        let spilling = now.values().filter(|figures| figures.spills > 0).count();
        let mut note = format!("{target}, {compiler}: {} kernels, {spilling} spill", now.len());
        if same {
            note += &format!("; {better} are better than recorded");
        } else {
            note += &format!(
                "; recorded with {recorded}: of kernels that compile, only new spills and scratch memory fail, and the \
                 loss of more than a quarter of the waves"
            );
        }
        findings.push(Finding::Note(note));
        findings
    }

    fn of(&self, target: &str) -> BTreeMap<&str, Figures> {
        let kernels = self.kernels.iter();
        kernels.filter_map(|(name, targets)| Some((name.as_str(), *targets.get(target)?))).collect()
    }
}

fn lines<T: Serialize>(text: &mut String, indent: &str, map: &BTreeMap<String, T>) -> serde_json::Result<()> {
    for (at, (key, value)) in map.iter().enumerate() {
        let comma = if at + 1 < map.len() { "," } else { "" };
        *text += &format!("{indent}{}: {}{comma}\n", serde_json::to_string(key)?, serde_json::to_string(value)?);
    }
    Ok(())
}

/// What counts as worse.
struct Judge {
    /// Whether the compiler is that of the record, so that every figure is a statement about the kernel.
    same: bool,
    /// Waves of the kernel that has most, in the record and now: drivers have counted them in other units.
    most: [u64; 2],
}

impl Judge {
    /// Another version of a compiler allots registers a little differently, for better or worse, and a register can cost
    /// a wave. Spills out of nothing, or a quarter of the waves, are more than that.
    fn faults(&self, before: Figures, now: Figures) -> Vec<String> {
        let mut faults = Vec::new();
        let mut memory = |what: &str, before: u64, now: u64| {
            if now > before && (self.same || before == 0) {
                faults.push(format!("{now} {what}, {before} in the record"));
            }
        };
        memory("spilled", before.spills, now.spills);
        memory("bytes of scratch memory", before.scratch, now.scratch);
        let lost = if self.same {
            now.waves < before.waves
        } else {
            // now / most now < 3/4 before / most before
            4 * now.waves * self.most[0] < 3 * before.waves * self.most[1]
        };
        if lost {
            faults.push(format!("{} waves, {} in the record", now.waves, before.waves));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Figures = Figures { registers: 16, spills: 0, scratch: 0, memory: 0, code: 100, waves: 16 };
    const HALF: Figures = Figures { registers: 96, spills: 0, scratch: 0, memory: 4096, code: 900, waves: 8 };
    const SPILLING: Figures = Figures { registers: 256, spills: 40, scratch: 1024, memory: 0, code: 9000, waves: 4 };

    fn record(compiler: &str, kernels: &[(&str, Figures)]) -> Record {
        let entry = |&(name, figures): &(&str, Figures)| (name.to_owned(), [("card".to_owned(), figures)].into());
        Record {
            compilers: [("card".to_owned(), compiler.to_owned())].into(),
            kernels: kernels.iter().map(entry).collect(),
        }
    }

    fn recorded() -> Record {
        record("one", &[("full", FULL), ("half", HALF), ("spilling", SPILLING)])
    }

    /// What is wrong with these kernels.
    fn faults(compiler: &str, kernels: &[(&str, Figures)]) -> Vec<String> {
        let findings = recorded().compare(&record(compiler, kernels));
        let faults = findings.into_iter().filter_map(|finding| match finding {
            Finding::Fault(text) => Some(text),
            Finding::Note(_) => None,
        });
        faults.collect()
    }

    /// The record with another figure in place of `half`.
    fn with_half(half: Figures) -> Vec<(&'static str, Figures)> {
        vec![("full", FULL), ("half", half), ("spilling", SPILLING)]
    }

    #[test]
    fn what_is_as_recorded_or_better_passes() {
        assert_eq!(faults("one", &with_half(HALF)), [""; 0]);
        let better = [("full", FULL), ("half", FULL), ("spilling", HALF)];
        assert_eq!(faults("one", &better), [""; 0]);
        let findings = recorded().compare(&record("one", &better));
        assert!(matches!(&findings[..], [Finding::Note(note)] if note.ends_with("2 are better than recorded")));
        // Registers and code alone are nobody's loss.
        assert_eq!(faults("one", &with_half(Figures { registers: 100, code: 1000, ..HALF })), [""; 0]);
    }

    #[test]
    fn a_new_spill_fails() {
        let spills = with_half(Figures { spills: 2, ..HALF });
        assert_eq!(faults("one", &spills), ["card: half: 2 spilled, 0 in the record"]);
        assert_eq!(faults("two", &spills), ["card: half: 2 spilled, 0 in the record"]);
        let scratch = with_half(Figures { scratch: 64, ..HALF });
        assert_eq!(faults("two", &scratch), ["card: half: 64 bytes of scratch memory, 0 in the record"]);
    }

    #[test]
    fn more_spills_than_recorded_fail_under_the_same_compiler() {
        let more = [("full", FULL), ("half", HALF), ("spilling", Figures { spills: 41, ..SPILLING })];
        assert_eq!(faults("one", &more), ["card: spilling: 41 spilled, 40 in the record"]);
        assert_eq!(faults("two", &more), [""; 0]);
    }

    #[test]
    fn lost_waves_fail() {
        assert_eq!(faults("one", &with_half(Figures { waves: 7, ..HALF })), ["card: half: 7 waves, 8 in the record"]);
        // Under another compiler, only if they are more than a quarter.
        assert_eq!(faults("two", &with_half(Figures { waves: 6, ..HALF })), [""; 0]);
        assert_eq!(faults("two", &with_half(Figures { waves: 5, ..HALF })), ["card: half: 5 waves, 8 in the record"]);
    }

    #[test]
    fn another_compiler_may_count_waves_in_another_unit() {
        let halved = |figures: Figures| Figures { waves: figures.waves / 2, ..figures };
        let mut all = with_half(HALF);
        all.iter_mut().for_each(|(_, figures)| *figures = halved(*figures));
        assert_eq!(faults("two", &all), [""; 0]);
        assert_eq!(faults("one", &all).len(), 3);
    }

    #[test]
    fn kernels_that_are_new_or_gone_fail() {
        for compiler in ["one", "two"] {
            let mut more = with_half(HALF);
            more.push(("fresh", FULL));
            assert_eq!(faults(compiler, &more), ["card: fresh is not in the record"]);
            assert_eq!(faults(compiler, &with_half(HALF)[1..]), ["card: full is in the record alone"]);
        }
    }

    #[test]
    fn a_target_that_was_never_recorded_fails() {
        let mut other = record("one", &[("full", FULL)]);
        other.compilers = [("newer".to_owned(), "one".to_owned())].into();
        assert_eq!(recorded().compare(&other), [Finding::Fault("newer is not in the record".to_owned())]);
    }

    #[test]
    fn a_record_takes_over_what_was_compiled_and_keeps_other_targets() {
        let mut all = recorded();
        all.take(Record {
            compilers: [("other".to_owned(), "three".to_owned())].into(),
            kernels: ["half", "fresh"].map(|name| (name.to_owned(), [("other".to_owned(), FULL)].into())).into(),
        });
        assert_eq!(all.compilers.len(), 2);
        assert_eq!(all.kernels.keys().collect::<Vec<_>>(), ["fresh", "half"], "kernels that are no more are gone");
        assert_eq!(all.kernels["half"]["card"], HALF);
        assert_eq!(all.kernels["half"]["other"], FULL);
    }

    #[test]
    fn what_is_written_is_read_again_a_line_for_each_kernel_and_target() {
        let text = recorded().text().unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), recorded());
        assert!(text.contains(
            "    \"half\": {\n      \"card\": {\"registers\":96,\"memory\":4096,\"code\":900,\"waves\":8}\n"
        ));
    }
}
