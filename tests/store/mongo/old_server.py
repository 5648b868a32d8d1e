"""A server on loopback that greets as an old MongoDB does: the wire protocol's real bytes, no database behind them."""

import socketserver
import struct
from typing import Any

import bson

OP_QUERY, OP_MSG, OP_REPLY = 2004, 2013, 1
HEADER = struct.Struct("<iiii")


class OldServer(socketserver.ThreadingTCPServer):
    """Answers every command with what a primary of `version` says of itself."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, version: str, wire_version: int) -> None:
        numbers = [*map(int, version.split(".")), 0]
        self.greeting: dict[str, Any] = {
            "ok": 1.0,
            "ismaster": True,
            "isWritablePrimary": True,
            "minWireVersion": 0,
            "maxWireVersion": wire_version,
            "maxBsonObjectSize": 16_777_216,
            "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000,
            "logicalSessionTimeoutMinutes": 30,
            "version": version,
            "versionArray": numbers,
        }
        super().__init__(("127.0.0.1", 0), _Answering)
        host, port = self.server_address[0], self.server_address[1]
        self.address = f"mongodb://{host!s}:{port}/old"


class _Answering(socketserver.StreamRequestHandler):
    server: OldServer

    def handle(self) -> None:
        while len(head := self.rfile.read(HEADER.size)) == HEADER.size:
            length, request, _, operation = HEADER.unpack(head)
            self.rfile.read(length - HEADER.size)
            document = bson.encode(self.server.greeting)
            if operation == OP_QUERY:
                body, answer = struct.pack("<iqii", 8, 0, 0, 1) + document, OP_REPLY
            else:
                body, answer = struct.pack("<ib", 0, 0) + document, OP_MSG
            self.wfile.write(HEADER.pack(HEADER.size + len(body), 1, request, answer) + body)
