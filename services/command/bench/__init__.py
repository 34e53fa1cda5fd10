"""`leadx bench`: what the exchange costs beside doing the same without it, measured in one run on one machine.

Machines differ and are noisy, so a figure stands beside a baseline of the same run and is never good or bad by itself.
"""
