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
    uint size7;
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
struct type_6 {
    metal::float4 inner[256];
};
struct type_7 {
    metal::float4 inner[512];
};
struct type_8 {
    float inner[256];
};
struct type_9 {
    float inner[16];
};
constant uint CAUSAL = 1u;
constant uint MASKED = 2u;
constant uint RECTIFY = 4u;
constant uint THREADS = 256u;
constant uint COLUMNS = 16u;
constant uint MODE = 0u;

metal::float4 read_q(
    uint at,
    uint left,
    device type const& q,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 x = metal::float4(0.0);
    if (left > 0u) {
        Element _e10 = q[at];
        x.x = static_cast<float>(_e10);
    }
    if (left > 1u) {
        Element _e19 = q[at + 1u];
        x.y = static_cast<float>(_e19);
    }
    if (left > 2u) {
        Element _e28 = q[at + 2u];
        x.z = static_cast<float>(_e28);
    }
    if (left > 3u) {
        Element _e37 = q[at + 3u];
        x.w = static_cast<float>(_e37);
    }
    metal::float4 _e39 = x;
    return _e39;
}

metal::float4 read_k(
    uint at_1,
    uint left_1,
    device type const& k,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 x_1 = metal::float4(0.0);
    if (left_1 > 0u) {
        Element _e10 = k[at_1];
        x_1.x = static_cast<float>(_e10);
    }
    if (left_1 > 1u) {
        Element _e19 = k[at_1 + 1u];
        x_1.y = static_cast<float>(_e19);
    }
    if (left_1 > 2u) {
        Element _e28 = k[at_1 + 2u];
        x_1.z = static_cast<float>(_e28);
    }
    if (left_1 > 3u) {
        Element _e37 = k[at_1 + 3u];
        x_1.w = static_cast<float>(_e37);
    }
    metal::float4 _e39 = x_1;
    return _e39;
}

metal::float4 read_v(
    uint at_2,
    uint left_2,
    device type const& v,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 x_2 = metal::float4(0.0);
    if (left_2 > 0u) {
        Element _e10 = v[at_2];
        x_2.x = static_cast<float>(_e10);
    }
    if (left_2 > 1u) {
        Element _e19 = v[at_2 + 1u];
        x_2.y = static_cast<float>(_e19);
    }
    if (left_2 > 2u) {
        Element _e28 = v[at_2 + 2u];
        x_2.z = static_cast<float>(_e28);
    }
    if (left_2 > 3u) {
        Element _e37 = v[at_2 + 3u];
        x_2.w = static_cast<float>(_e37);
    }
    metal::float4 _e39 = x_2;
    return _e39;
}

float dot4_(
    float sum_1,
    metal::float4 a,
    metal::float4 b
) {
    return metal::fma(a.w, b.w, metal::fma(a.z, b.z, metal::fma(a.y, b.y, metal::fma(a.x, b.x, sum_1))));
}

metal::float4 shares_of(
    uint start,
    uint key,
    uint last,
    uint member,
    device type const& k,
    constant Params& params,
    threadgroup type_6& row_tile,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 sum_2 = metal::float4(0.0);
    uint c = {};
    uint _e17 = params.k.w;
    metal::uint4 at_3 = metal::uint4(start) + (metal::min(metal::uint4(key, key + 32u, key + 64u, key + 96u), metal::uint4(last)) * _e17);
    c = member;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e79 = c;
            c = _e79 + 8u;
        }
        loop_init = false;
        uint _e25 = c;
        uint _e29 = params.dim;
        if ((4u * _e25) < _e29) {
        } else {
            break;
        }
        {
            uint _e33 = params.dim;
            uint _e35 = c;
            uint left_3 = _e33 - (4u * _e35);
            uint _e40 = c;
            metal::float4 _e43 = read_k(at_3.x + (4u * _e40), left_3, k, _buffer_sizes);
            uint _e46 = c;
            metal::float4 _e49 = read_k(at_3.y + (4u * _e46), left_3, k, _buffer_sizes);
            uint _e52 = c;
            metal::float4 _e55 = read_k(at_3.z + (4u * _e52), left_3, k, _buffer_sizes);
            uint _e58 = c;
            metal::float4 _e61 = read_k(at_3.w + (4u * _e58), left_3, k, _buffer_sizes);
            uint _e63 = c;
            metal::float4 q_1 = row_tile.inner[_e63];
            float _e67 = sum_2.x;
            float _e68 = dot4_(_e67, q_1, _e43);
            float _e70 = sum_2.y;
            float _e71 = dot4_(_e70, q_1, _e49);
            float _e73 = sum_2.z;
            float _e74 = dot4_(_e73, q_1, _e55);
            float _e76 = sum_2.w;
            float _e77 = dot4_(_e76, q_1, _e61);
            sum_2 = metal::float4(_e68, _e71, _e74, _e77);
        }
    }
    metal::float4 _e82 = sum_2;
    return _e82;
}

float all_of(
    uint lane_1,
    float x_3,
    bool widest,
    threadgroup type_8& probabilities,
    threadgroup type_9& several
) {
    float some = {};
    uint i_4 = 1u;
    float all_1 = {};
    uint i_5 = 1u;
    probabilities.inner[lane_1] = x_3;
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    if (lane_1 < 16u) {
        float _e9 = probabilities.inner[lane_1];
        some = _e9;
        bool loop_init_1 = true;
        while(true) {
            if (!loop_init_1) {
                uint _e29 = i_4;
                i_4 = _e29 + 1u;
            }
            loop_init_1 = false;
            uint _e13 = i_4;
            if (_e13 < 16u) {
            } else {
                break;
            }
            {
                uint _e18 = i_4;
                float other = probabilities.inner[lane_1 + (16u * _e18)];
                float _e23 = some;
                float _e25 = some;
                some = widest ? metal::max(_e25, other) : (_e23 + other);
            }
        }
        float _e33 = some;
        several.inner[lane_1] = _e33;
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    float _e36 = several.inner[0];
    all_1 = _e36;
    bool loop_init_2 = true;
    while(true) {
        if (!loop_init_2) {
            uint _e57 = i_5;
            i_5 = _e57 + 1u;
        }
        loop_init_2 = false;
        uint _e40 = i_5;
        if (_e40 < 16u) {
        } else {
            break;
        }
        {
            float _e43 = all_1;
            uint _e45 = i_5;
            float _e47 = several.inner[_e45];
            float _e49 = all_1;
            uint _e51 = i_5;
            float _e53 = several.inner[_e51];
            all_1 = widest ? metal::max(_e49, _e53) : (_e43 + _e47);
        }
    }
    float _e59 = all_1;
    return _e59;
}
uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}


struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, device type const& q [[buffer(0)]]
, device type const& k [[buffer(1)]]
, device type const& v [[buffer(2)]]
, device type const& mask [[buffer(3)]]
, device type& out [[buffer(4)]]
, device type_5& stats [[buffer(5)]]
, constant Params& params [[buffer(7)]]
, device type_5& sums [[buffer(6)]]
, threadgroup type_6& row_tile
, threadgroup type_7& shares
, threadgroup type_8& probabilities
, threadgroup type_9& several
, constant _mslBufferSizes& _buffer_sizes [[buffer(8)]]
) {
    uint id = {};
    uint key_end = {};
    float top = -340282350000000000000000000000000000000.0;
    float sum = 0.0;
    metal::float4 result = metal::float4(0.0);
    uint key0_ = {};
    metal::float4 all = {};
    uint i = {};
    float score = {};
    bool local = {};
    uint j = {};
    uint i_1 = 1u;
    uint i_2 = 0u;
    metal::float4 y = {};
    uint i_3 = 0u;
    uint _e5 = params.keys;
    uint _e8 = params.part;
    uint _e14 = params.part;
    uint parts = naga_div((_e5 + _e8) - 1u, _e14);
    id = (group.y * groups.x) + group.x;
    uint _e22 = id;
    uint part = naga_mod(_e22, parts);
    uint _e24 = id;
    id = naga_div(_e24, parts);
    uint _e26 = id;
    uint _e29 = params.rows;
    uint row = naga_mod(_e26, _e29);
    uint _e31 = id;
    uint _e34 = params.rows;
    uint head = naga_div(_e31, _e34);
    uint _e38 = params.all_heads;
    if (head >= _e38) {
        return;
    }
    uint _e42 = params.heads;
    uint batch = naga_div(head, _e42);
    uint _e46 = params.heads;
    uint own = naga_mod(head, _e46);
    uint _e51 = params.q.x;
    uint _e55 = params.q.y;
    uint _e61 = params.q.z;
    uint _e67 = params.q.w;
    uint from_q = ((_e51 + (batch * _e55)) + (own * _e61)) + (row * _e67);
    uint _e73 = params.k.x;
    uint _e77 = params.k.y;
    uint _e82 = params.sharing;
    uint _e87 = params.k.z;
    uint from_k = (_e73 + (batch * _e77)) + (naga_div(own, _e82) * _e87);
    uint _e93 = params.v.x;
    uint _e97 = params.v.y;
    uint _e102 = params.sharing;
    uint _e107 = params.v.z;
    uint from_v = (_e93 + (batch * _e97)) + (naga_div(own, _e102) * _e107);
    uint _e112 = params.first_mask;
    uint _e116 = params.mask.x;
    uint _e122 = params.mask.y;
    uint _e128 = params.mask.z;
    uint from_mask = ((_e112 + (batch * _e116)) + (own * _e122)) + (row * _e128);
    uint _e133 = params.part;
    uint key_start = part * _e133;
    uint _e137 = params.keys;
    uint _e140 = params.part;
    key_end = metal::min(_e137, key_start + _e140);
    uint _e146 = params.flags;
    if ((_e146 & CAUSAL) != 0u) {
        uint _e151 = key_end;
        key_end = metal::min(_e151, row + 1u);
    }
    uint _e159 = params.dim;
    if ((4u * lane) < _e159) {
        uint _e168 = params.dim;
        metal::float4 _e172 = read_q(from_q + (4u * lane), _e168 - (4u * lane), q, _buffer_sizes);
        row_tile.inner[lane] = _e172;
    }
    uint team = naga_div(lane, 8u);
    uint member_2 = naga_mod(lane, 8u);
    uint line = naga_div(lane, COLUMNS);
    uint column = 4u * naga_mod(lane, COLUMNS);
    uint _e191 = params.value_dim;
    uint _e195 = params.value_dim;
    uint left_4 = (column < _e195) ? (_e191 - column) : 0u;
    key0_ = key_start;
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e424 = key0_;
            key0_ = _e424 + THREADS;
        }
        loop_init_3 = false;
        uint _e206 = key0_;
        uint _e207 = key_end;
        if (_e206 < _e207) {
        } else {
            break;
        }
        {
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            uint _e209 = key0_;
            uint _e211 = key_end;
            metal::float4 _e214 = shares_of(from_k, _e209 + team, _e211 - 1u, member_2, k, params, row_tile, _buffer_sizes);
            uint _e215 = key0_;
            uint _e219 = key_end;
            metal::float4 _e222 = shares_of(from_k, (_e215 + 128u) + team, _e219 - 1u, member_2, k, params, row_tile, _buffer_sizes);
            shares.inner[lane] = _e214;
            shares.inner[THREADS + lane] = _e222;
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            uint _e229 = key0_;
            uint _e231 = key_end;
            bool seen = (_e229 + lane) < _e231;
            uint first = (naga_div(lane, 128u) * THREADS) + (naga_mod(lane, 32u) * 8u);
            metal::float4 _e244 = shares.inner[first];
            all = _e244;
            i = 1u;
            bool loop_init_4 = true;
            while(true) {
                if (!loop_init_4) {
                    uint _e259 = i;
                    i = _e259 + 1u;
                }
                loop_init_4 = false;
                uint _e248 = i;
                if (_e248 < 8u) {
                } else {
                    break;
                }
                {
                    metal::float4 _e251 = all;
                    uint _e253 = i;
                    metal::float4 _e256 = shares.inner[first + _e253];
                    all = _e251 + _e256;
                }
            }
            float _e266 = all[naga_mod(naga_div(lane, 32u), 4u)];
            float _e269 = params.scale;
            score = _e266 * _e269;
            if (seen) {
                uint _e276 = params.flags;
                local = (_e276 & MASKED) != 0u;
            } else {
                local = false;
            }
            bool _e282 = local;
            if (_e282) {
                float _e283 = score;
                uint _e285 = key0_;
                uint _e290 = params.mask.w;
                Element _e294 = mask[from_mask + ((_e285 + lane) * _e290)];
                score = _e283 + static_cast<float>(_e294);
            }
            float _e297 = score;
            score = seen ? _e297 : -340282350000000000000000000000000000000.0;
            float _e300 = top;
            float _e301 = score;
            float _e303 = all_of(lane, _e301, true, probabilities, several);
            float higher = metal::max(_e300, _e303);
            float _e305 = top;
            float factor = metal::exp(_e305 - higher);
            top = higher;
            float _e308 = score;
            float p = seen ? metal::exp(_e308 - higher) : 0.0;
            float _e313 = sum;
            sum = metal::fma(_e313, factor, p);
            probabilities.inner[lane] = p;
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            metal::float4 _e317 = result;
            result = _e317 * factor;
            uint _e320 = key_end;
            uint _e321 = key0_;
            uint count = metal::min(THREADS, _e320 - _e321);
            j = line;
            bool loop_init_5 = true;
            while(true) {
                if (!loop_init_5) {
                    uint _e420 = j;
                    j = _e420 + 64u;
                }
                loop_init_5 = false;
                uint _e325 = j;
                if (_e325 < count) {
                } else {
                    break;
                }
                {
                    uint _e327 = key0_;
                    uint _e328 = j;
                    uint _e333 = params.v.w;
                    uint at_4 = (from_v + ((_e327 + _e328) * _e333)) + column;
                    uint _e340 = params.v.w;
                    uint step = 16u * _e340;
                    metal::float4 _e342 = read_v(at_4, left_4, v, _buffer_sizes);
                    uint _e345 = j;
                    metal::float4 _e349 = read_v(at_4 + step, ((_e345 + 16u) < count) ? left_4 : 0u, v, _buffer_sizes);
                    uint _e354 = j;
                    metal::float4 _e360 = read_v(at_4 + (2u * step), ((_e354 + 32u) < count) ? left_4 : 0u, v, _buffer_sizes);
                    uint _e365 = j;
                    metal::float4 _e371 = read_v(at_4 + (3u * step), ((_e365 + 48u) < count) ? left_4 : 0u, v, _buffer_sizes);
                    uint _e373 = j;
                    float _e375 = probabilities.inner[_e373];
                    metal::float4 _e377 = result;
                    result = metal::fma(metal::float4(_e375), _e342, _e377);
                    uint _e379 = j;
                    if ((_e379 + 16u) < count) {
                        uint _e383 = j;
                        float _e386 = probabilities.inner[_e383 + 16u];
                        metal::float4 _e388 = result;
                        result = metal::fma(metal::float4(_e386), _e349, _e388);
                    }
                    uint _e390 = j;
                    if ((_e390 + 32u) < count) {
                        uint _e396 = j;
                        float _e401 = probabilities.inner[_e396 + 32u];
                        metal::float4 _e403 = result;
                        result = metal::fma(metal::float4(_e401), _e360, _e403);
                    }
                    uint _e405 = j;
                    if ((_e405 + 48u) < count) {
                        uint _e411 = j;
                        float _e416 = probabilities.inner[_e411 + 48u];
                        metal::float4 _e418 = result;
                        result = metal::fma(metal::float4(_e416), _e371, _e418);
                    }
                }
            }
        }
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    metal::float4 _e429 = result;
    shares.inner[lane] = _e429;
    float _e430 = sum;
    float _e432 = all_of(lane, _e430, false, probabilities, several);
    sum = _e432;
    if (line != 0u) {
        return;
    }
    bool loop_init_6 = true;
    while(true) {
        if (!loop_init_6) {
            uint _e449 = i_1;
            i_1 = _e449 + 1u;
        }
        loop_init_6 = false;
        uint _e437 = i_1;
        if (_e437 < 16u) {
        } else {
            break;
        }
        {
            metal::float4 _e439 = result;
            uint _e441 = i_1;
            metal::float4 _e446 = shares.inner[lane + (_e441 * COLUMNS)];
            result = _e439 + _e446;
        }
    }
    uint _e453 = params.rows;
    uint at_row = (head * _e453) + row;
    if (false) {
        uint _e462 = params.all_heads;
        uint _e466 = params.rows;
        uint at_5 = ((part * _e462) * _e466) + at_row;
        if (lane == 0u) {
            float _e475 = top;
            stats[2u * at_5] = _e475;
            float _e482 = sum;
            stats[(2u * at_5) + 1u] = _e482;
        }
        bool loop_init_7 = true;
        while(true) {
            if (!loop_init_7) {
                uint _e502 = i_2;
                i_2 = _e502 + 1u;
            }
            loop_init_7 = false;
            uint _e485 = i_2;
            if (_e485 < metal::min(left_4, 4u)) {
            } else {
                break;
            }
            {
                uint _e492 = params.value_dim;
                uint _e495 = i_2;
                uint _e498 = i_2;
                float _e500 = result[_e498];
                sums[((at_5 * _e492) + column) + _e495] = _e500;
            }
        }
        return;
    }
    metal::float4 _e504 = result;
    float _e505 = sum;
    float _e510 = sum;
    y = (_e510 == 0.0) ? metal::float4(0.0) : (_e504 / metal::float4(_e505));
    metal::float4 _e515 = y;
    float _e518 = params.output_scale;
    float _e522 = params.output_bias;
    y = (_e515 * _e518) + metal::float4(_e522);
    uint _e527 = params.flags;
    if ((_e527 & RECTIFY) != 0u) {
        metal::float4 _e532 = y;
        metal::float4 _e535 = y;
        y = metal::select(_e532, metal::float4(0.0), _e535 < metal::float4(0.0));
    }
    bool loop_init_8 = true;
    while(true) {
        if (!loop_init_8) {
            uint _e564 = i_3;
            i_3 = _e564 + 1u;
        }
        loop_init_8 = false;
        uint _e542 = i_3;
        if (_e542 < metal::min(left_4, 4u)) {
        } else {
            break;
        }
        {
            uint _e549 = params.first_out;
            uint _e552 = params.value_dim;
            uint _e556 = i_3;
            uint _e559 = i_3;
            float _e561 = y[_e559];
            out[((_e549 + (at_row * _e552)) + column) + _e556] = static_cast<half>(_e561);
        }
    }
    return;
}
