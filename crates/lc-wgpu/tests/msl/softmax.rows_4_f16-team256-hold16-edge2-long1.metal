// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size2;
    uint size3;
    uint size4;
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
};
typedef Stored type_6[1];
typedef Element type_7[1];
struct type_8 {
    Wide inner[16];
};
constant uint FEW = 16u;
constant uint MOST = 16u;
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
        out[row_3.result + j_3] = static_cast<metal::half4>(v_1);
        return;
    } else {
        if (true) {
            uint at = 4u * (row_3.result + j_3);
            if (_e3.x) {
                out_1_[at] = static_cast<half>(v_1.x);
            }
            if (_e3.y) {
                out_1_[at + 1u] = static_cast<half>(v_1.y);
            }
            if (_e3.z) {
                out_1_[at + 2u] = static_cast<half>(v_1.z);
            }
            if (_e3.w) {
                out_1_[at + 3u] = static_cast<half>(v_1.w);
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
    type_8 held = {};
    metal::float4 high = metal::float4(-340282350000000000000000000000000000000.0);
    uint s = 0u;
    metal::float4 sum = metal::float4(0.0);
    metal::float4 top = metal::float4(-340282350000000000000000000000000000000.0);
    uint first = 4096u;
    uint s_1 = 0u;
    uint s_2 = 0u;
    uint first_1 = 4096u;
    Row _e22 = row_at(((number * 1u) + (naga_div(me_3.lane, 256u) * STEP)) + naga_mod(me_3.lane, STEP), params);
    uint member_1 = naga_mod(naga_div(me_3.lane, STEP), TEAM);
    bool loop_init_2 = true;
    while(true) {
        if (!loop_init_2) {
            uint _e51 = s;
            s = _e51 + 1u;
        }
        loop_init_2 = false;
        uint _e34 = s;
        if (_e34 < HOLD) {
        } else {
            break;
        }
        {
            uint _e37 = s;
            uint _e39 = s;
            Wide _e44 = load(_e22, member_1 + (_e39 * TEAM), -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
            held.inner[_e37] = _e44;
            metal::float4 _e45 = high;
            uint _e46 = s;
            Wide _e48 = held.inner[_e46];
            high = metal::max(_e45, _e48);
        }
    }
    if (true) {
        bool loop_init_3 = true;
        while(true) {
            if (!loop_init_3) {
                uint _e136 = first;
                first = _e136 + 1024u;
            }
            loop_init_3 = false;
            uint _e69 = first;
            if (_e69 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e72 = first;
                uint j_4 = _e72 + member_1;
                Wide _e75 = load(_e22, j_4, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e79 = load(_e22, j_4 + TEAM, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e86 = load(_e22, j_4 + 512u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e93 = load(_e22, j_4 + 768u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                metal::float4 _e97 = top;
                metal::float4 higher = metal::max(metal::max(metal::max(_e75, _e79), metal::max(_e86, _e93)), _e97);
                Wide _e102 = only(_e22, j_4, metal::exp(_e75 - higher), 0.0);
                Wide _e108 = only(_e22, j_4 + TEAM, metal::exp(_e79 - higher), 0.0);
                Wide ab = _e102 + _e108;
                Wide _e118 = only(_e22, j_4 + 512u, metal::exp(_e86 - higher), 0.0);
                Wide _e127 = only(_e22, j_4 + 768u, metal::exp(_e93 - higher), 0.0);
                Wide cd = _e118 + _e127;
                metal::float4 _e129 = sum;
                metal::float4 _e130 = top;
                sum = (_e129 * metal::exp(_e130 - higher)) + (ab + cd);
                top = higher;
            }
        }
        metal::float4 _e142 = high;
        metal::float4 _e143 = top;
        high = metal::max(_e142, _e143);
    }
    metal::float4 _e145 = high;
    Part _e146 = widest_2(_e145);
    Part _e148 = team_widest(me_3, _e146, 0u, parts);
    metal::float4 all_1 = metal::float4(_e148);
    if (true) {
        metal::float4 _e154 = sum;
        metal::float4 _e155 = top;
        sum = _e154 * metal::exp(_e155 - all_1);
    }
    bool loop_init_4 = true;
    while(true) {
        if (!loop_init_4) {
            uint _e183 = s_1;
            s_1 = _e183 + 1u;
        }
        loop_init_4 = false;
        uint _e161 = s_1;
        if (_e161 < HOLD) {
        } else {
            break;
        }
        {
            uint _e164 = s_1;
            uint _e166 = s_1;
            uint _e170 = s_1;
            Wide _e172 = held.inner[_e170];
            Wide _e176 = only(_e22, member_1 + (_e166 * TEAM), metal::exp(_e172 - all_1), 0.0);
            held.inner[_e164] = _e176;
            metal::float4 _e177 = sum;
            uint _e178 = s_1;
            Wide _e180 = held.inner[_e178];
            sum = _e177 + _e180;
        }
    }
    metal::float4 _e185 = sum;
    Part _e186 = total(_e185);
    Part _e188 = team_total(me_3, _e186, 1u, parts);
    metal::float4 factor = metal::float4(1.0 / _e188);
    bool loop_init_5 = true;
    while(true) {
        if (!loop_init_5) {
            uint _e206 = s_2;
            s_2 = _e206 + 1u;
        }
        loop_init_5 = false;
        uint _e194 = s_2;
        if (_e194 < HOLD) {
        } else {
            break;
        }
        {
            uint _e197 = s_2;
            uint _e201 = s_2;
            Wide _e203 = held.inner[_e201];
            store(_e22, member_1 + (_e197 * TEAM), _e203 * factor, out, out_1_, _buffer_sizes);
        }
    }
    if (true) {
        bool loop_init_6 = true;
        while(true) {
            if (!loop_init_6) {
                uint _e267 = first_1;
                first_1 = _e267 + 1024u;
            }
            loop_init_6 = false;
            uint _e218 = first_1;
            if (_e218 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e221 = first_1;
                uint j_5 = _e221 + member_1;
                Wide _e224 = load(_e22, j_5, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e228 = load(_e22, j_5 + TEAM, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e235 = load(_e22, j_5 + 512u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                Wide _e242 = load(_e22, j_5 + 768u, -340282350000000000000000000000000000000.0, x_5, _buffer_sizes);
                store(_e22, j_5, metal::exp(_e224 - all_1) * factor, out, out_1_, _buffer_sizes);
                store(_e22, j_5 + TEAM, metal::exp(_e228 - all_1) * factor, out, out_1_, _buffer_sizes);
                store(_e22, j_5 + 512u, metal::exp(_e235 - all_1) * factor, out, out_1_, _buffer_sizes);
                store(_e22, j_5 + 768u, metal::exp(_e242 - all_1) * factor, out, out_1_, _buffer_sizes);
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
