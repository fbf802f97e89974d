// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size1;
    uint size2;
    uint size3;
    uint size4;
    uint size5;
    uint size6;
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
typedef metal::float4 type_5[1];
typedef float type_6[1];
struct type_7 {
    metal::float4 inner[256];
};
constant uint HAS_BIAS = 256u;
constant uint HAS_RESIDUAL = 512u;
constant uint THREADS = 256u;
constant uint STEP = 32u;
constant uint M = 4u;

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
    float sum,
    Origin origin,
    uint i_1,
    uint j,
    constant Params& p,
    device type_1 const& bias,
    device type_1 const& residual,
    constant _mslBufferSizes& _buffer_sizes
) {
    float x_3 = {};
    x_3 = sum;
    uint _e7 = p.flags;
    if ((_e7 & HAS_BIAS) != 0u) {
        float _e12 = x_3;
        uint _e16 = p.first_bias;
        uint _e19 = p.bias_m;
        uint _e24 = p.bias_n;
        Element _e28 = bias[(_e16 + (i_1 * _e19)) + (j * _e24)];
        x_3 = _e12 + static_cast<float>(_e28);
    }
    uint _e33 = p.flags;
    if ((_e33 & HAS_RESIDUAL) != 0u) {
        float _e38 = x_3;
        uint _e43 = p.residual_m;
        uint _e48 = p.residual_n;
        Element _e52 = residual[(origin.residual + (i_1 * _e43)) + (j * _e48)];
        x_3 = _e38 + static_cast<float>(_e52);
    }
    uint _e57 = p.flags;
    float _e60 = x_3;
    float _e61 = activate(_e57 & 255u, _e60);
    return _e61;
}

metal::float4 four_b(
    uint at,
    uint step,
    uint left,
    device type_5 const& b,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 _e7 = b[at >> 2u];
    return static_cast<metal::float4>(_e7);
}

metal::float4 gather(
    uint lane_1,
    metal::float4 own_1,
    threadgroup type_7& sums
) {
    uint half_ = 128u;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    sums.inner[lane_1] = own_1;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e20 = half_;
            half_ = naga_div(_e20, 2u);
        }
        loop_init = false;
        uint _e6 = half_;
        if (_e6 >= STEP) {
        } else {
            break;
        }
        {
            uint _e9 = half_;
            if (lane_1 < _e9) {
                metal::float4 _e13 = sums.inner[lane_1];
                uint _e15 = half_;
                metal::float4 _e18 = sums.inner[lane_1 + _e15];
                sums.inner[lane_1] = _e13 + _e18;
            }
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        }
    }
    metal::float4 _e25 = sums.inner[lane_1];
    return _e25;
}

void put(
    Origin origin_1,
    uint z_1,
    uint i_2,
    uint j_1,
    metal::float4 x_4,
    constant Params& p,
    device type_1 const& bias,
    device type_1 const& residual,
    device type_1& out,
    device type_6& partial,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint c = 0u;
    uint _e8 = p.n;
    uint _e11 = p.n;
    uint count = metal::min(4u, _e8 - metal::min(j_1, _e11));
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e62 = c;
            c = _e62 + 1u;
        }
        loop_init_1 = false;
        uint _e17 = c;
        if (_e17 < count) {
        } else {
            break;
        }
        {
            uint _e21 = p.splits;
            if (_e21 > 1u) {
                uint _e27 = p.m;
                uint _e32 = p.n;
                uint _e35 = c;
                uint _e38 = c;
                partial[((((z_1 * _e27) + i_2) * _e32) + j_1) + _e35] = x_4[_e38];
            } else {
                uint _e40 = c;
                uint _e42 = c;
                float _e44 = finish(x_4[_e40], origin_1, i_2, j_1 + _e42, p, bias, residual, _buffer_sizes);
                uint _e49 = p.out_m;
                uint _e52 = c;
                uint _e56 = p.out_n;
                out[(origin_1.out + (i_2 * _e49)) + ((j_1 + _e52) * _e56)] = static_cast<float>(_e44);
            }
        }
    }
    return;
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, constant Params& p [[buffer(6)]]
, device type_1 const& bias [[buffer(0)]]
, device type_1 const& residual [[buffer(1)]]
, device type_5 const& b [[buffer(3)]]
, device type_1 const& a [[buffer(2)]]
, device type_1& out [[buffer(4)]]
, device type_6& partial [[buffer(5)]]
, threadgroup type_7& sums
, constant _mslBufferSizes& _buffer_sizes [[buffer(7)]]
) {
    metal::float4 sum0_ = metal::float4 {};
    metal::float4 sum1_ = metal::float4 {};
    metal::float4 sum2_ = metal::float4 {};
    metal::float4 sum3_ = metal::float4 {};
    uint k = {};
    uint i = 0u;
    metal::float4 own = {};
    uint first = (((group.y * groups.x) + group.x) * STEP) * 4u;
    uint _e14 = p.n;
    if (first >= _e14) {
        return;
    }
    uint j_2 = first + (naga_mod(lane, STEP) * 4u);
    uint _e24 = p.splits;
    Origin _e26 = origin_of(naga_div(group.z, _e24), p);
    uint _e30 = p.splits;
    uint _e34 = p.chunk;
    uint k_first = naga_mod(group.z, _e30) * _e34;
    uint _e38 = p.chunk;
    uint _e42 = p.k;
    uint k_end = metal::min(k_first + _e38, _e42);
    uint _e54 = p.n;
    if (j_2 < _e54) {
        k = k_first + naga_div(lane, STEP);
        bool loop_init_2 = true;
        while(true) {
            if (!loop_init_2) {
                uint _e145 = k;
                k = _e145 + 8u;
            }
            loop_init_2 = false;
            uint _e60 = k;
            if (_e60 < k_end) {
            } else {
                break;
            }
            {
                uint _e63 = k;
                uint _e66 = p.b_k;
                uint _e71 = p.b_n;
                uint _e76 = p.b_n;
                uint _e79 = p.n;
                metal::float4 _e81 = four_b((_e26.b + (_e63 * _e66)) + (j_2 * _e71), _e76, _e79 - j_2, b, _buffer_sizes);
                uint _e83 = k;
                uint _e86 = p.a_k;
                uint row = _e26.a + (_e83 * _e86);
                metal::float4 _e89 = sum0_;
                Element _e92 = a[row];
                sum0_ = _e89 + (static_cast<float>(_e92) * _e81);
                if (true) {
                    metal::float4 _e100 = sum1_;
                    uint _e104 = p.a_m;
                    Element _e107 = a[row + _e104];
                    sum1_ = _e100 + (static_cast<float>(_e107) * _e81);
                }
                if (true) {
                    metal::float4 _e115 = sum2_;
                    uint _e120 = p.a_m;
                    Element _e124 = a[row + (2u * _e120)];
                    sum2_ = _e115 + (static_cast<float>(_e124) * _e81);
                }
                if (true) {
                    metal::float4 _e132 = sum3_;
                    uint _e137 = p.a_m;
                    Element _e141 = a[row + (3u * _e137)];
                    sum3_ = _e132 + (static_cast<float>(_e141) * _e81);
                }
            }
        }
    }
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e166 = i;
            i = _e166 + 1u;
        }
        loop_init_3 = false;
        uint _e150 = i;
        if (_e150 < M) {
        } else {
            break;
        }
        {
            metal::float4 _e153 = sum0_;
            own = _e153;
            uint _e155 = i;
            switch(_e155) {
                case 0u: {
                    break;
                }
                case 1u: {
                    metal::float4 _e156 = sum1_;
                    own = _e156;
                    break;
                }
                case 2u: {
                    metal::float4 _e157 = sum2_;
                    own = _e157;
                    break;
                }
                default: {
                    metal::float4 _e158 = sum3_;
                    own = _e158;
                    break;
                }
            }
            metal::float4 _e159 = own;
            metal::float4 _e160 = gather(lane, _e159, sums);
            if (lane < STEP) {
                uint _e164 = i;
                put(_e26, group.z, _e164, j_2, _e160, p, bias, residual, out, partial, _buffer_sizes);
            }
        }
    }
    return;
}
