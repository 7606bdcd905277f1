"""CuPy arrays through the TVM-FFI symbols.

    python cupy_attention.py out q1.npy k1.npy q2.npy k2.npy v.npy beta.npy \
        lambda.npy o.npy

The package is that of tvm_ffi_symbols.py for dtype=f16: CuPy has no bf16.
"""
import sys

import cupy
import numpy as np
import tvm_ffi

import tvm_ffi_symbols


def attention(module, *inputs):
    """o of q1, k1, q2, k2, v, beta, lambda, on CuPy's current stream."""
    o = cupy.empty_like(inputs[0])
    tensors = [tvm_ffi.from_dlpack(each) for each in (*inputs, o)]
    workspace = cupy.empty(module["attention_workspace_bytes"](*tensors),
                           dtype=cupy.uint8)
    device = tvm_ffi.device("cuda", o.device.id)
    stream = cupy.cuda.get_current_stream().ptr
    with tvm_ffi.use_raw_stream(device, stream):
        module["attention"](*tensors, tvm_ffi.from_dlpack(workspace))
    return o


def main(folder, *paths):
    module = tvm_ffi_symbols.load(folder)
    inputs = [cupy.asarray(np.load(path)) for path in paths[:-1]]
    with cupy.cuda.Stream(non_blocking=True) as stream:
        o = attention(module, *inputs)
        stream.synchronize()
    np.save(paths[-1], cupy.asnumpy(o))
    print(f"{paths[-1]}: {o.shape}")


if __name__ == "__main__":
    main(*sys.argv[1:])
