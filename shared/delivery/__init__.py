"""Telling the next system what became of a job: what is said to whom. Pure; `shared.sending` sends it.

    words.py           a word of a setting against those that are known
    targets.py         who can be told: URLs, queues, topics, functions, hooks
    rules.py           which records go to whom; both together are the plan, a setting
    outbox.py          what is still to be told, in the job's row
    target_health.py   who takes nothing, and is left alone for a while
    event.py           the body: one CloudEvent per record version
    signature.py       that it came from here, unchanged and just now

What a consumer has to do is in docs/consuming.md.
"""
