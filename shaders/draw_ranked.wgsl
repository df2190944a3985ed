// The elements of a subset from its rank, largest first.

fn choose(base: u32, problem: u32) {
    var rank = rank_of(problem);
    var x = screen.pool;
    for (var i = REST; i > 0u; i--) {
        x = element(x, i, rank);
        members[base + i - 1u] = held[INCLUDED + x];
        rank = rest(x, i, rank);
    }
}
