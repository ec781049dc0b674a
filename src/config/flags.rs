//! The flags of the settings, made from their table.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::SETTINGS;
use super::setting::{Setting, Takes};

const HEADING: &str = "Settings (each is also an environment variable, see the README)";
const HTTP_HEADING: &str = "HTTP (each is also an environment variable, see the README)";

/// The flags that were given. Values stay as they are here: they are parsed by the same code as the variables.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    values: BTreeMap<&'static str, Vec<OsString>>,
}

impl Flags {
    /// The values of a flag, if it was given. That of a switch is `true`.
    pub(super) fn get(&self, flag: &str) -> Option<&[OsString]> {
        self.values.get(flag).map(Vec::as_slice)
    }

    /// The flags that were given, with their values: none for a switch.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static Setting, &[OsString])> {
        SETTINGS.iter().filter_map(|setting| {
            let values = self.get(setting.flag?)?;
            Some((setting, if setting.takes == Takes::Nothing { &[] } else { values }))
        })
    }
}

fn argument(setting: &Setting, flag: &'static str) -> Arg {
    let name = flag.trim_start_matches('-');
    let argument = Arg::new(flag)
        .long(name)
        .help(format!("{} [{}]", setting.help, setting.variable))
        .help_heading(if setting.is_of_http { HTTP_HEADING } else { HEADING })
        .global(true)
        .alias(setting.alias);
    let argument = match setting.takes {
        Takes::Nothing => argument.action(ArgAction::SetTrue),
        Takes::Value(name) => argument.value_name(name).value_parser(ValueParser::os_string()),
        Takes::Values(name) => argument
            .value_name(name)
            .value_parser(ValueParser::os_string())
            .action(ArgAction::Append),
        Takes::Path(name) => argument.value_name(name).value_parser(clap::value_parser!(PathBuf)),
        Takes::Paths(name) => argument
            .value_name(name)
            .value_parser(clap::value_parser!(PathBuf))
            .action(ArgAction::Append),
    };
    match setting.if_bare {
        Some(value) => argument.num_args(0..=1).default_missing_value(value),
        None => argument,
    }
}

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        let settings = SETTINGS.iter().filter_map(|setting| Some(argument(setting, setting.flag?)));
        command.args(settings)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for flag in SETTINGS.iter().filter_map(|setting| setting.flag) {
            if matches.value_source(flag) == Some(ValueSource::CommandLine) {
                let values = matches.get_raw(flag).into_iter().flatten();
                self.values.insert(flag, values.map(OsString::from).collect());
            }
        }
        Ok(())
    }
}
