"""Results shared through servers on this machine: DVC remotes by SSH, with OpenSSH's server, and in S3, with moto's."""

import getpass
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import ROOT, Project
from helpers import is_missing

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

# The environment of `make .venv/remotes/installed`.
REMOTES = ROOT / ".venv/remotes/bin"
SSHD = Path("/usr/sbin/sshd")
REFUSED = r"Permission denied for user \w+ on host 127.0.0.1|An error occurred \(403\) when calling .+: Forbidden"
NOT_THERE = r"Connect call failed \('127.0.0.1', \d+\)|Could not connect to the endpoint URL: \"http://127.0.0.1:"


class Remote(NamedTuple):
    """An address, and options of `dvc remote modify`: for everybody, with a right key, with a wrong one, with a dead server."""

    url: str
    options: dict[str, str]
    key: dict[str, str]
    wrong_key: dict[str, str]
    dead: dict[str, str]


def require(path: Path, what: str) -> None:
    if not path.exists():
        is_missing(f"{what} is not installed")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def is_free(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def running(folder: Path, port: int, *command: str, **environment: str) -> Iterator[None]:
    """A server that answers at the port, while the block runs."""
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=output) as server,
    ):
        try:
            while is_free(port):
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
            yield
        finally:
            server.terminate()


@contextmanager
def ssh(folder: Path) -> Iterator[Remote]:
    """A server of the user who runs the tests, who may come with one key."""
    require(SSHD, "sshd (Debian's package openssh-server)")
    for name in "host", "right", "wrong":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    config = [
        f"ListenAddress 127.0.0.1:{port}",
        f"HostKey {folder}/host",
        f"AuthorizedKeysFile {folder}/right.pub",
        "StrictModes no",  # or it would not take keys from below /tmp
        "PasswordAuthentication no",
        "PidFile none",
        "Subsystem sftp internal-sftp",
    ]
    (folder / "config").write_text("\n".join(config))
    # What docs/sharing.md warns of: DVC connects to a server of which known_hosts, below the clone's HOME, has another key.
    (folder / ".ssh").mkdir()
    (folder / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'wrong.pub').read_text()}")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # root's sshd wants it; Debian's service makes it
    with running(folder, port, str(SSHD), "-D", "-e", "-f", f"{folder}/config"):
        yield Remote(
            url=f"ssh://127.0.0.1{folder}/storage",
            options={"port": str(port), "user": getpass.getuser()},
            key={"keyfile": f"{folder}/right"},
            wrong_key={"keyfile": f"{folder}/wrong"},
            dead={"port": str(free_port())},
        )


# Run by the Python that has moto: a user who may do anything in S3, and a bucket.
PREPARE_S3 = """
import json, sys, boto3
iam, s3 = (
    boto3.client(name, "us-east-1", endpoint_url=sys.argv[1], aws_access_key_id="any", aws_secret_access_key="any")
    for name in ("iam", "s3")
)
iam.create_user(UserName="user")
allowed = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
iam.put_user_policy(UserName="user", PolicyName="s3", PolicyDocument=json.dumps(allowed))
key = iam.create_access_key(UserName="user")["AccessKey"]
s3.create_bucket(Bucket="bucket")
print(json.dumps({"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}))
"""


@contextmanager
def s3(folder: Path) -> Iterator[Remote]:
    """A server that checks keys, after the four calls of PREPARE_S3."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    moto = str(REMOTES / "moto_server"), "--port", str(port)
    with running(folder, port, *moto, INITIAL_NO_AUTH_ACTION_COUNT="4"):
        key = json.loads(subprocess.check_output([REMOTES / "python", "-c", PREPARE_S3, url]))
        yield Remote(
            url="s3://bucket/imdb",
            options={"endpointurl": url},
            key=key,
            wrong_key=key | {"secret_access_key": "wrong"},
            dead={"endpointurl": f"http://127.0.0.1:{free_port()}"},
        )


def modify(project: Project, options: dict[str, str], *where: str) -> None:
    for name, value in options.items():
        project.run("dvc", "remote", "modify", *where, "storage", name, value)


@pytest.mark.parametrize("server", [ssh, s3], ids=["SSH", "S3"])
def test_a_wrong_key_and_a_server_that_is_not_there_are_told_by_dvc_and_nothing_is_lost(server, project, tmp_path):
    """With the right ones, what was pushed is pulled into a fresh clone, and nothing has to run."""
    require(REMOTES / "dvc", "what DVC needs for SSH and S3 (make .venv/remotes/installed)")
    with server(tmp_path) as remote:
        origin, clone = project, Project(tmp_path / "clone")
        origin.run("dvc", "remote", "add", "--default", "storage", remote.url)
        modify(origin, remote.options)
        origin.commit()
        origin.run("git", "clone", "--quiet", ".", str(clone.folder))
        clone.environment = origin.environment | {"HOME": str(tmp_path)}
        results, tracked = origin.outputs(), clone.outputs()
        for wrong, told in (remote.wrong_key, REFUSED), (remote.dead, NOT_THERE):
            for project, command, status in (origin, "push", 255), (clone, "pull", 1):
                modify(project, remote.key | wrong, "--local")
                printed = project.run(str(REMOTES / "dvc"), command, status=status)
                assert re.search(f"^ERROR: .+ - .*({told})", printed, re.MULTILINE)
                assert "Traceback" not in printed
        assert (origin.outputs(), clone.outputs()) == (results, tracked)
        for project, command in (origin, "push"), (clone, "pull"):
            modify(project, remote.options | remote.key, "--local")
            project.run(str(REMOTES / "dvc"), command)
    assert clone.repro() == []
    assert clone.outputs() == results
    assert clone.run("git", "status", "--porcelain") == ""
