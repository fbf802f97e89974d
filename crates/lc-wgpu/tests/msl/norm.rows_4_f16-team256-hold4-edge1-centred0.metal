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

typedef half Element;
typedef metal::float4 Wide;
typedef metal::half4 Stored;
struct Me {
    uint lane;
};
typedef float Part;
struct type_2 {
    Part inner[256];
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
struct type_10 {
    Wide inner[16];
};
constant uint FEW = 16u;
constant uint MOST = 16u;
constant uint GROUP = 256u;
constant uint TEAM = 256u;
constant uint STEP = 1u;
constant uint EDGE = 1u;
constant uint HOLD = 4u;
constant uint AHEAD = 0u;
constant uint LONG = 0u;
constant uint CENTRED = 0u;

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
    bool widest_1,
    threadgroup type_2& parts
) {
    uint count = TEAM;
    Part some = {};
    uint i = 1u;
    Part all = {};
    uint i_1 = 1u;
    if (false) {
        return x;
    }
    uint member = naga_mod(naga_div(me.lane, STEP), TEAM);
    uint first_2 = me.lane - (member * STEP);
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    parts.inner[me.lane] = x;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    if (true) {
        count = FEW;
        uint own_1 = first_2 + (naga_mod(member, FEW) * STEP);
        Part _e34 = parts.inner[own_1];
        some = _e34;
        bool loop_init = true;
        while(true) {
            if (!loop_init) {
                uint _e57 = i;
                i = _e57 + 1u;
            }
            loop_init = false;
            uint _e38 = i;
            if (_e38 < 16u) {
            } else {
                break;
            }
            {
                Part _e45 = some;
                uint _e47 = i;
                Part _e54 = parts.inner[own_1 + ((_e47 * FEW) * STEP)];
                Part _e55 = join(_e45, _e54, widest_1);
                some = _e55;
            }
        }
        metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        Part _e62 = some;
        parts.inner[me.lane] = _e62;
        metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    }
    Part _e65 = parts.inner[first_2];
    all = _e65;
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e82 = i_1;
            i_1 = _e82 + 1u;
        }
        loop_init_1 = false;
        uint _e69 = i_1;
        uint _e70 = count;
        if (_e69 < _e70) {
        } else {
            break;
        }
        {
            Part _e72 = all;
            uint _e74 = i_1;
            Part _e79 = parts.inner[first_2 + (_e74 * STEP)];
            Part _e80 = join(_e72, _e79, widest_1);
            all = _e80;
        }
    }
    Part _e84 = all;
    return _e84;
}

Part team_total(
    Me me_1,
    Part x_1,
    uint turn,
    threadgroup type_2& parts
) {
    Part _e4 = combine(me_1, x_1, false, parts);
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
    metal::bool4 own = metal::bool4(true);
    if (true) {
        own = metal::bool4((4u * j_1) < row_1.extent);
    } else {
        if (false) {
            metal::bool4 _e20 = inside(row_1, j_1);
            own = _e20;
        }
    }
    metal::bool4 _e22 = own;
    return metal::select(metal::float4(fill), v, _e22);
}

Wide load(
    Row row_2,
    uint j_2,
    float fill_1,
    device type_6 const& x_3,
    constant _mslBufferSizes& _buffer_sizes
) {
    Stored _e14 = x_3[row_2.source + (false ? j_2 : metal::min(j_2, row_2.last))];
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
        return static_cast<metal::float4>(metal::half4(_e15, _e19, _e23, _e27));
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
        return static_cast<metal::float4>(metal::half4(_e15, _e19, _e23, _e27));
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
    if (true) {
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
        out[row_9.result + j_9] = static_cast<metal::half4>(v_1);
        return;
    } else {
        if (false) {
            uint at_2 = 4u * (row_9.result + j_9);
            if (_e3.x) {
                out_1_[at_2] = static_cast<half>(v_1.x);
            }
            if (_e3.y) {
                out_1_[at_2 + 1u] = static_cast<half>(v_1.y);
            }
            if (_e3.z) {
                out_1_[at_2 + 2u] = static_cast<half>(v_1.z);
            }
            if (_e3.w) {
                out_1_[at_2 + 3u] = static_cast<half>(v_1.w);
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
    type_10 held = {};
    type_10 weights = {};
    type_10 biases = {};
    metal::float4 sum = metal::float4(0.0);
    uint s = 0u;
    uint s_1 = 0u;
    Rest rest_1 = Rest {metal::float4(0.0), metal::float4(0.0), metal::float4(0.0)};
    uint first = 1024u;
    float mean = 0.0;
    metal::float4 squares = metal::float4(0.0);
    uint s_2 = 0u;
    uint s_3 = 0u;
    uint first_1 = 1024u;
    Row _e12 = row_at((number * 1u) + naga_div(me_2.lane, TEAM), params);
    uint member_1 = naga_mod(me_2.lane, TEAM);
    uint _e18 = params.extent;
    float count_2 = static_cast<float>(_e18);
    bool loop_init_2 = true;
    while(true) {
        if (!loop_init_2) {
            uint _e45 = s;
            s = _e45 + 1u;
        }
        loop_init_2 = false;
        uint _e28 = s;
        if (_e28 < HOLD) {
        } else {
            break;
        }
        {
            uint _e31 = s;
            uint _e33 = s;
            Wide _e38 = load(_e12, member_1 + (_e33 * TEAM), 0.0, x_3, _buffer_sizes);
            held.inner[_e31] = _e38;
            metal::float4 _e39 = sum;
            uint _e40 = s;
            Wide _e42 = held.inner[_e40];
            sum = _e39 + _e42;
        }
    }
    if (false) {
        bool loop_init_3 = true;
        while(true) {
            if (!loop_init_3) {
                uint _e71 = s_1;
                s_1 = _e71 + 1u;
            }
            loop_init_3 = false;
            uint _e53 = s_1;
            if (_e53 < HOLD) {
            } else {
                break;
            }
            {
                uint _e56 = s_1;
                uint _e58 = s_1;
                Wide _e62 = factor_at(_e12, member_1 + (_e58 * TEAM), params, weight_1_, weight, _buffer_sizes);
                weights.inner[_e56] = _e62;
                uint _e63 = s_1;
                uint _e65 = s_1;
                Wide _e69 = shift_at(_e12, member_1 + (_e65 * TEAM), params, bias_1_, bias, _buffer_sizes);
                biases.inner[_e63] = _e69;
            }
        }
    }
    if (false) {
        bool loop_init_4 = true;
        while(true) {
            if (!loop_init_4) {
                uint _e113 = first;
                first = _e113 + 1024u;
            }
            loop_init_4 = false;
            uint _e91 = first;
            if (_e91 <= _e12.last) {
            } else {
                break;
            }
            {
                uint _e94 = first;
                uint j_11 = _e94 + member_1;
                Rest _e96 = rest_1;
                Rest _e97 = add(_e96, _e12, j_11, x_3, _buffer_sizes);
                Rest _e100 = add(_e97, _e12, j_11 + TEAM, x_3, _buffer_sizes);
                Rest _e106 = add(_e100, _e12, j_11 + 512u, x_3, _buffer_sizes);
                Rest _e112 = add(_e106, _e12, j_11 + 768u, x_3, _buffer_sizes);
                rest_1 = _e112;
            }
        }
        metal::float4 _e119 = sum;
        Wide _e121 = rest_1.count;
        Wide _e123 = rest_1.mean;
        sum = _e119 + (_e121 * _e123);
    }
    if (false) {
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
    bool loop_init_5 = true;
    while(true) {
        if (!loop_init_5) {
            uint _e185 = s_2;
            s_2 = _e185 + 1u;
        }
        loop_init_5 = false;
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
            Wide _e174 = only(_e12, member_1 + (_e163 * TEAM), _e169 - metal::float4(_e170), 0.0);
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
    bool loop_init_6 = true;
    while(true) {
        if (!loop_init_6) {
            uint _e233 = s_3;
            s_3 = _e233 + 1u;
        }
        loop_init_6 = false;
        uint _e201 = s_3;
        if (_e201 < HOLD) {
        } else {
            break;
        }
        {
            if (false) {
                uint _e208 = s_3;
                uint _e212 = s_3;
                Wide _e214 = held.inner[_e212];
                uint _e216 = s_3;
                Wide _e218 = weights.inner[_e216];
                uint _e220 = s_3;
                Wide _e222 = biases.inner[_e220];
                store(_e12, member_1 + (_e208 * TEAM), ((_e214 * factor) * _e218) + _e222, out, out_1_, _buffer_sizes);
            } else {
                uint _e224 = s_3;
                uint _e228 = s_3;
                Wide _e230 = held.inner[_e228];
                finish(_e12, member_1 + (_e224 * TEAM), _e230 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
            }
        }
    }
    if (false) {
        bool loop_init_7 = true;
        while(true) {
            if (!loop_init_7) {
                uint _e298 = first_1;
                first_1 = _e298 + 1024u;
            }
            loop_init_7 = false;
            uint _e245 = first_1;
            if (_e245 <= _e12.last) {
            } else {
                break;
            }
            {
                uint _e248 = first_1;
                uint j_12 = _e248 + member_1;
                Wide _e251 = load(_e12, j_12, 0.0, x_3, _buffer_sizes);
                Wide _e255 = load(_e12, j_12 + TEAM, 0.0, x_3, _buffer_sizes);
                Wide _e262 = load(_e12, j_12 + 512u, 0.0, x_3, _buffer_sizes);
                Wide _e269 = load(_e12, j_12 + 768u, 0.0, x_3, _buffer_sizes);
                float _e270 = mean;
                finish(_e12, j_12, (_e251 - metal::float4(_e270)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
                float _e276 = mean;
                finish(_e12, j_12 + TEAM, (_e255 - metal::float4(_e276)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
                float _e285 = mean;
                finish(_e12, j_12 + 512u, (_e262 - metal::float4(_e285)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
                float _e294 = mean;
                finish(_e12, j_12 + 768u, (_e269 - metal::float4(_e294)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
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
, uint lane [[thread_index_in_threadgroup]]
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
    rows((group.y * groups.x) + group.x, Me {lane}, parts, params, x_3, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
    return;
}
