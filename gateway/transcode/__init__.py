"""From HTTP to a message of the contract and back: routes, requests, answers, problems. No sockets, no server.

Nothing here is written for one method: routes, walkers and printers are made from descriptors, once, and kept.
"""
