"""Where kernels run: OpenCL, CUDA by run-time compilation, C by the system's compiler.

Each is a `base.Runtime`; only the session imports them, each one's library inside functions.
"""
