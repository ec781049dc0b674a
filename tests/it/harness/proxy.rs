//! A stand-in between server and sandbox that delays, breaks and replaces answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use venice_mcp::sandbox::Sandbox;

/// What happens to a request instead of being answered by the sandbox.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is answered when [`Proxy::release`] is called.
    Hold,
    /// It gets this answer: status, headers, body.
    Answer(u16, &'static str, Vec<u8>),
    /// The connection is closed without an answer.
    Reset,
    /// Half of the answer arrives.
    Truncate,
}

/// The proxy. It ends with the test.
pub(crate) struct Proxy {
    _sandbox: Sandbox,
    pub(crate) base_url: String,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    /// Of how many requests one is broken; 0 for none.
    one_in: AtomicUsize,
    number: AtomicUsize,
    rules: Mutex<Vec<Rule>>,
    /// Paths of requests that arrived, and of held ones whose client closed the connection.
    log: watch::Sender<Log>,
    released: watch::Sender<bool>,
}

/// What happens to some of the requests whose path ends so.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) path: &'static str,
    /// How many requests pass before it applies, and to how many it applies.
    pub(super) after: usize,
    pub(super) times: usize,
    pub(super) fault: Fault,
}

impl Rule {
    /// What happens to the next request of that path.
    pub(super) fn take(rules: &mut [Self], path: &str) -> Option<Fault> {
        let rule = rules.iter_mut().find(|rule| rule.times > 0 && path.ends_with(rule.path))?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.fault.clone())
    }
}

#[derive(Default)]
struct Log {
    arrived: Vec<String>,
    closed: Vec<String>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let sandbox = Sandbox::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let base = sandbox.base_url();
        let path = base.split_once("://").unwrap().1;
        let (host, path) = path.split_once('/').unwrap();
        let shared = Arc::new(Shared {
            upstream: host.to_owned(),
            one_in: AtomicUsize::new(0),
            number: AtomicUsize::new(0),
            rules: Mutex::default(),
            log: watch::Sender::default(),
            released: watch::Sender::default(),
        });
        let base_url = format!("http://{address}/{path}");
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&serving)));
            }
        });
        Self { _sandbox: sandbox, base_url, shared }
    }

    /// Breaks the next `times` requests whose path ends so, after `after` others.
    pub(crate) fn fault(&self, path: &'static str, after: usize, times: usize, fault: Fault) {
        self.shared.rules.lock().unwrap().push(Rule { path, after, times, fault });
    }

    /// Breaks one of `one_in` requests, each in another way.
    pub(crate) fn break_one_in(&self, one_in: usize) {
        self.shared.one_in.store(one_in, Ordering::SeqCst);
    }

    /// Answers what is held.
    pub(crate) fn release(&self) {
        self.shared.released.send_replace(true);
    }

    pub(crate) fn arrived(&self, path: &str) -> usize {
        self.shared.log.borrow().arrived.iter().filter(|one| one.ends_with(path)).count()
    }

    /// Waits until a request of that path has arrived.
    pub(crate) async fn wait_for(&self, path: &str) {
        let mut log = self.shared.log.subscribe();
        log.wait_for(|log| log.arrived.iter().any(|one| one.ends_with(path))).await.unwrap();
    }

    /// Waits until the server has closed the connection of a held request.
    pub(crate) async fn wait_for_close(&self, path: &str) {
        let mut log = self.shared.log.subscribe();
        log.wait_for(|log| log.closed.iter().any(|one| one.ends_with(path))).await.unwrap();
    }
}

async fn serve(mut socket: TcpStream, shared: Arc<Shared>) {
    let Some((path, request)) = read_request(&mut socket).await else { return };
    let one_in = shared.one_in.load(Ordering::SeqCst);
    if one_in == 0 {
        shared.log.send_modify(|log| log.arrived.push(path.clone()));
    }
    let fault = Rule::take(&mut shared.rules.lock().unwrap(), &path);
    match fault.or_else(|| any(&shared, one_in)) {
        Some(Fault::Reset) => {
            let _ = socket.set_zero_linger();
        }
        Some(Fault::Answer(status, headers, body)) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n\r\n",
                body.len()
            );
            let _ = socket.write_all(head.as_bytes()).await;
            let _ = socket.write_all(&body).await;
        }
        Some(Fault::Truncate) => {
            let answer = forward(&shared.upstream, &request).await;
            let _ = socket.write_all(&answer[..answer.len() - answer.len() / 3]).await;
        }
        Some(Fault::Hold) => {
            let mut released = shared.released.subscribe();
            let released = async { released.wait_for(|released| *released).await.is_ok() };
            tokio::select! {
                _ = released => {
                    let answer = forward(&shared.upstream, &request).await;
                    let _ = socket.write_all(&answer).await;
                }
                _ = socket.read_u8() => shared.log.send_modify(|log| log.closed.push(path)),
            }
        }
        None => {
            let answer = forward(&shared.upstream, &request).await;
            let _ = socket.write_all(&answer).await;
        }
    }
}

/// One of the faults that servers and networks have, where it is the request's turn.
fn any(shared: &Shared, one_in: usize) -> Option<Fault> {
    let number = shared.number.fetch_add(1, Ordering::SeqCst) + 1;
    if one_in == 0 || !number.is_multiple_of(one_in) {
        return None;
    }
    let answer = |status| Fault::Answer(status, "retry-after: 0", b"{\"error\": \"x\"}".to_vec());
    Some(match number / one_in % 6 {
        0 => Fault::Reset,
        1 => Fault::Truncate,
        2 => answer(429),
        3 => answer(503),
        4 => answer(500),
        _ => Fault::Answer(200, "content-type: text/html", b"<html>".to_vec()),
    })
}

/// A whole request: its path without the query, and its bytes with `connection: close`.
async fn read_request(socket: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 65536];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let count = socket.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    let whole = end + 4 + length.unwrap_or_default();
    while bytes.len() < whole {
        let count = socket.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    }
    let path = head.split(' ').nth(1)?.split('?').next()?.to_owned();
    let mut request = head.into_bytes();
    request.extend_from_slice(b"\r\nconnection: close");
    request.extend_from_slice(&bytes[end..]);
    Some((path, request))
}

async fn forward(upstream: &str, request: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(upstream).await.unwrap();
    socket.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    answer
}
