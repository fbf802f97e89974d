// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size0;
    uint size1;
    uint size2;
};

typedef half Element;
struct type_1 {
    uint inner[8];
};
struct Params {
    uint count;
    uint first_a;
    uint first_b;
    uint first_out;
    type_1 dims;
    type_1 strides_a;
    type_1 strides_b;
};
typedef Element type_2[1];
constant uint RANK = 8u;
constant uint OP = 2u;
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
, device type_2 const& a [[buffer(0)]]
, device type_2 const& b [[buffer(1)]]
, device type_2& out [[buffer(2)]]
, constant Params& params [[buffer(3)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(4)]]
) {
    uint rest = {};
    uint at_a = {};
    uint at_b = {};
    uint step = 0u;
    float result = {};
    uint i = (((group.y * groups.x) + group.x) * 256u) + lane;
    uint _e13 = params.count;
    if (i >= _e13) {
        return;
    }
    rest = i;
    uint _e18 = params.first_a;
    at_a = _e18;
    uint _e22 = params.first_b;
    at_b = _e22;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e55 = step;
            step = _e55 + 1u;
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
            uint _e36 = rest;
            uint index = naga_mod(_e36, extent);
            uint _e38 = rest;
            rest = naga_div(_e38, extent);
            uint _e40 = at_a;
            uint _e44 = params.strides_a.inner[d];
            at_a = _e40 + (index * _e44);
            uint _e47 = at_b;
            uint _e51 = params.strides_b.inner[d];
            at_b = _e47 + (index * _e51);
        }
    }
    uint _e58 = at_a;
    Element _e60 = a[_e58];
    float x = static_cast<float>(_e60);
    uint _e63 = at_b;
    Element _e65 = b[_e63];
    float y = static_cast<float>(_e65);
    switch(OP) {
        case 0u: {
            result = x + y;
            break;
        }
        case 1u: {
            result = x - y;
            break;
        }
        case 2u: {
            result = x * y;
            break;
        }
        default: {
            result = x / y;
            break;
        }
    }
    uint _e76 = params.first_out;
    float _e79 = result;
    out[_e76 + i] = static_cast<half>(_e79);
    return;
}
