/* NumPy's own inner loops over little operands of one type.

   Most of what a ufunc takes for little data is finding the types, making an iterator and looking for errors that
   nobody asked for. The loops are the same, so the results are to the last bit. */

#include "fast_path.h"

/* The loops of a ufunc whose operands have one type, whatever the result's; NULL with an exception on failure. */
Loops *loops_of(PyObject *object, double cost)
{
    PyUFuncObject *ufunc = (PyUFuncObject *)object;
    Loops *found;
    int k, j, nin = ufunc->nin;
    if (!PyObject_TypeCheck(object, &PyUFunc_Type) || nin < 1 || nin > 2 || ufunc->nout != 1 || ufunc->core_enabled) {
        PyErr_SetString(PyExc_TypeError, "expected an element-wise ufunc of one or two operands and one result");
        return NULL;
    }
    found = PyMem_Calloc(1, sizeof(Loops));
    if (!found) {
        PyErr_NoMemory();
        return NULL;
    }
    found->nin = nin;
    found->cost = cost;
    /* (Integers raise where exponents are negative.) */
    found->of_floats = strcmp(ufunc->name, "power") == 0;
    for (k = 0; k < ufunc->ntypes; k++) {
        const char *types = ufunc->types + k * ufunc->nargs;
        int type = types[0];
        int has_loop = type >= 0 && type < TYPES && type != NPY_LONGDOUBLE && type != NPY_CLONGDOUBLE;
        for (j = 1; j < nin; j++)
            has_loop = has_loop && types[j] == type;
        has_loop = has_loop && types[nin] >= 0 && types[nin] < TYPES && ufunc->functions[k];
        if (has_loop && !found->loops[type].run) {
            found->loops[type].run = ufunc->functions[k];
            found->loops[type].data = ufunc->data ? (void *)ufunc->data[k] : NULL;
            found->loops[type].result = types[nin];
        }
    }
    return found;
}

/* The shape of operands that are broadcast; the number of axes, or -1 where they cannot be. */
static int broadcast(const Operand *operands, int count, npy_intp *shape)
{
    int nd = 0, axis, k;
    for (k = 0; k < count; k++)
        if (operands[k].nd > nd)
            nd = operands[k].nd;
    for (axis = 0; axis < nd; axis++) {
        shape[axis] = 1;
        for (k = 0; k < count; k++) {
            int own = axis - nd + operands[k].nd;
            npy_intp n = own < 0 ? 1 : operands[k].dims[own];
            if (n == 1 || n == shape[axis])
                continue;
            if (shape[axis] != 1)
                return -1;
            shape[axis] = n;
        }
    }
    return nd;
}

/* The strides of an operand along the axes of a shape; 0 where its memory does not run as a new array's would. */
static int strides_in(const Operand *operand, int nd, const npy_intp *shape, npy_intp *strides)
{
    npy_intp before = NPY_MAX_INTP;
    int axis;
    for (axis = 0; axis < nd; axis++) {
        int own = axis - nd + operand->nd;
        if (own < 0 || (operand->dims[own] == 1 && shape[axis] != 1) || shape[axis] < 2) {
            strides[axis] = 0;
            continue;
        }
        strides[axis] = operand->strides[own];
        /* (NumPy gives results the layout of their operands, but for the direction.) */
        if (!strides[axis] || labs(strides[axis]) > before)
            return 0;
        before = labs(strides[axis]);
    }
    return 1;
}

/* Run a loop over all elements. Axes that follow one another in all operands are one. (Inlined where the number of
   operands is known: rows may be short.) */
static inline void run_over(const Loop *loop, const int operands, char **data, int nd, const npy_intp *shape,
                            npy_intp strides[][MOST_AXES])
{
    npy_intp dims[MOST_AXES], steps[MOST_AXES][MOST_OPERANDS], at[MOST_AXES] = {0};
    char *here[MOST_OPERANDS] = {NULL}, *given[MOST_OPERANDS];
    int axis, k, count = 0;
    for (axis = 0; axis < nd; axis++) {
        int joins = count > 0;
        if (shape[axis] == 1)
            continue;
        for (k = 0; joins && k < operands; k++)
            joins = steps[count - 1][k] == strides[k][axis] * shape[axis];
        if (joins)
            dims[count - 1] *= shape[axis];
        else
            dims[count++] = shape[axis];
        for (k = 0; k < operands; k++)
            steps[count - 1][k] = strides[k][axis];
    }
    if (!count) {
        dims[count++] = 1;
        for (k = 0; k < operands; k++)
            steps[0][k] = 0;
    }
    for (k = 0; k < operands; k++)
        here[k] = data[k];
    for (;;) {
        npy_intp length[1] = {dims[count - 1]};
        memcpy(given, here, sizeof(given));
        loop->run(given, length, steps[count - 1], loop->data);
        for (axis = count - 2; axis >= 0; axis--) {
            for (k = 0; k < operands; k++)
                here[k] += steps[axis][k];
            if (++at[axis] < dims[axis])
                break;
            for (k = 0; k < operands; k++)
                here[k] -= steps[axis][k] * dims[axis];
            at[axis] = 0;
        }
        if (axis < 0)
            return;
    }
}

static void run(const Loop *loop, int operands, char **data, int nd, const npy_intp *shape,
                npy_intp strides[][MOST_AXES])
{
    if (operands == 3)
        run_over(loop, 3, data, nd, shape, strides);
    else
        run_over(loop, operands, data, nd, shape, strides);
}

/* The loop for operands, which get its type; NULL where there is none. */
static const Loop *chosen(const Loops *loops, Operand *operands)
{
    const Loop *loop;
    int k, arrays = 0;
    for (k = 0; k < loops->nin; k++)
        arrays += operands[k].is_array;
    if (!promote(operands, loops->nin) || (loops->of_floats && !PyTypeNum_ISFLOAT(operands[0].type)))
        return NULL;
    if (!loops->loops[operands[0].type].run && (operands[0].type == NPY_LONG || operands[0].type == NPY_INT))
        for (k = 0; k < loops->nin; k++)
            if (!cast_operand(&operands[k], NPY_DOUBLE))
                return NULL;
    loop = &loops->loops[operands[0].type];
    /* (Scalars of complex numbers are computed otherwise than arrays.) */
    return loop->run && (arrays || !PyTypeNum_ISCOMPLEX(operands[0].type)) ? loop : NULL;
}

static int is_little(int nd, const npy_intp *shape, double cost, int type)
{
    double size = type == NPY_BOOL ? cost * known.bools : cost;
    int axis;
    for (axis = 0; axis < nd; axis++)
        size *= (double)shape[axis];
    return type != NPY_BOOL && cost == 1.0 ? reaches(size) : size < known.limit;
}

static PyObject *scalar_of_type(char *data, int type)
{
    PyArray_Descr *descr;
    PyObject *scalar;
    if (type == NPY_DOUBLE) {
        scalar = PyArrayScalar_New(Double);
        if (scalar)
            PyArrayScalar_ASSIGN(scalar, Double, *(double *)data);
        return scalar;
    }
    descr = PyArray_DescrFromType(type);
    scalar = PyArray_Scalar(data, descr, NULL);
    Py_DECREF(descr);
    return scalar;
}

/* Whether an array has the type and the shape of a result. */
static int is_like(PyArrayObject *array, int type, int nd, const npy_intp *shape)
{
    return PyArray_TYPE(array) == type && PyArray_NDIM(array) == nd &&
           PyArray_CompareLists(PyArray_DIMS(array), shape, nd);
}

static PyObject *computed(const Loops *loops, Operand *operands, PyArrayObject *spare)
{
    npy_intp shape[MOST_AXES], strides[MOST_OPERANDS][MOST_AXES];
    char *data[MOST_OPERANDS];
    const Loop *loop = chosen(loops, operands);
    PyArrayObject *found;
    int nd, k, axis;
    if (!loop || (nd = broadcast(operands, loops->nin, shape)) < 0 || !is_little(nd, shape, loops->cost, operands[0].type))
        return NULL;
    for (k = 0; k < loops->nin; k++) {
        if (!strides_in(&operands[k], nd, shape, strides[k]))
            return NULL;
        data[k] = operands[k].data;
    }
    if (!nd) {
        union {
            npy_cdouble pair;
            npy_long whole;
        } value;
        data[loops->nin] = (char *)&value;
        run(loop, loops->nin + 1, data, 0, shape, strides);
        return scalar_of_type((char *)&value, loop->result);
    }
    if (spare && is_like(spare, loop->result, nd, shape))
        found = (PyArrayObject *)Py_NewRef((PyObject *)spare);
    else
        found = (PyArrayObject *)PyArray_SimpleNew(nd, shape, loop->result);
    if (!found) {
        PyErr_Clear();
        return NULL;
    }
    for (axis = 0; axis < nd; axis++)
        strides[loops->nin][axis] = PyArray_STRIDES(found)[axis];
    data[loops->nin] = PyArray_BYTES(found);
    if (PyArray_SIZE(found))
        run(loop, loops->nin + 1, data, nd, shape, strides);
    return (PyObject *)found;
}

/* An array or scalar of NumPy's: a new one, or `spare`, an operand's, if that is given and has its shape and type; NULL
   without an exception where this is not computed here. */
PyObject *compute(const Loops *loops, Operand *operands, PyArrayObject *spare)
{
    PyObject *found;
    hold(operands, loops->nin);
    found = computed(loops, operands, spare);
    release(operands, loops->nin);
    return found;
}

/* All elements of contiguous data together, as the ufunc's `reduce` goes over them; NULL, without an exception, where
   that has other types within. `identity`: what it begins with, 0 or 1, or -1 for the first element. */
PyObject *reduce_all(const Loops *loops, PyArrayObject *data, int identity)
{
    int type = PyArray_TYPE(data);
    npy_intp count = PyArray_SIZE(data), size = PyArray_ITEMSIZE(data), steps[3] = {0, size, 0};
    union {
        double as_double;
        float as_float;
        npy_long as_long;
        npy_bool as_bool;
    } value;
    char *begin = PyArray_BYTES(data), *given[3] = {(char *)&value, begin, (char *)&value};
    const Loop *loop;
    if ((type != NPY_DOUBLE && type != NPY_FLOAT && type != NPY_LONG && type != NPY_BOOL) || !count ||
        !PyArray_IS_C_CONTIGUOUS(data) || !PyArray_ISBEHAVED_RO(data))
        return NULL;
    loop = &loops->loops[type];
    if (!loop->run || loop->result != type)
        return NULL;
    if (identity < 0) {
        memcpy(&value, begin, size);
        given[1] += size;
        count--;
    } else if (type == NPY_DOUBLE)
        value.as_double = identity;
    else if (type == NPY_FLOAT)
        value.as_float = (float)identity;
    else if (type == NPY_LONG)
        value.as_long = identity;
    else
        value.as_bool = (npy_bool)identity;
    if (count)
        loop->run(given, &count, steps, loop->data);
    return scalar_of_type((char *)&value, type);
}

/* Where an operand's memory begins and ends. */
static void extent(const Operand *operand, int size, char **begin, char **end)
{
    int axis;
    *begin = *end = operand->data;
    for (axis = 0; axis < operand->nd; axis++) {
        npy_intp last = operand->strides[axis] * (operand->dims[axis] - 1);
        if (last < 0)
            *begin += last;
        else
            *end += last;
    }
    *end += size;
}

/* Whether a target may be written while an operand is read: apart from one another, or element by element the same.
 */
static int is_safe(const Operand *target, const Operand *operand, int size)
{
    char *begin, *end, *other_begin, *other_end;
    int axis;
    if (!operand->is_array)
        return 1;
    extent(target, size, &begin, &end);
    extent(operand, size, &other_begin, &other_end);
    if (end <= other_begin || other_end <= begin)
        return 1;
    if (target->data != operand->data || target->nd != operand->nd)
        return 0;
    for (axis = 0; axis < target->nd; axis++)
        if (target->dims[axis] != operand->dims[axis] || target->strides[axis] != operand->strides[axis])
            return 0;
    return 1;
}

/* The shape of a target into which operands are broadcast, and the strides of all; 0 where that is not done here. */
static int lay_out(const Operand *target, const Operand *operands, int count, int size, npy_intp *shape,
                   npy_intp strides[][MOST_AXES])
{
    int nd = target->nd, axis, k;
    for (axis = 0; axis < nd; axis++) {
        shape[axis] = target->dims[axis];
        strides[count][axis] = target->strides[axis];
    }
    for (k = 0; k < count; k++) {
        if (operands[k].nd > nd || !is_safe(target, &operands[k], size))
            return 0;
        for (axis = 0; axis < nd; axis++) {
            int own = axis - nd + operands[k].nd;
            npy_intp n = own < 0 ? 1 : operands[k].dims[own];
            if (n != 1 && n != shape[axis])
                return 0;
            strides[k][axis] = n == 1 ? 0 : operands[k].strides[own];
        }
    }
    return 1;
}

static int computed_into(const Loops *loops, Operand *operands, PyObject *array, PyArrayObject *target)
{
    npy_intp shape[MOST_AXES], strides[MOST_OPERANDS][MOST_AXES];
    char *data[MOST_OPERANDS];
    const Loop *loop = chosen(loops, operands);
    Operand into;
    int k;
    if (!loop || operands[0].own || !operand_of((PyObject *)target, &into) || into.type != loop->result)
        return 0;
    /* (While NumPy casts an operand, other threads may run, and make the array settle.) */
    if (operands[loops->nin - 1].own && data_to_write(array) != (PyObject *)target)
        return 0;
    if (!is_little(into.nd, into.dims, loops->cost * known.in_place, operands[0].type) ||
        !lay_out(&into, operands, loops->nin, PyArray_ITEMSIZE(target), shape, strides))
        return 0;
    for (k = 0; k < loops->nin; k++)
        data[k] = operands[k].data;
    data[loops->nin] = into.data;
    if (PyArray_SIZE(target))
        run(loop, loops->nin + 1, data, into.nd, shape, strides);
    return 1;
}

/* Write a result into the data of an array, the first operand's own; 0 where this is not computed here. */
int compute_into(const Loops *loops, Operand *operands, PyObject *array, PyArrayObject *target)
{
    int done;
    hold(operands, loops->nin);
    done = computed_into(loops, operands, array, target);
    release(operands, loops->nin);
    return done;
}

#define COPY(name, type)                                                                                             \
    static void name(char **data, npy_intp const *dims, npy_intp const *steps, void *unused)                         \
    {                                                                                                                \
        npy_intp k, n = dims[0], from = steps[0], to = steps[1];                                                     \
        const char *source = data[0];                                                                                \
        char *target = data[1];                                                                                      \
        (void)unused;                                                                                                \
        if (from == (npy_intp)sizeof(type) && to == (npy_intp)sizeof(type)) {                                        \
            memmove(target, source, n * sizeof(type));                                                               \
            return;                                                                                                  \
        }                                                                                                            \
        for (k = 0; k < n; k++, source += from, target += to)                                                        \
            *(type *)target = *(const type *)source;                                                                 \
    }

typedef struct {
    npy_uint64 low, high;
} Sixteen;
COPY(copy_1, npy_uint8)
COPY(copy_2, npy_uint16)
COPY(copy_4, npy_uint32)
COPY(copy_8, npy_uint64)
COPY(copy_16, Sixteen)

/* Write a value of the same type into an array; 0 where that is not done here. */
int assign(PyArrayObject *target, Operand *value)
{
    npy_intp shape[MOST_AXES], strides[MOST_OPERANDS][MOST_AXES];
    int size = PyArray_ITEMSIZE(target);
    Loop loop = {size == 1   ? copy_1
                 : size == 2 ? copy_2
                 : size == 4 ? copy_4
                 : size == 8 ? copy_8
                             : copy_16,
                 NULL, 0};
    char *data[2];
    Operand into;
    if (!operand_of((PyObject *)target, &into) || into.type < 0 || size > 16 || !as_type(value, into.type))
        return 0;
    if (!lay_out(&into, value, 1, size, shape, strides))
        return 0;
    data[0] = value->data;
    data[1] = into.data;
    if (data[0] != data[1] && PyArray_SIZE(target))
        run(&loop, 2, data, into.nd, shape, strides);
    return 1;
}
