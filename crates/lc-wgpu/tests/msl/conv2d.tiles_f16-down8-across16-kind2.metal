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
struct type_5 {
    metal::float4 inner[272];
};
struct type_6 {
    metal::float4 inner[256];
};
struct type_7 {
    Corner inner[32];
};
struct Gathered {
    metal::float4 low;
    metal::float4 high;
};
struct type_9 {
    metal::float4 inner[8];
};
constant uint KIND = 2u;
constant uint DOWN = 8u;
constant uint ACROSS = 16u;
constant uint THREADS = 128u;
constant uint DEPTH = 16u;
constant uint LINE = 17u;
constant uint WEIGHTS = 8u;

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
    bool local = {};
    uint bits = as_type<uint>(x_1);
    if ((bits & 2147483648u) != 0u) {
        local = (bits & 2147483647u) <= 2139095040u;
    } else {
        local = false;
    }
    bool negative = local;
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
    uint image_1 = naga_div(pixel, _e4);
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
    uint plane = ((image_1 * _e36) + group_1) * _e41;
    uint _e45 = params.first_x;
    uint _e48 = params.height;
    uint _e52 = params.width;
    uint _e57 = params.width;
    return Corner {((_e45 + ((plane * _e48) * _e52)) + (y_1 * _e57)) + x_4, y_1, x_4};
}

Corner tap_of(
    uint k_1,
    constant Params& params
) {
    uint _e3 = params.depth;
    if (k_1 >= _e3) {
        return Corner {0u, 1073741824u, 0u};
    }
    uint _e11 = params.area;
    uint channel_2 = naga_div(k_1, _e11);
    uint _e15 = params.area;
    uint tap_1 = naga_mod(k_1, _e15);
    uint _e19 = params.filter_row;
    uint _e23 = params.dilation_h;
    uint y_2 = naga_div(tap_1, _e19) * _e23;
    uint _e27 = params.filter_row;
    uint _e31 = params.dilation_w;
    uint x_5 = naga_mod(tap_1, _e27) * _e31;
    uint _e35 = params.height;
    uint _e40 = params.width;
    return Corner {(((channel_2 * _e35) + y_2) * _e40) + x_5, y_2, x_5};
}

void put(
    uint group_2,
    uint channel,
    uint pixel_1,
    float sum,
    device type_3 const& bias,
    device type_3& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    bool local_1 = {};
    float y = {};
    uint _e6 = params.channels;
    if (!((channel >= _e6))) {
        uint _e13 = params.pixels;
        local_1 = pixel_1 >= _e13;
    } else {
        local_1 = true;
    }
    bool _e16 = local_1;
    if (_e16) {
        return;
    }
    uint _e19 = params.channels;
    uint all = (group_2 * _e19) + channel;
    y = sum;
    uint _e25 = params.has_bias;
    if (_e25 != 0u) {
        float _e28 = y;
        uint _e32 = params.first_bias;
        Element _e35 = bias[_e32 + all];
        y = _e28 + static_cast<float>(_e35);
    }
    uint _e40 = params.image;
    uint image_2 = naga_div(pixel_1, _e40);
    uint _e44 = params.groups;
    uint _e48 = params.channels;
    uint _e53 = params.image;
    uint _e57 = params.image;
    uint at = ((((image_2 * _e44) * _e48) + all) * _e53) + naga_mod(pixel_1, _e57);
    uint _e63 = params.first_out;
    float _e67 = y;
    float _e68 = activate(KIND, _e67);
    out[_e63 + at] = static_cast<half>(_e68);
    return;
}

float gather(
    Corner corner,
    bool live,
    Corner tap,
    device type_3 const& x_3,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    float value = 0.0;
    bool local_2 = {};
    bool local_3 = {};
    if (live) {
        uint _e12 = params.height;
        local_2 = (corner.y + tap.y) < _e12;
    } else {
        local_2 = false;
    }
    bool _e15 = local_2;
    if (_e15) {
        uint _e23 = params.width;
        local_3 = (corner.x + tap.x) < _e23;
    } else {
        local_3 = false;
    }
    bool _e26 = local_3;
    if (_e26) {
        Element _e32 = x_3[corner.at + tap.at];
        value = static_cast<float>(_e32);
    }
    float _e34 = value;
    return _e34;
}

float weight(
    uint start,
    uint channel0_,
    uint k0_1,
    uint number,
    device type_3 const& w,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    float value_1 = 0.0;
    bool local_4 = {};
    bool local_5 = {};
    uint channel_3 = channel0_ + naga_div(number, DEPTH);
    uint k_2 = k0_1 + naga_mod(number, DEPTH);
    if (number < 1024u) {
        uint _e24 = params.channels;
        local_4 = channel_3 < _e24;
    } else {
        local_4 = false;
    }
    bool _e27 = local_4;
    if (_e27) {
        uint _e32 = params.depth;
        local_5 = k_2 < _e32;
    } else {
        local_5 = false;
    }
    bool _e35 = local_5;
    if (_e35) {
        uint _e39 = params.depth;
        Element _e44 = w[(start + (channel_3 * _e39)) + k_2];
        value_1 = static_cast<float>(_e44);
    }
    float _e46 = value_1;
    return _e46;
}

metal::float4 weigh_tile(
    uint start_1,
    uint channel0_1,
    uint k0_2,
    uint number_1,
    device type_3 const& w,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    float _e4 = weight(start_1, channel0_1, k0_2, number_1, w, params, _buffer_sizes);
    float _e7 = weight(start_1, channel0_1, k0_2, number_1 + THREADS, w, params, _buffer_sizes);
    float _e13 = weight(start_1, channel0_1, k0_2, number_1 + 256u, w, params, _buffer_sizes);
    float _e19 = weight(start_1, channel0_1, k0_2, number_1 + 384u, w, params, _buffer_sizes);
    return metal::float4(_e4, _e7, _e13, _e19);
}

void keep_weight(
    uint number_2,
    float value_2,
    threadgroup type_5& weights
) {
    if (number_2 < 1024u) {
        uint channel_4 = naga_div(number_2, DEPTH);
        weights.inner[(naga_mod(number_2, DEPTH) * LINE) + naga_div(channel_4, 4u)][naga_mod(channel_4, 4u)] = value_2;
        return;
    } else {
        return;
    }
}

void keep_weights(
    uint number_3,
    metal::float4 values,
    threadgroup type_5& weights
) {
    keep_weight(number_3, values.x, weights);
    keep_weight(number_3 + THREADS, values.y, weights);
    keep_weight(number_3 + 256u, values.z, weights);
    keep_weight(number_3 + 384u, values.w, weights);
    return;
}

Gathered gather_tile(
    Corner corner_1,
    bool live_1,
    uint slot,
    uint step,
    device type_3 const& x_3,
    constant Params& params,
    threadgroup type_7& taps,
    constant _mslBufferSizes& _buffer_sizes
) {
    Corner _e6 = taps.inner[slot];
    float _e7 = gather(corner_1, live_1, _e6, x_3, params, _buffer_sizes);
    Corner _e11 = taps.inner[slot + step];
    float _e12 = gather(corner_1, live_1, _e11, x_3, params, _buffer_sizes);
    Corner _e18 = taps.inner[slot + (2u * step)];
    float _e19 = gather(corner_1, live_1, _e18, x_3, params, _buffer_sizes);
    Corner _e25 = taps.inner[slot + (3u * step)];
    float _e26 = gather(corner_1, live_1, _e25, x_3, params, _buffer_sizes);
    Corner _e33 = taps.inner[slot + (4u * step)];
    float _e34 = gather(corner_1, live_1, _e33, x_3, params, _buffer_sizes);
    Corner _e40 = taps.inner[slot + (5u * step)];
    float _e41 = gather(corner_1, live_1, _e40, x_3, params, _buffer_sizes);
    Corner _e47 = taps.inner[slot + (6u * step)];
    float _e48 = gather(corner_1, live_1, _e47, x_3, params, _buffer_sizes);
    Corner _e54 = taps.inner[slot + (7u * step)];
    float _e55 = gather(corner_1, live_1, _e54, x_3, params, _buffer_sizes);
    return Gathered {metal::float4(_e7, _e12, _e19, _e26), metal::float4(_e34, _e41, _e48, _e55)};
}

void keep_pixel(
    uint number_4,
    float value_3,
    threadgroup type_6& image
) {
    uint pixel_3 = naga_mod(number_4, 64u);
    image.inner[(naga_div(number_4, 64u) * ACROSS) + naga_div(pixel_3, 4u)][naga_mod(pixel_3, 4u)] = value_3;
    return;
}

void put4_(
    uint group_3,
    uint channel_1,
    uint pixel_2,
    metal::float4 sums_1,
    device type_3 const& bias,
    device type_3& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint i_1 = 0u;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e14 = i_1;
            i_1 = _e14 + 1u;
        }
        loop_init = false;
        uint _e6 = i_1;
        if (_e6 < 4u) {
        } else {
            break;
        }
        {
            uint _e9 = i_1;
            uint _e11 = i_1;
            put(group_3, channel_1, pixel_2 + _e9, sums_1[_e11], bias, out, params, _buffer_sizes);
        }
    }
    return;
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(128)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, device type_3 const& x_3 [[buffer(0)]]
, device type_3 const& w [[buffer(1)]]
, device type_3 const& bias [[buffer(2)]]
, device type_3& out [[buffer(3)]]
, constant Params& params [[buffer(4)]]
, threadgroup type_5& weights
, threadgroup type_6& image
, threadgroup type_7& taps
, constant _mslBufferSizes& _buffer_sizes [[buffer(5)]]
) {
    metal::float4 c0_ = metal::float4(0.0);
    metal::float4 c1_ = metal::float4(0.0);
    metal::float4 c2_ = metal::float4(0.0);
    metal::float4 c3_ = metal::float4(0.0);
    metal::float4 c4_ = metal::float4(0.0);
    metal::float4 c5_ = metal::float4(0.0);
    metal::float4 c6_ = metal::float4(0.0);
    metal::float4 c7_ = metal::float4(0.0);
    Gathered gathered = {};
    metal::float4 w_low = {};
    metal::float4 w_high = {};
    uint k0_ = 0u;
    uint k = {};
    type_9 sums = {};
    uint i = 0u;
    uint _e5 = params.channels;
    uint down = naga_div((_e5 + 64u) - 1u, 64u);
    uint _e20 = params.pixels;
    uint across = naga_div((_e20 + 64u) - 1u, 64u);
    uint id = (group.y * groups.x) + group.x;
    uint channel0_2 = (naga_mod(id, down) * 8u) * DOWN;
    uint pixel0_ = (naga_mod(naga_div(id, down), across) * 4u) * ACROSS;
    uint own = naga_div(naga_div(id, down), across);
    uint _e53 = params.groups;
    if (own >= _e53) {
        return;
    }
    uint _e57 = params.first_w;
    uint _e60 = params.channels;
    uint _e64 = params.depth;
    uint start_2 = _e57 + ((own * _e60) * _e64);
    uint pixel_4 = pixel0_ + naga_mod(lane, 64u);
    uint _e75 = params.pixels;
    bool live_2 = pixel_4 < _e75;
    uint _e79 = params.pixels;
    Corner _e83 = corner_of(own, metal::min(pixel_4, _e79 - 1u), params);
    uint first_tap = naga_div(lane, 64u);
    uint thread_down = naga_div(lane, ACROSS);
    uint thread_across = naga_mod(lane, ACROSS);
    if (lane < DEPTH) {
        Corner _e128 = tap_of(lane, params);
        taps.inner[lane] = _e128;
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    Gathered _e132 = gather_tile(_e83, live_2, first_tap, 2u, x_3, params, taps, _buffer_sizes);
    gathered = _e132;
    metal::float4 _e134 = weigh_tile(start_2, channel0_2, 0u, lane, w, params, _buffer_sizes);
    w_low = _e134;
    if (true) {
        metal::float4 _e145 = weigh_tile(start_2, channel0_2, 0u, lane + 512u, w, params, _buffer_sizes);
        w_high = _e145;
    }
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e323 = k0_;
            k0_ = _e323 + DEPTH;
        }
        loop_init_1 = false;
        uint _e148 = k0_;
        uint _e151 = params.depth;
        if (_e148 < _e151) {
        } else {
            break;
        }
        {
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            float _e155 = gathered.low.x;
            keep_pixel(lane, _e155, image);
            float _e160 = gathered.low.y;
            keep_pixel(lane + THREADS, _e160, image);
            float _e168 = gathered.low.z;
            keep_pixel(lane + 256u, _e168, image);
            float _e176 = gathered.low.w;
            keep_pixel(lane + 384u, _e176, image);
            float _e184 = gathered.high.x;
            keep_pixel(lane + 512u, _e184, image);
            float _e192 = gathered.high.y;
            keep_pixel(lane + 640u, _e192, image);
            float _e200 = gathered.high.z;
            keep_pixel(lane + 768u, _e200, image);
            float _e208 = gathered.high.w;
            keep_pixel(lane + 896u, _e208, image);
            metal::float4 _e209 = w_low;
            keep_weights(lane, _e209, weights);
            if (true) {
                metal::float4 _e219 = w_high;
                keep_weights(lane + 512u, _e219, weights);
            }
            uint _e220 = k0_;
            uint next = _e220 + DEPTH;
            uint other = (naga_mod(naga_div(next, DEPTH), 2u) == 1u) ? DEPTH : 0u;
            if (lane < DEPTH) {
                Corner _e238 = tap_of(next + lane, params);
                taps.inner[other + lane] = _e238;
            }
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            uint _e241 = params.depth;
            if (next < _e241) {
                Gathered _e244 = gather_tile(_e83, live_2, other + first_tap, 2u, x_3, params, taps, _buffer_sizes);
                gathered = _e244;
                metal::float4 _e245 = weigh_tile(start_2, channel0_2, next, lane, w, params, _buffer_sizes);
                w_low = _e245;
                if (true) {
                    metal::float4 _e255 = weigh_tile(start_2, channel0_2, next, lane + 512u, w, params, _buffer_sizes);
                    w_high = _e255;
                }
            }
            k = 0u;
            bool loop_init_2 = true;
            while(true) {
                if (!loop_init_2) {
                    uint _e321 = k;
                    k = _e321 + 1u;
                }
                loop_init_2 = false;
                uint _e258 = k;
                if (_e258 < DEPTH) {
                } else {
                    break;
                }
                {
                    uint _e262 = k;
                    metal::float4 a = weights.inner[(_e262 * LINE) + (2u * thread_down)];
                    uint _e271 = k;
                    metal::float4 b = weights.inner[((_e271 * LINE) + (2u * thread_down)) + 1u];
                    uint _e282 = k;
                    metal::float4 v_1 = image.inner[(_e282 * ACROSS) + thread_across];
                    metal::float4 _e290 = c0_;
                    c0_ = metal::fma(metal::float4(a.x), v_1, _e290);
                    metal::float4 _e294 = c1_;
                    c1_ = metal::fma(metal::float4(a.y), v_1, _e294);
                    metal::float4 _e298 = c2_;
                    c2_ = metal::fma(metal::float4(a.z), v_1, _e298);
                    metal::float4 _e302 = c3_;
                    c3_ = metal::fma(metal::float4(a.w), v_1, _e302);
                    metal::float4 _e306 = c4_;
                    c4_ = metal::fma(metal::float4(b.x), v_1, _e306);
                    metal::float4 _e310 = c5_;
                    c5_ = metal::fma(metal::float4(b.y), v_1, _e310);
                    metal::float4 _e314 = c6_;
                    c6_ = metal::fma(metal::float4(b.z), v_1, _e314);
                    metal::float4 _e318 = c7_;
                    c7_ = metal::fma(metal::float4(b.w), v_1, _e318);
                }
            }
        }
    }
    uint channel_5 = channel0_2 + (8u * thread_down);
    uint to = pixel0_ + (4u * thread_across);
    metal::float4 _e332 = c0_;
    metal::float4 _e333 = c1_;
    metal::float4 _e334 = c2_;
    metal::float4 _e335 = c3_;
    metal::float4 _e336 = c4_;
    metal::float4 _e337 = c5_;
    metal::float4 _e338 = c6_;
    metal::float4 _e339 = c7_;
    sums = type_9 {{_e332, _e333, _e334, _e335, _e336, _e337, _e338, _e339}};
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e353 = i;
            i = _e353 + 1u;
        }
        loop_init_3 = false;
        uint _e344 = i;
        if (_e344 < 8u) {
        } else {
            break;
        }
        {
            uint _e347 = i;
            uint _e349 = i;
            metal::float4 _e351 = sums.inner[_e349];
            put4_(own, channel_5 + _e347, to, _e351, bias, out, params, _buffer_sizes);
        }
    }
    return;
}
