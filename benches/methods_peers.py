"""Estimators and methods as other libraries have them, beside ours.

methods_peers.py DATA                builds our bench, runs it and all libraries in turn, and prints tables
methods_peers.py DATA LIBRARY n10    the jobs of one library, a JSON line each

A library is called as its fastest caller would, for the portfolio that we mean where it offers that: one window of 252
rows for an estimator, and for a method the first covariance of W1; one that takes returns gets 504 rows that have it.
CPU time of all threads, of which there is one; medians of the repetitions of a process, then of the rounds (ROUNDS=5
for other than 3).
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import warnings

import numba
import numpy as np

ROUNDS = int(os.environ.get("ROUNDS", 3))
SIZES = [10, 50, 200]
LIBRARIES = ["numba", "numpy", "pandas", "scikit-learn", "skfolio", "Riskfolio-Lib", "PyPortfolioOpt"]

HALF_LIFE = 40
# CPU seconds that a job is repeated for, three times at least; not again where the first time took twice as long.
BUDGET = 0.5

HERE = pathlib.Path(__file__).parent

# As the peers of `compare.py` are run: one thread, and huge pages for everybody as numpy asks for them.
ALIKE = {name: "1" for name in ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"]}
ALIKE |= {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "RAYON_NUM_THREADS": "1"}


class Inputs:
    """What jobs are given, for so many assets."""

    def __init__(self, data, n):
        self.n = n
        self.window = np.load(data / f"window_n{n}.npy")
        self.covariances = np.load(data / f"w1_n{n}.npy")[:1024]
        self.covariance = self.covariances[0].copy()
        self.returns = returns_of(self.covariance, 504)
        self.names = [f"A{i:03d}" for i in range(n)]

    def frame(self, values):
        import pandas as pd

        return pd.DataFrame(values, columns=self.names, index=pd.bdate_range("2020-01-01", periods=len(values)))


def returns_of(covariance, rows):
    """Returns that have this sample covariance exactly, but for rounding."""
    noise = np.random.default_rng(1).standard_normal((rows, len(covariance)))
    orthonormal = np.linalg.qr(noise - noise.mean(0))[0]
    return np.sqrt(rows - 1) * orthonormal @ np.linalg.cholesky(covariance).T


def correlation(covariance):
    deviations = np.sqrt(covariance.diagonal())
    return covariance / deviations[:, None] / deviations


# What tells an answer, by job: of estimators the mean correlation of two assets.


def mean_correlation(covariance):
    n = len(covariance)
    return (correlation(np.asarray(covariance)).sum() - n) / (n * (n - 1))


def answer(job, covariance, weights):
    weights = np.asarray(weights, float)
    volatility = np.sqrt(weights @ covariance @ weights)
    if job == "min_variance":
        return volatility
    if job == "max_diversification":
        return weights @ np.sqrt(covariance.diagonal()) / volatility
    return weights @ weights


# The libraries: each yields jobs, what does one, how many problems that is, and what makes a covariance or weights of
# what it returns.


def numpy_(inputs):
    yield "sample", lambda: np.cov(inputs.window, rowvar=False), 1, None


def pandas_(inputs):
    frame = inputs.frame(inputs.window)
    yield "ewma", lambda: frame.ewm(halflife=HALF_LIFE).cov().iloc[-inputs.n :], 1, None


def scikit_learn(inputs):
    from sklearn.covariance import ledoit_wolf, oas

    X = inputs.window
    standardised = lambda: (X - X.mean(0)) / X.std(0)
    first = lambda found: found[0]
    # With the diagonal restored, as correlations.
    whole = lambda found: found[0] - np.diag(found[0].diagonal()) + np.eye(inputs.n)
    yield "ledoit-wolf", lambda: ledoit_wolf(standardised()), 1, whole
    yield "ledoit-wolf-raw", lambda: ledoit_wolf(X), 1, first
    yield "oas", lambda: oas(standardised()), 1, whole
    yield "oas-raw", lambda: oas(X), 1, first


def skfolio(inputs):
    from skfolio.cluster import HierarchicalClustering, LinkageMethod
    from skfolio.moments import DenoiseCovariance, GerberCovariance
    from skfolio.optimization import HierarchicalRiskParity, MaximumDiversification, MeanRisk, RiskBudgeting

    weights = lambda fitted: fitted.weights_
    yield "gerber", lambda: GerberCovariance().fit(inputs.window), 1, lambda fitted: fitted.covariance_
    yield "denoised", lambda: DenoiseCovariance().fit(inputs.window), 1, lambda fitted: fitted.covariance_
    yield "erc", lambda: RiskBudgeting().fit(inputs.returns), 1, weights
    yield "min_variance", lambda: MeanRisk().fit(inputs.returns), 1, weights
    yield "max_diversification", lambda: MaximumDiversification().fit(inputs.returns), 1, weights
    clustering = HierarchicalClustering(linkage_method=LinkageMethod.SINGLE)
    hrp = HierarchicalRiskParity(hierarchical_clustering_estimator=clustering)
    yield "hrp", lambda: hrp.fit(inputs.returns), 1, weights


def riskfolio(inputs):
    import riskfolio

    frame = inputs.frame(inputs.returns)
    how = {"model": "HRP", "codependence": "pearson", "rm": "MV", "linkage": "single", "leaf_order": False}
    hrp = lambda: riskfolio.HCPortfolio(returns=frame).optimization(**how)
    yield "hrp", hrp, 1, lambda found: found["weights"].reindex(inputs.names)


def pyportfolioopt(inputs):
    import pandas as pd
    from pypfopt import EfficientFrontier, HRPOpt

    frame = pd.DataFrame(inputs.covariance, inputs.names, inputs.names)
    weights = lambda found: [found[name] for name in inputs.names]
    yield "min_variance", lambda: EfficientFrontier(None, frame).min_volatility(), 1, weights
    yield "hrp", lambda: HRPOpt(cov_matrix=frame).optimize(), 1, weights


def numba_(inputs):
    """Written for this comparison, all problems in one call; methods are given correlations, as ours are."""
    covariances, times = inputs.covariances, 256
    deviations = np.sqrt(covariances.diagonal(axis1=1, axis2=2))
    correlations = covariances / deviations[:, :, None] / deviations[:, None, :]
    first = lambda weights: weights[0]
    yield "ledoit-wolf", lambda: ledoit_wolf_in_numba(inputs.window, times), times, None
    for job, aim in [("min_variance", True), ("max_diversification", False)]:
        yield job, lambda aim=aim: quadratic(correlations, deviations, aim), len(covariances), first
    yield "hrp", lambda: hierarchical(correlations, deviations), len(covariances), first


# Written for this comparison.

compiled = numba.njit(cache=True, fastmath=True, error_model="numpy")


@compiled
def ledoit_wolf_in_numba(returns, times):
    """Ledoit & Wolf 2004 in correlation units, so many times over.

    Intensity (A - n - delta) / (T delta), A the mean of |y_t|^4, delta the sum of squared correlations.
    """
    rows, n = returns.shape
    C, y = np.empty((n, n)), np.empty((rows, n))
    for _ in range(times):
        mean, square = np.zeros(n), np.zeros(n)
        for t in range(rows):
            mean += returns[t]
        mean /= rows
        for t in range(rows):
            for i in range(n):
                y[t, i] = returns[t, i] - mean[i]
                square[i] += y[t, i] * y[t, i]
        scale = np.sqrt(rows / square)
        fourth = 0.0
        for t in range(rows):
            norm = 0.0
            for i in range(n):
                y[t, i] *= scale[i]
                norm += y[t, i] * y[t, i]
            fourth += norm * norm
        np.dot(y.T, y, C)
        delta = 0.0
        for i in range(n):
            for j in range(n):
                C[i, j] /= rows
                delta += C[i, j] * C[i, j] if i != j else 0.0
        intensity = min(1.0, (fourth / rows - n - delta) / (rows * delta))
        for i in range(n):
            for j in range(n):
                C[i, j] *= 1.0 - intensity if i != j else 1.0
        deviations = np.sqrt(square / (rows - 1))
        for i in range(n):
            for j in range(n):
                C[i, j] *= deviations[i] * deviations[j]
    return C


@compiled
def quadratic(correlations, deviations, least_variance):
    """Minimise y'C y / 2 - l'y, y >= 0: ten sweeps of coordinate descent, then an active set (Lawson & Hanson 1974)."""
    problems, n = deviations.shape
    weights = np.empty((problems, n))
    y, l, product, L, z = np.empty(n), np.empty(n), np.empty(n), np.empty((n, n)), np.empty(n)
    held = np.empty(n, np.int64)
    for p in range(problems):
        C, s = correlations[p], deviations[p]
        least = s.min()
        for i in range(n):
            l[i] = least / s[i] if least_variance else 1.0
            y[i] = l[i]
        for i in range(n):
            row = 0.0
            for j in range(n):
                row += C[i, j] * y[j]
            product[i] = row
        for _ in range(10):
            for i in range(n):
                new = max(0.0, l[i] - product[i] + y[i])
                step = new - y[i]
                if step != 0.0:
                    y[i] = new
                    row = C[i]
                    for j in range(n):
                        product[j] += step * row[j]
            linear, square = 0.0, 0.0
            for i in range(n):
                linear += l[i] * y[i]
                square += y[i] * product[i]
            for i in range(n):
                y[i] *= linear / square
                product[i] *= linear / square
        for _ in range(3 * n):
            k = 0
            for i in range(n):
                if y[i] > 0.0:
                    held[k] = i
                    k += 1
            for a in range(k):
                for b in range(a + 1):
                    total = C[held[a], held[b]]
                    for c in range(b):
                        total -= L[a, c] * L[b, c]
                    L[a, b] = np.sqrt(total) if a == b else total / L[b, b]
            for a in range(k):
                total = l[held[a]]
                for c in range(a):
                    total -= L[a, c] * z[c]
                z[a] = total / L[a, a]
            for a in range(k - 1, -1, -1):
                total = z[a]
                for c in range(a + 1, k):
                    total -= L[c, a] * z[c]
                z[a] = total / L[a, a]
            part, first = 1.0, -1
            for a in range(k):
                if z[a] <= 0.0:
                    reach = y[held[a]] / (y[held[a]] - z[a])
                    if reach < part or first < 0:
                        part, first = reach, a
            if first >= 0:
                for a in range(k):
                    y[held[a]] = max(0.0, y[held[a]] + part * (z[a] - y[held[a]]))
                y[held[first]] = 0.0
                continue
            for a in range(k):
                y[held[a]] = z[a]
            worst, where = -1e-12, -1
            for i in range(n):
                if y[i] == 0.0:
                    total = 0.0
                    for a in range(k):
                        total += C[i, held[a]] * z[a]
                    if total / l[i] - 1.0 < worst:
                        worst, where = total / l[i] - 1.0, i
            if where < 0:
                break
            y[where] = 1e-300
        total = 0.0
        for i in range(n):
            weights[p, i] = y[i] / s[i]
            total += weights[p, i]
        for i in range(n):
            weights[p, i] /= total
    return weights


@compiled
def hierarchical(correlations, deviations):
    """Lopez de Prado 2016: single linkage by a spanning tree, leaves in order, bisection."""
    problems, n = deviations.shape
    weights = np.empty((problems, n))
    near, link, done = np.empty(n), np.empty(n, np.int64), np.empty(n, np.bool_)
    height, ends = np.empty(n - 1), np.empty((n - 1, 2), np.int64)
    number, head, tail, after, root = np.empty((5, n), np.int64)
    stack = np.empty((2 * n, 2), np.int64)
    for p in range(problems):
        C, s, w = correlations[p], deviations[p], weights[p]
        # Prim: the largest correlation of each with the tree.
        near[:], link[:], done[:] = C[0], 0, False
        done[0] = True
        for k in range(n - 1):
            best = -1
            for i in range(n):
                if not done[i] and (best < 0 or near[i] > near[best]):
                    best = i
            height[k], ends[k, 0], ends[k, 1], done[best] = near[best], best, link[best], True
            for i in range(n):
                if not done[i] and C[best, i] > near[i]:
                    near[i], link[i] = C[best, i], best
        for i in range(n):
            root[i], number[i], head[i], tail[i], after[i] = i, i, i, i, -1
        # Clusters join, the one of the smaller number on the left.
        for k, edge in enumerate(np.argsort(-height)):
            a, b = ends[edge]
            while root[a] != a:
                root[a] = root[root[a]]
                a = root[a]
            while root[b] != b:
                root[b] = root[root[b]]
                b = root[b]
            if number[a] > number[b]:
                a, b = b, a
            after[tail[a]], tail[a], root[b], number[a] = head[b], tail[b], a, n + k
            top = a
        order, at = np.empty(n, np.int64), head[top]
        for i in range(n):
            order[i], at = at, after[at]
        w[:] = 1.0
        depth, stack[0, 0], stack[0, 1] = 1, 0, n
        while depth > 0:
            depth -= 1
            start, end = stack[depth]
            if end - start < 2:
                continue
            middle = start + (end - start) // 2
            variances = (0.0, 0.0)
            for side in range(2):
                low, high = (start, middle) if side == 0 else (middle, end)
                total, square = 0.0, 0.0
                for a in range(low, high):
                    i, row = order[a], 0.0
                    for b in range(low, a):
                        row += C[i, order[b]] / s[order[b]]
                    square += (2.0 * row + 1.0 / s[i]) / s[i]
                    total += 1.0 / (s[i] * s[i])
                square /= total * total
                variances = (square, 0.0) if side == 0 else (variances[0], square)
            share = variances[1] / (variances[0] + variances[1])
            for a in range(start, end):
                w[order[a]] *= share if a < middle else 1.0 - share
            stack[depth, 0], stack[depth, 1] = start, middle
            stack[depth + 1, 0], stack[depth + 1, 1] = middle, end
            depth += 2
    return weights


JOBS = dict(zip(LIBRARIES, [numba_, numpy_, pandas_, scikit_learn, skfolio, riskfolio, pyportfolioopt]))


def measure(library, inputs):
    for job, work, problems, result in JOBS[library](inputs):
        cpu = microseconds(work, calls=2 if library == "numba" else 1) / problems
        found = work() if result is None else result(work())
        known = mean_correlation(found) if np.ndim(found) == 2 else answer(job, inputs.covariance, found)
        print(json.dumps({"peer": library, "job": job, "n": inputs.n, "cpu_us": cpu, "answer": known}), flush=True)


def microseconds(work, calls=1):
    """CPU time of a call: the median of many, or the last of so many first ones where it takes long."""
    # The first call imports, compiles and caches.
    for _ in range(calls):
        first = timed(work)
    if first > 2 * BUDGET:
        return 1e6 * first
    batch = max(1, round(0.01 / timed(work)))
    seconds = []
    while batch * sum(seconds) < BUDGET or len(seconds) < 3:
        seconds.append(timed(lambda: [work() for _ in range(batch)]) / batch)
    return 1e6 * statistics.median(seconds)


def timed(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def executable(bench):
    """A bench of ours, built."""
    build = ["cargo", "bench", "--bench", bench, "--no-run", "--message-format", "json"]
    messages = subprocess.run(build, cwd=HERE.parent, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    artifacts = [json.loads(message) for message in messages]
    [path] = [a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == bench]
    return path


def run(command):
    lines = subprocess.run(command, env=os.environ | ALIKE, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def figure(microseconds):
    units = [(1e6, "s"), (1e3, "ms"), (1, "us")]
    unit, name = next((unit for unit in units if microseconds >= unit[0]), units[-1])
    return f"{float(f'{microseconds / unit:.3g}'):g} {name}"


def everybody(data):
    """What was measured, by peer, job and number of assets: a line for each round."""
    ours, found = executable("methods"), {}
    for _ in range(ROUNDS):
        turns = []
        for n in SIZES:
            turns += [[sys.executable, __file__, str(data), library, f"n{n}"] for library in LIBRARIES]
            turns.append([ours, str(data), f"n{n}"])
        turns += [[ours, str(data), part] for part in ["bootstrap", "study"]]
        for line in (line for command in turns for line in run(command)):
            found.setdefault((line["peer"], line["job"], line["n"]), []).append(line)
    return found


def show(found):
    """The tables."""
    middle = lambda key, of="cpu_us": statistics.median(line[of] for line in found[key])
    ours = lambda job, n=50: ("equirisk", job, n)
    sizes = " | ".join(f"n = {n}" for n in SIZES)
    rule = lambda columns: "|" + "---|" * columns

    jobs = [job for job in dict.fromkeys(job for peer, job, _ in found if peer == "equirisk") if " " not in job]
    print(f"| equirisk, a problem | {sizes} |\n{rule(4)}")
    for job in jobs:
        cells = []
        for n in SIZES:
            drawn = ours(f"{job}, resampled", n)
            cells.append(figure(middle(ours(job, n))) + (f" ({figure(middle(drawn))})" if drawn in found else ""))
        print(f"| {job} | {' | '.join(cells)} |")

    columns = " | ".join(f"n = {n} | / equirisk" for n in SIZES)
    print(f"\n| job | peer | {columns} | answers differ by |\n{rule(9)}")
    for job, library in [(job, library) for job in jobs for library in LIBRARIES]:
        known = [n for n in SIZES if (library, job, n) in found]
        if not known:
            continue
        cells, differences = [], []
        for n in known:
            theirs, mine = (library, job, n), ours(job, n)
            cells += [figure(middle(theirs)), f"{float(f'{middle(theirs) / middle(mine):.2g}'):,g}"]
            differences.append(abs(middle(theirs, "answer") / middle(mine, "answer") - 1))
        print(f"| {job} | {library} | {' | '.join(cells)} | {max(differences):.0e} |")

    others = ["ledoit-wolf", "constant-correlation", "oas", "ewma"]
    columns = " | ".join(f"{name} / sample" for name in others)
    print(f"\n| bootstrap, T = 2,520, n = 50 | sample | {columns} |\n{rule(6)}")
    for rows in ["single rows", "blocks of 20", "blocks of 75"]:
        seconds = lambda name: [line["cpu_us"] for line in found[ours(f"bootstrap, {rows}, {name}")]]
        sample = seconds("sample")
        # Of each round, then the middle.
        ratios = [statistics.median(a / b for a, b in zip(seconds(name), sample)) for name in others]
        print(f"| {rows} | {figure(statistics.median(sample))} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |")

    solved = ["min_variance", "max_diversification", "hrp"]
    erc = [middle(ours("erc", n)) for n in SIZES]
    alone = [sum(middle(ours(job, n)) for job in solved) for n in SIZES]
    batch = [middle(ours("the three beside erc in a batch", n)) for n in SIZES]
    print(f"\n| min variance, max diversification and hrp together / erc | {sizes} |\n{rule(4)}")
    for title, three in [("in a batch", batch), ("one by one", alone)]:
        print(f"| {title} | {' | '.join(f'{all / one:.1f}' for all, one in zip(three, erc))} |")

    print(f"\n| 10,000 resamples of 10 assets, two threads | CPU time | wall time | least wall time |\n{rule(4)}")
    for job in ["six methods, solved", "six methods, the whole study"]:
        key = ours(job, 10)
        least = min(line["wall_us"] for line in found[key])
        seconds = [middle(key), middle(key, "wall_us"), least]
        print(f"| {job} | {' | '.join(figure(10_000 * each) for each in seconds)} |")


def main(measure, everybody, show):
    data, *library = sys.argv[1:]
    if library:
        warnings.filterwarnings("ignore")
        measure(library[0], Inputs(pathlib.Path(data), int(library[1][1:])))
        return
    load = lambda: f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{load()} at the start\n", flush=True)
    show(everybody(pathlib.Path(data)))
    print(f"\n{load()} at the end")


if __name__ == "__main__":
    main(measure, everybody, show)
