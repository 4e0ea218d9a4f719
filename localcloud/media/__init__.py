"""The vendor's media APIs, imitated.

    server ─► gateway ─► vod
                │  └───► signatures
                └──────► rendering

`server` owns the sockets. `gateway` does what the vendor's API gateway does for every product:
signatures, versions, throttling, error bodies. `vod` keeps the jobs; another product is another list
of actions for the gateway. `wire` has the values that travel between them.
"""
