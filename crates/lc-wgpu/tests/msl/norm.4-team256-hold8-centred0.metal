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

typedef metal::float4 Wide;
struct type_2 {
    float inner[256];
};
struct Params {
    uint rows;
    uint extent;
    uint first_x;
    uint first_weight;
    uint first_bias;
    uint first_out;
    uint has;
    float eps;
};
typedef Wide type_3[1];
struct type_5 {
    Wide inner[8];
};
constant uint WIDTH = 4u;
constant uint GROUP = 256u;
constant uint MOST = 8u;
constant uint TEAM = 256u;
constant uint HOLD = 8u;
constant uint CENTRED = 0u;

float total(
    Wide x
) {
    return (x.x + x.y) + (x.z + x.w);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

float team_total(
    uint lane_1,
    float x_1,
    threadgroup type_2& shared_by_team
) {
    uint half_ = 128u;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    shared_by_team.inner[lane_1] = x_1;
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

Wide finish(
    uint j_3,
    Wide normal,
    device type_3 const& weight,
    device type_3 const& bias,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    Wide y = {};
    y = normal;
    uint _e5 = params.has;
    if ((_e5 & 1u) != 0u) {
        Wide _e10 = y;
        uint _e14 = params.first_weight;
        Wide _e17 = weight[_e14 + j_3];
        y = _e10 * _e17;
    }
    uint _e21 = params.has;
    if ((_e21 & 2u) != 0u) {
        Wide _e26 = y;
        uint _e30 = params.first_bias;
        Wide _e33 = bias[_e30 + j_3];
        y = _e26 + _e33;
    }
    Wide _e35 = y;
    return _e35;
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, threadgroup type_2& shared_by_team
, device type_3 const& x_2 [[buffer(0)]]
, device type_3 const& weight [[buffer(1)]]
, device type_3 const& bias [[buffer(2)]]
, device type_3& out [[buffer(3)]]
, constant Params& params [[buffer(4)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(5)]]
) {
    type_5 held = {};
    metal::float4 sum = metal::float4(0.0);
    uint s = 0u;
    uint j = {};
    float mean = 0.0;
    metal::float4 squares = metal::float4(0.0);
    uint s_1 = 0u;
    uint j_1 = {};
    uint s_2 = 0u;
    uint j_2 = {};
    uint row = (((group.y * groups.x) + group.x) * 1u) + naga_div(lane, TEAM);
    uint member_1 = naga_mod(lane, TEAM);
    uint _e22 = params.extent;
    uint _e25 = params.rows;
    uint extent = (row < _e25) ? _e22 : 0u;
    uint _e30 = params.first_x;
    uint _e33 = params.extent;
    uint from_x = _e30 + (row * _e33);
    uint _e38 = params.first_out;
    uint _e41 = params.extent;
    uint to_out = _e38 + (row * _e41);
    uint _e46 = params.extent;
    float count = static_cast<float>(_e46 * WIDTH);
    if (true) {
        bool loop_init_1 = true;
        while(true) {
            if (!loop_init_1) {
                uint _e80 = s;
                s = _e80 + 1u;
            }
            loop_init_1 = false;
            uint _e60 = s;
            if (_e60 < HOLD) {
            } else {
                break;
            }
            {
                uint _e63 = s;
                uint j_4 = member_1 + (_e63 * TEAM);
                if (j_4 < extent) {
                    uint _e68 = s;
                    Wide _e73 = x_2[from_x + j_4];
                    held.inner[_e68] = _e73;
                    metal::float4 _e74 = sum;
                    uint _e75 = s;
                    Wide _e77 = held.inner[_e75];
                    sum = _e74 + _e77;
                }
            }
        }
    } else {
        if (false) {
            j = member_1;
            bool loop_init_2 = true;
            while(true) {
                if (!loop_init_2) {
                    uint _e96 = j;
                    j = _e96 + TEAM;
                }
                loop_init_2 = false;
                uint _e87 = j;
                if (_e87 < extent) {
                } else {
                    break;
                }
                {
                    metal::float4 _e89 = sum;
                    uint _e91 = j;
                    Wide _e94 = x_2[from_x + _e91];
                    sum = _e89 + _e94;
                }
            }
        }
    }
    if (false) {
        metal::float4 _e105 = sum;
        float _e106 = total(_e105);
        float _e107 = team_total(lane, _e106, shared_by_team);
        mean = _e107 / count;
    }
    if (true) {
        bool loop_init_3 = true;
        while(true) {
            if (!loop_init_3) {
                uint _e142 = s_1;
                s_1 = _e142 + 1u;
            }
            loop_init_3 = false;
            uint _e118 = s_1;
            if (_e118 < HOLD) {
            } else {
                break;
            }
            {
                uint _e121 = s_1;
                if ((member_1 + (_e121 * TEAM)) < extent) {
                    uint _e126 = s_1;
                    Wide _e128 = held.inner[_e126];
                    float _e129 = mean;
                    held.inner[_e126] = _e128 - metal::float4(_e129);
                    metal::float4 _e132 = squares;
                    uint _e133 = s_1;
                    Wide _e135 = held.inner[_e133];
                    uint _e136 = s_1;
                    Wide _e138 = held.inner[_e136];
                    squares = _e132 + (_e135 * _e138);
                }
            }
        }
    } else {
        j_1 = member_1;
        bool loop_init_4 = true;
        while(true) {
            if (!loop_init_4) {
                uint _e158 = j_1;
                j_1 = _e158 + TEAM;
            }
            loop_init_4 = false;
            uint _e145 = j_1;
            if (_e145 < extent) {
            } else {
                break;
            }
            {
                uint _e148 = j_1;
                Wide _e151 = x_2[from_x + _e148];
                float _e152 = mean;
                Wide away = _e151 - metal::float4(_e152);
                metal::float4 _e155 = squares;
                squares = _e155 + (away * away);
            }
        }
    }
    metal::float4 _e161 = squares;
    float _e162 = total(_e161);
    float _e163 = team_total(lane, _e162, shared_by_team);
    float _e167 = params.eps;
    float factor = 1.0 / metal::sqrt((_e163 / count) + _e167);
    if (true) {
        bool loop_init_5 = true;
        while(true) {
            if (!loop_init_5) {
                uint _e195 = s_2;
                s_2 = _e195 + 1u;
            }
            loop_init_5 = false;
            uint _e178 = s_2;
            if (_e178 < HOLD) {
            } else {
                break;
            }
            {
                uint _e181 = s_2;
                uint j_5 = member_1 + (_e181 * TEAM);
                if (j_5 < extent) {
                    uint _e189 = s_2;
                    Wide _e191 = held.inner[_e189];
                    Wide _e193 = finish(j_5, _e191 * factor, weight, bias, params, _buffer_sizes);
                    out[to_out + j_5] = _e193;
                }
            }
        }
        return;
    } else {
        j_2 = member_1;
        bool loop_init_6 = true;
        while(true) {
            if (!loop_init_6) {
                uint _e215 = j_2;
                j_2 = _e215 + TEAM;
            }
            loop_init_6 = false;
            uint _e198 = j_2;
            if (_e198 < extent) {
            } else {
                break;
            }
            {
                uint _e201 = j_2;
                uint _e204 = j_2;
                uint _e206 = j_2;
                Wide _e209 = x_2[from_x + _e206];
                float _e210 = mean;
                Wide _e214 = finish(_e204, (_e209 - metal::float4(_e210)) * factor, weight, bias, params, _buffer_sizes);
                out[to_out + _e201] = _e214;
            }
        }
        return;
    }
}
