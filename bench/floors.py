# SPDX-License-Identifier: Apache-2.0
"""What the machine itself needs: signatures, flushes, round trips. Measured beside the rest, for ratios in one run."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from servanda.keyring.memory import MemorySigner
from servanda.keyring.tls import make_tls
from servanda.proof.keys import verify_ed25519
from servanda.transport.tls import client_context, server_context


def median(call: Callable[[], object], times: int) -> float:
    """Median seconds of single calls, after a tenth as many to warm up."""
    return percentiles(call, times)[0]


def percentiles(call: Callable[[], object], times: int) -> tuple[float, float]:
    """Median and 99th percentile, in seconds."""
    for _ in range(max(1, times // 10)):
        call()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return ranked(taken)


def ranked(taken: list[float]) -> tuple[float, float]:
    """Median and 99th percentile of measured seconds."""
    taken = sorted(taken)
    return taken[len(taken) // 2], taken[min(len(taken) - 1, len(taken) * 99 // 100)]


def sign_seconds() -> float:
    """One Ed25519 signature over about 1 KiB."""
    signer, message = MemorySigner.generate("ed25519"), os.urandom(1200)
    return median(lambda: signer.sign(message), 2000)


def verify_seconds() -> float:
    """One Ed25519 verification over about 1 KiB, on one core."""
    signer, message = MemorySigner.generate("ed25519"), os.urandom(1200)
    public, signature = signer.public, signer.sign(message)
    return median(lambda: verify_ed25519(public, message, signature), 2000)


def verify_seconds_all_cores() -> float:
    """Wall time of one verification when every core does nothing else: median of ten rounds."""
    signer, message = MemorySigner.generate("ed25519"), os.urandom(1200)
    public, signature = signer.public, signer.sign(message)
    cores, each = os.cpu_count() or 1, 1000

    def work() -> None:
        for _ in range(each):
            verify_ed25519(public, message, signature)

    rounds = []
    with ThreadPoolExecutor(cores) as pool:
        for _ in range(10):
            begun = time.perf_counter()
            for done in [pool.submit(work) for _ in range(cores)]:
                done.result()
            rounds.append((time.perf_counter() - begun) / (cores * each))
    return ranked(rounds)[0]


def flush_seconds() -> float:
    """Append 1 KiB and fdatasync."""
    with tempfile.TemporaryDirectory() as folder:
        descriptor = os.open(Path(folder) / "flush", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        block = os.urandom(1024)

        def append() -> None:
            os.write(descriptor, block)
            os.fdatasync(descriptor)

        taken = median(append, 500)
        os.close(descriptor)
    return taken


def round_trip_seconds() -> float:
    """One message of 2 KiB there and 200 bytes back over kept-open TLS 1.3 on loopback, no HTTP."""
    now = datetime.now(UTC)  # noqa: TID251
    pairs = [make_tls(name, now) for name in ("here", "there")]
    ders = [ssl.PEM_cert_to_DER_cert(certificate.decode()) for _, certificate in pairs]
    listener = socket.create_server(("127.0.0.1", 0))
    serving = server_context(*pairs[1], [ders[0]])

    def serve() -> None:
        accepted, _ = listener.accept()
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with serving.wrap_socket(accepted, server_side=True) as line:
            left = 2048
            while data := line.recv(65536):
                left -= len(data)
                if left <= 0:
                    line.sendall(b"x" * 200)
                    left = 2048

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    plain = socket.create_connection(listener.getsockname())
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client_context(*pairs[0], [ders[1]]).wrap_socket(plain) as line:

        def exchange() -> None:
            line.sendall(b"y" * 2048)
            got = 0
            while got < 200:
                got += len(line.recv(65536))

        return median(exchange, 1000)
