/* Calls of NumPy's functions on little data: what is lazy in the arguments is replaced by its data, and new results
   are lazy arrays. */

#include "functions.h"

#define MOST_NUMBERS 20000

static PyObject *functions; /* function -> capsule */
static PyObject *special;   /* names of arguments with which it is left to Python */
static PyObject *make_quiet;

/* -- a context in which NumPy warns of nothing -- */

static _Thread_local PyObject *quiet;
static _Thread_local int entered;

/* Enter it: 1 where it is to be left, 0 where this thread is in it; -1 with an exception on failure. */
static int enter(void)
{
    if (entered)
        return 0;
    if ((!quiet && !(quiet = PyObject_CallNoArgs(make_quiet))) || PyContext_Enter(quiet) < 0)
        return -1;
    return entered = 1;
}

static PyObject *leave(int is_to_be_left, PyObject *found)
{
    if (is_to_be_left) {
        entered = 0;
        if (PyContext_Exit(quiet) < 0)
            Py_CLEAR(found);
    }
    return found;
}

/* What NumPy says is wrong with arguments is left to Python, which says so again; other exceptions stay. */
void leave_to_python(void)
{
    if (PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_ValueError) ||
        PyErr_ExceptionMatches(PyExc_LookupError) || PyErr_ExceptionMatches(PyExc_ArithmeticError) ||
        PyErr_ExceptionMatches(PyExc_AttributeError))
        PyErr_Clear();
}

/* A call in which NumPy warns of nothing. */
PyObject *call_quietly(PyObject *function, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    int is_to_be_left = enter();
    return is_to_be_left < 0 ? NULL : leave(is_to_be_left, PyObject_Vectorcall(function, args, count, names));
}

/* An operator of NumPy's on two operands, in which it warns of nothing. */
PyObject *operate(binaryfunc operator, PyObject *x, PyObject *y)
{
    int is_to_be_left;
    PyObject *found;
    Py_INCREF(x);
    Py_INCREF(y);
    is_to_be_left = enter();
    found = is_to_be_left < 0 ? NULL : leave(is_to_be_left, operator(x, y));
    Py_DECREF(x);
    Py_DECREF(y);
    return found;
}

/* A new array of another type, in the order of the given one. */
static PyObject *cast_quietly(PyArrayObject *data, PyArray_Descr *descr)
{
    PyObject *found = NULL;
    int is_to_be_left = enter();
    if (is_to_be_left < 0)
        return NULL;
    Py_INCREF(descr);
    found = PyArray_NewLikeArray(data, NPY_KEEPORDER, descr, 0); /* (takes `descr`) */
    if (found && PyArray_CopyInto((PyArrayObject *)found, data) < 0)
        Py_CLEAR(found);
    return leave(is_to_be_left, found);
}

/* The same, as lazy arrays are cast here; NULL without an exception where that is not done. */
PyObject *cast_to(PyArrayObject *data, PyArray_Descr *descr)
{
    if (!is_known_type(descr->type_num) || !PyArray_ISNBO(descr->byteorder) ||
        (PyArray_ISCOMPLEX(data) && !PyTypeNum_ISCOMPLEX(descr->type_num)))
        return NULL;
    return cast_quietly(data, descr);
}

/* -- arguments -- */

int is_known_type(int type)
{
    return type >= 0 && type < TYPES && type != NPY_LONGDOUBLE && type != NPY_CLONGDOUBLE;
}

int is_known_scalar(PyObject *x)
{
    return (PyArray_IsScalar(x, Number) || PyArray_IsScalar(x, Bool)) && !PyArray_IsScalar(x, LongDouble) &&
           !PyArray_IsScalar(x, CLongDouble) && !PyArray_IsScalar(x, Half) && !PyArray_IsScalar(x, Timedelta);
}

int is_plain(PyObject *x)
{
    /* (The scalars that lists are full of first: the rest asks for one base class after the other.) */
    return Py_IS_TYPE(x, &PyDoubleArrType_Type) || Py_IS_TYPE(x, &PyLongArrType_Type) || x == Py_None ||
           PyLong_CheckExact(x) || PyFloat_CheckExact(x) || PyBool_Check(x) ||
           PyComplex_CheckExact(x) || PyUnicode_CheckExact(x) || PyType_Check(x) || PyArray_DescrCheck(x) ||
           is_known_scalar(x);
}

static int add_array(PyObject *data, Given *given)
{
    PyArrayObject *array = (PyArrayObject *)data;
    if (given->count == MOST_GIVEN || (given->no_empty && !PyArray_SIZE(array)) ||
        !is_known_type(PyArray_TYPE(array)))
        return 0;
    given->arrays[given->count++] = array;
    return 1;
}

/* An argument as NumPy takes it (a new reference); NULL, without an exception, where it is of another kind. */
PyObject *argument(PyObject *x, Given *given, int depth)
{
    if (Py_TYPE(x) == known.array) {
        PyObject *data = data_of(x);
        return data && add_array(data, given) ? Py_NewRef(data) : NULL;
    }
    if (is_plain(x))
        return ++given->numbers <= MOST_NUMBERS ? Py_NewRef(x) : NULL;
    if (PyArray_CheckExact(x))
        return PyArray_ISBEHAVED_RO((PyArrayObject *)x) && add_array(x, given) ? Py_NewRef(x) : NULL;
    if (depth && (PyTuple_CheckExact(x) || PyList_CheckExact(x))) {
        Py_ssize_t k = 0, count = PySequence_Fast_GET_SIZE(x);
        PyObject *found;
        while (k < count && is_plain(PySequence_Fast_GET_ITEM(x, k)))
            k++;
        if (k == count && (given->numbers += (int)(k < MOST_NUMBERS ? k : MOST_NUMBERS + 1)) <= MOST_NUMBERS)
            return Py_NewRef(x); /* as it is: NumPy copies the numbers */
        if (k == count)
            return NULL;
        found = PyTuple_CheckExact(x) ? PyTuple_New(count) : PyList_New(count);
        for (k = 0; found && k < count; k++) {
            PyObject *item =
                k < PySequence_Fast_GET_SIZE(x) ? argument(PySequence_Fast_GET_ITEM(x, k), given, depth - 1) : NULL;
            if (!item)
                Py_CLEAR(found);
            else if (PyTuple_CheckExact(found))
                PyTuple_SET_ITEM(found, k, item);
            else
                PyList_SET_ITEM(found, k, item);
        }
        if (!found)
            PyErr_Clear();
        return found;
    }
    return NULL;
}

/* A ufunc's `at`, as its method: nothing for what it gives; NULL without an exception where that is not done here. */
PyObject *call_at(PyObject *method, PyObject *array, PyObject *key, PyObject *const *operands, Py_ssize_t count)
{
    PyObject *data, *where, *found = NULL, *all[2 + MOST_OPERANDS], *x;
    Py_ssize_t k;
    int done = 0;
    if (Py_TYPE(array) != known.array || count > MOST_OPERANDS || !selection(key))
        return NULL;
    if (begin_write() < 0)
        return NULL;
    data = data_to_write(array);
    where = selection(key);
    if (data && where && (double)PyArray_SIZE((PyArrayObject *)data) * known.unfused < settled_limit() &&
        (double)PyArray_SIZE((PyArrayObject *)where) * known.unfused < settled_limit()) {
        all[0] = Py_NewRef(data);
        all[1] = Py_NewRef(where);
        for (k = 0, done = 1; done && k < count; k++) {
            x = operands[k];
            x = Py_TYPE(x) == known.array ? data_of(x) : is_plain(x) || PyArray_CheckExact(x) ? x : NULL;
            done = x != NULL;
            if (done)
                all[2 + k] = Py_NewRef(x);
        }
        if (done)
            found = call_quietly(method, all, 2 + count, NULL);
        for (k += done ? 2 : 1; --k >= 0;)
            Py_DECREF(all[k]);
    }
    if (end_write() < 0)
        Py_CLEAR(found);
    return found;
}

/* A reduction here, along one axis or all; NULL without an exception for other data and axes. */
static PyObject *reduced(const Function *function, PyArrayObject *data, PyObject *axis, int keeps, long degrees)
{
    int is_truth = function->fold_type == (PyObject *)&PyBool_Type, overflow = 0, of_all;
    long along = axis == Py_None ? -1 : PyLong_AsLongAndOverflow(axis, &overflow);
    int is_statistic = function->statistic != FOLD && function->statistic != RUNNING;
    PyObject *found;
    /* (Sums of bools are integers.) */
    if ((is_statistic && PyArray_TYPE(data) != NPY_DOUBLE) || (PyArray_TYPE(data) == NPY_BOOL && !is_truth) ||
        overflow || along < -MOST_AXES || along > MOST_AXES)
        return NULL;
    of_all = axis == Py_None || (PyArray_NDIM(data) == 1 && !keeps && along >= -1 && along <= 0);
    if (function->statistic == RUNNING)
        return accumulate(data, (int)along, of_all, function->identity);
    if (function->statistic >= VARIANCE) {
        found = variance(function->loops, data, (int)along, of_all, keeps, degrees);
        return function->statistic == DEVIATION ? deviation(found) : found;
    }
    if (!of_all)
        return is_truth && PyArray_TYPE(data) != NPY_BOOL
                   ? NULL
                   : reduce_along(function->loops, data, (int)along, keeps, function->identity,
                                  function->statistic == MEAN);
    if (keeps)
        return NULL;
    found = is_truth && PyArray_TYPE(data) != NPY_BOOL ? truth_of(data, function->identity)
                                                        : reduce_all(function->loops, data, function->identity);
    if (found && function->statistic == MEAN)
        PyArrayScalar_ASSIGN(found, Double, PyArrayScalar_VAL(found, Double) / (double)PyArray_SIZE(data));
    return found;
}

/* A reduction by the ufunc itself: what NumPy's function comes to; NULL without an exception for other arguments. */
static PyObject *folded(const Function *function, const Call *call)
{
    PyObject *axis = call->count == 2 ? call->args[1] : Py_None, *keeps = Py_False, *found;
    PyObject *wanted = named(call, "axis"), *kept = named(call, "keepdims"), *data = call->args[0];
    PyObject *lost = function->statistic >= VARIANCE && function->statistic != RUNNING ? named(call, "ddof") : NULL, *given[5];
    long degrees;
    if (call->count > 2 || (wanted && call->count == 2) || (kept && function->statistic == RUNNING) ||
        count_named(call) != (wanted != NULL) + (kept != NULL) + (lost != NULL))
        return NULL;
    axis = wanted ? wanted : axis;
    keeps = kept ? kept : keeps;
    if (!PyBool_Check(keeps) || !(axis == Py_None || PyLong_CheckExact(axis)) || !PyArray_Check(data) ||
        (lost && !PyLong_CheckExact(lost)))
        return NULL;
    degrees = lost ? PyLong_AsLong(lost) : 0;
    if (degrees == -1 && PyErr_Occurred())
        return PyErr_Clear(), NULL;
    found = reduced(function, (PyArrayObject *)data, axis, keeps == Py_True, degrees);
    if (found || PyErr_Occurred() || function->statistic)
        return found;
    given[0] = data;
    given[1] = axis;
    given[2] = function->fold_type;
    given[3] = Py_None;
    given[4] = keeps;
    return call_quietly(function->fold, given, 5, NULL);
}

/* -- the call -- */

/* ``numpy.asarray(x)`` and ``numpy.array(x)`` of an array, with or without a dtype; NULL where that is not done here. */
static PyObject *again(const Function *function, const Call *call)
{
    PyObject *x = call->args[0], *wanted = call->count == 2 ? call->args[1] : named(call, "dtype"), *data, *found = NULL;
    PyArray_Descr *descr = NULL;
    int is_lazy = Py_TYPE(x) == known.array, is_cast;
    if (call->count + count_named(call) != 1 + (wanted != NULL))
        return NULL;
    if (!wanted && (PyLong_CheckExact(x) || PyFloat_CheckExact(x) || PyBool_Check(x) || PyComplex_CheckExact(x))) {
        found = PyArray_FROM_O(x);
        /* (Of large ints they are objects.) */
        if (found && !is_known_type(PyArray_TYPE((PyArrayObject *)found)))
            Py_CLEAR(found);
        return found ? array_of(found) : NULL;
    }
    data = is_lazy ? data_of(x) : PyArray_CheckExact(x) && PyArray_ISBEHAVED_RO((PyArrayObject *)x) ? x : NULL;
    /* (It is copied in any case, however large it is.) */
    if (!data || (!is_lazy && !is_known_type(PyArray_TYPE((PyArrayObject *)data))))
        return NULL;
    if (wanted && wanted != Py_None) {
        /* (Which may run code in Python.) */
        if (PyArray_DescrConverter(wanted, &descr) == NPY_FAIL) {
            leave_to_python();
            return NULL;
        }
        data = is_lazy ? data_of(x) : x;
        is_cast = data && !PyArray_EquivTypes(descr, PyArray_DESCR((PyArrayObject *)data));
        if (is_cast)
            found = is_lazy ? cast_of(x, (PyObject *)descr) : array_of(cast_to((PyArrayObject *)data, descr));
        Py_DECREF(descr);
        if (is_cast || !data)
            return found;
    }
    if (is_lazy)
        return function->of_lists == GIVES_SAME ? Py_NewRef(x) : copy_of(x, NPY_KEEPORDER);
    return array_of(PyArray_NewCopy((PyArrayObject *)data, NPY_KEEPORDER));
}

/* Whether calls with an argument of this name are left to Python. Where it says how many degrees of freedom are lost,
   `variance` looks whether enough are left: else NumPy warns by itself. */
static int is_left(const Function *function, PyObject *name)
{
    if (PySet_Contains(special, name))
        return (function->statistic != VARIANCE && function->statistic != DEVIATION) ||
               PyUnicode_CompareWithASCIIString(name, "ddof") != 0;
    return PySet_Contains(function->left, name);
}

/* The data of a call's arguments (new references), how many; fewer than there are where they are of other kinds. */
static Py_ssize_t data_of_arguments(const Function *function, const Call *call, PyObject **own, Given *given)
{
    Py_ssize_t k, total = call->count + count_named(call);
    for (k = 0; k < total; k++) {
        int before = given->count;
        if (k >= call->count && is_left(function, PyTuple_GET_ITEM(call->names, k - call->count)))
            break;
        own[k] = argument(call->args[k], given, DEEPEST_LIST);
        if (!own[k])
            break;
        /* (Elsewhere an array is one to write to, or a number.) */
        if ((k >= function->arrays || k >= call->count) && given->count > before) {
            Py_DECREF(own[k]);
            break;
        }
    }
    return k;
}

/* The call with the data of its arguments; NULL, with or without an exception, where it is not done here. */
PyObject *call_with(const Function *function, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *own[MOST_ARGUMENTS], *found = NULL;
    Call call = {args, count, names};
    Given given = {.count = 0};
    Py_ssize_t total = count + count_named(&call), k;
    if (count > function->most || !count || total > MOST_ARGUMENTS)
        return NULL;
    given.no_empty = function->work != PRODUCT;
    if (function->of_lists && !PyList_CheckExact(args[0]) && !PyTuple_CheckExact(args[0]))
        return again(function, &call);
    k = data_of_arguments(function, &call, own, &given);
    call.args = own;
    if (k == total && is_little(function, &call, &given)) {
        if (function->fold)
            found = folded(function, &call);
        if (!found && !PyErr_Occurred() && !named(&call, "ddof"))
            found = call_quietly(function->method && PyArray_CheckExact(own[0]) ? function->method : function->target,
                                 own, count, names);
        found = result(found, &given);
        /* (It says that it has nothing to give by None.) */
        if (found == Py_None)
            Py_CLEAR(found);
    }
    while (--k >= 0)
        Py_DECREF(own[k]);
    return found;
}

/* How a function of NumPy's is called (borrowed); NULL, without an exception, for others. */
const Function *function_of(PyObject *numpy)
{
    PyObject *capsule = functions ? PyDict_GetItemWithError(functions, numpy) : NULL;
    if (!capsule)
        PyErr_Clear(); /* (What does not hash is none of these.) */
    return capsule ? PyCapsule_GetPointer(capsule, NULL) : NULL;
}

/* ``function(numpy, args, kwargs)``: None where the call is not done here. */
PyObject *call_function(PyObject *module, PyObject *const *given, Py_ssize_t count)
{
    PyObject *args[MOST_ARGUMENTS], *names = NULL, *found, *name, *x;
    const Function *function;
    Py_ssize_t k, positional, at = 0;
    (void)module;
    if (count != 3 || !PyTuple_CheckExact(given[1]) || !(given[2] == Py_None || PyDict_CheckExact(given[2]))) {
        PyErr_SetString(PyExc_TypeError, "expected a function, a tuple and a dict");
        return NULL;
    }
    function = may_run() ? function_of(given[0]) : NULL;
    positional = PyTuple_GET_SIZE(given[1]);
    count = given[2] == Py_None ? 0 : PyDict_GET_SIZE(given[2]);
    if (!function || positional + count > MOST_ARGUMENTS)
        Py_RETURN_NONE;
    memcpy(args, ((PyTupleObject *)given[1])->ob_item, positional * sizeof(PyObject *));
    if (count && !(names = PyTuple_New(count)))
        return NULL;
    for (k = 0; k < count && PyDict_Next(given[2], &at, &name, &x); k++) {
        PyTuple_SET_ITEM(names, k, Py_NewRef(name));
        args[positional + k] = x;
    }
    found = call_with(function, args, positional, names);
    Py_XDECREF(names);
    if (!found && !PyErr_Occurred())
        Py_RETURN_NONE;
    return found;
}

/* ``functions(table, special, wrap, make_quiet)``: see module.c. */
int install_functions(PyObject *table, PyObject *names, PyObject *wrapper, PyObject *context)
{
    PyObject *numpy, *entry, *capsule;
    Py_ssize_t at = 0;
    functions = PyDict_New();
    if (!functions)
        return -1;
    while (PyDict_Next(table, &at, &numpy, &entry)) {
        Function *own = PyMem_Calloc(1, sizeof(Function));
        if (!own ||
            !PyArg_ParseTuple(entry, "OOOOiiiiiOdO", &own->target, &own->method, &own->fold, &own->fold_type,
                              &own->statistic, &own->arrays, &own->most, &own->work, &own->of_lists, &own->size,
                              &own->weight, &own->left))
            return -1;
        Py_INCREF(own->left);
        Py_INCREF(own->target);
        Py_INCREF(own->fold_type);
        if (own->size == Py_None)
            own->size = NULL;
        Py_XINCREF(own->size);
        if (own->method == Py_None)
            own->method = NULL;
        Py_XINCREF(own->method);
        if (own->fold == Py_None)
            own->fold = NULL;
        Py_XINCREF(own->fold);
        if (own->fold) {
            PyObject *ufunc = PyObject_GetAttrString(own->fold, "__self__");
            PyObject *identity = ufunc ? PyObject_GetAttrString(ufunc, "identity") : NULL;
            if (!identity || !(own->loops = loops_of(ufunc, (Weight){1, 1, 1})))
                return -1;
            own->identity = identity == Py_None ? -1 : PyObject_IsTrue(identity);
            Py_DECREF(identity);
            Py_DECREF(ufunc);
        }
        capsule = PyCapsule_New(own, NULL, NULL);
        if (!capsule || PyDict_SetItem(functions, numpy, capsule) < 0)
            return -1;
        Py_DECREF(capsule);
    }
    special = Py_NewRef(names);
    wrap_result = Py_NewRef(wrapper);
    make_quiet = Py_NewRef(context);
    return 0;
}
