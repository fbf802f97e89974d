// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size2;
    uint size3;
};

typedef metal::float4 Wide;
typedef metal::half4 Stored;
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
struct type_5 {
    Wide inner[16];
};
constant uint FEW = 16u;
constant uint MOST = 16u;
constant uint GROUP = 256u;
constant uint TEAM = 32u;
constant uint STEP = 8u;
constant uint HOLD = 8u;
constant uint EDGE = 0u;
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
    if (false) {
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
    Stored _e18 = x_5[row_1.source + ((true ? j_1 : metal::min(j_1, row_1.last)) * _e14)];
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
        out[row_2.result + (j_2 * _e9)] = static_cast<metal::half4>(v_1);
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
    type_5 held = {};
    metal::float4 high = metal::float4(-340282350000000000000000000000000000000.0);
    uint s = 0u;
    metal::float4 sum = metal::float4(0.0);
    metal::float4 top = metal::float4(-340282350000000000000000000000000000000.0);
    uint first = 256u;
    uint s_1 = 0u;
    uint s_2 = 0u;
    uint first_1 = 256u;
    Row _e22 = row_at(((number * 8u) + (naga_div(me_3.lane, 256u) * STEP)) + naga_mod(me_3.lane, STEP), params);
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
            Wide _e44 = load(_e22, member_1 + (_e39 * TEAM), -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
            held.inner[_e37] = _e44;
            metal::float4 _e45 = high;
            uint _e46 = s;
            Wide _e48 = held.inner[_e46];
            high = metal::max(_e45, _e48);
        }
    }
    if (false) {
        bool loop_init_3 = true;
        while(true) {
            if (!loop_init_3) {
                uint _e136 = first;
                first = _e136 + 128u;
            }
            loop_init_3 = false;
            uint _e69 = first;
            if (_e69 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e72 = first;
                uint j_3 = _e72 + member_1;
                Wide _e75 = load(_e22, j_3, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e79 = load(_e22, j_3 + TEAM, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e86 = load(_e22, j_3 + 64u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e93 = load(_e22, j_3 + 96u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                metal::float4 _e97 = top;
                metal::float4 higher = metal::max(metal::max(metal::max(_e75, _e79), metal::max(_e86, _e93)), _e97);
                Wide _e102 = only(_e22, j_3, metal::exp(_e75 - higher), 0.0);
                Wide _e108 = only(_e22, j_3 + TEAM, metal::exp(_e79 - higher), 0.0);
                Wide ab = _e102 + _e108;
                Wide _e118 = only(_e22, j_3 + 64u, metal::exp(_e86 - higher), 0.0);
                Wide _e127 = only(_e22, j_3 + 96u, metal::exp(_e93 - higher), 0.0);
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
    Wide _e146 = widest_2(_e145);
    Wide _e148 = team_widest(me_3, _e146, 0u, parts);
    metal::float4 all_1 = static_cast<metal::float4>(_e148);
    if (false) {
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
    Wide _e186 = total(_e185);
    Wide _e188 = team_total(me_3, _e186, 1u, parts);
    metal::float4 factor = static_cast<metal::float4>(metal::float4(1.0) / _e188);
    bool loop_init_5 = true;
    while(true) {
        if (!loop_init_5) {
            uint _e207 = s_2;
            s_2 = _e207 + 1u;
        }
        loop_init_5 = false;
        uint _e195 = s_2;
        if (_e195 < HOLD) {
        } else {
            break;
        }
        {
            uint _e198 = s_2;
            uint _e202 = s_2;
            Wide _e204 = held.inner[_e202];
            store(_e22, member_1 + (_e198 * TEAM), _e204 * factor, params, out, _buffer_sizes);
        }
    }
    if (false) {
        bool loop_init_6 = true;
        while(true) {
            if (!loop_init_6) {
                uint _e268 = first_1;
                first_1 = _e268 + 128u;
            }
            loop_init_6 = false;
            uint _e219 = first_1;
            if (_e219 <= _e22.last) {
            } else {
                break;
            }
            {
                uint _e222 = first_1;
                uint j_4 = _e222 + member_1;
                Wide _e225 = load(_e22, j_4, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e229 = load(_e22, j_4 + TEAM, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e236 = load(_e22, j_4 + 64u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                Wide _e243 = load(_e22, j_4 + 96u, -340282350000000000000000000000000000000.0, params, x_5, _buffer_sizes);
                store(_e22, j_4, metal::exp(_e225 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + TEAM, metal::exp(_e229 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + 64u, metal::exp(_e236 - all_1) * factor, params, out, _buffer_sizes);
                store(_e22, j_4 + 96u, metal::exp(_e243 - all_1) * factor, params, out, _buffer_sizes);
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
