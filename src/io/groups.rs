//! Groups of assets: a file of `asset,group` rows, and limits such as `BONDS=1,SHARES=3`.

use crate::error::{Error, Mention, Result};
use crate::io::csv::Table;
use crate::io::input::Format;
use crate::io::names::plain;
use crate::io::{Input, Limits, names, shown, text};

/// Assets by group, in the order in which the groups first appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    pub names: Vec<String>,
    /// The group of each asset; none where the file does not name it.
    pub of: Vec<Option<usize>>,
}

/// Reads the groups of `assets`. Rows for other assets are passed over: a file may serve several universes.
///
/// # Errors
/// Rows that are not two cells, an asset in two groups, a file that names none of the assets.
pub fn read_groups(input: &Input, assets: &[String]) -> Result<Groups> {
    let contents = input.load(Limits::default())?;
    if contents.format != Format::Text {
        return Err(contents.not_read());
    }
    let source = contents.name.as_str();
    let (text, _) = text::decode(source, &contents.bytes)?;
    let (mut table, _) = Table::open(source, &text)?;
    let mut groups = Groups { names: Vec::new(), of: vec![None; assets.len()] };
    // A first row that names an asset is an entry, not a header.
    if let [asset, group] = &table.names[..]
        && assets.contains(asset)
    {
        let (place, asset, group) = (format!("{source}: line {}", table.header_line), asset.clone(), group.clone());
        groups.put(&place, &asset, &group, assets)?;
    }
    while let Some(line) = table.next_record()? {
        let place = format!("{source}: line {line}");
        if table.width() < 2 || (2..table.width()).any(|column| !table.cell(column).is_empty()) {
            return Err(Error::input(format!("{place}: not two cells")).hint("write asset,group on each line"));
        }
        groups.put(&place, table.cell(0), table.cell(1), assets)?;
    }
    if groups.names.is_empty() {
        return Err(Error::input(format!("{source}: names none of the assets"))
            .hint("write asset,group on each line, with the names of the data"));
    }
    Ok(groups)
}

impl Groups {
    fn put(&mut self, place: &str, asset: &str, group: &str, assets: &[String]) -> Result<()> {
        let (asset, group) = (plain(asset), plain(group));
        let Some(position) = assets.iter().position(|name| *name == asset) else { return Ok(()) };
        if group.is_empty() {
            return Err(Error::input(format!("{place}: `{}` has no group", shown(&asset)))
                .hint("leave the line out where an asset belongs to none"));
        }
        let number = self.names.iter().position(|name| *name == group).unwrap_or_else(|| {
            self.names.push(group);
            self.names.len() - 1
        });
        if self.of[position].replace(number).is_some_and(|other| other != number) {
            return Err(Error::input(format!("{place}: `{}` is in two groups", shown(&asset))).hint("keep one of them"));
        }
        Ok(())
    }

    /// A limit for each group from `BONDS=1,SHARES=3`; none where the list does not name it.
    ///
    /// # Errors
    /// Unknown or repeated groups, and what is no whole number.
    pub fn limits(&self, asked: &Mention, list: &str) -> Result<Vec<Option<usize>>> {
        let mut limits = vec![None; self.names.len()];
        for part in list.split(',').filter(|part| !part.trim().is_empty()) {
            // The last `=`: names may contain one.
            let (group, text) = part.rsplit_once('=').unwrap_or((part, ""));
            let group = plain(group);
            let number = text.trim().parse().map_err(|_| {
                Error::usage(format!("{asked}: `{}` is no limit", shown(part.trim()))).hint("write GROUP=2,OTHER=3")
            })?;
            let position = self
                .names
                .iter()
                .position(|name| *name == group)
                .ok_or_else(|| names::unknown_of("group", &asked.to_string(), &group, &self.names))?;
            if limits[position].replace(number).is_some() {
                return Err(
                    Error::usage(format!("{asked}: `{}` has two limits", shown(&group))).hint("keep one of them")
                );
            }
        }
        Ok(limits)
    }
}
