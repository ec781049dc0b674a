//! The values that were given for a setting.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What was given for a setting.
pub(super) struct GivenValues<'a> {
    /// The flag or the variable.
    pub(super) name: &'static str,
    /// One value, or as many as the flag was given times.
    pub(super) values: &'a [OsString],
    /// Whether the values are a flag's.
    pub(super) from_flag: bool,
}

impl GivenValues<'_> {
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
