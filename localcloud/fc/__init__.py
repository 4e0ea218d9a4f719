"""Function Compute's invocation API on a laptop, in both of its versions.

    service       requests in, answers out: paths, limits, error bodies, planned troubles
    signatures    of both versions
    tasks         asynchronous invocations: accepted once by their id, executed later, again when they fail

Functions are callables that somebody gives. Imitated is the invocation alone: functions cannot be made,
listed or changed, and what became of a task cannot be asked.
"""
