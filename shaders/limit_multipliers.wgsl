// Errors and multipliers of `limit`: sums over the parts of a problem, which are its groups and, last, all other assets.
// Prepended: limit_quads.wgsl.

// - sum / weights; `other` where there are none.
fn mean(sum: real, weights: real, other: real) -> real {
    return select(other, -sum / weights, weights > 0.0);
}

// Largest condition missed in a quad, relative to the budgets.
fn missed(quad: Quad) -> real {
    var rest = quad.at + lambdas_of(quad) * quad.w;
    rest = select(rest, max(rest, vec4<real>()), quad.most <= quad.w);
    rest = select(rest, min(rest, vec4<real>()), quad.w <= quad.least);
    let errors = numbers(abs(rest) / select(vec4<real>(1.0), quad.b, quad.b > vec4<real>()));
    return most(select(errors, vec4<real>(), quad.least == quad.most));
}

// s_i - b_i, its sum over what is free of a part, and the sums of the free weights and of all.
fn balance(quad: Quad, part: u32) -> vec4<real> {
    let free = is_free(quad);
    return vec4<real>(
        of_part(select(vec4<real>(), quad.at, free), quad, part),
        of_part(select(vec4<real>(), quad.w, free), quad, part),
        of_part(quad.w, quad, part),
        0.0,
    );
}

// Errors of the weights, from the fresh product; multipliers of what is free.
fn certify() -> real {
    first.at = y0 * cy0 * inverse - first.b;
    if (TWO) {
        second.at = y1 * cy1 * inverse - second.b;
    }
    var error = real(0.0);
    var whole = real(0.0);
    var rest = vec2<real>();
    var own: array<vec2<real>, PARTS>;
    for (var part = 0u; part < PARTS; part++) {
        var sums = balance(first, part);
        if (TWO) {
            sums += balance(second, part);
        }
        sums = totals(sums);
        whole += sums.z;
        own[part] = sums.xy;
        if (!is_held(part)) {
            rest += sums.xy;
        }
        if (part < GROUPS) {
            error = max(error, max(limits[N + part].x - sums.z, sums.z - limits[N + part].y));
        }
    }
    error = max(error, abs(whole - 1.0));
    let nu = mean(rest.x, rest.y, lambdas[GROUPS]);
    lambdas[GROUPS] = nu;
    for (var part = 0u; part < GROUPS; part++) {
        lambdas[part] = select(nu, multiplier_of(part, own[part], nu), is_held(part));
    }
    var worst = missed(first);
    if (TWO) {
        worst = max(worst, missed(second));
    }
    error = largest(max(error, worst));
    return select(HUGE, error, inverse > 0.0 && inverse < HUGE);
}

// Of a held group, which at its largest sum is not below nu, and at its least not above.
fn multiplier_of(part: u32, own: vec2<real>, nu: real) -> real {
    let limit = limits[N + part];
    let free = mean(own.x, own.y, lambdas[part]);
    let signed = select(min(free, nu), max(free, nu), limit.y <= targets[part]);
    return select(signed, free, limit.x == limit.y);
}

fn lines_of(quad: Quad, y: vec4<real>, fresh: bool) -> Quad {
    var next = quad;
    if (fresh) {
        let curve = y * y * inverse + quad.b;
        next.slope = quad.w / select(vec4<real>(1.0), curve, curve > vec4<real>());
    }
    next.at = quad.w - next.slope * quad.at;
    next.falls = next.slope * quad.w;
    return next;
}

// The lines of all steps; their slopes where asked for.
fn lines(fresh: bool) {
    first = lines_of(first, y0, fresh);
    if (TWO) {
        second = lines_of(second, y1, fresh);
    }
}

// Lines at these multipliers clipped to the bounds, and how fast they fall there, zero where they are clipped.
struct Stepped {
    w: vec4<real>,
    falls: vec4<real>,
}

fn stepped(quad: Quad, l: vec4<real>) -> Stepped {
    let w = quad.at - l * quad.falls;
    let least = max(quad.least, 0.25 * quad.w);
    let inside = (least < w) & (w < quad.most);
    return Stepped(min(max(w, least), quad.most), select(vec4<real>(), quad.falls, inside));
}

// Sums of the steps of a part and of the next one, and how fast they fall, in turn.
fn sums_of(one: Stepped, two: Stepped, part: u32) -> vec4<real> {
    var sums = vec4<real>(
        of_part(one.w, first, part),
        of_part(one.falls, first, part),
        of_part(one.w, first, part + 1u),
        of_part(one.falls, first, part + 1u),
    );
    if (TWO) {
        sums += vec4<real>(
            of_part(two.w, second, part),
            of_part(two.falls, second, part),
            of_part(two.w, second, part + 1u),
            of_part(two.falls, second, part + 1u),
        );
    }
    return totals(sums);
}

// An equation f(at) = 0 of a decreasing function: src/methods/risk_budgeting/limited/multipliers.rs.
struct Equation {
    at: real,
    low: real,
    high: real,
}

fn equation(at: real) -> Equation {
    return Equation(at, -HUGE, HUGE);
}

// Moves on from f(at) = `value`, where f falls by `slope`.
fn moves(old: Equation, value: real, slope: real) -> Equation {
    var next = old;
    if (value > 0.0) {
        next.low = max(old.low, old.at);
    } else {
        next.high = min(old.high, old.at);
    }
    let newton = old.at + value / select(real(1.0), slope, slope > 0.0);
    if (slope > 0.0 && next.low < newton && newton < next.high) {
        next.at = newton;
    } else if (-HUGE < next.low && next.high < HUGE) {
        next.at = 0.5 * (next.low + next.high);
    } else {
        // One side alone is known.
        let stride = max(abs(old.at), real(1.0));
        next.at = old.at + select(-stride, stride, value > 0.0);
    }
    return next;
}

// What the steps of a part are off by, and how fast that falls: nothing where a group is held.
fn taken(part: u32, sum: real, falls: real) -> vec2<real> {
    if (part >= GROUPS) {
        return select(vec2<real>(), vec2<real>(sum, falls), part == GROUPS);
    }
    let limit = limits[N + part];
    if (sum < limit.x || sum > limit.y) {
        held |= 1u << part;
        targets[part] = select(limit.x, limit.y, sum > limit.y);
        return vec2<real>(targets[part], 0.0);
    }
    return vec2<real>(sum, falls);
}

// Multipliers with the product frozen.
fn multipliers(go: bool, evaluations: u32) {
    var nu = equation(lambdas[GROUPS]);
    for (var evaluation = 0u; evaluation < EVALUATIONS; evaluation++) {
        let one = stepped(first, vec4<real>(nu.at));
        let two = stepped(second, vec4<real>(nu.at));
        held = 0u;
        var value = vec2<real>(-1.0, 0.0);
        for (var part = 0u; part < PARTS; part += 2u) {
            let sums = sums_of(one, two, part);
            value += taken(part, sums.x, sums.y);
            value += taken(part + 1u, sums.z, sums.w);
        }
        let open = go && evaluation < evaluations && abs(value.x) > ROUNDING;
        if (!any_lane(open)) {
            break;
        }
        if (open) {
            nu = moves(nu, value.x, value.y);
        }
    }
    lambdas[GROUPS] = nu.at;
    if (GROUPS > 0u) {
        of_groups(go, evaluations);
    }
    first.lambda = lambdas_of(first);
    second.lambda = lambdas_of(second);
}

// Of the groups that are held, all together; of the others that of the rest.
fn of_groups(go: bool, evaluations: u32) {
    var own: array<Equation, PARTS>;
    for (var part = 0u; part < GROUPS; part++) {
        own[part] = equation(lambdas[part]);
    }
    for (var evaluation = 0u; evaluation < EVALUATIONS; evaluation++) {
        let one = stepped(first, lambdas_of(first));
        let two = stepped(second, lambdas_of(second));
        var open = false;
        for (var part = 0u; part < GROUPS; part += 2u) {
            let sums = sums_of(one, two, part);
            for (var next = 0u; next < 2u; next++) {
                let at = part + next;
                let value = select(sums.x, sums.z, next == 1u) - targets[min(at, GROUPS)];
                if (at < GROUPS && is_held(at) && go && evaluation < evaluations && abs(value) > ROUNDING) {
                    open = true;
                    own[at] = moves(own[at], value, select(sums.y, sums.w, next == 1u));
                    lambdas[at] = own[at].at;
                }
            }
        }
        if (!any_lane(open)) {
            break;
        }
    }
    for (var part = 0u; part < GROUPS; part++) {
        if (!is_held(part)) {
            lambdas[part] = lambdas[GROUPS];
        }
    }
}
