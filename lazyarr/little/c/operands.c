/* What operands are: the data of lazy arrays, NumPy's arrays and scalars, Python's numbers; and the type they get. */

#include "fast_path.h"

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

#define IS_SCALAR(Kind, number)                                                                                      \
    if (kind == &Py##Kind##ArrType_Type) {                                                                           \
        found->type = number;                                                                                        \
        found->holder = object;                                                                                      \
        found->data = (char *)&PyArrayScalar_VAL(object, Kind);                                                      \
        return 1;                                                                                                    \
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

static int lists_few(PyObject *list, int depth, int *left)
{
    Py_ssize_t k, count = PySequence_Fast_GET_SIZE(list);
    for (k = 0; k < count; k++) {
        PyObject *item = PySequence_Fast_GET_ITEM(list, k);
        if (IS_LIST(item) ? !depth || !lists_few(item, depth - 1, left)
                          : !(PyFloat_CheckExact(item) || PyLong_CheckExact(item) || PyBool_Check(item) ||
                              PyComplex_CheckExact(item) || is_known_scalar(item)) ||
                                --*left < 0)
            return 0;
    }
    return count > 0;
}

/* Whether a list holds a few numbers and such lists alone: of these NumPy makes the same array wherever they stand. */
int lists_numbers(PyObject *list)
{
    int left = MOST_LISTED;
    return lists_few(list, MOST_AXES - 1, &left);
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
#define FITS(number, field, least, most)                                                                             \
    case number:                                                                                                     \
        if (integer < (least) || integer > (most))                                                                   \
            return 0;                                                                                                \
        operand->value.field = integer;                                                                              \
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

/* Whether an array has more elements than any work has that is done here. (What weighs least is a comparison: 0.4.) */
static int is_much(const Operand *operand)
{
    double size = 1;
    int axis;
    for (axis = 0; axis < operand->nd; axis++)
        size *= (double)operand->dims[axis];
    return size >= 4 * known.limit;
}

/* An operand as one of another type; 0 where NumPy has to say, and of what is much: it would be cast in vain. */
int cast_operand(Operand *operand, int type)
{
    if (operand->number)
        return as_type(operand, type);
    if (operand->type == type)
        return 1;
    if (!operand->is_array)
        return cast_scalar(operand, type);
    return !is_much(operand) && cast_array(operand, type);
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
    /* Python's floats and complex numbers make data of another kind float64 or complex: of Python's numbers alone
       only ints and floats are computed here. */
    if (type < 0) {
        if (is_complex)
            return 0;
        type = is_float ? NPY_DOUBLE : NPY_LONG;
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
