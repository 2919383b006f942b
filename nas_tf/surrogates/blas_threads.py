"""Matrix products that stay on the thread they are asked for on."""

import contextlib
import functools

import threadpoolctl


@functools.cache
def _libraries() -> threadpoolctl.ThreadpoolController:
    return threadpoolctl.ThreadpoolController()


def one_blas_thread() -> contextlib.AbstractContextManager:
    """Has BLAS use one thread: small products are faster alone, and runs are side by side already."""
    return _libraries().limit(limits=1, user_api="blas")
