// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size1;
    uint size2;
    uint size3;
    uint size4;
    uint size5;
    uint size6;
};

typedef float Element;
struct Params {
    uint m;
    uint n;
    uint k;
    uint chunk;
    uint splits;
    uint batch_inner;
    uint batch_first;
    uint flags;
    uint first_a;
    uint a_m;
    uint a_k;
    uint a_outer;
    uint a_inner;
    uint first_b;
    uint b_k;
    uint b_n;
    uint b_outer;
    uint b_inner;
    uint first_out;
    uint out_m;
    uint out_n;
    uint first_bias;
    uint bias_m;
    uint bias_n;
    uint first_residual;
    uint residual_m;
    uint residual_n;
    uint residual_outer;
    uint residual_inner;
};
typedef Element type_1[1];
struct Origin {
    uint a;
    uint b;
    uint out;
    uint residual;
};
typedef metal::float4 type_5[1];
struct type_9 {
    metal::float4 inner[256];
};
struct type_10 {
    metal::float4 inner[256];
};
struct Loader {
    bool of_a;
    char _pad1[3];
    uint slot;
    uint k;
    char _pad3[4];
    metal::uint4 at;
    uint step;
    char _pad5[12];
};
struct type_12 {
    metal::float4 inner[4];
};
constant uint HAS_BIAS = 256u;
constant uint HAS_RESIDUAL = 512u;
constant uint ROWS = 4u;
constant uint COLUMNS = 4u;
constant bool A_ALONG_K = true;
constant bool B_ALONG_K = true;
constant uint BAND = 8u;
constant uint MODE = 1u;
constant uint T = 32u;
constant uint TK = 16u;
constant uint LANES = 8u;
constant uint DOWN = 8u;
constant uint ACROSS = 8u;
constant uint THREADS = 64u;
constant uint WIDTH = 8u;
constant uint TILE = 128u;

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}

uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

Origin origin_of(
    uint index,
    constant Params& p
) {
    uint _e3 = p.batch_first;
    uint batch = _e3 + index;
    uint _e7 = p.batch_inner;
    uint outer = naga_div(batch, _e7);
    uint _e11 = p.batch_inner;
    uint inner = naga_mod(batch, _e11);
    uint _e15 = p.first_a;
    uint _e18 = p.a_outer;
    uint _e23 = p.a_inner;
    uint _e28 = p.first_b;
    uint _e31 = p.b_outer;
    uint _e36 = p.b_inner;
    uint _e41 = p.first_out;
    uint _e44 = p.m;
    uint _e48 = p.n;
    uint _e53 = p.first_residual;
    uint _e56 = p.residual_outer;
    uint _e61 = p.residual_inner;
    return Origin {(_e15 + (outer * _e18)) + (inner * _e23), (_e28 + (outer * _e31)) + (inner * _e36), _e41 + ((batch * _e44) * _e48), (_e53 + (outer * _e56)) + (inner * _e61)};
}

float relu(
    float x
) {
    bool local = {};
    uint bits = as_type<uint>(x);
    if ((bits & 2147483648u) != 0u) {
        local = (bits & 2147483647u) <= 2139095040u;
    } else {
        local = false;
    }
    bool negative = local;
    return negative ? 0.0 : x;
}

float erfc_positive(
    float z
) {
    float q = -0.05390167;
    float t = 1.0 / (1.0 + (0.5 * z));
    float _e9 = q;
    q = (_e9 * t) + 0.25860852;
    float _e13 = q;
    q = (_e13 * t) - 0.43155608;
    float _e17 = q;
    q = (_e17 * t) + 0.2117977;
    float _e21 = q;
    q = (_e21 * t) + 0.021241367;
    float _e25 = q;
    q = (_e25 * t) + 0.18126294;
    float _e29 = q;
    q = (_e29 * t) + 0.24889359;
    float _e33 = q;
    q = (_e33 * t) + 0.2815131;
    float _e37 = q;
    q = (_e37 * t) + 0.28214052;
    float _e41 = q;
    return (_e41 * t) * metal::exp(-(z) * z);
}

float times_sigmoid(
    float x_1,
    float v
) {
    return x_1 / (1.0 + metal::exp(metal::min(-(v), 80.0)));
}

float activate(
    uint kind,
    float x_2
) {
    switch(kind) {
        case 1u: {
            float _e2 = relu(x_2);
            return _e2;
        }
        case 2u: {
            float _e6 = erfc_positive(metal::abs(x_2) * 0.70710677);
            return (0.5 * x_2) * ((x_2 > 0.0) ? (2.0 - _e6) : _e6);
        }
        case 3u: {
            float _e22 = times_sigmoid(x_2, 1.5957692 * (x_2 + (((0.044715 * x_2) * x_2) * x_2)));
            return _e22;
        }
        case 4u: {
            float _e23 = times_sigmoid(x_2, x_2);
            return _e23;
        }
        default: {
            return x_2;
        }
    }
}

float finish(
    float sum,
    Origin origin,
    uint i,
    uint j,
    constant Params& p,
    device type_1 const& bias,
    device type_1 const& residual,
    constant _mslBufferSizes& _buffer_sizes
) {
    float x_3 = {};
    x_3 = sum;
    uint _e7 = p.flags;
    if ((_e7 & HAS_BIAS) != 0u) {
        float _e12 = x_3;
        uint _e16 = p.first_bias;
        uint _e19 = p.bias_m;
        uint _e24 = p.bias_n;
        Element _e28 = bias[(_e16 + (i * _e19)) + (j * _e24)];
        x_3 = _e12 + static_cast<float>(_e28);
    }
    uint _e33 = p.flags;
    if ((_e33 & HAS_RESIDUAL) != 0u) {
        float _e38 = x_3;
        uint _e43 = p.residual_m;
        uint _e48 = p.residual_n;
        Element _e52 = residual[(origin.residual + (i * _e43)) + (j * _e48)];
        x_3 = _e38 + static_cast<float>(_e52);
    }
    uint _e57 = p.flags;
    float _e60 = x_3;
    float _e61 = activate(_e57 & 255u, _e60);
    return _e61;
}

void store(
    Origin origin_1,
    uint i_1,
    uint j_1,
    metal::float4 x_4,
    constant Params& p,
    device type_5& out,
    constant _mslBufferSizes& _buffer_sizes
) {
    bool local_1 = {};
    uint _e6 = p.m;
    if (i_1 < _e6) {
        uint _e12 = p.n;
        local_1 = j_1 < _e12;
    } else {
        local_1 = false;
    }
    bool _e15 = local_1;
    if (_e15) {
        uint _e20 = p.n;
        out[((origin_1.out + (i_1 * _e20)) + j_1) >> 2u] = static_cast<metal::float4>(x_4);
        return;
    } else {
        return;
    }
}

void store_partial(
    uint first,
    uint i_2,
    uint j_2,
    metal::float4 x_5,
    constant Params& p,
    device type_5& partial,
    constant _mslBufferSizes& _buffer_sizes
) {
    bool local_2 = {};
    uint _e6 = p.m;
    if (i_2 < _e6) {
        uint _e12 = p.n;
        local_2 = j_2 < _e12;
    } else {
        local_2 = false;
    }
    bool _e15 = local_2;
    if (_e15) {
        uint _e19 = p.n;
        partial[((first + (i_2 * _e19)) + j_2) >> 2u] = x_5;
        return;
    } else {
        return;
    }
}

metal::uint4 block_offsets(
    bool along_k,
    uint first_1,
    uint row,
    uint rows,
    uint row_stride,
    uint k_1,
    uint k_stride
) {
    if (along_k) {
        metal::uint4 r = metal::min(metal::uint4(row) + metal::uint4(0u, 1u, 2u, 3u), metal::uint4(rows - 1u));
        return (metal::uint4(first_1) + (r * row_stride)) + metal::uint4(k_1);
    }
    uint r_1 = metal::min(row, rows - 4u);
    return metal::uint4(first_1 + r_1) + ((metal::uint4(k_1) + metal::uint4(0u, 1u, 2u, 3u)) * k_stride);
}

metal::float4 vector_a(
    uint at,
    device type_5 const& a,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 _e5 = a[at >> 2u];
    return static_cast<metal::float4>(_e5);
}

metal::float4 vector_b(
    uint at_1,
    device type_5 const& b,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 _e5 = b[at_1 >> 2u];
    return static_cast<metal::float4>(_e5);
}

metal::float4x4 dense_a(
    metal::uint4 at_2,
    uint left,
    device type_5 const& a,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4x4 block_1 = metal::float4x4 {};
    if (left >= 4u) {
        metal::float4 _e7 = vector_a(at_2.x, a, _buffer_sizes);
        metal::float4 _e9 = vector_a(at_2.y, a, _buffer_sizes);
        metal::float4 _e11 = vector_a(at_2.z, a, _buffer_sizes);
        metal::float4 _e13 = vector_a(at_2.w, a, _buffer_sizes);
        block_1 = metal::float4x4(_e7, _e9, _e11, _e13);
    } else {
        if (false) {
            if (left > 0u) {
                metal::float4 _e22 = vector_a(at_2.x, a, _buffer_sizes);
                block_1[0] = _e22;
            }
            if (left > 1u) {
                metal::float4 _e27 = vector_a(at_2.y, a, _buffer_sizes);
                block_1[1] = _e27;
            }
            if (left > 2u) {
                metal::float4 _e32 = vector_a(at_2.z, a, _buffer_sizes);
                block_1[2] = _e32;
            }
        }
    }
    metal::float4x4 _e33 = block_1;
    return _e33;
}

metal::float4x4 dense_b(
    metal::uint4 at_3,
    uint left_1,
    device type_5 const& b,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4x4 block_2 = metal::float4x4 {};
    if (left_1 >= 4u) {
        metal::float4 _e7 = vector_b(at_3.x, b, _buffer_sizes);
        metal::float4 _e9 = vector_b(at_3.y, b, _buffer_sizes);
        metal::float4 _e11 = vector_b(at_3.z, b, _buffer_sizes);
        metal::float4 _e13 = vector_b(at_3.w, b, _buffer_sizes);
        block_2 = metal::float4x4(_e7, _e9, _e11, _e13);
    } else {
        if (false) {
            if (left_1 > 0u) {
                metal::float4 _e22 = vector_b(at_3.x, b, _buffer_sizes);
                block_2[0] = _e22;
            }
            if (left_1 > 1u) {
                metal::float4 _e27 = vector_b(at_3.y, b, _buffer_sizes);
                block_2[1] = _e27;
            }
            if (left_1 > 2u) {
                metal::float4 _e32 = vector_b(at_3.z, b, _buffer_sizes);
                block_2[2] = _e32;
            }
        }
    }
    metal::float4x4 _e33 = block_2;
    return _e33;
}

metal::float4x4 block_a(
    metal::uint4 at_4,
    uint left_2,
    device type_5 const& a,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4x4 _e2 = dense_a(at_4, left_2, a, _buffer_sizes);
    if (A_ALONG_K) {
        return metal::transpose(_e2);
    }
    return _e2;
}

metal::float4x4 block_b(
    metal::uint4 at_5,
    uint left_3,
    device type_5 const& b,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4x4 _e2 = dense_b(at_5, left_3, b, _buffer_sizes);
    if (B_ALONG_K) {
        return metal::transpose(_e2);
    }
    return _e2;
}

metal::uint2 corner_of(
    uint number,
    constant Params& p
) {
    uint _e3 = p.m;
    uint down = naga_div((_e3 + T) - 1u, T);
    uint _e12 = p.n;
    uint across = naga_div((_e12 + T) - 1u, T);
    uint band = naga_div(number, BAND * across);
    uint rest = naga_mod(number, BAND * across);
    uint height = metal::min(down - (band * BAND), BAND);
    return metal::uint2((band * BAND) + naga_mod(rest, height), naga_div(rest, height)) * T;
}

void finish4_(
    Origin origin_2,
    uint i_3,
    uint j_3,
    metal::float4 x_6,
    constant Params& p,
    device type_1 const& bias,
    device type_1 const& residual,
    device type_5& out,
    constant _mslBufferSizes& _buffer_sizes
) {
    bool local_3 = {};
    uint _e6 = p.m;
    if (i_3 < _e6) {
        uint _e12 = p.n;
        local_3 = j_3 < _e12;
    } else {
        local_3 = false;
    }
    bool _e15 = local_3;
    if (_e15) {
        uint _e18 = p.n;
        uint last = _e18 - 1u;
        float _e22 = finish(x_6.x, origin_2, i_3, j_3, p, bias, residual, _buffer_sizes);
        float _e27 = finish(x_6.y, origin_2, i_3, metal::min(j_3 + 1u, last), p, bias, residual, _buffer_sizes);
        float _e32 = finish(x_6.z, origin_2, i_3, metal::min(j_3 + 2u, last), p, bias, residual, _buffer_sizes);
        float _e37 = finish(x_6.w, origin_2, i_3, metal::min(j_3 + 3u, last), p, bias, residual, _buffer_sizes);
        store(origin_2, i_3, j_3, metal::float4(_e22, _e27, _e32, _e37), p, out, _buffer_sizes);
        return;
    } else {
        return;
    }
}

metal::float4 add_product(
    float x_7,
    metal::float4 y,
    metal::float4 sum_1
) {
    return metal::fma(metal::float4(x_7), y, sum_1);
}

void keep_a(
    uint at_6,
    metal::float4x4 block_3,
    threadgroup type_9& tile_a
) {
    tile_a.inner[at_6] = block_3[0];
    tile_a.inner[at_6 + WIDTH] = block_3[1];
    tile_a.inner[at_6 + 16u] = block_3[2];
    tile_a.inner[at_6 + 24u] = block_3[3];
    return;
}

void keep_b(
    uint at_7,
    metal::float4x4 block_4,
    threadgroup type_10& tile_b
) {
    tile_b.inner[at_7] = block_4[0];
    tile_b.inner[at_7 + WIDTH] = block_4[1];
    tile_b.inner[at_7 + 16u] = block_4[2];
    tile_b.inner[at_7 + 24u] = block_4[3];
    return;
}

Loader loader(
    uint lane_1,
    Origin origin_3,
    metal::uint2 corner,
    uint k_first,
    constant Params& p
) {
    Loader l_1 = {};
    uint row_1 = {};
    l_1.of_a = lane_1 < 32u;
    uint number_1 = naga_mod(lane_1, 32u);
    bool _e19 = l_1.of_a;
    bool along_k_1 = _e19 ? A_ALONG_K : B_ALONG_K;
    row_1 = naga_mod(number_1, WIDTH);
    l_1.k = naga_div(number_1, WIDTH) * 4u;
    if (along_k_1) {
        row_1 = (naga_div(number_1, 32u) * 8u) + naga_mod(number_1, 8u);
        l_1.k = naga_mod(naga_div(number_1, 8u), 4u) * 4u;
    }
    uint _e51 = l_1.k;
    uint _e54 = row_1;
    l_1.slot = (_e51 * WIDTH) + _e54;
    bool _e57 = l_1.of_a;
    if (_e57) {
        uint _e62 = row_1;
        uint _e68 = p.m;
        uint _e71 = p.a_m;
        uint _e73 = l_1.k;
        uint _e77 = p.a_k;
        metal::uint4 _e78 = block_offsets(A_ALONG_K, origin_3.a, corner.x + (_e62 * 4u), _e68, _e71, k_first + _e73, _e77);
        l_1.at = _e78;
        uint _e83 = p.a_k;
        l_1.step = TK * _e83;
    } else {
        uint _e89 = row_1;
        uint _e95 = p.n;
        uint _e98 = p.b_n;
        uint _e100 = l_1.k;
        uint _e104 = p.b_k;
        metal::uint4 _e105 = block_offsets(B_ALONG_K, origin_3.b, corner.y + (_e89 * 4u), _e95, _e98, k_first + _e100, _e104);
        l_1.at = _e105;
        uint _e110 = p.b_k;
        l_1.step = TK * _e110;
    }
    Loader _e112 = l_1;
    return _e112;
}

metal::float4x4 fetch(
    Loader l_2,
    uint k_2,
    uint k_end,
    device type_5 const& a,
    device type_5 const& b,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint left_4 = k_end - metal::min(k_2 + l_2.k, k_end);
    if (l_2.of_a) {
        metal::float4x4 _e9 = block_a(l_2.at, left_4, a, _buffer_sizes);
        return _e9;
    }
    metal::float4x4 _e11 = block_b(l_2.at, left_4, b, _buffer_sizes);
    return _e11;
}

void keep(
    Loader l_3,
    uint buffer_1,
    metal::float4x4 block_5,
    threadgroup type_9& tile_a,
    threadgroup type_10& tile_b
) {
    if (l_3.of_a) {
        keep_a((buffer_1 * TILE) + l_3.slot, block_5, tile_a);
        return;
    } else {
        keep_b((buffer_1 * TILE) + l_3.slot, block_5, tile_b);
        return;
    }
}

metal::uint2 position(
    uint lane_2
) {
    uint block_6 = naga_div(lane_2, 32u);
    uint within = naga_mod(lane_2, 32u);
    return metal::uint2((naga_div(block_6, 1u) * 4u) + naga_div(within, LANES), (naga_mod(block_6, 1u) * LANES) + naga_mod(within, LANES));
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(64)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, constant Params& p [[buffer(6)]]
, device type_1 const& bias [[buffer(0)]]
, device type_1 const& residual [[buffer(1)]]
, device type_5 const& a [[buffer(2)]]
, device type_5 const& b [[buffer(3)]]
, device type_5& out [[buffer(4)]]
, device type_5& partial [[buffer(5)]]
, threadgroup type_9& tile_a
, threadgroup type_10& tile_b
, constant _mslBufferSizes& _buffer_sizes [[buffer(7)]]
) {
    Loader l = {};
    metal::float4 c0_ = metal::float4 {};
    metal::float4 c1_ = metal::float4 {};
    metal::float4 c2_ = metal::float4 {};
    metal::float4 c3_ = metal::float4 {};
    uint buffer = 0u;
    uint k = {};
    metal::float4x4 block = {};
    uint step = {};
    type_12 sums = {};
    uint s = 0u;
    uint number_2 = (group.y * groups.x) + group.x;
    uint _e10 = p.m;
    uint _e19 = p.n;
    if (number_2 >= (naga_div((_e10 + T) - 1u, T) * naga_div((_e19 + T) - 1u, T))) {
        return;
    }
    metal::uint2 _e28 = corner_of(number_2, p);
    uint _e32 = p.splits;
    uint split = naga_mod(group.z, _e32);
    uint _e37 = p.splits;
    Origin _e39 = origin_of(naga_div(group.z, _e37), p);
    uint _e42 = p.chunk;
    uint k_first_1 = split * _e42;
    uint _e46 = p.chunk;
    uint _e50 = p.k;
    uint k_end_1 = metal::min(k_first_1 + _e46, _e50);
    Loader _e52 = loader(lane, _e39, _e28, k_first_1, p);
    l = _e52;
    metal::uint2 _e54 = position(lane);
    Loader _e63 = l;
    Loader _e65 = l;
    metal::float4x4 _e66 = fetch(_e65, k_first_1, k_end_1, a, b, _buffer_sizes);
    keep(_e63, 0u, _e66, tile_a, tile_b);
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    k = k_first_1;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e130 = k;
            k = _e130 + TK;
        }
        loop_init = false;
        uint _e70 = k;
        if (_e70 < k_end_1) {
        } else {
            break;
        }
        {
            uint _e72 = k;
            uint next = _e72 + TK;
            block = metal::float4x4 {};
            if (next < k_end_1) {
                metal::uint4 _e79 = l.at;
                uint _e81 = l.step;
                l.at = _e79 + metal::uint4(_e81);
                Loader _e84 = l;
                metal::float4x4 _e85 = fetch(_e84, next, k_end_1, a, b, _buffer_sizes);
                block = _e85;
            }
            uint _e86 = buffer;
            uint first_2 = _e86 * TILE;
            step = 0u;
            bool loop_init_1 = true;
            while(true) {
                if (!loop_init_1) {
                    uint _e121 = step;
                    step = _e121 + 1u;
                }
                loop_init_1 = false;
                uint _e91 = step;
                if (_e91 < TK) {
                } else {
                    break;
                }
                {
                    uint _e94 = step;
                    uint row_2 = first_2 + (_e94 * WIDTH);
                    metal::float4 a0_ = tile_a.inner[row_2 + _e54.x];
                    metal::float4 b0_ = tile_b.inner[row_2 + _e54.y];
                    metal::float4 _e109 = c0_;
                    metal::float4 _e110 = add_product(a0_.x, b0_, _e109);
                    c0_ = _e110;
                    metal::float4 _e112 = c1_;
                    metal::float4 _e113 = add_product(a0_.y, b0_, _e112);
                    c1_ = _e113;
                    metal::float4 _e115 = c2_;
                    metal::float4 _e116 = add_product(a0_.z, b0_, _e115);
                    c2_ = _e116;
                    metal::float4 _e118 = c3_;
                    metal::float4 _e119 = add_product(a0_.w, b0_, _e118);
                    c3_ = _e119;
                }
            }
            if (next < k_end_1) {
                uint _e125 = buffer;
                buffer = 1u - _e125;
                Loader _e127 = l;
                uint _e128 = buffer;
                metal::float4x4 _e129 = block;
                keep(_e127, _e128, _e129, tile_a, tile_b);
            }
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        }
    }
    uint i_4 = _e28.x + (4u * _e54.x);
    uint j_4 = _e28.y + (4u * _e54.y);
    if (false) {
        metal::float4 _e147 = c0_;
        store(_e39, i_4, j_4, _e147, p, out, _buffer_sizes);
        metal::float4 _e150 = c1_;
        store(_e39, i_4 + 1u, j_4, _e150, p, out, _buffer_sizes);
        metal::float4 _e153 = c2_;
        store(_e39, i_4 + 2u, j_4, _e153, p, out, _buffer_sizes);
        metal::float4 _e156 = c3_;
        store(_e39, i_4 + 3u, j_4, _e156, p, out, _buffer_sizes);
        return;
    } else {
        if (false) {
            uint _e164 = p.m;
            uint _e168 = p.n;
            uint part = (group.z * _e164) * _e168;
            metal::float4 _e170 = c0_;
            store_partial(part, i_4, j_4, _e170, p, partial, _buffer_sizes);
            metal::float4 _e173 = c1_;
            store_partial(part, i_4 + 1u, j_4, _e173, p, partial, _buffer_sizes);
            metal::float4 _e176 = c2_;
            store_partial(part, i_4 + 2u, j_4, _e176, p, partial, _buffer_sizes);
            metal::float4 _e179 = c3_;
            store_partial(part, i_4 + 3u, j_4, _e179, p, partial, _buffer_sizes);
            return;
        } else {
            metal::float4 _e180 = c0_;
            metal::float4 _e181 = c1_;
            metal::float4 _e182 = c2_;
            metal::float4 _e183 = c3_;
            sums = type_12 {{_e180, _e181, _e182, _e183}};
            bool loop_init_2 = true;
            while(true) {
                if (!loop_init_2) {
                    uint _e197 = s;
                    s = _e197 + 1u;
                }
                loop_init_2 = false;
                uint _e188 = s;
                if (_e188 < 4u) {
                } else {
                    break;
                }
                {
                    uint _e191 = s;
                    uint _e193 = s;
                    metal::float4 _e195 = sums.inner[_e193];
                    finish4_(_e39, i_4 + _e191, j_4, _e195, p, bias, residual, out, _buffer_sizes);
                }
            }
            return;
        }
    }
}
