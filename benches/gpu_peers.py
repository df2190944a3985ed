"""What `gpu_torch.py` and `gpu_jax.py` share: the cases, the data, the clock, the check in f64, the report.

On its own it prints how our figures in a report compare with the best of theirs: python3 gpu_peers.py gpu-NAME.json
"""

import argparse
import json
import os
import sys
import time

import numpy as np

# Sweeps at most, and the error at which to stop. Single precision: as the GPU engine accepts its own.
MOST_SWEEPS = 30
TOLERANCE = {"f32": 5e-6, "tf32": 5e-6, "f16x2": 5e-6, "f64": 1e-8}
SAMPLE = 64
REPETITIONS = 3


def returns(rng, rows, assets, factors=5):
    """A market with positive betas, four styles, fat tails, own volatilities spread over a factor of ten."""
    scale = np.r_[0.010, np.full(factors - 1, 0.005)]
    betas = np.c_[rng.uniform(0.5, 1.5, assets), rng.normal(0, 0.7, (assets, factors - 1))]
    own = np.exp(rng.permutation(np.linspace(np.log(0.005), np.log(0.05), assets)))
    draw = lambda columns: rng.standard_t(5, (rows, columns)) * np.sqrt(3 / 5)
    return draw(factors) * scale @ betas.T + draw(assets) * own


def covariances(assets, distinct=256):
    """Covariances of iid resamples of 504 returns: few enough to make here, many enough to vary in sweeps."""
    rng = np.random.default_rng(1000 + assets)
    history = returns(rng, 504, assets)
    distinct = min(distinct, max(8, 100_000 // assets**2))
    return np.array([np.cov(history[rng.integers(0, 504, 504)], rowvar=False) for _ in range(distinct)])


def rc_error(covariance, weights):
    """Largest relative error of a risk share against equal budgets, in f64."""
    weights = np.asarray(weights, float)
    share = weights * np.einsum("bij,bj->bi", covariance, weights)
    share /= share.sum(1, keepdims=True)
    error = np.abs(share * weights.shape[1] - 1).max(1)
    return float(np.where(np.isfinite(error) & (weights > 0).all(1), error, np.inf).max())


def resampled(history, counts):
    """Covariances in f64 of the resamples with these counts per row (B x T)."""
    centred = history - history.mean(0)
    means = counts @ centred / len(history)
    moments = np.einsum("bt,ti,tj->bij", counts, centred, centred, optimize=True)
    return (moments - len(history) * means[:, :, None] * means[:, None, :]) / (len(history) - 1)


def prefixes(centred, wide):
    """Pair products of unit-variance returns with the returns themselves, and their bridge: row t of it is the sum of
    the first t rows less t times their mean, so that a run of rows that wraps is still a difference of two."""
    lower = np.tril_indices(centred.shape[1])
    products = np.concatenate([centred[:, lower[0]] * centred[:, lower[1]], centred], 1)
    mean = products.mean(0)
    bridge = np.concatenate([np.zeros((1, products.shape[1])), np.cumsum(products - mean, 0)])
    return products.astype(wide), bridge.astype(wide), (mean * len(centred)).astype(wide)


def runs_at_most(rows, mean_block):
    """Blocks that all but surely fill a resample: eight standard deviations more than the mean."""
    return int(np.ceil(rows / mean_block + 8 * np.sqrt(rows / mean_block) + 2))


def pieces_of(problems, most):
    """Problems at a time, at most so many, in pieces of one size: none is nearly empty."""
    pieces = -(-problems // max(1, int(most)))
    return -(-problems // pieces)


class Session:
    """The cases of a report, and the time there is for them."""

    def __init__(self, peer):
        parser = argparse.ArgumentParser()
        parser.add_argument("--report", help="gpu-NAME.json: its cases are timed, and the figures written into it")
        parser.add_argument("--device", default="auto", help="cuda, cpu, ...; auto takes the GPU that the report is of")
        parser.add_argument("--dtype", default="f32,tf32,f16x2,f64", help="precisions, by comma")
        parser.add_argument("--seconds", type=float, default=240)
        self.arguments = parser.parse_args()
        self.peer = peer
        self.end = time.monotonic() + self.arguments.seconds
        self.report = {"cases": [], "quick": True, "peers": []}
        if self.arguments.report:
            with open(self.arguments.report) as file:
                self.report = json.load(file)
        self.report["peers"] = [entry for entry in self.report["peers"] if not entry["peer"].startswith(peer)]
        self.precisions = self.arguments.dtype.split(",")

    def left(self):
        return self.end - time.monotonic()

    def device(self, has_gpu, gpu):
        """The device to use: that of the report, so that a software adapter is held against the CPU."""
        wanted = self.arguments.device
        software = self.report.get("adapter", {}).get("software", True)
        return wanted if wanted != "auto" else gpu if has_gpu and not software else "cpu"

    def bootstraps(self):
        """(rows, assets, mean_block, problems): 100,000 first, where all variants are tried."""
        cases = [c for c in self.report["cases"] if c["workload"] == "bootstrap"]
        found = [(c["rows"], c["assets"], c["mean_block"], c["problems"]) for c in cases]
        found = found or [(252, 10, block, 256) for block in (1.0, 20.0)]
        return sorted(found, key=lambda c: (abs(np.log(c[3] / 1e5)), c[2]))

    def solves(self):
        """(assets, problems)"""
        found = [(c["assets"], c["problems"]) for c in self.report["cases"] if c["workload"] == "given"]
        return found or [(5, 1000), (20, 500)]

    def record(self, **entry):
        entry = {"peer": self.peer, **entry}
        self.report["peers"].append(entry)
        seconds = entry.get("device_seconds")
        what = f"block {entry['mean_block']}" if entry["mean_block"] else "given"
        text = f"{seconds * 1e9 / entry['problems']:12.1f} ns" if seconds else entry.get("skipped", "")
        error = f"  rc_error {entry['rc_error_largest']:.1e}" if seconds else ""
        print(f"{self.peer} {what}, n {entry['assets']}, B {entry['problems']}, {entry['precision']},"
              f" {entry['variant']}: {text}{error}", flush=True)
        if self.arguments.report:
            partial = self.arguments.report + ".partial"
            with open(partial, "w") as file:
                json.dump(self.report, file, indent=2)
                file.write("\n")
            os.replace(partial, self.arguments.report)

    def time(self, run, **entry):
        """Records the least of a few runs; `run` returns (device seconds, wall seconds, error). The first run compiles
        and is reported apart. Device seconds, or none where it did not run."""
        if self.left() <= 0:
            self.record(**entry, skipped="no time is left")
            return None
        try:
            start = time.perf_counter()
            device, wall, error = run()
            first = time.perf_counter() - start
            best = None
            for _ in range(REPETITIONS):
                if best and self.left() < 2 * wall:
                    break
                device, wall, error = run()
                best = (min(device, best[0]), min(wall, best[1])) if best else (device, wall)
        except Exception as trouble:  # Out of memory, or a compiler that is missing: the next variant may do.
            self.record(**entry, skipped=f"{type(trouble).__name__}: {trouble}"[:200])
            return None
        if not np.isfinite(error):
            self.record(**entry, skipped="its weights are wrong")
            return None
        times = dict(first_call_seconds=first, device_seconds=best[0], wall_seconds=best[1])
        self.record(**entry, **times, rc_error_largest=error)
        return best[0]


def ratios(report):
    """Per case and precision: the best of theirs over ours."""
    found = []
    for case in report["cases"]:
        if not case["measured"] or case["workload"] not in ("given", "bootstrap"):
            continue
        same = lambda e: all(e.get(k) == case[k] for k in ("workload", "assets", "rows", "mean_block", "problems"))
        theirs = [e for e in report["peers"] if same(e) and "device_seconds" in e]
        ours = case["measured"]
        solve = {s["stage"]: s["device_seconds"] for s in ours["stages"]}
        device = solve.get("descend") if case["workload"] == "given" else ours["device_seconds"]
        for precision in sorted({e["precision"] for e in theirs}):
            of = [e for e in theirs if e["precision"] == precision]
            best = min(of, key=lambda e: e["device_seconds"])
            wall = min(of, key=lambda e: e["wall_seconds"])
            found.append({
                **{k: case[k] for k in ("workload", "assets", "mean_block", "problems")}, "precision": precision,
                "peer": best["peer"], "variant": best["variant"], "rc_error_largest": best["rc_error_largest"],
                "device_ratio": best["device_seconds"] / device if device else None,
                "wall_ratio": wall["wall_seconds"] / ours["wall_seconds"],
            })
    return found


def main(path):
    with open(path) as file:
        report = json.load(file)
    report["ratios"] = ratios(report)
    with open(path, "w") as file:
        json.dump(report, file, indent=2)
        file.write("\n")
    if not report["ratios"]:
        return
    print("\ntheirs / ours: above one we are faster. Ours is f32, certified; rc_error is theirs.")
    print(f"{'case':<34}{'precision':>10}{'device':>9}{'wall':>9}{'rc_error':>10}  best peer")
    for r in report["ratios"]:
        block = "" if r["mean_block"] is None else f", block {r['mean_block']:g}"
        name = f"{r['workload']}, n {r['assets']}{block}, B {r['problems']}"
        device = "-" if r["device_ratio"] is None else f"{r['device_ratio']:.2f}"
        print(f"{name:<34}{r['precision']:>10}{device:>9}{r['wall_ratio']:>9.2f}{r['rc_error_largest']:>10.0e}"
              f"  {r['peer']}, {r['variant']}")


if __name__ == "__main__":
    main(sys.argv[1])
