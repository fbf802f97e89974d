//! Element-wise activations, shared by every op that ends in one.

/// An element-wise function that an op may apply to its result before it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Activation {
    /// `x`
    #[default]
    Identity,
    /// `max(x, 0)`; NaN stays NaN.
    Relu,
    /// `x · Φ(x)`, with the error function (Hendrycks and Gimpel, 2016).
    Gelu,
    /// The tanh approximation of [`Activation::Gelu`], as in the same paper.
    GeluTanh,
    /// `x · sigmoid(x)`, also called swish.
    Silu,
}

impl Activation {
    /// Every activation, in the order of its discriminant.
    pub const ALL: [Activation; 5] =
        [Activation::Identity, Activation::Relu, Activation::Gelu, Activation::GeluTanh, Activation::Silu];

    /// The name used in Python, in traces and in graphs.
    pub const fn name(self) -> &'static str {
        match self {
            Activation::Identity => "none",
            Activation::Relu => "relu",
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_tanh",
            Activation::Silu => "silu",
        }
    }

    /// The activation of that name.
    pub fn from_name(name: &str) -> Option<Activation> {
        Activation::ALL.into_iter().find(|a| a.name() == name)
    }
}
