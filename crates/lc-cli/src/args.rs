//! Values of options.

use lexopt::{Parser, ValueExt};
use lightning_core::attrs::{AttrKind, AttrSpec, AttrValue};
use lightning_core::registry::OpDef;
use lightning_core::{Attrs, DeviceKind, DeviceRequest, Error, Result, Shape, tuning};

/// A device that is named, not "auto".
pub fn device(parser: &mut Parser) -> std::result::Result<DeviceKind, Box<dyn std::error::Error>> {
    let name = parser.value()?.string()?;
    match DeviceRequest::from_name(&name)? {
        DeviceRequest::Is(kind) => Ok(kind),
        DeviceRequest::Auto => Ok(lightning_core::runtime().preferred()),
    }
}

/// Ops by name, separated by commas.
pub fn ops(parser: &mut Parser) -> std::result::Result<Vec<&'static OpDef>, Box<dyn std::error::Error>> {
    let names = parser.value()?.string()?;
    Ok(names.split(',').map(|name| tuning::registry().find(name.trim())).collect::<Result<_>>()?)
}

/// Every op.
pub fn all_ops() -> Vec<&'static OpDef> {
    tuning::registry().ops().to_vec()
}

/// Extents such as `64x32,32x16,-`.
///
/// # Errors
/// What is no list of extents.
pub fn shapes(text: &str) -> Result<Vec<Option<Shape>>> {
    let extents = |part: &str| {
        let wrong = |_| Error::invalid("lc", "--shape", "extents such as 64x32,32x16,-", format!("{text:?}"));
        let dims: Vec<usize> = part.split('x').map(|d| d.trim().parse().map_err(wrong)).collect::<Result<_>>()?;
        Shape::new(&dims).map(Some)
    };
    text.split(',').map(|part| if part.trim() == "-" { Ok(None) } else { extents(part) }).collect()
}

/// `attrs` with `name=value` set.
///
/// # Errors
/// A name that the op lacks, or a value that the attribute does not have.
pub fn attr(op: &OpDef, attrs: Attrs, text: &str) -> Result<Attrs> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Error::invalid("lc", "--attr", "NAME=VALUE", format!("{text:?}")));
    };
    let schema = op.attrs.iter().find(|spec| spec.name == name);
    let value = schema.and_then(|spec| parse(spec, value));
    match (schema, value) {
        // An unknown name: the op's own error lists the names.
        (None, _) => attrs.with(op.name, op.attrs, name, AttrValue::Bool(false)),
        (Some(_), Some(value)) => attrs.with(op.name, op.attrs, name, value),
        (Some(spec), None) => Err(Error::invalid(op.name, spec.name, format!("{:?}", spec.kind), format!("{text:?}"))),
    }
}

fn parse(spec: &AttrSpec, text: &str) -> Option<AttrValue> {
    match spec.kind {
        AttrKind::Int(..) => text.parse().ok().map(AttrValue::Int),
        AttrKind::Float => text.parse().ok().map(AttrValue::Float),
        AttrKind::Bool => text.parse().ok().map(AttrValue::Bool),
        AttrKind::Choice(names) => {
            let position = names.iter().position(|name| *name == text)?;
            Some(AttrValue::Choice(position as u8))
        }
    }
}

/// Nanoseconds for people.
pub fn time(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_and_attributes_are_read() {
        let read = shapes("64x32,-,7").unwrap();
        assert_eq!(read, [Some(Shape::of([64, 32])), None, Some(Shape::of([7]))]);
        assert!(shapes("64y2").unwrap_err().to_string().contains("--shape"));
        let op = tuning::registry().find("attention").unwrap();
        let attrs = attr(op, Attrs::defaults(op.attrs), "causal=true").unwrap();
        assert_ne!(attrs, Attrs::defaults(op.attrs));
        assert!(attr(op, attrs, "causal=perhaps").is_err());
        assert!(attr(op, attrs, "casual=true").unwrap_err().to_string().contains("causal"));
        assert!(attr(op, attrs, "causal").is_err());
    }
}
