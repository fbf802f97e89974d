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

struct type_2 {
    float inner[256];
};
struct Params {
    uint count;
    uint first_out;
    uint first_target;
    uint first_loss;
    float factor;
    float loss_factor;
    uint wanted;
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
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, threadgroup type_2& shared_by_team
, device type_3 const& out [[buffer(0)]]
, device type_3 const& target_values [[buffer(1)]]
, device type_3& error [[buffer(2)]]
, device type_3& loss [[buffer(3)]]
, constant Params& params [[buffer(4)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(5)]]
) {
    float sum = 0.0;
    uint i = {};
    i = (group.x * GROUP) + lane;
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e41 = i;
            i = _e41 + (groups.x * GROUP);
        }
        loop_init_1 = false;
        uint _e10 = i;
        uint _e13 = params.count;
        if (_e10 < _e13) {
        } else {
            break;
        }
        {
            uint _e18 = params.first_out;
            uint _e19 = i;
            float _e22 = out[_e18 + _e19];
            uint _e26 = params.first_target;
            uint _e27 = i;
            float _e30 = target_values[_e26 + _e27];
            float away = _e22 - _e30;
            uint _e33 = i;
            float _e37 = params.factor;
            error[_e33] = away * _e37;
            float _e39 = sum;
            sum = metal::fma(away, away, _e39);
        }
    }
    float _e46 = sum;
    float _e47 = team_total(lane, _e46, shared_by_team);
    if (lane == 0u) {
        uint _e53 = params.first_loss;
        float _e59 = params.loss_factor;
        uint _e63 = params.wanted;
        loss[_e53 + group.x] = (_e63 != 0u) ? (_e47 * _e59) : 0.0;
        return;
    } else {
        return;
    }
}
