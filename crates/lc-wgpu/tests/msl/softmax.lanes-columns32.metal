// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size0;
    uint size1;
};

struct Params {
    uint outer;
    uint extent;
    uint inner;
    uint first_x;
    uint first_out;
};
typedef float type_2[1];
struct type_3 {
    float inner[256];
};
constant uint GROUP = 256u;
constant uint COLUMNS = 32u;
uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}


struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, device type_2 const& x [[buffer(0)]]
, device type_2& out [[buffer(1)]]
, constant Params& params [[buffer(2)]]
, threadgroup type_3& tops
, threadgroup type_3& sums
, constant _mslBufferSizes& _buffer_sizes [[buffer(3)]]
) {
    float top = -340282350000000000000000000000000000000.0;
    float sum = 0.0;
    uint j = {};
    uint half_ = 128u;
    uint j_1 = {};
    uint part = naga_div(lane, COLUMNS);
    uint column = (((group.y * groups.x) + group.x) * COLUMNS) + naga_mod(lane, COLUMNS);
    uint _e23 = params.extent;
    uint _e26 = params.outer;
    uint _e29 = params.inner;
    uint extent = (column < (_e26 * _e29)) ? _e23 : 0u;
    uint _e35 = params.inner;
    uint _e39 = params.extent;
    uint _e43 = params.inner;
    uint _e47 = params.inner;
    uint start = ((naga_div(column, _e35) * _e39) * _e43) + naga_mod(column, _e47);
    j = part;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e80 = j;
            j = _e80 + 8u;
        }
        loop_init = false;
        uint _e55 = j;
        if (_e55 < extent) {
        } else {
            break;
        }
        {
            uint _e60 = params.first_x;
            uint _e62 = j;
            uint _e65 = params.inner;
            float value = x[(_e60 + start) + (_e62 * _e65)];
            float _e70 = top;
            float higher = metal::max(_e70, value);
            float _e72 = sum;
            float _e73 = top;
            sum = (_e72 * metal::exp(_e73 - higher)) + metal::exp(value - higher);
            top = higher;
        }
    }
    float _e84 = top;
    tops.inner[lane] = _e84;
    float _e87 = sum;
    sums.inner[lane] = _e87;
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e131 = half_;
            half_ = naga_div(_e131, 2u);
        }
        loop_init_1 = false;
        uint _e90 = half_;
        if (_e90 >= COLUMNS) {
        } else {
            break;
        }
        {
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            uint _e93 = half_;
            if (lane < _e93) {
                float _e97 = tops.inner[lane];
                uint _e99 = half_;
                float _e102 = tops.inner[lane + _e99];
                float higher_1 = metal::max(_e97, _e102);
                float _e108 = sums.inner[lane];
                float _e111 = tops.inner[lane];
                uint _e116 = half_;
                float _e119 = sums.inner[lane + _e116];
                uint _e121 = half_;
                float _e124 = tops.inner[lane + _e121];
                sums.inner[lane] = (_e108 * metal::exp(_e111 - higher_1)) + (_e119 * metal::exp(_e124 - higher_1));
                tops.inner[lane] = higher_1;
            }
        }
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    float _e138 = tops.inner[naga_mod(lane, COLUMNS)];
    top = _e138;
    float _e143 = sums.inner[naga_mod(lane, COLUMNS)];
    float factor = 1.0 / _e143;
    j_1 = part;
    bool loop_init_2 = true;
    while(true) {
        if (!loop_init_2) {
            uint _e172 = j_1;
            j_1 = _e172 + 8u;
        }
        loop_init_2 = false;
        uint _e147 = j_1;
        if (_e147 < extent) {
        } else {
            break;
        }
        {
            uint _e149 = j_1;
            uint _e152 = params.inner;
            uint at = start + (_e149 * _e152);
            uint _e158 = params.first_out;
            uint _e164 = params.first_x;
            float _e167 = x[_e164 + at];
            float _e168 = top;
            out[_e158 + at] = metal::exp(_e167 - _e168) * factor;
        }
    }
    return;
}
