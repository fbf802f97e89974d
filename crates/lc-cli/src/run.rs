//! `lc run` and `lc trace`.

use crate::{Outcome, args};
use lc_ops::parity::{Inputs, Layout, compare};
use lexopt::ValueExt;
use lexopt::prelude::{Long, Value};
use lightning_core::registry::{Case, OpDef};
use lightning_core::{
    Attrs, DType, DeviceRequest, Element, Math, Policy, Receipt, Result, TensorMut, TuneMode, ops, trace, tuning,
};
use std::path::PathBuf;

/// Runs an op; with `out`, writes its trace there unless `--out` says another file.
pub fn command(mut parser: lexopt::Parser, mut out: Option<PathBuf>) -> Outcome {
    let mut policy = Policy::default();
    let (mut op, mut shapes, mut attrs) = (None::<&'static OpDef>, None, Vec::new());
    let (mut dtype, mut seed) = (DType::F32, 1u64);
    while let Some(arg) = parser.next()? {
        match arg {
            Value(name) if op.is_none() => op = Some(tuning::registry().find(&name.string()?)?),
            Long("shape") => shapes = Some(args::shapes(&parser.value()?.string()?)?),
            Long("attr") => attrs.push(parser.value()?.string()?),
            Long("device") => policy.device = Some(DeviceRequest::from_name(&parser.value()?.string()?)?),
            Long("math") => policy.math = Some(Math::from_name(&parser.value()?.string()?)?),
            Long("tune") => policy.tune = Some(TuneMode::from_name(&parser.value()?.string()?)?),
            Long("seed") => seed = parser.value()?.parse()?,
            Long("dtype") => {
                let name = parser.value()?.string()?;
                dtype = DType::from_name(&name).ok_or(format!("--dtype: float32 or float64, got {name:?}"))?;
            }
            Long("out") if out.is_some() => out = Some(parser.value()?.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    let op = op.ok_or("which op? `lc run matmul --shape 64x32,32x16`")?;
    let usual = tuning::samples(op, dtype);
    let usual = usual.get(usual.len() / 2).ok_or("an op without samples")?;
    let usual_shapes = || usual.inputs.iter().map(|spec| spec.map(|spec| spec.shape)).collect();
    // The attributes of a usual call fit its shapes; other shapes start from the defaults.
    let start = if shapes.is_some() { Attrs::defaults(op.attrs) } else { usual.attrs };
    let attrs = attrs.iter().try_fold(start, |attrs, text| args::attr(op, attrs, text))?;
    let case = Case { name: "lc".into(), attrs, inputs: shapes.unwrap_or_else(usual_shapes) };
    trace::enable(out.is_some());
    let (receipt, verdict) = match dtype {
        DType::F32 => execute::<f32>(op, &case, &policy, seed)?,
        DType::F64 => execute::<f64>(op, &case, &policy, seed)?,
        DType::F16 => execute::<half::f16>(op, &case, &policy, seed)?,
    };
    trace::enable(false);
    print_receipt(&receipt);
    println!("against float64  {}", verdict.as_ref().unwrap_or_else(|wrong| wrong));
    if let Some(path) = out {
        trace::chrome::save(&path, &trace::events())?;
        println!("trace            {} (open in ui.perfetto.dev)", path.display());
    }
    match verdict {
        Ok(_) => Ok(()),
        Err(_) => Err("the result is outside its tolerance".into()),
    }
}

type Verdict = std::result::Result<String, String>;

fn execute<T: Element>(op: &'static OpDef, case: &Case, policy: &Policy, seed: u64) -> Result<(Receipt, Verdict)> {
    // Checked before values are made for it: an error must not cost memory for what the op refuses.
    let specs: Vec<_> = case.inputs.iter().map(|s| s.map(|s| lightning_core::TensorSpec::new(T::DTYPE, s))).collect();
    let outputs = op.check(&case.attrs, &specs)?;
    let inputs = Inputs::generate::<T>(op, case, Layout::Contiguous, seed);
    let mut results: Vec<_> = outputs.iter().map(|s| (s.shape, vec![T::default(); s.shape.numel()])).collect();
    let mut views = results.iter_mut().map(|(s, data)| TensorMut::new(data, s.dims())).collect::<Result<Vec<_>>>()?;
    let receipt = ops::run(op, &case.attrs, &inputs.refs(), &mut views, policy)?;
    drop(views);
    let mut texts = Vec::new();
    let mut right = true;
    for (want, (_, got)) in inputs.reference(op, &case.attrs).iter().zip(&results) {
        let (report, ok) = match compare(op, case, want, got) {
            Ok(report) => (report, true),
            Err(report) => (report, false),
        };
        right &= ok;
        let share = 100.0 * report.max_ratio;
        texts.push(format!(
            "{} elements, largest error {:.2e}, {share:.1} % of the tolerance",
            report.elements, report.max_abs
        ));
    }
    let text = texts.join("; ");
    Ok((receipt, if right { Ok(format!("right: {text}")) } else { Err(format!("WRONG: {text}")) }))
}

fn print_receipt(receipt: &Receipt) {
    println!("op               {}", receipt.op);
    println!("requested        {}", receipt.requested);
    println!("device           {}{}", receipt.selected, if receipt.fallback { " (not the one named)" } else { "" });
    println!("reason           {}", receipt.reason.text());
    println!("kernel           {}", receipt.kernel);
    println!("math             {}, {}", receipt.math.name(), receipt.dtype);
    println!("launches         {}, waits {}", receipt.launches, receipt.waits);
    println!("bytes            {} up, {} down", receipt.bytes_uploaded, receipt.bytes_downloaded);
    if let Some(ns) = receipt.duration_ns {
        println!("time             {}", args::time(ns as f64));
    }
}
