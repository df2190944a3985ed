"""The cases, the clock and the check of peers in Python.

W1/n             given covariances of n assets
W2/iid, 20, 75   a bootstrap end to end: covariances of the resamples, their solutions, mean, sd, 5 % and 95 %
W3/k             every choice of k of 30 assets: gathered, solved, volatility and diversification ratio
"""

import argparse
import itertools
import json
import pathlib
import time
from dataclasses import dataclass
from typing import Callable

import numpy as np

REPETITIONS = 7


@dataclass
class Peer:
    """A way to solve the workloads; None where it has none of its own for one."""

    name: str
    solve: Callable  # covariances (B x n x n), budgets -> weights (B x n)
    bootstrap: Callable = None  # returns (T x n), rows (B x T), budgets -> weights (B x n), statistics (4 x n)
    screen: Callable = None  # covariance (N x N), subsets (B x k), budgets -> weights (B x k), volatilities, ratios


def main(peers):
    """Times the peers on the cases named on the command line, and prints a JSON line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("cases", nargs="+")
    arguments = parser.parse_args()
    for case in arguments.cases:
        for peer in peers:
            measure(peer, case, arguments.data)


def measure(peer, case, data):
    workload, _, which = case.partition("/")
    if workload == "W1" and peer.solve:
        covariances = np.load(data / f"w1_n{which}.npy")
        budgets = equal(covariances.shape[1])
        cpu, wall, weights = least(lambda: peer.solve(covariances, budgets))
    elif workload == "W2" and peer.bootstrap:
        returns, rows = np.load(data / "w2_returns.npy"), np.load(data / f"w2_rows_{which}.npy")
        budgets = equal(returns.shape[1])
        cpu, wall, (weights, _) = least(lambda: peer.bootstrap(returns, rows, budgets))
        covariances = np.array([np.cov(returns[drawn], rowvar=False) for drawn in rows])
    elif workload == "W3" and peer.screen:
        covariance = np.load(data / "w3_covariance.npy")
        subsets = np.array(list(itertools.combinations(range(len(covariance)), int(which))))
        budgets = equal(int(which))
        cpu, wall, (weights, _, _) = least(lambda: peer.screen(covariance, subsets, budgets))
        covariances = covariance[subsets[:, :, None], subsets[:, None, :]]
    else:
        return
    line = {"peer": peer.name, "case": case, "problems": len(weights), "cpu_s": cpu, "wall_s": wall}
    print(json.dumps(line | {"rc_error": rc_error(covariances, weights, budgets)}), flush=True)


def equal(n):
    return np.full(n, 1 / n)


def least(work):
    """Least CPU and wall seconds of a few runs, after one that does not count, and what the last run made."""
    result = work()
    cpu, wall = np.inf, np.inf
    for _ in range(REPETITIONS):
        wall_start, cpu_start = time.perf_counter(), time.process_time()
        result = work()
        cpu = min(cpu, time.process_time() - cpu_start)
        wall = min(wall, time.perf_counter() - wall_start)
    return cpu, wall, result


def statistics(weights):
    return np.stack([weights.mean(0), weights.std(0, ddof=1), *np.quantile(weights, [0.05, 0.95], axis=0)])


def rc_error(covariances, weights, budgets):
    """Largest max_i |w_i (S w)_i / w'S w - b_i| / b_i of all problems; infinite where a weight is not positive."""
    if not (weights > 0).all():
        return np.inf
    risk = weights * (covariances @ weights[:, :, None])[:, :, 0]
    return float((np.abs(risk / risk.sum(1, keepdims=True) - budgets) / budgets).max())
