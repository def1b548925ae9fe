from pathlib import Path
from unittest.mock import patch

import pytest

from continuable.errors import StoreError
from continuable.sqlite import location
from continuable.sqlite.location import path_of


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///jobs.db", Path("jobs.db")),
        ("sqlite:///data/jobs.db", Path("data/jobs.db")),
        ("sqlite:////var/lib/app/jobs.db", Path("/var/lib/app/jobs.db")),
        ("sqlite:///~/jobs.db", Path.home() / "jobs.db"),
    ],
)
def test_a_url_names_a_file(url, path):
    assert path_of(url) == path


@pytest.mark.parametrize(
    "url",
    ["jobs.db", "sqlite:///", "sqlite://jobs.db", "redis://localhost", "sqlite:///:memory:", ""],
)
def test_any_other_url_is_refused_with_what_is_accepted(url):
    with pytest.raises(ValueError, match=r"sqlite:///jobs\.db.*queue="):
        path_of(url)


MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /mnt/home nfs4 rw 0 0
tmpfs /mnt/home/local tmpfs rw 0 0
//server/share /mnt/with\\040blank cifs rw 0 0
C: /mnt/c 9p rw 0 0
"""


@pytest.fixture
def mounts(tmp_path):
    file = tmp_path / "mounts"
    file.write_text(MOUNTS)
    with patch.object(location, "MOUNTS", file), patch.object(location.sys, "platform", "linux"):
        yield


@pytest.mark.parametrize("path", ["/srv/jobs.db", "/mnt/home/local/jobs.db", "/mnt/c/jobs.db"])
def test_a_local_disk_is_fine(mounts, path):
    location.refuse_network(Path(path))


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/mnt/home/me/jobs.db", "nfs4"), ("/mnt/with blank/jobs.db", "cifs")],
)
def test_a_network_file_system_is_refused_by_name(mounts, path, kind):
    with pytest.raises(StoreError, match=f"network file system .{kind}."):
        location.refuse_network(Path(path))


def test_where_the_system_does_not_tell_nothing_is_refused(mounts):
    with patch.object(location.sys, "platform", "darwin"):
        location.refuse_network(Path("/mnt/home/me/jobs.db"))
