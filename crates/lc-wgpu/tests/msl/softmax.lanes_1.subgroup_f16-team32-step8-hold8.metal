// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size2;
    uint size3;
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
    Wide inner[1024];
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
typedef Element type_4[1];
constant uint GROUP = 256u;
constant uint TEAM = 32u;
constant uint STEP = 8u;
constant uint SUBGROUP = 0u;
constant uint PARTS = 512u;
constant uint PLACES = 1024u;
constant uint EDGE = 0u;
constant uint HOLD = 8u;
constant uint LONG = 0u;

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
        if (_e12 < metal::min(256u, me.size)) {
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
    if (256u > me.size) {
        uint count = naga_div(256u, me.size) * STEP;
        if (me.own < STEP) {
            Wide _e43 = all;
            parts.inner[((turn * PARTS) + (me.subgroup * STEP)) + me.own] = _e43;
        }
        metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        uint first_2 = (turn * PARTS) + (naga_div(me.lane, 256u) * count);
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

Wide team_widest(
    Me me_2,
    Wide x_2,
    uint turn_2,
    threadgroup type_1& parts
) {
    Wide _e4 = combine(me_2, x_2, turn_2, true, parts);
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
    if (false) {
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
    device type_4 const& x_5,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e14 = params.inner;
    Element _e18 = x_5[row_1.source + ((true ? j_1 : metal::min(j_1, row_1.last)) * _e14)];
    Wide _e20 = only(row_1, j_1, static_cast<float>(_e18), fill_1);
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
        out[row_2.result + (j_2 * _e9)] = static_cast<half>(v_1);
        return;
    } else {
        return;
    }
}

void rows(
    uint number,
    Me me_3,
    threadgroup type_1& parts,
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
    float high = -340282350000000000000000000000000000000.0;
    float sum = 0.0;
    float top = -340282350000000000000000000000000000000.0;
    uint first = 256u;
    uint first_1 = 256u;
    Row _e22 = row_at(((number * 8u) + (naga_div(me_3.lane, 256u) * STEP)) + naga_mod(me_3.lane, STEP), params);
    uint member = naga_mod(naga_div(me_3.lane, STEP), TEAM);
    Wide _e47 = load(_e22, member, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
    h0_ = _e47;
    float _e48 = high;
    Wide _e49 = h0_;
    high = metal::max(_e48, _e49);
    if (true) {
        Wide _e58 = load(_e22, member + TEAM, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h1_ = _e58;
        float _e59 = high;
        Wide _e60 = h1_;
        high = metal::max(_e59, _e60);
    }
    if (true) {
        Wide _e72 = load(_e22, member + 64u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h2_ = _e72;
        float _e73 = high;
        Wide _e74 = h2_;
        high = metal::max(_e73, _e74);
    }
    if (true) {
        Wide _e86 = load(_e22, member + 96u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h3_ = _e86;
        float _e87 = high;
        Wide _e88 = h3_;
        high = metal::max(_e87, _e88);
    }
    if (true) {
        Wide _e100 = load(_e22, member + 128u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h4_ = _e100;
        float _e101 = high;
        Wide _e102 = h4_;
        high = metal::max(_e101, _e102);
    }
    if (true) {
        Wide _e114 = load(_e22, member + 160u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h5_ = _e114;
        float _e115 = high;
        Wide _e116 = h5_;
        high = metal::max(_e115, _e116);
    }
    if (true) {
        Wide _e128 = load(_e22, member + 192u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h6_ = _e128;
        float _e129 = high;
        Wide _e130 = h6_;
        high = metal::max(_e129, _e130);
    }
    if (true) {
        Wide _e142 = load(_e22, member + 224u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h7_ = _e142;
        float _e143 = high;
        Wide _e144 = h7_;
        high = metal::max(_e143, _e144);
    }
    if (false) {
        Wide _e156 = load(_e22, member + 256u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h8_ = _e156;
        float _e157 = high;
        Wide _e158 = h8_;
        high = metal::max(_e157, _e158);
    }
    if (false) {
        Wide _e170 = load(_e22, member + 288u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h9_ = _e170;
        float _e171 = high;
        Wide _e172 = h9_;
        high = metal::max(_e171, _e172);
    }
    if (false) {
        Wide _e184 = load(_e22, member + 320u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h10_ = _e184;
        float _e185 = high;
        Wide _e186 = h10_;
        high = metal::max(_e185, _e186);
    }
    if (false) {
        Wide _e198 = load(_e22, member + 352u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h11_ = _e198;
        float _e199 = high;
        Wide _e200 = h11_;
        high = metal::max(_e199, _e200);
    }
    if (false) {
        Wide _e212 = load(_e22, member + 384u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h12_ = _e212;
        float _e213 = high;
        Wide _e214 = h12_;
        high = metal::max(_e213, _e214);
    }
    if (false) {
        Wide _e226 = load(_e22, member + 416u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h13_ = _e226;
        float _e227 = high;
        Wide _e228 = h13_;
        high = metal::max(_e227, _e228);
    }
    if (false) {
        Wide _e240 = load(_e22, member + 448u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h14_ = _e240;
        float _e241 = high;
        Wide _e242 = h14_;
        high = metal::max(_e241, _e242);
    }
    if (false) {
        Wide _e254 = load(_e22, member + 480u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
        h15_ = _e254;
        float _e255 = high;
        Wide _e256 = h15_;
        high = metal::max(_e255, _e256);
    }
    if (false) {
        bool loop_init_3 = true;
        while(true) {
            if (!loop_init_3) {
                uint _e339 = first;
                first = _e339 + 128u;
            }
            loop_init_3 = false;
            uint _e272 = first;
            if (_e272 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e275 = first;
                uint j_3 = _e275 + member;
                Wide _e278 = load(_e22, j_3, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e282 = load(_e22, j_3 + TEAM, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e289 = load(_e22, j_3 + 64u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e296 = load(_e22, j_3 + 96u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                float _e300 = top;
                float higher = metal::max(metal::max(metal::max(_e278, _e282), metal::max(_e289, _e296)), _e300);
                Wide _e305 = only(_e22, j_3, metal::exp(_e278 - higher), 0.0);
                Wide _e311 = only(_e22, j_3 + TEAM, metal::exp(_e282 - higher), 0.0);
                Wide ab = _e305 + _e311;
                Wide _e321 = only(_e22, j_3 + 64u, metal::exp(_e289 - higher), 0.0);
                Wide _e330 = only(_e22, j_3 + 96u, metal::exp(_e296 - higher), 0.0);
                Wide cd = _e321 + _e330;
                float _e332 = sum;
                float _e333 = top;
                sum = (_e332 * metal::exp(_e333 - higher)) + (ab + cd);
                top = higher;
            }
        }
        float _e345 = high;
        float _e346 = top;
        high = metal::max(_e345, _e346);
    }
    float _e348 = high;
    Wide _e349 = widest_2(_e348);
    Wide _e351 = team_widest(me_3, _e349, 0u, parts);
    float all_1 = static_cast<float>(_e351);
    if (false) {
        float _e357 = sum;
        float _e358 = top;
        sum = _e357 * metal::exp(_e358 - all_1);
    }
    Wide _e362 = h0_;
    Wide _e366 = only(_e22, member, metal::exp(_e362 - all_1), 0.0);
    h0_ = _e366;
    float _e367 = sum;
    Wide _e368 = h0_;
    sum = _e367 + _e368;
    if (true) {
        Wide _e376 = h1_;
        Wide _e380 = only(_e22, member + TEAM, metal::exp(_e376 - all_1), 0.0);
        h1_ = _e380;
        float _e381 = sum;
        Wide _e382 = h1_;
        sum = _e381 + _e382;
    }
    if (true) {
        Wide _e393 = h2_;
        Wide _e397 = only(_e22, member + 64u, metal::exp(_e393 - all_1), 0.0);
        h2_ = _e397;
        float _e398 = sum;
        Wide _e399 = h2_;
        sum = _e398 + _e399;
    }
    if (true) {
        Wide _e410 = h3_;
        Wide _e414 = only(_e22, member + 96u, metal::exp(_e410 - all_1), 0.0);
        h3_ = _e414;
        float _e415 = sum;
        Wide _e416 = h3_;
        sum = _e415 + _e416;
    }
    if (true) {
        Wide _e427 = h4_;
        Wide _e431 = only(_e22, member + 128u, metal::exp(_e427 - all_1), 0.0);
        h4_ = _e431;
        float _e432 = sum;
        Wide _e433 = h4_;
        sum = _e432 + _e433;
    }
    if (true) {
        Wide _e444 = h5_;
        Wide _e448 = only(_e22, member + 160u, metal::exp(_e444 - all_1), 0.0);
        h5_ = _e448;
        float _e449 = sum;
        Wide _e450 = h5_;
        sum = _e449 + _e450;
    }
    if (true) {
        Wide _e461 = h6_;
        Wide _e465 = only(_e22, member + 192u, metal::exp(_e461 - all_1), 0.0);
        h6_ = _e465;
        float _e466 = sum;
        Wide _e467 = h6_;
        sum = _e466 + _e467;
    }
    if (true) {
        Wide _e478 = h7_;
        Wide _e482 = only(_e22, member + 224u, metal::exp(_e478 - all_1), 0.0);
        h7_ = _e482;
        float _e483 = sum;
        Wide _e484 = h7_;
        sum = _e483 + _e484;
    }
    if (false) {
        Wide _e495 = h8_;
        Wide _e499 = only(_e22, member + 256u, metal::exp(_e495 - all_1), 0.0);
        h8_ = _e499;
        float _e500 = sum;
        Wide _e501 = h8_;
        sum = _e500 + _e501;
    }
    if (false) {
        Wide _e512 = h9_;
        Wide _e516 = only(_e22, member + 288u, metal::exp(_e512 - all_1), 0.0);
        h9_ = _e516;
        float _e517 = sum;
        Wide _e518 = h9_;
        sum = _e517 + _e518;
    }
    if (false) {
        Wide _e529 = h10_;
        Wide _e533 = only(_e22, member + 320u, metal::exp(_e529 - all_1), 0.0);
        h10_ = _e533;
        float _e534 = sum;
        Wide _e535 = h10_;
        sum = _e534 + _e535;
    }
    if (false) {
        Wide _e546 = h11_;
        Wide _e550 = only(_e22, member + 352u, metal::exp(_e546 - all_1), 0.0);
        h11_ = _e550;
        float _e551 = sum;
        Wide _e552 = h11_;
        sum = _e551 + _e552;
    }
    if (false) {
        Wide _e563 = h12_;
        Wide _e567 = only(_e22, member + 384u, metal::exp(_e563 - all_1), 0.0);
        h12_ = _e567;
        float _e568 = sum;
        Wide _e569 = h12_;
        sum = _e568 + _e569;
    }
    if (false) {
        Wide _e580 = h13_;
        Wide _e584 = only(_e22, member + 416u, metal::exp(_e580 - all_1), 0.0);
        h13_ = _e584;
        float _e585 = sum;
        Wide _e586 = h13_;
        sum = _e585 + _e586;
    }
    if (false) {
        Wide _e597 = h14_;
        Wide _e601 = only(_e22, member + 448u, metal::exp(_e597 - all_1), 0.0);
        h14_ = _e601;
        float _e602 = sum;
        Wide _e603 = h14_;
        sum = _e602 + _e603;
    }
    if (false) {
        Wide _e614 = h15_;
        Wide _e618 = only(_e22, member + 480u, metal::exp(_e614 - all_1), 0.0);
        h15_ = _e618;
        float _e619 = sum;
        Wide _e620 = h15_;
        sum = _e619 + _e620;
    }
    float _e622 = sum;
    Wide _e623 = total(_e622);
    Wide _e625 = team_total(me_3, _e623, 1u, parts);
    float factor = static_cast<float>(1.0 / _e625);
    Wide _e629 = h0_;
    store(_e22, member, _e629 * factor, params, out, _buffer_sizes);
    if (true) {
        Wide _e637 = h1_;
        store(_e22, member + TEAM, _e637 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e648 = h2_;
        store(_e22, member + 64u, _e648 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e659 = h3_;
        store(_e22, member + 96u, _e659 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e670 = h4_;
        store(_e22, member + 128u, _e670 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e681 = h5_;
        store(_e22, member + 160u, _e681 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e692 = h6_;
        store(_e22, member + 192u, _e692 * factor, params, out, _buffer_sizes);
    }
    if (true) {
        Wide _e703 = h7_;
        store(_e22, member + 224u, _e703 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e714 = h8_;
        store(_e22, member + 256u, _e714 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e725 = h9_;
        store(_e22, member + 288u, _e725 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e736 = h10_;
        store(_e22, member + 320u, _e736 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e747 = h11_;
        store(_e22, member + 352u, _e747 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e758 = h12_;
        store(_e22, member + 384u, _e758 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e769 = h13_;
        store(_e22, member + 416u, _e769 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e780 = h14_;
        store(_e22, member + 448u, _e780 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        Wide _e791 = h15_;
        store(_e22, member + 480u, _e791 * factor, params, out, _buffer_sizes);
    }
    if (false) {
        bool loop_init_4 = true;
        while(true) {
            if (!loop_init_4) {
                uint _e852 = first_1;
                first_1 = _e852 + 128u;
            }
            loop_init_4 = false;
            uint _e803 = first_1;
            if (_e803 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e806 = first_1;
                uint j_4 = _e806 + member;
                Wide _e809 = load(_e22, j_4, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e813 = load(_e22, j_4 + TEAM, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e820 = load(_e22, j_4 + 64u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e827 = load(_e22, j_4 + 96u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                store(_e22, j_4, metal::exp(_e809 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + TEAM, metal::exp(_e813 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + 64u, metal::exp(_e820 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + 96u, metal::exp(_e827 - all_1) * factor, params, out, _buffer_sizes);
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
, constant Params& params [[buffer(3)]]
, device type_4 const& x_5 [[buffer(0)]]
, device type_4& out [[buffer(1)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(4)]]
) {
    uint size = false ? SUBGROUP : asked;
    rows((group.y * groups.x) + group.x, Me {(subgroup * size) + own, size, subgroup, own}, parts, params, x_5, out, _buffer_sizes);
    return;
}
