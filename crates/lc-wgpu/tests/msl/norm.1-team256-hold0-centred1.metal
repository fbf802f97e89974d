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
    uint turns;
};
typedef Wide type_3[1];
struct type_5 {
    Wide inner[16];
};
struct type_6 {
    Wide inner[4];
};
constant uint WIDTH = 1u;
constant uint GROUP = 256u;
constant uint MOST = 16u;
constant uint FEW = 4u;
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
    return 1.0;
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
    return 0.0;
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
    float sum = {};
    uint s_1 = {};
    uint j = {};
    float mean = {};
    float squares = {};
    uint s_2 = {};
    uint j_1 = {};
    uint s_3 = {};
    uint s_4 = {};
    uint j_2 = {};
    uint member_1 = naga_mod(lane, TEAM);
    uint _e7 = params.extent;
    float count = static_cast<float>(_e7 * WIDTH);
    if (false) {
        local = true;
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
            if (_e29 < 0u) {
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
            uint _e321 = turn;
            turn = _e321 + 1u;
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
            sum = 0.0;
            if (false) {
                s_1 = 0u;
                bool loop_init_3 = true;
                while(true) {
                    if (!loop_init_3) {
                        uint _e139 = s_1;
                        s_1 = _e139 + 1u;
                    }
                    loop_init_3 = false;
                    uint _e119 = s_1;
                    if (_e119 < HOLD) {
                    } else {
                        break;
                    }
                    {
                        uint _e122 = s_1;
                        uint j_6 = member_1 + (_e122 * TEAM);
                        if (j_6 < extent) {
                            uint _e127 = s_1;
                            Wide _e132 = x_2[from_x + j_6];
                            held.inner[_e127] = _e132;
                            float _e133 = sum;
                            uint _e134 = s_1;
                            Wide _e136 = held.inner[_e134];
                            sum = _e133 + _e136;
                        }
                    }
                }
            } else {
                if (true) {
                    j = member_1;
                    bool loop_init_4 = true;
                    while(true) {
                        if (!loop_init_4) {
                            uint _e155 = j;
                            j = _e155 + TEAM;
                        }
                        loop_init_4 = false;
                        uint _e146 = j;
                        if (_e146 < extent) {
                        } else {
                            break;
                        }
                        {
                            float _e148 = sum;
                            uint _e150 = j;
                            Wide _e153 = x_2[from_x + _e150];
                            sum = _e148 + _e153;
                        }
                    }
                }
            }
            mean = 0.0;
            if (true) {
                float _e164 = sum;
                float _e165 = total(_e164);
                float _e166 = team_total(lane, _e165, shared_by_team);
                mean = _e166 / count;
            }
            squares = 0.0;
            if (false) {
                s_2 = 0u;
                bool loop_init_5 = true;
                while(true) {
                    if (!loop_init_5) {
                        uint _e200 = s_2;
                        s_2 = _e200 + 1u;
                    }
                    loop_init_5 = false;
                    uint _e176 = s_2;
                    if (_e176 < HOLD) {
                    } else {
                        break;
                    }
                    {
                        uint _e179 = s_2;
                        if ((member_1 + (_e179 * TEAM)) < extent) {
                            uint _e184 = s_2;
                            Wide _e186 = held.inner[_e184];
                            float _e187 = mean;
                            held.inner[_e184] = _e186 - static_cast<float>(_e187);
                            float _e190 = squares;
                            uint _e191 = s_2;
                            Wide _e193 = held.inner[_e191];
                            uint _e194 = s_2;
                            Wide _e196 = held.inner[_e194];
                            squares = _e190 + (_e193 * _e196);
                        }
                    }
                }
            } else {
                j_1 = member_1;
                bool loop_init_6 = true;
                while(true) {
                    if (!loop_init_6) {
                        uint _e216 = j_1;
                        j_1 = _e216 + TEAM;
                    }
                    loop_init_6 = false;
                    uint _e203 = j_1;
                    if (_e203 < extent) {
                    } else {
                        break;
                    }
                    {
                        uint _e206 = j_1;
                        Wide _e209 = x_2[from_x + _e206];
                        float _e210 = mean;
                        Wide away = _e209 - static_cast<float>(_e210);
                        float _e213 = squares;
                        squares = _e213 + (away * away);
                    }
                }
            }
            float _e219 = squares;
            float _e220 = total(_e219);
            float _e221 = team_total(lane, _e220, shared_by_team);
            float _e225 = params.eps;
            float factor = 1.0 / metal::sqrt((_e221 / count) + _e225);
            if (false) {
                s_3 = 0u;
                bool loop_init_7 = true;
                while(true) {
                    if (!loop_init_7) {
                        uint _e257 = s_3;
                        s_3 = _e257 + 1u;
                    }
                    loop_init_7 = false;
                    uint _e237 = s_3;
                    if (_e237 < HOLD) {
                    } else {
                        break;
                    }
                    {
                        uint _e240 = s_3;
                        uint j_7 = member_1 + (_e240 * TEAM);
                        if (j_7 < extent) {
                            uint _e248 = s_3;
                            Wide _e250 = held.inner[_e248];
                            Wide _e252 = weight_at(j_7, weight, params, _buffer_sizes);
                            Wide _e254 = bias_at(j_7, bias, params, _buffer_sizes);
                            out[to_out + j_7] = ((_e250 * factor) * _e252) + _e254;
                        }
                    }
                }
            } else {
                if (false) {
                    s_4 = 0u;
                    bool loop_init_8 = true;
                    while(true) {
                        if (!loop_init_8) {
                            uint _e293 = s_4;
                            s_4 = _e293 + 1u;
                        }
                        loop_init_8 = false;
                        uint _e265 = s_4;
                        if (_e265 < 0u) {
                        } else {
                            break;
                        }
                        {
                            uint _e272 = s_4;
                            uint j_8 = member_1 + (_e272 * TEAM);
                            if (j_8 < extent) {
                                uint _e280 = s_4;
                                Wide _e282 = held.inner[_e280];
                                uint _e284 = s_4;
                                Wide _e286 = weights.inner[_e284];
                                uint _e288 = s_4;
                                Wide _e290 = biases.inner[_e288];
                                out[to_out + j_8] = ((_e282 * factor) * _e286) + _e290;
                            }
                        }
                    }
                } else {
                    j_2 = member_1;
                    bool loop_init_9 = true;
                    while(true) {
                        if (!loop_init_9) {
                            uint _e317 = j_2;
                            j_2 = _e317 + TEAM;
                        }
                        loop_init_9 = false;
                        uint _e296 = j_2;
                        if (_e296 < extent) {
                        } else {
                            break;
                        }
                        {
                            uint _e299 = j_2;
                            uint _e303 = j_2;
                            Wide _e306 = x_2[from_x + _e303];
                            float _e307 = mean;
                            uint _e311 = j_2;
                            Wide _e312 = weight_at(_e311, weight, params, _buffer_sizes);
                            uint _e314 = j_2;
                            Wide _e315 = bias_at(_e314, bias, params, _buffer_sizes);
                            out[to_out + _e299] = (((_e306 - static_cast<float>(_e307)) * factor) * _e312) + _e315;
                        }
                    }
                }
            }
        }
    }
    return;
}
