// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size2;
    uint size3;
};

typedef float Element;
typedef float Wide;
struct Me {
    uint lane;
    uint size;
    uint subgroup;
    uint own;
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
};
typedef Element type_4[1];
struct type_5 {
    Wide inner[16];
};
constant uint MOST = 16u;
constant uint GROUP = 256u;
constant uint TEAM = 128u;
constant uint STEP = 2u;
constant uint SUBGROUP = 0u;
constant uint PARTS = 128u;
constant uint PLACES = 256u;
constant uint HOLD = 8u;
constant uint EDGE = 1u;
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
    device type_4 const& x_5,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e14 = params.inner;
    Element _e18 = x_5[row_1.source + ((false ? j_1 : metal::min(j_1, row_1.last)) * _e14)];
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
        out[row_2.result + (j_2 * _e9)] = static_cast<float>(v_1);
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
    type_5 held = {};
    float high = -340282350000000000000000000000000000000.0;
    uint s = 0u;
    float sum = 0.0;
    float top = -340282350000000000000000000000000000000.0;
    uint first = 1024u;
    uint s_1 = 0u;
    uint s_2 = 0u;
    uint first_1 = 1024u;
    Row _e22 = row_at(((number * 2u) + (naga_div(me_3.lane, 256u) * STEP)) + naga_mod(me_3.lane, STEP), params);
    uint member = naga_mod(naga_div(me_3.lane, STEP), TEAM);
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e50 = s;
            s = _e50 + 1u;
        }
        loop_init_3 = false;
        uint _e33 = s;
        if (_e33 < HOLD) {
        } else {
            break;
        }
        {
            uint _e36 = s;
            uint _e38 = s;
            Wide _e43 = load(_e22, member + (_e38 * TEAM), -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
            held.inner[_e36] = _e43;
            float _e44 = high;
            uint _e45 = s;
            Wide _e47 = held.inner[_e45];
            high = metal::max(_e44, _e47);
        }
    }
    if (true) {
        bool loop_init_4 = true;
        while(true) {
            if (!loop_init_4) {
                uint _e133 = first;
                first = _e133 + 512u;
            }
            loop_init_4 = false;
            uint _e66 = first;
            if (_e66 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e69 = first;
                uint j_3 = _e69 + member;
                Wide _e72 = load(_e22, j_3, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e76 = load(_e22, j_3 + TEAM, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e83 = load(_e22, j_3 + 256u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e90 = load(_e22, j_3 + 384u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                float _e94 = top;
                float higher = metal::max(metal::max(metal::max(_e72, _e76), metal::max(_e83, _e90)), _e94);
                Wide _e99 = only(_e22, j_3, metal::exp(_e72 - higher), 0.0);
                Wide _e105 = only(_e22, j_3 + TEAM, metal::exp(_e76 - higher), 0.0);
                Wide ab = _e99 + _e105;
                Wide _e115 = only(_e22, j_3 + 256u, metal::exp(_e83 - higher), 0.0);
                Wide _e124 = only(_e22, j_3 + 384u, metal::exp(_e90 - higher), 0.0);
                Wide cd = _e115 + _e124;
                float _e126 = sum;
                float _e127 = top;
                sum = (_e126 * metal::exp(_e127 - higher)) + (ab + cd);
                top = higher;
            }
        }
        float _e139 = high;
        float _e140 = top;
        high = metal::max(_e139, _e140);
    }
    float _e142 = high;
    Wide _e143 = widest_2(_e142);
    Wide _e145 = team_widest(me_3, _e143, 0u, parts);
    float all_1 = static_cast<float>(_e145);
    if (true) {
        float _e151 = sum;
        float _e152 = top;
        sum = _e151 * metal::exp(_e152 - all_1);
    }
    bool loop_init_5 = true;
    while(true) {
        if (!loop_init_5) {
            uint _e180 = s_1;
            s_1 = _e180 + 1u;
        }
        loop_init_5 = false;
        uint _e158 = s_1;
        if (_e158 < HOLD) {
        } else {
            break;
        }
        {
            uint _e161 = s_1;
            uint _e163 = s_1;
            uint _e167 = s_1;
            Wide _e169 = held.inner[_e167];
            Wide _e173 = only(_e22, member + (_e163 * TEAM), metal::exp(_e169 - all_1), 0.0);
            held.inner[_e161] = _e173;
            float _e174 = sum;
            uint _e175 = s_1;
            Wide _e177 = held.inner[_e175];
            sum = _e174 + _e177;
        }
    }
    float _e182 = sum;
    Wide _e183 = total(_e182);
    Wide _e185 = team_total(me_3, _e183, 1u, parts);
    float factor = static_cast<float>(1.0 / _e185);
    bool loop_init_6 = true;
    while(true) {
        if (!loop_init_6) {
            uint _e203 = s_2;
            s_2 = _e203 + 1u;
        }
        loop_init_6 = false;
        uint _e191 = s_2;
        if (_e191 < HOLD) {
        } else {
            break;
        }
        {
            uint _e194 = s_2;
            uint _e198 = s_2;
            Wide _e200 = held.inner[_e198];
            store(_e22, member + (_e194 * TEAM), _e200 * factor, params, out, _buffer_sizes);
        }
    }
    if (true) {
        bool loop_init_7 = true;
        while(true) {
            if (!loop_init_7) {
                uint _e264 = first_1;
                first_1 = _e264 + 512u;
            }
            loop_init_7 = false;
            uint _e215 = first_1;
            if (_e215 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e218 = first_1;
                uint j_4 = _e218 + member;
                Wide _e221 = load(_e22, j_4, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e225 = load(_e22, j_4 + TEAM, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e232 = load(_e22, j_4 + 256u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e239 = load(_e22, j_4 + 384u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                store(_e22, j_4, metal::exp(_e221 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + TEAM, metal::exp(_e225 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + 256u, metal::exp(_e232 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + 384u, metal::exp(_e239 - all_1) * factor, params, out, _buffer_sizes);
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
