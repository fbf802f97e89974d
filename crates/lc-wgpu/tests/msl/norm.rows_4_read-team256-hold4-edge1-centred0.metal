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
constant uint FEW = 16u;
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
    Wide h0_ = {};
    Wide h1_ = {};
    Wide h2_ = {};
    Wide h3_ = {};
    Wide h4_ = {};
    Wide h5_ = {};
    Wide h6_ = {};
    Wide h7_ = {};
    Wide h8_ = {};
    Wide h9_ = {};
    Wide h10_ = {};
    Wide h11_ = {};
    Wide h12_ = {};
    Wide h13_ = {};
    Wide h14_ = {};
    Wide h15_ = {};
    Wide w0_ = {};
    Wide w1_ = {};
    Wide w2_ = {};
    Wide w3_ = {};
    Wide w4_ = {};
    Wide w5_ = {};
    Wide w6_ = {};
    Wide w7_ = {};
    Wide w8_ = {};
    Wide w9_ = {};
    Wide w10_ = {};
    Wide w11_ = {};
    Wide w12_ = {};
    Wide w13_ = {};
    Wide w14_ = {};
    Wide w15_ = {};
    Wide b0_ = {};
    Wide b1_ = {};
    Wide b2_ = {};
    Wide b3_ = {};
    Wide b4_ = {};
    Wide b5_ = {};
    Wide b6_ = {};
    Wide b7_ = {};
    Wide b8_ = {};
    Wide b9_ = {};
    Wide b10_ = {};
    Wide b11_ = {};
    Wide b12_ = {};
    Wide b13_ = {};
    Wide b14_ = {};
    Wide b15_ = {};
    metal::float4 sum = metal::float4(0.0);
    Rest rest_1 = Rest {metal::float4(0.0), metal::float4(0.0), metal::float4(0.0)};
    uint first = 1024u;
    float mean = 0.0;
    metal::float4 squares = metal::float4(0.0);
    uint first_1 = 1024u;
    Row _e12 = row_at((number * 1u) + naga_div(me_2.lane, TEAM), params);
    uint member_1 = naga_mod(me_2.lane, TEAM);
    uint _e18 = params.extent;
    float count_2 = static_cast<float>(_e18);
    Wide _e72 = load(_e12, member_1, 0.0, x_3, _buffer_sizes);
    h0_ = _e72;
    metal::float4 _e73 = sum;
    Wide _e74 = h0_;
    sum = _e73 + _e74;
    if (true) {
        Wide _e83 = load(_e12, member_1 + TEAM, 0.0, x_3, _buffer_sizes);
        h1_ = _e83;
        metal::float4 _e84 = sum;
        Wide _e85 = h1_;
        sum = _e84 + _e85;
    }
    if (true) {
        Wide _e97 = load(_e12, member_1 + 512u, 0.0, x_3, _buffer_sizes);
        h2_ = _e97;
        metal::float4 _e98 = sum;
        Wide _e99 = h2_;
        sum = _e98 + _e99;
    }
    if (true) {
        Wide _e111 = load(_e12, member_1 + 768u, 0.0, x_3, _buffer_sizes);
        h3_ = _e111;
        metal::float4 _e112 = sum;
        Wide _e113 = h3_;
        sum = _e112 + _e113;
    }
    if (false) {
        Wide _e125 = load(_e12, member_1 + 1024u, 0.0, x_3, _buffer_sizes);
        h4_ = _e125;
        metal::float4 _e126 = sum;
        Wide _e127 = h4_;
        sum = _e126 + _e127;
    }
    if (false) {
        Wide _e139 = load(_e12, member_1 + 1280u, 0.0, x_3, _buffer_sizes);
        h5_ = _e139;
        metal::float4 _e140 = sum;
        Wide _e141 = h5_;
        sum = _e140 + _e141;
    }
    if (false) {
        Wide _e153 = load(_e12, member_1 + 1536u, 0.0, x_3, _buffer_sizes);
        h6_ = _e153;
        metal::float4 _e154 = sum;
        Wide _e155 = h6_;
        sum = _e154 + _e155;
    }
    if (false) {
        Wide _e167 = load(_e12, member_1 + 1792u, 0.0, x_3, _buffer_sizes);
        h7_ = _e167;
        metal::float4 _e168 = sum;
        Wide _e169 = h7_;
        sum = _e168 + _e169;
    }
    if (false) {
        Wide _e181 = load(_e12, member_1 + 2048u, 0.0, x_3, _buffer_sizes);
        h8_ = _e181;
        metal::float4 _e182 = sum;
        Wide _e183 = h8_;
        sum = _e182 + _e183;
    }
    if (false) {
        Wide _e195 = load(_e12, member_1 + 2304u, 0.0, x_3, _buffer_sizes);
        h9_ = _e195;
        metal::float4 _e196 = sum;
        Wide _e197 = h9_;
        sum = _e196 + _e197;
    }
    if (false) {
        Wide _e209 = load(_e12, member_1 + 2560u, 0.0, x_3, _buffer_sizes);
        h10_ = _e209;
        metal::float4 _e210 = sum;
        Wide _e211 = h10_;
        sum = _e210 + _e211;
    }
    if (false) {
        Wide _e223 = load(_e12, member_1 + 2816u, 0.0, x_3, _buffer_sizes);
        h11_ = _e223;
        metal::float4 _e224 = sum;
        Wide _e225 = h11_;
        sum = _e224 + _e225;
    }
    if (false) {
        Wide _e237 = load(_e12, member_1 + 3072u, 0.0, x_3, _buffer_sizes);
        h12_ = _e237;
        metal::float4 _e238 = sum;
        Wide _e239 = h12_;
        sum = _e238 + _e239;
    }
    if (false) {
        Wide _e251 = load(_e12, member_1 + 3328u, 0.0, x_3, _buffer_sizes);
        h13_ = _e251;
        metal::float4 _e252 = sum;
        Wide _e253 = h13_;
        sum = _e252 + _e253;
    }
    if (false) {
        Wide _e265 = load(_e12, member_1 + 3584u, 0.0, x_3, _buffer_sizes);
        h14_ = _e265;
        metal::float4 _e266 = sum;
        Wide _e267 = h14_;
        sum = _e266 + _e267;
    }
    if (false) {
        Wide _e279 = load(_e12, member_1 + 3840u, 0.0, x_3, _buffer_sizes);
        h15_ = _e279;
        metal::float4 _e280 = sum;
        Wide _e281 = h15_;
        sum = _e280 + _e281;
    }
    if (false) {
        Wide _e287 = factor_at(_e12, member_1, params, weight_1_, weight, _buffer_sizes);
        w0_ = _e287;
        Wide _e288 = shift_at(_e12, member_1, params, bias_1_, bias, _buffer_sizes);
        b0_ = _e288;
    }
    if (false) {
        Wide _e295 = factor_at(_e12, member_1 + TEAM, params, weight_1_, weight, _buffer_sizes);
        w1_ = _e295;
        Wide _e298 = shift_at(_e12, member_1 + TEAM, params, bias_1_, bias, _buffer_sizes);
        b1_ = _e298;
    }
    if (false) {
        Wide _e308 = factor_at(_e12, member_1 + 512u, params, weight_1_, weight, _buffer_sizes);
        w2_ = _e308;
        Wide _e314 = shift_at(_e12, member_1 + 512u, params, bias_1_, bias, _buffer_sizes);
        b2_ = _e314;
    }
    if (false) {
        Wide _e324 = factor_at(_e12, member_1 + 768u, params, weight_1_, weight, _buffer_sizes);
        w3_ = _e324;
        Wide _e330 = shift_at(_e12, member_1 + 768u, params, bias_1_, bias, _buffer_sizes);
        b3_ = _e330;
    }
    if (false) {
        Wide _e340 = factor_at(_e12, member_1 + 1024u, params, weight_1_, weight, _buffer_sizes);
        w4_ = _e340;
        Wide _e346 = shift_at(_e12, member_1 + 1024u, params, bias_1_, bias, _buffer_sizes);
        b4_ = _e346;
    }
    if (false) {
        Wide _e356 = factor_at(_e12, member_1 + 1280u, params, weight_1_, weight, _buffer_sizes);
        w5_ = _e356;
        Wide _e362 = shift_at(_e12, member_1 + 1280u, params, bias_1_, bias, _buffer_sizes);
        b5_ = _e362;
    }
    if (false) {
        Wide _e372 = factor_at(_e12, member_1 + 1536u, params, weight_1_, weight, _buffer_sizes);
        w6_ = _e372;
        Wide _e378 = shift_at(_e12, member_1 + 1536u, params, bias_1_, bias, _buffer_sizes);
        b6_ = _e378;
    }
    if (false) {
        Wide _e388 = factor_at(_e12, member_1 + 1792u, params, weight_1_, weight, _buffer_sizes);
        w7_ = _e388;
        Wide _e394 = shift_at(_e12, member_1 + 1792u, params, bias_1_, bias, _buffer_sizes);
        b7_ = _e394;
    }
    if (false) {
        Wide _e404 = factor_at(_e12, member_1 + 2048u, params, weight_1_, weight, _buffer_sizes);
        w8_ = _e404;
        Wide _e410 = shift_at(_e12, member_1 + 2048u, params, bias_1_, bias, _buffer_sizes);
        b8_ = _e410;
    }
    if (false) {
        Wide _e420 = factor_at(_e12, member_1 + 2304u, params, weight_1_, weight, _buffer_sizes);
        w9_ = _e420;
        Wide _e426 = shift_at(_e12, member_1 + 2304u, params, bias_1_, bias, _buffer_sizes);
        b9_ = _e426;
    }
    if (false) {
        Wide _e436 = factor_at(_e12, member_1 + 2560u, params, weight_1_, weight, _buffer_sizes);
        w10_ = _e436;
        Wide _e442 = shift_at(_e12, member_1 + 2560u, params, bias_1_, bias, _buffer_sizes);
        b10_ = _e442;
    }
    if (false) {
        Wide _e452 = factor_at(_e12, member_1 + 2816u, params, weight_1_, weight, _buffer_sizes);
        w11_ = _e452;
        Wide _e458 = shift_at(_e12, member_1 + 2816u, params, bias_1_, bias, _buffer_sizes);
        b11_ = _e458;
    }
    if (false) {
        Wide _e468 = factor_at(_e12, member_1 + 3072u, params, weight_1_, weight, _buffer_sizes);
        w12_ = _e468;
        Wide _e474 = shift_at(_e12, member_1 + 3072u, params, bias_1_, bias, _buffer_sizes);
        b12_ = _e474;
    }
    if (false) {
        Wide _e484 = factor_at(_e12, member_1 + 3328u, params, weight_1_, weight, _buffer_sizes);
        w13_ = _e484;
        Wide _e490 = shift_at(_e12, member_1 + 3328u, params, bias_1_, bias, _buffer_sizes);
        b13_ = _e490;
    }
    if (false) {
        Wide _e500 = factor_at(_e12, member_1 + 3584u, params, weight_1_, weight, _buffer_sizes);
        w14_ = _e500;
        Wide _e506 = shift_at(_e12, member_1 + 3584u, params, bias_1_, bias, _buffer_sizes);
        b14_ = _e506;
    }
    if (false) {
        Wide _e516 = factor_at(_e12, member_1 + 3840u, params, weight_1_, weight, _buffer_sizes);
        w15_ = _e516;
        Wide _e522 = shift_at(_e12, member_1 + 3840u, params, bias_1_, bias, _buffer_sizes);
        b15_ = _e522;
    }
    if (false) {
        bool loop_init_2 = true;
        while(true) {
            if (!loop_init_2) {
                uint _e563 = first;
                first = _e563 + 1024u;
            }
            loop_init_2 = false;
            uint _e541 = first;
            if (_e541 <= _e12.last) {
            } else {
                break;
            }
            {
                uint _e544 = first;
                uint j_11 = _e544 + member_1;
                Rest _e546 = rest_1;
                Rest _e547 = add(_e546, _e12, j_11, x_3, _buffer_sizes);
                Rest _e550 = add(_e547, _e12, j_11 + TEAM, x_3, _buffer_sizes);
                Rest _e556 = add(_e550, _e12, j_11 + 512u, x_3, _buffer_sizes);
                Rest _e562 = add(_e556, _e12, j_11 + 768u, x_3, _buffer_sizes);
                rest_1 = _e562;
            }
        }
        metal::float4 _e569 = sum;
        Wide _e571 = rest_1.count;
        Wide _e573 = rest_1.mean;
        sum = _e569 + (_e571 * _e573);
    }
    if (false) {
        metal::float4 _e582 = sum;
        Part _e583 = total(_e582);
        Part _e585 = team_total(me_2, _e583, 0u, parts);
        mean = _e585 / count_2;
    }
    if (false) {
        Wide _e595 = rest_1.mean;
        float _e596 = mean;
        Wide away = _e595 - metal::float4(_e596);
        Wide _e600 = rest_1.squares;
        Wide _e602 = rest_1.count;
        squares = _e600 + ((_e602 * away) * away);
    }
    Wide _e606 = h0_;
    float _e607 = mean;
    Wide _e611 = only(_e12, member_1, _e606 - metal::float4(_e607), 0.0);
    h0_ = _e611;
    metal::float4 _e612 = squares;
    Wide _e613 = h0_;
    Wide _e614 = h0_;
    squares = _e612 + (_e613 * _e614);
    if (true) {
        Wide _e623 = h1_;
        float _e624 = mean;
        Wide _e628 = only(_e12, member_1 + TEAM, _e623 - metal::float4(_e624), 0.0);
        h1_ = _e628;
        metal::float4 _e629 = squares;
        Wide _e630 = h1_;
        Wide _e631 = h1_;
        squares = _e629 + (_e630 * _e631);
    }
    if (true) {
        Wide _e643 = h2_;
        float _e644 = mean;
        Wide _e648 = only(_e12, member_1 + 512u, _e643 - metal::float4(_e644), 0.0);
        h2_ = _e648;
        metal::float4 _e649 = squares;
        Wide _e650 = h2_;
        Wide _e651 = h2_;
        squares = _e649 + (_e650 * _e651);
    }
    if (true) {
        Wide _e663 = h3_;
        float _e664 = mean;
        Wide _e668 = only(_e12, member_1 + 768u, _e663 - metal::float4(_e664), 0.0);
        h3_ = _e668;
        metal::float4 _e669 = squares;
        Wide _e670 = h3_;
        Wide _e671 = h3_;
        squares = _e669 + (_e670 * _e671);
    }
    if (false) {
        Wide _e683 = h4_;
        float _e684 = mean;
        Wide _e688 = only(_e12, member_1 + 1024u, _e683 - metal::float4(_e684), 0.0);
        h4_ = _e688;
        metal::float4 _e689 = squares;
        Wide _e690 = h4_;
        Wide _e691 = h4_;
        squares = _e689 + (_e690 * _e691);
    }
    if (false) {
        Wide _e703 = h5_;
        float _e704 = mean;
        Wide _e708 = only(_e12, member_1 + 1280u, _e703 - metal::float4(_e704), 0.0);
        h5_ = _e708;
        metal::float4 _e709 = squares;
        Wide _e710 = h5_;
        Wide _e711 = h5_;
        squares = _e709 + (_e710 * _e711);
    }
    if (false) {
        Wide _e723 = h6_;
        float _e724 = mean;
        Wide _e728 = only(_e12, member_1 + 1536u, _e723 - metal::float4(_e724), 0.0);
        h6_ = _e728;
        metal::float4 _e729 = squares;
        Wide _e730 = h6_;
        Wide _e731 = h6_;
        squares = _e729 + (_e730 * _e731);
    }
    if (false) {
        Wide _e743 = h7_;
        float _e744 = mean;
        Wide _e748 = only(_e12, member_1 + 1792u, _e743 - metal::float4(_e744), 0.0);
        h7_ = _e748;
        metal::float4 _e749 = squares;
        Wide _e750 = h7_;
        Wide _e751 = h7_;
        squares = _e749 + (_e750 * _e751);
    }
    if (false) {
        Wide _e763 = h8_;
        float _e764 = mean;
        Wide _e768 = only(_e12, member_1 + 2048u, _e763 - metal::float4(_e764), 0.0);
        h8_ = _e768;
        metal::float4 _e769 = squares;
        Wide _e770 = h8_;
        Wide _e771 = h8_;
        squares = _e769 + (_e770 * _e771);
    }
    if (false) {
        Wide _e783 = h9_;
        float _e784 = mean;
        Wide _e788 = only(_e12, member_1 + 2304u, _e783 - metal::float4(_e784), 0.0);
        h9_ = _e788;
        metal::float4 _e789 = squares;
        Wide _e790 = h9_;
        Wide _e791 = h9_;
        squares = _e789 + (_e790 * _e791);
    }
    if (false) {
        Wide _e803 = h10_;
        float _e804 = mean;
        Wide _e808 = only(_e12, member_1 + 2560u, _e803 - metal::float4(_e804), 0.0);
        h10_ = _e808;
        metal::float4 _e809 = squares;
        Wide _e810 = h10_;
        Wide _e811 = h10_;
        squares = _e809 + (_e810 * _e811);
    }
    if (false) {
        Wide _e823 = h11_;
        float _e824 = mean;
        Wide _e828 = only(_e12, member_1 + 2816u, _e823 - metal::float4(_e824), 0.0);
        h11_ = _e828;
        metal::float4 _e829 = squares;
        Wide _e830 = h11_;
        Wide _e831 = h11_;
        squares = _e829 + (_e830 * _e831);
    }
    if (false) {
        Wide _e843 = h12_;
        float _e844 = mean;
        Wide _e848 = only(_e12, member_1 + 3072u, _e843 - metal::float4(_e844), 0.0);
        h12_ = _e848;
        metal::float4 _e849 = squares;
        Wide _e850 = h12_;
        Wide _e851 = h12_;
        squares = _e849 + (_e850 * _e851);
    }
    if (false) {
        Wide _e863 = h13_;
        float _e864 = mean;
        Wide _e868 = only(_e12, member_1 + 3328u, _e863 - metal::float4(_e864), 0.0);
        h13_ = _e868;
        metal::float4 _e869 = squares;
        Wide _e870 = h13_;
        Wide _e871 = h13_;
        squares = _e869 + (_e870 * _e871);
    }
    if (false) {
        Wide _e883 = h14_;
        float _e884 = mean;
        Wide _e888 = only(_e12, member_1 + 3584u, _e883 - metal::float4(_e884), 0.0);
        h14_ = _e888;
        metal::float4 _e889 = squares;
        Wide _e890 = h14_;
        Wide _e891 = h14_;
        squares = _e889 + (_e890 * _e891);
    }
    if (false) {
        Wide _e903 = h15_;
        float _e904 = mean;
        Wide _e908 = only(_e12, member_1 + 3840u, _e903 - metal::float4(_e904), 0.0);
        h15_ = _e908;
        metal::float4 _e909 = squares;
        Wide _e910 = h15_;
        Wide _e911 = h15_;
        squares = _e909 + (_e910 * _e911);
    }
    metal::float4 _e914 = squares;
    Part _e915 = total(_e914);
    Part _e917 = team_total(me_2, _e915, 1u, parts);
    float _e921 = params.eps;
    float factor = 1.0 / metal::sqrt((_e917 / count_2) + _e921);
    if (false) {
        Wide _e930 = h0_;
        Wide _e932 = w0_;
        Wide _e934 = b0_;
        store(_e12, member_1, ((_e930 * factor) * _e932) + _e934, out, out_1_, _buffer_sizes);
    } else {
        if (true) {
            Wide _e940 = h0_;
            finish(_e12, member_1, _e940 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e948 = h1_;
        Wide _e950 = w1_;
        Wide _e952 = b1_;
        store(_e12, member_1 + TEAM, ((_e948 * factor) * _e950) + _e952, out, out_1_, _buffer_sizes);
    } else {
        if (true) {
            Wide _e960 = h1_;
            finish(_e12, member_1 + TEAM, _e960 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e971 = h2_;
        Wide _e973 = w2_;
        Wide _e975 = b2_;
        store(_e12, member_1 + 512u, ((_e971 * factor) * _e973) + _e975, out, out_1_, _buffer_sizes);
    } else {
        if (true) {
            Wide _e986 = h2_;
            finish(_e12, member_1 + 512u, _e986 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e997 = h3_;
        Wide _e999 = w3_;
        Wide _e1001 = b3_;
        store(_e12, member_1 + 768u, ((_e997 * factor) * _e999) + _e1001, out, out_1_, _buffer_sizes);
    } else {
        if (true) {
            Wide _e1012 = h3_;
            finish(_e12, member_1 + 768u, _e1012 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1023 = h4_;
        Wide _e1025 = w4_;
        Wide _e1027 = b4_;
        store(_e12, member_1 + 1024u, ((_e1023 * factor) * _e1025) + _e1027, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1038 = h4_;
            finish(_e12, member_1 + 1024u, _e1038 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1049 = h5_;
        Wide _e1051 = w5_;
        Wide _e1053 = b5_;
        store(_e12, member_1 + 1280u, ((_e1049 * factor) * _e1051) + _e1053, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1064 = h5_;
            finish(_e12, member_1 + 1280u, _e1064 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1075 = h6_;
        Wide _e1077 = w6_;
        Wide _e1079 = b6_;
        store(_e12, member_1 + 1536u, ((_e1075 * factor) * _e1077) + _e1079, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1090 = h6_;
            finish(_e12, member_1 + 1536u, _e1090 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1101 = h7_;
        Wide _e1103 = w7_;
        Wide _e1105 = b7_;
        store(_e12, member_1 + 1792u, ((_e1101 * factor) * _e1103) + _e1105, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1116 = h7_;
            finish(_e12, member_1 + 1792u, _e1116 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1127 = h8_;
        Wide _e1129 = w8_;
        Wide _e1131 = b8_;
        store(_e12, member_1 + 2048u, ((_e1127 * factor) * _e1129) + _e1131, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1142 = h8_;
            finish(_e12, member_1 + 2048u, _e1142 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1153 = h9_;
        Wide _e1155 = w9_;
        Wide _e1157 = b9_;
        store(_e12, member_1 + 2304u, ((_e1153 * factor) * _e1155) + _e1157, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1168 = h9_;
            finish(_e12, member_1 + 2304u, _e1168 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1179 = h10_;
        Wide _e1181 = w10_;
        Wide _e1183 = b10_;
        store(_e12, member_1 + 2560u, ((_e1179 * factor) * _e1181) + _e1183, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1194 = h10_;
            finish(_e12, member_1 + 2560u, _e1194 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1205 = h11_;
        Wide _e1207 = w11_;
        Wide _e1209 = b11_;
        store(_e12, member_1 + 2816u, ((_e1205 * factor) * _e1207) + _e1209, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1220 = h11_;
            finish(_e12, member_1 + 2816u, _e1220 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1231 = h12_;
        Wide _e1233 = w12_;
        Wide _e1235 = b12_;
        store(_e12, member_1 + 3072u, ((_e1231 * factor) * _e1233) + _e1235, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1246 = h12_;
            finish(_e12, member_1 + 3072u, _e1246 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1257 = h13_;
        Wide _e1259 = w13_;
        Wide _e1261 = b13_;
        store(_e12, member_1 + 3328u, ((_e1257 * factor) * _e1259) + _e1261, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1272 = h13_;
            finish(_e12, member_1 + 3328u, _e1272 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1283 = h14_;
        Wide _e1285 = w14_;
        Wide _e1287 = b14_;
        store(_e12, member_1 + 3584u, ((_e1283 * factor) * _e1285) + _e1287, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1298 = h14_;
            finish(_e12, member_1 + 3584u, _e1298 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1309 = h15_;
        Wide _e1311 = w15_;
        Wide _e1313 = b15_;
        store(_e12, member_1 + 3840u, ((_e1309 * factor) * _e1311) + _e1313, out, out_1_, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1324 = h15_;
            finish(_e12, member_1 + 3840u, _e1324 * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
        }
    }
    if (false) {
        bool loop_init_3 = true;
        while(true) {
            if (!loop_init_3) {
                uint _e1389 = first_1;
                first_1 = _e1389 + 1024u;
            }
            loop_init_3 = false;
            uint _e1336 = first_1;
            if (_e1336 <= _e12.last) {
            } else {
                break;
            }
            {
                uint _e1339 = first_1;
                uint j_12 = _e1339 + member_1;
                Wide _e1342 = load(_e12, j_12, 0.0, x_3, _buffer_sizes);
                Wide _e1346 = load(_e12, j_12 + TEAM, 0.0, x_3, _buffer_sizes);
                Wide _e1353 = load(_e12, j_12 + 512u, 0.0, x_3, _buffer_sizes);
                Wide _e1360 = load(_e12, j_12 + 768u, 0.0, x_3, _buffer_sizes);
                float _e1361 = mean;
                finish(_e12, j_12, (_e1342 - metal::float4(_e1361)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
                float _e1367 = mean;
                finish(_e12, j_12 + TEAM, (_e1346 - metal::float4(_e1367)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
                float _e1376 = mean;
                finish(_e12, j_12 + 512u, (_e1353 - metal::float4(_e1376)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
                float _e1385 = mean;
                finish(_e12, j_12 + 768u, (_e1360 - metal::float4(_e1385)) * factor, params, weight_1_, weight, bias_1_, bias, out, out_1_, _buffer_sizes);
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
