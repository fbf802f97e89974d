// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size1;
    uint size2;
    uint size3;
    uint size4;
};

typedef float Element;
struct Params {
    uint m;
    uint n;
    uint k;
    uint chunk;
    uint splits;
    uint batch_inner;
    uint batch_first;
    uint flags;
    uint first_a;
    uint a_m;
    uint a_k;
    uint a_outer;
    uint a_inner;
    uint first_b;
    uint b_k;
    uint b_n;
    uint b_outer;
    uint b_inner;
    uint first_out;
    uint out_m;
    uint out_n;
    uint first_bias;
    uint bias_m;
    uint bias_n;
    uint first_residual;
    uint residual_m;
    uint residual_n;
    uint residual_outer;
    uint residual_inner;
};
typedef Element type_1[1];
struct Origin {
    uint a;
    uint b;
    uint out;
    uint residual;
};
typedef float type_4[1];
constant uint HAS_BIAS = 256u;
constant uint HAS_RESIDUAL = 512u;

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

Origin origin_of(
    uint index,
    constant Params& p
) {
    uint _e3 = p.batch_first;
    uint batch = _e3 + index;
    uint _e7 = p.batch_inner;
    uint outer = naga_div(batch, _e7);
    uint _e11 = p.batch_inner;
    uint inner = naga_mod(batch, _e11);
    uint _e15 = p.first_a;
    uint _e18 = p.a_outer;
    uint _e23 = p.a_inner;
    uint _e28 = p.first_b;
    uint _e31 = p.b_outer;
    uint _e36 = p.b_inner;
    uint _e41 = p.first_out;
    uint _e44 = p.m;
    uint _e48 = p.n;
    uint _e53 = p.first_residual;
    uint _e56 = p.residual_outer;
    uint _e61 = p.residual_inner;
    return Origin {(_e15 + (outer * _e18)) + (inner * _e23), (_e28 + (outer * _e31)) + (inner * _e36), _e41 + ((batch * _e44) * _e48), (_e53 + (outer * _e56)) + (inner * _e61)};
}

float relu(
    float x
) {
    bool local = {};
    uint bits = as_type<uint>(x);
    if ((bits & 2147483648u) != 0u) {
        local = (bits & 2147483647u) <= 2139095040u;
    } else {
        local = false;
    }
    bool negative = local;
    return negative ? 0.0 : x;
}

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
    float x_1,
    float v
) {
    return x_1 / (1.0 + metal::exp(metal::min(-(v), 80.0)));
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

float finish(
    float sum_1,
    Origin origin,
    uint i,
    uint j,
    constant Params& p,
    device type_1 const& bias,
    device type_1 const& residual,
    constant _mslBufferSizes& _buffer_sizes
) {
    float x_3 = {};
    x_3 = sum_1;
    uint _e7 = p.flags;
    if ((_e7 & HAS_BIAS) != 0u) {
        float _e12 = x_3;
        uint _e16 = p.first_bias;
        uint _e19 = p.bias_m;
        uint _e24 = p.bias_n;
        Element _e28 = bias[(_e16 + (i * _e19)) + (j * _e24)];
        x_3 = _e12 + static_cast<float>(_e28);
    }
    uint _e33 = p.flags;
    if ((_e33 & HAS_RESIDUAL) != 0u) {
        float _e38 = x_3;
        uint _e43 = p.residual_m;
        uint _e48 = p.residual_n;
        Element _e52 = residual[(origin.residual + (i * _e43)) + (j * _e48)];
        x_3 = _e38 + static_cast<float>(_e52);
    }
    uint _e57 = p.flags;
    float _e60 = x_3;
    float _e61 = activate(_e57 & 255u, _e60);
    return _e61;
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, constant Params& p [[buffer(4)]]
, device type_1 const& bias [[buffer(0)]]
, device type_1 const& residual [[buffer(1)]]
, device type_1& out [[buffer(2)]]
, device type_4 const& partial [[buffer(3)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(5)]]
) {
    float sum = {};
    uint split = 1u;
    uint index_1 = (((group.y * groups.x) + group.x) * 256u) + lane;
    uint _e13 = p.m;
    uint _e16 = p.n;
    uint size = _e13 * _e16;
    if (index_1 >= size) {
        return;
    }
    Origin _e20 = origin_of(group.z, p);
    uint _e24 = p.splits;
    uint first = ((group.z * _e24) * size) + index_1;
    float _e30 = partial[first];
    sum = _e30;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e48 = split;
            split = _e48 + 1u;
        }
        loop_init = false;
        uint _e34 = split;
        uint _e37 = p.splits;
        if (_e34 < _e37) {
        } else {
            break;
        }
        {
            float _e39 = sum;
            uint _e41 = split;
            float _e45 = partial[first + (_e41 * size)];
            sum = _e39 + _e45;
        }
    }
    uint _e52 = p.n;
    uint i_1 = naga_div(index_1, _e52);
    uint _e56 = p.n;
    uint j_1 = naga_mod(index_1, _e56);
    uint _e62 = p.out_m;
    uint _e67 = p.out_n;
    float _e71 = sum;
    float _e72 = finish(_e71, _e20, i_1, j_1, p, bias, residual, _buffer_sizes);
    out[(_e20.out + (i_1 * _e62)) + (j_1 * _e67)] = static_cast<float>(_e72);
    return;
}
