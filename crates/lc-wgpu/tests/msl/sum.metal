// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size1;
    uint size2;
};

struct type_2 {
    float inner[256];
};
struct Params {
    uint count;
    uint first_out;
    float factor;
};
typedef float type_3[1];
constant uint GROUP = 256u;
constant uint TEAM = 256u;

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

float team_total(
    uint lane_1,
    float x,
    threadgroup type_2& shared_by_team
) {
    uint half_ = 128u;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    shared_by_team.inner[lane_1] = x;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e25 = half_;
            half_ = naga_div(_e25, 2u);
        }
        loop_init = false;
        uint _e9 = half_;
        if (_e9 > 0u) {
        } else {
            break;
        }
        {
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            uint _e14 = half_;
            if (naga_mod(lane_1, TEAM) < _e14) {
                float _e18 = shared_by_team.inner[lane_1];
                uint _e20 = half_;
                float _e23 = shared_by_team.inner[lane_1 + _e20];
                shared_by_team.inner[lane_1] = _e18 + _e23;
            }
        }
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    float _e33 = shared_by_team.inner[lane_1 - naga_mod(lane_1, TEAM)];
    return _e33;
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  uint lane [[thread_index_in_threadgroup]]
, threadgroup type_2& shared_by_team
, device type_3 const& x_1 [[buffer(0)]]
, device type_3& out [[buffer(1)]]
, constant Params& params [[buffer(2)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(3)]]
) {
    float sum = 0.0;
    uint i = {};
    i = lane;
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e15 = i;
            i = _e15 + GROUP;
        }
        loop_init_1 = false;
        uint _e4 = i;
        uint _e7 = params.count;
        if (_e4 < _e7) {
        } else {
            break;
        }
        {
            float _e9 = sum;
            uint _e11 = i;
            float _e13 = x_1[_e11];
            sum = _e9 + _e13;
        }
    }
    float _e18 = sum;
    float _e19 = team_total(lane, _e18, shared_by_team);
    if (lane == 0u) {
        uint _e25 = params.first_out;
        float _e29 = params.factor;
        out[_e25] = _e19 * _e29;
        return;
    } else {
        return;
    }
}
