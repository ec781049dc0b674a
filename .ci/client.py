#!/usr/bin/env python3
"""The official Python client lists the tools, makes an image and speech over stdio, and decodes the blobs.

    client.py BINARY
"""

import asyncio
import base64
import pathlib
import sys
import tempfile

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

MAGIC = {"image/webp": b"RIFF", "audio/mpeg": (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")}


async def main(binary: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        parameters = StdioServerParameters(
            command=binary, args=["--sandbox"], env={"HOME": home, "VENICE_OUTPUT_DIR": home}, cwd=home
        )
        async with Client(stdio_client(parameters)) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            print(f"{len(names)} tools: {', '.join(names)}")
            for tool, arguments in (
                ("venice_image_generate", {"prompt": "a lighthouse at dawn"}),
                ("venice_tts", {"input": "Hello from Venice."}),
            ):
                result = await client.call_tool(tool, arguments)
                assert not result.is_error, result.content[0].text
                blob = next(block.resource for block in result.content if block.type == "resource")
                data = base64.b64decode(blob.blob, validate=True)
                assert data.startswith(MAGIC[blob.mime_type]), blob.mime_type
                facts = result.meta["ai.venice/media"][0]
                for _ in range(100):
                    if pathlib.Path(facts["path"]).is_file():
                        break
                    await asyncio.sleep(0.05)
                assert pathlib.Path(facts["path"]).read_bytes() == data, facts["path"]
                print(f"{tool}: {blob.mime_type}, {len(data)} bytes, {blob.uri}")


if __name__ == "__main__":
    asyncio.run(main(str(pathlib.Path(sys.argv[1]).resolve())))
