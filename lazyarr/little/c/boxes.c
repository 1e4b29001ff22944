/* Basic indices of large arrays, as views: which part of memory they are is found once for arrays of one shape.

   `lazyarr.indexing.boxed` finds it; here it is kept, by shape, strides and index. */

#include "recording.h"

/* What the Python side has told: see `install_boxes` in module.c. */
static struct {
    PyObject *find;            /* `lazyarr.indexing.boxed` */
    PyTypeObject *step;        /* `lazyarr.views.Box`, */
    Py_ssize_t reads;          /* and where it has the attributes of the operations that read it */
    PyObject *slice, *reshape; /* these */
    PyObject *settle_name;
} own;

#define MOST_ITEMS 6

/* An item of an index: an int, the numbers of a slice, an ellipsis or a new axis. */
typedef struct {
    int kind, given; /* (bits: which numbers of a slice are not None) */
    long numbers[3];
} Item;

/* A view as arrays of one shape and strides have it. */
typedef struct {
    PyObject *shape, *strides; /* of these arrays */
    Item items[MOST_ITEMS];
    int count;
    PyObject *step, *new_shape, *new_strides, *offset;
} Box;

#define BOXES 256
static Box boxes[BOXES];

static int number_of(PyObject *x, long *found)
{
    int overflow;
    if (!PyLong_CheckExact(x))
        return 0;
    *found = PyLong_AsLongAndOverflow(x, &overflow);
    return !overflow;
}

/* What an index consists of: how many items, or -1 where it is another one, or gives a number of an array. */
static int items_of(PyObject *key, Py_ssize_t axes, Item *items)
{
    PyObject *const *given = PyTuple_CheckExact(key) ? ((PyTupleObject *)key)->ob_item : &key;
    Py_ssize_t count = PyTuple_CheckExact(key) ? PyTuple_GET_SIZE(key) : 1, k, ints = 0;
    int j;
    if (count > MOST_ITEMS)
        return -1;
    memset(items, 0, MOST_ITEMS * sizeof(Item));
    for (k = 0; k < count; k++) {
        PyObject *x = given[k];
        if (number_of(x, &items[k].numbers[0])) {
            ints++;
        } else if (PySlice_Check(x)) {
            PyObject *parts[3] = {((PySliceObject *)x)->start, ((PySliceObject *)x)->stop, ((PySliceObject *)x)->step};
            items[k].kind = 1;
            for (j = 0; j < 3; j++) {
                if (parts[j] == Py_None)
                    continue;
                if (!number_of(parts[j], &items[k].numbers[j]))
                    return -1;
                items[k].given |= 1 << j;
            }
        } else if (x == Py_Ellipsis) {
            items[k].kind = 2;
        } else if (x == Py_None) {
            items[k].kind = 3;
        } else {
            return -1;
        }
    }
    return ints == axes ? -1 : (int)count;
}

static int is_equal(PyObject *x, PyObject *y)
{
    return x == y ||
           (x && PyTuple_CheckExact(x) && PyTuple_CheckExact(y) && PyObject_RichCompareBool(x, y, Py_EQ) == 1);
}

/* Keep what has been found for an index. */
static int keep(Box *box, const Box *asked, PyObject *found)
{
    Box before = *box;
    if (!PyTuple_CheckExact(found) || PyTuple_GET_SIZE(found) != 4 || !PyLong_CheckExact(PyTuple_GET_ITEM(found, 3)))
        return 0;
    *box = *asked;
    Py_INCREF(box->shape);
    Py_INCREF(box->strides);
    box->step = Py_NewRef(PyTuple_GET_ITEM(found, 0));
    box->new_shape = Py_NewRef(PyTuple_GET_ITEM(found, 1));
    box->new_strides = Py_NewRef(PyTuple_GET_ITEM(found, 2));
    box->offset = Py_NewRef(PyTuple_GET_ITEM(found, 3));
    Py_XDECREF(before.shape);
    Py_XDECREF(before.strides);
    Py_XDECREF(before.step);
    Py_XDECREF(before.new_shape);
    Py_XDECREF(before.new_strides);
    Py_XDECREF(before.offset);
    return 1;
}

/* The view that an index is of an array which has settled, and is none itself; NULL, without an exception, where it is
   left to Python. */
static const Box *box_of(PyObject *array, PyObject *key)
{
    Box asked = {.shape = SLOT(array, array__shape), .strides = SLOT(array, array__strides)}, *box;
    size_t hash = 0;
    PyObject *found;
    int k, is_kept;
    if (!own.find || !SLOT(array, array__cell) || SLOT(array, array__form) != Py_None ||
        SLOT(array, array__parent) != Py_None || SLOT(array, array__scalar) != Py_False ||
        SLOT(array, array__offset) != recorder.zero || !asked.strides || elements_of_shape(asked.shape) < 1)
        return NULL;
    asked.count = items_of(key, PyTuple_GET_SIZE(asked.shape), asked.items);
    if (asked.count < 0)
        return NULL;
    for (k = 0; k < asked.count; k++) {
        const Item *item = &asked.items[k];
        hash = (hash ^ (size_t)item->numbers[0] ^ (size_t)item->numbers[1] << 8 ^ (size_t)item->numbers[2] << 16 ^
                (size_t)item->kind << 24 ^ (size_t)item->given << 26) *
               0x9E3779B97F4A7C15u;
        hash ^= hash >> 31;
    }
    for (k = 0; k < PyTuple_GET_SIZE(asked.shape); k++)
        hash = (hash ^ (size_t)PyLong_AsSsize_t(PyTuple_GET_ITEM(asked.shape, k))) * 0x9E3779B97F4A7C15u;
    box = &boxes[(hash ^ hash >> 31) % BOXES];
    if (box->step && box->count == asked.count && !memcmp(box->items, asked.items, sizeof(asked.items)) &&
        is_equal(box->shape, asked.shape) && is_equal(box->strides, asked.strides))
        return box;
    Py_INCREF(asked.shape);
    Py_INCREF(asked.strides);
    found = PyObject_CallFunctionObjArgs(own.find, asked.shape, asked.strides, key, NULL);
    is_kept = found && keep(box, &asked, found);
    Py_DECREF(asked.shape);
    Py_DECREF(asked.strides);
    Py_XDECREF(found);
    if (PyErr_Occurred()) {
        /* (Python says what is wrong.) */
        if (!PyErr_ExceptionMatches(PyExc_Exception))
            return NULL;
        PyErr_Clear();
    }
    return is_kept && box->step && SLOT(array, array__form) == Py_None ? box : NULL;
}

/* Have a new array, or one that is lent, be a view of another. */
static void become(PyObject *view, PyObject *array, const Box *box)
{
    /* (Nothing of this is set yet: nothing is freed that would run other code.) */
#define SET(name, value) Py_XSETREF(SLOT(view, array_##name), Py_NewRef(value))
    SET(_shape, box->new_shape);
    SET(_strides, box->new_strides);
    SET(_dtype, SLOT(array, array__dtype));
    SET(_cell, SLOT(array, array__cell));
    SET(_offset, box->offset);
    SET(_form, Py_None);
    SET(_parent, array);
    SET(_step, box->step);
    SET(_seen, Py_None);
    SET(_scalar, Py_False);
    SET(_mine, Py_None);
#undef SET
}

/* ``array[key]`` of a pending array, of which much is taken (of what is little `lazyarr.little.elements` knows more); NULL,
   with or without an exception, where it is left to Python. */
PyObject *boxed(PyObject *array, PyObject *key)
{
    const Box *box;
    PyObject *found, *writeable = SLOT(array, array__writeable);
    if (Py_TYPE(array) != known.array || !writeable || !is_pending(array) || !may_record() ||
        !(box = box_of(array, key)) || elements_of_shape(box->new_shape) < known.limit || !(found = new_array()))
        return NULL;
    /* (What is made may collect garbage, whose code may do anything.) */
    box = box_of(array, key);
    if (!box) {
        Py_DECREF(found);
        return NULL;
    }
    become(found, array, box);
    SLOT(found, array__writeable) = Py_NewRef(writeable);
    SLOT(found, array__lent) = Py_NewRef(Py_None);
    return found;
}

/* `LazyArray._settle` of what an index has lent; -1 with an exception. It does nothing where Python has to do it. */
int settle_lent(PyObject *view)
{
    PyObject *lent = SLOT(view, array__lent), *how, *parent;
    const Box *box;
    int done = 0;
    if (!lent || Py_TYPE(lent) != known.lent || !own.find)
        return 0;
    if (begin_write() < 0)
        return -1;
    /* (Another thread may have settled it meanwhile.) */
    lent = SLOT(view, array__lent);
    if (lent && Py_TYPE(lent) == known.lent && SLOT(lent, lent_look) == known.look) {
        Py_INCREF(lent);
        how = SLOT(lent, lent_how);
        parent = SLOT(lent, lent_parent);
        if (parent && Py_TYPE(parent) == known.array && how && PyTuple_CheckExact(how) && PyTuple_GET_SIZE(how) == 1) {
            if (!SLOT(parent, array__cell)) {
                PyObject *settled = PyObject_CallMethodNoArgs(parent, own.settle_name);
                done = settled ? 0 : -1;
                Py_XDECREF(settled);
            }
            box = done < 0 ? NULL : box_of(parent, PyTuple_GET_ITEM(how, 0));
            if (box && SLOT(view, array__lent) == lent) {
                become(view, parent, box);
                Py_XSETREF(SLOT(view, array__writeable), Py_NewRef(Py_True));
                /* (Last: other threads look at it first.) */
                Py_SETREF(SLOT(view, array__lent), Py_NewRef(Py_None));
            }
        }
        Py_DECREF(lent);
    }
    if (end_write() < 0)
        done = -1;
    return done;
}

/* A node of one operation, as a value (a new reference). Takes the reference to the operand. */
static PyObject *made_of(PyObject *op, PyObject *operand, PyObject *attrs)
{
    PyObject *given[3] = {op, PyTuple_New(1), attrs}, *node = NULL, *found;
    if (given[1]) {
        PyTuple_SET_ITEM(given[1], 0, operand);
        node = PyObject_Vectorcall(recorder.record, given, 3, NULL);
        Py_DECREF(given[1]);
    } else {
        Py_DECREF(operand);
    }
    found = node ? value_of(node, recorder.zero) : NULL;
    Py_XDECREF(node);
    return found;
}

/* What a large view sees of the value that its cell has (a new reference); NULL, with or without an exception, where
   it is left to Python. */
PyObject *read_of(PyObject *view, PyObject *stored)
{
    PyObject *parent = SLOT(view, array__parent), *step = SLOT(view, array__step), *reads, *found, *seen;
    double size;
    if (!own.find || !step || Py_TYPE(step) != own.step || !parent || Py_TYPE(parent) != known.array ||
        SLOT(parent, array__parent) != Py_None || SLOT(parent, array__form) != Py_None ||
        SLOT(parent, array__cell) != SLOT(view, array__cell))
        return NULL;
    reads = *(PyObject **)((char *)step + own.reads);
    size = elements_of_shape(SLOT(view, array__shape));
    if (!reads || !PyTuple_CheckExact(reads) || PyTuple_GET_SIZE(reads) != 2 || size < known.limit || size < 0 ||
        !may_record())
        return NULL;
    Py_INCREF(reads);
    Py_INCREF(stored);
    found = Py_NewRef(stored);
    if (PyTuple_GET_ITEM(reads, 0) != Py_None)
        found = made_of(own.slice, found, PyTuple_GET_ITEM(reads, 0));
    if (found && PyTuple_GET_ITEM(reads, 1) != Py_None)
        found = made_of(own.reshape, found, PyTuple_GET_ITEM(reads, 1));
    seen = found ? PyTuple_Pack(2, stored, found) : NULL;
    if (seen)
        Py_XSETREF(SLOT(view, array__seen), seen);
    else
        Py_CLEAR(found);
    Py_DECREF(reads);
    Py_DECREF(stored);
    return found;
}

/* What `install_boxes` takes: see module.c. */
int install_boxing(PyObject *args)
{
    PyObject *find;
    if (!PyArg_ParseTuple(args, "OO!OO", &find, &PyType_Type, &own.step, &own.slice, &own.reshape) ||
        (own.reads = place_of(own.step, "reads")) < 0 || !(own.settle_name = PyUnicode_InternFromString("_settle")))
        return -1;
    /* (They stay for as long as the process does.) */
    Py_INCREF(args);
    own.find = find;
    return 0;
}
