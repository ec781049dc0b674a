//! What a tool says of itself.

use crate::venice::Endpoint;

/// What a tool says of itself, apart from its arguments and description.
#[derive(Debug)]
pub struct Spec {
    /// The name that clients call: `venice_*`, at most 32 characters.
    pub name: &'static str,
    /// What people see.
    pub title: &'static str,
    /// The toolset that the tool belongs to.
    pub toolset: &'static str,
    /// What a call changes.
    pub effect: Effect,
    /// The argument that asks for a deletion: published only where deleting is allowed. Only with [`Effect::MayDelete`].
    pub deletes_by: Option<&'static str>,
    /// What a call costs.
    pub cost: Cost,
    /// What comes back.
    pub returns: Returns,
    /// The endpoints that a call may use, the one that does the work first.
    pub endpoints: &'static [&'static Endpoint],
    /// Names that are accepted for arguments, though not published: (alias, argument).
    pub aliases: &'static [(&'static str, &'static str)],
    /// Whether further fields of the request's body are taken in `extra`.
    pub extra: bool,
}

/// What a call changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it reads and spends nothing.
    Reads,
    /// It makes something new, or spends; nothing is deleted.
    Creates,
    /// It reads and spends nothing, but deletes media at Venice where an argument asks for that; a server that is
    /// read-only offers it and refuses the argument.
    MayDelete,
    /// It deletes media at Venice.
    Deletes,
}

impl Effect {
    /// Whether a server that is read-only offers the tool.
    #[must_use]
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Reads | Self::MayDelete)
    }
}

/// What a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Nothing.
    Free,
    /// Credit: what for, as in `per image`.
    Paid(&'static str),
}

/// What comes back from a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Stored media, in the form that `output` asks for.
    Media,
    /// Data with these fields (name, JSON type): an output schema, `structuredContent`, and the same as text.
    Data(&'static [(&'static str, &'static str)]),
    /// Text.
    Text,
}
