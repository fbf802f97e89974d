// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size1;
    uint size2;
};

typedef float Wide;
struct type_2 {
    float inner[256];
};
struct Params {
    uint rows;
    uint extent;
    uint first_x;
    uint first_out;
};
typedef Wide type_3[1];
struct type_5 {
    Wide inner[32];
};
constant uint WIDTH = 1u;
constant uint GROUP = 256u;
constant uint MOST = 32u;
constant uint TEAM = 256u;
constant uint HOLD = 8u;

float total(
    Wide x
) {
    return x;
}

float widest(
    Wide x_1
) {
    return x_1;
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

float team_total(
    uint lane_1,
    float x_2,
    threadgroup type_2& shared_by_team
) {
    uint half_ = 128u;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    shared_by_team.inner[lane_1] = x_2;
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

float team_widest(
    uint lane_2,
    float x_3,
    threadgroup type_2& shared_by_team
) {
    uint half_1 = 128u;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    shared_by_team.inner[lane_2] = x_3;
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e27 = half_1;
            half_1 = naga_div(_e27, 2u);
        }
        loop_init_1 = false;
        uint _e9 = half_1;
        if (_e9 > 0u) {
        } else {
            break;
        }
        {
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            uint _e14 = half_1;
            if (naga_mod(lane_2, TEAM) < _e14) {
                float _e20 = shared_by_team.inner[lane_2];
                uint _e22 = half_1;
                float _e25 = shared_by_team.inner[lane_2 + _e22];
                shared_by_team.inner[lane_2] = metal::max(_e20, _e25);
            }
        }
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    float _e35 = shared_by_team.inner[lane_2 - naga_mod(lane_2, TEAM)];
    return _e35;
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, threadgroup type_2& shared_by_team
, device type_3 const& x_4 [[buffer(0)]]
, device type_3& out [[buffer(1)]]
, constant Params& params [[buffer(2)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(3)]]
) {
    type_5 held = {};
    float high = -340282350000000000000000000000000000000.0;
    uint s = 0u;
    float sum = 0.0;
    uint s_1 = 0u;
    uint s_2 = 0u;
    uint row = (((group.y * groups.x) + group.x) * 1u) + naga_div(lane, TEAM);
    uint member_1 = naga_mod(lane, TEAM);
    uint _e22 = params.extent;
    uint _e25 = params.rows;
    uint extent = (row < _e25) ? _e22 : 0u;
    uint _e30 = params.extent;
    uint start = row * _e30;
    bool loop_init_2 = true;
    while(true) {
        if (!loop_init_2) {
            uint _e61 = s;
            s = _e61 + 1u;
        }
        loop_init_2 = false;
        uint _e37 = s;
        if (_e37 < HOLD) {
        } else {
            break;
        }
        {
            uint _e40 = s;
            uint j = member_1 + (_e40 * TEAM);
            if (j < extent) {
                uint _e45 = s;
                uint _e50 = params.first_x;
                Wide _e54 = x_4[(_e50 + start) + j];
                held.inner[_e45] = _e54;
                float _e55 = high;
                uint _e56 = s;
                Wide _e58 = held.inner[_e56];
                high = metal::max(_e55, _e58);
            }
        }
    }
    float _e63 = high;
    float _e64 = widest(_e63);
    float _e65 = team_widest(lane, _e64, shared_by_team);
    float top = static_cast<float>(_e65);
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e92 = s_1;
            s_1 = _e92 + 1u;
        }
        loop_init_3 = false;
        uint _e71 = s_1;
        if (_e71 < HOLD) {
        } else {
            break;
        }
        {
            uint _e74 = s_1;
            if ((member_1 + (_e74 * TEAM)) < extent) {
                uint _e79 = s_1;
                uint _e81 = s_1;
                Wide _e83 = held.inner[_e81];
                held.inner[_e79] = metal::exp(_e83 - top);
                float _e86 = sum;
                uint _e87 = s_1;
                Wide _e89 = held.inner[_e87];
                sum = _e86 + _e89;
            }
        }
    }
    float _e94 = sum;
    float _e95 = total(_e94);
    float _e96 = team_total(lane, _e95, shared_by_team);
    float factor = 1.0 / _e96;
    bool loop_init_4 = true;
    while(true) {
        if (!loop_init_4) {
            uint _e121 = s_2;
            s_2 = _e121 + 1u;
        }
        loop_init_4 = false;
        uint _e101 = s_2;
        if (_e101 < HOLD) {
        } else {
            break;
        }
        {
            uint _e104 = s_2;
            uint j_1 = member_1 + (_e104 * TEAM);
            if (j_1 < extent) {
                uint _e112 = params.first_out;
                uint _e116 = s_2;
                Wide _e118 = held.inner[_e116];
                out[(_e112 + start) + j_1] = _e118 * factor;
            }
        }
    }
    return;
}
