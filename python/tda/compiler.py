"""libtda_compiler, where it is present: compiling at run time.

It is looked for where the environment variable TDA_COMPILER points, beside this
package, and by its name on the loader's path. It needs LLVM and MLIR 22.
"""
import ctypes as c
import functools
import os
from pathlib import Path

HOW = ("build it from a clone (dev/build tda_compiler) and set TDA_COMPILER to "
       "build/lib/libtda_compiler.so")


def _candidates():
    given = os.environ.get("TDA_COMPILER")
    if given is not None:
        return [given] if given else []  # Set but empty: none.
    beside = Path(__file__).parent / "libtda_compiler.so"
    return ([str(beside)] if beside.exists() else []) + ["libtda_compiler.so.0"]


@functools.lru_cache(maxsize=None)
def _library():
    for path in _candidates():
        try:
            lib = c.CDLL(path)
        except OSError as error:
            if os.environ.get("TDA_COMPILER"):
                raise RuntimeError(f"TDA_COMPILER={path} cannot be loaded: "
                                   f"{error}") from None
            continue
        lib.tda_compile.argtypes = [c.c_char_p, c.c_char_p, c.c_char_p,
                                    c.POINTER(c.c_void_p)]
        lib.tda_compiler_error.restype = c.c_char_p
        for name in ("tda_compiled_manifest", "tda_compiled_ptx"):
            function = getattr(lib, name)
            function.restype = c.c_void_p
            function.argtypes = [c.c_void_p, c.POINTER(c.c_size_t)]
        lib.tda_compiled_cpu.restype = c.c_void_p
        lib.tda_compiled_cpu.argtypes = [c.c_void_p, c.POINTER(c.c_int64)]
        return lib
    return None


def available():
    """Whether libtda_compiler can be loaded."""
    return _library() is not None


def _compile(words, arch):
    lib = _library()
    compiled = c.c_void_p()
    if lib.tda_compile(words.encode(), arch.encode(), b"", c.byref(compiled)):
        raise ValueError(f"'{words}' does not compile for {arch}: "
                         f"{lib.tda_compiler_error().decode().strip()}")
    return lib, compiled


def compile_gpu(words, arch):
    """The manifest and the PTX, as str and bytes."""
    lib, compiled = _compile(words, arch)
    size = c.c_size_t()
    text = lib.tda_compiled_manifest(compiled, c.byref(size))
    manifest = c.string_at(text, size.value).decode()
    text = lib.tda_compiled_ptx(compiled, c.byref(size))
    ptx = c.string_at(text, size.value)
    lib.tda_compiled_free.argtypes = [c.c_void_p]
    lib.tda_compiled_free(compiled)
    return manifest, ptx


def compile_cpu(words):
    """Address of the code and queries of one program. The code lives as long
    as the process."""
    lib, compiled = _compile(words, "cpu")
    queries = c.c_int64()
    return lib.tda_compiled_cpu(compiled, c.byref(queries)), queries.value
