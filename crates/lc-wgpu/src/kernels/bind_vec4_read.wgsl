// A and B where nothing that is written shares a buffer with them: an H100 multiplies a quarter faster then.
@group(0) @binding(2) var<storage, read> a: array<vec4<Element>>;
@group(0) @binding(3) var<storage, read> b: array<vec4<Element>>;
