"""Checks an ROS template without an account: what the stack would refuse, and what would fail later.

`document` reads YAML with its lines, `definitions` holds what the vendor's packages say of resource
types (`extract` takes it from them), the other modules each look for one kind of mistake, and `linter`
joins them.
"""
