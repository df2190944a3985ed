//! From --min-weight, --max-weight and --bounds to the bounds of the assets that subsets may hold.

use crate::batch::submatrix;
use crate::cli::args::{EngineChoice, ScreenArguments};
use crate::cli::data::Notes;
use crate::cli::limits::Shorts;
use crate::error::option;
use crate::methods::limits::{Bounds, Conflict};
use crate::panel::{Labels, Returns};
use crate::study::limits::{NamedLimits, contradiction};
use crate::wording::joined;
use crate::{Error, Result};

/// Bounds of these assets; none where every portfolio is within them. Assets that may have no weight leave the data.
///
/// # Errors
/// Bad values, unknown names, a least weight above the largest; an asset of every subset that may have no weight; bounds on
/// a GPU.
pub fn bounds(arguments: &ScreenArguments, data: &mut Returns, notes: &mut Notes) -> Result<Option<Bounds>> {
    let [least, most] = arguments.bounds.read(&data.assets, Shorts::Never)?;
    let bounds = Bounds { least, most };
    if bounds.is_none() {
        return Ok(None);
    }
    if arguments.machine.engine == EngineChoice::Gpu || arguments.machine.device.is_some() {
        return Err(Error::usage("subsets within bounds of weights are solved on the CPU")
            .hint(format!("leave {} out, or the bounds", option("engine").word("gpu"))));
    }
    if let Some(asset) = (0..bounds.assets()).find(|&asset| bounds.least[asset] > bounds.most[asset]) {
        let [least, most] = bounds.of(asset);
        let named = NamedLimits { least: bounds.least, most: bounds.most, ..NamedLimits::none(data.assets.len()) };
        return Err(contradiction(&Conflict::Bounds { asset, least, most }, &named, &data.assets));
    }
    let (keep, leave): (Vec<usize>, Vec<usize>) = (0..bounds.assets()).partition(|&asset| bounds.most[asset] > 0.0);
    // Where all leave, no subset can hold anything, which is said of subsets.
    if leave.is_empty() || keep.is_empty() {
        return Ok(Some(bounds));
    }
    let names: Vec<&String> = leave.iter().map(|&asset| &data.assets[asset]).collect();
    if let Some(both) = names.iter().find(|name| arguments.include.contains(name)) {
        return Err(Error::usage(format!("`{both}` is included and has a largest weight of 0"))
            .hint(format!("leave it out of {}, or let it have a weight", option("include"))));
    }
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    notes.say(&[format!("a largest weight of 0 leaves out {}", joined(&names)).into()]);
    *data = match arguments.covariance {
        true => {
            let assets: Vec<String> = keep.iter().map(|&asset| data.assets[asset].clone()).collect();
            let values = submatrix(&data.values, data.assets.len(), &keep);
            Returns { labels: Labels::Text(assets.clone()), assets, values }
        }
        false => data.select(&keep),
    };
    Ok(Some(bounds.over(keep)).filter(|bounds| !bounds.is_none()))
}
