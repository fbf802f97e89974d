// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size0;
    uint size1;
};

struct Params {
    uint count;
    uint first_x;
    uint first_out;
};
typedef metal::half4 type_4[1];
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

metal::float4 apply(
    metal::float4 v_1
) {
    float _e3 = activate(KIND, v_1.x);
    float _e6 = activate(KIND, v_1.y);
    float _e9 = activate(KIND, v_1.z);
    float _e12 = activate(KIND, v_1.w);
    return metal::float4(_e3, _e6, _e9, _e12);
}

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

void put(
    uint i,
    metal::float4 value,
    device type_4& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::half4 y = static_cast<metal::half4>(value);
    uint _e5 = params.first_out;
    uint at = _e5 + i;
    uint _e9 = params.count;
    uint whole = naga_div(_e9, 4u);
    if (i < whole) {
        out[at] = y;
        return;
    } else {
        if (i == whole) {
            uint _e18 = params.count;
            uint rest = naga_mod(_e18, 4u);
            if (rest > 0u) {
                out[at].x = y.x;
            }
            if (rest > 1u) {
                out[at].y = y.y;
            }
            if (rest > 2u) {
                out[at].z = y.z;
                return;
            } else {
                return;
            }
        } else {
            return;
        }
    }
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, device type_4 const& x_3 [[buffer(0)]]
, device type_4& out [[buffer(1)]]
, constant Params& params [[buffer(2)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(3)]]
) {
    uint i_1 = (((group.y * groups.x) + group.x) * 1024u) + lane;
    uint _e13 = params.count;
    uint last = naga_div(_e13 - 1u, 4u);
    uint _e21 = params.first_x;
    metal::half4 _e25 = x_3[_e21 + metal::min(i_1, last)];
    metal::float4 x0_ = static_cast<metal::float4>(_e25);
    uint _e30 = params.first_x;
    metal::half4 _e36 = x_3[_e30 + metal::min(i_1 + 256u, last)];
    metal::float4 x1_ = static_cast<metal::float4>(_e36);
    uint _e41 = params.first_x;
    metal::half4 _e47 = x_3[_e41 + metal::min(i_1 + 512u, last)];
    metal::float4 x2_ = static_cast<metal::float4>(_e47);
    uint _e52 = params.first_x;
    metal::half4 _e58 = x_3[_e52 + metal::min(i_1 + 768u, last)];
    metal::float4 x3_ = static_cast<metal::float4>(_e58);
    metal::float4 _e60 = apply(x0_);
    put(i_1, _e60, out, params, _buffer_sizes);
    metal::float4 _e63 = apply(x1_);
    put(i_1 + 256u, _e63, out, params, _buffer_sizes);
    metal::float4 _e66 = apply(x2_);
    put(i_1 + 512u, _e66, out, params, _buffer_sizes);
    metal::float4 _e69 = apply(x3_);
    put(i_1 + 768u, _e69, out, params, _buffer_sizes);
    return;
}
