// Weights and biases where nothing that is written shares a buffer with them: compilers read them before they write
// results then.
@group(0) @binding(3) var<storage, read> weight: array<Stored>;
@group(0) @binding(4) var<storage, read> weight_1: array<Element>;
@group(0) @binding(5) var<storage, read> bias: array<Stored>;
@group(0) @binding(6) var<storage, read> bias_1: array<Element>;
