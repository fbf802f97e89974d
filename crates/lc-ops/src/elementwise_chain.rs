//! A chain of element-wise operations in one pass over memory. Graphs make it of `add`, `sub`, `mul`, `div` and
//! `activation`; it has no function of its own.

use crate::math::activate;
use crate::util::{broadcast_offset, case, cost, product};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::{
    Activation, AttrKind, AttrSpec, AttrValue, Attrs, Error, InputSpec, OpDef, RefTensor, Result, Shape, TensorSpec,
};

const NAME: &str = "elementwise_chain";

/// The most operands of a chain.
pub const CHAIN_OPERANDS: usize = 6;
/// The most steps of a chain.
pub const CHAIN_STEPS: usize = 8;

const INPUTS: &[InputSpec] = &[
    InputSpec::required("x0"),
    InputSpec::optional("x1"),
    InputSpec::optional("x2"),
    InputSpec::optional("x3"),
    InputSpec::optional("x4"),
    InputSpec::optional("x5"),
];

/// The code of a step is three bytes: what it does, its left and its right operand.
const fn step(name: &'static str) -> AttrSpec {
    AttrSpec { name, kind: AttrKind::Int(0, 0xff_ffff), default: AttrValue::Int(0) }
}

const ATTRS: &[AttrSpec] = &[
    step("step0"),
    step("step1"),
    step("step2"),
    step("step3"),
    step("step4"),
    step("step5"),
    step("step6"),
    step("step7"),
];

/// A program of up to [`CHAIN_STEPS`] element-wise steps over up to [`CHAIN_OPERANDS`] tensors that broadcast to one
/// shape, which is the result's. Every operand and every step but the last is read by a later step; the last one is the
/// result. Each step rounds once, as the op that it stands for does.
///
/// The attributes are the codes of the steps; see [`ChainStep::code`]. The first step of code 0 ends the program.
pub static ELEMENTWISE_CHAIN: OpDef = OpDef {
    name: NAME,
    trace_name: NAME,
    inputs: INPUTS,
    outputs: &["out"],
    attrs: ATTRS,
    infer,
    cost: costs,
    reference,
    cases,
};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChainOp {
    /// `a + b`
    Add,
    /// `a − b`
    Sub,
    /// `a · b`
    Mul,
    /// `a / b`
    Div,
    /// `act(a)`, for an activation other than the identity.
    Activate(Activation),
}

/// The number of the first activation among the codes of [`ChainOp`].
const FIRST_ACTIVATION: u8 = 4;

impl ChainOp {
    /// Its number in a code, from 1.
    const fn number(self) -> u8 {
        match self {
            ChainOp::Add => 1,
            ChainOp::Sub => 2,
            ChainOp::Mul => 3,
            ChainOp::Div => 4,
            ChainOp::Activate(kind) => FIRST_ACTIVATION + kind as u8,
        }
    }

    fn from_number(number: u8) -> Option<ChainOp> {
        Some(match number {
            1 => ChainOp::Add,
            2 => ChainOp::Sub,
            3 => ChainOp::Mul,
            4 => ChainOp::Div,
            // The identity would have the number of the division, so that it has none.
            _ => ChainOp::Activate(*Activation::ALL.get((number.checked_sub(FIRST_ACTIVATION)?) as usize)?),
        })
    }

    /// Whether it has a right operand.
    pub const fn is_binary(self) -> bool {
        !matches!(self, ChainOp::Activate(_))
    }
}

/// One step of a chain. Operands are numbered: those below [`CHAIN_OPERANDS`] are inputs, `CHAIN_OPERANDS + i` is the
/// result of step `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChainStep {
    /// What it does.
    pub op: ChainOp,
    /// The left, or only, operand.
    pub a: u8,
    /// The right operand; 0 where there is none.
    pub b: u8,
}

impl ChainStep {
    /// The step as an attribute: `op + 256·a + 65536·b`, with op 1 to 4 for add, sub, mul and div, and 4 plus an
    /// activation's number for that.
    pub const fn code(self) -> i64 {
        self.op.number() as i64 | (self.a as i64) << 8 | (self.b as i64) << 16
    }

    fn from_code(code: i64) -> Option<ChainStep> {
        let [op, a, b, ..] = code.to_le_bytes();
        Some(ChainStep { op: ChainOp::from_number(op)?, a, b })
    }
}

/// The program of [`ELEMENTWISE_CHAIN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainAttrs {
    steps: [ChainStep; CHAIN_STEPS],
    len: usize,
}

impl ChainAttrs {
    /// A program of these steps; `None` for no step, or for more than [`CHAIN_STEPS`].
    pub fn new(steps: &[ChainStep]) -> Option<ChainAttrs> {
        if steps.is_empty() || steps.len() > CHAIN_STEPS {
            return None;
        }
        let mut all = [steps[0]; CHAIN_STEPS];
        all[..steps.len()].copy_from_slice(steps);
        Some(ChainAttrs { steps: all, len: steps.len() })
    }

    /// The program of attributes; `None` if a code means no step, or there is no step.
    pub fn from_attrs(attrs: &Attrs) -> Option<ChainAttrs> {
        let mut steps = [ChainStep { op: ChainOp::Add, a: 0, b: 0 }; CHAIN_STEPS];
        let mut len = 0;
        while len < CHAIN_STEPS && attrs.int(len) != 0 {
            steps[len] = ChainStep::from_code(attrs.int(len))?;
            len += 1;
        }
        (len > 0).then_some(ChainAttrs { steps, len })
    }

    /// The steps in order.
    pub fn steps(&self) -> &[ChainStep] {
        &self.steps[..self.len]
    }
}

impl From<ChainAttrs> for Attrs {
    fn from(chain: ChainAttrs) -> Attrs {
        let code = |i: usize| AttrValue::Int(if i < chain.len { chain.steps[i].code() } else { 0 });
        Attrs::of(std::array::from_fn::<_, CHAIN_STEPS, _>(code))
    }
}

/// The program, if it is a sound one for inputs of which `present` says which are there.
fn program(attrs: &Attrs, present: [bool; CHAIN_OPERANDS]) -> Result<ChainAttrs> {
    let refuse = |i: usize, expected: &str, got: String| {
        let name = ATTRS[i.min(CHAIN_STEPS - 1)].name;
        Error::invalid(NAME, name, expected.to_owned(), got).hint("let graphs build chains: fusion makes them")
    };
    let codes = (0..CHAIN_STEPS).take_while(|i| attrs.int(*i) != 0).count();
    if let Some(late) = (codes..CHAIN_STEPS).find(|i| attrs.int(*i) != 0) {
        return Err(refuse(late, "0 after the last step", attrs.int(late).to_string()));
    }
    let Some(chain) = ChainAttrs::from_attrs(attrs) else {
        let bad = (0..codes).find(|i| ChainStep::from_code(attrs.int(*i)).is_none()).unwrap_or(0);
        return Err(refuse(bad, "the code of a step", attrs.int(bad).to_string()));
    };
    let mut used = [false; CHAIN_OPERANDS + CHAIN_STEPS];
    for (i, step) in chain.steps().iter().enumerate() {
        let read = if step.op.is_binary() { &[step.a, step.b][..] } else { &[step.a][..] };
        for operand in read.iter().map(|operand| *operand as usize) {
            let there = present.get(operand).copied().unwrap_or(operand < CHAIN_OPERANDS + i);
            if !there {
                return Err(refuse(i, "operands that are present, or earlier steps", format!("operand {operand}")));
            }
            used[operand] = true;
        }
        if !step.op.is_binary() && step.b != 0 {
            return Err(refuse(i, "0 for the operand that an activation lacks", format!("{}", step.b)));
        }
    }
    let needed = |i: &usize| match present.get(*i) {
        Some(present) => *present,
        None => *i + 1 < CHAIN_OPERANDS + chain.len,
    };
    match (0..CHAIN_OPERANDS + chain.len).filter(needed).find(|i| !used[*i]) {
        None => Ok(chain),
        Some(idle) => Err(refuse(chain.len - 1, "a program that reads everything", format!("operand {idle} unread"))),
    }
}

fn infer(attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let dtype = rule::same_dtype(NAME, INPUTS, inputs)?;
    program(attrs, std::array::from_fn(|i| rule::input(inputs, i).is_some()))?;
    let mut shape = Shape::new(&[])?;
    for (decl, spec) in INPUTS.iter().zip(inputs) {
        let Some(spec) = spec else { continue };
        shape = shape.broadcast(&spec.shape).ok_or_else(|| {
            Error::invalid(NAME, decl.name, format!("a shape that broadcasts with {shape}"), format!("{}", spec.shape))
        })?;
    }
    Ok(OutputSpecs::one(TensorSpec::new(dtype, shape)))
}

/// One operation an element and step.
fn costs(attrs: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let elements = product(outputs.first().shape.dims());
    let steps = ChainAttrs::from_attrs(attrs).map_or(0, |chain| chain.len as u64);
    cost(elements.saturating_mul(steps), elements, inputs, outputs)
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let chain = ChainAttrs::from_attrs(attrs).expect("the rule accepted the program");
    let shape = inputs.iter().flatten().fold(Shape::new(&[]).expect("a scalar"), |shape, input| {
        shape.broadcast(&input.shape).expect("the rule accepted the shapes")
    });
    let mut data = Vec::with_capacity(shape.numel());
    for index in 0..shape.numel() {
        let mut values = [0.0; CHAIN_OPERANDS + CHAIN_STEPS];
        for (value, input) in values.iter_mut().zip(inputs) {
            if let Some(input) = input {
                *value = input.data[broadcast_offset(&input.shape, &shape, index)];
            }
        }
        for (i, step) in chain.steps().iter().enumerate() {
            let (a, b) = (values[step.a as usize], values[step.b as usize]);
            values[CHAIN_OPERANDS + i] = match step.op {
                ChainOp::Add => a + b,
                ChainOp::Sub => a - b,
                ChainOp::Mul => a * b,
                ChainOp::Div => a / b,
                ChainOp::Activate(kind) => activate(kind, a),
            };
        }
        data.push(values[CHAIN_OPERANDS + chain.len - 1]);
    }
    vec![RefTensor { shape, data }]
}

/// The inputs that some step divides by.
pub(crate) fn divisors(attrs: &Attrs) -> impl Iterator<Item = usize> {
    let chain = ChainAttrs::from_attrs(attrs);
    let steps = chain.into_iter().flat_map(|chain| chain.steps.into_iter().take(chain.len));
    steps.filter(|step| step.op == ChainOp::Div).map(|step| step.b as usize)
}

fn cases() -> Vec<Case> {
    use Activation::{Gelu, GeluTanh, Relu, Silu};
    use ChainOp::{Activate, Add, Div, Mul, Sub};
    // Results of steps.
    const T: [u8; CHAIN_STEPS] = {
        let mut results = [0; CHAIN_STEPS];
        let mut i = 0;
        while i < CHAIN_STEPS {
            results[i] = (CHAIN_OPERANDS + i) as u8;
            i += 1;
        }
        results
    };
    let chain = |name: &str, steps: &[(ChainOp, u8, u8)], inputs: &[&[usize]]| {
        let steps: Vec<_> = steps.iter().map(|(op, a, b)| ChainStep { op: *op, a: *a, b: *b }).collect();
        let attrs = ChainAttrs::new(&steps).expect("between one and eight steps");
        let inputs: Vec<_> = inputs.iter().map(|dims| Some(*dims)).collect();
        case(name, attrs, &inputs)
    };
    let scaled = [(Mul, 0, 1), (Add, T[0], 2), (Activate(Relu), T[1], 0)];
    let long = [
        (Sub, 0, 1),
        (Mul, T[0], 2),
        (Div, T[1], 3),
        (Add, T[2], 4),
        (Activate(Gelu), T[3], 0),
        (Mul, T[4], 5),
        (Add, T[5], T[2]),
        (Activate(Silu), T[6], 0),
    ];
    vec![
        chain("one step", &[(Add, 0, 1)], &[&[19], &[19]]),
        chain("scalars", &scaled, &[&[], &[], &[]]),
        chain("one element", &scaled, &[&[1], &[1], &[1]]),
        chain("odd vectors", &scaled, &[&[257], &[257], &[257]]),
        chain("shorter than a lane", &scaled, &[&[3], &[3], &[3]]),
        chain("past several blocks", &scaled, &[&[40_003], &[40_003], &[40_003]]),
        chain("scalar operands", &scaled, &[&[9, 130], &[], &[1]]),
        chain("rows and columns", &scaled, &[&[17, 33], &[33], &[17, 1]]),
        chain("all stretch", &scaled, &[&[17, 1, 1], &[1, 5, 1], &[7]]),
        chain("an operand read twice", &[(Mul, 0, 0), (Sub, T[0], 0), (Activate(GeluTanh), T[1], 0)], &[&[5, 70]]),
        chain("a result read twice", &[(Add, 0, 1), (Mul, T[0], T[0]), (Sub, T[1], T[0])], &[&[6, 11], &[6, 11]]),
        chain("from the right", &[(Sub, 1, 0), (Div, T[0], 2), (Sub, 0, T[1])], &[&[6, 41], &[41], &[6, 41]]),
        chain("eight steps over six operands", &long, &[&[13, 40], &[40], &[13, 1], &[13, 40], &[], &[1, 40]]),
        chain("eight steps, large", &long, &[&[21_001], &[21_001], &[1], &[21_001], &[21_001], &[21_001]]),
        chain("eight dimensions", &scaled, &[&[2, 1, 2, 1, 3, 1, 2, 1], &[1, 2, 1, 2, 1, 3, 1, 2], &[3, 1, 1, 2]]),
    ]
}
