//! An MCP server for the Venice.ai API: its capabilities as tools, its media as resource blobs.
//!
//! # How a call travels
//!
//! A message arrives in [`transport`]. [`server`] finds the tool that it names, judges the arguments by the
//! schema that was published ([`schema`]), and takes the call through the steps of [`tool`]: check, prepare,
//! price, run. The tool, one file below [`tools`], reads its media through [`input`], asks the [`catalog`] what
//! the model allows, sends its request with [`venice`], one that takes minutes as one of [`jobs`], and keeps what came back in the store of [`media`].
//! [`output`] turns the [`outcome`] into the content that the client can show.
//!
//! # Where things are
//!
//! The modules below stand in reading order. Each may use those that come before it in this chain, and none
//! that comes after: `error`, `context`, `storage`, `venice` and `media`, `catalog`, `spend`, `input` and `jobs`, `call`, `tool`, `tools` and
//! `output` and `resources` and `prompts` and `completions`, `server`, `transport`, `cli`. [`schema`] and [`config`] are leaves,
//! and only [`cli`] knows the [`sandbox`].
//!
//! # What always holds
//!
//! - stdout carries the protocol and nothing else; the log goes to stderr and names no key and no prompt.
//! - Listing needs no key, no network and no file; everything is made when it is first needed.
//! - Media are `Bytes` or a stored id, never base64 text, until the reply leaves.
//! - What was paid for is stored; a paid request is not repeated where it may have been charged.
//! - The key goes to the configured base URL alone.
//! - Only `venice` names the HTTP client, only `config` reads the environment, and only `server`, `output`,
//!   `resources`, `prompts`, `completions`, `transport` and `cli` name the MCP library.

pub mod cli;
pub mod config;

pub mod transport;

pub mod completions;
pub mod output;
pub mod prompts;
pub mod resources;
pub mod server;

pub mod call;
pub mod tool;
pub mod tools;

pub mod schema;

pub mod catalog;
pub mod input;
pub mod jobs;
pub mod near;
pub mod outcome;
pub mod speech;
pub mod spend;

pub mod media;
pub mod storage;
pub mod venice;

pub mod context;
pub mod error;
pub(crate) mod fingerprint;
pub(crate) mod hex;
pub mod metrics;
pub mod splice;

mod net;

pub mod sandbox;
