/* What operands are: the data of lazy arrays where it is there, NumPy's arrays and scalars, Python's numbers.

   All of this runs with the interpreter's lock held, and no Python code between reading an array's data and being done
   with it: so nobody can make the array settle meanwhile, and borrowed references stay good. */

#include "fast_path.h"

Known known;

/* Whether there is anything to do here now: nothing is traced, and one process runs the program. */
int may_run(void)
{
    PyObject *trace;
    if (known.limit <= 0 || PyList_GET_SIZE(known.ranks))
        return 0;
    if (PyContextVar_Get(known.tracing, Py_None, &trace) < 0) {
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(trace);
    return trace == Py_None;
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

/* The data of the cell of an array that is no view (borrowed), where it is held as it is; else NULL. */
static PyObject *settled(PyObject *array)
{
    PyObject *cell = SLOT(array, array__cell), *value, *node, *data;
    if (!cell || SLOT(array, array__form) != Py_None || SLOT(array, array__parent) != Py_None)
        return NULL;
    value = SLOT(cell, cell_value);
    node = value && PyTuple_Check(value) ? PyTuple_GET_ITEM(value, 0) : NULL;
    data = node && Py_TYPE(node) == known.leaf ? SLOT(node, leaf_data) : NULL;
    if (!data || !PyArray_CheckExact(data) || PyErr_Occurred())
        return NULL;
    if (!is_layout(SLOT(array, array__shape), PyArray_NDIM((PyArrayObject *)data), PyArray_DIMS((PyArrayObject *)data)))
        return NULL;
    /* (The layout of a result follows those of the operands.) */
    return !PyArray_NDIM((PyArrayObject *)data) || is_layout(SLOT(array, array__strides),
               PyArray_NDIM((PyArrayObject *)data), PyArray_STRIDES((PyArrayObject *)data)) ? data : NULL;
}

/* The data of an array's view, where its memory has not moved; else NULL. */
static PyObject *seen_by(PyObject *lent)
{
    PyObject *root = SLOT(lent, lent_root), *mine;
    if (!root || Py_TYPE(root) != known.array)
        return NULL;
    mine = SLOT(root, array__mine);
    if (!mine || mine == Py_None)
        mine = SLOT(root, array__scalar) == Py_False ? settled(root) : NULL;
    return mine && mine == SLOT(lent, lent_base) ? SLOT(lent, lent_seen) : NULL;
}

/* What an array reads (borrowed): an ndarray or a NumPy scalar; NULL where that is not held as it is. */
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

/* The ndarray that an array may write to in place (borrowed); NULL where there is none. */
PyObject *data_to_write(PyObject *array)
{
    PyObject *mine = SLOT(array, array__mine), *lent, *depth;
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

static int of_array(PyArrayObject *data, Operand *found)
{
    int type = PyArray_TYPE(data);
    if (type >= TYPES || !PyArray_ISBEHAVED_RO(data) || PyArray_NDIM(data) > MOST_AXES)
        return 0;
    found->type = type;
    found->holder = (PyObject *)data;
    found->is_array = 1;
    found->nd = PyArray_NDIM(data);
    found->dims = PyArray_DIMS(data);
    found->strides = PyArray_STRIDES(data);
    found->data = PyArray_BYTES(data);
    return 1;
}

#define IS_SCALAR(Kind, number)                                                                                       \
    if (kind == &Py##Kind##ArrType_Type) {                                                                             \
        found->type = number;                                                                                          \
        found->holder = object;                                                                                        \
        found->data = (char *)&PyArrayScalar_VAL(object, Kind);                                                        \
        return 1;                                                                                                      \
    }

/* Describe an operand; 0 where it is of another kind. */
int operand_of(PyObject *object, Operand *found)
{
    PyTypeObject *kind = Py_TYPE(object);
    found->type = -1;
    found->is_array = found->nd = 0;
    found->dims = found->strides = NULL;
    found->number = found->holder = found->own = NULL;
    if (kind == known.array) {
        PyObject *array = object;
        object = data_of(array);
        if (!object) {
            /* A scalar that has settled is held as an array. */
            object = SLOT(array, array__scalar) == Py_True ? settled(array) : NULL;
            if (!object || PyArray_NDIM((PyArrayObject *)object) || !of_array((PyArrayObject *)object, found))
                return 0;
            found->is_array = 0;
            return 1;
        }
        kind = Py_TYPE(object);
    }
    if (kind == &PyArray_Type)
        return of_array((PyArrayObject *)object, found);
    if (kind == &PyFloat_Type || kind == &PyLong_Type || kind == &PyComplex_Type) {
        found->number = object;
        return 1;
    }
    IS_SCALAR(Double, NPY_DOUBLE)
    IS_SCALAR(Long, NPY_LONG)
    IS_SCALAR(Bool, NPY_BOOL)
    IS_SCALAR(Float, NPY_FLOAT)
    IS_SCALAR(Int, NPY_INT)
    IS_SCALAR(UByte, NPY_UBYTE)
    IS_SCALAR(Byte, NPY_BYTE)
    IS_SCALAR(Short, NPY_SHORT)
    IS_SCALAR(UShort, NPY_USHORT)
    IS_SCALAR(UInt, NPY_UINT)
    IS_SCALAR(ULong, NPY_ULONG)
    return 0;
}

/* Give a Python number the type that it takes beside data of that type (NEP 50); 0 where NumPy has to say. */
int as_type(Operand *operand, int type)
{
    PyObject *number = operand->number;
    Py_complex value = {0, 0};
    if (!number)
        return operand->type == type;
    if (PyTypeNum_ISINTEGER(type)) {
        int over;
        long integer = PyLong_CheckExact(number) ? PyLong_AsLongAndOverflow(number, &over) : 0;
        if (!PyLong_CheckExact(number) || over)
            return 0;
        switch (type) {
#define FITS(number, field, least, most)                                                                               \
    case number:                                                                                                       \
        if (integer < (least) || integer > (most))                                                                     \
            return 0;                                                                                                  \
        operand->value.field = integer;                                                                                \
        break;
            FITS(NPY_LONG, as_long, NPY_MIN_LONG, NPY_MAX_LONG)
            FITS(NPY_INT, as_int, NPY_MIN_INT, NPY_MAX_INT)
            FITS(NPY_BYTE, as_byte, NPY_MIN_BYTE, NPY_MAX_BYTE)
            FITS(NPY_UBYTE, as_ubyte, 0, NPY_MAX_UBYTE)
            FITS(NPY_SHORT, as_short, NPY_MIN_SHORT, NPY_MAX_SHORT)
            FITS(NPY_USHORT, as_ushort, 0, NPY_MAX_USHORT)
            FITS(NPY_UINT, as_uint, 0, (long)NPY_MAX_UINT)
            FITS(NPY_ULONG, as_ulong, 0, NPY_MAX_LONG)
        default:
            return 0;
        }
    } else {
        int over = 0;
        /* (For some ufuncs NumPy makes an int64 of a large int first.) */
        if (PyLong_CheckExact(number) && (PyLong_AsLongAndOverflow(number, &over), over))
            return 0;
        if (PyComplex_CheckExact(number))
            value = PyComplex_AsCComplex(number);
        else
            value.real = PyFloat_CheckExact(number) ? PyFloat_AS_DOUBLE(number) : PyLong_AsDouble(number);
        if (PyErr_Occurred()) {
            PyErr_Clear();
            return 0;
        }
        if (type == NPY_DOUBLE && !PyComplex_CheckExact(number))
            operand->value.as_double = value.real;
        else if (type == NPY_FLOAT && !PyComplex_CheckExact(number))
            operand->value.as_float = (float)value.real;
        else if (type == NPY_CDOUBLE)
            operand->value.as_cdouble = npy_cpack(value.real, value.imag);
        else if (type == NPY_CFLOAT)
            operand->value.as_cfloat = npy_cpackf((float)value.real, (float)value.imag);
        else
            return 0;
    }
    operand->data = (char *)&operand->value;
    operand->type = type;
    return 1;
}

/* The type of operands of two types; -1 where NumPy has to say. */
static int common(int x, int y)
{
    int larger = x > y ? x : y, smaller = x > y ? y : x;
    if (x == y || smaller < 0)
        return larger;
    if (larger == NPY_LONG || larger == NPY_INT)
        return smaller == NPY_BOOL || smaller == NPY_BYTE || smaller == NPY_UBYTE || smaller == NPY_SHORT ||
                       smaller == NPY_USHORT || smaller == NPY_INT || (larger == NPY_LONG && smaller == NPY_UINT)
                   ? larger
                   : -1;
    if (larger == NPY_DOUBLE || (larger == NPY_CDOUBLE && smaller != NPY_LONGDOUBLE))
        return larger;
    return larger == NPY_FLOAT && smaller <= NPY_USHORT ? larger : -1;
}

/* A NumPy scalar as one of another type. */
static int cast_scalar(Operand *operand, int type)
{
    double value;
    switch (operand->type) {
    case NPY_BOOL:
        value = *(npy_bool *)operand->data;
        break;
    case NPY_INT:
        value = *(npy_int *)operand->data;
        break;
    case NPY_LONG:
        value = (double)*(npy_long *)operand->data;
        break;
    case NPY_FLOAT:
        value = *(npy_float *)operand->data;
        break;
    case NPY_DOUBLE:
        value = *(npy_double *)operand->data;
        break;
    default:
        return 0;
    }
    switch (type) {
    case NPY_LONG:
        operand->value.as_long = (npy_long)value; /* (Of at most 32 bits.) */
        break;
    case NPY_INT:
        operand->value.as_int = (npy_int)value;
        break;
    case NPY_FLOAT:
        operand->value.as_float = (float)value;
        break;
    case NPY_DOUBLE:
        operand->value.as_double = value;
        break;
    case NPY_CDOUBLE:
        operand->value.as_cdouble = npy_cpack(value, 0);
        break;
    default:
        return 0;
    }
    operand->type = type;
    operand->data = (char *)&operand->value;
    return 1;
}

/* An array as one of another type, in an array of its own. */
static int cast_array(Operand *operand, int type)
{
    PyArrayObject *given = (PyArrayObject *)operand->holder;
    PyArray_Descr *descr = PyArray_DescrFromType(type);
    Operand found;
    int axis;
    /* (A result has the order of its operands.) */
    for (axis = 1; axis < operand->nd; axis++)
        if (operand->dims[axis] > 1 && operand->dims[axis - 1] > 1 &&
            operand->strides[axis] > operand->strides[axis - 1]) {
            Py_DECREF(descr);
            return 0;
        }
    Py_XSETREF(operand->own, PyArray_CastToType(given, descr, 0)); /* (takes `descr`) */
    if (!operand->own) {
        PyErr_Clear();
        return 0;
    }
    /* (What was given stays held.) */
    found = *operand;
    if (!of_array((PyArrayObject *)operand->own, &found))
        return 0;
    found.holder = (PyObject *)given;
    *operand = found;
    return 1;
}

/* An operand as one of another type; 0 where NumPy has to say. */
int cast_operand(Operand *operand, int type)
{
    if (operand->number)
        return as_type(operand, type);
    if (operand->type == type)
        return 1;
    return operand->is_array ? cast_array(operand, type) : cast_scalar(operand, type);
}

/* Give operands one type: that of the result of NumPy's promotion; 0 where NumPy has to say. `release` them then. */
int promote(Operand *operands, int count)
{
    int type = -1, k, is_float = 0, is_complex = 0;
    for (k = 0; k < count; k++) {
        if (operands[k].number) {
            is_float = is_float || PyFloat_CheckExact(operands[k].number);
            is_complex = is_complex || PyComplex_CheckExact(operands[k].number);
            continue;
        }
        type = type < 0 ? operands[k].type : common(type, operands[k].type);
        if (type < 0)
            return 0;
    }
    /* Python's floats and complex numbers make data of another kind float64 or complex: of Python's numbers alone only
       floats are computed here. */
    if (type < 0) {
        for (k = 0; k < count; k++)
            if (!PyFloat_CheckExact(operands[k].number))
                return 0;
        type = NPY_DOUBLE;
    }
    if ((is_float || is_complex) && PyTypeNum_ISINTEGER(type))
        type = NPY_DOUBLE;
    if (is_complex && type == NPY_DOUBLE)
        type = NPY_CDOUBLE;
    for (k = 0; k < count; k++)
        if (!cast_operand(&operands[k], type))
            return 0;
    return 1;
}

/* Keep the memory of operands until `release`: other threads may run while NumPy casts one. */
void hold(Operand *operands, int count)
{
    int k;
    for (k = 0; k < count; k++)
        Py_XINCREF(operands[k].holder);
}

void release(Operand *operands, int count)
{
    int k;
    for (k = 0; k < count; k++) {
        Py_CLEAR(operands[k].own);
        Py_XDECREF(operands[k].holder);
    }
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
static int is_light(PyObject *array)
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

/* A new lazy array that has data to itself; takes the reference. */
PyObject *array_of(PyObject *data)
{
    PyObject *found;
    if (!data)
        return NULL;
    found = new_array();
    if (!found) {
        Py_DECREF(data);
        return NULL;
    }
    SLOT(found, array__mine) = data;
    return found;
}
