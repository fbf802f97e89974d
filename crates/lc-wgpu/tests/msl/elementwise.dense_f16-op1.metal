// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size0;
    uint size1;
    uint size2;
};

struct Params {
    uint count;
    uint first_a;
    uint first_b;
    uint first_out;
    uint period_a;
    uint period_b;
};
typedef metal::half4 type_2[1];
constant uint OP = 1u;

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

metal::float4 left(
    uint i,
    device type_2 const& a,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e3 = params.period_a;
    if (_e3 == 0u) {
        uint _e9 = params.first_a;
        uint _e15 = params.first_a;
        half _e19 = a[naga_div(_e9, 4u)][naga_mod(_e15, 4u)];
        return metal::float4(static_cast<float>(_e19));
    }
    uint _e24 = params.period_a;
    if (i < _e24) {
        uint _e29 = params.first_a;
        metal::half4 _e32 = a[_e29 + i];
        return static_cast<metal::float4>(_e32);
    }
    uint _e37 = params.first_a;
    uint _e40 = params.period_a;
    metal::half4 _e44 = a[_e37 + naga_mod(i, _e40)];
    return static_cast<metal::float4>(_e44);
}

metal::float4 right(
    uint i_1,
    device type_2 const& b,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e3 = params.period_b;
    if (_e3 == 0u) {
        uint _e9 = params.first_b;
        uint _e15 = params.first_b;
        half _e19 = b[naga_div(_e9, 4u)][naga_mod(_e15, 4u)];
        return metal::float4(static_cast<float>(_e19));
    }
    uint _e24 = params.period_b;
    if (i_1 < _e24) {
        uint _e29 = params.first_b;
        metal::half4 _e32 = b[_e29 + i_1];
        return static_cast<metal::float4>(_e32);
    }
    uint _e37 = params.first_b;
    uint _e40 = params.period_b;
    metal::half4 _e44 = b[_e37 + naga_mod(i_1, _e40)];
    return static_cast<metal::float4>(_e44);
}

metal::float4 apply(
    metal::float4 x,
    metal::float4 y
) {
    switch(OP) {
        case 0u: {
            return x + y;
        }
        case 1u: {
            return x - y;
        }
        case 2u: {
            return x * y;
        }
        default: {
            return x / y;
        }
    }
}

void put(
    uint i_2,
    metal::float4 value,
    device type_2& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::half4 y_1 = static_cast<metal::half4>(value);
    uint _e5 = params.first_out;
    uint at = _e5 + i_2;
    uint _e9 = params.count;
    uint whole = naga_div(_e9, 4u);
    if (i_2 < whole) {
        out[at] = y_1;
        return;
    } else {
        if (i_2 == whole) {
            uint _e18 = params.count;
            uint rest = naga_mod(_e18, 4u);
            if (rest > 0u) {
                out[at].x = y_1.x;
            }
            if (rest > 1u) {
                out[at].y = y_1.y;
            }
            if (rest > 2u) {
                out[at].z = y_1.z;
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
, device type_2 const& a [[buffer(0)]]
, device type_2 const& b [[buffer(1)]]
, device type_2& out [[buffer(2)]]
, constant Params& params [[buffer(3)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(4)]]
) {
    uint i_3 = (((group.y * groups.x) + group.x) * 1024u) + lane;
    uint _e13 = params.count;
    uint last = naga_div(_e13 - 1u, 4u);
    metal::float4 _e19 = left(metal::min(i_3, last), a, params, _buffer_sizes);
    metal::float4 _e23 = left(metal::min(i_3 + 256u, last), a, params, _buffer_sizes);
    metal::float4 _e27 = left(metal::min(i_3 + 512u, last), a, params, _buffer_sizes);
    metal::float4 _e31 = left(metal::min(i_3 + 768u, last), a, params, _buffer_sizes);
    metal::float4 _e33 = right(metal::min(i_3, last), b, params, _buffer_sizes);
    metal::float4 _e37 = right(metal::min(i_3 + 256u, last), b, params, _buffer_sizes);
    metal::float4 _e41 = right(metal::min(i_3 + 512u, last), b, params, _buffer_sizes);
    metal::float4 _e45 = right(metal::min(i_3 + 768u, last), b, params, _buffer_sizes);
    metal::float4 _e46 = apply(_e19, _e33);
    put(i_3, _e46, out, params, _buffer_sizes);
    metal::float4 _e49 = apply(_e23, _e37);
    put(i_3 + 256u, _e49, out, params, _buffer_sizes);
    metal::float4 _e52 = apply(_e27, _e41);
    put(i_3 + 512u, _e52, out, params, _buffer_sizes);
    metal::float4 _e55 = apply(_e31, _e45);
    put(i_3 + 768u, _e55, out, params, _buffer_sizes);
    return;
}
