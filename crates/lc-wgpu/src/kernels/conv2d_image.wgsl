// What every kernel of a convolution of dense NCHW images shares.

struct Params {
    // Results of one channel: of all images, of one, and in a row.
    pixels: u32,
    image: u32,
    row: u32,
    // Output channels of a group, and groups.
    channels: u32,
    groups: u32,
    // Products in a sum: input channels of a group times the filter's area.
    depth: u32,
    area: u32,
    filter_row: u32,
    // Extents of the input: channels of a group, height, width.
    x_channels: u32,
    height: u32,
    width: u32,
    stride_h: u32,
    stride_w: u32,
    pad_h: u32,
    pad_w: u32,
    dilation_h: u32,
    dilation_w: u32,
    first_x: u32,
    first_w: u32,
    first_bias: u32,
    first_out: u32,
    has_bias: u32,
}

override KIND: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> w: array<Element>;
@group(0) @binding(2) var<storage, read_write> bias: array<Element>;
@group(0) @binding(3) var<storage, read_write> out: array<Element>;
var<immediate> params: Params;

// Where the filter's corner lies for a result: the input's element, and its row and column. All wrap below zero, in the
// padding.
struct Corner {
    at: u32,
    y: u32,
    x: u32,
}

fn corner_of(group: u32, pixel: u32) -> Corner {
    let image = pixel / params.image;
    let rest = pixel % params.image;
    let y = rest / params.row * params.stride_h - params.pad_h;
    let x = rest % params.row * params.stride_w - params.pad_w;
    let plane = (image * params.groups + group) * params.x_channels;
    return Corner(params.first_x + plane * params.height * params.width + y * params.width + x, y, x);
}

// The same for one product of the sum, from the corner on. One beyond the last lies outside every image.
fn tap_of(k: u32) -> Corner {
    if k >= params.depth {
        return Corner(0u, 0x40000000u, 0u);
    }
    let channel = k / params.area;
    let tap = k % params.area;
    let y = tap / params.filter_row * params.dilation_h;
    let x = tap % params.filter_row * params.dilation_w;
    return Corner((channel * params.height + y) * params.width + x, y, x);
}

fn put(group: u32, channel: u32, pixel: u32, sum: f32) {
    if channel >= params.channels || pixel >= params.pixels {
        return;
    }
    let all = group * params.channels + channel;
    var y = sum;
    if params.has_bias != 0u {
        y += f32(bias[params.first_bias + all]);
    }
    let image = pixel / params.image;
    let at = (image * params.groups * params.channels + all) * params.image + pixel % params.image;
    out[params.first_out + at] = Element(activate(KIND, y));
}
