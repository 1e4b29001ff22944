/* Reductions of contiguous data by the loops of a ufunc, as its `reduce` goes over it. */

#include "fast_path.h"

/* Elements of what is reduced along an axis here: NumPy's way over more of them is its own affair. */
#define MOST_ALONG 8192

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
    if (!loop || axis < 0 || axis >= nd || nd > MOST_AXES || PyArray_SIZE(data) > MOST_ALONG)
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
