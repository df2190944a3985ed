"""JAX on the GPU engine's cases: python3 gpu_jax.py [--report gpu-NAME.json] [--device cuda] [--dtype f32,f64]

The same forms as in gpu_torch.py as far as JAX has them, each one program for XLA: coordinate descent batch last, a
sweep as a loop over coordinates or (few assets) written out; moments as one matrix product or as sums of prefix
differences.
"""

import functools
import time

import numpy as np
import jax
import jax.numpy as jnp
from jax import lax

from gpu_peers import MOST_SWEEPS, SAMPLE, TOLERANCE, Session, covariances, prefixes, rc_error, resampled, returns
from gpu_peers import pieces_of, runs_at_most

session = Session(f"jax {jax.__version__}")
jax.config.update("jax_enable_x64", True)
# The fast generator: the default one would cost as much as the moments.
jax.config.update("jax_default_prng_impl", "rbg")
try:
    gpus = jax.devices("gpu")
except RuntimeError:
    gpus = []
name = session.device(bool(gpus), "gpu")
device = jax.devices("gpu" if name == "cuda" else name)[0]
jax.config.update("jax_default_device", device)
GPU = device.platform == "gpu"
WRITTEN_OUT = 16
PRODUCT = {"f32": "highest", "tf32": "tensorfloat32", "f64": "highest"}


def kind(precision):
    return jnp.float64 if precision == "f64" else jnp.float32


def root(g, y, b):
    a = g - y
    d = jnp.sqrt(a * a + 4 * b)
    return jnp.where(a > 0, 2 * b / (a + d), (d - a) / 2)


def looped(C, y, g, b):
    def step(i, state):
        y, g = state
        at = functools.partial(lax.dynamic_index_in_dim, index=i, axis=0, keepdims=False)
        new = root(at(g), at(y), b)
        return lax.dynamic_update_index_in_dim(y, new, i, 0), g + (new - at(y)) * at(C)

    return lax.fori_loop(0, len(y), step, (y, g))


def written_out(C, y, g, b):
    n, ys, gs = len(y), list(y), list(g)
    for i in range(n):
        new = root(gs[i], ys[i], b)
        change = new - ys[i]
        ys[i] = new
        gs = [gs[j] + change * C[max(i, j), min(i, j)] for j in range(n)]
    return jnp.stack(ys), jnp.stack(gs)


def descend(sweep, C, tolerance):
    """C (n, n, B) to y (n, B)."""
    b = jnp.asarray(1 / C.shape[0], C.dtype)
    rows = C.sum(1)
    y = jnp.sqrt(b) / jnp.where(rows > 0, jnp.sqrt(rows), 1)

    def one(state):
        y, g, sweeps, _ = state
        y, g = sweep(C, y, g, b)
        scale = lax.rsqrt((y * g).sum(0))
        y, g = y * scale, g * scale
        return y, g, sweeps + 1, jnp.abs(y * g / b - 1).max()

    more = lambda state: (state[2] < MOST_SWEEPS) & (state[3] > tolerance)
    start = (y, (C * y).sum(1), 0, jnp.asarray(jnp.inf, C.dtype))
    return lax.while_loop(more, one, start)[0]


def newton(C, tolerance):
    """Damped Newton on 1/2 y'C y - b sum ln y."""
    C, b = jnp.transpose(C, (2, 0, 1)), 1 / C.shape[0]
    rows = C.sum(2)
    y = b**0.5 / jnp.where(rows > 0, jnp.sqrt(rows), 1)
    product = lambda y: jnp.einsum("bij,bj->bi", C, y, precision="highest")

    def one(state):
        y, iterations, _ = state
        gradient = product(y) - b / y
        factor = jnp.linalg.cholesky(C + (b / y**2)[:, :, None] * jnp.eye(C.shape[1], dtype=C.dtype))
        step = jax.scipy.linalg.cho_solve((factor, True), gradient[..., None])[..., 0]
        decrement, largest = (gradient * step).sum(1), (jnp.abs(step) / y).max(1)
        damping = jnp.where(decrement > 0.1 * b, 1 / (1 + largest), 1)
        y = jnp.maximum(y - damping[:, None] * step, 1e-3 * y)
        return y, iterations + 1, jnp.abs(y * product(y) / b - 1).max()

    more = lambda state: (state[1] < MOST_SWEEPS) & (state[2] > tolerance)
    return lax.while_loop(more, one, (y, 0, jnp.asarray(jnp.inf, C.dtype)))[0].T


SOLVERS = {
    "sweep written out": (lambda n: n <= WRITTEN_OUT, functools.partial(descend, written_out)),
    "loop over coordinates": (lambda n: True, functools.partial(descend, looped)),
    "Newton, batched Cholesky": (lambda n: n <= 100, newton),
}


def draw_runs(key, chunk, rows, mean_block):
    """First rows and ends (beyond T where a run wraps) of the blocks of a chunk; what is past T is empty."""
    size = (chunk, runs_at_most(rows, mean_block))
    length_key, first_key = jax.random.split(key)
    uniform = jax.random.uniform(length_key, size, jnp.float32, minval=1e-30)
    lengths = 1 + jnp.floor(jnp.log(uniform) / np.log1p(-1 / mean_block)).astype(jnp.int32)
    ends = jnp.minimum(jnp.cumsum(lengths, 1), rows)
    lengths = jnp.diff(ends, axis=1, prepend=0)
    first = jax.random.randint(first_key, size, 0, rows, jnp.int32)
    return first, first + lengths


def counted(key, chunk, rows, mean_block, dtype):
    problem = jnp.arange(chunk)[:, None]
    if mean_block == 1:
        drawn = jax.random.randint(key, (chunk, rows), 0, rows, jnp.int32)
        return jnp.zeros((chunk, rows), dtype).at[problem, drawn].add(1)
    first, end = draw_runs(key, chunk, rows, mean_block)
    steps = jnp.zeros((chunk, 2 * rows + 1), dtype).at[problem, first].add(1).at[problem, end].add(-1)
    counts = jnp.cumsum(steps, 1)
    return counts[:, :rows] + counts[:, rows:-1]


@functools.partial(jax.jit, static_argnames=("chunk", "rows", "assets", "mean_block", "precision", "moments", "solver"))
def weights(
    key, products, bridge, total, packed, volatilities, *, chunk, rows, assets, mean_block, precision, moments, solver
):
    """A chunk, from random numbers to weights: one program."""
    if moments == "prefix sums":
        first, end = draw_runs(key, chunk, rows, mean_block)
        differences = bridge[jnp.where(end > rows, end - rows, end)] - bridge[first]
        found = (differences.sum(1) + total).T
        drawn = (first[:SAMPLE], end[:SAMPLE])
    else:
        counts = counted(key, chunk, rows, mean_block, kind(precision))
        found = jnp.matmul(products, counts.T, precision=PRODUCT[precision])
        drawn = counts[:SAMPLE]
    pairs, sums = found[:-assets], found[-assets:]
    inverse = lax.rsqrt(pairs[jnp.diagonal(packed)] - sums * sums / rows)
    C = (pairs[packed] - sums[:, None] * sums / rows) * inverse[:, None] * inverse
    w = SOLVERS[solver][1](C, TOLERANCE[precision]) * inverse / volatilities[:, None]
    return w / w.sum(0), drawn


@jax.jit
def statistics(weights):
    quantiles = jnp.quantile(weights, jnp.asarray([0.05, 0.95], weights.dtype), axis=1, method="nearest")
    return jnp.concatenate([weights.mean(1)[None], weights.std(1, ddof=1)[None], quantiles])


def bootstrap(history, mean_block, problems, precision, moments, solver):
    """Device and wall seconds, and the error of a sample."""
    rows, assets = history.shape
    wide = np.float64 if precision == "f64" else np.float32
    # Counts, moments, correlations, and what XLA keeps in between; prefix sums read rows of the bridge for every run.
    each = 8 * (4 * rows + 4 * assets**2)
    memory = min(device.memory_stats()["bytes_limit"] // 4, 16 << 30) if GPU else 1 << 30
    chunk = pieces_of(problems, memory // each)
    low, high = np.tril_indices(assets)
    packed = np.empty((assets, assets), np.int32)
    packed[low, high] = packed[high, low] = np.arange(len(low))

    begin = time.perf_counter()
    centred = history - history.mean(0)
    sigma = centred.std(0, ddof=1)
    products, bridge, total = prefixes(centred / sigma, wide)
    inputs = [jax.device_put(x, device) for x in (products.T.copy(), bridge, total, packed, sigma.astype(wide))]
    jax.block_until_ready(inputs)
    ready = time.perf_counter()
    key, pieces = jax.random.key(1), []
    for done in range(0, problems, chunk):
        piece, drawn = weights(jax.random.fold_in(key, done), *inputs, chunk=chunk, rows=rows, assets=assets,
                               mean_block=mean_block, precision=precision, moments=moments, solver=solver)
        pieces.append(piece[:, : problems - done])
    jax.block_until_ready(pieces)
    solved = time.perf_counter()
    found = np.asarray(statistics(jnp.concatenate(pieces, 1)))
    wall = time.perf_counter() - begin
    assert np.isfinite(found).all()

    if isinstance(drawn, tuple):
        counts = np.zeros((len(drawn[0]), rows))
        for p, (first, end) in enumerate(zip(*map(np.asarray, drawn))):
            for s, e in zip(first, end):
                np.add.at(counts[p], np.arange(s, e) % rows, 1)
    else:
        counts = np.asarray(drawn, float)
    sample = min(len(counts), pieces[-1].shape[1])
    error = rc_error(resampled(history, counts[:sample]), np.asarray(pieces[-1][:, :sample]).T)
    return solved - ready, wall, error


def bootstraps():
    tried = {}
    for rows, assets, mean_block, problems in session.bootstraps():
        history = returns(np.random.default_rng(7), rows, assets)
        for precision in [p for p in session.precisions if p in PRODUCT]:
            ways = ["one product"] + (["prefix sums"] if mean_block > 1 and precision != "tf32" else [])
            solvers = [s for s, (fits, _) in SOLVERS.items() if fits(assets) and "Newton" not in s]
            variants = [(moments, solver) for moments in ways for solver in solvers]
            key = (mean_block, precision)
            # The first size tries all; the others take what was best there.
            for moments, solver in [tried[key][1]] if key in tried else variants:
                entry = dict(workload="bootstrap", rows=rows, assets=assets, mean_block=mean_block, problems=problems,
                             precision=precision, variant=f"{moments}, {solver}")
                run = lambda: bootstrap(history, mean_block, problems, precision, moments, solver)
                seconds = session.time(run, **entry)
                if seconds and (key not in tried or problems == tried[key][2] and seconds < tried[key][0]):
                    tried[key] = (seconds, (moments, solver), problems)


@jax.jit
def to_correlations(S):
    S = jnp.transpose(S, (1, 2, 0))
    inverse = lax.rsqrt(jnp.diagonal(S).T)
    return S * inverse * inverse[:, None], inverse


@jax.jit
def to_weights(y, inverse):
    w = y * inverse
    return (w / w.sum(0)).T


def solves():
    for assets, problems in session.solves():
        distinct = covariances(assets)
        covariance = np.resize(distinct, (problems, assets, assets))
        for precision in [p for p in session.precisions if p in ("f32", "f64")]:
            of_kind = covariance.astype(np.float64 if precision == "f64" else np.float32)
            for solver, (fits, solve) in SOLVERS.items():
                if not fits(assets):
                    continue
                program = jax.jit(functools.partial(solve, tolerance=TOLERANCE[precision]))

                def run():
                    """Wall: covariances on the host to weights there. Device: correlations in place to y."""
                    begin = time.perf_counter()
                    C, inverse = jax.block_until_ready(to_correlations(jax.device_put(of_kind, device)))
                    ready = time.perf_counter()
                    y = jax.block_until_ready(program(C))
                    solved = time.perf_counter()
                    weights = np.asarray(to_weights(y, inverse))
                    wall = time.perf_counter() - begin
                    sample = min(SAMPLE, len(distinct), problems)
                    return solved - ready, wall, rc_error(distinct[:sample], weights[:sample])

                session.time(run, workload="given", rows=None, assets=assets, mean_block=None, problems=problems,
                             precision=precision, variant=solver)


if __name__ == "__main__":
    print(f"jax {jax.__version__} on {device.device_kind}")
    bootstraps()
    solves()
