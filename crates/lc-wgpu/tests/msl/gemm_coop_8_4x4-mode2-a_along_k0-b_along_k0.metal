// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size3;
    uint size4;
    uint size5;
    uint size6;
    uint size7;
    uint size8;
};

typedef float Element;
typedef metal::simdgroup_half8x8 MatrixA;
typedef metal::simdgroup_half8x8 MatrixB;
typedef metal::simdgroup_float8x8 MatrixC;
typedef half Slot;
struct type_2 {
    Slot inner[5120];
};
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
typedef Element type_4[1];
struct Origin {
    uint a;
    uint b;
    uint out;
    uint residual;
};
typedef metal::float4 type_7[1];
struct type_11 {
    float inner[256];
};
struct Path {
    metal::uint4 at;
    uint slot;
    uint k;
    char _pad3[8];
};
constant uint S = 8u;
constant uint SLOT = 1u;
constant uint T = 64u;
constant uint TK = 32u;
constant uint TILE = 2560u;
constant uint HAS_BIAS = 256u;
constant uint HAS_RESIDUAL = 512u;
constant uint TM = 64u;
constant uint TN = 64u;
constant uint COLUMNS = 4u;
constant uint ACROSS = 2u;
constant uint SUBGROUPS = 4u;
constant uint STAGE = 256u;
constant uint THREADS = 128u;
constant uint BLOCKS = 128u;
constant uint SHARE = 1u;
constant bool A_ALONG_K = false;
constant bool B_ALONG_K = false;
constant uint BAND = 8u;
constant uint MODE = 2u;
constant uint A_STEP = 72u;
constant uint B_STEP = 72u;

void put_a(
    uint at,
    metal::half4 x,
    threadgroup type_2& tile_a
) {
    tile_a.inner[at] = x.x;
    tile_a.inner[at + 1u] = x.y;
    tile_a.inner[at + 2u] = x.z;
    tile_a.inner[at + 3u] = x.w;
    return;
}

void put_b(
    uint at_1,
    metal::half4 x_1,
    threadgroup type_2& tile_b
) {
    tile_b.inner[at_1] = x_1.x;
    tile_b.inner[at_1 + 1u] = x_1.y;
    tile_b.inner[at_1 + 2u] = x_1.z;
    tile_b.inner[at_1 + 3u] = x_1.w;
    return;
}

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
    float x_2
) {
    bool local = {};
    uint bits = as_type<uint>(x_2);
    if ((bits & 2147483648u) != 0u) {
        local = (bits & 2147483647u) <= 2139095040u;
    } else {
        local = false;
    }
    bool negative = local;
    return negative ? 0.0 : x_2;
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
    float x_3,
    float v
) {
    return x_3 / (1.0 + metal::exp(metal::min(-(v), 80.0)));
}

float activate(
    uint kind,
    float x_4
) {
    switch(kind) {
        case 1u: {
            float _e2 = relu(x_4);
            return _e2;
        }
        case 2u: {
            float _e6 = erfc_positive(metal::abs(x_4) * 0.70710677);
            return (0.5 * x_4) * ((x_4 > 0.0) ? (2.0 - _e6) : _e6);
        }
        case 3u: {
            float _e22 = times_sigmoid(x_4, 1.5957692 * (x_4 + (((0.044715 * x_4) * x_4) * x_4)));
            return _e22;
        }
        case 4u: {
            float _e23 = times_sigmoid(x_4, x_4);
            return _e23;
        }
        default: {
            return x_4;
        }
    }
}

float finish(
    float sum,
    Origin origin,
    uint i,
    uint j,
    constant Params& p,
    device type_4 const& bias,
    device type_4 const& residual,
    constant _mslBufferSizes& _buffer_sizes
) {
    float x_5 = {};
    x_5 = sum;
    uint _e7 = p.flags;
    if ((_e7 & HAS_BIAS) != 0u) {
        float _e12 = x_5;
        uint _e16 = p.first_bias;
        uint _e19 = p.bias_m;
        uint _e24 = p.bias_n;
        Element _e28 = bias[(_e16 + (i * _e19)) + (j * _e24)];
        x_5 = _e12 + static_cast<float>(_e28);
    }
    uint _e33 = p.flags;
    if ((_e33 & HAS_RESIDUAL) != 0u) {
        float _e38 = x_5;
        uint _e43 = p.residual_m;
        uint _e48 = p.residual_n;
        Element _e52 = residual[(origin.residual + (i * _e43)) + (j * _e48)];
        x_5 = _e38 + static_cast<float>(_e52);
    }
    uint _e57 = p.flags;
    float _e60 = x_5;
    float _e61 = activate(_e57 & 255u, _e60);
    return _e61;
}

void store(
    Origin origin_1,
    uint i_1,
    uint j_1,
    metal::float4 x_6,
    constant Params& p,
    device type_7& out,
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
        out[((origin_1.out + (i_1 * _e20)) + j_1) >> 2u] = static_cast<metal::float4>(x_6);
        return;
    } else {
        return;
    }
}

void store_partial(
    uint first_1,
    uint i_2,
    uint j_2,
    metal::float4 x_7,
    constant Params& p,
    device type_7& partial,
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
        partial[((first_1 + (i_2 * _e19)) + j_2) >> 2u] = x_7;
        return;
    } else {
        return;
    }
}

metal::uint4 block_offsets(
    bool along_k,
    uint first_2,
    uint row,
    uint rows,
    uint row_stride,
    uint k_1,
    uint k_stride
) {
    if (along_k) {
        metal::uint4 r = metal::min(metal::uint4(row) + metal::uint4(0u, 1u, 2u, 3u), metal::uint4(rows - 1u));
        return (metal::uint4(first_2) + (r * row_stride)) + metal::uint4(k_1);
    }
    uint r_1 = metal::min(row, rows - 4u);
    return metal::uint4(first_2 + r_1) + ((metal::uint4(k_1) + metal::uint4(0u, 1u, 2u, 3u)) * k_stride);
}

metal::half4 vector_a(
    uint at_2,
    device type_7 const& a,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 _e5 = a[at_2 >> 2u];
    return static_cast<metal::half4>(_e5);
}

metal::half4 vector_b(
    uint at_3,
    device type_7 const& b,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::float4 _e5 = b[at_3 >> 2u];
    return static_cast<metal::half4>(_e5);
}

metal::half4x4 dense_a(
    metal::uint4 at_4,
    uint left,
    device type_7 const& a,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::half4x4 block = metal::half4x4 {};
    if (left >= 4u) {
        metal::half4 _e7 = vector_a(at_4.x, a, _buffer_sizes);
        metal::half4 _e9 = vector_a(at_4.y, a, _buffer_sizes);
        metal::half4 _e11 = vector_a(at_4.z, a, _buffer_sizes);
        metal::half4 _e13 = vector_a(at_4.w, a, _buffer_sizes);
        block = metal::half4x4(_e7, _e9, _e11, _e13);
    } else {
        if (true) {
            if (left > 0u) {
                metal::half4 _e22 = vector_a(at_4.x, a, _buffer_sizes);
                block[0] = _e22;
            }
            if (left > 1u) {
                metal::half4 _e27 = vector_a(at_4.y, a, _buffer_sizes);
                block[1] = _e27;
            }
            if (left > 2u) {
                metal::half4 _e32 = vector_a(at_4.z, a, _buffer_sizes);
                block[2] = _e32;
            }
        }
    }
    metal::half4x4 _e33 = block;
    return _e33;
}

metal::half4x4 dense_b(
    metal::uint4 at_5,
    uint left_1,
    device type_7 const& b,
    constant _mslBufferSizes& _buffer_sizes
) {
    metal::half4x4 block_1 = metal::half4x4 {};
    if (left_1 >= 4u) {
        metal::half4 _e7 = vector_b(at_5.x, b, _buffer_sizes);
        metal::half4 _e9 = vector_b(at_5.y, b, _buffer_sizes);
        metal::half4 _e11 = vector_b(at_5.z, b, _buffer_sizes);
        metal::half4 _e13 = vector_b(at_5.w, b, _buffer_sizes);
        block_1 = metal::half4x4(_e7, _e9, _e11, _e13);
    } else {
        if (true) {
            if (left_1 > 0u) {
                metal::half4 _e22 = vector_b(at_5.x, b, _buffer_sizes);
                block_1[0] = _e22;
            }
            if (left_1 > 1u) {
                metal::half4 _e27 = vector_b(at_5.y, b, _buffer_sizes);
                block_1[1] = _e27;
            }
            if (left_1 > 2u) {
                metal::half4 _e32 = vector_b(at_5.z, b, _buffer_sizes);
                block_1[2] = _e32;
            }
        }
    }
    metal::half4x4 _e33 = block_1;
    return _e33;
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
    metal::float4 x_8,
    constant Params& p,
    device type_4 const& bias,
    device type_4 const& residual,
    device type_7& out,
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
        float _e22 = finish(x_8.x, origin_2, i_3, j_3, p, bias, residual, _buffer_sizes);
        float _e27 = finish(x_8.y, origin_2, i_3, metal::min(j_3 + 1u, last), p, bias, residual, _buffer_sizes);
        float _e32 = finish(x_8.z, origin_2, i_3, metal::min(j_3 + 2u, last), p, bias, residual, _buffer_sizes);
        float _e37 = finish(x_8.w, origin_2, i_3, metal::min(j_3 + 3u, last), p, bias, residual, _buffer_sizes);
        store(origin_2, i_3, j_3, metal::float4(_e22, _e27, _e32, _e37), p, out, _buffer_sizes);
        return;
    } else {
        return;
    }
}

uint slot_a(
    uint row_1,
    uint k_2
) {
    if (A_ALONG_K) {
        return (row_1 * A_STEP) + naga_div(k_2, SLOT);
    }
    return (k_2 * A_STEP) + naga_div(row_1, SLOT);
}

uint slot_b(
    uint column,
    uint k_3
) {
    if (B_ALONG_K) {
        return (column * B_STEP) + naga_div(k_3, SLOT);
    }
    return (k_3 * B_STEP) + naga_div(column, SLOT);
}

metal::simdgroup_half8x8 NagaCooperativeLoad(const threadgroup half* ptr, int stride, bool is_row_major) {
    metal::simdgroup_half8x8 m;
    simdgroup_load(m, ptr, stride, 0, is_row_major);
    return m;
}

MatrixA load_a(
    uint at_6,
    threadgroup type_2& tile_a
) {
    if (A_ALONG_K) {
        return NagaCooperativeLoad(&tile_a.inner[at_6], A_STEP, false);
    }
    return NagaCooperativeLoad(&tile_a.inner[at_6], A_STEP, true);
}

MatrixB load_b(
    uint at_7,
    threadgroup type_2& tile_b
) {
    if (B_ALONG_K) {
        return NagaCooperativeLoad(&tile_b.inner[at_7], B_STEP, true);
    }
    return NagaCooperativeLoad(&tile_b.inner[at_7], B_STEP, false);
}

void write4_(
    Origin origin_3,
    uint part,
    uint i_4,
    uint j_4,
    uint at_8,
    constant Params& p,
    device type_4 const& bias,
    device type_4 const& residual,
    device type_7& out,
    device type_7& partial,
    threadgroup type_11& stage,
    constant _mslBufferSizes& _buffer_sizes
) {
    float _e7 = stage.inner[at_8];
    float _e12 = stage.inner[at_8 + 1u];
    float _e17 = stage.inner[at_8 + 2u];
    float _e22 = stage.inner[at_8 + 3u];
    metal::float4 x_9 = metal::float4(_e7, _e12, _e17, _e22);
    if (false) {
        store(origin_3, i_4, j_4, x_9, p, out, _buffer_sizes);
        return;
    } else {
        if (true) {
            store_partial(part, i_4, j_4, x_9, p, partial, _buffer_sizes);
            return;
        } else {
            finish4_(origin_3, i_4, j_4, x_9, p, bias, residual, out, _buffer_sizes);
            return;
        }
    }
}

metal::uint2 block_place(
    uint number_1,
    bool along_k_1
) {
    if (along_k_1) {
        return metal::uint2(naga_div(number_1, 8u), naga_mod(number_1, 8u)) * 4u;
    }
    return metal::uint2(naga_mod(number_1, 16u), naga_div(number_1, 16u)) * 4u;
}

Path path_a(
    uint number_2,
    Origin origin_4,
    metal::uint2 corner,
    uint k_first,
    constant Params& p
) {
    metal::uint2 _e5 = block_place(number_2, A_ALONG_K);
    uint _e13 = p.m;
    uint _e16 = p.a_m;
    uint _e21 = p.a_k;
    metal::uint4 _e22 = block_offsets(A_ALONG_K, origin_4.a, corner.x + _e5.x, _e13, _e16, k_first + _e5.y, _e21);
    uint _e25 = slot_a(_e5.x, _e5.y);
    return Path {_e22, _e25, _e5.y};
}

Path path_b(
    uint number_3,
    Origin origin_5,
    metal::uint2 corner_1,
    uint k_first_1,
    constant Params& p
) {
    metal::uint2 _e5 = block_place(number_3, B_ALONG_K);
    uint _e13 = p.n;
    uint _e16 = p.b_n;
    uint _e21 = p.b_k;
    metal::uint4 _e22 = block_offsets(B_ALONG_K, origin_5.b, corner_1.y + _e5.x, _e13, _e16, k_first_1 + _e5.y, _e21);
    uint _e25 = slot_b(_e5.x, _e5.y);
    return Path {_e22, _e25, _e5.y};
}

void keep_a(
    uint at_9,
    metal::half4x4 block_2,
    threadgroup type_2& tile_a
) {
    put_a(at_9, block_2[0], tile_a);
    put_a(at_9 + A_STEP, block_2[1], tile_a);
    put_a(at_9 + 144u, block_2[2], tile_a);
    put_a(at_9 + 216u, block_2[3], tile_a);
    return;
}

void keep_b(
    uint at_10,
    metal::half4x4 block_3,
    threadgroup type_2& tile_b
) {
    put_b(at_10, block_3[0], tile_b);
    put_b(at_10 + B_STEP, block_3[1], tile_b);
    put_b(at_10 + 144u, block_3[2], tile_b);
    put_b(at_10 + 216u, block_3[3], tile_b);
    return;
}

uint left_of(
    uint k_4,
    uint k_end
) {
    return k_end - metal::min(k_4, k_end);
}

void drain(
    Origin origin_6,
    uint part_1,
    uint i_5,
    uint j_5,
    uint subgroup,
    uint lane_1,
    constant Params& p,
    device type_4 const& bias,
    device type_4 const& residual,
    device type_7& out,
    device type_7& partial,
    threadgroup type_11& stage,
    constant _mslBufferSizes& _buffer_sizes
) {
    uint e = {};
    e = lane_1 * 4u;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e26 = e;
            e = _e26 + 128u;
        }
        loop_init = false;
        uint _e9 = e;
        if (_e9 < 64u) {
        } else {
            break;
        }
        {
            uint _e12 = e;
            uint _e16 = e;
            uint _e24 = e;
            write4_(origin_6, part_1, i_5 + naga_div(_e12, S), j_5 + naga_mod(_e16, S), ((subgroup * S) * S) + _e24, p, bias, residual, out, partial, stage, _buffer_sizes);
        }
    }
    return;
}
metal::simdgroup_float8x8 NagaCooperativeMultiplyAdd(const thread metal::simdgroup_half8x8& a, const thread metal::simdgroup_half8x8& b, const thread metal::simdgroup_float8x8& c) {
    metal::simdgroup_float8x8 d;
    simdgroup_multiply_accumulate(d,a,b,c);
    return d;
}


struct main_Input {
};
[[max_total_threads_per_threadgroup(128)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, threadgroup type_2& tile_a
, threadgroup type_2& tile_b
, constant Params& p [[buffer(6)]]
, device type_4 const& bias [[buffer(0)]]
, device type_4 const& residual [[buffer(1)]]
, device type_7 const& a [[buffer(2)]]
, device type_7 const& b [[buffer(3)]]
, device type_7& out [[buffer(4)]]
, device type_7& partial [[buffer(5)]]
, threadgroup type_11& stage
, constant _mslBufferSizes& _buffer_sizes [[buffer(7)]]
) {
    Path path_a0_ = {};
    Path path_b0_ = {};
    Path path_a1_ = {};
    Path path_b1_ = {};
    MatrixC c00_ = {};
    MatrixC c01_ = {};
    MatrixC c02_ = {};
    MatrixC c03_ = {};
    MatrixC c10_ = {};
    MatrixC c11_ = {};
    MatrixC c12_ = {};
    MatrixC c13_ = {};
    MatrixC c20_ = {};
    MatrixC c21_ = {};
    MatrixC c22_ = {};
    MatrixC c23_ = {};
    MatrixC c30_ = {};
    MatrixC c31_ = {};
    MatrixC c32_ = {};
    MatrixC c33_ = {};
    metal::half4x4 a_0_ = {};
    metal::half4x4 a_1_ = {};
    metal::half4x4 b_0_ = {};
    metal::half4x4 b_1_ = {};
    uint first = 0u;
    uint k = {};
    uint step = {};
    uint c = 0u;
    uint number_4 = (group.y * groups.x) + group.x;
    uint _e10 = p.m;
    uint _e19 = p.n;
    if (number_4 >= (naga_div((_e10 + T) - 1u, T) * naga_div((_e19 + T) - 1u, T))) {
        return;
    }
    metal::uint2 _e28 = corner_of(number_4, p);
    uint _e32 = p.splits;
    uint split = naga_mod(group.z, _e32);
    uint _e37 = p.splits;
    Origin _e39 = origin_of(naga_div(group.z, _e37), p);
    uint _e42 = p.chunk;
    uint k_first_2 = split * _e42;
    uint _e46 = p.chunk;
    uint _e50 = p.k;
    uint k_end_1 = metal::min(k_first_2 + _e46, _e50);
    uint subgroup_1 = naga_div(lane, 32u);
    uint down_1 = (naga_div(subgroup_1, ACROSS) * 4u) * S;
    uint along = (naga_mod(subgroup_1, ACROSS) * COLUMNS) * S;
    Path _e66 = path_a(lane, _e39, _e28, k_first_2, p);
    path_a0_ = _e66;
    Path _e68 = path_b(lane, _e39, _e28, k_first_2, p);
    path_b0_ = _e68;
    Path _e74 = path_a(naga_mod(lane + THREADS, BLOCKS), _e39, _e28, k_first_2, p);
    path_a1_ = _e74;
    Path _e80 = path_b(naga_mod(lane + THREADS, BLOCKS), _e39, _e28, k_first_2, p);
    path_b1_ = _e80;
    metal::uint4 _e103 = path_a0_.at;
    uint _e105 = path_a0_.k;
    uint _e107 = left_of(k_first_2 + _e105, k_end_1);
    metal::half4x4 _e108 = dense_a(_e103, _e107, a, _buffer_sizes);
    a_0_ = _e108;
    metal::uint4 _e110 = path_b0_.at;
    uint _e112 = path_b0_.k;
    uint _e114 = left_of(k_first_2 + _e112, k_end_1);
    metal::half4x4 _e115 = dense_b(_e110, _e114, b, _buffer_sizes);
    b_0_ = _e115;
    if (false) {
        metal::uint4 _e118 = path_a1_.at;
        uint _e120 = path_a1_.k;
        uint _e122 = left_of(k_first_2 + _e120, k_end_1);
        metal::half4x4 _e123 = dense_a(_e118, _e122, a, _buffer_sizes);
        a_1_ = _e123;
        metal::uint4 _e125 = path_b1_.at;
        uint _e127 = path_b1_.k;
        uint _e129 = left_of(k_first_2 + _e127, k_end_1);
        metal::half4x4 _e130 = dense_b(_e125, _e129, b, _buffer_sizes);
        b_1_ = _e130;
    }
    uint _e132 = path_a0_.slot;
    metal::half4x4 _e133 = a_0_;
    keep_a(_e132, _e133, tile_a);
    uint _e135 = path_b0_.slot;
    metal::half4x4 _e136 = b_0_;
    keep_b(_e135, _e136, tile_b);
    if (false) {
        uint _e139 = path_a1_.slot;
        metal::half4x4 _e140 = a_1_;
        keep_a(_e139, _e140, tile_a);
        uint _e142 = path_b1_.slot;
        metal::half4x4 _e143 = b_1_;
        keep_b(_e142, _e143, tile_b);
    }
    metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
    k = k_first_2;
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e339 = k;
            k = _e339 + TK;
        }
        loop_init_1 = false;
        uint _e147 = k;
        if (_e147 < k_end_1) {
        } else {
            break;
        }
        {
            uint _e149 = k;
            uint next = _e149 + TK;
            if (next < k_end_1) {
                metal::uint4 _e154 = path_a0_.at;
                uint _e158 = p.a_k;
                path_a0_.at = _e154 + metal::uint4(TK * _e158);
                metal::uint4 _e163 = path_a1_.at;
                uint _e167 = p.a_k;
                path_a1_.at = _e163 + metal::uint4(TK * _e167);
                metal::uint4 _e172 = path_b0_.at;
                uint _e176 = p.b_k;
                path_b0_.at = _e172 + metal::uint4(TK * _e176);
                metal::uint4 _e181 = path_b1_.at;
                uint _e185 = p.b_k;
                path_b1_.at = _e181 + metal::uint4(TK * _e185);
                metal::uint4 _e190 = path_a0_.at;
                uint _e192 = path_a0_.k;
                uint _e194 = left_of(next + _e192, k_end_1);
                metal::half4x4 _e195 = dense_a(_e190, _e194, a, _buffer_sizes);
                a_0_ = _e195;
                metal::uint4 _e197 = path_b0_.at;
                uint _e199 = path_b0_.k;
                uint _e201 = left_of(next + _e199, k_end_1);
                metal::half4x4 _e202 = dense_b(_e197, _e201, b, _buffer_sizes);
                b_0_ = _e202;
                if (false) {
                    metal::uint4 _e205 = path_a1_.at;
                    uint _e207 = path_a1_.k;
                    uint _e209 = left_of(next + _e207, k_end_1);
                    metal::half4x4 _e210 = dense_a(_e205, _e209, a, _buffer_sizes);
                    a_1_ = _e210;
                    metal::uint4 _e212 = path_b1_.at;
                    uint _e214 = path_b1_.k;
                    uint _e216 = left_of(next + _e214, k_end_1);
                    metal::half4x4 _e217 = dense_b(_e212, _e216, b, _buffer_sizes);
                    b_1_ = _e217;
                }
            }
            step = 0u;
            bool loop_init_2 = true;
            while(true) {
                if (!loop_init_2) {
                    uint _e311 = step;
                    step = _e311 + S;
                }
                loop_init_2 = false;
                uint _e220 = step;
                if (_e220 < TK) {
                } else {
                    break;
                }
                {
                    uint _e223 = first;
                    uint _e226 = step;
                    uint _e227 = slot_a(down_1 + 0u, _e226);
                    MatrixA _e229 = load_a(_e223 + _e227, tile_a);
                    uint _e230 = first;
                    uint _e233 = step;
                    uint _e234 = slot_a(down_1 + 8u, _e233);
                    MatrixA _e236 = load_a(_e230 + _e234, tile_a);
                    uint _e237 = first;
                    uint _e240 = step;
                    uint _e241 = slot_a(down_1 + 16u, _e240);
                    MatrixA _e243 = load_a(_e237 + _e241, tile_a);
                    uint _e244 = first;
                    uint _e247 = step;
                    uint _e248 = slot_a(down_1 + 24u, _e247);
                    MatrixA _e250 = load_a(_e244 + _e248, tile_a);
                    uint _e251 = first;
                    uint _e254 = step;
                    uint _e255 = slot_b(along + 0u, _e254);
                    MatrixB _e257 = load_b(_e251 + _e255, tile_b);
                    uint _e258 = first;
                    uint _e261 = step;
                    uint _e262 = slot_b(along + 8u, _e261);
                    MatrixB _e264 = load_b(_e258 + _e262, tile_b);
                    uint _e265 = first;
                    uint _e268 = step;
                    uint _e269 = slot_b(along + 16u, _e268);
                    MatrixB _e271 = load_b(_e265 + _e269, tile_b);
                    uint _e272 = first;
                    uint _e275 = step;
                    uint _e276 = slot_b(along + 24u, _e275);
                    MatrixB _e278 = load_b(_e272 + _e276, tile_b);
                    MatrixC _e279 = c00_;
                    c00_ = NagaCooperativeMultiplyAdd(_e229, _e257, _e279);
                    MatrixC _e281 = c01_;
                    c01_ = NagaCooperativeMultiplyAdd(_e229, _e264, _e281);
                    MatrixC _e283 = c02_;
                    c02_ = NagaCooperativeMultiplyAdd(_e229, _e271, _e283);
                    MatrixC _e285 = c03_;
                    c03_ = NagaCooperativeMultiplyAdd(_e229, _e278, _e285);
                    MatrixC _e287 = c10_;
                    c10_ = NagaCooperativeMultiplyAdd(_e236, _e257, _e287);
                    MatrixC _e289 = c11_;
                    c11_ = NagaCooperativeMultiplyAdd(_e236, _e264, _e289);
                    MatrixC _e291 = c12_;
                    c12_ = NagaCooperativeMultiplyAdd(_e236, _e271, _e291);
                    MatrixC _e293 = c13_;
                    c13_ = NagaCooperativeMultiplyAdd(_e236, _e278, _e293);
                    MatrixC _e295 = c20_;
                    c20_ = NagaCooperativeMultiplyAdd(_e243, _e257, _e295);
                    MatrixC _e297 = c21_;
                    c21_ = NagaCooperativeMultiplyAdd(_e243, _e264, _e297);
                    MatrixC _e299 = c22_;
                    c22_ = NagaCooperativeMultiplyAdd(_e243, _e271, _e299);
                    MatrixC _e301 = c23_;
                    c23_ = NagaCooperativeMultiplyAdd(_e243, _e278, _e301);
                    MatrixC _e303 = c30_;
                    c30_ = NagaCooperativeMultiplyAdd(_e250, _e257, _e303);
                    MatrixC _e305 = c31_;
                    c31_ = NagaCooperativeMultiplyAdd(_e250, _e264, _e305);
                    MatrixC _e307 = c32_;
                    c32_ = NagaCooperativeMultiplyAdd(_e250, _e271, _e307);
                    MatrixC _e309 = c33_;
                    c33_ = NagaCooperativeMultiplyAdd(_e250, _e278, _e309);
                }
            }
            if (next < k_end_1) {
                uint _e316 = first;
                first = TILE - _e316;
                uint _e318 = first;
                uint _e320 = path_a0_.slot;
                metal::half4x4 _e322 = a_0_;
                keep_a(_e318 + _e320, _e322, tile_a);
                uint _e323 = first;
                uint _e325 = path_b0_.slot;
                metal::half4x4 _e327 = b_0_;
                keep_b(_e323 + _e325, _e327, tile_b);
                if (false) {
                    uint _e329 = first;
                    uint _e331 = path_a1_.slot;
                    metal::half4x4 _e333 = a_1_;
                    keep_a(_e329 + _e331, _e333, tile_a);
                    uint _e334 = first;
                    uint _e336 = path_b1_.slot;
                    metal::half4x4 _e338 = b_1_;
                    keep_b(_e334 + _e336, _e338, tile_b);
                }
            }
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        }
    }
    uint _e345 = p.m;
    uint _e349 = p.n;
    uint part_2 = (group.z * _e345) * _e349;
    uint own = (subgroup_1 * S) * S;
    bool loop_init_3 = true;
    while(true) {
        if (!loop_init_3) {
            uint _e444 = c;
            c = _e444 + 1u;
        }
        loop_init_3 = false;
        uint _e357 = c;
        if (_e357 < 16u) {
        } else {
            break;
        }
        {
            uint _e360 = c;
            switch(_e360) {
                case 0u: {
                    MatrixC _e361 = c00_;
                    simdgroup_store(_e361, &stage.inner[own], S);
                    break;
                }
                case 1u: {
                    MatrixC _e365 = c01_;
                    simdgroup_store(_e365, &stage.inner[own], S);
                    break;
                }
                case 2u: {
                    MatrixC _e369 = c02_;
                    simdgroup_store(_e369, &stage.inner[own], S);
                    break;
                }
                case 3u: {
                    MatrixC _e373 = c03_;
                    simdgroup_store(_e373, &stage.inner[own], S);
                    break;
                }
                case 4u: {
                    MatrixC _e377 = c10_;
                    simdgroup_store(_e377, &stage.inner[own], S);
                    break;
                }
                case 5u: {
                    MatrixC _e381 = c11_;
                    simdgroup_store(_e381, &stage.inner[own], S);
                    break;
                }
                case 6u: {
                    MatrixC _e385 = c12_;
                    simdgroup_store(_e385, &stage.inner[own], S);
                    break;
                }
                case 7u: {
                    MatrixC _e389 = c13_;
                    simdgroup_store(_e389, &stage.inner[own], S);
                    break;
                }
                case 8u: {
                    MatrixC _e393 = c20_;
                    simdgroup_store(_e393, &stage.inner[own], S);
                    break;
                }
                case 9u: {
                    MatrixC _e397 = c21_;
                    simdgroup_store(_e397, &stage.inner[own], S);
                    break;
                }
                case 10u: {
                    MatrixC _e401 = c22_;
                    simdgroup_store(_e401, &stage.inner[own], S);
                    break;
                }
                case 11u: {
                    MatrixC _e405 = c23_;
                    simdgroup_store(_e405, &stage.inner[own], S);
                    break;
                }
                case 12u: {
                    MatrixC _e409 = c30_;
                    simdgroup_store(_e409, &stage.inner[own], S);
                    break;
                }
                case 13u: {
                    MatrixC _e413 = c31_;
                    simdgroup_store(_e413, &stage.inner[own], S);
                    break;
                }
                case 14u: {
                    MatrixC _e417 = c32_;
                    simdgroup_store(_e417, &stage.inner[own], S);
                    break;
                }
                default: {
                    MatrixC _e421 = c33_;
                    simdgroup_store(_e421, &stage.inner[own], S);
                    break;
                }
            }
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
            uint _e427 = c;
            uint i_6 = (_e28.x + down_1) + (naga_div(_e427, COLUMNS) * S);
            uint _e435 = c;
            uint j_6 = (_e28.y + along) + (naga_mod(_e435, COLUMNS) * S);
            drain(_e39, part_2, i_6, j_6, subgroup_1, naga_mod(lane, 32u), p, bias, residual, out, partial, stage, _buffer_sizes);
            metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
        }
    }
    return;
}
