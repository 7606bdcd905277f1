"""The TVM-FFI symbols of a package: built here, called on tensors that say
they are on a GPU, with the driver that runs no kernel."""
import ctypes as c
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

try:
    import tvm_ffi
except ImportError:
    tvm_ffi = None

COMPILER = os.environ.get("TDA_COMPILE")
PACKAGE = os.environ.get("TDA_PACKAGE")  # What COMPILER makes here.
FAKE = os.environ.get("TDA_LIBCUDA", "")
EXAMPLES = Path(__file__).parents[2] / "examples" / "python"
CUDA = 2  # kDLCUDA


class DLTensor(c.Structure):
    _fields_ = [("data", c.c_void_p), ("device_type", c.c_int),
                ("device_id", c.c_int), ("ndim", c.c_int),
                ("code", c.c_uint8), ("bits", c.c_uint8), ("lanes", c.c_uint16),
                ("shape", c.POINTER(c.c_int64)),
                ("strides", c.POINTER(c.c_int64)), ("byte_offset", c.c_uint64)]


class Managed(c.Structure):
    _fields_ = [("tensor", DLTensor), ("context", c.c_void_p),
                ("deleter", c.c_void_p)]


NOTHING = c.CFUNCTYPE(None, c.c_void_p)(lambda _: None)


class OnGpu:
    """A NumPy array that says, in DLPack, that it is on CUDA device 0."""

    def __init__(self, array, code, bits, device=0):
        self.array = array
        self.shape = (c.c_int64 * array.ndim)(*array.shape)
        self.strides = (c.c_int64 * array.ndim)(
            *[s // array.itemsize for s in array.strides])
        self.managed = Managed(DLTensor(
            array.ctypes.data, CUDA, device, array.ndim, code, bits, 1,
            self.shape, self.strides, 0), None,
            c.cast(NOTHING, c.c_void_p))

    def __dlpack_device__(self):
        return CUDA, self.managed.tensor.device_id

    def __dlpack__(self, stream=None, **_):
        new = c.pythonapi.PyCapsule_New
        new.restype, new.argtypes = c.py_object, [c.c_void_p, c.c_char_p,
                                                  c.c_void_p]
        return new(c.addressof(self.managed), b"dltensor", None)


@unittest.skipUnless(tvm_ffi, "apache-tvm-ffi is not installed")
@unittest.skipUnless(COMPILER or PACKAGE, "TDA_COMPILE names no tda-compile")
@unittest.skipUnless("fake" in FAKE, "TDA_LIBCUDA names no fake driver")
class Symbols(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = PACKAGE
        if not folder:
            cls.made = tempfile.TemporaryDirectory()
            folder = cls.made.name
            subprocess.run([COMPILER, "--attention",
                            "views=2 d=64 causal normalize offset=arg",
                            "--arch", "sm_90", "--no-cubin", "--package",
                            "--tvm-ffi", "-o", folder], check=True)
        os.environ["TDA_LINK_CUDA"] = (f"{FAKE} -Wl,-rpath,"
                                       f"{Path(FAKE).parent}")
        sys.path.insert(0, str(EXAMPLES))
        import tvm_ffi_symbols
        cls.module = tvm_ffi_symbols.load(folder)

    def setUp(self):
        # Aligned to 256 bytes; what is handed out lives as long as the test.
        buffer = np.zeros(1 << 20, np.uint8)
        self.keep = [buffer[-buffer.ctypes.data % 256:]]

    def tensors(self, n=8):
        # kDLBfloat is 4, kDLFloat 2, kDLUInt 1.
        q = self.keep[0][:2 * 2 * n * 64].view(np.uint16).reshape(1, 2, n, 64)
        head = self.keep[0][:8].view(np.float32)
        big = [OnGpu(q, 4, 16) for _ in range(5)]
        self.keep += big
        heads = [OnGpu(head, 2, 32) for _ in range(2)]
        self.keep += heads
        o = OnGpu(q, 4, 16)
        self.keep.append(o)
        return ([tvm_ffi.from_dlpack(t) for t in big + heads] + [0] +
                [tvm_ffi.from_dlpack(o)])

    def workspace(self, size):
        memory = OnGpu(self.keep[0][:size], 1, 8)
        self.keep.append(memory)
        return tvm_ffi.from_dlpack(memory)

    def test_launches(self):
        arguments = self.tensors()
        size = self.module["attention_workspace_bytes"](*arguments)
        self.module["attention_load"](0)
        self.module["attention"](*arguments, self.workspace(size))

    def test_refuses(self):
        arguments = self.tensors()
        size = self.module["attention_workspace_bytes"](*arguments)
        call = self.module["attention"]
        if size:
            with self.assertRaisesRegex(ValueError, "this call needs"):
                call(*arguments, self.workspace(size - 1))
        host = tvm_ffi.from_dlpack(np.zeros((1, 2, 8, 64), np.float16))
        with self.assertRaisesRegex(ValueError, "'k1' is not on a CUDA"):
            call(arguments[0], host, *arguments[2:], self.workspace(size))
        with self.assertRaisesRegex(TypeError, "'k1' has another dtype"):
            call(arguments[0], arguments[5], *arguments[2:],
                 self.workspace(size))
        other = self.tensors(n=4)
        with self.assertRaisesRegex(ValueError, "'k2': axis 2 .Nk. has 8"):
            call(arguments[0], other[1], *arguments[2:], self.workspace(size))
        elsewhere = OnGpu(self.keep[0][:2048].view(np.uint16).reshape(
            1, 2, 8, 64), 4, 16, device=1)
        with self.assertRaisesRegex(ValueError, "'v' is on device 1"):
            call(*arguments[:4], tvm_ffi.from_dlpack(elsewhere),
                 *arguments[5:], self.workspace(size))


if __name__ == "__main__":
    unittest.main()
