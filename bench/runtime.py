"""Kernels of a bundle, through the C interface of libtda_runtime.

`Library` opens the shared library, `Program` is one compiled attention, and
`Program.bind` gives a call that launches it on torch tensors with nothing left
to do on the host but one C call. include/tda/runtime.h is the reference.
"""
import ctypes as c
import json

import torch

MAX_RANK = 6
DTYPES = {torch.float32: 1, torch.bfloat16: 2, torch.float16: 3}


class Argument(c.Structure):
    """tda_argument."""
    _fields_ = [("kind", c.c_int32), ("dtype", c.c_int32),
                ("data", c.c_void_p), ("rank", c.c_int32),
                ("shape", c.c_int64 * MAX_RANK),
                ("strides", c.c_int64 * MAX_RANK), ("scalar", c.c_int64)]


class TdaError(RuntimeError):
    """What a function of the library refused, in its own words."""


def tensor_argument(tensor):
    fill = [0] * (MAX_RANK - tensor.dim())
    return Argument(kind=1, dtype=DTYPES[tensor.dtype], data=tensor.data_ptr(),
                    rank=tensor.dim(),
                    shape=(c.c_int64 * MAX_RANK)(*tensor.shape, *fill),
                    strides=(c.c_int64 * MAX_RANK)(*tensor.stride(), *fill))


class Library:
    def __init__(self, path):
        lib = self.lib = c.CDLL(str(path))
        lib.tda_last_error.restype = c.c_char_p
        lib.tda_status_name.restype = c.c_char_p
        lib.tda_manifest.restype = c.c_char_p
        lib.tda_manifest.argtypes = [c.c_void_p]
        lib.tda_open.argtypes = [c.c_char_p, c.POINTER(c.c_void_p)]
        lib.tda_load.argtypes = [c.c_void_p, c.c_int]
        lib.tda_set_pointer_checks.argtypes = [c.c_void_p, c.c_int]
        lib.tda_set_pointer_checks.restype = None
        lib.tda_workspace_bytes.argtypes = [
            c.c_void_p, c.POINTER(Argument), c.c_size_t, c.POINTER(c.c_size_t)]
        lib.tda_launch.argtypes = [
            c.c_void_p, c.POINTER(Argument), c.c_size_t, c.c_void_p,
            c.c_size_t, c.c_void_p]

    def check(self, status):
        if status:
            raise TdaError(f"{self.lib.tda_status_name(status).decode()}: "
                           f"{self.lib.tda_last_error().decode()}")


class Program:
    def __init__(self, library, manifest_path, device=0):
        self.library = library
        self.handle = c.c_void_p()
        library.check(library.lib.tda_open(str(manifest_path).encode(),
                                           c.byref(self.handle)))
        library.check(library.lib.tda_load(self.handle, device))
        self.manifest = json.loads(library.lib.tda_manifest(self.handle))

    def pointer_checks(self, enabled):
        """On by default; off where each launch is timed."""
        self.library.lib.tda_set_pointer_checks(self.handle, int(enabled))

    def bind(self, tensors):
        """A function that launches with these tensors (inputs, then output),
        on the stream that is current now. It keeps them alive."""
        lib, handle, count = self.library.lib, self.handle, len(tensors)
        arguments = (Argument * count)(*map(tensor_argument, tensors))
        size = c.c_size_t()
        self.library.check(lib.tda_workspace_bytes(
            handle, arguments, count, c.byref(size)))
        # Not zeros: a kernel must not count on what the workspace holds.
        workspace = torch.full((size.value,), 0xA5, dtype=torch.uint8,
                               device=tensors[0].device)
        address = workspace.data_ptr() if size.value else None
        stream = torch.cuda.current_stream().cuda_stream or None
        launch, check = lib.tda_launch, self.library.check

        def call():
            status = launch(handle, arguments, count, address, size.value,
                            stream)
            if status:
                check(status)

        call.keep = (self, tensors, workspace)
        return call
