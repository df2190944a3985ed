//! The flags that say which methods are compared.

use clap::{Args, ValueEnum};

use super::data::Notes;
use crate::error::option;
use crate::io::{self, Notices};
use crate::methods::{Method, Mix};
use crate::study::limited::Within;
use crate::{Error, Result};

/// Portfolios beside risk budgeting.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Methods")]
pub struct MethodArguments {
    /// Methods to compare, in this order [default: erc,inverse-volatility,equal-weight]
    #[arg(long, value_name = "A,B,..", value_enum, value_delimiter = ',')]
    pub methods: Option<Vec<Name>>,
    /// A fixed mix to compare, with a name or without: `60/40:A=0.6,B=0.4` or a CSV file `asset,weight`; may be given
    /// several times
    #[arg(long, value_name = "[NAME:]A=0.6,B=0.4|FILE")]
    pub fixed: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Risk budgeting, which is always there
    Erc,
    /// The least variance without short positions
    MinVariance,
    /// The greatest diversification ratio without short positions
    MaxDiversification,
    /// Hierarchical risk parity (Lopez de Prado 2016, single linkage)
    Hrp,
    /// Weights as one over the volatility
    InverseVolatility,
    /// The same weight for each
    EqualWeight,
    /// All of these
    All,
}

/// The methods that know the limits, as results call them; none where none was asked for.
///
/// # Errors
/// Hierarchical risk parity within limits.
pub fn within_limits(asked: Option<&[Name]>, within: &Within, notes: &mut Notes) -> Result<Option<Vec<String>>> {
    let Some(asked) = asked else { return Ok(None) };
    let hierarchical = Method::HierarchicalRiskParity.name();
    let mut all = names(asked);
    if !within.is_none() && all.iter().any(|name| name == hierarchical) {
        if asked.contains(&Name::Hrp) {
            return Err(Error::usage("hierarchical risk parity knows no limits: it splits weights along a tree")
                .hint(format!("leave `hrp` out of {}, or leave the limits out", option("methods"))));
        }
        all.retain(|name| name != hierarchical);
        notes.say(&["hierarchical risk parity knows no limits and is left out".into()]);
    }
    Ok(Some(all))
}

/// Methods as results call them.
pub fn names(methods: &[Name]) -> Vec<String> {
    methods.iter().flat_map(|name| name.methods()).map(|method| method.name().to_string()).collect()
}

impl Name {
    fn methods(self) -> Vec<Method> {
        vec![match self {
            Name::Erc => Method::RiskBudgeting,
            Name::MinVariance => Method::MinimumVariance,
            Name::MaxDiversification => Method::MaximumDiversification,
            Name::Hrp => Method::HierarchicalRiskParity,
            Name::InverseVolatility => Method::InverseVolatility,
            Name::EqualWeight => Method::EqualWeight,
            Name::All => return Method::NAMED.to_vec(),
        }]
    }
}

/// Columns that stand beside those of methods in a table.
const COLUMNS: [&str; 11] = [
    "asset",
    "budget",
    "weight",
    "risk_share",
    "robust_se",
    "robust_lower",
    "robust_upper",
    "given_weight",
    "budget_miss",
    "bound_multiplier",
    "given_risk_share",
];

/// Whether results call a method or a column so, however it is written.
fn is_reserved(name: &str) -> bool {
    let plain = name.to_lowercase().replace(['-', ' '], "_");
    let mut methods = Method::NAMED.into_iter().chain([Method::VolatilityParity]);
    methods.any(|method| method.name() == plain) || COLUMNS.contains(&plain.as_str())
}

/// How a mix is read: with its name, where it has one.
type ReadMix = fn(&str, &[String]) -> Result<(Option<String>, Vec<f64>, Notices)>;

/// Mixes of these assets, each with a name of its own.
///
/// # Errors
/// Too many; names that are taken; mixes that cannot be read.
pub fn mixes(given: &[String], assets: &[String], read: ReadMix, notes: &mut Notes) -> Result<Vec<Mix>> {
    if given.len() > Method::MOST_FIXED {
        let (times, most) = (given.len(), Method::MOST_FIXED);
        return Err(Error::usage(format!("--fixed is given {times} times")).hint(format!("compare up to {most} mixes")));
    }
    let mut mixes: Vec<Mix> = Vec::new();
    for argument in given {
        let (name, weights, notices) = read(argument, assets)?;
        notes.say(&notices);
        let unnamed = (1..).map(|number| if number == 1 { "fixed".to_string() } else { format!("fixed_{number}") });
        let taken = |name: &str| mixes.iter().any(|mix| mix.name == name);
        let name = match name {
            Some(name) if taken(&name) || is_reserved(&name) => {
                return Err(Error::usage(format!(
                    "--fixed: another portfolio or column of results is called `{name}`"
                ))
                .hint("give each mix a name of its own: NAME:A=0.6,B=0.4"));
            }
            Some(name) => name,
            None => unnamed.into_iter().find(|name| !taken(name)).unwrap_or_default(),
        };
        mixes.push(Mix { name, weights });
    }
    Ok(mixes)
}

impl MethodArguments {
    /// The methods that were asked for, as results call them.
    ///
    /// # Errors
    /// As [`within_limits`].
    pub fn named(&self, within: &Within, notes: &mut Notes) -> Result<Option<Vec<String>>> {
        within_limits(self.methods.as_deref(), within, notes)
    }

    /// The methods that were asked for, or those that are compared anyway.
    ///
    /// # Errors
    /// As [`within_limits`].
    pub fn methods(&self, within: &Within, notes: &mut Notes) -> Result<Vec<Method>> {
        let named = |name: &String| Method::NAMED.into_iter().find(|method| method.name() == name);
        let names = self.named(within, notes)?;
        Ok(names.map_or(Method::CLOSED_FORMS.to_vec(), |names| names.iter().filter_map(named).collect()))
    }

    /// The mixes of these assets.
    ///
    /// # Errors
    /// Names that are taken, mixes that cannot be read or hold no asset with a budget.
    pub fn mixes(&self, assets: &[String], budgets: &[f64], notes: &mut Notes) -> Result<Vec<Mix>> {
        let mixes = mixes(&self.fixed, assets, io::read_mix, notes)?;
        for Mix { name, weights } in &mixes {
            let left: f64 = weights.iter().zip(budgets).filter(|(_, b)| **b == 0.0).map(|(w, _)| w.abs()).sum();
            if left > 0.0 {
                let held: f64 = weights.iter().zip(budgets).filter(|(_, b)| **b > 0.0).map(|(w, _)| w).sum();
                if !(held > 0.0) {
                    return Err(Error::usage(format!("--fixed: `{name}` holds no asset with a risk budget"))
                        .hint("an asset with a budget of zero takes part in no method"));
                }
                notes.say(&[format!(
                    "`{name}` holds {:.1} % in assets with a risk budget of zero, which take part in no method: the rest is \
                     scaled up",
                    100.0 * left
                )
                .into()]);
            }
        }
        let held = || budgets.iter().copied().filter(|budget| *budget > 0.0);
        let (least, most) = (held().fold(f64::INFINITY, f64::min), held().fold(0.0, f64::max));
        if most > least * (1.0 + 1e-9) && (self.methods.is_some() || !mixes.is_empty()) {
            notes.say(&["risk budgets are those of risk budgeting: the other methods do not know them".into()]);
        }
        Ok(mixes)
    }
}
