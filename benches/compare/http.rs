//! How many small calls a second a server answers over HTTP, by the clients that ask at once.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::server::{CHAT, INITIALIZE, Process, milliseconds, percentile};
use crate::upstream::Upstream;

const CLIENTS: &[usize] = &[1, 32, 256];
/// How many calls all clients make together.
const CALLS: usize = 8192;
/// How many each makes first, unmeasured.
const WARM_UP: usize = 4;
/// How long the server may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Measures and prints the table.
pub(crate) fn run(command: &str, upstream: &Upstream) {
    let address = free();
    let mut process = Process::start(&format!("{command} --http {address}"), upstream);
    listening(address, &mut process);
    println!("| clients | small calls a second | p50 | p99 | processor time a call | memory |");
    println!("|---|---|---|---|---|---|");
    for clients in CLIENTS {
        let processor = process.processor();
        let (mut times, took) = load(address, *clients);
        // The calls that warm up take processor time as well.
        let calls = times.len() + clients * WARM_UP;
        let processor = (process.processor() - processor) / calls as f64;
        println!(
            "| {clients} | {:.0} | {:.2} ms | {:.2} ms | {processor:.3} ms | {:.1} MB |",
            times.len() as f64 / took.as_secs_f64(),
            percentile(&mut times, 0.5),
            percentile(&mut times, 0.99),
            process.memory("VmRSS"),
        );
    }
}

/// The milliseconds of every call that so many clients make, and how long all took.
fn load(address: SocketAddr, clients: usize) -> (Vec<f64>, Duration) {
    let start = Barrier::new(clients + 1);
    let calls = CALLS.div_ceil(clients);
    let client = || {
        let mut connection = Connection::open(address);
        (0..WARM_UP).for_each(|_| connection.call());
        start.wait();
        let timed = |_| {
            let from = Instant::now();
            connection.call();
            milliseconds(from)
        };
        (0..calls).map(timed).collect::<Vec<f64>>()
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        start.wait();
        let from = Instant::now();
        let times = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (times, from.elapsed())
    })
}

/// An address that nobody listens on.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn listening(address: SocketAddr, process: &mut Process) {
    let from = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(process.runs(), "the server ended; does it know `--http`?");
        assert!(from.elapsed() < PATIENCE, "the server does not listen at {address}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// One client on one connection that is kept alive.
struct Connection {
    stream: BufReader<TcpStream>,
    head: String,
    call: String,
    body: Vec<u8>,
}

impl Connection {
    /// Connects, and shakes hands.
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-06-18\r\n"
        );
        let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{CHAT}}}"#);
        let mut connection = Self { stream: BufReader::new(stream), head, call, body: Vec::new() };
        let hello =
            format!(r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{INITIALIZE}}}"#);
        connection.send(&hello);
        if let Some(session) = connection.receive() {
            let _ = write!(connection.head, "Mcp-Session-Id: {session}\r\n");
        }
        connection.expect_result();
        connection
    }

    fn call(&mut self) {
        let call = std::mem::take(&mut self.call);
        self.send(&call);
        self.call = call;
        self.receive();
        self.expect_result();
    }

    fn send(&mut self, body: &str) {
        let message = format!("{}Content-Length: {}\r\n\r\n{body}", self.head, body.len());
        self.stream.get_mut().write_all(message.as_bytes()).unwrap();
    }

    /// Reads one reply into `body`; gives the session id where the reply has one.
    fn receive(&mut self) -> Option<String> {
        let status = self.line();
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        let (mut length, mut session) = (None, None);
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').expect("a header");
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = Some(value.trim().parse().unwrap()),
                "mcp-session-id" => session = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        self.body.clear();
        match length {
            Some(length) => self.read(length),
            None => while self.chunk() {},
        }
        session
    }

    /// Reads a chunk of a body whose length is not told; whether it was not the last.
    fn chunk(&mut self) -> bool {
        let line = self.line();
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size.trim(), 16).expect("the size of a chunk");
        self.read(size);
        assert_eq!(self.line(), "", "a chunk ends with its line");
        size > 0
    }

    fn read(&mut self, bytes: usize) {
        let from = self.body.len();
        self.body.resize(from + bytes, 0);
        self.stream.read_exact(&mut self.body[from..]).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the server closed the connection");
        line.truncate(line.trim_end().len());
        line
    }

    fn expect_result(&self) {
        let has = |text: &str| memchr::memmem::find(&self.body, text.as_bytes()).is_some();
        let good = has("\"result\":") && !has("\"isError\":true");
        assert!(good, "{}", String::from_utf8_lossy(&self.body));
    }
}
