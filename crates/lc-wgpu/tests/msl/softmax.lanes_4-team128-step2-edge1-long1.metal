// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size2;
    uint size3;
};

typedef metal::float4 Wide;
typedef metal::float4 Stored;
struct Me {
    uint lane;
};
struct type_2 {
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
};
typedef Stored type_4[1];
constant uint FEW = 16u;
constant uint GROUP = 256u;
constant uint TEAM = 128u;
constant uint STEP = 2u;
constant uint EDGE = 1u;
constant uint HOLD = 8u;
constant uint LONG = 1u;

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
    threadgroup type_2& parts
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
            if (_e38 < 8u) {
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
    threadgroup type_2& parts
) {
    Wide _e4 = combine(me_1, x_1, false, parts);
    return _e4;
}

Wide team_widest(
    Me me_2,
    Wide x_2,
    uint turn_1,
    threadgroup type_2& parts
) {
    Wide _e4 = combine(me_2, x_2, true, parts);
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
    return _e15 ? v : metal::float4(fill);
}

Wide load(
    Row row_1,
    uint j_1,
    float fill_1,
    constant Params& params,
    device type_4 const& x_5,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e14 = params.inner;
    Stored _e18 = x_5[row_1.source + ((false ? j_1 : metal::min(j_1, row_1.last)) * _e14)];
    Wide _e20 = only(row_1, j_1, static_cast<metal::float4>(_e18), fill_1);
    return _e20;
}

Wide widest_2(
    Wide x_3
) {
    return x_3;
}

Wide total(
    Wide x_4
) {
    return x_4;
}

void store(
    Row row_2,
    uint j_2,
    Wide v_1,
    constant Params& params,
    device type_4& out,
    constant _mslBufferSizes& _buffer_sizes
) {
    if (j_2 < row_2.extent) {
        uint _e9 = params.inner;
        out[row_2.result + (j_2 * _e9)] = static_cast<metal::float4>(v_1);
        return;
    } else {
        return;
    }
}

void rows(
    uint number,
    Me me_3,
    threadgroup type_2& parts,
    constant Params& params,
    device type_4 const& x_5,
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
    metal::float4 high = metal::float4(-340282350000000000000000000000000000000.0);
    metal::float4 sum = metal::float4(0.0);
    metal::float4 top = metal::float4(-340282350000000000000000000000000000000.0);
    uint first = 1024u;
    uint first_1 = 1024u;
    Row _e22 = row_at(((number * 2u) + (naga_div(me_3.lane, 256u) * STEP)) + naga_mod(me_3.lane, STEP), params);
    uint member_1 = naga_mod(naga_div(me_3.lane, STEP), TEAM);
    Wide _e48 = load(_e22, member_1, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
    h0_ = _e48;
    metal::float4 _e49 = high;
    Wide _e50 = h0_;
    high = metal::max(_e49, _e50);
    if (true) {
        Wide _e59 = load(_e22, member_1 + TEAM, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h1_ = _e59;
        metal::float4 _e60 = high;
        Wide _e61 = h1_;
        high = metal::max(_e60, _e61);
    }
    if (true) {
        Wide _e73 = load(_e22, member_1 + 256u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h2_ = _e73;
        metal::float4 _e74 = high;
        Wide _e75 = h2_;
        high = metal::max(_e74, _e75);
    }
    if (true) {
        Wide _e87 = load(_e22, member_1 + 384u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h3_ = _e87;
        metal::float4 _e88 = high;
        Wide _e89 = h3_;
        high = metal::max(_e88, _e89);
    }
    if (true) {
        Wide _e101 = load(_e22, member_1 + 512u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h4_ = _e101;
        metal::float4 _e102 = high;
        Wide _e103 = h4_;
        high = metal::max(_e102, _e103);
    }
    if (true) {
        Wide _e115 = load(_e22, member_1 + 640u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h5_ = _e115;
        metal::float4 _e116 = high;
        Wide _e117 = h5_;
        high = metal::max(_e116, _e117);
    }
    if (true) {
        Wide _e129 = load(_e22, member_1 + 768u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h6_ = _e129;
        metal::float4 _e130 = high;
        Wide _e131 = h6_;
        high = metal::max(_e130, _e131);
    }
    if (true) {
        Wide _e143 = load(_e22, member_1 + 896u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h7_ = _e143;
        metal::float4 _e144 = high;
        Wide _e145 = h7_;
        high = metal::max(_e144, _e145);
    }
    if (false) {
        Wide _e157 = load(_e22, member_1 + 1024u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h8_ = _e157;
        metal::float4 _e158 = high;
        Wide _e159 = h8_;
        high = metal::max(_e158, _e159);
    }
    if (false) {
        Wide _e171 = load(_e22, member_1 + 1152u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h9_ = _e171;
        metal::float4 _e172 = high;
        Wide _e173 = h9_;
        high = metal::max(_e172, _e173);
    }
    if (false) {
        Wide _e185 = load(_e22, member_1 + 1280u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h10_ = _e185;
        metal::float4 _e186 = high;
        Wide _e187 = h10_;
        high = metal::max(_e186, _e187);
    }
    if (false) {
        Wide _e199 = load(_e22, member_1 + 1408u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h11_ = _e199;
        metal::float4 _e200 = high;
        Wide _e201 = h11_;
        high = metal::max(_e200, _e201);
    }
    if (false) {
        Wide _e213 = load(_e22, member_1 + 1536u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h12_ = _e213;
        metal::float4 _e214 = high;
        Wide _e215 = h12_;
        high = metal::max(_e214, _e215);
    }
    if (false) {
        Wide _e227 = load(_e22, member_1 + 1664u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h13_ = _e227;
        metal::float4 _e228 = high;
        Wide _e229 = h13_;
        high = metal::max(_e228, _e229);
    }
    if (false) {
        Wide _e241 = load(_e22, member_1 + 1792u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h14_ = _e241;
        metal::float4 _e242 = high;
        Wide _e243 = h14_;
        high = metal::max(_e242, _e243);
    }
    if (false) {
        Wide _e255 = load(_e22, member_1 + 1920u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
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
                first = _e342 + 512u;
            }
            loop_init_2 = false;
            uint _e275 = first;
            if (_e275 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e278 = first;
                uint j_3 = _e278 + member_1;
                Wide _e281 = load(_e22, j_3, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e285 = load(_e22, j_3 + TEAM, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e292 = load(_e22, j_3 + 256u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e299 = load(_e22, j_3 + 384u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                metal::float4 _e303 = top;
                metal::float4 higher = metal::max(metal::max(metal::max(_e281, _e285), metal::max(_e292, _e299)), _e303);
                Wide _e308 = only(_e22, j_3, metal::exp(_e281 - higher), 0.0);
                Wide _e314 = only(_e22, j_3 + TEAM, metal::exp(_e285 - higher), 0.0);
                Wide ab = _e308 + _e314;
                Wide _e324 = only(_e22, j_3 + 256u, metal::exp(_e292 - higher), 0.0);
                Wide _e333 = only(_e22, j_3 + 384u, metal::exp(_e299 - higher), 0.0);
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
    Wide _e352 = widest_2(_e351);
    Wide _e354 = team_widest(me_3, _e352, 0u, parts);
    metal::float4 all_1 = static_cast<metal::float4>(_e354);
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
        Wide _e400 = only(_e22, member_1 + 256u, metal::exp(_e396 - all_1), 0.0);
        h2_ = _e400;
        metal::float4 _e401 = sum;
        Wide _e402 = h2_;
        sum = _e401 + _e402;
    }
    if (true) {
        Wide _e413 = h3_;
        Wide _e417 = only(_e22, member_1 + 384u, metal::exp(_e413 - all_1), 0.0);
        h3_ = _e417;
        metal::float4 _e418 = sum;
        Wide _e419 = h3_;
        sum = _e418 + _e419;
    }
    if (true) {
        Wide _e430 = h4_;
        Wide _e434 = only(_e22, member_1 + 512u, metal::exp(_e430 - all_1), 0.0);
        h4_ = _e434;
        metal::float4 _e435 = sum;
        Wide _e436 = h4_;
        sum = _e435 + _e436;
    }
    if (true) {
        Wide _e447 = h5_;
        Wide _e451 = only(_e22, member_1 + 640u, metal::exp(_e447 - all_1), 0.0);
        h5_ = _e451;
        metal::float4 _e452 = sum;
        Wide _e453 = h5_;
        sum = _e452 + _e453;
    }
    if (true) {
        Wide _e464 = h6_;
        Wide _e468 = only(_e22, member_1 + 768u, metal::exp(_e464 - all_1), 0.0);
        h6_ = _e468;
        metal::float4 _e469 = sum;
        Wide _e470 = h6_;
        sum = _e469 + _e470;
    }
    if (true) {
        Wide _e481 = h7_;
        Wide _e485 = only(_e22, member_1 + 896u, metal::exp(_e481 - all_1), 0.0);
        h7_ = _e485;
        metal::float4 _e486 = sum;
        Wide _e487 = h7_;
        sum = _e486 + _e487;
    }
    if (false) {
        Wide _e498 = h8_;
        Wide _e502 = only(_e22, member_1 + 1024u, metal::exp(_e498 - all_1), 0.0);
        h8_ = _e502;
        metal::float4 _e503 = sum;
        Wide _e504 = h8_;
        sum = _e503 + _e504;
    }
    if (false) {
        Wide _e515 = h9_;
        Wide _e519 = only(_e22, member_1 + 1152u, metal::exp(_e515 - all_1), 0.0);
        h9_ = _e519;
        metal::float4 _e520 = sum;
        Wide _e521 = h9_;
        sum = _e520 + _e521;
    }
    if (false) {
        Wide _e532 = h10_;
        Wide _e536 = only(_e22, member_1 + 1280u, metal::exp(_e532 - all_1), 0.0);
        h10_ = _e536;
        metal::float4 _e537 = sum;
        Wide _e538 = h10_;
        sum = _e537 + _e538;
    }
    if (false) {
        Wide _e549 = h11_;
        Wide _e553 = only(_e22, member_1 + 1408u, metal::exp(_e549 - all_1), 0.0);
        h11_ = _e553;
        metal::float4 _e554 = sum;
        Wide _e555 = h11_;
        sum = _e554 + _e555;
    }
    if (false) {
        Wide _e566 = h12_;
        Wide _e570 = only(_e22, member_1 + 1536u, metal::exp(_e566 - all_1), 0.0);
        h12_ = _e570;
        metal::float4 _e571 = sum;
        Wide _e572 = h12_;
        sum = _e571 + _e572;
    }
    if (false) {
        Wide _e583 = h13_;
        Wide _e587 = only(_e22, member_1 + 1664u, metal::exp(_e583 - all_1), 0.0);
        h13_ = _e587;
        metal::float4 _e588 = sum;
        Wide _e589 = h13_;
        sum = _e588 + _e589;
    }
    if (false) {
        Wide _e600 = h14_;
        Wide _e604 = only(_e22, member_1 + 1792u, metal::exp(_e600 - all_1), 0.0);
        h14_ = _e604;
        metal::float4 _e605 = sum;
        Wide _e606 = h14_;
        sum = _e605 + _e606;
    }
    if (false) {
        Wide _e617 = h15_;
        Wide _e621 = only(_e22, member_1 + 1920u, metal::exp(_e617 - all_1), 0.0);
        h15_ = _e621;
        metal::float4 _e622 = sum;
        Wide _e623 = h15_;
        sum = _e622 + _e623;
    }
    metal::float4 _e625 = sum;
    Wide _e626 = total(_e625);
    Wide _e628 = team_total(me_3, _e626, 1u, parts);
    metal::float4 factor = static_cast<metal::float4>(metal::float4(1.0) / _e628);
    Wide _e633 = h0_;
    store(_e22, member_1, _e633 * factor, params, out, _buffer_sizes);
    if (true) {
        Wide _e641 = h1_;
        store(_e22, member_1 + TEAM, _e641 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e652 = h2_;
        store(_e22, member_1 + 256u, _e652 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e663 = h3_;
        store(_e22, member_1 + 384u, _e663 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e674 = h4_;
        store(_e22, member_1 + 512u, _e674 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e685 = h5_;
        store(_e22, member_1 + 640u, _e685 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e696 = h6_;
        store(_e22, member_1 + 768u, _e696 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e707 = h7_;
        store(_e22, member_1 + 896u, _e707 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e718 = h8_;
        store(_e22, member_1 + 1024u, _e718 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e729 = h9_;
        store(_e22, member_1 + 1152u, _e729 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e740 = h10_;
        store(_e22, member_1 + 1280u, _e740 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e751 = h11_;
        store(_e22, member_1 + 1408u, _e751 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e762 = h12_;
        store(_e22, member_1 + 1536u, _e762 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e773 = h13_;
        store(_e22, member_1 + 1664u, _e773 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e784 = h14_;
        store(_e22, member_1 + 1792u, _e784 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e795 = h15_;
        store(_e22, member_1 + 1920u, _e795 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        bool loop_init_3 = true;
        while(true) {
            if (!loop_init_3) {
                uint _e856 = first_1;
                first_1 = _e856 + 512u;
            }
            loop_init_3 = false;
            uint _e807 = first_1;
            if (_e807 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e810 = first_1;
                uint j_4 = _e810 + member_1;
                Wide _e813 = load(_e22, j_4, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e817 = load(_e22, j_4 + TEAM, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e824 = load(_e22, j_4 + 256u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e831 = load(_e22, j_4 + 384u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                store(_e22, j_4, metal::exp(_e813 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + TEAM, metal::exp(_e817 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + 256u, metal::exp(_e824 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + 384u, metal::exp(_e831 - all_1) * factor, params, out, _buffer_sizes);
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
, device type_4 const& x_5 [[buffer(0)]]
, device type_4& out [[buffer(1)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(4)]]
) {
    rows((group.y * groups.x) + group.x, Me {lane}, parts, params, x_5, out, _buffer_sizes);
    return;
}
