//! From graph to plan: canonicalise → fuse → place → schedule → lower.
//!
//! Three of the five cannot be left out, since each makes the next one's input; switching one of those off leaves out
//! what it does beyond that.

pub mod canonicalise;
pub mod fuse;
pub mod place;
pub mod schedule;

use lc_core::{Error, Result};

/// Which passes may improve the plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Passes {
    /// Whether calls that nothing wanted needs are taken out. Names and views are resolved in any case.
    pub canonicalise: bool,
    /// Whether several calls may become one.
    pub fuse: bool,
    /// Whether calls may leave their device for the processor where that is measured to be faster.
    pub place: bool,
    /// Whether calls may be moved so that the device changes less often.
    pub schedule: bool,
    /// Whether values whose lifetimes do not meet share memory.
    pub lower: bool,
    /// Fusion rules that are left out, by name.
    pub rules_off: Vec<&'static str>,
}

impl Passes {
    /// Every pass and rule.
    pub fn all() -> Passes {
        Passes { canonicalise: true, fuse: true, place: true, schedule: true, lower: true, rules_off: Vec::new() }
    }

    /// Nodes run one by one in the order of their addition, where the router puts them, each value in memory of its own.
    pub fn none() -> Passes {
        let (canonicalise, fuse, place, schedule, lower) = (false, false, false, false, false);
        Passes { canonicalise, fuse, place, schedule, lower, rules_off: Vec::new() }
    }

    /// The names that [`Passes::without`] takes: of passes, and of fusion rules.
    pub fn names() -> Vec<&'static str> {
        ["canonicalise", "fuse", "place", "schedule", "lower"]
            .into_iter()
            .chain(fuse::RULES.iter().map(|rule| rule.name))
            .collect()
    }

    /// The same passes without one, or without one fusion rule.
    ///
    /// # Errors
    /// An unknown name.
    pub fn without(mut self, name: &str) -> Result<Passes> {
        match name {
            "canonicalise" => self.canonicalise = false,
            "fuse" => self.fuse = false,
            "place" => self.place = false,
            "schedule" => self.schedule = false,
            "lower" => self.lower = false,
            _ => match fuse::RULES.iter().find(|rule| rule.name == name) {
                Some(rule) => self.rules_off.push(rule.name),
                None => {
                    let expected = format!("one of {:?}", Passes::names());
                    return Err(Error::invalid("graph", "passes", expected, format!("{name:?}")));
                }
            },
        }
        Ok(self)
    }
}

impl Default for Passes {
    fn default() -> Passes {
        Passes::all()
    }
}
