//! From --include and the groups to the subsets that they allow.

use crate::error::option;
use crate::io::{Input, read_groups};
use crate::subsets::space::Pool;
use crate::{Error, Result};

use crate::cli::args::ScreenArguments;

/// The assets of every subset, and the pools that the others come from.
pub fn constraints(arguments: &ScreenArguments, assets: &[String]) -> Result<(Vec<u32>, Vec<Pool>)> {
    let groups =
        arguments.groups.as_ref().map(|path| read_groups(&Input::from_argument(Some(path)), assets)).transpose()?;
    let find = |flag: &str, names: &[String]| -> Result<Vec<u32>> {
        let mut found = crate::io::positions(flag, assets, names)?;
        found.sort_unstable();
        Ok(found.into_iter().map(|position| position as u32).collect())
    };
    // Assets left out with --exclude are not among these.
    if let Some(both) = arguments.include.iter().find(|name| arguments.data.exclude.contains(name)) {
        return Err(Error::usage(format!("`{both}` is both included and excluded")).hint("name it once"));
    }
    let included = find("--include", &arguments.include)?;
    let size = arguments.size;
    let free: Vec<u32> = (0..assets.len() as u32).filter(|asset| !included.contains(asset)).collect();
    let Some(groups) = groups else {
        return Ok((included, vec![Pool { assets: free, least: 0, most: size }]));
    };
    let limits = |name: &str, list: &Option<String>| match list {
        Some(list) => groups.limits(&option(name), list),
        None => Ok(vec![None; groups.names.len()]),
    };
    let (least, most) = (limits("group-min", &arguments.group_min)?, limits("group-max", &arguments.group_max)?);
    let mut pools = Vec::new();
    for (number, name) in groups.names.iter().enumerate() {
        let in_group = |asset: &&u32| groups.of[**asset as usize] == Some(number);
        // Assets always held count towards their group.
        let held = included.iter().filter(in_group).count();
        if let Some(most) = most[number].filter(|&most| held > most) {
            return Err(Error::usage(format!("--include holds {held} of group `{name}`, --group-max allows {most}"))
                .hint("include fewer of them or raise the limit"));
        }
        pools.push(Pool {
            assets: free.iter().filter(in_group).copied().collect(),
            least: least[number].unwrap_or(0).saturating_sub(held),
            most: most[number].map_or(size, |most| most - held),
        });
    }
    let others: Vec<u32> = free.iter().filter(|&&asset| groups.of[asset as usize].is_none()).copied().collect();
    if !others.is_empty() {
        pools.push(Pool { assets: others, least: 0, most: size });
    }
    Ok((included, pools))
}
