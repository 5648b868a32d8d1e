#!/usr/bin/env bash
# fsspec 2026.9.0 with aiohttp 3.14.5, on 27 November 2026.
#
# Expected: cat_file(url, start, end) gives these bytes, or raises if the server cannot give them.
# Seen: a server may ignore a Range header and answer 200 with the whole file (RFC 9110, 14.2). cat_file and cat_ranges
#   hand that on: the first ten bytes of the answer are not the ten that were asked for. open() raises ValueError for
#   the same server. A reader of images inside tar shards gets the shard for each image, and takes it for damage.
# So: compare the length. More bytes than were asked for mean a server without ranges; cut [start:end] out or say so.
#
# Output seen, for a file of 10,240 bytes and the range 100 to 110:
#   cat_file: 10240 bytes, asked with bytes=100-109
#   cat_ranges: [10240] bytes
#   open: ValueError
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check fsspec==2026.9.0 aiohttp==3.14.5
cd "$place"
venv/bin/python - <<'PYTHON'
import http.server
import threading

import fsspec

DATA = bytes(range(256)) * 40
asked = []


class WithoutRanges(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()

    def do_GET(self):
        asked.append(self.headers.get("Range"))
        self.do_HEAD()
        self.wfile.write(DATA)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), WithoutRanges)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/shard.tar"
files = fsspec.filesystem("http")
whole = files.cat_file(url, start=100, end=110)
print(f"cat_file: {len(whole)} bytes, asked with {asked[-1]}")
ranges = [len(data) for data in files.cat_ranges([url], [100], [110])]
print(f"cat_ranges: {ranges} bytes")
try:
    with files.open(url) as file:
        file.seek(100)
        opened = f"{len(file.read(10))} bytes"
except ValueError:
    opened = "ValueError"
print(f"open: {opened}")
server.shutdown()
assert whole == DATA and ranges == [len(DATA)] and opened == "ValueError"
PYTHON
