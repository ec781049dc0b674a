#!/usr/bin/env python3
"""Proxies on both sides. The README's blocks for Caddy and nginx: the official Python client reaches the server through
them by every transport; systemd finds nothing wrong with the README's unit. And the way to Venice: over TLS whose
authority only SSL_CERT_FILE names, through a proxy that wants a password.

    proxies.py BINARY
"""

import asyncio
import base64
import contextlib
import getpass
import io
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import wave

import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

NAME = "mcp.example.com"
TOKEN = "the-token-of-this-test"
README = pathlib.Path(__file__).parent.parent / "README.md"


def block(first: str) -> str:
    """The README's indented block whose first line begins so."""
    lines = README.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("    " + first))
    end = next(number for number in range(start, len(lines)) if lines[number] and lines[number][0] != " ")
    return textwrap.dedent("\n".join(lines[start:end])).split("\n\n" + "location / {")[0]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def resolve_locally() -> None:
    """Makes the name lead to this machine, for this process alone."""
    resolve = socket.getaddrinfo

    def local(host, *arguments, **named):
        return resolve("127.0.0.1" if host in (NAME, NAME.encode()) else host, *arguments, **named)

    socket.getaddrinfo = local


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(command: list[str], port: int, **options):
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            for _ in range(200):
                if listens(port):
                    break
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def nginx(home: pathlib.Path, port: int) -> list[str]:
    server = f"server {{ listen 127.0.0.1:{port}; server_name {NAME};\n{block('location / {')}\n}}"
    places = "".join(
        f"{kind}_temp_path {home}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = home / "nginx.conf"
    path.write_text(
        f"daemon off; user {getpass.getuser()}; pid {home}/nginx.pid; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off;\n{places}{server}\n}}\n"
    )
    return ["nginx", "-c", str(path)]


def caddy(home: pathlib.Path, port: int, site: str) -> list[str]:
    path = home / "Caddyfile"
    settings = ["admin off", "local_certs", "skip_install_trust", f"https_port {port}", f"http_port {free_port()}"]
    path.write_text("{\n" + "\n".join(settings) + "\n}\n" + site + "\n")
    return ["caddy", "run", "--config", str(path), "--adapter", "caddyfile"]


def silence(size: int) -> str:
    """A recording of about that many bytes, as an argument."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(2)
        recording.setsampwidth(2)
        recording.setframerate(48000)
        recording.writeframes(bytes(size))
    return "data:audio/wav;base64," + base64.b64encode(file.getvalue()).decode()


async def use(client: Client, http: httpx2.AsyncClient, base: str, what: str) -> None:
    names = [tool.name for tool in (await client.list_tools()).tools]
    told = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append(message)

    video = {"prompt": what, "model": "kling-2.6-pro-text-to-video", "duration": "5s"}
    arguments = video | {"aspect_ratio": "16:9", "wait_seconds": 20}
    result = await client.call_tool("venice_video_generate", arguments, progress_callback=progress)
    assert not result.is_error, result.content[0].text
    assert told, "no progress came through"
    link = re.search(rf"https://{re.escape(NAME)}(/media/\S+)", result.content[0].text)[1]
    assert (await http.get(base + link)).headers["content-type"] == "video/mp4"
    print(f"{what}: {len(names)} tools, {len(told)} notices of progress, a video by its link")


async def through(base: str, what: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        async with httpx2.AsyncClient() as stranger:
            assert (await stranger.post(f"{base}/mcp", json={})).status_code == 401
        async with Client(sse_client(f"{base}/sse", headers=headers), mode="legacy") as client:
            await use(client, http, base, f"{what}, HTTP+SSE")
        for mode in ("legacy", "2026-07-28"):
            async with Client(streamable_http_client(f"{base}/mcp", http_client=http), mode=mode) as client:
                await use(client, http, base, f"{what}, Streamable HTTP {mode}")
                large = await client.call_tool("venice_asr", {"file": silence(20 << 20)})
                assert not large.is_error, large.content[0].text


def unit(binary: str, home: pathlib.Path) -> None:
    path = home / "venice-mcp.service"
    path.write_text(block("[Service]").replace("/usr/local/bin/venice-mcp", binary) + "\n")
    found = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True)
    assert found.returncode == 0 and path.name not in found.stderr, found.stderr
    print("systemd: nothing is wrong with the unit")


def address() -> str:
    """An address of this machine that is not loopback, for which proxies are used."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


def to_venice(binary: str, home: pathlib.Path, environment: dict[str, str]) -> None:
    sandbox, front, tunnel = free_port(), free_port(), free_port()
    site = f"https://{address()} {{\n reverse_proxy 127.0.0.1:{sandbox}\n}}"
    log = home / "tunnel.log"
    settings = home / "tunnel.conf"
    settings.write_text(
        f"Port {tunnel}\nListen 127.0.0.1\nTimeout 60\nMaxClients 9\nConnectPort {front}\n"
        f'BasicAuth me secret\nLogFile "{log}"\nLogLevel Connect\n'
    )
    environment = environment | {
        "VENICE_API_KEY": "sandbox",
        "VENICE_BASE_URL": f"https://{address()}:{front}/api/v1",
        "NO_PROXY": "",
    }

    def call(**variables: str) -> subprocess.CompletedProcess:
        command = [binary, "call", "venice_tts", "input=Hello."]
        return subprocess.run(command, env=environment | variables, cwd=home, capture_output=True, text=True)

    authority = str(home / "data/caddy/pki/authorities/local/root.crt")
    through, closed = f"http://me:secret@127.0.0.1:{tunnel}", f"http://127.0.0.1:{tunnel}"
    with (
        running([binary, "sandbox", "--listen", f"127.0.0.1:{sandbox}"], sandbox, env=environment),
        running(caddy(home, front, site), front, env=environment),
        running(["tinyproxy", "-d", "-c", str(settings)], tunnel, stdout=subprocess.DEVNULL),
    ):
        assert listens(front)
        spoken = call(HTTPS_PROXY=through, SSL_CERT_FILE=authority)
        assert spoken.returncode == 0 and "audio/mpeg" in spoken.stdout, spoken
        assert b"CONNECT" in log.read_bytes()
        unknown = call(HTTPS_PROXY=through)
        assert unknown.returncode == 1 and "SSL_CERT_FILE" in unknown.stderr, unknown
        refused = call(HTTPS_PROXY=closed, SSL_CERT_FILE=authority)
        assert refused.returncode == 1 and "HTTPS_PROXY" in refused.stderr, refused
    print("Venice: over TLS, through a proxy with a password; without either it says what to set")


async def main(binary: str) -> None:
    resolve_locally()
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        unit(binary, home)
        environment = os.environ | {"HOME": folder, "XDG_DATA_HOME": f"{folder}/data"}
        to_venice(binary, home, environment)
        server = [binary, "--sandbox", "--http", "127.0.0.1:3333", "--public-url", f"https://{NAME}"]
        server += ["--allowed-host", NAME]
        with running(server, 3333, env=environment | {"VENICE_MCP_AUTH_TOKEN": TOKEN}, cwd=folder):
            port = free_port()
            with running(nginx(home, port), port):
                await through(f"http://{NAME}:{port}", "nginx")
            port = free_port()
            with running(caddy(home, port, block(NAME + " {")), port, env=environment):
                authority = home / "data/caddy/pki/authorities/local/root.crt"
                os.environ["SSL_CERT_FILE"] = str(authority)
                await through(f"https://{NAME}:{port}", "Caddy")


if __name__ == "__main__":
    asyncio.run(main(str(pathlib.Path(sys.argv[1]).resolve())))
