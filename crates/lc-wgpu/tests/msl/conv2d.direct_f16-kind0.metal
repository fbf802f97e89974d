// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size0;
    uint size1;
    uint size2;
    uint size3;
};

typedef half Element;
struct Params {
    uint pixels;
    uint image;
    uint row;
    uint channels;
    uint groups;
    uint depth;
    uint area;
    uint filter_row;
    uint x_channels;
    uint height;
    uint width;
    uint stride_h;
    uint stride_w;
    uint pad_h;
    uint pad_w;
    uint dilation_h;
    uint dilation_w;
    uint first_x;
    uint first_w;
    uint first_bias;
    uint first_out;
    uint has_bias;
};
typedef Element type_3[1];
struct Corner {
    uint at;
    uint y;
    uint x;
};
constant uint KIND = 0u;

float erfc_positive(
    float z
) {
    float q = -0.05390167;
    float t = 1.0 / (1.0 + (0.5 * z));
    float _e9 = q;
    q = (_e9 * t) + 0.25860852;
    float _e13 = q;
    q = (_e13 * t) - 0.43155608;
    float _e17 = q;
    q = (_e17 * t) + 0.2117977;
    float _e21 = q;
    q = (_e21 * t) + 0.021241367;
    float _e25 = q;
    q = (_e25 * t) + 0.18126294;
    float _e29 = q;
    q = (_e29 * t) + 0.24889359;
    float _e33 = q;
    q = (_e33 * t) + 0.2815131;
    float _e37 = q;
    q = (_e37 * t) + 0.28214052;
    float _e41 = q;
    return (_e41 * t) * metal::exp(-(z) * z);
}

float times_sigmoid(
    float x,
    float v
) {
    return x / (1.0 + metal::exp(metal::min(-(v), 80.0)));
}

float relu(
    float x_1
) {
    bool local_1 = {};
    uint bits = as_type<uint>(x_1);
    if ((bits & 2147483648u) != 0u) {
        local_1 = (bits & 2147483647u) <= 2139095040u;
    } else {
        local_1 = false;
    }
    bool negative = local_1;
    return negative ? 0.0 : x_1;
}

float activate(
    uint kind,
    float x_2
) {
    switch(kind) {
        case 1u: {
            float _e2 = relu(x_2);
            return _e2;
        }
        case 2u: {
            float _e6 = erfc_positive(metal::abs(x_2) * 0.70710677);
            return (0.5 * x_2) * ((x_2 > 0.0) ? (2.0 - _e6) : _e6);
        }
        case 3u: {
            float _e22 = times_sigmoid(x_2, 1.5957692 * (x_2 + (((0.044715 * x_2) * x_2) * x_2)));
            return _e22;
        }
        case 4u: {
            float _e23 = times_sigmoid(x_2, x_2);
            return _e23;
        }
        default: {
            return x_2;
        }
    }
}

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

Corner corner_of(
    uint group_1,
    uint pixel,
    constant Params& params
) {
    uint _e4 = params.image;
    uint image = naga_div(pixel, _e4);
    uint _e8 = params.image;
    uint rest = naga_mod(pixel, _e8);
    uint _e12 = params.row;
    uint _e16 = params.stride_h;
    uint _e20 = params.pad_h;
    uint y_1 = (naga_div(rest, _e12) * _e16) - _e20;
    uint _e24 = params.row;
    uint _e28 = params.stride_w;
    uint _e32 = params.pad_w;
    uint x_4 = (naga_mod(rest, _e24) * _e28) - _e32;
    uint _e36 = params.groups;
    uint _e41 = params.x_channels;
    uint plane = ((image * _e36) + group_1) * _e41;
    uint _e45 = params.first_x;
    uint _e48 = params.height;
    uint _e52 = params.width;
    uint _e57 = params.width;
    return Corner {((_e45 + ((plane * _e48) * _e52)) + (y_1 * _e57)) + x_4, y_1, x_4};
}

void put(
    uint group_2,
    uint channel,
    uint pixel_1,
    float sum_1,
    device type_3 const& bias,
    device type_3& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    bool local_2 = {};
    float y = {};
    uint _e6 = params.channels;
    if (!((channel >= _e6))) {
        uint _e13 = params.pixels;
        local_2 = pixel_1 >= _e13;
    } else {
        local_2 = true;
    }
    bool _e16 = local_2;
    if (_e16) {
        return;
    }
    uint _e19 = params.channels;
    uint all = (group_2 * _e19) + channel;
    y = sum_1;
    uint _e25 = params.has_bias;
    if (_e25 != 0u) {
        float _e28 = y;
        uint _e32 = params.first_bias;
        Element _e35 = bias[_e32 + all];
        y = _e28 + static_cast<float>(_e35);
    }
    uint _e40 = params.image;
    uint image_1 = naga_div(pixel_1, _e40);
    uint _e44 = params.groups;
    uint _e48 = params.channels;
    uint _e53 = params.image;
    uint _e57 = params.image;
    uint at_1 = ((((image_1 * _e44) * _e48) + all) * _e53) + naga_mod(pixel_1, _e57);
    uint _e63 = params.first_out;
    float _e67 = y;
    float _e68 = activate(KIND, _e67);
    out[_e63 + at_1] = static_cast<half>(_e68);
    return;
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, device type_3 const& x_3 [[buffer(0)]]
, device type_3 const& w [[buffer(1)]]
, device type_3 const& bias [[buffer(2)]]
, device type_3& out [[buffer(3)]]
, constant Params& params [[buffer(4)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(5)]]
) {
    bool local = {};
    float sum = 0.0;
    uint i = 0u;
    uint j = {};
    uint at = {};
    uint tap = {};
    uint c = {};
    uint _e5 = params.pixels;
    uint blocks = naga_div(_e5 + 255u, 256u);
    uint id = (group.y * groups.x) + group.x;
    uint pixel_2 = (naga_mod(id, blocks) * 256u) + lane;
    uint all_1 = naga_div(id, blocks);
    uint _e22 = params.pixels;
    if (!((pixel_2 >= _e22))) {
        uint _e29 = params.channels;
        uint _e32 = params.groups;
        local = all_1 >= (_e29 * _e32);
    } else {
        local = true;
    }
    bool _e36 = local;
    if (_e36) {
        return;
    }
    uint _e39 = params.channels;
    uint own = naga_div(all_1, _e39);
    Corner _e41 = corner_of(own, pixel_2, params);
    uint _e44 = params.height;
    uint _e47 = params.width;
    uint plane_1 = _e44 * _e47;
    uint _e51 = params.first_w;
    uint _e54 = params.depth;
    uint weights = _e51 + (all_1 * _e54);
    uint _e59 = params.area;
    uint _e62 = params.filter_row;
    uint rows = naga_div(_e59, _e62);
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e149 = i;
            i = _e149 + 1u;
        }
        loop_init = false;
        uint _e68 = i;
        if (_e68 < rows) {
        } else {
            break;
        }
        {
            uint _e70 = i;
            uint _e73 = params.dilation_h;
            uint dy = _e70 * _e73;
            uint _e79 = params.height;
            if ((_e41.y + dy) >= _e79) {
                continue;
            }
            j = 0u;
            bool loop_init_1 = true;
            while(true) {
                if (!loop_init_1) {
                    uint _e146 = j;
                    j = _e146 + 1u;
                }
                loop_init_1 = false;
                uint _e83 = j;
                uint _e86 = params.filter_row;
                if (_e83 < _e86) {
                } else {
                    break;
                }
                {
                    uint _e88 = j;
                    uint _e91 = params.dilation_w;
                    uint dx = _e88 * _e91;
                    uint _e97 = params.width;
                    if ((_e41.x + dx) >= _e97) {
                        continue;
                    }
                    uint _e102 = params.width;
                    at = (_e41.at + (dy * _e102)) + dx;
                    uint _e107 = i;
                    uint _e110 = params.filter_row;
                    uint _e113 = j;
                    tap = (weights + (_e107 * _e110)) + _e113;
                    c = 0u;
                    bool loop_init_2 = true;
                    while(true) {
                        if (!loop_init_2) {
                            uint _e143 = c;
                            c = _e143 + 1u;
                        }
                        loop_init_2 = false;
                        uint _e118 = c;
                        uint _e121 = params.x_channels;
                        if (_e118 < _e121) {
                        } else {
                            break;
                        }
                        {
                            uint _e124 = at;
                            Element _e126 = x_3[_e124];
                            uint _e129 = tap;
                            Element _e131 = w[_e129];
                            float _e133 = sum;
                            sum = metal::fma(static_cast<float>(_e126), static_cast<float>(_e131), _e133);
                            uint _e135 = at;
                            at = _e135 + plane_1;
                            uint _e137 = tap;
                            uint _e140 = params.area;
                            tap = _e137 + _e140;
                        }
                    }
                }
            }
        }
    }
    uint _e153 = params.channels;
    float _e155 = sum;
    put(own, naga_mod(all_1, _e153), pixel_2, _e155, bias, out, params, _buffer_sizes);
    return;
}
