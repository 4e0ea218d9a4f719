"""Makes or updates the stack of a template: the steps of `media-ledger deploy`. Never deployed.

    release ──► calls ──► stacks ──► progress ──► advice
       │          └─────► dry_run
       └ template

`release` is what is asked for, checked; `calls` the requests for it, `stacks` what ROS answers, `progress`
waits and tells, `advice` says what an outcome means and what to do. `dry_run` shows the requests instead.
"""
