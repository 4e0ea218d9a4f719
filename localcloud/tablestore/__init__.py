"""Tablestore on a laptop: its wire protocol over one SQLite file.

    service       before and after an operation: signature, clock, errors, planned troubles
    signatures    of requests and answers
    operations    messages in, messages out
    instance      tables, rows, indexes that may lag
    rows          one row: written, indexed, selected
    schema        what a table is and what fits it
    conditions    of writes and reads
    row_store     rows in the order of their keys
    plain_buffer, protobuf, messages      the bytes on the wire

The bytes are read and written by code of its own, not the vendor's: so what its clients say of them is
a judgement, and no cloud SDK is needed to serve. Imitated is what the ledger uses and its neighbourhood.
Several versions of a cell, local indexes, auto-increment keys, local transactions, search and SQL are
refused; a time to live is kept, and nothing expires.
"""
