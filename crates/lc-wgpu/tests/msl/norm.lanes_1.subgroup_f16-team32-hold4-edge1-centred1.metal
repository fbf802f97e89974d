// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size2;
    uint size3;
    uint size4;
    uint size5;
};

typedef half Element;
typedef float Wide;
struct Me {
    uint lane;
    uint size;
    uint subgroup;
    uint own;
};
struct type_1 {
    Wide inner[128];
};
struct Row {
    uint source;
    uint result;
    uint last;
    uint extent;
};
struct Params {
    uint rows;
    uint extent;
    uint inner;
    uint first_x;
    uint first_out;
    uint first_weight;
    uint first_bias;
    uint has;
    float eps;
};
typedef Element type_4[1];
struct Rest {
    Wide count;
    Wide mean;
    Wide squares;
};
struct type_5 {
    Wide inner[16];
};
constant uint MOST = 16u;
constant uint GROUP = 256u;
constant uint TEAM = 32u;
constant uint STEP = 1u;
constant uint SUBGROUP = 0u;
constant uint PARTS = 64u;
constant uint PLACES = 128u;
constant uint HOLD = 4u;
constant uint EDGE = 1u;
constant uint AHEAD = 0u;
constant uint LONG = 0u;
constant uint CENTRED = 1u;

Wide join(
    Wide a,
    Wide b,
    bool widest
) {
    return widest ? metal::max(a, b) : (a + b);
}

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

Wide combine(
    Me me,
    Wide x,
    uint turn,
    bool widest_1,
    threadgroup type_1& parts
) {
    Wide all = {};
    uint apart = STEP;
    uint i = {};
    uint apart_1 = STEP;
    all = x;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e21 = apart;
            apart = _e21 * 2u;
        }
        loop_init = false;
        uint _e12 = apart;
        if (_e12 < metal::min(32u, me.size)) {
        } else {
            break;
        }
        {
            Wide _e16 = all;
            Wide _e17 = all;
            uint _e18 = apart;
            Wide unnamed = metal::simd_shuffle_xor(_e17, _e18);
            Wide _e20 = join(_e16, unnamed, widest_1);
            all = _e20;
        }
    }
    if (32u > me.size) {
        uint count = naga_div(32u, me.size) * STEP;
        if (me.own < STEP) {
            Wide _e43 = all;
            parts.inner[((turn * PARTS) + (me.subgroup * STEP)) + me.own] = _e43;
        }
        metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        uint first_2 = (turn * PARTS) + (naga_div(me.lane, 32u) * count);
        Wide _e55 = parts.inner[first_2 + naga_mod(me.own, count)];
        all = _e55;
        i = me.own + me.size;
        bool loop_init_1 = true;
        while(true) {
            if (!loop_init_1) {
                uint _e69 = i;
                i = _e69 + me.size;
            }
            loop_init_1 = false;
            uint _e60 = i;
            if (_e60 < count) {
            } else {
                break;
            }
            {
                Wide _e62 = all;
                uint _e64 = i;
                Wide _e67 = parts.inner[first_2 + _e64];
                Wide _e68 = join(_e62, _e67, widest_1);
                all = _e68;
            }
        }
        bool loop_init_2 = true;
        while(true) {
            if (!loop_init_2) {
                uint _e83 = apart_1;
                apart_1 = _e83 * 2u;
            }
            loop_init_2 = false;
            uint _e74 = apart_1;
            if (_e74 < metal::min(count, me.size)) {
            } else {
                break;
            }
            {
                Wide _e78 = all;
                Wide _e79 = all;
                uint _e80 = apart_1;
                Wide unnamed_1 = metal::simd_shuffle_xor(_e79, _e80);
                Wide _e82 = join(_e78, unnamed_1, widest_1);
                all = _e82;
            }
        }
    }
    Wide _e86 = all;
    return _e86;
}

Wide team_total(
    Me me_1,
    Wide x_1,
    uint turn_1,
    threadgroup type_1& parts
) {
    Wide _e4 = combine(me_1, x_1, turn_1, false, parts);
    return _e4;
}

Row row_at(
    uint index,
    constant Params& params
) {
    uint _e3 = params.rows;
    uint own_1 = metal::min(index, _e3 - 1u);
    uint _e9 = params.inner;
    uint _e13 = params.extent;
    uint _e17 = params.inner;
    uint _e21 = params.inner;
    uint start = ((naga_div(own_1, _e9) * _e13) * _e17) + naga_mod(own_1, _e21);
    uint _e27 = params.extent;
    uint _e30 = params.rows;
    uint extent = (index < _e30) ? _e27 : 0u;
    uint _e35 = params.first_x;
    uint _e39 = params.first_out;
    uint _e43 = params.extent;
    return Row {_e35 + start, _e39 + start, _e43 - 1u, extent};
}

Wide only(
    Row row,
    uint j,
    Wide v,
    float fill
) {
    bool local = {};
    if (true) {
        local = j < row.extent;
    } else {
        local = true;
    }
    bool _e15 = local;
    return _e15 ? v : static_cast<float>(fill);
}

Wide load(
    Row row_1,
    uint j_1,
    float fill_1,
    constant Params& params,
    device type_4 const& x_3,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e14 = params.inner;
    Element _e18 = x_3[row_1.source + ((false ? j_1 : metal::min(j_1, row_1.last)) * _e14)];
    Wide _e20 = only(row_1, j_1, static_cast<float>(_e18), fill_1);
    return _e20;
}

Wide weight_at(
    Row row_2,
    uint j_2,
    constant Params& params,
    device type_4 const& weight,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e5 = params.first_weight;
    Element _e10 = weight[_e5 + metal::min(j_2, row_2.last)];
    return static_cast<float>(_e10);
}

Wide factor_at(
    Row row_3,
    uint j_3,
    constant Params& params,
    device type_4 const& weight,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e4 = params.has;
    if ((_e4 & 1u) != 0u) {
        Wide _e9 = weight_at(row_3, j_3, params, weight, _buffer_sizes);
        return _e9;
    }
    return 1.0;
}

Wide bias_at(
    Row row_4,
    uint j_4,
    constant Params& params,
    device type_4 const& bias,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e5 = params.first_bias;
    Element _e10 = bias[_e5 + metal::min(j_4, row_4.last)];
    return static_cast<float>(_e10);
}

Wide shift_at(
    Row row_5,
    uint j_5,
    constant Params& params,
    device type_4 const& bias,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e4 = params.has;
    if ((_e4 & 2u) != 0u) {
        Wide _e9 = bias_at(row_5, j_5, params, bias, _buffer_sizes);
        return _e9;
    }
    return 0.0;
}

Rest add(
    Rest rest,
    Row row_6,
    uint j_6,
    constant Params& params,
    device type_4 const& x_3,
    constant _mslBufferSizes& _buffer_sizes
) {
    Wide _e4 = load(row_6, j_6, 0.0, params, x_3, _buffer_sizes);
    Wide _e8 = only(row_6, j_6, 1.0, 0.0);
    Wide count_1 = rest.count + _e8;
    if (false) {
        return Rest {count_1, rest.mean, rest.squares + (_e4 * _e4)};
    }
    Wide _e22 = only(row_6, j_6, _e4 - rest.mean, 0.0);
    Wide mean_1 = rest.mean + (_e22 / metal::max(count_1, 1.0));
    Wide _e31 = only(row_6, j_6, _e4 - mean_1, 0.0);
    return Rest {count_1, mean_1, rest.squares + (_e22 * _e31)};
}

Wide total(
    Wide x_2
) {
    return x_2;
}

void store(
    Row row_7,
    uint j_7,
    Wide v_1,
    constant Params& params,
    device type_4& out,
    constant _mslBufferSizes& _buffer_sizes
) {
    if (j_7 < row_7.extent) {
        uint _e9 = params.inner;
        out[row_7.result + (j_7 * _e9)] = static_cast<half>(v_1);
        return;
    } else {
        return;
    }
}

void finish(
    Row row_8,
    uint j_8,
    Wide normal,
    constant Params& params,
    device type_4 const& weight,
    device type_4 const& bias,
    device type_4& out,
    constant _mslBufferSizes& _buffer_sizes
) {
    Wide _e3 = factor_at(row_8, j_8, params, weight, _buffer_sizes);
    Wide _e5 = shift_at(row_8, j_8, params, bias, _buffer_sizes);
    store(row_8, j_8, (normal * _e3) + _e5, params, out, _buffer_sizes);
    return;
}

void rows(
    uint number,
    Me me_2,
    threadgroup type_1& parts,
    constant Params& params,
    device type_4 const& x_3,
    device type_4 const& weight,
    device type_4 const& bias,
    device type_4& out,
    constant _mslBufferSizes& _buffer_sizes
) {
    type_5 held = {};
    type_5 weights = {};
    type_5 biases = {};
    float sum = 0.0;
    uint s = 0u;
    uint s_1 = 0u;
    Rest rest_1 = Rest {0.0, 0.0, 0.0};
    uint first = 128u;
    float mean = 0.0;
    float squares = 0.0;
    uint s_2 = 0u;
    uint s_3 = 0u;
    uint first_1 = 128u;
    Row _e12 = row_at((number * 8u) + naga_div(me_2.lane, TEAM), params);
    uint member = naga_mod(me_2.lane, TEAM);
    uint _e18 = params.extent;
    float count_2 = static_cast<float>(_e18);
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e44 = s;
            s = _e44 + 1u;
        }
        loop_init_3 = false;
        uint _e27 = s;
        if (_e27 < HOLD) {
        } else {
            break;
        }
        {
            uint _e30 = s;
            uint _e32 = s;
            Wide _e37 = load(_e12, member + (_e32 * TEAM), 0.0, params, x_3, _buffer_sizes);
            held.inner[_e30] = _e37;
            float _e38 = sum;
            uint _e39 = s;
            Wide _e41 = held.inner[_e39];
            sum = _e38 + _e41;
        }
    }
    if (false) {
        bool loop_init_4 = true;
        while(true) {
            if (!loop_init_4) {
                uint _e70 = s_1;
                s_1 = _e70 + 1u;
            }
            loop_init_4 = false;
            uint _e52 = s_1;
            if (_e52 < HOLD) {
            } else {
                break;
            }
            {
                uint _e55 = s_1;
                uint _e57 = s_1;
                Wide _e61 = factor_at(_e12, member + (_e57 * TEAM), params, weight, _buffer_sizes);
                weights.inner[_e55] = _e61;
                uint _e62 = s_1;
                uint _e64 = s_1;
                Wide _e68 = shift_at(_e12, member + (_e64 * TEAM), params, bias, _buffer_sizes);
                biases.inner[_e62] = _e68;
            }
        }
    }
    if (false) {
        bool loop_init_5 = true;
        while(true) {
            if (!loop_init_5) {
                uint _e109 = first;
                first = _e109 + 128u;
            }
            loop_init_5 = false;
            uint _e87 = first;
            if (_e87 <= _e12.last) {
            } else {
                break;
            }
            {
                uint _e90 = first;
                uint j_9 = _e90 + member;
                Rest _e92 = rest_1;
                Rest _e93 = add(_e92, _e12, j_9, params, x_3, _buffer_sizes);
                Rest _e96 = add(_e93, _e12, j_9 + TEAM, params, x_3, _buffer_sizes);
                Rest _e102 = add(_e96, _e12, j_9 + 64u, params, x_3, _buffer_sizes);
                Rest _e108 = add(_e102, _e12, j_9 + 96u, params, x_3, _buffer_sizes);
                rest_1 = _e108;
            }
        }
        float _e115 = sum;
        Wide _e117 = rest_1.count;
        Wide _e119 = rest_1.mean;
        sum = _e115 + (_e117 * _e119);
    }
    if (true) {
        float _e128 = sum;
        Wide _e129 = total(_e128);
        Wide _e131 = team_total(me_2, _e129, 0u, parts);
        mean = _e131 / count_2;
    }
    if (false) {
        Wide _e140 = rest_1.mean;
        float _e141 = mean;
        Wide away = _e140 - _e141;
        Wide _e144 = rest_1.squares;
        Wide _e146 = rest_1.count;
        squares = _e144 + ((_e146 * away) * away);
    }
    bool loop_init_6 = true;
    while(true) {
        if (!loop_init_6) {
            uint _e178 = s_2;
            s_2 = _e178 + 1u;
        }
        loop_init_6 = false;
        uint _e152 = s_2;
        if (_e152 < HOLD) {
        } else {
            break;
        }
        {
            uint _e155 = s_2;
            uint _e157 = s_2;
            uint _e161 = s_2;
            Wide _e163 = held.inner[_e161];
            float _e164 = mean;
            Wide _e167 = only(_e12, member + (_e157 * TEAM), _e163 - _e164, 0.0);
            held.inner[_e155] = _e167;
            float _e168 = squares;
            uint _e169 = s_2;
            Wide _e171 = held.inner[_e169];
            uint _e172 = s_2;
            Wide _e174 = held.inner[_e172];
            squares = _e168 + (_e171 * _e174);
        }
    }
    float _e180 = squares;
    Wide _e181 = total(_e180);
    Wide _e183 = team_total(me_2, _e181, 1u, parts);
    float _e187 = params.eps;
    float factor = 1.0 / metal::sqrt((_e183 / count_2) + _e187);
    bool loop_init_7 = true;
    while(true) {
        if (!loop_init_7) {
            uint _e226 = s_3;
            s_3 = _e226 + 1u;
        }
        loop_init_7 = false;
        uint _e194 = s_3;
        if (_e194 < HOLD) {
        } else {
            break;
        }
        {
            if (false) {
                uint _e201 = s_3;
                uint _e205 = s_3;
                Wide _e207 = held.inner[_e205];
                uint _e209 = s_3;
                Wide _e211 = weights.inner[_e209];
                uint _e213 = s_3;
                Wide _e215 = biases.inner[_e213];
                store(_e12, member + (_e201 * TEAM), ((_e207 * factor) * _e211) + _e215, params, out, _buffer_sizes);
            } else {
                uint _e217 = s_3;
                uint _e221 = s_3;
                Wide _e223 = held.inner[_e221];
                finish(_e12, member + (_e217 * TEAM), _e223 * factor, params, weight, bias, out, _buffer_sizes);
            }
        }
    }
    if (false) {
        bool loop_init_8 = true;
        while(true) {
            if (!loop_init_8) {
                uint _e287 = first_1;
                first_1 = _e287 + 128u;
            }
            loop_init_8 = false;
            uint _e238 = first_1;
            if (_e238 <= _e12.last) {
            } else {
                break;
            }
            {
                uint _e241 = first_1;
                uint j_10 = _e241 + member;
                Wide _e244 = load(_e12, j_10, 0.0, params, x_3, _buffer_sizes);
                Wide _e248 = load(_e12, j_10 + TEAM, 0.0, params, x_3, _buffer_sizes);
                Wide _e255 = load(_e12, j_10 + 64u, 0.0, params, x_3, _buffer_sizes);
                Wide _e262 = load(_e12, j_10 + 96u, 0.0, params, x_3, _buffer_sizes);
                float _e263 = mean;
                finish(_e12, j_10, (_e244 - _e263) * factor, params, weight, bias, out, _buffer_sizes);
                float _e268 = mean;
                finish(_e12, j_10 + TEAM, (_e248 - _e268) * factor, params, weight, bias, out, _buffer_sizes);
                float _e276 = mean;
                finish(_e12, j_10 + 64u, (_e255 - _e276) * factor, params, weight, bias, out, _buffer_sizes);
                float _e284 = mean;
                finish(_e12, j_10 + 96u, (_e262 - _e284) * factor, params, weight, bias, out, _buffer_sizes);
            }
        }
        return;
    } else {
        return;
    }
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint asked [[threads_per_simdgroup]]
, uint subgroup [[simdgroup_index_in_threadgroup]]
, uint own [[thread_index_in_simdgroup]]
, threadgroup type_1& parts
, constant Params& params [[buffer(7)]]
, device type_4 const& x_3 [[buffer(0)]]
, device type_4 const& weight [[buffer(3)]]
, device type_4 const& bias [[buffer(5)]]
, device type_4& out [[buffer(1)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(8)]]
) {
    uint size = false ? SUBGROUP : asked;
    rows((group.y * groups.x) + group.x, Me {(subgroup * size) + own, size, subgroup, own}, parts, params, x_3, weight, bias, out, _buffer_sizes);
    return;
}
