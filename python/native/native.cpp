//===- native.cpp - The extension module tda._native ----------------------===//
//
// Between Python tensors and libtda_runtime, which is linked in: reads shape,
// strides and address of each tensor and launches. It links no framework: where
// the tensor's type has DLPack's C exchange interface (PyTorch from 2.10 on),
// that is read; else a tensor is what has .shape, .stride() and .data_ptr().
// Python's limited API, so that one build serves every Python from 3.9 on.
//
//===----------------------------------------------------------------------===//
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03090000
#include <Python.h>

#include "Exchange.h"
#include "tda/ProgramLoop.h"
#include "tda/runtime.h"

namespace {

constexpr int MaxArguments = 32;

PyObject *nameShape, *nameStride, *nameDataPtr, *nameRequiresGrad;

PyObject *raise(tda_status status) {
  PyObject *type =
      status == TDA_ERROR_ARGUMENT ? PyExc_ValueError : PyExc_RuntimeError;
  PyErr_SetString(type, tda_last_error());
  return nullptr;
}

tda_program *programOf(PyObject *handle) {
  void *pointer = PyLong_AsVoidPtr(handle);
  if (!pointer && !PyErr_Occurred())
    PyErr_SetString(PyExc_ValueError, "the program is closed");
  return static_cast<tda_program *>(pointer);
}

/// Reads a tuple of integers; -1 with an exception on failure.
int readTuple(PyObject *tuple, int64_t *values) {
  Py_ssize_t count = tuple ? PyTuple_Size(tuple) : -1;
  if (count > TDA_MAX_RANK)
    PyErr_SetString(PyExc_ValueError, "a tensor has more than 6 axes");
  for (Py_ssize_t i = 0; i < count && !PyErr_Occurred(); ++i)
    values[i] = PyLong_AsLongLong(PyTuple_GetItem(tuple, i));
  Py_XDECREF(tuple);
  return PyErr_Occurred() ? -1 : static_cast<int>(count);
}

tda_argument argumentOf(const dlpack::Tensor &tensor) {
  tda_argument argument = {};
  argument.kind = TDA_TENSOR;
  argument.dtype = tensor.dtype();
  argument.data = static_cast<char *>(tensor.data) + tensor.offset;
  argument.rank = tensor.rank;
  for (int i = 0; i < tensor.rank; ++i) {
    argument.shape[i] = tensor.shape[i];
    argument.strides[i] = tensor.strides[i];
  }
  return argument;
}

/// An int is a scalar, anything else a tensor of `dtype`.
bool readArgument(PyObject *object, int dtype, tda_argument &argument) {
  argument = tda_argument();
  if (PyLong_Check(object)) {
    argument.kind = TDA_SCALAR;
    argument.dtype = TDA_I64;
    argument.scalar = PyLong_AsLongLong(object);
    return !PyErr_Occurred();
  }
  argument.kind = TDA_TENSOR;
  argument.dtype = dtype;
  dlpack::Tensor tensor;
  if (dlpack::read(object, tensor) && tensor.rank <= TDA_MAX_RANK) {
    if (tensor.dtype() != dtype) {
      PyErr_SetString(PyExc_TypeError,
                      "an argument has another dtype than the kernel");
      return false;
    }
    argument = argumentOf(tensor);
    return true;
  }
  argument.rank =
      readTuple(PyObject_GetAttr(object, nameShape), argument.shape);
  if (argument.rank < 0)
    return false;
  PyObject *strides = PyObject_CallMethodObjArgs(object, nameStride, nullptr);
  if (readTuple(strides, argument.strides) < 0)
    return false;
  PyObject *data = PyObject_CallMethodObjArgs(object, nameDataPtr, nullptr);
  if (!data)
    return false;
  argument.data = PyLong_AsVoidPtr(data);
  Py_DECREF(data);
  return !PyErr_Occurred();
}

/// The arguments in `tuple` with the tda_dtype codes in `dtypes`; -1 with an
/// exception on failure. None is the offset that aligns the last rows of the
/// first two, queries and keys.
int readArguments(PyObject *tuple, const char *dtypes, Py_ssize_t dtypeCount,
                  tda_argument *arguments) {
  Py_ssize_t count = PyTuple_Size(tuple);
  if (count < 0 || count > MaxArguments || count != dtypeCount) {
    if (!PyErr_Occurred())
      PyErr_SetString(PyExc_ValueError, "one dtype code is needed for each of "
                                        "at most 32 arguments");
    return -1;
  }
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject *object = PyTuple_GetItem(tuple, i);
    if (object == Py_None && i >= 2)
      arguments[i] = tda_scalar(arguments[1].shape[2] - arguments[0].shape[2]);
    else if (!readArgument(object, dtypes[i], arguments[i]))
      return -1;
  }
  return static_cast<int>(count);
}

PyObject *open(PyObject *, PyObject *args) {
  const char *path;
  if (!PyArg_ParseTuple(args, "s:open", &path))
    return nullptr;
  tda_program *program = nullptr;
  if (tda_status status = tda_open(path, &program))
    return raise(status);
  return PyLong_FromVoidPtr(program);
}

PyObject *openMemory(PyObject *, PyObject *args) {
  const char *manifest, *ptx;
  Py_ssize_t manifestSize, ptxSize;
  if (!PyArg_ParseTuple(args, "s#s#:open_memory", &manifest, &manifestSize,
                        &ptx, &ptxSize))
    return nullptr;
  tda_program *program = nullptr;
  if (tda_status status =
          tda_open_memory(manifest, manifestSize, ptx, ptxSize, &program))
    return raise(status);
  return PyLong_FromVoidPtr(program);
}

PyObject *load(PyObject *, PyObject *args) {
  PyObject *handle;
  int device;
  if (!PyArg_ParseTuple(args, "Oi:load", &handle, &device))
    return nullptr;
  tda_program *program = programOf(handle);
  if (!program)
    return nullptr;
  tda_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = tda_load(program, device);
  Py_END_ALLOW_THREADS;
  if (status)
    return raise(status);
  // Tensors of a framework say themselves where they lie.
  tda_set_pointer_checks(program, 0);
  tda_set_launch_graphs(program, 1);
  Py_RETURN_NONE;
}

PyObject *manifest(PyObject *, PyObject *handle) {
  tda_program *program = programOf(handle);
  return program ? PyUnicode_FromString(tda_manifest(program)) : nullptr;
}

PyObject *close(PyObject *, PyObject *handle) {
  tda_program *program = programOf(handle);
  if (!program)
    return nullptr;
  tda_close(program);
  Py_RETURN_NONE;
}

/// Memory for one launch: from the framework of plain tensors on a GPU, else a
/// tensor that a function of Python allocates. Freed when the launch is on its
/// stream: the framework's allocator keeps it until the stream is past that.
struct Workspace {
  PyObject *allocate;
  int device; ///< -1: only the function will do.
  dlpack::Managed *managed = nullptr;
  PyObject *buffer = nullptr;

  ~Workspace() {
    if (managed && managed->deleter)
      managed->deleter(managed);
    Py_XDECREF(buffer);
  }

  static void *get(void *user, size_t bytes) {
    auto *self = static_cast<Workspace *>(user);
    if (self->device >= 0)
      self->managed = dlpack::allocateBytes(self->device, bytes);
    if (self->managed)
      return static_cast<char *>(self->managed->tensor.data) +
             self->managed->tensor.offset;
    self->buffer = PyObject_CallFunction(self->allocate, "n", Py_ssize_t(bytes));
    PyObject *data = self->buffer ? PyObject_CallMethodObjArgs(
                                        self->buffer, nameDataPtr, nullptr)
                                  : nullptr;
    void *address = data ? PyLong_AsVoidPtr(data) : nullptr;
    Py_XDECREF(data);
    return address;
  }
};

/// A reference that is given back.
struct Own {
  PyObject *object;

  explicit Own(PyObject *object = nullptr) : object(object) {}
  Own(const Own &) = delete;
  Own &operator=(const Own &) = delete;
  ~Own() { Py_XDECREF(object); }

  PyObject *release() {
    PyObject *given = object;
    object = nullptr;
    return given;
  }
};

PyObject *again(PyObject *object) {
  Py_INCREF(object);
  return object;
}

/// Launches; false with an exception. `memory` is the device whose memory the
/// framework of plain tensors gives, or -1.
bool launchOn(PyObject *handle, int device, const tda_argument *arguments,
              int count, PyObject *allocate, int memory, void *stream) {
  tda_program *program = programOf(handle);
  if (!program)
    return false;
  Workspace workspace = {allocate, memory};
  tda_status status = tda_launch_with(program, device, arguments, count,
                                      Workspace::get, &workspace, stream);
  if (status && !PyErr_Occurred())
    raise(status);
  return !PyErr_Occurred();
}

/// Whether `t` is laid out [B, H, N, D] or [B, N, H, D] without gaps.
bool isDense(const dlpack::Tensor &t) {
  auto follows = [&](const int (&axes)[4]) {
    int64_t stride = 1;
    for (int axis : axes) {
      if (t.shape[axis] != 1 && t.strides[axis] != stride)
        return false;
      stride *= t.shape[axis];
    }
    return true;
  };
  return follows({3, 2, 1, 0}) || follows({3, 1, 2, 0});
}

bool requiresGrad(PyObject *object) {
  PyObject *flag = PyObject_GetAttr(object, nameRequiresGrad);
  bool set = flag != Py_False;
  Py_XDECREF(flag);
  PyErr_Clear();
  return set;
}

/// q1, k1, q2, k2, v, beta, lam of an attention; None for what one view lacks.
struct Inputs {
  PyObject *objects[7];
  dlpack::Tensor tensors[7];
  bool one; ///< View.

  bool has(int i) const { return !one || (i != 2 && i != 3 && i != 6); }
  bool read(bool grad);
  bool fits() const;
  int64_t place() const;
};

/// Whether all are plain tensors on one CUDA device, none of which requires a
/// gradient where `grad` asks for that.
bool Inputs::read(bool grad) {
  one = objects[2] == Py_None && objects[3] == Py_None && objects[6] == Py_None;
  for (int i = 0; i < 7; ++i)
    if (has(i) && !(dlpack::read(objects[i], tensors[i]) &&
                    tensors[i].deviceType == dlpack::Cuda &&
                    tensors[i].device == tensors[0].device &&
                    !(grad && requiresGrad(objects[i]))))
      return false;
  return true;
}

/// Whether dtypes, ranks, lengths, heads and head dimensions agree, last strides
/// are 1, beta and lam are f32 [Hq].
bool Inputs::fits() const {
  const dlpack::Tensor &q = tensors[0], &k = tensors[1];
  if (q.rank != 4 || q.dtype() < TDA_BF16 || q.dtype() > TDA_F16)
    return false;
  for (int i = 0; i < 5; ++i) {
    const dlpack::Tensor &t = tensors[i], &like = i == 2 ? q : k;
    if (has(i) &&
        !(t.rank == 4 && t.dtype() == q.dtype() && t.shape[0] == q.shape[0] &&
          t.shape[3] > 0 && t.shape[3] < 1 << 16 &&
          (t.shape[3] == 1 || t.strides[3] == 1) &&
          (i == 4 || t.shape[3] == q.shape[3]) &&
          (i == 0 || (t.shape[1] == like.shape[1] &&
                      t.shape[2] == like.shape[2]))))
      return false;
  }
  for (int i = 5; i < 7; ++i) {
    const dlpack::Tensor &t = tensors[i];
    if (has(i) &&
        !(t.rank == 1 && t.dtype() == TDA_F32 && t.shape[0] == q.shape[1] &&
          (t.shape[0] <= 1 || t.strides[0] == 1)))
      return false;
  }
  return k.shape[1] > 0 && q.shape[1] > 0 && q.shape[1] % k.shape[1] == 0 &&
         q.device < 1 << 12;
}

/// Equal numbers say: equal device, dtype, views and head dimensions, and whether
/// o lies in memory as q1 does (the lowest bit). Never 0.
int64_t Inputs::place() const {
  const dlpack::Tensor &q = tensors[0], &v = tensors[4];
  bool alike = q.shape[3] == v.shape[3] && isDense(q);
  return int64_t(q.device) << 48 | q.shape[3] << 32 | v.shape[3] << 16 |
         q.dtype() << 2 | int(one) << 1 | int(alike);
}

/// A tensor of `object`, which an own function of Python made.
bool addOwn(PyObject *object, tda_argument *arguments, int &count) {
  dlpack::Tensor tensor;
  if (object && dlpack::read(object, tensor)) {
    arguments[count++] = argumentOf(tensor);
    return true;
  }
  if (!PyErr_Occurred())
    PyErr_SetString(PyExc_RuntimeError, "a tensor of the call is not plain");
  return false;
}

/// attend(calls, q1, k1, q2, k2, v, beta, lam, attributes, offset, grad): runs
/// the call that `calls` has for (number, attributes) and returns o, or (o,
/// survivors). Returns the number where there is none, and 0 where the tensors
/// need a closer look in Python first; see Inputs for both. A call is (program
/// or a function of q1 and k1 that chooses it, kappa, device, function that gives
/// the stream of a device, allocate, function that makes o of q1 and v or like
/// q1, None or function that makes survivors of q1 and q2).
PyObject *attend(PyObject *, PyObject *args) {
  PyObject *calls, *attributes, *offset, *grad;
  Inputs inputs;
  PyObject **objects = inputs.objects;
  if (!PyArg_UnpackTuple(args, "attend", 11, 11, &calls, &objects[0],
                         &objects[1], &objects[2], &objects[3], &objects[4],
                         &objects[5], &objects[6], &attributes, &offset, &grad))
    return nullptr;
  if (!inputs.read(grad == Py_True) || !inputs.fits() ||
      (offset != Py_None && !PyLong_CheckExact(offset)))
    return PyLong_FromLong(0);
  PyObject *place = PyLong_FromLongLong(inputs.place());
  PyObject *key = PyTuple_Pack(2, place, attributes);
  PyObject *call = key ? PyDict_GetItemWithError(calls, key) : nullptr;
  Py_XDECREF(key);
  if (!call && !PyErr_Occurred())
    return place;
  Py_XDECREF(place);
  if (!call) {
    PyErr_Clear(); // An attribute of a type that no call has.
    return PyLong_FromLong(0);
  }
  bool alike = inputs.place() & 1;
  PyObject *program, *kappa, *index, *streamOf, *allocate, *make,
      *makeSurvivors;
  if (!PyArg_UnpackTuple(call, "call", 7, 7, &program, &kappa, &index,
                         &streamOf, &allocate, &make, &makeSurvivors))
    return nullptr;
  Own held(again(call)); // Other threads may change `calls`.

  int device = inputs.tensors[0].device, count = 0;
  tda_argument arguments[MaxArguments];
  for (int i = 0; i < 7; ++i)
    if (inputs.has(i))
      arguments[count++] = argumentOf(inputs.tensors[i]);
  if (!addOwn(kappa, arguments, count))
    return nullptr;
  arguments[count++] =
      tda_scalar(offset == Py_None
                     ? arguments[1].shape[2] - arguments[0].shape[2]
                     : PyLong_AsLongLong(offset));
  if (PyErr_Occurred())
    return nullptr;
  Own o(PyObject_CallFunctionObjArgs(make, objects[0],
                                     alike ? nullptr : objects[4], nullptr));
  if (!addOwn(o.object, arguments, count))
    return nullptr;
  Own survivors;
  if (makeSurvivors != Py_None) {
    survivors.object = PyObject_CallFunctionObjArgs(makeSurvivors, objects[0],
                                                    objects[2], nullptr);
    if (!addOwn(survivors.object, arguments, count))
      return nullptr;
  }
  Own chosen(PyLong_Check(program)
                 ? again(program)
                 : PyObject_CallFunctionObjArgs(program, objects[0], objects[1],
                                                nullptr));
  if (!chosen.object)
    return nullptr;
  Own stream(PyObject_CallFunctionObjArgs(streamOf, index, nullptr));
  void *handle = stream.object ? PyLong_AsVoidPtr(stream.object) : nullptr;
  if (PyErr_Occurred() || !launchOn(chosen.object, device, arguments, count,
                                    allocate, device, handle))
    return nullptr;
  if (makeSurvivors != Py_None)
    return PyTuple_Pack(2, o.object, survivors.object);
  return o.release();
}

/// use(type): the type of plain tensors, whose exchange interface is read.
PyObject *use(PyObject *, PyObject *type) {
  return PyBool_FromLong(dlpack::use(type));
}

PyObject *launch(PyObject *, PyObject *args) {
  PyObject *handle, *tuple, *stream, *allocate;
  const char *dtypes;
  Py_ssize_t dtypeCount;
  int device;
  if (!PyArg_ParseTuple(args, "OiO!y#OO:launch", &handle, &device,
                        &PyTuple_Type, &tuple, &dtypes, &dtypeCount, &stream,
                        &allocate))
    return nullptr;
  void *streamHandle = PyLong_AsVoidPtr(stream);
  if (PyErr_Occurred())
    return nullptr;
  tda_argument arguments[MaxArguments];
  int count = readArguments(tuple, dtypes, dtypeCount, arguments);
  if (count < 0)
    return nullptr;
  dlpack::Tensor first;
  bool onGpu = dlpack::read(PyTuple_GetItem(tuple, 0), first) &&
               first.deviceType == dlpack::Cuda;
  if (!launchOn(handle, device, arguments, count, allocate,
                onGpu ? device : -1, streamHandle))
    return nullptr;
  Py_RETURN_NONE;
}

/// Checks a call and returns the bytes of its workspace; needs no GPU.
PyObject *check(PyObject *, PyObject *args) {
  PyObject *handle, *tuple;
  const char *dtypes;
  Py_ssize_t dtypeCount;
  if (!PyArg_ParseTuple(args, "OO!y#:check", &handle, &PyTuple_Type, &tuple,
                        &dtypes, &dtypeCount))
    return nullptr;
  tda_program *program = programOf(handle);
  tda_argument arguments[MaxArguments];
  int count =
      program ? readArguments(tuple, dtypes, dtypeCount, arguments) : -1;
  if (count < 0)
    return nullptr;
  size_t bytes = 0;
  if (tda_status status = tda_check(program, arguments, count))
    return raise(status);
  if (tda_status status =
          tda_workspace_bytes(program, arguments, count, &bytes))
    return raise(status);
  return PyLong_FromSize_t(bytes);
}

using CpuCode = void (*)(void **);

/// cpu_run(code, queries, tensors, dtypes, output, threads): contiguous CPU
/// tensors, inputs then outputs; `output` is the index of o.
PyObject *cpuRun(PyObject *, PyObject *args) {
  PyObject *codeObject, *tuple;
  const char *dtypes;
  Py_ssize_t dtypeCount;
  long long queries, threads;
  int output;
  if (!PyArg_ParseTuple(args, "OLO!y#iL:cpu_run", &codeObject, &queries,
                        &PyTuple_Type, &tuple, &dtypes, &dtypeCount, &output,
                        &threads))
    return nullptr;
  auto code = reinterpret_cast<CpuCode>(PyLong_AsVoidPtr(codeObject));
  tda_argument arguments[MaxArguments];
  int count = readArguments(tuple, dtypes, dtypeCount, arguments);
  if (count < 0)
    return nullptr;
  if (!code || queries < 1 || output < 0 || output >= count ||
      arguments[output].rank != 4) {
    PyErr_SetString(PyExc_ValueError, "cpu_run: no code, or no output");
    return nullptr;
  }
  std::vector<std::vector<int64_t>> descriptors(count);
  std::vector<void *> pointers;
  for (int i = 0; i < count; ++i) {
    tda_argument &argument = arguments[i];
    if (argument.kind == TDA_SCALAR) {
      pointers.push_back(&argument.scalar);
      continue;
    }
    auto address = int64_t(reinterpret_cast<intptr_t>(argument.data));
    std::vector<int64_t> &words = descriptors[i];
    words = {address, address, 0};
    words.insert(words.end(), argument.shape, argument.shape + argument.rank);
    words.insert(words.end(), argument.strides,
                 argument.strides + argument.rank);
    pointers.push_back(words.data());
  }
  const int64_t *o = arguments[output].shape;
  int64_t programs = (o[2] + queries - 1) / queries * o[1] * o[0];
  Py_BEGIN_ALLOW_THREADS;
  tda::divideAmongThreads(code, pointers, programs, threads > 1 ? threads : 1);
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

PyMethodDef methods[] = {
    {"open", open, METH_VARARGS,
     "open(path): a program from its manifest; hashes are checked."},
    {"open_memory", openMemory, METH_VARARGS, "open_memory(manifest, ptx)."},
    {"load", load, METH_VARARGS, "load(program, device): onto a GPU; slow."},
    {"close", close, METH_O, "close(program)."},
    {"manifest", manifest, METH_O, "manifest(program): its JSON text."},
    {"check", check, METH_VARARGS,
     "check(program, arguments, dtypes): bytes of workspace; needs no GPU."},
    {"launch", launch, METH_VARARGS,
     "launch(program, device, arguments, dtypes, stream, allocate): does not "
     "wait. Arguments are tensors and ints, dtypes one tda_dtype byte each; "
     "allocate(bytes) gives the workspace as a tensor."},
    {"use", use, METH_O, "use(type): the type of plain tensors; whether it has "
                         "DLPack's C exchange interface."},
    {"attend", attend, METH_VARARGS,
     "attend(calls, q1, k1, q2, k2, v, beta, lam, attributes, offset, grad): o, "
     "or a number where `calls` has no such call."},
    {"cpu_run", cpuRun, METH_VARARGS,
     "cpu_run(code, queries, arguments, dtypes, output, threads)."},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef module = {PyModuleDef_HEAD_INIT,
                      "tda._native",
                      "Programs of libtda_runtime, for tensors of Python.",
                      -1,
                      methods,
                      nullptr,
                      nullptr,
                      nullptr,
                      nullptr};

} // namespace

PyMODINIT_FUNC PyInit__native(void) {
  nameShape = PyUnicode_InternFromString("shape");
  nameStride = PyUnicode_InternFromString("stride");
  nameDataPtr = PyUnicode_InternFromString("data_ptr");
  nameRequiresGrad = PyUnicode_InternFromString("requires_grad");
  return PyModule_Create(&module);
}
