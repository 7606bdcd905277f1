"""Builds and loads the TVM-FFI symbols of a package; the other examples use it.

    tda-compile --attention "views=2 d=64 causal normalize" --arch sm_90 \
        --package --tvm-ffi -o out

Needs a C and a C++ compiler and apache-tvm-ffi.
"""
import os
import pathlib
import shlex
import subprocess
import sys

import tvm_ffi


def load(folder, name="attention"):
    """A module with the functions `name`, `name`_workspace_bytes and
    `name`_load, built beside the sources where it is not there. TDA_LINK_CUDA
    names another library than -lcuda to link."""
    folder = pathlib.Path(folder)
    library = folder / f"{name}.so"
    if not library.exists():
        config = [sys.executable, "-m", "tvm_ffi.config", "--cxxflags",
                  "--ldflags"]
        flags = subprocess.run(config, check=True, capture_output=True,
                               text=True).stdout.split()
        subprocess.run([os.environ.get("CC", "cc"), "-std=c99", "-O2", "-fPIC",
                        "-c", folder / f"{name}.c", "-o", folder / f"{name}.o"],
                       check=True)
        cuda = shlex.split(os.environ.get("TDA_LINK_CUDA", "-lcuda"))
        subprocess.run([os.environ.get("CXX", "c++"), "-O2", "-fPIC", "-shared",
                        *flags, "-o", library, folder / f"{name}_tvm_ffi.cc",
                        folder / f"{name}.o", *cuda, "-ltvm_ffi"], check=True)
    return tvm_ffi.load_module(str(library))
