// Weights and biases by vectors of four, or by element where rows do not begin at one.

// The columns of a vector's elements; any, for those that are not of the row.
fn columns(row: Row, j: u32) -> vec4<u32> {
    let own = vec4<u32>(4u * j - row.skew) + vec4<u32>(0u, 1u, 2u, 3u);
    return min(own, vec4<u32>(params.extent - 1u));
}

fn weight_at(row: Row, j: u32) -> Wide {
    if EDGE == 2u {
        let at = columns(row, j) + params.first_weight;
        return vec4<f32>(vec4<Element>(weight_1[at.x], weight_1[at.y], weight_1[at.z], weight_1[at.w]));
    }
    return Wide(weight[params.first_weight / 4u + min(j, row.last)]);
}

fn bias_at(row: Row, j: u32) -> Wide {
    if EDGE == 2u {
        let at = columns(row, j) + params.first_bias;
        return vec4<f32>(vec4<Element>(bias_1[at.x], bias_1[at.y], bias_1[at.z], bias_1[at.w]));
    }
    return Wide(bias[params.first_bias / 4u + min(j, row.last)]);
}
