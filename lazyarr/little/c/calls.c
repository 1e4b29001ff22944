/* NumPy's functions, and methods of arrays, as programs call them: objects that begin here, and go on in Python where
   this gives up. */

#include "fast_path.h"

/* What is done here with little data. */
enum {
    FUNCTION, /* one of NumPy's functions, of which the array of a method is the first argument */
    VIEW,     /* a view of the array, as `target` gives it, */
    SHAPE,    /* or a copy where there is none */
    GIVES,    /* what `target` gives, also of NumPy's arrays and of numbers, is Python's */
    MAKES,    /* what `target` gives is a new array */
    WRITES,   /* `target` writes into the array, and gives nothing */
    CASTS,    /* ``astype(dtype)`` */
    AT,       /* a ufunc's ``at(array, key, *operands)``, of an object whose ufunc `target` gives */
    DRAWS,    /* random numbers that `target` draws, arrays among them as `look` gives them, */
    DRAWS_OF, /* or a stream's method, of the object whose `_numpys` is NumPy's stream */
    COPIES,   /* ``copy(order)``: without an order, in the one that `target` is */
    KINDS
};

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *dict, *weak;
    int kind, binds;   /* whether it is a method of the classes that have it, as functions in Python are */
    Py_ssize_t most;   /* arguments of views, where `target` takes more of them than this does; of draws, if arrays */
    PyObject *general; /* what is called where this gives up */
    PyObject *target;  /* what is called with the data */
    PyObject *look;    /* of views: see `lazyarr.little.data.Lent` */
    const Function *function;
} Callable;

static PyObject *streams_name; /* "_numpys" */

static int are_whole(PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t k;
    for (k = 0; k < count; k++)
        if (PyTuple_CheckExact(args[k])
                ? !are_whole(((PyTupleObject *)args[k])->ob_item, PyTuple_GET_SIZE(args[k]))
                : !PyLong_CheckExact(args[k]))
            return 0;
    return 1;
}

/* A call of `target` with the data of an array; NULL without an exception where it is not done here. */
static PyObject *with_data(const Callable *called, PyObject *const *args, Py_ssize_t count, PyObject *data)
{
    PyObject *given[MOST_AXES + 1], *found;
    if (!data || count > MOST_AXES + 1 || !are_whole(args + 1, count - 1))
        return NULL;
    memcpy(given, args, count * sizeof(PyObject *));
    given[0] = Py_NewRef(data);
    found = PyObject_Vectorcall(called->target, given, count, NULL);
    Py_DECREF(data);
    return found;
}

/* A call of what writes; NULL without an exception where it is not done here. */
static PyObject *writing(const Callable *called, PyObject *const *args, Py_ssize_t count)
{
    PyObject *own[MOST_AXES + 1], *data, *found = NULL;
    Given given = {.count = 0, .no_empty = 1};
    double size = 0;
    Py_ssize_t k, at = 0;
    if (count > MOST_AXES + 1 || begin_write() < 0)
        return NULL;
    data = data_to_write(args[0]);
    if (data) {
        own[at++] = Py_NewRef(data);
        while (at < count && (own[at] = argument(args[at], &given, DEEPEST_LIST)))
            at++;
        size = (double)PyArray_SIZE((PyArrayObject *)data);
        for (k = 0; k < given.count; k++)
            size += (double)PyArray_SIZE(given.arrays[k]);
        if (at == count && size < known.limit)
            found = call_quietly(called->target, own, count, NULL);
    }
    while (--at >= 0)
        Py_DECREF(own[at]);
    if (end_write() < 0)
        Py_CLEAR(found);
    return found;
}

/* A call of a ufunc's `at`; NULL without an exception where it is not done here. */
static PyObject *written_at(const Callable *called, PyObject *const *args, Py_ssize_t count)
{
    PyObject *ufunc, *method, *data, *found = NULL;
    if (count < 3 || Py_TYPE(args[1]) != known.array)
        return NULL;
    ufunc = PyObject_CallOneArg(called->target, args[0]);
    if (!ufunc)
        return NULL;
    data = count == 4 && PyObject_TypeCheck(ufunc, &PyUFunc_Type) ? data_to_write(args[1]) : NULL;
    if (data && scatter(((PyUFuncObject *)ufunc)->name, (PyArrayObject *)data, args[2], args[3]))
        found = Py_NewRef(Py_None);
    else {
        method = PyObject_GetAttrString(ufunc, "at");
        found = method ? call_at(method, args[1], args[2], args + 3, count - 3) : NULL;
        Py_XDECREF(method);
    }
    Py_DECREF(ufunc);
    return found;
}

static PyObject *copied(const Callable *called, PyObject *const *args, Py_ssize_t count)
{
    PyObject *order = count == 2 ? args[1] : called->target;
    if (count > 2 || !PyUnicode_CheckExact(order))
        return NULL;
    if (PyUnicode_CompareWithASCIIString(order, "C") == 0)
        return copy_of(args[0], NPY_CORDER);
    return PyUnicode_CompareWithASCIIString(order, "K") == 0 ? copy_of(args[0], NPY_KEEPORDER) : NULL;
}

/* A number, a name or a dtype, a list or a tuple of these, a range, or text in an array of NumPy's. */
static int is_known(PyObject *x)
{
    Py_ssize_t k;
    if (is_plain(x) || PyRange_Check(x))
        return 1;
    if (PyArray_CheckExact(x))
        return PyTypeNum_ISSTRING(PyArray_TYPE((PyArrayObject *)x));
    if (!PyList_CheckExact(x) && !PyTuple_CheckExact(x))
        return 0;
    for (k = 0; k < PySequence_Fast_GET_SIZE(x); k++)
        if (!is_plain(PySequence_Fast_GET_ITEM(x, k)))
            return 0;
    return 1;
}

/* Whether arrays may tell what is drawn: not where one of them may be what is written into (see `most`). */
static int none_is_written(const Callable *called, PyObject *names)
{
    Py_ssize_t k;
    for (k = 0; names && k < PyTuple_GET_SIZE(names); k++)
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, k), "out") == 0)
            return 0;
    return called->most > 0;
}

/* What NumPy is given for little data: it is not to be written, whatever the function does; NULL where it is not here. */
static PyObject *shown(PyObject *array)
{
    PyObject *data = data_of(array), *view;
    if (!data || !PyArray_CheckExact(data) || (double)PyArray_SIZE((PyArrayObject *)data) >= known.limit)
        return NULL;
    view = PyArray_View((PyArrayObject *)data, NULL, NULL);
    if (view)
        PyArray_CLEARFLAGS((PyArrayObject *)view, NPY_ARRAY_WRITEABLE);
    return view;
}

/* Random numbers; NULL without an exception where they are not drawn here, and none are. */
static PyObject *draw(const Callable *called, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Py_ssize_t first = called->kind == DRAWS_OF, total = count + (names ? PyTuple_GET_SIZE(names) : 0), k;
    PyObject *own[MOST_AXES], *found = NULL;
    if (PyList_GET_SIZE(known.ranks) || total > MOST_AXES || count < first)
        return NULL;
    for (k = 0; k < total; k++) {
        if (k < first)
            own[k] = PyObject_GetAttr(args[k], streams_name);
        else if (Py_TYPE(args[k]) == known.array)
            own[k] = none_is_written(called, names) ? shown(args[k]) : NULL;
        else
            own[k] = is_known(args[k]) ? Py_NewRef(args[k]) : NULL;
        if (!own[k])
            break;
    }
    if (k == total)
        found = PyObject_Vectorcall(called->target, own, count, names);
    while (--k >= 0)
        Py_DECREF(own[k]);
    if (found && PyArray_CheckExact(found)) {
        PyArrayObject *array = (PyArrayObject *)found;
        if (!PyArray_BASE(array) && PyArray_CHKFLAGS(array, NPY_ARRAY_OWNDATA) &&
            is_known_type(PyArray_TYPE(array)) && (double)PyArray_SIZE(array) < known.limit)
            return array_of(found);
        Py_SETREF(found, PyObject_CallOneArg(called->look, found));
    }
    return found;
}

/* What is done here of a call; NULL without an exception where that is nothing. */
static PyObject *begun(const Callable *called, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *data;
    if (called->kind == FUNCTION)
        return call_with(called->function, args, count, names);
    if (called->kind == DRAWS || called->kind == DRAWS_OF)
        return draw(called, args, count, names);
    if (names || !count)
        return NULL;
    if (called->kind == GIVES)
        return with_data(called, args, count,
                         Py_TYPE(args[0]) == known.array                       ? data_of(args[0])
                         : PyArray_CheckExact(args[0]) || is_plain(args[0]) ? args[0]
                                                                               : NULL);
    if (called->kind == AT)
        return written_at(called, args, count);
    if (Py_TYPE(args[0]) != known.array)
        return NULL;
    switch (called->kind) {
    case VIEW:
    case SHAPE:
        if (count - 1 > called->most || !are_whole(args + 1, count - 1))
            return NULL;
        return lent_by(args[0], called->look, called->target, args + 1, count - 1, called->kind == SHAPE);
    case MAKES:
        data = data_of(args[0]);
        return data && (double)PyArray_SIZE((PyArrayObject *)data) < known.limit
                   ? array_of(with_data(called, args, count, data))
                   : NULL;
    case WRITES:
        return writing(called, args, count);
    case CASTS:
        return count == 2 ? cast_of(args[0], args[1]) : NULL;
    default:
        return copied(called, args, count);
    }
}

static PyObject *call(PyObject *self, PyObject *const *args, size_t flags, PyObject *names)
{
    const Callable *called = (Callable *)self;
    Py_ssize_t count = PyVectorcall_NARGS(flags);
    PyObject *found = may_run() ? begun(called, args, count, names) : NULL;
    if (!found && called->kind == FUNCTION && !PyErr_Occurred())
        found = recalled(called->target, args, count, names);
    return found || PyErr_Occurred() ? found : PyObject_Vectorcall(called->general, args, flags, names);
}

/* -- the class -- */

static PyObject *new_callable(PyTypeObject *type, PyObject *args, PyObject *names)
{
    static char *known_names[] = {"kind", "general", "target", "look", "binds", "most", NULL};
    PyObject *general, *target, *look = Py_None;
    Callable *found;
    int kind, binds = 1, looks;
    Py_ssize_t most = MOST_AXES;
    if (!PyArg_ParseTupleAndKeywords(args, names, "iOO|Opn", known_names, &kind, &general, &target, &look, &binds,
                                     &most))
        return NULL;
    looks = kind == VIEW || kind == SHAPE || kind == DRAWS || kind == DRAWS_OF;
    if (kind < 0 || kind >= KINDS || !PyCallable_Check(general) || (looks && look == Py_None)) {
        PyErr_SetString(PyExc_TypeError, "expected a kind of call and functions");
        return NULL;
    }
    if (kind == FUNCTION && !function_of(target))
        return PyErr_Format(PyExc_LookupError, "%R is not called here", target);
    found = (Callable *)type->tp_alloc(type, 0);
    if (!found)
        return NULL;
    found->call = call;
    found->kind = kind;
    found->binds = binds;
    found->most = most;
    found->general = Py_NewRef(general);
    found->target = Py_NewRef(target);
    found->look = Py_NewRef(look);
    found->function = kind == FUNCTION ? function_of(target) : NULL;
    return (PyObject *)found;
}

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    Callable *called = (Callable *)self;
    Py_VISIT(called->dict);
    Py_VISIT(called->general);
    Py_VISIT(called->target);
    Py_VISIT(called->look);
    return 0;
}

static int clear(PyObject *self)
{
    Callable *called = (Callable *)self;
    Py_CLEAR(called->dict);
    Py_CLEAR(called->general);
    Py_CLEAR(called->target);
    Py_CLEAR(called->look);
    return 0;
}

static void free_callable(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    if (((Callable *)self)->weak)
        PyObject_ClearWeakRefs(self);
    clear(self);
    Py_TYPE(self)->tp_free(self);
}

/* As functions do, it binds to the object whose class has it; what is written in C for NumPy does not. */
static PyObject *bound(PyObject *self, PyObject *object, PyObject *type)
{
    (void)type;
    return object && object != Py_None && ((Callable *)self)->binds ? PyMethod_New(self, object) : Py_NewRef(self);
}

static PyObject *shown_as(PyObject *self)
{
    PyObject *name = PyObject_GetAttrString(self, "__qualname__"), *found;
    if (!name)
        PyErr_Clear();
    found = PyUnicode_FromFormat("<function %S at %p>", name ? name : (PyObject *)Py_TYPE(self), self);
    Py_XDECREF(name);
    return found;
}

PyDoc_STRVAR(callable_doc, "Callable(kind, general, target, look=None, binds=True, most=8)\n--\n\n"
                           "A function of NumPy's, or a method of arrays, that begins here.\n\n"
                           "Parameters\n----------\n"
                           "kind : int\n    What is done here: one of the module's constants.\n"
                           "general : callable\n    Called with the same arguments where that is not to be done.\n"
                           "target : callable\n    What is called with the data; the order of copies.\n"
                           "look : callable, optional\n    Of views: see `lazyarr.little.data.Lent`.\n"
                           "binds : bool, optional\n    Whether it is a method of objects whose class has it.\n"
                           "most : int, optional\n    Arguments of views, beside the array.\n\n"
                           "Raises\n------\n"
                           "LookupError\n    If the function is none that the extension takes.\n");

static PyGetSetDef members[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL}, {0}};

static PyTypeObject callable_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lazyarr.little._fast_path.Callable",
    .tp_basicsize = sizeof(Callable),
    .tp_dealloc = free_callable,
    .tp_vectorcall_offset = offsetof(Callable, call),
    .tp_call = PyVectorcall_Call,
    .tp_repr = shown_as,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = callable_doc,
    .tp_traverse = traverse,
    .tp_clear = clear,
    .tp_weaklistoffset = offsetof(Callable, weak),
    .tp_getset = members,
    .tp_descr_get = bound,
    .tp_dictoffset = offsetof(Callable, dict),
    .tp_new = new_callable,
};

/* The class and its kinds of calls, for a module; -1 with an exception on failure. */
int prepare_calls(PyObject *module)
{
    static const struct {
        const char *name;
        int kind;
    } kinds[] = {{"FUNCTION", FUNCTION}, {"VIEW", VIEW},     {"SHAPE", SHAPE}, {"GIVES", GIVES},
                 {"MAKES", MAKES},       {"WRITES", WRITES}, {"CASTS", CASTS}, {"COPIES", COPIES},
                 {"AT", AT},             {"DRAWS", DRAWS},   {"DRAWS_OF", DRAWS_OF}};
    size_t k;
    for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
        if (PyModule_AddIntConstant(module, kinds[k].name, kinds[k].kind) < 0)
            return -1;
    streams_name = PyUnicode_InternFromString("_numpys");
    return streams_name ? PyModule_AddType(module, &callable_type) : -1;
}
