"""MNS (now SMQ) on the loopback interface: queues and topics in memory, for the vendor's SDK and ours."""
