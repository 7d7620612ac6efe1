"""Fills the database that the environment names, and prints the viewers: `python -m tests.faults.seed 60`."""

import json
import sys

import django


def main(count: int) -> None:
    django.setup()
    from tests.bench.people import make_audience

    audience = make_audience(count)
    viewers = [
        viewer | {"user": one.user_id} for viewer, one in zip(audience.viewers(), audience.sessions, strict=True)
    ]
    print(json.dumps(viewers))


if __name__ == "__main__":
    main(int(sys.argv[1]))
