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
    metal::float4 inner[1024];
};
struct type_10 {
    metal::float4 inner[1024];
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
    metal::float4 inner[16];
};
constant uint HAS_BIAS = 256u;
constant uint HAS_RESIDUAL = 512u;
constant uint ROWS = 8u;
constant uint COLUMNS = 8u;
constant bool A_ALONG_K = true;
constant bool B_ALONG_K = false;
constant uint BAND = 8u;
constant uint MODE = 0u;
constant uint T = 128u;
constant uint TK = 16u;
constant uint LANES = 8u;
constant uint DOWN = 16u;
constant uint ACROSS = 16u;
constant uint THREADS = 256u;
constant uint WIDTH = 32u;
constant uint TILE = 512u;

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
        if (true) {
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
    tile_a.inner[at_6 + 64u] = block_3[2];
    tile_a.inner[at_6 + 96u] = block_3[3];
    return;
}

void keep_b(
    uint at_7,
    metal::float4x4 block_4,
    threadgroup type_10& tile_b
) {
    tile_b.inner[at_7] = block_4[0];
    tile_b.inner[at_7 + WIDTH] = block_4[1];
    tile_b.inner[at_7 + 64u] = block_4[2];
    tile_b.inner[at_7 + 96u] = block_4[3];
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
    l_1.of_a = lane_1 < 128u;
    uint number_1 = naga_mod(lane_1, 128u);
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
    return metal::uint2((naga_div(block_6, 2u) * 4u) + naga_div(within, LANES), (naga_mod(block_6, 2u) * LANES) + naga_mod(within, LANES));
}

struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
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
    metal::float4 c0l = metal::float4 {};
    metal::float4 c0h = metal::float4 {};
    metal::float4 c1l = metal::float4 {};
    metal::float4 c1h = metal::float4 {};
    metal::float4 c2l = metal::float4 {};
    metal::float4 c2h = metal::float4 {};
    metal::float4 c3l = metal::float4 {};
    metal::float4 c3h = metal::float4 {};
    metal::float4 c4l = metal::float4 {};
    metal::float4 c4h = metal::float4 {};
    metal::float4 c5l = metal::float4 {};
    metal::float4 c5h = metal::float4 {};
    metal::float4 c6l = metal::float4 {};
    metal::float4 c6h = metal::float4 {};
    metal::float4 c7l = metal::float4 {};
    metal::float4 c7h = metal::float4 {};
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
    Loader _e87 = l;
    Loader _e89 = l;
    metal::float4x4 _e90 = fetch(_e89, k_first_1, k_end_1, a, b, _buffer_sizes);
    keep(_e87, 0u, _e90, tile_a, tile_b);
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    k = k_first_1;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e774 = k;
            k = _e774 + TK;
        }
        loop_init = false;
        uint _e94 = k;
        if (_e94 < k_end_1) {
        } else {
            break;
        }
        {
            uint _e96 = k;
            uint next = _e96 + TK;
            block = metal::float4x4 {};
            if (next < k_end_1) {
                metal::uint4 _e103 = l.at;
                uint _e105 = l.step;
                l.at = _e103 + metal::uint4(_e105);
                Loader _e108 = l;
                metal::float4x4 _e109 = fetch(_e108, next, k_end_1, a, b, _buffer_sizes);
                block = _e109;
            }
            uint _e110 = buffer;
            uint first_2 = _e110 * TILE;
            step = 0u;
            bool loop_init_1 = true;
            while(true) {
                if (!loop_init_1) {
                    uint _e764 = step;
                    step = _e764 + 8u;
                }
                loop_init_1 = false;
                uint _e115 = step;
                if (_e115 < TK) {
                } else {
                    break;
                }
                {
                    {
                        uint _e118 = step;
                        uint row_2 = first_2 + (_e118 * WIDTH);
                        metal::float4 a0_ = tile_a.inner[row_2 + _e54.x];
                        metal::float4 a1_ = tile_a.inner[(row_2 + 16u) + _e54.x];
                        metal::float4 b0_ = tile_b.inner[row_2 + _e54.y];
                        metal::float4 b1_ = tile_b.inner[(row_2 + ACROSS) + _e54.y];
                        metal::float4 _e150 = c0l;
                        metal::float4 _e151 = add_product(a0_.x, b0_, _e150);
                        c0l = _e151;
                        metal::float4 _e153 = c0h;
                        metal::float4 _e154 = add_product(a0_.x, b1_, _e153);
                        c0h = _e154;
                        metal::float4 _e156 = c1l;
                        metal::float4 _e157 = add_product(a0_.y, b0_, _e156);
                        c1l = _e157;
                        metal::float4 _e159 = c1h;
                        metal::float4 _e160 = add_product(a0_.y, b1_, _e159);
                        c1h = _e160;
                        metal::float4 _e162 = c2l;
                        metal::float4 _e163 = add_product(a0_.z, b0_, _e162);
                        c2l = _e163;
                        metal::float4 _e165 = c2h;
                        metal::float4 _e166 = add_product(a0_.z, b1_, _e165);
                        c2h = _e166;
                        metal::float4 _e168 = c3l;
                        metal::float4 _e169 = add_product(a0_.w, b0_, _e168);
                        c3l = _e169;
                        metal::float4 _e171 = c3h;
                        metal::float4 _e172 = add_product(a0_.w, b1_, _e171);
                        c3h = _e172;
                        metal::float4 _e174 = c4l;
                        metal::float4 _e175 = add_product(a1_.x, b0_, _e174);
                        c4l = _e175;
                        metal::float4 _e177 = c4h;
                        metal::float4 _e178 = add_product(a1_.x, b1_, _e177);
                        c4h = _e178;
                        metal::float4 _e180 = c5l;
                        metal::float4 _e181 = add_product(a1_.y, b0_, _e180);
                        c5l = _e181;
                        metal::float4 _e183 = c5h;
                        metal::float4 _e184 = add_product(a1_.y, b1_, _e183);
                        c5h = _e184;
                        metal::float4 _e186 = c6l;
                        metal::float4 _e187 = add_product(a1_.z, b0_, _e186);
                        c6l = _e187;
                        metal::float4 _e189 = c6h;
                        metal::float4 _e190 = add_product(a1_.z, b1_, _e189);
                        c6h = _e190;
                        metal::float4 _e192 = c7l;
                        metal::float4 _e193 = add_product(a1_.w, b0_, _e192);
                        c7l = _e193;
                        metal::float4 _e195 = c7h;
                        metal::float4 _e196 = add_product(a1_.w, b1_, _e195);
                        c7h = _e196;
                    }
                    {
                        uint _e197 = step;
                        uint row_3 = first_2 + ((_e197 + 1u) * WIDTH);
                        metal::float4 a0_1 = tile_a.inner[row_3 + _e54.x];
                        metal::float4 a1_1 = tile_a.inner[(row_3 + 16u) + _e54.x];
                        metal::float4 b0_1 = tile_b.inner[row_3 + _e54.y];
                        metal::float4 b1_1 = tile_b.inner[(row_3 + ACROSS) + _e54.y];
                        metal::float4 _e231 = c0l;
                        metal::float4 _e232 = add_product(a0_1.x, b0_1, _e231);
                        c0l = _e232;
                        metal::float4 _e234 = c0h;
                        metal::float4 _e235 = add_product(a0_1.x, b1_1, _e234);
                        c0h = _e235;
                        metal::float4 _e237 = c1l;
                        metal::float4 _e238 = add_product(a0_1.y, b0_1, _e237);
                        c1l = _e238;
                        metal::float4 _e240 = c1h;
                        metal::float4 _e241 = add_product(a0_1.y, b1_1, _e240);
                        c1h = _e241;
                        metal::float4 _e243 = c2l;
                        metal::float4 _e244 = add_product(a0_1.z, b0_1, _e243);
                        c2l = _e244;
                        metal::float4 _e246 = c2h;
                        metal::float4 _e247 = add_product(a0_1.z, b1_1, _e246);
                        c2h = _e247;
                        metal::float4 _e249 = c3l;
                        metal::float4 _e250 = add_product(a0_1.w, b0_1, _e249);
                        c3l = _e250;
                        metal::float4 _e252 = c3h;
                        metal::float4 _e253 = add_product(a0_1.w, b1_1, _e252);
                        c3h = _e253;
                        metal::float4 _e255 = c4l;
                        metal::float4 _e256 = add_product(a1_1.x, b0_1, _e255);
                        c4l = _e256;
                        metal::float4 _e258 = c4h;
                        metal::float4 _e259 = add_product(a1_1.x, b1_1, _e258);
                        c4h = _e259;
                        metal::float4 _e261 = c5l;
                        metal::float4 _e262 = add_product(a1_1.y, b0_1, _e261);
                        c5l = _e262;
                        metal::float4 _e264 = c5h;
                        metal::float4 _e265 = add_product(a1_1.y, b1_1, _e264);
                        c5h = _e265;
                        metal::float4 _e267 = c6l;
                        metal::float4 _e268 = add_product(a1_1.z, b0_1, _e267);
                        c6l = _e268;
                        metal::float4 _e270 = c6h;
                        metal::float4 _e271 = add_product(a1_1.z, b1_1, _e270);
                        c6h = _e271;
                        metal::float4 _e273 = c7l;
                        metal::float4 _e274 = add_product(a1_1.w, b0_1, _e273);
                        c7l = _e274;
                        metal::float4 _e276 = c7h;
                        metal::float4 _e277 = add_product(a1_1.w, b1_1, _e276);
                        c7h = _e277;
                    }
                    {
                        uint _e278 = step;
                        uint row_4 = first_2 + ((_e278 + 2u) * WIDTH);
                        metal::float4 a0_2 = tile_a.inner[row_4 + _e54.x];
                        metal::float4 a1_2 = tile_a.inner[(row_4 + 16u) + _e54.x];
                        metal::float4 b0_2 = tile_b.inner[row_4 + _e54.y];
                        metal::float4 b1_2 = tile_b.inner[(row_4 + ACROSS) + _e54.y];
                        metal::float4 _e312 = c0l;
                        metal::float4 _e313 = add_product(a0_2.x, b0_2, _e312);
                        c0l = _e313;
                        metal::float4 _e315 = c0h;
                        metal::float4 _e316 = add_product(a0_2.x, b1_2, _e315);
                        c0h = _e316;
                        metal::float4 _e318 = c1l;
                        metal::float4 _e319 = add_product(a0_2.y, b0_2, _e318);
                        c1l = _e319;
                        metal::float4 _e321 = c1h;
                        metal::float4 _e322 = add_product(a0_2.y, b1_2, _e321);
                        c1h = _e322;
                        metal::float4 _e324 = c2l;
                        metal::float4 _e325 = add_product(a0_2.z, b0_2, _e324);
                        c2l = _e325;
                        metal::float4 _e327 = c2h;
                        metal::float4 _e328 = add_product(a0_2.z, b1_2, _e327);
                        c2h = _e328;
                        metal::float4 _e330 = c3l;
                        metal::float4 _e331 = add_product(a0_2.w, b0_2, _e330);
                        c3l = _e331;
                        metal::float4 _e333 = c3h;
                        metal::float4 _e334 = add_product(a0_2.w, b1_2, _e333);
                        c3h = _e334;
                        metal::float4 _e336 = c4l;
                        metal::float4 _e337 = add_product(a1_2.x, b0_2, _e336);
                        c4l = _e337;
                        metal::float4 _e339 = c4h;
                        metal::float4 _e340 = add_product(a1_2.x, b1_2, _e339);
                        c4h = _e340;
                        metal::float4 _e342 = c5l;
                        metal::float4 _e343 = add_product(a1_2.y, b0_2, _e342);
                        c5l = _e343;
                        metal::float4 _e345 = c5h;
                        metal::float4 _e346 = add_product(a1_2.y, b1_2, _e345);
                        c5h = _e346;
                        metal::float4 _e348 = c6l;
                        metal::float4 _e349 = add_product(a1_2.z, b0_2, _e348);
                        c6l = _e349;
                        metal::float4 _e351 = c6h;
                        metal::float4 _e352 = add_product(a1_2.z, b1_2, _e351);
                        c6h = _e352;
                        metal::float4 _e354 = c7l;
                        metal::float4 _e355 = add_product(a1_2.w, b0_2, _e354);
                        c7l = _e355;
                        metal::float4 _e357 = c7h;
                        metal::float4 _e358 = add_product(a1_2.w, b1_2, _e357);
                        c7h = _e358;
                    }
                    {
                        uint _e359 = step;
                        uint row_5 = first_2 + ((_e359 + 3u) * WIDTH);
                        metal::float4 a0_3 = tile_a.inner[row_5 + _e54.x];
                        metal::float4 a1_3 = tile_a.inner[(row_5 + 16u) + _e54.x];
                        metal::float4 b0_3 = tile_b.inner[row_5 + _e54.y];
                        metal::float4 b1_3 = tile_b.inner[(row_5 + ACROSS) + _e54.y];
                        metal::float4 _e393 = c0l;
                        metal::float4 _e394 = add_product(a0_3.x, b0_3, _e393);
                        c0l = _e394;
                        metal::float4 _e396 = c0h;
                        metal::float4 _e397 = add_product(a0_3.x, b1_3, _e396);
                        c0h = _e397;
                        metal::float4 _e399 = c1l;
                        metal::float4 _e400 = add_product(a0_3.y, b0_3, _e399);
                        c1l = _e400;
                        metal::float4 _e402 = c1h;
                        metal::float4 _e403 = add_product(a0_3.y, b1_3, _e402);
                        c1h = _e403;
                        metal::float4 _e405 = c2l;
                        metal::float4 _e406 = add_product(a0_3.z, b0_3, _e405);
                        c2l = _e406;
                        metal::float4 _e408 = c2h;
                        metal::float4 _e409 = add_product(a0_3.z, b1_3, _e408);
                        c2h = _e409;
                        metal::float4 _e411 = c3l;
                        metal::float4 _e412 = add_product(a0_3.w, b0_3, _e411);
                        c3l = _e412;
                        metal::float4 _e414 = c3h;
                        metal::float4 _e415 = add_product(a0_3.w, b1_3, _e414);
                        c3h = _e415;
                        metal::float4 _e417 = c4l;
                        metal::float4 _e418 = add_product(a1_3.x, b0_3, _e417);
                        c4l = _e418;
                        metal::float4 _e420 = c4h;
                        metal::float4 _e421 = add_product(a1_3.x, b1_3, _e420);
                        c4h = _e421;
                        metal::float4 _e423 = c5l;
                        metal::float4 _e424 = add_product(a1_3.y, b0_3, _e423);
                        c5l = _e424;
                        metal::float4 _e426 = c5h;
                        metal::float4 _e427 = add_product(a1_3.y, b1_3, _e426);
                        c5h = _e427;
                        metal::float4 _e429 = c6l;
                        metal::float4 _e430 = add_product(a1_3.z, b0_3, _e429);
                        c6l = _e430;
                        metal::float4 _e432 = c6h;
                        metal::float4 _e433 = add_product(a1_3.z, b1_3, _e432);
                        c6h = _e433;
                        metal::float4 _e435 = c7l;
                        metal::float4 _e436 = add_product(a1_3.w, b0_3, _e435);
                        c7l = _e436;
                        metal::float4 _e438 = c7h;
                        metal::float4 _e439 = add_product(a1_3.w, b1_3, _e438);
                        c7h = _e439;
                    }
                    {
                        uint _e440 = step;
                        uint row_6 = first_2 + ((_e440 + 4u) * WIDTH);
                        metal::float4 a0_4 = tile_a.inner[row_6 + _e54.x];
                        metal::float4 a1_4 = tile_a.inner[(row_6 + 16u) + _e54.x];
                        metal::float4 b0_4 = tile_b.inner[row_6 + _e54.y];
                        metal::float4 b1_4 = tile_b.inner[(row_6 + ACROSS) + _e54.y];
                        metal::float4 _e474 = c0l;
                        metal::float4 _e475 = add_product(a0_4.x, b0_4, _e474);
                        c0l = _e475;
                        metal::float4 _e477 = c0h;
                        metal::float4 _e478 = add_product(a0_4.x, b1_4, _e477);
                        c0h = _e478;
                        metal::float4 _e480 = c1l;
                        metal::float4 _e481 = add_product(a0_4.y, b0_4, _e480);
                        c1l = _e481;
                        metal::float4 _e483 = c1h;
                        metal::float4 _e484 = add_product(a0_4.y, b1_4, _e483);
                        c1h = _e484;
                        metal::float4 _e486 = c2l;
                        metal::float4 _e487 = add_product(a0_4.z, b0_4, _e486);
                        c2l = _e487;
                        metal::float4 _e489 = c2h;
                        metal::float4 _e490 = add_product(a0_4.z, b1_4, _e489);
                        c2h = _e490;
                        metal::float4 _e492 = c3l;
                        metal::float4 _e493 = add_product(a0_4.w, b0_4, _e492);
                        c3l = _e493;
                        metal::float4 _e495 = c3h;
                        metal::float4 _e496 = add_product(a0_4.w, b1_4, _e495);
                        c3h = _e496;
                        metal::float4 _e498 = c4l;
                        metal::float4 _e499 = add_product(a1_4.x, b0_4, _e498);
                        c4l = _e499;
                        metal::float4 _e501 = c4h;
                        metal::float4 _e502 = add_product(a1_4.x, b1_4, _e501);
                        c4h = _e502;
                        metal::float4 _e504 = c5l;
                        metal::float4 _e505 = add_product(a1_4.y, b0_4, _e504);
                        c5l = _e505;
                        metal::float4 _e507 = c5h;
                        metal::float4 _e508 = add_product(a1_4.y, b1_4, _e507);
                        c5h = _e508;
                        metal::float4 _e510 = c6l;
                        metal::float4 _e511 = add_product(a1_4.z, b0_4, _e510);
                        c6l = _e511;
                        metal::float4 _e513 = c6h;
                        metal::float4 _e514 = add_product(a1_4.z, b1_4, _e513);
                        c6h = _e514;
                        metal::float4 _e516 = c7l;
                        metal::float4 _e517 = add_product(a1_4.w, b0_4, _e516);
                        c7l = _e517;
                        metal::float4 _e519 = c7h;
                        metal::float4 _e520 = add_product(a1_4.w, b1_4, _e519);
                        c7h = _e520;
                    }
                    {
                        uint _e521 = step;
                        uint row_7 = first_2 + ((_e521 + 5u) * WIDTH);
                        metal::float4 a0_5 = tile_a.inner[row_7 + _e54.x];
                        metal::float4 a1_5 = tile_a.inner[(row_7 + 16u) + _e54.x];
                        metal::float4 b0_5 = tile_b.inner[row_7 + _e54.y];
                        metal::float4 b1_5 = tile_b.inner[(row_7 + ACROSS) + _e54.y];
                        metal::float4 _e555 = c0l;
                        metal::float4 _e556 = add_product(a0_5.x, b0_5, _e555);
                        c0l = _e556;
                        metal::float4 _e558 = c0h;
                        metal::float4 _e559 = add_product(a0_5.x, b1_5, _e558);
                        c0h = _e559;
                        metal::float4 _e561 = c1l;
                        metal::float4 _e562 = add_product(a0_5.y, b0_5, _e561);
                        c1l = _e562;
                        metal::float4 _e564 = c1h;
                        metal::float4 _e565 = add_product(a0_5.y, b1_5, _e564);
                        c1h = _e565;
                        metal::float4 _e567 = c2l;
                        metal::float4 _e568 = add_product(a0_5.z, b0_5, _e567);
                        c2l = _e568;
                        metal::float4 _e570 = c2h;
                        metal::float4 _e571 = add_product(a0_5.z, b1_5, _e570);
                        c2h = _e571;
                        metal::float4 _e573 = c3l;
                        metal::float4 _e574 = add_product(a0_5.w, b0_5, _e573);
                        c3l = _e574;
                        metal::float4 _e576 = c3h;
                        metal::float4 _e577 = add_product(a0_5.w, b1_5, _e576);
                        c3h = _e577;
                        metal::float4 _e579 = c4l;
                        metal::float4 _e580 = add_product(a1_5.x, b0_5, _e579);
                        c4l = _e580;
                        metal::float4 _e582 = c4h;
                        metal::float4 _e583 = add_product(a1_5.x, b1_5, _e582);
                        c4h = _e583;
                        metal::float4 _e585 = c5l;
                        metal::float4 _e586 = add_product(a1_5.y, b0_5, _e585);
                        c5l = _e586;
                        metal::float4 _e588 = c5h;
                        metal::float4 _e589 = add_product(a1_5.y, b1_5, _e588);
                        c5h = _e589;
                        metal::float4 _e591 = c6l;
                        metal::float4 _e592 = add_product(a1_5.z, b0_5, _e591);
                        c6l = _e592;
                        metal::float4 _e594 = c6h;
                        metal::float4 _e595 = add_product(a1_5.z, b1_5, _e594);
                        c6h = _e595;
                        metal::float4 _e597 = c7l;
                        metal::float4 _e598 = add_product(a1_5.w, b0_5, _e597);
                        c7l = _e598;
                        metal::float4 _e600 = c7h;
                        metal::float4 _e601 = add_product(a1_5.w, b1_5, _e600);
                        c7h = _e601;
                    }
                    {
                        uint _e602 = step;
                        uint row_8 = first_2 + ((_e602 + 6u) * WIDTH);
                        metal::float4 a0_6 = tile_a.inner[row_8 + _e54.x];
                        metal::float4 a1_6 = tile_a.inner[(row_8 + 16u) + _e54.x];
                        metal::float4 b0_6 = tile_b.inner[row_8 + _e54.y];
                        metal::float4 b1_6 = tile_b.inner[(row_8 + ACROSS) + _e54.y];
                        metal::float4 _e636 = c0l;
                        metal::float4 _e637 = add_product(a0_6.x, b0_6, _e636);
                        c0l = _e637;
                        metal::float4 _e639 = c0h;
                        metal::float4 _e640 = add_product(a0_6.x, b1_6, _e639);
                        c0h = _e640;
                        metal::float4 _e642 = c1l;
                        metal::float4 _e643 = add_product(a0_6.y, b0_6, _e642);
                        c1l = _e643;
                        metal::float4 _e645 = c1h;
                        metal::float4 _e646 = add_product(a0_6.y, b1_6, _e645);
                        c1h = _e646;
                        metal::float4 _e648 = c2l;
                        metal::float4 _e649 = add_product(a0_6.z, b0_6, _e648);
                        c2l = _e649;
                        metal::float4 _e651 = c2h;
                        metal::float4 _e652 = add_product(a0_6.z, b1_6, _e651);
                        c2h = _e652;
                        metal::float4 _e654 = c3l;
                        metal::float4 _e655 = add_product(a0_6.w, b0_6, _e654);
                        c3l = _e655;
                        metal::float4 _e657 = c3h;
                        metal::float4 _e658 = add_product(a0_6.w, b1_6, _e657);
                        c3h = _e658;
                        metal::float4 _e660 = c4l;
                        metal::float4 _e661 = add_product(a1_6.x, b0_6, _e660);
                        c4l = _e661;
                        metal::float4 _e663 = c4h;
                        metal::float4 _e664 = add_product(a1_6.x, b1_6, _e663);
                        c4h = _e664;
                        metal::float4 _e666 = c5l;
                        metal::float4 _e667 = add_product(a1_6.y, b0_6, _e666);
                        c5l = _e667;
                        metal::float4 _e669 = c5h;
                        metal::float4 _e670 = add_product(a1_6.y, b1_6, _e669);
                        c5h = _e670;
                        metal::float4 _e672 = c6l;
                        metal::float4 _e673 = add_product(a1_6.z, b0_6, _e672);
                        c6l = _e673;
                        metal::float4 _e675 = c6h;
                        metal::float4 _e676 = add_product(a1_6.z, b1_6, _e675);
                        c6h = _e676;
                        metal::float4 _e678 = c7l;
                        metal::float4 _e679 = add_product(a1_6.w, b0_6, _e678);
                        c7l = _e679;
                        metal::float4 _e681 = c7h;
                        metal::float4 _e682 = add_product(a1_6.w, b1_6, _e681);
                        c7h = _e682;
                    }
                    {
                        uint _e683 = step;
                        uint row_9 = first_2 + ((_e683 + 7u) * WIDTH);
                        metal::float4 a0_7 = tile_a.inner[row_9 + _e54.x];
                        metal::float4 a1_7 = tile_a.inner[(row_9 + 16u) + _e54.x];
                        metal::float4 b0_7 = tile_b.inner[row_9 + _e54.y];
                        metal::float4 b1_7 = tile_b.inner[(row_9 + ACROSS) + _e54.y];
                        metal::float4 _e717 = c0l;
                        metal::float4 _e718 = add_product(a0_7.x, b0_7, _e717);
                        c0l = _e718;
                        metal::float4 _e720 = c0h;
                        metal::float4 _e721 = add_product(a0_7.x, b1_7, _e720);
                        c0h = _e721;
                        metal::float4 _e723 = c1l;
                        metal::float4 _e724 = add_product(a0_7.y, b0_7, _e723);
                        c1l = _e724;
                        metal::float4 _e726 = c1h;
                        metal::float4 _e727 = add_product(a0_7.y, b1_7, _e726);
                        c1h = _e727;
                        metal::float4 _e729 = c2l;
                        metal::float4 _e730 = add_product(a0_7.z, b0_7, _e729);
                        c2l = _e730;
                        metal::float4 _e732 = c2h;
                        metal::float4 _e733 = add_product(a0_7.z, b1_7, _e732);
                        c2h = _e733;
                        metal::float4 _e735 = c3l;
                        metal::float4 _e736 = add_product(a0_7.w, b0_7, _e735);
                        c3l = _e736;
                        metal::float4 _e738 = c3h;
                        metal::float4 _e739 = add_product(a0_7.w, b1_7, _e738);
                        c3h = _e739;
                        metal::float4 _e741 = c4l;
                        metal::float4 _e742 = add_product(a1_7.x, b0_7, _e741);
                        c4l = _e742;
                        metal::float4 _e744 = c4h;
                        metal::float4 _e745 = add_product(a1_7.x, b1_7, _e744);
                        c4h = _e745;
                        metal::float4 _e747 = c5l;
                        metal::float4 _e748 = add_product(a1_7.y, b0_7, _e747);
                        c5l = _e748;
                        metal::float4 _e750 = c5h;
                        metal::float4 _e751 = add_product(a1_7.y, b1_7, _e750);
                        c5h = _e751;
                        metal::float4 _e753 = c6l;
                        metal::float4 _e754 = add_product(a1_7.z, b0_7, _e753);
                        c6l = _e754;
                        metal::float4 _e756 = c6h;
                        metal::float4 _e757 = add_product(a1_7.z, b1_7, _e756);
                        c6h = _e757;
                        metal::float4 _e759 = c7l;
                        metal::float4 _e760 = add_product(a1_7.w, b0_7, _e759);
                        c7l = _e760;
                        metal::float4 _e762 = c7h;
                        metal::float4 _e763 = add_product(a1_7.w, b1_7, _e762);
                        c7h = _e763;
                    }
                }
            }
            if (next < k_end_1) {
                uint _e769 = buffer;
                buffer = 1u - _e769;
                Loader _e771 = l;
                uint _e772 = buffer;
                metal::float4x4 _e773 = block;
                keep(_e771, _e772, _e773, tile_a, tile_b);
            }
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        }
    }
    uint i_4 = _e28.x + (4u * _e54.x);
    uint j_4 = _e28.y + (4u * _e54.y);
    if (true) {
        metal::float4 _e791 = c0l;
        store(_e39, i_4, j_4, _e791, p, out, _buffer_sizes);
        metal::float4 _e797 = c0h;
        store(_e39, i_4, j_4 + 64u, _e797, p, out, _buffer_sizes);
        metal::float4 _e800 = c1l;
        store(_e39, i_4 + 1u, j_4, _e800, p, out, _buffer_sizes);
        metal::float4 _e808 = c1h;
        store(_e39, i_4 + 1u, j_4 + 64u, _e808, p, out, _buffer_sizes);
        metal::float4 _e811 = c2l;
        store(_e39, i_4 + 2u, j_4, _e811, p, out, _buffer_sizes);
        metal::float4 _e819 = c2h;
        store(_e39, i_4 + 2u, j_4 + 64u, _e819, p, out, _buffer_sizes);
        metal::float4 _e822 = c3l;
        store(_e39, i_4 + 3u, j_4, _e822, p, out, _buffer_sizes);
        metal::float4 _e830 = c3h;
        store(_e39, i_4 + 3u, j_4 + 64u, _e830, p, out, _buffer_sizes);
        metal::float4 _e836 = c4l;
        store(_e39, i_4 + 64u, j_4, _e836, p, out, _buffer_sizes);
        metal::float4 _e847 = c4h;
        store(_e39, i_4 + 64u, j_4 + 64u, _e847, p, out, _buffer_sizes);
        metal::float4 _e855 = c5l;
        store(_e39, (i_4 + 64u) + 1u, j_4, _e855, p, out, _buffer_sizes);
        metal::float4 _e868 = c5h;
        store(_e39, (i_4 + 64u) + 1u, j_4 + 64u, _e868, p, out, _buffer_sizes);
        metal::float4 _e876 = c6l;
        store(_e39, (i_4 + 64u) + 2u, j_4, _e876, p, out, _buffer_sizes);
        metal::float4 _e889 = c6h;
        store(_e39, (i_4 + 64u) + 2u, j_4 + 64u, _e889, p, out, _buffer_sizes);
        metal::float4 _e897 = c7l;
        store(_e39, (i_4 + 64u) + 3u, j_4, _e897, p, out, _buffer_sizes);
        metal::float4 _e910 = c7h;
        store(_e39, (i_4 + 64u) + 3u, j_4 + 64u, _e910, p, out, _buffer_sizes);
        return;
    } else {
        if (false) {
            uint _e918 = p.m;
            uint _e922 = p.n;
            uint part = (group.z * _e918) * _e922;
            metal::float4 _e924 = c0l;
            store_partial(part, i_4, j_4, _e924, p, partial, _buffer_sizes);
            metal::float4 _e930 = c0h;
            store_partial(part, i_4, j_4 + 64u, _e930, p, partial, _buffer_sizes);
            metal::float4 _e933 = c1l;
            store_partial(part, i_4 + 1u, j_4, _e933, p, partial, _buffer_sizes);
            metal::float4 _e941 = c1h;
            store_partial(part, i_4 + 1u, j_4 + 64u, _e941, p, partial, _buffer_sizes);
            metal::float4 _e944 = c2l;
            store_partial(part, i_4 + 2u, j_4, _e944, p, partial, _buffer_sizes);
            metal::float4 _e952 = c2h;
            store_partial(part, i_4 + 2u, j_4 + 64u, _e952, p, partial, _buffer_sizes);
            metal::float4 _e955 = c3l;
            store_partial(part, i_4 + 3u, j_4, _e955, p, partial, _buffer_sizes);
            metal::float4 _e963 = c3h;
            store_partial(part, i_4 + 3u, j_4 + 64u, _e963, p, partial, _buffer_sizes);
            metal::float4 _e969 = c4l;
            store_partial(part, i_4 + 64u, j_4, _e969, p, partial, _buffer_sizes);
            metal::float4 _e980 = c4h;
            store_partial(part, i_4 + 64u, j_4 + 64u, _e980, p, partial, _buffer_sizes);
            metal::float4 _e988 = c5l;
            store_partial(part, (i_4 + 64u) + 1u, j_4, _e988, p, partial, _buffer_sizes);
            metal::float4 _e1001 = c5h;
            store_partial(part, (i_4 + 64u) + 1u, j_4 + 64u, _e1001, p, partial, _buffer_sizes);
            metal::float4 _e1009 = c6l;
            store_partial(part, (i_4 + 64u) + 2u, j_4, _e1009, p, partial, _buffer_sizes);
            metal::float4 _e1022 = c6h;
            store_partial(part, (i_4 + 64u) + 2u, j_4 + 64u, _e1022, p, partial, _buffer_sizes);
            metal::float4 _e1030 = c7l;
            store_partial(part, (i_4 + 64u) + 3u, j_4, _e1030, p, partial, _buffer_sizes);
            metal::float4 _e1043 = c7h;
            store_partial(part, (i_4 + 64u) + 3u, j_4 + 64u, _e1043, p, partial, _buffer_sizes);
            return;
        } else {
            metal::float4 _e1044 = c0l;
            metal::float4 _e1045 = c0h;
            metal::float4 _e1046 = c1l;
            metal::float4 _e1047 = c1h;
            metal::float4 _e1048 = c2l;
            metal::float4 _e1049 = c2h;
            metal::float4 _e1050 = c3l;
            metal::float4 _e1051 = c3h;
            metal::float4 _e1052 = c4l;
            metal::float4 _e1053 = c4h;
            metal::float4 _e1054 = c5l;
            metal::float4 _e1055 = c5h;
            metal::float4 _e1056 = c6l;
            metal::float4 _e1057 = c6h;
            metal::float4 _e1058 = c7l;
            metal::float4 _e1059 = c7h;
            sums = type_12 {{_e1044, _e1045, _e1046, _e1047, _e1048, _e1049, _e1050, _e1051, _e1052, _e1053, _e1054, _e1055, _e1056, _e1057, _e1058, _e1059}};
            bool loop_init_2 = true;
            while(true) {
                if (!loop_init_2) {
                    uint _e1093 = s;
                    s = _e1093 + 1u;
                }
                loop_init_2 = false;
                uint _e1064 = s;
                if (_e1064 < 16u) {
                } else {
                    break;
                }
                {
                    uint _e1067 = s;
                    uint _e1072 = s;
                    uint down_1 = naga_mod(naga_div(_e1067, 2u), 4u) + ((naga_div(_e1072, 8u) * 4u) * DOWN);
                    uint _e1081 = s;
                    uint _e1089 = s;
                    metal::float4 _e1091 = sums.inner[_e1089];
                    finish4_(_e39, i_4 + down_1, j_4 + ((naga_mod(_e1081, 2u) * 4u) * ACROSS), _e1091, p, bias, residual, out, _buffer_sizes);
                }
            }
            return;
        }
    }
}
