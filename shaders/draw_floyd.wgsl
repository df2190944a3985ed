// The elements of a subset by Floyd's algorithm, where the space has no ranks; twin of src/subsets/floyd.rs.

const FLOYD = 7u;

fn choose(base: u32, problem: u32) {
    let number = number_of(problem);
    var words: vec4<u32>;
    for (var t = 0u; t < REST; t++) {
        if ((t & 3u) == 0u) {
            words = philox(vec4<u32>(t >> 2u, number.x, number.y, FLOYD), vec2<u32>(screen.seed_lo, screen.seed_hi));
        }
        let newest = screen.pool - REST + t;
        let picked = mulhi(words[t & 3u], newest + 1u);
        var element = picked;
        for (var at = 0u; at < t; at++) {
            if (members[base + at] == picked) {
                element = newest;
            }
        }
        // Kept ascending.
        var place = t;
        for (; place > 0u; place--) {
            let before = members[base + place - 1u];
            if (before < element) {
                break;
            }
            members[base + place] = before;
        }
        members[base + place] = element;
    }
    for (var t = 0u; t < REST; t++) {
        members[base + t] = held[INCLUDED + members[base + t]];
    }
}
