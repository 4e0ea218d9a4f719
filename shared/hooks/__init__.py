"""Code of your own that runs for every settled record: what it is given, and two examples.

    services.py         what a hook may touch
    summary_rows.py     one line per job, as a table that query engines read
    webvtt_markers.py   findings as markers that a video player shows

How to write one, and where to put it: docs/hooks.md.
"""
