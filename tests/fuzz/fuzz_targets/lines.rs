//! What a client writes on stdin: every line is a message, an answer of the transport, or nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rmcp::transport::Transport as _;
use venice_mcp::transport::stdio::Stdio;

fuzz_target!(|data: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut transport = Stdio::new(data, tokio::io::sink(), |_| {});
        while transport.receive().await.is_some() {}
    });
});
