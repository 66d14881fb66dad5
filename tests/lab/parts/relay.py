"""A slow wire: passes Ethernet frames between two links, each after a delay. Run as a program inside a lab.

    relay.py LINK LINK SECONDS

Kernels for virtual machines often come without netem; this needs nothing. Each frame keeps its virtio-net header, so
that checksums and segments that the kernel has left for later stay so.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from collections import deque

_ETH_P_ALL = 3
_SOL_PACKET = 263
_PACKET_VNET_HDR = 15
_PACKET_IGNORE_OUTGOING = 23
_LARGEST_FRAME = 1 << 17


def wire(link: str) -> socket.socket:
    """Open a link for raw frames, without an echo of those that are sent through it."""
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    end.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    end.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    end.bind((link, _ETH_P_ALL))
    end.settimeout(0)
    return end


def relay(left: socket.socket, right: socket.socket, seconds: float) -> None:
    """Pass frames both ways until the process is ended."""
    other = {left: right, right: left}
    waiting: deque[tuple[float, socket.socket, bytes]] = deque()
    while True:
        patience = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        readable, _, _ = select.select([left, right], [], [], patience)
        for end in readable:
            try:
                frame = end.recv(_LARGEST_FRAME)
            except OSError:
                continue  # the link is down: its cable was pulled
            waiting.append((time.monotonic() + seconds, other[end], frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, end, frame = waiting.popleft()
            try:
                end.send(frame)
            except OSError:
                continue  # a full queue or a link that is down loses frames, as a wire does


if __name__ == "__main__":
    ends = wire(sys.argv[1]), wire(sys.argv[2])
    print("ready", flush=True)  # noqa: T201  # who started it waits for this line
    relay(*ends, float(sys.argv[3]))
