"""A kernel of this very interpreter, whatever kernel specifications are installed."""

from __future__ import annotations

import zmq
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

# The debugger of kernels warns about frozen modules on every start.
PYTHON_ARGUMENTS = ["-Xfrozen_modules=off"]


class ThisInterpreter(AsyncKernelManager):
    """Starts notebooks in the environment that renders them."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The specification; an installed `python3` may belong to another environment."""
        return KernelSpec(**get_kernel_dict(python_arguments=PYTHON_ARGUMENTS))

    @default("transport_encryption")
    def _encrypt_where_possible(self) -> str:
        return "auto" if zmq.has("curve") else "disabled"
