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
[[max_total_threads_per_threadgroup(128)]] kernel void main_(
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
            uint _e1350 = k;
            k = _e1350 + TK;
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
                    uint _e1340 = step;
                    step = _e1340 + 8u;
                }
                loop_init_1 = false;
                uint _e147 = step;
                if (_e147 < TK) {
                } else {
                    break;
                }
                {
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
                    {
                        uint _e297 = step;
                        uint row_3 = first_2 + ((_e297 + 1u) * WIDTH);
                        metal::float4 a0_1 = tile_a.inner[row_3 + _e54.x];
                        metal::float4 a1_1 = tile_a.inner[(row_3 + 8u) + _e54.x];
                        metal::float4 a2_1 = tile_a.inner[(row_3 + 16u) + _e54.x];
                        metal::float4 a3_1 = tile_a.inner[(row_3 + 24u) + _e54.x];
                        metal::float4 b0_1 = tile_b.inner[row_3 + _e54.y];
                        metal::float4 b1_1 = tile_b.inner[(row_3 + ACROSS) + _e54.y];
                        metal::float4 _e351 = c0l;
                        metal::float4 _e352 = add_product(a0_1.x, b0_1, _e351);
                        c0l = _e352;
                        metal::float4 _e354 = c0h;
                        metal::float4 _e355 = add_product(a0_1.x, b1_1, _e354);
                        c0h = _e355;
                        metal::float4 _e357 = c1l;
                        metal::float4 _e358 = add_product(a0_1.y, b0_1, _e357);
                        c1l = _e358;
                        metal::float4 _e360 = c1h;
                        metal::float4 _e361 = add_product(a0_1.y, b1_1, _e360);
                        c1h = _e361;
                        metal::float4 _e363 = c2l;
                        metal::float4 _e364 = add_product(a0_1.z, b0_1, _e363);
                        c2l = _e364;
                        metal::float4 _e366 = c2h;
                        metal::float4 _e367 = add_product(a0_1.z, b1_1, _e366);
                        c2h = _e367;
                        metal::float4 _e369 = c3l;
                        metal::float4 _e370 = add_product(a0_1.w, b0_1, _e369);
                        c3l = _e370;
                        metal::float4 _e372 = c3h;
                        metal::float4 _e373 = add_product(a0_1.w, b1_1, _e372);
                        c3h = _e373;
                        metal::float4 _e375 = c4l;
                        metal::float4 _e376 = add_product(a1_1.x, b0_1, _e375);
                        c4l = _e376;
                        metal::float4 _e378 = c4h;
                        metal::float4 _e379 = add_product(a1_1.x, b1_1, _e378);
                        c4h = _e379;
                        metal::float4 _e381 = c5l;
                        metal::float4 _e382 = add_product(a1_1.y, b0_1, _e381);
                        c5l = _e382;
                        metal::float4 _e384 = c5h;
                        metal::float4 _e385 = add_product(a1_1.y, b1_1, _e384);
                        c5h = _e385;
                        metal::float4 _e387 = c6l;
                        metal::float4 _e388 = add_product(a1_1.z, b0_1, _e387);
                        c6l = _e388;
                        metal::float4 _e390 = c6h;
                        metal::float4 _e391 = add_product(a1_1.z, b1_1, _e390);
                        c6h = _e391;
                        metal::float4 _e393 = c7l;
                        metal::float4 _e394 = add_product(a1_1.w, b0_1, _e393);
                        c7l = _e394;
                        metal::float4 _e396 = c7h;
                        metal::float4 _e397 = add_product(a1_1.w, b1_1, _e396);
                        c7h = _e397;
                        metal::float4 _e399 = c8l;
                        metal::float4 _e400 = add_product(a2_1.x, b0_1, _e399);
                        c8l = _e400;
                        metal::float4 _e402 = c8h;
                        metal::float4 _e403 = add_product(a2_1.x, b1_1, _e402);
                        c8h = _e403;
                        metal::float4 _e405 = c9l;
                        metal::float4 _e406 = add_product(a2_1.y, b0_1, _e405);
                        c9l = _e406;
                        metal::float4 _e408 = c9h;
                        metal::float4 _e409 = add_product(a2_1.y, b1_1, _e408);
                        c9h = _e409;
                        metal::float4 _e411 = cal;
                        metal::float4 _e412 = add_product(a2_1.z, b0_1, _e411);
                        cal = _e412;
                        metal::float4 _e414 = cah;
                        metal::float4 _e415 = add_product(a2_1.z, b1_1, _e414);
                        cah = _e415;
                        metal::float4 _e417 = cbl;
                        metal::float4 _e418 = add_product(a2_1.w, b0_1, _e417);
                        cbl = _e418;
                        metal::float4 _e420 = cbh;
                        metal::float4 _e421 = add_product(a2_1.w, b1_1, _e420);
                        cbh = _e421;
                        metal::float4 _e423 = ccl;
                        metal::float4 _e424 = add_product(a3_1.x, b0_1, _e423);
                        ccl = _e424;
                        metal::float4 _e426 = cch;
                        metal::float4 _e427 = add_product(a3_1.x, b1_1, _e426);
                        cch = _e427;
                        metal::float4 _e429 = cdl;
                        metal::float4 _e430 = add_product(a3_1.y, b0_1, _e429);
                        cdl = _e430;
                        metal::float4 _e432 = cdh;
                        metal::float4 _e433 = add_product(a3_1.y, b1_1, _e432);
                        cdh = _e433;
                        metal::float4 _e435 = cel;
                        metal::float4 _e436 = add_product(a3_1.z, b0_1, _e435);
                        cel = _e436;
                        metal::float4 _e438 = ceh;
                        metal::float4 _e439 = add_product(a3_1.z, b1_1, _e438);
                        ceh = _e439;
                        metal::float4 _e441 = cfl;
                        metal::float4 _e442 = add_product(a3_1.w, b0_1, _e441);
                        cfl = _e442;
                        metal::float4 _e444 = cfh;
                        metal::float4 _e445 = add_product(a3_1.w, b1_1, _e444);
                        cfh = _e445;
                    }
                    {
                        uint _e446 = step;
                        uint row_4 = first_2 + ((_e446 + 2u) * WIDTH);
                        metal::float4 a0_2 = tile_a.inner[row_4 + _e54.x];
                        metal::float4 a1_2 = tile_a.inner[(row_4 + 8u) + _e54.x];
                        metal::float4 a2_2 = tile_a.inner[(row_4 + 16u) + _e54.x];
                        metal::float4 a3_2 = tile_a.inner[(row_4 + 24u) + _e54.x];
                        metal::float4 b0_2 = tile_b.inner[row_4 + _e54.y];
                        metal::float4 b1_2 = tile_b.inner[(row_4 + ACROSS) + _e54.y];
                        metal::float4 _e500 = c0l;
                        metal::float4 _e501 = add_product(a0_2.x, b0_2, _e500);
                        c0l = _e501;
                        metal::float4 _e503 = c0h;
                        metal::float4 _e504 = add_product(a0_2.x, b1_2, _e503);
                        c0h = _e504;
                        metal::float4 _e506 = c1l;
                        metal::float4 _e507 = add_product(a0_2.y, b0_2, _e506);
                        c1l = _e507;
                        metal::float4 _e509 = c1h;
                        metal::float4 _e510 = add_product(a0_2.y, b1_2, _e509);
                        c1h = _e510;
                        metal::float4 _e512 = c2l;
                        metal::float4 _e513 = add_product(a0_2.z, b0_2, _e512);
                        c2l = _e513;
                        metal::float4 _e515 = c2h;
                        metal::float4 _e516 = add_product(a0_2.z, b1_2, _e515);
                        c2h = _e516;
                        metal::float4 _e518 = c3l;
                        metal::float4 _e519 = add_product(a0_2.w, b0_2, _e518);
                        c3l = _e519;
                        metal::float4 _e521 = c3h;
                        metal::float4 _e522 = add_product(a0_2.w, b1_2, _e521);
                        c3h = _e522;
                        metal::float4 _e524 = c4l;
                        metal::float4 _e525 = add_product(a1_2.x, b0_2, _e524);
                        c4l = _e525;
                        metal::float4 _e527 = c4h;
                        metal::float4 _e528 = add_product(a1_2.x, b1_2, _e527);
                        c4h = _e528;
                        metal::float4 _e530 = c5l;
                        metal::float4 _e531 = add_product(a1_2.y, b0_2, _e530);
                        c5l = _e531;
                        metal::float4 _e533 = c5h;
                        metal::float4 _e534 = add_product(a1_2.y, b1_2, _e533);
                        c5h = _e534;
                        metal::float4 _e536 = c6l;
                        metal::float4 _e537 = add_product(a1_2.z, b0_2, _e536);
                        c6l = _e537;
                        metal::float4 _e539 = c6h;
                        metal::float4 _e540 = add_product(a1_2.z, b1_2, _e539);
                        c6h = _e540;
                        metal::float4 _e542 = c7l;
                        metal::float4 _e543 = add_product(a1_2.w, b0_2, _e542);
                        c7l = _e543;
                        metal::float4 _e545 = c7h;
                        metal::float4 _e546 = add_product(a1_2.w, b1_2, _e545);
                        c7h = _e546;
                        metal::float4 _e548 = c8l;
                        metal::float4 _e549 = add_product(a2_2.x, b0_2, _e548);
                        c8l = _e549;
                        metal::float4 _e551 = c8h;
                        metal::float4 _e552 = add_product(a2_2.x, b1_2, _e551);
                        c8h = _e552;
                        metal::float4 _e554 = c9l;
                        metal::float4 _e555 = add_product(a2_2.y, b0_2, _e554);
                        c9l = _e555;
                        metal::float4 _e557 = c9h;
                        metal::float4 _e558 = add_product(a2_2.y, b1_2, _e557);
                        c9h = _e558;
                        metal::float4 _e560 = cal;
                        metal::float4 _e561 = add_product(a2_2.z, b0_2, _e560);
                        cal = _e561;
                        metal::float4 _e563 = cah;
                        metal::float4 _e564 = add_product(a2_2.z, b1_2, _e563);
                        cah = _e564;
                        metal::float4 _e566 = cbl;
                        metal::float4 _e567 = add_product(a2_2.w, b0_2, _e566);
                        cbl = _e567;
                        metal::float4 _e569 = cbh;
                        metal::float4 _e570 = add_product(a2_2.w, b1_2, _e569);
                        cbh = _e570;
                        metal::float4 _e572 = ccl;
                        metal::float4 _e573 = add_product(a3_2.x, b0_2, _e572);
                        ccl = _e573;
                        metal::float4 _e575 = cch;
                        metal::float4 _e576 = add_product(a3_2.x, b1_2, _e575);
                        cch = _e576;
                        metal::float4 _e578 = cdl;
                        metal::float4 _e579 = add_product(a3_2.y, b0_2, _e578);
                        cdl = _e579;
                        metal::float4 _e581 = cdh;
                        metal::float4 _e582 = add_product(a3_2.y, b1_2, _e581);
                        cdh = _e582;
                        metal::float4 _e584 = cel;
                        metal::float4 _e585 = add_product(a3_2.z, b0_2, _e584);
                        cel = _e585;
                        metal::float4 _e587 = ceh;
                        metal::float4 _e588 = add_product(a3_2.z, b1_2, _e587);
                        ceh = _e588;
                        metal::float4 _e590 = cfl;
                        metal::float4 _e591 = add_product(a3_2.w, b0_2, _e590);
                        cfl = _e591;
                        metal::float4 _e593 = cfh;
                        metal::float4 _e594 = add_product(a3_2.w, b1_2, _e593);
                        cfh = _e594;
                    }
                    {
                        uint _e595 = step;
                        uint row_5 = first_2 + ((_e595 + 3u) * WIDTH);
                        metal::float4 a0_3 = tile_a.inner[row_5 + _e54.x];
                        metal::float4 a1_3 = tile_a.inner[(row_5 + 8u) + _e54.x];
                        metal::float4 a2_3 = tile_a.inner[(row_5 + 16u) + _e54.x];
                        metal::float4 a3_3 = tile_a.inner[(row_5 + 24u) + _e54.x];
                        metal::float4 b0_3 = tile_b.inner[row_5 + _e54.y];
                        metal::float4 b1_3 = tile_b.inner[(row_5 + ACROSS) + _e54.y];
                        metal::float4 _e649 = c0l;
                        metal::float4 _e650 = add_product(a0_3.x, b0_3, _e649);
                        c0l = _e650;
                        metal::float4 _e652 = c0h;
                        metal::float4 _e653 = add_product(a0_3.x, b1_3, _e652);
                        c0h = _e653;
                        metal::float4 _e655 = c1l;
                        metal::float4 _e656 = add_product(a0_3.y, b0_3, _e655);
                        c1l = _e656;
                        metal::float4 _e658 = c1h;
                        metal::float4 _e659 = add_product(a0_3.y, b1_3, _e658);
                        c1h = _e659;
                        metal::float4 _e661 = c2l;
                        metal::float4 _e662 = add_product(a0_3.z, b0_3, _e661);
                        c2l = _e662;
                        metal::float4 _e664 = c2h;
                        metal::float4 _e665 = add_product(a0_3.z, b1_3, _e664);
                        c2h = _e665;
                        metal::float4 _e667 = c3l;
                        metal::float4 _e668 = add_product(a0_3.w, b0_3, _e667);
                        c3l = _e668;
                        metal::float4 _e670 = c3h;
                        metal::float4 _e671 = add_product(a0_3.w, b1_3, _e670);
                        c3h = _e671;
                        metal::float4 _e673 = c4l;
                        metal::float4 _e674 = add_product(a1_3.x, b0_3, _e673);
                        c4l = _e674;
                        metal::float4 _e676 = c4h;
                        metal::float4 _e677 = add_product(a1_3.x, b1_3, _e676);
                        c4h = _e677;
                        metal::float4 _e679 = c5l;
                        metal::float4 _e680 = add_product(a1_3.y, b0_3, _e679);
                        c5l = _e680;
                        metal::float4 _e682 = c5h;
                        metal::float4 _e683 = add_product(a1_3.y, b1_3, _e682);
                        c5h = _e683;
                        metal::float4 _e685 = c6l;
                        metal::float4 _e686 = add_product(a1_3.z, b0_3, _e685);
                        c6l = _e686;
                        metal::float4 _e688 = c6h;
                        metal::float4 _e689 = add_product(a1_3.z, b1_3, _e688);
                        c6h = _e689;
                        metal::float4 _e691 = c7l;
                        metal::float4 _e692 = add_product(a1_3.w, b0_3, _e691);
                        c7l = _e692;
                        metal::float4 _e694 = c7h;
                        metal::float4 _e695 = add_product(a1_3.w, b1_3, _e694);
                        c7h = _e695;
                        metal::float4 _e697 = c8l;
                        metal::float4 _e698 = add_product(a2_3.x, b0_3, _e697);
                        c8l = _e698;
                        metal::float4 _e700 = c8h;
                        metal::float4 _e701 = add_product(a2_3.x, b1_3, _e700);
                        c8h = _e701;
                        metal::float4 _e703 = c9l;
                        metal::float4 _e704 = add_product(a2_3.y, b0_3, _e703);
                        c9l = _e704;
                        metal::float4 _e706 = c9h;
                        metal::float4 _e707 = add_product(a2_3.y, b1_3, _e706);
                        c9h = _e707;
                        metal::float4 _e709 = cal;
                        metal::float4 _e710 = add_product(a2_3.z, b0_3, _e709);
                        cal = _e710;
                        metal::float4 _e712 = cah;
                        metal::float4 _e713 = add_product(a2_3.z, b1_3, _e712);
                        cah = _e713;
                        metal::float4 _e715 = cbl;
                        metal::float4 _e716 = add_product(a2_3.w, b0_3, _e715);
                        cbl = _e716;
                        metal::float4 _e718 = cbh;
                        metal::float4 _e719 = add_product(a2_3.w, b1_3, _e718);
                        cbh = _e719;
                        metal::float4 _e721 = ccl;
                        metal::float4 _e722 = add_product(a3_3.x, b0_3, _e721);
                        ccl = _e722;
                        metal::float4 _e724 = cch;
                        metal::float4 _e725 = add_product(a3_3.x, b1_3, _e724);
                        cch = _e725;
                        metal::float4 _e727 = cdl;
                        metal::float4 _e728 = add_product(a3_3.y, b0_3, _e727);
                        cdl = _e728;
                        metal::float4 _e730 = cdh;
                        metal::float4 _e731 = add_product(a3_3.y, b1_3, _e730);
                        cdh = _e731;
                        metal::float4 _e733 = cel;
                        metal::float4 _e734 = add_product(a3_3.z, b0_3, _e733);
                        cel = _e734;
                        metal::float4 _e736 = ceh;
                        metal::float4 _e737 = add_product(a3_3.z, b1_3, _e736);
                        ceh = _e737;
                        metal::float4 _e739 = cfl;
                        metal::float4 _e740 = add_product(a3_3.w, b0_3, _e739);
                        cfl = _e740;
                        metal::float4 _e742 = cfh;
                        metal::float4 _e743 = add_product(a3_3.w, b1_3, _e742);
                        cfh = _e743;
                    }
                    {
                        uint _e744 = step;
                        uint row_6 = first_2 + ((_e744 + 4u) * WIDTH);
                        metal::float4 a0_4 = tile_a.inner[row_6 + _e54.x];
                        metal::float4 a1_4 = tile_a.inner[(row_6 + 8u) + _e54.x];
                        metal::float4 a2_4 = tile_a.inner[(row_6 + 16u) + _e54.x];
                        metal::float4 a3_4 = tile_a.inner[(row_6 + 24u) + _e54.x];
                        metal::float4 b0_4 = tile_b.inner[row_6 + _e54.y];
                        metal::float4 b1_4 = tile_b.inner[(row_6 + ACROSS) + _e54.y];
                        metal::float4 _e798 = c0l;
                        metal::float4 _e799 = add_product(a0_4.x, b0_4, _e798);
                        c0l = _e799;
                        metal::float4 _e801 = c0h;
                        metal::float4 _e802 = add_product(a0_4.x, b1_4, _e801);
                        c0h = _e802;
                        metal::float4 _e804 = c1l;
                        metal::float4 _e805 = add_product(a0_4.y, b0_4, _e804);
                        c1l = _e805;
                        metal::float4 _e807 = c1h;
                        metal::float4 _e808 = add_product(a0_4.y, b1_4, _e807);
                        c1h = _e808;
                        metal::float4 _e810 = c2l;
                        metal::float4 _e811 = add_product(a0_4.z, b0_4, _e810);
                        c2l = _e811;
                        metal::float4 _e813 = c2h;
                        metal::float4 _e814 = add_product(a0_4.z, b1_4, _e813);
                        c2h = _e814;
                        metal::float4 _e816 = c3l;
                        metal::float4 _e817 = add_product(a0_4.w, b0_4, _e816);
                        c3l = _e817;
                        metal::float4 _e819 = c3h;
                        metal::float4 _e820 = add_product(a0_4.w, b1_4, _e819);
                        c3h = _e820;
                        metal::float4 _e822 = c4l;
                        metal::float4 _e823 = add_product(a1_4.x, b0_4, _e822);
                        c4l = _e823;
                        metal::float4 _e825 = c4h;
                        metal::float4 _e826 = add_product(a1_4.x, b1_4, _e825);
                        c4h = _e826;
                        metal::float4 _e828 = c5l;
                        metal::float4 _e829 = add_product(a1_4.y, b0_4, _e828);
                        c5l = _e829;
                        metal::float4 _e831 = c5h;
                        metal::float4 _e832 = add_product(a1_4.y, b1_4, _e831);
                        c5h = _e832;
                        metal::float4 _e834 = c6l;
                        metal::float4 _e835 = add_product(a1_4.z, b0_4, _e834);
                        c6l = _e835;
                        metal::float4 _e837 = c6h;
                        metal::float4 _e838 = add_product(a1_4.z, b1_4, _e837);
                        c6h = _e838;
                        metal::float4 _e840 = c7l;
                        metal::float4 _e841 = add_product(a1_4.w, b0_4, _e840);
                        c7l = _e841;
                        metal::float4 _e843 = c7h;
                        metal::float4 _e844 = add_product(a1_4.w, b1_4, _e843);
                        c7h = _e844;
                        metal::float4 _e846 = c8l;
                        metal::float4 _e847 = add_product(a2_4.x, b0_4, _e846);
                        c8l = _e847;
                        metal::float4 _e849 = c8h;
                        metal::float4 _e850 = add_product(a2_4.x, b1_4, _e849);
                        c8h = _e850;
                        metal::float4 _e852 = c9l;
                        metal::float4 _e853 = add_product(a2_4.y, b0_4, _e852);
                        c9l = _e853;
                        metal::float4 _e855 = c9h;
                        metal::float4 _e856 = add_product(a2_4.y, b1_4, _e855);
                        c9h = _e856;
                        metal::float4 _e858 = cal;
                        metal::float4 _e859 = add_product(a2_4.z, b0_4, _e858);
                        cal = _e859;
                        metal::float4 _e861 = cah;
                        metal::float4 _e862 = add_product(a2_4.z, b1_4, _e861);
                        cah = _e862;
                        metal::float4 _e864 = cbl;
                        metal::float4 _e865 = add_product(a2_4.w, b0_4, _e864);
                        cbl = _e865;
                        metal::float4 _e867 = cbh;
                        metal::float4 _e868 = add_product(a2_4.w, b1_4, _e867);
                        cbh = _e868;
                        metal::float4 _e870 = ccl;
                        metal::float4 _e871 = add_product(a3_4.x, b0_4, _e870);
                        ccl = _e871;
                        metal::float4 _e873 = cch;
                        metal::float4 _e874 = add_product(a3_4.x, b1_4, _e873);
                        cch = _e874;
                        metal::float4 _e876 = cdl;
                        metal::float4 _e877 = add_product(a3_4.y, b0_4, _e876);
                        cdl = _e877;
                        metal::float4 _e879 = cdh;
                        metal::float4 _e880 = add_product(a3_4.y, b1_4, _e879);
                        cdh = _e880;
                        metal::float4 _e882 = cel;
                        metal::float4 _e883 = add_product(a3_4.z, b0_4, _e882);
                        cel = _e883;
                        metal::float4 _e885 = ceh;
                        metal::float4 _e886 = add_product(a3_4.z, b1_4, _e885);
                        ceh = _e886;
                        metal::float4 _e888 = cfl;
                        metal::float4 _e889 = add_product(a3_4.w, b0_4, _e888);
                        cfl = _e889;
                        metal::float4 _e891 = cfh;
                        metal::float4 _e892 = add_product(a3_4.w, b1_4, _e891);
                        cfh = _e892;
                    }
                    {
                        uint _e893 = step;
                        uint row_7 = first_2 + ((_e893 + 5u) * WIDTH);
                        metal::float4 a0_5 = tile_a.inner[row_7 + _e54.x];
                        metal::float4 a1_5 = tile_a.inner[(row_7 + 8u) + _e54.x];
                        metal::float4 a2_5 = tile_a.inner[(row_7 + 16u) + _e54.x];
                        metal::float4 a3_5 = tile_a.inner[(row_7 + 24u) + _e54.x];
                        metal::float4 b0_5 = tile_b.inner[row_7 + _e54.y];
                        metal::float4 b1_5 = tile_b.inner[(row_7 + ACROSS) + _e54.y];
                        metal::float4 _e947 = c0l;
                        metal::float4 _e948 = add_product(a0_5.x, b0_5, _e947);
                        c0l = _e948;
                        metal::float4 _e950 = c0h;
                        metal::float4 _e951 = add_product(a0_5.x, b1_5, _e950);
                        c0h = _e951;
                        metal::float4 _e953 = c1l;
                        metal::float4 _e954 = add_product(a0_5.y, b0_5, _e953);
                        c1l = _e954;
                        metal::float4 _e956 = c1h;
                        metal::float4 _e957 = add_product(a0_5.y, b1_5, _e956);
                        c1h = _e957;
                        metal::float4 _e959 = c2l;
                        metal::float4 _e960 = add_product(a0_5.z, b0_5, _e959);
                        c2l = _e960;
                        metal::float4 _e962 = c2h;
                        metal::float4 _e963 = add_product(a0_5.z, b1_5, _e962);
                        c2h = _e963;
                        metal::float4 _e965 = c3l;
                        metal::float4 _e966 = add_product(a0_5.w, b0_5, _e965);
                        c3l = _e966;
                        metal::float4 _e968 = c3h;
                        metal::float4 _e969 = add_product(a0_5.w, b1_5, _e968);
                        c3h = _e969;
                        metal::float4 _e971 = c4l;
                        metal::float4 _e972 = add_product(a1_5.x, b0_5, _e971);
                        c4l = _e972;
                        metal::float4 _e974 = c4h;
                        metal::float4 _e975 = add_product(a1_5.x, b1_5, _e974);
                        c4h = _e975;
                        metal::float4 _e977 = c5l;
                        metal::float4 _e978 = add_product(a1_5.y, b0_5, _e977);
                        c5l = _e978;
                        metal::float4 _e980 = c5h;
                        metal::float4 _e981 = add_product(a1_5.y, b1_5, _e980);
                        c5h = _e981;
                        metal::float4 _e983 = c6l;
                        metal::float4 _e984 = add_product(a1_5.z, b0_5, _e983);
                        c6l = _e984;
                        metal::float4 _e986 = c6h;
                        metal::float4 _e987 = add_product(a1_5.z, b1_5, _e986);
                        c6h = _e987;
                        metal::float4 _e989 = c7l;
                        metal::float4 _e990 = add_product(a1_5.w, b0_5, _e989);
                        c7l = _e990;
                        metal::float4 _e992 = c7h;
                        metal::float4 _e993 = add_product(a1_5.w, b1_5, _e992);
                        c7h = _e993;
                        metal::float4 _e995 = c8l;
                        metal::float4 _e996 = add_product(a2_5.x, b0_5, _e995);
                        c8l = _e996;
                        metal::float4 _e998 = c8h;
                        metal::float4 _e999 = add_product(a2_5.x, b1_5, _e998);
                        c8h = _e999;
                        metal::float4 _e1001 = c9l;
                        metal::float4 _e1002 = add_product(a2_5.y, b0_5, _e1001);
                        c9l = _e1002;
                        metal::float4 _e1004 = c9h;
                        metal::float4 _e1005 = add_product(a2_5.y, b1_5, _e1004);
                        c9h = _e1005;
                        metal::float4 _e1007 = cal;
                        metal::float4 _e1008 = add_product(a2_5.z, b0_5, _e1007);
                        cal = _e1008;
                        metal::float4 _e1010 = cah;
                        metal::float4 _e1011 = add_product(a2_5.z, b1_5, _e1010);
                        cah = _e1011;
                        metal::float4 _e1013 = cbl;
                        metal::float4 _e1014 = add_product(a2_5.w, b0_5, _e1013);
                        cbl = _e1014;
                        metal::float4 _e1016 = cbh;
                        metal::float4 _e1017 = add_product(a2_5.w, b1_5, _e1016);
                        cbh = _e1017;
                        metal::float4 _e1019 = ccl;
                        metal::float4 _e1020 = add_product(a3_5.x, b0_5, _e1019);
                        ccl = _e1020;
                        metal::float4 _e1022 = cch;
                        metal::float4 _e1023 = add_product(a3_5.x, b1_5, _e1022);
                        cch = _e1023;
                        metal::float4 _e1025 = cdl;
                        metal::float4 _e1026 = add_product(a3_5.y, b0_5, _e1025);
                        cdl = _e1026;
                        metal::float4 _e1028 = cdh;
                        metal::float4 _e1029 = add_product(a3_5.y, b1_5, _e1028);
                        cdh = _e1029;
                        metal::float4 _e1031 = cel;
                        metal::float4 _e1032 = add_product(a3_5.z, b0_5, _e1031);
                        cel = _e1032;
                        metal::float4 _e1034 = ceh;
                        metal::float4 _e1035 = add_product(a3_5.z, b1_5, _e1034);
                        ceh = _e1035;
                        metal::float4 _e1037 = cfl;
                        metal::float4 _e1038 = add_product(a3_5.w, b0_5, _e1037);
                        cfl = _e1038;
                        metal::float4 _e1040 = cfh;
                        metal::float4 _e1041 = add_product(a3_5.w, b1_5, _e1040);
                        cfh = _e1041;
                    }
                    {
                        uint _e1042 = step;
                        uint row_8 = first_2 + ((_e1042 + 6u) * WIDTH);
                        metal::float4 a0_6 = tile_a.inner[row_8 + _e54.x];
                        metal::float4 a1_6 = tile_a.inner[(row_8 + 8u) + _e54.x];
                        metal::float4 a2_6 = tile_a.inner[(row_8 + 16u) + _e54.x];
                        metal::float4 a3_6 = tile_a.inner[(row_8 + 24u) + _e54.x];
                        metal::float4 b0_6 = tile_b.inner[row_8 + _e54.y];
                        metal::float4 b1_6 = tile_b.inner[(row_8 + ACROSS) + _e54.y];
                        metal::float4 _e1096 = c0l;
                        metal::float4 _e1097 = add_product(a0_6.x, b0_6, _e1096);
                        c0l = _e1097;
                        metal::float4 _e1099 = c0h;
                        metal::float4 _e1100 = add_product(a0_6.x, b1_6, _e1099);
                        c0h = _e1100;
                        metal::float4 _e1102 = c1l;
                        metal::float4 _e1103 = add_product(a0_6.y, b0_6, _e1102);
                        c1l = _e1103;
                        metal::float4 _e1105 = c1h;
                        metal::float4 _e1106 = add_product(a0_6.y, b1_6, _e1105);
                        c1h = _e1106;
                        metal::float4 _e1108 = c2l;
                        metal::float4 _e1109 = add_product(a0_6.z, b0_6, _e1108);
                        c2l = _e1109;
                        metal::float4 _e1111 = c2h;
                        metal::float4 _e1112 = add_product(a0_6.z, b1_6, _e1111);
                        c2h = _e1112;
                        metal::float4 _e1114 = c3l;
                        metal::float4 _e1115 = add_product(a0_6.w, b0_6, _e1114);
                        c3l = _e1115;
                        metal::float4 _e1117 = c3h;
                        metal::float4 _e1118 = add_product(a0_6.w, b1_6, _e1117);
                        c3h = _e1118;
                        metal::float4 _e1120 = c4l;
                        metal::float4 _e1121 = add_product(a1_6.x, b0_6, _e1120);
                        c4l = _e1121;
                        metal::float4 _e1123 = c4h;
                        metal::float4 _e1124 = add_product(a1_6.x, b1_6, _e1123);
                        c4h = _e1124;
                        metal::float4 _e1126 = c5l;
                        metal::float4 _e1127 = add_product(a1_6.y, b0_6, _e1126);
                        c5l = _e1127;
                        metal::float4 _e1129 = c5h;
                        metal::float4 _e1130 = add_product(a1_6.y, b1_6, _e1129);
                        c5h = _e1130;
                        metal::float4 _e1132 = c6l;
                        metal::float4 _e1133 = add_product(a1_6.z, b0_6, _e1132);
                        c6l = _e1133;
                        metal::float4 _e1135 = c6h;
                        metal::float4 _e1136 = add_product(a1_6.z, b1_6, _e1135);
                        c6h = _e1136;
                        metal::float4 _e1138 = c7l;
                        metal::float4 _e1139 = add_product(a1_6.w, b0_6, _e1138);
                        c7l = _e1139;
                        metal::float4 _e1141 = c7h;
                        metal::float4 _e1142 = add_product(a1_6.w, b1_6, _e1141);
                        c7h = _e1142;
                        metal::float4 _e1144 = c8l;
                        metal::float4 _e1145 = add_product(a2_6.x, b0_6, _e1144);
                        c8l = _e1145;
                        metal::float4 _e1147 = c8h;
                        metal::float4 _e1148 = add_product(a2_6.x, b1_6, _e1147);
                        c8h = _e1148;
                        metal::float4 _e1150 = c9l;
                        metal::float4 _e1151 = add_product(a2_6.y, b0_6, _e1150);
                        c9l = _e1151;
                        metal::float4 _e1153 = c9h;
                        metal::float4 _e1154 = add_product(a2_6.y, b1_6, _e1153);
                        c9h = _e1154;
                        metal::float4 _e1156 = cal;
                        metal::float4 _e1157 = add_product(a2_6.z, b0_6, _e1156);
                        cal = _e1157;
                        metal::float4 _e1159 = cah;
                        metal::float4 _e1160 = add_product(a2_6.z, b1_6, _e1159);
                        cah = _e1160;
                        metal::float4 _e1162 = cbl;
                        metal::float4 _e1163 = add_product(a2_6.w, b0_6, _e1162);
                        cbl = _e1163;
                        metal::float4 _e1165 = cbh;
                        metal::float4 _e1166 = add_product(a2_6.w, b1_6, _e1165);
                        cbh = _e1166;
                        metal::float4 _e1168 = ccl;
                        metal::float4 _e1169 = add_product(a3_6.x, b0_6, _e1168);
                        ccl = _e1169;
                        metal::float4 _e1171 = cch;
                        metal::float4 _e1172 = add_product(a3_6.x, b1_6, _e1171);
                        cch = _e1172;
                        metal::float4 _e1174 = cdl;
                        metal::float4 _e1175 = add_product(a3_6.y, b0_6, _e1174);
                        cdl = _e1175;
                        metal::float4 _e1177 = cdh;
                        metal::float4 _e1178 = add_product(a3_6.y, b1_6, _e1177);
                        cdh = _e1178;
                        metal::float4 _e1180 = cel;
                        metal::float4 _e1181 = add_product(a3_6.z, b0_6, _e1180);
                        cel = _e1181;
                        metal::float4 _e1183 = ceh;
                        metal::float4 _e1184 = add_product(a3_6.z, b1_6, _e1183);
                        ceh = _e1184;
                        metal::float4 _e1186 = cfl;
                        metal::float4 _e1187 = add_product(a3_6.w, b0_6, _e1186);
                        cfl = _e1187;
                        metal::float4 _e1189 = cfh;
                        metal::float4 _e1190 = add_product(a3_6.w, b1_6, _e1189);
                        cfh = _e1190;
                    }
                    {
                        uint _e1191 = step;
                        uint row_9 = first_2 + ((_e1191 + 7u) * WIDTH);
                        metal::float4 a0_7 = tile_a.inner[row_9 + _e54.x];
                        metal::float4 a1_7 = tile_a.inner[(row_9 + 8u) + _e54.x];
                        metal::float4 a2_7 = tile_a.inner[(row_9 + 16u) + _e54.x];
                        metal::float4 a3_7 = tile_a.inner[(row_9 + 24u) + _e54.x];
                        metal::float4 b0_7 = tile_b.inner[row_9 + _e54.y];
                        metal::float4 b1_7 = tile_b.inner[(row_9 + ACROSS) + _e54.y];
                        metal::float4 _e1245 = c0l;
                        metal::float4 _e1246 = add_product(a0_7.x, b0_7, _e1245);
                        c0l = _e1246;
                        metal::float4 _e1248 = c0h;
                        metal::float4 _e1249 = add_product(a0_7.x, b1_7, _e1248);
                        c0h = _e1249;
                        metal::float4 _e1251 = c1l;
                        metal::float4 _e1252 = add_product(a0_7.y, b0_7, _e1251);
                        c1l = _e1252;
                        metal::float4 _e1254 = c1h;
                        metal::float4 _e1255 = add_product(a0_7.y, b1_7, _e1254);
                        c1h = _e1255;
                        metal::float4 _e1257 = c2l;
                        metal::float4 _e1258 = add_product(a0_7.z, b0_7, _e1257);
                        c2l = _e1258;
                        metal::float4 _e1260 = c2h;
                        metal::float4 _e1261 = add_product(a0_7.z, b1_7, _e1260);
                        c2h = _e1261;
                        metal::float4 _e1263 = c3l;
                        metal::float4 _e1264 = add_product(a0_7.w, b0_7, _e1263);
                        c3l = _e1264;
                        metal::float4 _e1266 = c3h;
                        metal::float4 _e1267 = add_product(a0_7.w, b1_7, _e1266);
                        c3h = _e1267;
                        metal::float4 _e1269 = c4l;
                        metal::float4 _e1270 = add_product(a1_7.x, b0_7, _e1269);
                        c4l = _e1270;
                        metal::float4 _e1272 = c4h;
                        metal::float4 _e1273 = add_product(a1_7.x, b1_7, _e1272);
                        c4h = _e1273;
                        metal::float4 _e1275 = c5l;
                        metal::float4 _e1276 = add_product(a1_7.y, b0_7, _e1275);
                        c5l = _e1276;
                        metal::float4 _e1278 = c5h;
                        metal::float4 _e1279 = add_product(a1_7.y, b1_7, _e1278);
                        c5h = _e1279;
                        metal::float4 _e1281 = c6l;
                        metal::float4 _e1282 = add_product(a1_7.z, b0_7, _e1281);
                        c6l = _e1282;
                        metal::float4 _e1284 = c6h;
                        metal::float4 _e1285 = add_product(a1_7.z, b1_7, _e1284);
                        c6h = _e1285;
                        metal::float4 _e1287 = c7l;
                        metal::float4 _e1288 = add_product(a1_7.w, b0_7, _e1287);
                        c7l = _e1288;
                        metal::float4 _e1290 = c7h;
                        metal::float4 _e1291 = add_product(a1_7.w, b1_7, _e1290);
                        c7h = _e1291;
                        metal::float4 _e1293 = c8l;
                        metal::float4 _e1294 = add_product(a2_7.x, b0_7, _e1293);
                        c8l = _e1294;
                        metal::float4 _e1296 = c8h;
                        metal::float4 _e1297 = add_product(a2_7.x, b1_7, _e1296);
                        c8h = _e1297;
                        metal::float4 _e1299 = c9l;
                        metal::float4 _e1300 = add_product(a2_7.y, b0_7, _e1299);
                        c9l = _e1300;
                        metal::float4 _e1302 = c9h;
                        metal::float4 _e1303 = add_product(a2_7.y, b1_7, _e1302);
                        c9h = _e1303;
                        metal::float4 _e1305 = cal;
                        metal::float4 _e1306 = add_product(a2_7.z, b0_7, _e1305);
                        cal = _e1306;
                        metal::float4 _e1308 = cah;
                        metal::float4 _e1309 = add_product(a2_7.z, b1_7, _e1308);
                        cah = _e1309;
                        metal::float4 _e1311 = cbl;
                        metal::float4 _e1312 = add_product(a2_7.w, b0_7, _e1311);
                        cbl = _e1312;
                        metal::float4 _e1314 = cbh;
                        metal::float4 _e1315 = add_product(a2_7.w, b1_7, _e1314);
                        cbh = _e1315;
                        metal::float4 _e1317 = ccl;
                        metal::float4 _e1318 = add_product(a3_7.x, b0_7, _e1317);
                        ccl = _e1318;
                        metal::float4 _e1320 = cch;
                        metal::float4 _e1321 = add_product(a3_7.x, b1_7, _e1320);
                        cch = _e1321;
                        metal::float4 _e1323 = cdl;
                        metal::float4 _e1324 = add_product(a3_7.y, b0_7, _e1323);
                        cdl = _e1324;
                        metal::float4 _e1326 = cdh;
                        metal::float4 _e1327 = add_product(a3_7.y, b1_7, _e1326);
                        cdh = _e1327;
                        metal::float4 _e1329 = cel;
                        metal::float4 _e1330 = add_product(a3_7.z, b0_7, _e1329);
                        cel = _e1330;
                        metal::float4 _e1332 = ceh;
                        metal::float4 _e1333 = add_product(a3_7.z, b1_7, _e1332);
                        ceh = _e1333;
                        metal::float4 _e1335 = cfl;
                        metal::float4 _e1336 = add_product(a3_7.w, b0_7, _e1335);
                        cfl = _e1336;
                        metal::float4 _e1338 = cfh;
                        metal::float4 _e1339 = add_product(a3_7.w, b1_7, _e1338);
                        cfh = _e1339;
                    }
                }
            }
            if (next < k_end_1) {
                uint _e1345 = buffer;
                buffer = 1u - _e1345;
                Loader _e1347 = l;
                uint _e1348 = buffer;
                metal::float4x4 _e1349 = block;
                keep(_e1347, _e1348, _e1349, tile_a, tile_b);
            }
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        }
    }
    uint i_4 = _e28.x + (4u * _e54.x);
    uint j_4 = _e28.y + (4u * _e54.y);
    if (true) {
        metal::float4 _e1367 = c0l;
        store(_e39, i_4, j_4, _e1367, p, out, _buffer_sizes);
        metal::float4 _e1373 = c0h;
        store(_e39, i_4, j_4 + 64u, _e1373, p, out, _buffer_sizes);
        metal::float4 _e1376 = c1l;
        store(_e39, i_4 + 1u, j_4, _e1376, p, out, _buffer_sizes);
        metal::float4 _e1384 = c1h;
        store(_e39, i_4 + 1u, j_4 + 64u, _e1384, p, out, _buffer_sizes);
        metal::float4 _e1387 = c2l;
        store(_e39, i_4 + 2u, j_4, _e1387, p, out, _buffer_sizes);
        metal::float4 _e1395 = c2h;
        store(_e39, i_4 + 2u, j_4 + 64u, _e1395, p, out, _buffer_sizes);
        metal::float4 _e1398 = c3l;
        store(_e39, i_4 + 3u, j_4, _e1398, p, out, _buffer_sizes);
        metal::float4 _e1406 = c3h;
        store(_e39, i_4 + 3u, j_4 + 64u, _e1406, p, out, _buffer_sizes);
        metal::float4 _e1412 = c4l;
        store(_e39, i_4 + 32u, j_4, _e1412, p, out, _buffer_sizes);
        metal::float4 _e1423 = c4h;
        store(_e39, i_4 + 32u, j_4 + 64u, _e1423, p, out, _buffer_sizes);
        metal::float4 _e1431 = c5l;
        store(_e39, (i_4 + 32u) + 1u, j_4, _e1431, p, out, _buffer_sizes);
        metal::float4 _e1444 = c5h;
        store(_e39, (i_4 + 32u) + 1u, j_4 + 64u, _e1444, p, out, _buffer_sizes);
        metal::float4 _e1452 = c6l;
        store(_e39, (i_4 + 32u) + 2u, j_4, _e1452, p, out, _buffer_sizes);
        metal::float4 _e1465 = c6h;
        store(_e39, (i_4 + 32u) + 2u, j_4 + 64u, _e1465, p, out, _buffer_sizes);
        metal::float4 _e1473 = c7l;
        store(_e39, (i_4 + 32u) + 3u, j_4, _e1473, p, out, _buffer_sizes);
        metal::float4 _e1486 = c7h;
        store(_e39, (i_4 + 32u) + 3u, j_4 + 64u, _e1486, p, out, _buffer_sizes);
        metal::float4 _e1492 = c8l;
        store(_e39, i_4 + 64u, j_4, _e1492, p, out, _buffer_sizes);
        metal::float4 _e1503 = c8h;
        store(_e39, i_4 + 64u, j_4 + 64u, _e1503, p, out, _buffer_sizes);
        metal::float4 _e1511 = c9l;
        store(_e39, (i_4 + 64u) + 1u, j_4, _e1511, p, out, _buffer_sizes);
        metal::float4 _e1524 = c9h;
        store(_e39, (i_4 + 64u) + 1u, j_4 + 64u, _e1524, p, out, _buffer_sizes);
        metal::float4 _e1532 = cal;
        store(_e39, (i_4 + 64u) + 2u, j_4, _e1532, p, out, _buffer_sizes);
        metal::float4 _e1545 = cah;
        store(_e39, (i_4 + 64u) + 2u, j_4 + 64u, _e1545, p, out, _buffer_sizes);
        metal::float4 _e1553 = cbl;
        store(_e39, (i_4 + 64u) + 3u, j_4, _e1553, p, out, _buffer_sizes);
        metal::float4 _e1566 = cbh;
        store(_e39, (i_4 + 64u) + 3u, j_4 + 64u, _e1566, p, out, _buffer_sizes);
        metal::float4 _e1572 = ccl;
        store(_e39, i_4 + 96u, j_4, _e1572, p, out, _buffer_sizes);
        metal::float4 _e1583 = cch;
        store(_e39, i_4 + 96u, j_4 + 64u, _e1583, p, out, _buffer_sizes);
        metal::float4 _e1591 = cdl;
        store(_e39, (i_4 + 96u) + 1u, j_4, _e1591, p, out, _buffer_sizes);
        metal::float4 _e1604 = cdh;
        store(_e39, (i_4 + 96u) + 1u, j_4 + 64u, _e1604, p, out, _buffer_sizes);
        metal::float4 _e1612 = cel;
        store(_e39, (i_4 + 96u) + 2u, j_4, _e1612, p, out, _buffer_sizes);
        metal::float4 _e1625 = ceh;
        store(_e39, (i_4 + 96u) + 2u, j_4 + 64u, _e1625, p, out, _buffer_sizes);
        metal::float4 _e1633 = cfl;
        store(_e39, (i_4 + 96u) + 3u, j_4, _e1633, p, out, _buffer_sizes);
        metal::float4 _e1646 = cfh;
        store(_e39, (i_4 + 96u) + 3u, j_4 + 64u, _e1646, p, out, _buffer_sizes);
        return;
    } else {
        if (false) {
            uint _e1654 = p.m;
            uint _e1658 = p.n;
            uint part = (group.z * _e1654) * _e1658;
            metal::float4 _e1660 = c0l;
            store_partial(part, i_4, j_4, _e1660, p, partial, _buffer_sizes);
            metal::float4 _e1666 = c0h;
            store_partial(part, i_4, j_4 + 64u, _e1666, p, partial, _buffer_sizes);
            metal::float4 _e1669 = c1l;
            store_partial(part, i_4 + 1u, j_4, _e1669, p, partial, _buffer_sizes);
            metal::float4 _e1677 = c1h;
            store_partial(part, i_4 + 1u, j_4 + 64u, _e1677, p, partial, _buffer_sizes);
            metal::float4 _e1680 = c2l;
            store_partial(part, i_4 + 2u, j_4, _e1680, p, partial, _buffer_sizes);
            metal::float4 _e1688 = c2h;
            store_partial(part, i_4 + 2u, j_4 + 64u, _e1688, p, partial, _buffer_sizes);
            metal::float4 _e1691 = c3l;
            store_partial(part, i_4 + 3u, j_4, _e1691, p, partial, _buffer_sizes);
            metal::float4 _e1699 = c3h;
            store_partial(part, i_4 + 3u, j_4 + 64u, _e1699, p, partial, _buffer_sizes);
            metal::float4 _e1705 = c4l;
            store_partial(part, i_4 + 32u, j_4, _e1705, p, partial, _buffer_sizes);
            metal::float4 _e1716 = c4h;
            store_partial(part, i_4 + 32u, j_4 + 64u, _e1716, p, partial, _buffer_sizes);
            metal::float4 _e1724 = c5l;
            store_partial(part, (i_4 + 32u) + 1u, j_4, _e1724, p, partial, _buffer_sizes);
            metal::float4 _e1737 = c5h;
            store_partial(part, (i_4 + 32u) + 1u, j_4 + 64u, _e1737, p, partial, _buffer_sizes);
            metal::float4 _e1745 = c6l;
            store_partial(part, (i_4 + 32u) + 2u, j_4, _e1745, p, partial, _buffer_sizes);
            metal::float4 _e1758 = c6h;
            store_partial(part, (i_4 + 32u) + 2u, j_4 + 64u, _e1758, p, partial, _buffer_sizes);
            metal::float4 _e1766 = c7l;
            store_partial(part, (i_4 + 32u) + 3u, j_4, _e1766, p, partial, _buffer_sizes);
            metal::float4 _e1779 = c7h;
            store_partial(part, (i_4 + 32u) + 3u, j_4 + 64u, _e1779, p, partial, _buffer_sizes);
            metal::float4 _e1785 = c8l;
            store_partial(part, i_4 + 64u, j_4, _e1785, p, partial, _buffer_sizes);
            metal::float4 _e1796 = c8h;
            store_partial(part, i_4 + 64u, j_4 + 64u, _e1796, p, partial, _buffer_sizes);
            metal::float4 _e1804 = c9l;
            store_partial(part, (i_4 + 64u) + 1u, j_4, _e1804, p, partial, _buffer_sizes);
            metal::float4 _e1817 = c9h;
            store_partial(part, (i_4 + 64u) + 1u, j_4 + 64u, _e1817, p, partial, _buffer_sizes);
            metal::float4 _e1825 = cal;
            store_partial(part, (i_4 + 64u) + 2u, j_4, _e1825, p, partial, _buffer_sizes);
            metal::float4 _e1838 = cah;
            store_partial(part, (i_4 + 64u) + 2u, j_4 + 64u, _e1838, p, partial, _buffer_sizes);
            metal::float4 _e1846 = cbl;
            store_partial(part, (i_4 + 64u) + 3u, j_4, _e1846, p, partial, _buffer_sizes);
            metal::float4 _e1859 = cbh;
            store_partial(part, (i_4 + 64u) + 3u, j_4 + 64u, _e1859, p, partial, _buffer_sizes);
            metal::float4 _e1865 = ccl;
            store_partial(part, i_4 + 96u, j_4, _e1865, p, partial, _buffer_sizes);
            metal::float4 _e1876 = cch;
            store_partial(part, i_4 + 96u, j_4 + 64u, _e1876, p, partial, _buffer_sizes);
            metal::float4 _e1884 = cdl;
            store_partial(part, (i_4 + 96u) + 1u, j_4, _e1884, p, partial, _buffer_sizes);
            metal::float4 _e1897 = cdh;
            store_partial(part, (i_4 + 96u) + 1u, j_4 + 64u, _e1897, p, partial, _buffer_sizes);
            metal::float4 _e1905 = cel;
            store_partial(part, (i_4 + 96u) + 2u, j_4, _e1905, p, partial, _buffer_sizes);
            metal::float4 _e1918 = ceh;
            store_partial(part, (i_4 + 96u) + 2u, j_4 + 64u, _e1918, p, partial, _buffer_sizes);
            metal::float4 _e1926 = cfl;
            store_partial(part, (i_4 + 96u) + 3u, j_4, _e1926, p, partial, _buffer_sizes);
            metal::float4 _e1939 = cfh;
            store_partial(part, (i_4 + 96u) + 3u, j_4 + 64u, _e1939, p, partial, _buffer_sizes);
            return;
        } else {
            metal::float4 _e1940 = c0l;
            metal::float4 _e1941 = c0h;
            metal::float4 _e1942 = c1l;
            metal::float4 _e1943 = c1h;
            metal::float4 _e1944 = c2l;
            metal::float4 _e1945 = c2h;
            metal::float4 _e1946 = c3l;
            metal::float4 _e1947 = c3h;
            metal::float4 _e1948 = c4l;
            metal::float4 _e1949 = c4h;
            metal::float4 _e1950 = c5l;
            metal::float4 _e1951 = c5h;
            metal::float4 _e1952 = c6l;
            metal::float4 _e1953 = c6h;
            metal::float4 _e1954 = c7l;
            metal::float4 _e1955 = c7h;
            metal::float4 _e1956 = c8l;
            metal::float4 _e1957 = c8h;
            metal::float4 _e1958 = c9l;
            metal::float4 _e1959 = c9h;
            metal::float4 _e1960 = cal;
            metal::float4 _e1961 = cah;
            metal::float4 _e1962 = cbl;
            metal::float4 _e1963 = cbh;
            metal::float4 _e1964 = ccl;
            metal::float4 _e1965 = cch;
            metal::float4 _e1966 = cdl;
            metal::float4 _e1967 = cdh;
            metal::float4 _e1968 = cel;
            metal::float4 _e1969 = ceh;
            metal::float4 _e1970 = cfl;
            metal::float4 _e1971 = cfh;
            sums = type_12 {{_e1940, _e1941, _e1942, _e1943, _e1944, _e1945, _e1946, _e1947, _e1948, _e1949, _e1950, _e1951, _e1952, _e1953, _e1954, _e1955, _e1956, _e1957, _e1958, _e1959, _e1960, _e1961, _e1962, _e1963, _e1964, _e1965, _e1966, _e1967, _e1968, _e1969, _e1970, _e1971}};
            bool loop_init_2 = true;
            while(true) {
                if (!loop_init_2) {
                    uint _e2005 = s;
                    s = _e2005 + 1u;
                }
                loop_init_2 = false;
                uint _e1976 = s;
                if (_e1976 < 32u) {
                } else {
                    break;
                }
                {
                    uint _e1979 = s;
                    uint _e1984 = s;
                    uint down_1 = naga_mod(naga_div(_e1979, 2u), 4u) + ((naga_div(_e1984, 8u) * 4u) * DOWN);
                    uint _e1993 = s;
                    uint _e2001 = s;
                    metal::float4 _e2003 = sums.inner[_e2001];
                    finish4_(_e39, i_4 + down_1, j_4 + ((naga_mod(_e1993, 2u) * 4u) * ACROSS), _e2003, p, bias, residual, out, _buffer_sizes);
                }
            }
            return;
        }
    }
}
