/* Element-wise work on large arrays, which is recorded: the shortest way there.

   The methods of operators, and calls of ufuncs, look for much that cannot be where the operands are lazy arrays and
   Python's numbers, and one of them is too large to be little work, or is not computed. What is plain is recorded here,
   as `Ufunc._plain_of_pending` and `_into_pending` do (lazyarr.numpy._ufunc), which are asked otherwise. */

#include "recording.h"

#include <float.h>
#include <math.h>

/* The elements of an array; -1 where that is not known here. */
static double elements_of(PyObject *array)
{
    PyObject *data = data_of(array);
    if (data)
        return (double)PyArray_SIZE((PyArrayObject *)data);
    return SLOT(array, array__cell) ? elements_of_shape(SLOT(array, array__shape)) : -1;
}

/* Whether an array has a value that is not computed. */
int is_pending(PyObject *array)
{
    PyObject *cell = SLOT(array, array__cell), *value = cell ? SLOT(cell, cell_value) : NULL;
    return value && PyTuple_Check(value) && Py_TYPE(PyTuple_GET_ITEM(value, 0)) != known.leaf;
}

/* Whether this process alone runs the program, and nothing is traced. */
int may_record(void)
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

/* Of a NumPy scalar, a value of data of its dtype (borrowed): it is an operand as an array without axes. NULL, with or
   without an exception, of all else. */
static PyObject *like_scalar(PyObject *x)
{
    return recorder.scalars ? PyDict_GetItemWithError(recorder.scalars, (PyObject *)Py_TYPE(x)) : NULL;
}

/* Whether operands are arrays and numbers, and what NumPy is not to do at once. */
static int are_to_be_recorded(const Loops *own, PyObject *const *operands, int count)
{
    int k, found = 0;
    for (k = 0; k < count; k++) {
        double size;
        PyObject *data, *dtype;
        if (PyFloat_CheckExact(operands[k]) || PyLong_CheckExact(operands[k]))
            continue;
        if (Py_TYPE(operands[k]) != known.array) {
            if (!like_scalar(operands[k]))
                return 0;
            continue;
        }
        if (is_pending(operands[k])) {
            found = 1;
            continue;
        }
        if (SLOT(operands[k], array__scalar) == Py_True)
            continue; /* (Of these alone operators are not the ufunc's.) */
        size = elements_of(operands[k]);
        if (size < 0)
            return 0;
        data = data_of(operands[k]);
        dtype = data ? (PyObject *)PyArray_DESCR((PyArrayObject *)data) : SLOT(operands[k], array__dtype);
        if (!dtype || !PyArray_DescrCheck(dtype))
            return 0;
        found = found || size * weight_of_type(own, ((PyArray_Descr *)dtype)->type_num) >= known.limit;
    }
    return found;
}

/* -- what is plain -- */

/* The dtypes of loops for two dtypes, or Python's types. */
typedef struct {
    PyObject *x, *y, *dtypes;
} Pair;

#define PAIRS 4

struct Plain {
    PyObject *op, *loops;
    int looks_at_ints;
    Pair pairs[PAIRS]; /* some of the loops, those found last */
    int next;
};

/* How plain calls are recorded: see `install_calls` in module.c. NULL with an exception on failure. */
struct Plain *plain_of(PyObject *op, PyObject *loops, int looks_at_ints)
{
    struct Plain *found = PyMem_Calloc(1, sizeof(struct Plain));
    if (!found)
        return (struct Plain *)PyErr_NoMemory();
    found->op = Py_NewRef(op);
    found->loops = Py_NewRef(loops);
    found->looks_at_ints = looks_at_ints;
    return found;
}

/* The dtype of a value of data (borrowed). */
static PyObject *dtype_of_leaf(PyObject *value)
{
    PyObject *types = RECORDED(PyTuple_GET_ITEM(value, 0), node_types);
    return RECORDED(PyTuple_GET_ITEM(types, 0), type_dtype);
}

/* What decides of an operand which loop is taken (borrowed); NULL where it is not plain. */
static PyObject *kind_of(const struct Plain *plain, PyObject *x, PyObject *other)
{
    PyObject *dtype, *like;
    long number;
    int overflow;
    if (Py_TYPE(x) == known.array)
        return SLOT(x, array__dtype); /* (none of what is little) */
    if (Py_TYPE(other) != known.array)
        return NULL;
    if ((like = like_scalar(x)))
        return dtype_of_leaf(like);
    if (PyErr_Occurred())
        return NULL;
    if (PyFloat_CheckExact(x) || !plain->looks_at_ints)
        return (PyObject *)Py_TYPE(x);
    /* (Whether the array's dtype has it.) */
    dtype = SLOT(other, array__dtype);
    number = PyLong_AsLongAndOverflow(x, &overflow);
    if (!dtype || !PyArray_DescrCheck(dtype) || overflow || number < 0 || number >= 128)
        return NULL;
    return strchr("iuf", ((PyArray_Descr *)dtype)->kind) ? (PyObject *)Py_TYPE(x) : NULL;
}

/* The dtypes of a loop (borrowed); NULL, with or without an exception, where none has been found yet. */
static PyObject *loop_of(struct Plain *plain, PyObject *x, PyObject *y)
{
    PyObject *key, *found;
    Pair before;
    int k;
    for (k = 0; k < PAIRS; k++)
        if (plain->pairs[k].x == x && plain->pairs[k].y == y)
            return plain->pairs[k].dtypes;
    key = PyTuple_Pack(2, x, y);
    found = key ? PyDict_GetItemWithError(plain->loops, key) : NULL;
    Py_XDECREF(key);
    if (!found || !PyTuple_Check(found))
        return NULL;
    k = plain->next;
    plain->next = (k + 1) % PAIRS;
    before = plain->pairs[k];
    plain->pairs[k] = (Pair){Py_NewRef(x), Py_NewRef(y), Py_NewRef(found)};
    Py_XDECREF(before.x);
    Py_XDECREF(before.y);
    Py_XDECREF(before.dtypes);
    return found;
}

/* The value that an array has now (a new reference). */
PyObject *value_seen(PyObject *array)
{
    PyObject *cell = SLOT(array, array__cell), *stored = cell ? SLOT(cell, cell_value) : NULL, *seen;
    if (stored && SLOT(array, array__form) == Py_None) {
        if (SLOT(array, array__parent) == Py_None)
            return Py_NewRef(stored);
        seen = SLOT(array, array__seen);
        if (seen && PyTuple_CheckExact(seen) && PyTuple_GET_SIZE(seen) > 1 && PyTuple_GET_ITEM(seen, 0) == stored)
            return Py_NewRef(PyTuple_GET_ITEM(seen, 1));
        if ((seen = read_of(array, stored)) || PyErr_Occurred())
            return seen;
    }
    return PyObject_CallOneArg(recorder.look_at, array);
}

/* Whether `value_of_number` makes values of a type. */
int is_type_of_numbers(PyObject *type)
{
    PyObject *dtype = Py_TYPE(type) == recorder.type ? RECORDED(type, type_dtype) : NULL;
    PyObject *like = dtype ? PyDict_GetItemWithError(recorder.leaves, dtype) : NULL;
    PyObject *types = like ? RECORDED(PyTuple_GET_ITEM(like, 0), node_types) : NULL;
    return types && PyTuple_GET_ITEM(types, 0) == type;
}

/* New data without axes, as a value of the kind of another; its memory is to be filled. */
static PyObject *number_like(PyObject *like, void **memory)
{
    PyObject *node = PyTuple_GET_ITEM(like, 0), *dtype = dtype_of_leaf(like), *array, *leaf, *found;
    array = PyArray_NewFromDescr(&PyArray_Type, (PyArray_Descr *)Py_NewRef(dtype), 0, NULL, NULL, NULL, 0, NULL);
    leaf = array ? known.leaf->tp_alloc(known.leaf, 0) : NULL;
    if (!leaf) {
        Py_XDECREF(array);
        return NULL;
    }
    *memory = PyArray_DATA((PyArrayObject *)array);
#define SAME(name) RECORDED(leaf, name) = Py_XNewRef(RECORDED(node, name));
    SAME(node_op) SAME(node_operands) SAME(node_attrs) SAME(node_known) SAME(node_kw) SAME(node_types) SAME(node_lines)
    SAME(leaf_constant)
#undef SAME
    RECORDED(leaf, leaf_data) = array;
    found = value_of(leaf, recorder.zero);
    Py_DECREF(leaf);
    return found;
}

/* A float as data (a new reference): what `scalar_value` of lazyarr.convert gives. */
PyObject *value_of_number(PyObject *x, PyObject *dtype)
{
    PyObject *like = PyFloat_CheckExact(x) ? PyDict_GetItemWithError(recorder.leaves, dtype) : NULL, *found;
    int is_single = like && PyDataType_ELSIZE((PyArray_Descr *)dtype) == sizeof(float);
    void *memory;
    /* (NumPy warns of what is too large for a dtype.) */
    if (!like || (is_single && fabs(PyFloat_AS_DOUBLE(x)) > FLT_MAX))
        return PyErr_Occurred() ? NULL : PyObject_CallFunctionObjArgs(recorder.number, x, dtype, NULL);
    found = number_like(like, &memory);
    if (found && is_single)
        *(float *)memory = (float)PyFloat_AS_DOUBLE(x);
    else if (found)
        *(double *)memory = PyFloat_AS_DOUBLE(x);
    return found;
}

/* An operand as data, or as what is recorded (a new reference). */
static PyObject *value_of_operand(PyObject *x, PyObject *dtype)
{
    PyObject *like, *found;
    void *memory;
    if (Py_TYPE(x) == known.array)
        return value_seen(x);
    like = like_scalar(x);
    if (!like)
        return PyErr_Occurred() ? NULL : value_of_number(x, dtype);
    found = number_like(like, &memory);
    if (found)
        PyArray_ScalarAsCtype(x, memory);
    return found;
}

/* An operand as a value of a dtype (a new reference). */
static PyObject *value_as(PyObject *x, PyObject *dtype)
{
    PyObject *value = value_of_operand(x, dtype), *node, *type;
    if (!value)
        return NULL;
    if (!node_and_type(value, &node, &type))
        Py_CLEAR(value);
    else if (RECORDED(type, type_dtype) != dtype)
        Py_SETREF(value, PyObject_CallFunctionObjArgs(recorder.cast, value, dtype, NULL));
    return value;
}

/* Whether the shapes of two operands are known, or equal. */
static int are_shaped(PyObject *x, PyObject *y)
{
    PyObject *one, *other;
    if (Py_TYPE(x) != known.array || Py_TYPE(y) != known.array)
        return 1;
    one = SLOT(x, array__shape);
    other = SLOT(y, array__shape);
    return one == other || (elements_of_shape(one) >= 0 && elements_of_shape(other) >= 0);
}

/* `Ufunc._plain_node` (a new reference); NULL, with or without an exception, where it is left to Python. `into`: to
   what it is written, else NULL. */
static PyObject *plain_node(struct Plain *plain, PyObject *const *operands, int count, PyObject *into)
{
    PyObject *x = operands[0], *y = operands[count - 1], *kinds[2], *dtypes, *values, *found;
    int k;
    for (k = 0; k < count; k++)
        if (Py_TYPE(operands[k]) == known.array && settle_lent(operands[k]) < 0)
            return NULL;
    if (recorder.flush_after < 0 || !(kinds[0] = kind_of(plain, x, y)) || !(kinds[1] = kind_of(plain, y, x)) ||
        !(dtypes = loop_of(plain, kinds[0], kinds[1])) || PyTuple_GET_SIZE(dtypes) != count + 1 || !are_shaped(x, y))
        return NULL;
    if (into && (SLOT(into, array__dtype) != PyTuple_GET_ITEM(dtypes, count) || SLOT(into, array__scalar) != Py_False ||
                 SLOT(into, array__writeable) != Py_True))
        return NULL;
    values = PyTuple_New(count);
    if (!values)
        return NULL;
    /* (What is called may find other loops.) */
    Py_INCREF(dtypes);
    for (k = 0; k < count; k++) {
        PyObject *value = value_as(operands[k], PyTuple_GET_ITEM(dtypes, k));
        if (!value)
            break;
        PyTuple_SET_ITEM(values, k, value);
    }
    Py_DECREF(dtypes);
    found = k == count ? PyObject_CallFunctionObjArgs(recorder.record, plain->op, values, NULL) : NULL;
    Py_DECREF(values);
    return found;
}

/* Whether no axis of an array steps further than one before it: as `_steps_in_c_order` of lazyarr.strides. */
static int steps_in_c_order(PyObject *shape, PyObject *strides)
{
    Py_ssize_t axis, inner = 0;
    if (!shape || !strides || !PyTuple_CheckExact(shape) || !PyTuple_CheckExact(strides) ||
        PyTuple_GET_SIZE(shape) != PyTuple_GET_SIZE(strides))
        return 0;
    for (axis = PyTuple_GET_SIZE(shape) - 1; axis >= 0; axis--) {
        PyObject *n = PyTuple_GET_ITEM(shape, axis), *s = PyTuple_GET_ITEM(strides, axis);
        Py_ssize_t extent, step;
        if (!PyLong_CheckExact(n) || !PyLong_CheckExact(s))
            return 0;
        extent = PyLong_AsSsize_t(n);
        step = PyLong_AsSsize_t(s);
        if (PyErr_Occurred()) {
            PyErr_Clear();
            return 0;
        }
        if (!step || extent == 1)
            continue;
        step = step < 0 ? -step : step;
        if (step < inner)
            return 0;
        inner = step;
    }
    return 1;
}

/* The strides of a result, which has the order of the arrays it is made of (a new reference). */
static PyObject *strides_of_result(PyObject *type, PyObject *const *operands, int count)
{
    Py_ssize_t strides[NPY_MAXDIMS];
    PyObject *same = NULL, *all, *size, *found;
    int k, nd = contiguous(type, strides);
    for (k = 0; nd >= 0 && k < count; k++) {
        if (Py_TYPE(operands[k]) != known.array)
            continue;
        if (are_equal(SLOT(operands[k], array__strides), strides, nd))
            same = SLOT(operands[k], array__strides);
        else if (nd > 1 && !steps_in_c_order(SLOT(operands[k], array__shape), SLOT(operands[k], array__strides)))
            break;
    }
    if (nd >= 0 && k == count)
        return same ? Py_NewRef(same) : tuple_of(strides, nd);
    size = PyLong_FromLong((long)PyDataType_ELSIZE((PyArray_Descr *)RECORDED(type, type_dtype)));
    all = PyTuple_New(count);
    for (k = 0; all && k < count; k++)
        PyTuple_SET_ITEM(all, k, Py_NewRef(operands[k]));
    found = all && size ? PyObject_CallFunctionObjArgs(recorder.kept_order, all, RECORDED(type, type_shape), size, NULL)
                        : NULL;
    Py_XDECREF(all);
    Py_XDECREF(size);
    return found;
}

/* `Ufunc._plain_of_pending`; NULL, with or without an exception, where it is left to Python. */
static PyObject *plainly(struct Plain *plain, PyObject *const *operands, int count)
{
    PyObject *node = plain_node(plain, operands, count, NULL), *value, *type, *strides, *found = NULL;
    Py_ssize_t axes;
    if (!node)
        return NULL;
    value = value_of(node, recorder.zero);
    if (value && node_and_type(value, &node, &type)) {
        axes = PyTuple_GET_SIZE(RECORDED(type, type_shape));
        /* (Complex scalars are rounded otherwise by operators.) */
        if (axes || ((PyArray_Descr *)RECORDED(type, type_dtype))->kind != 'c') {
            strides = strides_of_result(type, operands, count);
            found = strides ? array_of_value(value, strides, !axes) : NULL;
        }
    }
    Py_DECREF(node);
    Py_XDECREF(value);
    return found;
}

/* `Ufunc._into_pending`; NULL, with or without an exception, where it is left to Python. */
static PyObject *plainly_into(struct Plain *plain, PyObject *const *operands, int count)
{
    PyObject *node = plain_node(plain, operands, count, operands[0]), *value, *type, *done = NULL;
    int same;
    if (!node)
        return NULL;
    value = value_of(node, recorder.zero);
    if (value && node_and_type(value, &node, &type)) {
        same = PyObject_RichCompareBool(RECORDED(type, type_shape), SLOT(operands[0], array__shape), Py_EQ);
        done = same > 0 ? PyObject_CallMethodOneArg(operands[0], recorder.assign_name, value) : NULL;
    }
    Py_DECREF(node);
    Py_XDECREF(value);
    if (!done)
        return NULL;
    Py_DECREF(done);
    return Py_NewRef(operands[0]);
}

/* -- -- */

typedef PyObject *(*Plainly)(struct Plain *plain, PyObject *const *operands, int count);

/* ``by(*operands)``; NULL, with or without an exception, where that is not for such operands, or gives None. */
static PyObject *recorded_by(PyObject *by, Plainly plainly, const Loops *own, PyObject *const *operands, int count)
{
    PyObject *found;
    if (!by || !may_record() || !are_to_be_recorded(own, operands, count))
        return NULL;
    found = own->plain ? plainly(own->plain, operands, count) : NULL;
    if (!found && !PyErr_Occurred())
        found = PyObject_Vectorcall(by, operands, count, NULL);
    if (found == Py_None)
        Py_CLEAR(found);
    return found;
}

/* What is recorded of an operator or a ufunc; NULL, with or without an exception, where it goes the general way. */
PyObject *recorded(const Loops *own, PyObject *const *operands, int count)
{
    return own ? recorded_by(own->recorder, plainly, own, operands, count) : NULL;
}

/* The same of an operator that writes to the first operand. */
PyObject *recorded_into(const Loops *own, PyObject *const *operands, int count)
{
    return own && Py_TYPE(operands[0]) == known.array ? recorded_by(own->writer, plainly_into, own, operands, count)
                                                      : NULL;
}
