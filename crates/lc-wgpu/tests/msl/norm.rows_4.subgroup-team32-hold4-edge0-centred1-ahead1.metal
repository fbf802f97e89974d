// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size2;
    uint size3;
    uint size4;
    uint size5;
    uint size6;
    uint size7;
    uint size8;
};

typedef float Element;
typedef metal::float4 Wide;
typedef metal::float4 Stored;
struct Me {
    uint lane;
    uint size;
    uint subgroup;
    uint own;
};
typedef float Part;
struct type_2 {
    Part inner[128];
};
struct Row {
    uint source;
    uint result;
    uint last;
    uint skew;
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
typedef Stored type_6[1];
typedef Element type_7[1];
struct Rest {
    Wide count;
    Wide mean;
    Wide squares;
};
struct type_9 {
    Wide inner[16];
};
constant uint MOST = 16u;
constant uint GROUP = 256u;
constant uint TEAM = 32u;
constant uint STEP = 1u;
constant uint SUBGROUP = 0u;
constant uint PARTS = 64u;
constant uint PLACES = 128u;
constant uint EDGE = 0u;
constant uint HOLD = 4u;
constant uint AHEAD = 1u;
constant uint LONG = 0u;
constant uint CENTRED = 1u;

Part join(
    Part a,
    Part b,
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

Part combine(
    Me me,
    Part x,
    uint turn,
    bool widest_1,
    threadgroup type_2& parts
) {
    Part all = {};
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
            Part _e16 = all;
            Part _e17 = all;
            uint _e18 = apart;
            Part unnamed = metal::simd_shuffle_xor(_e17, _e18);
            Part _e20 = join(_e16, unnamed, widest_1);
            all = _e20;
        }
    }
    if (32u > me.size) {
        uint count = naga_div(32u, me.size) * STEP;
        if (me.own < STEP) {
            Part _e43 = all;
            parts.inner[((turn * PARTS) + (me.subgroup * STEP)) + me.own] = _e43;
        }
        metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        uint first_2 = (turn * PARTS) + (naga_div(me.lane, 32u) * count);
        Part _e55 = parts.inner[first_2 + naga_mod(me.own, count)];
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
                Part _e62 = all;
                uint _e64 = i;
                Part _e67 = parts.inner[first_2 + _e64];
                Part _e68 = join(_e62, _e67, widest_1);
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
                Part _e78 = all;
                Part _e79 = all;
                uint _e80 = apart_1;
                Part unnamed_1 = metal::simd_shuffle_xor(_e79, _e80);
                Part _e82 = join(_e78, unnamed_1, widest_1);
                all = _e82;
            }
        }
    }
    Part _e86 = all;
    return _e86;
}

Part team_total(
    Me me_1,
    Part x_1,
    uint turn_1,
    threadgroup type_2& parts
) {
    Part _e4 = combine(me_1, x_1, turn_1, false, parts);
    return _e4;
}

Row row_at(
    uint index,
    constant Params& params
) {
    uint _e3 = params.rows;
    uint _e9 = params.extent;
    uint start = metal::min(index, _e3 - 1u) * _e9;
    uint _e14 = params.first_x;
    uint skew = false ? naga_mod(_e14 + start, 4u) : 0u;
    uint _e26 = params.extent;
    uint _e29 = params.rows;
    uint extent = (index < _e29) ? _e26 : 0u;
    uint _e34 = params.extent;
    uint last = naga_div((skew + _e34) - 1u, 4u);
    uint _e42 = params.first_x;
    uint _e49 = params.first_out;
    return Row {naga_div((_e42 + start) - skew, 4u), naga_div((_e49 + start) - skew, 4u), last, skew, extent};
}

metal::bool4 inside(
    Row row,
    uint j
) {
    return (metal::uint4((4u * j) - row.skew) + metal::uint4(0u, 1u, 2u, 3u)) < metal::uint4(row.extent);
}

Wide only(
    Row row_1,
    uint j_1,
    Wide v,
    float fill
) {
    metal::bool4 own_1 = metal::bool4(true);
    if (false) {
        own_1 = metal::bool4((4u * j_1) < row_1.extent);
    } else {
        if (false) {
            metal::bool4 _e20 = inside(row_1, j_1);
            own_1 = _e20;
        }
    }
    metal::bool4 _e22 = own_1;
    return metal::select(metal::float4(fill), v, _e22);
}

Wide load(
    Row row_2,
    uint j_2,
    float fill_1,
    device type_6 const& x_3,
    constant _mslBufferSizes& _buffer_sizes
) {
    Stored _e14 = x_3[row_2.source + (true ? j_2 : metal::min(j_2, row_2.last))];
    Wide _e16 = only(row_2, j_2, static_cast<metal::float4>(_e14), fill_1);
    return _e16;
}

metal::uint4 columns(
    Row row_3,
    uint j_3,
    constant Params& params
) {
    metal::uint4 own_2 = metal::uint4((4u * j_3) - row_3.skew) + metal::uint4(0u, 1u, 2u, 3u);
    uint _e15 = params.extent;
    return metal::min(own_2, metal::uint4(_e15 - 1u));
}

Wide weight_at(
    Row row_4,
    uint j_4,
    constant Params& params,
    device type_7 const& weight_1_,
    device type_6 const& weight,
    constant _mslBufferSizes& _buffer_sizes
) {
    if (false) {
        metal::uint4 _e6 = columns(row_4, j_4, params);
        uint _e9 = params.first_weight;
        metal::uint4 at = _e6 + metal::uint4(_e9);
        Element _e15 = weight_1_[at.x];
        Element _e19 = weight_1_[at.y];
        Element _e23 = weight_1_[at.z];
        Element _e27 = weight_1_[at.w];
        return static_cast<metal::float4>(metal::float4(_e15, _e19, _e23, _e27));
    }
    uint _e33 = params.first_weight;
    Stored _e40 = weight[naga_div(_e33, 4u) + metal::min(j_4, row_4.last)];
    return static_cast<metal::float4>(_e40);
}

Wide factor_at(
    Row row_5,
    uint j_5,
    constant Params& params,
    device type_7 const& weight_1_,
    device type_6 const& weight,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e4 = params.has;
    if ((_e4 & 1u) != 0u) {
        Wide _e9 = weight_at(row_5, j_5, params, weight_1_, weight, _buffer_sizes);
        return _e9;
    }
    return metal::float4(1.0);
}

Wide bias_at(
    Row row_6,
    uint j_6,
    constant Params& params,
    device type_7 const& bias_1_,
    device type_6 const& bias,
    constant _mslBufferSizes& _buffer_sizes
) {
    if (false) {
        metal::uint4 _e6 = columns(row_6, j_6, params);
        uint _e9 = params.first_bias;
        metal::uint4 at_1 = _e6 + metal::uint4(_e9);
        Element _e15 = bias_1_[at_1.x];
        Element _e19 = bias_1_[at_1.y];
        Element _e23 = bias_1_[at_1.z];
        Element _e27 = bias_1_[at_1.w];
        return static_cast<metal::float4>(metal::float4(_e15, _e19, _e23, _e27));
    }
    uint _e33 = params.first_bias;
    Stored _e40 = bias[naga_div(_e33, 4u) + metal::min(j_6, row_6.last)];
    return static_cast<metal::float4>(_e40);
}

Wide shift_at(
    Row row_7,
    uint j_7,
    constant Params& params,
    device type_7 const& bias_1_,
    device type_6 const& bias,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e4 = params.has;
    if ((_e4 & 2u) != 0u) {
        Wide _e9 = bias_at(row_7, j_7, params, bias_1_, bias, _buffer_sizes);
        return _e9;
    }
    return metal::float4(0.0);
}

Rest add(
    Rest rest,
    Row row_8,
    uint j_8,
    device type_6 const& x_3,
    constant _mslBufferSizes& _buffer_sizes
) {
    Wide _e4 = load(row_8, j_8, 0.0, x_3, _buffer_sizes);
    Wide _e9 = only(row_8, j_8, metal::float4(1.0), 0.0);
    Wide count_1 = rest.count + _e9;
    if (false) {
        return Rest {count_1, rest.mean, rest.squares + (_e4 * _e4)};
    }
    Wide _e23 = only(row_8, j_8, _e4 - rest.mean, 0.0);
    Wide mean_1 = rest.mean + (_e23 / metal::max(count_1, metal::float4(1.0)));
    Wide _e33 = only(row_8, j_8, _e4 - mean_1, 0.0);
    return Rest {count_1, mean_1, rest.squares + (_e23 * _e33)};
}

Part total(
    Wide x_2
) {
    return (x_2.x + x_2.y) + (x_2.z + x_2.w);
}

void store(
    Row row_9,
    uint j_9,
    Wide v_1,
    device type_6& out,
    device type_7& out_1_,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::bool4 _e3 = inside(row_9, j_9);
    if (false ? metal::all(_e3) : ((4u * j_9) < row_9.extent)) {
        out[row_9.result + j_9] = static_cast<metal::float4>(v_1);
        return;
    } else {
        if (false) {
            uint at_2 = 4u * (row_9.result + j_9);
            if (_e3.x) {
                out_1_[at_2] = static_cast<float>(v_1.x);
            }
            if (_e3.y) {
                out_1_[at_2 + 1u] = static_cast<float>(v_1.y);
            }
            if (_e3.z) {
                out_1_[at_2 + 2u] = static_cast<float>(v_1.z);
            }
            if (_e3.w) {
                out_1_[at_2 + 3u] = static_cast<float>(v_1.w);
                return;
            } else {
                return;
            }
        } else {
            return;
        }
    }
}

void finish(
    Row row_10,
    uint j_10,
    Wide normal,
    constant Params& params,
    device type_7 const& weight_1_,
    device type_6 const& weight,
    device type_7 const& bias_1_,
    device type_6 const& bias,
    device type_6& out,
    device type_7& out_1_,
    constant _mslBufferSizes& _buffer_sizes
) {
    Wide _e3 = factor_at(row_10, j_10, params, weight_1_, weight, _buffer_sizes);
    Wide _e5 = shift_at(row_10, j_10, params, bias_1_, bias, _buffer_sizes);
    store(row_10, j_10, (normal * _e3) + _e5, out, out_1_, _buffer_sizes);
    return;
}

void rows(
    uint number,
    Me me_2,
    threadgroup type_2& parts,
    constant Params& params,
    device type_6 const& x_3,
    device type_7 const& weight_1_,
    device type_6 const& weight,
    device type_7 const& bias_1_,
    device type_6 const& bias,
    device type_6& out,
    device type_7& out_1_,
    constant _mslBufferSizes& _buffer_sizes
) {
    type_9 held = {};
    type_9 weights = {};
    type_9 biases = {};
    metal::float4 sum = metal::float4(0.0);
    uint s = 0u;
    uint s_1 = 0u;
    Rest rest_1 = Rest {metal::float4(0.0), metal::float4(0.0), metal::float4(0.0)};
    uint first = 128u;
    float mean = 0.0;
    metal::float4 squares = metal::float4(0.0);
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
            uint _e45 = s;
            s = _e45 + 1u;
        }
        loop_init_3 = false;
        uint _e28 = s;
        if (_e28 < HOLD) {
        } else {
            break;
        }
        {
            uint _e31 = s;
            uint _e33 = s;
            Wide _e38 = load(_e12, member + (_e33 * TEAM), 0.0, x_3, _buffer_sizes);
            held.inner[_e31] = _e38;
            metal::float4 _e39 = sum;
            uint _e40 = s;
            Wide _e42 = held.inner[_e40];
            sum = _e39 + _e42;
        }
    }
    if (true) {
        bool loop_init_4 = true;
        while(true) {
            if (!loop_init_4) {
                uint _e71 = s_1;
                s_1 = _e71 + 1u;
            }
            loop_init_4 = false;
            uint _e53 = s_1;
            if (_e53 < HOLD) {
            } else {
                break;
            }
            {
                uint _e56 = s_1;
                uint _e58 = s_1;
                Wide _e62 = factor_at(_e12, member + (_e58 * TEAM), params, weight_1_, weight, _buffer_sizes);
                weights.inner[_e56] = _e62;
                uint _e63 = s_1;
                uint _e65 = s_1;
                Wide _e69 = shift_at(_e12, member + (_e65 * TEAM), params, bias_1_, bias, _buffer_sizes);
                biases.inner[_e63] = _e69;
            }
        }
    }
    if (false) {
        bool loop_init_5 = true;
        while(true) {
            if (!loop_init_5) {
                uint _e113 = first;
                first = _e113 + 128u;
            }
            loop_init_5 = false;
            uint _e91 = first;
            if (_e91 <= _e12.last) {
            } else {
                break;
            }
            {
                uint _e94 = first;
                uint j_11 = _e94 + member;
                Rest _e96 = rest_1;
                Rest _e97 = add(_e96, _e12, j_11, x_3, _buffer_sizes);
                Rest _e100 = add(_e97, _e12, j_11 + TEAM, x_3, _buffer_sizes);
                Rest _e106 = add(_e100, _e12, j_11 + 64u, x_3, _buffer_sizes);
                Rest _e112 = add(_e106, _e12, j_11 + 96u, x_3, _buffer_sizes);
                rest_1 = _e112;
            }
        }
        metal::float4 _e119 = sum;
        Wide _e121 = rest_1.count;
        Wide _e123 = rest_1.mean;
        sum = _e119 + (_e121 * _e123);
    }
    if (true) {
        metal::float4 _e132 = sum;
        Part _e133 = total(_e132);
        Part _e135 = team_total(me_2, _e133, 0u, parts);
        mean = _e135 / count_2;
    }
    if (false) {
        Wide _e145 = rest_1.mean;
        float _e146 = mean;
        Wide away = _e145 - metal::float4(_e146);
        Wide _e150 = rest_1.squares;
        Wide _e152 = rest_1.count;
        squares = _e150 + ((_e152 * away) * away);
    }
    bool loop_init_6 = true;
    while(true) {
        if (!loop_init_6) {
            uint _e185 = s_2;
            s_2 = _e185 + 1u;
        }
        loop_init_6 = false;
        uint _e158 = s_2;
        if (_e158 < HOLD) {
        } else {
            break;
        }
        {
            uint _e161 = s_2;
            uint _e163 = s_2;
            uint _e167 = s_2;
            Wide _e169 = held.inner[_e167];
            float _e170 = mean;
            Wide _e174 = only(_e12, member + (_e163 * TEAM), _e169 - metal::float4(_e170), 0.0);
            held.inner[_e161] = _e174;
            metal::float4 _e175 = squares;
            uint _e176 = s_2;
            Wide _e178 = held.inner[_e176];
            uint _e179 = s_2;
            Wide _e181 = held.inner[_e179];
            squares = _e175 + (_e178 * _e181);
        }
    }
    metal::float4 _e187 = squares;
    Part _e188 = total(_e187);
    Part _e190 = team_total(me_2, _e188, 1u, parts);
    float _e194 = params.eps;
    float factor = 1.0 / metal::sqrt((_e190 / count_2) + _e194);
    bool loop_init_7 = true;
    while(true) {
        if (!loop_init_7) {
            uint _e233 = s_3;
            s_3 = _e233 + 1u;
        }
        loop_init_7 = false;
        uint _e201 = s_3;
        if (_e201 < HOLD) {
        } else {
            break;
        }
        {
            if (true) {
                uint _e208 = s_3;
                uint _e212 = s_3;
                Wide _e214 = held.inner[_e212];
                uint _e216 = s_3;
                Wide _e218 = weights.inner[_e216];
                uint _e220 = s_3;
                Wide _e222 = biases.inner[_e220];
                store(_e12, member + (_e208 * TEAM), ((_e214 * factor) * _e218) + _e222, out, out_1_, _buffer_sizes);
            } else {
                uint _e224 = s_3;
                uint _e228 = s_3;
                Wide _e230 = held.inner[_e228];
                finish(_e12, member + (_e224 * TEAM), _e230 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
            }
        }
    }
    if (false) {
        bool loop_init_8 = true;
        while(true) {
            if (!loop_init_8) {
                uint _e298 = first_1;
                first_1 = _e298 + 128u;
            }
            loop_init_8 = false;
            uint _e245 = first_1;
            if (_e245 <= _e12.last) {
            } else {
                break;
            }
            {
                uint _e248 = first_1;
                uint j_12 = _e248 + member;
                Wide _e251 = load(_e12, j_12, 0.0, x_3, _buffer_sizes);
                Wide _e255 = load(_e12, j_12 + TEAM, 0.0, x_3, _buffer_sizes);
                Wide _e262 = load(_e12, j_12 + 64u, 0.0, x_3, _buffer_sizes);
                Wide _e269 = load(_e12, j_12 + 96u, 0.0, x_3, _buffer_sizes);
                float _e270 = mean;
                finish(_e12, j_12, (_e251 - metal::float4(_e270)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
                float _e276 = mean;
                finish(_e12, j_12 + TEAM, (_e255 - metal::float4(_e276)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
                float _e285 = mean;
                finish(_e12, j_12 + 64u, (_e262 - metal::float4(_e285)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
                float _e294 = mean;
                finish(_e12, j_12 + 96u, (_e269 - metal::float4(_e294)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
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
, threadgroup type_2& parts
, constant Params& params [[buffer(7)]]
, device type_6 const& x_3 [[buffer(0)]]
, device type_7 const& weight_1_ [[buffer(4)]]
, device type_6 const& weight [[buffer(3)]]
, device type_7 const& bias_1_ [[buffer(6)]]
, device type_6 const& bias [[buffer(5)]]
, device type_6& out [[buffer(1)]]
, device type_7& out_1_ [[buffer(2)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(8)]]
) {
    uint size = false ? SUBGROUP : asked;
    rows((group.y * groups.x) + group.x, Me {(subgroup * size) + own, size, subgroup, own}, parts, params, x_3, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
    return;
}
