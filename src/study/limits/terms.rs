//! What a problem has beside budgets and limits: short assets, expected returns, a weight on the variance.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// 1 where an asset is long, -1 where it is short. Sizes sum to one; weights are sizes times signs.
    pub signs: Option<Vec<i8>>,
    pub expected: Option<Expected>,
    /// gamma of (1 + gamma) w'Sw / (2 v) - sum b ln w, v the variance at gamma = 0.
    pub variance_weight: Option<f64>,
}

/// Risk is c sigma(w) - mu'w.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// mu of weights, not of sizes: a year, or per period where the periods of a year are unknown.
    pub returns: Vec<f64>,
    /// c.
    pub risk_aversion: f64,
}

impl Expected {
    pub const RISK_AVERSION: f64 = 2.0;
}

impl Terms {
    pub fn is_none(&self) -> bool {
        *self == Terms::default()
    }

    /// 1 or -1.
    pub fn sign(&self, asset: usize) -> f64 {
        self.signs.as_ref().map_or(1.0, |signs| f64::from(signs[asset]))
    }

    /// Expected returns and risk aversion as methods take them: of sizes, and for the period of the covariance. With mu and
    /// c a year and P periods in it these are mu / P and c / sqrt P.
    pub fn of_sizes(&self, periods_per_year: Option<f64>) -> Option<Expected> {
        let Expected { returns, risk_aversion } = self.expected.as_ref()?;
        let periods = periods_per_year.unwrap_or(1.0);
        let of_size = |(asset, mu): (usize, &f64)| self.sign(asset) * mu / periods;
        Some(Expected {
            returns: returns.iter().enumerate().map(of_size).collect(),
            risk_aversion: risk_aversion / periods.sqrt(),
        })
    }

    /// For the assets at these places alone, in their order.
    pub fn over(&self, keep: &[usize]) -> Terms {
        Terms {
            signs: self.signs.as_ref().map(|signs| keep.iter().map(|&asset| signs[asset]).collect()),
            expected: self.expected.as_ref().map(|expected| Expected {
                returns: keep.iter().map(|&asset| expected.returns[asset]).collect(),
                ..*expected
            }),
            variance_weight: self.variance_weight,
        }
    }

    /// Whether they can be meant for so many assets: a record may hold anything.
    pub fn is_sound(&self, assets: usize) -> bool {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        self.signs.as_ref().is_none_or(|signs| signs.len() == assets && signs.iter().all(|sign| matches!(sign, -1 | 1)))
            && self.expected.as_ref().is_none_or(|expected| {
                expected.returns.len() == assets
                    && expected.returns.iter().all(|mu| mu.is_finite())
                    && positive(expected.risk_aversion)
            })
            && self.variance_weight.is_none_or(positive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_of_a_year_are_those_of_sizes_over_a_period() {
        let expected = Expected { returns: vec![0.04, 0.08], risk_aversion: 2.0 };
        let terms = Terms { signs: Some(vec![1, -1]), expected: Some(expected), variance_weight: None };
        let monthly = terms.of_sizes(Some(4.0)).unwrap();
        assert_eq!(monthly, Expected { returns: vec![0.01, -0.02], risk_aversion: 1.0 });
        assert_eq!(terms.of_sizes(None).unwrap().risk_aversion, 2.0);
        assert_eq!(terms.over(&[1]).of_sizes(None).unwrap().returns, [-0.08]);
        assert!(Terms::default().is_none() && Terms::default().of_sizes(None).is_none());
    }

    #[test]
    fn a_record_of_other_signs_is_not_sound() {
        let terms = |signs: &[i8]| Terms { signs: Some(signs.to_vec()), ..Terms::default() };
        assert!(terms(&[1, -1]).is_sound(2));
        assert!(!terms(&[1, 0]).is_sound(2) && !terms(&[1]).is_sound(2) && !terms(&[1, -128]).is_sound(2));
    }
}
