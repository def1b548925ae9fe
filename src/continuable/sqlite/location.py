"""Where the database is: from a url to a path, and whether SQLite is safe there."""

from __future__ import annotations

import sys
from pathlib import Path

from continuable.errors import StoreError

SCHEME = "sqlite:///"
MOUNTS = Path("/proc/self/mounts")

# File systems shared between machines: their locks and shared memory are not what WAL needs.
# 9p is not here, since WSL shows the disk of its own machine through it.
NETWORK = frozenset(
    {
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)


def path_of(url: str) -> Path:
    """The file that `url` names; `ValueError` where it names none."""
    name = url.removeprefix(SCHEME)
    if name == url or not name or "?" in name or name == ":memory:":
        raise ValueError(
            f"Not the url of a database file: {url!r}. Write sqlite:///jobs.db (relative), "
            f"sqlite:////var/lib/app/jobs.db (absolute) or sqlite:///~/jobs.db; "
            f"for other engines pass queue=, such as queue=CeleryQueue(...)"
        )
    return Path(name).expanduser()


def refuse_network(path: Path) -> None:
    """`StoreError` where `path` is known to be on a file system that machines share."""
    kind = file_system(path)
    if kind in NETWORK:
        raise StoreError(
            f"The job database {path} is on a network file system ({kind}), where SQLite cannot "
            f"lock reliably: put it on a local disk, or use a queue made for several machines"
        )


def file_system(path: Path) -> str | None:
    """The type of the file system that `path` is on, where the system tells (Linux)."""
    if not sys.platform.startswith("linux") or not MOUNTS.exists():
        return None
    resolved = path.resolve()
    kinds: dict[Path, str] = {}
    for line in MOUNTS.read_text("utf-8", "surrogateescape").splitlines():
        _, mount, kind, *_ = line.split(" ")
        kinds[Path(unescaped(mount))] = kind
    places = (resolved, *resolved.parents)
    return next((kinds[place] for place in places if place in kinds), None)


def unescaped(mount: str) -> str:
    """A mount point as it is called: blanks are written in octal there."""
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        mount = mount.replace(escape, character)
    return mount
