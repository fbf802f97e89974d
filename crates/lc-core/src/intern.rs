//! Names as small numbers, so that a trace event holds them in a word.

use std::fmt;
use std::sync::RwLock;

/// A name that lives as long as the process, as its number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(u32);

static NAMES: RwLock<Vec<&'static str>> = RwLock::new(Vec::new());

impl Name {
    /// The empty name.
    pub const EMPTY: Name = Name(0);

    /// The number of a name. Searches: call it when a plan is made, not when it runs.
    pub fn of(name: &'static str) -> Name {
        if name.is_empty() {
            return Name::EMPTY;
        }
        let find = |names: &[&'static str]| names.iter().position(|n| *n == name).map(|i| Name(i as u32 + 1));
        if let Some(found) = find(&NAMES.read().unwrap_or_else(|e| e.into_inner())) {
            return found;
        }
        let mut names = NAMES.write().unwrap_or_else(|e| e.into_inner());
        find(&names).unwrap_or_else(|| {
            names.push(name);
            Name(names.len() as u32)
        })
    }

    pub(crate) fn id(self) -> u32 {
        self.0
    }

    pub(crate) fn from_id(id: u32) -> Name {
        Name(id)
    }

    /// The name.
    pub fn text(self) -> &'static str {
        let names = NAMES.read().unwrap_or_else(|e| e.into_inner());
        (self.0 as usize).checked_sub(1).and_then(|i| names.get(i).copied()).unwrap_or("")
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}
