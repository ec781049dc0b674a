//! The tree keeps its shape: arrows go one way, names stay where they belong, what is written is true.

mod docs;
mod glossary;
mod layers;
mod names;
mod shape;
mod source;

pub(crate) use source::files;
