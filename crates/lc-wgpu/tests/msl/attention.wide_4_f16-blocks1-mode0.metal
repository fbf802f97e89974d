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
typedef metal::half4 type_1[1];
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
typedef Element type_6[1];
typedef float type_7[1];
struct type_9 {
    metal::float4 inner[2048];
};
struct Block {
    metal::float4 a0_;
    metal::float4 a1_;
    metal::float4 a2_;
    metal::float4 a3_;
    metal::float4 a4_;
    metal::float4 a5_;
    metal::float4 a6_;
    metal::float4 a7_;
};
struct Fetched {
    metal::float4 q0_;
    metal::float4 q1_;
    metal::float4 q2_;
    metal::float4 q3_;
    metal::float4 k0_;
    metal::float4 k1_;
};
struct Values {
    metal::float4 x0_;
    metal::float4 x1_;
    metal::float4 x2_;
    metal::float4 x3_;
};
constant uint CAUSAL = 1u;
constant uint MASKED = 2u;
constant uint RECTIFY = 4u;
constant uint TEAMS = 16u;
constant uint THREADS = 256u;
constant uint ROWS = 128u;
constant uint KEYS = 64u;
constant uint DEPTH = 32u;
constant uint LINE = 8u;
constant uint KEYS_AT = 1024u;
constant uint TOPS_AT = 1536u;
constant uint VALUES_AT = 1024u;
constant uint MODE = 0u;
constant uint BLOCKS = 1u;
constant uint WRITTEN_OUT = 1u;

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

metal::float4 read_q(
    uint at,
    uint left_1,
    device type_1 const& q,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::half4 _e10 = q[(left_1 > 0u) ? naga_div(at, 4u) : 0u];
    metal::float4 x = static_cast<metal::float4>(_e10);
    return (left_1 > 0u) ? x : metal::float4(0.0);
}

metal::float4 read_k(
    uint at_1,
    uint left_2,
    device type_1 const& k,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::half4 _e10 = k[(left_2 > 0u) ? naga_div(at_1, 4u) : 0u];
    metal::float4 x_1 = static_cast<metal::float4>(_e10);
    return (left_2 > 0u) ? x_1 : metal::float4(0.0);
}

metal::float4 read_v(
    uint at_2,
    uint left_3,
    device type_1 const& v,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::half4 _e10 = v[(left_3 > 0u) ? naga_div(at_2, 4u) : 0u];
    metal::float4 x_2 = static_cast<metal::float4>(_e10);
    return (left_3 > 0u) ? x_2 : metal::float4(0.0);
}

float gain(
    float sum,
    metal::float4 a,
    metal::float4 b
) {
    return metal::fma(a.w, b.w, metal::fma(a.z, b.z, metal::fma(a.y, b.y, metal::fma(a.x, b.x, sum))));
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
    metal::float4 s_1
) {
    return metal::max(metal::max(s_1.x, s_1.y), metal::max(s_1.z, s_1.w));
}

float total(
    metal::float4 s_2
) {
    return (s_2.x + s_2.y) + (s_2.z + s_2.w);
}

void put(
    uint row,
    uint column,
    uint at_3,
    metal::float4 y,
    device type_6& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint i_2 = 0u;
    bool local_5 = {};
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e32 = i_2;
            i_2 = _e32 + 1u;
        }
        loop_init = false;
        uint _e6 = i_2;
        if (_e6 < 4u) {
        } else {
            break;
        }
        {
            uint _e11 = params.rows;
            if (row < _e11) {
                uint _e15 = i_2;
                uint _e19 = params.value_dim;
                local_5 = (column + _e15) < _e19;
            } else {
                local_5 = false;
            }
            bool _e22 = local_5;
            if (_e22) {
                uint _e25 = i_2;
                uint _e28 = i_2;
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
    float top,
    float sum_1,
    device type_7& stats,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e7 = params.rows;
    if (row_1 < _e7) {
        uint _e12 = params.all_heads;
        uint _e17 = params.rows;
        uint at_4 = 2u * ((((part * _e12) + head) * _e17) + row_1);
        stats[at_4] = top;
        stats[at_4 + 1u] = false ? ((sum_1 == 0.0) ? 0.0 : (1.0 / sum_1)) : sum_1;
        return;
    } else {
        return;
    }
}

metal::float4 row_vector(
    uint start,
    uint row_2,
    uint column_1,
    uint left_4,
    device type_1 const& q,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e7 = params.q.w;
    uint _e14 = params.rows;
    metal::float4 _e17 = read_q((start + (row_2 * _e7)) + column_1, (row_2 < _e14) ? left_4 : 0u, q, _buffer_sizes);
    return _e17;
}

metal::float4 key_vector(
    uint start_1,
    uint key,
    uint column_2,
    uint left_5,
    device type_1 const& k,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e7 = params.k.w;
    uint _e14 = params.keys;
    metal::float4 _e17 = read_k((start_1 + (key * _e7)) + column_2, (key < _e14) ? left_5 : 0u, k, _buffer_sizes);
    return _e17;
}

metal::float4 value_vector(
    uint start_2,
    uint key_1,
    uint column_3,
    uint left_6,
    device type_1 const& v,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint _e7 = params.v.w;
    uint _e14 = params.keys;
    metal::float4 _e17 = read_v((start_2 + (key_1 * _e7)) + column_3, (key_1 < _e14) ? left_6 : 0u, v, _buffer_sizes);
    return _e17;
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

Fetched fetch(
    uint lane_1,
    uint from_q,
    uint from_k,
    uint row0_,
    uint key0_1,
    uint column0_,
    device type_1 const& q,
    device type_1 const& k,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    Fetched f = {};
    uint column_6 = column0_ + (naga_mod(lane_1, LINE) * 4u);
    uint _e14 = params.dim;
    uint _e18 = params.dim;
    uint left_7 = (column_6 < _e18) ? (_e14 - column_6) : 0u;
    uint row_11 = row0_ + naga_div(lane_1, LINE);
    uint key_6 = key0_1 + naga_div(lane_1, LINE);
    metal::float4 _e29 = row_vector(from_q, row_11, column_6, left_7, q, params, _buffer_sizes);
    f.q0_ = _e29;
    metal::float4 _e33 = row_vector(from_q, row_11 + 32u, column_6, left_7, q, params, _buffer_sizes);
    f.q1_ = _e33;
    metal::float4 _e37 = row_vector(from_q, row_11 + 64u, column_6, left_7, q, params, _buffer_sizes);
    f.q2_ = _e37;
    metal::float4 _e41 = row_vector(from_q, row_11 + 96u, column_6, left_7, q, params, _buffer_sizes);
    f.q3_ = _e41;
    metal::float4 _e43 = key_vector(from_k, key_6, column_6, left_7, k, params, _buffer_sizes);
    f.k0_ = _e43;
    metal::float4 _e47 = key_vector(from_k, key_6 + 32u, column_6, left_7, k, params, _buffer_sizes);
    f.k1_ = _e47;
    Fetched _e48 = f;
    return _e48;
}

void keep_tile(
    uint lane_2,
    Fetched f_1,
    threadgroup type_9& tile
) {
    uint r = naga_div(lane_2, LINE);
    uint c_2 = naga_mod(lane_2, LINE);
    uint at_5 = (r * LINE) + (c_2 ^ (r & 7u));
    tile.inner[at_5] = f_1.q0_;
    tile.inner[at_5 + 256u] = f_1.q1_;
    tile.inner[at_5 + 512u] = f_1.q2_;
    tile.inner[at_5 + 768u] = f_1.q3_;
    uint at_key = (KEYS_AT + (r * LINE)) + (c_2 ^ naga_div(r, 4u));
    tile.inner[at_key] = f_1.k0_;
    tile.inner[at_key + 256u] = f_1.k1_;
    return;
}

Values fetch_values(
    uint lane_3,
    uint start_3,
    uint key0_2,
    uint column0_1,
    device type_1 const& v,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    Values f_2 = {};
    uint key_7 = key0_2 + naga_div(lane_3, 16u);
    uint column_7 = column0_1 + (naga_mod(lane_3, 16u) * 4u);
    uint _e15 = params.value_dim;
    uint _e19 = params.value_dim;
    uint left_8 = (column_7 < _e19) ? (_e15 - column_7) : 0u;
    metal::float4 _e24 = value_vector(start_3, key_7, column_7, left_8, v, params, _buffer_sizes);
    f_2.x0_ = _e24;
    metal::float4 _e28 = value_vector(start_3, key_7 + 16u, column_7, left_8, v, params, _buffer_sizes);
    f_2.x1_ = _e28;
    metal::float4 _e32 = value_vector(start_3, key_7 + 32u, column_7, left_8, v, params, _buffer_sizes);
    f_2.x2_ = _e32;
    metal::float4 _e36 = value_vector(start_3, key_7 + 48u, column_7, left_8, v, params, _buffer_sizes);
    f_2.x3_ = _e36;
    Values _e37 = f_2;
    return _e37;
}

void keep_values(
    uint lane_4,
    Values f_3,
    threadgroup type_9& tile
) {
    tile.inner[VALUES_AT + lane_4] = f_3.x0_;
    tile.inner[(VALUES_AT + lane_4) + THREADS] = f_3.x1_;
    tile.inner[(VALUES_AT + lane_4) + 512u] = f_3.x2_;
    tile.inner[(VALUES_AT + lane_4) + 768u] = f_3.x3_;
    return;
}

void score(
    thread Block& s_3,
    uint team,
    uint member,
    uint c_1,
    threadgroup type_9& tile
) {
    uint at_6 = (team * LINE) + (c_1 ^ (team & 7u));
    uint at_key_1 = (KEYS_AT + ((member * 4u) * LINE)) + (c_1 ^ (member & 7u));
    metal::float4 k0_ = tile.inner[at_key_1];
    metal::float4 k1_ = tile.inner[at_key_1 + LINE];
    metal::float4 k2_ = tile.inner[at_key_1 + 16u];
    metal::float4 k3_ = tile.inner[at_key_1 + 24u];
    metal::float4 _e40 = s_3.a0_;
    metal::float4 _e43 = tile.inner[at_6];
    metal::float4 _e44 = gains(_e40, _e43, k0_, k1_, k2_, k3_);
    s_3.a0_ = _e44;
    metal::float4 _e47 = s_3.a1_;
    metal::float4 _e52 = tile.inner[at_6 + 128u];
    metal::float4 _e53 = gains(_e47, _e52, k0_, k1_, k2_, k3_);
    s_3.a1_ = _e53;
    metal::float4 _e56 = s_3.a2_;
    metal::float4 _e61 = tile.inner[at_6 + 256u];
    metal::float4 _e62 = gains(_e56, _e61, k0_, k1_, k2_, k3_);
    s_3.a2_ = _e62;
    metal::float4 _e65 = s_3.a3_;
    metal::float4 _e70 = tile.inner[at_6 + 384u];
    metal::float4 _e71 = gains(_e65, _e70, k0_, k1_, k2_, k3_);
    s_3.a3_ = _e71;
    metal::float4 _e74 = s_3.a4_;
    metal::float4 _e79 = tile.inner[at_6 + 512u];
    metal::float4 _e80 = gains(_e74, _e79, k0_, k1_, k2_, k3_);
    s_3.a4_ = _e80;
    metal::float4 _e83 = s_3.a5_;
    metal::float4 _e88 = tile.inner[at_6 + 640u];
    metal::float4 _e89 = gains(_e83, _e88, k0_, k1_, k2_, k3_);
    s_3.a5_ = _e89;
    metal::float4 _e92 = s_3.a6_;
    metal::float4 _e97 = tile.inner[at_6 + 768u];
    metal::float4 _e98 = gains(_e92, _e97, k0_, k1_, k2_, k3_);
    s_3.a6_ = _e98;
    metal::float4 _e101 = s_3.a7_;
    metal::float4 _e106 = tile.inner[at_6 + 896u];
    metal::float4 _e107 = gains(_e101, _e106, k0_, k1_, k2_, k3_);
    s_3.a7_ = _e107;
    return;
}

metal::float4 mix(
    metal::float4 o,
    metal::float4 p,
    metal::float4 v0_,
    metal::float4 v1_,
    metal::float4 v2_,
    metal::float4 v3_
) {
    metal::float4 xy = metal::fma(metal::float4(p.y), v1_, metal::fma(metal::float4(p.x), v0_, o));
    return metal::fma(metal::float4(p.w), v3_, metal::fma(metal::float4(p.z), v2_, xy));
}

void weigh(
    thread Block& o_1,
    uint team_1,
    uint member_1,
    uint first,
    uint g,
    threadgroup type_9& tile
) {
    uint at_7 = (team_1 * LINE) + (g ^ (team_1 & 7u));
    uint at_value = (VALUES_AT + ((first + (4u * g)) * 16u)) + member_1;
    metal::float4 v0_2 = tile.inner[at_value];
    metal::float4 v1_2 = tile.inner[at_value + 16u];
    metal::float4 v2_2 = tile.inner[at_value + 32u];
    metal::float4 v3_2 = tile.inner[at_value + 48u];
    metal::float4 _e39 = o_1.a0_;
    metal::float4 _e42 = tile.inner[at_7];
    metal::float4 _e43 = mix(_e39, _e42, v0_2, v1_2, v2_2, v3_2);
    o_1.a0_ = _e43;
    metal::float4 _e46 = o_1.a1_;
    metal::float4 _e51 = tile.inner[at_7 + 128u];
    metal::float4 _e52 = mix(_e46, _e51, v0_2, v1_2, v2_2, v3_2);
    o_1.a1_ = _e52;
    metal::float4 _e55 = o_1.a2_;
    metal::float4 _e60 = tile.inner[at_7 + 256u];
    metal::float4 _e61 = mix(_e55, _e60, v0_2, v1_2, v2_2, v3_2);
    o_1.a2_ = _e61;
    metal::float4 _e64 = o_1.a3_;
    metal::float4 _e69 = tile.inner[at_7 + 384u];
    metal::float4 _e70 = mix(_e64, _e69, v0_2, v1_2, v2_2, v3_2);
    o_1.a3_ = _e70;
    metal::float4 _e73 = o_1.a4_;
    metal::float4 _e78 = tile.inner[at_7 + 512u];
    metal::float4 _e79 = mix(_e73, _e78, v0_2, v1_2, v2_2, v3_2);
    o_1.a4_ = _e79;
    metal::float4 _e82 = o_1.a5_;
    metal::float4 _e87 = tile.inner[at_7 + 640u];
    metal::float4 _e88 = mix(_e82, _e87, v0_2, v1_2, v2_2, v3_2);
    o_1.a5_ = _e88;
    metal::float4 _e91 = o_1.a6_;
    metal::float4 _e96 = tile.inner[at_7 + 768u];
    metal::float4 _e97 = mix(_e91, _e96, v0_2, v1_2, v2_2, v3_2);
    o_1.a6_ = _e97;
    metal::float4 _e100 = o_1.a7_;
    metal::float4 _e105 = tile.inner[at_7 + 896u];
    metal::float4 _e106 = mix(_e100, _e105, v0_2, v1_2, v2_2, v3_2);
    o_1.a7_ = _e106;
    return;
}

metal::float4 mix_seen(
    metal::float4 o_2,
    metal::float4 p_1,
    metal::float4 v0_1,
    metal::float4 v1_1,
    metal::float4 v2_1,
    metal::float4 v3_1,
    uint row_3,
    uint key_2
) {
    metal::float4 none = metal::float4(0.0);
    metal::float4 a_4 = (row_3 >= key_2) ? v0_1 : none;
    metal::float4 b_3 = (row_3 >= (key_2 + 1u)) ? v1_1 : none;
    metal::float4 c_3 = (row_3 >= (key_2 + 2u)) ? v2_1 : none;
    metal::float4 _e24 = mix(o_2, p_1, a_4, b_3, c_3, (row_3 >= (key_2 + 3u)) ? v3_1 : none);
    return _e24;
}

void weigh_seen(
    thread Block& o_3,
    uint team_2,
    uint member_2,
    uint row_4,
    uint key0_3,
    uint first_1,
    uint g_1,
    threadgroup type_9& tile
) {
    uint at_8 = (team_2 * LINE) + (g_1 ^ (team_2 & 7u));
    uint at_value_1 = (VALUES_AT + ((first_1 + (4u * g_1)) * 16u)) + member_2;
    metal::float4 v0_3 = tile.inner[at_value_1];
    metal::float4 v1_3 = tile.inner[at_value_1 + 16u];
    metal::float4 v2_3 = tile.inner[at_value_1 + 32u];
    metal::float4 v3_3 = tile.inner[at_value_1 + 48u];
    uint key_8 = (key0_3 + first_1) + (4u * g_1);
    metal::float4 _e45 = o_3.a0_;
    metal::float4 _e48 = tile.inner[at_8];
    metal::float4 _e49 = mix_seen(_e45, _e48, v0_3, v1_3, v2_3, v3_3, row_4, key_8);
    o_3.a0_ = _e49;
    metal::float4 _e52 = o_3.a1_;
    metal::float4 _e57 = tile.inner[at_8 + 128u];
    metal::float4 _e60 = mix_seen(_e52, _e57, v0_3, v1_3, v2_3, v3_3, row_4 + TEAMS, key_8);
    o_3.a1_ = _e60;
    metal::float4 _e63 = o_3.a2_;
    metal::float4 _e68 = tile.inner[at_8 + 256u];
    metal::float4 _e71 = mix_seen(_e63, _e68, v0_3, v1_3, v2_3, v3_3, row_4 + 32u, key_8);
    o_3.a2_ = _e71;
    metal::float4 _e74 = o_3.a3_;
    metal::float4 _e79 = tile.inner[at_8 + 384u];
    metal::float4 _e82 = mix_seen(_e74, _e79, v0_3, v1_3, v2_3, v3_3, row_4 + 48u, key_8);
    o_3.a3_ = _e82;
    metal::float4 _e85 = o_3.a4_;
    metal::float4 _e90 = tile.inner[at_8 + 512u];
    metal::float4 _e93 = mix_seen(_e85, _e90, v0_3, v1_3, v2_3, v3_3, row_4 + 64u, key_8);
    o_3.a4_ = _e93;
    metal::float4 _e96 = o_3.a5_;
    metal::float4 _e101 = tile.inner[at_8 + 640u];
    metal::float4 _e104 = mix_seen(_e96, _e101, v0_3, v1_3, v2_3, v3_3, row_4 + 80u, key_8);
    o_3.a5_ = _e104;
    metal::float4 _e107 = o_3.a6_;
    metal::float4 _e112 = tile.inner[at_8 + 768u];
    metal::float4 _e115 = mix_seen(_e107, _e112, v0_3, v1_3, v2_3, v3_3, row_4 + 96u, key_8);
    o_3.a6_ = _e115;
    metal::float4 _e118 = o_3.a7_;
    metal::float4 _e123 = tile.inner[at_8 + 896u];
    metal::float4 _e126 = mix_seen(_e118, _e123, v0_3, v1_3, v2_3, v3_3, row_4 + 112u, key_8);
    o_3.a7_ = _e126;
    return;
}

void weigh_tile(
    thread Block& o_4,
    Block p_2,
    uint team_3,
    uint member_3,
    uint row_5,
    uint key0_4,
    bool diagonal,
    threadgroup type_9& tile
) {
    uint first_2 = 0u;
    uint g_2 = {};
    uint g_3 = {};
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e105 = first_2;
            first_2 = _e105 + 32u;
        }
        loop_init_1 = false;
        uint _e9 = first_2;
        if (_e9 < KEYS) {
        } else {
            break;
        }
        {
            uint _e12 = first_2;
            if (_e12 > 0u) {
                metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            }
            uint _e17 = first_2;
            if (naga_div(member_3, 8u) == naga_div(_e17, 32u)) {
                uint at_9 = (team_3 * LINE) + ((member_3 ^ team_3) & 7u);
                tile.inner[at_9] = p_2.a0_;
                tile.inner[at_9 + 128u] = p_2.a1_;
                tile.inner[at_9 + 256u] = p_2.a2_;
                tile.inner[at_9 + 384u] = p_2.a3_;
                tile.inner[at_9 + 512u] = p_2.a4_;
                tile.inner[at_9 + 640u] = p_2.a5_;
                tile.inner[at_9 + 768u] = p_2.a6_;
                tile.inner[at_9 + 896u] = p_2.a7_;
            }
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            if (diagonal) {
                g_2 = 0u;
                bool loop_init_2 = true;
                while(true) {
                    if (!loop_init_2) {
                        uint _e73 = g_2;
                        g_2 = _e73 + 1u;
                    }
                    loop_init_2 = false;
                    uint _e67 = g_2;
                    if (_e67 < 8u) {
                    } else {
                        break;
                    }
                    {
                        uint _e70 = first_2;
                        uint _e71 = g_2;
                        weigh_seen(o_4, team_3, member_3, row_5, key0_4, _e70, _e71, tile);
                    }
                }
            } else {
                if (true) {
                    uint _e79 = first_2;
                    weigh(o_4, team_3, member_3, _e79, 0u, tile);
                    uint _e81 = first_2;
                    weigh(o_4, team_3, member_3, _e81, 1u, tile);
                    uint _e83 = first_2;
                    weigh(o_4, team_3, member_3, _e83, 2u, tile);
                    uint _e85 = first_2;
                    weigh(o_4, team_3, member_3, _e85, 3u, tile);
                    uint _e87 = first_2;
                    weigh(o_4, team_3, member_3, _e87, 4u, tile);
                    uint _e89 = first_2;
                    weigh(o_4, team_3, member_3, _e89, 5u, tile);
                    uint _e91 = first_2;
                    weigh(o_4, team_3, member_3, _e91, 6u, tile);
                    uint _e93 = first_2;
                    weigh(o_4, team_3, member_3, _e93, 7u, tile);
                } else {
                    g_3 = 0u;
                    bool loop_init_3 = true;
                    while(true) {
                        if (!loop_init_3) {
                            uint _e103 = g_3;
                            g_3 = _e103 + 1u;
                        }
                        loop_init_3 = false;
                        uint _e97 = g_3;
                        if (_e97 < 8u) {
                        } else {
                            break;
                        }
                        {
                            uint _e100 = first_2;
                            uint _e101 = g_3;
                            weigh(o_4, team_3, member_3, _e100, _e101, tile);
                        }
                    }
                }
            }
        }
    }
    return;
}

void rescale(
    thread Block& o_5,
    metal::float4 a_2,
    metal::float4 b_1
) {
    metal::float4 _e4 = o_5.a0_;
    o_5.a0_ = _e4 * a_2.x;
    metal::float4 _e8 = o_5.a1_;
    o_5.a1_ = _e8 * a_2.y;
    metal::float4 _e12 = o_5.a2_;
    o_5.a2_ = _e12 * a_2.z;
    metal::float4 _e16 = o_5.a3_;
    o_5.a3_ = _e16 * a_2.w;
    metal::float4 _e20 = o_5.a4_;
    o_5.a4_ = _e20 * b_1.x;
    metal::float4 _e24 = o_5.a5_;
    o_5.a5_ = _e24 * b_1.y;
    metal::float4 _e28 = o_5.a6_;
    o_5.a6_ = _e28 * b_1.z;
    metal::float4 _e32 = o_5.a7_;
    o_5.a7_ = _e32 * b_1.w;
    return;
}

metal::bool4 sees(
    uint row_6,
    uint key_3,
    constant Params& params
) {
    metal::uint4 keys = metal::uint4(key_3, key_3 + 1u, key_3 + 2u, key_3 + 3u);
    uint _e11 = params.keys;
    uint _e16 = params.keys;
    uint _e22 = params.flags;
    uint last = ((_e22 & CAUSAL) != 0u) ? metal::min(_e16 - 1u, row_6) : (_e11 - 1u);
    return keys <= metal::uint4(last);
}

metal::float4 scores(
    metal::float4 sums_1,
    uint row_7,
    uint key_4,
    uint at_mask,
    bool edge,
    device type_6 const& mask,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 s_4 = {};
    bool local_6 = {};
    float _e7 = params.scale;
    s_4 = sums_1 * _e7;
    uint _e12 = params.flags;
    if ((_e12 & MASKED) != 0u) {
        uint _e21 = params.rows;
        local_6 = row_7 < _e21;
    } else {
        local_6 = false;
    }
    bool _e24 = local_6;
    if (_e24) {
        metal::bool4 _e25 = sees(row_7, key_4, params);
        uint _e29 = params.mask.z;
        uint at_10 = at_mask + (row_7 * _e29);
        if (_e25.x) {
            float _e34 = s_4.x;
            uint _e39 = params.mask.w;
            Element _e43 = mask[at_10 + (key_4 * _e39)];
            s_4.x = _e34 + static_cast<float>(_e43);
        }
        if (_e25.y) {
            float _e48 = s_4.y;
            uint _e55 = params.mask.w;
            Element _e59 = mask[at_10 + ((key_4 + 1u) * _e55)];
            s_4.y = _e48 + static_cast<float>(_e59);
        }
        if (_e25.z) {
            float _e64 = s_4.z;
            uint _e71 = params.mask.w;
            Element _e75 = mask[at_10 + ((key_4 + 2u) * _e71)];
            s_4.z = _e64 + static_cast<float>(_e75);
        }
        if (_e25.w) {
            float _e80 = s_4.w;
            uint _e87 = params.mask.w;
            Element _e91 = mask[at_10 + ((key_4 + 3u) * _e87)];
            s_4.w = _e80 + static_cast<float>(_e91);
        }
    }
    if (edge) {
        metal::float4 _e96 = s_4;
        metal::bool4 _e97 = sees(row_7, key_4, params);
        s_4 = metal::select(metal::float4(-340282350000000000000000000000000000000.0), _e96, _e97);
    }
    metal::float4 _e99 = s_4;
    return _e99;
}

metal::float4 weights(
    metal::float4 s_5,
    float top_1,
    uint row_8,
    uint key_5,
    bool edge_1,
    constant Params& params
) {
    metal::float4 p_3 = {};
    p_3 = metal::exp(s_5 - metal::float4(top_1));
    if (edge_1) {
        metal::float4 _e11 = p_3;
        metal::bool4 _e12 = sees(row_8, key_5, params);
        p_3 = metal::select(metal::float4(0.0), _e11, _e12);
    }
    metal::float4 _e14 = p_3;
    return _e14;
}

void finish(
    uint head_1,
    uint row_9,
    uint column_4,
    uint part_1,
    float sum_2,
    metal::float4 acc,
    device type_6& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 y_1 = {};
    if (false) {
        uint _e12 = params.all_heads;
        uint _e17 = params.rows;
        uint line = (((part_1 * _e12) + head_1) * _e17) + row_9;
        uint _e22 = params.first_out;
        uint _e25 = params.value_dim;
        put(row_9, column_4, _e22 + (line * _e25), acc, out, params, _buffer_sizes);
        return;
    }
    y_1 = (sum_2 == 0.0) ? metal::float4(0.0) : (acc / metal::float4(sum_2));
    metal::float4 _e36 = y_1;
    float _e39 = params.output_scale;
    float _e43 = params.output_bias;
    y_1 = (_e36 * _e39) + metal::float4(_e43);
    uint _e48 = params.flags;
    if ((_e48 & RECTIFY) != 0u) {
        metal::float4 _e53 = y_1;
        metal::float4 _e56 = y_1;
        y_1 = metal::select(_e53, metal::float4(0.0), _e56 < metal::float4(0.0));
    }
    uint _e63 = params.first_out;
    uint _e66 = params.rows;
    uint _e71 = params.value_dim;
    metal::float4 _e74 = y_1;
    put(row_9, column_4, _e63 + (((head_1 * _e66) + row_9) * _e71), _e74, out, params, _buffer_sizes);
    return;
}

void finish_block(
    Block o_6,
    uint head_2,
    uint row_10,
    uint column_5,
    uint part_2,
    metal::float4 a_3,
    metal::float4 b_2,
    device type_6& out,
    constant Params& params,
    constant _mslBufferSizes& _buffer_sizes
) {
    finish(head_2, row_10, column_5, part_2, a_3.x, o_6.a0_, out, params, _buffer_sizes);
    finish(head_2, row_10 + TEAMS, column_5, part_2, a_3.y, o_6.a1_, out, params, _buffer_sizes);
    finish(head_2, row_10 + 32u, column_5, part_2, a_3.z, o_6.a2_, out, params, _buffer_sizes);
    finish(head_2, row_10 + 48u, column_5, part_2, a_3.w, o_6.a3_, out, params, _buffer_sizes);
    finish(head_2, row_10 + 64u, column_5, part_2, b_2.x, o_6.a4_, out, params, _buffer_sizes);
    finish(head_2, row_10 + 80u, column_5, part_2, b_2.y, o_6.a5_, out, params, _buffer_sizes);
    finish(head_2, row_10 + 96u, column_5, part_2, b_2.z, o_6.a6_, out, params, _buffer_sizes);
    finish(head_2, row_10 + 112u, column_5, part_2, b_2.w, o_6.a7_, out, params, _buffer_sizes);
    return;
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, device type_1 const& q [[buffer(0)]]
, device type_1 const& k [[buffer(1)]]
, device type_1 const& v [[buffer(2)]]
, device type_6 const& mask [[buffer(3)]]
, device type_6& out [[buffer(4)]]
, device type_7& stats [[buffer(5)]]
, constant Params& params [[buffer(6)]]
, threadgroup type_9& tile
, constant _mslBufferSizes& _buffer_sizes [[buffer(7)]]
) {
    uint id = {};
    uint key_end = {};
    Block left = {};
    Block right = {};
    metal::float4 top_a = metal::float4(-340282350000000000000000000000000000000.0);
    metal::float4 top_b = metal::float4(-340282350000000000000000000000000000000.0);
    metal::float4 sum_a = metal::float4(0.0);
    metal::float4 sum_b = metal::float4(0.0);
    Fetched coming = {};
    uint key0_ = {};
    Block s = {};
    Values values = {};
    uint d = {};
    uint c = {};
    bool local = {};
    bool local_1 = {};
    metal::float4 high_a = {};
    metal::float4 high_b = {};
    uint i = {};
    uint block = {};
    bool local_2 = {};
    uint i_1 = 0u;
    bool local_3 = {};
    bool local_4 = {};
    uint team_4 = naga_div(lane, 16u);
    uint member_5 = naga_mod(lane, 16u);
    uint _e9 = params.rows;
    uint row_tiles = naga_div((_e9 + ROWS) - 1u, ROWS);
    uint _e18 = params.value_dim;
    uint column_tiles = naga_div((_e18 + 64u) - 1u, 64u);
    uint _e33 = params.keys;
    uint _e36 = params.part;
    uint _e42 = params.part;
    uint parts = naga_div((_e33 + _e36) - 1u, _e42);
    id = (group.y * groups.x) + group.x;
    uint _e53 = params.all_heads;
    uint others = (column_tiles * parts) * _e53;
    uint _e55 = id;
    if (_e55 >= (row_tiles * others)) {
        return;
    }
    uint _e60 = params.flags;
    bool causal = (_e60 & CAUSAL) != 0u;
    uint _e65 = id;
    uint _e69 = id;
    uint row_tile = causal ? ((row_tiles - 1u) - naga_div(_e69, others)) : naga_mod(_e65, row_tiles);
    uint _e73 = id;
    uint _e75 = id;
    id = causal ? naga_mod(_e75, others) : naga_div(_e73, row_tiles);
    uint _e78 = id;
    uint column_tile = naga_mod(_e78, column_tiles);
    uint _e80 = id;
    id = naga_div(_e80, column_tiles);
    uint _e82 = id;
    uint part_3 = naga_mod(_e82, parts);
    uint _e84 = id;
    uint head_3 = naga_div(_e84, parts);
    uint row0_1 = row_tile * ROWS;
    uint row_12 = row0_1 + team_4;
    uint column0_2 = (column_tile * BLOCKS) * 64u;
    uint _e95 = params.heads;
    uint batch = naga_div(head_3, _e95);
    uint _e99 = params.heads;
    uint own = naga_mod(head_3, _e99);
    uint _e104 = params.q.x;
    uint _e108 = params.q.y;
    uint _e114 = params.q.z;
    uint from_q_1 = (_e104 + (batch * _e108)) + (own * _e114);
    uint _e120 = params.k.x;
    uint _e124 = params.k.y;
    uint _e129 = params.sharing;
    uint _e134 = params.k.z;
    uint from_k_1 = (_e120 + (batch * _e124)) + (naga_div(own, _e129) * _e134);
    uint _e140 = params.v.x;
    uint _e144 = params.v.y;
    uint _e149 = params.sharing;
    uint _e154 = params.v.z;
    uint from_v = (_e140 + (batch * _e144)) + (naga_div(own, _e149) * _e154);
    uint _e159 = params.first_mask;
    uint _e163 = params.mask.x;
    uint _e169 = params.mask.y;
    uint from_mask = (_e159 + (batch * _e163)) + (own * _e169);
    uint _e174 = params.part;
    uint key_start = part_3 * _e174;
    uint _e178 = params.keys;
    uint _e181 = params.part;
    key_end = metal::min(_e178, key_start + _e181);
    if (causal) {
        uint _e185 = key_end;
        key_end = metal::min(_e185, row0_1 + ROWS);
    }
    Fetched _e204 = fetch(lane, from_q_1, from_k_1, row0_1, key_start, 0u, q, k, params, _buffer_sizes);
    coming = _e204;
    key0_ = key_start;
    bool loop_init_4 = true;
    while(true) {
        if (!loop_init_4) {
            uint _e555 = key0_;
            key0_ = _e555 + KEYS;
        }
        loop_init_4 = false;
        uint _e207 = key0_;
        uint _e208 = key_end;
        if (_e207 < _e208) {
        } else {
            break;
        }
        {
            s = Block {};
            values = Values {};
            d = 0u;
            bool loop_init_5 = true;
            while(true) {
                if (!loop_init_5) {
                    uint _e257 = d;
                    d = _e257 + DEPTH;
                }
                loop_init_5 = false;
                uint _e216 = d;
                uint _e219 = params.dim;
                if (_e216 < _e219) {
                } else {
                    break;
                }
                {
                    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                    Fetched _e221 = coming;
                    keep_tile(lane, _e221, tile);
                    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                    uint _e222 = d;
                    uint _e227 = params.dim;
                    if ((_e222 + DEPTH) < _e227) {
                        uint _e229 = key0_;
                        uint _e230 = d;
                        Fetched _e233 = fetch(lane, from_q_1, from_k_1, row0_1, _e229, _e230 + DEPTH, q, k, params, _buffer_sizes);
                        coming = _e233;
                    } else {
                        uint _e234 = key0_;
                        Values _e235 = fetch_values(lane, from_v, _e234, column0_2, v, params, _buffer_sizes);
                        values = _e235;
                    }
                    if (true) {
                        score(s, team_4, member_5, 0u, tile);
                        score(s, team_4, member_5, 1u, tile);
                        score(s, team_4, member_5, 2u, tile);
                        score(s, team_4, member_5, 3u, tile);
                        score(s, team_4, member_5, 4u, tile);
                        score(s, team_4, member_5, 5u, tile);
                        score(s, team_4, member_5, 6u, tile);
                        score(s, team_4, member_5, 7u, tile);
                    } else {
                        c = 0u;
                        bool loop_init_6 = true;
                        while(true) {
                            if (!loop_init_6) {
                                uint _e255 = c;
                                c = _e255 + 1u;
                            }
                            loop_init_6 = false;
                            uint _e250 = c;
                            if (_e250 < LINE) {
                            } else {
                                break;
                            }
                            {
                                uint _e253 = c;
                                score(s, team_4, member_5, _e253, tile);
                            }
                        }
                    }
                }
            }
            uint _e260 = key0_;
            uint key_9 = _e260 + (4u * member_5);
            if (causal) {
                uint _e266 = key0_;
                local = (_e266 + KEYS) > row0_1;
            } else {
                local = false;
            }
            bool diagonal_1 = local;
            if (!(diagonal_1)) {
                uint _e275 = key0_;
                uint _e280 = params.keys;
                local_1 = (_e275 + KEYS) > _e280;
            } else {
                local_1 = true;
            }
            bool edge_2 = local_1;
            metal::float4 _e286 = s.a0_;
            metal::float4 _e287 = scores(_e286, row_12, key_9, from_mask, edge_2, mask, params, _buffer_sizes);
            s.a0_ = _e287;
            metal::float4 _e290 = s.a1_;
            metal::float4 _e293 = scores(_e290, row_12 + TEAMS, key_9, from_mask, edge_2, mask, params, _buffer_sizes);
            s.a1_ = _e293;
            metal::float4 _e296 = s.a2_;
            metal::float4 _e299 = scores(_e296, row_12 + 32u, key_9, from_mask, edge_2, mask, params, _buffer_sizes);
            s.a2_ = _e299;
            metal::float4 _e302 = s.a3_;
            metal::float4 _e305 = scores(_e302, row_12 + 48u, key_9, from_mask, edge_2, mask, params, _buffer_sizes);
            s.a3_ = _e305;
            metal::float4 _e308 = s.a4_;
            metal::float4 _e311 = scores(_e308, row_12 + 64u, key_9, from_mask, edge_2, mask, params, _buffer_sizes);
            s.a4_ = _e311;
            metal::float4 _e314 = s.a5_;
            metal::float4 _e317 = scores(_e314, row_12 + 80u, key_9, from_mask, edge_2, mask, params, _buffer_sizes);
            s.a5_ = _e317;
            metal::float4 _e320 = s.a6_;
            metal::float4 _e323 = scores(_e320, row_12 + 96u, key_9, from_mask, edge_2, mask, params, _buffer_sizes);
            s.a6_ = _e323;
            metal::float4 _e326 = s.a7_;
            metal::float4 _e329 = scores(_e326, row_12 + 112u, key_9, from_mask, edge_2, mask, params, _buffer_sizes);
            s.a7_ = _e329;
            metal::float4 _e331 = s.a0_;
            float _e332 = highest(_e331);
            metal::float4 _e334 = s.a1_;
            float _e335 = highest(_e334);
            metal::float4 _e337 = s.a2_;
            float _e338 = highest(_e337);
            metal::float4 _e340 = s.a3_;
            float _e341 = highest(_e340);
            high_a = metal::float4(_e332, _e335, _e338, _e341);
            metal::float4 _e345 = s.a4_;
            float _e346 = highest(_e345);
            metal::float4 _e348 = s.a5_;
            float _e349 = highest(_e348);
            metal::float4 _e351 = s.a6_;
            float _e352 = highest(_e351);
            metal::float4 _e354 = s.a7_;
            float _e355 = highest(_e354);
            high_b = metal::float4(_e346, _e349, _e352, _e355);
            metal::float4 _e362 = high_a;
            tile.inner[TOPS_AT + lane] = _e362;
            metal::float4 _e367 = high_b;
            tile.inner[1792u + lane] = _e367;
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            metal::float4 _e368 = high_a;
            metal::float4 _e369 = top_a;
            high_a = metal::max(_e368, _e369);
            metal::float4 _e371 = high_b;
            metal::float4 _e372 = top_b;
            high_b = metal::max(_e371, _e372);
            i = 0u;
            bool loop_init_7 = true;
            while(true) {
                if (!loop_init_7) {
                    uint _e402 = i;
                    i = _e402 + 1u;
                }
                loop_init_7 = false;
                uint _e376 = i;
                if (_e376 < 16u) {
                } else {
                    break;
                }
                {
                    metal::float4 _e379 = high_a;
                    uint _e385 = i;
                    metal::float4 _e388 = tile.inner[(TOPS_AT + (team_4 * 16u)) + _e385];
                    high_a = metal::max(_e379, _e388);
                    metal::float4 _e390 = high_b;
                    uint _e396 = i;
                    metal::float4 _e399 = tile.inner[(1792u + (team_4 * 16u)) + _e396];
                    high_b = metal::max(_e390, _e399);
                }
            }
            metal::float4 _e404 = top_a;
            metal::float4 _e405 = high_a;
            metal::float4 factor_a = metal::exp(_e404 - _e405);
            metal::float4 _e408 = top_b;
            metal::float4 _e409 = high_b;
            metal::float4 factor_b = metal::exp(_e408 - _e409);
            metal::float4 _e412 = high_a;
            top_a = _e412;
            metal::float4 _e413 = high_b;
            top_b = _e413;
            metal::float4 _e416 = s.a0_;
            float _e418 = top_a.x;
            metal::float4 _e419 = weights(_e416, _e418, row_12, key_9, edge_2, params);
            s.a0_ = _e419;
            metal::float4 _e422 = s.a1_;
            float _e424 = top_a.y;
            metal::float4 _e427 = weights(_e422, _e424, row_12 + TEAMS, key_9, edge_2, params);
            s.a1_ = _e427;
            metal::float4 _e430 = s.a2_;
            float _e432 = top_a.z;
            metal::float4 _e435 = weights(_e430, _e432, row_12 + 32u, key_9, edge_2, params);
            s.a2_ = _e435;
            metal::float4 _e438 = s.a3_;
            float _e440 = top_a.w;
            metal::float4 _e443 = weights(_e438, _e440, row_12 + 48u, key_9, edge_2, params);
            s.a3_ = _e443;
            metal::float4 _e446 = s.a4_;
            float _e448 = top_b.x;
            metal::float4 _e451 = weights(_e446, _e448, row_12 + 64u, key_9, edge_2, params);
            s.a4_ = _e451;
            metal::float4 _e454 = s.a5_;
            float _e456 = top_b.y;
            metal::float4 _e459 = weights(_e454, _e456, row_12 + 80u, key_9, edge_2, params);
            s.a5_ = _e459;
            metal::float4 _e462 = s.a6_;
            float _e464 = top_b.z;
            metal::float4 _e467 = weights(_e462, _e464, row_12 + 96u, key_9, edge_2, params);
            s.a6_ = _e467;
            metal::float4 _e470 = s.a7_;
            float _e472 = top_b.w;
            metal::float4 _e475 = weights(_e470, _e472, row_12 + 112u, key_9, edge_2, params);
            s.a7_ = _e475;
            rescale(left, factor_a, factor_b);
            if (false) {
                rescale(right, factor_a, factor_b);
            }
            metal::float4 _e480 = sum_a;
            metal::float4 _e483 = s.a0_;
            float _e484 = total(_e483);
            metal::float4 _e486 = s.a1_;
            float _e487 = total(_e486);
            metal::float4 _e489 = s.a2_;
            float _e490 = total(_e489);
            metal::float4 _e492 = s.a3_;
            float _e493 = total(_e492);
            sum_a = (_e480 * factor_a) + metal::float4(_e484, _e487, _e490, _e493);
            metal::float4 _e496 = sum_b;
            metal::float4 _e499 = s.a4_;
            float _e500 = total(_e499);
            metal::float4 _e502 = s.a5_;
            float _e503 = total(_e502);
            metal::float4 _e505 = s.a6_;
            float _e506 = total(_e505);
            metal::float4 _e508 = s.a7_;
            float _e509 = total(_e508);
            sum_b = (_e496 * factor_b) + metal::float4(_e500, _e503, _e506, _e509);
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            block = 0u;
            bool loop_init_8 = true;
            while(true) {
                if (!loop_init_8) {
                    uint _e553 = block;
                    block = _e553 + 1u;
                }
                loop_init_8 = false;
                uint _e514 = block;
                if (_e514 < BLOCKS) {
                } else {
                    break;
                }
                {
                    uint _e517 = block;
                    if (_e517 > 0u) {
                        uint _e520 = key0_;
                        Values _e523 = fetch_values(lane, from_v, _e520, column0_2 + 64u, v, params, _buffer_sizes);
                        values = _e523;
                        metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
                    }
                    Values _e524 = values;
                    keep_values(lane, _e524, tile);
                    uint _e525 = block;
                    if ((_e525 + 1u) == BLOCKS) {
                        uint _e532 = key0_;
                        uint _e535 = key_end;
                        local_2 = (_e532 + KEYS) < _e535;
                    } else {
                        local_2 = false;
                    }
                    bool _e538 = local_2;
                    if (_e538) {
                        uint _e539 = key0_;
                        Fetched _e543 = fetch(lane, from_q_1, from_k_1, row0_1, _e539 + KEYS, 0u, q, k, params, _buffer_sizes);
                        coming = _e543;
                    }
                    Block _e544 = s;
                    uint _e545 = key0_;
                    weigh_tile(left, _e544, team_4, member_5, row_12, _e545, diagonal_1, tile);
                    if (false) {
                        Block other = left;
                        Block _e551 = right;
                        left = _e551;
                        right = other;
                    }
                }
            }
        }
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    metal::float4 _e560 = sum_a;
    tile.inner[lane] = _e560;
    metal::float4 _e565 = sum_b;
    tile.inner[THREADS + lane] = _e565;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    sum_a = metal::float4(0.0);
    sum_b = metal::float4(0.0);
    bool loop_init_9 = true;
    while(true) {
        if (!loop_init_9) {
            uint _e596 = i_1;
            i_1 = _e596 + 1u;
        }
        loop_init_9 = false;
        uint _e572 = i_1;
        if (_e572 < 16u) {
        } else {
            break;
        }
        {
            metal::float4 _e575 = sum_a;
            uint _e579 = i_1;
            metal::float4 _e582 = tile.inner[(team_4 * 16u) + _e579];
            sum_a = _e575 + _e582;
            metal::float4 _e584 = sum_b;
            uint _e590 = i_1;
            metal::float4 _e593 = tile.inner[(THREADS + (team_4 * 16u)) + _e590];
            sum_b = _e584 + _e593;
        }
    }
    if (false) {
        local_3 = member_5 == 0u;
    } else {
        local_3 = false;
    }
    bool _e607 = local_3;
    if (_e607) {
        local_4 = column_tile == 0u;
    } else {
        local_4 = false;
    }
    bool _e613 = local_4;
    if (_e613) {
        float _e615 = top_a.x;
        float _e617 = sum_a.x;
        keep(head_3, row_12, part_3, _e615, _e617, stats, params, _buffer_sizes);
        float _e621 = top_a.y;
        float _e623 = sum_a.y;
        keep(head_3, row_12 + TEAMS, part_3, _e621, _e623, stats, params, _buffer_sizes);
        float _e627 = top_a.z;
        float _e629 = sum_a.z;
        keep(head_3, row_12 + 32u, part_3, _e627, _e629, stats, params, _buffer_sizes);
        float _e633 = top_a.w;
        float _e635 = sum_a.w;
        keep(head_3, row_12 + 48u, part_3, _e633, _e635, stats, params, _buffer_sizes);
        float _e639 = top_b.x;
        float _e641 = sum_b.x;
        keep(head_3, row_12 + 64u, part_3, _e639, _e641, stats, params, _buffer_sizes);
        float _e645 = top_b.y;
        float _e647 = sum_b.y;
        keep(head_3, row_12 + 80u, part_3, _e645, _e647, stats, params, _buffer_sizes);
        float _e651 = top_b.z;
        float _e653 = sum_b.z;
        keep(head_3, row_12 + 96u, part_3, _e651, _e653, stats, params, _buffer_sizes);
        float _e657 = top_b.w;
        float _e659 = sum_b.w;
        keep(head_3, row_12 + 112u, part_3, _e657, _e659, stats, params, _buffer_sizes);
    }
    Block _e660 = left;
    metal::float4 _e664 = sum_a;
    metal::float4 _e665 = sum_b;
    finish_block(_e660, head_3, row_12, column0_2 + (4u * member_5), part_3, _e664, _e665, out, params, _buffer_sizes);
    if (false) {
        Block _e670 = right;
        metal::float4 _e676 = sum_a;
        metal::float4 _e677 = sum_b;
        finish_block(_e670, head_3, row_12, (column0_2 + 64u) + (4u * member_5), part_3, _e676, _e677, out, params, _buffer_sizes);
        return;
    } else {
        return;
    }
}
