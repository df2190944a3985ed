// Runs Philox on given counters and keys: the known-answer test of every adapter.
// Prepended: philox.wgsl.

struct Question {
    counter: vec4<u32>,
    key: vec4<u32>,
}

@group(0) @binding(0) var<storage, read> questions: array<Question>;
@group(0) @binding(1) var<storage, read_write> answers: array<vec4<u32>>;

@compute @workgroup_size(32)
fn known(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&questions)) {
        answers[id.x] = philox(questions[id.x].counter, questions[id.x].key.xy);
    }
}
