"""What a media job means: everything that is deployed beside `functions/`.

    functions, cli ─► bootstrap ─► adapters ─► ports ─► kinds, inbound ─► record, jobs, documents, ...
         └─────────► use cases ────────────────┘

Use cases: `intake` takes in what a trigger brings, `webhooks` what comes over HTTP, `tracking` announces
jobs before any callback (it reads `announcements`), `importing` brings answers that were stored elsewhere,
`replay` makes records of stored answers again, `compatibility` looks at a ledger before another release does,
`settlement` settles one job, `effects` drains what a commit left to do, `reconciliation` settles what is due,
`sending` tells the next system (`attempts` is one try of it, `handing_over` has it begun, `redelivery` has it
done again). They are made of `marks` (somebody wants a job looked at), `leasing` (the right to settle it),
`asking` (query, result files, record), `conclusions` (what an answer means), `job_row` and `archive` (what
lies where). `console` shows it all to people: `job_views` and `listings` read, `pages` writes HTML.

`kinds`, `inbound`, `announcements`, `delivery`, `documents`, `record`, `jobs`, `taxonomy`, `tables`,
`places`, `policy` and `vendor` do no I/O and read no clock. Only `bootstrap` builds adapters and reads
`settings`.
`toolkit` knows nothing of the others. The import contracts in `pyproject.toml` execute this rule.
"""
