"""Backtests as one numba function beside ours, on the same history.

backtest_peers.py FOLDER            builds our bench, runs both in turn, and prints a table
backtest_peers.py FOLDER numba      the jobs of the function, a JSON line each

4,032 daily returns of 10 assets, windows of 252 rows, a decision every 21 rows, traded a row later at 5 basis points: risk
budgeting, inverse volatility, equal weight and a mix of two. By job

    history         all strategies along the history
    paths           along 1,000 stationary resamples of it, mean block 63, draws included

The function keeps sums of the window and takes the oldest row away; it follows wealth and answers with the final one, the
Sharpe ratio, the largest drawdown and the turnover of each strategy. Ours sums windows afresh, certifies every portfolio, and
answers with eleven figures and their distributions. CPU time, one thread, the least of several.
"""

import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROUNDS = int(os.environ.get("ROUNDS", "3"))
ROWS, ASSETS, WINDOW, STEP, LAG, BLOCK, PATHS, COST = 4032, 10, 252, 21, 1, 63, 1000, 5e-4
STRATEGIES = 4


def compiled():
    import numba
    import numpy as np

    fast = numba.njit(fastmath=True, error_model="numpy")

    @fast
    def budgeted(S, C, x, g, inverse, w):
        """Equal risk contributions of a covariance, by cyclical coordinate descent on correlations."""
        n = S.shape[0]
        budget = 1.0 / n
        for i in range(n):
            inverse[i] = 1.0 / math.sqrt(S[i, i])
        total = 0.0
        for i in range(n):
            g[i] = 0.0
            for j in range(n):
                C[i, j] = S[i, j] * inverse[i] * inverse[j]
                g[i] += C[i, j]
            total += g[i]
        for i in range(n):
            x[i] = 1.0 / math.sqrt(total)
            g[i] *= x[i]
        for _ in range(500):
            for i in range(n):
                half = 0.5 * (g[i] - x[i])
                root = math.sqrt(half * half + budget)
                new = root - half if half <= 0.0 else budget / (root + half)
                change = new - x[i]
                x[i] = new
                for j in range(n):
                    g[j] += change * C[i, j]
            variance = 0.0
            for i in range(n):
                variance += x[i] * g[i]
            scale, error = 1.0 / math.sqrt(variance), 0.0
            for i in range(n):
                x[i] *= scale
                g[i] *= scale
                error = max(error, abs(x[i] * g[i] - budget) / budget)
            if error <= 1e-8:
                break
        total = 0.0
        for i in range(n):
            w[i] = x[i] * inverse[i]
            total += w[i]
        for i in range(n):
            w[i] /= total

    @fast
    def walk(R, rows, out):
        T, n = rows.shape[0], R.shape[1]
        m, M, S, C = np.zeros(n), np.zeros((n, n)), np.empty((n, n)), np.empty((n, n))
        x, g, inverse = np.empty(n), np.empty(n), np.empty(n)
        w, h = np.zeros((STRATEGIES, n)), np.zeros((STRATEGIES, n))
        wealth, high = np.ones(STRATEGIES), np.ones(STRATEGIES)
        deepest, turnover = np.zeros(STRATEGIES), np.zeros(STRATEGIES)
        first, second = np.zeros(STRATEGIES), np.zeros(STRATEGIES)
        due, held = -1, False
        for t in range(T):
            r = R[rows[t]]
            for i in range(n):
                m[i] += r[i]
                for j in range(i + 1):
                    M[i, j] += r[i] * r[j]
            if t >= WINDOW:
                old = R[rows[t - WINDOW]]
                for i in range(n):
                    m[i] -= old[i]
                    for j in range(i + 1):
                        M[i, j] -= old[i] * old[j]
            if held:
                for s in range(STRATEGIES):
                    gross = 0.0
                    for i in range(n):
                        gross += h[s, i] * r[i]
                    for i in range(n):
                        h[s, i] *= (1.0 + r[i]) / (1.0 + gross)
                    wealth[s] *= 1.0 + gross
                    high[s] = max(high[s], wealth[s])
                    deepest[s] = max(deepest[s], 1.0 - wealth[s] / high[s])
                    first[s] += gross
                    second[s] += gross * gross
            if t >= WINDOW - 1 and (t - WINDOW + 1) % STEP == 0 and t < T - 1:
                for i in range(n):
                    for j in range(i + 1):
                        S[i, j] = (M[i, j] - m[i] * m[j] / WINDOW) / (WINDOW - 1)
                        S[j, i] = S[i, j]
                budgeted(S, C, x, g, inverse, w[0])
                total = 0.0
                for i in range(n):
                    total += inverse[i]
                for i in range(n):
                    w[1, i], w[2, i], w[3, i] = inverse[i] / total, 1.0 / n, 0.0
                w[3, 0], w[3, 1] = 0.6, 0.4
                due = t + LAG
            if t == due:
                for s in range(STRATEGIES):
                    traded = 0.0
                    for i in range(n):
                        traded += abs(w[s, i] - h[s, i])
                        h[s, i] = w[s, i]
                    wealth[s] *= 1.0 - COST * traded
                    turnover[s] += traded
                held = True
        count = T - WINDOW - LAG
        for s in range(STRATEGIES):
            mean = first[s] / count
            sd = math.sqrt((second[s] - count * mean * mean) / (count - 1))
            out[s, 0], out[s, 1] = wealth[s], mean / sd * math.sqrt(252.0)
            out[s, 2], out[s, 3] = deepest[s], turnover[s]

    @fast
    def paths(R, count, seed, out):
        np.random.seed(seed)
        T = R.shape[0]
        rows = np.empty(T, np.int64)
        for p in range(count):
            row = 0
            for t in range(T):
                if t == 0 or np.random.random() < 1.0 / BLOCK:
                    row = np.random.randint(0, T)
                else:
                    row = row + 1 if row + 1 < T else 0
                rows[t] = row
            walk(R, rows, out[p])

    return walk, paths


def least(job, rounds):
    times = []
    for _ in range(rounds):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def numba_jobs():
    import numpy as np
    from inputs import returns

    walk, paths = compiled()
    R = returns(np.random.default_rng(12), ROWS, ASSETS)
    one, all_paths = np.empty((STRATEGIES, 4)), np.empty((PATHS, STRATEGIES, 4))
    rows = np.arange(ROWS)
    # Compiles.
    walk(R, rows, one)
    paths(R, 1, 1, all_paths)
    print(json.dumps({"job": "history", "cpu_ms": least(lambda: walk(R, rows, one), 20)}))
    print(json.dumps({"job": "paths", "cpu_ms": least(lambda: paths(R, PATHS, 7, all_paths), 3)}))


def lines(command, **more):
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more).stdout
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def main(folder):
    here = pathlib.Path(__file__).resolve().parent
    bench = ["cargo", "bench", "--quiet", "--manifest-path", str(here.parent / "Cargo.toml"), "--bench", "backtest"]
    subprocess.run([*bench, "--no-run"], check=True)
    found = {}
    for _ in range(ROUNDS):
        for line in lines(bench):
            found.setdefault(("equirisk", line["strategies"]), []).append(line["cpu_ms"])
        for line in lines([sys.executable, __file__, str(folder), "numba"], cwd=here):
            found.setdefault(("numba", line["job"]), []).append(line["cpu_ms"])
    median = {key: statistics.median(times) for key, times in found.items()}
    print(f"{'job':24}{'equirisk':>12}{'numba':>12}{'ratio':>8}   CPU ms")
    for job, ours in [("history", "four"), ("paths", "paths")]:
        a, b = median["equirisk", ours], median["numba", job]
        print(f"{job:24}{a:12.2f}{b:12.2f}{a / b:8.2f}")


if __name__ == "__main__":
    if sys.argv[2:] == ["numba"]:
        numba_jobs()
    else:
        main(pathlib.Path(sys.argv[1]))
