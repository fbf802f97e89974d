//! Graph to program: names of the first release become registry ops, views become the way a value is read.

use crate::ir::{Graph, NodeId, TensorId};
use crate::program::{Call, CallId, Operand, Program, Value};
use crate::schema::Target;
use lc_core::shape::MAX_RANK;
use lc_core::{Error, OpDef, OutputSpecs, Result, Shape, Strides, TensorSpec};

/// The program of a valid graph that gives the caller the tensors in `wanted`.
///
/// # Errors
/// A view that no strides can express, such as a flat part of a transposed tensor; a wanted tensor that does not exist.
pub fn canonicalise(graph: &Graph, wanted: &[TensorId]) -> Result<Program> {
    let mut program = Program::default();
    let mut operands: Vec<Option<Operand>> = vec![None; graph.tensors.len()];
    let producers = graph.producers();
    let mut calls_of: Vec<Vec<CallId>> = vec![Vec::new(); graph.nodes.len()];
    for (id, tensor) in graph.tensors.iter().enumerate() {
        if producers[id].is_none() {
            operands[id] = Some(Operand::whole(program.values.len(), tensor.spec));
            program.values.push(Value { spec: tensor.spec, fed: Some(id), constant: tensor.value.clone() });
        }
    }
    for (id, node) in graph.nodes.iter().enumerate() {
        let read = |tensor: &TensorId| {
            operands.get(*tensor).copied().flatten().ok_or_else(|| {
                Error::invalid(
                    node.schema.name,
                    "inputs",
                    "a fed tensor, or one that an earlier node makes",
                    format!("tensor {tensor}"),
                )
            })
        };
        let inputs: Vec<Option<Operand>> =
            node.inputs.iter().map(|t| t.as_ref().map(read).transpose()).collect::<Result<_>>()?;
        let mut after: Vec<CallId> = node.control_deps.iter().flat_map(|dep| calls_of[*dep].clone()).collect();
        let declared = graph.tensors[node.outputs[0]].spec;
        match node.schema.target {
            Target::View | Target::Transpose => {
                let Some(source) = inputs[0] else { return Err(broken(graph, id)) };
                let view = match node.schema.target {
                    Target::View => flat_view(graph, id, &source, node.attrs.size(0), declared)?,
                    _ => transposed(&source)?,
                };
                operands[node.outputs[0]] = Some(view);
                // Whoever waits for a view waits for what it shows, and for what it waits for.
                after.extend(program.writers()[source.value]);
                calls_of[id] = after;
                continue;
            }
            Target::VectorAdd => {
                let specs = [inputs[0].map(|o| o.spec.shape), inputs[1].map(|o| o.spec.shape), Some(declared.shape)];
                let alike = specs.iter().all(|shape| *shape == specs[0]);
                let flat = TensorSpec::new(declared.dtype, Shape::new(&[declared.shape.numel()])?);
                let inputs = match alike {
                    true => inputs,
                    false => inputs
                        .into_iter()
                        .map(|o| o.map(|o| flat_view(graph, id, &o, 0, flat)).transpose())
                        .collect::<Result<_>>()?,
                };
                push(&mut program, &mut operands, &mut calls_of, graph, id, &lc_ops::ADD, inputs, after)?;
            }
            Target::Op(op) | Target::Matrix(op) => {
                push(&mut program, &mut operands, &mut calls_of, graph, id, op, inputs, after)?;
            }
            Target::Attention2d => {
                push(&mut program, &mut operands, &mut calls_of, graph, id, &lc_ops::ATTENTION, inputs, after)?;
            }
            Target::Conv3x3 => {
                push(&mut program, &mut operands, &mut calls_of, graph, id, &lc_ops::CONV2D, inputs, after)?;
            }
        }
    }
    for tensor in wanted {
        let operand = operands.get(*tensor).copied().flatten().ok_or_else(|| {
            Error::invalid("graph", "outputs", format!("tensors below {}", graph.tensors.len()), format!("{tensor}"))
        })?;
        program.wanted.push((*tensor, operand));
    }
    Ok(program)
}

fn push(
    program: &mut Program,
    operands: &mut [Option<Operand>],
    calls_of: &mut [Vec<CallId>],
    graph: &Graph,
    id: NodeId,
    op: &'static OpDef,
    inputs: Vec<Option<Operand>>,
    after: Vec<CallId>,
) -> Result<()> {
    let node = &graph.nodes[id];
    let specs: Vec<_> = inputs.iter().map(|o| o.map(|o| o.spec)).collect();
    let results: OutputSpecs = op.check(&node.attrs, &specs)?;
    let mut outputs = Vec::with_capacity(node.outputs.len());
    for (tensor, spec) in node.outputs.iter().zip(results.iter()) {
        let declared = graph.tensors[*tensor].spec;
        if declared.shape.numel() != spec.shape.numel() || declared.dtype != spec.dtype {
            return Err(broken(graph, id));
        }
        outputs.push(program.values.len());
        operands[*tensor] = Some(Operand::whole(program.values.len(), declared));
        program.values.push(Value { spec: *spec, fed: None, constant: None });
    }
    calls_of[id] = vec![program.calls.len()];
    let (attrs, device) = (node.attrs, node.device);
    program.calls.push(Some(Call { op, attrs, inputs, outputs, after, nodes: vec![id], device }));
    Ok(())
}

fn broken(graph: &Graph, id: NodeId) -> Error {
    Error::invalid("graph", "node", "a validated graph", graph.node_label(id))
}

fn flat_view(graph: &Graph, id: NodeId, source: &Operand, offset: usize, spec: TensorSpec) -> Result<Operand> {
    if !source.is_dense() {
        return Err(Error::unsupported(
            "view",
            "a dense source",
            format!("a transposed one at {}", graph.node_label(id)),
        )
        .hint("put a \"pack\" node, which copies, between the transpose and the view"));
    }
    let end = offset.checked_add(spec.shape.numel());
    if end.is_none_or(|end| end > source.spec.shape.numel()) {
        return Err(broken(graph, id));
    }
    let strides = spec.shape.contiguous_strides();
    Ok(Operand { value: source.value, offset: source.offset + offset, spec, strides })
}

fn transposed(source: &Operand) -> Result<Operand> {
    let rank = source.spec.shape.rank();
    let (mut dims, mut steps) = ([0; MAX_RANK], [0; MAX_RANK]);
    dims[..rank].copy_from_slice(source.spec.shape.dims());
    steps[..rank].copy_from_slice(source.strides.steps());
    if rank >= 2 {
        dims.swap(rank - 2, rank - 1);
        steps.swap(rank - 2, rank - 1);
    }
    let spec = TensorSpec::new(source.spec.dtype, Shape::new(&dims[..rank])?);
    Ok(Operand { spec, strides: Strides::new(&steps[..rank])?, ..*source })
}
