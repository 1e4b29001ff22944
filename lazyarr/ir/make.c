/* New nodes, and the lines that they stand for (see lazyarr.ir.node and lazyarr.source): what recording an operation
   mostly consists of. Python's functions do the same where nobody had a compiler at installation.

   The table of nodes does not refer to them. A node takes itself out where it dies, before anything of it is gone. */

#include "walk.h"

#include <stdint.h>

/* What the Python side has told: see `install_making` and `install_lines`. */
static struct {
    PyTypeObject *node;
    Py_ssize_t op, operands, attrs, known, kw, types, lines;
    PyObject *infer_of_values, *exact;         /* functions */
    PyObject *no_lines, *nothing, *dependent;  /* an empty frozenset and dictionary; a name */
    PyObject *internal, *is_internal;          /* whether files are lazyarr's own, by name; and what says it of others */
    PyObject *nowhere;                         /* the line where there is none of the user's */
} own;

/* -- the table of nodes -- */

typedef struct {
    Py_uhash_t hash;
    PyObject *node; /* (borrowed) */
} Entry;

static struct {
    Entry *entries;
    size_t mask, used;
    unsigned long changes;
} table;

static Py_uhash_t mixed(Py_uhash_t hash, Py_uhash_t with)
{
    hash = (hash ^ with) * (Py_uhash_t)0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

static Py_uhash_t of_address(const void *object)
{
    return (Py_uhash_t)((uintptr_t)object >> 4);
}

/* The node and the index of a value (borrowed); 0 with an exception where it is none. */
static int parts_of(PyObject *value, PyObject **node, long *index)
{
    if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2 ||
        !PyObject_TypeCheck(*node = PyTuple_GET_ITEM(value, 0), own.node) ||
        !PyLong_CheckExact(PyTuple_GET_ITEM(value, 1))) {
        PyErr_Format(PyExc_TypeError, "a value of a node is wanted, not %R", value);
        return 0;
    }
    *index = PyLong_AsLong(PyTuple_GET_ITEM(value, 1));
    return *index != -1 || !PyErr_Occurred();
}

/* 0 where it is not known, with an exception. */
static int hash_of(PyObject *op, PyObject *operands, PyObject *known, Py_uhash_t *found)
{
    Py_uhash_t hash = of_address(op);
    Py_ssize_t k;
    for (k = 0; k < PyTuple_GET_SIZE(operands); k++) {
        PyObject *node;
        long index;
        if (!parts_of(PyTuple_GET_ITEM(operands, k), &node, &index))
            return 0;
        hash = mixed(mixed(hash, of_address(node)), (Py_uhash_t)index);
    }
    if (!PyTuple_CheckExact(known) || PyTuple_GET_SIZE(known)) {
        Py_hash_t of_known = PyObject_Hash(known);
        if (of_known == -1)
            return 0;
        hash = mixed(hash, (Py_uhash_t)of_known);
    }
    *found = mixed(hash, 1);
    return 1;
}

/* Whether two tuples of values are equal; of the second it is known that it is one. */
static int are_same(PyObject *x, PyObject *y)
{
    Py_ssize_t k;
    if (x == y)
        return 1;
    if (!x || PyTuple_GET_SIZE(x) != PyTuple_GET_SIZE(y))
        return 0;
    for (k = 0; k < PyTuple_GET_SIZE(x); k++) {
        PyObject *one = PyTuple_GET_ITEM(x, k), *other = PyTuple_GET_ITEM(y, k);
        if (one != other && (PyTuple_GET_ITEM(one, 0) != PyTuple_GET_ITEM(other, 0) ||
                             PyLong_AsLong(PyTuple_GET_ITEM(one, 1)) != PyLong_AsLong(PyTuple_GET_ITEM(other, 1))))
            return 0;
    }
    return 1;
}

/* A node that is known (a new reference); NULL, with or without an exception, where there is none. */
static PyObject *find(PyObject *op, PyObject *operands, PyObject *known, Py_uhash_t hash)
{
    size_t k;
    unsigned long changes;
again:
    changes = table.changes;
    for (k = hash & table.mask; table.entries && table.entries[k].node; k = (k + 1) & table.mask) {
        PyObject *node = table.entries[k].node, *others;
        int same;
        /* (One that nobody has any more may wait to be freed.) */
        if (table.entries[k].hash != hash || Py_REFCNT(node) <= 0 || SLOT(node, own.op) != op ||
            !are_same(SLOT(node, own.operands), operands))
            continue;
        others = SLOT(node, own.known);
        if (others == known)
            return Py_NewRef(node);
        if (!others)
            continue;
        /* (Comparing may run Python code.) */
        Py_INCREF(node);
        same = PyObject_RichCompareBool(others, known, Py_EQ);
        if (same > 0)
            return node;
        Py_DECREF(node);
        if (same < 0)
            return NULL;
        if (changes != table.changes)
            goto again;
    }
    return NULL;
}

static void put(Entry *entries, size_t mask, Entry new)
{
    size_t k = new.hash & mask;
    while (entries[k].node)
        k = (k + 1) & mask;
    entries[k] = new;
}

static int insert(Py_uhash_t hash, PyObject *node)
{
    if (!table.entries || 2 * table.used > table.mask) {
        size_t size = table.entries ? 2 * (table.mask + 1) : 1024, k;
        Entry *entries = PyMem_Calloc(size, sizeof(Entry));
        if (!entries) {
            PyErr_NoMemory();
            return -1;
        }
        for (k = 0; table.entries && k <= table.mask; k++)
            if (table.entries[k].node)
                put(entries, size - 1, table.entries[k]);
        PyMem_Free(table.entries);
        table.entries = entries;
        table.mask = size - 1;
    }
    put(table.entries, table.mask, (Entry){hash, node});
    table.used++;
    table.changes++;
    return 0;
}

/* Take out what stands at a place, and move up what comes after it. */
static void take_out(size_t hole)
{
    size_t k = hole;
    for (;;) {
        size_t wanted;
        k = (k + 1) & table.mask;
        if (!table.entries[k].node)
            break;
        wanted = table.entries[k].hash & table.mask;
        if (((k - wanted) & table.mask) >= ((k - hole) & table.mask)) {
            table.entries[hole] = table.entries[k];
            hole = k;
        }
    }
    table.entries[hole].node = NULL;
    table.used--;
    table.changes++;
}

/* Nodes' ``tp_finalize``. */
static void forget(PyObject *node)
{
    PyObject *operands = SLOT(node, own.operands), *known = SLOT(node, own.known), *type, *value, *traceback;
    Py_uhash_t hash;
    size_t k;
    int is_hashed;
    if (!table.entries || !operands || !known)
        return;
    PyErr_Fetch(&type, &value, &traceback);
    is_hashed = hash_of(SLOT(node, own.op), operands, known, &hash);
    PyErr_Restore(type, value, traceback);
    if (is_hashed) {
        for (k = hash & table.mask; table.entries[k].node && table.entries[k].node != node; k = (k + 1) & table.mask)
            ;
    } else {
        for (k = 0; k < table.mask && table.entries[k].node != node; k++)
            ;
    }
    if (table.entries[k].node == node)
        take_out(k);
}

/* -- types of results -- */

#define MOST_TYPES 3

/* Types found lately: all but the results are what was given, and kept. */
typedef struct {
    PyObject *op, *known, *given[MOST_TYPES], *types, *kw;
} Inferred;

#define INFERRED 512
static Inferred inferred[INFERRED];

/* What keywords a node has (a new reference). */
static PyObject *keywords(PyObject *attrs)
{
    PyObject *found;
    if (!PyTuple_GET_SIZE(attrs))
        return Py_NewRef(own.nothing);
    found = PyDict_New();
    if (found && PyDict_MergeFromSeq2(found, attrs, 1) < 0)
        Py_CLEAR(found);
    return found;
}

/* Types of results, as `infer_of_values` gives them. */
static int infer_of_values(PyObject *op, PyObject *operands, PyObject *attrs, PyObject **types, PyObject **kw)
{
    *types = PyObject_CallFunctionObjArgs(own.infer_of_values, op, operands, attrs, NULL);
    *kw = *types ? keywords(attrs) : NULL;
    if (!*kw)
        Py_CLEAR(*types);
    return *kw ? 0 : -1;
}

/* Types of results, and keywords (new references). */
static int types_of(PyObject *op, PyObject *operands, PyObject *attrs, PyObject *known, PyObject **types, PyObject **kw)
{
    PyObject *given[MOST_TYPES] = {0}, *dependent;
    Py_ssize_t count = PyTuple_GET_SIZE(operands), k;
    Py_uhash_t hash = mixed(of_address(op), of_address(known));
    Inferred *entry;
    int is_dependent;
    if (count > MOST_TYPES || known != attrs)
        return infer_of_values(op, operands, attrs, types, kw);
    for (k = 0; k < count; k++) {
        PyObject *node, *of_node;
        long index;
        if (!parts_of(PyTuple_GET_ITEM(operands, k), &node, &index))
            return -1;
        of_node = SLOT(node, own.types);
        if (!of_node || !PyTuple_Check(of_node) || index < 0 || index >= PyTuple_GET_SIZE(of_node)) {
            PyErr_Format(PyExc_IndexError, "%R has no such result", node);
            return -1;
        }
        given[k] = PyTuple_GET_ITEM(of_node, index);
        hash = mixed(hash, of_address(given[k]));
    }
    entry = &inferred[mixed(hash, 1) % INFERRED];
    if (entry->op == op && entry->known == known && !memcmp(entry->given, given, sizeof(given))) {
        *types = Py_NewRef(entry->types);
        *kw = Py_NewRef(entry->kw);
        return 0;
    }
    if (infer_of_values(op, operands, attrs, types, kw) < 0)
        return -1;
    dependent = PyObject_GetAttr(op, own.dependent);
    is_dependent = dependent ? PyObject_IsTrue(dependent) : -1;
    Py_XDECREF(dependent);
    if (is_dependent < 0) {
        Py_CLEAR(*types);
        Py_CLEAR(*kw);
        return -1;
    }
    if (!is_dependent) {
        Inferred before = *entry;
        *entry = (Inferred){Py_NewRef(op), Py_NewRef(known), {0}, Py_NewRef(*types), Py_NewRef(*kw)};
        for (k = 0; k < MOST_TYPES; k++)
            entry->given[k] = Py_XNewRef(given[k]);
        /* (What is freed may run other code.) */
        Py_XDECREF(before.op);
        Py_XDECREF(before.known);
        for (k = 0; k < MOST_TYPES; k++)
            Py_XDECREF(before.given[k]);
        Py_XDECREF(before.types);
        Py_XDECREF(before.kw);
    }
    return 0;
}

/* -- making -- */

/* Attributes as a key (a new reference): see `exact` of lazyarr.ir.node, which is asked where this is not they. */
static PyObject *exact(PyObject *attrs)
{
    Py_ssize_t k, j;
    for (k = 0; k < PyTuple_GET_SIZE(attrs); k++) {
        PyObject *pair = PyTuple_GET_ITEM(attrs, k), *value;
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2)
            return PyObject_CallOneArg(own.exact, attrs);
        value = PyTuple_GET_ITEM(pair, 1);
        if (PyBool_Check(value) || PyFloat_CheckExact(value))
            return PyObject_CallOneArg(own.exact, attrs);
        for (j = 0; PyTuple_CheckExact(value) && j < PyTuple_GET_SIZE(value); j++)
            if (!PyLong_CheckExact(PyTuple_GET_ITEM(value, j)))
                return PyObject_CallOneArg(own.exact, attrs);
    }
    return Py_NewRef(attrs);
}

/* A node that the table does not have yet. */
static PyObject *new_node(PyObject *op, PyObject *operands, PyObject *attrs, PyObject *known)
{
    PyObject *types, *kw, *found;
    if (types_of(op, operands, attrs, known, &types, &kw) < 0)
        return NULL;
    found = own.node->tp_alloc(own.node, 0);
    if (!found) {
        Py_DECREF(types);
        Py_DECREF(kw);
        return NULL;
    }
    SLOT(found, own.op) = Py_NewRef(op);
    SLOT(found, own.operands) = Py_NewRef(operands);
    SLOT(found, own.attrs) = Py_NewRef(attrs);
    SLOT(found, own.known) = Py_NewRef(known);
    SLOT(found, own.kw) = kw;
    SLOT(found, own.types) = types;
    SLOT(found, own.lines) = Py_NewRef(own.no_lines);
    return found;
}

static PyObject *made(PyObject *op, PyObject *operands, PyObject *attrs)
{
    PyObject *known, *found, *node;
    Py_uhash_t hash;
    if (!own.node || !PyTuple_Check(operands) || !PyTuple_Check(attrs))
        return PyErr_Format(PyExc_TypeError, "make() takes an operation, a tuple of values and one of attributes");
    known = exact(attrs);
    if (!known)
        return NULL;
    found = hash_of(op, operands, known, &hash) ? find(op, operands, known, hash) : NULL;
    if (found || PyErr_Occurred()) {
        Py_DECREF(known);
        return found;
    }
    node = new_node(op, operands, attrs, known);
    /* (Another thread may have made it meanwhile, or what is freed or collected when something is made.) */
    found = node ? find(op, operands, known, hash) : NULL;
    if (node && !found && !PyErr_Occurred() && insert(hash, node) == 0)
        found = Py_NewRef(node);
    Py_XDECREF(node);
    Py_DECREF(known);
    return found;
}

/* -- lines -- */

/* An instruction of the user's, its line, and the set that has this line alone. */
typedef struct {
    PyObject *code;
    int at;
    PyObject *line, *only;
} Here;

#define HERES 256
static Here heres[HERES];

/* Whether a function is lazyarr's or NumPy's own; -1 with an exception. */
static int is_internal(PyObject *code)
{
    PyObject *found = PyDict_GetItemWithError(own.internal, ((PyCodeObject *)code)->co_filename);
    int is_so;
    if (found || PyErr_Occurred())
        return found ? found == Py_True : -1;
    found = PyObject_CallOneArg(own.is_internal, code);
    is_so = found ? PyObject_IsTrue(found) : -1;
    Py_XDECREF(found);
    return is_so;
}

/* The user's line that runs, and the set of it (new references). */
static int here(PyObject **line, PyObject **only)
{
    PyFrameObject *frame = (PyFrameObject *)Py_XNewRef((PyObject *)PyEval_GetFrame());
    PyCodeObject *code = NULL;
    Here *entry;
    int at;
    while (frame) {
        PyFrameObject *back;
        int is_so;
        code = PyFrame_GetCode(frame);
        is_so = is_internal((PyObject *)code);
        if (is_so == 0)
            break;
        Py_DECREF(code);
        code = NULL;
        back = is_so < 0 ? NULL : PyFrame_GetBack(frame);
        Py_SETREF(frame, back);
        if (is_so < 0)
            return -1;
    }
    if (!frame) {
        *line = Py_NewRef(own.nowhere);
        *only = PyObject_CallFunction((PyObject *)&PyFrozenSet_Type, "((O))", own.nowhere);
        if (!*only)
            Py_CLEAR(*line);
        return *only ? 0 : -1;
    }
    at = PyFrame_GetLasti(frame);
    entry = &heres[mixed(of_address(code), (Py_uhash_t)at) % HERES];
    if (entry->code == (PyObject *)code && entry->at == at) {
        *line = Py_NewRef(entry->line);
        *only = Py_NewRef(entry->only);
        Py_DECREF(code);
    } else {
        Here before;
        *line = Py_BuildValue("(Oi)", code->co_filename, PyFrame_GetLineNumber(frame));
        *only = *line ? PyObject_CallFunction((PyObject *)&PyFrozenSet_Type, "((O))", *line) : NULL;
        if (!*only) {
            Py_CLEAR(*line);
            Py_DECREF(code);
            Py_DECREF(frame);
            return -1;
        }
        before = *entry;
        *entry = (Here){(PyObject *)code, at, Py_NewRef(*line), Py_NewRef(*only)};
        Py_XDECREF(before.code);
        Py_XDECREF(before.line);
        Py_XDECREF(before.only);
    }
    Py_DECREF(frame);
    return 0;
}

/* Note that a line has recorded a node. */
static int add_line(PyObject *node, PyObject *line, PyObject *only)
{
    PyObject *lines, *more;
    int has;
    if (!PyObject_TypeCheck(node, own.node) || !(lines = SLOT(node, own.lines)) || !PyAnySet_Check(lines)) {
        PyErr_Format(PyExc_TypeError, "a node is wanted, not %R", node);
        return -1;
    }
    if (lines == only)
        return 0;
    has = PySet_GET_SIZE(lines) ? PySet_Contains(lines, line) : 0;
    if (has)
        return has < 0 ? -1 : 0;
    more = PySet_GET_SIZE(lines) ? PyNumber_Or(lines, only) : Py_NewRef(only);
    if (!more)
        return -1;
    Py_XSETREF(SLOT(node, own.lines), more);
    return 0;
}

/* -- what Python sees -- */

PyDoc_STRVAR(make_doc, "make(op, operands=(), attrs=(), /)\n--\n\n"
                       "The node that applies `op` to `operands`; the same object for the same arguments.\n");

static PyObject *make(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *empty, *found;
    (void)module;
    if (count < 1 || count > 3)
        return PyErr_Format(PyExc_TypeError, "make() takes one to three arguments");
    empty = PyTuple_New(0);
    found = made(args[0], count > 1 ? args[1] : empty, count > 2 ? args[2] : empty);
    Py_DECREF(empty);
    return found;
}

PyDoc_STRVAR(credit_doc, "credit(*nodes)\n--\n\nNote that the user's line has recorded nodes.\n");

static PyObject *credit(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *line, *only;
    Py_ssize_t k;
    int failed;
    (void)module;
    failed = !own.node || !own.nowhere || here(&line, &only) < 0;
    if (failed)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_RuntimeError, "nothing is installed");
    for (k = 0; !failed && k < count; k++)
        failed = add_line(args[k], line, only) < 0;
    Py_DECREF(line);
    Py_DECREF(only);
    return failed ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(record_doc, "record(op, operands, attrs=(), /)\n--\n\n`make`, and `credit` of that.\n");

static PyObject *record(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *found = make(module, args, count), *done = found ? credit(module, &found, 1) : NULL;
    if (!done)
        Py_CLEAR(found);
    Py_XDECREF(done);
    return found;
}

PyDoc_STRVAR(known_doc, "known()\n--\n\nHow many nodes are alive.\n");

static PyObject *known(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return PyLong_FromSize_t(table.used);
}

PyDoc_STRVAR(install_making_doc, "install_making(node, infer, exact, no_lines, nothing, /)\n--\n\n"
                                 "Make nodes here.\n\n"
                                 "Parameters\n----------\n"
                                 "node : type\n"
                                 "infer : callable\n    ``infer(op, operands, attrs)`` gives types of results.\n"
                                 "exact : callable\n    ``exact(attrs)`` gives attributes as a key.\n"
                                 "no_lines, nothing : frozenset, dict\n    Without elements.\n");

static PyObject *install_making(PyObject *module, PyObject *args)
{
    PyObject *node, *infer, *is_exact, *no_lines, *nothing;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OOO!O!", &PyType_Type, &node, &infer, &is_exact, &PyFrozenSet_Type, &no_lines,
                          &PyDict_Type, &nothing))
        return NULL;
    if (own.node)
        return PyErr_Format(PyExc_RuntimeError, "installed already");
#define PLACE(name)                                                                                                  \
    own.name = place_of((PyTypeObject *)node, #name);                                                                \
    if (own.name < 0)                                                                                                \
        return NULL;
    PLACE(op) PLACE(operands) PLACE(attrs) PLACE(known) PLACE(kw) PLACE(types) PLACE(lines)
    own.dependent = PyUnicode_InternFromString("dependent");
    if (!own.dependent)
        return NULL;
    own.infer_of_values = Py_NewRef(infer);
    own.exact = Py_NewRef(is_exact);
    own.no_lines = Py_NewRef(no_lines);
    own.nothing = Py_NewRef(nothing);
    own.node = (PyTypeObject *)Py_NewRef(node);
    own.node->tp_finalize = forget;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(install_lines_doc,
             "install_lines(internal, is_internal, nowhere, /)\n--\n\nSay how the user's lines are found.\n\n"
             "Parameters\n----------\n"
             "internal, is_internal : dict, callable\n    Of names of files, and of code: whether it is lazyarr's own.\n"
             "nowhere : tuple\n    The line where there is none of the user's.\n");

static PyObject *install_lines(PyObject *module, PyObject *args)
{
    PyObject *internal, *says, *nowhere;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OO!", &PyDict_Type, &internal, &says, &PyTuple_Type, &nowhere))
        return NULL;
    Py_XSETREF(own.internal, Py_NewRef(internal));
    Py_XSETREF(own.is_internal, Py_NewRef(says));
    Py_XSETREF(own.nowhere, Py_NewRef(nowhere));
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"make", (PyCFunction)(void (*)(void))make, METH_FASTCALL, make_doc},
    {"credit", (PyCFunction)(void (*)(void))credit, METH_FASTCALL, credit_doc},
    {"record", (PyCFunction)(void (*)(void))record, METH_FASTCALL, record_doc},
    {"known", known, METH_NOARGS, known_doc},
    {"install_making", install_making, METH_VARARGS, install_making_doc},
    {"install_lines", install_lines, METH_VARARGS, install_lines_doc},
    {NULL, NULL, 0, NULL}};

/* What this file has for the module; -1 with an exception on failure. */
int add_making(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}
