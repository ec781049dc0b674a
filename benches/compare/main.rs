//! Measures MCP servers for Venice side by side over stdio, against one upstream on this machine.
//!
//! ```text
//! cargo bench --bench compare                                  this crate's server alone
//! cargo bench --bench compare -- 'node other/dist/index.js'    and another command beside it, with ratios
//! cargo bench --bench compare -- --growth docs.svg             how cost grows with calls and bytes
//! cargo bench --bench compare -- --http                        small calls over HTTP, by the number of clients
//! cargo bench --bench compare -- --http 'other server'         the same of another command, to which `--http ADDRESS` is added
//! ```
//!
//! Every server gets `VENICE_API_KEY`, `VENICE_BASE_URL` and `VENICE_API_BASE_URL` for the upstream, and room for
//! large blobs (`VENICE_INLINE_LIMIT=64MiB`). Times are the wall clock's, processor time and memory the kernel's
//! (`/proc`), so that this runs on Linux alone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::format_collect,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a measurement that goes wrong ends with what went wrong"
)]

mod growth;
mod http;
mod server;
mod upstream;

use std::time::Instant;

use server::{Server, median, percentile};
use upstream::Upstream;

/// One figure of every server, in the order of the servers.
struct Row {
    name: &'static str,
    unit: &'static str,
    /// Whether a larger figure is the better one.
    more_is_better: bool,
    figures: Vec<f64>,
}

/// How many starts are measured; the median is reported.
const STARTS: usize = 20;
/// How many small calls, one after the other, and beside each other.
const CALLS: usize = 2000;
/// How many calls are in flight where many are.
const IN_FLIGHT: usize = 32;
/// The image that is large.
const LARGE: usize = 8 << 20;

fn main() {
    // `cargo bench` adds a flag of its own harness.
    let mut arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let upstream = Upstream::start();
    let ours = env!("CARGO_BIN_EXE_venice-mcp").to_owned();
    if arguments.first().is_some_and(|first| first == "--growth") {
        growth::run(&ours, &upstream, arguments.get(1).map(String::as_str));
        return;
    }
    if arguments.first().is_some_and(|first| first == "--http") {
        http::run(arguments.get(1).unwrap_or(&ours), &upstream);
        return;
    }
    arguments.insert(0, ours);
    let rows = rows(&arguments, &upstream);
    print(&arguments, &rows);
}

fn rows(commands: &[String], upstream: &Upstream) -> Vec<Row> {
    let mut rows = vec![
        row("start to initialize reply", "ms", false),
        row("memory after tools/list", "MB", false),
        row("bytes of tools/list", "B", false),
        row("small chat call, p50", "ms", false),
        row("small chat call, p99", "ms", false),
        row("processor time of a small call", "ms", false),
        row("calls a second, 32 in flight", "/s", true),
        row("8 MB image", "ms", false),
        row("8 MB image, processor time", "ms", false),
        row("peak memory, eight 8 MB images at once", "MB", false),
    ];
    for command in commands {
        for (row, figure) in rows.iter_mut().zip(figures(command, upstream)) {
            row.figures.push(figure);
        }
    }
    rows
}

const fn row(name: &'static str, unit: &'static str, more_is_better: bool) -> Row {
    Row { name, unit, more_is_better, figures: Vec::new() }
}

/// The figures of one server, in the order of the rows.
fn figures(command: &str, upstream: &Upstream) -> Vec<f64> {
    let starts = (0..STARTS).map(|_| Server::start(command, upstream).started).collect();
    let mut server = Server::start(command, upstream);
    let list = server.ask("tools/list", "{}").len();
    // What a start leaves behind is given back after a moment.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let memory = server.process.memory("VmRSS");

    server.chat(200);
    let processor = server.process.processor();
    let mut times = server.chat(CALLS);
    let per_call = (server.process.processor() - processor) / times.len() as f64;
    let (half, most) = (percentile(&mut times, 0.5), percentile(&mut times, 0.99));
    let from = Instant::now();
    server.many(CALLS * 2, IN_FLIGHT, server::CHAT);
    let rate = (CALLS * 2) as f64 / from.elapsed().as_secs_f64();

    upstream.image(LARGE);
    server.images(1, 1);
    let processor = server.process.processor();
    let walls: Vec<f64> = (0..7).map(|_| server.images(1, 1)).collect();
    let large = (server.process.processor() - processor) / walls.len() as f64;
    server.images(8, 8);
    let peak = server.process.memory("VmHWM");
    vec![
        median(starts),
        memory,
        list as f64,
        half,
        most,
        per_call,
        rate,
        median(walls),
        large,
        peak,
    ]
}

fn print(commands: &[String], rows: &[Row]) {
    for (index, command) in commands.iter().enumerate() {
        println!("{}: {command}", index + 1);
    }
    let columns: String = (1..=commands.len()).map(|column| format!(" {column} |")).collect();
    let ratios = if commands.len() > 1 { " ratio |" } else { "" };
    println!("\n| figure |{columns}{ratios}");
    let rules = "---|".repeat(commands.len() + usize::from(commands.len() > 1));
    println!("|---|{rules}");
    for row in rows {
        let figures: String =
            row.figures.iter().map(|figure| format!(" {} |", short(*figure))).collect();
        let ratio = row.figures.get(1).map_or(String::new(), |other| {
            let ours = row.figures[0];
            let ratio = if row.more_is_better { ours / other } else { other / ours };
            format!(" {} times better |", short(ratio))
        });
        println!("| {} ({}) |{figures}{ratio}", row.name, row.unit);
    }
}

fn short(figure: f64) -> String {
    match figure {
        figure if figure >= 100.0 => format!("{figure:.0}"),
        figure if figure >= 10.0 => format!("{figure:.1}"),
        figure => format!("{figure:.2}"),
    }
}
