"""Launches what tda-compile emits with cuda-python and nothing of this project.

    tda-compile --attention "views=2 d=64 causal normalize" --arch sm_90 -o out
    python manifest_launch.py out/attention.json q1.npy k1.npy q2.npy k2.npy \
        v.npy beta.npy lambda.npy o.npy

The files are those of `tda-run --args`; o.npy gets the same bits. `Program` is
a whole launcher by the manifest, docs/embedding.md step by step.
"""
import ctypes
import hashlib
import json
import pathlib
import re
import sys

import numpy as np
from cuda.bindings import driver as cu

BYTES = {"f32": 4, "bf16": 2, "f16": 2, "i32": 4, "i64": 8}
SHARED = cu.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES


def ok(result):
    """The values of a driver call, or an exception that names the error."""
    if result[0] != cu.CUresult.CUDA_SUCCESS:
        raise RuntimeError(f"the CUDA driver gave {result[0].name}")
    return result[1] if len(result) == 2 else result[1:]


def evaluate(text, lengths):
    """An expression of the manifest; it is checked before Python sees it."""
    if not re.fullmatch(r"[A-Za-z0-9 ()+*/,-]+", text) or "**" in text:
        raise ValueError(f"'{text}' is no expression")
    names = dict(lengths, min=min, max=max, ceildiv=lambda a, b: -(-a // b))
    value = eval(text.replace("/", "//"), {"__builtins__": {}}, names)
    if not 0 <= value < 1 << 63:
        raise ValueError(f"'{text}' is {value}")
    return value


class Tensor:
    """Device memory with a shape and strides in elements."""

    def __init__(self, address, shape, strides):
        self.address, self.shape, self.strides = address, shape, strides


class TensorMap:
    """The 128 bytes of a CUtensorMap at a multiple of 64, which the driver asks
    for and cu.CUtensorMap does not promise; getPtr makes it a parameter."""

    def __init__(self):
        self.raw = (ctypes.c_uint8 * 192)()
        self.address = ctypes.addressof(self.raw)
        self.address += -self.address % 64

    def getPtr(self):
        return self.address

    def encode(self, kind, address, dims, strides, box):
        array = lambda of, values: (of * len(values))(*values)  # noqa: E731
        # No interleave, 128-byte swizzle, L2 promotion of 256 bytes, zeros.
        result = ctypes.CDLL("libcuda.so.1").cuTensorMapEncodeTiled(
            ctypes.c_void_p(self.address), kind, 4, ctypes.c_void_p(address),
            array(ctypes.c_uint64, dims), array(ctypes.c_uint64, strides),
            array(ctypes.c_uint32, box), array(ctypes.c_uint32, [1] * 4),
            0, 3, 3, 0)
        if result:
            raise RuntimeError(f"cuTensorMapEncodeTiled gave {result}")


class Program:
    """A kernel's manifest and code, loaded in the current context."""

    def __init__(self, path, device):
        path = pathlib.Path(path)
        self.manifest = m = json.loads(path.read_text())
        if (m["schema"], m["schema_version"]) != ("tda.manifest", 3):
            raise ValueError(f"{path} has another schema version")
        attribute = cu.CUdevice_attribute
        major, minor, self.processors = (
            ok(cu.cuDeviceGetAttribute(each, device)) for each in (
                attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
                attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
                attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT))
        if ok(cu.cuDriverGetVersion()) < m["target"]["min_driver"]:
            raise RuntimeError("the driver is too old for this kernel")
        built = int(re.sub("[^0-9]", "", m["target"]["arch"][3:]))
        here = 10 * major + minor
        if here < built or (m["target"]["arch"][-1] == "a" and here != built):
            raise RuntimeError(f"{m['target']['arch']} is not for sm_{here}")
        form = "cubin" if m["files"]["cubin"] and here == built else "ptx"
        code = (path.parent / m["files"][form]).read_bytes()
        if "sha256:" + hashlib.sha256(code).hexdigest() != m["hashes"][form]:
            raise ValueError(f"{m['files'][form]} is not what {path} describes")
        self.module = ok(cu.cuModuleLoadData(code + b"\0"))
        self.functions = []
        for kernel in m["kernels"]:
            function = ok(cu.cuModuleGetFunction(self.module,
                                                 kernel["entry"].encode()))
            ok(cu.cuFuncSetAttribute(function, SHARED, kernel["shared_bytes"]))
            self.functions.append(function)

    def lengths(self, arguments):
        """The run-time lengths, checked: equal everywhere, in range."""
        found = {}
        for wanted in self.manifest["arguments"]:
            if wanted["kind"] != "tensor":
                continue
            given = arguments[wanted["name"]].shape
            if len(given) != len(wanted["shape"]):
                raise ValueError(f"{wanted['name']} has shape {given}")
            for symbol, extent in zip(wanted["shape"], given):
                value = found.setdefault(symbol, extent) if isinstance(
                    symbol, str) else symbol
                if value != extent:
                    raise ValueError(f"{wanted['name']} has shape {given}; "
                                     f"{extent} must be {value}")
        for symbol, extent in found.items():
            bounds = self.manifest["lengths"][symbol]
            if not bounds["min"] <= extent <= bounds["max"]:
                raise ValueError(f"{symbol} = {extent} is out of range")
        return found

    def workspace_bytes(self, arguments):
        return evaluate(self.manifest["workspace"], self.lengths(arguments))

    def tensor_map(self, recipe, arguments, lengths, workspace):
        """The CUtensorMap of a recipe."""
        name = recipe.get("argument", recipe.get("like"))
        tensor = arguments[name]
        dtype = next(a["dtype"] for a in self.manifest["arguments"]
                     if a["name"] == name)
        address, strides = tensor.address, list(tensor.strides)
        if "workspace" in recipe:
            address = workspace + evaluate(recipe["workspace"], lengths)
            strides = contiguous(tensor.shape)
        dims = [tensor.shape[3 - i] for i in range(4)]
        steps = [2 * strides[2 - i] if tensor.shape[2 - i] > 1 else 16
                 for i in range(3)]
        box = recipe["box"]
        made = TensorMap()
        if 0 not in tensor.shape:  # Without elements: zeros.
            made.encode(9 if dtype == "bf16" else 6, address, dims, steps,
                        [box["columns"], box["rows"], 1, 1])
        return made

    def launch(self, arguments, workspace, stream):
        """`arguments`: Tensor or int by name. Does not wait."""
        lengths = self.lengths(arguments)
        maps = {each["name"]: self.tensor_map(each, arguments, lengths,
                                              workspace)
                for each in self.manifest["tensor_maps"]}
        for kernel, function in zip(self.manifest["kernels"], self.functions):
            grid = [evaluate(each, lengths) for each in kernel["grid"]]
            if kernel["cluster"] != [1, 1, 1]:
                raise NotImplementedError("clusters need cuLaunchKernelEx")
            if kernel["blocks_per_sm"]:
                grid[0] = min(grid[0],
                              kernel["blocks_per_sm"] * self.processors)
            if 0 in grid:
                continue
            values, types = [], []
            for param in kernel["params"]:
                if param["type"] == "tensor_map":
                    values.append(maps[param["map"]])
                    types.append(None)
                    continue
                if "length" in param:
                    value = lengths[param["length"]]
                elif "stride" in param:
                    tensor = arguments[param["stride"]["argument"]]
                    axis = param["stride"]["axis"]
                    value = (tensor.strides[axis] if tensor.shape[axis] > 1
                             else 0)
                elif "scalar" in param:
                    value = arguments[param["scalar"]]
                elif "workspace" in param:
                    value = workspace + evaluate(param["workspace"], lengths)
                else:
                    value = arguments[param["argument"]].address
                values.append(value)
                types.append(ctypes.c_int32 if param["type"] == "i32" else
                             ctypes.c_void_p if param["type"] == "ptr" else
                             ctypes.c_int64)
            ok(cu.cuLaunchKernel(function, *grid, *kernel["block"],
                                 kernel["shared_bytes"], stream,
                                 (tuple(values), tuple(types)), 0))


def contiguous(shape):
    strides = [1] * len(shape)
    for i in range(len(shape) - 1, 0, -1):
        strides[i - 1] = strides[i] * max(shape[i], 1)
    return strides


def main(manifest, *paths):
    ok(cu.cuInit(0))
    device = ok(cu.cuDeviceGet(0))
    ok(cu.cuCtxSetCurrent(ok(cu.cuDevicePrimaryCtxRetain(device))))
    program = Program(manifest, device)
    stream = ok(cu.cuStreamCreate(0))
    names = [a["name"] for a in program.manifest["arguments"]]
    arrays = [np.load(path) for path in paths[:-1]]
    arrays.append(np.zeros_like(arrays[0]))  # o has the shape of q where D = Dv
    arguments = {}
    for name, array in zip(names, arrays):
        if array.dtype == np.int64 and array.ndim == 0:
            arguments[name] = int(array)
            continue
        address = int(ok(cu.cuMemAlloc(max(array.nbytes, 1))))
        data = np.ascontiguousarray(array)
        ok(cu.cuMemcpyHtoD(address, data.ctypes.data, array.nbytes))
        arguments[name] = Tensor(address, array.shape, contiguous(array.shape))
    size = program.workspace_bytes(arguments)
    workspace = int(ok(cu.cuMemAlloc(size))) if size else 0
    program.launch(arguments, workspace, stream)
    ok(cu.cuStreamSynchronize(stream))
    o = arrays[-1]
    ok(cu.cuMemcpyDtoH(o.ctypes.data, arguments[names[-1]].address, o.nbytes))
    np.save(paths[-1], o)
    print(f"{paths[-1]}: {o.shape}, workspace {size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
