//! The specification of a tool.

use crate::venice::Endpoint;

/// The specification of a tool, apart from its arguments and description.
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
    /// The endpoints that a call may use. The first one does the work.
    pub endpoints: &'static [&'static Endpoint],
    /// Names that are accepted for arguments but not published: (alias, argument).
    pub aliases: &'static [(&'static str, &'static str)],
    /// Whether `extra` is accepted: further fields of the request's body.
    pub extra: bool,
}

/// What a call changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it only reads.
    Reads,
    /// It makes something new or spends credit, but deletes nothing.
    Creates,
    /// It only reads, but deletes media at Venice if an argument asks for that. A read-only server offers it without the
    /// argument.
    MayDelete,
    /// It deletes media at Venice.
    Deletes,
}

impl Effect {
    /// Whether a read-only server offers the tool.
    #[must_use]
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Reads | Self::MayDelete)
    }
}

/// What a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Free of charge.
    Free,
    /// Credit, charged per unit, such as `per image`.
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
