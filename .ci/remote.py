#!/usr/bin/env python3
"""The official Python client over HTTP+SSE and over Streamable HTTP: lists, makes speech, reads it, sees it refuse.

    remote.py BINARY
"""

import asyncio
import base64
import pathlib
import re
import subprocess
import sys
import tempfile

from mcp import Client
from mcp.client.sse import sse_client


async def use(client: Client, what: str) -> None:
    names = [tool.name for tool in (await client.list_tools()).tools]
    assert "venice_tts" in names, names
    result = await client.call_tool("venice_tts", {"input": "Hello from Venice."})
    assert not result.is_error, result.content[0].text
    blob = next(block.resource for block in result.content if block.type == "resource")
    data = base64.b64decode(blob.blob, validate=True)
    read = (await client.read_resource(blob.uri)).contents[0]
    assert base64.b64decode(read.blob) == data
    wrong = await client.call_tool("venice_tts", {"input": "Hello.", "speed": 99})
    assert wrong.is_error and "speed" in wrong.content[0].text
    print(f"{what}: {len(names)} tools, {blob.mime_type}, {len(data)} bytes")


async def main(binary: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "VENICE_OUTPUT_DIR": home}
        command = [binary, "--sandbox", "--http", "127.0.0.1:0"]
        with subprocess.Popen(command, env=environment, cwd=home, stderr=subprocess.PIPE, text=True) as server:
            try:
                base = re.search(r"http://\S+(?=/mcp)", server.stderr.readline())[0]
                async with Client(sse_client(f"{base}/sse"), mode="legacy") as client:
                    await use(client, "HTTP+SSE")
                for mode in ("legacy", "2026-07-28", "auto"):
                    async with Client(f"{base}/mcp", mode=mode) as client:
                        await use(client, f"Streamable HTTP, {mode}")
            finally:
                server.terminate()
        assert server.returncode == 0, server.returncode


if __name__ == "__main__":
    asyncio.run(main(str(pathlib.Path(sys.argv[1]).resolve())))
