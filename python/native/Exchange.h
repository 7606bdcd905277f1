//===- Exchange.h - DLPack's C exchange interface --------------*- C++ -*-===//
//
// What the capsule `__dlpack_c_exchange_api__` of a tensor's type holds, as far
// as it is read here (DLPack 1.x, dlpack.h: DLPackExchangeAPI, DLTensor).
//
//===----------------------------------------------------------------------===//
#ifndef TDA_NATIVE_EXCHANGE_H
#define TDA_NATIVE_EXCHANGE_H

#include <Python.h>

#include "tda/runtime.h"

namespace dlpack {

enum { Cpu = 1, Cuda = 2 };

/// DLTensor.
struct Tensor {
  void *data;
  int32_t deviceType, device;
  int32_t rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t offset;

  /// A tda_dtype; 0 for any other.
  int dtype() const {
    if (lanes != 1)
      return 0;
    switch (code << 8 | bits) {
    case 2 << 8 | 32:
      return TDA_F32;
    case 4 << 8 | 16:
      return TDA_BF16;
    case 2 << 8 | 16:
      return TDA_F16;
    case 0 << 8 | 32:
      return TDA_I32;
    case 0 << 8 | 64:
      return TDA_I64;
    }
    return 0;
  }
};

/// DLManagedTensorVersioned.
struct Managed {
  uint32_t major, minor;
  void *context;
  void (*deleter)(Managed *self);
  uint64_t flags;
  Tensor tensor;
};

using SetError = void (*)(void *user, const char *kind, const char *message);

struct Api {
  uint32_t major, minor;
  Api *previous;
  int (*allocate)(Tensor *like, Managed **made, void *user, SetError setError);
  void *fromObject, *toObject;
  int (*tensorFromObject)(void *object, Tensor *tensor);
};

inline PyObject *plainTypes[2] = {};
inline const Api *plain = nullptr; ///< Of their framework.

/// Reads objects of exactly `type` from now on, where it has the interface; two
/// types at most, of one framework.
inline bool use(PyObject *type) {
  PyObject *capsule = PyObject_GetAttrString(type, "__dlpack_c_exchange_api__");
  auto *api = capsule ? static_cast<Api *>(PyCapsule_GetPointer(
                            capsule, "dlpack_exchange_api"))
                      : nullptr;
  Py_XDECREF(capsule);
  PyErr_Clear();
  while (api && api->major != 1)
    api = api->previous;
  if (!api || !api->tensorFromObject || !api->allocate)
    return false;
  PyObject *&place = plainTypes[plainTypes[0] ? 1 : 0];
  Py_INCREF(type);
  place = type;
  plain = api;
  return true;
}

/// Of a type that `use` named, and no subclass.
inline bool isPlain(PyObject *object) {
  auto *type = reinterpret_cast<PyObject *>(Py_TYPE(object));
  return type == plainTypes[0] || type == plainTypes[1];
}

/// A view of a plain tensor; false, without an exception, where it has none.
inline bool read(PyObject *object, Tensor &tensor) {
  if (!isPlain(object))
    return false;
  if (plain->tensorFromObject(object, &tensor) == 0 && tensor.strides)
    return true;
  PyErr_Clear();
  return false;
}

/// A tensor of bytes from the allocator of the plain tensors' framework, for
/// the current stream of the CUDA device; NULL, without an exception, where
/// that fails.
inline Managed *allocateBytes(int device, size_t bytes) {
  int64_t shape = int64_t(bytes), stride = 1;
  Tensor like = {nullptr, Cuda, device, 1, 1, 8, 1, &shape, &stride, 0};
  Managed *made = nullptr;
  auto ignore = [](void *, const char *, const char *) {};
  int status = plain->allocate(&like, &made, nullptr, ignore);
  PyErr_Clear();
  return status == 0 ? made : nullptr;
}

} // namespace dlpack

#endif // TDA_NATIVE_EXCHANGE_H
