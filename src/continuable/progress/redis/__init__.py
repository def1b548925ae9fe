"""`RedisProgress`: a store in Redis or Valkey."""

from continuable.progress.redis.store import RedisProgress

__all__ = ["RedisProgress"]
