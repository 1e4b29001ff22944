/* What NumPy has made of little data, as lazy arrays. */

#include "fast_path.h"

PyObject *wrap_result; /* gives what is not simple as lazy arrays, or None */

/* Whether a new array is all of another's memory, in its order, which no argument has: a `reshape` of it. */
static int is_reshaped(PyArrayObject *array, const Given *given)
{
    PyArrayObject *base = (PyArrayObject *)PyArray_BASE(array);
    int k;
    if (!base || !PyArray_CheckExact(base) || PyArray_BASE(base) || !PyArray_CHKFLAGS(base, NPY_ARRAY_OWNDATA) ||
        PyArray_TYPE(base) != PyArray_TYPE(array) || PyArray_SIZE(base) != PyArray_SIZE(array) ||
        (double)PyArray_SIZE(array) >= known.limit || !PyArray_IS_C_CONTIGUOUS(base) ||
        !PyArray_IS_C_CONTIGUOUS(array))
        return 0;
    for (k = 0; k < given->count; k++)
        if (given->arrays[k] == base || PyArray_BASE(given->arrays[k]) == (PyObject *)base)
            return 0;
    return 1;
}

/* Whether an array is new, and nobody's but its own. */
static int is_own(PyObject *found, const Given *given)
{
    PyArrayObject *array = (PyArrayObject *)found;
    int k;
    if (!PyArray_CheckExact(found) || !PyArray_ISBEHAVED(array) || !is_known_type(PyArray_TYPE(array)))
        return 0;
    if (PyArray_BASE(array))
        return is_reshaped(array, given);
    for (k = 0; k < given->count; k++)
        if (given->arrays[k] == array)
            return 0;
    return 1;
}

/* The arrays of a tuple of one new array, as for `result`; NULL without an exception for another. */
static PyObject *result_of_one(PyObject *found, const Given *given)
{
    PyObject *array, *tuple;
    if (!PyTuple_CheckExact(found) || PyTuple_GET_SIZE(found) != 1 || !is_own(PyTuple_GET_ITEM(found, 0), given))
        return NULL;
    array = array_of(Py_NewRef(PyTuple_GET_ITEM(found, 0)));
    tuple = array ? PyTuple_Pack(1, array) : NULL;
    Py_XDECREF(array);
    return tuple;
}

/* What NumPy has made of arguments, as a lazy array, or several; None where it is not theirs. Takes the reference. */
PyObject *result(PyObject *found, const Given *given)
{
    PyObject *arrays, *wrapped;
    int k;
    if (!found)
        return NULL;
    if (PyBool_Check(found))
        return found;
    if (is_known_scalar(found))
        return array_of(found);
    if (is_own(found, given))
        return array_of(found);
    wrapped = result_of_one(found, given);
    if (wrapped || PyErr_Occurred()) {
        Py_DECREF(found);
        return wrapped;
    }
    arrays = PyTuple_New(given->count);
    for (k = 0; arrays && k < given->count; k++)
        PyTuple_SET_ITEM(arrays, k, Py_NewRef((PyObject *)given->arrays[k]));
    wrapped = arrays ? PyObject_CallFunctionObjArgs(wrap_result, found, arrays, NULL) : NULL;
    Py_XDECREF(arrays);
    Py_DECREF(found);
    return wrapped;
}

/* What NumPy has made of arguments that `found` does not share memory with; takes the reference. */
PyObject *new_result(PyObject *found)
{
    static const Given nothing = {.count = 0};
    return result(found, &nothing);
}
