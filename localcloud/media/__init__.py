"""The vendor's media APIs, imitated.

    server ─► gateway ─► vod, mts, ice ─► jobs
                │  └───► signatures
                └──────► rendering

`server` owns the sockets. `gateway` does what the vendor's API gateway does for every product:
signatures, versions, throttling, error bodies. `vod`, `mts` and `ice` each are lists of actions for
the gateway, over the jobs that `jobs` keeps; `*_results` have what such jobs find. `wire` has the
values that travel between them.
"""
