// What `certify` finds of a problem.
// Prepended: alias real.

struct Certificate {
    rc_error: real,
    kappa: real,
    // Volatility of the weights, and of the inverse-volatility and equal-weight portfolios, in units of `sigma`.
    volatility: real,
    inverse_volatility: real,
    equal_weight: real,
    // The smallest standardised asset volatility s_i.
    smallest: real,
    sweeps: real,
    // Within limits, what is left of the conditions of the best weights.
    kkt_error: real,
}
