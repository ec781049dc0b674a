//! Where the key goes: to the host of the base URL, never by way of a proxy if that is this machine.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::Output;

use venice_mcp::sandbox::Sandbox;

use crate::harness::command;

/// A listener that every proxy variable names.
struct FakeProxy {
    listener: TcpListener,
    url: String,
}

impl FakeProxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, url }
    }

    /// Calls a free tool of a server behind the proxy.
    async fn call(&self, base_url: &str) -> Output {
        let home = tempfile::tempdir().unwrap();
        let mut command = command(home.path());
        for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(variable, &self.url);
        }
        command.env("VENICE_API_KEY", "test-key").env("VENICE_BASE_URL", base_url);
        command.env("VENICE_TIMEOUT", "3").args(["call", "venice_account", "view=rate_limits"]);
        command.output().await.unwrap()
    }

    /// Whether a program has connected since the last look.
    fn was_reached(&self) -> bool {
        match self.listener.accept() {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                false
            }
        }
    }
}

#[tokio::test]
async fn no_proxy_gets_what_is_for_this_machine() {
    let hosts = ["x.localhost", "localhost", "localhost.", "127.0.0.1", "[::1]", "127.9.9.9"];
    // A call that cannot connect waits and tries again, so all are made at once.
    futures::future::join_all(hosts.map(async |host| {
        let proxy = FakeProxy::start();
        let output = proxy.call(&format!("http://{host}:9/api/v1")).await;
        assert_eq!(output.status.code(), Some(1), "{host}: {output:?}");
        assert!(!proxy.was_reached(), "{host}: the proxy was reached");
    }))
    .await;
    // Other hosts are reached by way of the proxy, so that the test above means something.
    let proxy = FakeProxy::start();
    proxy.call("https://venice.invalid/api/v1").await;
    assert!(proxy.was_reached());
}

#[tokio::test]
async fn names_below_localhost_need_no_name_server() {
    let proxy = FakeProxy::start();
    let sandbox = Sandbox::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    for host in ["x.localhost", "localhost", "127.0.0.1"] {
        let output = proxy.call(&sandbox.base_url().replace("127.0.0.1", host)).await;
        assert_eq!(output.status.code(), Some(0), "{host}: {output:?}");
    }
}
