"""Resource Orchestration Service, imitated: stacks that come and go as a clock moves on, and no resources.

    media gateway ─► service ─► stacks ─► templates

`service` is a list of actions for the gateway of the media APIs, which checks signatures for it too.
`stacks` keeps what is done with a stack as a plan in time, `templates` reads what a stack is made from.
"""
