//! How cost grows: with the calls in flight, and with the bytes of an image. As tables, and as a plot.

use std::fmt::Write as _;
use std::time::Instant;

use crate::server::{self, Server, median};
use crate::upstream::Upstream;

/// A line of the plot: its name, and points of (size or number, milliseconds).
type Line = (&'static str, Vec<(f64, f64)>);

const CONCURRENCY: &[usize] = &[1, 8, 32, 128];
const KILOBYTES: &[usize] = &[64, 256, 1024, 4096, 16_384, 49_152];

/// Measures, prints the tables, and writes the plot where `svg` says.
pub(crate) fn run(command: &str, upstream: &Upstream, svg: Option<&str>) {
    let calls = by_calls(command, upstream);
    let bytes = by_bytes(command, upstream);
    if let Some(path) = svg {
        let plot = plot("milliseconds an image, by kilobytes", &bytes);
        std::fs::write(path, plot).unwrap();
    }
    println!("| calls in flight | small calls a second | milliseconds a call |\n|---|---|---|");
    for (in_flight, rate) in calls {
        println!("| {in_flight} | {rate:.0} | {:.2} |", in_flight as f64 * 1000.0 / rate);
    }
    println!("\n| image | wall | processor time | peak memory |\n|---|---|---|---|");
    for (index, kilobytes) in KILOBYTES.iter().enumerate() {
        let figure = |line: usize| bytes[line].1[index].1;
        println!(
            "| {kilobytes} kB | {:.2} ms | {:.2} ms | {:.1} MB |",
            figure(0),
            figure(1),
            figure(2)
        );
    }
}

fn by_calls(command: &str, upstream: &Upstream) -> Vec<(usize, f64)> {
    let mut server = Server::start(command, upstream);
    server.chat(200);
    CONCURRENCY
        .iter()
        .map(|in_flight| {
            let calls = 2000 * in_flight.min(&4);
            let from = Instant::now();
            server.many(calls, *in_flight, server::CHAT);
            (*in_flight, calls as f64 / from.elapsed().as_secs_f64())
        })
        .collect()
}

fn by_bytes(command: &str, upstream: &Upstream) -> Vec<Line> {
    let mut lines: Vec<Line> =
        vec![("wall", Vec::new()), ("processor", Vec::new()), ("peak memory, MB", Vec::new())];
    for kilobytes in KILOBYTES {
        upstream.image(kilobytes << 10);
        let mut server = Server::start(command, upstream);
        server.images(1, 1);
        let processor = server.process.processor();
        let walls: Vec<f64> = (0..9).map(|_| server.images(1, 1)).collect();
        let processor = (server.process.processor() - processor) / walls.len() as f64;
        for (line, figure) in
            lines.iter_mut().zip([median(walls), processor, server.process.memory("VmHWM")])
        {
            line.1.push((*kilobytes as f64, figure));
        }
    }
    lines
}

/// A plot with logarithmic axes.
fn plot(title: &str, lines: &[Line]) -> String {
    const WIDTH: f64 = 640.0;
    const HEIGHT: f64 = 400.0;
    const COLORS: [&str; 3] = ["#0b6e99", "#c2570c", "#5b7c12"];
    let all = || lines.iter().flat_map(|(_, points)| points.iter().copied());
    let bounds = |of: fn((f64, f64)) -> f64| {
        let values = || all().map(of).map(|value| value.max(0.1).log10());
        (values().fold(f64::MAX, f64::min).floor(), values().fold(f64::MIN, f64::max).ceil())
    };
    let ((left, right), (low, high)) = (bounds(|point| point.0), bounds(|point| point.1));
    let x = |value: f64| 60.0 + (value.max(0.1).log10() - left) / (right - left) * (WIDTH - 200.0);
    let y = |value: f64| {
        HEIGHT - 40.0 - (value.max(0.1).log10() - low) / (high - low) * (HEIGHT - 80.0)
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"60\" y=\"24\" font-size=\"14\">{title}</text>\n"
    );
    let mut power = low;
    while power <= high {
        let value = 10_f64.powf(power);
        let at = y(value);
        let _ = writeln!(
            svg,
            "<line x1=\"60\" x2=\"{}\" y1=\"{at}\" y2=\"{at}\" stroke=\"#ddd\"/>\
             <text x=\"52\" y=\"{}\" text-anchor=\"end\">{value}</text>",
            WIDTH - 140.0,
            at + 4.0
        );
        power += 1.0;
    }
    for (value, _) in &lines[0].1 {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{value}</text>",
            x(*value),
            HEIGHT - 20.0
        );
    }
    for ((name, points), color) in lines.iter().zip(COLORS) {
        let path: Vec<String> =
            points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
        let end = points[points.len() - 1];
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\
             <text x=\"{}\" y=\"{}\" fill=\"{color}\">{name}</text>",
            path.join(" "),
            x(end.0) + 8.0,
            y(end.1) + 4.0
        );
    }
    svg + "</svg>\n"
}
