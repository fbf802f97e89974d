//! The ops that a graph's nodes may be: every op of the registry under its own name, the names of the first release,
//! and views, which launch nothing.

use lc_core::{AttrKind, AttrSpec, AttrValue, Attrs, Error, OpDef, Registry, Result, Shape, TensorSpec};

/// What a node of a schema becomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// A call of that op.
    Op(&'static OpDef),
    /// Addition element by element in row-major order: shapes may differ, numbers of elements may not.
    VectorAdd,
    /// A binary op on three equal shapes of rank 2.
    Matrix(&'static OpDef),
    /// Attention on four equal shapes of rank 2.
    Attention2d,
    /// Convolution by 3×3 filters with stride 1 and padding 1.
    Conv3x3,
    /// The elements of its input from an offset on, in row-major order, under the output's shape.
    View,
    /// Its input with the last two dimensions exchanged.
    Transpose,
}

/// An op as graphs know it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schema {
    /// Name.
    pub name: &'static str,
    /// What it becomes.
    pub target: Target,
    /// The fewest inputs.
    pub min_inputs: usize,
    /// The most inputs.
    pub max_inputs: usize,
    /// The number of outputs.
    pub outputs: usize,
}

const OFFSET: [AttrSpec; 1] =
    [AttrSpec { name: "offset", kind: AttrKind::Int(0, i64::MAX), default: AttrValue::Int(0) }];

const fn schema(name: &'static str, target: Target, min_inputs: usize, max_inputs: usize) -> Schema {
    Schema { name, target, min_inputs, max_inputs, outputs: 1 }
}

/// The names of the first release that are not those of registry ops.
const LEGACY: [Schema; 5] = [
    schema("vector_add", Target::VectorAdd, 2, 2),
    schema("matrix_sub", Target::Matrix(&lc_ops::SUB), 2, 2),
    schema("matrix_div", Target::Matrix(&lc_ops::DIV), 2, 2),
    schema("attention_forward", Target::Attention2d, 3, 3),
    schema("conv2d_nchw3x3s1p1", Target::Conv3x3, 2, 3),
];
const VIEWS: [Schema; 2] = [schema("view", Target::View, 1, 1), schema("transpose", Target::Transpose, 1, 1)];

fn of_op(op: &'static OpDef) -> Schema {
    Schema {
        name: op.name,
        target: Target::Op(op),
        min_inputs: op.inputs.iter().filter(|input| !input.optional).count(),
        max_inputs: op.inputs.len(),
        outputs: op.outputs.len(),
    }
}

/// Every schema: the names of the first release, then the registry's other ops in its order, then views.
pub fn schemas(registry: &Registry) -> Vec<Schema> {
    let matmul = registry.ops().iter().filter(|op| op.name == "matmul");
    let others = registry.ops().iter().filter(|op| op.name != "matmul");
    let legacy = LEGACY.into_iter().filter(|legacy| registry.ops().iter().all(|op| op.name != legacy.name));
    matmul.map(|op| of_op(op)).chain(legacy).chain(others.map(|op| of_op(op))).chain(VIEWS).collect()
}

/// The schema of that name.
///
/// # Errors
/// Any other name.
pub fn find(registry: &Registry, name: &str) -> Result<Schema> {
    let op = registry.ops().iter().find(|op| op.name == name).map(|op| of_op(op));
    op.or_else(|| LEGACY.into_iter().chain(VIEWS).find(|schema| schema.name == name)).ok_or_else(|| {
        let names: Vec<_> = schemas(registry).iter().map(|schema| schema.name).collect();
        Error::invalid("graph", "op", format!("one of {names:?}"), format!("{name:?}"))
    })
}

impl Schema {
    /// The registry op that a node becomes; `None` for a view.
    pub fn op(&self) -> Option<&'static OpDef> {
        match self.target {
            Target::Op(op) | Target::Matrix(op) => Some(op),
            Target::VectorAdd => Some(&lc_ops::ADD),
            Target::Attention2d => Some(&lc_ops::ATTENTION),
            Target::Conv3x3 => Some(&lc_ops::CONV2D),
            Target::View | Target::Transpose => None,
        }
    }

    /// The attributes that a node takes: those of its registry op.
    pub fn attrs(&self) -> &'static [AttrSpec] {
        match (self.target, self.op()) {
            (Target::View, _) => &OFFSET,
            (_, Some(op)) => op.attrs,
            _ => &[],
        }
    }

    /// Attributes that the name itself fixes.
    fn fixed(&self) -> &'static [(&'static str, AttrValue)] {
        const ONE: AttrValue = AttrValue::Int(1);
        match self.target {
            Target::Conv3x3 => &[("stride_h", ONE), ("stride_w", ONE), ("pad_h", ONE), ("pad_w", ONE)],
            _ => &[],
        }
    }

    /// The attributes of a node that sets these.
    ///
    /// # Errors
    /// A name that the op lacks; a value out of bounds, or other than the one that the op's name fixes.
    pub fn with_attrs(&self, set: &[(&str, AttrValue)]) -> Result<Attrs> {
        let specs = self.attrs();
        let mut attrs = Attrs::defaults(specs);
        for (name, value) in self.fixed() {
            attrs = attrs.with(self.name, specs, name, *value)?;
        }
        for (name, value) in set {
            if let Some((_, fixed)) = self.fixed().iter().find(|(fixed, _)| fixed == name)
                && fixed != value
            {
                return Err(Error::invalid(self.name, name.to_string(), format!("{fixed:?}"), format!("{value:?}"))
                    .hint("use op \"conv2d\", which takes any stride and padding"));
            }
            attrs = attrs.with(self.name, specs, name, *value)?;
        }
        Ok(attrs)
    }

    /// The results of a node, where `declared` are the specs that its output tensors have, if they are known.
    ///
    /// # Errors
    /// What the op's rule refuses; inputs or declared outputs that break the rule of the node's name.
    pub fn infer(
        &self,
        attrs: &Attrs,
        inputs: &[Option<TensorSpec>],
        declared: Option<&[TensorSpec]>,
    ) -> Result<Vec<TensorSpec>> {
        let first = inputs.first().copied().flatten();
        let required = |i: usize| {
            inputs.get(i).copied().flatten().ok_or_else(|| {
                Error::invalid(self.name, "inputs", format!("at least {} tensors", self.min_inputs), "fewer")
            })
        };
        let equal = |rank: usize| {
            let a = required(0)?;
            for i in 0..self.min_inputs {
                let spec = required(i)?;
                if spec.shape != a.shape || spec.shape.rank() != rank {
                    let name = self.op().map_or("inputs", |op| op.inputs[i].name);
                    let expected = format!("{rank} dimensions, all inputs alike");
                    return Err(Error::invalid(self.name, name, expected, format!("shape {}", spec.shape)));
                }
            }
            Ok(())
        };
        let by_op = |op: &'static OpDef| {
            let outputs = op.check(attrs, inputs).map_err(|e| e.in_op(self.name))?;
            Ok(outputs.iter().copied().collect::<Vec<_>>())
        };
        let declared_one = declared.and_then(|specs| specs.first().copied());
        match self.target {
            Target::Op(op) => by_op(op),
            Target::Matrix(op) => {
                equal(2)?;
                by_op(op)
            }
            Target::Attention2d => {
                equal(2)?;
                by_op(&lc_ops::ATTENTION)
            }
            Target::Conv3x3 => {
                let w = required(1)?;
                if w.shape.rank() == 4 && (w.shape[2], w.shape[3]) != (3, 3) {
                    return Err(Error::invalid(self.name, "w", "a 3×3 kernel", format!("shape {}", w.shape))
                        .hint("use op \"conv2d\", which takes any kernel"));
                }
                by_op(&lc_ops::CONV2D)
            }
            Target::VectorAdd => {
                let (a, b) = (required(0)?, required(1)?);
                let n = a.shape.numel();
                let flat = |spec: TensorSpec| Ok(TensorSpec::new(spec.dtype, Shape::new(&[spec.shape.numel()])?));
                if b.shape.numel() != n {
                    let got = format!("{} (shape {})", b.shape.numel(), b.shape);
                    return Err(Error::invalid(self.name, "b", format!("{n} elements, as `a`"), got));
                }
                lc_ops::ADD.check(attrs, &[Some(flat(a)?), Some(flat(b)?)]).map_err(|e| e.in_op(self.name))?;
                let out = declared_one.unwrap_or(a);
                if out.shape.numel() != n {
                    let got = format!("{} (shape {})", out.shape.numel(), out.shape);
                    return Err(Error::invalid(self.name, "out", format!("{n} elements, as `a`"), got));
                }
                Ok(vec![TensorSpec::new(a.dtype, out.shape)])
            }
            Target::View => {
                let x = required(0)?;
                let Some(out) = declared_one else {
                    return Err(Error::invalid(self.name, "outputs", "a tensor with the shape of the view", "none")
                        .hint("add the output tensor first and pass it to add_node"));
                };
                let end = attrs.size(0).checked_add(out.shape.numel());
                if end.is_none_or(|end| end > x.shape.numel()) {
                    let got = format!("{} from element {} on", out.shape, attrs.size(0));
                    let expected = format!("a view inside {} elements", x.shape.numel());
                    return Err(Error::invalid(self.name, "offset", expected, got));
                }
                Ok(vec![TensorSpec::new(x.dtype, out.shape)])
            }
            Target::Transpose => {
                let x = first.filter(|x| x.shape.rank() >= 2).ok_or_else(|| {
                    let got = first.map_or("none".into(), |x| format!("shape {}", x.shape));
                    Error::invalid(self.name, "x", "at least 2 dimensions", got)
                })?;
                let mut dims = x.shape.dims().to_vec();
                let rank = dims.len();
                dims.swap(rank - 2, rank - 1);
                Ok(vec![TensorSpec::new(x.dtype, Shape::new(&dims)?)])
            }
        }
    }
}
