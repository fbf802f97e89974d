// A and B, which may share a buffer with the result.
@group(0) @binding(2) var<storage, read_write> a: array<vec4<Element>>;
@group(0) @binding(3) var<storage, read_write> b: array<vec4<Element>>;
