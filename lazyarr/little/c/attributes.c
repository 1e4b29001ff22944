/* What is asked most of arrays, read off their data. */

#include "fast_path.h"

static PyArrayObject *array_in(PyObject *self)
{
    return (PyArrayObject *)data_of(self);
}

/* The shape of an array. */
PyObject *shape_of(PyObject *self)
{
    PyArrayObject *data = Py_TYPE(self) == known.array ? array_in(self) : NULL;
    PyObject *found;
    int axis;
    if (!data)
        return PyObject_CallOneArg(known.shape, self);
    found = PyTuple_New(PyArray_NDIM(data));
    for (axis = 0; found && axis < PyArray_NDIM(data); axis++) {
        PyObject *n = PyLong_FromSsize_t(PyArray_DIM(data, axis));
        if (!n)
            Py_CLEAR(found);
        else
            PyTuple_SET_ITEM(found, axis, n);
    }
    return found;
}

PyObject *ndim_of(PyObject *self)
{
    PyArrayObject *data = Py_TYPE(self) == known.array ? array_in(self) : NULL;
    return data ? PyLong_FromLong(PyArray_NDIM(data)) : PyObject_CallOneArg(known.ndim, self);
}

PyObject *size_of(PyObject *self)
{
    PyArrayObject *data = Py_TYPE(self) == known.array ? array_in(self) : NULL;
    return data ? PyLong_FromSsize_t(PyArray_SIZE(data)) : PyObject_CallOneArg(known.size, self);
}

/* A copy that is an array of its own; NULL without an exception where that is not made here. */
PyObject *copy_of(PyObject *self, NPY_ORDER order)
{
    PyArrayObject *data = Py_TYPE(self) == known.array && may_run() ? array_in(self) : NULL;
    PyObject *mine = data ? SLOT(self, array__mine) : NULL, *lent = data ? SLOT(self, array__lent) : NULL;
    PyObject *found;
    int is_light = (mine && mine != Py_None) || (lent && lent != Py_None);
    /* (Copies of what is large and has settled cost nothing: its value does not change.) */
    if (!data || (!is_light && (double)PyArray_SIZE(data) >= known.limit))
        return NULL;
    Py_INCREF(data); /* (Other threads may run while it is copied.) */
    found = PyArray_NewCopy(data, order);
    Py_DECREF(data);
    return array_of(found);
}

/* The elements as another type, as `numpy.ndarray.astype` with a dtype alone; NULL where that is not done here. */
PyObject *cast_of(PyObject *self, PyObject *wanted)
{
    PyArrayObject *data = Py_TYPE(self) == known.array && may_run() ? array_in(self) : NULL;
    PyArray_Descr *descr = NULL;
    PyObject *found = NULL;
    if (!data || (double)PyArray_SIZE(data) >= known.limit)
        return NULL;
    Py_INCREF(data);
    if (PyArray_DescrConverter(wanted, &descr) == NPY_FAIL)
        PyErr_Clear(); /* (Python says what is wrong.) */
    else
        found = cast_to(data, descr);
    Py_XDECREF(descr);
    Py_DECREF(data);
    return found ? array_of(found) : NULL;
}

/* -- what NumPy is given -- */

/* A view of an array's data that nobody may write to; the data itself is not written from then on either, but copied
   first: see `lazyarr.little.data.own`. Called while no other thread writes. */
static PyObject *shown_now(PyObject *self)
{
    PyObject *data = data_of(self), *mine = SLOT(self, array__mine), *lent, *found;
    if (!data)
        return NULL;
    if (!mine || mine == Py_None) {
        lent = SLOT(self, array__lent);
        mine = lent && Py_TYPE(lent) == known.lent ? SLOT(lent, lent_base) : NULL;
        if (!mine)
            return NULL; /* (It has settled.) */
    }
    found = PyArray_View((PyArrayObject *)data, NULL, NULL);
    if (found) {
        PyArray_CLEARFLAGS((PyArrayObject *)found, NPY_ARRAY_WRITEABLE);
        PyArray_CLEARFLAGS((PyArrayObject *)mine, NPY_ARRAY_WRITEABLE);
    }
    return found;
}

static PyObject *shown(PyObject *self)
{
    PyObject *found;
    if (begin_write() < 0)
        return NULL;
    found = shown_now(self);
    if (end_write() < 0)
        Py_CLEAR(found);
    return found;
}

/* Whether the elements are of a wanted dtype, where one is wanted. */
static int is_type_of(PyObject *self, PyObject *wanted)
{
    PyArrayObject *data = array_in(self);
    return wanted == Py_None ||
           (data && PyArray_DescrCheck(wanted) && PyArray_EquivTypes((PyArray_Descr *)wanted, PyArray_DESCR(data)));
}

/* The method that was there before one of these. */
PyObject *call_method(PyObject *method, PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Py_ssize_t k, given = count + (names ? PyTuple_GET_SIZE(names) : 0);
    PyObject *found, **all = PyMem_Malloc((given + 1) * sizeof(PyObject *));
    if (!all)
        return PyErr_NoMemory();
    all[0] = self;
    for (k = 0; k < given; k++)
        all[k + 1] = args[k];
    found = PyObject_Vectorcall(method, all, count + 1, names);
    PyMem_Free(all);
    return found;
}

static PyObject *structure, *class_name, *module_name, *array_name;

/* Whether code that asks for elements writes to them later: `lazyarr.source.keeps_elements`. */
static int keeps_elements(void)
{
    PyObject *globals = PyEval_GetGlobals(), *name = globals ? PyDict_GetItem(globals, module_name) : NULL;
    return name && PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "numpy.ma.core") == 0;
}

/* Whether a package may be asking for elements, which gets memory that it may write to (`lazyarr.libraries.memory`):
   its code, or a function of NumPy's. */
static int may_be_libraries(void)
{
    PyObject *globals = PyEval_GetGlobals(), *name = globals ? PyDict_GetItemWithError(globals, module_name) : NULL;
    const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (!text) {
        PyErr_Clear();
        return 1;
    }
    return strncmp(text, "numpy", 5) == 0 || !known.libraries ||
           PyDict_GetItemWithError(known.libraries, name) != Py_False;
}

/* What was raised while an array's memory was asked for, and by which instruction of whose frame (an address: it may be
   gone). NumPy takes no notice of errors there, and goes on to ask for the elements: it hears of them then. */
static struct {
    PyObject *array, *frame; /* (addresses) */
    int at;
    PyObject *type, *value;
} failure;

/* Functions of Python's between who asks and `__array__`. */
#define MOST_BETWEEN 6

static void forget_failure(void)
{
    failure.array = NULL;
    Py_CLEAR(failure.type);
    Py_CLEAR(failure.value);
}

static void note_failure(PyObject *self)
{
    PyFrameObject *frame = PyEval_GetFrame();
    PyObject *type, *value, *trace;
    if (!frame)
        return;
    PyErr_Fetch(&type, &value, &trace);
    forget_failure(); /* (One within it.) */
    failure.type = type;
    failure.value = value;
    failure.array = self;
    failure.frame = (PyObject *)frame;
    failure.at = PyFrame_GetLasti(frame);
    Py_XINCREF(failure.type);
    Py_XINCREF(failure.value);
    PyErr_Restore(type, value, trace);
}

/* Raise again what was raised when the same call asked for an array's memory; 0 if nothing was. */
static int raise_again(PyObject *self)
{
    PyFrameObject *frame = PyEval_GetFrame(), *back;
    PyObject *type = failure.type, *value = failure.value;
    int k, same = failure.array == self;
    if (!type)
        return 0;
    /* (Python's `__array_interface__` stands between.) */
    for (k = 0; same && frame && (PyObject *)frame != failure.frame && k < MOST_BETWEEN; k++) {
        back = PyFrame_GetBack(frame);
        Py_XDECREF(back); /* (The frame before refers to it.) */
        frame = back;
    }
    same = same && frame && (PyObject *)frame == failure.frame && PyFrame_GetLasti(frame) == failure.at;
    failure.type = failure.value = failure.array = NULL;
    if (same) {
        PyErr_Restore(type, value, NULL);
    } else {
        Py_XDECREF(type);
        Py_XDECREF(value);
    }
    return same;
}

/* What elements are called in buffers (PEP 3118), as NumPy calls them. */
static char *const formats[TYPES] = {
    [NPY_BOOL] = "?",  [NPY_BYTE] = "b",  [NPY_UBYTE] = "B", [NPY_SHORT] = "h",   [NPY_USHORT] = "H",
    [NPY_INT] = "i",   [NPY_UINT] = "I",  [NPY_LONG] = "l",  [NPY_ULONG] = "L",   [NPY_FLOAT] = "f",
    [NPY_DOUBLE] = "d", [NPY_CFLOAT] = "Zf", [NPY_CDOUBLE] = "Zd"};

/* The buffer of NumPy's array, which is asked for at each conversion of a lazy one: NumPy itself looks for the format
   each time. */
static int buffer_of(PyObject *elements, Py_buffer *view, int flags)
{
    PyArrayObject *array = (PyArrayObject *)elements;
    int type = PyArray_CheckExact(elements) ? PyArray_TYPE(array) : TYPES;
    if (type >= TYPES || !formats[type] || (flags & PyBUF_FULL_RO) != PyBUF_FULL_RO || (flags & PyBUF_WRITABLE) ||
        PyArray_FLAGS(array) & NPY_ARRAY_WRITEABLE || !PyArray_IS_C_CONTIGUOUS(array) || PyArray_ISBYTESWAPPED(array) ||
        !PyArray_NDIM(array) || !PyArray_SIZE(array))
        return PyObject_GetBuffer(elements, view, flags);
    view->buf = PyArray_DATA(array);
    view->len = PyArray_NBYTES(array);
    view->itemsize = PyArray_ITEMSIZE(array);
    view->readonly = 1;
    view->ndim = PyArray_NDIM(array);
    view->format = formats[type];
    view->shape = (Py_ssize_t *)PyArray_DIMS(array);
    view->strides = (Py_ssize_t *)PyArray_STRIDES(array);
    view->suboffsets = NULL;
    view->internal = NULL;
    view->obj = Py_NewRef(elements);
    return 0;
}

/* How NumPy asks for the buffer of a new array: it gives that back at once, and goes on to write there. */
#define OF_NEW_ARRAY (PyBUF_ANY_CONTIGUOUS | PyBUF_WRITABLE)

/* Memory that is written to behind the array's back (``file.readinto(x)``, Cython's typed views). */
static int to_written_buffer(PyObject *self, Py_buffer *view, int flags)
{
    PyObject *memory = NULL;
    int done;
    if (known.hand_out && flags != OF_NEW_ARRAY && !is_traced() && !PyList_GET_SIZE(known.ranks) &&
        !(memory = PyObject_CallOneArg(known.hand_out, self)))
        return -1;
    if (!memory || memory == Py_None) {
        Py_XDECREF(memory);
        PyErr_SetString(PyExc_BufferError, "the memory of this array of lazyarr.numpy is read-only: give what writes to "
                                           "it an array of NumPy's, numpy.array(x), and assign that");
        return -1;
    }
    done = PyObject_GetBuffer(memory, view, flags);
    Py_DECREF(memory); /* (The view has it.) */
    return done;
}

/* Memory to read, for code that knows nothing of `__array__` (hashlib, files, sockets, images): that of what NumPy is
   given. */
static int to_buffer(PyObject *self, Py_buffer *view, int flags)
{
    PyObject *elements;
    int done;
    view->obj = NULL;
    forget_failure();
    if ((flags & PyBUF_FORMAT) && (is_traced() || PyList_GET_SIZE(known.ranks))) {
        /* (What looks at memory as at elements may write to NumPy's: such functions run as plain Python. Ranks are not
           to ask each other twice where that fails.) */
        PyErr_SetString(PyExc_TypeError, "a bytes-like object is required, not 'LazyArray'");
        return -1;
    }
    if (flags & PyBUF_WRITABLE)
        return to_written_buffer(self, view, flags);
    elements = PyObject_CallMethodNoArgs(self, array_name);
    if (!elements)
        note_failure(self);
    done = elements ? buffer_of(elements, view, flags) : -1;
    Py_XDECREF(elements); /* (The view has it.) */
    return done;
}

/* The view has what it needs. But of a class with such a function NumPy keeps the view, and not the array, which gives
   its memory up when it is written to (`numpy.frombuffer`). */
static void release_buffer(PyObject *self, Py_buffer *view)
{
    (void)self;
    (void)view;
}

/* ``self.__array__(dtype=None, copy=None)``. */
static PyObject *to_numpy(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *found = NULL;
    int copies;
    if (raise_again(self))
        return NULL;
    copies = names && PyTuple_GET_SIZE(names) == 1 && args[count] == Py_True &&
                 PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "copy") == 0;
    if ((!count || is_type_of(self, args[0])) && count < 2 && (!names || copies) && may_run()) {
        copies = copies || keeps_elements();
        PyArrayObject *data = copies ? array_in(self) : NULL;
        Py_XINCREF(data);
        found = data ? PyArray_NewCopy(data, NPY_KEEPORDER) : copies || may_be_libraries() ? NULL : shown(self);
        Py_XDECREF(data);
    }
    if (found || PyErr_Occurred())
        return found;
    return call_method(known.to_numpy, self, args, count, names);
}

static PyMethodDef to_numpy_method = {"__array__", (PyCFunction)(void (*)(void))to_numpy,
                                      METH_FASTCALL | METH_KEYWORDS, "As `numpy.ndarray.__array__`."};

static PyObject *missing; /* the method `__getattr__` */

/* Whether the function that is running wants to see NumPy's class; -1 with an exception. */
static int asks_for_numpys(void)
{
    PyObject *globals = PyEval_GetGlobals(), *module = globals ? PyDict_GetItemWithError(globals, module_name) : NULL;
    PyObject *names = module && known.ask_for_numpys ? PyDict_GetItemWithError(known.ask_for_numpys, module) : NULL;
    PyObject *name;
    PyCodeObject *code;
    int found;
    if (!names)
        return PyErr_Occurred() ? -1 : 0;
    code = PyFrame_GetCode(PyEval_GetFrame());
    name = PyObject_GetAttrString((PyObject *)code, "co_name");
    Py_DECREF(code);
    found = name ? PySet_Contains(names, name) : -1;
    Py_XDECREF(name);
    return found;
}

/* NumPy asks for these at each conversion, and is told with an exception; `isinstance` asks for the class. */
static PyObject *attribute(PyObject *self, PyObject *name)
{
    PyObject *found;
    if (name == class_name && Py_TYPE(self) == known.array) {
        PyObject *mine = SLOT(self, array__mine), *lent = SLOT(self, array__lent);
        if ((mine && mine != Py_None) || (lent && lent != Py_None)) {
            int asks = asks_for_numpys();
            if (asks)
                return asks < 0 ? NULL : Py_NewRef((PyObject *)&PyArray_Type);
            return Py_NewRef(known.shown ? known.shown : known.array);
        }
    }
    if (name == structure) {
        PyErr_SetObject(PyExc_AttributeError, name);
        return NULL;
    }
    found = PyObject_GenericGetAttr(self, name);
    if (found || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return found;
    /* (`__getattr__`, as the class's own slot asks it.) */
    PyErr_Clear();
    return PyObject_CallFunctionObjArgs(missing, self, name, NULL);
}

int install_attributes(void)
{
    PyObject *method;
    known.to_numpy = PyObject_GetAttrString((PyObject *)known.array, "__array__");
    structure = PyUnicode_InternFromString("__array_struct__");
    class_name = PyUnicode_InternFromString("__class__");
    module_name = PyUnicode_InternFromString("__name__");
    array_name = PyUnicode_InternFromString("__array__");
    missing = PyObject_GetAttrString((PyObject *)known.array, "__getattr__");
    method = PyDescr_NewMethod(known.array, &to_numpy_method);
    if (!known.to_numpy || !structure || !class_name || !module_name || !array_name || !missing || !method ||
        PyObject_SetAttrString((PyObject *)known.array, "__array__", method) < 0)
        return -1;
    Py_DECREF(method);
    known.array->tp_getattro = attribute;
    known.array->tp_as_buffer->bf_getbuffer = to_buffer;
    known.array->tp_as_buffer->bf_releasebuffer = release_buffer;
    return 0;
}
