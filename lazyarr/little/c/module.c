/* Operations on little data that is there, without the Python code that would look for it (see lazyarr.little).

   Everything here is done by Python's methods too, which are asked where this gives up: without a compiler at
   installation lazyarr does without it.

   data.c        the data of lazy arrays, where it is there, and new arrays
   operands.c    what operands are, and the type they get together
   loops.c       NumPy's inner loops over them
   reductions.c  and along axes
   slots.c       Python's operators, and calls of ufuncs
   recorded.c    the same of large arrays, which is recorded
   pending.c     and arrays of what is recorded
   boxes.c       basic indices of large arrays
   recipes.c     calls of functions that are like one before
   spare.c       operands that nobody has any more
   elements.c    x[...], writes, views
   masks.c       what masks and positions select, and writes to it
   scatter.c     what is added at positions
   functions.c   NumPy's functions
   sizes.c       how much work a call of them is
   results.c     what these have made
   calls.c       functions and methods, as programs call them
   attributes.c  what is asked of arrays: shapes, copies, what NumPy is given
   module.c      what Python sees of this */

#define FAST_PATH_IMPORTS
#include "recording.h"

/* Where objects of a class keep an attribute that its ``__slots__`` name; -1 with an exception on failure. */
Py_ssize_t place_of(PyTypeObject *type, const char *name)
{
    PyObject *slot = PyObject_GetAttrString((PyObject *)type, name);
    Py_ssize_t place;
    if (!slot)
        return -1;
    if (Py_TYPE(slot) != &PyMemberDescr_Type) {
        PyErr_Format(PyExc_TypeError, "%s.%s is no slot", type->tp_name, name);
        Py_DECREF(slot);
        return -1;
    }
    place = ((PyMemberDescrObject *)slot)->d_member->offset;
    Py_DECREF(slot);
    return place;
}

PyDoc_STRVAR(
    install_doc,
    "install(array, cell, leaf, lent, look, shape, ndim, size, lock, deepest, tracing, ranks, counted, running, lazy_scalar, "
    "operators, /)\n--\n\n"
    "Compute what the operators of little arrays do here.\n\n"
    "Parameters\n----------\n"
    "array, cell, leaf, lent : type\n    LazyArray, what holds its value, the node of data, and a view of data.\n"
    "look : callable\n    What such a view looks again with, after its parent has settled.\n"
    "shape, ndim, size : callable\n    Give these of any array.\n"
    "lock : lock\n    Held while an array's data is written, or becomes a value.\n"
    "deepest : int\n    Views of views that are lent.\n"
    "tracing : ContextVar\n    Not None while something is traced.\n"
    "ranks : list\n    Empty where one process runs the program.\n"
    "counted : callable\n    Told there how many operations have been done here.\n"
    "running : list of int\n    Threads in which definitions of lazyarr's own are at work.\n"
    "lazy_scalar : callable\n    ``lazy_scalar(x, True)`` gives those a NumPy scalar as a lazy one.\n"
    "operators : dict\n    ``{name: (ufunc, weight of an element)}``.\n");

static PyObject *install(PyObject *module, PyObject *args)
{
    Known given = {0};
    PyObject *operators, *lock;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!O!OOOOOnO!O!OO!OO!", &PyType_Type, &given.array, &PyType_Type, &given.cell,
                          &PyType_Type, &given.leaf, &PyType_Type, &given.lent, &given.look, &given.shape,
                          &given.ndim, &given.size, &lock, &given.deepest, &PyContextVar_Type, &given.tracing,
                          &PyList_Type, &given.ranks, &given.counted, &PyList_Type, &given.running,
                          &given.lazy_scalar, &PyDict_Type, &operators))
        return NULL;
    if (known.array) {
        PyErr_SetString(PyExc_RuntimeError, "installed already");
        return NULL;
    }
#define PLACE(type, name)                                                                                            \
    given.type##_##name = place_of(given.type, #name);                                                               \
    if (given.type##_##name < 0)                                                                                     \
        return NULL;
    PLACES(PLACE)
    given.acquire = PyObject_GetAttrString(lock, "acquire");
    given.release = PyObject_GetAttrString(lock, "release");
    if (!given.acquire || !given.release)
        return NULL;
    Py_INCREF(given.array);
    Py_INCREF(given.cell);
    Py_INCREF(given.leaf);
    Py_INCREF(given.lent);
    Py_INCREF(given.look);
    Py_INCREF(given.shape);
    Py_INCREF(given.ndim);
    Py_INCREF(given.size);
    Py_INCREF(given.tracing);
    Py_INCREF(given.ranks);
    Py_INCREF(given.counted);
    Py_INCREF(given.running);
    Py_INCREF(given.lazy_scalar);
    known = given;
    if (install_attributes() < 0 || install_slots(operators) < 0)
        return NULL;
    install_pool();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(
    calls_doc,
    "install_calls(kind, ufuncs, libraries, hand_out, /)\n--\n\n"
    "Compute calls of lazy ufuncs here: of objects of a class, ``{object: (ufunc, weight of an element, recorder, "
    "writer,\noperation, dtypes, looks)}``; ``recorder(*operands)`` records a call with large arrays, or gives None "
    "where that goes the general way,\nand ``writer(*operands)`` one that writes to the first. What is plain is "
    "recorded here: `operation`, of the dtypes of NumPy's loop\n``dtypes[x's, y's]``; `looks`: not with ints of any "
    "size. Not where code of libraries calls NumPy's own,\n``{module: bool}``.\n"
    "``hand_out(array)`` gives NumPy's view of an array's memory, to be written to, or None.\n");

static PyObject *install_calls(PyObject *module, PyObject *args)
{
    PyTypeObject *kind;
    PyObject *ufuncs, *libraries, *hand_out;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!O", &PyType_Type, &kind, &PyDict_Type, &ufuncs, &PyDict_Type, &libraries,
                          &hand_out) ||
        install_call(kind, ufuncs, libraries) < 0)
        return NULL;
    Py_XSETREF(known.hand_out, Py_NewRef(hand_out));
    Py_RETURN_NONE;
}

/* A function of the module that has another file take what is given. */
#define TAKES(name, install)                                                                                         \
    static PyObject *name(PyObject *module, PyObject *args)                                                          \
    {                                                                                                                \
        (void)module;                                                                                                \
        return install(args) < 0 ? NULL : Py_NewRef(Py_None);                                                        \
    }

PyDoc_STRVAR(
    recording_doc,
    "install_recording(node, value, type, recording, row, most, threads, update, record, contiguous, look_at, leaves, "
    "scalars, cast, number, kept_order, /)\n--\n\n"
    "Record work on large data here, after `install`.\n\n"
    "Parameters\n----------\n"
    "node, value, type : type\n    Node, Value and ArrayType of the graph.\n"
    "recording, row : type\n    Recording, and LittleInARow.\n"
    "most : int\n    Operations that such a row has at first.\n"
    "threads : object\n    Its attribute `recording` is that of the thread.\n"
    "update : Op\n    That of writes to parts.\n"
    "record : callable\n    ``record(op, operands)`` gives a node of the user's line.\n"
    "contiguous : callable\n    ``contiguous(shape, itemsize)`` gives the strides of new memory.\n"
    "look_at : callable\n    Gives the value of any array.\n"
    "leaves : dict\n    ``{dtype: value of such data}``, of floats.\n"
    "scalars : dict\n    ``{class of NumPy's scalars: value of such data}``.\n"
    "cast : callable\n    ``cast(value, dtype)`` gives a value of another dtype,\n"
    "number : callable\n    and ``number(x, dtype)`` one of Python's numbers.\n"
    "kept_order : callable\n    ``kept_order(operands, shape, itemsize)`` gives the strides of a result.\n");

TAKES(recording, install_recorder)

PyDoc_STRVAR(
    recipes_doc,
    "install_recipes(by_types, floats, recipes, make, constant, unset, /)\n--\n\n"
    "Record what calls of functions that are like one before have recorded here, after `install_recording`.\n\n"
    "Parameters\n----------\n"
    "by_types, floats : set\n    Functions, and those of them of which floats are operands.\n"
    "recipes : dict\n    What is kept, by calls' keys: see `lazyarr.recipes`.\n"
    "make : callable\n    ``make(op, operands, attrs)`` gives a node.\n"
    "constant : Op\n    That of constants, which are not credited to a line.\n"
    "unset : object\n    It stands for an argument that is not given.\n");

TAKES(recipes, install_recalling)

PyDoc_STRVAR(boxes_doc, "install_boxes(find, step, slice, reshape, /)\n--\n\n"
                        "Make views of large arrays here, after `install_recording`.\n\n"
                        "Parameters\n----------\n"
                        "find : callable\n    `lazyarr.indexing.boxed`.\n"
                        "step : type\n    `lazyarr.views.Box`.\n"
                        "slice, reshape : Op\n    The operations that read such a view.\n");

TAKES(install_boxes, install_boxing)

PyDoc_STRVAR(flush_after_doc, "flush_after(operations, /)\n--\n\nHow many operations are recorded before they are run; "
                              "-1: Python is to look.\n");

static PyObject *flush_after(PyObject *module, PyObject *operations)
{
    long value = PyLong_AsLong(operations);
    (void)module;
    if (value == -1 && PyErr_Occurred())
        return NULL;
    recorder.flush_after = value;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(new_doc, "new(value, strides=None, scalar=False)\n--\n\nA new array that owns `value`.\n");

PyDoc_STRVAR(functions_doc, "install_functions(table, special, wrap, make_quiet, /)\n--\n\n"
                            "Take calls of NumPy's functions.\n\n"
                            "Parameters\n----------\n"
                            "table : dict\n"
                            "    ``{function: (target, method, fold, dtype, statistic, arrays, most, work, of_lists, "
                            "size, weight, left)}``: what to call; ndarray's method that\n"
                            "    does the same, or None; a ufunc's ``reduce`` that gives the same with ``(array, "
                            "axis, dtype)``, or None; what is made\n"
                            "    of that (0 nothing, 1 a mean, 2 a variance, 3 a deviation); how many arguments may "
                            "hold arrays, and how many may be given\n"
                            "    by position;\n"
                            "    the kind of work; whether it takes lists of numbers alone (1: and gives arrays back, 2: copies of them); what gives the most "
                            "elements of its result, or None; what an element counts; arguments with\n"
                            "    which this one is not taken.\n"
                            "special : frozenset of str\n    Arguments with which a call is not taken.\n"
                            "wrap : callable\n    ``wrap(found, arrays)`` gives results as lazy arrays, or None.\n"
                            "make_quiet : callable\n    Gives a new context in which NumPy warns of nothing.\n");

static PyObject *functions(PyObject *module, PyObject *args)
{
    PyObject *table, *special, *wrap, *make_quiet;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!OO", &PyDict_Type, &table, &PyFrozenSet_Type, &special, &wrap, &make_quiet) ||
        install_functions(table, special, wrap, make_quiet) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(
    function_doc,
    "function(numpy, args, kwargs, /)\n--\n\nThe result of a call of little data; None where it is not one.\n");

PyDoc_STRVAR(limit_doc, "limit(elements, /)\n--\n\nHow many elements are little work from now on; 0 for none, -1 to leave all "
                        "to Python.\n");

static PyObject *limit(PyObject *module, PyObject *elements)
{
    double value = PyFloat_AsDouble(elements);
    (void)module;
    if (value == -1 && PyErr_Occurred())
        return NULL;
    known.limit = value;
    known.base = 0;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(reach_doc, "reach(elements, operations, ended, /)\n--\n\nHow many elements are little work for so many "
                        "operations of arithmetic that would not be else; `ended()` is called after them.\n");

static PyObject *reach(PyObject *module, PyObject *args)
{
    PyObject *ended;
    double elements, before = known.base ? known.base : known.limit;
    long operations;
    (void)module;
    if (!PyArg_ParseTuple(args, "dlO", &elements, &operations, &ended))
        return NULL;
    Py_XSETREF(known.ended, Py_NewRef(ended));
    known.left = operations;
    known.base = before;
    known.limit = elements;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(weights_doc, "weights(bools, in_place, unfused, singles, /)\n--\n\nWhat elements weigh: bools, those written in "
                          "place, those of work that is not fused with other, and float32.\n");

static PyObject *weights(PyObject *module, PyObject *args)
{
    (void)module;
    if (!PyArg_ParseTuple(args, "dddd", &known.bools, &known.in_place, &known.unfused, &known.singles))
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(shape_doc, "shape(array, /)\n--\n\nThe shape of an array, as its property gives it.\n");

#define ATTRIBUTE(name)                                                                                              \
    static PyObject *name(PyObject *module, PyObject *array)                                                         \
    {                                                                                                                \
        (void)module;                                                                                                \
        return name##_of(array);                                                                                     \
    }
ATTRIBUTE(shape)
ATTRIBUTE(ndim)
ATTRIBUTE(size)

PyDoc_STRVAR(show_doc, "show(kind, others, /)\n--\n\nHave arrays' `__class__` be this; to functions of "
                       "others' modules it is NumPy's, ``{module: names}``.\n");

static PyObject *show(PyObject *module, PyObject *args)
{
    PyObject *kind, *others;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!", &PyType_Type, &kind, &PyDict_Type, &others))
        return NULL;
    Py_XSETREF(known.shown, (PyTypeObject *)Py_NewRef(kind));
    Py_XSETREF(known.ask_for_numpys, Py_NewRef(others));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(select_doc, "select(x, chosen, /)\n--\n\n``x[chosen]``, by a mask or positions, of arrays of NumPy's; "
                         "None where it is not done here.\n");

static PyObject *selected(PyObject *module, PyObject *args)
{
    PyObject *x, *mask, *found;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!", &PyArray_Type, &x, &PyArray_Type, &mask))
        return NULL;
    found = PyArray_ISBOOL((PyArrayObject *)mask) ? select_by((PyArrayObject *)x, (PyArrayObject *)mask)
                                                  : take_by((PyArrayObject *)x, (PyArrayObject *)mask);
    if (!found && !PyErr_Occurred())
        Py_RETURN_NONE;
    return found;
}

PyDoc_STRVAR(where_doc, "where(condition, x, y, /)\n--\n\n`numpy.where`.\n");

PyDoc_STRVAR(put_doc, "put(x, mask, values, /)\n--\n\n``x[mask] = values`` of arrays of NumPy's; False where it is "
                      "not done here.\n");

static PyObject *put(PyObject *module, PyObject *args)
{
    PyObject *x, *mask, *values;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!", &PyArray_Type, &x, &PyArray_Type, &mask, &PyArray_Type, &values))
        return NULL;
    return PyBool_FromLong(put_by((PyArrayObject *)x, (PyArrayObject *)mask, (PyArrayObject *)values));
}

PyDoc_STRVAR(holds_doc, "holds(kind, names, values, /)\n--\n\nWhether the dictionary of a class has these values "
                        "under these names, in their order, and no others.\n");

static PyObject *holds(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *dictionary, *key, *value;
    Py_ssize_t place = 0, k = 0;
    int same;
    (void)module;
    if (count != 3 || !PyType_Check(args[0]) || !PyTuple_Check(args[1]) || !PyTuple_Check(args[2]) ||
        PyTuple_GET_SIZE(args[1]) != PyTuple_GET_SIZE(args[2]))
        return PyErr_Format(PyExc_TypeError, "a class is wanted, and two tuples of one length");
#if PY_VERSION_HEX >= 0x030C0000
    dictionary = PyType_GetDict((PyTypeObject *)args[0]);
#else
    dictionary = Py_XNewRef(((PyTypeObject *)args[0])->tp_dict);
#endif
    same = dictionary && PyDict_GET_SIZE(dictionary) == PyTuple_GET_SIZE(args[1]);
    while (same && PyDict_Next(dictionary, &place, &key, &value)) {
        same = value == PyTuple_GET_ITEM(args[2], k) && key == PyTuple_GET_ITEM(args[1], k);
        k++;
    }
    Py_XDECREF(dictionary);
    return PyBool_FromLong(same);
}

static PyMethodDef methods[] = {{"function", (PyCFunction)(void (*)(void))call_function, METH_FASTCALL, function_doc},
                                {"install_functions", functions, METH_VARARGS, functions_doc},
                                {"install", install, METH_VARARGS, install_doc},
                                {"install_calls", install_calls, METH_VARARGS, calls_doc},
                                {"install_recording", recording, METH_VARARGS, recording_doc},
                                {"install_boxes", install_boxes, METH_VARARGS, boxes_doc},
                                {"install_recipes", recipes, METH_VARARGS, recipes_doc},
                                {"flush_after", flush_after, METH_O, flush_after_doc},
                                {"new", (PyCFunction)(void (*)(void))new_of_value, METH_FASTCALL | METH_KEYWORDS,
                                 new_doc},
                                {"show", show, METH_VARARGS, show_doc},
                                {"limit", limit, METH_O, limit_doc},
                                {"reach", reach, METH_VARARGS, reach_doc},
                                {"weights", weights, METH_VARARGS, weights_doc},
                                {"holds", (PyCFunction)(void (*)(void))holds, METH_FASTCALL, holds_doc},
                                {"select", selected, METH_VARARGS, select_doc},
                                {"where", (PyCFunction)(void (*)(void))where_of, METH_FASTCALL, where_doc},
                                {"put", put, METH_VARARGS, put_doc},
                                {"shape", shape, METH_O, shape_doc},
                                {"ndim", ndim, METH_O, "ndim(array, /)\n--\n\nHow many axes an array has."},
                                {"size", size, METH_O, "size(array, /)\n--\n\nHow many elements an array has."},
                                {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "lazyarr.little._fast_path",
                                        .m_doc = "Operations on little data in C.", .m_size = -1,
                                        .m_methods = methods};

PyMODINIT_FUNC PyInit__fast_path(void)
{
    PyObject *module;
    import_array();
    import_umath();
    prepare_masks();
    module = PyModule_Create(&definition);
    if (module && prepare_calls(module) < 0)
        Py_CLEAR(module);
    return module;
}
