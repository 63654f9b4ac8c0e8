"""What S3 does besides files: versions, object lock, and uploads that were never completed."""

from __future__ import annotations

import math
from datetime import datetime, timezone

from rollback_guard.backup.storage_writers import DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOREVER = 253402300799.0  # the last second of the year 9999: a legal hold has no end
_MOST_VERSIONS = 10_000
_NONE = ("404", "NoSuchKey", "NotFound")


class Bucket:
    """The calls of s3fs that fsspec has no words for. Paths are `bucket/key`. Errors are the driver's own."""

    def __init__(self, system: Any) -> None:
        self._system = system

    def lock(self, until: float) -> dict[str, Any]:
        """Options of an upload that nobody can remove before then, whoever they are."""
        return {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": _date(until)}

    def make_locked(self, path: str, until: float) -> None:
        """Lock what was uploaded, unless its upload did: not every server heeds the lock of one in parts."""
        if (self.locked_until(path) or 0.0) >= until:
            return
        bucket, key = _split(path)
        retention = {"Mode": "COMPLIANCE", "RetainUntilDate": _date(until)}
        self._system.call_s3("put_object_retention", Bucket=bucket, Key=key, Retention=retention)

    def locked_until(self, path: str) -> float | None:
        """Until when the present version is locked. Raises: FileNotFoundError."""
        return _until(self._head(path))

    def delete(self, path: str) -> bool:
        """Remove every version that shows, so that no older one comes to light. Whether one is locked instead."""
        bucket, key = _split(path)
        for _ in range(_MOST_VERSIONS):
            try:
                head = self._head(path)
            except FileNotFoundError:
                break
            until = _until(head)
            if until is not None and until > datetime.now(timezone.utc).timestamp():
                return True
            version = {"VersionId": head["VersionId"]} if head.get("VersionId") else {}
            self._system.call_s3("delete_object", Bucket=bucket, Key=key, **version)
        return False

    def sweep(self, root: str, now: float) -> list[str]:
        """Abort uploads below `root` that began more than a day ago. Their paths, those of one answer."""
        bucket, prefix = _split(f"{root}/")
        answer = self._system.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix)
        gone = []
        for one in answer.get("Uploads", ()):
            if now - one["Initiated"].timestamp() > DAY:
                self._system.call_s3("abort_multipart_upload", Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])
                gone.append(f"{bucket}/{one['Key']}")
        return gone

    def ask(self, path: str) -> None:
        """Raises: an error when there is no such bucket, or it may not be asked."""
        self._system.call_s3("list_objects_v2", Bucket=_split(path + "/")[0], MaxKeys=1)

    def _head(self, path: str) -> dict[str, Any]:
        bucket, key = _split(path)
        try:
            found: dict[str, Any] = self._system.call_s3("head_object", Bucket=bucket, Key=key)
        except Exception as error:
            if code_of(error) in _NONE:
                raise FileNotFoundError(path) from error
            raise
        return found


def code_of(error: BaseException) -> str:
    """The code by which S3 tells an error, or ""; drivers wrap it."""
    one: BaseException | None = error
    while one is not None:
        response = getattr(one, "response", None)
        if isinstance(response, dict) and isinstance(response.get("Error"), dict):
            return str(response["Error"].get("Code", ""))
        one = one.__cause__ or one.__context__
    return ""


def _date(until: float) -> datetime:
    return datetime.fromtimestamp(math.ceil(until), timezone.utc)  # S3 keeps whole seconds


def _until(head: dict[str, Any]) -> float | None:
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        return FOREVER
    until = head.get("ObjectLockRetainUntilDate")
    return until.timestamp() if isinstance(until, datetime) else None


def _split(path: str) -> tuple[str, str]:
    bucket, _, key = path.partition("/")
    return bucket, key
