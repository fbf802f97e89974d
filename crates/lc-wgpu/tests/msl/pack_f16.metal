// language: metal3.0
#include <metal_stdlib>
#include <simd/simd.h>

using metal::uint;

struct _mslBufferSizes {
    uint size0;
    uint size1;
};

typedef half Element;
struct type_1 {
    uint inner[8];
};
struct Params {
    uint count;
    uint size;
    uint first_x;
    uint first_out;
    type_1 dims;
    type_1 steps;
};
typedef Element type_2[1];
constant uint RANK = 8u;
uint naga_mod(uint lhs, uint rhs) {
    return lhs % metal::select(rhs, 1u, rhs == 0u);
}

uint naga_div(uint lhs, uint rhs) {
    return lhs / metal::select(rhs, 1u, rhs == 0u);
}


struct main_Input {
};
[[max_total_threads_per_threadgroup(256)]] kernel void main_(
  metal::uint3 group [[threadgroup_position_in_grid]]
, metal::uint3 groups [[threadgroups_per_grid]]
, uint lane [[thread_index_in_threadgroup]]
, device type_2 const& x [[buffer(0)]]
, device type_2& out [[buffer(1)]]
, constant Params& p [[buffer(2)]]
, constant _mslBufferSizes& _buffer_sizes [[buffer(3)]]
) {
    uint rest = {};
    uint at = {};
    uint step = 0u;
    uint t = (((group.y * groups.x) + group.x) * 256u) + lane;
    uint _e13 = p.count;
    if (t >= _e13) {
        return;
    }
    uint _e17 = p.size;
    rest = naga_mod(t, _e17);
    uint _e22 = p.first_x;
    at = _e22;
    bool loop_init = true;
    while(true) {
        if (!loop_init) {
            uint _e52 = step;
            step = _e52 + 1u;
        }
        loop_init = false;
        uint _e26 = step;
        if (_e26 < RANK) {
        } else {
            break;
        }
        {
            uint _e30 = step;
            uint d = 7u - _e30;
            uint _e32 = at;
            uint _e33 = rest;
            uint _e37 = p.dims.inner[d];
            uint _e42 = p.steps.inner[d];
            at = _e32 + (naga_mod(_e33, _e37) * _e42);
            uint _e45 = rest;
            uint _e49 = p.dims.inner[d];
            rest = naga_div(_e45, _e49);
        }
    }
    uint _e57 = p.first_out;
    uint _e61 = at;
    Element _e63 = x[_e61];
    out[_e57 + t] = _e63;
    return;
}
