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
struct type_2 {
    uint inner[7];
};
struct Params {
    uint rows;
    uint d;
    uint first_x;
    uint x_step;
    uint first_weight;
    uint weight_step;
    uint first_bias;
    uint bias_step;
    uint flags;
    float eps;
    type_2 dims;
    type_2 steps;
};
typedef Element type_3[1];
struct type_4 {
    float inner[256];
};
constant uint RANK = 7u;
constant uint THREADS = 256u;

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

float total(
    uint lane_1,
    float own,
    threadgroup type_4& sums
) {
    uint half_ = 128u;
    sums.inner[lane_1] = own;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e20 = half_;
            half_ = naga_div(_e20, 2u);
        }
        loop_init = false;
        uint _e6 = half_;
        if (_e6 > 0u) {
        } else {
            break;
        }
        {
            uint _e9 = half_;
            if (lane_1 < _e9) {
                float _e13 = sums.inner[lane_1];
                uint _e15 = half_;
                float _e18 = sums.inner[lane_1 + _e15];
                sums.inner[lane_1] = _e13 + _e18;
            }
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        }
    }
    float all = sums.inner[0];
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    return all;
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
, device type_3 const& x [[buffer(0)]]
, device type_3 const& weight [[buffer(1)]]
, device type_3 const& bias [[buffer(2)]]
, device type_3& out [[buffer(3)]]
, constant Params& p [[buffer(4)]]
, threadgroup type_4& sums
, constant _mslBufferSizes& _buffer_sizes [[buffer(5)]]
) {
    uint rest = {};
    uint first = {};
    uint step = 0u;
    float sum = 0.0;
    uint j = {};
    float squares = 0.0;
    uint j_1 = {};
    uint j_2 = {};
    float y = {};
    uint row = (group.y * groups.x) + group.x;
    uint _e10 = p.rows;
    if (row >= _e10) {
        return;
    }
    rest = row;
    uint _e15 = p.first_x;
    first = _e15;
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e45 = step;
            step = _e45 + 1u;
        }
        loop_init_1 = false;
        uint _e19 = step;
        if (_e19 < RANK) {
        } else {
            break;
        }
        {
            uint _e23 = step;
            uint d = 6u - _e23;
            uint _e25 = first;
            uint _e26 = rest;
            uint _e30 = p.dims.inner[d];
            uint _e35 = p.steps.inner[d];
            first = _e25 + (naga_mod(_e26, _e30) * _e35);
            uint _e38 = rest;
            uint _e42 = p.dims.inner[d];
            rest = naga_div(_e38, _e42);
        }
    }
    j = lane;
    bool loop_init_2 = true;
    while(true) {
        if (!loop_init_2) {
            uint _e68 = j;
            j = _e68 + THREADS;
        }
        loop_init_2 = false;
        uint _e50 = j;
        uint _e53 = p.d;
        if (_e50 < _e53) {
        } else {
            break;
        }
        {
            float _e55 = sum;
            uint _e57 = first;
            uint _e58 = j;
            uint _e61 = p.x_step;
            Element _e65 = x[_e57 + (_e58 * _e61)];
            sum = _e55 + static_cast<float>(_e65);
        }
    }
    float _e71 = sum;
    float _e72 = total(lane, _e71, sums);
    uint _e75 = p.d;
    float mean = _e72 / static_cast<float>(_e75);
    j_1 = lane;
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e101 = j_1;
            j_1 = _e101 + THREADS;
        }
        loop_init_3 = false;
        uint _e81 = j_1;
        uint _e84 = p.d;
        if (_e81 < _e84) {
        } else {
            break;
        }
        {
            uint _e87 = first;
            uint _e88 = j_1;
            uint _e91 = p.x_step;
            Element _e95 = x[_e87 + (_e88 * _e91)];
            float off = static_cast<float>(_e95) - mean;
            float _e98 = squares;
            squares = _e98 + (off * off);
        }
    }
    float _e104 = squares;
    float _e105 = total(lane, _e104, sums);
    uint _e108 = p.d;
    float _e113 = p.eps;
    float deviation = metal::sqrt((_e105 / static_cast<float>(_e108)) + _e113);
    j_2 = lane;
    bool loop_init_4 = true;
    while(true) {
        if (!loop_init_4) {
            uint _e190 = j_2;
            j_2 = _e190 + THREADS;
        }
        loop_init_4 = false;
        uint _e117 = j_2;
        uint _e120 = p.d;
        if (_e117 < _e120) {
        } else {
            break;
        }
        {
            uint _e123 = first;
            uint _e124 = j_2;
            uint _e127 = p.x_step;
            Element _e131 = x[_e123 + (_e124 * _e127)];
            y = (static_cast<float>(_e131) - mean) / deviation;
            uint _e138 = p.flags;
            if ((_e138 & 1u) != 0u) {
                float _e143 = y;
                uint _e147 = p.first_weight;
                uint _e148 = j_2;
                uint _e151 = p.weight_step;
                Element _e155 = weight[_e147 + (_e148 * _e151)];
                y = _e143 * static_cast<float>(_e155);
            }
            uint _e160 = p.flags;
            if ((_e160 & 2u) != 0u) {
                float _e165 = y;
                uint _e169 = p.first_bias;
                uint _e170 = j_2;
                uint _e173 = p.bias_step;
                Element _e177 = bias[_e169 + (_e170 * _e173)];
                y = _e165 + static_cast<float>(_e177);
            }
            uint _e183 = p.d;
            uint _e185 = j_2;
            float _e188 = y;
            out[(row * _e183) + _e185] = static_cast<half>(_e188);
        }
    }
    return;
}
