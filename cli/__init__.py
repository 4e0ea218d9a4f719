"""The command line `media-ledger`; never deployed."""
