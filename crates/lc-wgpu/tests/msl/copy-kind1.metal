// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size0;
    uint size1;
};

typedef float Element;
struct type_3 {
    uint inner[8];
};
struct Params {
    uint count;
    uint numel;
    uint first_x;
    uint first_out;
    type_3 dims;
    type_3 strides;
};
typedef Element type_4[1];
constant uint RANK = 8u;
constant uint KIND = 1u;

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
uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
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
    uint rest = {};
    uint at = {};
    uint step = 0u;
    uint i = (((group.y * groups.x) + group.x) * 256u) + lane;
    uint _e13 = params.count;
    if (i >= _e13) {
        return;
    }
    uint _e17 = params.numel;
    rest = naga_mod(i, _e17);
    uint _e22 = params.first_x;
    at = _e22;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e48 = step;
            step = _e48 + 1u;
        }
        loop_init = false;
        uint _e26 = step;
        if (_e26 < RANK) {
        } else {
            break;
        }
        {
            uint _e30 = step;
            uint d = 7u - _e30;
            uint extent = params.dims.inner[d];
            uint _e36 = at;
            uint _e37 = rest;
            uint _e42 = params.strides.inner[d];
            at = _e36 + (naga_mod(_e37, extent) * _e42);
            uint _e45 = rest;
            rest = naga_div(_e45, extent);
        }
    }
    uint _e53 = params.first_out;
    uint _e58 = at;
    Element _e60 = x_3[_e58];
    float _e62 = activate(KIND, static_cast<float>(_e60));
    out[_e53 + i] = static_cast<float>(_e62);
    return;
}
