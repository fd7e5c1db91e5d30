"""Redis: limits and breaker states that a fleet of processes shares.

    orders = RedisRateLimiter(100, client=redis.Redis(host="cache"), name="orders")

Each policy is called like its twin in this process. One decision is one round trip: a script that Redis runs as a
whole. Redis may be away: every exchange ends within a small timeout and within the ambient deadline, the twin
decides while it lasts, and a circuit breaker (`RedisLink`) says when to ask Redis again.

`redis.Redis` serves sync code and `redis.asyncio` serves asyncio. There is no trio in redis-py.
"""

from importlib import import_module

try:
    import_module("redis")
except ImportError as error:
    raise ImportError("redis is not installed: pip install 'uat-resilience[redis]'") from error

from uat_resilience.integrations.redis.away import RedisUnavailableError
from uat_resilience.integrations.redis.breaker import SharedBreaker, SharedBreakerSnapshot
from uat_resilience.integrations.redis.bulkhead import RedisBulkhead, RedisBulkheadSnapshot
from uat_resilience.integrations.redis.link import RedisLink
from uat_resilience.integrations.redis.rate_limiter import (
    RedisRateLimiter,
    RedisRateLimiterSnapshot,
)

__all__ = [
    "RedisBulkhead",
    "RedisBulkheadSnapshot",
    "RedisLink",
    "RedisRateLimiter",
    "RedisRateLimiterSnapshot",
    "RedisUnavailableError",
    "SharedBreaker",
    "SharedBreakerSnapshot",
]
