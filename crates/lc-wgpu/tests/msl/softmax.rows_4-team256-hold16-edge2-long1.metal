// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size2;
    uint size3;
    uint size4;
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
};
typedef Stored type_6[1];
typedef Element type_7[1];
constant uint FEW = 16u;
constant uint GROUP = 256u;
constant uint TEAM = 256u;
constant uint STEP = 1u;
constant uint EDGE = 2u;
constant uint HOLD = 16u;
constant uint LONG = 1u;

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

Part team_widest(
    Me me_2,
    Part x_2,
    uint turn_1,
    threadgroup type_2& parts
) {
    Part _e4 = combine(me_2, x_2, true, parts);
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
    uint skew = true ? naga_mod(_e14 + start, 4u) : 0u;
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
    if (false) {
        own = metal::bool4((4u * j_1) < row_1.extent);
    } else {
        if (true) {
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
    device type_6 const& x_5,
    constant _mslBufferSizes& _buffer_sizes
) {
    Stored _e14 = x_5[row_2.source + (false ? j_2 : metal::min(j_2, row_2.last))];
    Wide _e16 = only(row_2, j_2, static_cast<metal::float4>(_e14), fill_1);
    return _e16;
}

Part widest_2(
    Wide x_3
) {
    return metal::max(metal::max(x_3.x, x_3.y), metal::max(x_3.z, x_3.w));
}

Part total(
    Wide x_4
) {
    return (x_4.x + x_4.y) + (x_4.z + x_4.w);
}

void store(
    Row row_3,
    uint j_3,
    Wide v_1,
    device type_6& out,
    device type_7& out_1_,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::bool4 _e3 = inside(row_3, j_3);
    if (true ? metal::all(_e3) : ((4u * j_3) < row_3.extent)) {
        out[row_3.result + j_3] = static_cast<metal::float4>(v_1);
        return;
    } else {
        if (true) {
            uint at = 4u * (row_3.result + j_3);
            if (_e3.x) {
                out_1_[at] = static_cast<float>(v_1.x);
            }
            if (_e3.y) {
                out_1_[at + 1u] = static_cast<float>(v_1.y);
            }
            if (_e3.z) {
                out_1_[at + 2u] = static_cast<float>(v_1.z);
            }
            if (_e3.w) {
                out_1_[at + 3u] = static_cast<float>(v_1.w);
                return;
            } else {
                return;
            }
        } else {
            return;
        }
    }
}

void rows(
    uint number,
    Me me_3,
    threadgroup type_2& parts,
    constant Params& params,
    device type_6 const& x_5,
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
    metal::float4 high = metal::float4(-340282350000000000000000000000000000000.0);
    metal::float4 sum = metal::float4(0.0);
    metal::float4 top = metal::float4(-340282350000000000000000000000000000000.0);
    uint first = 4096u;
    uint first_1 = 4096u;
    Row _e22 = row_at(((number * 1u) + (naga_div(me_3.lane, 256u) * STEP)) + naga_mod(me_3.lane, STEP), params);
    uint member_1 = naga_mod(naga_div(me_3.lane, STEP), TEAM);
    Wide _e48 = load(_e22, member_1, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
    h0_ = _e48;
    metal::float4 _e49 = high;
    Wide _e50 = h0_;
    high = metal::max(_e49, _e50);
    if (true) {
        Wide _e59 = load(_e22, member_1 + TEAM, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h1_ = _e59;
        metal::float4 _e60 = high;
        Wide _e61 = h1_;
        high = metal::max(_e60, _e61);
    }
    if (true) {
        Wide _e73 = load(_e22, member_1 + 512u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h2_ = _e73;
        metal::float4 _e74 = high;
        Wide _e75 = h2_;
        high = metal::max(_e74, _e75);
    }
    if (true) {
        Wide _e87 = load(_e22, member_1 + 768u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h3_ = _e87;
        metal::float4 _e88 = high;
        Wide _e89 = h3_;
        high = metal::max(_e88, _e89);
    }
    if (true) {
        Wide _e101 = load(_e22, member_1 + 1024u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h4_ = _e101;
        metal::float4 _e102 = high;
        Wide _e103 = h4_;
        high = metal::max(_e102, _e103);
    }
    if (true) {
        Wide _e115 = load(_e22, member_1 + 1280u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h5_ = _e115;
        metal::float4 _e116 = high;
        Wide _e117 = h5_;
        high = metal::max(_e116, _e117);
    }
    if (true) {
        Wide _e129 = load(_e22, member_1 + 1536u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h6_ = _e129;
        metal::float4 _e130 = high;
        Wide _e131 = h6_;
        high = metal::max(_e130, _e131);
    }
    if (true) {
        Wide _e143 = load(_e22, member_1 + 1792u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h7_ = _e143;
        metal::float4 _e144 = high;
        Wide _e145 = h7_;
        high = metal::max(_e144, _e145);
    }
    if (true) {
        Wide _e157 = load(_e22, member_1 + 2048u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h8_ = _e157;
        metal::float4 _e158 = high;
        Wide _e159 = h8_;
        high = metal::max(_e158, _e159);
    }
    if (true) {
        Wide _e171 = load(_e22, member_1 + 2304u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h9_ = _e171;
        metal::float4 _e172 = high;
        Wide _e173 = h9_;
        high = metal::max(_e172, _e173);
    }
    if (true) {
        Wide _e185 = load(_e22, member_1 + 2560u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h10_ = _e185;
        metal::float4 _e186 = high;
        Wide _e187 = h10_;
        high = metal::max(_e186, _e187);
    }
    if (true) {
        Wide _e199 = load(_e22, member_1 + 2816u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h11_ = _e199;
        metal::float4 _e200 = high;
        Wide _e201 = h11_;
        high = metal::max(_e200, _e201);
    }
    if (true) {
        Wide _e213 = load(_e22, member_1 + 3072u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h12_ = _e213;
        metal::float4 _e214 = high;
        Wide _e215 = h12_;
        high = metal::max(_e214, _e215);
    }
    if (true) {
        Wide _e227 = load(_e22, member_1 + 3328u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h13_ = _e227;
        metal::float4 _e228 = high;
        Wide _e229 = h13_;
        high = metal::max(_e228, _e229);
    }
    if (true) {
        Wide _e241 = load(_e22, member_1 + 3584u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h14_ = _e241;
        metal::float4 _e242 = high;
        Wide _e243 = h14_;
        high = metal::max(_e242, _e243);
    }
    if (true) {
        Wide _e255 = load(_e22, member_1 + 3840u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
        h15_ = _e255;
        metal::float4 _e256 = high;
        Wide _e257 = h15_;
        high = metal::max(_e256, _e257);
    }
    if (true) {
        bool loop_init_2 = true;
        while(true) {
            if (!loop_init_2) {
                uint _e342 = first;
                first = _e342 + 1024u;
            }
            loop_init_2 = false;
            uint _e275 = first;
            if (_e275 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e278 = first;
                uint j_4 = _e278 + member_1;
                Wide _e281 = load(_e22, j_4, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e285 = load(_e22, j_4 + TEAM, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e292 = load(_e22, j_4 + 512u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e299 = load(_e22, j_4 + 768u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                metal::float4 _e303 = top;
                metal::float4 higher = metal::max(metal::max(metal::max(_e281, _e285), metal::max(_e292, _e299)), _e303);
                Wide _e308 = only(_e22, j_4, metal::exp(_e281 - higher), 0.0);
                Wide _e314 = only(_e22, j_4 + TEAM, metal::exp(_e285 - higher), 0.0);
                Wide ab = _e308 + _e314;
                Wide _e324 = only(_e22, j_4 + 512u, metal::exp(_e292 - higher), 0.0);
                Wide _e333 = only(_e22, j_4 + 768u, metal::exp(_e299 - higher), 0.0);
                Wide cd = _e324 + _e333;
                metal::float4 _e335 = sum;
                metal::float4 _e336 = top;
                sum = (_e335 * metal::exp(_e336 - higher)) + (ab + cd);
                top = higher;
            }
        }
        metal::float4 _e348 = high;
        metal::float4 _e349 = top;
        high = metal::max(_e348, _e349);
    }
    metal::float4 _e351 = high;
    Part _e352 = widest_2(_e351);
    Part _e354 = team_widest(me_3, _e352, 0u, parts);
    metal::float4 all_1 = metal::float4(_e354);
    if (true) {
        metal::float4 _e360 = sum;
        metal::float4 _e361 = top;
        sum = _e360 * metal::exp(_e361 - all_1);
    }
    Wide _e365 = h0_;
    Wide _e369 = only(_e22, member_1, metal::exp(_e365 - all_1), 0.0);
    h0_ = _e369;
    metal::float4 _e370 = sum;
    Wide _e371 = h0_;
    sum = _e370 + _e371;
    if (true) {
        Wide _e379 = h1_;
        Wide _e383 = only(_e22, member_1 + TEAM, metal::exp(_e379 - all_1), 0.0);
        h1_ = _e383;
        metal::float4 _e384 = sum;
        Wide _e385 = h1_;
        sum = _e384 + _e385;
    }
    if (true) {
        Wide _e396 = h2_;
        Wide _e400 = only(_e22, member_1 + 512u, metal::exp(_e396 - all_1), 0.0);
        h2_ = _e400;
        metal::float4 _e401 = sum;
        Wide _e402 = h2_;
        sum = _e401 + _e402;
    }
    if (true) {
        Wide _e413 = h3_;
        Wide _e417 = only(_e22, member_1 + 768u, metal::exp(_e413 - all_1), 0.0);
        h3_ = _e417;
        metal::float4 _e418 = sum;
        Wide _e419 = h3_;
        sum = _e418 + _e419;
    }
    if (true) {
        Wide _e430 = h4_;
        Wide _e434 = only(_e22, member_1 + 1024u, metal::exp(_e430 - all_1), 0.0);
        h4_ = _e434;
        metal::float4 _e435 = sum;
        Wide _e436 = h4_;
        sum = _e435 + _e436;
    }
    if (true) {
        Wide _e447 = h5_;
        Wide _e451 = only(_e22, member_1 + 1280u, metal::exp(_e447 - all_1), 0.0);
        h5_ = _e451;
        metal::float4 _e452 = sum;
        Wide _e453 = h5_;
        sum = _e452 + _e453;
    }
    if (true) {
        Wide _e464 = h6_;
        Wide _e468 = only(_e22, member_1 + 1536u, metal::exp(_e464 - all_1), 0.0);
        h6_ = _e468;
        metal::float4 _e469 = sum;
        Wide _e470 = h6_;
        sum = _e469 + _e470;
    }
    if (true) {
        Wide _e481 = h7_;
        Wide _e485 = only(_e22, member_1 + 1792u, metal::exp(_e481 - all_1), 0.0);
        h7_ = _e485;
        metal::float4 _e486 = sum;
        Wide _e487 = h7_;
        sum = _e486 + _e487;
    }
    if (true) {
        Wide _e498 = h8_;
        Wide _e502 = only(_e22, member_1 + 2048u, metal::exp(_e498 - all_1), 0.0);
        h8_ = _e502;
        metal::float4 _e503 = sum;
        Wide _e504 = h8_;
        sum = _e503 + _e504;
    }
    if (true) {
        Wide _e515 = h9_;
        Wide _e519 = only(_e22, member_1 + 2304u, metal::exp(_e515 - all_1), 0.0);
        h9_ = _e519;
        metal::float4 _e520 = sum;
        Wide _e521 = h9_;
        sum = _e520 + _e521;
    }
    if (true) {
        Wide _e532 = h10_;
        Wide _e536 = only(_e22, member_1 + 2560u, metal::exp(_e532 - all_1), 0.0);
        h10_ = _e536;
        metal::float4 _e537 = sum;
        Wide _e538 = h10_;
        sum = _e537 + _e538;
    }
    if (true) {
        Wide _e549 = h11_;
        Wide _e553 = only(_e22, member_1 + 2816u, metal::exp(_e549 - all_1), 0.0);
        h11_ = _e553;
        metal::float4 _e554 = sum;
        Wide _e555 = h11_;
        sum = _e554 + _e555;
    }
    if (true) {
        Wide _e566 = h12_;
        Wide _e570 = only(_e22, member_1 + 3072u, metal::exp(_e566 - all_1), 0.0);
        h12_ = _e570;
        metal::float4 _e571 = sum;
        Wide _e572 = h12_;
        sum = _e571 + _e572;
    }
    if (true) {
        Wide _e583 = h13_;
        Wide _e587 = only(_e22, member_1 + 3328u, metal::exp(_e583 - all_1), 0.0);
        h13_ = _e587;
        metal::float4 _e588 = sum;
        Wide _e589 = h13_;
        sum = _e588 + _e589;
    }
    if (true) {
        Wide _e600 = h14_;
        Wide _e604 = only(_e22, member_1 + 3584u, metal::exp(_e600 - all_1), 0.0);
        h14_ = _e604;
        metal::float4 _e605 = sum;
        Wide _e606 = h14_;
        sum = _e605 + _e606;
    }
    if (true) {
        Wide _e617 = h15_;
        Wide _e621 = only(_e22, member_1 + 3840u, metal::exp(_e617 - all_1), 0.0);
        h15_ = _e621;
        metal::float4 _e622 = sum;
        Wide _e623 = h15_;
        sum = _e622 + _e623;
    }
    metal::float4 _e625 = sum;
    Part _e626 = total(_e625);
    Part _e628 = team_total(me_3, _e626, 1u, parts);
    metal::float4 factor = metal::float4(1.0 / _e628);
    Wide _e632 = h0_;
    store(_e22, member_1, _e632 * factor, out, out_1_, _buffer_sizes);
    if (true) {
        Wide _e640 = h1_;
        store(_e22, member_1 + TEAM, _e640 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e651 = h2_;
        store(_e22, member_1 + 512u, _e651 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e662 = h3_;
        store(_e22, member_1 + 768u, _e662 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e673 = h4_;
        store(_e22, member_1 + 1024u, _e673 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e684 = h5_;
        store(_e22, member_1 + 1280u, _e684 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e695 = h6_;
        store(_e22, member_1 + 1536u, _e695 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e706 = h7_;
        store(_e22, member_1 + 1792u, _e706 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e717 = h8_;
        store(_e22, member_1 + 2048u, _e717 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e728 = h9_;
        store(_e22, member_1 + 2304u, _e728 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e739 = h10_;
        store(_e22, member_1 + 2560u, _e739 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e750 = h11_;
        store(_e22, member_1 + 2816u, _e750 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e761 = h12_;
        store(_e22, member_1 + 3072u, _e761 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e772 = h13_;
        store(_e22, member_1 + 3328u, _e772 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e783 = h14_;
        store(_e22, member_1 + 3584u, _e783 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        Wide _e794 = h15_;
        store(_e22, member_1 + 3840u, _e794 * factor, out, out_1_, _buffer_sizes);
    }
    if (true) {
        bool loop_init_3 = true;
        while(true) {
            if (!loop_init_3) {
                uint _e855 = first_1;
                first_1 = _e855 + 1024u;
            }
            loop_init_3 = false;
            uint _e806 = first_1;
            if (_e806 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e809 = first_1;
                uint j_5 = _e809 + member_1;
                Wide _e812 = load(_e22, j_5, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e816 = load(_e22, j_5 + TEAM, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e823 = load(_e22, j_5 + 512u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e830 = load(_e22, j_5 + 768u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                store(_e22, j_5, metal::exp(_e812 - all_1) * factor, out, out_1_, _buffer_sizes);
                store(_e22, j_5 + TEAM, metal::exp(_e816 - all_1) * factor, out, out_1_, _buffer_sizes);
                store(_e22, j_5 + 512u, metal::exp(_e823 - all_1) * factor, out, out_1_, _buffer_sizes);
                store(_e22, j_5 + 768u, metal::exp(_e830 - all_1) * factor, out, out_1_, _buffer_sizes);
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
, constant Params& params [[buffer(3)]]
, device type_6 const& x_5 [[buffer(0)]]
, device type_6& out [[buffer(1)]]
, device type_7& out_1_ [[buffer(2)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(4)]]
) {
    rows((group.y * groups.x) + group.x, Me {lane}, parts, params, x_5, out, out_1_, _buffer_sizes);
    return;
}
