/* What is added at positions, one after the other, as a ufunc's `at` adds it. */

#include "fast_path.h"

/* Where elements are written: an index array for each axis. */
typedef struct {
    char *data;
    int nd;
    const npy_intp *dims, *strides;
    const npy_long *index[MOST_AXES];
    npy_intp count;
    int is_plain; /* one axis without gaps, and no index that counts from its end */
} Places;

/* An index array of one axis (borrowed); NULL for any other. */
static PyArrayObject *index_array(PyObject *key)
{
    PyObject *data = Py_TYPE(key) == known.array ? data_of(key) : key;
    PyArrayObject *array = (PyArrayObject *)data;
    return data && PyArray_CheckExact(data) && PyArray_NDIM(array) == 1 && PyArray_TYPE(array) == NPY_LONG &&
                   PyArray_IS_C_CONTIGUOUS(array) && PyArray_ISBEHAVED_RO(array)
               ? array
               : NULL;
}

/* The places that a key says, all of them within bounds; 0 where it says other ones. */
static int places_of(PyArrayObject *x, PyObject *key, Places *found)
{
    PyObject *const *keys = PyTuple_CheckExact(key) ? ((PyTupleObject *)key)->ob_item : &key;
    Py_ssize_t nd = PyTuple_CheckExact(key) ? PyTuple_GET_SIZE(key) : 1;
    int axis;
    npy_intp k;
    if (nd != PyArray_NDIM(x) || nd > MOST_AXES || !nd)
        return 0;
    *found = (Places){.data = PyArray_BYTES(x), .nd = (int)nd, .dims = PyArray_DIMS(x), .strides = PyArray_STRIDES(x)};
    for (axis = 0; axis < nd; axis++) {
        PyArrayObject *index = index_array(keys[axis]);
        npy_intp n = PyArray_DIM(x, axis);
        const npy_long *at;
        npy_ulong before = 0, below = 0, above = 0;
        if (!index || (axis && PyArray_DIM(index, 0) != found->count) || may_overlap(x, index))
            return 0;
        found->count = PyArray_DIM(index, 0);
        at = found->index[axis] = PyArray_DATA(index);
        /* (Signs, all at once.) */
        for (k = 0; k < found->count; k++) {
            before |= (npy_ulong)at[k];
            below |= (npy_ulong)at[k] + (npy_ulong)n;
            above |= (npy_ulong)(n - 1) - (npy_ulong)at[k];
        }
        if ((npy_long)(below | above) < 0)
            return 0;
        found->is_plain = nd == 1 && (npy_long)before >= 0 && found->strides[0] == PyArray_ITEMSIZE(x);
    }
    return 1;
}

static inline char *place(const Places *places, npy_intp k)
{
    char *at = places->data;
    int axis;
    for (axis = 0; axis < places->nd; axis++) {
        npy_intp index = places->index[axis][k];
        at += (index + (index < 0 ? places->dims[axis] : 0)) * places->strides[axis];
    }
    return at;
}

#define SCATTER(name, type, sign)                                                                                    \
    static void name(const Places *places, const char *values, npy_intp step)                                        \
    {                                                                                                                \
        npy_intp k, n = places->count;                                                                               \
        const npy_long *at = places->index[0];                                                                       \
        type *to = (type *)places->data;                                                                             \
        if (places->is_plain && step == sizeof(type))                                                                \
            for (k = 0; k < n; k++)                                                                                  \
                to[at[k]] sign((const type *)values)[k];                                                             \
        else if (places->is_plain)                                                                                   \
            for (k = 0; k < n; k++, values += step)                                                                  \
                to[at[k]] sign *(const type *)values;                                                                \
        else                                                                                                         \
            for (k = 0; k < n; k++, values += step)                                                                  \
                *(type *)place(places, k) sign *(const type *)values;                                                \
    }
SCATTER(add_double, double, +=)
SCATTER(add_float, float, +=)
SCATTER(add_long, npy_ulong, +=) /* (which wraps around) */
SCATTER(subtract_double, double, -=)
SCATTER(subtract_float, float, -=)
SCATTER(subtract_long, npy_ulong, -=)

/* ``add.at(x, key, values)``, or `subtract`, by the ufunc's name; 0 where it is not done here, and nothing is. */
int scatter(const char *name, PyArrayObject *x, PyObject *key, PyObject *values)
{
    int type = PyArray_TYPE(x), subtracts = strcmp(name, "subtract") == 0;
    Operand operand;
    Places places;
    void (*add)(const Places *, const char *, npy_intp);
    if ((!subtracts && strcmp(name, "add") != 0) || !PyArray_ISBEHAVED(x) || !places_of(x, key, &places) ||
        (double)places.count * known.unfused >= settled_limit())
        return 0;
    if (type == NPY_DOUBLE)
        add = subtracts ? subtract_double : add_double;
    else if (type == NPY_FLOAT)
        add = subtracts ? subtract_float : add_float;
    else if (type == NPY_LONG)
        add = subtracts ? subtract_long : add_long;
    else
        return 0;
    /* (Beside other types Python's numbers are arrays of their own here: double precision, then.) */
    if (!operand_of(values, &operand) || (operand.number && type == NPY_FLOAT) || !as_type(&operand, type) ||
        operand.nd > 1 || (operand.nd && operand.dims[0] != places.count))
        return 0;
    if (operand.is_array && operand.holder && PyArray_Check(operand.holder) &&
        may_overlap(x, (PyArrayObject *)operand.holder))
        return 0;
    add(&places, operand.data, operand.nd ? operand.strides[0] : 0);
    return 1;
}
