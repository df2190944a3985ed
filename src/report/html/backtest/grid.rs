//! What the settings of a grid make of the strategy that the page is about.

use plotly::common::{Anchor, Marker, Mode};
use plotly::layout::{Annotation, Axis, Layout};
use plotly::{Scatter, Trace};

use super::own;
use super::rows::{colour, stroke};
use crate::report::html::cells::Cells;
use crate::report::html::chart::{Chart, Table, axis, columns, faint, heading, layout, plot, rows};
use crate::report::html::text::{label, name, rounded};
use crate::report::words::{capitalised, counted, ratio};
use crate::study::backtest::Outcome;
use crate::study::backtest::figures::{Deflated, PathFigures};
use crate::study::backtest::grid::GridOutcome;

const HEIGHT: usize = 400;

/// Small heat maps: one for each combination of the keys that stand at no axis.
const MOST_PANELS: usize = 8;

/// Side by side.
const ACROSS: usize = 2;

/// Pixels of a row of cells, and of what stands around a panel.
const ROW: usize = 30;
const AROUND: usize = 110;

/// The part of a panel's place that holds its cells.
const FILLED: [f64; 2] = [0.84, 0.66];

/// What a cell says: its row, its column, its setting and the Sharpe ratio there.
type Told<'a> = dyn Fn(&str, &str, Option<usize>, Option<f64>) -> String + 'a;

type SetAxis = fn(Layout, Axis) -> Layout;

/// None without a grid, or with one setting.
pub fn grid(outcome: &Outcome) -> Option<Chart> {
    let grid = outcome.grid.as_ref()?;
    if grid.settings.len() < 2 {
        return None;
    }
    let own = own(outcome);
    let deflated = grid.deflated.iter().find(|best| best.strategy == own.name).and_then(|best| best.deflated);
    // The keys that were varied, with their values as they were asked for.
    let varied: Vec<Key> =
        (0..grid.keys.len()).map(|place| Key::of(grid, place)).filter(|key| key.values.len() > 1).collect();
    let drawing = match &varied[..] {
        [] => return None,
        [key] => lines(outcome, grid, key),
        keys => panels(grid, keys, &own.name, deflated.map(|deflated| deflated.best)),
    };
    let by = if grid.cells.iter().any(|cell| cell.figures.sharpe_monthly.is_some()) { "of months" } else { "of rows" };
    Some(Chart {
        id: "grid",
        title: title(grid, deflated, &name(&own.label)),
        plot: plot(drawing.traces, drawing.layout),
        other: None,
        folded: false,
        height: drawing.height,
        caption: format!(
            "Sharpe ratios {by}, over {} from {} on, the same for all settings.{} The best of many is partly the luckiest: the \
             probability is that it beats the best of as many settings without skill (Bailey & Lopez de Prado 2014), which is \
             too low where settings are alike.{}",
            counted(grid.rows as u64, "row"),
            grid.from,
            drawing.how,
            halves(grid, &own.name)
        ),
        table: table(outcome, grid),
    })
}

/// A key of the grid.
struct Key<'a> {
    name: &'a str,
    /// Its place among the keys.
    place: usize,
    /// Without repetition, in the order of the settings.
    values: Vec<&'a str>,
}

impl Key<'_> {
    fn of(grid: &GridOutcome, place: usize) -> Key<'_> {
        let mut values: Vec<&str> = Vec::new();
        for setting in &grid.settings {
            if !values.contains(&setting[place].as_str()) {
                values.push(&setting[place]);
            }
        }
        Key { name: &grid.keys[place], place, values }
    }
}

struct Drawing {
    traces: Vec<Box<dyn Trace>>,
    layout: Layout,
    height: usize,
    /// How to read it.
    how: String,
}

fn sharpe(figures: &PathFigures) -> Option<f64> {
    figures.sharpe_monthly.or(figures.sharpe)
}

/// Of a strategy in a setting.
fn of_setting(grid: &GridOutcome, strategy: &str, setting: usize) -> Option<f64> {
    let cell = grid.cells.iter().find(|cell| cell.setting == setting && cell.strategy == strategy)?;
    sharpe(&cell.figures)
}

/// A line for every strategy along one key.
fn lines(outcome: &Outcome, grid: &GridOutcome, key: &Key) -> Drawing {
    let mut traces: Vec<Box<dyn Trace>> = Vec::new();
    for strategy in &outcome.strategies {
        let at = |value: &&str| {
            let setting = grid.settings.iter().position(|setting| setting[key.place] == *value);
            setting.and_then(|setting| of_setting(grid, &strategy.name, setting)).map_or(f64::NAN, rounded)
        };
        let places = (0..key.values.len()).map(|place| place as f64).collect();
        traces.push(
            Scatter::new(places, key.values.iter().map(at).collect())
                .mode(Mode::LinesMarkers)
                .name(label(&strategy.label))
                .line(stroke(outcome, strategy))
                .marker(Marker::new().color(colour(outcome, strategy)).size(6))
                .hover_template("%{y:.2f}<extra>%{fullData.name}</extra>"),
        );
    }
    let x = columns(key.values.iter().copied()).title(heading(&label(key.name)));
    Drawing { traces, layout: layout(HEIGHT, x, axis("Sharpe ratio")), height: HEIGHT, how: String::new() }
}

/// A heat map of the two keys with most values for each combination of the others.
fn panels(grid: &GridOutcome, keys: &[Key], strategy: &str, best: Option<usize>) -> Drawing {
    let mut sorted: Vec<&Key> = keys.iter().collect();
    sorted.sort_by_key(|key| std::cmp::Reverse(key.values.len()));
    let (x, y, others) = (sorted[0], sorted[1], &sorted[2..]);
    // Settings of a panel have the same values of the other keys.
    let combination = |setting: &[String]| others.iter().map(|key| setting[key.place].clone()).collect::<Vec<String>>();
    let mut combinations: Vec<Vec<String>> = Vec::new();
    for setting in &grid.settings {
        let own = combination(setting);
        if !combinations.contains(&own) {
            combinations.push(own);
        }
    }
    let all = combinations.len();
    combinations.truncate(MOST_PANELS);
    let found: Vec<f64> = (0..grid.settings.len()).filter_map(|at| of_setting(grid, strategy, at)).collect();
    let least = found.iter().copied().fold(f64::INFINITY, f64::min);
    let most = found.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let across = if combinations.len() == 1 { 1 } else { ACROSS };
    let down = combinations.len().div_ceil(across);
    let height = down * (AROUND + ROW * y.values.len().max(3));
    let mut traces: Vec<Box<dyn Trace>> = Vec::new();
    let mut annotations = Vec::new();
    let mut axes: Vec<[Axis; 2]> = Vec::new();
    for (panel, own) in combinations.iter().enumerate() {
        let cell = |row: &&str, column: &&str| {
            let setting = grid.settings.iter().position(|setting| {
                setting[x.place] == **column && setting[y.place] == **row && combination(setting) == *own
            });
            (setting, setting.and_then(|setting| of_setting(grid, strategy, setting)))
        };
        let table = |text: &Told| -> Vec<Vec<String>> {
            let row = |row: &&str| {
                let told = |column: &&str| {
                    let (setting, sharpe) = cell(row, column);
                    text(row, column, setting, sharpe)
                };
                x.values.iter().map(told).collect()
            };
            y.values.iter().map(row).collect()
        };
        let number = |sharpe: Option<f64>| sharpe.map_or(f64::NAN, rounded);
        let values = y.values.iter().map(|row| x.values.iter().map(|column| number(cell(row, column).1)).collect());
        let texts = table(&|_, _, setting, sharpe| match sharpe {
            Some(sharpe) if setting == best => format!("<b>{sharpe:.2} ★</b>"),
            Some(sharpe) => format!("{sharpe:.2}"),
            None => String::new(),
        });
        let hover = table(&|row, column, _, sharpe| {
            format!("{} {}, {} {}: {}", label(x.name), label(column), label(y.name), label(row), ratio(sharpe))
        });
        let cells = Cells {
            values: values.collect(),
            texts: Some(texts),
            hover,
            colours: faint(),
            range: [least, most],
            bar: None,
        };
        let number = |letter: &str| if panel == 0 { letter.to_string() } else { format!("{letter}{}", panel + 1) };
        traces.extend(cells.traces(&number("x"), &number("y")));
        let (column, row) = (panel % across, panel / across);
        let [width, tall] = [1.0 / across as f64, 1.0 / down as f64];
        let filled = [if across == 1 { 1.0 } else { FILLED[0] }, if down == 1 { 1.0 } else { FILLED[1] }];
        let left = column as f64 * width + if column == 0 { 0.0 } else { (1.0 - filled[0]) * width };
        let top = 1.0 - row as f64 * tall;
        axes.push([
            columns(x.values.iter().copied())
                .title(heading(&label(x.name)))
                .domain(&[left, left + filled[0] * width])
                .anchor(number("y")),
            rows(y.values.iter().copied())
                .title(heading(&label(y.name)))
                .domain(&[top - filled[1] * tall, top])
                .anchor(number("x")),
        ]);
        let named = others.iter().zip(own).map(|(key, value)| format!("{} {}", label(key.name), label(value)));
        annotations.push(
            Annotation::new()
                .text(named.collect::<Vec<_>>().join(", "))
                .show_arrow(false)
                .x(left)
                .x_ref("paper")
                .x_anchor(Anchor::Left)
                .y(top)
                .y_ref("paper")
                .y_anchor(Anchor::Bottom),
        );
    }
    let mut axes = axes.into_iter();
    let [first_x, first_y] = axes.next().unwrap_or_else(|| [axis(""), axis("")]);
    let mut shape = layout(height, first_x, first_y).annotations(annotations);
    let setters: [[SetAxis; 2]; MOST_PANELS - 1] = [
        [Layout::x_axis2, Layout::y_axis2],
        [Layout::x_axis3, Layout::y_axis3],
        [Layout::x_axis4, Layout::y_axis4],
        [Layout::x_axis5, Layout::y_axis5],
        [Layout::x_axis6, Layout::y_axis6],
        [Layout::x_axis7, Layout::y_axis7],
        [Layout::x_axis8, Layout::y_axis8],
    ];
    for ([set_x, set_y], [x, y]) in setters.into_iter().zip(axes) {
        shape = set_y(set_x(shape, x), y);
    }
    let mut how = " The darker a cell the higher, and a star marks the best.".to_string();
    if all > combinations.len() {
        how += &format!(
            " Shown are the first {} of {all} combinations of the other keys; the table has all.",
            combinations.len()
        );
    }
    Drawing { traces, layout: shape, height, how }
}

/// "Of 9 settings lookback 252, cost-bps 0 was best for risk budgeting, with a Sharpe ratio of 1.21; that it is no luck has
/// probability 0.98"
fn title(grid: &GridOutcome, deflated: Option<Deflated>, own: &str) -> String {
    let settings = counted(grid.settings.len() as u64, "setting");
    let Some(deflated) = deflated else {
        return format!("{} in {settings}: which is best cannot be told", capitalised(own));
    };
    let pairs = grid.keys.iter().zip(&grid.settings[deflated.best]);
    let best: Vec<String> = pairs.map(|(key, value)| format!("{} {}", name(key), name(value))).collect();
    format!(
        "Of {settings}, {} was best for {own}; with probability {:.2} it is more than the luckiest",
        best.join(", "),
        deflated.probability
    )
}

fn halves(grid: &GridOutcome, strategy: &str) -> String {
    let found = grid.halves.iter().find(|half| half.strategy == strategy).and_then(|half| half.rank_correlation);
    found.map_or(String::new(), |correlation| {
        format!(" The ranks of the settings in the two halves of the rows have a correlation of {correlation:.2}.")
    })
}

/// All settings of all strategies.
fn table(outcome: &Outcome, grid: &GridOutcome) -> Table {
    let mut head: Vec<String> = vec!["setting".to_string()];
    head.extend(outcome.strategies.iter().map(|strategy| name(&strategy.label)));
    let row = |(number, values): (usize, &Vec<String>)| {
        let pairs = grid.keys.iter().zip(values).map(|(key, value)| format!("{} {}", name(key), name(value)));
        let sharpes = outcome.strategies.iter().map(|of| ratio(of_setting(grid, &of.name, number)));
        std::iter::once(pairs.collect::<Vec<_>>().join(", ")).chain(sharpes).collect()
    };
    Table { head, rows: grid.settings.iter().enumerate().map(row).collect(), ends_in_words: false }
}
