//! A server under measurement, and the client that times it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::upstream::Upstream;

/// A small call.
pub(crate) const CHAT: &str = r#"{"name":"venice_chat","arguments":{"model":"zai-org-glm-5-2","messages":[{"role":"user","content":"hi"}]}}"#;
/// A call whose result is an image.
const IMAGE: &str =
    r#"{"name":"venice_image_generate","arguments":{"prompt":"a cat","model":"z-image-turbo"}}"#;

/// Kernel ticks a second, as `/proc` counts processor time on Linux.
const TICKS: f64 = 100.0;

/// What a client says first.
pub(crate) const INITIALIZE: &str = r#"{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"benchmark","version":"1"}}"#;

/// A process under measurement, which ends with this.
pub(crate) struct Process {
    child: Child,
    _home: TempDir,
}

/// A running server that speaks over its standard input and output.
pub(crate) struct Server {
    pub(crate) process: Process,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    next: usize,
    /// Milliseconds from the start of the process to the reply to `initialize`.
    pub(crate) started: f64,
}

impl Process {
    /// Starts `command`, words separated by spaces.
    pub(crate) fn start(command: &str, upstream: &Upstream) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut words = command.split_whitespace();
        let mut command = Command::new(words.next().expect("a command"));
        command
            .args(words)
            .env("HOME", home.path())
            .env("VENICE_API_KEY", "benchmark")
            .env("VENICE_BASE_URL", upstream.base_url())
            .env("VENICE_API_BASE_URL", upstream.base_url())
            .env("VENICE_INLINE_LIMIT", "64MiB")
            .env("VENICE_OUTPUT_DIR", home.path().join("out"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        Self { child: command.spawn().expect("the server starts"), _home: home }
    }

    /// Whether it has not ended.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The milliseconds of processor time that it has taken.
    pub(crate) fn processor(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        ticks * 1000.0 / TICKS
    }

    /// A line of its status in megabytes: `VmRSS`, `VmHWM`.
    pub(crate) fn memory(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1000.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts `command` and shakes hands with it.
    pub(crate) fn start(command: &str, upstream: &Upstream) -> Self {
        let from = Instant::now();
        let mut process = Process::start(command, upstream);
        let stdin = process.child.stdin.take().unwrap();
        let stdout = BufReader::with_capacity(1 << 20, process.child.stdout.take().unwrap());
        let mut server = Self { process, stdin, stdout, next: 0, started: 0.0 };
        server.ask("initialize", INITIALIZE);
        server.started = milliseconds(from);
        let ready = b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
        server.stdin.write_all(ready).unwrap();
        server
    }

    /// The line that answers a request.
    pub(crate) fn ask(&mut self, method: &str, params: &str) -> Vec<u8> {
        self.send(method, params);
        self.answer()
    }

    /// Calls one after the other; how many milliseconds each took.
    pub(crate) fn chat(&mut self, calls: usize) -> Vec<f64> {
        let timed = |_| {
            let from = Instant::now();
            let answer = self.ask("tools/call", CHAT);
            let took = milliseconds(from);
            assert!(
                !contains(&answer, b"\"isError\":true"),
                "{}",
                String::from_utf8_lossy(&answer)
            );
            took
        };
        (0..calls).map(timed).collect()
    }

    /// Calls with that many in flight.
    pub(crate) fn many(&mut self, calls: usize, in_flight: usize, call: &str) {
        let first = calls.min(in_flight);
        for _ in 0..first {
            self.send("tools/call", call);
        }
        for sent in first..calls + first {
            self.answer();
            if sent < calls {
                self.send("tools/call", call);
            }
        }
    }

    /// Images with that many in flight; how many milliseconds all took.
    pub(crate) fn images(&mut self, calls: usize, in_flight: usize) -> f64 {
        let from = Instant::now();
        self.many(calls, in_flight, IMAGE);
        milliseconds(from)
    }

    fn send(&mut self, method: &str, params: &str) {
        let id = self.next;
        self.next += 1;
        writeln!(
            self.stdin,
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#
        )
        .unwrap();
        self.stdin.flush().unwrap();
    }

    /// The next line that answers a request.
    fn answer(&mut self) -> Vec<u8> {
        loop {
            let mut line = Vec::new();
            self.stdout.read_until(b'\n', &mut line).unwrap();
            assert!(!line.is_empty(), "the server ended");
            if contains(&line, b"\"result\":") || contains(&line, b"\"error\":") {
                return line;
            }
        }
    }
}

/// Whether the first or last kilobytes hold `wanted`: what lies between is base64.
fn contains(line: &[u8], wanted: &[u8]) -> bool {
    let end = line.len().min(4096);
    let has = |part: &[u8]| memchr::memmem::find(part, wanted).is_some();
    has(&line[..end]) || has(&line[line.len() - end..])
}

pub(crate) fn milliseconds(from: Instant) -> f64 {
    from.elapsed().as_secs_f64() * 1000.0
}

pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    percentile(&mut times, 0.5)
}

/// The time that this share of them does not exceed.
pub(crate) fn percentile(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * share) as usize]
}
