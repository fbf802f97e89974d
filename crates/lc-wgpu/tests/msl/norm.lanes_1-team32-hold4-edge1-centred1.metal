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

typedef float Element;
typedef float Wide;
struct Me {
    uint lane;
};
struct type_1 {
    Wide inner[256];
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
constant uint FEW = 16u;
constant uint GROUP = 256u;
constant uint TEAM = 32u;
constant uint STEP = 1u;
constant uint EDGE = 1u;
constant uint HOLD = 4u;
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
    bool widest_1,
    threadgroup type_1& parts
) {
    uint count = TEAM;
    Wide some = {};
    uint i = 1u;
    Wide all = {};
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
        uint own = first_2 + (naga_mod(member, FEW) * STEP);
        Wide _e34 = parts.inner[own];
        some = _e34;
        bool loop_init = true;
        while(true) {
            if (!loop_init) {
                uint _e57 = i;
                i = _e57 + 1u;
            }
            loop_init = false;
            uint _e38 = i;
            if (_e38 < 2u) {
            } else {
                break;
            }
            {
                Wide _e45 = some;
                uint _e47 = i;
                Wide _e54 = parts.inner[own + ((_e47 * FEW) * STEP)];
                Wide _e55 = join(_e45, _e54, widest_1);
                some = _e55;
            }
        }
        metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        Wide _e62 = some;
        parts.inner[me.lane] = _e62;
        metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    }
    Wide _e65 = parts.inner[first_2];
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
            Wide _e72 = all;
            uint _e74 = i_1;
            Wide _e79 = parts.inner[first_2 + (_e74 * STEP)];
            Wide _e80 = join(_e72, _e79, widest_1);
            all = _e80;
        }
    }
    Wide _e84 = all;
    return _e84;
}

Wide team_total(
    Me me_1,
    Wide x_1,
    uint turn,
    threadgroup type_1& parts
) {
    Wide _e4 = combine(me_1, x_1, false, parts);
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
        out[row_7.result + (j_7 * _e9)] = static_cast<float>(v_1);
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
    float sum = 0.0;
    Rest rest_1 = Rest {0.0, 0.0, 0.0};
    uint first = 128u;
    float mean = 0.0;
    float squares = 0.0;
    uint first_1 = 128u;
    Row _e12 = row_at((number * 8u) + naga_div(me_2.lane, TEAM), params);
    uint member_1 = naga_mod(me_2.lane, TEAM);
    uint _e18 = params.extent;
    float count_2 = static_cast<float>(_e18);
    Wide _e71 = load(_e12, member_1, 0.0, params, x_3, _buffer_sizes);
    h0_ = _e71;
    float _e72 = sum;
    Wide _e73 = h0_;
    sum = _e72 + _e73;
    if (true) {
        Wide _e82 = load(_e12, member_1 + TEAM, 0.0, params, x_3, _buffer_sizes);
        h1_ = _e82;
        float _e83 = sum;
        Wide _e84 = h1_;
        sum = _e83 + _e84;
    }
    if (true) {
        Wide _e96 = load(_e12, member_1 + 64u, 0.0, params, x_3, _buffer_sizes);
        h2_ = _e96;
        float _e97 = sum;
        Wide _e98 = h2_;
        sum = _e97 + _e98;
    }
    if (true) {
        Wide _e110 = load(_e12, member_1 + 96u, 0.0, params, x_3, _buffer_sizes);
        h3_ = _e110;
        float _e111 = sum;
        Wide _e112 = h3_;
        sum = _e111 + _e112;
    }
    if (false) {
        Wide _e124 = load(_e12, member_1 + 128u, 0.0, params, x_3, _buffer_sizes);
        h4_ = _e124;
        float _e125 = sum;
        Wide _e126 = h4_;
        sum = _e125 + _e126;
    }
    if (false) {
        Wide _e138 = load(_e12, member_1 + 160u, 0.0, params, x_3, _buffer_sizes);
        h5_ = _e138;
        float _e139 = sum;
        Wide _e140 = h5_;
        sum = _e139 + _e140;
    }
    if (false) {
        Wide _e152 = load(_e12, member_1 + 192u, 0.0, params, x_3, _buffer_sizes);
        h6_ = _e152;
        float _e153 = sum;
        Wide _e154 = h6_;
        sum = _e153 + _e154;
    }
    if (false) {
        Wide _e166 = load(_e12, member_1 + 224u, 0.0, params, x_3, _buffer_sizes);
        h7_ = _e166;
        float _e167 = sum;
        Wide _e168 = h7_;
        sum = _e167 + _e168;
    }
    if (false) {
        Wide _e180 = load(_e12, member_1 + 256u, 0.0, params, x_3, _buffer_sizes);
        h8_ = _e180;
        float _e181 = sum;
        Wide _e182 = h8_;
        sum = _e181 + _e182;
    }
    if (false) {
        Wide _e194 = load(_e12, member_1 + 288u, 0.0, params, x_3, _buffer_sizes);
        h9_ = _e194;
        float _e195 = sum;
        Wide _e196 = h9_;
        sum = _e195 + _e196;
    }
    if (false) {
        Wide _e208 = load(_e12, member_1 + 320u, 0.0, params, x_3, _buffer_sizes);
        h10_ = _e208;
        float _e209 = sum;
        Wide _e210 = h10_;
        sum = _e209 + _e210;
    }
    if (false) {
        Wide _e222 = load(_e12, member_1 + 352u, 0.0, params, x_3, _buffer_sizes);
        h11_ = _e222;
        float _e223 = sum;
        Wide _e224 = h11_;
        sum = _e223 + _e224;
    }
    if (false) {
        Wide _e236 = load(_e12, member_1 + 384u, 0.0, params, x_3, _buffer_sizes);
        h12_ = _e236;
        float _e237 = sum;
        Wide _e238 = h12_;
        sum = _e237 + _e238;
    }
    if (false) {
        Wide _e250 = load(_e12, member_1 + 416u, 0.0, params, x_3, _buffer_sizes);
        h13_ = _e250;
        float _e251 = sum;
        Wide _e252 = h13_;
        sum = _e251 + _e252;
    }
    if (false) {
        Wide _e264 = load(_e12, member_1 + 448u, 0.0, params, x_3, _buffer_sizes);
        h14_ = _e264;
        float _e265 = sum;
        Wide _e266 = h14_;
        sum = _e265 + _e266;
    }
    if (false) {
        Wide _e278 = load(_e12, member_1 + 480u, 0.0, params, x_3, _buffer_sizes);
        h15_ = _e278;
        float _e279 = sum;
        Wide _e280 = h15_;
        sum = _e279 + _e280;
    }
    if (false) {
        Wide _e286 = factor_at(_e12, member_1, params, weight, _buffer_sizes);
        w0_ = _e286;
        Wide _e287 = shift_at(_e12, member_1, params, bias, _buffer_sizes);
        b0_ = _e287;
    }
    if (false) {
        Wide _e294 = factor_at(_e12, member_1 + TEAM, params, weight, _buffer_sizes);
        w1_ = _e294;
        Wide _e297 = shift_at(_e12, member_1 + TEAM, params, bias, _buffer_sizes);
        b1_ = _e297;
    }
    if (false) {
        Wide _e307 = factor_at(_e12, member_1 + 64u, params, weight, _buffer_sizes);
        w2_ = _e307;
        Wide _e313 = shift_at(_e12, member_1 + 64u, params, bias, _buffer_sizes);
        b2_ = _e313;
    }
    if (false) {
        Wide _e323 = factor_at(_e12, member_1 + 96u, params, weight, _buffer_sizes);
        w3_ = _e323;
        Wide _e329 = shift_at(_e12, member_1 + 96u, params, bias, _buffer_sizes);
        b3_ = _e329;
    }
    if (false) {
        Wide _e339 = factor_at(_e12, member_1 + 128u, params, weight, _buffer_sizes);
        w4_ = _e339;
        Wide _e345 = shift_at(_e12, member_1 + 128u, params, bias, _buffer_sizes);
        b4_ = _e345;
    }
    if (false) {
        Wide _e355 = factor_at(_e12, member_1 + 160u, params, weight, _buffer_sizes);
        w5_ = _e355;
        Wide _e361 = shift_at(_e12, member_1 + 160u, params, bias, _buffer_sizes);
        b5_ = _e361;
    }
    if (false) {
        Wide _e371 = factor_at(_e12, member_1 + 192u, params, weight, _buffer_sizes);
        w6_ = _e371;
        Wide _e377 = shift_at(_e12, member_1 + 192u, params, bias, _buffer_sizes);
        b6_ = _e377;
    }
    if (false) {
        Wide _e387 = factor_at(_e12, member_1 + 224u, params, weight, _buffer_sizes);
        w7_ = _e387;
        Wide _e393 = shift_at(_e12, member_1 + 224u, params, bias, _buffer_sizes);
        b7_ = _e393;
    }
    if (false) {
        Wide _e403 = factor_at(_e12, member_1 + 256u, params, weight, _buffer_sizes);
        w8_ = _e403;
        Wide _e409 = shift_at(_e12, member_1 + 256u, params, bias, _buffer_sizes);
        b8_ = _e409;
    }
    if (false) {
        Wide _e419 = factor_at(_e12, member_1 + 288u, params, weight, _buffer_sizes);
        w9_ = _e419;
        Wide _e425 = shift_at(_e12, member_1 + 288u, params, bias, _buffer_sizes);
        b9_ = _e425;
    }
    if (false) {
        Wide _e435 = factor_at(_e12, member_1 + 320u, params, weight, _buffer_sizes);
        w10_ = _e435;
        Wide _e441 = shift_at(_e12, member_1 + 320u, params, bias, _buffer_sizes);
        b10_ = _e441;
    }
    if (false) {
        Wide _e451 = factor_at(_e12, member_1 + 352u, params, weight, _buffer_sizes);
        w11_ = _e451;
        Wide _e457 = shift_at(_e12, member_1 + 352u, params, bias, _buffer_sizes);
        b11_ = _e457;
    }
    if (false) {
        Wide _e467 = factor_at(_e12, member_1 + 384u, params, weight, _buffer_sizes);
        w12_ = _e467;
        Wide _e473 = shift_at(_e12, member_1 + 384u, params, bias, _buffer_sizes);
        b12_ = _e473;
    }
    if (false) {
        Wide _e483 = factor_at(_e12, member_1 + 416u, params, weight, _buffer_sizes);
        w13_ = _e483;
        Wide _e489 = shift_at(_e12, member_1 + 416u, params, bias, _buffer_sizes);
        b13_ = _e489;
    }
    if (false) {
        Wide _e499 = factor_at(_e12, member_1 + 448u, params, weight, _buffer_sizes);
        w14_ = _e499;
        Wide _e505 = shift_at(_e12, member_1 + 448u, params, bias, _buffer_sizes);
        b14_ = _e505;
    }
    if (false) {
        Wide _e515 = factor_at(_e12, member_1 + 480u, params, weight, _buffer_sizes);
        w15_ = _e515;
        Wide _e521 = shift_at(_e12, member_1 + 480u, params, bias, _buffer_sizes);
        b15_ = _e521;
    }
    if (false) {
        bool loop_init_2 = true;
        while(true) {
            if (!loop_init_2) {
                uint _e559 = first;
                first = _e559 + 128u;
            }
            loop_init_2 = false;
            uint _e537 = first;
            if (_e537 <= _e12.last) {
            } else {
                break;
            }
            {
                uint _e540 = first;
                uint j_9 = _e540 + member_1;
                Rest _e542 = rest_1;
                Rest _e543 = add(_e542, _e12, j_9, params, x_3, _buffer_sizes);
                Rest _e546 = add(_e543, _e12, j_9 + TEAM, params, x_3, _buffer_sizes);
                Rest _e552 = add(_e546, _e12, j_9 + 64u, params, x_3, _buffer_sizes);
                Rest _e558 = add(_e552, _e12, j_9 + 96u, params, x_3, _buffer_sizes);
                rest_1 = _e558;
            }
        }
        float _e565 = sum;
        Wide _e567 = rest_1.count;
        Wide _e569 = rest_1.mean;
        sum = _e565 + (_e567 * _e569);
    }
    if (true) {
        float _e578 = sum;
        Wide _e579 = total(_e578);
        Wide _e581 = team_total(me_2, _e579, 0u, parts);
        mean = _e581 / count_2;
    }
    if (false) {
        Wide _e590 = rest_1.mean;
        float _e591 = mean;
        Wide away = _e590 - _e591;
        Wide _e594 = rest_1.squares;
        Wide _e596 = rest_1.count;
        squares = _e594 + ((_e596 * away) * away);
    }
    Wide _e600 = h0_;
    float _e601 = mean;
    Wide _e604 = only(_e12, member_1, _e600 - _e601, 0.0);
    h0_ = _e604;
    float _e605 = squares;
    Wide _e606 = h0_;
    Wide _e607 = h0_;
    squares = _e605 + (_e606 * _e607);
    if (true) {
        Wide _e616 = h1_;
        float _e617 = mean;
        Wide _e620 = only(_e12, member_1 + TEAM, _e616 - _e617, 0.0);
        h1_ = _e620;
        float _e621 = squares;
        Wide _e622 = h1_;
        Wide _e623 = h1_;
        squares = _e621 + (_e622 * _e623);
    }
    if (true) {
        Wide _e635 = h2_;
        float _e636 = mean;
        Wide _e639 = only(_e12, member_1 + 64u, _e635 - _e636, 0.0);
        h2_ = _e639;
        float _e640 = squares;
        Wide _e641 = h2_;
        Wide _e642 = h2_;
        squares = _e640 + (_e641 * _e642);
    }
    if (true) {
        Wide _e654 = h3_;
        float _e655 = mean;
        Wide _e658 = only(_e12, member_1 + 96u, _e654 - _e655, 0.0);
        h3_ = _e658;
        float _e659 = squares;
        Wide _e660 = h3_;
        Wide _e661 = h3_;
        squares = _e659 + (_e660 * _e661);
    }
    if (false) {
        Wide _e673 = h4_;
        float _e674 = mean;
        Wide _e677 = only(_e12, member_1 + 128u, _e673 - _e674, 0.0);
        h4_ = _e677;
        float _e678 = squares;
        Wide _e679 = h4_;
        Wide _e680 = h4_;
        squares = _e678 + (_e679 * _e680);
    }
    if (false) {
        Wide _e692 = h5_;
        float _e693 = mean;
        Wide _e696 = only(_e12, member_1 + 160u, _e692 - _e693, 0.0);
        h5_ = _e696;
        float _e697 = squares;
        Wide _e698 = h5_;
        Wide _e699 = h5_;
        squares = _e697 + (_e698 * _e699);
    }
    if (false) {
        Wide _e711 = h6_;
        float _e712 = mean;
        Wide _e715 = only(_e12, member_1 + 192u, _e711 - _e712, 0.0);
        h6_ = _e715;
        float _e716 = squares;
        Wide _e717 = h6_;
        Wide _e718 = h6_;
        squares = _e716 + (_e717 * _e718);
    }
    if (false) {
        Wide _e730 = h7_;
        float _e731 = mean;
        Wide _e734 = only(_e12, member_1 + 224u, _e730 - _e731, 0.0);
        h7_ = _e734;
        float _e735 = squares;
        Wide _e736 = h7_;
        Wide _e737 = h7_;
        squares = _e735 + (_e736 * _e737);
    }
    if (false) {
        Wide _e749 = h8_;
        float _e750 = mean;
        Wide _e753 = only(_e12, member_1 + 256u, _e749 - _e750, 0.0);
        h8_ = _e753;
        float _e754 = squares;
        Wide _e755 = h8_;
        Wide _e756 = h8_;
        squares = _e754 + (_e755 * _e756);
    }
    if (false) {
        Wide _e768 = h9_;
        float _e769 = mean;
        Wide _e772 = only(_e12, member_1 + 288u, _e768 - _e769, 0.0);
        h9_ = _e772;
        float _e773 = squares;
        Wide _e774 = h9_;
        Wide _e775 = h9_;
        squares = _e773 + (_e774 * _e775);
    }
    if (false) {
        Wide _e787 = h10_;
        float _e788 = mean;
        Wide _e791 = only(_e12, member_1 + 320u, _e787 - _e788, 0.0);
        h10_ = _e791;
        float _e792 = squares;
        Wide _e793 = h10_;
        Wide _e794 = h10_;
        squares = _e792 + (_e793 * _e794);
    }
    if (false) {
        Wide _e806 = h11_;
        float _e807 = mean;
        Wide _e810 = only(_e12, member_1 + 352u, _e806 - _e807, 0.0);
        h11_ = _e810;
        float _e811 = squares;
        Wide _e812 = h11_;
        Wide _e813 = h11_;
        squares = _e811 + (_e812 * _e813);
    }
    if (false) {
        Wide _e825 = h12_;
        float _e826 = mean;
        Wide _e829 = only(_e12, member_1 + 384u, _e825 - _e826, 0.0);
        h12_ = _e829;
        float _e830 = squares;
        Wide _e831 = h12_;
        Wide _e832 = h12_;
        squares = _e830 + (_e831 * _e832);
    }
    if (false) {
        Wide _e844 = h13_;
        float _e845 = mean;
        Wide _e848 = only(_e12, member_1 + 416u, _e844 - _e845, 0.0);
        h13_ = _e848;
        float _e849 = squares;
        Wide _e850 = h13_;
        Wide _e851 = h13_;
        squares = _e849 + (_e850 * _e851);
    }
    if (false) {
        Wide _e863 = h14_;
        float _e864 = mean;
        Wide _e867 = only(_e12, member_1 + 448u, _e863 - _e864, 0.0);
        h14_ = _e867;
        float _e868 = squares;
        Wide _e869 = h14_;
        Wide _e870 = h14_;
        squares = _e868 + (_e869 * _e870);
    }
    if (false) {
        Wide _e882 = h15_;
        float _e883 = mean;
        Wide _e886 = only(_e12, member_1 + 480u, _e882 - _e883, 0.0);
        h15_ = _e886;
        float _e887 = squares;
        Wide _e888 = h15_;
        Wide _e889 = h15_;
        squares = _e887 + (_e888 * _e889);
    }
    float _e892 = squares;
    Wide _e893 = total(_e892);
    Wide _e895 = team_total(me_2, _e893, 1u, parts);
    float _e899 = params.eps;
    float factor = 1.0 / metal::sqrt((_e895 / count_2) + _e899);
    if (false) {
        Wide _e908 = h0_;
        Wide _e910 = w0_;
        Wide _e912 = b0_;
        store(_e12, member_1, ((_e908 * factor) * _e910) + _e912, params, out, _buffer_sizes);
    } else {
        if (true) {
            Wide _e918 = h0_;
            finish(_e12, member_1, _e918 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e926 = h1_;
        Wide _e928 = w1_;
        Wide _e930 = b1_;
        store(_e12, member_1 + TEAM, ((_e926 * factor) * _e928) + _e930, params, out, _buffer_sizes);
    } else {
        if (true) {
            Wide _e938 = h1_;
            finish(_e12, member_1 + TEAM, _e938 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e949 = h2_;
        Wide _e951 = w2_;
        Wide _e953 = b2_;
        store(_e12, member_1 + 64u, ((_e949 * factor) * _e951) + _e953, params, out, _buffer_sizes);
    } else {
        if (true) {
            Wide _e964 = h2_;
            finish(_e12, member_1 + 64u, _e964 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e975 = h3_;
        Wide _e977 = w3_;
        Wide _e979 = b3_;
        store(_e12, member_1 + 96u, ((_e975 * factor) * _e977) + _e979, params, out, _buffer_sizes);
    } else {
        if (true) {
            Wide _e990 = h3_;
            finish(_e12, member_1 + 96u, _e990 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1001 = h4_;
        Wide _e1003 = w4_;
        Wide _e1005 = b4_;
        store(_e12, member_1 + 128u, ((_e1001 * factor) * _e1003) + _e1005, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1016 = h4_;
            finish(_e12, member_1 + 128u, _e1016 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1027 = h5_;
        Wide _e1029 = w5_;
        Wide _e1031 = b5_;
        store(_e12, member_1 + 160u, ((_e1027 * factor) * _e1029) + _e1031, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1042 = h5_;
            finish(_e12, member_1 + 160u, _e1042 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1053 = h6_;
        Wide _e1055 = w6_;
        Wide _e1057 = b6_;
        store(_e12, member_1 + 192u, ((_e1053 * factor) * _e1055) + _e1057, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1068 = h6_;
            finish(_e12, member_1 + 192u, _e1068 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1079 = h7_;
        Wide _e1081 = w7_;
        Wide _e1083 = b7_;
        store(_e12, member_1 + 224u, ((_e1079 * factor) * _e1081) + _e1083, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1094 = h7_;
            finish(_e12, member_1 + 224u, _e1094 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1105 = h8_;
        Wide _e1107 = w8_;
        Wide _e1109 = b8_;
        store(_e12, member_1 + 256u, ((_e1105 * factor) * _e1107) + _e1109, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1120 = h8_;
            finish(_e12, member_1 + 256u, _e1120 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1131 = h9_;
        Wide _e1133 = w9_;
        Wide _e1135 = b9_;
        store(_e12, member_1 + 288u, ((_e1131 * factor) * _e1133) + _e1135, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1146 = h9_;
            finish(_e12, member_1 + 288u, _e1146 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1157 = h10_;
        Wide _e1159 = w10_;
        Wide _e1161 = b10_;
        store(_e12, member_1 + 320u, ((_e1157 * factor) * _e1159) + _e1161, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1172 = h10_;
            finish(_e12, member_1 + 320u, _e1172 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1183 = h11_;
        Wide _e1185 = w11_;
        Wide _e1187 = b11_;
        store(_e12, member_1 + 352u, ((_e1183 * factor) * _e1185) + _e1187, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1198 = h11_;
            finish(_e12, member_1 + 352u, _e1198 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1209 = h12_;
        Wide _e1211 = w12_;
        Wide _e1213 = b12_;
        store(_e12, member_1 + 384u, ((_e1209 * factor) * _e1211) + _e1213, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1224 = h12_;
            finish(_e12, member_1 + 384u, _e1224 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1235 = h13_;
        Wide _e1237 = w13_;
        Wide _e1239 = b13_;
        store(_e12, member_1 + 416u, ((_e1235 * factor) * _e1237) + _e1239, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1250 = h13_;
            finish(_e12, member_1 + 416u, _e1250 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1261 = h14_;
        Wide _e1263 = w14_;
        Wide _e1265 = b14_;
        store(_e12, member_1 + 448u, ((_e1261 * factor) * _e1263) + _e1265, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1276 = h14_;
            finish(_e12, member_1 + 448u, _e1276 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        Wide _e1287 = h15_;
        Wide _e1289 = w15_;
        Wide _e1291 = b15_;
        store(_e12, member_1 + 480u, ((_e1287 * factor) * _e1289) + _e1291, params, out, _buffer_sizes);
    } else {
        if (false) {
            Wide _e1302 = h15_;
            finish(_e12, member_1 + 480u, _e1302 * factor, params, weight, bias, out, _buffer_sizes);
        }
    }
    if (false) {
        bool loop_init_3 = true;
        while(true) {
            if (!loop_init_3) {
                uint _e1363 = first_1;
                first_1 = _e1363 + 128u;
            }
            loop_init_3 = false;
            uint _e1314 = first_1;
            if (_e1314 <= _e12.last) {
            } else {
                break;
            }
            {
                uint _e1317 = first_1;
                uint j_10 = _e1317 + member_1;
                Wide _e1320 = load(_e12, j_10, 0.0, params, x_3, _buffer_sizes);
                Wide _e1324 = load(_e12, j_10 + TEAM, 0.0, params, x_3, _buffer_sizes);
                Wide _e1331 = load(_e12, j_10 + 64u, 0.0, params, x_3, _buffer_sizes);
                Wide _e1338 = load(_e12, j_10 + 96u, 0.0, params, x_3, _buffer_sizes);
                float _e1339 = mean;
                finish(_e12, j_10, (_e1320 - _e1339) * factor, params, weight, bias, out, _buffer_sizes);
                float _e1344 = mean;
                finish(_e12, j_10 + TEAM, (_e1324 - _e1344) * factor, params, weight, bias, out, _buffer_sizes);
                float _e1352 = mean;
                finish(_e12, j_10 + 64u, (_e1331 - _e1352) * factor, params, weight, bias, out, _buffer_sizes);
                float _e1360 = mean;
                finish(_e12, j_10 + 96u, (_e1338 - _e1360) * factor, params, weight, bias, out, _buffer_sizes);
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
, threadgroup type_1& parts
, constant Params& params [[buffer(7)]]
, device type_4 const& x_3 [[buffer(0)]]
, device type_4 const& weight [[buffer(3)]]
, device type_4 const& bias [[buffer(5)]]
, device type_4& out [[buffer(1)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(8)]]
) {
    rows((group.y * groups.x) + group.x, Me {lane}, parts, params, x_3, weight, bias, out, _buffer_sizes);
    return;
}
