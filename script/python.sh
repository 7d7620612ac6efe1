# Sets PYTHON3 to the first interpreter that is new enough. Sourced by the other scripts.
PYTHON3=
for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        PYTHON3=$candidate
        break
    fi
done
if [ -z "$PYTHON3" ]; then
    echo "error: Python 3.11 or newer is needed and none was found (tried python3 and python3.11 to python3.14)." >&2
    exit 1
fi
