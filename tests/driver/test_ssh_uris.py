"""How a URI of ssh is read, held to libvirt's own reading: a program that is called ssh notes its arguments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.operations.ssh.login import SshTarget
from core.uris import parse_uri
from tests.driver.worlds import LONG

URIS = [
    "qemu+ssh://root@KVM-A/system",
    "qemu+SSH://ROOT@h_b.example./system",
    "qemu+ssh://root@[fe80::1%25eth0]/system",
    "qemu+ssh://root@[fe80::1%ETH0]:2222/system",
    "qemu+ssh://[FE80::1]/system",
    "qemu+ssh://h%2Db/sys%74em",
    "qemu+ssh://b%C3%BCcher/system",
    "qemu+ssh://us+er@10.0.0.1:22/system",
    "qemu+ssh://us%40er@h/system",
    "qemu+ssh://h/system?keyfile=/root/a+b/id_rsa",
    "qemu+ssh://h/system?keyfile=/root/a%2Bb/id%20rsa",
    "qemu+ssh://h/system?KEYFILE=/k",
    "qemu+ssh://h/system?key%66ile=/k&keyfile=/l=m",
    "qemu+ssh://h/system?&&keyfile=/a;b&no_verify=0",
    "qemu+ssh://h/system?keyfile=/a%26b;no_verify=1",
    "qemu+ssh://h/system?NO_VERIFY=1",
    "qemu+ssh://h/system?no_verify=2",
    "qemu+ssh://h/system?no_verify=-1",
    "qemu+ssh://h/system?no_verify=%20+08",
    "qemu+ssh://h/system?no_verify=1&no_verify=00",
]
_OPEN_ALL = """
import json, os, sys
import libvirt
libvirt.registerErrorHandler(lambda *_: None, None)
note, noted = os.environ["HOME"] + "/noted", []
for uri in json.load(sys.stdin):
    try:
        libvirt.open(uri)
    except libvirt.libvirtError:
        pass
    with open(note) as file:
        noted.append(file.read().split("\\n"))
    os.unlink(note)
print(json.dumps(noted))
"""


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the arguments that libvirt gives the ssh program for each URI."""
    folder = tmp_path_factory.mktemp("ssh")
    program = folder / "ssh"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$HOME/noted"\nexit 255\n')
    program.chmod(0o755)
    surroundings = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder)}
    ran = subprocess.run(
        [sys.executable, "-c", _OPEN_ALL], input=json.dumps(URIS), env=surroundings, timeout=LONG,
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return dict(zip(URIS, json.loads(ran.stdout), strict=True))


@pytest.mark.parametrize("uri", URIS)
def test_a_login_goes_where_libvirts_goes(uri: str, noted: dict[str, list[str]]) -> None:
    """The same host, user, port and key, and the same check of the host's key."""
    arguments = noted[uri]
    options = arguments[: arguments.index("--")]

    def value(option: str) -> str | None:
        return options[options.index(option) + 1] if option in options else None

    port, keyfile = value("-p"), value("-i")
    assert SshTarget.of(parse_uri(uri)) == SshTarget(
        host=arguments[len(options) + 1],
        user=value("-l"),
        port=int(port) if port else None,
        keyfile=Path(keyfile) if keyfile else None,
        verifies_host="StrictHostKeyChecking=no" not in options,
    )
