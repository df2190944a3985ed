"""The baseline: coordinate descent in numba, written to be hard to beat: baseline.py DATA CASE...

Sets the diagonal of S to one (C = S_ij / (s_i s_j)) and solves y_i (C y)_i = b_i a coordinate at a time. y is scaled to
y'C y = 1 after each sweep (Choi and Chen 2022), and C y is carried along:

    a = (C y)_i - y_i     r = sqrt(a^2 / 4 + b_i)     y_i <- a > 0 ? b_i / (r + a / 2) : r - a / 2

`alone` takes one problem after the other; `lanes` sixteen side by side, so that the innermost loop is one vector long.
A bootstrap's second moments are one matrix product: how often each row is drawn, times the products of pairs of returns.
"""

import numba
import numpy as np

import workloads
from workloads import Peer, statistics

TOLERANCE = 1e-8
SWEEPS = 100_000
LANES = 16

compiled = numba.njit(cache=True, fastmath=True, error_model="numpy")


@compiled
def alone(covariances, budgets):
    problems, n = covariances.shape[0], covariances.shape[1]
    weights = np.empty((problems, n))
    C, y, product, inverse = np.empty((n, n)), np.empty(n), np.empty(n), np.empty(n)
    for p in range(problems):
        S = covariances[p]
        for i in range(n):
            inverse[i] = 1.0 / np.sqrt(S[i, i])
        total = 0.0
        for i in range(n):
            row = 0.0
            for j in range(n):
                C[i, j] = S[i, j] * inverse[i] * inverse[j]
                row += C[i, j]
            product[i] = row
            total += row
        start = 1.0 / np.sqrt(total) if total > 0.0 else 1.0
        for i in range(n):
            y[i] = start
            product[i] *= start
        for _ in range(SWEEPS):
            for i in range(n):
                half = 0.5 * (product[i] - y[i])
                root = np.sqrt(half * half + budgets[i])
                new = budgets[i] / (root + half) if half > 0.0 else root - half
                step = new - y[i]
                y[i] = new
                row = C[i]
                for j in range(n):
                    product[j] += step * row[j]
            variance = 0.0
            for i in range(n):
                variance += y[i] * product[i]
            scale = 1.0 / np.sqrt(variance)
            error = 0.0
            for i in range(n):
                y[i] *= scale
                product[i] *= scale
                error = max(error, abs(y[i] * product[i] - budgets[i]) / budgets[i])
            if error <= TOLERANCE:
                break
        total = 0.0
        for i in range(n):
            weights[p, i] = y[i] * inverse[i]
            total += weights[p, i]
        for i in range(n):
            weights[p, i] /= total
    return weights


@compiled
def lanes(matrices, subsets, budgets, problems):
    """Of matrices (B x n x n), or where there are subsets (B x n) of the rows and columns that they name of the first."""
    n = len(budgets)
    gathers = len(subsets) > 0
    weights = np.empty((problems, n))
    C, inverse = np.empty((n, n, LANES)), np.empty((n, LANES))
    y, product = np.empty((n, LANES)), np.empty((n, LANES))
    step, scale = np.empty(LANES), np.empty(LANES)
    for first in range(0, problems, LANES):
        for lane in range(LANES):
            # Lanes without a problem repeat the last one.
            p = min(first + lane, problems - 1)
            if gathers:
                S, chosen = matrices[0], subsets[p]
                for i in range(n):
                    inverse[i, lane] = 1.0 / np.sqrt(S[chosen[i], chosen[i]])
                for i in range(n):
                    for j in range(n):
                        C[i, j, lane] = S[chosen[i], chosen[j]] * inverse[i, lane] * inverse[j, lane]
            else:
                S = matrices[p]
                for i in range(n):
                    inverse[i, lane] = 1.0 / np.sqrt(S[i, i])
                for i in range(n):
                    for j in range(n):
                        C[i, j, lane] = S[i, j] * inverse[i, lane] * inverse[j, lane]
        scale[:] = 0.0
        for i in range(n):
            for lane in range(LANES):
                product[i, lane] = 0.0
            for j in range(n):
                for lane in range(LANES):
                    product[i, lane] += C[i, j, lane]
            for lane in range(LANES):
                scale[lane] += product[i, lane]
        for lane in range(LANES):
            scale[lane] = 1.0 / np.sqrt(max(scale[lane], 1e-300))
        for i in range(n):
            for lane in range(LANES):
                y[i, lane] = scale[lane]
                product[i, lane] *= scale[lane]
        for _ in range(SWEEPS):
            for i in range(n):
                b = budgets[i]
                for lane in range(LANES):
                    half = 0.5 * (product[i, lane] - y[i, lane])
                    root = np.sqrt(half * half + b)
                    new = b / (root + half) if half > 0.0 else root - half
                    step[lane] = new - y[i, lane]
                    y[i, lane] = new
                for j in range(n):
                    for lane in range(LANES):
                        product[j, lane] += step[lane] * C[i, j, lane]
            scale[:] = 0.0
            for i in range(n):
                for lane in range(LANES):
                    scale[lane] += y[i, lane] * product[i, lane]
            for lane in range(LANES):
                scale[lane] = 1.0 / np.sqrt(scale[lane])
            error = 0.0
            for i in range(n):
                share = 1.0 / budgets[i]
                for lane in range(LANES):
                    y[i, lane] *= scale[lane]
                    product[i, lane] *= scale[lane]
                    error = max(error, abs(y[i, lane] * product[i, lane] * share - 1.0))
            if error <= TOLERANCE:
                break
        for lane in range(min(LANES, problems - first)):
            total = 0.0
            for i in range(n):
                total += y[i, lane] * inverse[i, lane]
            for i in range(n):
                weights[first + lane, i] = y[i, lane] * inverse[i, lane] / total
    return weights


NO_SUBSETS = np.empty((0, 0), np.int64)


def side_by_side(covariances, budgets):
    return lanes(covariances, NO_SUBSETS, budgets, len(covariances))


@compiled
def tally(rows, observations):
    counts = np.zeros((rows.shape[0], observations))
    for p in range(rows.shape[0]):
        for row in rows[p]:
            counts[p, row] += 1.0
    return counts


@compiled
def expand(returns):
    """For each row its centred returns, then their products with each other (lower triangle by rows)."""
    observations, n = returns.shape
    expanded = np.empty((observations, n + n * (n + 1) // 2))
    mean = np.zeros(n)
    for t in range(observations):
        for i in range(n):
            mean[i] += returns[t, i] / observations
    for t in range(observations):
        for i in range(n):
            expanded[t, i] = returns[t, i] - mean[i]
        at = n
        for i in range(n):
            for j in range(i + 1):
                expanded[t, at + j] = expanded[t, i] * expanded[t, j]
            at += i + 1
    return expanded


@compiled
def centre(moments, n, observations):
    """Covariances from the sums of expanded rows."""
    problems = len(moments)
    covariances = np.empty((problems, n, n))
    for p in range(problems):
        at = n
        for i in range(n):
            for j in range(i + 1):
                value = (moments[p, at] - moments[p, i] * moments[p, j] / observations) / (observations - 1)
                covariances[p, i, j] = value
                covariances[p, j, i] = value
                at += 1
    return covariances


def bootstrap(solve):
    def run(returns, rows, budgets):
        observations, n = returns.shape
        moments = tally(rows, observations) @ expand(returns)
        weights = solve(centre(moments, n, observations), budgets)
        return weights, statistics(weights)

    return run


@compiled
def measures(covariance, subsets, weights):
    problems, k = subsets.shape
    volatilities, ratios = np.empty(problems), np.empty(problems)
    for p in range(problems):
        variance, average = 0.0, 0.0
        for i in range(k):
            average += weights[p, i] * np.sqrt(covariance[subsets[p, i], subsets[p, i]])
            for j in range(k):
                variance += weights[p, i] * weights[p, j] * covariance[subsets[p, i], subsets[p, j]]
        volatilities[p] = np.sqrt(variance)
        ratios[p] = average / volatilities[p]
    return volatilities, ratios


def screen(covariance, subsets, budgets):
    weights = lanes(covariance[None], subsets, budgets, len(subsets))
    return weights, *measures(covariance, subsets, weights)


workloads.main(
    [
        Peer("numba", alone, bootstrap(alone)),
        Peer("numba, 16 lanes", side_by_side, bootstrap(side_by_side), screen),
    ]
)
