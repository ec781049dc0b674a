#!/usr/bin/env bash
# Packs a binary as an MCP bundle that Claude Desktop installs with a double click.
#
#   packaging/mcpb/build.sh linux|darwin|win32 BINARY [OUTPUT]
#
# Needs jq and the official packer: npm install @anthropic-ai/mcpb (MCPB names its program, else it is taken from the
# PATH). The format knows no processor: give it a universal binary on macOS (lipo), x86-64 elsewhere.
set -euo pipefail

platform=${1:?linux, darwin or win32}
binary=${2:?the binary}
output=${3:-venice-mcp-$platform.mcpb}
case $output in /*) ;; *) output=$PWD/$output ;; esac
mcpb=${MCPB:-mcpb}
case $platform in
  linux | darwin) name=venice-mcp ;;
  win32) name=venice-mcp.exe ;;
  *) echo "unknown platform $platform" >&2; exit 2 ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
bundle=$(mktemp -d)
trap 'rm -rf "$bundle"' EXIT
mkdir "$bundle/server"
install -m 755 "$binary" "$bundle/server/$name"
cp "$here/../../LICENSE" "$bundle/"
jq --arg platform "$platform" --arg entry "server/$name" \
  '.compatibility.platforms = [$platform] | .server.entry_point = $entry' "$here/manifest.json" > "$bundle/manifest.json"
"$mcpb" validate "$bundle/manifest.json"
"$mcpb" pack "$bundle" "$output"
