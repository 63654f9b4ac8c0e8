"""An S3 server on loopback, moto's, one for each worker, and a bucket of its own for each test."""

from __future__ import annotations

import importlib.util
import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.support.requirements import missing

SECRET = "canary-of-the-secret-key"


class S3(NamedTuple):
    """A running server: its endpoint, and a client of it."""

    endpoint: str
    client: Any

    def bucket(self, *, lock: bool = False) -> str:
        """The name of a new bucket, made with object lock where asked."""
        name = f"backups-{secrets.token_hex(4)}"
        self.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        return name


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """The server of this worker."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("s3fs") is None:
        missing("moto or s3fs", install="pip install 'rollback-guard[dev]'")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="k", aws_secret_access_key=SECRET, region_name="us-east-1"
    )
    yield S3(endpoint, client)
    client.close()
    server.stop()


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The server, with what drivers need to reach it in the environment, and nothing of the machine's own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    return s3_server
