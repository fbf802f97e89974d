// Weights and biases, which may share a buffer with the rows.
@group(0) @binding(3) var<storage, read_write> weight: array<Stored>;
@group(0) @binding(4) var<storage, read_write> weight_1: array<Element>;
@group(0) @binding(5) var<storage, read_write> bias: array<Stored>;
@group(0) @binding(6) var<storage, read_write> bias_1: array<Element>;
