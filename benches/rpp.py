"""riskparityportfolio 0.6.0 (C++), the fastest solver with a name: rpp.py DATA CASE...

Called as its fastest caller would: no class, one `design` a problem, a bootstrap's moments by one matrix product. Its
tolerance is absolute in risk shares, so 1e-8 of a budget is asked for; its methods are swapped: "choi" runs Spinu's.
"""

import numpy as np
from riskparityportfolio.vanilla import design

import workloads
from workloads import Peer, statistics


def solve(covariances, budgets):
    tolerance = 1e-8 * budgets.min()
    return np.array([design(covariance, budgets, tolerance, 100_000, "choi") for covariance in covariances])


def bootstrap(returns, rows, budgets):
    observations, n = returns.shape
    centred = returns - returns.mean(0)
    i, j = np.tril_indices(n)
    counts = np.array([np.bincount(drawn, minlength=observations) for drawn in rows]).astype(float)
    moments, sums = counts @ (centred[:, i] * centred[:, j]), counts @ centred
    covariances = np.empty((len(rows), n, n))
    covariances[:, i, j] = moments
    covariances[:, j, i] = moments
    covariances = (covariances - sums[:, :, None] * sums[:, None] / observations) / (observations - 1)
    weights = solve(covariances, budgets)
    return weights, statistics(weights)


def screen(covariance, subsets, budgets):
    chosen = covariance[subsets[:, :, None], subsets[:, None, :]]
    weights = solve(chosen, budgets)
    volatilities = np.sqrt(np.einsum("bi,bij,bj->b", weights, chosen, weights))
    return weights, volatilities, (weights * np.sqrt(covariance.diagonal()[subsets])).sum(1) / volatilities


workloads.main([Peer("riskparityportfolio", solve, bootstrap, screen)])
