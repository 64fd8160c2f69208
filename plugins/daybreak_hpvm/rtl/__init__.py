"""From a transformed program to hardware, and what it costs; see docs/targets/hpvm-rtl.md.

Importing this package loads neither Amaranth nor a tool.
"""
