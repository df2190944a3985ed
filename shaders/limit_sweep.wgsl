// A sweep of `limit`, the sums that it leaves, and where it goes on to. The owner of a quad takes its four steps alone, with the block that it
// holds of their rows; the four changes then go to all lanes at once.
// Prepended: limit_quads.wgsl.

// Where each weight of a quad goes: its line, moved by what the weights before have changed of C y.
fn goal(quad: Quad, y: vec4<real>, change: vec4<real>) -> vec4<real> {
    let at = quad.at - quad.slope * inverse * (y * change);
    return clipped(quad, max(at - quad.lambda * quad.falls, 0.25 * quad.w));
}

// Four steps in turn, with the block of their rows and columns.
fn steps(quad: Quad, y: vec4<real>, rows: Block) -> vec4<real> {
    var change = quad.change;
    var next = quad.w;
    next.x = goal(quad, y, change).x;
    change += (next.x - quad.w.x) * quad.s.x * rows.x;
    next.y = goal(quad, y, change).y;
    change += (next.y - quad.w.y) * quad.s.y * rows.y;
    next.z = goal(quad, y, change).z;
    change += (next.z - quad.w.z) * quad.s.z * rows.z;
    next.w = goal(quad, y, change).w;
    return next;
}

// Moves all weights once, in order; none of a problem that is done.
fn sweep(go: bool) {
    first.change = vec4<real>();
    second.change = vec4<real>();
    for (var owner = 0u; owner < min(LANES, QUADS); owner++) {
        let rows = block(owner, first_quad());
        var change = vec4<real>();
        if (lane == owner && go) {
            let next = steps(first, y0, rows);
            change = (next - first.w) * first.s;
            first.w = next;
        }
        change = broadcast(change, owner);
        first.change = along(first.change, change, rows);
        if (TWO) {
            second.change = along(second.change, change, block(owner, second_quad()));
        }
    }
    for (var quad = LANES; quad < QUADS; quad++) {
        let rows = block(quad, second_quad());
        var change = vec4<real>();
        if (lane == quad - LANES && go) {
            let next = steps(second, y1, rows);
            change = (next - second.w) * second.s;
            second.w = next;
        }
        // Those of the first quads have moved already.
        change = broadcast(change, quad - LANES);
        second.change = along(second.change, change, rows);
    }
}

// sum / free where both are positive, else one.
fn factor(sum: real, free: real) -> real {
    let both = sum > 0.0 && free > 0.0;
    return select(real(1.0), sum / select(real(1.0), free, both), both);
}

// What of a quad is free, and what is not, of a part and of the next one, in turn.
fn weights_of(quad: Quad, part: u32) -> vec4<real> {
    let free = is_free(quad);
    let own = select(vec4<real>(), quad.w, free);
    let bound = select(quad.w, vec4<real>(), free);
    return vec4<real>(
        of_part(own, quad, part),
        of_part(bound, quad, part),
        of_part(own, quad, part + 1u),
        of_part(bound, quad, part + 1u),
    );
}

fn scaled(quad: Quad, go: bool) -> vec4<real> {
    var own = vec4<real>(factors[GROUPS]);
    if (GROUPS > 0u) {
        own = vec4<real>(factors[quad.part.x], factors[quad.part.y], factors[quad.part.z], factors[quad.part.w]);
    }
    let free = is_free(quad) & vec4<bool>(go);
    return select(quad.w, clipped(quad, quad.w * own), free);
}

// Scales what is free of each held group, and of the rest, to the sum that is left to it, and clips.
fn restore(go: bool) {
    // What is free of the rest, what is not, and the sum that is left to it.
    var rest = vec3<real>(0.0, 0.0, 1.0);
    for (var part = 0u; part < PARTS; part += 2u) {
        var sums = weights_of(first, part);
        if (TWO) {
            sums += weights_of(second, part);
        }
        sums = totals(sums);
        for (var next = 0u; next < 2u; next++) {
            let at = part + next;
            let own = select(sums.xy, sums.zw, next == 1u);
            if (at < GROUPS && is_held(at)) {
                rest.z -= targets[at];
                factors[at] = factor(targets[at] - own.y, own.x);
            } else if (at < PARTS) {
                rest += vec3<real>(own, 0.0);
            }
        }
    }
    let scale = factor(rest.z - rest.y, rest.x);
    for (var part = 0u; part < PARTS; part++) {
        if (!is_held(part)) {
            factors[part] = scale;
        }
    }
    first.w = scaled(first, go);
    if (TWO) {
        second.w = scaled(second, go);
    }
}

// The move of a quad in this sweep, and by how much it differs from the last one.
fn moves_of(quad: Quad, y: vec4<real>) -> vec4<real> {
    let u = quad.w * quad.s - y;
    let change = u - quad.moved;
    return vec4<real>(dot(u, change), dot(change, change), 0.0, 0.0);
}

fn went_on(quad: Quad, y: vec4<real>, theta: real, sound: bool) -> Quad {
    var next = quad;
    next.moved = quad.w * quad.s - y;
    next.image = quad.w;
    let goal = quad.w - theta * (quad.w - quad.image);
    let inside = max(min(goal, min(2.0 * quad.w, quad.most)), max(0.5 * quad.w, quad.least));
    next.w = select(quad.w, inside, sound);
    return next;
}

// Goes on in the direction of the last two sweeps, or only remembers this one.
fn accelerate(go: bool, goes_on: bool) {
    var sums = moves_of(first, y0);
    if (TWO) {
        sums += moves_of(second, y1);
    }
    sums = totals(sums);
    let theta = sums.x / select(real(1.0), sums.y, sums.y > 0.0);
    let sound = go && goes_on && sums.y > 0.0 && abs(theta) <= 1.0;
    first = went_on(first, y0, theta, sound);
    if (TWO) {
        second = went_on(second, y1, theta, sound);
    }
}
