"""One name for one repository, however its URL is written.

Scheme, user, password, port, trailing slashes and `.git` are folded away and the host's case is folded,
so that an https, an ssh and an scp-like URL of one repository are equal. A credential is never part of a
name. Which URLs there are is left to `git` and to the facts.
"""

from __future__ import annotations

# Other hosts under which GitHub serves the same repositories. Source: GitHub's "Using SSH over the HTTPS port".
_SAME_HOST = {"ssh.github.com": "github.com", "www.github.com": "github.com"}
# Hosts that fold the case of the path. On all others two names that differ in case are two repositories.
_FOLDS_PATH = frozenset({"github.com"})
_NOWHERE = "?"  # stands for a host that is none: equal to no authorised name


def normalise_repository(url: str) -> str:
    """The name of the repository behind a URL or path: `host/path`, or an absolute path for a local one.

    Percent escapes are kept as they are. A query (`?…`) leaves a bare `?` at the end, and a remote helper
    (`ext::…`) only its name, so that neither is equal to an authorised name and neither shows a secret.

    >>> normalise_repository("https://x:y@GitHub.com:443/acme/shop.git/")
    'github.com/acme/shop'
    >>> normalise_repository("git@github.com:acme/shop.git")
    'github.com/acme/shop'
    >>> normalise_repository("file:///srv/git/shop.git")
    '/srv/git/shop'
    """
    text = url.strip()
    scheme, separator, rest = text.partition("://")
    if separator and _is_scheme(scheme):
        if scheme.lower() == "file":
            return _local(_after_localhost(rest))
        return _remote_url(rest)
    helper, separator, _ = text.partition("::")
    if separator and _is_scheme(helper):
        return helper + "::"
    if text.startswith("\\\\"):
        return _local(text.replace("\\", "/"))
    if text.startswith(("/", ".", "~")) or not text or _has_drive(text):
        return _local(text)
    return _short_form(text)


def _is_scheme(text: str) -> bool:
    return text[:1].isalpha() and text.isascii() and all(one.isalnum() or one in "+-." for one in text)


def _has_drive(text: str) -> bool:
    return text[:1].isascii() and text[:1].isalpha() and text[1:3] in (":\\", ":/")


def _after_localhost(rest: str) -> str:
    host, slash, path = rest.partition("/")
    return "/" + path if slash and host.lower() in ("", "localhost") else "/" + rest


def _remote_url(rest: str) -> str:
    """`[user[:password]@]host[:port]/path[?query]`, the part of a URL behind `://`."""
    cut = min((found for found in (rest.find("?"), rest.find("#")) if found >= 0), default=len(rest))
    authority, _, path = rest[:cut].partition("/")
    port = authority.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
    if "@" in path and port and not port.isdigit():  # a password with an unescaped slash
        path = path.rpartition("@")[2]
    return _joined(_host(authority), path, mark="?" if cut < len(rest) else "")


def _short_form(text: str) -> str:
    """`host/path` as in a policy, or `[user@]host:path` as ssh has it."""
    head, slash, tail = text.partition("/")
    start = head.find("]", max(0, head.rfind("@"))) + 1 if "[" in head else 0
    colon = head.find(":", start)
    if colon < 0:
        return _joined(_host(head), tail)
    # git takes everything up to the first colon as the host; what stands before an @ behind it could
    # be a password all the same, and is dropped.
    return _joined(_host(head[:colon]), head[colon + 1 :].rpartition("@")[2] + slash + tail)


def _host(authority: str) -> str:
    """The host alone, folded: no user, no password, no port, no final dot."""
    host = authority.rpartition("@")[2].strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0].lower()
        if host.count(":") > 1:
            return f"[{host}]" if all(one in "0123456789abcdef:." for one in host) else _NOWHERE
    host = host.partition(":")[0].lower().rstrip(".")
    if not host[:1].isalnum() or not all(one.isalnum() or one in "-._" for one in host):
        return _NOWHERE
    return _SAME_HOST.get(host, host)


def _joined(host: str, path: str, *, mark: str = "") -> str:
    if host in _FOLDS_PATH:
        path = path.lower()
    segments = _segments(path)
    if mark:
        segments.append((segments.pop() if segments else "") + mark)
    return "/".join([host, *segments])


def _local(path: str) -> str:
    """A path of this machine, with one spelling: no empty, `.` or `..` segments that can be resolved."""
    if path.startswith("/"):
        joined = "/".join(_segments(path))
        return _drive(joined) if _has_drive(joined + "/") else "/" + joined
    if _has_drive(path):
        return _drive(path)
    if path.startswith("~"):
        home, _, rest = path.partition("/")
        return "/".join([home.strip(), *_segments(rest)])
    # Relative: it keeps its dots, so that the folder github.com is never taken for the host.
    leading, segments = ["."], path.split("/")
    while segments and segments[0].strip() in (".", "..", ""):
        if segments.pop(0).strip() == "..":
            leading.append("..")
    return "/".join(leading + _segments("/".join(segments)))


def _drive(path: str) -> str:
    return path[0].upper() + ":/" + "/".join(_segments(path[2:].replace("\\", "/")))


def _segments(path: str) -> list[str]:
    """The path's segments, `.` and `..` resolved, without white space around them or `.git` behind the last one."""
    found: list[str] = []
    for segment in map(str.strip, path.split("/")):
        if segment == "..":
            del found[-1:]
        elif segment not in ("", "."):
            found.append(segment)
    while found and found[-1].endswith(".git"):
        last = found.pop().removesuffix(".git").strip()
        if last and last not in (".", ".."):
            found.append(last)
    return found
