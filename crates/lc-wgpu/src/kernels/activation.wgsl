// Activations, numbered as `lc_core::Activation`. Each keeps NaN.

// The complementary error function of z >= 0: exp(-z²) times a polynomial in t = 1/(1 + z/2), fitted to
// erfc(z)·exp(z²)/t with a relative error of 3e-8 for z up to 6; beyond it float32 of erfc(z) is next to nothing.
fn erfc_positive(z: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.5 * z);
    var q = -0.05390166863799095;
    q = q * t + 0.25860852003097534;
    q = q * t - 0.4315560758113861;
    q = q * t + 0.21179769933223724;
    q = q * t + 0.021241366863250732;
    q = q * t + 0.18126294016838074;
    q = q * t + 0.2488935887813568;
    q = q * t + 0.2815130949020386;
    q = q * t + 0.2821405231952667;
    return q * t * exp(-z * z);
}

// x · sigmoid(v), without an infinity on the way.
fn times_sigmoid(x: f32, v: f32) -> f32 {
    return x / (1.0 + exp(min(-v, 80.0)));
}

// max(x, 0) that keeps NaN. By its bits: a comparison of floats is made a maximum by NVIDIA's compiler, which loses NaN.
fn relu(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    let negative = (bits & 0x80000000u) != 0u && (bits & 0x7fffffffu) <= 0x7f800000u;
    return select(x, 0.0, negative);
}

fn activate(kind: u32, x: f32) -> f32 {
    switch kind {
        case 1u: { return relu(x); }
        case 2u: {
            let tail = erfc_positive(abs(x) * 0.70710678118654752);
            return 0.5 * x * select(tail, 2.0 - tail, x > 0.0);
        }
        // 1 + tanh(u) = 2 · sigmoid(2u), u = sqrt(2/π) · (x + 0.044715 x³)
        case 3u: { return times_sigmoid(x, 1.5957691216057308 * (x + 0.044715 * x * x * x)); }
        case 4u: { return times_sigmoid(x, x); }
        default: { return x; }
    }
}
