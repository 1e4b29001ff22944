/* Element-wise work on large arrays, which Python records: the shortest way there.

   The methods of operators, and calls of ufuncs, look for much that cannot be where the operands are lazy arrays and
   Python's numbers, and one of them is too large to be little work, or is not computed. */

#include "fast_path.h"

/* The elements of an array; -1 where that is not known here. */
static double elements_of(PyObject *array)
{
    PyObject *data = data_of(array), *shape;
    double found = 1;
    Py_ssize_t axis;
    if (data)
        return (double)PyArray_SIZE((PyArrayObject *)data);
    shape = SLOT(array, array__shape);
    if (!SLOT(array, array__cell) || !shape || !PyTuple_CheckExact(shape))
        return -1;
    for (axis = 0; axis < PyTuple_GET_SIZE(shape); axis++) {
        PyObject *n = PyTuple_GET_ITEM(shape, axis);
        if (!PyLong_CheckExact(n))
            return -1; /* (Data decides it.) */
        found *= PyLong_AsDouble(n);
    }
    PyErr_Clear(); /* (Of a length beyond doubles.) */
    return found;
}

/* Whether an array has a value that is not computed. */
static int is_pending(PyObject *array)
{
    PyObject *cell = SLOT(array, array__cell), *value = cell ? SLOT(cell, cell_value) : NULL;
    return value && PyTuple_Check(value) && Py_TYPE(PyTuple_GET_ITEM(value, 0)) != known.leaf;
}

/* Whether this process alone runs the program, and nothing is traced. */
static int may_record(void)
{
    PyObject *trace;
    if (known.limit < 0 || PyList_GET_SIZE(known.ranks))
        return 0;
    if (PyContextVar_Get(known.tracing, Py_None, &trace) < 0) {
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(trace);
    return trace == Py_None;
}

/* Whether operands are arrays and Python's numbers, and what NumPy is not to do at once. */
static int are_to_be_recorded(const Loops *own, PyObject *const *operands, int count)
{
    int k, found = 0;
    for (k = 0; k < count; k++) {
        double size;
        if (PyFloat_CheckExact(operands[k]) || PyLong_CheckExact(operands[k]))
            continue;
        if (Py_TYPE(operands[k]) != known.array)
            return 0;
        if (is_pending(operands[k])) {
            found = 1;
            continue;
        }
        if (SLOT(operands[k], array__scalar) == Py_True)
            continue; /* (Of these alone operators are not the ufunc's.) */
        size = elements_of(operands[k]);
        if (size < 0)
            return 0;
        found = found || size * own->cost >= known.limit;
    }
    return found;
}

/* ``by(*operands)``; NULL, with or without an exception, where that is not for such operands, or gives None. */
static PyObject *recorded_by(PyObject *by, const Loops *own, PyObject *const *operands, int count)
{
    PyObject *found = by && may_record() && are_to_be_recorded(own, operands, count)
                          ? PyObject_Vectorcall(by, operands, count, NULL)
                          : NULL;
    if (found == Py_None)
        Py_CLEAR(found);
    return found;
}

/* What is recorded of an operator or a ufunc; NULL, with or without an exception, where it goes the general way. */
PyObject *recorded(const Loops *own, PyObject *const *operands, int count)
{
    return own ? recorded_by(own->recorder, own, operands, count) : NULL;
}

/* The same of an operator that writes to the first operand. */
PyObject *recorded_into(const Loops *own, PyObject *const *operands, int count)
{
    return own && Py_TYPE(operands[0]) == known.array ? recorded_by(own->writer, own, operands, count) : NULL;
}
