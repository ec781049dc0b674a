//! An MCP server for the Venice.ai API: its capabilities as tools, its media as resource blobs.
//!
//! # How a call travels
//!
//! A message arrives in [`transport`]. `server` finds the tool that it names, validates the arguments against the
//! schema that was published ([`schema`]), reserves the price in the budget (`spend`), and runs the tool. A paid call
//! has states: reserved, sent, and settled or released, and a result that could not be delivered is kept for the next
//! identical call.
//!
//! A tool is one file below [`tools`]: a struct of its arguments with a `Spec`, mounted in the const table of
//! [`tools::FAMILIES`] as a `Route` ([`tool`]). It reaches the rest of the server only through the facade in `call`,
//! which chooses a model (`catalog`), reads media arguments ([`input`]), sends requests ([`venice`]), and keeps what
//! came back ([`media`]). Work that takes Venice minutes is a job (`jobs`): queued, recorded, and polled.
//!
//! The tool returns an [`outcome`], and [`output`] renders it as content that the client can show. Media leave as
//! holes in the JSON, which [`splice`] fills with base64 while the reply is written.
//!
//! # Where things are
//!
//! Modules form layers, and each may use only those below it. A test (`tests/it/tidy.rs`) has the list and enforces it.
//! From the top:
//!
//! - [`cli`]: the commands. [`config`]: flags and variables, parsed into the types of the modules below. [`sandbox`]: a
//!   built-in stand-in for Venice, which only `cli` knows.
//! - [`transport`]: stdin and stdout, and HTTP. `server`: dispatch, money, confirmation. `completions`, `resources`, and
//!   [`prompts`]: the rest of MCP.
//! - [`tools`], [`tool`], [`output`], and `call`.
//! - `jobs`, [`input`], `spend`, `catalog`, [`outcome`], [`media`].
//! - [`venice`]: the HTTP client of the API. [`storage`]: files, behind a trait.
//! - [`context`], [`schema`], [`speech`], [`splice`], [`error`], and small helpers.
//!
//! # What always holds
//!
//! - stdout carries only the protocol. The log goes to stderr and contains no key and no prompt.
//! - Listing needs no key, no network, and no file. Everything is created when it is first needed.
//! - Media are `Bytes` or a stored id, never base64 text, until the reply leaves.
//! - What was paid for is stored. A paid request that may have been charged is not repeated.
//! - The key goes only to the configured base URL.
//! - Only `venice` names the HTTP client, only `config` reads the environment, and only `server`, `output`,
//!   `resources`, `prompts`, `completions`, `transport`, and `cli` name the MCP library.
//!
//! The public modules are those that the binary, the tests, the examples, and the benchmarks use. They are not a
//! stable API.

pub mod cli;
pub mod config;

pub mod transport;

mod completions;
pub mod output;
pub mod prompts;
mod resources;
mod server;

mod call;
pub mod tool;
pub mod tools;

pub mod schema;

mod catalog;
pub mod input;
mod jobs;
mod near;
pub mod outcome;
pub mod speech;
mod spend;

pub mod media;
pub mod storage;
pub mod venice;

pub mod context;
pub mod error;
mod fingerprint;
mod hex;
mod metrics;
pub mod splice;

mod net;

pub mod sandbox;
