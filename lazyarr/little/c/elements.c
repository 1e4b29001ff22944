/* Elements and views of little data, and writes to them. */

#include "fast_path.h"

static int is_whole_number(PyObject *key)
{
    return PyLong_CheckExact(key) || PyArray_IsScalar(key, Integer);
}

static int is_bound(PyObject *bound)
{
    return bound == Py_None || is_whole_number(bound);
}

static int is_basic(PyObject *key)
{
    if (is_whole_number(key) || key == Py_None || key == Py_Ellipsis)
        return 1;
    return PySlice_Check(key) && is_bound(((PySliceObject *)key)->start) && is_bound(((PySliceObject *)key)->stop) &&
           is_bound(((PySliceObject *)key)->step);
}

/* Whether an index is basic, and how many elements of it are whole numbers if all are, else -1. */
static int is_basic_index(PyObject *key, Py_ssize_t *numbers)
{
    Py_ssize_t k, count, whole = 0;
    if (!PyTuple_CheckExact(key)) {
        *numbers = is_whole_number(key) ? 1 : -1;
        return is_basic(key);
    }
    count = PyTuple_GET_SIZE(key);
    for (k = 0; k < count; k++) {
        PyObject *part = PyTuple_GET_ITEM(key, k);
        if (!is_basic(part))
            return 0;
        whole += is_whole_number(part);
    }
    *numbers = whole == count ? count : -1;
    return 1;
}

/* Where the one element stands that an index names; NULL where it is outside. */
static char *element(PyArrayObject *data, PyObject *key)
{
    char *at = PyArray_BYTES(data);
    int axis, nd = PyArray_NDIM(data);
    for (axis = 0; axis < nd; axis++) {
        PyObject *part = PyTuple_CheckExact(key) ? PyTuple_GET_ITEM(key, axis) : key;
        npy_intp n = PyArray_DIM(data, axis), index;
        if (Py_TYPE(part) == &PyLongArrType_Type)
            index = PyArrayScalar_VAL(part, Long);
        else {
            index = PyLong_CheckExact(part) ? PyLong_AsSsize_t(part) : PyNumber_AsSsize_t(part, PyExc_IndexError);
            if (index == -1 && PyErr_Occurred()) {
                PyErr_Clear();
                return NULL;
            }
        }
        index += index < 0 ? n : 0;
        if (index < 0 || index >= n)
            return NULL;
        at += index * PyArray_STRIDE(data, axis);
    }
    return at;
}

/* A lazy array that is a view of another: what `lazyarr.little.data.lend` makes. Takes the view alone. */
static PyObject *lend(PyObject *parent, PyObject *given, PyObject *look, PyObject *how, PyObject *again,
                      PyObject *view)
{
    PyObject *lent = NULL, *found = NULL, *above = NULL, *base, *depth;
    if ((!SLOT(parent, array__mine) || SLOT(parent, array__mine) == Py_None) && SLOT(parent, array__lent) != Py_None)
        above =
            Py_XNewRef(SLOT(parent, array__lent)); /* (Allocations collect garbage, whose code may do anything.) */
    base = !above && (!SLOT(parent, array__mine) || SLOT(parent, array__mine) == Py_None) && is_view(parent)
               ? data_of_cell(parent)
               : NULL;
    base = Py_NewRef(base ? base : given);
    depth = PyLong_FromSsize_t(above ? PyLong_AsSsize_t(SLOT(above, lent_depth)) + 1 : 1);
    if (depth)
        lent = known.lent->tp_alloc(known.lent, 0);
    if (lent)
        found = new_array();
    if (found) {
        SLOT(lent, lent_root) = Py_NewRef(above ? SLOT(above, lent_root) : parent);
        SLOT(lent, lent_base) = Py_NewRef(above ? SLOT(above, lent_base) : base);
        SLOT(lent, lent_depth) = Py_NewRef(depth);
        SLOT(lent, lent_parent) = Py_NewRef(parent);
        SLOT(lent, lent_look) = Py_NewRef(look);
        SLOT(lent, lent_how) = Py_NewRef(how);
        SLOT(lent, lent_again) = Py_NewRef(again);
        SLOT(lent, lent_given) = Py_NewRef(given);
        SLOT(lent, lent_seen) = Py_NewRef(view);
        SLOT(found, array__mine) = Py_NewRef(Py_None);
        SLOT(found, array__lent) = Py_NewRef(lent);
    }
    Py_XDECREF(above);
    Py_DECREF(base);
    Py_XDECREF(depth);
    Py_XDECREF(lent);
    Py_DECREF(view);
    return found;
}

/* Whether the data of an array may be lent: its own, what is lent to it and not too deep, or what has settled. */
static int may_be_lent(PyObject *array)
{
    PyObject *lent;
    if (SLOT(array, array__mine) && SLOT(array, array__mine) != Py_None)
        return 1;
    lent = SLOT(array, array__lent);
    if (lent && Py_TYPE(lent) == known.lent)
        return PyLong_AsSsize_t(SLOT(lent, lent_depth)) < known.deepest;
    return SLOT(array, array__writeable) == Py_True && (SLOT(array, array__parent) == Py_None || is_view(array));
}

/* The data of an array of positions or of a mask (borrowed); NULL for any other index. */
PyObject *selection(PyObject *key)
{
    PyObject *data = Py_TYPE(key) == known.array ? data_of(key) : key;
    PyArrayObject *array = (PyArrayObject *)data;
    int known_kind = data && PyArray_CheckExact(data) && PyArray_NDIM(array) &&
                     (PyArray_ISBOOL(array) || PyArray_ISINTEGER(array));
    return known_kind ? data : NULL;
}

/* Elements of ``data[where]`` at most. */
static double selected(PyArrayObject *data, PyArrayObject *where)
{
    double size = (double)PyArray_SIZE(data), count = (double)PyArray_SIZE(where);
    if (PyArray_ISBOOL(where))
        return size;
    return PyArray_NDIM(data) && size ? count * size / (double)PyArray_DIM(data, 0) : count;
}

/* Whether a list names positions, few of them. */
static int lists_positions(PyObject *list)
{
    Py_ssize_t k, count = PyList_CheckExact(list) ? PyList_GET_SIZE(list) : 0;
    if (!count || count > MOST_LISTED)
        return 0;
    for (k = 0; k < count; k++)
        if (!PyLong_CheckExact(PyList_GET_ITEM(list, k)))
            return 0;
    return 1;
}

/* A tuple that selects, with the data of its arrays (a new reference), and how many elements it selects at most; NULL,
   without an exception, for others. */
static PyObject *selecting_tuple(PyArrayObject *data, PyObject *key, double *size)
{
    Py_ssize_t k, n = PyTuple_GET_SIZE(key);
    double count = 1, rest = (double)PyArray_SIZE(data);
    PyObject *found;
    int axis = 0, used, are_flat = 1;
    if (!rest || !(found = PyTuple_New(n)))
        return NULL;
    for (k = 0; k < n; k++) {
        PyObject *part = PyTuple_GET_ITEM(key, k), *own = part;
        double given = 1;
        used = part != Py_None;
        if (PyList_CheckExact(part) && lists_positions(part))
            given = (double)PyList_GET_SIZE(part);
        else if (!is_basic(part)) {
            own = selection(part);
            used = own && PyArray_ISBOOL((PyArrayObject *)own) ? PyArray_NDIM((PyArrayObject *)own) : 1;
            given = own ? (double)PyArray_SIZE((PyArrayObject *)own) : 0;
            are_flat = are_flat && own && (PyArray_NDIM((PyArrayObject *)own) == 1 || PyArray_ISBOOL((PyArrayObject *)own));
        }
        /* (After an ellipsis, axes are counted from the end.) */
        if (!own || part == Py_Ellipsis || axis + used > PyArray_NDIM(data)) {
            Py_DECREF(found);
            return NULL;
        }
        PyTuple_SET_ITEM(found, k, Py_NewRef(own));
        /* (Arrays are broadcast: vectors of one length to as many, others at most to the product.) */
        count = are_flat && given == count ? count : count * given;
        if (!is_basic(part) || is_whole_number(part))
            for (; used; used--, axis++)
                rest /= (double)PyArray_DIM(data, axis);
        axis += used;
    }
    *size = count * rest;
    return found;
}

/* An index that selects: positions, a mask, or a tuple with such; as `selecting_tuple`. */
static PyObject *selecting(PyArrayObject *data, PyObject *key, double *size)
{
    PyObject *where;
    if (PyTuple_CheckExact(key))
        return selecting_tuple(data, key, size);
    if (lists_positions(key) && PyArray_SIZE(data) && PyArray_NDIM(data)) {
        *size = (double)PyList_GET_SIZE(key) * (double)PyArray_SIZE(data) / (double)PyArray_DIM(data, 0);
        return Py_NewRef(key);
    }
    where = selection(key);
    if (!where)
        return NULL;
    *size = selected(data, (PyArrayObject *)where);
    return Py_NewRef(where);
}

/* What an index selects, in memory of its own: where a slice stands before positions NumPy turns what it has copied. */
static PyObject *in_own_memory(PyObject *found)
{
    PyArrayObject *array = (PyArrayObject *)found, *copy;
    if (!found || !PyArray_CheckExact(found) || !PyArray_BASE(array))
        return found;
    copy = (PyArrayObject *)PyArray_NewCopy(array, NPY_KEEPORDER);
    if (copy && !PyArray_CompareLists(PyArray_STRIDES(copy), PyArray_STRIDES(array), PyArray_NDIM(array)))
        Py_CLEAR(copy);
    if (!copy) {
        PyErr_Clear();
        return found;
    }
    Py_DECREF(found);
    return (PyObject *)copy;
}

static PyObject *get_selected(PyObject *self, PyObject *key)
{
    PyObject *data = data_of(self), *where, *found = NULL;
    double size;
    if (!data)
        return NULL;
    Py_INCREF(data);
    where = selecting((PyArrayObject *)data, key, &size);
    if (where && size * known.unfused < settled_limit()) {
        if (PyArray_Check(where))
            found = PyArray_ISBOOL((PyArrayObject *)where)
                        ? select_by((PyArrayObject *)data, (PyArrayObject *)where)
                        : take_by((PyArrayObject *)data, (PyArrayObject *)where);
        if (!found && !PyErr_Occurred())
            found = in_own_memory(operate(PyObject_GetItem, data, where));
        if (!found)
            PyErr_Clear(); /* (Python says what is wrong.) */
    }
    Py_XDECREF(where);
    Py_DECREF(data);
    return found ? new_result(found) : NULL;
}

/* Keep other threads from making arrays settle: NumPy lets them run while it writes. -1 with an exception on failure.
 */
int begin_write(void)
{
    PyObject *done = PyObject_CallNoArgs(known.acquire);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* (An exception that is there stays.) */
int end_write(void)
{
    PyObject *done, *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    done = PyObject_CallNoArgs(known.release);
    Py_XDECREF(done);
    if (done)
        PyErr_Restore(type, value, traceback);
    return done ? 0 : -1;
}

static int set_selected(PyObject *self, PyObject *key, PyObject *value)
{
    PyObject *data, *where, *own;
    Operand operand;
    double size;
    int done = 0;
    if (!PyTuple_CheckExact(key) && !PyList_CheckExact(key) && !selection(key))
        return 0;
    if (begin_write() < 0)
        return -1;
    data = Py_XNewRef(data_to_write(self));
    where = data ? selecting((PyArrayObject *)data, key, &size) : NULL;
    /* (To make a tuple may collect garbage, whose code may do anything.) */
    if (where && data_to_write(self) == data && size * known.unfused < settled_limit() && operand_of(value, &operand) &&
        as_type(&operand, PyArray_TYPE((PyArrayObject *)data))) {
        own = Py_TYPE(value) == known.array ? data_of(value) : value;
        if (own) {
            Py_INCREF(own);
            done = (PyArray_CheckExact(own) && PyArray_Check(where) &&
                    put_by((PyArrayObject *)data, (PyArrayObject *)where, (PyArrayObject *)own)) ||
                   PyObject_SetItem(data, where, own) == 0;
            Py_DECREF(own);
            PyErr_Clear(); /* (Python says what is wrong.) */
        }
    }
    Py_XDECREF(where);
    Py_XDECREF(data);
    return end_write() < 0 ? -1 : done;
}

/* Of a list NumPy makes an array of the type that it is written to, which casts otherwise than arrays are cast. */
static int set_listed(PyObject *self, PyObject *key, PyObject *value, int is_basic)
{
    PyObject *data, *where;
    int done = 0;
    if (!lists_numbers(value) || !(is_basic || selection(key)))
        return 0;
    if (begin_write() < 0)
        return -1;
    data = data_to_write(self);
    where = is_basic ? key : selection(key);
    if (data && where && (double)PyArray_SIZE((PyArrayObject *)data) < known.limit) {
        Py_INCREF(data);
        Py_INCREF(where);
        done = PyObject_SetItem(data, where, value) == 0;
        Py_DECREF(where);
        Py_DECREF(data);
        PyErr_Clear(); /* (Python says what is wrong.) */
    }
    return end_write() < 0 ? -1 : done;
}

/* What a view sees of much that is there (borrowed), as `lazyarr.little.data.seen_now` has noted it; else NULL. */
static PyObject *much_seen(PyObject *array)
{
    PyObject *mine = SLOT(array, array__mine), *cell = SLOT(array, array__cell), *seen = SLOT(array, array__seen), *data;
    if (mine != Py_None || SLOT(array, array__lent) != Py_None || !cell || SLOT(array, array__scalar) != Py_False ||
        !is_view(array) || !seen || !PyTuple_CheckExact(seen) || PyTuple_GET_SIZE(seen) != 3 ||
        PyTuple_GET_ITEM(seen, 0) != SLOT(cell, cell_value))
        return NULL;
    data = data_of_cell(array);
    return data && PyArray_CheckExact(data) && PyArray_CheckExact(PyTuple_GET_ITEM(seen, 2)) ? PyTuple_GET_ITEM(seen, 2)
                                                                                            : NULL;
}

/* ``self[key]``; NULL without an exception where that is not done here. */
PyObject *get_item(PyObject *self, PyObject *key)
{
    PyObject *data, *how, *found = NULL;
    PyArrayObject *array;
    Py_ssize_t numbers;
    if (!may_run())
        return NULL;
    if (!is_basic_index(key, &numbers))
        return get_selected(self, key);
    data = data_of(self);
    if (!data && !(data = much_seen(self)))
        return NULL;
    if (data == SLOT(self, array__mine))
        reclaim(data); /* (The view that is lent will refer to it.) */
    Py_INCREF(data);
    array = (PyArrayObject *)data;
    if (numbers == PyArray_NDIM(array)) {
        char *at = element(array, key);
        if (at)
            found = array_of(PyArray_Scalar(at, PyArray_DESCR(array), data));
    } else if (may_be_lent(self)) {
        PyObject *view = PyObject_GetItem(data, key);
        if (view && !PyArray_CheckExact(view))
            Py_CLEAR(view);
        if (view) {
            how = PyTuple_Pack(1, key);
            found = how ? lend(self, data, known.look, how, Py_None, view) : NULL;
            Py_XDECREF(how);
        }
    }
    if (!found)
        PyErr_Clear(); /* (Python says what is wrong.) */
    Py_DECREF(data);
    return found;
}

/* Whether NumPy has made a view of an array, and not a copy. */
static int is_part(PyArrayObject *view, PyObject *data)
{
    PyObject *base = PyArray_BASE(view);
    return base && (base == data || base == PyArray_BASE((PyArrayObject *)data));
}

/* A view as a method gives it: ``look(self, *how)``, of NumPy's arrays ``again(data, *how)``; NULL, without an
   exception, where it is a copy, as it may be, or not lent here. */
PyObject *lent_by(PyObject *self, PyObject *look, PyObject *again, PyObject *const *how, Py_ssize_t count,
                  int may_copy)
{
    PyObject *data = data_of(self), *view, *given[MOST_AXES + 1], *kept, *found = NULL;
    Py_ssize_t k;
    if (!data || count > MOST_AXES || !may_be_lent(self) ||
        (may_copy && !PyArray_IS_C_CONTIGUOUS((PyArrayObject *)data) &&
         (double)PyArray_SIZE((PyArrayObject *)data) >= known.limit))
        return NULL;
    if (data == SLOT(self, array__mine))
        reclaim(data); /* (The view that is lent will refer to it.) */
    given[0] = Py_NewRef(data);
    for (k = 0; k < count; k++)
        given[k + 1] = how[k];
    view = PyObject_Vectorcall(again, given, count + 1, NULL);
    if (!view)
        leave_to_python();
    else if (view == data) {
        Py_DECREF(view);
        found = Py_NewRef(self);
    } else if (!PyArray_CheckExact(view) || !PyArray_NDIM((PyArrayObject *)view) ||
               !is_part((PyArrayObject *)view, data))
        Py_DECREF(view);
    else {
        kept = PyTuple_New(count);
        for (k = 0; kept && k < count; k++)
            PyTuple_SET_ITEM(kept, k, Py_NewRef(how[k]));
        found = kept ? lend(self, data, look, kept, again, view) : NULL;
        Py_XDECREF(kept);
    }
    Py_DECREF(data);
    return found;
}

/* ``self[key] = value``; 0 where that is not done here, -1 with an exception. */
int set_item(PyObject *self, PyObject *key, PyObject *value)
{
    PyObject *data, *view = NULL;
    PyArrayObject *array;
    Operand operand;
    Py_ssize_t numbers;
    int done = 0, is_basic;
    if (!may_run())
        return 0;
    is_basic = is_basic_index(key, &numbers);
    if (IS_LIST(value))
        return set_listed(self, key, value, is_basic);
    if (!is_basic)
        return set_selected(self, key, value);
    /* (From here on nothing is allocated that would collect garbage, until the data is written.) */
    data = data_to_write(self);
    if (!data || !operand_of(value, &operand))
        return 0;
    array = (PyArrayObject *)data;
    if (numbers != PyArray_NDIM(array))
        view = PyObject_GetItem(data, key);
    else if (!operand.nd && PyArray_ISBEHAVED(array) && as_type(&operand, PyArray_TYPE(array))) {
        char *at = element(array, key);
        if (at)
            memcpy(at, operand.data, PyArray_ITEMSIZE(array));
        done = at != NULL;
    }
    if (view && PyArray_CheckExact(view) && PyArray_SIZE((PyArrayObject *)view) < known.limit)
        done = assign((PyArrayObject *)view, &operand);
    PyErr_Clear(); /* (Python says what is wrong.) */
    Py_XDECREF(view);
    return done;
}
