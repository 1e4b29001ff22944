/* The data of lazy arrays, where it is there and held as it is; new arrays that have data to themselves.

   All of this runs with the interpreter's lock held, and mostly no Python code between reading an array's data and
   being done with it: so nobody can make the array settle meanwhile, and borrowed references stay good. */

#include "fast_path.h"

Known known;

/* Operations on several ranks of which Python is told at once. */
#define TOLD_AT_ONCE 500

/* Where several ranks run the program, count an operation: all of them look for garbage after the same ones. */
static void count_on_ranks(void)
{
    static int counted;
    PyObject *found;
    if (++counted < TOLD_AT_ONCE)
        return;
    counted = 0;
    found = PyObject_CallFunction(known.counted, "i", TOLD_AT_ONCE);
    if (!found)
        PyErr_WriteUnraisable(known.counted);
    Py_XDECREF(found);
}

static int tell_ended(void *unused)
{
    PyObject *done = PyObject_CallNoArgs(known.ended);
    (void)unused;
    if (!done)
        PyErr_WriteUnraisable(known.ended);
    Py_XDECREF(done);
    return 0;
}

/* Whether arithmetic is little work. For a while more is than otherwise, where the program has looked at what it makes
   after an operation or two, again and again, or has not done much yet (`lazyarr.gains`). (Python is told of the end
   when nobody is in the middle of an operation.) */
int reaches(double work)
{
    if (known.base && work >= known.base && work < known.limit && !PyList_GET_SIZE(known.ranks) && --known.left < 0 &&
        Py_AddPendingCall(tell_ended, NULL) == 0) {
        known.limit = known.base;
        known.base = 0;
    }
    return work < known.limit;
}

/* What the limit is where nothing has been learnt, of arithmetic: it is that of other work at all times. */
double settled_limit(void)
{
    return known.base ? known.base : known.limit;
}

/* Whether a function is traced. */
int is_traced(void)
{
    PyObject *trace;
    if (PyContextVar_Get(known.tracing, Py_None, &trace) < 0) {
        PyErr_Clear();
        return 1;
    }
    Py_DECREF(trace);
    return trace != Py_None;
}

/* Whether there is anything to do here now: nothing is traced. */
int may_run(void)
{
    if (known.limit <= 0)
        return 0;
    if (PyList_GET_SIZE(known.ranks))
        count_on_ranks();
    return !is_traced();
}

static int is_layout(PyObject *tuple, int nd, const npy_intp *numbers)
{
    int axis;
    if (!tuple || !PyTuple_CheckExact(tuple) || PyTuple_GET_SIZE(tuple) != nd)
        return 0;
    for (axis = 0; axis < nd; axis++) {
        PyObject *n = PyTuple_GET_ITEM(tuple, axis);
        if (!PyLong_CheckExact(n) || PyLong_AsSsize_t(n) != numbers[axis])
            return 0;
    }
    return 1;
}

/* The data of an array's cell (borrowed), or what a view has seen of it, where it is held as it is; else NULL. */
PyObject *settled(PyObject *array)
{
    PyObject *cell = SLOT(array, array__cell), *value, *seen, *node, *data;
    if (!cell || SLOT(array, array__form) != Py_None)
        return NULL;
    value = SLOT(cell, cell_value);
    if (SLOT(array, array__parent) != Py_None) {
        seen = SLOT(array, array__seen);
        if (!seen || !PyTuple_CheckExact(seen) || PyTuple_GET_SIZE(seen) != 2 || PyTuple_GET_ITEM(seen, 0) != value)
            return NULL;
        value = PyTuple_GET_ITEM(seen, 1);
    }
    node = value && PyTuple_Check(value) ? PyTuple_GET_ITEM(value, 0) : NULL;
    data = node && Py_TYPE(node) == known.leaf ? SLOT(node, leaf_data) : NULL;
    if (!data || !PyArray_CheckExact(data) || PyErr_Occurred())
        return NULL;
    if (!is_layout(SLOT(array, array__shape), PyArray_NDIM((PyArrayObject *)data),
                   PyArray_DIMS((PyArrayObject *)data)))
        return NULL;
    /* (The layout of a result follows those of the operands.) */
    return !PyArray_NDIM((PyArrayObject *)data) ||
                   is_layout(SLOT(array, array__strides), PyArray_NDIM((PyArrayObject *)data),
                             PyArray_STRIDES((PyArrayObject *)data))
               ? data
               : NULL;
}

/* The data of the cell of an array (borrowed), which it may be a view of; NULL where it is not there. */
PyObject *data_of_cell(PyObject *array)
{
    PyObject *cell = SLOT(array, array__cell), *value = cell ? SLOT(cell, cell_value) : NULL, *node;
    node = value && PyTuple_Check(value) ? PyTuple_GET_ITEM(value, 0) : NULL;
    return node && Py_TYPE(node) == known.leaf ? SLOT(node, leaf_data) : NULL;
}

/* Whether an array that has settled is a view of what its cell holds. */
int is_view(PyObject *array)
{
    PyObject *parent = SLOT(array, array__parent);
    return parent && parent != Py_None && SLOT(array, array__form) == Py_None;
}

/* The data of an array's view, where its memory has not moved; else NULL. */
static PyObject *seen_by(PyObject *lent)
{
    PyObject *root = SLOT(lent, lent_root), *mine, *seen = SLOT(lent, lent_seen);
    /* (Of an array without axes an index gives a scalar.) */
    if (!seen || !PyArray_CheckExact(seen))
        return NULL;
    if (!root || Py_TYPE(root) != known.array)
        return NULL;
    mine = SLOT(root, array__mine);
    if (!mine || mine == Py_None)
        mine = SLOT(root, array__scalar) != Py_False ? NULL : is_view(root) ? data_of_cell(root) : settled(root);
    return mine && mine == SLOT(lent, lent_base) ? seen : NULL;
}

/* What an array reads (borrowed): an ndarray; NULL where that is not held as it is, and of scalars. */
PyObject *data_of(PyObject *array)
{
    PyObject *mine = SLOT(array, array__mine), *lent;
    if (mine && mine != Py_None)
        return mine;
    lent = SLOT(array, array__lent);
    if (lent && Py_TYPE(lent) == known.lent)
        return seen_by(lent);
    return SLOT(array, array__scalar) == Py_False ? settled(array) : NULL;
}

/* Data that somebody was shown is left to them, and a copy taken; 0 where Python has to do it. */
static int take_copy(PyObject *array, PyObject *mine)
{
    PyArrayObject *data = (PyArrayObject *)mine, *copy;
    int same, axis;
    if (!PyArray_CheckExact(mine) || (double)PyArray_SIZE(data) >= known.limit)
        return 0;
    Py_INCREF(mine);
    copy = (PyArrayObject *)PyArray_NewCopy(data, NPY_KEEPORDER);
    /* (Other threads may have run meanwhile.) */
    same = copy && SLOT(array, array__mine) == mine;
    for (axis = 0; same && axis < PyArray_NDIM(data); axis++)
        same = PyArray_STRIDE(copy, axis) == PyArray_STRIDE(data, axis);
    Py_DECREF(mine);
    if (!same) {
        PyErr_Clear();
        Py_XDECREF(copy);
        return 0;
    }
    SLOT(array, array__mine) = (PyObject *)copy;
    Py_DECREF(mine);
    return 1;
}

/* Data that somebody was shown, and nobody has any more, may be written to again: views of it refer to it. */
void reclaim(PyObject *mine)
{
#ifndef Py_GIL_DISABLED
    PyArrayObject *data = (PyArrayObject *)mine;
    if (PyArray_CheckExact(mine) && !PyArray_ISWRITEABLE(data) && Py_REFCNT(mine) == 1 && !PyArray_BASE(data) &&
        PyArray_CHKFLAGS(data, NPY_ARRAY_OWNDATA))
        PyArray_ENABLEFLAGS(data, NPY_ARRAY_WRITEABLE);
#endif
}

/* The ndarray that an array may write to in place (borrowed); NULL where there is none. */
PyObject *data_to_write(PyObject *array)
{
    PyObject *mine = SLOT(array, array__mine), *lent, *depth;
    if (mine && mine != Py_None)
        reclaim(mine);
    if (mine && PyArray_CheckExact(mine) && !PyArray_ISWRITEABLE((PyArrayObject *)mine) && take_copy(array, mine))
        mine = SLOT(array, array__mine);
    if (!mine || mine == Py_None) {
        lent = SLOT(array, array__lent);
        if (!lent || Py_TYPE(lent) != known.lent)
            return NULL;
        depth = SLOT(lent, lent_depth);
        if (!depth || PyLong_AsSsize_t(depth) >= known.deepest)
            return NULL;
        /* (What has settled, or what somebody was shown, is copied first.) */
        if (SLOT(SLOT(lent, lent_root), array__mine) != SLOT(lent, lent_base) ||
            !PyArray_ISWRITEABLE((PyArrayObject *)SLOT(lent, lent_base)))
            return NULL;
        mine = seen_by(lent);
    }
    return mine && PyArray_CheckExact(mine) && PyArray_ISWRITEABLE((PyArrayObject *)mine) ? mine : NULL;
}

/* Lazy arrays that nobody has any more, to be taken for new ones. */
static PyObject *pool[64];
static int pooled;
static destructor free_before;

/* A new lazy array without attributes. */
PyObject *new_array(void)
{
    PyObject *found;
    if (!pooled)
        return known.array->tp_alloc(known.array, 0);
    found = pool[--pooled];
    _Py_NewReference(found);
    PyObject_GC_Track(found);
    return found;
}

/* Whether an array has no attributes but data or a view of data, and no weak reference. */
int is_light(PyObject *array)
{
    Py_ssize_t place;
    /* (From Python 3.12 on the weak references stand before the object.) */
    if (known.array->tp_weaklistoffset && *PyObject_GET_WEAKREFS_LISTPTR(array))
        return 0;
    for (place = sizeof(PyObject); place < known.array->tp_basicsize; place += sizeof(PyObject *))
        if (*(PyObject **)((char *)array + place) && place != known.array__mine && place != known.array__lent)
            return 0;
    return 1;
}

static void free_array(PyObject *array)
{
    PyObject *mine, *lent;
    if (Py_TYPE(array) != known.array || pooled == sizeof(pool) / sizeof(pool[0]) || !is_light(array)) {
        /* (It looks for the first class that frees otherwise than it does, and would find this.) */
        known.array->tp_dealloc = free_before;
        free_before(array);
        known.array->tp_dealloc = free_array;
        return;
    }
    PyObject_GC_UnTrack(array);
    mine = SLOT(array, array__mine);
    lent = SLOT(array, array__lent);
    SLOT(array, array__mine) = SLOT(array, array__lent) = NULL;
    /* (It keeps its reference to the class.) */
    pool[pooled++] = array;
    Py_XDECREF(mine);
    Py_XDECREF(lent);
}

void install_pool(void)
{
    free_before = known.array->tp_dealloc;
    known.array->tp_dealloc = free_array;
}

/* A scalar as it is, but a lazy one where a definition of lazyarr's own goes on with it. Takes the reference. */
static PyObject *scalar_of(PyObject *scalar)
{
    PyObject *found;
    Py_ssize_t k = PyList_GET_SIZE(known.running);
    while (--k >= 0 && PyLong_AsUnsignedLong(PyList_GET_ITEM(known.running, k)) != PyThread_get_thread_ident())
        ;
    if (k < 0)
        return scalar;
    found = PyObject_CallFunctionObjArgs(known.lazy_scalar, scalar, Py_True, NULL);
    Py_DECREF(scalar);
    return found;
}

/* A new lazy array that has data to itself, or a scalar. Takes the reference. */
PyObject *array_of(PyObject *data)
{
    PyObject *found;
    if (!data)
        return NULL;
    if (!PyArray_Check(data))
        return scalar_of(data);
    found = new_array();
    if (!found) {
        Py_DECREF(data);
        return NULL;
    }
    SLOT(found, array__mine) = data;
    return found;
}
