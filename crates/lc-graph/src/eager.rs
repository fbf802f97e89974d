//! A graph call by call, as a caller of the functions would run it: every result in new memory, nothing fused, planned or
//! packed ahead. What plans are compared with.

use crate::ir::{Graph, TensorId};
use crate::passes::canonicalise::canonicalise;
use crate::plan::PlanOptions;
use crate::program::{Operand, Program, ValueId};
use lc_core::backend::gather;
use lc_core::{Error, ErrorKind, PackedPolicy, Receipt, Result, Runtime, TensorMut, TensorRef, TensorSpec};

/// A graph that runs call by call.
#[derive(Debug)]
pub struct Eager {
    program: Program,
    level: PackedPolicy,
    options: PlanOptions,
    feeds: Vec<TensorId>,
    outputs: Vec<ValueId>,
}

impl Eager {
    /// A graph whose caller wants these tensors.
    ///
    /// # Errors
    /// A view that no strides can express; a wanted tensor that does not exist.
    pub fn new(graph: &Graph, wanted: &[TensorId], options: &PlanOptions) -> Result<Eager> {
        let mut program = canonicalise(graph, wanted)?;
        program.remove_dead();
        let mut outputs = Vec::new();
        for (_, operand) in &program.wanted {
            if program.values[operand.value].fed.is_none() && !outputs.contains(&operand.value) {
                outputs.push(operand.value);
            }
        }
        let feeds = program.values.iter().filter(|value| value.constant.is_none()).filter_map(|value| value.fed);
        let level = match options.preferred {
            Some(device) => PackedPolicy::device(device).over(options.level),
            None => options.level,
        };
        Ok(Eager { feeds: feeds.collect(), program, level, options: *options, outputs })
    }

    /// The tensors that a run may read, in the order of its arguments.
    pub fn feeds(&self) -> &[TensorId] {
        &self.feeds
    }

    /// Type and extents of the results of a run, in order: those of a plan for the same wanted tensors.
    pub fn outputs(&self) -> Vec<TensorSpec> {
        self.outputs.iter().map(|value| self.program.values[*value].spec).collect()
    }

    /// Runs every call by itself. `feeds` has an entry for each of [`Eager::feeds`]; one that no call reads may be `None`.
    ///
    /// # Errors
    /// As [`Runtime::call`]; a feed that is missing or of another type or extents.
    pub fn run(
        &self,
        runtime: &Runtime,
        feeds: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
    ) -> Result<Vec<Receipt>> {
        if outputs.len() != self.outputs.len() || feeds.len() != self.feeds.len() {
            let expected = format!("{} feeds and {} results", self.feeds.len(), self.outputs.len());
            let got = format!("{} and {}", feeds.len(), outputs.len());
            return Err(Error::invalid("graph", "feeds", expected, got));
        }
        let mut memory: Vec<Option<Vec<u64>>> = vec![None; self.program.values.len()];
        let mut receipts = Vec::with_capacity(self.program.calls.len());
        for (_, call) in self.program.iter() {
            let mut targets = Vec::with_capacity(call.outputs.len());
            for value in &call.outputs {
                let spec = self.program.values[*value].spec;
                let ptr = match self.outputs.iter().position(|output| output == value) {
                    Some(position) if *outputs[position].spec() == spec => outputs[position].ptr(),
                    Some(position) => {
                        let text = |s: &TensorSpec| format!("{} {}", s.dtype, s.shape);
                        let got = text(outputs[position].spec());
                        return Err(Error::invalid("graph", format!("result {position}"), text(&spec), got));
                    }
                    None => memory[*value].insert(vec![0; spec.bytes().div_ceil(8)]).as_mut_ptr().cast(),
                };
                // SAFETY: a result of the caller with this spec, or new memory of its size; one call writes each value,
                // and the vector does not move its words.
                targets.push(unsafe { TensorMut::from_raw(ptr, spec) });
            }
            let mut copies: Vec<Vec<u64>> = Vec::new();
            let mut inputs = Vec::with_capacity(call.inputs.len());
            for operand in &call.inputs {
                inputs.push(match operand {
                    None => None,
                    Some(operand) => Some(self.operand(operand, &memory, feeds, outputs, &mut copies)?),
                });
            }
            let level = match call.device {
                Some(device) => PackedPolicy::device(device).over(self.options.level),
                None => self.level,
            };
            receipts.push(runtime.call(call.op, &call.attrs, &inputs, &mut targets, level)?);
        }
        Ok(receipts)
    }

    fn operand<'a>(
        &self,
        operand: &Operand,
        memory: &'a [Option<Vec<u64>>],
        feeds: &[Option<TensorRef<'a>>],
        outputs: &'a [TensorMut<'_>],
        copies: &mut Vec<Vec<u64>>,
    ) -> Result<TensorRef<'a>> {
        let Operand { value, offset, spec, strides } = *operand;
        let declared = &self.program.values[value];
        let mut base = match (&declared.constant, declared.fed) {
            (Some(constant), _) => constant.tensor().ptr(),
            (None, Some(tensor)) => {
                let position = self.feeds.iter().position(|feed| *feed == tensor);
                let feed = position.and_then(|position| feeds[position]);
                let feed = feed.filter(|feed| *feed.spec() == declared.spec).ok_or_else(|| missing(&declared.spec))?;
                if *operand == Operand::whole(value, declared.spec) {
                    return Ok(feed);
                }
                feed.ptr()
            }
            (None, None) => match (&memory[value], self.outputs.iter().position(|output| *output == value)) {
                (Some(words), _) => words.as_ptr().cast(),
                (None, Some(position)) => outputs[position].ptr().cast_const(),
                (None, None) => return Err(missing(&declared.spec)),
            },
        };
        if let (None, Some(tensor)) = (&declared.constant, declared.fed)
            && let Some(feed) = self.feeds.iter().position(|feed| *feed == tensor).and_then(|at| feeds[at])
            && !feed.is_contiguous()
        {
            // A view other than the whole is defined on the dense form.
            let mut words = vec![0u64; feed.spec().bytes().div_ceil(8)];
            let start = words.as_mut_ptr().cast::<u8>();
            // SAFETY: the words hold as many bytes, which nothing else refers to yet.
            gather(&feed, unsafe { std::slice::from_raw_parts_mut(start, feed.spec().bytes()) })?;
            base = start;
            copies.push(words);
        }
        let start = base.wrapping_add(offset * spec.dtype.size());
        // SAFETY: operands lie inside their value, which is dense at `base` and lives until the run is over.
        Ok(unsafe { TensorRef::from_raw(start, spec, strides) })
    }
}

#[cold]
fn missing(spec: &TensorSpec) -> Error {
    Error::new(ErrorKind::InvalidValue, "graph")
        .argument("feeds")
        .expected(format!("a value, {} {}", spec.dtype, spec.shape))
        .got("none, or another type or shape")
        .hint("feed every tensor that a node reads and no node makes")
}
