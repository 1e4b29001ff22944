/* Python's operators of lazy arrays: what is little is computed here, the rest by the methods that the class has.

   The class keeps its methods; only the slots through which Python calls them are other functions, which go on to the
   slots that were there before. */

#include "fast_path.h"

/* The place in the interpreter that has called a slot (the slots themselves are called by nothing else here). */
#ifdef __GNUC__
#define CALLER __builtin_return_address(0)
#else
#define CALLER NULL
#endif

#define BINARY(X)                                                                                                    \
    X(add) X(subtract) X(multiply) X(true_divide) X(floor_divide) X(remainder) X(and) X(or) X(xor) X(lshift) X(rshift)
#define UNARY(X) X(negative) X(positive) X(absolute) X(invert)

enum {
#define NAME(name) op_##name,
    BINARY(NAME) UNARY(NAME) op_power,
    op_matmul,
    op_square,
    op_sqrt,
    op_less,
    OPERATORS = op_less + 6
};

static Loops *loops[OPERATORS];
static PyObject *ufuncs[OPERATORS]; /* NumPy's, of these loops */
static PyObject *methods[OPERATORS][2]; /* of binary operators: forward and reflected */
static PyNumberMethods before;
static richcmpfunc compare_before;
static objobjargproc assign_before;
static PyObject *item_before; /* the method: Python code */

/* A result as a lazy array: that of the operand whose data it is in. Takes the reference. */
static PyObject *result_in(PyObject *data, PyObject *spare)
{
    if (!data || !spare || data != SLOT(spare, array__mine))
        return array_of(data);
    Py_DECREF(data);
    return Py_NewRef(spare);
}

/* The operands of an operator; 0 where one is of another kind. `made`: the array of a short list of numbers that
   stands beside an array with axes (of a scalar it is repeated); to be released. */
static int operands_of(PyObject *x, PyObject *y, Operand *operands, PyObject **made)
{
    int at = IS_LIST(x) ? 0 : 1;
    PyObject *list = at ? y : x;
    *made = NULL;
    if (!IS_LIST(list))
        return operand_of(x, &operands[0]) && operand_of(y, &operands[1]);
    if (!operand_of(at ? x : y, &operands[!at]) || !operands[!at].nd || !lists_numbers(list))
        return 0;
    *made = PyArray_FROM_O(list);
    if (*made && operand_of(*made, &operands[at]))
        return 1;
    PyErr_Clear(); /* (The method says what is wrong with it.) */
    Py_CLEAR(*made);
    return 0;
}

/* `caller`: to where the operator returns; NULL where its result is to be a new array. */
static PyObject *binary(int which, PyObject *x, PyObject *y, void *caller)
{
    Operand operands[2];
    PyObject *spare, *made, *found;
    if (!loops[which] || !may_run() || !operands_of(x, y, operands, &made))
        return NULL;
    spare = caller && !made ? spare_of(x, y, caller) : NULL;
    found = compute(loops[which], operands, spare ? (PyArrayObject *)SLOT(spare, array__mine) : NULL);
    Py_XDECREF(made);
    return result_in(found, spare);
}

/* An operator that writes: gives `x`; NULL where it is not done here. */
static PyObject *in_place(int which, PyObject *x, PyObject *y)
{
    PyObject *target, *made;
    Operand operands[2];
    int done;
    if (!loops[which] || Py_TYPE(x) != known.array || !may_run())
        return NULL;
    target = data_to_write(x);
    if (!target || !operands_of(target, y, operands, &made))
        return NULL;
    done = compute_into(loops[which], operands, x, (PyArrayObject *)target);
    Py_XDECREF(made);
    return done ? Py_NewRef(x) : NULL;
}

/* What the class has for an operator, as the slots that were there would call it; these look whether they are. */
static PyObject *by_method(int which, PyObject *x, PyObject *y)
{
    int is_forward = PyObject_TypeCheck(x, known.array);
    PyObject *method = methods[which][!is_forward], *operands[2] = {x, y};
    PyObject *found = recorded(loops[which], operands, 2);
    if (found || PyErr_Occurred())
        return found;
    return PyObject_CallFunctionObjArgs(method, is_forward ? x : y, is_forward ? y : x, NULL);
}

#define BINARY_SLOT(name)                                                                                            \
    static PyObject *slot_##name(PyObject *x, PyObject *y)                                                           \
    {                                                                                                                \
        PyObject *found = binary(op_##name, x, y, CALLER);                                                           \
        return found ? found : by_method(op_##name, x, y);                                                           \
    }                                                                                                                \
    static PyObject *slot_inplace_##name(PyObject *x, PyObject *y)                                                   \
    {                                                                                                                \
        PyObject *operands[2] = {x, y}, *found = in_place(op_##name, x, y);                                          \
        if (!found)                                                                                                  \
            found = recorded_into(loops[op_##name], operands, 2);                                                    \
        return found || PyErr_Occurred() ? found : before.nb_inplace_##name(x, y);                                   \
    }
BINARY(BINARY_SLOT)

static PyObject *unary(int which, PyObject *x, void *caller)
{
    Operand operand;
    PyObject *spare;
    if (!loops[which] || !may_run() || !operand_of(x, &operand))
        return NULL;
    spare = spare_of(x, NULL, caller);
    return result_in(compute(loops[which], &operand, spare ? (PyArrayObject *)SLOT(spare, array__mine) : NULL), spare);
}

#define UNARY_SLOT(name)                                                                                             \
    static PyObject *slot_##name(PyObject *x)                                                                        \
    {                                                                                                                \
        PyObject *found = unary(op_##name, x, CALLER);                                                               \
        if (!found)                                                                                                  \
            found = recorded(loops[op_##name], &x, 1);                                                               \
        return found || PyErr_Occurred() ? found : before.nb_##name(x);                                              \
    }
UNARY(UNARY_SLOT)

/* Whether NumPy's ``**`` by an exponent is `numpy.power`, and no function that it takes for some numbers. */
static int is_general(PyObject *exponent)
{
    if (PyLong_CheckExact(exponent)) {
        int over;
        long whole = PyLong_AsLongAndOverflow(exponent, &over);
        return !over && (whole > 2 || whole < -2);
    }
    if (PyFloat_CheckExact(exponent)) {
        double value = PyFloat_AS_DOUBLE(exponent);
        return value != -1 && value != 0 && value != 0.5 && value != 1 && value != 2;
    }
    return Py_TYPE(exponent) == known.array || PyArray_CheckExact(exponent);
}

/* The same of a large array; NULL, with or without an exception, where it goes the general way. */
static PyObject *recorded_power(PyObject *x, PyObject *y)
{
    PyObject *operands[2] = {x, y}, *dtype = SLOT(x, array__dtype);
    int overflow = 0;
    if (SLOT(x, array__scalar) == Py_True || (!PyLong_CheckExact(y) && !PyFloat_CheckExact(y)))
        return NULL;
    if (PyLong_CheckExact(y) && PyLong_AsLongAndOverflow(y, &overflow) == 2)
        return recorded(loops[op_square], operands, 1);
    if (PyFloat_CheckExact(y) && PyFloat_AS_DOUBLE(y) == 0.5)
        return dtype && PyArray_DescrCheck(dtype) && ((PyArray_Descr *)dtype)->kind == 'f'
                   ? recorded(loops[op_sqrt], operands, 1)
                   : NULL;
    return is_general(y) ? recorded(loops[op_power], operands, 2) : NULL;
}

/* Of arrays NumPy's ``**`` by a Python scalar 2 is a square, by 0.5 a root. */
static PyObject *slot_power(PyObject *x, PyObject *y, PyObject *modulus)
{
    if (modulus == Py_None && Py_TYPE(x) == known.array) {
        PyObject *data = data_of(x), *found = NULL;
        if (data && PyArray_NDIM((PyArrayObject *)data)) {
            int type = PyArray_TYPE((PyArrayObject *)data);
            if (PyLong_CheckExact(y) && (type == NPY_LONG || PyTypeNum_ISFLOAT(type)) && PyLong_AsLong(y) == 2)
                found = unary(op_square, x, CALLER);
            else if (PyFloat_CheckExact(y) && PyTypeNum_ISFLOAT(type) && PyFloat_AS_DOUBLE(y) == 0.5)
                found = unary(op_sqrt, x, CALLER);
            else if (is_general(y))
                found = binary(op_power, x, y, CALLER);
        }
        PyErr_Clear(); /* (Of an exponent that is too large for C.) */
        if (!found)
            found = recorded_power(x, y);
        if (found || PyErr_Occurred())
            return found;
    }
    return modulus == Py_None ? by_method(op_power, x, y) : before.nb_power(x, y, modulus);
}

/* Whether NumPy's ``@`` and `numpy.dot` make the same call of BLAS for two operands: `dot` takes half the time then. */
static int is_dot(PyArrayObject *x, PyArrayObject *y)
{
    PyArrayObject *operands[2] = {x, y};
    int type = PyArray_TYPE(x), k, axis;
    if ((type != NPY_DOUBLE && type != NPY_FLOAT && type != NPY_CDOUBLE && type != NPY_CFLOAT) ||
        PyArray_TYPE(y) != type)
        return 0;
    for (k = 0; k < 2; k++) {
        if (!PyArray_ISBEHAVED_RO(operands[k]) ||
            !(PyArray_IS_C_CONTIGUOUS(operands[k]) || PyArray_IS_F_CONTIGUOUS(operands[k])))
            return 0;
        /* (Of matrices of one row or column they make different products of vectors.) */
        for (axis = 0; axis < PyArray_NDIM(operands[k]); axis++)
            if (PyArray_DIM(operands[k], axis) < 2)
                return 0;
    }
    return 1;
}

static PyObject *product_of(PyObject *x, PyObject *y)
{
    return is_dot((PyArrayObject *)x, (PyArrayObject *)y) ? PyArray_MatrixProduct2(x, y, NULL)
                                                          : PyNumber_MatrixMultiply(x, y);
}

/* Products of matrices and vectors are BLAS's, called by NumPy: also of large ones, where they are there. */
static PyObject *slot_matrix_multiply(PyObject *x, PyObject *y)
{
    Operand operands[2];
    PyObject *made = NULL, *found = NULL;
    int x_is_known = Py_TYPE(x) == known.array, y_is_known = Py_TYPE(y) == known.array;
    if ((x_is_known || IS_LIST(x)) && (y_is_known || IS_LIST(y)) && may_run() && operands_of(x, y, operands, &made) &&
        operands[0].nd && operands[0].nd < 3 && operands[1].nd && operands[1].nd < 3) {
        double rows = operands[0].nd == 2 ? (double)operands[0].dims[0] : 1;
        double columns = operands[1].nd == 2 ? (double)operands[1].dims[1] : 1;
        if (rows * columns < known.limit) {
            found = operate(product_of, x_is_known ? data_of(x) : made, y_is_known ? data_of(y) : made);
            if (!found)
                PyErr_Clear(); /* (The method says what is wrong.) */
        }
    }
    Py_XDECREF(made);
    if (found)
        return new_result(found);
    return by_method(op_matmul, x, y);
}

static PyObject *slot_compare(PyObject *x, PyObject *y, int how)
{
    static const int which[] = {[Py_LT] = 0, [Py_LE] = 1, [Py_EQ] = 2, [Py_NE] = 3, [Py_GT] = 4, [Py_GE] = 5};
    PyObject *operands[2] = {x, y}, *found = binary(op_less + which[how], x, y, NULL);
    if (!found)
        found = recorded(loops[op_less + which[how]], operands, 2);
    return found || PyErr_Occurred() ? found : compare_before(x, y, how);
}

static PyObject *slot_item(PyObject *self, PyObject *key)
{
    PyObject *found = get_item(self, key);
    if (!found && !PyErr_Occurred())
        found = boxed(self, key);
    return found || PyErr_Occurred() ? found : PyObject_CallFunctionObjArgs(item_before, self, key, NULL);
}

/* The interpreter calls a `__getitem__` that is Python code itself, past the slot: so the method is this. */
static PyMethodDef item_method = {"__getitem__", slot_item, METH_O, "self[key]"};

static int slot_assign(PyObject *self, PyObject *key, PyObject *value)
{
    int done = value ? set_item(self, key, value) : 0;
    return done < 0 ? -1 : done ? 0 : assign_before(self, key, value);
}

static Py_ssize_t (*length_before)(PyObject *);

static Py_ssize_t slot_length(PyObject *self)
{
    PyObject *data = data_of(self);
    if (data && PyArray_NDIM((PyArrayObject *)data))
        return PyArray_DIM((PyArrayObject *)data, 0);
    return length_before(self);
}

/* Loops by the names of ufuncs, of a dict ``{ufunc's name: (ufunc, weight)}``; -1 with an exception on failure. */
static int take(PyObject *tables, const char *name, int which)
{
    PyObject *entry = PyDict_GetItemString(tables, name), *ufunc;
    Weight weight;
    if (!entry) {
        PyErr_Format(PyExc_KeyError, "%s", name);
        return -1;
    }
    if (!PyArg_ParseTuple(entry, "O(ddd)", &ufunc, &weight.reals, &weight.singles, &weight.complexes))
        return -1;
    loops[which] = loops_of(ufunc, weight);
    ufuncs[which] = Py_NewRef(ufunc);
    return loops[which] ? 0 : -1;
}

int install_slots(PyObject *tables)
{
    static const struct {
        const char *name;
        int which;
    } wanted[] = {{"add", op_add},
                  {"subtract", op_subtract},
                  {"multiply", op_multiply},
                  {"divide", op_true_divide},
                  {"floor_divide", op_floor_divide},
                  {"remainder", op_remainder},
                  {"bitwise_and", op_and},
                  {"bitwise_or", op_or},
                  {"bitwise_xor", op_xor},
                  {"left_shift", op_lshift},
                  {"right_shift", op_rshift},
                  {"negative", op_negative},
                  {"positive", op_positive},
                  {"absolute", op_absolute},
                  {"invert", op_invert},
                  {"square", op_square},
                  {"sqrt", op_sqrt},
                  {"power", op_power},
                  {"less", op_less},
                  {"less_equal", op_less + 1},
                  {"equal", op_less + 2},
                  {"not_equal", op_less + 3},
                  {"greater", op_less + 4},
                  {"greater_equal", op_less + 5}};
    static const struct {
        const char *forward, *reflected;
        int which;
    } named[] = {{"__add__", "__radd__", op_add},
                 {"__sub__", "__rsub__", op_subtract},
                 {"__mul__", "__rmul__", op_multiply},
                 {"__truediv__", "__rtruediv__", op_true_divide},
                 {"__floordiv__", "__rfloordiv__", op_floor_divide},
                 {"__mod__", "__rmod__", op_remainder},
                 {"__and__", "__rand__", op_and},
                 {"__or__", "__ror__", op_or},
                 {"__xor__", "__rxor__", op_xor},
                 {"__lshift__", "__rlshift__", op_lshift},
                 {"__rshift__", "__rrshift__", op_rshift},
                 {"__pow__", "__rpow__", op_power},
                 {"__matmul__", "__rmatmul__", op_matmul}};
    PyNumberMethods *numbers = known.array->tp_as_number;
    PyMappingMethods *items = known.array->tp_as_mapping;
    PyObject *method;
    size_t k;
    for (k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++)
        if (take(tables, wanted[k].name, wanted[k].which) < 0)
            return -1;
    for (k = 0; k < sizeof(named) / sizeof(named[0]); k++) {
        methods[named[k].which][0] = PyObject_GetAttrString((PyObject *)known.array, named[k].forward);
        methods[named[k].which][1] = PyObject_GetAttrString((PyObject *)known.array, named[k].reflected);
        if (!methods[named[k].which][0] || !methods[named[k].which][1])
            return -1;
    }
    before = *numbers;
#define BINARY_INSTALL(name)                                                                                         \
    numbers->nb_##name = slot_##name;                                                                                \
    numbers->nb_inplace_##name = slot_inplace_##name;
#define INSTALL(name) numbers->nb_##name = slot_##name;
    BINARY(BINARY_INSTALL)
    UNARY(INSTALL)
    INSTALL(power)
    INSTALL(matrix_multiply)
    compare_before = known.array->tp_richcompare;
    known.array->tp_richcompare = slot_compare;
    item_before = PyObject_GetAttrString((PyObject *)known.array, item_method.ml_name);
    method = item_before ? PyDescr_NewMethod(known.array, &item_method) : NULL;
    if (!method || PyObject_SetAttrString((PyObject *)known.array, item_method.ml_name, method) < 0) {
        Py_XDECREF(method);
        return -1;
    }
    Py_DECREF(method);
    items->mp_subscript = slot_item;
    assign_before = items->mp_ass_subscript;
    items->mp_ass_subscript = slot_assign;
    length_before = items->mp_length;
    items->mp_length = slot_length;
    known.array->tp_as_sequence->sq_length = slot_length;
    PyType_Modified(known.array);
    return 0;
}

/* -- calls of ufuncs -- */

static ternaryfunc call_before;
static PyObject *ufunc_before;       /* the method `__array_ufunc__` */
static PyObject *by_lazy, *by_ufunc; /* lazy ufunc, and NumPy's -> capsule of its loops */

/* Whether the module whose code is running is known to want lazy arrays. */
static int wants_lazy(void)
{
    PyObject *globals = PyEval_GetGlobals(), *name = globals ? PyDict_GetItemString(globals, "__name__") : NULL;
    return name && PyDict_GetItemWithError(known.libraries, name) == Py_False;
}

/* What operands come to; NULL, with or without an exception, where that is neither computed nor recorded here. */
static PyObject *ufunc_of(const Loops *own, PyObject *const *args, Py_ssize_t count)
{
    Operand operands[2];
    PyObject *made = NULL, *found = NULL;
    if (count != own->nin)
        return NULL;
    if (may_run() && (count == 2 ? operands_of(args[0], args[1], operands, &made) : operand_of(args[0], operands)))
        found = compute(own, operands, NULL);
    Py_XDECREF(made);
    return found ? array_of(found) : recorded(own, args, (int)count);
}

static PyObject *slot_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *capsule = kwargs && PyDict_GET_SIZE(kwargs) ? NULL : PyDict_GetItemWithError(by_lazy, self),
             *found = NULL;
    if (capsule)
        found =
            ufunc_of(PyCapsule_GetPointer(capsule, NULL), ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args));
    return found || PyErr_Occurred() ? found : call_before(self, args, kwargs);
}

/* ``self.__array_ufunc__(ufunc, method, *inputs, **kwargs)``: a ufunc of NumPy's own met a lazy array. */
static PyObject *array_ufunc(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *found = NULL, *capsule = NULL;
    if (count > 2 && !names && PyUnicode_Check(args[1]) && PyUnicode_CompareWithASCIIString(args[1], "__call__") == 0 &&
        wants_lazy())
        capsule = PyDict_GetItemWithError(by_ufunc, args[0]);
    if (capsule)
        found = ufunc_of(PyCapsule_GetPointer(capsule, NULL), args + 2, count - 2);
    if (found || PyErr_Occurred())
        return found;
    return call_method(ufunc_before, self, args, count, names);
}

static PyMethodDef array_ufunc_method = {"__array_ufunc__", (PyCFunction)(void (*)(void))array_ufunc,
                                         METH_FASTCALL | METH_KEYWORDS, "As `numpy.ndarray.__array_ufunc__`."};

int install_call(PyTypeObject *type, PyObject *tables, PyObject *known_libraries)
{
    PyObject *lazy, *entry, *ufunc, *method;
    Py_ssize_t at = 0;
    Weight weight;
    int which;
    Py_XSETREF(known.libraries, Py_NewRef(known_libraries));
    by_lazy = PyDict_New();
    by_ufunc = PyDict_New();
    if (!by_lazy || !by_ufunc)
        return -1;
    while (PyDict_Next(tables, &at, &lazy, &entry)) {
        PyObject *capsule, *recorder, *writer, *op, *dtypes;
        int looks_at_ints;
        Loops *own;
        if (!PyArg_ParseTuple(entry, "O(ddd)OOOO!p", &ufunc, &weight.reals, &weight.singles, &weight.complexes, &recorder,
                              &writer, &op, &PyDict_Type, &dtypes, &looks_at_ints) ||
            !(own = loops_of(ufunc, weight)))
            return -1;
        own->recorder = recorder == Py_None ? NULL : Py_NewRef(recorder);
        own->writer = writer == Py_None ? NULL : Py_NewRef(writer);
        if (own->recorder && !(own->plain = plain_of(op, dtypes, looks_at_ints)))
            return -1;
        for (which = 0; which < OPERATORS; which++)
            if (ufuncs[which] == ufunc) {
                loops[which]->recorder = own->recorder;
                loops[which]->writer = own->writer;
                loops[which]->plain = own->plain;
            }
        capsule = PyCapsule_New(own, NULL, NULL);
        if (!capsule || PyDict_SetItem(by_lazy, lazy, capsule) < 0 || PyDict_SetItem(by_ufunc, ufunc, capsule) < 0)
            return -1;
        Py_DECREF(capsule);
    }
    ufunc_before = PyObject_GetAttrString((PyObject *)known.array, array_ufunc_method.ml_name);
    method = PyDescr_NewMethod(known.array, &array_ufunc_method);
    if (!ufunc_before || !method ||
        PyObject_SetAttrString((PyObject *)known.array, array_ufunc_method.ml_name, method) < 0)
        return -1;
    Py_DECREF(method);
    call_before = type->tp_call;
    type->tp_call = slot_call;
    PyType_Modified(type);
    return 0;
}
