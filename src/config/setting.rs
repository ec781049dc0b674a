//! What a setting is, and what was given for it.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::Invalid;
use super::draft::Draft;

/// What a row does with the value that was given. The error says what is wrong with it.
type Apply = fn(&mut Draft, &Given<'_>) -> Result<(), String>;

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
        let given = Given { name, values, from_flag: flag.is_some() };
        (self.apply)(draft, &given).map_err(|message| Invalid::new(name, message))
    }
}

/// What was given for a setting.
pub(super) struct Given<'a> {
    /// The flag or the variable.
    pub(super) name: &'static str,
    /// One value, or as many as the flag was given times.
    values: &'a [OsString],
    from_flag: bool,
}

impl Given<'_> {
    fn value(&self) -> &OsStr {
        self.values.first().map_or(OsStr::new(""), OsString::as_os_str)
    }

    /// The value as text.
    pub(super) fn text(&self) -> Result<&str, String> {
        self.value().to_str().ok_or_else(|| "is not UTF-8".to_owned())
    }

    /// The value as `parse` reads it. The error repeats the value: secrets are not for this.
    pub(super) fn parse<T, E: ToString>(
        &self,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, String> {
        let text = self.text()?;
        parse(text.trim())
            .map_err(|error| format!("`{text}` cannot be used: {}", error.to_string()))
    }

    /// Puts the value into `field` as `parse` reads it.
    pub(super) fn parse_into<T, E: ToString, F: From<T>>(
        &self,
        field: &mut F,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<(), String> {
        *field = self.parse(parse)?.into();
        Ok(())
    }

    /// The names in the values, which commas, semicolons, or spaces separate.
    pub(super) fn names(&self) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        for list in self.values {
            let list = list.to_str().ok_or("is not UTF-8")?;
            let list = list.split([',', ' ', ';']).map(str::trim).filter(|name| !name.is_empty());
            names.extend(list.map(str::to_owned));
        }
        Ok(names)
    }

    /// Puts those names into `field`.
    pub(super) fn names_into(&self, field: &mut Vec<String>) -> Result<(), String> {
        *field = self.names()?;
        Ok(())
    }

    /// The value as a path.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(self.value())
    }

    /// The values as paths: a flag gives one each time, a variable all as `PATH` lists them.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        if self.from_flag {
            return self.values.iter().map(PathBuf::from).collect();
        }
        std::env::split_paths(self.value()).collect()
    }
}
