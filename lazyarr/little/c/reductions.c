/* Reductions of contiguous data by the loops of a ufunc, as its `reduce` goes over it; and running ones. */

#include "fast_path.h"

typedef union {
    double as_double;
    float as_float;
    npy_long as_long;
    npy_bool as_bool;
} Number;

/* The loop for data of such types; NULL where it has other types within. */
static const Loop *loop_for(const Loops *loops, PyArrayObject *data)
{
    int type = PyArray_TYPE(data);
    const Loop *loop;
    if ((type != NPY_DOUBLE && type != NPY_FLOAT && type != NPY_LONG && type != NPY_BOOL) || !PyArray_SIZE(data) ||
        !PyArray_IS_C_CONTIGUOUS(data) || !PyArray_ISBEHAVED_RO(data))
        return NULL;
    loop = &loops->loops[type];
    return loop->run && loop->result == type ? loop : NULL;
}

static Number as_number(int identity, int type)
{
    Number value = {0};
    if (type == NPY_DOUBLE)
        value.as_double = identity;
    else if (type == NPY_FLOAT)
        value.as_float = (float)identity;
    else if (type == NPY_LONG)
        value.as_long = identity;
    else
        value.as_bool = (npy_bool)identity;
    return value;
}

/* All elements together; NULL, without an exception, where that is not done here. `identity`: what it begins with,
   0 or 1, or -1 for the first element. */
PyObject *reduce_all(const Loops *loops, PyArrayObject *data, int identity)
{
    const Loop *loop = loop_for(loops, data);
    npy_intp count = PyArray_SIZE(data), size = PyArray_ITEMSIZE(data), steps[3] = {0, size, 0};
    char *begin = PyArray_BYTES(data);
    Number value;
    char *given[3] = {(char *)&value, begin, (char *)&value};
    if (!loop)
        return NULL;
    if (identity < 0) {
        memcpy(&value, begin, size);
        given[1] += size;
        count--;
    } else
        value = as_number(identity, PyArray_TYPE(data));
    if (count)
        loop->run(given, &count, steps, loop->data);
    return scalar_of_type((char *)&value, PyArray_TYPE(data));
}

/* Elements along an axis together; as `reduce_all`. `divides`: by how many they are, of float64. */
PyObject *reduce_along(const Loops *loops, PyArrayObject *data, int axis, int keeps, int identity, int divides)
{
    const Loop *loop = loop_for(loops, data);
    int nd = PyArray_NDIM(data), type = PyArray_TYPE(data), k, at = 0;
    npy_intp shape[MOST_AXES], outer = 1, inner = 1, size = PyArray_ITEMSIZE(data), count, steps[3], i, j;
    PyArrayObject *found;
    Number first = as_number(identity, type);
    char *from = PyArray_BYTES(data), *to;
    axis += axis < 0 ? nd : 0;
    if (!loop || axis < 0 || axis >= nd || nd > MOST_AXES)
        return NULL;
    count = PyArray_DIM(data, axis);
    for (k = 0; k < nd; k++) {
        if (k != axis || keeps)
            shape[at++] = k == axis ? 1 : PyArray_DIM(data, k);
        if (k < axis)
            outer *= PyArray_DIM(data, k);
        else if (k > axis)
            inner *= PyArray_DIM(data, k);
    }
    found = at ? (PyArrayObject *)PyArray_SimpleNew(at, shape, type) : NULL;
    if (!found)
        return NULL;
    to = PyArray_BYTES(found);
    for (i = 0; i < outer; i++, to += inner * size) {
        npy_intp left = count;
        if (identity < 0) {
            memcpy(to, from, inner * size);
            from += inner * size;
            left--;
        } else
            for (j = 0; j < inner; j++)
                memcpy(to + j * size, &first, size);
        if (inner == 1) {
            char *given[3] = {to, from, to};
            steps[0] = steps[2] = 0;
            steps[1] = size;
            if (left)
                loop->run(given, &left, steps, loop->data);
            from += left * size;
        } else
            for (; left; left--, from += inner * size) {
                char *given[3] = {to, from, to};
                steps[0] = steps[1] = steps[2] = size;
                loop->run(given, &inner, steps, loop->data);
            }
    }
    if (divides) {
        double *mean = PyArray_DATA(found);
        for (i = 0; i < outer * inner; i++)
            mean[i] /= (double)count;
    }
    return (PyObject *)found;
}

#define ANY(ctype)                                                                                                   \
    for (k = 0; k < count; k++)                                                                                      \
        if ((((const ctype *)at)[k] != 0) != wanted)                                                                 \
            PyArrayScalar_RETURN_BOOL_FROM_LONG(!wanted);

/* Whether any element is true, or (`wanted`) all are: as `reduce_all`. */
PyObject *truth_of(PyArrayObject *data, int wanted)
{
    npy_intp k, count = PyArray_SIZE(data);
    const void *at = PyArray_DATA(data);
    if (!count || !PyArray_IS_C_CONTIGUOUS(data) || !PyArray_ISBEHAVED_RO(data))
        return NULL;
    switch (PyArray_TYPE(data)) {
    case NPY_DOUBLE:
        ANY(double)
        break;
    case NPY_FLOAT:
        ANY(float)
        break;
    case NPY_LONG:
        ANY(npy_long)
        break;
    default:
        return NULL;
    }
    PyArrayScalar_RETURN_BOOL_FROM_LONG(wanted);
}

/* The variance of float64 along an axis, or of all (an axis of -1 then), as `numpy.var` computes it: from the squares of
   what is left without the mean. As `reduce_along`, with whose loops it adds. `degrees`: of freedom that are lost. */
PyObject *variance(const Loops *loops, PyArrayObject *data, int axis, int of_all, int keeps, long degrees)
{
    PyObject *mean, *rest = NULL, *found = NULL;
    double count, left, *squares;
    npy_intp k, size = PyArray_SIZE(data);
    if (PyArray_TYPE(data) != NPY_DOUBLE || !size || (of_all && keeps))
        return NULL;
    axis += axis < 0 ? PyArray_NDIM(data) : 0;
    if (!of_all && (axis < 0 || axis >= PyArray_NDIM(data)))
        return NULL;
    count = of_all ? (double)size : (double)PyArray_DIM(data, axis);
    left = count - (double)degrees;
    if (left <= 0 || degrees < 0)
        return NULL;
    mean = of_all ? reduce_all(loops, data, 0) : reduce_along(loops, data, axis, 1, 0, 1);
    if (!mean)
        return NULL;
    if (of_all)
        PyArrayScalar_ASSIGN(mean, Double, PyArrayScalar_VAL(mean, Double) / count);
    rest = operate(PyNumber_Subtract, (PyObject *)data, mean);
    Py_DECREF(mean);
    if (!rest || !PyArray_CheckExact(rest)) {
        Py_XDECREF(rest);
        return NULL;
    }
    squares = PyArray_DATA((PyArrayObject *)rest);
    for (k = 0; k < size; k++)
        squares[k] *= squares[k];
    found = of_all ? reduce_all(loops, (PyArrayObject *)rest, 0)
                   : reduce_along(loops, (PyArrayObject *)rest, axis, keeps, 0, 0);
    Py_DECREF(rest);
    if (!found)
        return NULL;
    if (of_all)
        PyArrayScalar_ASSIGN(found, Double, PyArrayScalar_VAL(found, Double) / left);
    else {
        double *each = PyArray_DATA((PyArrayObject *)found);
        for (k = 0; k < PyArray_SIZE((PyArrayObject *)found); k++)
            each[k] /= left;
    }
    return found;
}

/* The square roots of what `variance` has given, in its place. */
PyObject *deviation(PyObject *found)
{
    npy_intp k;
    if (found && PyArray_Check(found)) {
        double *each = PyArray_DATA((PyArrayObject *)found);
        for (k = 0; k < PyArray_SIZE((PyArrayObject *)found); k++)
            each[k] = sqrt(each[k]);
    } else if (found)
        PyArrayScalar_ASSIGN(found, Double, sqrt(PyArrayScalar_VAL(found, Double)));
    return found;
}

/* One element after the other; rows of `inner` elements at once. What an element waits for stays in a register, which
   NumPy's loops write and read again. */
#define RUN(ctype, operator)                                                                                         \
    {                                                                                                                \
        const ctype *from = PyArray_DATA(data);                                                                      \
        ctype *to = PyArray_DATA(found), value;                                                                      \
        for (i = 0; i < outer; i++, from += count * inner, to += count * inner)                                      \
            if (inner == 1)                                                                                          \
                for (value = to[0] = from[0], k = 1; k < count; k++)                                                 \
                    to[k] = value = value operator from[k];                                                          \
            else                                                                                                     \
                for (memcpy(to, from, inner * sizeof(ctype)), k = inner; k < count * inner; k++)                     \
                    to[k] = to[k - inner] operator from[k];                                                          \
        break;                                                                                                       \
    }
#define RUN_EITHER(ctype)                                                                                            \
    if (identity) RUN(ctype, *) else RUN(ctype, +)

/* Running sums along an axis, or of all elements in order (`identity` 0), or products (1), as ``ufunc.accumulate``; NULL
   without an exception where that is not done here. */
PyObject *accumulate(PyArrayObject *data, int axis, int of_all, int identity)
{
    int nd = PyArray_NDIM(data), type = PyArray_TYPE(data);
    npy_intp outer = 1, inner = 1, count = PyArray_SIZE(data), i, k;
    PyArrayObject *found;
    axis += axis < 0 ? nd : 0;
    if (!count || !PyArray_IS_C_CONTIGUOUS(data) || !PyArray_ISBEHAVED_RO(data) || nd > MOST_AXES ||
        (type != NPY_DOUBLE && type != NPY_FLOAT && type != NPY_LONG) || (!of_all && (axis < 0 || axis >= nd)))
        return NULL;
    for (k = 0; !of_all && k < nd; k++)
        if (k < axis)
            outer *= PyArray_DIM(data, k);
        else if (k > axis)
            inner *= PyArray_DIM(data, k);
    found = (PyArrayObject *)PyArray_SimpleNew(of_all ? 1 : nd, of_all ? &count : PyArray_DIMS(data), type);
    if (!found)
        return NULL;
    count /= outer * inner;
    switch (type) {
    case NPY_DOUBLE:
        RUN_EITHER(double)
    case NPY_FLOAT:
        RUN_EITHER(float)
    default:
        RUN_EITHER(npy_ulong) /* (As NumPy's integers, it wraps around.) */
    }
    return (PyObject *)found;
}
