// An extension module that refuses to be loaded by a subinterpreter. Native threads and what they share belong to the
// process; a second interpreter would find them bound to the first one's objects, or wait for its lock for ever.

#pragma once

#include <Python.h>

namespace telnyx {

// False, with an ImportError set, in a subinterpreter.
inline bool InMainInterpreter() {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return true;
  PyErr_SetString(PyExc_ImportError,
                  "telnyx_native does not work in a subinterpreter: use it in the main interpreter, or in a process");
  return false;
}

}  // namespace telnyx

// Defines PyInit_<module>, which asks first and then does what `init` does. Python 3.11 itself never asks.
#define TELNYX_MAIN_INTERPRETER_ONLY(module, init) \
  extern "C" PyObject* init(void);                 \
  PyMODINIT_FUNC PyInit_##module(void);            \
  PyMODINIT_FUNC PyInit_##module(void) { return telnyx::InMainInterpreter() ? init() : nullptr; }
