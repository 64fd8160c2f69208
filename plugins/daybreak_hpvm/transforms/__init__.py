"""Transformations of dataflow programs: each keeps what the interpreter says the program means."""

from __future__ import annotations

from daybreak_hpvm.transforms.buffer import buffer_input
from daybreak_hpvm.transforms.configure import Applied, Directive, apply, directives, transform
from daybreak_hpvm.transforms.dependence import Parallel, parallel
from daybreak_hpvm.transforms.errors import IllegalTransformationError, UnknownDirectiveError
from daybreak_hpvm.transforms.fuse_loops import fusable, fuse_loops
from daybreak_hpvm.transforms.fuse_nodes import fuse_nodes
from daybreak_hpvm.transforms.tasks import can_block, parallel_tasks, streamable
from daybreak_hpvm.transforms.unroll import EXPANSION_LIMIT, expand, expanded_size, unroll

__all__ = [
    "EXPANSION_LIMIT",
    "Applied",
    "Directive",
    "IllegalTransformationError",
    "Parallel",
    "UnknownDirectiveError",
    "apply",
    "buffer_input",
    "can_block",
    "directives",
    "expand",
    "expanded_size",
    "fusable",
    "fuse_loops",
    "fuse_nodes",
    "parallel",
    "parallel_tasks",
    "streamable",
    "transform",
    "unroll",
]
