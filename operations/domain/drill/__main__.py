"""The process of the stagehand, inside the copy: `python -m operations.domain.drill`."""

import sys

import django

if __name__ == "__main__":
    django.setup()
    from operations.domain.drill.stagehand import main

    sys.exit(main())
