"""Progress where Celery keeps its own data, where that is a Redis.

The store goes where Celery goes: the same servers, TLS, time-outs and `global_keyprefix`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from celery import Celery
from kombu.utils.imports import symbol_by_name

from continuable.progress.protocol import ProgressStore

if TYPE_CHECKING:
    from redis import Redis

SOCKET = "redis+socket"
SENTINEL = "sentinel"
SCHEMES = frozenset({"redis", "rediss", SOCKET, SENTINEL})
SENTINEL_PORT = 26379
PREFIX = "continuable:"
"""What our keys begin with, after the `global_keyprefix` of Celery's."""
TCP_OPTIONS = ("socket_connect_timeout", "socket_keepalive", "socket_keepalive_options")
"""Transport options that a connection through a socket file has no use for."""
OPTIONS = ("socket_timeout", "health_check_interval", "retry_on_timeout", "client_name")
"""Transport options that are the client's own, too."""
CELERYS_TIMEOUT = 120.0
"""Seconds: the `redis_socket_timeout` of a project that sets none. A lease is shorter."""


def redis_store(celery_app: Celery) -> ProgressStore | None:
    """A store in the broker, or else in the result backend; `None` where neither is a Redis."""
    conf = celery_app.conf
    broker = _broker_urls(celery_app)
    if broker and _scheme(broker[0]) in SCHEMES:
        client, options = _broker_client(celery_app), conf.broker_transport_options
    elif _scheme(str(conf.result_backend or "")) in SCHEMES:
        client, options = _backend_client(celery_app), conf.result_backend_transport_options
    else:
        return None
    from continuable.progress.redis.store import RedisProgress

    prefix = (options or {}).get("global_keyprefix") or ""
    return RedisProgress(client, prefix=f"{prefix}{PREFIX}")


def gaps(celery_app: Celery) -> list[str]:
    """A sentence on what `redis_store` cannot follow Celery to."""
    first, *others = _broker_urls(celery_app) or [""]
    if not others or _scheme(first) == SENTINEL or _scheme(first) not in SCHEMES:
        return []
    place = urlsplit(first)
    sentence = (
        f"The broker is a list of servers, and progress is in the first of them alone "
        f"({place.hostname}): while it is away, jobs wait for it. Give the app a store of its "
        f"own, App(queue=..., progress=SQLAlchemyProgress(...)), DjangoProgress() or "
        f"RedisProgress(...)"
    )
    return [sentence]


def as_redis_says(url: str) -> str:
    """The url of Celery's in the words of the client."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.pop("credential_provider", None)
    requirement = query.get("ssl_cert_reqs", "")
    if requirement.startswith("CERT_"):
        query["ssl_cert_reqs"] = requirement.removeprefix("CERT_").lower()
    scheme = parts.scheme
    if scheme == SOCKET:
        scheme = "unix"
        if "virtual_host" in query:
            query["db"] = query.pop("virtual_host")
    # Not `geturl`, which makes `redis:` of `redis://`.
    return f"{scheme}://{parts.netloc}{parts.path}" + (f"?{urlencode(query)}" if query else "")


def _broker_client(celery_app: Celery) -> Redis:
    from redis import Redis

    conf = celery_app.conf
    urls = _broker_urls(celery_app)
    parts = urlsplit(urls[0])
    tls = conf.broker_use_ssl if isinstance(conf.broker_use_ssl, dict) else {}
    options = _client_options(parts, conf.broker_transport_options or {})
    if parts.scheme == SENTINEL:
        return _master(urls, tls, options, conf.broker_transport_options)
    url = as_redis_says(urls[0])
    if tls and parts.scheme == "redis":
        url = url.replace("redis://", "rediss://", 1)
    return Redis.from_url(url, **options, **tls)


def _client_options(parts: SplitResult, given: Mapping[str, Any]) -> dict[str, Any]:
    from continuable.progress.redis.store import TIMEOUTS

    names = OPTIONS if parts.scheme == SOCKET else (*OPTIONS, *TCP_OPTIONS)
    found = {**TIMEOUTS, **{n: given[n] for n in names if given.get(n) is not None}}
    provider = dict(parse_qsl(parts.query)).get("credential_provider")
    if provider is not None:
        found["credential_provider"] = symbol_by_name(provider)()  # type: ignore[no-untyped-call]
    return {name: value for name, value in found.items() if name in (*names, "credential_provider")}


def _master(
    urls: Sequence[str],
    tls: Mapping[str, Any],
    options: Mapping[str, Any],
    transport: Mapping[str, Any],
) -> Redis:
    """The server that the sentinels name, which may be another one tomorrow."""
    from redis.sentinel import Sentinel

    first, places = urlsplit(urls[0]), [urlsplit(url) for url in urls]
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        [(place.hostname, place.port or SENTINEL_PORT) for place in places],
        min_other_sentinels=transport.get("min_other_sentinels", 0),
        sentinel_kwargs=transport.get("sentinel_kwargs"),
        **options,
    )
    named = {"username": first.username, "password": first.password}
    master: Redis = sentinel.master_for(  # type: ignore[no-untyped-call]
        transport.get("master_name", ""),
        db=int(first.path.strip("/") or 0),
        **{name: value for name, value in named.items() if value},
        **({"ssl": True, **tls} if tls else {}),
    )
    return master


def _backend_client(celery_app: Celery) -> Redis:
    from continuable.progress.redis.store import TIMEOUTS

    # Not the backend's own client, whose time-outs are longer than a lease.
    backend = type(celery_app.backend)(app=celery_app, url=celery_app.backend.url)
    for name, seconds in TIMEOUTS.items():
        if backend.connparams.get(name, seconds) in {None, CELERYS_TIMEOUT}:
            backend.connparams[name] = seconds
    client: Redis = backend.client
    return client


def _broker_urls(celery_app: Celery) -> list[str]:
    url = celery_app.conf.broker_write_url or celery_app.conf.broker_url or ""
    urls = [url] if isinstance(url, str) else list(url)
    return [part for whole in urls for part in str(whole).split(";") if part]


def _scheme(url: str) -> str:
    return urlsplit(url).scheme
