"""PyTorch on the GPU engine's cases: python3 gpu_torch.py [--report gpu-NAME.json] [--device cuda] [--dtype f32,f64]

The strongest forms that were found, all tried at one size, the best kept for the others:
- moments: one matrix product of row counts and pair products (f32, TF32, f64; f16x2 splits the products into two halves
  of sixteen bits, in which counts are exact, for twice the tensor cores' work and nearly f32's accuracy); for blocks
  also differences of two rows of the prefix sums, as an embedding bag
- coordinate descent, batch last: a Triton kernel; torch.compile of a whole sweep written out (few assets); eager with
  three launches a coordinate, replayed as a CUDA graph. Newton by batched Cholesky for comparison
"""

import os
import time

import numpy as np
import torch

from gpu_peers import MOST_SWEEPS, SAMPLE, TOLERANCE, Session, covariances, prefixes, rc_error, resampled, returns
from gpu_peers import pieces_of, runs_at_most

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None

torch.set_grad_enabled(False)
session = Session(f"torch {torch.__version__}")
device = torch.device(session.device(torch.cuda.is_available(), "cuda"))
CUDA = device.type == "cuda"
# Assets up to which a sweep is written out for torch.compile: the compiler's time grows with their square.
WRITTEN_OUT = 16


def wait():
    if CUDA:
        torch.cuda.synchronize()


def kind(precision):
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    return torch.float64 if precision == "f64" else torch.float32


if triton:

    @triton.jit
    def descend_kernel(C, X, budget, tolerance, n, problems, most, N: tl.constexpr, P: tl.constexpr):
        """P problems a program, a lane each; y and C y in registers, C streamed row by row, batch last."""
        p = tl.program_id(0) * P + tl.arange(0, P)
        j = tl.arange(0, N)[:, None]
        inside = (j < n) & (p < problems)[None, :]
        at = j * problems + p[None, :]
        # A scalar argument would be rounded to single precision.
        b = tl.load(budget)
        y = tl.load(X + at, mask=inside, other=0.0)
        g = y * 0
        # Pointers that move: offsets would leave 32 bits.
        rows = C + at
        for i in range(0, n):
            row = tl.load(rows, mask=inside, other=0.0)
            rows += n * problems
            g += row * tl.sum(tl.where(j == i, y, 0.0), axis=0)[None, :]
        sweeps = 0
        error = b + 1
        while (sweeps < most) & (error > tolerance):
            rows = C + at
            for i in range(0, n):
                row = tl.load(rows, mask=inside, other=0.0)
                rows += n * problems
                old = tl.sum(tl.where(j == i, y, 0.0), axis=0)
                a = tl.sum(tl.where(j == i, g, 0.0), axis=0) - old
                d = tl.sqrt(a * a + 4 * b)
                new = tl.where(a > 0, 2 * b / (a + d), (d - a) / 2)
                y = tl.where(j == i, new[None, :], y)
                g += row * (new - old)[None, :]
            scale = 1 / tl.sqrt(tl.sum(y * g, axis=0))
            y = y * scale[None, :]
            g = g * scale[None, :]
            error = tl.max(tl.where(inside, tl.abs(y * g / b - 1), 0.0))
            sweeps += 1
        tl.store(X + at, y, mask=inside)


def start(C, b):
    """y proportional to sqrt(b) / sqrt(row sum)."""
    rows = C.sum(1)
    return b**0.5 / torch.where(rows > 0, rows.sqrt(), torch.ones_like(rows))


class Triton:
    name = "triton"

    @staticmethod
    def fits(assets):
        # Above, y would leave the registers. Its interpreter serves to test it without a GPU.
        return triton and assets <= 64 and (CUDA or "TRITON_INTERPRET" in os.environ)

    def __init__(self, C, precision):
        self.C, self.tolerance = C, TOLERANCE[precision]
        self.width = max(8, triton.next_power_of_2(C.shape[0]))

    def solve(self):
        n, problems = self.C.shape[0], self.C.shape[2]
        y = start(self.C, 1 / n)
        budget = torch.full((1,), 1 / n, dtype=y.dtype, device=device)
        sizes = (self.tolerance, n, problems, MOST_SWEEPS)
        descend_kernel[(triton.cdiv(problems, 32),)](self.C, y, budget, *sizes, N=self.width, P=32, num_warps=1)
        return y


@torch.compile(dynamic=True)
def root(g, y, b):
    a = g - y
    d = torch.sqrt(a * a + 4 * b)
    return torch.where(a > 0, 2 * b / (a + d), (d - a) / 2)


class Graph:
    """A sweep of eager operations in place, replayed as one CUDA graph."""

    name = "eager, CUDA graph" if CUDA else "eager"

    @staticmethod
    def fits(assets):
        return True

    def __init__(self, C, precision):
        self.C, self.tolerance, self.b = C, TOLERANCE[precision], 1 / C.shape[0]
        self.y, self.g = torch.empty_like(C[0]), torch.empty_like(C[0])
        self.error = torch.empty((), dtype=C.dtype, device=device)
        self.replay = self.sweep
        if CUDA:
            self.begin()
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                self.sweep()
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.sweep()
            self.replay = graph.replay

    def begin(self):
        self.y.copy_(start(self.C, self.b))
        torch.sum(self.C * self.y[None], 1, out=self.g)

    def sweep(self):
        y, g = self.y, self.g
        for i in range(len(y)):
            new = root(g[i], y[i], self.b)
            g.addcmul_((new - y[i])[None], self.C[i])
            y[i] = new
        scale = (y * g).sum(0).rsqrt()
        y *= scale
        g *= scale
        self.error.copy_((y * g / self.b - 1).abs().max())

    def solve(self):
        self.begin()
        for _ in range(MOST_SWEEPS):
            self.replay()
            if self.error.item() <= self.tolerance:
                break
        return self.y


def written_out(y, g, C, b):
    """One sweep with a tensor per coordinate: the compiler keeps all of them in registers."""
    n = len(y)
    ys, gs = list(y), list(g)
    for i in range(n):
        a = gs[i] - ys[i]
        d = torch.sqrt(a * a + 4 * b)
        new = torch.where(a > 0, 2 * b / (a + d), (d - a) / 2)
        change = new - ys[i]
        ys[i] = new
        # Both halves of the matrix are one: fewer bytes.
        gs = [gs[j] + (change if i == j else change * C[max(i, j), min(i, j)]) for j in range(n)]
    scale = torch.rsqrt(sum(y * g for y, g in zip(ys, gs)))
    y, g = torch.stack([y * scale for y in ys]), torch.stack([g * scale for g in gs])
    return y, g, (y * g / b - 1).abs().max()


class WrittenOut:
    name = "torch.compile, sweep written out"

    @staticmethod
    def fits(assets):
        return assets <= WRITTEN_OUT

    def __init__(self, C, precision):
        torch._dynamo.reset()
        self.C, self.tolerance = C, TOLERANCE[precision]
        self.sweep = torch.compile(written_out, dynamic=False)

    def solve(self):
        b = 1 / len(self.C)
        y = start(self.C, b)
        g = (self.C * y[None]).sum(1)
        for _ in range(MOST_SWEEPS):
            y, g, error = self.sweep(y, g, self.C, b)
            if error.item() <= self.tolerance:
                break
        return y


class Newton:
    """Damped Newton on 1/2 y'C y - b sum ln y, batch first."""

    name = "Newton, batched Cholesky"

    @staticmethod
    def fits(assets):
        # Far behind coordinate descent by then.
        return assets <= 100

    def __init__(self, C, precision):
        self.C, self.tolerance = C.permute(2, 0, 1).contiguous(), TOLERANCE[precision]

    def solve(self):
        C, b = self.C, 1 / self.C.shape[1]
        y = start(C.permute(1, 2, 0), b).T.contiguous()
        for _ in range(MOST_SWEEPS):
            g = torch.bmm(C, y[..., None])[..., 0]
            if (y * g / b - 1).abs().max().item() <= self.tolerance:
                break
            gradient = g - b / y
            factor, _ = torch.linalg.cholesky_ex(C + torch.diag_embed(b / y**2))
            step = torch.cholesky_solve(gradient[..., None], factor)[..., 0]
            decrement, largest = (gradient * step).sum(1), (step.abs() / y).amax(1)
            damping = torch.where(decrement > 0.1 * b, 1 / (1 + largest), torch.ones_like(largest))
            y = torch.maximum(y - damping[:, None] * step, 1e-3 * y)
        return y.T


SOLVERS = [Triton, WrittenOut, Graph, Newton]


@torch.compile(dynamic=True)
def correlate(products, sums, packed, diagonal, rows, C):
    """Moments, packed and batch last, to full correlations in C; returns what divides by volatilities."""
    inverse = (products[diagonal] - sums * sums / rows).rsqrt()
    C.copy_((products[packed] - sums[:, None] * sums / rows) * inverse[:, None] * inverse)
    return inverse


class Bootstrap:
    """Returns in, statistics of weights out, in chunks of problems that fit the device."""

    def __init__(self, history, mean_block, problems, precision, moments, solver):
        self.rows, self.assets = history.shape
        self.history, self.mean_block, self.problems, self.precision = history, mean_block, problems, precision
        self.moments, self.kind = moments, kind(precision)
        # Counts and their indices, moments, correlations, and what the operations in between keep.
        each = 8 * (6 * self.rows + 4 * self.assets**2)
        memory = torch.cuda.mem_get_info()[0] // 4 if CUDA else 1 << 30
        self.chunk = pieces_of(problems, min(memory, 16 << 30) // each)
        n = self.assets
        low, high = np.tril_indices(n)
        to = lambda values: torch.as_tensor(values, device=device)
        packed = np.empty((n, n), int)
        packed[low, high] = packed[high, low] = np.arange(len(low))
        self.packed, self.diagonal = to(packed), to(packed.diagonal().copy())
        self.C = torch.zeros((n, n, self.chunk), dtype=self.kind, device=device)
        self.C[range(n), range(n)] = 1
        self.solver = solver(self.C, precision)

    def upload(self):
        centred = self.history - self.history.mean(0)
        self.sigma = centred.std(0, ddof=1)
        wide = np.float64 if self.precision == "f64" else np.float32
        products, bridge, total = prefixes(centred / self.sigma, wide)
        to = lambda values: torch.as_tensor(values, device=device)
        self.products, self.bridge, self.total = to(products.T.copy()), to(bridge), to(total)
        if self.precision == "f16x2":
            high = self.products.half()
            self.halves = torch.cat([high, (self.products - high.float()).half()])
        self.volatilities = to(self.sigma.astype(wide))

    def runs(self):
        """First rows and ends (beyond T where a run wraps) of the blocks of a chunk; what is past T is empty."""
        size = (self.chunk, runs_at_most(self.rows, self.mean_block))
        lengths = torch.empty(size, device=device).geometric_(1 / self.mean_block).long()
        ends = lengths.cumsum(1).clamp_(max=self.rows)
        lengths = ends.diff(dim=1, prepend=torch.zeros_like(ends[:, :1]))
        first = torch.randint(self.rows, size, device=device)
        return first, first + lengths

    def counts(self):
        wide = torch.float64 if self.precision == "f64" else torch.float32
        if self.mean_block == 1:
            drawn = torch.randint(self.rows, (self.chunk, self.rows), device=device)
            ones = torch.ones((), dtype=wide, device=device).expand_as(drawn)
            return torch.zeros((self.chunk, self.rows), dtype=wide, device=device).scatter_add_(1, drawn, ones)
        first, end = self.runs()
        steps = torch.zeros((self.chunk, 2 * self.rows + 1), dtype=wide, device=device)
        one = torch.ones((), dtype=wide, device=device).expand_as(first)
        steps.scatter_add_(1, first, one).scatter_add_(1, end, -one)
        counts = steps.cumsum_(1)
        return counts[:, : self.rows] + counts[:, self.rows : -1]

    def draw_and_moments(self):
        """Sums of pair products and of returns, packed, batch last; and the counts, where they were made."""
        if self.moments == "prefix sums":
            first, end = self.runs()
            rows = torch.cat([torch.where(end > self.rows, end - self.rows, end), first], 1)
            signs = torch.ones_like(rows, dtype=self.kind)
            signs[:, first.shape[1] :] = -1
            bag = torch.nn.functional.embedding_bag(rows, self.bridge, mode="sum", per_sample_weights=signs)
            return (bag + self.total).T, (first, end)
        counts = self.counts()
        if self.precision == "f16x2":
            # The accumulator is f32; the sum of the two halves too.
            if CUDA:
                both = torch.mm(self.halves, counts.half().T, out_dtype=torch.float32)
            else:
                both = self.halves.float() @ counts.T
            return both[: len(self.products)] + both[len(self.products) :], counts
        return self.products @ counts.T, counts

    def weights(self):
        moments, drawn = self.draw_and_moments()
        products, sums = moments[: -self.assets], moments[-self.assets :]
        inverse = correlate(products, sums, self.packed, self.diagonal, self.rows, self.C)
        y = self.solver.solve()
        w = y * inverse / self.volatilities[:, None]
        return w / w.sum(0), drawn

    def run(self):
        torch.manual_seed(1)
        kind(self.precision)
        wait()
        begin = time.perf_counter()
        self.upload()
        wait()
        ready = time.perf_counter()
        pieces = []
        for done in range(0, self.problems, self.chunk):
            weights, drawn = self.weights()
            pieces.append(weights[:, : self.problems - done].clone())
        wait()
        solved = time.perf_counter()
        weights = torch.cat(pieces, 1)
        ordered = weights.sort(1).values
        last = weights.shape[1] - 1
        quantiles = [ordered[:, round(q * last)] for q in (0.05, 0.95)]
        statistics = torch.stack([weights.mean(1), weights.std(1), *quantiles]).cpu()
        wall = time.perf_counter() - begin
        assert statistics.isfinite().all()
        sample = min(SAMPLE, pieces[-1].shape[1])
        covariance = resampled(self.history, self.of(drawn, sample))
        return solved - ready, wall, rc_error(covariance, pieces[-1][:, :sample].T.double().cpu().numpy())

    def of(self, drawn, sample):
        """Counts of the first problems of a chunk, in f64."""
        if not isinstance(drawn, tuple):
            return drawn[:sample].double().cpu().numpy()
        first, end = (x[:sample].cpu().numpy() for x in drawn)
        counts = np.zeros((sample, self.rows))
        for p in range(sample):
            for s, e in zip(first[p], end[p]):
                np.add.at(counts[p], np.arange(s, e) % self.rows, 1)
        return counts


def bootstraps():
    tried = {}
    for rows, assets, mean_block, problems in session.bootstraps():
        history = returns(np.random.default_rng(7), rows, assets)
        for precision in session.precisions:
            ways = ["one product"] + (["prefix sums"] if mean_block > 1 and precision in ("f32", "f64") else [])
            solvers = [s for s in SOLVERS if s is not Newton and s.fits(assets)]
            variants = [(moments, solver) for moments in ways for solver in solvers]
            key = (mean_block, precision)
            # The first size tries all; the others take what was best there.
            for moments, solver in [tried[key][1]] if key in tried else variants:
                entry = dict(workload="bootstrap", rows=rows, assets=assets, mean_block=mean_block, problems=problems,
                             precision=precision, variant=f"{moments}, {solver.name}")
                job = []

                def run():
                    if not job:
                        job.append(Bootstrap(history, mean_block, problems, precision, moments, solver))
                    return job[0].run()

                seconds = session.time(run, **entry)
                if seconds and (key not in tried or problems == tried[key][2] and seconds < tried[key][0]):
                    tried[key] = (seconds, (moments, solver), problems)
                job.clear()
                if CUDA:
                    torch.cuda.empty_cache()


def solves():
    for assets, problems in session.solves():
        distinct = covariances(assets)
        covariance = np.resize(distinct, (problems, assets, assets))
        for precision in session.precisions:
            # Tensor cores have no part in this.
            if precision in ("tf32", "f16x2"):
                continue
            of_kind = covariance.astype(np.float64 if precision == "f64" else np.float32)
            for solver in [s for s in SOLVERS if s.fits(assets)]:
                kept = []

                def run():
                    """Wall: covariances on the host to weights there. Device: correlations in place to y."""
                    wait()
                    begin = time.perf_counter()
                    S = torch.as_tensor(of_kind, device=device).permute(1, 2, 0)
                    inverse = S.diagonal().T.rsqrt()
                    C = (S * inverse * inverse[:, None]).contiguous()
                    if not kept:
                        kept.append(solver(C, precision))
                    elif solver is Newton:
                        kept[0].C = C.permute(2, 0, 1).contiguous()
                    else:
                        kept[0].C.copy_(C)
                    wait()
                    ready = time.perf_counter()
                    y = kept[0].solve()
                    wait()
                    solved = time.perf_counter()
                    w = y * inverse
                    weights = (w / w.sum(0)).T.cpu()
                    wall = time.perf_counter() - begin
                    sample = min(SAMPLE, len(distinct), problems)
                    return solved - ready, wall, rc_error(distinct[:sample], weights[:sample].double().numpy())

                session.time(run, workload="given", rows=None, assets=assets, mean_block=None, problems=problems,
                             precision=precision, variant=solver.name)
                kept.clear()
                if CUDA:
                    torch.cuda.empty_cache()


if __name__ == "__main__":
    print(f"torch {torch.__version__} on {torch.cuda.get_device_name() if CUDA else device}")
    bootstraps()
    solves()
