//! Building a graph, with everything checked that can be checked so far.

use crate::ir::{Constant, Graph, Layout, Node, NodeId, Tensor, TensorId};
use crate::schema;
use lc_core::{AttrValue, DType, DeviceRequest, Error, Registry, Result, Shape, TensorRef, TensorSpec};

/// What a new node is, beside its op and tensors.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeOptions<'a> {
    /// Attributes by name; the others have their defaults.
    pub attrs: &'a [(&'a str, AttrValue)],
    /// Nodes that must be done before it starts.
    pub control_deps: &'a [NodeId],
    /// Name; may be empty.
    pub name: &'a str,
    /// The device that it asks for, where it is another than the plan's.
    pub device: Option<DeviceRequest>,
}

impl Graph {
    /// Adds a tensor.
    ///
    /// # Errors
    /// No dimension at all, an extent of zero, or more elements than fit in memory.
    pub fn add_tensor(
        &mut self,
        dims: &[usize],
        dtype: DType,
        layout: Layout,
        name: &str,
        constant: bool,
    ) -> Result<TensorId> {
        if dims.is_empty() || dims.contains(&0) {
            let expected = "at least one dimension, and extents of at least 1";
            return Err(Error::invalid("graph", "shape", expected, format!("{dims:?}")));
        }
        let spec = TensorSpec::new(dtype, Shape::new(dims)?);
        self.tensors.push(Tensor { spec, layout, name: name.to_owned(), constant, value: None });
        Ok(self.tensors.len() - 1)
    }

    /// Adds a dense float32 tensor without a name.
    ///
    /// # Errors
    /// As [`Graph::add_tensor`].
    pub fn tensor(&mut self, dims: &[usize]) -> Result<TensorId> {
        self.add_tensor(dims, DType::F32, Layout::Contiguous, "", false)
    }

    /// Adds a constant whose value is known: the graph keeps a copy, plans keep what kernels make of it, and it is not fed.
    ///
    /// # Errors
    /// An extent of zero; out of memory.
    pub fn add_constant(&mut self, value: &TensorRef<'_>, name: &str) -> Result<TensorId> {
        let spec = *value.spec();
        if spec.shape.numel() == 0 {
            return Err(Error::invalid("graph", "value", "extents of at least 1", format!("shape {}", spec.shape)));
        }
        let value = Some(Constant::new(value)?);
        let layout = Layout::Contiguous;
        self.tensors.push(Tensor { spec, layout, name: name.to_owned(), constant: true, value });
        Ok(self.tensors.len() - 1)
    }

    /// Adds a node between tensors that are there. Shapes are left to validation, so that one report shows every issue.
    ///
    /// # Errors
    /// An unknown op; too few or too many inputs or outputs; tensors that do not exist; control dependencies on this or
    /// later nodes; attributes that the op refuses.
    pub fn add_node(
        &mut self,
        registry: &Registry,
        op: &str,
        inputs: &[Option<TensorId>],
        outputs: &[TensorId],
        options: &NodeOptions<'_>,
    ) -> Result<NodeId> {
        let schema = schema::find(registry, op)?;
        let id = self.nodes.len();
        let present = inputs.iter().take(schema.min_inputs).flatten().count();
        if present < schema.min_inputs || inputs.len() > schema.max_inputs {
            let expected = match (schema.min_inputs, schema.max_inputs) {
                (min, max) if min == max => format!("{min} inputs"),
                (min, max) => format!("{min} to {max} inputs"),
            };
            return Err(Error::invalid(schema.name, "inputs", expected, format!("{}", inputs.len())));
        }
        if outputs.len() != schema.outputs {
            let expected = format!("{} outputs", schema.outputs);
            return Err(Error::invalid(schema.name, "outputs", expected, format!("{}", outputs.len())));
        }
        for tensor in inputs.iter().flatten().chain(outputs) {
            if *tensor >= self.tensors.len() {
                let expected = format!("a tensor below {}", self.tensors.len());
                return Err(Error::invalid(schema.name, "tensor", expected, format!("{tensor}"))
                    .hint("add the tensor before the node"));
            }
        }
        if let Some(dep) = options.control_deps.iter().find(|dep| **dep >= id) {
            let expected = format!("an earlier node, below {id}");
            return Err(Error::invalid(schema.name, "control_deps", expected, format!("{dep}"))
                .hint("a node can wait only for nodes that were added before it"));
        }
        let attrs = schema.with_attrs(options.attrs)?;
        self.nodes.push(Node {
            schema,
            attrs,
            inputs: inputs.to_vec(),
            outputs: outputs.to_vec(),
            control_deps: options.control_deps.to_vec(),
            name: options.name.to_owned(),
            device: options.device,
        });
        Ok(id)
    }

    /// Adds a node and the tensors that it makes, whose types and extents follow from the op's rule.
    ///
    /// # Errors
    /// As [`Graph::add_node`], and inputs that the op's rule refuses.
    pub fn add(
        &mut self,
        registry: &Registry,
        op: &str,
        inputs: &[Option<TensorId>],
        options: &NodeOptions<'_>,
    ) -> Result<Vec<TensorId>> {
        let schema = schema::find(registry, op)?;
        let attrs = schema.with_attrs(options.attrs)?;
        let specs: Vec<_> = inputs.iter().map(|id| id.and_then(|id| self.tensors.get(id)).map(|t| t.spec)).collect();
        let outputs = schema.infer(&attrs, &specs, None)?;
        let first = self.tensors.len();
        for spec in &outputs {
            // Not by `add_tensor`: a result may be a scalar.
            let (name, layout) = (String::new(), Layout::Contiguous);
            self.tensors.push(Tensor { spec: *spec, layout, name, constant: false, value: None });
        }
        let ids: Vec<_> = (first..self.tensors.len()).collect();
        match self.add_node(registry, op, inputs, &ids, options) {
            Ok(_) => Ok(ids),
            Err(error) => {
                self.tensors.truncate(first);
                Err(error)
            }
        }
    }

    /// Adds a view: the elements of `x` from `offset` on, in row-major order, as a tensor of extents `dims`.
    ///
    /// # Errors
    /// A view past the end of `x`.
    pub fn view(&mut self, registry: &Registry, x: TensorId, offset: usize, dims: &[usize]) -> Result<TensorId> {
        let dtype = self.tensors.get(x).map_or(DType::F32, |t| t.spec.dtype);
        let out = self.add_tensor(dims, dtype, Layout::Contiguous, "", false)?;
        let attrs = [("offset", AttrValue::Int(i64::try_from(offset).unwrap_or(i64::MAX)))];
        let options = NodeOptions { attrs: &attrs, ..NodeOptions::default() };
        let added = self.add_node(registry, "view", &[Some(x)], &[out], &options).and_then(|id| {
            let node = &self.nodes[id];
            let specs = [Some(self.tensors[x].spec)];
            node.schema.infer(&node.attrs, &specs, Some(&[self.tensors[out].spec])).inspect_err(|_| {
                self.nodes.truncate(id);
            })
        });
        if let Err(error) = added {
            self.tensors.truncate(out);
            return Err(error);
        }
        Ok(out)
    }
}
