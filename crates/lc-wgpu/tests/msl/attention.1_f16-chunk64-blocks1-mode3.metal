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

typedef half Element;
typedef Element type[1];
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
struct type_7 {
    metal::float4 inner[1024];
};
struct type_8 {
    metal::float4 inner[512];
};
struct type_9 {
    metal::float4 inner[512];
};
struct Fetched {
    metal::float4 x0_;
    metal::float4 x1_;
    metal::float4 x2_;
    metal::float4 x3_;
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
constant uint CAUSAL = 1u;
constant uint MASKED = 2u;
constant uint RECTIFY = 4u;
constant uint TEAMS = 16u;
constant uint THREADS = 128u;
constant uint ROWS = 64u;
constant uint KEYS = 32u;
constant uint MODE = 3u;
constant uint CHUNK = 64u;
constant uint BLOCKS = 1u;

metal::float4 read_q(
    uint at,
    uint left_1,
    device type const& q,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 x = metal::float4(0.0);
    if (left_1 > 0u) {
        Element _e10 = q[at];
        x.x = static_cast<float>(_e10);
    }
    if (left_1 > 1u) {
        Element _e19 = q[at + 1u];
        x.y = static_cast<float>(_e19);
    }
    if (left_1 > 2u) {
        Element _e28 = q[at + 2u];
        x.z = static_cast<float>(_e28);
    }
    if (left_1 > 3u) {
        Element _e37 = q[at + 3u];
        x.w = static_cast<float>(_e37);
    }
    metal::float4 _e39 = x;
    return _e39;
}

metal::float4 read_k(
    uint at_1,
    uint left_2,
    device type const& k,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 x_1 = metal::float4(0.0);
    if (left_2 > 0u) {
        Element _e10 = k[at_1];
        x_1.x = static_cast<float>(_e10);
    }
    if (left_2 > 1u) {
        Element _e19 = k[at_1 + 1u];
        x_1.y = static_cast<float>(_e19);
    }
    if (left_2 > 2u) {
        Element _e28 = k[at_1 + 2u];
        x_1.z = static_cast<float>(_e28);
    }
    if (left_2 > 3u) {
        Element _e37 = k[at_1 + 3u];
        x_1.w = static_cast<float>(_e37);
    }
    metal::float4 _e39 = x_1;
    return _e39;
}

metal::float4 read_v(
    uint at_2,
    uint left_3,
    device type const& v,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 x_2 = metal::float4(0.0);
    if (left_3 > 0u) {
        Element _e10 = v[at_2];
        x_2.x = static_cast<float>(_e10);
    }
    if (left_3 > 1u) {
        Element _e19 = v[at_2 + 1u];
        x_2.y = static_cast<float>(_e19);
    }
    if (left_3 > 2u) {
        Element _e28 = v[at_2 + 2u];
        x_2.z = static_cast<float>(_e28);
    }
    if (left_3 > 3u) {
        Element _e37 = v[at_2 + 3u];
        x_2.w = static_cast<float>(_e37);
    }
    metal::float4 _e39 = x_2;
    return _e39;
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

float highest(
    metal::float4 s
) {
    return metal::max(metal::max(s.x, s.y), metal::max(s.z, s.w));
}

float total(
    metal::float4 s_1
) {
    return (s_1.x + s_1.y) + (s_1.z + s_1.w);
}

void put(
    uint row,
    uint column,
    uint at_3,
    metal::float4 y,
    device type& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint i_1 = 0u;
    bool local_8 = {};
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e32 = i_1;
            i_1 = _e32 + 1u;
        }
        loop_init = false;
        uint _e6 = i_1;
        if (_e6 < 4u) {
        } else {
            break;
        }
        {
            uint _e11 = params.rows;
            if (row < _e11) {
                uint _e15 = i_1;
                uint _e19 = params.value_dim;
                local_8 = (column + _e15) < _e19;
            } else {
                local_8 = false;
            }
            bool _e22 = local_8;
            if (_e22) {
                uint _e25 = i_1;
                uint _e28 = i_1;
                out[(at_3 + column) + _e25] = static_cast<half>(y[_e28]);
            }
        }
    }
    return;
}

void keep(
    uint head,
    uint row_1,
    uint part,
    float top_1,
    float sum_2,
    device type_5& stats,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e7 = params.rows;
    if (row_1 < _e7) {
        uint _e12 = params.all_heads;
        uint _e17 = params.rows;
        uint at_6 = 2u * ((((part * _e12) + head) * _e17) + row_1);
        stats[at_6] = top_1;
        stats[at_6 + 1u] = false ? ((sum_2 == 0.0) ? 0.0 : (1.0 / sum_2)) : sum_2;
        return;
    } else {
        return;
    }
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
    uint at_4,
    threadgroup type_9& values_tile
) {
    metal::float4 a_2 = values_tile.inner[at_4];
    metal::float4 _e10 = o_1.a0_;
    o_1.a0_ = metal::fma(metal::float4(p.x), a_2, _e10);
    metal::float4 _e16 = o_1.a1_;
    o_1.a1_ = metal::fma(metal::float4(p.y), a_2, _e16);
    metal::float4 _e22 = o_1.a2_;
    o_1.a2_ = metal::fma(metal::float4(p.z), a_2, _e22);
    metal::float4 _e28 = o_1.a3_;
    o_1.a3_ = metal::fma(metal::float4(p.w), a_2, _e28);
    if (true) {
        metal::float4 b_1 = values_tile.inner[at_4 + 8u];
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
    uint at_5,
    threadgroup type_9& values_tile
) {
    metal::float4 none = metal::float4(0.0);
    metal::float4 a_3 = values_tile.inner[at_5];
    metal::float4 _e15 = o_2.a0_;
    o_2.a0_ = metal::fma(metal::float4(p_1.x), seen.x ? a_3 : none, _e15);
    metal::float4 _e23 = o_2.a1_;
    o_2.a1_ = metal::fma(metal::float4(p_1.y), seen.y ? a_3 : none, _e23);
    metal::float4 _e31 = o_2.a2_;
    o_2.a2_ = metal::fma(metal::float4(p_1.z), seen.z ? a_3 : none, _e31);
    metal::float4 _e39 = o_2.a3_;
    o_2.a3_ = metal::fma(metal::float4(p_1.w), seen.w ? a_3 : none, _e39);
    if (true) {
        metal::float4 b_2 = values_tile.inner[at_5 + 8u];
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
    threadgroup type_8& keys_tile,
    threadgroup type_9& values_tile
) {
    uint g = 0u;
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e69 = g;
            g = _e69 + 1u;
        }
        loop_init_1 = false;
        uint _e9 = g;
        if (_e9 < 8u) {
        } else {
            break;
        }
        {
            uint _e14 = g;
            uint at_7 = (team * 8u) + (_e14 ^ (team & 7u));
            metal::float4 p0_1 = keys_tile.inner[at_7];
            metal::float4 p1_1 = keys_tile.inner[at_7 + 128u];
            metal::float4 p2_1 = keys_tile.inner[at_7 + 256u];
            metal::float4 p3_1 = keys_tile.inner[at_7 + 384u];
            uint _e37 = g;
            uint start_3 = (_e37 * CHUNK) + member;
            weigh(o_3, metal::float4(p0_1.x, p1_1.x, p2_1.x, p3_1.x), start_3, values_tile);
            weigh(o_3, metal::float4(p0_1.y, p1_1.y, p2_1.y, p3_1.y), start_3 + 16u, values_tile);
            weigh(o_3, metal::float4(p0_1.z, p1_1.z, p2_1.z, p3_1.z), start_3 + 32u, values_tile);
            weigh(o_3, metal::float4(p0_1.w, p1_1.w, p2_1.w, p3_1.w), start_3 + 48u, values_tile);
        }
    }
    return;
}

metal::bool4 sees(
    uint row_2,
    uint key,
    constant Params& params
) {
    metal::uint4 rows = metal::uint4(row_2, row_2 + TEAMS, row_2 + 32u, row_2 + 48u);
    uint _e11 = params.keys;
    if (key >= _e11) {
        return metal::bool4(false);
    }
    uint _e17 = params.flags;
    if ((_e17 & CAUSAL) == 0u) {
        return metal::bool4(true);
    }
    if (false) {
        return rows <= metal::uint4(key);
    }
    return rows >= metal::uint4(key);
}

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

void weigh_diagonal_tile(
    thread Block& o_4,
    uint team_1,
    uint member_1,
    uint row_3,
    uint key_1,
    constant Params& params,
    threadgroup type_8& keys_tile,
    threadgroup type_9& values_tile
) {
    uint j_1 = 0u;
    bool loop_init_2 = true;
    while(true) {
        if (!loop_init_2) {
            uint _e56 = j_1;
            j_1 = _e56 + 1u;
        }
        loop_init_2 = false;
        uint _e7 = j_1;
        if (_e7 < KEYS) {
        } else {
            break;
        }
        {
            uint _e12 = j_1;
            uint at_8 = (team_1 * 8u) + (naga_div(_e12, 4u) ^ (team_1 & 7u));
            uint _e19 = j_1;
            uint c_1 = naga_mod(_e19, 4u);
            float _e25 = keys_tile.inner[at_8][c_1];
            float _e31 = keys_tile.inner[at_8 + 128u][c_1];
            float _e37 = keys_tile.inner[at_8 + 256u][c_1];
            float _e43 = keys_tile.inner[at_8 + 384u][c_1];
            metal::float4 p_2 = metal::float4(_e25, _e31, _e37, _e43);
            uint _e45 = j_1;
            metal::bool4 _e47 = sees(row_3, key_1 + _e45, params);
            uint _e48 = j_1;
            weigh_seen(o_4, p_2, _e47, (_e48 * 16u) + member_1, values_tile);
        }
    }
    return;
}

metal::float4 scores(
    metal::float4 sums_1,
    uint row_4,
    uint key_2,
    uint at_mask,
    metal::bool4 seen_1,
    device type const& mask,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 s_2 = {};
    bool local_9 = {};
    float _e7 = params.scale;
    s_2 = sums_1 * _e7;
    uint _e12 = params.flags;
    if ((_e12 & MASKED) != 0u) {
        uint _e21 = params.rows;
        local_9 = row_4 < _e21;
    } else {
        local_9 = false;
    }
    bool _e24 = local_9;
    if (_e24) {
        uint _e28 = params.mask.z;
        uint at_9 = at_mask + (row_4 * _e28);
        if (seen_1.x) {
            float _e33 = s_2.x;
            uint _e38 = params.mask.w;
            Element _e42 = mask[at_9 + (key_2 * _e38)];
            s_2.x = _e33 + static_cast<float>(_e42);
        }
        if (seen_1.y) {
            float _e47 = s_2.y;
            uint _e54 = params.mask.w;
            Element _e58 = mask[at_9 + ((key_2 + 1u) * _e54)];
            s_2.y = _e47 + static_cast<float>(_e58);
        }
        if (seen_1.z) {
            float _e63 = s_2.z;
            uint _e70 = params.mask.w;
            Element _e74 = mask[at_9 + ((key_2 + 2u) * _e70)];
            s_2.z = _e63 + static_cast<float>(_e74);
        }
        if (seen_1.w) {
            float _e79 = s_2.w;
            uint _e86 = params.mask.w;
            Element _e90 = mask[at_9 + ((key_2 + 3u) * _e86)];
            s_2.w = _e79 + static_cast<float>(_e90);
        }
    }
    metal::float4 _e95 = s_2;
    return metal::select(metal::float4(-340282350000000000000000000000000000000.0), _e95, seen_1);
}

metal::float4 team_highest(
    uint lane_1,
    uint team_2,
    metal::float4 own,
    threadgroup type_9& values_tile
) {
    metal::float4 all = {};
    uint i_2 = 0u;
    values_tile.inner[lane_1] = own;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    all = own;
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e21 = i_2;
            i_2 = _e21 + 1u;
        }
        loop_init_3 = false;
        uint _e8 = i_2;
        if (_e8 < 8u) {
        } else {
            break;
        }
        {
            metal::float4 _e11 = all;
            uint _e15 = i_2;
            metal::float4 _e18 = values_tile.inner[(team_2 * 8u) + _e15];
            all = metal::max(_e11, _e18);
        }
    }
    metal::float4 _e23 = all;
    return _e23;
}

void finish(
    uint head_1,
    uint row_5,
    uint column_1,
    uint part_1,
    float sum_3,
    metal::float4 acc,
    device type const& mask,
    device type& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint i_3 = 0u;
    bool local_10 = {};
    metal::float4 y_1 = {};
    if (true) {
        uint _e12 = params.all_heads;
        uint _e17 = params.rows;
        uint line = (((part_1 * _e12) + head_1) * _e17) + row_5;
        uint _e22 = params.first_out;
        uint _e25 = params.value_dim;
        put(row_5, column_1, _e22 + (line * _e25), acc, out, params, _buffer_sizes);
        return;
    }
    uint _e30 = params.first_out;
    uint _e33 = params.rows;
    uint _e38 = params.value_dim;
    uint at_10 = _e30 + (((head_1 * _e33) + row_5) * _e38);
    if (false) {
        uint _e47 = params.first_mask;
        uint _e51 = params.mask.z;
        uint start_4 = _e47 + (row_5 * _e51);
        bool loop_init_4 = true;
        while(true) {
            if (!loop_init_4) {
                uint _e95 = i_3;
                i_3 = _e95 + 1u;
            }
            loop_init_4 = false;
            uint _e56 = i_3;
            if (_e56 < 4u) {
            } else {
                break;
            }
            {
                uint _e61 = params.rows;
                if (row_5 < _e61) {
                    uint _e65 = i_3;
                    uint _e69 = params.value_dim;
                    local_10 = (column_1 + _e65) < _e69;
                } else {
                    local_10 = false;
                }
                bool _e72 = local_10;
                if (_e72) {
                    uint _e75 = i_3;
                    uint _e79 = i_3;
                    uint _e84 = params.mask.w;
                    Element _e88 = mask[start_4 + ((column_1 + _e79) * _e84)];
                    uint _e90 = i_3;
                    out[(at_10 + column_1) + _e75] = static_cast<half>(static_cast<float>(_e88) - acc[_e90]);
                }
            }
        }
        return;
    }
    y_1 = (sum_3 == 0.0) ? metal::float4(0.0) : (acc / metal::float4(sum_3));
    metal::float4 _e105 = y_1;
    float _e108 = params.output_scale;
    float _e112 = params.output_bias;
    y_1 = (_e105 * _e108) + metal::float4(_e112);
    uint _e117 = params.flags;
    if ((_e117 & RECTIFY) != 0u) {
        metal::float4 _e122 = y_1;
        metal::float4 _e125 = y_1;
        y_1 = metal::select(_e122, metal::float4(0.0), _e125 < metal::float4(0.0));
    }
    metal::float4 _e130 = y_1;
    put(row_5, column_1, at_10, _e130, out, params, _buffer_sizes);
    return;
}

void finish_block(
    Block o_5,
    uint head_2,
    uint row_6,
    uint column_2,
    uint part_2,
    metal::float4 sums_2,
    device type const& mask,
    device type& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    finish(head_2, row_6, column_2, part_2, sums_2.x, o_5.a0_, mask, out, params, _buffer_sizes);
    finish(head_2, row_6 + TEAMS, column_2, part_2, sums_2.y, o_5.a1_, mask, out, params, _buffer_sizes);
    finish(head_2, row_6 + 32u, column_2, part_2, sums_2.z, o_5.a2_, mask, out, params, _buffer_sizes);
    finish(head_2, row_6 + 48u, column_2, part_2, sums_2.w, o_5.a3_, mask, out, params, _buffer_sizes);
    if (true) {
        finish(head_2, row_6, column_2 + 32u, part_2, sums_2.x, o_5.b0_, mask, out, params, _buffer_sizes);
        finish(head_2, row_6 + TEAMS, column_2 + 32u, part_2, sums_2.y, o_5.b1_, mask, out, params, _buffer_sizes);
        finish(head_2, row_6 + 32u, column_2 + 32u, part_2, sums_2.z, o_5.b2_, mask, out, params, _buffer_sizes);
        finish(head_2, row_6 + 48u, column_2 + 32u, part_2, sums_2.w, o_5.b3_, mask, out, params, _buffer_sizes);
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
    device type const& q,
    constant Params& params,
    threadgroup type_7& rows_tile,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint i_4 = {};
    bool local_11 = {};
    i_4 = lane_2;
    bool loop_init_5 = true;
    while(true) {
        if (!loop_init_5) {
            uint _e56 = i_4;
            i_4 = _e56 + THREADS;
        }
        loop_init_5 = false;
        uint _e9 = i_4;
        if (_e9 < 1024u) {
        } else {
            break;
        }
        {
            uint _e14 = i_4;
            uint r = naga_div(_e14, 16u);
            uint _e16 = i_4;
            uint c_2 = naga_mod(_e16, 16u);
            uint column_3 = column0_ + (4u * c_2);
            uint _e24 = params.dim;
            uint _e28 = params.dim;
            if (column_3 < _e28) {
                uint _e35 = params.rows;
                local_11 = (row0_ + r) < _e35;
            } else {
                local_11 = false;
            }
            bool _e38 = local_11;
            uint left_4 = _e38 ? (_e24 - column_3) : 0u;
            uint _e51 = params.q.w;
            metal::float4 _e55 = read_q((start + ((row0_ + r) * _e51)) + column_3, left_4, q, _buffer_sizes);
            rows_tile.inner[(r * 16u) + (c_2 ^ (r & 7u))] = _e55;
        }
    }
    return;
}

Fetched fetch_keys(
    uint lane_3,
    uint start_1,
    uint key0_1,
    uint column0_1,
    device type const& k,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    Fetched f = {};
    uint key_3 = key0_1 + naga_div(lane_3, 16u);
    uint column_4 = column0_1 + (naga_mod(lane_3, 16u) * 4u);
    uint _e20 = params.dim;
    uint _e24 = params.dim;
    uint left_5 = (column_4 < _e24) ? (_e20 - column_4) : 0u;
    uint _e32 = params.k.w;
    uint _e39 = params.keys;
    metal::float4 _e42 = read_k((start_1 + (key_3 * _e32)) + column_4, (key_3 < _e39) ? left_5 : 0u, k, _buffer_sizes);
    f.x0_ = _e42;
    uint _e48 = params.k.w;
    uint _e56 = params.keys;
    metal::float4 _e59 = read_k((start_1 + ((key_3 + 8u) * _e48)) + column_4, ((key_3 + 8u) < _e56) ? left_5 : 0u, k, _buffer_sizes);
    f.x1_ = _e59;
    if (true) {
        uint _e71 = params.k.w;
        uint _e81 = params.keys;
        metal::float4 _e84 = read_k((start_1 + ((key_3 + 16u) * _e71)) + column_4, ((key_3 + 16u) < _e81) ? left_5 : 0u, k, _buffer_sizes);
        f.x2_ = _e84;
        uint _e92 = params.k.w;
        uint _e102 = params.keys;
        metal::float4 _e105 = read_k((start_1 + ((key_3 + 24u) * _e92)) + column_4, ((key_3 + 24u) < _e102) ? left_5 : 0u, k, _buffer_sizes);
        f.x3_ = _e105;
    }
    Fetched _e106 = f;
    return _e106;
}

Fetched fetch_values(
    uint lane_4,
    uint start_2,
    uint key0_2,
    uint column0_2,
    device type const& v,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    Fetched f_1 = {};
    uint key_4 = key0_2 + naga_div(lane_4, 16u);
    uint column_5 = column0_2 + (naga_mod(lane_4, 16u) * 4u);
    uint _e20 = params.value_dim;
    uint _e24 = params.value_dim;
    uint left_6 = (column_5 < _e24) ? (_e20 - column_5) : 0u;
    uint _e32 = params.v.w;
    uint _e39 = params.keys;
    metal::float4 _e42 = read_v((start_2 + (key_4 * _e32)) + column_5, (key_4 < _e39) ? left_6 : 0u, v, _buffer_sizes);
    f_1.x0_ = _e42;
    uint _e48 = params.v.w;
    uint _e56 = params.keys;
    metal::float4 _e59 = read_v((start_2 + ((key_4 + 8u) * _e48)) + column_5, ((key_4 + 8u) < _e56) ? left_6 : 0u, v, _buffer_sizes);
    f_1.x1_ = _e59;
    if (true) {
        uint _e71 = params.v.w;
        uint _e81 = params.keys;
        metal::float4 _e84 = read_v((start_2 + ((key_4 + 16u) * _e71)) + column_5, ((key_4 + 16u) < _e81) ? left_6 : 0u, v, _buffer_sizes);
        f_1.x2_ = _e84;
        uint _e92 = params.v.w;
        uint _e102 = params.keys;
        metal::float4 _e105 = read_v((start_2 + ((key_4 + 24u) * _e92)) + column_5, ((key_4 + 24u) < _e102) ? left_6 : 0u, v, _buffer_sizes);
        f_1.x3_ = _e105;
    }
    Fetched _e106 = f_1;
    return _e106;
}

void keep_key(
    uint lane_5,
    uint number,
    metal::float4 x_3,
    threadgroup type_8& keys_tile
) {
    uint r_1 = naga_div(lane_5, 16u) + (number * 8u);
    keys_tile.inner[(r_1 * 16u) + (naga_mod(lane_5, 16u) ^ naga_div(r_1, 4u))] = x_3;
    return;
}

void keep_keys(
    uint lane_6,
    Fetched f_2,
    threadgroup type_8& keys_tile
) {
    keep_key(lane_6, 0u, f_2.x0_, keys_tile);
    keep_key(lane_6, 1u, f_2.x1_, keys_tile);
    if (true) {
        keep_key(lane_6, 2u, f_2.x2_, keys_tile);
        keep_key(lane_6, 3u, f_2.x3_, keys_tile);
        return;
    } else {
        return;
    }
}

void keep_values(
    uint lane_7,
    Fetched f_3,
    threadgroup type_9& values_tile
) {
    values_tile.inner[lane_7] = f_3.x0_;
    values_tile.inner[lane_7 + THREADS] = f_3.x1_;
    if (true) {
        values_tile.inner[lane_7 + 256u] = f_3.x2_;
        values_tile.inner[lane_7 + 384u] = f_3.x3_;
        return;
    } else {
        return;
    }
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(128)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, device type const& q [[buffer(0)]]
, device type const& k [[buffer(1)]]
, device type const& v [[buffer(2)]]
, device type const& mask [[buffer(3)]]
, device type& out [[buffer(4)]]
, device type_5& stats [[buffer(5)]]
, constant Params& params [[buffer(6)]]
, threadgroup type_7& rows_tile
, threadgroup type_8& keys_tile
, threadgroup type_9& values_tile
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
    Fetched coming = {};
    uint key0_ = {};
    metal::float4 s0_ = {};
    metal::float4 s1_ = {};
    metal::float4 s2_ = {};
    metal::float4 s3_ = {};
    uint d = {};
    uint c = {};
    bool local_1 = {};
    bool diagonal = {};
    bool local_2 = {};
    metal::bool4 seen0_ = {};
    metal::bool4 seen1_ = {};
    metal::bool4 seen2_ = {};
    metal::bool4 seen3_ = {};
    bool local_3 = {};
    metal::float4 p0_ = {};
    metal::float4 p1_ = {};
    metal::float4 p2_ = {};
    metal::float4 p3_ = {};
    metal::float4 tops = {};
    metal::float4 factors = {};
    uint j = {};
    bool local_4 = {};
    uint i = 0u;
    bool local_5 = {};
    bool local_6 = {};
    bool local_7 = {};
    uint team_3 = naga_div(lane, 8u);
    uint member_3 = naga_mod(lane, 8u);
    uint _e13 = params.rows;
    uint row_tiles = naga_div((_e13 + ROWS) - 1u, ROWS);
    uint _e22 = params.value_dim;
    uint column_tiles = naga_div((_e22 + 64u) - 1u, 64u);
    uint _e39 = params.keys;
    uint _e42 = params.part;
    uint _e48 = params.part;
    uint parts = naga_div((_e39 + _e42) - 1u, _e48);
    id = (group.y * groups.x) + group.x;
    uint _e58 = id;
    uint row_tile = (row_tiles - 1u) - naga_mod(_e58, row_tiles);
    uint _e61 = id;
    id = naga_div(_e61, row_tiles);
    uint _e63 = id;
    uint column_tile = naga_mod(_e63, column_tiles);
    uint _e65 = id;
    id = naga_div(_e65, column_tiles);
    uint _e67 = id;
    uint part_3 = naga_mod(_e67, parts);
    uint _e69 = id;
    uint head_3 = naga_div(_e69, parts);
    uint _e73 = params.all_heads;
    if (head_3 >= _e73) {
        return;
    }
    uint row0_1 = row_tile * ROWS;
    uint row_7 = row0_1 + team_3;
    uint column0_3 = (column_tile * BLOCKS) * CHUNK;
    uint _e84 = params.flags;
    bool causal = (_e84 & CAUSAL) != 0u;
    uint _e91 = params.heads;
    uint batch = naga_div(head_3, _e91);
    uint _e95 = params.heads;
    uint own_1 = naga_mod(head_3, _e95);
    uint _e100 = params.q.x;
    uint _e104 = params.q.y;
    uint _e110 = params.q.z;
    uint from_q = (_e100 + (batch * _e104)) + (own_1 * _e110);
    uint _e116 = params.k.x;
    uint _e120 = params.k.y;
    uint _e125 = params.sharing;
    uint _e130 = params.k.z;
    uint from_k = (_e116 + (batch * _e120)) + (naga_div(own_1, _e125) * _e130);
    uint _e136 = params.v.x;
    uint _e140 = params.v.y;
    uint _e145 = params.sharing;
    uint _e150 = params.v.z;
    uint from_v = (_e136 + (batch * _e140)) + (naga_div(own_1, _e145) * _e150);
    uint _e155 = params.first_mask;
    uint _e159 = params.mask.x;
    uint _e165 = params.mask.y;
    uint from_mask = (_e155 + (batch * _e159)) + (own_1 * _e165);
    uint _e170 = params.part;
    key_start = part_3 * _e170;
    uint _e175 = params.keys;
    uint _e176 = key_start;
    uint _e179 = params.part;
    key_end = metal::min(_e175, _e176 + _e179);
    if (causal) {
        local = false;
    } else {
        local = false;
    }
    bool _e190 = local;
    if (_e190) {
        uint _e191 = key_start;
        key_start = metal::max(_e191, naga_div(row0_1, KEYS) * KEYS);
    } else {
        if (causal) {
            uint _e197 = key_end;
            key_end = metal::min(_e197, row0_1 + ROWS);
        }
    }
    uint _e211 = params.dim;
    bool whole = _e211 <= CHUNK;
    if (whole) {
        load_rows(lane, from_q, row0_1, 0u, q, params, rows_tile, _buffer_sizes);
        uint _e216 = key_start;
        Fetched _e218 = fetch_keys(lane, from_k, _e216, 0u, k, params, _buffer_sizes);
        coming = _e218;
    }
    uint _e219 = key_start;
    key0_ = _e219;
    bool loop_init_6 = true;
    while(true) {
        if (!loop_init_6) {
            uint _e620 = key0_;
            key0_ = _e620 + KEYS;
        }
        loop_init_6 = false;
        uint _e221 = key0_;
        uint _e222 = key_end;
        if (_e221 < _e222) {
        } else {
            break;
        }
        {
            s0_ = metal::float4(0.0);
            s1_ = metal::float4(0.0);
            s2_ = metal::float4(0.0);
            s3_ = metal::float4(0.0);
            d = 0u;
            bool loop_init_7 = true;
            while(true) {
                if (!loop_init_7) {
                    uint _e326 = d;
                    d = _e326 + CHUNK;
                }
                loop_init_7 = false;
                uint _e238 = d;
                uint _e241 = params.dim;
                if (_e238 < _e241) {
                } else {
                    break;
                }
                {
                    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                    if (!(whole)) {
                        uint _e244 = d;
                        load_rows(lane, from_q, row0_1, _e244, q, params, rows_tile, _buffer_sizes);
                        uint _e245 = key0_;
                        uint _e246 = d;
                        Fetched _e247 = fetch_keys(lane, from_k, _e245, _e246, k, params, _buffer_sizes);
                        coming = _e247;
                    }
                    Fetched _e248 = coming;
                    keep_keys(lane, _e248, keys_tile);
                    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                    uint _e249 = d;
                    uint _e254 = params.dim;
                    if ((_e249 + CHUNK) >= _e254) {
                        uint _e256 = key0_;
                        Fetched _e257 = fetch_values(lane, from_v, _e256, column0_3, v, params, _buffer_sizes);
                        coming = _e257;
                    }
                    c = 0u;
                    bool loop_init_8 = true;
                    while(true) {
                        if (!loop_init_8) {
                            uint _e324 = c;
                            c = _e324 + 1u;
                        }
                        loop_init_8 = false;
                        uint _e260 = c;
                        if (_e260 < 16u) {
                        } else {
                            break;
                        }
                        {
                            uint _e263 = c;
                            uint at_row = (team_3 * 16u) + (_e263 ^ (team_3 & 7u));
                            uint _e271 = c;
                            uint at_key = ((member_3 * 4u) * 16u) + (_e271 ^ member_3);
                            metal::float4 k0_ = keys_tile.inner[at_key];
                            metal::float4 k1_ = keys_tile.inner[at_key + 16u];
                            metal::float4 k2_ = keys_tile.inner[at_key + 32u];
                            metal::float4 k3_ = keys_tile.inner[at_key + 48u];
                            metal::float4 _e293 = s0_;
                            metal::float4 _e296 = rows_tile.inner[at_row];
                            metal::float4 _e297 = gains(_e293, _e296, k0_, k1_, k2_, k3_);
                            s0_ = _e297;
                            metal::float4 _e298 = s1_;
                            metal::float4 _e305 = rows_tile.inner[at_row + 256u];
                            metal::float4 _e306 = gains(_e298, _e305, k0_, k1_, k2_, k3_);
                            s1_ = _e306;
                            metal::float4 _e307 = s2_;
                            metal::float4 _e313 = rows_tile.inner[at_row + 512u];
                            metal::float4 _e314 = gains(_e307, _e313, k0_, k1_, k2_, k3_);
                            s2_ = _e314;
                            metal::float4 _e315 = s3_;
                            metal::float4 _e321 = rows_tile.inner[at_row + 768u];
                            metal::float4 _e322 = gains(_e315, _e321, k0_, k1_, k2_, k3_);
                            s3_ = _e322;
                        }
                    }
                }
            }
            uint _e329 = key0_;
            uint key_5 = _e329 + (4u * member_3);
            if (causal) {
                uint _e335 = key0_;
                local_1 = (_e335 + KEYS) > row0_1;
            } else {
                local_1 = false;
            }
            bool _e340 = local_1;
            diagonal = _e340;
            if (false) {
                if (causal) {
                    uint _e348 = key0_;
                    local_2 = _e348 < (row0_1 + ROWS);
                } else {
                    local_2 = false;
                }
                bool _e353 = local_2;
                diagonal = _e353;
            }
            seen0_ = metal::bool4(true);
            seen1_ = metal::bool4(true);
            seen2_ = metal::bool4(true);
            seen3_ = metal::bool4(true);
            bool _e366 = diagonal;
            if (!(_e366)) {
                uint _e370 = key0_;
                uint _e375 = params.keys;
                local_3 = (_e370 + KEYS) > _e375;
            } else {
                local_3 = true;
            }
            bool _e378 = local_3;
            if (_e378) {
                metal::bool4 _e379 = sees(row_7, key_5, params);
                metal::bool4 _e382 = sees(row_7, key_5 + 1u, params);
                metal::bool4 _e385 = sees(row_7, key_5 + 2u, params);
                metal::bool4 _e388 = sees(row_7, key_5 + 3u, params);
                seen0_ = metal::bool4(_e379.x, _e382.x, _e385.x, _e388.x);
                seen1_ = metal::bool4(_e379.y, _e382.y, _e385.y, _e388.y);
                seen2_ = metal::bool4(_e379.z, _e382.z, _e385.z, _e388.z);
                seen3_ = metal::bool4(_e379.w, _e382.w, _e385.w, _e388.w);
            }
            metal::float4 _e409 = s0_;
            metal::bool4 _e410 = seen0_;
            metal::float4 _e411 = scores(_e409, row_7, key_5, from_mask, _e410, mask, params, _buffer_sizes);
            s0_ = _e411;
            metal::float4 _e412 = s1_;
            metal::bool4 _e415 = seen1_;
            metal::float4 _e416 = scores(_e412, row_7 + TEAMS, key_5, from_mask, _e415, mask, params, _buffer_sizes);
            s1_ = _e416;
            metal::float4 _e417 = s2_;
            metal::bool4 _e420 = seen2_;
            metal::float4 _e421 = scores(_e417, row_7 + 32u, key_5, from_mask, _e420, mask, params, _buffer_sizes);
            s2_ = _e421;
            metal::float4 _e422 = s3_;
            metal::bool4 _e425 = seen3_;
            metal::float4 _e426 = scores(_e422, row_7 + 48u, key_5, from_mask, _e425, mask, params, _buffer_sizes);
            s3_ = _e426;
            p0_ = metal::float4 {};
            p1_ = metal::float4 {};
            p2_ = metal::float4 {};
            p3_ = metal::float4 {};
            if (false) {
                tops = metal::float4(0.0);
                factors = metal::float4(0.0);
                j = 0u;
                bool loop_init_9 = true;
                while(true) {
                    if (!loop_init_9) {
                        uint _e477 = j;
                        j = _e477 + 1u;
                    }
                    loop_init_9 = false;
                    uint _e447 = j;
                    if (_e447 < 4u) {
                    } else {
                        break;
                    }
                    {
                        uint _e450 = j;
                        uint _e454 = params.keys;
                        if ((key_5 + _e450) < _e454) {
                            uint _e456 = j;
                            uint _e460 = j;
                            float _e464 = stats[2u * (key_5 + _e460)];
                            tops[_e456] = _e464;
                            uint _e465 = j;
                            uint _e469 = j;
                            float _e475 = stats[(2u * (key_5 + _e469)) + 1u];
                            factors[_e465] = _e475;
                        }
                    }
                }
                metal::float4 _e479 = s0_;
                metal::float4 _e480 = tops;
                metal::float4 _e483 = factors;
                p0_ = metal::exp(_e479 - _e480) * _e483;
                metal::float4 _e485 = s1_;
                metal::float4 _e486 = tops;
                metal::float4 _e489 = factors;
                p1_ = metal::exp(_e485 - _e486) * _e489;
                metal::float4 _e491 = s2_;
                metal::float4 _e492 = tops;
                metal::float4 _e495 = factors;
                p2_ = metal::exp(_e491 - _e492) * _e495;
                metal::float4 _e497 = s3_;
                metal::float4 _e498 = tops;
                metal::float4 _e501 = factors;
                p3_ = metal::exp(_e497 - _e498) * _e501;
            } else {
                metal::float4 _e503 = s0_;
                float _e504 = highest(_e503);
                metal::float4 _e505 = s1_;
                float _e506 = highest(_e505);
                metal::float4 _e507 = s2_;
                float _e508 = highest(_e507);
                metal::float4 _e509 = s3_;
                float _e510 = highest(_e509);
                metal::float4 _e512 = team_highest(lane, team_3, metal::float4(_e504, _e506, _e508, _e510), values_tile);
                metal::float4 _e513 = top;
                metal::float4 higher = metal::max(_e513, _e512);
                metal::float4 _e515 = top;
                metal::float4 factor_1 = metal::exp(_e515 - higher);
                top = higher;
                metal::float4 _e518 = s0_;
                p0_ = metal::exp(_e518 - metal::float4(higher.x));
                metal::float4 _e523 = s1_;
                p1_ = metal::exp(_e523 - metal::float4(higher.y));
                metal::float4 _e528 = s2_;
                p2_ = metal::exp(_e528 - metal::float4(higher.z));
                metal::float4 _e533 = s3_;
                p3_ = metal::exp(_e533 - metal::float4(higher.w));
                rescale(left, factor_1);
                if (false) {
                    rescale(right, factor_1);
                }
                metal::float4 _e542 = sum;
                sum = _e542 * factor_1;
            }
            metal::float4 none_1 = metal::float4(0.0);
            metal::float4 _e546 = p0_;
            metal::bool4 _e547 = seen0_;
            p0_ = metal::select(none_1, _e546, _e547);
            metal::float4 _e549 = p1_;
            metal::bool4 _e550 = seen1_;
            p1_ = metal::select(none_1, _e549, _e550);
            metal::float4 _e552 = p2_;
            metal::bool4 _e553 = seen2_;
            p2_ = metal::select(none_1, _e552, _e553);
            metal::float4 _e555 = p3_;
            metal::bool4 _e556 = seen3_;
            p3_ = metal::select(none_1, _e555, _e556);
            metal::float4 _e558 = sum;
            metal::float4 _e559 = p0_;
            float _e560 = total(_e559);
            metal::float4 _e561 = p1_;
            float _e562 = total(_e561);
            metal::float4 _e563 = p2_;
            float _e564 = total(_e563);
            metal::float4 _e565 = p3_;
            float _e566 = total(_e565);
            sum = _e558 + metal::float4(_e560, _e562, _e564, _e566);
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            uint at_p = (team_3 * 8u) + (member_3 ^ (team_3 & 7u));
            metal::float4 _e577 = p0_;
            keys_tile.inner[at_p] = _e577;
            metal::float4 _e582 = p1_;
            keys_tile.inner[at_p + 128u] = _e582;
            metal::float4 _e587 = p2_;
            keys_tile.inner[at_p + 256u] = _e587;
            metal::float4 _e592 = p3_;
            keys_tile.inner[at_p + 384u] = _e592;
            Fetched _e593 = coming;
            keep_values(lane, _e593, values_tile);
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            if (whole) {
                uint _e596 = key0_;
                uint _e599 = key_end;
                local_4 = (_e596 + KEYS) < _e599;
            } else {
                local_4 = false;
            }
            bool _e602 = local_4;
            if (_e602) {
                uint _e603 = key0_;
                Fetched _e607 = fetch_keys(lane, from_k, _e603 + KEYS, 0u, k, params, _buffer_sizes);
                coming = _e607;
            }
            bool _e608 = diagonal;
            if (_e608) {
                uint _e609 = key0_;
                weigh_diagonal_tile(left, team_3, member_3, row_7, _e609, params, keys_tile, values_tile);
            } else {
                weigh_tile(left, team_3, member_3, keys_tile, values_tile);
            }
            if (false) {
                uint _e614 = key0_;
                Fetched _e617 = fetch_values(lane, from_v, _e614, column0_3 + CHUNK, v, params, _buffer_sizes);
                metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                keep_values(lane, _e617, values_tile);
                metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                bool _e618 = diagonal;
                if (_e618) {
                    uint _e619 = key0_;
                    weigh_diagonal_tile(right, team_3, member_3, row_7, _e619, params, keys_tile, values_tile);
                } else {
                    weigh_tile(right, team_3, member_3, keys_tile, values_tile);
                }
            }
        }
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    metal::float4 _e625 = sum;
    keys_tile.inner[lane] = _e625;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    sum = metal::float4(0.0);
    bool loop_init_10 = true;
    while(true) {
        if (!loop_init_10) {
            uint _e643 = i;
            i = _e643 + 1u;
        }
        loop_init_10 = false;
        uint _e630 = i;
        if (_e630 < 8u) {
        } else {
            break;
        }
        {
            metal::float4 _e633 = sum;
            uint _e637 = i;
            metal::float4 _e640 = keys_tile.inner[(team_3 * 8u) + _e637];
            sum = _e633 + _e640;
        }
    }
    if (true) {
        local_5 = true;
    } else {
        local_5 = true;
    }
    bool _e657 = local_5;
    if (_e657) {
        local_6 = member_3 == 0u;
    } else {
        local_6 = false;
    }
    bool _e663 = local_6;
    if (_e663) {
        local_7 = column_tile == 0u;
    } else {
        local_7 = false;
    }
    bool _e669 = local_7;
    if (_e669) {
        float _e671 = top.x;
        float _e673 = sum.x;
        keep(head_3, row_7, part_3, _e671, _e673, stats, params, _buffer_sizes);
        float _e677 = top.y;
        float _e679 = sum.y;
        keep(head_3, row_7 + TEAMS, part_3, _e677, _e679, stats, params, _buffer_sizes);
        float _e683 = top.z;
        float _e685 = sum.z;
        keep(head_3, row_7 + 32u, part_3, _e683, _e685, stats, params, _buffer_sizes);
        float _e689 = top.w;
        float _e691 = sum.w;
        keep(head_3, row_7 + 48u, part_3, _e689, _e691, stats, params, _buffer_sizes);
    }
    Block _e692 = left;
    metal::float4 _e696 = sum;
    finish_block(_e692, head_3, row_7, column0_3 + (4u * member_3), part_3, _e696, mask, out, params, _buffer_sizes);
    if (false) {
        Block _e701 = right;
        metal::float4 _e707 = sum;
        finish_block(_e701, head_3, row_7, (column0_3 + CHUNK) + (4u * member_3), part_3, _e707, mask, out, params, _buffer_sizes);
        return;
    } else {
        return;
    }
}
