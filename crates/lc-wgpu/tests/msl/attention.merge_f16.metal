// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size0;
    uint size1;
    uint size2;
};

typedef half Element;
struct Params {
    uint rows;
    uint value_dim;
    uint parts;
    uint first_out;
    uint rectify;
    float output_scale;
    float output_bias;
};
typedef float type_2[1];
typedef Element type_3[1];
uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}


struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, device type_2 const& sums [[buffer(0)]]
, device type_2 const& stats [[buffer(1)]]
, device type_3& out [[buffer(2)]]
, constant Params& params [[buffer(3)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(4)]]
) {
    float top = {};
    uint part = 1u;
    float all = 0.0;
    float result = 0.0;
    uint part_1 = 0u;
    float y = {};
    bool local = {};
    uint i = (((group.y * groups.x) + group.x) * 256u) + lane;
    uint _e13 = params.rows;
    uint _e16 = params.value_dim;
    if (i >= (_e13 * _e16)) {
        return;
    }
    uint _e21 = params.value_dim;
    uint row = naga_div(i, _e21);
    float _e27 = stats[2u * row];
    top = _e27;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e50 = part;
            part = _e50 + 1u;
        }
        loop_init = false;
        uint _e31 = part;
        uint _e34 = params.parts;
        if (_e31 < _e34) {
        } else {
            break;
        }
        {
            float _e36 = top;
            uint _e39 = part;
            uint _e42 = params.rows;
            float _e47 = stats[2u * ((_e39 * _e42) + row)];
            top = metal::max(_e36, _e47);
        }
    }
    bool loop_init_1 = true;
    while(true) {
        if (!loop_init_1) {
            uint _e102 = part_1;
            part_1 = _e102 + 1u;
        }
        loop_init_1 = false;
        uint _e58 = part_1;
        uint _e61 = params.parts;
        if (_e58 < _e61) {
        } else {
            break;
        }
        {
            uint _e63 = part_1;
            uint _e66 = params.rows;
            uint at = (_e63 * _e66) + row;
            float _e73 = stats[2u * at];
            float _e74 = top;
            float factor = metal::exp(_e73 - _e74);
            float _e83 = stats[(2u * at) + 1u];
            float _e84 = all;
            all = metal::fma(factor, _e83, _e84);
            uint _e87 = part_1;
            uint _e90 = params.rows;
            uint _e94 = params.value_dim;
            float _e98 = sums[((_e87 * _e90) * _e94) + i];
            float _e99 = result;
            result = metal::fma(factor, _e98, _e99);
        }
    }
    float _e104 = result;
    float _e105 = all;
    float _e107 = all;
    float _e114 = params.output_scale;
    float _e118 = params.output_bias;
    y = (((_e107 == 0.0) ? 0.0 : (_e104 / _e105)) * _e114) + _e118;
    uint _e123 = params.rectify;
    if (_e123 != 0u) {
        float _e128 = y;
        local = _e128 < 0.0;
    } else {
        local = false;
    }
    bool _e132 = local;
    if (_e132) {
        y = 0.0;
    }
    uint _e137 = params.first_out;
    float _e140 = y;
    out[_e137 + i] = static_cast<half>(_e140);
    return;
}
