// What does this compiler make of float arithmetic? Eight answers per pair (x, y), judged on the host.
// Prepended: nothing. `zero` is 0 at run time: no float rule reaches across `hidden`.

struct Setup {
    pairs: u32,
    zero: u32,
}

struct Answers {
    // x y - x y, once hidden: other than zero if multiply and subtract are one instruction.
    contracted: f32,
    // x y - hidden(x y) by fma: the product's rounding error if fma rounds once.
    fused: f32,
    // The rounding error of x + y (Knuth), as written, and with every step hidden.
    sum_plain: f32,
    sum_hidden: f32,
    // The rounding error of x y (Dekker), with every step hidden.
    product_hidden: f32,
    quotient: f32,
    root: f32,
    inverse_root: f32,
    // |x| 2^-140, denormal for |x| < 2^14.
    denormal: f32,
    padding: array<f32, 3>,
}

@group(0) @binding(0) var<uniform> setup: Setup;
@group(0) @binding(1) var<storage, read> pairs: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> answers: array<Answers>;

fn hidden(value: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(value) ^ setup.zero);
}

struct Halves {
    high: f32,
    low: f32,
}

// Veltkamp's split: 12 leading bits and the rest.
fn split(value: f32) -> Halves {
    let scaled = hidden(4097.0 * value);
    let high = hidden(scaled - hidden(scaled - value));
    return Halves(high, hidden(value - high));
}

@compute @workgroup_size(64)
fn probe(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= setup.pairs) {
        return;
    }
    let x = pairs[id.x].x;
    let y = pairs[id.x].y;
    let product = hidden(x * y);

    let sum = x + y;
    let part = sum - x;
    let sum_plain = (x - (sum - part)) + (y - part);

    let hidden_sum = hidden(x + y);
    let hidden_part = hidden(hidden_sum - x);
    let sum_hidden = hidden(hidden(x - hidden(hidden_sum - hidden_part)) + hidden(y - hidden_part));

    let a = split(x);
    let b = split(y);
    var error = hidden(hidden(a.high * b.high) - product);
    error = hidden(error + hidden(a.high * b.low));
    error = hidden(error + hidden(a.low * b.high));
    let product_hidden = hidden(error + hidden(a.low * b.low));

    answers[id.x] = Answers(
        x * y - product,
        fma(x, y, -product),
        sum_plain,
        sum_hidden,
        product_hidden,
        x / y,
        sqrt(abs(x)),
        inverseSqrt(abs(x)),
        abs(x) * bitcast<f32>(0x00800000u) * bitcast<f32>(0x39800000u),
        array<f32, 3>(0.0, 0.0, 0.0),
    );
}
