//! The harness of every test: a server as a host or an operator starts it, and a client of it.
//!
//! [`Setup`] says what the server gets. [`Setup::start`], [`Setup::lines`] and [`Setup::http`] start it behind a client
//! of that transport, [`Sse::open`] opens a stream of a server over HTTP. Whatever the transport, [`Client::call`] calls
//! a tool and gives its result as JSON, and [`text`], [`kinds`], [`blobs`] and [`media_items`] read that.

mod http;
mod in_process;
mod lines;
mod mcp;
mod media;
mod proxy;
mod redact;
mod result;
mod scripted_venice;
mod server;
mod setup;
mod sse;
mod transcript;
mod until;

use serde_json::{Value, json};

pub(crate) use http::{Http, hello, request, terminate};
pub(crate) use in_process::InProcess;
pub(crate) use lines::Lines;
pub(crate) use mcp::Mcp;
pub(crate) use media::{decode, png, wav};
pub(crate) use proxy::{Fault, Proxy};
pub(crate) use redact::redact;
pub(crate) use result::{blobs, error, is_error, kinds, media_items, text, texts};
pub(crate) use scripted_venice::ScriptedVenice;
pub(crate) use server::{BINARY, TestServer, command, copy_directory};
pub(crate) use setup::Setup;
pub(crate) use sse::Sse;
pub(crate) use until::{soon, until};

/// A client of a server, over some transport.
pub(crate) trait Client {
    /// The answer to a JSON-RPC request, with its `result` or its `error`.
    async fn ask(&self, method: &str, params: Value) -> Value;

    /// The result of a tool's call, which must not be a protocol error.
    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        let mut answer = self.ask("tools/call", params).await;
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].take()
    }

    /// The tools that the client sees.
    async fn tools(&self) -> Vec<Value> {
        let mut answer = self.ask("tools/list", json!({})).await;
        let Value::Array(tools) = answer["result"]["tools"].take() else { panic!("{answer}") };
        tools
    }

    /// The names of the tools that the client sees.
    async fn tool_names(&self) -> Vec<String> {
        let name = |tool: &Value| tool["name"].as_str().unwrap().to_owned();
        self.tools().await.iter().map(name).collect()
    }

    /// The bytes of a resource, or the message of the error.
    async fn read(&self, uri: &str) -> Result<Vec<u8>, String> {
        let answer = self.ask("resources/read", json!({"uri": uri})).await;
        if let Some(message) = answer["error"]["message"].as_str() {
            return Err(message.to_owned());
        }
        let contents = &answer["result"]["contents"][0];
        Ok(match contents["blob"].as_str() {
            Some(blob) => decode(blob),
            None => contents["text"].as_str().unwrap().into(),
        })
    }
}
