/* How much work a call of one of NumPy's functions is, from its arguments. */

#include "functions.h"

/* An argument by name (borrowed); NULL where it is not given. */
PyObject *named(const Call *call, const char *name)
{
    Py_ssize_t k;
    for (k = 0; call->names && k < PyTuple_GET_SIZE(call->names); k++)
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(call->names, k), name) == 0)
            return call->args[call->count + k];
    return NULL;
}

Py_ssize_t count_named(const Call *call)
{
    return call->names ? PyTuple_GET_SIZE(call->names) : 0;
}

/* Elements of arrays that are broadcast; what is too many where they cannot be. */
static double broadcast_size(const Given *given)
{
    double size = 1;
    int axis, k;
    for (axis = 1; axis <= MOST_AXES; axis++) {
        npy_intp longest = 1;
        for (k = 0; k < given->count; k++) {
            PyArrayObject *x = given->arrays[k];
            npy_intp n;
            if (PyArray_NDIM(x) < axis)
                continue;
            n = PyArray_DIM(x, PyArray_NDIM(x) - axis);
            if (PyArray_NDIM(x) > MOST_AXES || (n != 1 && longest != 1 && n != longest))
                return HUGE_VAL;
            longest = n == 1 ? longest : n;
        }
        size *= (double)longest;
    }
    return size;
}

static double work_of(const Function *function, const Given *given)
{
    double together = 0, apart = 1, largest = 0, inner;
    PyArrayObject *x;
    int k;
    if (!given->count)
        return function->work == TOGETHER ? given->numbers : (double)given->numbers * given->numbers;
    for (k = 0; k < given->count; k++) {
        double size = (double)PyArray_SIZE(given->arrays[k]);
        together += size / 4;
        apart *= size;
        largest = size > largest ? size : largest;
    }
    together = together > largest ? together : largest;
    switch (function->work) {
    case APART:
        return (apart > together ? apart : together) * function->weight;
    case BROADCAST:
        return broadcast_size(given);
    case PRODUCT:
        x = given->arrays[0];
        inner = PyArray_NDIM(x) ? (double)PyArray_DIM(x, PyArray_NDIM(x) - 1) : 1;
        apart /= inner ? inner * inner : 1;
        return apart > together ? apart : together;
    default:
        return together * function->weight;
    }
}

static int is_extent(PyObject *x)
{
    return PyLong_CheckExact(x) || PyArray_IsScalar(x, Long) || PyArray_IsScalar(x, Int);
}

static double extent_of(PyObject *x)
{
    double n = PyLong_CheckExact(x)       ? PyLong_AsDouble(x)
               : PyArray_IsScalar(x, Int) ? (double)PyArrayScalar_VAL(x, Int)
                                          : (double)PyArrayScalar_VAL(x, Long);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return -1;
    }
    return n;
}

/* Elements of what ``numpy.zeros`` and its like make; what is too many where that is not known. */
static double created_size(const Call *call)
{
    PyObject *shape = call->args[0];
    double size = 1;
    Py_ssize_t k;
    if (!(PyTuple_CheckExact(shape) || is_extent(shape)))
        return HUGE_VAL;
    if (!PyTuple_CheckExact(shape))
        size = extent_of(shape);
    else
        for (k = 0; k < PyTuple_GET_SIZE(shape); k++) {
            double n = is_extent(PyTuple_GET_ITEM(shape, k)) ? extent_of(PyTuple_GET_ITEM(shape, k)) : -1;
            if (n < 0)
                return HUGE_VAL;
            size *= n;
        }
    return size < 0 ? HUGE_VAL : size;
}

/* Elements that a call of ``numpy.bincount`` counts or asks for; what is too many where that is not known. */
static double counted_size(const Call *call)
{
    PyArrayObject *x = (PyArrayObject *)call->args[0];
    PyObject *least = call->count > 2 ? call->args[2] : named(call, "minlength");
    double asked;
    if (!PyArray_CheckExact(x) || PyArray_NDIM(x) != 1 || PyArray_TYPE(x) != NPY_LONG)
        return HUGE_VAL;
    if (!least)
        return (double)PyArray_SIZE(x);
    if (!PyLong_CheckExact(least))
        return HUGE_VAL;
    asked = PyLong_AsDouble(least);
    if (PyErr_Occurred())
        return PyErr_Clear(), HUGE_VAL;
    return asked > (double)PyArray_SIZE(x) ? asked : (double)PyArray_SIZE(x);
}

/* Products of elements in ``numpy.einsum(subscripts, *operands)``, one operand after the other; what is too many where
   the axes are written otherwise than by a letter each. */
static double contracted_size(const Call *call)
{
    const char *at = PyUnicode_CheckExact(call->args[0]) ? PyUnicode_AsUTF8(call->args[0]) : NULL;
    npy_intp extents[128] = {0};
    double size = 1;
    Py_ssize_t k;
    if (!at)
        return PyErr_Clear(), HUGE_VAL;
    for (k = 1; k < call->count; k++) {
        PyArrayObject *x = (PyArrayObject *)call->args[k];
        int axis = 0;
        if (!PyArray_CheckExact(x))
            return HUGE_VAL;
        for (; *at && *at != ',' && *at != '-'; at++) {
            int letter = *at;
            if (letter == ' ')
                continue;
            if (!((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')) || axis >= PyArray_NDIM(x))
                return HUGE_VAL;
            size *= extents[letter] ? 1 : (double)PyArray_DIM(x, axis);
            extents[letter] = PyArray_DIM(x, axis++);
        }
        if (axis != PyArray_NDIM(x) || (k + 1 < call->count) != (*at == ','))
            return HUGE_VAL;
        at += *at == ',';
    }
    return size;
}

/* What the Python side says of the size of a result; what is too many where it says nothing. */
static double said_size(const Function *function, const Call *call)
{
    PyObject *num = function->work == CREATED ? named(call, "num") : NULL, *found;
    double size = -1;
    /* (Sizes of what is created know no other names, which say nothing of them.) */
    if (function->work != CREATED)
        found = PyObject_Vectorcall(function->size, call->args, call->count, call->names);
    else if (num) {
        PyObject *args[MOST_ARGUMENTS + 1], *names = Py_BuildValue("(s)", "num");
        memcpy(args, call->args, call->count * sizeof(PyObject *));
        args[call->count] = num;
        found = names ? PyObject_Vectorcall(function->size, args, call->count, names) : NULL;
        Py_XDECREF(names);
    } else
        found = PyObject_Vectorcall(function->size, call->args, call->count, NULL);
    if (found)
        size = PyFloat_AsDouble(found);
    Py_XDECREF(found);
    if (PyErr_Occurred())
        leave_to_python();
    return size >= 0 ? size : HUGE_VAL;
}

/* Whether all arrays are of single precision. */
static int are_single(const Given *given)
{
    int k;
    for (k = 0; k < given->count; k++)
        if (PyArray_TYPE(given->arrays[k]) != NPY_FLOAT)
            return 0;
    return given->count > 0;
}

/* Whether a call is little work. */
int is_little(const Function *function, const Call *call, const Given *given)
{
    int has_reach = function->weight == 1.0;
    double work;
    if (function->work == CREATED) {
        if (given->count || (!function->size && created_size(call) >= known.limit))
            return 0;
    } else {
        work = work_of(function, given) * (has_reach && are_single(given) ? known.singles : 1);
        if (!(has_reach ? reaches(work) : work < settled_limit()))
            return 0;
    }
    if (function->size) {
        work = said_size(function, call);
        if (!(has_reach ? reaches(work) : work < settled_limit()))
            return 0;
    }
    if (function->work == CONTRACTED)
        return contracted_size(call) < known.limit;
    return function->work != COUNTED || counted_size(call) * known.unfused < settled_limit();
}
