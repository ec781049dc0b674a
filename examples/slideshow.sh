#!/bin/sh
# The same slideshow from a shell: every call is one command, and jq reads what it says to programs.
#
#   VENICE_SANDBOX=1 examples/slideshow.sh DIRECTORY     # no key, no network
#   VENICE_API_KEY=… examples/slideshow.sh DIRECTORY     # on Venice: costs a few cents
#
# Needs jq, and venice-mcp on the PATH (or its path in VENICE_MCP).
set -eu
folder=${1:?the directory to make}
venice=${VENICE_MCP:-venice-mcp}
mkdir -p "$folder"
export VENICE_OUTPUT_DIR="$folder"

# call TOOL KEY=VALUE… prints the facts about what was made; a failed call ends the script.
call() {
  result=$("$venice" call "$@" output=file --json) || {
    echo "$result" | jq -r '.content[0].text' >&2
    return 1
  }
  echo "$result" | jq -e '._meta["ai.venice/media"][0]'
}

script="At the edge of the land stands a lighthouse.
Every evening its lamp goes on."

speech=$(call venice_tts input="$script" response_format=mp3 save_as=narration)
echo "narration: $(echo "$speech" | jq -r '.path') ($(echo "$speech" | jq .seconds) s)"

number=0
echo "$script" | while IFS= read -r line; do
  number=$((number + 1))
  image=$(call venice_image_generate prompt="$line Oil painting." width=768 height=512 save_as="slide-$number" < /dev/null)
  echo "slide $number: $(echo "$image" | jq -r '.path')"
done

"$venice" call venice_asr file="$(echo "$speech" | jq -r .uri)" subtitles=srt --output-file "$folder/narration.srt" > /dev/null
echo "subtitles: $folder/narration.srt"
