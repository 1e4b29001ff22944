/* Walks over graphs (see lazyarr.ir.graph and lazyarr.captured), which an evaluation of a graph seen before mostly
   consists of. Python's do the same where nobody had a compiler at installation. */

#include "walk.h"

/* Attributes of nodes: where objects keep them. */
static struct {
    PyTypeObject *type;
    PyObject *param; /* the operation of parameters, which end a walk */
    Py_ssize_t op, operands, types, lines, known;
} node;

typedef struct {
    PyObject *node; /* borrowed: what is walked over refers to it */
    Py_ssize_t next;
} Step;

/* What is done with a node whose operands have come. */
typedef int (*Visit)(PyObject *found, void *to);

/* The node of a value (borrowed). */
static PyObject *node_of(PyObject *value)
{
    PyObject *found = PyTuple_Check(value) && PyTuple_GET_SIZE(value) == 2 ? PyTuple_GET_ITEM(value, 0) : NULL;
    if (!found || !PyObject_TypeCheck(found, node.type) || !SLOT(found, node.op) || !SLOT(found, node.operands) ||
        !PyTuple_Check(SLOT(found, node.operands))) {
        PyErr_Format(PyExc_TypeError, "a value of a node is wanted, not %R", value);
        return NULL;
    }
    return found;
}

/* Visit the nodes that a value needs and that have not been seen, operands before users. */
static int walk(PyObject *root, PyObject *seen, Visit visit, void *to)
{
    Step *steps = NULL;
    Py_ssize_t count = 0, room = 0;
    PyObject *next = node_of(root);
    int failed = !next;
    while (!failed && (next || count)) {
        if (next) {
            int known = PySet_Contains(seen, next);
            if (known < 0 || (!known && PySet_Add(seen, next) < 0)) {
                failed = 1;
            } else if (!known && SLOT(next, node.op) != node.param) {
                if (count == room) {
                    Step *more = PyMem_Realloc(steps, (room = 2 * room + 64) * sizeof(Step));
                    if (!more) {
                        PyErr_NoMemory();
                        failed = 1;
                        break;
                    }
                    steps = more;
                }
                steps[count].node = next;
                steps[count++].next = 0;
            }
            next = NULL;
        } else {
            Step *step = &steps[count - 1];
            PyObject *operands = SLOT(step->node, node.operands);
            if (step->next < PyTuple_GET_SIZE(operands)) {
                next = node_of(PyTuple_GET_ITEM(operands, step->next++));
                failed = !next;
            } else {
                count--;
                failed = visit(step->node, to) < 0;
            }
        }
    }
    PyMem_Free(steps);
    return failed ? -1 : 0;
}

/* The same for several values. */
static int walk_all(PyObject *roots, PyObject *seen, Visit visit, void *to)
{
    Py_ssize_t k;
    int failed = 0;
    PyObject *all = PySequence_Tuple(roots);
    if (!all)
        return -1;
    for (k = 0; !failed && k < PyTuple_GET_SIZE(all); k++)
        failed = walk(PyTuple_GET_ITEM(all, k), seen, visit, to) < 0;
    Py_DECREF(all);
    return failed ? -1 : 0;
}

static int append(PyObject *found, void *to)
{
    return PyList_Append(to, found);
}

PyDoc_STRVAR(depth_first_doc,
             "depth_first(roots, seen=None, /)\n--\n\n"
             "Every node `roots` need but parameters, operands before users; not those in `seen`, to which they are added.\n");

static PyObject *depth_first(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *seen, *order, *found = NULL;
    (void)module;
    if (count < 1 || count > 2)
        return PyErr_Format(PyExc_TypeError, "depth_first() takes one or two arguments");
    seen = count == 2 && args[1] != Py_None ? Py_NewRef(args[1]) : PySet_New(NULL);
    order = PyList_New(0);
    if (seen && !PySet_Check(seen))
        PyErr_Format(PyExc_TypeError, "a set is wanted, not %R", seen);
    else if (seen && order && walk_all(args[0], seen, append, order) == 0)
        found = PyList_AsTuple(order);
    Py_XDECREF(seen);
    Py_XDECREF(order);
    return found;
}

/* What `form` has found so far. */
typedef struct {
    PyObject *leaf, *name;           /* (borrowed) */
    PyObject *places, *parts, *leaves;
} Form;

/* ``(place of the node, index)`` of a value, counted on. */
static PyObject *placed(PyObject *value, const Form *form)
{
    PyObject *place = PyDict_GetItemWithError(form->places, PyTuple_GET_ITEM(value, 0));
    if (!place) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_ValueError, "a parameter has no place: %R", value);
        return NULL;
    }
    return PyTuple_Pack(2, place, PyTuple_GET_ITEM(value, 1));
}

static PyObject *all_placed(PyObject *values, const Form *form)
{
    Py_ssize_t k, count = PyTuple_GET_SIZE(values);
    PyObject *found = PyTuple_New(count);
    for (k = 0; found && k < count; k++) {
        PyObject *item = placed(PyTuple_GET_ITEM(values, k), form);
        if (item)
            PyTuple_SET_ITEM(found, k, item);
        else
            Py_CLEAR(found);
    }
    return found;
}

static int note(PyObject *found, void *to)
{
    Form *form = to;
    PyObject *op = SLOT(found, node.op), *part = NULL, *place = PyLong_FromSsize_t(PyList_GET_SIZE(form->parts));
    int failed = !place || PyDict_SetItem(form->places, found, place) < 0;
    Py_XDECREF(place);
    if (failed)
        return -1;
    if (op == form->leaf) {
        PyObject *types = SLOT(found, node.types);
        if (!types || !PyTuple_Check(types) || !PyTuple_GET_SIZE(types))
            PyErr_Format(PyExc_TypeError, "%R has no type", found);
        else if (PyList_Append(form->leaves, found) == 0)
            part = Py_NewRef(PyTuple_GET_ITEM(types, 0));
    } else {
        PyObject *name = PyObject_GetAttr(op, form->name), *known = SLOT(found, node.known);
        PyObject *lines = SLOT(found, node.lines), *operands;
        Py_XINCREF(known);
        Py_XINCREF(lines);
        operands = name ? all_placed(SLOT(found, node.operands), form) : NULL;
        if (operands && (!known || !lines))
            PyErr_Format(PyExc_TypeError, "%R is not complete", found);
        else if (operands)
            part = PyTuple_Pack(4, name, known, operands, lines);
        Py_XDECREF(name);
        Py_XDECREF(known);
        Py_XDECREF(lines);
        Py_XDECREF(operands);
    }
    failed = !part || PyList_Append(form->parts, part) < 0;
    Py_XDECREF(part);
    return failed ? -1 : 0;
}

PyDoc_STRVAR(form_doc, "form(roots, leaf, /)\n--\n\n"
                       "What tells graphs from others: ``(parts, ends, leaves)``, of each node, of each root, and the nodes of "
                       "the operation `leaf`.\n");

static PyObject *form(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Form own = {0};
    PyObject *seen, *roots, *parts = NULL, *ends = NULL, *found = NULL;
    (void)module;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "form() takes two arguments");
    own.leaf = args[1];
    own.name = PyUnicode_InternFromString("name");
    own.places = PyDict_New();
    own.parts = PyList_New(0);
    own.leaves = PyList_New(0);
    seen = PySet_New(NULL);
    roots = PySequence_Tuple(args[0]);
    if (own.name && own.places && own.parts && own.leaves && seen && roots &&
        walk_all(roots, seen, note, &own) == 0) {
        parts = PyList_AsTuple(own.parts);
        ends = parts ? all_placed(roots, &own) : NULL;
        found = ends ? PyTuple_Pack(3, parts, ends, own.leaves) : NULL;
    }
    Py_XDECREF(own.name);
    Py_XDECREF(own.places);
    Py_XDECREF(own.parts);
    Py_XDECREF(own.leaves);
    Py_XDECREF(seen);
    Py_XDECREF(roots);
    Py_XDECREF(parts);
    Py_XDECREF(ends);
    return found;
}

/* The operands of one operation (leaves) that a walk has met: each object, and in how many places. */
enum { MOST_MET = 64 };
typedef struct {
    PyObject *leaf; /* (borrowed) */
    int count;
    struct {
        PyObject *value; /* (borrowed) */
        Py_ssize_t times;
    } met[MOST_MET];
} Met;

static int meet(PyObject *found, void *to)
{
    Met *all = to;
    PyObject *operands = SLOT(found, node.operands);
    Py_ssize_t k;
    for (k = 0; k < PyTuple_GET_SIZE(operands); k++) {
        PyObject *value = PyTuple_GET_ITEM(operands, k), *of = node_of(value);
        int at;
        if (!of)
            return -1;
        if (SLOT(of, node.op) != all->leaf)
            continue;
        for (at = 0; at < all->count && all->met[at].value != value; at++)
            ;
        if (at == MOST_MET)
            continue; /* (What is not noted counts as somebody's.) */
        if (at == all->count) {
            all->met[all->count].value = value;
            all->met[all->count++].times = 0;
        }
        all->met[at].times++;
    }
    return 0;
}

/* Whether nothing refers to a leaf's values but operands that were met, and to the leaf but these and one list. */
static int is_unheld(PyObject *leaf, const Met *all)
{
    Py_ssize_t values = 0;
    int at;
    for (at = 0; at < all->count; at++) {
        PyObject *value = all->met[at].value;
        if (PyTuple_GET_ITEM(value, 0) != leaf)
            continue;
        if (Py_REFCNT(value) != all->met[at].times)
            return 0;
        values++;
    }
    return values && Py_REFCNT(leaf) == values + 1;
}

PyDoc_STRVAR(unheld_doc, "unheld(roots, leaf, leaves, which, /)\n--\n\n"
                         "Those of the numbers `which` of a list of nodes, of the operation `leaf`, that nothing "
                         "refers to but what `roots` are made of.\n");

static PyObject *unheld(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Met all = {.count = 0};
    PyObject *seen, *roots, *which = NULL, *found = NULL;
    Py_ssize_t k;
    (void)module;
    if (count != 4 || !PyList_Check(args[2]))
        return PyErr_Format(PyExc_TypeError, "unheld() takes roots, an operation, a list of nodes, and numbers");
    all.leaf = args[1];
    seen = PySet_New(NULL);
    roots = PySequence_Tuple(args[0]);
    if (seen && roots && walk_all(roots, seen, meet, &all) == 0 && (which = PySequence_Tuple(args[3])))
        found = PyList_New(0);
    Py_XDECREF(seen); /* (It refers to leaves.) */
    for (k = 0; found && k < PyTuple_GET_SIZE(which); k++) {
        PyObject *number = PyTuple_GET_ITEM(which, k);
        Py_ssize_t at = PyLong_AsSsize_t(number);
        if (at < 0 || at >= PyList_GET_SIZE(args[2])) {
            if (!PyErr_Occurred())
                PyErr_Format(PyExc_IndexError, "there is no node number %zd", at);
            Py_CLEAR(found);
        } else if (is_unheld(PyList_GET_ITEM(args[2], at), &all) && PyList_Append(found, number) < 0) {
            Py_CLEAR(found);
        }
    }
    Py_XDECREF(which);
    Py_XDECREF(roots);
    return found;
}

/* Where objects of a class keep an attribute that its ``__slots__`` name; -1 with an exception on failure. */
Py_ssize_t place_of(PyTypeObject *type, const char *name)
{
    PyObject *slot = PyObject_GetAttrString((PyObject *)type, name);
    Py_ssize_t place = -1;
    if (slot && Py_TYPE(slot) == &PyMemberDescr_Type)
        place = ((PyMemberDescrObject *)slot)->d_member->offset;
    else if (slot)
        PyErr_Format(PyExc_TypeError, "%s.%s is no slot", type->tp_name, name);
    Py_XDECREF(slot);
    return place;
}

PyDoc_STRVAR(install_doc, "install(node, param, /)\n--\n\nSay what nodes are, and the operation of parameters.\n");

static PyObject *install(PyObject *module, PyObject *args)
{
    PyTypeObject *type;
    PyObject *param;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O", &PyType_Type, &type, &param))
        return NULL;
    if ((node.op = place_of(type, "op")) < 0 || (node.operands = place_of(type, "operands")) < 0 ||
        (node.types = place_of(type, "types")) < 0 || (node.lines = place_of(type, "lines")) < 0 ||
        (node.known = place_of(type, "known")) < 0)
        return NULL;
    Py_XSETREF(node.type, (PyTypeObject *)Py_NewRef(type));
    Py_XSETREF(node.param, Py_NewRef(param));
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"install", install, METH_VARARGS, install_doc},
    {"depth_first", (PyCFunction)(void (*)(void))depth_first, METH_FASTCALL, depth_first_doc},
    {"form", (PyCFunction)(void (*)(void))form, METH_FASTCALL, form_doc},
    {"unheld", (PyCFunction)(void (*)(void))unheld, METH_FASTCALL, unheld_doc},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "lazyarr.ir._walk",
                                        .m_doc = "Walks over graphs in C.", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit__walk(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && add_making(module) < 0)
        Py_CLEAR(module);
    return module;
}
