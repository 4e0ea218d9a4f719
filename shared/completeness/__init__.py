"""The completeness report: every job of a window in exactly one bucket, compared with other sources.

    buckets.py     what a row counts as
    survey.py      the rows of a window, counted page by page
    comparison.py  one other source against the ledger
    sources.py     the archive and submit lists; and who cannot be asked
    vod_jobs.py    what VOD lists of known media
    report.py      the report as a document; its JSON Schema is published
    making.py      the whole report, and where it is kept
    page.py        the report as one HTML file

What the report promises, and what it cannot tell, is in docs/completeness.md.
"""
