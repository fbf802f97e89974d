//! Constants with values, every op as a node, eager runs and A/B reports.

mod common;

use common::{Random, assert_close, host, naive};
use lc_core::attrs::Attrs;
use lc_core::backend::{Args, Backend, BackendDescriptor, Buffer, Compute, KernelEntry, Memory, Profile, Synchronize};
use lc_core::{AttrValue, DType, DeviceKind, Result, Runtime, TensorMut, TensorRef};
use lc_graph::ab::{AbOptions, Spread, ab_report};
use lc_graph::eager::Eager;
use lc_graph::{Compiled, Graph, Layout, NodeOptions, Passes, PlanOptions, Runner, TensorId, compile};
use lc_ops::REGISTRY;
use lc_ops::parity::{Inputs, Layout as Lie};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The reference device, which counts what it is asked to pack and finds its packed forms again at the launch.
struct Counting {
    inner: Arc<common::Reference>,
    packed: AtomicUsize,
    used: AtomicUsize,
}

struct Mark;

impl Memory for Counting {
    fn allocate(&self, bytes: usize) -> Result<Buffer> {
        self.inner.allocate(bytes)
    }
    fn upload(&self, source: &TensorRef<'_>, target: &Buffer, offset: usize) -> Result<()> {
        self.inner.upload(source, target, offset)
    }
    fn download(&self, source: &Buffer, offset: usize, target: &mut TensorMut<'_>) -> Result<()> {
        self.inner.download(source, offset, target)
    }
    fn prepare(
        &self,
        _: &KernelEntry,
        _: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        index: usize,
    ) -> Result<Option<Buffer>> {
        self.packed.fetch_add(1, Ordering::Relaxed);
        Ok((index == 1).then(|| Buffer::new(inputs[index].unwrap().spec().bytes(), Box::new(Mark))))
    }
    fn bytes_in_use(&self) -> u64 {
        0
    }
}

impl Compute for Counting {
    fn launch(&self, kernel: &KernelEntry, attrs: &Attrs, args: Args<'_>) -> Result<()> {
        if let Args::Host { prepared, .. } = args {
            let marked = prepared.iter().flatten().filter(|buffer| buffer.inner::<Mark>().is_some());
            self.used.fetch_add(marked.count(), Ordering::Relaxed);
        }
        self.inner.launch(kernel, attrs, args)
    }
}

impl Synchronize for Counting {
    fn synchronize(&self) -> Result<()> {
        Ok(())
    }
}
impl Profile for Counting {}
impl Backend for Counting {
    fn descriptor(&self) -> &BackendDescriptor {
        self.inner.descriptor()
    }
    fn memory(&self) -> &dyn Memory {
        self
    }
    fn compute(&self) -> &dyn Compute {
        self
    }
    fn sync(&self) -> &dyn Synchronize {
        self
    }
    fn profile(&self) -> &dyn Profile {
        self
    }
    fn kernels(&self) -> &'static [KernelEntry] {
        self.inner.kernels()
    }
}

fn add(graph: &mut Graph, op: &str, inputs: &[TensorId]) -> TensorId {
    let inputs: Vec<_> = inputs.iter().copied().map(Some).collect();
    graph.add(&REGISTRY, op, &inputs, &NodeOptions::default()).unwrap()[0]
}

/// Two layers whose weights are constants with values, or fed.
fn layers(known: bool) -> (Graph, TensorId, TensorId, BTreeMap<TensorId, Vec<f32>>) {
    let mut random = Random(3);
    let mut g = Graph::new();
    let x = g.tensor(&[5, 8]).unwrap();
    let mut values = BTreeMap::from([(x, random.values(40))]);
    let mut weight = |g: &mut Graph, dims: &[usize]| {
        let data = random.values(dims.iter().product());
        let id = match known {
            true => g.add_constant(&TensorRef::new(&data, dims).unwrap(), "").unwrap(),
            false => g.tensor(dims).unwrap(),
        };
        values.insert(id, data);
        id
    };
    let (w1, w2) = (weight(&mut g, &[6, 8]), weight(&mut g, &[4, 6]));
    let shift = weight(&mut g, &[5, 6]);
    let hidden = add(&mut g, "linear", &[x, w1]);
    let moved = add(&mut g, "sub", &[shift, hidden]);
    let out = add(&mut g, "linear", &[moved, w2]);
    (g, x, out, values)
}

fn run(plan: &Compiled, feeds: &[TensorRef<'_>]) -> Vec<f32> {
    let mut out = vec![f32::NAN; plan.outputs()[0].shape.numel()];
    let dims = plan.outputs()[0].shape;
    plan.run(feeds, &mut [TensorMut::new(&mut out, dims.dims()).unwrap()]).unwrap();
    out
}

#[test]
fn constants_are_packed_once_and_change_nothing() {
    let (fed_graph, _, fed_out, values) = layers(false);
    let (graph, x, out, _) = layers(true);
    let want = naive(&graph, &values);
    let counting =
        Arc::new(Counting { inner: common::Reference::new(), packed: AtomicUsize::new(0), used: AtomicUsize::new(0) });
    let counted = Runtime::new(REGISTRY, vec![counting.clone()]);
    let feed = TensorRef::new(&values[&x], &[5, 8]).unwrap();
    for runtime in [&counted, lightning_core::runtime()] {
        let plan = compile(&graph, runtime, Some(&[out]), &PlanOptions::default(), &Passes::all()).unwrap();
        assert_eq!(plan.feeds().len(), 1);
        assert_eq!(plan.packed().0, 2);
        let asked = counting.packed.load(Ordering::Relaxed);
        let first = run(&plan, &[feed]);
        assert_close(&first, &want[&out], 2e-5, "first run");
        for _ in 0..5 {
            assert_eq!(run(&plan, &[feed]), first);
        }
        assert_eq!(counting.packed.load(Ordering::Relaxed), asked, "a run packed again");
        // Fed weights give the same.
        let plan = compile(&fed_graph, runtime, Some(&[fed_out]), &PlanOptions::default(), &Passes::all()).unwrap();
        assert_eq!((plan.feeds().len(), plan.packed()), (4, (0, 0)));
        let feeds: Vec<_> =
            plan.feeds().iter().map(|f| TensorRef::new(&values[&f.tensor], f.spec.shape.dims()).unwrap()).collect();
        assert_close(&run(&plan, &feeds), &want[&out], 2e-5, "fed weights");
    }
    // Both products read their packed weight in each of the six runs.
    assert_eq!(counting.used.load(Ordering::Relaxed), 12);
}

#[test]
fn constants_go_to_a_device_once() {
    let (graph, x, out, values) = layers(true);
    let (runtime, gpu) = common::with_gpu(DeviceKind::Cuda);
    let options =
        PlanOptions { preferred: Some(lc_core::DeviceRequest::Is(DeviceKind::Cuda)), ..PlanOptions::default() };
    let plan = compile(&graph, &runtime, Some(&[out]), &options, &Passes::all()).unwrap();
    let feed = TensorRef::new(&values[&x], &[5, 8]).unwrap();
    let mut out = vec![0f32; 20];
    for _ in 0..3 {
        let receipt = plan.run(&[feed], &mut [TensorMut::new(&mut out, &[5, 4]).unwrap()]).unwrap();
        // The one upload of a run is that of `x`.
        assert_eq!(receipt.launches.iter().map(|r| r.bytes_uploaded).sum::<u64>(), 160);
    }
    drop(gpu);
}

#[test]
fn constants_with_values_are_no_feeds() {
    let (graph, x, out, values) = layers(true);
    let mut runner = Runner::new(graph.clone());
    let runtime = host();
    let feeds = [(x, TensorRef::new(&values[&x], &[5, 8]).unwrap())];
    let constant = graph.tensors.iter().position(|tensor| tensor.value.is_some()).unwrap();
    let wanted = [out, constant];
    let got = runner.execute::<f32>(&runtime, &feeds, Some(&wanted), &PlanOptions::default(), &Passes::all()).unwrap();
    assert_eq!(got.values[&constant], values[&constant]);
    let again = [(constant, TensorRef::new(&values[&constant], &[6, 8]).unwrap())];
    let error = runner.execute::<f32>(&runtime, &again, Some(&wanted), &PlanOptions::default(), &Passes::all());
    assert!(error.unwrap_err().to_string().contains("not fed"));
    assert!(Graph::new().add_constant(&TensorRef::new::<f32>(&[], &[0]).unwrap(), "").is_err());
}

/// Every case of every op: a graph of one node, planned and run, and run call by call, against the reference.
#[test]
fn every_op_of_the_registry_is_a_node() {
    let runtime = lightning_core::runtime();
    let mut nodes = 0;
    for op in lc_ops::ALL {
        for case in (op.cases)() {
            let inputs = Inputs::generate::<f32>(op, &case, Lie::Transposed, 7);
            let (specs, refs) = (inputs.specs(), inputs.refs());
            let mut g = Graph::new();
            let tensors: Vec<Option<TensorId>> = specs
                .iter()
                .map(|spec| {
                    let spec = (*spec)?;
                    // A scalar is no graph tensor by itself: `add_tensor` asks for a dimension.
                    g.add_tensor(spec.shape.dims(), DType::F32, Layout::Strided, "", false).ok()
                })
                .collect();
            if tensors.iter().zip(&specs).any(|(tensor, spec)| tensor.is_some() != spec.is_some()) {
                continue;
            }
            let attrs: Vec<(&str, AttrValue)> = case.attrs.entries(op.attrs).collect();
            let options = NodeOptions { attrs: &attrs, ..NodeOptions::default() };
            let outputs = g.add(&REGISTRY, op.name, &tensors, &options).unwrap();
            let what = format!("{} {}", op.name, case.name);
            let plan = compile(&g, runtime, Some(&outputs), &PlanOptions::default(), &Passes::all())
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(plan.program().len(), 1, "{what}");
            let fed: Vec<_> = refs.iter().flatten().copied().collect();
            let eager = Eager::new(&g, &outputs, &PlanOptions::default()).unwrap();
            let feeds: Vec<_> = fed.iter().copied().map(Some).collect();
            let want = inputs.reference(op, &case.attrs);
            for by_plan in [true, false] {
                let mut data: Vec<Vec<f32>> =
                    plan.outputs().iter().map(|spec| vec![f32::NAN; spec.shape.numel()]).collect();
                let mut targets: Vec<_> = data
                    .iter_mut()
                    .zip(plan.outputs())
                    .map(|(data, spec)| TensorMut::new(data, spec.shape.dims()).unwrap())
                    .collect();
                match by_plan {
                    true => drop(plan.run(&fed, &mut targets).unwrap_or_else(|e| panic!("{what}: {e}"))),
                    false => drop(eager.run(runtime, &feeds, &mut targets).unwrap_or_else(|e| panic!("{what}: {e}"))),
                }
                drop(targets);
                for (want, got) in want.iter().zip(&data) {
                    lc_ops::parity::compare(op, &case, want, got).unwrap_or_else(|report| panic!("{what}: {report}"));
                }
            }
            nodes += 1;
        }
    }
    assert!(nodes > 150, "{nodes} nodes");
}

#[test]
fn reports_compare_call_by_call_runs_with_plans() {
    let (graph, x, out, values) = layers(true);
    let feeds = [(x, TensorRef::new(&values[&x], &[5, 8]).unwrap())];
    let options = AbOptions { repeat: 7, ..AbOptions::default() };
    for runtime in [&host(), lightning_core::runtime()] {
        let plan = PlanOptions::default();
        let found = ab_report(&graph, runtime, &feeds, &[out], &plan, &Passes::all(), &options).unwrap();
        assert!(found.report.allclose && found.report.max_abs_diff < 1e-4, "{:?}", found.report);
        assert_eq!((found.eager.launches, found.graph.launches, found.receipts.len()), (3, 3, 3));
        for spread in [found.report.eager, found.report.graph] {
            assert!(0.0 < spread.p10 && spread.p10 <= spread.median && spread.median <= spread.p90);
        }
        for bad in [AbOptions { repeat: 0, ..options }, AbOptions { atol: -1.0, ..options }] {
            assert!(ab_report(&graph, runtime, &feeds, &[out], &plan, &Passes::all(), &bad).is_err());
        }
        assert!(ab_report(&graph, runtime, &[], &[out], &plan, &Passes::all(), &options).is_err());
    }
    // A plan that computes something else is not close.
    let mut wrong = graph.clone();
    wrong.nodes[1].inputs.swap(0, 1);
    let runtime = host();
    let eager = Eager::new(&wrong, &[out], &PlanOptions::default()).unwrap();
    let plan = compile(&graph, &runtime, Some(&[out]), &PlanOptions::default(), &Passes::all()).unwrap();
    let mut other = vec![0f32; 20];
    eager.run(&runtime, &[Some(feeds[0].1)], &mut [TensorMut::new(&mut other, &[5, 4]).unwrap()]).unwrap();
    let one = run(&plan, &[feeds[0].1]);
    let report = lc_graph::ab::compare(
        20,
        &options,
        |o| {
            o.copy_from_slice(&other);
            Ok(())
        },
        |o| {
            o.copy_from_slice(&one);
            Ok(())
        },
    );
    assert!(!report.unwrap().allclose);
}

#[test]
fn spreads_are_order_statistics() {
    let spread = Spread::of(&[0.005, 0.001, 0.002, 0.004, 0.003]);
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(near(spread.median, 3.0) && near(spread.mean, 3.0) && near(spread.p10, 1.4) && near(spread.p90, 4.6));
    assert_eq!(Spread::of(&[]), Spread::default());
}

#[test]
fn a_plan_measures_its_launches_and_predicts_them() {
    use lc_graph::report::{Notes, Roofline, html, json, text};
    let (graph, _, out, _) = layers(true);
    let plan =
        compile(&graph, lightning_core::runtime(), Some(&[out]), &PlanOptions::default(), &Passes::all()).unwrap();
    let times = plan.measure(3).unwrap();
    assert!(times.len() == 3 && times.iter().all(|ns| *ns > 0), "{times:?}");
    let limits = Roofline { flops: 1e9, bandwidth: 1e9 };
    let floor = |device: DeviceKind, op: &'static lc_core::OpDef, cost: &lc_core::Cost| {
        (device == DeviceKind::Cpu && op.name == "linear").then(|| limits.seconds(cost))
    };
    let notes = Notes { floor: Some(&floor), measured: Some(&times) };
    // 2·5·8·6 operations at 1 per ns; the subtraction has no floor, and so has the plan.
    assert!(json(&plan, &notes).contains(r#""floor_us":0.480"#), "{}", json(&plan, &notes));
    assert!(json(&plan, &notes).contains(r#""floor_us":null,"measured_us":"#));
    assert!(text(&plan, &notes).contains("us measured") && text(&plan, &Notes::default()).contains("packed once"));
    assert_eq!(plan.round_trips_saved(), 2);
    let page = html(&plan, &notes);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("prefers-color-scheme: dark"));
    assert!(!page.contains("http://") || page.matches("http").count() == page.matches("http://www.w3.org").count());
}
