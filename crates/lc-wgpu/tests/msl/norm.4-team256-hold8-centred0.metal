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
    uint turns;
};
typedef Wide type_3[1];
struct type_5 {
    Wide inner[16];
};
struct type_6 {
    Wide inner[4];
};
constant uint WIDTH = 4u;
constant uint GROUP = 256u;
constant uint MOST = 16u;
constant uint FEW = 4u;
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

Wide weight_at(
    uint j_3,
    device type_3 const& weight,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e3 = params.has;
    if ((_e3 & 1u) != 0u) {
        uint _e11 = params.first_weight;
        Wide _e14 = weight[_e11 + j_3];
        return _e14;
    }
    return metal::float4(1.0);
}

Wide bias_at(
    uint j_4,
    device type_3 const& bias,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e3 = params.has;
    if ((_e3 & 2u) != 0u) {
        uint _e11 = params.first_bias;
        Wide _e14 = bias[_e11 + j_4];
        return _e14;
    }
    return metal::float4(0.0);
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
    type_6 weights = {};
    type_6 biases = {};
    bool local = {};
    uint s = 0u;
    uint turn = 0u;
    metal::float4 sum = {};
    uint s_1 = {};
    uint j = {};
    float mean = {};
    metal::float4 squares = {};
    uint s_2 = {};
    uint j_1 = {};
    uint s_3 = {};
    uint s_4 = {};
    uint j_2 = {};
    uint member_1 = naga_mod(lane, TEAM);
    uint _e7 = params.extent;
    float count = static_cast<float>(_e7 * WIDTH);
    if (true) {
        local = false;
    } else {
        local = false;
    }
    bool _e26 = local;
    if (_e26) {
        bool loop_init_1 = true;
        while(true) {
            if (!loop_init_1) {
                uint _e51 = s;
                s = _e51 + 1u;
            }
            loop_init_1 = false;
            uint _e29 = s;
            if (_e29 < 4u) {
            } else {
                break;
            }
            {
                uint _e36 = s;
                uint j_5 = member_1 + (_e36 * TEAM);
                uint _e42 = params.extent;
                if (j_5 < _e42) {
                    uint _e44 = s;
                    Wide _e46 = weight_at(j_5, weight, params, _buffer_sizes);
                    weights.inner[_e44] = _e46;
                    uint _e47 = s;
                    Wide _e49 = bias_at(j_5, bias, params, _buffer_sizes);
                    biases.inner[_e47] = _e49;
                }
            }
        }
    }
    uint _e60 = params.turns;
    uint first_row = ((((group.y * groups.x) + group.x) * _e60) * 1u) + naga_div(lane, TEAM);
    bool loop_init_2 = true;
    while(true) {
        if (!loop_init_2) {
            uint _e323 = turn;
            turn = _e323 + 1u;
        }
        loop_init_2 = false;
        uint _e73 = turn;
        uint _e76 = params.turns;
        if (_e73 < _e76) {
        } else {
            break;
        }
        {
            uint _e78 = turn;
            uint row = first_row + (_e78 * 1u);
            uint _e89 = params.extent;
            uint _e92 = params.rows;
            uint extent = (row < _e92) ? _e89 : 0u;
            uint _e97 = params.first_x;
            uint _e100 = params.extent;
            uint from_x = _e97 + (row * _e100);
            uint _e105 = params.first_out;
            uint _e108 = params.extent;
            uint to_out = _e105 + (row * _e108);
            sum = metal::float4(0.0);
            if (true) {
                s_1 = 0u;
                bool loop_init_3 = true;
                while(true) {
                    if (!loop_init_3) {
                        uint _e140 = s_1;
                        s_1 = _e140 + 1u;
                    }
                    loop_init_3 = false;
                    uint _e120 = s_1;
                    if (_e120 < HOLD) {
                    } else {
                        break;
                    }
                    {
                        uint _e123 = s_1;
                        uint j_6 = member_1 + (_e123 * TEAM);
                        if (j_6 < extent) {
                            uint _e128 = s_1;
                            Wide _e133 = x_2[from_x + j_6];
                            held.inner[_e128] = _e133;
                            metal::float4 _e134 = sum;
                            uint _e135 = s_1;
                            Wide _e137 = held.inner[_e135];
                            sum = _e134 + _e137;
                        }
                    }
                }
            } else {
                if (false) {
                    j = member_1;
                    bool loop_init_4 = true;
                    while(true) {
                        if (!loop_init_4) {
                            uint _e156 = j;
                            j = _e156 + TEAM;
                        }
                        loop_init_4 = false;
                        uint _e147 = j;
                        if (_e147 < extent) {
                        } else {
                            break;
                        }
                        {
                            metal::float4 _e149 = sum;
                            uint _e151 = j;
                            Wide _e154 = x_2[from_x + _e151];
                            sum = _e149 + _e154;
                        }
                    }
                }
            }
            mean = 0.0;
            if (false) {
                metal::float4 _e165 = sum;
                float _e166 = total(_e165);
                float _e167 = team_total(lane, _e166, shared_by_team);
                mean = _e167 / count;
            }
            squares = metal::float4(0.0);
            if (true) {
                s_2 = 0u;
                bool loop_init_5 = true;
                while(true) {
                    if (!loop_init_5) {
                        uint _e202 = s_2;
                        s_2 = _e202 + 1u;
                    }
                    loop_init_5 = false;
                    uint _e178 = s_2;
                    if (_e178 < HOLD) {
                    } else {
                        break;
                    }
                    {
                        uint _e181 = s_2;
                        if ((member_1 + (_e181 * TEAM)) < extent) {
                            uint _e186 = s_2;
                            Wide _e188 = held.inner[_e186];
                            float _e189 = mean;
                            held.inner[_e186] = _e188 - metal::float4(_e189);
                            metal::float4 _e192 = squares;
                            uint _e193 = s_2;
                            Wide _e195 = held.inner[_e193];
                            uint _e196 = s_2;
                            Wide _e198 = held.inner[_e196];
                            squares = _e192 + (_e195 * _e198);
                        }
                    }
                }
            } else {
                j_1 = member_1;
                bool loop_init_6 = true;
                while(true) {
                    if (!loop_init_6) {
                        uint _e218 = j_1;
                        j_1 = _e218 + TEAM;
                    }
                    loop_init_6 = false;
                    uint _e205 = j_1;
                    if (_e205 < extent) {
                    } else {
                        break;
                    }
                    {
                        uint _e208 = j_1;
                        Wide _e211 = x_2[from_x + _e208];
                        float _e212 = mean;
                        Wide away = _e211 - metal::float4(_e212);
                        metal::float4 _e215 = squares;
                        squares = _e215 + (away * away);
                    }
                }
            }
            metal::float4 _e221 = squares;
            float _e222 = total(_e221);
            float _e223 = team_total(lane, _e222, shared_by_team);
            float _e227 = params.eps;
            float factor = 1.0 / metal::sqrt((_e223 / count) + _e227);
            if (true) {
                s_3 = 0u;
                bool loop_init_7 = true;
                while(true) {
                    if (!loop_init_7) {
                        uint _e259 = s_3;
                        s_3 = _e259 + 1u;
                    }
                    loop_init_7 = false;
                    uint _e239 = s_3;
                    if (_e239 < HOLD) {
                    } else {
                        break;
                    }
                    {
                        uint _e242 = s_3;
                        uint j_7 = member_1 + (_e242 * TEAM);
                        if (j_7 < extent) {
                            uint _e250 = s_3;
                            Wide _e252 = held.inner[_e250];
                            Wide _e254 = weight_at(j_7, weight, params, _buffer_sizes);
                            Wide _e256 = bias_at(j_7, bias, params, _buffer_sizes);
                            out[to_out + j_7] = ((_e252 * factor) * _e254) + _e256;
                        }
                    }
                }
            } else {
                if (true) {
                    s_4 = 0u;
                    bool loop_init_8 = true;
                    while(true) {
                        if (!loop_init_8) {
                            uint _e295 = s_4;
                            s_4 = _e295 + 1u;
                        }
                        loop_init_8 = false;
                        uint _e267 = s_4;
                        if (_e267 < 4u) {
                        } else {
                            break;
                        }
                        {
                            uint _e274 = s_4;
                            uint j_8 = member_1 + (_e274 * TEAM);
                            if (j_8 < extent) {
                                uint _e282 = s_4;
                                Wide _e284 = held.inner[_e282];
                                uint _e286 = s_4;
                                Wide _e288 = weights.inner[_e286];
                                uint _e290 = s_4;
                                Wide _e292 = biases.inner[_e290];
                                out[to_out + j_8] = ((_e284 * factor) * _e288) + _e292;
                            }
                        }
                    }
                } else {
                    j_2 = member_1;
                    bool loop_init_9 = true;
                    while(true) {
                        if (!loop_init_9) {
                            uint _e319 = j_2;
                            j_2 = _e319 + TEAM;
                        }
                        loop_init_9 = false;
                        uint _e298 = j_2;
                        if (_e298 < extent) {
                        } else {
                            break;
                        }
                        {
                            uint _e301 = j_2;
                            uint _e305 = j_2;
                            Wide _e308 = x_2[from_x + _e305];
                            float _e309 = mean;
                            uint _e313 = j_2;
                            Wide _e314 = weight_at(_e313, weight, params, _buffer_sizes);
                            uint _e316 = j_2;
                            Wide _e317 = bias_at(_e316, bias, params, _buffer_sizes);
                            out[to_out + _e301] = (((_e308 - metal::float4(_e309)) * factor) * _e314) + _e317;
                        }
                    }
                }
            }
        }
    }
    return;
}
