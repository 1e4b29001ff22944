/* What is asked most of arrays, read off their data. */

#include "fast_path.h"

static PyArrayObject *array_in(PyObject *self)
{
    PyObject *data = data_of(self);
    return data && PyArray_CheckExact(data) ? (PyArrayObject *)data : NULL;
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

/* A copy that is an array of its own; NULL without an exception where that is not made here. */
PyObject *copy_of(PyObject *self, NPY_ORDER order)
{
    PyArrayObject *data = Py_TYPE(self) == known.array && may_run() ? array_in(self) : NULL;
    return data ? array_of(PyArray_NewCopy(data, order)) : NULL;
}
