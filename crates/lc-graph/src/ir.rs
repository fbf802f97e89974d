//! What a graph is: tensors and the nodes that make some of them out of others.

use crate::schema::Schema;
use lc_core::backend::{Buffer, gather};
use lc_core::{Attrs, DeviceRequest, Error, Result, TensorRef, TensorSpec};
use std::sync::Arc;

/// A tensor's number in its graph, from 0 in the order of addition.
pub type TensorId = usize;
/// A node's number in its graph, from 0 in the order of addition.
pub type NodeId = usize;

/// What the memory of a fed tensor may look like. Tensors that a node makes are always dense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Dense and row-major: a feed that is not is gathered into a dense copy before the plan runs.
    #[default]
    Contiguous,
    /// Any strides: the kernels read a feed where it lies.
    Strided,
}

impl Layout {
    /// The name in Python.
    pub const fn name(self) -> &'static str {
        match self {
            Layout::Contiguous => "contiguous",
            Layout::Strided => "strided",
        }
    }

    /// The layout of that name.
    pub fn from_name(name: &str) -> Option<Layout> {
        [Layout::Contiguous, Layout::Strided].into_iter().find(|layout| layout.name() == name)
    }
}

/// The value of a constant that is known before the graph is planned: dense, in memory of the host that copies of the
/// graph and its plans share.
#[derive(Clone, Debug)]
pub struct Constant {
    memory: Arc<Buffer>,
    spec: TensorSpec,
}

/// A cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "only its size and alignment count")] [u8; 64]);

impl Constant {
    /// A copy of a tensor.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(tensor: &TensorRef<'_>) -> Result<Constant> {
        let bytes = tensor.spec().bytes();
        let count = bytes.div_ceil(size_of::<Line>());
        let mut lines: Vec<Line> = Vec::new();
        lines.try_reserve_exact(count).map_err(|_| {
            Error::new(lc_core::ErrorKind::OutOfMemory, "graph").got(format!("a constant of {bytes} bytes"))
        })?;
        lines.resize(count, Line([0; 64]));
        let host = lines.as_mut_ptr().cast::<u8>();
        // SAFETY: the lines hold at least `bytes` bytes, which nothing else refers to yet.
        gather(tensor, unsafe { std::slice::from_raw_parts_mut(host, bytes) })?;
        // SAFETY: the lines are aligned to 64, live as long as the vector, and do not move with it.
        let memory = unsafe { Buffer::with_host(bytes, host, Box::new(lines)) };
        Ok(Constant { memory: Arc::new(memory), spec: *tensor.spec() })
    }

    /// Its memory.
    pub fn memory(&self) -> &Arc<Buffer> {
        &self.memory
    }

    /// It as a tensor.
    pub fn tensor(&self) -> TensorRef<'_> {
        let host = self.memory.host().unwrap_or(std::ptr::dangling_mut());
        // SAFETY: made by `new`: dense, of this spec, in memory that lives as long as `self`.
        unsafe { TensorRef::from_raw(host, self.spec, self.spec.shape.contiguous_strides()) }
    }
}

impl Constant {
    /// The element at that position in row-major order, if there is one.
    pub fn element(&self, index: usize) -> Option<f64> {
        let at = self.tensor().ptr().wrapping_add(index * self.spec.dtype.size());
        let spec = TensorSpec::new(self.spec.dtype, lc_core::Shape::new(&[]).ok()?);
        if index >= self.spec.shape.numel() {
            return None;
        }
        let mut found = None;
        // SAFETY: `at` is an element of the constant, which is dense, and a scalar reads no other.
        unsafe { TensorRef::from_raw(at, spec, spec.shape.contiguous_strides()) }.for_each(|x| found = Some(x));
        found
    }
}

/// Two constants are the same if they share their memory.
impl PartialEq for Constant {
    fn eq(&self, other: &Constant) -> bool {
        Arc::ptr_eq(&self.memory, &other.memory)
    }
}

/// A tensor of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Type and extents.
    pub spec: TensorSpec,
    /// Layout of a feed.
    pub layout: Layout,
    /// Name in feeds, messages and reports; may be empty.
    pub name: String,
    /// Whether the value stays the same from run to run: no node may make it, and a [`Runner`](crate::Runner) keeps what
    /// it was fed once.
    pub constant: bool,
    /// The value, if it is known before planning: then the tensor is not fed, plans hold it in the form that their kernels
    /// read fastest, and fusion may look at it.
    pub value: Option<Constant>,
}

/// One op of a graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// Which op.
    pub schema: Schema,
    /// Its attributes, by the schema's order.
    pub attrs: Attrs,
    /// What it reads, by position; `None` where an optional input is absent.
    pub inputs: Vec<Option<TensorId>>,
    /// What it makes.
    pub outputs: Vec<TensorId>,
    /// Nodes that must be done before this one starts, beside those that make its inputs.
    pub control_deps: Vec<NodeId>,
    /// Name in messages and reports; may be empty.
    pub name: String,
    /// The device that this node asks for, where it is another than the plan's.
    pub device: Option<DeviceRequest>,
}

/// A graph. [`Graph::add_tensor`], [`Graph::add_node`] and [`Graph::add`] build it; the fields are open to importers, and
/// [`validate`](crate::validate::validate) finds whatever they got wrong.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Tensors by number.
    pub tensors: Vec<Tensor>,
    /// Nodes by number.
    pub nodes: Vec<Node>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Graph {
        Graph::default()
    }

    /// The node that makes each tensor: the last one, if a faulty graph has several.
    pub fn producers(&self) -> Vec<Option<NodeId>> {
        let mut producers = vec![None; self.tensors.len()];
        for (id, node) in self.nodes.iter().enumerate() {
            for tensor in &node.outputs {
                if let Some(slot) = producers.get_mut(*tensor) {
                    *slot = Some(id);
                }
            }
        }
        producers
    }

    /// A node's name for messages: its number, its op, and its own name if it has one.
    pub fn node_label(&self, id: NodeId) -> String {
        match self.nodes.get(id) {
            Some(node) if node.name.is_empty() => format!("node {id} ({})", node.schema.name),
            Some(node) => format!("node {id} ({} \"{}\")", node.schema.name, node.name),
            None => format!("node {id}"),
        }
    }

    /// A tensor's name for messages: its number, and its own name if it has one.
    pub fn tensor_label(&self, id: TensorId) -> String {
        match self.tensors.get(id) {
            Some(tensor) if !tensor.name.is_empty() => format!("tensor {id} (\"{}\")", tensor.name),
            _ => format!("tensor {id}"),
        }
    }
}
