/* Calls of functions that are like one before: what lazyarr.recipes keeps of these is recorded from here. */

#include "recording.h"

/* What the Python side has told: see `install_recipes` in module.c. */
static struct {
    PyObject *by_types, *floats; /* functions, and those of them of which floats are operands */
    PyObject *recipes;           /* what is kept, by calls' keys */
    PyObject *make, *constant;   /* ``make(op, operands, attrs)``: a node; the operation that is not credited to a line */
    PyTypeObject *unset;         /* the class of what stands for an argument that is not given */
    PyObject *hex_name;
} own;

/* Arguments, and operations of one recipe. */
#define MOST_ARGUMENTS 12
#define MOST_STEPS 64

/* A call as `lazyarr.recipes.Call` has it: its arrays and its floats (borrowed). */
typedef struct {
    PyObject *arrays[MOST_ARGUMENTS], *floats[MOST_ARGUMENTS];
    int count, count_floats, are_operands;
} Call;

/* `_token` of lazyarr.recipes (a new reference); NULL, with or without an exception, where there is none. */
static PyObject *token(PyObject *x, Call *call)
{
    Py_ssize_t k;
    if (Py_TYPE(x) == known.array) {
        double size = settle_lent(x) < 0 ? -1 : elements_of_shape(SLOT(x, array__shape));
        if (!SLOT(x, array__cell) || size <= 0 || size < known.limit)
            return NULL;
        for (k = 0; k < call->count; k++)
            if (SLOT(call->arrays[k], array__cell) == SLOT(x, array__cell))
                return NULL;
        call->arrays[call->count++] = x;
        return PyTuple_Pack(4, SLOT(x, array__dtype), SLOT(x, array__shape), SLOT(x, array__strides),
                            SLOT(x, array__scalar));
    }
    if (PyFloat_CheckExact(x)) {
        PyObject *text, *found;
        if (call->are_operands) {
            call->floats[call->count_floats++] = x;
            return Py_NewRef((PyObject *)Py_TYPE(x));
        }
        text = PyObject_CallMethodNoArgs(x, own.hex_name);
        found = text ? PyTuple_Pack(2, Py_TYPE(x), text) : NULL;
        Py_XDECREF(text);
        return found;
    }
    if (PyTuple_CheckExact(x)) {
        for (k = 0; k < PyTuple_GET_SIZE(x); k++)
            if (!PyLong_CheckExact(PyTuple_GET_ITEM(x, k)))
                return NULL;
        return PyTuple_Pack(2, Py_TYPE(x), x);
    }
    if (PyLong_CheckExact(x) || PyBool_Check(x) || PyUnicode_CheckExact(x) || x == Py_None || Py_TYPE(x) == own.unset)
        return PyTuple_Pack(2, Py_TYPE(x), x);
    return PyType_Check(x) || PyArray_DescrCheck(x) ? PyTuple_Pack(2, &PyType_Type, x) : NULL;
}

/* What is kept of calls like this one (borrowed); NULL, with or without an exception, where that is nothing. */
static PyObject *recipe_of(PyObject *function, PyObject *const *args, Py_ssize_t count, PyObject *names, Call *call)
{
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0, k, at = 0;
    PyObject *key, *found = NULL;
    int is_one = PySet_Contains(own.by_types, function);
    if (is_one <= 0 || count + named > MOST_ARGUMENTS)
        return NULL;
    call->are_operands = PySet_Contains(own.floats, function);
    key = call->are_operands < 0 ? NULL : PyTuple_New(1 + count + 2 * named);
    if (!key)
        return NULL;
    PyTuple_SET_ITEM(key, at++, Py_NewRef(function));
    for (k = 0; k < count + named; k++) {
        PyObject *of_argument = token(args[k], call);
        if (!of_argument)
            break;
        if (k >= count)
            PyTuple_SET_ITEM(key, at++, Py_NewRef(PyTuple_GET_ITEM(names, k - count)));
        PyTuple_SET_ITEM(key, at++, of_argument);
    }
    if (k == count + named && call->count)
        found = PyDict_GetItemWithError(own.recipes, key);
    Py_DECREF(key);
    return found;
}

/* The value of a step (a new reference). */
static PyObject *value_of_step(PyObject *step, PyObject *const *values, Py_ssize_t count)
{
    PyObject *op = PyTuple_GET_ITEM(step, 0), *places = PyTuple_GET_ITEM(step, 2), *given[3], *found;
    PyObject *operands = PyTuple_New(PyTuple_GET_SIZE(places)), *node;
    Py_ssize_t k;
    for (k = 0; operands && k < PyTuple_GET_SIZE(places); k++) {
        Py_ssize_t place = PyLong_AsSsize_t(PyTuple_GET_ITEM(places, k));
        if (place < 0 || place >= count) {
            PyErr_Format(PyExc_ValueError, "no such value in a recipe: %R", step);
            Py_CLEAR(operands);
            break;
        }
        PyTuple_SET_ITEM(operands, k, Py_NewRef(values[place]));
    }
    if (!operands)
        return NULL;
    given[0] = op;
    given[1] = operands;
    given[2] = PyTuple_GET_ITEM(step, 1);
    node = PyObject_Vectorcall(op == own.constant ? own.make : recorder.record, given, 3, NULL);
    Py_DECREF(operands);
    found = node ? value_of(node, recorder.zero) : NULL;
    Py_XDECREF(node);
    return found;
}

static int are_steps(PyObject *steps)
{
    Py_ssize_t k;
    for (k = 0; k < PyTuple_GET_SIZE(steps); k++) {
        PyObject *step = PyTuple_GET_ITEM(steps, k);
        if (!PyTuple_Check(step) || PyTuple_GET_SIZE(step) != 3 || !PyTuple_Check(PyTuple_GET_ITEM(step, 2)))
            return 0;
    }
    return k > 0;
}

/* `Call.again`; NULL, with or without an exception, where it is left to Python. */
static PyObject *again(PyObject *recipe, const Call *call)
{
    PyObject *floats = PyTuple_GET_ITEM(recipe, 0), *steps = PyTuple_GET_ITEM(recipe, 1);
    PyObject *values[2 * MOST_ARGUMENTS + MOST_STEPS], *found = NULL;
    Py_ssize_t count = 0, k, total = PyTuple_GET_SIZE(steps);
    if (total > MOST_STEPS || PyTuple_GET_SIZE(floats) != call->count_floats || !are_steps(steps))
        return NULL;
    for (k = 0; k < call->count_floats; k++)
        if (!is_type_of_numbers(PyTuple_GET_ITEM(floats, k)))
            return NULL;
    for (k = 0; k < call->count && (values[count] = value_seen(call->arrays[k])); k++)
        count++;
    for (k = 0; k < call->count_floats && !PyErr_Occurred(); k++) {
        values[count] = value_of_number(call->floats[k], RECORDED(PyTuple_GET_ITEM(floats, k), type_dtype));
        count += values[count] != NULL;
    }
    for (k = 0; k < total && !PyErr_Occurred(); k++) {
        values[count] = value_of_step(PyTuple_GET_ITEM(steps, k), values, count);
        count += values[count] != NULL;
    }
    if (!PyErr_Occurred()) {
        PyObject *strides = PyTuple_GET_ITEM(recipe, 2);
        found = array_of_value(values[count - 1], Py_NewRef(strides), PyTuple_GET_ITEM(recipe, 3) == Py_True);
    }
    while (--count >= 0)
        Py_DECREF(values[count]);
    return found;
}

/* What a call of one of NumPy's functions records that is like one before; NULL, with or without an exception, where
   there was none. */
PyObject *recalled(PyObject *function, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Call call = {.count = 0};
    PyObject *recipe, *found;
    if (!own.recipes || recorder.flush_after < 0 || !may_record())
        return NULL;
    recipe = recipe_of(function, args, count, names, &call);
    if (!recipe || !PyTuple_Check(recipe) || PyTuple_GET_SIZE(recipe) != 4)
        return NULL;
    Py_INCREF(recipe);
    found = again(recipe, &call);
    Py_DECREF(recipe);
    return found;
}

/* What `install_recipes` takes: see module.c. */
int install_recalling(PyObject *args)
{
    PyObject *unset;
    if (!PyArg_ParseTuple(args, "O!O!O!OOO", &PySet_Type, &own.by_types, &PySet_Type, &own.floats, &PyDict_Type,
                          &own.recipes, &own.make, &own.constant, &unset) ||
        !(own.hex_name = PyUnicode_InternFromString("hex"))) {
        own.recipes = NULL;
        return -1;
    }
    /* (They stay for as long as the process does.) */
    Py_INCREF(args);
    own.unset = Py_TYPE(unset);
    return 0;
}
