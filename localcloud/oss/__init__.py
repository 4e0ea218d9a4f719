"""The vendor's object storage, imitated on the wire over two object stores per bucket.

    server ─► service ─► reading, writing, multipart, listing ─► buckets
                │  └───► signatures
                └──────► faults

`service` does what every request needs: signature, bucket, error bodies. `wire` has the values that
travel between them. Requests are in path style; a bucket exists when it is given, none can be made.
"""
