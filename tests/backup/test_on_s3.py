"""Backups on S3, by the commands: taken, looked at again by the gate, gone back to; and no secret is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_backup import Shop
from tests.support.commands import check
from tests.support.s3 import S3, SECRET
from tests.support.signing import key_of


def test_taken_judged_and_restored(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.bucket()
    shop = Shop(tmp_path, url=f"s3://{bucket}/shop")
    monkeypatch.setenv("SHOP_DATABASE", str(shop.database))
    made = shop.create("shop-db")[0]["artefact"]
    shop.create("uploads")
    assert isinstance(made, dict)
    shop.repo.branch("release/1.4")
    shop.repo.commit("Work", app_dot_py="price = 1\n")
    assert check(shop.repo.path, "--into", "main").code == 0
    shop.sql("DELETE FROM orders")
    shop.guard("restore", "shop-db", "--yes")
    assert shop.sql("SELECT count(*) FROM orders") == [(2,)]
    key = f"shop/{made['file']}"
    data = s3.client.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.client.put_object(Bucket=bucket, Key=key, Body=data[:-1] + bytes([data[-1] ^ 1]))
    assert check(shop.repo.path, "--into", "main").violated == ["RG304"]
    s3.client.delete_object(Bucket=bucket, Key=key)
    gone = check(shop.repo.path, "--into", "main")
    assert gone.violated == ["RG304"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    unknown = check(shop.repo.path, "--into", "main")
    assert (unknown.code, unknown.answers["RG304"]) == (4, "undetermined")
    down = shop.guard("create", "--key", key_of("jane"), code=4)
    for said in (gone, unknown, down):
        assert SECRET not in said.out + said.err


def test_locked_nobody_removes_it(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.bucket(lock=True)
    shop = Shop(tmp_path, more='lock = "30d"\n', url=f"s3://{bucket}/shop")
    monkeypatch.setenv("SHOP_DATABASE", str(shop.database))
    made = [shop.create("shop-db")[0]["artefact"] for _ in range(2)]
    assert isinstance(made[0], dict)
    for name in (made[0]["file"], made[0]["file"].replace(".sqlite.zst", ".json")):
        kept = s3.client.head_object(Bucket=bucket, Key=f"shop/{name}")
        assert kept["ObjectLockMode"] == "COMPLIANCE"
    shop.repo.commit("More", app_dot_py="x")
    shop.create("shop-db")
    shop.guard("prune", "shop-db", "--keep", "1", "--yes")
    assert len(shop.guard("list", "shop-db", "--format", "json").json["backups"]) == 3


def test_a_folder_cannot_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(tmp_path, more='lock = "30d"\n')
    monkeypatch.setenv("SHOP_DATABASE", str(shop.database))
    assert "→" in shop.guard("create", "shop-db", "--no-attest", code=2).err
    assert shop.guard("list", "--format", "json").json["backups"] == []
