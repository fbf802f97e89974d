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
    uint next = {};
    uint half_ = 128u;
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
    next = part;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e119 = next;
            next = _e119 + 32u;
        }
        loop_init = false;
        uint _e55 = next;
        if ((_e55 + 24u) < extent) {
        } else {
            break;
        }
        {
            uint _e62 = params.first_x;
            uint _e64 = next;
            uint _e67 = params.inner;
            uint at = (_e62 + start) + (_e64 * _e67);
            uint _e72 = params.inner;
            uint step = 8u * _e72;
            float _e76 = x[at];
            float _e80 = x[at + step];
            float _e86 = x[at + (2u * step)];
            float _e92 = x[at + (3u * step)];
            metal::float4 values = metal::float4(_e76, _e80, _e86, _e92);
            float _e101 = top;
            float higher = metal::max(metal::max(metal::max(values.x, values.y), metal::max(values.z, values.w)), _e101);
            metal::float4 p = metal::exp(values - metal::float4(higher));
            float _e106 = sum;
            float _e107 = top;
            sum = (_e106 * metal::exp(_e107 - higher)) + ((p.x + p.y) + (p.z + p.w));
            top = higher;
        }
    }
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e148 = next;
            next = _e148 + 8u;
        }
        loop_init_1 = false;
        uint _e123 = next;
        if (_e123 < extent) {
        } else {
            break;
        }
        {
            uint _e128 = params.first_x;
            uint _e130 = next;
            uint _e133 = params.inner;
            float value = x[(_e128 + start) + (_e130 * _e133)];
            float _e138 = top;
            float higher_1 = metal::max(_e138, value);
            float _e140 = sum;
            float _e141 = top;
            sum = (_e140 * metal::exp(_e141 - higher_1)) + metal::exp(value - higher_1);
            top = higher_1;
        }
    }
    float _e152 = top;
    tops.inner[lane] = _e152;
    float _e155 = sum;
    sums.inner[lane] = _e155;
    bool loop_init_2 = true;
    while(true) {
        if (!loop_init_2) {
            uint _e199 = half_;
            half_ = naga_div(_e199, 2u);
        }
        loop_init_2 = false;
        uint _e158 = half_;
        if (_e158 >= COLUMNS) {
        } else {
            break;
        }
        {
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            uint _e161 = half_;
            if (lane < _e161) {
                float _e165 = tops.inner[lane];
                uint _e167 = half_;
                float _e170 = tops.inner[lane + _e167];
                float higher_2 = metal::max(_e165, _e170);
                float _e176 = sums.inner[lane];
                float _e179 = tops.inner[lane];
                uint _e184 = half_;
                float _e187 = sums.inner[lane + _e184];
                uint _e189 = half_;
                float _e192 = tops.inner[lane + _e189];
                sums.inner[lane] = (_e176 * metal::exp(_e179 - higher_2)) + (_e187 * metal::exp(_e192 - higher_2));
                tops.inner[lane] = higher_2;
            }
        }
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    float _e206 = tops.inner[naga_mod(lane, COLUMNS)];
    top = _e206;
    float _e211 = sums.inner[naga_mod(lane, COLUMNS)];
    float factor = 1.0 / _e211;
    next = part;
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e281 = next;
            next = _e281 + 32u;
        }
        loop_init_3 = false;
        uint _e214 = next;
        if ((_e214 + 24u) < extent) {
        } else {
            break;
        }
        {
            uint _e219 = next;
            uint _e222 = params.inner;
            uint at_1 = start + (_e219 * _e222);
            uint _e227 = params.inner;
            uint step_1 = 8u * _e227;
            uint _e231 = params.first_x;
            uint source = _e231 + at_1;
            float _e235 = x[source];
            float _e239 = x[source + step_1];
            float _e245 = x[source + (2u * step_1)];
            float _e251 = x[source + (3u * step_1)];
            metal::float4 values_1 = metal::float4(_e235, _e239, _e245, _e251);
            float _e253 = top;
            metal::float4 p_1 = metal::exp(values_1 - metal::float4(_e253)) * factor;
            uint _e260 = params.first_out;
            uint to = _e260 + at_1;
            out[to] = p_1.x;
            out[to + step_1] = p_1.y;
            out[to + (2u * step_1)] = p_1.z;
            out[to + (3u * step_1)] = p_1.w;
        }
    }
    bool loop_init_4 = true;
    while(true) {
        if (!loop_init_4) {
            uint _e310 = next;
            next = _e310 + 8u;
        }
        loop_init_4 = false;
        uint _e285 = next;
        if (_e285 < extent) {
        } else {
            break;
        }
        {
            uint _e287 = next;
            uint _e290 = params.inner;
            uint at_2 = start + (_e287 * _e290);
            uint _e296 = params.first_out;
            uint _e302 = params.first_x;
            float _e305 = x[_e302 + at_2];
            float _e306 = top;
            out[_e296 + at_2] = metal::exp(_e305 - _e306) * factor;
        }
    }
    return;
}
