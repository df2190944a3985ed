"""Risk budgeting within limits as other libraries have it, beside ours.

limits_peers.py DATA                builds our bench, runs it and all libraries in turn, and prints a table
limits_peers.py DATA LIBRARY n10    the jobs of one library, a JSON line each

The first covariance of W1, equal budgets, and by job

    bounds          0.5 / n <= w_i <= 1.5 / n
    groups          the first half of the assets holds at most 40 %, the next quarter at least 30 %
    proportional    `bounds` once more, by the definition of Richard & Roncalli (2019)

skfolio and Riskfolio-Lib take returns: 504 rows that have the covariance. They minimise the log barrier, as `bounds` and
`groups` do here; pyrb has the other definition. CPU time as in methods_peers.py. Of each answer, the largest miss of a
weight by ours, and of a limit.
"""

import json
import statistics
import sys

import numpy as np
from methods_peers import ROUNDS, SIZES, executable, figure, main, microseconds, run

LIBRARIES = ["skfolio", "Riskfolio-Lib", "pyrb"]


def groups(n):
    """Members of the two groups."""
    return range(0, n // 2), range(n // 2, n * 3 // 4)


def rows(n):
    """Rows a with a'w <= limit, and the limits."""
    first, second = (np.isin(np.arange(n), members).astype(float) for members in groups(n))
    return np.array([first, -second]), np.array([0.4, -0.3])


# The libraries: each yields jobs, what does one, and what makes weights of what it returns.


def skfolio(inputs):
    from skfolio.optimization import RiskBudgeting

    weights = lambda fitted: fitted.weights_
    low, high = 0.5 / inputs.n, 1.5 / inputs.n
    bounds = RiskBudgeting(min_weights=low, max_weights=high)
    yield "bounds", lambda: bounds.fit(inputs.returns), weights
    A, b = rows(inputs.n)
    grouped = RiskBudgeting(left_inequality=A, right_inequality=b)
    yield "groups", lambda: grouped.fit(inputs.returns), weights


def riskfolio(inputs):
    import riskfolio

    frame, eye = inputs.frame(inputs.returns), np.eye(inputs.n)

    def portfolio(A, b):
        work = riskfolio.Portfolio(returns=frame)
        work.ainequality, work.binequality = A, b[:, None]
        work.assets_stats(method_mu="hist", method_cov="hist")
        return work.rp_optimization(model="Classic", rm="MV", hist=True)

    weights = lambda found: found["weights"].to_numpy()
    bounds = np.r_[eye, -eye], np.r_[np.full(inputs.n, 1.5 / inputs.n), np.full(inputs.n, -0.5 / inputs.n)]
    yield "bounds", lambda: portfolio(*bounds), weights
    yield "groups", lambda: portfolio(*rows(inputs.n)), weights


def pyrb(inputs):
    from pyrb import ConstrainedRiskBudgeting

    budgets = np.full(inputs.n, 1 / inputs.n)
    bounds = np.tile([0.5 / inputs.n, 1.5 / inputs.n], (inputs.n, 1))

    def solved():
        work = ConstrainedRiskBudgeting(inputs.covariance, budgets, bounds=bounds)
        work.solve()
        return work

    yield "proportional", solved, lambda work: work.x


JOBS = dict(zip(LIBRARIES, [skfolio, riskfolio, pyrb]))


def measure(library, inputs):
    for job, work, result in JOBS[library](inputs):
        cpu, weights = microseconds(work), np.asarray(result(work()), float).tolist()
        print(json.dumps({"peer": library, "job": job, "n": inputs.n, "cpu_us": cpu, "weights": weights}), flush=True)


def missed(job, n, weights):
    """The largest miss of a limit or of the sum."""
    A, b = rows(n)
    beyond = A @ weights - b if job == "groups" else np.r_[weights - 1.5 / n, 0.5 / n - weights]
    return max(abs(weights.sum() - 1), beyond.max(), 0.0)


def everybody(data):
    """What was measured, by peer, job and number of assets: a line for each round."""
    ours, found = executable("limits"), {}
    for _ in range(ROUNDS):
        for n in SIZES:
            turns = [[sys.executable, __file__, str(data), library, f"n{n}"] for library in LIBRARIES]
            turns.append([ours, str(data), f"n{n}"])
            for line in (line for command in turns for line in run(command)):
                found.setdefault((line["peer"], line["job"], line["n"]), []).append(line)
    return found


def show(found):
    middle = lambda key: statistics.median(line["cpu_us"] for line in found[key])
    weights = lambda key: np.array(found[key][0]["weights"])
    columns = " | ".join(f"n = {n} | / equirisk" for n in SIZES)
    print(f"| job | | {columns} | weights differ by | limits missed by |\n|" + "---|" * (4 + 2 * len(SIZES)))
    for job in ["bounds", "groups", "proportional"]:
        for peer in ["equirisk", *LIBRARIES]:
            keys = [(peer, job, n) for n in SIZES if (peer, job, n) in found]
            if not keys:
                continue
            cells = []
            for key in keys:
                ratio = middle(key) / middle(("equirisk", job, key[2]))
                cells += [figure(middle(key)), "" if peer == "equirisk" else f"{float(f'{ratio:.2g}'):,g}"]
            apart = max(abs(weights(key) - weights(("equirisk", job, key[2]))).max() for key in keys)
            beyond = max(missed(job, key[2], weights(key)) for key in keys)
            differ = "" if peer == "equirisk" else f"{apart:.0e}"
            print(f"| {job} | {peer} | {' | '.join(cells)} | {differ} | {beyond:.0e} |")


main(measure, everybody, show)
