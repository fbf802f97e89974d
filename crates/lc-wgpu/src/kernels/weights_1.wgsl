// Weights and biases by element.

@group(0) @binding(3) var<storage, read_write> weight: array<Element>;
@group(0) @binding(5) var<storage, read_write> bias: array<Element>;

fn weight_at(row: Row, j: u32) -> Wide {
    return f32(weight[params.first_weight + min(j, row.last)]);
}

fn bias_at(row: Row, j: u32) -> Wide {
    return f32(bias[params.first_bias + min(j, row.last)]);
}
