// Where `descend` reads the correlations of a problem: interleaved, entry e of the strict lower triangle of problem p at
// e P + p; else per problem full, rows and columns padded with zeros to a multiple of four.
// Prepended: const N, INTERLEAVED.

const PADDED = (N + 3u) / 4u * 4u;
const CELLS = max(1u, select(PADDED * PADDED, N * (N - 1u) / 2u, INTERLEAVED));

struct Cell {
    problem: u32,
    i: u32,
    j: u32,
}

// The k-th cell of so many problems. Beyond N where it pads.
fn cell(k: u32, problems: u32) -> Cell {
    if (INTERLEAVED) {
        let e = k / problems;
        var i = 1u;
        while (i * (i + 1u) / 2u <= e) {
            i += 1u;
        }
        return Cell(k % problems, i, e - i * (i - 1u) / 2u);
    }
    return Cell(k / CELLS, k % CELLS / PADDED, k % PADDED);
}

// Where C_ij of a problem is, i != j.
fn place(problem: u32, problems: u32, i: u32, j: u32) -> u32 {
    if (INTERLEAVED) {
        let high = max(i, j);
        return (high * (high - 1u) / 2u + min(i, j)) * problems + problem;
    }
    return problem * CELLS + i * PADDED + j;
}
