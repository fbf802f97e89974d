// A convolution by its definition, one thread a result: for groups of few output channels, where tiles would be empty.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    // Pixels are the innermost, so that neighbours read neighbouring elements and the same weights.
    let blocks = (params.pixels + 255u) / 256u;
    let id = group.y * groups.x + group.x;
    let pixel = id % blocks * 256u + lane;
    let all = id / blocks;
    if pixel >= params.pixels || all >= params.channels * params.groups {
        return;
    }
    let own = all / params.channels;
    let corner = corner_of(own, pixel);
    let plane = params.height * params.width;
    let weights = params.first_w + all * params.depth;
    let rows = params.area / params.filter_row;
    var sum = 0.0;
    for (var i = 0u; i < rows; i++) {
        let dy = i * params.dilation_h;
        if corner.y + dy >= params.height {
            continue;
        }
        for (var j = 0u; j < params.filter_row; j++) {
            let dx = j * params.dilation_w;
            if corner.x + dx >= params.width {
                continue;
            }
            var at = corner.at + dy * params.width + dx;
            var tap = weights + i * params.filter_row + j;
            for (var c = 0u; c < params.x_channels; c++) {
                sum = fma(f32(x[at]), f32(w[tap]), sum);
                at += plane;
                tap += params.area;
            }
        }
    }
    put(own, all % params.channels, pixel, sum);
}
