"""Function Compute on a laptop: functions in processes, what starts them, and the invocation API.

    functions     the functions of a template, by name (instances, instance, worker)
    service       the invocation API of both versions: paths, limits, error bodies, planned troubles
    signatures    of both versions, and of HTTP triggers
    tasks         asynchronous invocations: accepted once, executed later, repeated when they fail, told of
    triggers      all that starts functions by itself: topics, queues, timers, requests

`service`, `tasks` and `triggers` take any callables for functions. Functions cannot be made, listed or
changed.
"""
