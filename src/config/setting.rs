//! What a setting is.

use std::ffi::OsString;

use super::Invalid;
use super::draft::Draft;
use super::given_values::GivenValues;

/// What a row does with the value that was given. The error says what is wrong with it.
type Apply = fn(&mut Draft, &GivenValues<'_>) -> Result<(), String>;

/// One setting: a row of [`super::SETTINGS`].
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The environment variable.
    pub variable: &'static str,
    /// The flag, with its dashes. Secrets have none.
    pub flag: Option<&'static str>,
    /// What it sets, as `--help` says it, without a full stop.
    pub help: &'static str,
    /// What else the README says of it, if anything.
    pub detail: &'static str,
    /// What holds if nothing is given, in words or as the value itself.
    pub default: &'static str,
    /// Whether `default` is a value, which is applied like a given one.
    has_default_value: bool,
    /// Whether it is about the HTTP server.
    pub(crate) is_of_http: bool,
    pub(super) takes: Takes,
    /// Another name of the flag, without dashes.
    pub(super) alias: Option<&'static str>,
    /// The value of a flag that is given without one, where that is allowed.
    pub(super) if_bare: Option<&'static str>,
    apply: Apply,
}

/// What a flag takes. Names stand for values in `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// No value: the flag says yes.
    Nothing,
    /// One value.
    Value(&'static str),
    /// Values, one each time the flag is given.
    Values(&'static str),
    /// A path.
    Path(&'static str),
    /// Paths, one each time the flag is given.
    Paths(&'static str),
}

impl Setting {
    /// A variable that `apply` reads.
    pub(super) const fn new(variable: &'static str, apply: Apply) -> Self {
        Self {
            variable,
            flag: None,
            help: "",
            detail: "",
            default: "none",
            has_default_value: false,
            is_of_http: false,
            takes: Takes::Nothing,
            alias: None,
            if_bare: None,
            apply,
        }
    }

    /// The flag that sets it too.
    pub(super) const fn flag(mut self, flag: &'static str, takes: Takes) -> Self {
        self.flag = Some(flag);
        self.takes = takes;
        self
    }

    pub(super) const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    pub(super) const fn detail(mut self, detail: &'static str) -> Self {
        self.detail = detail;
        self
    }

    /// The value that counts if none is given.
    pub(super) const fn default_value(mut self, value: &'static str) -> Self {
        self.default = value;
        self.has_default_value = true;
        self
    }

    /// What holds if nothing is given, in words.
    pub(super) const fn default_is(mut self, words: &'static str) -> Self {
        self.default = words;
        self
    }

    pub(super) const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    pub(super) const fn if_bare(mut self, value: &'static str) -> Self {
        self.if_bare = Some(value);
        self
    }

    pub(super) const fn of_http(mut self) -> Self {
        self.is_of_http = true;
        self
    }

    /// Whether its flag takes directories.
    pub(crate) const fn is_directory(&self) -> bool {
        matches!(self.takes, Takes::Path(_) | Takes::Paths(_))
    }

    /// Puts what was given, else the default, into `draft`. The error names the flag or the variable.
    pub(super) fn apply(
        &self,
        draft: &mut Draft,
        flag: Option<&[OsString]>,
        variable: Option<OsString>,
    ) -> Result<(), Invalid> {
        let default = self.has_default_value.then(|| OsString::from(self.default));
        let value = variable.or(default);
        let (name, values) = match (flag, &value) {
            (Some(values), _) => (self.flag.unwrap_or(self.variable), values),
            (None, Some(value)) => (self.variable, std::slice::from_ref(value)),
            (None, None) => return Ok(()),
        };
        let given = GivenValues { name, values, from_flag: flag.is_some() };
        (self.apply)(draft, &given).map_err(|message| Invalid::new(name, message))
    }
}
