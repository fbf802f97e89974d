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
typedef metal::float4 type_4[1];
struct type_9 {
    metal::float4 inner[512];
};
struct type_10 {
    metal::float4 inner[512];
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
    metal::float4 inner[32];
};
constant uint HAS_BIAS = 256u;
constant uint HAS_RESIDUAL = 512u;
constant uint ROWS = 16u;
constant uint COLUMNS = 8u;
constant bool A_ALONG_K = true;
constant bool B_ALONG_K = false;
constant uint BAND = 8u;
constant uint MODE = 0u;
constant uint T = 128u;
constant uint TK = 8u;
constant bool FUSED = false;
constant uint LANES = 8u;
constant uint DOWN = 8u;
constant uint ACROSS = 16u;
constant uint THREADS = 128u;
constant uint WIDTH = 32u;
constant uint TILE = 256u;

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
    float x,
    float v
) {
    return x / (1.0 + metal::exp(metal::min(-(v), 80.0)));
}

float activate(
    uint kind,
    float x_1
) {
    switch(kind) {
        case 1u: {
            return (x_1 < 0.0) ? 0.0 : x_1;
        }
        case 2u: {
            float _e9 = erfc_positive(metal::abs(x_1) * 0.70710677);
            return (0.5 * x_1) * ((x_1 > 0.0) ? (2.0 - _e9) : _e9);
        }
        case 3u: {
            float _e25 = times_sigmoid(x_1, 1.5957692 * (x_1 + (((0.044715 * x_1) * x_1) * x_1)));
            return _e25;
        }
        case 4u: {
            float _e26 = times_sigmoid(x_1, x_1);
            return _e26;
        }
        default: {
            return x_1;
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
    float x_2 = {};
    x_2 = sum;
    uint _e7 = p.flags;
    if ((_e7 & HAS_BIAS) != 0u) {
        float _e12 = x_2;
        uint _e16 = p.first_bias;
        uint _e19 = p.bias_m;
        uint _e24 = p.bias_n;
        Element _e28 = bias[(_e16 + (i * _e19)) + (j * _e24)];
        x_2 = _e12 + static_cast<float>(_e28);
    }
    uint _e33 = p.flags;
    if ((_e33 & HAS_RESIDUAL) != 0u) {
        float _e38 = x_2;
        uint _e43 = p.residual_m;
        uint _e48 = p.residual_n;
        Element _e52 = residual[(origin.residual + (i * _e43)) + (j * _e48)];
        x_2 = _e38 + static_cast<float>(_e52);
    }
    uint _e57 = p.flags;
    float _e60 = x_2;
    float _e61 = activate(_e57 & 255u, _e60);
    return _e61;
}

metal::uint4 block_offsets(
    bool along_k,
    uint first,
    uint row,
    uint rows,
    uint row_stride,
    uint k_1,
    uint k_stride
) {
    if (along_k) {
        metal::uint4 r = metal::min(metal::uint4(row) + metal::uint4(0u, 1u, 2u, 3u), metal::uint4(rows - 1u));
        return (metal::uint4(first) + (r * row_stride)) + metal::uint4(k_1);
    }
    uint r_1 = metal::min(row, rows - 4u);
    return metal::uint4(first + r_1) + ((metal::uint4(k_1) + metal::uint4(0u, 1u, 2u, 3u)) * k_stride);
}

metal::float4 vector_a(
    uint at,
    device type_4 const& a,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 _e5 = a[at >> 2u];
    return static_cast<metal::float4>(_e5);
}

metal::float4 vector_b(
    uint at_1,
    device type_4 const& b,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 _e5 = b[at_1 >> 2u];
    return static_cast<metal::float4>(_e5);
}

metal::float4x4 dense_a(
    metal::uint4 at_2,
    uint left,
    device type_4 const& a,
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
    device type_4 const& b,
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
    device type_4 const& a,
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
    device type_4 const& b,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4x4 _e2 = dense_b(at_5, left_3, b, _buffer_sizes);
    if (B_ALONG_K) {
        return metal::transpose(_e2);
    }
    return _e2;
}

void store(
    Origin origin_1,
    uint i_1,
    uint j_1,
    metal::float4 x_3,
    constant Params& p,
    device type_4& out,
    constant _mslBufferSizes& _buffer_sizes
) {
    bool local = {};
    uint _e6 = p.m;
    if (i_1 < _e6) {
        uint _e12 = p.n;
        local = j_1 < _e12;
    } else {
        local = false;
    }
    bool _e15 = local;
    if (_e15) {
        uint _e20 = p.n;
        out[((origin_1.out + (i_1 * _e20)) + j_1) >> 2u] = static_cast<metal::float4>(x_3);
        return;
    } else {
        return;
    }
}

void store_partial(
    uint first_1,
    uint i_2,
    uint j_2,
    metal::float4 x_4,
    constant Params& p,
    device type_4& partial,
    constant _mslBufferSizes& _buffer_sizes
) {
    bool local_1 = {};
    uint _e6 = p.m;
    if (i_2 < _e6) {
        uint _e12 = p.n;
        local_1 = j_2 < _e12;
    } else {
        local_1 = false;
    }
    bool _e15 = local_1;
    if (_e15) {
        uint _e19 = p.n;
        partial[((first_1 + (i_2 * _e19)) + j_2) >> 2u] = x_4;
        return;
    } else {
        return;
    }
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
    metal::float4 x_5,
    constant Params& p,
    device type_1 const& bias,
    device type_1 const& residual,
    device type_4& out,
    constant _mslBufferSizes& _buffer_sizes
) {
    bool local_2 = {};
    uint _e6 = p.m;
    if (i_3 < _e6) {
        uint _e12 = p.n;
        local_2 = j_3 < _e12;
    } else {
        local_2 = false;
    }
    bool _e15 = local_2;
    if (_e15) {
        uint _e18 = p.n;
        uint last = _e18 - 1u;
        float _e22 = finish(x_5.x, origin_2, i_3, j_3, p, bias, residual, _buffer_sizes);
        float _e27 = finish(x_5.y, origin_2, i_3, metal::min(j_3 + 1u, last), p, bias, residual, _buffer_sizes);
        float _e32 = finish(x_5.z, origin_2, i_3, metal::min(j_3 + 2u, last), p, bias, residual, _buffer_sizes);
        float _e37 = finish(x_5.w, origin_2, i_3, metal::min(j_3 + 3u, last), p, bias, residual, _buffer_sizes);
        store(origin_2, i_3, j_3, metal::float4(_e22, _e27, _e32, _e37), p, out, _buffer_sizes);
        return;
    } else {
        return;
    }
}

metal::float4 add_product(
    float x_6,
    metal::float4 y,
    metal::float4 sum_1
) {
    if (FUSED) {
        return metal::fma(metal::float4(x_6), y, sum_1);
    }
    return (x_6 * y) + sum_1;
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
    l_1.of_a = lane_1 < 64u;
    uint number_1 = naga_mod(lane_1, 64u);
    bool _e19 = l_1.of_a;
    bool along_k_1 = _e19 ? A_ALONG_K : B_ALONG_K;
    row_1 = naga_mod(number_1, WIDTH);
    l_1.k = naga_div(number_1, WIDTH) * 4u;
    if (along_k_1) {
        row_1 = (naga_div(number_1, 16u) * 8u) + naga_mod(number_1, 8u);
        l_1.k = naga_mod(naga_div(number_1, 8u), 2u) * 4u;
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
    device type_4 const& a,
    device type_4 const& b,
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
[[max_total_threads_per_threadgroup(128)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, constant Params& p [[buffer(6)]]
, device type_1 const& bias [[buffer(0)]]
, device type_1 const& residual [[buffer(1)]]
, device type_4 const& a [[buffer(2)]]
, device type_4 const& b [[buffer(3)]]
, device type_4& out [[buffer(4)]]
, device type_4& partial [[buffer(5)]]
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
    metal::float4 c8l = metal::float4 {};
    metal::float4 c8h = metal::float4 {};
    metal::float4 c9l = metal::float4 {};
    metal::float4 c9h = metal::float4 {};
    metal::float4 cal = metal::float4 {};
    metal::float4 cah = metal::float4 {};
    metal::float4 cbl = metal::float4 {};
    metal::float4 cbh = metal::float4 {};
    metal::float4 ccl = metal::float4 {};
    metal::float4 cch = metal::float4 {};
    metal::float4 cdl = metal::float4 {};
    metal::float4 cdh = metal::float4 {};
    metal::float4 cel = metal::float4 {};
    metal::float4 ceh = metal::float4 {};
    metal::float4 cfl = metal::float4 {};
    metal::float4 cfh = metal::float4 {};
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
    Loader _e119 = l;
    Loader _e121 = l;
    metal::float4x4 _e122 = fetch(_e121, k_first_1, k_end_1, a, b, _buffer_sizes);
    keep(_e119, 0u, _e122, tile_a, tile_b);
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    k = k_first_1;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e307 = k;
            k = _e307 + TK;
        }
        loop_init = false;
        uint _e126 = k;
        if (_e126 < k_end_1) {
        } else {
            break;
        }
        {
            uint _e128 = k;
            uint next = _e128 + TK;
            block = metal::float4x4 {};
            if (next < k_end_1) {
                metal::uint4 _e135 = l.at;
                uint _e137 = l.step;
                l.at = _e135 + metal::uint4(_e137);
                Loader _e140 = l;
                metal::float4x4 _e141 = fetch(_e140, next, k_end_1, a, b, _buffer_sizes);
                block = _e141;
            }
            uint _e142 = buffer;
            uint first_2 = _e142 * TILE;
            step = 0u;
            bool loop_init_1 = true;
            while(true) {
                if (!loop_init_1) {
                    uint _e298 = step;
                    step = _e298 + 1u;
                }
                loop_init_1 = false;
                uint _e147 = step;
                if (_e147 < TK) {
                } else {
                    break;
                }
                {
                    uint _e150 = step;
                    uint row_2 = first_2 + (_e150 * WIDTH);
                    metal::float4 a0_ = tile_a.inner[row_2 + _e54.x];
                    metal::float4 a1_ = tile_a.inner[(row_2 + 8u) + _e54.x];
                    metal::float4 a2_ = tile_a.inner[(row_2 + 16u) + _e54.x];
                    metal::float4 a3_ = tile_a.inner[(row_2 + 24u) + _e54.x];
                    metal::float4 b0_ = tile_b.inner[row_2 + _e54.y];
                    metal::float4 b1_ = tile_b.inner[(row_2 + ACROSS) + _e54.y];
                    metal::float4 _e202 = c0l;
                    metal::float4 _e203 = add_product(a0_.x, b0_, _e202);
                    c0l = _e203;
                    metal::float4 _e205 = c0h;
                    metal::float4 _e206 = add_product(a0_.x, b1_, _e205);
                    c0h = _e206;
                    metal::float4 _e208 = c1l;
                    metal::float4 _e209 = add_product(a0_.y, b0_, _e208);
                    c1l = _e209;
                    metal::float4 _e211 = c1h;
                    metal::float4 _e212 = add_product(a0_.y, b1_, _e211);
                    c1h = _e212;
                    metal::float4 _e214 = c2l;
                    metal::float4 _e215 = add_product(a0_.z, b0_, _e214);
                    c2l = _e215;
                    metal::float4 _e217 = c2h;
                    metal::float4 _e218 = add_product(a0_.z, b1_, _e217);
                    c2h = _e218;
                    metal::float4 _e220 = c3l;
                    metal::float4 _e221 = add_product(a0_.w, b0_, _e220);
                    c3l = _e221;
                    metal::float4 _e223 = c3h;
                    metal::float4 _e224 = add_product(a0_.w, b1_, _e223);
                    c3h = _e224;
                    metal::float4 _e226 = c4l;
                    metal::float4 _e227 = add_product(a1_.x, b0_, _e226);
                    c4l = _e227;
                    metal::float4 _e229 = c4h;
                    metal::float4 _e230 = add_product(a1_.x, b1_, _e229);
                    c4h = _e230;
                    metal::float4 _e232 = c5l;
                    metal::float4 _e233 = add_product(a1_.y, b0_, _e232);
                    c5l = _e233;
                    metal::float4 _e235 = c5h;
                    metal::float4 _e236 = add_product(a1_.y, b1_, _e235);
                    c5h = _e236;
                    metal::float4 _e238 = c6l;
                    metal::float4 _e239 = add_product(a1_.z, b0_, _e238);
                    c6l = _e239;
                    metal::float4 _e241 = c6h;
                    metal::float4 _e242 = add_product(a1_.z, b1_, _e241);
                    c6h = _e242;
                    metal::float4 _e244 = c7l;
                    metal::float4 _e245 = add_product(a1_.w, b0_, _e244);
                    c7l = _e245;
                    metal::float4 _e247 = c7h;
                    metal::float4 _e248 = add_product(a1_.w, b1_, _e247);
                    c7h = _e248;
                    metal::float4 _e250 = c8l;
                    metal::float4 _e251 = add_product(a2_.x, b0_, _e250);
                    c8l = _e251;
                    metal::float4 _e253 = c8h;
                    metal::float4 _e254 = add_product(a2_.x, b1_, _e253);
                    c8h = _e254;
                    metal::float4 _e256 = c9l;
                    metal::float4 _e257 = add_product(a2_.y, b0_, _e256);
                    c9l = _e257;
                    metal::float4 _e259 = c9h;
                    metal::float4 _e260 = add_product(a2_.y, b1_, _e259);
                    c9h = _e260;
                    metal::float4 _e262 = cal;
                    metal::float4 _e263 = add_product(a2_.z, b0_, _e262);
                    cal = _e263;
                    metal::float4 _e265 = cah;
                    metal::float4 _e266 = add_product(a2_.z, b1_, _e265);
                    cah = _e266;
                    metal::float4 _e268 = cbl;
                    metal::float4 _e269 = add_product(a2_.w, b0_, _e268);
                    cbl = _e269;
                    metal::float4 _e271 = cbh;
                    metal::float4 _e272 = add_product(a2_.w, b1_, _e271);
                    cbh = _e272;
                    metal::float4 _e274 = ccl;
                    metal::float4 _e275 = add_product(a3_.x, b0_, _e274);
                    ccl = _e275;
                    metal::float4 _e277 = cch;
                    metal::float4 _e278 = add_product(a3_.x, b1_, _e277);
                    cch = _e278;
                    metal::float4 _e280 = cdl;
                    metal::float4 _e281 = add_product(a3_.y, b0_, _e280);
                    cdl = _e281;
                    metal::float4 _e283 = cdh;
                    metal::float4 _e284 = add_product(a3_.y, b1_, _e283);
                    cdh = _e284;
                    metal::float4 _e286 = cel;
                    metal::float4 _e287 = add_product(a3_.z, b0_, _e286);
                    cel = _e287;
                    metal::float4 _e289 = ceh;
                    metal::float4 _e290 = add_product(a3_.z, b1_, _e289);
                    ceh = _e290;
                    metal::float4 _e292 = cfl;
                    metal::float4 _e293 = add_product(a3_.w, b0_, _e292);
                    cfl = _e293;
                    metal::float4 _e295 = cfh;
                    metal::float4 _e296 = add_product(a3_.w, b1_, _e295);
                    cfh = _e296;
                }
            }
            if (next < k_end_1) {
                uint _e302 = buffer;
                buffer = 1u - _e302;
                Loader _e304 = l;
                uint _e305 = buffer;
                metal::float4x4 _e306 = block;
                keep(_e304, _e305, _e306, tile_a, tile_b);
            }
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        }
    }
    uint i_4 = _e28.x + (4u * _e54.x);
    uint j_4 = _e28.y + (4u * _e54.y);
    if (true) {
        metal::float4 _e324 = c0l;
        store(_e39, i_4, j_4, _e324, p, out, _buffer_sizes);
        metal::float4 _e330 = c0h;
        store(_e39, i_4, j_4 + 64u, _e330, p, out, _buffer_sizes);
        metal::float4 _e333 = c1l;
        store(_e39, i_4 + 1u, j_4, _e333, p, out, _buffer_sizes);
        metal::float4 _e341 = c1h;
        store(_e39, i_4 + 1u, j_4 + 64u, _e341, p, out, _buffer_sizes);
        metal::float4 _e344 = c2l;
        store(_e39, i_4 + 2u, j_4, _e344, p, out, _buffer_sizes);
        metal::float4 _e352 = c2h;
        store(_e39, i_4 + 2u, j_4 + 64u, _e352, p, out, _buffer_sizes);
        metal::float4 _e355 = c3l;
        store(_e39, i_4 + 3u, j_4, _e355, p, out, _buffer_sizes);
        metal::float4 _e363 = c3h;
        store(_e39, i_4 + 3u, j_4 + 64u, _e363, p, out, _buffer_sizes);
        metal::float4 _e369 = c4l;
        store(_e39, i_4 + 32u, j_4, _e369, p, out, _buffer_sizes);
        metal::float4 _e380 = c4h;
        store(_e39, i_4 + 32u, j_4 + 64u, _e380, p, out, _buffer_sizes);
        metal::float4 _e388 = c5l;
        store(_e39, (i_4 + 32u) + 1u, j_4, _e388, p, out, _buffer_sizes);
        metal::float4 _e401 = c5h;
        store(_e39, (i_4 + 32u) + 1u, j_4 + 64u, _e401, p, out, _buffer_sizes);
        metal::float4 _e409 = c6l;
        store(_e39, (i_4 + 32u) + 2u, j_4, _e409, p, out, _buffer_sizes);
        metal::float4 _e422 = c6h;
        store(_e39, (i_4 + 32u) + 2u, j_4 + 64u, _e422, p, out, _buffer_sizes);
        metal::float4 _e430 = c7l;
        store(_e39, (i_4 + 32u) + 3u, j_4, _e430, p, out, _buffer_sizes);
        metal::float4 _e443 = c7h;
        store(_e39, (i_4 + 32u) + 3u, j_4 + 64u, _e443, p, out, _buffer_sizes);
        metal::float4 _e449 = c8l;
        store(_e39, i_4 + 64u, j_4, _e449, p, out, _buffer_sizes);
        metal::float4 _e460 = c8h;
        store(_e39, i_4 + 64u, j_4 + 64u, _e460, p, out, _buffer_sizes);
        metal::float4 _e468 = c9l;
        store(_e39, (i_4 + 64u) + 1u, j_4, _e468, p, out, _buffer_sizes);
        metal::float4 _e481 = c9h;
        store(_e39, (i_4 + 64u) + 1u, j_4 + 64u, _e481, p, out, _buffer_sizes);
        metal::float4 _e489 = cal;
        store(_e39, (i_4 + 64u) + 2u, j_4, _e489, p, out, _buffer_sizes);
        metal::float4 _e502 = cah;
        store(_e39, (i_4 + 64u) + 2u, j_4 + 64u, _e502, p, out, _buffer_sizes);
        metal::float4 _e510 = cbl;
        store(_e39, (i_4 + 64u) + 3u, j_4, _e510, p, out, _buffer_sizes);
        metal::float4 _e523 = cbh;
        store(_e39, (i_4 + 64u) + 3u, j_4 + 64u, _e523, p, out, _buffer_sizes);
        metal::float4 _e529 = ccl;
        store(_e39, i_4 + 96u, j_4, _e529, p, out, _buffer_sizes);
        metal::float4 _e540 = cch;
        store(_e39, i_4 + 96u, j_4 + 64u, _e540, p, out, _buffer_sizes);
        metal::float4 _e548 = cdl;
        store(_e39, (i_4 + 96u) + 1u, j_4, _e548, p, out, _buffer_sizes);
        metal::float4 _e561 = cdh;
        store(_e39, (i_4 + 96u) + 1u, j_4 + 64u, _e561, p, out, _buffer_sizes);
        metal::float4 _e569 = cel;
        store(_e39, (i_4 + 96u) + 2u, j_4, _e569, p, out, _buffer_sizes);
        metal::float4 _e582 = ceh;
        store(_e39, (i_4 + 96u) + 2u, j_4 + 64u, _e582, p, out, _buffer_sizes);
        metal::float4 _e590 = cfl;
        store(_e39, (i_4 + 96u) + 3u, j_4, _e590, p, out, _buffer_sizes);
        metal::float4 _e603 = cfh;
        store(_e39, (i_4 + 96u) + 3u, j_4 + 64u, _e603, p, out, _buffer_sizes);
        return;
    } else {
        if (false) {
            uint _e611 = p.m;
            uint _e615 = p.n;
            uint part = (group.z * _e611) * _e615;
            metal::float4 _e617 = c0l;
            store_partial(part, i_4, j_4, _e617, p, partial, _buffer_sizes);
            metal::float4 _e623 = c0h;
            store_partial(part, i_4, j_4 + 64u, _e623, p, partial, _buffer_sizes);
            metal::float4 _e626 = c1l;
            store_partial(part, i_4 + 1u, j_4, _e626, p, partial, _buffer_sizes);
            metal::float4 _e634 = c1h;
            store_partial(part, i_4 + 1u, j_4 + 64u, _e634, p, partial, _buffer_sizes);
            metal::float4 _e637 = c2l;
            store_partial(part, i_4 + 2u, j_4, _e637, p, partial, _buffer_sizes);
            metal::float4 _e645 = c2h;
            store_partial(part, i_4 + 2u, j_4 + 64u, _e645, p, partial, _buffer_sizes);
            metal::float4 _e648 = c3l;
            store_partial(part, i_4 + 3u, j_4, _e648, p, partial, _buffer_sizes);
            metal::float4 _e656 = c3h;
            store_partial(part, i_4 + 3u, j_4 + 64u, _e656, p, partial, _buffer_sizes);
            metal::float4 _e662 = c4l;
            store_partial(part, i_4 + 32u, j_4, _e662, p, partial, _buffer_sizes);
            metal::float4 _e673 = c4h;
            store_partial(part, i_4 + 32u, j_4 + 64u, _e673, p, partial, _buffer_sizes);
            metal::float4 _e681 = c5l;
            store_partial(part, (i_4 + 32u) + 1u, j_4, _e681, p, partial, _buffer_sizes);
            metal::float4 _e694 = c5h;
            store_partial(part, (i_4 + 32u) + 1u, j_4 + 64u, _e694, p, partial, _buffer_sizes);
            metal::float4 _e702 = c6l;
            store_partial(part, (i_4 + 32u) + 2u, j_4, _e702, p, partial, _buffer_sizes);
            metal::float4 _e715 = c6h;
            store_partial(part, (i_4 + 32u) + 2u, j_4 + 64u, _e715, p, partial, _buffer_sizes);
            metal::float4 _e723 = c7l;
            store_partial(part, (i_4 + 32u) + 3u, j_4, _e723, p, partial, _buffer_sizes);
            metal::float4 _e736 = c7h;
            store_partial(part, (i_4 + 32u) + 3u, j_4 + 64u, _e736, p, partial, _buffer_sizes);
            metal::float4 _e742 = c8l;
            store_partial(part, i_4 + 64u, j_4, _e742, p, partial, _buffer_sizes);
            metal::float4 _e753 = c8h;
            store_partial(part, i_4 + 64u, j_4 + 64u, _e753, p, partial, _buffer_sizes);
            metal::float4 _e761 = c9l;
            store_partial(part, (i_4 + 64u) + 1u, j_4, _e761, p, partial, _buffer_sizes);
            metal::float4 _e774 = c9h;
            store_partial(part, (i_4 + 64u) + 1u, j_4 + 64u, _e774, p, partial, _buffer_sizes);
            metal::float4 _e782 = cal;
            store_partial(part, (i_4 + 64u) + 2u, j_4, _e782, p, partial, _buffer_sizes);
            metal::float4 _e795 = cah;
            store_partial(part, (i_4 + 64u) + 2u, j_4 + 64u, _e795, p, partial, _buffer_sizes);
            metal::float4 _e803 = cbl;
            store_partial(part, (i_4 + 64u) + 3u, j_4, _e803, p, partial, _buffer_sizes);
            metal::float4 _e816 = cbh;
            store_partial(part, (i_4 + 64u) + 3u, j_4 + 64u, _e816, p, partial, _buffer_sizes);
            metal::float4 _e822 = ccl;
            store_partial(part, i_4 + 96u, j_4, _e822, p, partial, _buffer_sizes);
            metal::float4 _e833 = cch;
            store_partial(part, i_4 + 96u, j_4 + 64u, _e833, p, partial, _buffer_sizes);
            metal::float4 _e841 = cdl;
            store_partial(part, (i_4 + 96u) + 1u, j_4, _e841, p, partial, _buffer_sizes);
            metal::float4 _e854 = cdh;
            store_partial(part, (i_4 + 96u) + 1u, j_4 + 64u, _e854, p, partial, _buffer_sizes);
            metal::float4 _e862 = cel;
            store_partial(part, (i_4 + 96u) + 2u, j_4, _e862, p, partial, _buffer_sizes);
            metal::float4 _e875 = ceh;
            store_partial(part, (i_4 + 96u) + 2u, j_4 + 64u, _e875, p, partial, _buffer_sizes);
            metal::float4 _e883 = cfl;
            store_partial(part, (i_4 + 96u) + 3u, j_4, _e883, p, partial, _buffer_sizes);
            metal::float4 _e896 = cfh;
            store_partial(part, (i_4 + 96u) + 3u, j_4 + 64u, _e896, p, partial, _buffer_sizes);
            return;
        } else {
            metal::float4 _e897 = c0l;
            metal::float4 _e898 = c0h;
            metal::float4 _e899 = c1l;
            metal::float4 _e900 = c1h;
            metal::float4 _e901 = c2l;
            metal::float4 _e902 = c2h;
            metal::float4 _e903 = c3l;
            metal::float4 _e904 = c3h;
            metal::float4 _e905 = c4l;
            metal::float4 _e906 = c4h;
            metal::float4 _e907 = c5l;
            metal::float4 _e908 = c5h;
            metal::float4 _e909 = c6l;
            metal::float4 _e910 = c6h;
            metal::float4 _e911 = c7l;
            metal::float4 _e912 = c7h;
            metal::float4 _e913 = c8l;
            metal::float4 _e914 = c8h;
            metal::float4 _e915 = c9l;
            metal::float4 _e916 = c9h;
            metal::float4 _e917 = cal;
            metal::float4 _e918 = cah;
            metal::float4 _e919 = cbl;
            metal::float4 _e920 = cbh;
            metal::float4 _e921 = ccl;
            metal::float4 _e922 = cch;
            metal::float4 _e923 = cdl;
            metal::float4 _e924 = cdh;
            metal::float4 _e925 = cel;
            metal::float4 _e926 = ceh;
            metal::float4 _e927 = cfl;
            metal::float4 _e928 = cfh;
            sums = type_12 {{_e897, _e898, _e899, _e900, _e901, _e902, _e903, _e904, _e905, _e906, _e907, _e908, _e909, _e910, _e911, _e912, _e913, _e914, _e915, _e916, _e917, _e918, _e919, _e920, _e921, _e922, _e923, _e924, _e925, _e926, _e927, _e928}};
            bool loop_init_2 = true;
            while(true) {
                if (!loop_init_2) {
                    uint _e962 = s;
                    s = _e962 + 1u;
                }
                loop_init_2 = false;
                uint _e933 = s;
                if (_e933 < 32u) {
                } else {
                    break;
                }
                {
                    uint _e936 = s;
                    uint _e941 = s;
                    uint down_1 = naga_mod(naga_div(_e936, 2u), 4u) + ((naga_div(_e941, 8u) * 4u) * DOWN);
                    uint _e950 = s;
                    uint _e958 = s;
                    metal::float4 _e960 = sums.inner[_e958];
                    finish4_(_e39, i_4 + down_1, j_4 + ((naga_mod(_e950, 2u) * 4u) * ACROSS), _e960, p, bias, residual, out, _buffer_sizes);
                }
            }
            return;
        }
    }
}
