"""The socket that a server listens on.

Only light imports: commands that ask whether a port is free do not load the server.
"""

import errno
import socket

from thresher.errors import BadSetting, Busy

BACKLOG = 2048


def listening(host: str, port: int) -> socket.socket:
    """A listening socket that sends small packets at once (TCP_NODELAY). Raises Busy, BadSetting."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Busy(f"port {port} is taken.", where=host, next="thresher serve --port 0") from error
        raise BadSetting(
            f"the server cannot listen on this address: {error.strerror or error}.",
            where=f"{host}:{port}",
            next="thresher serve --host 127.0.0.1",
        ) from error
    # asyncio sets this only for a socket that names its protocol. Without it the second packet of an answer waits for
    # the receipt of the first, which the other side holds back for 40 ms.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened
