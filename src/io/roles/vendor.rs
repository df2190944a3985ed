//! Fields of vendors: of the opens, closes and volumes of one asset or of several, one of each is read.

use std::collections::{HashMap, HashSet};

use super::{Role, Table, preferred};
use crate::error::{Error, Result, option};
use crate::io::fields::{self, Field};
use crate::io::sketch::Content;
use crate::io::{Kind, Request, listed, shown};

/// A price that is called so by nothing but its neighbours.
const LEAST_WANTED: u8 = 9;

/// Columns, and the asset of each.
type Assets = Vec<(usize, String)>;

impl Table<'_> {
    /// The assets of a table of vendors' fields, one field of each, and whether it is a table of one asset; none where the
    /// columns are no fields.
    pub(super) fn of_fields(&mut self, request: &Request<'_>) -> Result<Option<(Assets, bool)>> {
        let rest: Vec<usize> = self.rest();
        let numbers: Vec<usize> =
            rest.iter().copied().filter(|&column| self.columns[column].content == Content::Numbers).collect();
        // A rate may have any name.
        if request.are_rates && numbers.len() == 1 {
            return Ok(None);
        }
        if let Some(assets) = self.of_several_assets(&rest, &numbers, request)? {
            return Ok(Some((assets, false)));
        }
        self.of_one_asset(&rest, &numbers, request).map(|found| found.map(|assets| (assets, true)))
    }

    /// Open, high, low, close, volume: the fields of one asset.
    pub(super) fn of_one_asset(
        &mut self,
        rest: &[usize],
        numbers: &[usize],
        request: &Request<'_>,
    ) -> Result<Option<Assets>> {
        let known = |column: &usize| fields::field(self.name(*column));
        let named: Vec<(usize, Field)> = rest.iter().filter_map(|column| Some((*column, known(column)?))).collect();
        let ranges = named.iter().filter(|(_, field)| *field == Field::Range).count();
        let prices = named.iter().filter(|(_, field)| matches!(field, Field::Price(_))).count();
        // `LOW` and `OPEN` are shares too.
        let are_symbols = || numbers.iter().all(|&column| self.name(column).chars().all(|c| c.is_ascii_uppercase()));
        let is_bars = ranges >= 3 || ranges >= 1 && prices >= 1 || ranges == 2 && !are_symbols();
        let is_certain = named.iter().any(|(column, _)| fields::is_certainly_a_field(self.name(*column)));
        let are_all = !numbers.is_empty() && numbers.iter().all(|column| known(column).is_some());
        // One column under any name is one asset; `close` alone has its name from the file.
        if named.is_empty() || !(are_all || is_bars || is_certain && prices >= 1) {
            let unknown: Vec<usize> = numbers.iter().copied().filter(|column| known(column).is_none()).collect();
            return match is_certain && numbers.len() > 1 {
                true if unknown.is_empty() => Err(self.no_price(numbers)),
                true => self.unknown_fields(&unknown).map(|()| None),
                false => Ok(None),
            };
        }
        let Some(place) = preferred(named.iter().map(|(_, field)| *field), request.kind) else {
            return match is_bars || is_certain || are_all && numbers.len() > 1 {
                true => Err(self.no_price(numbers)),
                false => Ok(None),
            };
        };
        let is_explained = |column: &usize| {
            known(column).is_some()
                || fields::asset_and_field(self.name(*column))
                    .is_some_and(|(_, field, _)| matches!(field, Field::Other | Field::Range))
                || fields::is_other_field(self.name(*column))
                || self.is_helper(*column)
        };
        let unknown: Vec<usize> = numbers.iter().copied().filter(|column| !is_explained(column)).collect();
        if !unknown.is_empty() {
            return self.unknown_fields(&unknown).map(|()| None);
        }
        let value = named[place].0;
        self.refuse_prices_as_returns(&[value], request)?;
        let of = self.listed(&named.iter().map(|(column, _)| *column).collect::<Vec<_>>());
        for &column in rest {
            self.roles[column] = Some(match self.columns[column].content {
                Content::Text | Content::Empty if fields::field(self.name(column)).is_none() => Role::Remark,
                _ if self.is_helper(column) => Role::RowNumber,
                _ => Role::Field,
            });
        }
        if named.len() > 1 {
            self.remarks.push(
                format!("a table of one asset with the fields {of}: `{}` is read", shown(self.name(value))).into(),
            );
        }
        let name = request.name_of_single(self.source, &self.columns[value].name, &mut self.remarks);
        Ok(Some(vec![(value, name)]))
    }

    /// `Close_SPY`, `Volume_SPY`, `Close_TLT`: a field of each asset.
    pub(super) fn of_several_assets(
        &mut self,
        rest: &[usize],
        numbers: &[usize],
        request: &Request<'_>,
    ) -> Result<Option<Assets>> {
        struct Of {
            column: usize,
            asset: String,
            field: Field,
            named: String,
        }
        let of = |&column: &usize| {
            let sketch = &self.columns[column];
            let (asset, named) = match &sketch.parts {
                Some((asset, named)) => (asset.clone(), named.clone()),
                None => {
                    let (asset, _, named) = fields::asset_and_field(&sketch.name)?;
                    (asset, named)
                }
            };
            Some(Of { column, asset, field: fields::field(&named)?, named })
        };
        let mut found: Vec<Of> = rest.iter().filter_map(of).collect();
        // `SPY` beside `SPY_volume` is its price.
        let with_field: HashSet<&str> = found
            .iter()
            .filter(|of| matches!(of.field, Field::Other | Field::Return))
            .map(|of| of.asset.as_str())
            .collect();
        let bare = numbers.iter().filter(|column| with_field.contains(self.name(**column)));
        let bare: Vec<Of> = bare
            .map(|&column| {
                let asset = self.name(column).to_string();
                Of { column, asset, field: Field::Price(LEAST_WANTED), named: "price".to_string() }
            })
            .collect();
        found.extend(bare);
        let is_in_parts = found.iter().any(|of| self.columns[of.column].parts.is_some());
        // One asset with two fields, or one field of every asset, and not a name such as `High Yield`.
        let is_value = |field: Field| matches!(field, Field::Price(_) | Field::Return);
        // Ranges alone may be names: `High Beta` and `Low Beta`.
        let is_certain = |field: Field| field != Field::Range;
        let mut by_asset: HashMap<&str, Vec<&Of>> = HashMap::new();
        found.iter().for_each(|of| by_asset.entry(&of.asset).or_default().push(of));
        let shares_asset = by_asset.values().any(|own| {
            let a = own.iter().find(|of| is_value(of.field)).or_else(|| own.iter().find(|of| is_certain(of.field)));
            a.is_some_and(|a| own.iter().any(|b| a.named != b.named && (is_value(a.field) || is_certain(b.field))))
        });
        let places: HashSet<usize> = found.iter().map(|of| of.column).collect();
        let is_found = |column: &usize| places.contains(column);
        let is_one_field = found.len() > 1
            && numbers.iter().all(|column| is_found(column) || self.is_helper(*column))
            && found.iter().all(|of| of.named == found[0].named && is_value(of.field));
        if !(is_in_parts || shares_asset || is_one_field) {
            return Ok(None);
        }
        // The name of the line of tickers stands above the dates, where these are no asset.
        let is_title =
            |of: &&Of| is_in_parts && ["ticker", "tickers", "symbol"].contains(&fields::plain(&of.asset).as_str());
        if let Some(of) = found.iter().find(is_title) {
            return self.unknown_fields(&[of.column]).map(|()| None);
        }
        let unknown: Vec<usize> = numbers
            .iter()
            .copied()
            .filter(|column| {
                !is_found(column) && !self.is_helper(*column) && !fields::is_certainly_a_field(self.name(*column))
            })
            .collect();
        if !unknown.is_empty() {
            return self.unknown_fields(&unknown).map(|()| None);
        }
        let mut assets: Vec<&str> = Vec::new();
        let mut seen: HashSet<&str> = HashSet::new();
        found.iter().filter(|of| seen.insert(&of.asset)).for_each(|of| assets.push(&of.asset));
        // The best field that every asset has, else the best of each.
        let mut kinds: Vec<(&str, Field)> = Vec::new();
        found.iter().for_each(|of| {
            if !kinds.iter().any(|(named, _)| *named == of.named) {
                kinds.push((&of.named, of.field));
            }
        });
        let pairs: HashSet<(&str, &str)> = found.iter().map(|of| (of.asset.as_str(), of.named.as_str())).collect();
        let has = |asset: &str, named: &str| pairs.contains(&(asset, named));
        let common: Vec<(&str, Field)> =
            kinds.iter().copied().filter(|(named, _)| assets.iter().all(|asset| has(asset, named))).collect();
        let shared = preferred(common.iter().map(|(_, field)| *field), request.kind).map(|place| common[place].0);
        let mut chosen: Vec<(usize, String)> = Vec::new();
        let mut taken: Vec<&str> = Vec::new();
        for &asset in &assets {
            let own = &by_asset[asset];
            let best = match shared {
                Some(named) => own.iter().position(|of| of.named == named),
                None => preferred(own.iter().map(|of| of.field), request.kind),
            };
            if let Some(place) = best {
                chosen.push((own[place].column, asset.to_string()));
                if !taken.contains(&own[place].named.as_str()) {
                    taken.push(&own[place].named);
                }
            }
        }
        if chosen.is_empty() {
            return Err(self.no_price(numbers));
        }
        let kinds = listed(kinds.iter().map(|(named, _)| *named).collect::<Vec<_>>().into_iter());
        let taken = taken.iter().map(|named| format!("`{}`", shown(named))).collect::<Vec<_>>().join(" or ");
        let remark = format!("fields of each asset are {kinds}: {taken} is read");
        let columns: Vec<usize> = chosen.iter().map(|(column, _)| *column).collect();
        self.refuse_prices_as_returns(&columns, request)?;
        self.remarks.push(remark.into());
        for &column in rest {
            let is_text = self.columns[column].content == Content::Text;
            self.roles[column] = Some(if is_text { Role::Remark } else { Role::Field });
        }
        Ok(Some(chosen))
    }

    pub(super) fn unknown_fields(&self, unknown: &[usize]) -> Result<()> {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        Err(Error::input(format!(
            "{}: some columns are fields of an asset, such as closes or volumes: is {} a field or an asset? The columns are \
             {}",
            self.source,
            self.listed(unknown),
            self.listed(&all)
        ))
        .hint(format!("name the columns to read with {}, or leave others out with {}", option("assets"), option("exclude"))))
    }

    pub(super) fn no_price(&self, numbers: &[usize]) -> Error {
        Error::input(format!("{}: of the fields {} none is a price or a return", self.source, self.listed(numbers)))
            .hint(format!("name the columns to read with {}", option("assets")))
    }

    /// Under --returns a column that is called a price is none.
    pub(super) fn refuse_prices_as_returns(&self, columns: &[usize], request: &Request<'_>) -> Result<()> {
        let is_price = |name: &str| {
            let certain = ["adj close", "close", "px last", "price", "prc", "closing price", "settle", "nav"];
            certain.contains(&fields::plain(name).as_str())
        };
        let named = |column: usize| {
            let sketch = &self.columns[column];
            sketch.parts.as_ref().map_or(sketch.name.clone(), |(_, field)| field.clone())
        };
        let column = columns.iter().copied().find(|&column| {
            request.kind == Kind::Returns && is_price(&named(column)) && self.columns[column].figures.low > 0.0
        });
        let Some(column) = column else { return Ok(()) };
        Err(Error::input(format!(
            "{}: column {} (`{}`) is one of prices by its name and cells, and {} asks for returns",
            self.source,
            column + 1,
            shown(self.name(column)),
            option("returns")
        ))
        .hint(format!("leave {} out, or name the column of returns `return`", option("returns"))))
    }
}
