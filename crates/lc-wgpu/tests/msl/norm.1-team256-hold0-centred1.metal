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

typedef float Wide;
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
constant uint WIDTH = 1u;
constant uint GROUP = 256u;
constant uint MOST = 8u;
constant uint TEAM = 256u;
constant uint HOLD = 0u;
constant uint CENTRED = 1u;

float total(
    Wide x
) {
    return x;
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
    float sum = 0.0;
    uint s = 0u;
    uint j = {};
    float mean = 0.0;
    float squares = 0.0;
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
    if (false) {
        bool loop_init_1 = true;
        while(true) {
            if (!loop_init_1) {
                uint _e79 = s;
                s = _e79 + 1u;
            }
            loop_init_1 = false;
            uint _e59 = s;
            if (_e59 < HOLD) {
            } else {
                break;
            }
            {
                uint _e62 = s;
                uint j_4 = member_1 + (_e62 * TEAM);
                if (j_4 < extent) {
                    uint _e67 = s;
                    Wide _e72 = x_2[from_x + j_4];
                    held.inner[_e67] = _e72;
                    float _e73 = sum;
                    uint _e74 = s;
                    Wide _e76 = held.inner[_e74];
                    sum = _e73 + _e76;
                }
            }
        }
    } else {
        if (true) {
            j = member_1;
            bool loop_init_2 = true;
            while(true) {
                if (!loop_init_2) {
                    uint _e95 = j;
                    j = _e95 + TEAM;
                }
                loop_init_2 = false;
                uint _e86 = j;
                if (_e86 < extent) {
                } else {
                    break;
                }
                {
                    float _e88 = sum;
                    uint _e90 = j;
                    Wide _e93 = x_2[from_x + _e90];
                    sum = _e88 + _e93;
                }
            }
        }
    }
    if (true) {
        float _e104 = sum;
        float _e105 = total(_e104);
        float _e106 = team_total(lane, _e105, shared_by_team);
        mean = _e106 / count;
    }
    if (false) {
        bool loop_init_3 = true;
        while(true) {
            if (!loop_init_3) {
                uint _e140 = s_1;
                s_1 = _e140 + 1u;
            }
            loop_init_3 = false;
            uint _e116 = s_1;
            if (_e116 < HOLD) {
            } else {
                break;
            }
            {
                uint _e119 = s_1;
                if ((member_1 + (_e119 * TEAM)) < extent) {
                    uint _e124 = s_1;
                    Wide _e126 = held.inner[_e124];
                    float _e127 = mean;
                    held.inner[_e124] = _e126 - static_cast<float>(_e127);
                    float _e130 = squares;
                    uint _e131 = s_1;
                    Wide _e133 = held.inner[_e131];
                    uint _e134 = s_1;
                    Wide _e136 = held.inner[_e134];
                    squares = _e130 + (_e133 * _e136);
                }
            }
        }
    } else {
        j_1 = member_1;
        bool loop_init_4 = true;
        while(true) {
            if (!loop_init_4) {
                uint _e156 = j_1;
                j_1 = _e156 + TEAM;
            }
            loop_init_4 = false;
            uint _e143 = j_1;
            if (_e143 < extent) {
            } else {
                break;
            }
            {
                uint _e146 = j_1;
                Wide _e149 = x_2[from_x + _e146];
                float _e150 = mean;
                Wide away = _e149 - static_cast<float>(_e150);
                float _e153 = squares;
                squares = _e153 + (away * away);
            }
        }
    }
    float _e159 = squares;
    float _e160 = total(_e159);
    float _e161 = team_total(lane, _e160, shared_by_team);
    float _e165 = params.eps;
    float factor = 1.0 / metal::sqrt((_e161 / count) + _e165);
    if (false) {
        bool loop_init_5 = true;
        while(true) {
            if (!loop_init_5) {
                uint _e193 = s_2;
                s_2 = _e193 + 1u;
            }
            loop_init_5 = false;
            uint _e176 = s_2;
            if (_e176 < HOLD) {
            } else {
                break;
            }
            {
                uint _e179 = s_2;
                uint j_5 = member_1 + (_e179 * TEAM);
                if (j_5 < extent) {
                    uint _e187 = s_2;
                    Wide _e189 = held.inner[_e187];
                    Wide _e191 = finish(j_5, _e189 * factor, weight, bias, params, _buffer_sizes);
                    out[to_out + j_5] = _e191;
                }
            }
        }
        return;
    } else {
        j_2 = member_1;
        bool loop_init_6 = true;
        while(true) {
            if (!loop_init_6) {
                uint _e213 = j_2;
                j_2 = _e213 + TEAM;
            }
            loop_init_6 = false;
            uint _e196 = j_2;
            if (_e196 < extent) {
            } else {
                break;
            }
            {
                uint _e199 = j_2;
                uint _e202 = j_2;
                uint _e204 = j_2;
                Wide _e207 = x_2[from_x + _e204];
                float _e208 = mean;
                Wide _e212 = finish(_e202, (_e207 - static_cast<float>(_e208)) * factor, weight, bias, params, _buffer_sizes);
                out[to_out + _e199] = _e212;
            }
        }
        return;
    }
}
