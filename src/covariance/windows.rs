//! Second moments of windows that overlap: stage `moments` of [`crate::covariance`] for the windows of a path.
//!
//! A pivot p inside a window cuts it in two, and each part is a sum over rows:
//!
//! ```text
//! M[s, e) = M[s, p) + M[p, e)        M[a, b) = sum of z z' over the rows a <= t < b of the path
//! ```
//!
//! Windows in order share a pivot as long as it lies in them. The parts before it are summed once, from the pivot back, and
//! those after it from the pivot on: a window costs two additions however long it is, and a path two passes over its rows.
//! Nothing is taken away from anything, so nothing cancels. The pivots are a matter of the windows alone: a window comes
//! out the same whichever others are asked for.
//!
//! The WGSL twin is `shaders/moments_windows.wgsl`.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::gram::{self, Gram};
use super::packed;
use crate::lanes::{LANES, Lanes, interleave};
use crate::panel::Panel;
use crate::resample::Law;

/// Windows, and the pivots that they share.
#[derive(Debug)]
pub struct Windows {
    spans: Arc<[Range<u32>]>,
    groups: Vec<Group>,
    gram: Gram,
    /// Of one window's moments: n sums, then the packed second moments.
    entries: usize,
}

/// Windows that share a pivot.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub windows: Range<usize>,
    pub pivot: u32,
}

impl Windows {
    /// None where neither starts nor ends go only forwards, or windows hardly overlap: then each is summed by itself.
    pub fn new(panel: &Panel, spans: &Arc<[Range<u32>]>) -> Option<Windows> {
        let together = spans.last()?.end - spans.first()?.start;
        let rows: u64 = spans.iter().map(|span| u64::from(span.end - span.start)).sum();
        let pays = rows > 2 * u64::from(together);
        let sound =
            spans.windows(2).all(|pair| forwards(&pair[0], &pair[1])) && spans.iter().all(|span| span.start < span.end);
        (pays && sound).then(|| Windows {
            groups: groups(spans),
            spans: spans.clone(),
            gram: Gram::new(panel),
            entries: panel.assets() + packed(panel.assets()),
        })
    }

    /// Sums and packed second moments of these sets, which ascend: set `p W + w` is window w of W of path p.
    pub fn sums(&self, law: &Law, sets: Vec<u64>) -> Sums {
        let entries = self.entries;
        let count = self.spans.len() as u64;
        let mut moments = vec![0.0; sets.len() * entries];
        let mut paths: Vec<(u64, &[u64], &mut [f64])> = Vec::new();
        let mut left = &mut moments[..];
        for own in sets.chunk_by(|a, b| a / count == b / count) {
            let (of_path, rest) = left.split_at_mut(own.len() * entries);
            paths.push((own[0] / count, own, of_path));
            left = rest;
        }
        paths.into_par_iter().for_each_init(gram::Sums::default, |room, (path, sets, moments)| {
            let rows = law.rows(path);
            let windows: Vec<usize> = sets.iter().map(|set| (set % count) as usize).collect();
            self.of_path(&rows, &windows, room, moments);
        });
        Sums { sets, entries, moments }
    }

    /// Those of these windows, which ascend, of a path of these rows.
    fn of_path(&self, rows: &[u32], windows: &[usize], room: &mut gram::Sums, moments: &mut [f64]) {
        let entries = self.entries;
        let mut first = 0;
        for group in &self.groups {
            let own = windows[first..].iter().take_while(|window| **window < group.windows.end).count();
            let (windows, moments) = (&windows[first..first + own], &mut moments[first * entries..][..own * entries]);
            first += own;
            if own > 0 {
                self.of_group(group, rows, windows, room, moments);
            }
        }
    }

    fn of_group(&self, group: &Group, rows: &[u32], windows: &[usize], room: &mut gram::Sums, moments: &mut [f64]) {
        let entries = self.entries;
        let all = &self.spans[group.windows.clone()];
        // Cuts that nobody asks for are made all the same: sums are those of every run.
        self.gram.begin(room);
        let (mut from, mut asked) = (group.pivot, windows.len());
        for (place, span) in group.windows.clone().zip(all).rev() {
            if span.start < from {
                self.gram.add(&rows[span.start as usize..from as usize], room);
                from = span.start;
            }
            if asked > 0 && windows[asked - 1] == place {
                asked -= 1;
                self.gram.read(room, &mut moments[asked * entries..][..entries]);
            }
        }
        self.gram.begin(room);
        let mut part = vec![0.0; entries];
        let (mut to, mut asked) = (group.pivot, 0);
        for (place, span) in group.windows.clone().zip(all) {
            if span.end > to {
                self.gram.add(&rows[to as usize..span.end as usize], room);
                to = span.end;
            }
            if windows.get(asked) == Some(&place) {
                self.gram.read(room, &mut part);
                let before = &mut moments[asked * entries..][..entries];
                before.iter_mut().zip(&part).for_each(|(sum, after)| *sum += after);
                asked += 1;
            }
        }
    }
}

/// Whether a window neither starts nor ends before the one before it.
fn forwards(before: &Range<u32>, span: &Range<u32>) -> bool {
    before.start <= span.start && before.end <= span.end
}

/// Each pivot is the end of the first window that does not hold the one before, or goes back.
pub fn groups(spans: &[Range<u32>]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (place, span) in spans.iter().enumerate() {
        let joins = |group: &&mut Group| span.start <= group.pivot && forwards(&spans[place - 1], span);
        match groups.last_mut().filter(joins) {
            Some(group) => group.windows.end = place + 1,
            None => groups.push(Group { windows: place..place + 1, pivot: span.end }),
        }
    }
    groups
}

/// Sums and second moments of sets that were asked for together.
#[derive(Debug)]
pub struct Sums {
    /// In ascending order.
    sets: Vec<u64>,
    entries: usize,
    /// Of each.
    moments: Vec<f64>,
}

impl Sums {
    fn of(&self, set: u64) -> &[f64] {
        let position = self.sets.binary_search(&set).expect("sums are asked for the sets they were made of");
        &self.moments[position * self.entries..][..self.entries]
    }

    /// The moments of one set.
    pub fn copy(&self, set: u64, moments: &mut [f64]) {
        moments[..self.entries].copy_from_slice(self.of(set));
    }

    /// Those of eight, a lane each.
    pub fn interleave(&self, sets: &[u64; LANES], moments: &mut [Lanes]) {
        interleave(&sets.map(|set| self.of(set)), &mut moments[..self.entries]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::covariance::moments;
    use crate::panel::{Labels, Returns};
    use crate::resample::Scheme;

    fn panel(rows: usize, n: usize) -> Panel {
        let values: Vec<f64> = (0..rows * n).map(|at| ((at * at) as f64).sin() + (at / n) as f64 * 0.01).collect();
        let assets = (0..n).map(|i| i.to_string()).collect();
        Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap()
    }

    #[test]
    fn sums_of_two_parts_are_sums_over_the_rows_of_the_window() {
        let rolling = |rows: u32, length: u32, step: u32| -> Vec<Range<u32>> {
            (length..=rows).step_by(step as usize).map(|end| end - length..end).collect()
        };
        let expanding: Vec<Range<u32>> = (20..=90).step_by(7).map(|end| 0..end).collect();
        for (rows, n, spans) in [
            (200, 3, rolling(200, 60, 5)),
            (97, 10, rolling(97, 40, 1)),
            (90, 8, expanding),
            (64, 17, vec![0..9, 0..9, 3..12, 4..30, 4..31, 11..40, 40..41, 40..60, 41..64]),
        ] {
            let (panel, spans): (Panel, Arc<[Range<u32>]>) = (panel(rows, n), spans.into());
            let law = Law::new(Scheme::Stationary, 9.0, rows, 5, 0).unwrap();
            let windows = Windows::new(&panel, &spans).expect("they overlap");
            let count = spans.len() as u64;
            // All of a path, and some of others.
            let sets: Vec<u64> = (0..count).chain([count + 1, 3 * count, 4 * count - 1]).collect();
            let sums = windows.sums(&law, sets.clone());
            let mut found = vec![0.0; n + packed(n)];
            for &set in &sets {
                sums.copy(set, &mut found);
                let (path, span) = (law.rows(set / count), &spans[(set % count) as usize]);
                let mut counts = vec![0.0; rows];
                path[span.start as usize..span.end as usize].iter().for_each(|row| counts[*row as usize] += 1.0);
                let mut own = vec![0.0; found.len()];
                let (first, second) = own.split_at_mut(n);
                moments(panel.values(), &counts, first, second, &mut Vec::new());
                // Each sum of up to two hundred numbers of the order of one is off by some of their roundings.
                let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 200.0 * f64::EPSILON * b.abs().max(10.0);
                assert!(found.iter().zip(&own).all(near), "{set}: {found:?} {own:?}");
                // By itself it comes out the same, bit for bit.
                let mut alone = vec![0.0; found.len()];
                windows.sums(&law, vec![set]).copy(set, &mut alone);
                assert_eq!(alone, found, "{set}");
            }
        }
    }

    #[test]
    fn a_path_is_passed_over_twice_at_most() {
        let spans: Vec<Range<u32>> = (252..=4000).step_by(21).map(|end| end - 252..end).collect();
        let groups = groups(&spans);
        let passed: u32 = (groups.iter())
            .map(|group| {
                let own = &spans[group.windows.clone()];
                own.last().unwrap().end - own[0].start
            })
            .sum();
        assert!(passed <= 2 * 4000 + 252, "{passed}");
        assert_eq!(groups.iter().map(|group| group.windows.len()).sum::<usize>(), spans.len());
    }

    #[test]
    fn windows_that_go_back_begin_a_group() {
        let group = |windows, pivot| Group { windows, pivot };
        let found = groups(&[0..40, 20..60, 10..50, 10..30, 10..50]);
        assert_eq!(found, [group(0..2, 40), group(2..3, 50), group(3..5, 30)]);
        assert_eq!(groups(&[]), []);
    }

    #[test]
    fn windows_that_hardly_overlap_are_summed_by_themselves() {
        let panel = panel(60, 2);
        for spans in [vec![0..30, 30..60], vec![0..40, 20..60, 10..50], vec![]] {
            assert!(Windows::new(&panel, &spans.into()).is_none());
        }
    }
}
