"""From work to machines: replicas, database, PgBouncer and Redis."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.domain.capacity.inputs import ELASTIC, SHAPES, Assumptions, Audience, Costs
from operations.domain.capacity.load import Load, load_of

# Of one gp3 volume of RDS for PostgreSQL: a small one has 3,000 and can be given no more, a large one at least 12,000.
LEAST_GIB, LARGE_GIB = 100, 400
SMALL_IOPS, LARGE_IOPS, MOST_IOPS = 3_000, 12_000, 64_000
GROUP_COMMITS_A_SECOND = 4.0  # of one realtime process, every 250 ms
BOUNCER_CLIENTS = 5_000  # connections that one PgBouncer takes
MOST_CONNECTIONS = 5_000  # RDS: LEAST(memory / 9531392, 5000)
CONNECTION_BYTES = 9_531_392
MIB_PER_GIB, KB_PER_GIB, BYTES_PER_GIB = 1024, 1024**2, 1024**3


@dataclass(frozen=True, slots=True)
class Machine:
    name: str
    vcpus: float
    memory_gib: float
    usd_per_hour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`used` of `most`; at 1 it is full."""

    name: str
    used: float
    most: float
    unit: str

    @property
    def share(self) -> float:
        return self.used / self.most

    @property
    def headroom(self) -> float:
        """How many times more work fits: 0.5 is half as much again."""
        return self.most / self.used - 1 if self.used else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    audience: Audience
    load: Load
    replicas: Mapping[str, int]
    database: Machine
    shards: int  # 1: one primary
    replica_count: int  # read replicas of the database
    iops: int
    database_storage_gib: int
    cache: Machine
    cache_shards: int
    pool_connections: int  # what the processes may open together
    connection_limit: int  # what the database bears without PgBouncer
    bouncers: int
    server_connections: int
    parts: tuple[Part, ...]

    @property
    def saturated_first(self) -> Part:
        return max(self.parts, key=lambda part: part.share)


def machines(rows: Sequence[Mapping[str, Any]]) -> list[Machine]:
    """Smallest first."""
    return [Machine(row["name"], row["vcpus"], row["memory_gib"], row["usd_per_hour"]) for row in rows]


def replicas_of(load: Load, costs: Costs, given: Assumptions) -> dict[str, int]:
    """One more than the peak needs, so that one may die in it; never below what always runs."""
    needs = {
        "web": [load.web_cores / _usable_cores("web", given)],
        "realtime": [
            load.realtime_cores / _usable_cores("realtime", given),
            load.sockets / (costs.sockets * SHAPES["realtime"].processes * given.usable),
            load.realtime_memory_kb / (SHAPES["realtime"].memory_gib * KB_PER_GIB * given.usable),
        ],
        "worker": [load.worker_cores / _usable_cores("worker", given)],
    }
    found = {name: shape.standing for name, shape in SHAPES.items()}
    for name, shares in needs.items():
        found[name] = max(SHAPES[name].standing, math.ceil(max(shares)) + 1)
    return found


def elastic_replicas(audience: Audience, costs: Costs, given: Assumptions) -> dict[str, int]:
    """Of the tiers that follow the calendar."""
    found = replicas_of(load_of(audience, costs, given), costs, given)
    return {name: found[name] for name in ELASTIC}


def _usable_cores(name: str, given: Assumptions) -> float:
    shape = SHAPES[name]
    return min(shape.vcpus, shape.processes) / given.vcpu_per_core * given.usable


def connection_limit(database: Machine, given: Assumptions) -> int:
    """Backends that the database bears: by RDS's own rule, by the memory that they may take, by its cores."""
    by_rule = min(database.memory_gib * BYTES_PER_GIB / CONNECTION_BYTES, MOST_CONNECTIONS)
    by_memory = database.memory_gib * MIB_PER_GIB * given.connection_memory_share / given.connection_mib
    return int(min(by_rule, by_memory, database.vcpus * given.connections_a_vcpu))


def pool_connections(replicas: Mapping[str, int]) -> int:
    return sum(count * SHAPES[name].connections for name, count in replicas.items())


def commits_a_second(load: Load, replicas: Mapping[str, int]) -> float:
    """No more group commits than beats: a process without beats commits nothing."""
    return load.http_commits + min(
        load.beats, replicas["realtime"] * SHAPES["realtime"].processes * GROUP_COMMITS_A_SECOND
    )


def plan_for(audience: Audience, costs: Costs, given: Assumptions, prices: Mapping[str, Any]) -> Plan:
    load = load_of(audience, costs, given)
    replicas = replicas_of(load, costs, given)
    database, copies, shards = _database(load, replicas, given, machines(prices["database"]))
    cache, cache_shards = _cache(load, given, machines(prices["cache"]))
    pools = pool_connections(replicas)
    limit = connection_limit(database, given) * shards
    bouncers = max(2, math.ceil(pools / BOUNCER_CLIENTS)) if pools > limit else 0
    most = int(given.server_connections_a_vcpu * database.vcpus) * shards
    storage, iops = _volumes(load, replicas, given, shards)
    plan = Plan(
        audience=audience,
        load=load,
        replicas=replicas,
        database=database,
        shards=shards,
        replica_count=copies,
        iops=iops,
        database_storage_gib=storage,
        cache=cache,
        cache_shards=cache_shards,
        pool_connections=pools,
        connection_limit=limit,
        bouncers=bouncers,
        server_connections=min(pools, most) if bouncers else pools,
        parts=(),
    )
    return _with_parts(plan, costs, given)


def _database(
    load: Load, replicas: Mapping[str, int], given: Assumptions, sizes: list[Machine]
) -> tuple[Machine, int, int]:
    """(size, read replicas, shards): one machine while one is large enough, then copies to read from, then shards."""
    scale = given.vcpu_per_core / given.usable
    largest = sizes[-1]
    commits = commits_a_second(load, replicas) * given.iops_a_commit
    shards = max(1, math.ceil(load.database_write_cores * scale / largest.vcpus), math.ceil(commits * 2 / MOST_IOPS))
    whole = load.database_cores * scale / shards
    if whole <= largest.vcpus:
        return _smallest(sizes, whole), 0, shards
    copies = math.ceil(load.database_read_cores * scale / shards / largest.vcpus)
    return largest, copies, shards


def _volumes(load: Load, replicas: Mapping[str, int], given: Assumptions, shards: int) -> tuple[int, int]:
    """(GiB of all shards together, IOPS of each): who needs more than a small volume does takes a large one."""
    commits = commits_a_second(load, replicas) * given.iops_a_commit / shards
    wanted = math.ceil(commits / 1000) * 1000 * 2
    gib = math.ceil(load.rows_a_year * given.row_bytes / BYTES_PER_GIB)
    if wanted > SMALL_IOPS or gib >= LARGE_GIB * shards:
        return max(gib, LARGE_GIB * shards), min(MOST_IOPS, max(LARGE_IOPS, wanted))
    return max(gib, LEAST_GIB * shards), SMALL_IOPS


def _smallest(sizes: list[Machine], vcpus: float) -> Machine:
    return next(size for size in sizes if size.vcpus >= vcpus)


def _cache(load: Load, given: Assumptions, sizes: list[Machine]) -> tuple[Machine, int]:
    operations = load.redis_operations / (given.redis_operations_per_s * given.usable)
    memory_gib = load.redis_memory_kb / KB_PER_GIB / given.usable
    shards = max(1, math.ceil(operations), math.ceil(memory_gib / sizes[-1].memory_gib))
    return next(size for size in sizes if size.memory_gib >= memory_gib / shards), shards


def _with_parts(plan: Plan, costs: Costs, given: Assumptions) -> Plan:
    load, count = plan.load, plan.replicas
    cores = {name: count[name] * _usable_cores(name, given) / given.usable for name in ELASTIC}
    vcpus = plan.database.vcpus * plan.shards / given.vcpu_per_core
    read, write = load.database_read_cores, load.database_write_cores
    primary = write if plan.replica_count else read + write
    connections = plan.connection_limit if not plan.bouncers else plan.bouncers * BOUNCER_CLIENTS
    sockets = count["realtime"] * SHAPES["realtime"].processes * costs.sockets
    memory = count["realtime"] * SHAPES["realtime"].memory_gib * KB_PER_GIB
    found = [
        Part(name="web CPU", used=load.web_cores, most=cores["web"], unit="cores"),
        Part(name="realtime CPU", used=load.realtime_cores, most=cores["realtime"], unit="cores"),
        Part(name="realtime sockets", used=load.sockets, most=sockets, unit="sockets"),
        Part(name="realtime memory", used=load.realtime_memory_kb, most=memory, unit="KB"),
        Part(name="worker CPU", used=load.worker_cores, most=cores["worker"], unit="cores"),
        Part(name="database CPU", used=primary, most=vcpus, unit="cores"),
        Part(
            name="database commits",
            used=commits_a_second(load, count) * given.iops_a_commit,
            most=plan.iops * plan.shards,
            unit="a second",
        ),
        Part(name="database connections", used=plan.pool_connections, most=connections, unit="connections"),
        Part(
            name="Redis operations",
            used=load.redis_operations,
            most=plan.cache_shards * given.redis_operations_per_s,
            unit="a second",
        ),
        Part(
            name="Redis memory",
            used=load.redis_memory_kb,
            most=plan.cache_shards * plan.cache.memory_gib * KB_PER_GIB,
            unit="KB",
        ),
    ]
    values = {name: getattr(plan, name) for name in plan.__dataclass_fields__}
    return Plan(**values | {"parts": tuple(found)})
