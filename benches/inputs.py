"""Writes the inputs of the peers, with fixed seeds: python3 benches/inputs.py DATA   (needs numpy)

W1: sample covariances of bootstrap resamples (T = 504) of factor returns, w1_n{n}.npy, B x n x n.
W2: factor returns, w2_returns.npy, 2,520 x 50; for peers that draw no rows, those of 1,000 resamples: w2_rows_iid.npy,
    and w2_rows_{L}.npy of mean block L.
W3: the covariance of 30 assets, w3_covariance.npy.
For estimators: one window of factor returns, window_n{n}.npy, 252 x n.
"""

import pathlib
import sys

import numpy as np

PROBLEMS = {5: 20_000, 10: 20_000, 20: 10_000, 50: 4_000, 100: 1_000, 200: 300, 500: 40}
WINDOWS = [10, 50, 200]


def returns(rng, rows, assets, factors=5):
    """A market with positive betas, four styles, fat tails, and volatilities of their own spread over a factor of ten."""
    scale = np.r_[0.010, np.full(factors - 1, 0.005)]
    betas = np.c_[rng.uniform(0.5, 1.5, assets), rng.normal(0, 0.7, (assets, factors - 1))]
    own = np.exp(rng.permutation(np.linspace(np.log(0.005), np.log(0.05), assets)))
    draw = lambda columns: rng.standard_t(5, (rows, columns)) * np.sqrt(3 / 5)
    return draw(factors) * scale @ betas.T + draw(assets) * own


def stationary(rng, rows, resamples, mean_block):
    """Rows of the stationary bootstrap (Politis and Romano 1994): a run goes on, and around, with probability 1 - 1/L."""
    drawn = np.empty((resamples, rows), np.int32)
    drawn[:, 0] = rng.integers(0, rows, resamples)
    for t in range(1, rows):
        restarts = rng.random(resamples) < 1 / mean_block
        drawn[:, t] = np.where(restarts, rng.integers(0, rows, resamples), (drawn[:, t - 1] + 1) % rows)
    return drawn


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for assets, problems in PROBLEMS.items():
        rng = np.random.default_rng(1000 + assets)
        history = returns(rng, 504, assets)
        covariances = [np.cov(history[rng.integers(0, 504, 504)], rowvar=False) for _ in range(problems)]
        np.save(folder / f"w1_n{assets}.npy", np.array(covariances))
    np.save(folder / "w2_returns.npy", returns(np.random.default_rng(7), 2520, 50))
    for name, mean_block in [("iid", 1), ("20", 20), ("75", 75)]:
        np.save(folder / f"w2_rows_{name}.npy", stationary(np.random.default_rng(8), 2520, 1000, mean_block))
    for assets in WINDOWS:
        np.save(folder / f"window_n{assets}.npy", returns(np.random.default_rng(2000 + assets), 252, assets))
    np.save(folder / "w3_covariance.npy", np.cov(returns(np.random.default_rng(30), 2520, 30), rowvar=False))


main(pathlib.Path(sys.argv[1]))
