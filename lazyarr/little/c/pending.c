/* New lazy arrays of values, which are pending or data: `LazyArray._new`, `Cell` and `Recording.hold`. */

#include "recording.h"

Recorder recorder;

/* The node of a value, and its type (borrowed); 0 with an exception where it is none. */
int node_and_type(PyObject *value, PyObject **node, PyObject **type)
{
    PyObject *types;
    Py_ssize_t index;
    if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2 ||
        !PyObject_TypeCheck(*node = PyTuple_GET_ITEM(value, 0), recorder.node) ||
        !(types = RECORDED(*node, node_types)) || !PyTuple_Check(types)) {
        PyErr_Format(PyExc_TypeError, "a value of a node is wanted, not %R", value);
        return 0;
    }
    index = PyLong_AsSsize_t(PyTuple_GET_ITEM(value, 1));
    if (index < 0 || index >= PyTuple_GET_SIZE(types)) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_IndexError, "%R has no such result", *node);
        return 0;
    }
    *type = PyTuple_GET_ITEM(types, index);
    if (Py_TYPE(*type) != recorder.type || !PyTuple_CheckExact(RECORDED(*type, type_shape))) {
        PyErr_Format(PyExc_TypeError, "%R is no type of a value", *type);
        return 0;
    }
    return 1;
}

/* A value: a result of a node. */
PyObject *value_of(PyObject *node, PyObject *index)
{
    PyObject *found = recorder.value->tp_alloc(recorder.value, 2);
    if (found) {
        PyTuple_SET_ITEM(found, 0, Py_NewRef(node));
        PyTuple_SET_ITEM(found, 1, Py_NewRef(index));
    }
    return found;
}

/* How many elements a shape has; -1 where data decides that. */
double elements_of_shape(PyObject *shape)
{
    double found = 1;
    Py_ssize_t axis;
    if (!shape || !PyTuple_CheckExact(shape))
        return -1;
    for (axis = 0; axis < PyTuple_GET_SIZE(shape); axis++) {
        PyObject *n = PyTuple_GET_ITEM(shape, axis);
        if (!PyLong_CheckExact(n))
            return -1;
        found *= PyLong_AsDouble(n);
    }
    if (PyErr_Occurred()) { /* (Of a length beyond doubles.) */
        PyErr_Clear();
        return -1;
    }
    return found;
}

/* The strides of new memory for a type: how many axes there are, or -1 where Python has to say it. */
int contiguous(PyObject *type, Py_ssize_t *strides)
{
    PyObject *shape = RECORDED(type, type_shape);
    Py_ssize_t count = PyTuple_GET_SIZE(shape), axis, step;
    int is_empty = 0;
    if (count > NPY_MAXDIMS || !PyArray_DescrCheck(RECORDED(type, type_dtype)))
        return -1;
    step = PyDataType_ELSIZE((PyArray_Descr *)RECORDED(type, type_dtype));
    for (axis = count - 1; axis >= 0; axis--) {
        PyObject *n = PyTuple_GET_ITEM(shape, axis);
        Py_ssize_t extent;
        if (!PyLong_CheckExact(n) || (extent = PyLong_AsSsize_t(n)) < 0) {
            PyErr_Clear();
            return -1;
        }
        strides[axis] = step;
        is_empty = is_empty || !extent;
        if (extent > 1 && step > PY_SSIZE_T_MAX / extent)
            return -1;
        step *= extent > 1 ? extent : 1;
    }
    for (axis = 0; is_empty && axis < count; axis++)
        strides[axis] = 0;
    return (int)count;
}

/* Whether a tuple has these numbers. */
int are_equal(PyObject *tuple, const Py_ssize_t *numbers, int count)
{
    int k;
    if (!tuple || !PyTuple_CheckExact(tuple) || PyTuple_GET_SIZE(tuple) != count)
        return 0;
    for (k = 0; k < count; k++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, k);
        Py_ssize_t number = PyLong_CheckExact(item) ? PyLong_AsSsize_t(item) : -1;
        if (number == -1 && PyErr_Occurred())
            PyErr_Clear();
        if (!PyLong_CheckExact(item) || number != numbers[k])
            return 0;
    }
    return 1;
}

PyObject *tuple_of(const Py_ssize_t *numbers, int count)
{
    PyObject *found = PyTuple_New(count);
    int k;
    for (k = 0; found && k < count; k++) {
        PyObject *number = PyLong_FromSsize_t(numbers[k]);
        if (number)
            PyTuple_SET_ITEM(found, k, number);
        else
            Py_CLEAR(found);
    }
    return found;
}

/* The strides of an array that is new, and not laid out otherwise. */
static PyObject *strides_of(PyObject *type)
{
    Py_ssize_t strides[NPY_MAXDIMS];
    PyObject *size, *found;
    int count = contiguous(type, strides);
    if (count >= 0)
        return tuple_of(strides, count);
    size = PyLong_FromLong(PyDataType_ELSIZE((PyArray_Descr *)RECORDED(type, type_dtype)));
    found = size ? PyObject_CallFunctionObjArgs(recorder.contiguous, RECORDED(type, type_shape), size, NULL) : NULL;
    Py_XDECREF(size);
    return found;
}

/* What is recorded in this thread, or by the accelerated call that runs (a new reference). */
static PyObject *recording(void)
{
    PyObject *traced;
    if (PyContextVar_Get(known.tracing, Py_None, &traced) < 0)
        return NULL;
    if (traced != Py_None)
        return traced;
    Py_DECREF(traced);
    return PyObject_GetAttr(recorder.threads, recorder.recording_name);
}

/* `Recording.hold` of large work that is not to be run yet; 0 where Python has to do it, -1 with an exception. */
static int held(PyObject *now, PyObject *cell, PyObject *node, PyObject *type)
{
    PyObject *count = RECORDED(now, recording_since_flush), *row = RECORDED(now, recording_little), *reference;
    PyObject *holders = RECORDED(now, recording_holders);
    long since;
    double size;
    int failed;
    if (RECORDED(now, recording_observer) != Py_None || !holders || !PyList_CheckExact(holders) || !count ||
        !PyLong_CheckExact(count) || known.limit < 0 || RECORDED(node, node_op) == recorder.update)
        return 0;
    since = PyLong_AsLong(count) + 1;
    size = elements_of_shape(RECORDED(type, type_shape));
    if (since < 1 || since > recorder.flush_after || size < known.limit || size < 0 || !row ||
        Py_TYPE(row) != recorder.row)
        return 0;
    reference = PyWeakref_NewRef(cell, NULL);
    failed = !reference || PyList_Append(holders, reference) < 0;
    Py_XDECREF(reference);
    count = failed ? NULL : PyLong_FromLong(since);
    if (!count)
        return -1;
    Py_XSETREF(RECORDED(now, recording_since_flush), count);
    if (RECORDED(row, row_in_a_row) != recorder.zero) {
        Py_XSETREF(RECORDED(row, row__found), Py_NewRef(recorder.zero));
        Py_XSETREF(RECORDED(row, row__most), Py_NewRef(recorder.most));
        Py_XSETREF(RECORDED(row, row_in_a_row), Py_NewRef(recorder.zero));
    }
    return 1;
}

/* `Cell(value)`. */
static PyObject *new_cell(PyObject *value, PyObject *node, PyObject *type)
{
    PyObject *now, *cell, *done;
    int is_held;
    now = recording();
    if (!now)
        return NULL;
    if (Py_TYPE(now) != recorder.recording || RECORDED(now, recording_cells) != Py_None) {
        Py_DECREF(now);
        return PyObject_CallOneArg((PyObject *)known.cell, value);
    }
    cell = known.cell->tp_alloc(known.cell, 0);
    if (cell) {
        SLOT(cell, cell_value) = Py_NewRef(value);
        is_held = PyObject_TypeCheck(node, known.leaf) ? 1 : held(now, cell, node, type);
        if (is_held == 0) {
            done = PyObject_CallMethodOneArg(now, recorder.hold_name, cell);
            is_held = done ? 1 : -1;
            Py_XDECREF(done);
        }
        if (is_held < 0)
            Py_CLEAR(cell);
    }
    Py_DECREF(now);
    return cell;
}

/* A new array that owns a value, of any strides (a reference that is taken) or of those of new memory. */
PyObject *array_of_value(PyObject *value, PyObject *strides, int is_scalar)
{
    PyObject *node, *type, *cell, *found;
    if (!node_and_type(value, &node, &type)) {
        Py_XDECREF(strides);
        return NULL;
    }
    if (!strides && !(strides = strides_of(type)))
        return NULL;
    /* (What comes with it may be replaced while other code runs.) */
    Py_INCREF(type);
    cell = new_cell(value, node, type);
    found = cell ? new_array() : NULL;
    if (!found) {
        Py_DECREF(type);
        Py_DECREF(strides);
        Py_XDECREF(cell);
        return NULL;
    }
    SLOT(found, array__cell) = cell;
    SLOT(found, array__dtype) = Py_NewRef(RECORDED(type, type_dtype));
    SLOT(found, array__form) = Py_NewRef(Py_None);
    SLOT(found, array__lent) = Py_NewRef(Py_None);
    SLOT(found, array__mine) = Py_NewRef(Py_None);
    SLOT(found, array__offset) = Py_NewRef(recorder.zero);
    SLOT(found, array__parent) = Py_NewRef(Py_None);
    SLOT(found, array__scalar) = Py_NewRef(is_scalar ? Py_True : Py_False);
    SLOT(found, array__seen) = Py_NewRef(Py_None);
    SLOT(found, array__shape) = Py_NewRef(RECORDED(type, type_shape));
    SLOT(found, array__step) = Py_NewRef(Py_None);
    SLOT(found, array__strides) = strides;
    SLOT(found, array__writeable) = Py_NewRef(is_scalar ? Py_False : Py_True);
    Py_DECREF(type);
    return found;
}

/* ``LazyArray._new(value, strides=None, scalar=False)`` */
PyObject *new_of_value(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *given[3] = {NULL, Py_None, Py_False};
    static const char *const known_names[] = {"value", "strides", "scalar"};
    Py_ssize_t k, j, named = names ? PyTuple_GET_SIZE(names) : 0;
    int is_scalar;
    (void)module;
    if (count + named > 3 || !count)
        return PyErr_Format(PyExc_TypeError, "_new() takes a value, strides and whether it is a scalar");
    memcpy(given, args, count * sizeof(PyObject *));
    for (k = 0; k < named; k++) {
        for (j = 1; j < 3 && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, k), known_names[j]); j++)
            ;
        if (j == 3 || j < count)
            return PyErr_Format(PyExc_TypeError, "_new() got an unexpected argument %R", PyTuple_GET_ITEM(names, k));
        given[j] = args[count + k];
    }
    is_scalar = PyObject_IsTrue(given[2]);
    if (is_scalar < 0)
        return NULL;
    return array_of_value(given[0], given[1] == Py_None ? NULL : Py_NewRef(given[1]), is_scalar);
}

/* What `install_recording` takes: see module.c. */
int install_recorder(PyObject *args)
{
    Recorder given = {.flush_after = -1};
    if (!PyArg_ParseTuple(args, "O!O!O!O!O!OOOOOOO!O!OOO", &PyType_Type, &given.node, &PyType_Type, &given.value,
                          &PyType_Type, &given.type, &PyType_Type, &given.recording, &PyType_Type, &given.row,
                          &given.most, &given.threads, &given.update, &given.record, &given.contiguous, &given.look_at,
                          &PyDict_Type, &given.leaves, &PyDict_Type, &given.scalars, &given.cast, &given.number,
                          &given.kept_order))
        return -1;
#define FIND(type, name)                                                                                             \
    given.type##_##name = place_of(given.type, #name);                                                               \
    if (given.type##_##name < 0)                                                                                     \
        return -1;
    given.leaf = known.leaf;
    RECORDED_PLACES(FIND)
    given.zero = PyLong_FromLong(0);
    given.recording_name = PyUnicode_InternFromString("recording");
    given.hold_name = PyUnicode_InternFromString("hold");
    given.assign_name = PyUnicode_InternFromString("_assign");
    if (!given.zero || !given.recording_name || !given.hold_name || !given.assign_name)
        return -1;
    /* (They stay for as long as the process does.) */
    Py_INCREF(args);
    given.flush_after = recorder.flush_after;
    recorder = given;
    return 0;
}
