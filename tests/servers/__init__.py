"""Real servers for the tests, one file per product: installed below `.servers/`, on loopback, stopped by pid file.

    python -m tests.servers start [NAME…]     install what is missing, start, wait until ready, write `.servers/env`
    python -m tests.servers stop|status|clean [NAME…]

`set -a; . .servers/env; set +a` gives the test suites the URLs. Data stays between starts until `clean`.
"""
