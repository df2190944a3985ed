//! How a table is laid out, once the roles of its columns are known.

use crate::io::fields::Part;

/// Where the labels of rows stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Labels {
    /// Nowhere: rows are numbered.
    None,
    Column(usize),
    DayAndTime(usize, usize),
    /// Year, then quarter or month, then day.
    Parts(Vec<(Part, usize)>),
}

impl Labels {
    /// The first of their columns.
    pub(crate) fn first(&self) -> Option<usize> {
        match self {
            Labels::None => None,
            Labels::Column(column) | Labels::DayAndTime(column, _) => Some(*column),
            Labels::Parts(parts) => parts.first().map(|(_, column)| *column),
        }
    }
}

/// Assets that share their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub labels: Labels,
    /// Columns and the names of their assets.
    pub assets: Vec<(usize, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A column per asset; several blocks where series have dates of their own. A single asset may have many columns, of
    /// which one is read.
    Wide { blocks: Vec<Block>, is_single: bool },
    /// One row per date and asset.
    Long { labels: Labels, asset: usize, value: usize },
}
