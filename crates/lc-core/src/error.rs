//! The one error type: what was asked, of which op and argument, what was expected, what came, and what to do.

use std::borrow::Cow;
use std::fmt;

/// A `Result` with the crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// The status of a failed call. Its token starts the error's text and appears in traces and in the C API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ErrorKind {
    /// Something was used before it held data, such as a session that was not started.
    NotInitialized = 1,
    /// An argument has a value, shape or type that the call cannot take.
    InvalidValue = 2,
    /// Memory could not be had.
    OutOfMemory = 3,
    /// The request is sound, but nothing here can serve it.
    NotSupported = 4,
    /// A device or its driver failed.
    DriverError = 5,
    /// None of the above.
    Unknown = 6,
}

impl ErrorKind {
    /// The status token.
    pub const fn token(self) -> &'static str {
        match self {
            ErrorKind::NotInitialized => "not initialized",
            ErrorKind::InvalidValue => "invalid value",
            ErrorKind::OutOfMemory => "out of memory",
            ErrorKind::NotSupported => "not supported",
            ErrorKind::DriverError => "driver error",
            ErrorKind::Unknown => "unknown error",
        }
    }
}

/// Whether the caller can mend the call by passing something else. Decides the Python exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// An argument has the right type and a wrong value or shape (`ValueError`).
    Value,
    /// An argument has the wrong type (`TypeError`).
    Type,
    /// The state of the runtime, of a session or of a device (`LightningError`).
    Runtime,
}

/// Why a call failed. Inputs and outputs are as they were before it.
#[derive(Clone)]
pub struct Error(Box<Detail>);

#[derive(Clone)]
struct Detail {
    kind: ErrorKind,
    blame: Blame,
    op: Cow<'static, str>,
    argument: Cow<'static, str>,
    expected: Cow<'static, str>,
    got: Cow<'static, str>,
    hint: Cow<'static, str>,
}

impl Error {
    /// An error of the given kind; [`Blame::Value`] for invalid values, [`Blame::Runtime`] for all others.
    pub fn new(kind: ErrorKind, op: impl Into<Cow<'static, str>>) -> Error {
        let blame = if kind == ErrorKind::InvalidValue { Blame::Value } else { Blame::Runtime };
        Error(Box::new(Detail {
            kind,
            blame,
            op: op.into(),
            argument: "".into(),
            expected: "".into(),
            got: "".into(),
            hint: "".into(),
        }))
    }

    /// An argument whose value or shape cannot be used.
    pub fn invalid(
        op: impl Into<Cow<'static, str>>,
        argument: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
        got: impl Into<Cow<'static, str>>,
    ) -> Error {
        Error::new(ErrorKind::InvalidValue, op).argument(argument).expected(expected).got(got)
    }

    /// An argument of a type that cannot be used.
    pub fn wrong_type(
        op: impl Into<Cow<'static, str>>,
        argument: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
        got: impl Into<Cow<'static, str>>,
    ) -> Error {
        let mut error = Error::invalid(op, argument, expected, got);
        error.0.blame = Blame::Type;
        error
    }

    /// Something that nothing here can do.
    pub fn unsupported(
        op: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
        got: impl Into<Cow<'static, str>>,
    ) -> Error {
        Error::new(ErrorKind::NotSupported, op).expected(expected).got(got)
    }

    /// Names the argument.
    pub fn argument(mut self, argument: impl Into<Cow<'static, str>>) -> Error {
        self.0.argument = argument.into();
        self
    }

    /// Says what would have been accepted.
    pub fn expected(mut self, expected: impl Into<Cow<'static, str>>) -> Error {
        self.0.expected = expected.into();
        self
    }

    /// Says what came.
    pub fn got(mut self, got: impl Into<Cow<'static, str>>) -> Error {
        self.0.got = got.into();
        self
    }

    /// Says what to do about it. A hint must work when followed.
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Error {
        self.0.hint = hint.into();
        self
    }

    /// The same error under the name by which the user called the op.
    pub fn in_op(mut self, op: impl Into<Cow<'static, str>>) -> Error {
        self.0.op = op.into();
        self
    }

    /// The status.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        self.0.blame
    }

    /// The op or function.
    pub fn op(&self) -> &str {
        &self.0.op
    }

    /// The argument at fault, or "".
    pub fn argument_name(&self) -> &str {
        &self.0.argument
    }

    /// What would have been accepted, or "".
    pub fn expected_text(&self) -> &str {
        &self.0.expected
    }

    /// What came, or "".
    pub fn got_text(&self) -> &str {
        &self.0.got
    }

    /// What to do, or "".
    pub fn hint_text(&self) -> &str {
        &self.0.hint
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Detail { kind, op, argument, expected, got, hint, .. } = &*self.0;
        f.write_str(kind.token())?;
        if !op.is_empty() {
            write!(f, ": {op}")?;
        }
        if !argument.is_empty() {
            write!(f, ": argument `{argument}`")?;
        }
        if !expected.is_empty() {
            write!(f, ": expected {expected}")?;
        }
        if !got.is_empty() {
            write!(f, "{} got {got}", if expected.is_empty() { ":" } else { "," })?;
        }
        if !hint.is_empty() {
            write!(f, " (hint: {hint})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_starts_with_the_status_token_and_names_everything() {
        let error = Error::invalid("matmul", "b", "shape [3, n]", "[4, 5]").hint("transpose `b`");
        assert_eq!(
            error.to_string(),
            "invalid value: matmul: argument `b`: expected shape [3, n], got [4, 5] (hint: transpose `b`)"
        );
        assert_eq!(error.blame(), Blame::Value);
        let error = Error::new(ErrorKind::NotInitialized, "session").got("run before start");
        assert_eq!(error.to_string(), "not initialized: session: got run before start");
        assert_eq!(error.blame(), Blame::Runtime);
    }
}
