use super::*;
use crate::{ALL, DIV, LINEAR, MATMUL};

fn narrowed<T: Element>(want: &RefTensor) -> Vec<T> {
    want.data.iter().map(|x| T::from_f64(*x)).collect()
}

#[test]
fn references_rounded_to_the_dtype_pass_in_every_layout() {
    fn check<T: Element>() {
        for op in ALL {
            for (number, case) in (op.cases)().iter().enumerate() {
                // One layout a case: the reference is the same code for all, and this is about placing.
                let layout = Layout::ALL[number % 8];
                let inputs = Inputs::generate::<T>(op, case, layout, 1);
                let outputs = op.check(&case.attrs, &inputs.specs()).unwrap();
                let want = inputs.reference(op, &case.attrs);
                assert_eq!(want.len(), outputs.len());
                for (want, spec) in want.iter().zip(outputs.iter()) {
                    assert_eq!((want.shape, want.data.len()), (spec.shape, spec.shape.numel()));
                    assert_eq!(spec.dtype, T::DTYPE);
                    let nan = want.data.iter().filter(|x| x.is_nan()).count();
                    assert_eq!(nan, 0, "{}, {}, {}", op.name, case.name, layout.name());
                    compare(op, case, want, &narrowed::<T>(want)).unwrap_or_else(|report| panic!("{report}"));
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn every_layout_holds_the_same_values_unless_they_repeat() {
    for op in ALL {
        let case = &(op.cases)()[2];
        let dense = Inputs::generate::<f32>(op, case, Layout::Contiguous, 5).widened();
        for layout in Layout::ALL {
            let inputs = Inputs::generate::<f32>(op, case, layout, 5);
            if layout != Layout::ZeroStride {
                assert_eq!(inputs.widened(), dense, "{}, {}", op.name, layout.name());
            }
        }
    }
    let case = &(crate::ADD.cases)().into_iter().find(|case| case.name == "three dimensions").unwrap();
    let strides = |layout: Layout| {
        let inputs = Inputs::generate::<f64>(&crate::ADD, case, layout, 1);
        inputs.refs()[0].unwrap().strides().steps().to_vec()
    };
    // Extents [3, 5, 7].
    assert_eq!(strides(Layout::Contiguous), [35, 7, 1]);
    assert_eq!(strides(Layout::Transposed), [35, 1, 5]);
    assert_eq!(strides(Layout::Sliced), [80, 10, 1]);
    assert_eq!(strides(Layout::Offset), [35, 7, 1]);
    assert_eq!(strides(Layout::NegativeStride), [-35, -7, -1]);
    assert_eq!(strides(Layout::ZeroStride), [0, 7, 1]);
    assert_eq!(strides(Layout::OneDimensional), [105, 21, 3]);
    assert_eq!(strides(Layout::Fortran), [1, 3, 15]);
}

#[test]
fn other_seeds_give_other_values() {
    let case = &(MATMUL.cases)()[7];
    let with = |seed| Inputs::generate::<f32>(&MATMUL, case, Layout::Contiguous, seed).widened();
    assert_eq!(with(1), with(1));
    assert_ne!(with(1), with(2));
}

/// `x·Wᵀ` with every product and sum rounded to float32, and inputs first passed through `narrow`.
fn product32(inputs: &Inputs, narrow: fn(f32) -> f32) -> Vec<f32> {
    let tensors = inputs.widened();
    let [x, w] = [0, 1].map(|i| tensors[i].as_ref().unwrap());
    let (rows, k, out) = (x.shape[0], x.shape[1], w.shape[0]);
    let at = |t: &RefTensor, i: usize| narrow(t.data[i] as f32);
    let mut result = Vec::new();
    for i in 0..rows {
        for j in 0..out {
            result.push((0..k).fold(0f32, |sum, l| sum + at(x, i * k + l) * at(w, j * k + l)));
        }
    }
    result
}

#[test]
fn the_tolerance_takes_float32_and_refuses_less() {
    for case in (LINEAR.cases)().iter().filter(|c| ["deep", "blocks and a rest"].contains(&c.name.as_str())) {
        let mut case = case.clone();
        case.inputs.truncate(2);
        let inputs = Inputs::generate::<f32>(&LINEAR, &case, Layout::Sliced, 3);
        let want = &inputs.reference(&LINEAR, &case.attrs)[0];
        let plain = product32(&inputs, |x| x);
        compare(&LINEAR, &case, want, &plain).unwrap_or_else(|report| panic!("{report}"));
        // Ten bits of mantissa, as in TF32; then two elements swapped.
        let short = product32(&inputs, |x| f32::from_bits((x.to_bits() + 0x1000) & 0xffff_e000));
        assert!(compare(&LINEAR, &case, want, &short).is_err(), "{}", case.name);
        let mut swapped = plain.clone();
        swapped.swap(0, 1);
        let report = compare(&LINEAR, &case, want, &swapped).unwrap_err();
        assert_eq!(report.outside, 2);
        assert!(report.max_ratio > 100.0 && report.worst.is_some_and(|(i, ..)| i < 2));
        assert!(compare(&LINEAR, &case, want, &plain[1..]).is_err());
    }
}

#[test]
fn special_values_equal_only_themselves() {
    let case = &(DIV.cases)()[3];
    let shape = lc_core::Shape::of([3]);
    let want = RefTensor { shape, data: vec![f64::NAN, f64::INFINITY, 0.0] };
    assert!(compare(&DIV, case, &want, &[f32::NAN, f32::INFINITY, 0.0]).is_ok());
    assert!(compare(&DIV, case, &want, &[0.0, f32::INFINITY, 0.0]).is_err());
    assert!(compare(&DIV, case, &want, &[f32::NAN, f32::MAX, 0.0]).is_err());
    assert!(compare(&DIV, case, &want, &[f32::NAN, f32::NEG_INFINITY, 0.0]).is_err());
    assert!(compare(&DIV, case, &want, &[f32::NAN, f32::INFINITY, f32::NAN]).is_err());
    assert!(compare(&DIV, case, &want, &[f32::NAN, f32::INFINITY, 1e-30]).is_err());
}
