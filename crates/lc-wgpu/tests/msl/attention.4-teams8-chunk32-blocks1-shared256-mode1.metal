// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size0;
    uint size1;
    uint size2;
    uint size3;
    uint size4;
    uint size5;
};

typedef metal::float4 type_2[1];
struct Params {
    uint rows;
    uint keys;
    uint dim;
    uint value_dim;
    uint all_heads;
    uint heads;
    uint sharing;
    uint part;
    metal::uint4 q;
    metal::uint4 k;
    metal::uint4 v;
    metal::uint4 mask;
    uint first_mask;
    uint first_out;
    uint flags;
    float scale;
    float output_scale;
    float output_bias;
    char _pad18[8];
};
typedef float type_5[1];
struct type_6 {
    metal::float4 inner[256];
};
struct type_7 {
    metal::float4 inner[256];
};
struct type_8 {
    metal::float4 inner[256];
};
struct Block {
    metal::float4 a0_;
    metal::float4 a1_;
    metal::float4 a2_;
    metal::float4 a3_;
    metal::float4 b0_;
    metal::float4 b1_;
    metal::float4 b2_;
    metal::float4 b3_;
};
constant uint KEYS = 32u;
constant uint CAUSAL = 1u;
constant uint MASKED = 2u;
constant uint RECTIFY = 4u;
constant uint TEAMS = 8u;
constant uint CHUNK = 32u;
constant uint BLOCKS = 1u;
constant uint SHARED = 256u;
constant uint MODE = 1u;

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

metal::float4 read_q(
    uint at,
    uint left_1,
    device type_2 const& q,
    constant _mslBufferSizes& _buffer_sizes
) {
    if (left_1 == 0u) {
        return metal::float4(0.0);
    }
    metal::float4 _e10 = q[naga_div(at, 4u)];
    return _e10;
}

metal::float4 read_k(
    uint at_1,
    uint left_2,
    device type_2 const& k,
    constant _mslBufferSizes& _buffer_sizes
) {
    if (left_2 == 0u) {
        return metal::float4(0.0);
    }
    metal::float4 _e10 = k[naga_div(at_1, 4u)];
    return _e10;
}

metal::float4 read_v(
    uint at_2,
    uint left_3,
    device type_2 const& v,
    constant _mslBufferSizes& _buffer_sizes
) {
    if (left_3 == 0u) {
        return metal::float4(0.0);
    }
    metal::float4 _e10 = v[naga_div(at_2, 4u)];
    return _e10;
}

float gain(
    float sum_1,
    metal::float4 a,
    metal::float4 b
) {
    return metal::fma(a.w, b.w, metal::fma(a.z, b.z, metal::fma(a.y, b.y, metal::fma(a.x, b.x, sum_1))));
}

metal::float4 gains(
    metal::float4 sums,
    metal::float4 a_1,
    metal::float4 b0_,
    metal::float4 b1_,
    metal::float4 b2_,
    metal::float4 b3_
) {
    float _e7 = gain(sums.x, a_1, b0_);
    float _e9 = gain(sums.y, a_1, b1_);
    float _e11 = gain(sums.z, a_1, b2_);
    float _e13 = gain(sums.w, a_1, b3_);
    return metal::float4(_e7, _e9, _e11, _e13);
}

void rescale(
    thread Block& o,
    metal::float4 factor
) {
    metal::float4 _e3 = o.a0_;
    o.a0_ = _e3 * factor.x;
    metal::float4 _e7 = o.a1_;
    o.a1_ = _e7 * factor.y;
    metal::float4 _e11 = o.a2_;
    o.a2_ = _e11 * factor.z;
    metal::float4 _e15 = o.a3_;
    o.a3_ = _e15 * factor.w;
    metal::float4 _e19 = o.b0_;
    o.b0_ = _e19 * factor.x;
    metal::float4 _e23 = o.b1_;
    o.b1_ = _e23 * factor.y;
    metal::float4 _e27 = o.b2_;
    o.b2_ = _e27 * factor.z;
    metal::float4 _e31 = o.b3_;
    o.b3_ = _e31 * factor.w;
    return;
}

void weigh(
    thread Block& o_1,
    metal::float4 p,
    uint at_3,
    threadgroup type_8& values_tile
) {
    metal::float4 a_2 = values_tile.inner[at_3];
    metal::float4 _e10 = o_1.a0_;
    o_1.a0_ = metal::fma(metal::float4(p.x), a_2, _e10);
    metal::float4 _e16 = o_1.a1_;
    o_1.a1_ = metal::fma(metal::float4(p.y), a_2, _e16);
    metal::float4 _e22 = o_1.a2_;
    o_1.a2_ = metal::fma(metal::float4(p.z), a_2, _e22);
    metal::float4 _e28 = o_1.a3_;
    o_1.a3_ = metal::fma(metal::float4(p.w), a_2, _e28);
    if (false) {
        metal::float4 b_1 = values_tile.inner[at_3 + 8u];
        metal::float4 _e43 = o_1.b0_;
        o_1.b0_ = metal::fma(metal::float4(p.x), b_1, _e43);
        metal::float4 _e49 = o_1.b1_;
        o_1.b1_ = metal::fma(metal::float4(p.y), b_1, _e49);
        metal::float4 _e55 = o_1.b2_;
        o_1.b2_ = metal::fma(metal::float4(p.z), b_1, _e55);
        metal::float4 _e61 = o_1.b3_;
        o_1.b3_ = metal::fma(metal::float4(p.w), b_1, _e61);
        return;
    } else {
        return;
    }
}

void weigh_seen(
    thread Block& o_2,
    metal::float4 p_1,
    metal::bool4 seen,
    uint at_4,
    threadgroup type_8& values_tile
) {
    metal::float4 none = metal::float4(0.0);
    metal::float4 a_3 = values_tile.inner[at_4];
    metal::float4 _e15 = o_2.a0_;
    o_2.a0_ = metal::fma(metal::float4(p_1.x), seen.x ? a_3 : none, _e15);
    metal::float4 _e23 = o_2.a1_;
    o_2.a1_ = metal::fma(metal::float4(p_1.y), seen.y ? a_3 : none, _e23);
    metal::float4 _e31 = o_2.a2_;
    o_2.a2_ = metal::fma(metal::float4(p_1.z), seen.z ? a_3 : none, _e31);
    metal::float4 _e39 = o_2.a3_;
    o_2.a3_ = metal::fma(metal::float4(p_1.w), seen.w ? a_3 : none, _e39);
    if (false) {
        metal::float4 b_2 = values_tile.inner[at_4 + 8u];
        metal::float4 _e56 = o_2.b0_;
        o_2.b0_ = metal::fma(metal::float4(p_1.x), seen.x ? b_2 : none, _e56);
        metal::float4 _e64 = o_2.b1_;
        o_2.b1_ = metal::fma(metal::float4(p_1.y), seen.y ? b_2 : none, _e64);
        metal::float4 _e72 = o_2.b2_;
        o_2.b2_ = metal::fma(metal::float4(p_1.z), seen.z ? b_2 : none, _e72);
        metal::float4 _e80 = o_2.b3_;
        o_2.b3_ = metal::fma(metal::float4(p_1.w), seen.w ? b_2 : none, _e80);
        return;
    } else {
        return;
    }
}

void weigh_tile(
    thread Block& o_3,
    uint team,
    uint member,
    threadgroup type_7& keys_tile,
    threadgroup type_8& values_tile
) {
    uint g = 0u;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e78 = g;
            g = _e78 + 1u;
        }
        loop_init = false;
        uint _e9 = g;
        if (_e9 < 8u) {
        } else {
            break;
        }
        {
            uint _e14 = g;
            uint at_6 = (team * 8u) + (_e14 ^ (team & 7u));
            metal::float4 p0_1 = keys_tile.inner[at_6];
            metal::float4 p1_1 = keys_tile.inner[at_6 + 64u];
            metal::float4 p2_1 = keys_tile.inner[at_6 + 128u];
            metal::float4 p3_1 = keys_tile.inner[at_6 + 192u];
            uint _e46 = g;
            uint start_3 = (_e46 * CHUNK) + member;
            weigh(o_3, metal::float4(p0_1.x, p1_1.x, p2_1.x, p3_1.x), start_3, values_tile);
            weigh(o_3, metal::float4(p0_1.y, p1_1.y, p2_1.y, p3_1.y), start_3 + 8u, values_tile);
            weigh(o_3, metal::float4(p0_1.z, p1_1.z, p2_1.z, p3_1.z), start_3 + 16u, values_tile);
            weigh(o_3, metal::float4(p0_1.w, p1_1.w, p2_1.w, p3_1.w), start_3 + 24u, values_tile);
        }
    }
    return;
}

metal::bool4 sees(
    uint row,
    uint key,
    constant Params& params
) {
    metal::uint4 rows = metal::uint4(row, row + TEAMS, row + 16u, row + 24u);
    uint _e17 = params.keys;
    if (key >= _e17) {
        return metal::bool4(false);
    }
    uint _e23 = params.flags;
    if ((_e23 & CAUSAL) == 0u) {
        return metal::bool4(true);
    }
    if (false) {
        return rows <= metal::uint4(key);
    }
    return rows >= metal::uint4(key);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

void weigh_diagonal_tile(
    thread Block& o_4,
    uint team_1,
    uint member_1,
    uint row_1,
    uint key_1,
    constant Params& params,
    threadgroup type_7& keys_tile,
    threadgroup type_8& values_tile
) {
    uint j_1 = 0u;
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e65 = j_1;
            j_1 = _e65 + 1u;
        }
        loop_init_1 = false;
        uint _e7 = j_1;
        if (_e7 < KEYS) {
        } else {
            break;
        }
        {
            uint _e12 = j_1;
            uint at_7 = (team_1 * 8u) + (naga_div(_e12, 4u) ^ (team_1 & 7u));
            uint _e19 = j_1;
            uint c_1 = naga_mod(_e19, 4u);
            float _e25 = keys_tile.inner[at_7][c_1];
            float _e34 = keys_tile.inner[at_7 + 64u][c_1];
            float _e43 = keys_tile.inner[at_7 + 128u][c_1];
            float _e52 = keys_tile.inner[at_7 + 192u][c_1];
            metal::float4 p_2 = metal::float4(_e25, _e34, _e43, _e52);
            uint _e54 = j_1;
            metal::bool4 _e56 = sees(row_1, key_1 + _e54, params);
            uint _e57 = j_1;
            weigh_seen(o_4, p_2, _e56, (_e57 * 8u) + member_1, values_tile);
        }
    }
    return;
}

metal::float4 scores(
    metal::float4 sums_1,
    uint row_2,
    uint key_2,
    uint at_mask,
    metal::bool4 seen_1,
    device type_5 const& mask,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 s = {};
    bool local_6 = {};
    float _e7 = params.scale;
    s = sums_1 * _e7;
    uint _e12 = params.flags;
    if ((_e12 & MASKED) != 0u) {
        uint _e21 = params.rows;
        local_6 = row_2 < _e21;
    } else {
        local_6 = false;
    }
    bool _e24 = local_6;
    if (_e24) {
        uint _e28 = params.mask.z;
        uint at_8 = at_mask + (row_2 * _e28);
        if (seen_1.x) {
            float _e33 = s.x;
            uint _e38 = params.mask.w;
            float _e42 = mask[at_8 + (key_2 * _e38)];
            s.x = _e33 + _e42;
        }
        if (seen_1.y) {
            float _e46 = s.y;
            uint _e53 = params.mask.w;
            float _e57 = mask[at_8 + ((key_2 + 1u) * _e53)];
            s.y = _e46 + _e57;
        }
        if (seen_1.z) {
            float _e61 = s.z;
            uint _e68 = params.mask.w;
            float _e72 = mask[at_8 + ((key_2 + 2u) * _e68)];
            s.z = _e61 + _e72;
        }
        if (seen_1.w) {
            float _e76 = s.w;
            uint _e83 = params.mask.w;
            float _e87 = mask[at_8 + ((key_2 + 3u) * _e83)];
            s.w = _e76 + _e87;
        }
    }
    metal::float4 _e91 = s;
    return metal::select(metal::float4(-340282350000000000000000000000000000000.0), _e91, seen_1);
}

float highest(
    metal::float4 s_1
) {
    return metal::max(metal::max(s_1.x, s_1.y), metal::max(s_1.z, s_1.w));
}

float total(
    metal::float4 s_2
) {
    return (s_2.x + s_2.y) + (s_2.z + s_2.w);
}

metal::float4 team_highest(
    uint lane_1,
    uint team_2,
    metal::float4 own,
    threadgroup type_8& values_tile
) {
    metal::float4 all = {};
    uint i_1 = 0u;
    values_tile.inner[lane_1] = own;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    all = own;
    bool loop_init_2 = true;
    while(true) {
        if (!loop_init_2) {
            uint _e21 = i_1;
            i_1 = _e21 + 1u;
        }
        loop_init_2 = false;
        uint _e8 = i_1;
        if (_e8 < 8u) {
        } else {
            break;
        }
        {
            metal::float4 _e11 = all;
            uint _e15 = i_1;
            metal::float4 _e18 = values_tile.inner[(team_2 * 8u) + _e15];
            all = metal::max(_e11, _e18);
        }
    }
    metal::float4 _e23 = all;
    return _e23;
}

void put(
    uint row_3,
    uint column,
    uint at_5,
    metal::float4 y,
    device type_5& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint i_2 = 0u;
    bool local_7 = {};
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e31 = i_2;
            i_2 = _e31 + 1u;
        }
        loop_init_3 = false;
        uint _e6 = i_2;
        if (_e6 < 4u) {
        } else {
            break;
        }
        {
            uint _e11 = params.rows;
            if (row_3 < _e11) {
                uint _e15 = i_2;
                uint _e19 = params.value_dim;
                local_7 = (column + _e15) < _e19;
            } else {
                local_7 = false;
            }
            bool _e22 = local_7;
            if (_e22) {
                uint _e25 = i_2;
                uint _e28 = i_2;
                out[(at_5 + column) + _e25] = y[_e28];
            }
        }
    }
    return;
}

void finish(
    uint head,
    uint row_4,
    uint column_1,
    uint part,
    float sum_2,
    metal::float4 acc,
    device type_5 const& mask,
    device type_5& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint i_3 = 0u;
    bool local_8 = {};
    metal::float4 y_1 = {};
    if (false) {
        uint _e12 = params.all_heads;
        uint _e17 = params.rows;
        uint line = (((part * _e12) + head) * _e17) + row_4;
        uint _e22 = params.first_out;
        uint _e25 = params.value_dim;
        put(row_4, column_1, _e22 + (line * _e25), acc, out, params, _buffer_sizes);
        return;
    }
    uint _e30 = params.first_out;
    uint _e33 = params.rows;
    uint _e38 = params.value_dim;
    uint at_9 = _e30 + (((head * _e33) + row_4) * _e38);
    if (false) {
        uint _e47 = params.first_mask;
        uint _e51 = params.mask.z;
        uint start_4 = _e47 + (row_4 * _e51);
        bool loop_init_4 = true;
        while(true) {
            if (!loop_init_4) {
                uint _e93 = i_3;
                i_3 = _e93 + 1u;
            }
            loop_init_4 = false;
            uint _e56 = i_3;
            if (_e56 < 4u) {
            } else {
                break;
            }
            {
                uint _e61 = params.rows;
                if (row_4 < _e61) {
                    uint _e65 = i_3;
                    uint _e69 = params.value_dim;
                    local_8 = (column_1 + _e65) < _e69;
                } else {
                    local_8 = false;
                }
                bool _e72 = local_8;
                if (_e72) {
                    uint _e75 = i_3;
                    uint _e79 = i_3;
                    uint _e84 = params.mask.w;
                    float _e88 = mask[start_4 + ((column_1 + _e79) * _e84)];
                    uint _e89 = i_3;
                    out[(at_9 + column_1) + _e75] = _e88 - acc[_e89];
                }
            }
        }
        return;
    }
    y_1 = (sum_2 == 0.0) ? metal::float4(0.0) : (acc / metal::float4(sum_2));
    metal::float4 _e103 = y_1;
    float _e106 = params.output_scale;
    float _e110 = params.output_bias;
    y_1 = (_e103 * _e106) + metal::float4(_e110);
    uint _e115 = params.flags;
    if ((_e115 & RECTIFY) != 0u) {
        metal::float4 _e120 = y_1;
        metal::float4 _e123 = y_1;
        y_1 = metal::select(_e120, metal::float4(0.0), _e123 < metal::float4(0.0));
    }
    metal::float4 _e128 = y_1;
    put(row_4, column_1, at_9, _e128, out, params, _buffer_sizes);
    return;
}

void finish_block(
    Block o_5,
    uint head_1,
    uint row_5,
    uint column_2,
    uint part_1,
    metal::float4 sums_2,
    device type_5 const& mask,
    device type_5& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    finish(head_1, row_5, column_2, part_1, sums_2.x, o_5.a0_, mask, out, params, _buffer_sizes);
    finish(head_1, row_5 + TEAMS, column_2, part_1, sums_2.y, o_5.a1_, mask, out, params, _buffer_sizes);
    finish(head_1, row_5 + 16u, column_2, part_1, sums_2.z, o_5.a2_, mask, out, params, _buffer_sizes);
    finish(head_1, row_5 + 24u, column_2, part_1, sums_2.w, o_5.a3_, mask, out, params, _buffer_sizes);
    if (false) {
        finish(head_1, row_5, column_2 + 32u, part_1, sums_2.x, o_5.b0_, mask, out, params, _buffer_sizes);
        finish(head_1, row_5 + TEAMS, column_2 + 32u, part_1, sums_2.y, o_5.b1_, mask, out, params, _buffer_sizes);
        finish(head_1, row_5 + 16u, column_2 + 32u, part_1, sums_2.z, o_5.b2_, mask, out, params, _buffer_sizes);
        finish(head_1, row_5 + 24u, column_2 + 32u, part_1, sums_2.w, o_5.b3_, mask, out, params, _buffer_sizes);
        return;
    } else {
        return;
    }
}

void keep(
    uint head_2,
    uint row_6,
    uint part_2,
    float top_1,
    float sum_3,
    device type_5& stats,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e7 = params.rows;
    if (row_6 < _e7) {
        uint _e12 = params.all_heads;
        uint _e17 = params.rows;
        uint at_10 = 2u * ((((part_2 * _e12) + head_2) * _e17) + row_6);
        stats[at_10] = top_1;
        stats[at_10 + 1u] = true ? ((sum_3 == 0.0) ? 0.0 : (1.0 / sum_3)) : sum_3;
        return;
    } else {
        return;
    }
}

void load_rows(
    uint lane_2,
    uint start,
    uint row0_,
    uint column0_,
    device type_2 const& q,
    constant Params& params,
    threadgroup type_6& rows_tile,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint i_4 = {};
    bool local_9 = {};
    i_4 = lane_2;
    bool loop_init_5 = true;
    while(true) {
        if (!loop_init_5) {
            uint _e58 = i_4;
            i_4 = _e58 + 64u;
        }
        loop_init_5 = false;
        uint _e9 = i_4;
        if (_e9 < 256u) {
        } else {
            break;
        }
        {
            uint _e16 = i_4;
            uint r = naga_div(_e16, 8u);
            uint _e18 = i_4;
            uint c_2 = naga_mod(_e18, 8u);
            uint column_3 = column0_ + (4u * c_2);
            uint _e26 = params.dim;
            uint _e30 = params.dim;
            if (column_3 < _e30) {
                uint _e37 = params.rows;
                local_9 = (row0_ + r) < _e37;
            } else {
                local_9 = false;
            }
            bool _e40 = local_9;
            uint left_4 = _e40 ? (_e26 - column_3) : 0u;
            uint _e53 = params.q.w;
            metal::float4 _e57 = read_q((start + ((row0_ + r) * _e53)) + column_3, left_4, q, _buffer_sizes);
            rows_tile.inner[(r * 8u) + (c_2 ^ (r & 7u))] = _e57;
        }
    }
    return;
}

void load_keys(
    uint lane_3,
    uint start_1,
    uint key0_1,
    uint column0_1,
    device type_2 const& k,
    constant Params& params,
    threadgroup type_7& keys_tile,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint i_5 = {};
    bool local_10 = {};
    i_5 = lane_3;
    bool loop_init_6 = true;
    while(true) {
        if (!loop_init_6) {
            uint _e56 = i_5;
            i_5 = _e56 + 64u;
        }
        loop_init_6 = false;
        uint _e9 = i_5;
        if (_e9 < 256u) {
        } else {
            break;
        }
        {
            uint _e14 = i_5;
            uint r_1 = naga_div(_e14, 8u);
            uint _e16 = i_5;
            uint c_3 = naga_mod(_e16, 8u);
            uint column_4 = column0_1 + (4u * c_3);
            uint _e24 = params.dim;
            uint _e28 = params.dim;
            if (column_4 < _e28) {
                uint _e35 = params.keys;
                local_10 = (key0_1 + r_1) < _e35;
            } else {
                local_10 = false;
            }
            bool _e38 = local_10;
            uint left_5 = _e38 ? (_e24 - column_4) : 0u;
            uint _e51 = params.k.w;
            metal::float4 _e55 = read_k((start_1 + ((key0_1 + r_1) * _e51)) + column_4, left_5, k, _buffer_sizes);
            keys_tile.inner[(r_1 * 8u) + (c_3 ^ naga_div(r_1, 4u))] = _e55;
        }
    }
    return;
}

void load_values(
    uint lane_4,
    uint start_2,
    uint key0_2,
    uint column0_2,
    device type_2 const& v,
    constant Params& params,
    threadgroup type_8& values_tile,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint i_6 = {};
    bool local_11 = {};
    i_6 = lane_4;
    bool loop_init_7 = true;
    while(true) {
        if (!loop_init_7) {
            uint _e52 = i_6;
            i_6 = _e52 + 64u;
        }
        loop_init_7 = false;
        uint _e9 = i_6;
        if (_e9 < 256u) {
        } else {
            break;
        }
        {
            uint _e14 = i_6;
            uint r_2 = naga_div(_e14, 8u);
            uint _e17 = i_6;
            uint column_5 = column0_2 + (4u * naga_mod(_e17, 8u));
            uint _e24 = params.value_dim;
            uint _e28 = params.value_dim;
            if (column_5 < _e28) {
                uint _e35 = params.keys;
                local_11 = (key0_2 + r_2) < _e35;
            } else {
                local_11 = false;
            }
            bool _e38 = local_11;
            uint left_6 = _e38 ? (_e24 - column_5) : 0u;
            uint _e41 = i_6;
            uint _e47 = params.v.w;
            metal::float4 _e51 = read_v((start_2 + ((key0_2 + r_2) * _e47)) + column_5, left_6, v, _buffer_sizes);
            values_tile.inner[_e41] = _e51;
        }
    }
    return;
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(64)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, device type_2 const& q [[buffer(0)]]
, device type_2 const& k [[buffer(1)]]
, device type_2 const& v [[buffer(2)]]
, device type_5 const& mask [[buffer(3)]]
, device type_5& out [[buffer(4)]]
, device type_5& stats [[buffer(5)]]
, constant Params& params [[buffer(6)]]
, threadgroup type_6& rows_tile
, threadgroup type_7& keys_tile
, threadgroup type_8& values_tile
, constant _mslBufferSizes& _buffer_sizes [[buffer(7)]]
) {
    uint id = {};
    uint key_start = {};
    uint key_end = {};
    bool local = {};
    Block left = {};
    Block right = {};
    metal::float4 top = metal::float4(-340282350000000000000000000000000000000.0);
    metal::float4 sum = metal::float4(0.0);
    uint key0_ = {};
    metal::float4 s0_ = {};
    metal::float4 s1_ = {};
    metal::float4 s2_ = {};
    metal::float4 s3_ = {};
    uint d = {};
    uint c = {};
    metal::float4 p0_ = {};
    metal::float4 p1_ = {};
    metal::float4 p2_ = {};
    metal::float4 p3_ = {};
    metal::float4 tops = {};
    metal::float4 factors = {};
    uint j = {};
    bool local_1 = {};
    bool diagonal = {};
    bool local_2 = {};
    uint i = 0u;
    bool local_3 = {};
    bool local_4 = {};
    bool local_5 = {};
    uint team_3 = naga_div(lane, 8u);
    uint member_3 = naga_mod(lane, 8u);
    uint _e13 = params.rows;
    uint row_tiles = naga_div((_e13 + 32u) - 1u, 32u);
    uint _e28 = params.value_dim;
    uint column_tiles = naga_div((_e28 + 32u) - 1u, 32u);
    uint _e45 = params.keys;
    uint _e48 = params.part;
    uint _e54 = params.part;
    uint parts = naga_div((_e45 + _e48) - 1u, _e54);
    id = (group.y * groups.x) + group.x;
    uint _e64 = id;
    uint row_tile = (row_tiles - 1u) - naga_mod(_e64, row_tiles);
    uint _e67 = id;
    id = naga_div(_e67, row_tiles);
    uint _e69 = id;
    uint column_tile = naga_mod(_e69, column_tiles);
    uint _e71 = id;
    id = naga_div(_e71, column_tiles);
    uint _e73 = id;
    uint part_3 = naga_mod(_e73, parts);
    uint _e75 = id;
    uint head_3 = naga_div(_e75, parts);
    uint _e79 = params.all_heads;
    if (head_3 >= _e79) {
        return;
    }
    uint row0_1 = (row_tile * 4u) * TEAMS;
    uint row_7 = row0_1 + team_3;
    uint column0_3 = (column_tile * BLOCKS) * CHUNK;
    uint _e92 = params.flags;
    bool causal = (_e92 & CAUSAL) != 0u;
    uint _e99 = params.heads;
    uint batch = naga_div(head_3, _e99);
    uint _e103 = params.heads;
    uint own_1 = naga_mod(head_3, _e103);
    uint _e108 = params.q.x;
    uint _e112 = params.q.y;
    uint _e118 = params.q.z;
    uint from_q = (_e108 + (batch * _e112)) + (own_1 * _e118);
    uint _e124 = params.k.x;
    uint _e128 = params.k.y;
    uint _e133 = params.sharing;
    uint _e138 = params.k.z;
    uint from_k = (_e124 + (batch * _e128)) + (naga_div(own_1, _e133) * _e138);
    uint _e144 = params.v.x;
    uint _e148 = params.v.y;
    uint _e153 = params.sharing;
    uint _e158 = params.v.z;
    uint from_v = (_e144 + (batch * _e148)) + (naga_div(own_1, _e153) * _e158);
    uint _e163 = params.first_mask;
    uint _e167 = params.mask.x;
    uint _e173 = params.mask.y;
    uint from_mask = (_e163 + (batch * _e167)) + (own_1 * _e173);
    uint _e178 = params.part;
    key_start = part_3 * _e178;
    uint _e183 = params.keys;
    uint _e184 = key_start;
    uint _e187 = params.part;
    key_end = metal::min(_e183, _e184 + _e187);
    if (causal) {
        local = false;
    } else {
        local = false;
    }
    bool _e198 = local;
    if (_e198) {
        uint _e199 = key_start;
        key_start = metal::max(_e199, naga_div(row0_1, KEYS) * KEYS);
    } else {
        if (causal) {
            uint _e205 = key_end;
            key_end = metal::min(_e205, row0_1 + 32u);
        }
    }
    uint _e222 = params.dim;
    bool whole = _e222 <= CHUNK;
    if (whole) {
        load_rows(lane, from_q, row0_1, 0u, q, params, rows_tile, _buffer_sizes);
    }
    uint _e226 = key_start;
    key0_ = _e226;
    bool loop_init_8 = true;
    while(true) {
        if (!loop_init_8) {
            uint _e592 = key0_;
            key0_ = _e592 + KEYS;
        }
        loop_init_8 = false;
        uint _e228 = key0_;
        uint _e229 = key_end;
        if (_e228 < _e229) {
        } else {
            break;
        }
        {
            s0_ = metal::float4(0.0);
            s1_ = metal::float4(0.0);
            s2_ = metal::float4(0.0);
            s3_ = metal::float4(0.0);
            d = 0u;
            bool loop_init_9 = true;
            while(true) {
                if (!loop_init_9) {
                    uint _e328 = d;
                    d = _e328 + CHUNK;
                }
                loop_init_9 = false;
                uint _e245 = d;
                uint _e248 = params.dim;
                if (_e245 < _e248) {
                } else {
                    break;
                }
                {
                    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                    if (!(whole)) {
                        uint _e251 = d;
                        load_rows(lane, from_q, row0_1, _e251, q, params, rows_tile, _buffer_sizes);
                    }
                    uint _e252 = key0_;
                    uint _e253 = d;
                    load_keys(lane, from_k, _e252, _e253, k, params, keys_tile, _buffer_sizes);
                    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                    c = 0u;
                    bool loop_init_10 = true;
                    while(true) {
                        if (!loop_init_10) {
                            uint _e326 = c;
                            c = _e326 + 1u;
                        }
                        loop_init_10 = false;
                        uint _e256 = c;
                        if (_e256 < 8u) {
                        } else {
                            break;
                        }
                        {
                            uint _e259 = c;
                            uint at_row = (team_3 * 8u) + (_e259 ^ (team_3 & 7u));
                            uint _e267 = c;
                            uint at_key = ((member_3 * 4u) * 8u) + (_e267 ^ member_3);
                            metal::float4 k0_ = keys_tile.inner[at_key];
                            metal::float4 k1_ = keys_tile.inner[at_key + 8u];
                            metal::float4 k2_ = keys_tile.inner[at_key + 16u];
                            metal::float4 k3_ = keys_tile.inner[at_key + 24u];
                            metal::float4 _e289 = s0_;
                            metal::float4 _e292 = rows_tile.inner[at_row];
                            metal::float4 _e293 = gains(_e289, _e292, k0_, k1_, k2_, k3_);
                            s0_ = _e293;
                            metal::float4 _e294 = s1_;
                            metal::float4 _e301 = rows_tile.inner[at_row + 64u];
                            metal::float4 _e302 = gains(_e294, _e301, k0_, k1_, k2_, k3_);
                            s1_ = _e302;
                            metal::float4 _e303 = s2_;
                            metal::float4 _e312 = rows_tile.inner[at_row + 128u];
                            metal::float4 _e313 = gains(_e303, _e312, k0_, k1_, k2_, k3_);
                            s2_ = _e313;
                            metal::float4 _e314 = s3_;
                            metal::float4 _e323 = rows_tile.inner[at_row + 192u];
                            metal::float4 _e324 = gains(_e314, _e323, k0_, k1_, k2_, k3_);
                            s3_ = _e324;
                        }
                    }
                }
            }
            uint _e331 = key0_;
            uint key_3 = _e331 + (4u * member_3);
            metal::bool4 _e335 = sees(row_7, key_3, params);
            metal::bool4 _e338 = sees(row_7, key_3 + 1u, params);
            metal::bool4 _e341 = sees(row_7, key_3 + 2u, params);
            metal::bool4 _e344 = sees(row_7, key_3 + 3u, params);
            metal::bool4 seen0_ = metal::bool4(_e335.x, _e338.x, _e341.x, _e344.x);
            metal::bool4 seen1_ = metal::bool4(_e335.y, _e338.y, _e341.y, _e344.y);
            metal::bool4 seen2_ = metal::bool4(_e335.z, _e338.z, _e341.z, _e344.z);
            metal::bool4 seen3_ = metal::bool4(_e335.w, _e338.w, _e341.w, _e344.w);
            metal::float4 _e365 = s0_;
            metal::float4 _e366 = scores(_e365, row_7, key_3, from_mask, seen0_, mask, params, _buffer_sizes);
            s0_ = _e366;
            metal::float4 _e367 = s1_;
            metal::float4 _e370 = scores(_e367, row_7 + TEAMS, key_3, from_mask, seen1_, mask, params, _buffer_sizes);
            s1_ = _e370;
            metal::float4 _e371 = s2_;
            metal::float4 _e377 = scores(_e371, row_7 + 16u, key_3, from_mask, seen2_, mask, params, _buffer_sizes);
            s2_ = _e377;
            metal::float4 _e378 = s3_;
            metal::float4 _e384 = scores(_e378, row_7 + 24u, key_3, from_mask, seen3_, mask, params, _buffer_sizes);
            s3_ = _e384;
            p0_ = metal::float4 {};
            p1_ = metal::float4 {};
            p2_ = metal::float4 {};
            p3_ = metal::float4 {};
            if (false) {
                tops = metal::float4(0.0);
                factors = metal::float4(0.0);
                j = 0u;
                bool loop_init_11 = true;
                while(true) {
                    if (!loop_init_11) {
                        uint _e435 = j;
                        j = _e435 + 1u;
                    }
                    loop_init_11 = false;
                    uint _e405 = j;
                    if (_e405 < 4u) {
                    } else {
                        break;
                    }
                    {
                        uint _e408 = j;
                        uint _e412 = params.keys;
                        if ((key_3 + _e408) < _e412) {
                            uint _e414 = j;
                            uint _e418 = j;
                            float _e422 = stats[2u * (key_3 + _e418)];
                            tops[_e414] = _e422;
                            uint _e423 = j;
                            uint _e427 = j;
                            float _e433 = stats[(2u * (key_3 + _e427)) + 1u];
                            factors[_e423] = _e433;
                        }
                    }
                }
                metal::float4 _e437 = s0_;
                metal::float4 _e438 = tops;
                metal::float4 _e441 = factors;
                p0_ = metal::exp(_e437 - _e438) * _e441;
                metal::float4 _e443 = s1_;
                metal::float4 _e444 = tops;
                metal::float4 _e447 = factors;
                p1_ = metal::exp(_e443 - _e444) * _e447;
                metal::float4 _e449 = s2_;
                metal::float4 _e450 = tops;
                metal::float4 _e453 = factors;
                p2_ = metal::exp(_e449 - _e450) * _e453;
                metal::float4 _e455 = s3_;
                metal::float4 _e456 = tops;
                metal::float4 _e459 = factors;
                p3_ = metal::exp(_e455 - _e456) * _e459;
            } else {
                metal::float4 _e461 = s0_;
                float _e462 = highest(_e461);
                metal::float4 _e463 = s1_;
                float _e464 = highest(_e463);
                metal::float4 _e465 = s2_;
                float _e466 = highest(_e465);
                metal::float4 _e467 = s3_;
                float _e468 = highest(_e467);
                metal::float4 _e470 = team_highest(lane, team_3, metal::float4(_e462, _e464, _e466, _e468), values_tile);
                metal::float4 _e471 = top;
                metal::float4 higher = metal::max(_e471, _e470);
                metal::float4 _e473 = top;
                metal::float4 factor_1 = metal::exp(_e473 - higher);
                top = higher;
                metal::float4 _e476 = s0_;
                p0_ = metal::exp(_e476 - metal::float4(higher.x));
                metal::float4 _e481 = s1_;
                p1_ = metal::exp(_e481 - metal::float4(higher.y));
                metal::float4 _e486 = s2_;
                p2_ = metal::exp(_e486 - metal::float4(higher.z));
                metal::float4 _e491 = s3_;
                p3_ = metal::exp(_e491 - metal::float4(higher.w));
                rescale(left, factor_1);
                if (false) {
                    rescale(right, factor_1);
                }
                metal::float4 _e500 = sum;
                sum = _e500 * factor_1;
            }
            metal::float4 none_1 = metal::float4(0.0);
            metal::float4 _e504 = p0_;
            p0_ = metal::select(none_1, _e504, seen0_);
            metal::float4 _e506 = p1_;
            p1_ = metal::select(none_1, _e506, seen1_);
            metal::float4 _e508 = p2_;
            p2_ = metal::select(none_1, _e508, seen2_);
            metal::float4 _e510 = p3_;
            p3_ = metal::select(none_1, _e510, seen3_);
            metal::float4 _e512 = sum;
            metal::float4 _e513 = p0_;
            float _e514 = total(_e513);
            metal::float4 _e515 = p1_;
            float _e516 = total(_e515);
            metal::float4 _e517 = p2_;
            float _e518 = total(_e517);
            metal::float4 _e519 = p3_;
            float _e520 = total(_e519);
            sum = _e512 + metal::float4(_e514, _e516, _e518, _e520);
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            uint at_p = (team_3 * 8u) + (member_3 ^ (team_3 & 7u));
            metal::float4 _e531 = p0_;
            keys_tile.inner[at_p] = _e531;
            metal::float4 _e539 = p1_;
            keys_tile.inner[at_p + 64u] = _e539;
            metal::float4 _e547 = p2_;
            keys_tile.inner[at_p + 128u] = _e547;
            metal::float4 _e555 = p3_;
            keys_tile.inner[at_p + 192u] = _e555;
            uint _e556 = key0_;
            load_values(lane, from_v, _e556, column0_3, v, params, values_tile, _buffer_sizes);
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            if (causal) {
                uint _e559 = key0_;
                local_1 = (_e559 + KEYS) > row0_1;
            } else {
                local_1 = false;
            }
            bool _e564 = local_1;
            diagonal = _e564;
            if (false) {
                if (causal) {
                    uint _e572 = key0_;
                    local_2 = _e572 < (row0_1 + 32u);
                } else {
                    local_2 = false;
                }
                bool _e580 = local_2;
                diagonal = _e580;
            }
            bool _e581 = diagonal;
            if (_e581) {
                uint _e582 = key0_;
                weigh_diagonal_tile(left, team_3, member_3, row_7, _e582, params, keys_tile, values_tile);
            } else {
                weigh_tile(left, team_3, member_3, keys_tile, values_tile);
            }
            if (false) {
                metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                uint _e587 = key0_;
                load_values(lane, from_v, _e587, column0_3 + CHUNK, v, params, values_tile, _buffer_sizes);
                metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                bool _e590 = diagonal;
                if (_e590) {
                    uint _e591 = key0_;
                    weigh_diagonal_tile(right, team_3, member_3, row_7, _e591, params, keys_tile, values_tile);
                } else {
                    weigh_tile(right, team_3, member_3, keys_tile, values_tile);
                }
            }
        }
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    metal::float4 _e597 = sum;
    keys_tile.inner[lane] = _e597;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    sum = metal::float4(0.0);
    bool loop_init_12 = true;
    while(true) {
        if (!loop_init_12) {
            uint _e615 = i;
            i = _e615 + 1u;
        }
        loop_init_12 = false;
        uint _e602 = i;
        if (_e602 < 8u) {
        } else {
            break;
        }
        {
            metal::float4 _e605 = sum;
            uint _e609 = i;
            metal::float4 _e612 = keys_tile.inner[(team_3 * 8u) + _e609];
            sum = _e605 + _e612;
        }
    }
    if (false) {
        local_3 = false;
    } else {
        local_3 = true;
    }
    bool _e629 = local_3;
    if (_e629) {
        local_4 = member_3 == 0u;
    } else {
        local_4 = false;
    }
    bool _e635 = local_4;
    if (_e635) {
        local_5 = column_tile == 0u;
    } else {
        local_5 = false;
    }
    bool _e641 = local_5;
    if (_e641) {
        float _e643 = top.x;
        float _e645 = sum.x;
        keep(head_3, row_7, part_3, _e643, _e645, stats, params, _buffer_sizes);
        float _e649 = top.y;
        float _e651 = sum.y;
        keep(head_3, row_7 + TEAMS, part_3, _e649, _e651, stats, params, _buffer_sizes);
        float _e658 = top.z;
        float _e660 = sum.z;
        keep(head_3, row_7 + 16u, part_3, _e658, _e660, stats, params, _buffer_sizes);
        float _e667 = top.w;
        float _e669 = sum.w;
        keep(head_3, row_7 + 24u, part_3, _e667, _e669, stats, params, _buffer_sizes);
    }
    Block _e670 = left;
    metal::float4 _e674 = sum;
    finish_block(_e670, head_3, row_7, column0_3 + (4u * member_3), part_3, _e674, mask, out, params, _buffer_sizes);
    if (false) {
        Block _e679 = right;
        metal::float4 _e685 = sum;
        finish_block(_e679, head_3, row_7, (column0_3 + CHUNK) + (4u * member_3), part_3, _e685, mask, out, params, _buffer_sizes);
        return;
    } else {
        return;
    }
}
