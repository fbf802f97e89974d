//! Attributes of an op call: numbers and switches, inline, typed by the op's schema.

use crate::error::{Error, Result};

/// The most attributes that an op may have.
pub const MAX_ATTRS: usize = 12;

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttrKind {
    /// A whole number within the given bounds, both included.
    Int(i64, i64),
    /// A number; NaN is refused.
    Float,
    /// A switch.
    Bool,
    /// One of a fixed list of names, stored as its position.
    Choice(&'static [&'static str]),
}

/// One attribute of an op's schema.
#[derive(Clone, Copy, Debug)]
pub struct AttrSpec {
    /// Name, as a keyword argument.
    pub name: &'static str,
    /// Type and bounds.
    pub kind: AttrKind,
    /// What an absent attribute means.
    pub default: AttrValue,
}

/// The value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttrValue {
    /// For [`AttrKind::Int`].
    Int(i64),
    /// For [`AttrKind::Float`].
    Float(f64),
    /// For [`AttrKind::Bool`].
    Bool(bool),
    /// For [`AttrKind::Choice`].
    Choice(u8),
}

impl AttrValue {
    const fn word(self) -> u64 {
        match self {
            AttrValue::Int(x) => x as u64,
            AttrValue::Float(x) => x.to_bits(),
            AttrValue::Bool(x) => x as u64,
            AttrValue::Choice(x) => x as u64,
        }
    }

    const fn from_word(kind: AttrKind, word: u64) -> AttrValue {
        match kind {
            AttrKind::Int(..) => AttrValue::Int(word as i64),
            AttrKind::Float => AttrValue::Float(f64::from_bits(word)),
            AttrKind::Bool => AttrValue::Bool(word != 0),
            AttrKind::Choice(_) => AttrValue::Choice(word as u8),
        }
    }
}

/// The attributes of one call, in the order of the op's schema.
///
/// Values are words without a type of their own: the schema has the types. So a call's attributes are copied, hashed and
/// compared as a few integers. Each op wraps them in a struct with named fields.
#[derive(Clone, Copy, Debug, Eq, Default)]
pub struct Attrs {
    len: u8,
    words: [u64; MAX_ATTRS],
}

impl PartialEq for Attrs {
    // The derived one compares all twelve words by a call to `memcmp`, on the path of every op.
    #[inline]
    fn eq(&self, other: &Attrs) -> bool {
        self.len == other.len && self.words().iter().zip(other.words()).all(|(a, b)| a == b)
    }
}

impl std::hash::Hash for Attrs {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.words().hash(state);
    }
}

impl Attrs {
    /// No attributes.
    pub const NONE: Attrs = Attrs { len: 0, words: [0; MAX_ATTRS] };

    /// The attributes with these values, in the order of the schema.
    pub const fn of<const N: usize>(values: [AttrValue; N]) -> Attrs {
        assert!(N <= MAX_ATTRS);
        let mut attrs = Attrs { len: N as u8, words: [0; MAX_ATTRS] };
        let mut i = 0;
        while i < N {
            attrs.words[i] = values[i].word();
            i += 1;
        }
        attrs
    }

    /// The defaults of a schema.
    pub fn defaults(schema: &[AttrSpec]) -> Attrs {
        let mut attrs = Attrs { len: schema.len() as u8, words: [0; MAX_ATTRS] };
        for (word, spec) in attrs.words.iter_mut().zip(schema) {
            *word = spec.default.word();
        }
        attrs
    }

    /// The attribute at `index` of the schema, as an integer.
    #[inline]
    pub fn int(&self, index: usize) -> i64 {
        self.words[index] as i64
    }

    /// The attribute at `index` of the schema, as a size. Schemas bound sizes from below by zero.
    #[inline]
    pub fn size(&self, index: usize) -> usize {
        self.words[index] as usize
    }

    /// The attribute at `index` of the schema, as a float.
    #[inline]
    pub fn float(&self, index: usize) -> f64 {
        f64::from_bits(self.words[index])
    }

    /// The attribute at `index` of the schema, as a switch.
    #[inline]
    pub fn bool(&self, index: usize) -> bool {
        self.words[index] != 0
    }

    /// The attribute at `index` of the schema, as a position in its list of names.
    #[inline]
    pub fn choice(&self, index: usize) -> u8 {
        self.words[index] as u8
    }

    /// The raw words, for keys.
    #[inline]
    pub fn words(&self) -> &[u64] {
        &self.words[..self.len as usize]
    }

    /// Names and values, for reports.
    pub fn entries<'a>(&'a self, schema: &'a [AttrSpec]) -> impl Iterator<Item = (&'static str, AttrValue)> + 'a {
        schema.iter().zip(self.words()).map(|(spec, word)| (spec.name, AttrValue::from_word(spec.kind, *word)))
    }

    /// The same attributes with one set by name.
    ///
    /// # Errors
    /// A name that the schema lacks, or a value outside its bounds or list.
    pub fn with(mut self, op: &'static str, schema: &[AttrSpec], name: &str, value: AttrValue) -> Result<Attrs> {
        let Some(index) = schema.iter().position(|spec| spec.name == name) else {
            let names: Vec<_> = schema.iter().map(|spec| spec.name).collect();
            return Err(Error::invalid(op, name.to_owned(), format!("one of {names:?}"), format!("{name:?}")));
        };
        check(op, &schema[index], value)?;
        self.words[index] = value.word();
        Ok(self)
    }

    /// Checks every attribute against the schema.
    ///
    /// # Errors
    /// A value outside its bounds or list, or NaN.
    pub fn validate(&self, op: &'static str, schema: &[AttrSpec]) -> Result<()> {
        if self.words().len() != schema.len() {
            let got = format!("{}", self.len);
            return Err(Error::invalid(op, "attributes", format!("{} attributes", schema.len()), got));
        }
        for (spec, word) in schema.iter().zip(self.words()) {
            check(op, spec, AttrValue::from_word(spec.kind, *word))?;
        }
        Ok(())
    }
}

fn check(op: &'static str, spec: &AttrSpec, value: AttrValue) -> Result<()> {
    let expected = match (spec.kind, value) {
        (AttrKind::Int(low, high), AttrValue::Int(x)) if low <= x && x <= high => return Ok(()),
        (AttrKind::Float, AttrValue::Float(x)) if !x.is_nan() => return Ok(()),
        (AttrKind::Bool, AttrValue::Bool(_)) => return Ok(()),
        (AttrKind::Choice(names), AttrValue::Choice(x)) if (x as usize) < names.len() => return Ok(()),
        (AttrKind::Int(low, high), _) if high == i64::MAX => format!("an integer ≥ {low}"),
        (AttrKind::Int(low, high), _) => format!("an integer from {low} to {high}"),
        (AttrKind::Float, _) => "a number that is not NaN".into(),
        (AttrKind::Bool, _) => "a bool".into(),
        (AttrKind::Choice(names), _) => format!("one of {names:?}"),
    };
    let got = match value {
        AttrValue::Int(x) => x.to_string(),
        AttrValue::Float(x) => x.to_string(),
        AttrValue::Bool(x) => x.to_string(),
        AttrValue::Choice(x) => format!("choice {x}"),
    };
    Err(Error::invalid(op, spec.name, expected, got))
}
