"""What a source of a MariaDB backup can say, and that none of it is told again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.backup.engines.mariadb_address import Address, option_file, read_address
from rollback_guard.backup.engines.mariadb_connection import version_of
from rollback_guard.backup.engines.mariadb_privileges import missing_privileges
from rollback_guard.backup.source import Source
from rollback_guard.errors import GuardError, UndeterminedError, UsageError


def read(text: str, folder: Path | str = "/", **environ: str) -> Address:
    """An address as a source's text gives it."""
    return read_address(Source(text, "$SHOP", environ, str(folder)))


def test_a_url_tells_everything() -> None:
    found = read("mysql://b%40ck:s3%2Fcret@[::1]:3307/sh%2Fop?ssl-ca=ca.pem&ssl-key=/k.pem", "/srv")
    assert found[:7] == ("mysql", "b@ck", "s3/cret", "::1", 3307, "", "sh/op")
    assert found.files == (("ssl-ca", "/srv/ca.pem"), ("ssl-key", "/k.pem"))
    assert found.place == "mysql://[::1]:3307/sh/op"
    assert read(found.url + "x").password == "s3/cret"


def test_nothing_secret_is_told_of_an_address() -> None:
    found = read("mariadb://jane:s3cret@db.acme.example/shop")
    assert "s3cret" not in repr(found) + found.place
    assert "jane" not in repr(found) + found.place


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://db/shop",
        "mariadb://db",
        "mariadb://db:port/shop",
        "mariadb://db/shop?password=s3cret",
        "s3cret",
    ],
)
def test_a_source_that_cannot_be_meant(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert caught.value.remedy.startswith('source = "mariadb://')
    assert "s3cret" not in caught.value.message


def test_an_option_file_gives_what_the_url_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "my.cnf").write_text(
        '!includedir /etc/nothing\n[client]\nuser = jane\npassword="s3 cret#1"\nport=3310\nssl_ca=/ca\n# x\nquick\n'
        "[mysqld]\nuser=mysql\n[client-mariadb]\nhost='db.acme.example'\n"
    )
    found = read("mariadb:///shop?defaults-file=my.cnf", tmp_path)
    assert found[:6] == ("mariadb", "jane", "s3 cret#1", "db.acme.example", 3310, "")
    assert found.files == (("ssl-ca", "/ca"),)
    assert read("mariadb://omar:x@h:1/shop?defaults-file=my.cnf", tmp_path)[:5] == ("mariadb", "omar", "x", "h", 1)


def test_a_password_can_stay_where_the_programs_look_for_it(tmp_path: Path) -> None:
    text = "mariadb://jane@h/shop"
    assert read(text, HOME=str(tmp_path), MYSQL_PWD="from the environment").password == "from the environment"
    (tmp_path / ".my.cnf").write_text("[client]\npassword=from the file\nsocket=/run/s\n")
    assert read(text, HOME=str(tmp_path), MYSQL_PWD="from the environment").password == "from the file"
    assert read("mariadb:///shop", HOME=str(tmp_path), USER="omar")[1:6] == (
        *("omar", "from the file", "localhost", 3306, "/run/s"),
    )
    assert read("mariadb://jane:own@h/shop", HOME=str(tmp_path)).password == "own"


@pytest.mark.parametrize("text", [None, "no group = 1\n", "[client]\nport = many\n"])
def test_an_option_file_that_cannot_be_used(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "my.cnf").write_text(text)
    with pytest.raises(GuardError) as caught:
        read("mariadb://h/shop?defaults-file=my.cnf", tmp_path)
    assert isinstance(caught.value, (UsageError if text and "port" in text else UndeterminedError))
    assert caught.value.remedy


def test_the_programs_options_are_in_a_file_that_nobody_finds() -> None:
    address = read("mariadb://jane:x@h:5/shop")._replace(password='a"b\\c\n#')
    with option_file(address) as number:
        assert os.fstat(number).st_mode & 0o777 == 0o600
        assert os.fstat(number).st_nlink == 0
        text = Path(f"/dev/fd/{number}").read_text()
    assert 'password="a\\"b\\\\c\\n#"' in text
    assert 'host="h"' in text
    assert 'protocol="tcp"' in text


def test_versions_are_read_as_servers_tell_them() -> None:
    assert version_of("10.11.18-MariaDB-0+deb12u1-log") == (10, 11)
    assert version_of("5.5.5-10.6.2-MariaDB") == (10, 6)
    assert version_of("8.0.36") == (8, 0)
    assert version_of("?") == (0, 0)


ALL = "GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`h`"
MOST = "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, ALTER ROUTINE"


@pytest.mark.parametrize(
    ("grants", "lacking"),
    [
        ([ALL], []),
        (["GRANT USAGE ON *.* TO `u`@`h`", f"{MOST} ON *.* TO `u`@`h`"], []),
        ([f"{MOST} ON `sh\\_op`.* TO `u`"], ["SELECT", "SHOW VIEW", "TRIGGER", "EVENT", "LOCK TABLES", "EXECUTE"]),
        (["GRANT ALL PRIVILEGES ON `s%`.* TO `u`@`h`"], []),
        (["GRANT ALL PRIVILEGES ON `s\\%`.* TO `u`@`h`"], ["SELECT"]),
        (["GRANT ALL PRIVILEGES ON `s%`.* TO u", "GRANT SELECT ON `shop`.* TO u"], ["SHOW VIEW"]),
        (["GRANT SELECT ON `shop`.`t` TO u", "GRANT `role` TO u"], ["SELECT"]),
        (["GRANT ALL PRIVILEGES ON `shop_`.* TO u"], ["SELECT"]),
    ],
)
def test_what_a_user_may_not_see_is_found_in_its_grants(grants: list[str], lacking: list[str]) -> None:
    assert missing_privileges(grants, "shop")[: len(lacking) or None] == lacking
