//! Windows of paths on the device: which windows share a pivot, which paths a piece of the problems takes, and the dispatch
//! that sums them. See `shaders/moments_windows.wgsl`.

use std::ops::Range;

use super::device::{Attempt, Device, Trouble};
use super::kernel::{self, Kernel};
use super::parameters::{WindowGroup, WindowRange};
use super::plan::Plan;
use super::stages::{Room, Slice};
use crate::covariance::windows::groups;

/// Turns of loops that an invocation takes at most: llvmpipe ends loops, without a word, after 65,535 in total.
const MOST_TURNS: u64 = 60_000;

/// Windows, and the panel that paths are drawn from.
pub struct Windows {
    /// Of a path.
    count: u64,
    groups: u32,
    /// Rows that all groups of a path sum.
    rows: u64,
    spans_buffer: wgpu::Buffer,
    groups_buffer: wgpu::Buffer,
    panel: Slice,
}

impl Windows {
    /// # Errors
    /// Groups of more rows and windows than a workgroup can take.
    pub fn upload(device: &Device, spans: &[Range<u32>], panel: Slice) -> Attempt<Windows> {
        let groups: Vec<WindowGroup> = (groups(spans).into_iter())
            .map(|group| WindowGroup {
                first: group.windows.start as u32,
                end: group.windows.end as u32,
                pivot: group.pivot,
            })
            .collect();
        // From the first start to the last end, as windows of a group go forwards.
        let rows = |group: &WindowGroup| {
            u64::from(spans[group.end as usize - 1].end) - u64::from(spans[group.first as usize].start)
        };
        let turns = |group: &WindowGroup| rows(group) + 3 * u64::from(group.end - group.first);
        if groups.iter().any(|group| turns(group) > MOST_TURNS) {
            return Err(Trouble::Unfit(format!(
                "the GPU engine does not solve windows that hold a row together and span {MOST_TURNS} rows"
            )));
        }
        let ends: Vec<[u32; 2]> = spans.iter().map(|span| [span.start, span.end]).collect();
        Ok(Windows {
            count: spans.len() as u64,
            groups: groups.len() as u32,
            rows: groups.iter().map(rows).sum(),
            spans_buffer: device.upload("spans", &ends),
            groups_buffer: device.upload("groups", &groups),
            panel,
        })
    }

    /// The paths that these problems are windows of.
    pub fn paths(&self, problems: &Range<u64>) -> Range<u64> {
        problems.start / self.count..problems.end.div_ceil(self.count)
    }
}

impl Device {
    /// Stage `moments` of problems that follow on each other. `flush` as for [`Device::moments`].
    pub fn moments_of_windows(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        windows: &Windows,
        room: &Room,
        problems: &Range<u64>,
        mut flush: impl FnMut(&mut wgpu::CommandEncoder),
    ) {
        let (assets, precision) = (plan.assets, plan.accuracy.precision);
        let (all, at_once) = (windows.paths(problems), plan.moment_paths(windows.rows));
        let paths = (all.end - all.start) as u32;
        for first_path in (0..paths).step_by(at_once as usize) {
            let range = WindowRange {
                problems: (problems.end - problems.start) as u32,
                first_window: (problems.start % windows.count) as u32,
                paths: at_once.min(paths - first_path),
                first_path,
                windows: windows.count as u32,
                groups: windows.groups,
                rows: plan.rows as u32,
            };
            let parameters = self.uniform(&range);
            let buffers = [
                (0, &parameters),
                (1, &windows.panel.buffer),
                (2, &room.drawn),
                (3, &room.moments),
                (4, &windows.spans_buffer),
                (5, &windows.groups_buffer),
            ];
            let groups = range.paths * windows.groups * kernel::window_tiles(assets) as u32;
            self.dispatch(encoder, Kernel::MomentsWindows { assets, precision }, groups, &buffers);
            flush(encoder);
        }
    }
}
