// As many fused multiply-adds as the device can start: 32 independent chains per thread hide their latency.
// Prepended: const ROUNDS.

@group(0) @binding(0) var<uniform> factors: vec4<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<f32>>;

@compute @workgroup_size(256)
fn multiply_add(@builtin(global_invocation_id) id: vec3<u32>) {
    let x = factors.xxxx;
    let y = factors.yyyy;
    var a = vec4<f32>(f32(id.x)); var b = a + x; var c = b + x; var d = c + x;
    var e = d + x; var f = e + x; var g = f + x; var h = g + x;
    for (var round = 0u; round < ROUNDS; round++) {
        a = fma(a, x, y); b = fma(b, x, y); c = fma(c, x, y); d = fma(d, x, y);
        e = fma(e, x, y); f = fma(f, x, y); g = fma(g, x, y); h = fma(h, x, y);
    }
    sums[id.x % arrayLength(&sums)] = ((a + b) + (c + d)) + ((e + f) + (g + h));
}
