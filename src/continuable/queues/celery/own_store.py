"""Progress where Celery keeps its own data, where that is a Redis."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from celery import Celery

from continuable.progress.protocol import ProgressStore

SOCKET = "redis+socket"
SCHEMES = frozenset({"redis", "rediss", SOCKET})


def redis_store(celery_app: Celery) -> ProgressStore | None:
    """A store in the broker, or else in the result backend; `None` where neither is a Redis."""
    conf = celery_app.conf
    for url, tls in (
        (conf.broker_write_url or conf.broker_url, conf.broker_use_ssl),
        (conf.result_backend, conf.redis_backend_use_ssl),
    ):
        first = url[0] if isinstance(url, list | tuple) and url else url
        found = str(first or "").split(";")[0]
        if urlsplit(found).scheme in SCHEMES:
            from redis import Redis

            from continuable.progress.redis.store import TIMEOUTS, RedisProgress

            options: dict[str, Any] = dict(tls) if isinstance(tls, dict) else {}
            return RedisProgress(Redis.from_url(as_redis_says(found), **TIMEOUTS, **options))
    return None


def as_redis_says(url: str) -> str:
    """The url of Celery's in the words of the client."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    requirement = query.get("ssl_cert_reqs", "")
    if requirement.startswith("CERT_"):
        query["ssl_cert_reqs"] = requirement.removeprefix("CERT_").lower()
    if parts.scheme != SOCKET:
        return parts._replace(query=urlencode(query)).geturl()
    if "virtual_host" in query:
        query["db"] = query.pop("virtual_host")
    return f"unix://{parts.netloc}{parts.path}" + (f"?{urlencode(query)}" if query else "")
