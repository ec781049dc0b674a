#!/usr/bin/env python3
"""Counts what must not grow unseen: bytes of tools/list, instructions of calls, memory of images. Nothing is timed.

    guard.py BINARY [--write] [--profile FILE]

Instructions are those of valgrind's callgrind, as the difference of two runs, so that the start of the process is not
in them. Memory is the highest that the kernel saw (VmHWM), less that of an idle server. Each figure has a ceiling in
guard.json; one above it ends this with 1. `--write` sets the ceilings to what is found and a fifth more, `tools/list`
excepted. `--profile` keeps callgrind's output of the run of small calls.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CEILINGS = pathlib.Path(__file__).with_name("guard.json")
HEADROOM = 1.2
CALLS = 100
"""How many small calls the shorter of two runs makes."""
IMAGE = 1 << 20
LARGE = 8 << 20
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\0\0\0\x04\0\x08\x02\0\0\0"
SMALL_CALL = ("venice_image_styles", {})
IMAGE_CALL = ("venice_image_generate", {"prompt": "a cat", "model": "z-image-turbo"})


class Upstream(BaseHTTPRequestHandler):
    """Stands in for Venice at no cost that matters."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    image = PNG

    def do_GET(self) -> None:
        if self.path.startswith("/api/v1/image/styles"):
            return self.json({"object": "list", "data": ["Anime", "Photographic", "Watercolor"]})
        row = {"id": "z-image-turbo", "type": "image", "model_spec": {"traits": ["default"]}}
        return self.json({"object": "list", "type": "image", "data": [row]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b'"return_binary":true' in body:
            return self.answer("image/png", self.image)
        return self.json({"images": [b64encode(self.image).decode()]})

    def json(self, value: object) -> None:
        self.answer("application/json", json.dumps(value).encode())

    def answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def draw(size: int) -> None:
    """The size in bytes of the images that follow."""
    Upstream.image = PNG + os.urandom(size - len(PNG))


class Server:
    """The server under measurement, over stdio."""

    def __init__(self, binary: str, port: int, *wrapper: str) -> None:
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        environment = {
            "HOME": self.home.name,
            "PATH": os.environ["PATH"],
            "VENICE_API_KEY": "guard",
            "VENICE_BASE_URL": f"http://127.0.0.1:{port}/api/v1",
            "VENICE_OUTPUT_DIR": f"{self.home.name}/out",
            "VENICE_INLINE_LIMIT": "64MiB",
        }
        self.process = subprocess.Popen(
            [*wrapper, binary],
            env=environment,
            cwd=self.home.name,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.sent = 0
        info = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "guard", "version": "1"}}
        self.ask("initialize", info)
        self.write({"method": "notifications/initialized"})

    def write(self, message: dict) -> None:
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def send(self, method: str, params: dict) -> None:
        self.sent += 1
        self.write({"id": self.sent, "method": method, "params": params})

    def answer(self) -> bytes:
        line = self.process.stdout.readline()
        if b'"result":' not in line or b'"isError":true' in line[-4096:]:
            raise SystemExit(f"no result: {line[:400]!r}")
        return line

    def ask(self, method: str, params: dict) -> bytes:
        self.send(method, params)
        return self.answer()

    def call(self, tool: str, arguments: dict, times: int) -> None:
        for _ in range(times):
            self.ask("tools/call", {"name": tool, "arguments": arguments})

    def memory(self, name: str) -> int:
        """A line of the process's status, in bytes."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M).group(1)) * 1024

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.home.cleanup()


def instructions(binary: str, port: int, tool: str, arguments: dict, times: int, keep: str | None = None) -> int:
    """What a process takes that makes that many calls."""
    with tempfile.TemporaryDirectory() as directory:
        out = keep or f"{directory}/out"
        server = Server(binary, port, "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}")
        server.call(tool, arguments, times)
        server.end()
        return int(re.search(r"^totals: (\d+)", pathlib.Path(out).read_text(), re.M).group(1))


def small_calls(binary: str, port: int, keep: str | None) -> float:
    """Instructions of one small call, its request to Venice in it."""
    once = instructions(binary, port, *SMALL_CALL, CALLS)
    twice = instructions(binary, port, *SMALL_CALL, 2 * CALLS, keep)
    return (twice - once) / CALLS


def image_bytes(binary: str, port: int) -> float:
    """Instructions of one byte of an image, from Venice to the client and the store."""
    times = 4
    found = []
    for size in (IMAGE, 2 * IMAGE):
        draw(size)
        found.append(instructions(binary, port, *IMAGE_CALL, times))
    return (found[1] - found[0]) / (times * IMAGE)


def peak(binary: str, port: int) -> float:
    """The most memory, in bytes for each byte of eight large images that are made at once."""
    at_once = 8
    draw(LARGE)
    server = Server(binary, port)
    idle = server.memory("VmHWM")
    tool, arguments = IMAGE_CALL
    for _ in range(at_once):
        server.send("tools/call", {"name": tool, "arguments": arguments})
    for _ in range(at_once):
        server.answer()
    found = server.memory("VmHWM") - idle
    server.end()
    return found / (at_once * LARGE)


def list_bytes(binary: str, port: int) -> int:
    """Bytes of the reply to tools/list."""
    server = Server(binary, port)
    size = len(server.ask("tools/list", {}))
    server.end()
    return size


def main(arguments: list[str]) -> int:
    binary = str(pathlib.Path(arguments[0]).resolve())
    keep = arguments[arguments.index("--profile") + 1] if "--profile" in arguments else None
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    upstream.daemon_threads = True
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    port = upstream.server_address[1]
    found = {
        "bytes of tools/list": list_bytes(binary, port),
        "instructions of a small call": small_calls(binary, port, keep),
        "instructions of a byte of an image": image_bytes(binary, port),
        "peak bytes of memory for a byte of eight images": peak(binary, port),
    }
    ceilings = json.loads(CEILINGS.read_text())
    if "--write" in arguments:
        for name, figure in found.items():
            if name != "bytes of tools/list":
                ceilings[name] = round(figure * HEADROOM, None if figure > 1000 else 2)
        CEILINGS.write_text(json.dumps(ceilings, indent=2) + "\n")
    over = 0
    print(f"{'figure':50} {'found':>12} {'ceiling':>12}")
    for name, figure in found.items():
        mark = "  over" if figure > ceilings[name] else ""
        over += bool(mark)
        shown = f"{figure:,.0f}" if figure > 1000 else f"{figure:.2f}"
        print(f"{name:50} {shown:>12} {ceilings[name]:>12,}{mark}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
